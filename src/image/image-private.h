/* Internal to the room. */
#pragma once

#include "image/image.h"

/* SIZE bytes (≥ sizeof (MkImage)), zeroed, refs 1, no extents yet. */
gpointer mk_image_alloc(const MkImageClass *klass, size_t size, uint64_t image_size);
