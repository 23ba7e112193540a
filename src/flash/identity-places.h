/* Where the identity lies on a phone whose table cannot be read (spec behaviour.md 4.11). */
#pragma once

#include "flash/session.h"

/* The scatter that was given, for this phone's storage. New reference; NULL: none was given, or it does not fit. */
MkLayout *mk_identity_usual_layout(MkSession *session);
/* Looks for an NVRAM by its form, at the beginning of the main region. *length 0: none was found. */
bool mk_identity_search_nvram(MkSession *session, MkRegion *region, uint64_t *offset, uint64_t *length, GError **error);
