/* Flash chips backed by sparse files with real geometry: an eMMC (boot1, boot2, RPMB, user), a UFS (LU0 and LU1 for booting, LU2 for the
 * rest, blocks of 4096 bytes) or a NAND (pages, spare, factory bad blocks, BMT pool). Folder layout: boot1.img boot2.img rpmb.img
 * user.img, or lu0.img lu1.img lu2.img, or nand.img (page + spare interleaved). */
#pragma once

#include "phone/model.h"

typedef struct _MkChip MkChip;

typedef enum {
    MK_CHIP_OK,
    MK_CHIP_RANGE,     /* outside the region */
    MK_CHIP_FAILED,    /* the storage failed (injected: worn sector, slow death) */
    MK_CHIP_BAD_BLOCK, /* NAND: block marked bad */
    MK_CHIP_ECC,       /* NAND: uncorrectable */
    MK_CHIP_GONE,      /* power went away in the middle (brown-out, torn write): nothing more can be answered */
} MkChipResult;

MkChip *mk_chip_open(const MkModel *model, const char *folder, bool create, GError **error);
void mk_chip_free(MkChip *chip);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkChip, mk_chip_free)
bool mk_chip_absent(const MkChip *chip); /* injected: storage does not answer the probe */
void mk_chip_set_absent(MkChip *chip, bool absent);

/* eMMC regions (BOOT1, BOOT2, RPMB, USER) and UFS regions (LU0, LU1, LU2). Erase makes 0x00 (punches holes). */
uint64_t mk_chip_size(const MkChip *chip, MkRegion region);
MkChipResult mk_chip_read(MkChip *chip, MkRegion region, uint64_t offset, void *data, size_t length);
MkChipResult mk_chip_write(MkChip *chip, MkRegion region, uint64_t offset, const void *data, size_t length);
MkChipResult mk_chip_erase(MkChip *chip, MkRegion region, uint64_t offset, uint64_t length);

/* Would any sector of the range fail (injected: worn)? */
bool mk_chip_would_fail(const MkChip *chip, MkRegion region, uint64_t offset, uint64_t length);

/* NAND, physical blocks and pages. Programming can only clear bits; erase makes 0xFF; a bad block refuses both unless forced. */
MkChipResult mk_chip_nand_read(MkChip *chip, uint32_t block, uint32_t page, void *data,
                               void *spare); /* either may be NULL */
MkChipResult mk_chip_nand_program(MkChip *chip, uint32_t block, uint32_t page, const void *data, const void *spare);
MkChipResult mk_chip_nand_erase(MkChip *chip, uint32_t block, bool force);
bool mk_chip_nand_is_bad(MkChip *chip, uint32_t block);
MkChipResult mk_chip_nand_mark_bad(MkChip *chip, uint32_t block);
uint32_t mk_chip_nand_blocks(const MkChip *chip);
/* Logical → physical through the BMT (spec tables.md 5.4); logical blocks are [0, blocks − pool). */
uint32_t mk_chip_bmt_map(MkChip *chip, uint32_t logical);
/* Takes a replacement for a logical block that went bad; false if the pool is used up. Writes the BMT. */
bool mk_chip_bmt_replace(MkChip *chip, uint32_t logical);
/* Pairs bad → replacement; returns their number, fills up to MAX. */
unsigned mk_chip_bmt_list(MkChip *chip, uint16_t *bad, uint16_t *replacement, unsigned max);

/* Writes LAYOUT as the PMT, main and mirror or the mirror only, into the last two system blocks (spec tables.md 5.2). */
MkChipResult mk_chip_nand_put_pmt(MkChip *chip, const MkLayout *layout, bool mirror_only);

/* The same as stores, for parsers and the boot check (NAND: logical data without spare). */
MkStore *mk_chip_store(MkChip *chip, MkRegion region);

/* Power is back after MK_CHIP_GONE. */
void mk_chip_power_on(MkChip *chip);

/* Injected troubles; see fault-injection.h. Offsets are of the USER region (NAND: logical data). */
void mk_chip_inject_worn(MkChip *chip, MkRegion region, uint64_t offset, uint64_t length); /* writes fail, reads fail */
void mk_chip_inject_tear(
    MkChip *chip, uint64_t after_bytes_written); /* the sector in flight is half old, half new, then power is gone */
void mk_chip_inject_slow(MkChip *chip, uint64_t bytes_per_second);
/* While HURRIED even a slow chip takes no time: for looking at it from outside, as the boot check does. */
void mk_chip_hurry(MkChip *chip, bool hurried);
/* A slow chip asks STOPPED whether its power has gone in the meantime: what it was doing ends with MK_CHIP_GONE. */
void mk_chip_set_stop(MkChip *chip, bool (*stopped)(gpointer user_data), gpointer user_data);
