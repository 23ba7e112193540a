/* An agent: a Download Agent that runs on the phone.  Describe storage, read, write, erase, tables, memory test, reboot — three dialects
 * (legacy, XFlash, XML) behind one table of functions.
 *
 * Addresses are bytes inside a hardware region (MkRegion); a dialect or release that speaks linear addresses converts inside.  Data
 * moves through sink and source functions, as with MkStore.  All calls block, on one thread, and obey the GCancellable the agent was
 * opened with.  After a fault GONE, SILENT or PROTOCOL the agent is lost: only mk_agent_free() remains. */
#pragma once

#include "agent/agent-file.h"
#include "core/progress.h"
#include "core/sign.h"
#include "link/link.h"
#include "layout/layout.h"
#include "store/store.h"

typedef struct _MkAgent MkAgent;

/* How worn the storage is by its own report (spec da-xflash.md 11). */
typedef enum { MK_LIFE_UNKNOWN, MK_LIFE_GOOD, MK_LIFE_WARNING, MK_LIFE_END } MkLife;

/* What the agent reports of the phone. Sizes in bytes; status words as sent (0 = found). */
typedef struct {
    MkStorage storage; /* what the phone's system lives on; UNKNOWN = none was found */
    MkGeometry geometry;
    uint32_t nor_status, nand_status, emmc_status, sdmmc_status, ufs_status;
    uint8_t emmc_cid[16]; /* as sent, each word big-endian: manufacturer first */
    uint64_t sdmmc_size;
    uint16_t nand_ids[8];
    unsigned nand_id_count;
    uint64_t sram_size, dram_size;
    uint32_t dram_status;
    uint8_t chip_id[16]; /* the chip's random id; all zero = not known */
    bool has_chip_id;
    uint8_t emmc_firmware[8];
    uint32_t boot_style;     /* 1033 eMMC, 1034 NOR, 1035 NAND, 0 not said */
    uint8_t usb_speed;       /* 0 full, 1 high, 2 super, 0xFF not asked */
    char *ufs_model;         /* or NULL */
    uint8_t ufs_id[20];      /* UFS: what its descriptor calls itself, as sent */
    uint8_t ufs_serial[132]; /* UFS: its serial number, as sent; zero = not known */
    uint16_t chip_code;      /* the main chip as the agent reads it, 0 = not said */
    MkLife life;
    uint8_t life_a, life_b,
        pre_eol; /* as JEDEC counts: life in tenths used (1 = up to 10 %, 0xB = over), pre-EOL 1 normal … 3; 0 = not said */
    uint8_t hrid[16];
    bool has_hrid;
    uint32_t dram_type; /* 3 LPDDR3, 5 LPDDR4, 6 LPDDR4X, 7 LPDDR4P; 0 = not said */
    int rpmb_key;       /* 1: programmed, 0: not, -1: not said */
    char *security;     /* the agent's words about the phone's secure state, or NULL */
    char *version;      /* agent's own words about itself, for the log */
} MkAgentInfo;

typedef enum {
    MK_AGENT_CAN_TABLE = 1 << 0, /* read_table/write_table */
    MK_AGENT_CAN_NAMES = 1 << 1, /* download/upload by partition name */
    MK_AGENT_CAN_MEMORY_TEST = 1 << 2,
    MK_AGENT_CAN_SPARE = 1 << 3,          /* NAND page + spare reads */
    MK_AGENT_WRITES_BOOT_HEADER = 1 << 4, /* download_preloader makes EMMC_BOOT/BRLYT itself */
    MK_AGENT_CAN_CHECKSUM = 1 << 5,       /* verify_checksum works */
    MK_AGENT_CAN_MODES = 1 << 6,          /* finish() can restart into META and fastboot */
    MK_AGENT_NEEDS_TABLE = 1 << 7, /* refuses to write to the main region while no table is on it (spec agents.md) */
} MkAgentCaps;

typedef enum { MK_AFTER_STAY, MK_AFTER_REBOOT, MK_AFTER_OFF, MK_AFTER_META, MK_AFTER_FASTBOOT } MkAfter;

