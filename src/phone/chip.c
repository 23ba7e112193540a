/* An eMMC (boot1, boot2, RPMB, user) or a UFS (LU0, LU1, LU2): each region a sparse file. */
#include "phone/chip-private.h"

#include "core/fault.h"
#include "core/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOW_PIECE 65536                          /* what a slow chip has written when its power goes */
#define SLOW_NAP   (20 * G_TIME_SPAN_MILLISECOND) /* between two looks whether it has */

/* Which regions a kind of storage has, and the file of each. */
typedef struct {
    MkRegion region;
    const char *file;
} RegionFile;

static const RegionFile emmc_files[] = {{MK_REGION_BOOT1, "boot1.img"},
                                        {MK_REGION_BOOT2, "boot2.img"},
                                        {MK_REGION_RPMB, "rpmb.img"},
                                        {MK_REGION_USER, "user.img"},
                                        {MK_REGION_NONE, NULL}};
static const RegionFile ufs_files[] = {
    {MK_REGION_LU0, "lu0.img"}, {MK_REGION_LU1, "lu1.img"}, {MK_REGION_LU2, "lu2.img"}, {MK_REGION_NONE, NULL}};

int mk_chip_open_file(const char *folder, const char *name, uint64_t size, bool create, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0), 0644);
    struct stat info;
    if (fd < 0 || (create && ftruncate(fd, (off_t)size) != 0) || fstat(fd, &info) != 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot open the flash file"), path);
    } else if ((uint64_t)info.st_size != size) {
        mk_fault_set(error, MK_FAULT_FILE,
                     _("%s has %" G_GINT64_FORMAT " bytes; this phone's chip has %" G_GUINT64_FORMAT "."), path,
                     (gint64)info.st_size, size);
    } else {
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

MkChip *mk_chip_open(const MkModel *model, const char *folder, bool create, GError **error)
{
    g_autoptr(MkChip) chip = g_new0(MkChip, 1);
    chip->model = model;
    chip->worn = g_array_new(FALSE, FALSE, sizeof(MkWorn));
    chip->tear_after = UINT64_MAX;
    for (unsigned i = 0; i < MK_REGION_N; i++)
        chip->fd[i] = -1;
    if (create && g_mkdir_with_parents(folder, 0755) != 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot make the folder"), folder);
        return NULL;
    }
    if (model->geometry.storage == MK_STORAGE_NAND)
        return mk_nand_open(chip, folder, create, error) ? g_steal_pointer(&chip) : NULL;
    const RegionFile *files = model->geometry.storage == MK_STORAGE_UFS ? ufs_files : emmc_files;
    for (; files->file; files++) {
        uint64_t size = mk_geometry_region_size(&model->geometry, files->region);
        int fd = mk_chip_open_file(folder, files->file, size, create, error);
        if (fd < 0)
            return NULL;
        chip->fd[files->region] = fd;
    }
    return g_steal_pointer(&chip);
}

void mk_chip_free(MkChip *chip)
{
    if (!chip)
        return;
    for (unsigned i = 0; i < MK_REGION_N; i++) {
        if (chip->fd[i] >= 0)
            close(chip->fd[i]);
    }
    g_array_unref(chip->worn);
    g_free(chip->map);
    g_free(chip->page);
    g_free(chip);
}

bool mk_chip_absent(const MkChip *chip)
{
    return chip->absent;
}

void mk_chip_set_absent(MkChip *chip, bool absent)
{
    chip->absent = absent;
}

uint64_t mk_chip_size(const MkChip *chip, MkRegion region)
{
    return region == MK_REGION_NAND ? 0 : mk_geometry_region_size(&chip->model->geometry, region);
}

/* --- injected troubles -------------------------------------------------------------------------------------------------- */

void mk_chip_inject_worn(MkChip *chip, MkRegion region, uint64_t offset, uint64_t length)
{
    MkWorn worn = {.region = region, .offset = offset, .length = length};
    g_array_append_val(chip->worn, worn);
}

void mk_chip_inject_tear(MkChip *chip, uint64_t after_bytes_written)
{
    chip->tear_after = after_bytes_written;
}

void mk_chip_inject_slow(MkChip *chip, uint64_t bytes_per_second)
{
    chip->slow = bytes_per_second;
}

bool mk_chip_would_fail(const MkChip *chip, MkRegion region, uint64_t offset, uint64_t length)
{
    for (guint i = 0; i < chip->worn->len; i++) {
        const MkWorn *worn = &g_array_index(chip->worn, MkWorn, i);
        if (worn->region == region && offset < worn->offset + worn->length && worn->offset < offset + length)
            return true;
    }
    return false;
}

void mk_chip_set_stop(MkChip *chip, bool (*stopped)(gpointer user_data), gpointer user_data)
{
    chip->stopped = stopped;
    chip->stopped_data = user_data;
}

void mk_chip_hurry(MkChip *chip, bool hurried)
{
    chip->hurried = hurried;
}

bool mk_chip_pace(MkChip *chip, size_t length)
{
    if (!chip->slow || chip->hurried)
        return true;
    gint64 end = g_get_monotonic_time() + (gint64)((uint64_t)length * G_USEC_PER_SEC / chip->slow);
    for (gint64 left; (left = end - g_get_monotonic_time()) > 0;) {
        if (chip->stopped && chip->stopped(chip->stopped_data)) {
            chip->gone = true;
            return false;
        }
        g_usleep((gulong)MIN(left, SLOW_NAP));
    }
    return true;
}

/* --- reading and writing ---------------------------------------------------------------------------------------------------- */

static MkChipResult check(const MkChip *chip, MkRegion region, uint64_t offset, uint64_t length)
{
    uint64_t size = mk_chip_size(chip, region);
    if (chip->gone)
        return MK_CHIP_GONE;
    if (chip->absent)
        return MK_CHIP_FAILED;
    if (offset > size || length > size - offset || chip->fd[region] < 0)
        return MK_CHIP_RANGE;
    return mk_chip_would_fail(chip, region, offset, length) ? MK_CHIP_FAILED : MK_CHIP_OK;
}

MkChipResult mk_chip_read(MkChip *chip, MkRegion region, uint64_t offset, void *data, size_t length)
{
    MkChipResult result = check(chip, region, offset, length);
    for (size_t done = 0; result == MK_CHIP_OK && done < length;) {
        ssize_t n = pread(chip->fd[region], (uint8_t *)data + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return MK_CHIP_FAILED;
        done += (size_t)n;
    }
    return mk_chip_pace(chip, length) ? result : MK_CHIP_GONE;
}

static MkChipResult put(MkChip *chip, MkRegion region, uint64_t offset, const void *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(chip->fd[region], (const uint8_t *)data + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return MK_CHIP_FAILED;
        done += (size_t)n;
    }
    return MK_CHIP_OK;
}

/* The sector in flight is half new, half old; then the power is gone. */
static MkChipResult tear(MkChip *chip, MkRegion region, uint64_t offset, const void *data, size_t length)
{
    size_t sector = chip->model->geometry.sector;
    size_t whole = (size_t)MIN(chip->tear_after, length) / sector * sector;
    size_t half = MIN(sector / 2, length - whole);
    put(chip, region, offset, data, whole + half);
    chip->gone = true;
    chip->tear_after = UINT64_MAX;
    return MK_CHIP_GONE;
}

MkChipResult mk_chip_write(MkChip *chip, MkRegion region, uint64_t offset, const void *data, size_t length)
{
    MkChipResult result = check(chip, region, offset, length);
    if (result != MK_CHIP_OK)
        return result;
    if (chip->tear_after < length)
        return tear(chip, region, offset, data, length);
    if (chip->tear_after != UINT64_MAX)
        chip->tear_after -= length;
    size_t step = chip->slow ? SLOW_PIECE : length;
    for (size_t done = 0; result == MK_CHIP_OK && done < length; done += step) {
        size_t piece = MIN(step, length - done);
        result = mk_chip_pace(chip, piece) ? put(chip, region, offset + done, (const uint8_t *)data + done, piece)
                                           : MK_CHIP_GONE;
    }
    return result;
}

MkChipResult mk_chip_erase(MkChip *chip, MkRegion region, uint64_t offset, uint64_t length)
{
    MkChipResult result = check(chip, region, offset, length);
    if (result != MK_CHIP_OK || length == 0)
        return result;
    if (fallocate(chip->fd[region], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)length) == 0)
        return MK_CHIP_OK;
    static const uint8_t zeros[1 << 16];
    for (uint64_t done = 0; result == MK_CHIP_OK && done < length; done += sizeof zeros)
        result = put(chip, region, offset + done, zeros, (size_t)MIN(sizeof zeros, length - done));
    return result;
}

void mk_chip_power_on(MkChip *chip)
{
    chip->gone = false;
}

/* --- as stores -------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    MkStore store;
    MkChip *chip; /* borrowed */
} ChipStore;

