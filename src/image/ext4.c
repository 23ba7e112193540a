/* Reading files out of an ext4 image without mounting it: libext2fs over a store. */
#include "image/image.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <ext2fs/ext2fs.h>
#include <string.h>

static errcode_t io_open(const char *name, int flags, io_channel *channel);

static errcode_t io_close(io_channel channel)
{
    g_free(channel->name);
    g_free(channel);
    return 0;
}

static errcode_t io_set_block_size(io_channel channel, int block_size)
{
    channel->block_size = block_size;
    return 0;
}

/* COUNT: blocks, or bytes if negative. What lies beyond the image's end reads as an error: a cut-off image must show. */
static errcode_t io_read64(io_channel channel, unsigned long long block, int count, void *data)
{
    MkStore *store = channel->private_data;
    uint64_t length = count < 0 ? (uint64_t) - (int64_t)count : (uint64_t)count * (unsigned)channel->block_size, offset;
    if (__builtin_mul_overflow(block, (unsigned)channel->block_size, &offset) ||
        !mk_store_read(store, offset, data, length, NULL, NULL))
        return EXT2_ET_SHORT_READ;
    return 0;
}

static errcode_t io_read(io_channel channel, unsigned long block, int count, void *data)
{
    return io_read64(channel, block, count, data);
}

static errcode_t io_write64(io_channel channel, unsigned long long block, int count, const void *data)
{
    return EXT2_ET_RO_FILSYS;
}

static errcode_t io_write(io_channel channel, unsigned long block, int count, const void *data)
{
    return EXT2_ET_RO_FILSYS;
}

static errcode_t io_flush(io_channel channel)
{
    return 0;
}

static struct struct_io_manager manager = {.magic = EXT2_ET_MAGIC_IO_MANAGER,
                                           .name = "medik store",
                                           .open = io_open,
                                           .close = io_close,
                                           .set_blksize = io_set_block_size,
                                           .read_blk = io_read,
                                           .write_blk = io_write,
                                           .flush = io_flush,
                                           .read_blk64 = io_read64,
                                           .write_blk64 = io_write64};

/* libext2fs opens by name only; each thread has its own store for the moment of opening. */
static __thread MkStore *opening;

static errcode_t io_open(const char *name, int flags, io_channel *channel)
{
    io_channel new_channel = g_new0(struct struct_io_channel, 1);
    new_channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
    new_channel->manager = &manager;
    new_channel->name = g_strdup(name);
    new_channel->block_size = 1024;
    new_channel->refcount = 1;
    new_channel->private_data = opening;
    *channel = new_channel;
    return 0;
}

static ext2_filsys open_file_system(MkStore *store, GError **error)
{
    ext2_filsys fs = NULL;
    opening = store;
    errcode_t code =
        ext2fs_open2("store", NULL, EXT2_FLAG_64BITS | EXT2_FLAG_SOFTSUPP_FEATURES | EXT2_FLAG_IGNORE_CSUM_ERRORS, 0, 0,
                     &manager, &fs);
    opening = NULL;
    if (!code)
        return fs;
    mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("The ext4 file system in %s cannot be read: %s."), store->name,
                 error_message(code));
    return NULL;
}

static GBytes *read_inode(ext2_filsys fs, ext2_ino_t inode, size_t limit, errcode_t *code)
{
    ext2_file_t file;
    __u64 size;
    unsigned got = 0;
    if ((*code = ext2fs_file_open(fs, inode, 0, &file)))
        return NULL;
    GBytes *bytes = NULL;
    if (!(*code = ext2fs_file_get_lsize(file, &size))) {
        size_t length = (size_t)MIN(size, limit);
        uint8_t *data = g_malloc(MAX(length, 1));
        *code = ext2fs_file_read(file, data, (unsigned)length, &got);
        bytes = g_bytes_new_take(data, got);
    }
    ext2fs_file_close(file);
    if (*code)
        g_clear_pointer(&bytes, g_bytes_unref);
    return bytes;
}

GBytes *mk_ext4_read_file(MkStore *store, const char *path, size_t limit, GError **error)
{
    ext2_filsys fs = open_file_system(store, error);
    if (!fs)
        return NULL;
    ext2_ino_t inode;
    GBytes *bytes = NULL;
    errcode_t code = ext2fs_namei_follow(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &inode);
    if (!code)
        bytes = read_inode(fs, inode, limit, &code);
    if (!bytes)
        mk_fault_set(error, MK_FAULT_FILE, _("%s is not in the file system of %s: %s."), path, store->name,
                     error_message(code));
    ext2fs_close_free(&fs);
    return bytes;
}

bool mk_ext4_size(MkStore *store, uint64_t *bytes, GError **error)
{
    uint8_t super[1024];
    if (store->size < 2048 || !mk_store_read(store, 1024, super, sizeof super, NULL, error)) {
        mk_fault_set(error && *error ? NULL : error, MK_FAULT_IMAGE_KIND, _("%s is too short for a file system."),
                     store->name);
        return false;
    }
    uint32_t log_block = mk_le32(super + 24);
    uint64_t blocks = mk_le32(super + 4);
    if (mk_le32(super + 96) & 0x80)
        blocks |= (uint64_t)mk_le32(super + 336) << 32;
    if (mk_le16(super + 56) != 0xEF53 || log_block > 6 ||
        __builtin_mul_overflow(blocks, UINT64_C(1024) << log_block, bytes)) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("%s holds no ext4 file system."), store->name);
        return false;
    }
    return true;
}
