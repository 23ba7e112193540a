/* Would this phone reach its home screen?  Follows the real chain: preloader with its header in boot 1 or LU0 → table → lk (of either slot) →
 * boot image (with MTK headers in their era) → vbmeta, from Android 9 on → build.prop in system, or in the system of `super` → nvdata,
 * NVRAM → IMEI.  Says where it stopped and what the owner would see. */
#pragma once

#include "phone/chip.h"

typedef enum {
    MK_BOOT_STOP_PRELOADER, /* black screen, BootROM on USB */
    MK_BOOT_STOP_TABLE,     /* preloader loops */
    MK_BOOT_STOP_LK,        /* black screen, preloader loops */
    MK_BOOT_STOP_BOOT,      /* hangs at the first logo */
    MK_BOOT_STOP_VBMETA,    /* red warning, off */
    MK_BOOT_STOP_SYSTEM,    /* hangs at the boot logo / animation */
    MK_BOOT_HOME_NO_NVRAM,  /* home screen, no radio */
    MK_BOOT_HOME_NO_IMEI,   /* home screen, IMEI not set */
    MK_BOOT_HOME,           /* all good */
} MkBootStop;

typedef struct {
    MkBootStop stop;
    const char *id; /* "home", "preloader", "table", "lk", "boot", "vbmeta", "system", "no-nvram", "no-imei" */
    char *sees;     /* what the owner sees */
    char *why;      /* what the chain found */
    char *build;    /* build id of the system that runs, or NULL */
    char *imei; /* "present", "blank", … (image.h MkNvramReport); never the number; NULL: it did not come that far */
} MkBootReport;

MkBootReport *mk_bootcheck(MkChip *chip, const MkModel *model, GError **error);
void mk_boot_report_free(MkBootReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkBootReport, mk_boot_report_free)
