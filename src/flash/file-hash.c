#include "flash/file-hash.h"

#include "core/fault.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <unistd.h>

#define PIECE (256u << 10) /* stays in the processor's cache between reading and summing */

struct _MkFileHash {
    int fd;
    const char *path;
    MkSha256 *sha;
    uint8_t *buffer;
    uint64_t done; /* summed; the thread's, until it is joined */
    GError *fault; /* likewise */
    GThread *thread;
    GMutex lock; /* for the two below */
    GCond changed;
    uint64_t end; /* how far the file is written */
    bool over;
};

/* Sums the next piece of at most MOST bytes, which begins at *AT. *ENDED: there is none. */
static bool digest_piece(MkSha256 *sha, int fd, const char *path, uint8_t *buffer, uint64_t most, uint64_t *at,
                         bool *ended, GError **error)
{
    ssize_t n;
    do
        n = pread(fd, buffer, (size_t)MIN(PIECE, most), (off_t)*at);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot read"), path);
        return false;
    }
    mk_sha256_update(sha, buffer, (size_t)n);
    *at += (uint64_t)n;
    *ended = n == 0;
    return true;
}

char *mk_file_sha256(const char *path, GError **error)
{
    int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot open"), path);
        return NULL;
    }
    g_autoptr(MkSha256) sha = mk_sha256_new();
    g_autofree uint8_t *buffer = g_malloc(PIECE);
    uint64_t at = 0;
    bool ok = true, ended = false;
    while (ok && !ended)
        ok = digest_piece(sha, fd, path, buffer, PIECE, &at, &ended, error);
    close(fd);
    return ok ? mk_sha256_finish(g_steal_pointer(&sha)) : NULL;
}

static bool follow_piece(MkFileHash *hash, uint64_t end)
{
    bool ended = false;
    bool ok = digest_piece(hash->sha, hash->fd, hash->path, hash->buffer, end - hash->done, &hash->done, &ended,
                           &hash->fault);
    if (ok && ended)
        mk_fault_set_errno(&hash->fault, false, EIO, _("Cannot read"), hash->path);
    return ok && !ended;
}

static gpointer follow(gpointer user_data)
{
    MkFileHash *hash = user_data;
    bool ok = true;
    g_mutex_lock(&hash->lock);
    while (ok && !hash->over) {
        uint64_t end = hash->end;
        if (hash->done == end) {
            g_cond_wait(&hash->changed, &hash->lock);
            continue;
        }
        g_mutex_unlock(&hash->lock);
        ok = follow_piece(hash, end);
        g_mutex_lock(&hash->lock);
    }
    g_mutex_unlock(&hash->lock);
    return NULL;
}

MkFileHash *mk_file_hash_new(int fd, const char *path)
{
    MkFileHash *hash = g_new0(MkFileHash, 1);
    hash->fd = fd;
    hash->path = path;
    hash->sha = mk_sha256_new();
    hash->buffer = g_malloc(PIECE);
    g_mutex_init(&hash->lock);
    g_cond_init(&hash->changed);
    hash->thread = g_thread_new("sha256", follow, hash);
    return hash;
}

void mk_file_hash_advance(MkFileHash *hash, uint64_t end)
{
    g_mutex_lock(&hash->lock);
    hash->end = end;
    g_cond_signal(&hash->changed);
    g_mutex_unlock(&hash->lock);
}

static void join(MkFileHash *hash)
{
    g_mutex_lock(&hash->lock);
    hash->over = true;
    g_cond_signal(&hash->changed);
    g_mutex_unlock(&hash->lock);
    g_thread_join(g_steal_pointer(&hash->thread));
}

char *mk_file_hash_finish(MkFileHash *hash, GError **error)
{
    char *sum = NULL;
    join(hash);
    /* The thread has ended with its piece. */
    while (!hash->fault && hash->done < hash->end)
        follow_piece(hash, hash->end);
    if (hash->fault)
        g_propagate_error(error, g_steal_pointer(&hash->fault));
    else
        sum = mk_sha256_finish(g_steal_pointer(&hash->sha));
    mk_file_hash_free(hash);
    return sum;
}

void mk_file_hash_free(MkFileHash *hash)
{
    if (!hash)
        return;
    if (hash->thread)
        join(hash);
    mk_sha256_free(hash->sha);
    g_clear_error(&hash->fault);
    g_mutex_clear(&hash->lock);
    g_cond_clear(&hash->changed);
    g_free(hash->buffer);
    g_free(hash);
}