typedef enum {
    MK_MEMTEST_DATA_BUS,
    MK_MEMTEST_ADDRESS_BUS,
    MK_MEMTEST_PATTERN,
    MK_MEMTEST_INC_DEC,
} MkMemoryTest;

typedef enum { MK_ERASE_NORMAL, MK_ERASE_FORCE, MK_ERASE_MARK_BAD } MkEraseMode;
typedef enum { MK_NAND_PAGE, MK_NAND_PAGE_SPARE, MK_NAND_SPARE, MK_NAND_PAGE_ECC } MkNandMode;

typedef struct {
    const char *dialect; /* "legacy" */
    void (*free)(MkAgent *agent);
    bool (*read)(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                 GError **error);
    bool (*write)(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                  gpointer user_data, GError **error);
    bool (*erase)(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
                  MkProgress *progress, GError **error);
    /* NULL entries below: this dialect has no such thing; the caller gets MK_FAULT_UNSUPPORTED. */
    bool (*read_nand)(MkAgent *agent, uint64_t offset, uint64_t length, MkNandMode mode, bool physical, MkSinkFunc sink,
                      gpointer user_data, GError **error);
    /* A file image to a NAND partition: YAFFS images carry their spare, UBI/raw do not. */
    bool (*write_nand)(MkAgent *agent, const MkPartition *partition, uint64_t length, MkSourceFunc source,
                       gpointer user_data, GError **error);
    bool (*read_table)(MkAgent *agent, MkLayout **layout, GError **error); /* E-TABLE-NONE if the phone has none */
    bool (*write_table)(MkAgent *agent, const MkLayout *layout, bool update,
                        GError **error);                              /* update false: validate only */
    bool (*read_bmt)(MkAgent *agent, GArray **pairs, GError **error); /* u32 bad << 16 | replacement */
    bool (*verify_checksum)(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, uint16_t sum16,
                            bool *equal, GError **error);
    /* A whole partition by the name that the phone's own table has for it. */
    bool (*download)(MkAgent *agent, const char *partition, uint64_t length, MkSourceFunc source, gpointer user_data,
                     GError **error);
    bool (*upload)(MkAgent *agent, const char *partition, MkSinkFunc sink, gpointer user_data, GError **error);
    bool (*memory_test)(MkAgent *agent, MkMemoryTest test, uint64_t start, uint64_t length, uint32_t pattern,
                        MkProgress *progress, GError **error);
    bool (*battery)(MkAgent *agent, unsigned *millivolt, GError **error);
    bool (*set_baud)(MkAgent *agent, unsigned baud, GError **error); /* UART only */
    bool (*high_speed)(MkAgent *agent, bool *reenumerates,
                       GError **error); /* USB: true in *reenumerates = port will come back as another */
    bool (*finish)(MkAgent *agent, MkAfter after, GError **error);
} MkAgentClass;

struct _MkAgent {
    const MkAgentClass *klass;
    MkLink *link;         /* borrowed; replaced by the owner of the session after the phone changed its speed */
    GCancellable *cancel; /* or NULL */
    MkAgentInfo info;
    unsigned caps; /* MkAgentCaps */
    bool lost;     /* a fault made the conversation unusable */
};

/* Which DRAM settings suit the flash chip that calls itself ID (begin of the CID, a UFS's text; LENGTH 0: it is not known yet)? New reference; NULL
 * with a fault if none does, or if several do and differ. */
typedef GBytes *(*MkEmiFunc)(const uint8_t *id, size_t length, gpointer user_data, GError **error);

