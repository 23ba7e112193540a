/* Inside the room: the pieces that a stock phone and its ROM are made of. Everything is invented; only the forms are genuine. */
#pragma once

#include "phone/content.h"

/* "preloader_<project>.bin": GFH chain, ROM info, body, EMI block for the model's memory, signature area (spec preloader-file.md). */
GBytes *mk_make_preloader(const MkModel *model);
/* An image behind MediaTek's 512-byte header. */
GBytes *mk_make_headed(const char *name, const char *words, size_t length);
/* Boot or recovery image; HEADERS false leaves MediaTek's inner headers out, as ordinary repacking tools do. */
GBytes *mk_make_boot(const MkModel *model, bool recovery, bool headers);
/* The NVRAM bin region with an IMEI record (spec nvram.md 3). */
GBytes *mk_make_nvram(const MkModel *model);
/* A file system by its partition's canonical name; BUILD is what build.prop of "system" says. */
GBytes *mk_make_file_system(const MkModel *model, const char *partition, const char *build, GError **error);
/* The image of a partition by its canonical name as a ROM holds it, or NULL with no *error if a ROM has none. */
GBytes *mk_make_image(const MkModel *model, const char *partition, GError **error);
/* The 2112-byte records of a yaffs2 image with the single file NAME. */
GBytes *mk_make_yaffs(const char *name, const char *text, uint32_t page, uint32_t spare);
/* The text of a build.prop. Caller frees. */
char *mk_make_build_prop(const MkModel *model, const char *build);
