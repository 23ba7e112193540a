/* What is on a virtual phone's flash, and the ROM that belongs to it: made by the model, invented, nobody's data. */
#pragma once

#include "phone/chip.h"

/* States (design.md, behaviour.md 10): "stock" boots to the home screen. Damages, each what the name says:
 * "blank" (never written), "no-table" (PMT/MBR/GPT gone, data intact), "wrong-rom" (another variant's images and a table that does not
 * match, NVRAM good: hangs at the logo), "resized" (table of a resizing tool), "no-preloader", "no-system", "bad-primary-gpt",
 * "bad-backup-gpt", "formatted" (NVRAM blank, system good), "bad-boot" (a boot image as ordinary tools repack it: without MTK headers,
 * and not the one that vbmeta vouches for), "bad-vbmeta" (none there), "torn-gpt" (a flash that was interrupted: both GPTs and the system
 * gone). */
extern const char *const mk_content_states[]; /* NULL-terminated */
bool mk_content_fill(MkChip *chip, const MkModel *model, const char *state, GError **error);

/* Writes the model's stock ROM into FOLDER (created): scatter under its genuine name and every image it names. The preloader file carries an EMI
 * block for the model's memory. */
bool mk_content_make_rom(const MkModel *model, const char *folder, GError **error);

/* A Download Agent container in the genuine format (spec da-file.md) with one entry per chip of the models that it is for, marked as ours and
 * never executed. RELEASE: "G0".."G4" legacy (they decide label and table layout, too); "X1" XFlash of 2015, "X2" of 2020, "X3" of 2025; "V1" XML,
 * "V2" XML for one chip with a shortened table. */
GBytes *mk_content_make_da(const char *release, GError **error);
bool mk_content_known_release(const char *release, GError **error);

/* What a DA region that arrived says about itself. */
typedef struct {
    char release[3];
    unsigned stage;
    uint16_t chip; /* its number in DA files */
} MkDaMark;
/* False: it is not one of ours. */
bool mk_content_da_marker(const void *data, size_t length, MkDaMark *mark);
/* The dialect that an agent speaks, ours or a genuine one; UNKNOWN: bytes that cannot be told (most legacy stages). */
MkDaFamily mk_content_da_dialect(const void *data, size_t length);
