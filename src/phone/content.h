/* What is on a virtual phone's flash, and the ROM that belongs to it: made by the model, invented, nobody's data. */
#pragma once

#include "phone/chip.h"

/* States (design.md, behaviour.md 10): "stock" boots to the home screen. Damages, each what the name says:
 * "blank" (never written), "no-table" (PMT/MBR/GPT gone, data intact), "wrong-rom" (another variant's images and a table that does not
 * match, NVRAM good: hangs at the logo), "resized" (table of a resizing tool), "no-preloader", "no-system", "bad-primary-gpt",
 * "bad-backup-gpt", "formatted" (NVRAM blank, system good), "bad-boot" (boot image without MTK headers). */
extern const char *const mk_content_states[]; /* NULL-terminated */
bool mk_content_fill(MkChip *chip, const MkModel *model, const char *state, GError **error);

/* Writes the model's stock ROM into FOLDER (created): scatter under its genuine name and every image it names. The preloader file carries an EMI
 * block for the model's memory. */
bool mk_content_make_rom(const MkModel *model, const char *folder, GError **error);

/* A Download Agent container in the genuine format (spec da-file.md) with one entry per chip of the legacy models, marked as ours and never
 * executed. RELEASE "G0".."G4" decides label and table layout. */
GBytes *mk_content_make_da(const char *release, GError **error);
/* What a DA region that arrived says about itself, if it is one of ours: release and stage; false for foreign bytes. */
bool mk_content_da_marker(const void *data, size_t length, char release[3], unsigned *stage);
