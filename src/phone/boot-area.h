/* The boot area and the preloader in it. */
#pragma once

#include "phone/chip.h"

/* Writes the preloader FILE into the first boot area: erase, body, header last, so that a write that is cut leaves nothing that would start (spec
 * preloader-file.md 2.2). A file without a boot header gets one. *INVALID: it is longer than its own header allows, and nothing was done. */
MkChipResult mk_boot_area_store(MkChip *chip, const MkGeometry *geometry, const uint8_t *file, size_t length,
                                bool *invalid);