static bool outcome(MkChipResult result, bool writing, GError **error)
{
    if (result == MK_CHIP_OK)
        return true;
    mk_fault_set(error, writing ? MK_FAULT_WRITE : MK_FAULT_READ, _("The virtual chip failed (%d)."), result);
    return false;
}

static MkChipResult chip_read(MkChip *chip, MkRegion region, uint64_t offset, void *data, size_t length)
{
    return region == MK_REGION_NAND ? mk_nand_read(chip, offset, data, length)
                                    : mk_chip_read(chip, region, offset, data, length);
}

static bool store_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                       G_GNUC_UNUSED GCancellable *cancel, GError **error)
{
    MkChip *chip = ((ChipStore *)store)->chip;
    uint8_t buffer[1 << 16];
    for (uint64_t done = 0; done < length;) {
        size_t piece = (size_t)MIN(sizeof buffer, length - done);
        if (!outcome(chip_read(chip, store->region, offset + done, buffer, piece), false, error) ||
            !sink(buffer, piece, user_data, error))
            return false;
        done += piece;
    }
    return true;
}

static bool store_write(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                        G_GNUC_UNUSED GCancellable *cancel, GError **error)
{
    MkChip *chip = ((ChipStore *)store)->chip;
    uint8_t buffer[1 << 16];
    for (uint64_t done = 0; done < length;) {
        size_t piece = (size_t)MIN(sizeof buffer, length - done);
        if (!source(buffer, piece, user_data, error))
            return false;
        MkChipResult result = store->region == MK_REGION_NAND
                                  ? mk_nand_write(chip, offset + done, buffer, piece)
                                  : mk_chip_write(chip, store->region, offset + done, buffer, piece);
        if (!outcome(result, true, error))
            return false;
        done += piece;
    }
    return true;
}

static bool store_erase(MkStore *store, uint64_t offset, uint64_t length, G_GNUC_UNUSED GCancellable *cancel,
                        GError **error)
{
    MkChip *chip = ((ChipStore *)store)->chip;
    MkChipResult result = store->region == MK_REGION_NAND ? mk_nand_erase(chip, offset, length)
                                                          : mk_chip_erase(chip, store->region, offset, length);
    return outcome(result, true, error);
}

static void store_free(G_GNUC_UNUSED MkStore *store)
{
}

MkStore *mk_chip_store(MkChip *chip, MkRegion region)
{
    static const MkStoreClass klass = {
        .read = store_read, .write = store_write, .erase = store_erase, .free = store_free};
    const MkGeometry *geometry = &chip->model->geometry;
    ChipStore *self = mk_store_alloc(&klass, sizeof *self, mk_region_name(region));
    self->chip = chip;
    self->store.size = region == MK_REGION_NAND ? geometry->nand_size : mk_chip_size(chip, region);
    self->store.block_size = region == MK_REGION_NAND ? geometry->nand_page : geometry->sector;
    self->store.storage = geometry->storage;
    self->store.region = region;
    return &self->store;
}
