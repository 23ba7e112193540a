#include "flash/save-file.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PIECE   (UINT64_C(16) << 20) /* one command of the agent */
#define HOLE    (64u << 10)          /* zero runs of this size become holes */
#define RETRIES 3
#define SECTOR  512u

typedef struct {
    MkStore *store;
    uint64_t base;
    int fd;
    const char *path;
    uint64_t position; /* in the file */
    uint64_t length;
    MkSha256 *sha;
    MkProgress *progress;
    MkSavedFile *saved;
    GCancellable *cancel;
} Saving;

void mk_saved_file_clear(MkSavedFile *saved)
{
    g_free(saved->sha256);
    g_clear_pointer(&saved->map, g_array_unref);
    *saved = (MkSavedFile){0};
}

static bool write_all(Saving *saving, const uint8_t *data, size_t length, uint64_t at, GError **error)
{
    while (length) {
        ssize_t n = pwrite(saving->fd, data, length, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            mk_fault_set_errno(error, false, errno, _("Cannot write"), saving->path);
            return false;
        }
        data += n;
        at += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

static bool file_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Saving *saving = user_data;
    mk_sha256_update(saving->sha, data, length);
    for (size_t at = 0; at < length; at += HOLE) {
        size_t piece = MIN(HOLE, length - at);
        uint8_t value;
        if (mk_is_uniform(data + at, piece, &value) && !value)
            continue;
        if (!write_all(saving, data + at, piece, saving->position + at, error))
            return false;
    }
    saving->position += length;
    mk_progress_set(saving->progress, saving->position, saving->length);
    return true;
}

/* A file with places that could not be read is not taken up: the map of them would be lost. */
static char *marker_of(const char *path)
{
    return g_strconcat(path, ".unreadable", NULL);
}

static bool map_unreadable(Saving *saving, uint64_t length, GError **error)
{
    static const uint8_t zero[4096];
    MkSavedFile *saved = saving->saved;
    g_autofree char *marker = marker_of(saving->path);
    if (!saved->map && !g_file_set_contents(marker, "", 0, error))
        return false;
    if (!saved->map)
        saved->map = g_array_new(FALSE, FALSE, sizeof(MkUnreadable));
    MkUnreadable *last = saved->map->len ? &g_array_index(saved->map, MkUnreadable, saved->map->len - 1) : NULL;
    if (last && last->offset + last->length == saving->position)
        last->length += length;
    else
        g_array_append_val(saved->map, ((MkUnreadable){saving->position, length}));
    saved->unreadable += length;
    while (length) {
        size_t piece = MIN(length, sizeof zero);
        if (!file_sink(zero, piece, saving, error))
            return false;
        length -= piece;
    }
    return true;
}

/* Reads [position, position + length): what arrived before a read error stays, the rest is tried again in smaller pieces. */
static bool save_range(Saving *saving, uint64_t length, GError **error)
{
    uint64_t end = saving->position + length;
    for (int attempt = 0; attempt < RETRIES; attempt++) {
        g_autoptr(GError) local = NULL;
        if (mk_store_read_stream(saving->store, saving->base + saving->position, end - saving->position, file_sink,
                                 saving, saving->cancel, &local))
            return true;
        if (mk_fault_code(local) != MK_FAULT_READ) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
    uint64_t left = end - saving->position, sector = MAX(SECTOR, saving->store->block_size);
    if (left <= sector)
        return map_unreadable(saving, left, error);
    uint64_t half = mk_round_up(left / 2, sector);
    return save_range(saving, half, error) && save_range(saving, end - saving->position, error);
}

/* The length of the file says how far it is, zero runs included. */
static bool note_length(Saving *saving, GError **error)
{
    if (ftruncate(saving->fd, (off_t)saving->position) == 0)
        return true;
    mk_fault_set_errno(error, false, errno, _("Cannot write"), saving->path);
    return false;
}

static bool save_pieces(Saving *saving, GError **error)
{
    while (saving->position < saving->length)
        if (!save_range(saving, MIN(PIECE, saving->length - saving->position), error) || !note_length(saving, error))
            return false;
    if (fsync(saving->fd) == 0)
        return note_length(saving, error);
    mk_fault_set_errno(error, false, errno, _("Cannot write"), saving->path);
    return false;
}

/* Hashes what is there and stands behind it; the last piece may be half written. */
static bool take_up_file(Saving *saving, GError **error)
{
    g_autofree char *marker = marker_of(saving->path);
    off_t size = lseek(saving->fd, 0, SEEK_END);
    uint64_t whole = size > 0 ? MIN((uint64_t)size, saving->length) / PIECE : 0;
    uint64_t keep = whole > 1 && !g_file_test(marker, G_FILE_TEST_EXISTS) ? (whole - 1) * PIECE : 0;
    g_autofree uint8_t *buffer = g_malloc(1 << 20);
    g_unlink(marker);
    for (uint64_t at = 0; at < keep; at += 1 << 20) {
        if (pread(saving->fd, buffer, 1 << 20, (off_t)at) != 1 << 20) {
            mk_fault_set_errno(error, false, errno, _("Cannot read"), saving->path);
            return false;
        }
        mk_sha256_update(saving->sha, buffer, 1 << 20);
    }
    saving->position = keep;
    if (ftruncate(saving->fd, (off_t)keep) == 0)
        return true;
    mk_fault_set_errno(error, false, errno, _("Cannot write"), saving->path);
    return false;
}

bool mk_save_file(MkStore *store, uint64_t offset, uint64_t length, const char *path, bool take_up,
                  GCancellable *cancel, MkProgress *progress, MkSavedFile *saved, GError **error)
{
    *saved = (MkSavedFile){0};
    int fd = g_open(path, O_RDWR | O_CREAT | O_CLOEXEC | (take_up ? 0 : O_EXCL), 0600);
    if (fd < 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot create"), path);
        return false;
    }
    Saving saving = {.store = store,
                     .base = offset,
                     .fd = fd,
                     .path = path,
                     .length = length,
                     .sha = mk_sha256_new(),
                     .progress = progress,
                     .saved = saved,
                     .cancel = cancel};
    bool ok = take_up_file(&saving, error) && save_pieces(&saving, error);
    saved->sha256 = mk_sha256_finish(saving.sha);
    close(fd);
    g_autofree char *marker = marker_of(path);
    if (ok) {
        mk_progress_done(progress);
        g_unlink(marker);
    } else {
        mk_saved_file_clear(saved);
    }
    return ok;
}

bool mk_save_room(const char *folder, uint64_t need, uint64_t *free)
{
    struct statvfs info;
    g_autofree char *path = g_canonicalize_filename(folder, NULL);
    *free = UINT64_MAX;
    while (statvfs(path, &info)) {
        char *parent = g_path_get_dirname(path);
        bool top = !strcmp(parent, path);
        g_free(path);
        path = parent;
        if (top)
            return true;
    }
    *free = (uint64_t)info.f_bavail * info.f_frsize;
    return need <= *free;
}

char *mk_file_sha256(const char *path, GError **error)
{
    int fd = g_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot open"), path);
        return NULL;
    }
    g_autoptr(MkSha256) sha = mk_sha256_new();
    g_autofree uint8_t *buffer = g_malloc(1 << 20);
    ssize_t n;
    while ((n = read(fd, buffer, 1 << 20)) > 0)
        mk_sha256_update(sha, buffer, (size_t)n);
    int saved_errno = errno;
    close(fd);
    if (n < 0) {
        mk_fault_set_errno(error, false, saved_errno, _("Cannot read"), path);
        return NULL;
    }
    return mk_sha256_finish(g_steal_pointer(&sha));
}
