/* Inside the room: the pieces that a stock phone and its ROM are made of. Everything is invented; only the forms are genuine. */
#pragma once

#include "phone/content.h"

/* "preloader_<project>.bin": GFH chain, ROM info, body, EMI block for the model's memory, signature area (spec preloader-file.md). */
GBytes *mk_make_preloader(const MkModel *model);
/* An image behind MediaTek's 512-byte header. */
GBytes *mk_make_headed(const char *name, const char *words, size_t length);
/* Boot or recovery image; HEADERS false leaves MediaTek's inner headers out, as ordinary repacking tools do. */
GBytes *mk_make_boot(const MkModel *model, bool recovery, bool headers);
/* What loaders since Android 9 start: headers without MediaTek's, version 2, or 4 with its vendor_boot and init_boot beside it. */
GBytes *mk_make_late_boot(const MkModel *model, const char *partition);
GBytes *mk_make_vendor_boot(const MkModel *model);
GBytes *mk_make_dtbo(const MkModel *model);
/* vbmeta with the digests of what the loader verifies (spec images.md 15); vbmeta_system and vbmeta_vendor name nothing. */
GBytes *mk_make_vbmeta(const MkModel *model, const char *partition);
/* The begin of a `super` of SIZE bytes, up to the last byte that is not a hole (spec images.md 14); BUILD as below. */
GBytes *mk_make_super(const MkModel *model, uint64_t size, const char *build, GError **error);
/* Is Android of this phone in a `super`, and verified by a vbmeta? */
bool mk_model_has(const MkModel *model, const char *partition);
/* NAME without the slot that ends it. Caller frees. */
char *mk_slotless(const char *name);
/* Do boot images of this phone's loader go without MediaTek's inner headers, Android 9 and later? */
bool mk_is_late(const MkModel *model);

/* The NVRAM bin region with an IMEI record (spec nvram.md 3). */
GBytes *mk_make_nvram(const MkModel *model);
/* LD0B_001: what stands in the bin region and in nvdata (spec nvram.md 4.1, the later form). */
GBytes *mk_make_imei_file(const MkModel *model);
/* A file system by its partition's canonical name; BUILD is what build.prop of "system" says. */
GBytes *mk_make_file_system(const MkModel *model, const char *partition, const char *build, GError **error);
/* The image of a partition by its canonical name as a ROM holds it, or NULL with no *error if a ROM has none. */
GBytes *mk_make_image(const MkModel *model, const char *partition, GError **error);
/* The 2112-byte records of a yaffs2 image with the single file NAME. */
GBytes *mk_make_yaffs(const char *name, const char *text, uint32_t page, uint32_t spare);
/* The text of a build.prop. Caller frees. */
char *mk_make_build_prop(const MkModel *model, const char *build);

/* --- filling --- */
typedef struct {
    MkChip *chip;
    const MkModel *model;
    const MkLayout *layout; /* where content goes */
} MkFill;
bool mk_fill_put(MkFill *fill, const MkPartition *partition, GBytes *bytes, GError **error);
bool mk_fill_put_tables(MkFill *fill, GError **error);
bool mk_fill_stock(MkFill *fill, GError **error);
