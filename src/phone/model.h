/* One model of virtual phone, read from data/phones/NAME.ini: chip, storage geometry, layout, how BootROM and preloader behave, which
 * release of the agent it is used with, what its stock ROM says about itself. */
#pragma once

#include "layout/layout.h"
#include "soc/soc.h"

typedef enum { MK_PL1 = 1, MK_PL2, MK_PL3 } MkPreloaderGeneration;
typedef enum { MK_TABLE_MBR_PMT, MK_TABLE_MBR, MK_TABLE_GPT, MK_TABLE_NAND_PMT } MkModelTable;

#define MK_NAND_SPARE_MAX 256 /* spare bytes of one page */

typedef struct {
    char *id;    /* "mt6577-9300" */
    char *title; /* "9300+ clone (MT6577, eMMC)" */
    const MkSoc *soc;
    uint16_t hw_code, hw_sub_code, hw_version, sw_version;
    MkGeometry geometry;
    unsigned nand_bad_blocks[16]; /* factory bad blocks, n_nand_bad of them */
    unsigned n_nand_bad;
    uint8_t cid[16]; /* eMMC, manufacturer first */
    uint16_t nand_ids[5];
    uint64_t dram_size, sram_size;
    uint8_t chip_id[16]; /* random id */
    uint8_t me_id[16], soc_id[32];
    uint32_t target_config; /* D8 */
    uint8_t brom_version;
    MkPreloaderGeneration pl_generation;
    bool duplicate_a0;  /* A0 at i>0: no answer, i=1 (spec brom.md 4.2) */
    bool region_assert; /* forbidden register: assert (PL1 old) instead of status 1000/1001 */
    unsigned window_ms; /* handshake time-out of the preloader, 2500 */
    uint32_t preloader_da_addr, preloader_da_max;
    bool has_me_id, has_soc_id; /* BootROM answers E1/E7 */
    char *meta_variant;         /* "old", "worldphone", "v2" */
    char *sla_key;              /* PEM public key path for SLA, or NULL */
    char *agent_release;        /* default release of the agent: "G1".."G4" */
    bool new_combo;             /* is_new_combo: region-relative addresses in G3+ (spec agents.md legacy 2) */
    bool emmc_can_erase;        /* erase in one go instead of FF-fill */
    MkModelTable table;
    char *scatter_text; /* the stock layout as a scatter (v0 or v1), from data/phones/NAME.scatter.txt */
    MkLayout *layout;   /* parsed and resolved for the geometry */
    uint64_t header;    /* H_build */
    uint32_t emi_version;
    MkDaFamily dialect; /* that agents for this chip speak */
    char *flavour;   /* of XFlash: "2015", "2020", "2025" (the stages that an agent of that year has); NULL elsewhere */
    char *agent_key; /* PEM public key path: the agent demands its SLA; or NULL */
    uint8_t hrid[16];
    uint8_t life_a, life_b, pre_eol; /* as the storage reports them (spec da-xflash.md 11) */
    uint32_t dram_type;              /* spec da-xflash.md 6.1, GET_DRAM_TYPE */
    bool rpmb_key;                   /* the RPMB has its key already */
    char *ufs_model;                 /* "KM2V8001CM", NULL elsewhere */
    bool ab;                         /* slots */
    /* what the stock ROM says */
    char *brand, *model_name, *device, *project, *build, *android;
    char *fs; /* "ext4", "yaffs2" */
} MkModel;

/* By id or by the path of an .ini file. Searches $MEDIK_DATA_DIR, the build's data folder, then the installed one. */
MkModel *mk_model_load(const char *name, GError **error);
void mk_model_free(MkModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkModel, mk_model_free)
/* Ids of all models found (char *), sorted. */
GPtrArray *mk_model_list(void);
