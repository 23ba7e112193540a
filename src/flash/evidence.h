/* What a range of the phone looks like: is this place really where a partition lives? (spec behaviour.md 4.11, playbook P2) */
#pragma once

#include "layout/layout.h"

typedef enum {
    MK_EVIDENCE_BLANK,  /* erased */
    MK_EVIDENCE_SOME,   /* content, nothing to recognise it by */
    MK_EVIDENCE_FORM,   /* the right kind of content */
    MK_EVIDENCE_PROVEN, /* the right kind and its own checksum agrees */
} MkEvidence;

/* Looks at [offset, offset + size) of STORE as the partition NAME (canonical). *words (may be NULL) says what was seen; caller frees. Reads a few
 * KiB, for nvram as much as its checksum covers. A place outside the store is BLANK. */
bool mk_evidence_look(const char *name, MkStore *store, uint64_t offset, uint64_t size, MkEvidence *evidence,
                      char **words, GError **error);