/* How a phone was reached and what its dialects need; made by boot. */
typedef struct {
    const MkSoc *soc;
    uint16_t hw_code, hw_sub_code, hw_version, sw_version;
    bool from_preloader; /* DRAM is up */
    uint8_t brom_version, bl_version;
    const MkAgentFile *file;
    const MkAgentEntry *entry;
    GBytes *emi;          /* whole EMI block (MTK_BLOADER_INFO_v …) for BootROM connections, or NULL: there is none */
    MkEmiFunc choose_emi; /* chooses instead of `emi` as soon as the flash chip is known; or NULL */
    gpointer emi_data;
    enum { MK_BATTERY_AUTO, MK_BATTERY_WITH, MK_BATTERY_WITHOUT } battery;
    MkSigner signer;                       /* for agents that demand the owner's key; may be empty */
    uint32_t pool_blocks, pool_block_size; /* the load's BMT pool (NAND: bad block reserve), 0 = not known */
} MkAgentSetup;

/* The phone has just been told to jump to the agent's first stage: takes it from there to a running command loop with the storage
 * reported (stage 1, DRAM, stage 2, report, flash id). The dialect is the entry's family. PROGRESS may be NULL. */
MkAgent *mk_agent_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                       GError **error);
/* The settings to send to a phone with the flash chip ID. New reference; NULL with a fault, or without one where SETUP has none. */
GBytes *mk_agent_setup_emi(const MkAgentSetup *setup, const uint8_t *id, size_t length, GError **error);
/* For the dialects: frees the words of the report and the agent itself. */
void mk_agent_dispose(MkAgent *agent);
void mk_agent_free(MkAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkAgent, mk_agent_free)

const MkAgentInfo *mk_agent_info(const MkAgent *agent);
bool mk_agent_can(const MkAgent *agent, MkAgentCaps cap);
/* Size of a region by the report, 0 = the phone has none. */
uint64_t mk_agent_region_size(const MkAgent *agent, MkRegion region);
/* The smallest piece that REGION is read in: sector or page, in bytes, at least 1. */
uint32_t mk_agent_page_unit(const MkAgent *agent, MkRegion region);

/* Thin calls through the table; they check range and alignment first (MK_FAULT_RANGE) and answer MK_FAULT_UNSUPPORTED where there is no entry. */
bool mk_agent_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink,
                   gpointer user_data, GError **error);
bool mk_agent_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                    gpointer user_data, GError **error);
bool mk_agent_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
                    MkProgress *progress, GError **error);
bool mk_agent_read_nand(MkAgent *agent, uint64_t offset, uint64_t length, MkNandMode mode, bool physical,
                        MkSinkFunc sink, gpointer user_data, GError **error);
bool mk_agent_write_nand(MkAgent *agent, const MkPartition *partition, uint64_t length, MkSourceFunc source,
                         gpointer user_data, GError **error);
bool mk_agent_read_table(MkAgent *agent, MkLayout **layout, GError **error);
bool mk_agent_write_table(MkAgent *agent, const MkLayout *layout, bool update, GError **error);
bool mk_agent_read_bmt(MkAgent *agent, GArray **pairs, GError **error);
/* Writes an image to the partition that the phone's table calls PARTITION; sparse images are expanded by the agent. */
bool mk_agent_download(MkAgent *agent, const char *partition, uint64_t length, MkSourceFunc source, gpointer user_data,
                       GError **error);
/* Reads that whole partition. */
bool mk_agent_upload(MkAgent *agent, const char *partition, MkSinkFunc sink, gpointer user_data, GError **error);
bool mk_agent_memory_test(MkAgent *agent, MkMemoryTest test, uint64_t start, uint64_t length, uint32_t pattern,
                          MkProgress *progress, GError **error);
bool mk_agent_battery(MkAgent *agent, unsigned *millivolt, GError **error);
bool mk_agent_set_baud(MkAgent *agent, unsigned baud, GError **error);
/* Asks for a faster cable mode; *reenumerates: the port will vanish and come back as another. */
bool mk_agent_high_speed(MkAgent *agent, bool *reenumerates, GError **error);
bool mk_agent_finish(MkAgent *agent, MkAfter after, GError **error);

/* A region of the phone as a store (borrows the agent, which must outlive it). */
MkStore *mk_store_agent_new(MkAgent *agent, MkRegion region, GError **error);
