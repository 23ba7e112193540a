/* Internal to the room: what one run of the checks carries along. */
#pragma once

#include "rom/rom.h"

typedef struct {
    const MkRom *rom;
    const MkPhoneFacts *phone; /* or NULL */
    GPtrArray *findings;
    GPtrArray *unchecked; /* or NULL */
} Check;

/* A finding about ITEM (may be NULL). */
MkFinding *mk_check_find(Check *check, const MkRomItem *item, MkSeverity severity, const char *id, const char *format,
                         ...) G_GNUC_PRINTF(5, 6);
void mk_check_unchecked(Check *check, const char *id);
char *mk_check_base(const MkRomItem *item); /* file name for messages; caller frees */

bool mk_check_boot(Check *check, GError **error);  /* K-*, X-* */
bool mk_check_avb(Check *check, GError **error);   /* K-VERITY, B-LOCK */
void mk_check_companions(Check *check);            /* S-INCOMPLETE */
bool mk_check_phone(Check *check, GError **error); /* P-*, I-*, S-* */
