/* The chips: every row of data/chips.csv, generated into a table at build time (columns: spec chips.md). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { MK_DA_UNKNOWN, MK_DA_LEGACY, MK_DA_XFLASH, MK_DA_XML } MkDaFamily;

typedef enum {
    MK_WDT_UNKNOWN,           /* no value known */
    MK_WDT_WRITE,             /* write wdt_value to wdt_base */
    MK_WDT_READ_MODIFY_WRITE, /* read, clear bit 0, OR wdt_value in, write */
    MK_WDT_BY_DA,             /* the agent does it; the host must not */
    MK_WDT_NONE,              /* no operation */
} MkWdtAction;

typedef struct {
    uint16_t hw_code;   /* what FD answers */
    uint16_t spft_code; /* number in DA files and scatters; = hw_code where the column is empty */
    bool spft_known;    /* the column was not empty */
    uint16_t
        da_code; /* hw_code of the entry in DA files (da_file_hw_code, dacode, spft_code, hw_code: first that is there) */
    const char *names;      /* "MT6735/MT6735T/MT8735A" */
    const char *spft_names; /* "" = none */
    const char *marketing;
    const char *codename;
    const char *era;
    MkDaFamily da_family;
    uint32_t da1_load_addr, da2_load_addr; /* 0 = unknown */
    uint32_t preloader_da_addr;
    uint8_t preloader_bl_ver; /* lowest the column names, 0 = unknown */
    uint32_t wdt_base;        /* SP Flash Tool's where it has one */
    uint8_t wdt_width;        /* 16 or 32, 0 unknown */
    MkWdtAction wdt_action;
    uint32_t wdt_value;
    uint32_t uart_base;
    bool jump64;
    bool has_me_id, has_soc_id;
    uint32_t efuse_base;         /* the preloader's where it has one */
    const char *storage;         /* "NAND+EMMC+SDMMC" */
    const char *sub_hwver_swver; /* "8a00/ca00/0000 ..." */
    bool iot;
    const char *flags;
} MkSoc;

const MkSoc *mk_soc_table(size_t *count);
/* By the code of FD. Where several chips share it (6575: MT6575 and MT6577 differ by sub code) SUB_CODE decides; 0 = not known. NULL: unknown chip. */
const MkSoc *mk_soc_by_code(uint16_t hw_code, uint16_t sub_code);
/* By the code of an entry in DA files. NULL: unknown chip. */
const MkSoc *mk_soc_by_da_code(uint16_t da_code);
/* By a scatter's platform or any name of the chip, case-insensitive, with or without suffix letters ("MT6735M", "mt6737t"). */
const MkSoc *mk_soc_by_name(const char *name);
/* May a load that says NAME go onto the chip SOC? Same hardware code family (spec scatter.md 8, checks.md 2.3). */
bool mk_soc_accepts(const MkSoc *soc, const char *name);
/* "MT6577": the chip's first name. Static text. */
const char *mk_soc_name(const MkSoc *soc);
/* Is NUMBER (6357, …) a companion chip (power, radio) that must not be taken for a main chip? spec checks.md 2.3. */
bool mk_soc_is_companion(unsigned number);
