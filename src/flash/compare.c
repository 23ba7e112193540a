/* Does the phone hold what the file says?  Holes are not compared: the phone keeps what it had there (spec images.md 2.5). */
#include "flash/backup.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

#define PIECE        (1u << 20)
#define SAMPLE_EVERY 16

typedef struct {
    MkImage *image;
    uint64_t offset; /* in the image, of the next byte from the phone */
    uint8_t *expected;
    MkCompareResult *result;
    MkProgress *progress;
    uint64_t total;
} Comparison;

static void note_difference(Comparison *comparison, const uint8_t *data, size_t length)
{
    MkCompareResult *result = comparison->result;
    if (!result->different)
        for (size_t i = 0; i < length; i++)
            if (data[i] != comparison->expected[i]) {
                result->first = comparison->offset + i;
                break;
            }
    result->different += length;
}

static bool compare_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Comparison *comparison = user_data;
    while (length) {
        size_t piece = MIN(length, PIECE);
        if (!mk_image_read(comparison->image, comparison->offset, comparison->expected, piece, error))
            return false;
        if (memcmp(data, comparison->expected, piece))
            note_difference(comparison, data, piece);
        comparison->result->compared += piece;
        comparison->offset += piece;
        data += piece;
        length -= piece;
        mk_progress_set(comparison->progress, comparison->result->compared, comparison->total);
    }
    return true;
}

static bool compare_range(Comparison *comparison, MkStore *store, uint64_t offset, uint64_t at, uint64_t length,
                          GCancellable *cancel, GError **error)
{
    comparison->offset = at;
    return mk_store_read_stream(store, offset + at, length, compare_sink, comparison, cancel, error);
}

/* First, last and every 16th MiB of an extent. */
static bool compare_samples(Comparison *comparison, MkStore *store, uint64_t offset, const MkExtent *extent,
                            GCancellable *cancel, GError **error)
{
    uint64_t pieces = (extent->length + PIECE - 1) / PIECE;
    for (uint64_t i = 0; i < pieces; i++) {
        if (i % SAMPLE_EVERY && i + 1 < pieces)
            continue;
        uint64_t at = i * PIECE, length = MIN((uint64_t)PIECE, extent->length - at);
        if (!compare_range(comparison, store, offset, extent->offset + at, length, cancel, error))
            return false;
    }
    return true;
}

bool mk_compare(MkStore *store, uint64_t offset, MkImage *image, bool sample, MkCompareResult *result,
                MkProgress *progress, GCancellable *cancel, GError **error)
{
    *result = (MkCompareResult){0};
    g_autofree uint8_t *expected = g_malloc(PIECE);
    Comparison comparison = {
        .image = image, .expected = expected, .result = result, .progress = progress, .total = mk_image_payload(image)};
    mk_progress_set(progress, 0, comparison.total);
    for (guint i = 0; i < image->extents->len; i++) {
        const MkExtent *extent = &g_array_index(image->extents, MkExtent, i);
        if (extent->kind == MK_EXTENT_HOLE)
            continue;
        bool ok = sample ? compare_samples(&comparison, store, offset, extent, cancel, error)
                         : compare_range(&comparison, store, offset, extent->offset, extent->length, cancel, error);
        if (!ok)
            return false;
    }
    mk_progress_done(progress);
    return true;
}

/* In the boot header, whatever the storage (spec preloader-file.md 2.1). */
#define BOOT_LAYOUT    0x200
#define START_OF_IMAGE 0x21C

static MkImage *preloader_on_phone(MkStore *boot, MkImage *image, uint64_t *offset, GError **error)
{
    uint8_t head[START_OF_IMAGE + 4];
    g_autoptr(MkPreloader) preloader = image->path ? mk_preloader_load(image->path, NULL, error) : NULL;
    if (!preloader || !mk_store_read(boot, 0, head, sizeof head, NULL, error))
        return NULL;
    if (memcmp(head + BOOT_LAYOUT, "BRLYT", 6) == 0)
        *offset = mk_le32(head + START_OF_IMAGE);
    return mk_image_slice_new(image, preloader->gfh_offset, image->size - preloader->gfh_offset, error);
}

MkImage *mk_image_on_phone(MkSession *session, const MkPartition *partition, MkImage *image, uint64_t *offset,
                           GError **error)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    g_autofree char *name = mk_partition_canonical(partition->name);
    MkContent content;
    *offset = partition->start;
    if (strcmp(name, "preloader") == 0 && geometry->storage != MK_STORAGE_NAND) {
        MkStore *boot = mk_session_partition_store(session, partition, error);
        return boot ? preloader_on_phone(boot, image, offset, error) : NULL;
    }
    g_autoptr(MkStore) store = mk_image_as_store(image);
    if (!mk_identify(store, &content, error))
        return NULL;
    if (geometry->storage == MK_STORAGE_NAND && content == MK_CONTENT_YAFFS2)
        return mk_image_pages_new(image, geometry->nand_page, geometry->nand_spare, error);
    return mk_image_ref(image);
}
