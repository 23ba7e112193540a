#include "flash/save-file.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"
#include "flash/file-hash.h"

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
    MkFileHash *hash;
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

static bool is_hole(const uint8_t *data, size_t length)
{
    uint8_t value;
    return mk_is_uniform(data, MIN(HOLE, length), &value) && !value;
}

static bool file_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Saving *saving = user_data;
    for (size_t at = 0, end; at < length; at = end + HOLE) {
        for (end = at; end < length && !is_hole(data + end, length - end);)
            end += MIN(HOLE, length - end);
        if (!write_all(saving, data + at, end - at, saving->position + at, error))
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
    if (ftruncate(saving->fd, (off_t)saving->position)) {
        mk_fault_set_errno(error, false, errno, _("Cannot write"), saving->path);
        return false;
    }
    mk_file_hash_advance(saving->hash, saving->position);
    return true;
}

static bool save_pieces(Saving *saving, GError **error)
{
    mk_progress_set(saving->progress, saving->position, saving->length);
    while (saving->position < saving->length)
        if (!save_range(saving, MIN(PIECE, saving->length - saving->position), error) || !note_length(saving, error))
            return false;
    if (fsync(saving->fd) == 0)
        return note_length(saving, error);
    mk_fault_set_errno(error, false, errno, _("Cannot write"), saving->path);
    return false;
}

/* Stands behind what is there; the last piece may be half written. */
static bool take_up_file(Saving *saving, GError **error)
{
    g_autofree char *marker = marker_of(saving->path);
    off_t size = lseek(saving->fd, 0, SEEK_END);
    uint64_t whole = size > 0 ? MIN((uint64_t)size, saving->length) / PIECE : 0;
    bool believed = whole > 1 && !g_file_test(marker, G_FILE_TEST_EXISTS);
    g_unlink(marker);
    saving->position = believed ? (whole - 1) * PIECE : 0;
    return note_length(saving, error);
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
                     .hash = mk_file_hash_new(fd, path),
                     .progress = progress,
                     .saved = saved,
                     .cancel = cancel};
    bool ok = take_up_file(&saving, error) && save_pieces(&saving, error);
    if (ok)
        saved->sha256 = mk_file_hash_finish(saving.hash, error);
    else
        mk_file_hash_free(saving.hash);
    ok = saved->sha256 != NULL;
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
