/* What is wrong with a phone that was looked at, and the cure, as findings (spec behaviour.md 4.1, checks.md 5). Reads only, and little. */
#pragma once

#include "flash/session.h"

/* What one partition begins with; not known: it was not looked at, or could not be read. */
typedef struct {
    bool known;
    MkContent content;
} MkLook;

/* What PARTITION holds, in words, by its first 64 KiB ("not readable" if they cannot be read); *LOOK says the same. Caller frees. */
char *mk_look_at(MkSession *session, const MkPartition *partition, MkLook *look);
/* LOOKS: one for each partition of the phone's layout (none if it has no layout). Appends to FINDINGS. A place that cannot be read is no fault,
 * a phone that is lost is. */
bool mk_diagnose(MkSession *session, const MkLook *looks, GPtrArray *findings, GError **error);
