/* One range of the phone into one file: retries, a map of what could not be read, zero runs as holes. */
#pragma once

#include "core/progress.h"
#include "store/store.h"

typedef struct {
    char *sha256; /* of the whole file */
    uint64_t unreadable;
    GArray *map; /* (element-type MkUnreadable) or NULL */
} MkSavedFile;

typedef struct {
    uint64_t offset, length; /* in the file */
} MkUnreadable;

void mk_saved_file_clear(MkSavedFile *saved);

/* Creates PATH (with TAKE_UP takes up the file of an interrupted run of ours: what it holds, but for its last piece, is believed and only
 * hashed; else an existing file is a fault). A read error of the
 * storage is retried three times, then the piece is halved down to one sector, which is left zero and mapped (spec behaviour.md 4.6);
 * every other fault ends the save. */
bool mk_save_file(MkStore *store, uint64_t offset, uint64_t length, const char *path, bool take_up,
                  GCancellable *cancel, MkProgress *progress, MkSavedFile *saved, GError **error);
/* Is there room for NEED bytes in FOLDER, which need not exist yet? *FREE is what there is. Where nobody can tell, there is. */
bool mk_save_room(const char *folder, uint64_t need, uint64_t *free);
