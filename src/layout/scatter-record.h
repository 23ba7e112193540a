/* Internal to the room: what the readers of the scatter generations that have keys (YAML-like and XML) share. They hand over pairs of key
 * and value with their lines; here these become partitions, with a diagnosis for everything that is odd (spec scatter.md 3, 4). */
#pragma once

#include "layout/scatter.h"

typedef struct {
    GPtrArray *findings;
    bool strict;
    GError **error;
    MkLayout *top;
    GPtrArray *sections; /* MkLayout, of a combo file */
    MkLayout *section;   /* gets the partitions: top, or one of the sections */
    GHashTable *record;  /* key → value of the open partition, or NULL */
    GHashTable *lines;   /* key → line number */
    unsigned record_line;
    bool list_ended; /* strict: the genuine parser stopped here */
    bool failed;
    bool xml; /* the XML generation: other keys are needed, other readers of it exist */
} MkScatterReader;

MkFinding *mk_scatter_find(MkScatterReader *reader, MkSeverity severity, const char *id, unsigned line,
                           const char *format, ...) G_GNUC_PRINTF(5, 6);
/* Sets the fault once, with the genuine parser's number; always false. */
bool mk_scatter_refuse(MkScatterReader *reader, uint32_t number, const char *symbol, unsigned line, const char *what);
/* The next pair: partition_index opens a record, storage_type a section, all else belongs to what is open. */
void mk_scatter_take_pair(MkScatterReader *reader, const char *key, const char *value, unsigned line);
void mk_scatter_close_record(MkScatterReader *reader);
/* Judges the whole. The first section, the others hanging below it; NULL with a fault. New reference. */
MkLayout *mk_scatter_finish(MkScatterReader *reader);
