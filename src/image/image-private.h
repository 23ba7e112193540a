/* Internal to the room. */
#pragma once

#include "image/image.h"

/* SIZE bytes (≥ sizeof (MkImage)), zeroed, refs 1, no extents yet. */
gpointer mk_image_alloc(const MkImageClass *klass, size_t size, uint64_t image_size);

/* Of an EMI block of at least 0x70 bytes: its version, -1 = none, and its number of records; the size of one (0: cannot be told; *CUT: the last
 * ones are not whole). */
int mk_emi_version(const uint8_t *block);
unsigned mk_emi_count(const uint8_t *block, int version);
unsigned mk_emi_record_size(int version, unsigned count, size_t length, bool *cut);
