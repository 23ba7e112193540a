#include "core/fault.h"
#include "core/i18n.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 20)

typedef struct {
    MkStore base;
    int fd;
} FileStore;

static bool fault_errno(MkStore *store, const char *doing, GError **error)
{
    mk_fault_set_errno(error, false, errno, doing, store->name);
    return false;
}

static bool read_all(FileStore *file, uint64_t offset, uint8_t *data, size_t length, GError **error)
{
    while (length) {
        ssize_t n = pread(file->fd, data, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_errno(&file->base, _("Cannot read"), error);
        if (!n) {
            mk_fault_set(error, MK_FAULT_FILE, _("%s became shorter while it was read."), file->base.name);
            return false;
        }
        data += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

static bool write_all(FileStore *file, uint64_t offset, const uint8_t *data, size_t length, GError **error)
{
    while (length) {
        ssize_t n = pwrite(file->fd, data, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fault_errno(&file->base, _("Cannot write"), error);
        data += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return true;
}

static bool file_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                      GCancellable *cancel, GError **error)
{
    FileStore *file = (FileStore *)store;
    g_autofree uint8_t *buffer = g_malloc(MIN(length, PIECE));
    while (length) {
        size_t piece = MIN(length, PIECE);
        if (g_cancellable_set_error_if_cancelled(cancel, error) || !read_all(file, offset, buffer, piece, error) ||
            !sink(buffer, piece, user_data, error))
            return false;
        offset += piece;
        length -= piece;
    }
    return true;
}

static bool file_write(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                       GCancellable *cancel, GError **error)
{
    FileStore *file = (FileStore *)store;
    g_autofree uint8_t *buffer = g_malloc(MIN(length, PIECE));
    while (length) {
        size_t piece = MIN(length, PIECE);
        if (g_cancellable_set_error_if_cancelled(cancel, error) || !source(buffer, piece, user_data, error) ||
            !write_all(file, offset, buffer, piece, error))
            return false;
        offset += piece;
        length -= piece;
    }
    return true;
}

static bool fill_zero(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    memset(data, 0, length);
    return true;
}

static bool file_erase(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error)
{
    FileStore *file = (FileStore *)store;
    if (!fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length))
        return true;
    return file_write(store, offset, length, fill_zero, NULL, cancel, error);
}

static bool file_flush(MkStore *store, GError **error)
{
    return !fsync(((FileStore *)store)->fd) || errno == EINVAL || fault_errno(store, _("Cannot write"), error);
}

static void file_free(MkStore *store)
{
    close(((FileStore *)store)->fd);
}

static const MkStoreClass file_class = {
    .read = file_read, .write = file_write, .erase = file_erase, .flush = file_flush, .free = file_free};

static MkStore *file_new(int fd, uint64_t size, const char *path)
{
    FileStore *file = mk_store_alloc(&file_class, sizeof *file, path);
    file->fd = fd;
    file->base.size = size;
    return &file->base;
}

MkStore *mk_store_file_open(const char *path, bool writable, GError **error)
{
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) {
        mk_fault_set_errno(error, false, errno, _("Cannot open"), path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    off_t size = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode) ? lseek(fd, 0, SEEK_END) : -1;
    if (size < 0) {
        mk_fault_set(error, MK_FAULT_FILE, _("%s is neither a file nor a disk."), path);
        close(fd);
        return NULL;
    }
    return file_new(fd, (uint64_t)size, path);
}

MkStore *mk_store_file_create(const char *path, uint64_t size, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || ftruncate(fd, (off_t)size)) {
        mk_fault_set_errno(error, false, errno, _("Cannot create"), path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return file_new(fd, size, path);
}

bool mk_store_foreach_data(MkStore *store, MkDataFunc func, gpointer user_data, GError **error)
{
    if (store->klass != &file_class)
        return !store->size || func(0, store->size, user_data, error);
    int fd = ((FileStore *)store)->fd;
    off_t end = (off_t)store->size;
    for (off_t at = 0; at < end;) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return true; /* nothing but a hole is left */
        off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (data < 0 || hole < 0) /* cannot tell: all of it is data */
            return func((uint64_t)at, (uint64_t)(end - at), user_data, error);
        hole = MIN(hole, end);
        if (data < hole && !func((uint64_t)data, (uint64_t)(hole - data), user_data, error))
            return false;
        at = hole;
    }
    return true;
}
