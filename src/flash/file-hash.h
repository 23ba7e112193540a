/* SHA-256 of files, finished or still being written. */
#pragma once

#include <glib.h>
#include <stdint.h>

/* SHA-256 of a file on disk as 64 lower-case hex digits. Caller frees; NULL with a fault. */
char *mk_file_sha256(const char *path, GError **error);

/* The sum of a file that grows: a thread of its own reads behind the writer, so that the phone does not wait for arithmetic. */
typedef struct _MkFileHash MkFileHash;
/* FD and PATH (for words) are borrowed. */
MkFileHash *mk_file_hash_new(int fd, const char *path);
/* All bytes before END are in the file and stay as they are. */
void mk_file_hash_advance(MkFileHash *hash, uint64_t end);
/* The sum of everything up to there; waits until it is made. Caller frees; NULL with a fault: the file cannot be read. Frees HASH. */
char *mk_file_hash_finish(MkFileHash *hash, GError **error);
void mk_file_hash_free(MkFileHash *hash); /* only if it was not finished */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkFileHash, mk_file_hash_free)
