/* Inside the room: the start of a phone that is being followed. */
#pragma once

#include "phone/bootcheck.h"

typedef struct {
    MkChip *chip;
    const MkModel *model;
    MkStore *store; /* user area, LU2 or NAND */
    MkLayout *layout;
    MkTable *mbr;     /* where the kernel looks */
    const char *slot; /* "_a", "_b", or "" */
    MkBootReport *report;
} MkStart;

/* A region in which a worn sector is no content, zeros, rather than the end of everything: what reads it goes on with what it finds
 * elsewhere, such as the other copy of a table. */
MkStore *mk_start_store(MkChip *chip, MkRegion region);
/* By name in the slot that starts, or without one; NULL: not in the table, or not inside the storage. */
const MkPartition *mk_start_find(const MkStart *start, const char *name);
/* Why the loader would not start what it has loaded, NULL if it would. Caller frees. */
char *mk_start_unverified(const MkStart *start);
