#include "image/image-private.h"

#include "core/i18n.h"

#include <string.h>

MkImage *mk_image_ref(MkImage *image)
{
    image->refs++;
    return image;
}

void mk_image_unref(MkImage *image)
{
    if (!image || --image->refs)
        return;
    image->klass->free(image);
    g_array_unref(image->extents);
    g_free(image->path);
    g_free(image);
}

bool mk_image_read(MkImage *image, uint64_t offset, void *data, size_t length, GError **error)
{
    if (offset > image->size || length > image->size - offset) {
        mk_fault_set(error, MK_FAULT_RANGE, _("A read reaches beyond the end of %s."),
                     image->path ? image->path : _("the image"));
        return false;
    }
    return image->klass->read(image, offset, data, length, error);
}

uint64_t mk_image_payload(const MkImage *image)
{
    uint64_t sum = 0;
    for (guint i = 0; i < image->extents->len; i++) {
        const MkExtent *extent = &g_array_index(image->extents, MkExtent, i);
        sum += extent->kind == MK_EXTENT_HOLE ? 0 : extent->length;
    }
    return sum;
}

gpointer mk_image_alloc(const MkImageClass *klass, size_t size, uint64_t image_size)
{
    MkImage *image = g_malloc0(size);
    image->klass = klass;
    image->refs = 1;
    image->size = image_size;
    image->extents = g_array_new(FALSE, FALSE, sizeof(MkExtent));
    return image;
}

/* --- raw: a store as it is ----------------------------------------------------------------------------------------- */

typedef struct {
    MkImage base;
    MkStore *store;
} RawImage;

static bool raw_read(MkImage *image, uint64_t offset, uint8_t *data, size_t length, GError **error)
{
    return mk_store_read(((RawImage *)image)->store, offset, data, length, NULL, error);
}

static void raw_free(MkImage *image)
{
    mk_store_unref(((RawImage *)image)->store);
}

static const MkImageClass raw_class = {.read = raw_read, .free = raw_free};

static void add_extent(MkImage *image, MkExtentKind kind, uint64_t offset, uint64_t length)
{
    MkExtent extent = {.kind = kind, .offset = offset, .length = length};
    if (length)
        g_array_append_val(image->extents, extent);
}

/* What lies between two runs of data is a hole of the host's file system: it reads as zero and must be zero on the phone. */
static bool add_data(uint64_t offset, uint64_t length, gpointer user_data, GError **error)
{
    MkImage *image = user_data;
    const MkExtent *last =
        image->extents->len ? &g_array_index(image->extents, MkExtent, image->extents->len - 1) : NULL;
    uint64_t end = last ? last->offset + last->length : 0;
    add_extent(image, MK_EXTENT_FILL, end, offset - end);
    add_extent(image, MK_EXTENT_DATA, offset, length);
    return true;
}

MkImage *mk_image_raw_new(MkStore *store, GError **error)
{
    RawImage *raw = mk_image_alloc(&raw_class, sizeof *raw, store->size);
    raw->store = mk_store_ref(store);
    raw->base.path = g_strdup(store->name);
    if (!mk_store_foreach_data(store, add_data, &raw->base, error)) {
        mk_image_unref(&raw->base);
        return NULL;
    }
    const MkExtent *last =
        raw->base.extents->len ? &g_array_index(raw->base.extents, MkExtent, raw->base.extents->len - 1) : NULL;
    uint64_t end = last ? last->offset + last->length : 0;
    add_extent(&raw->base, MK_EXTENT_FILL, end, store->size - end);
    return &raw->base;
}

MkImage *mk_image_bytes_new(GBytes *bytes)
{
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    g_autoptr(MkStore) store = mk_store_memory_new(data, length);
    return mk_image_raw_new(store, NULL);
}

/* --- a part of another image --------------------------------------------------------------------------------------- */

typedef struct {
    MkImage base;
    MkImage *parent;
    uint64_t offset;
} SliceImage;

static bool slice_read(MkImage *image, uint64_t offset, uint8_t *data, size_t length, GError **error)
{
    SliceImage *slice = (SliceImage *)image;
    return mk_image_read(slice->parent, slice->offset + offset, data, length, error);
}

static void slice_free(MkImage *image)
{
    mk_image_unref(((SliceImage *)image)->parent);
}

static const MkImageClass slice_class = {.read = slice_read, .free = slice_free};

MkImage *mk_image_slice_new(MkImage *parent, uint64_t offset, uint64_t length, GError **error)
{
    if (offset > parent->size || length > parent->size - offset) {
        mk_fault_set(error, MK_FAULT_RANGE, _("The part lies outside %s."),
                     parent->path ? parent->path : _("the image"));
        return NULL;
    }
    SliceImage *slice = mk_image_alloc(&slice_class, sizeof *slice, length);
    slice->parent = mk_image_ref(parent);
    slice->offset = offset;
    slice->base.path = g_strdup(parent->path);
    for (guint i = 0; i < parent->extents->len; i++) {
        MkExtent extent = g_array_index(parent->extents, MkExtent, i);
        uint64_t start = MAX(extent.offset, offset), end = MIN(extent.offset + extent.length, offset + length);
        if (start >= end)
            continue;
        /* A fill pattern must begin at its first byte: rotate it to where the slice cuts. */
        uint8_t fill[4];
        for (int k = 0; k < 4; k++)
            fill[k] = extent.fill[(start - extent.offset + (uint64_t)k) % 4];
        memcpy(extent.fill, fill, 4);
        extent.offset = start - offset;
        extent.length = end - start;
        g_array_append_val(slice->base.extents, extent);
    }
    return &slice->base;
}

/* --- an image as a store ------------------------------------------------------------------------------------------- */

typedef struct {
    MkStore base;
    MkImage *image;
} ImageStore;

static bool store_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                       GCancellable *cancel, GError **error)
{
    ImageStore *self = (ImageStore *)store;
    g_autofree uint8_t *buffer = g_malloc(MIN(length, 1 << 20));
    while (length) {
        size_t piece = MIN(length, 1 << 20);
        if (g_cancellable_set_error_if_cancelled(cancel, error) ||
            !mk_image_read(self->image, offset, buffer, piece, error) || !sink(buffer, piece, user_data, error))
            return false;
        offset += piece;
        length -= piece;
    }
    return true;
}

static bool store_refuse(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error)
{
    mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("%s can only be read."), store->name);
    return false;
}

static bool store_refuse_write(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source,
                               gpointer user_data, GCancellable *cancel, GError **error)
{
    return store_refuse(store, offset, length, cancel, error);
}

static void store_free(MkStore *store)
{
    mk_image_unref(((ImageStore *)store)->image);
}

static const MkStoreClass store_class = {
    .read = store_read, .write = store_refuse_write, .erase = store_refuse, .free = store_free};

MkStore *mk_image_as_store(MkImage *image)
{
    ImageStore *store = mk_store_alloc(&store_class, sizeof *store, image->path ? image->path : "image");
    store->image = mk_image_ref(image);
    store->base.size = image->size;
    return &store->base;
}

/* --- opening by content -------------------------------------------------------------------------------------------- */

MkImage *mk_image_open(const char *path, MkContent *content, GError **error)
{
    MkContent kind;
    g_autoptr(MkStore) file = mk_store_file_open(path, false, error);
    if (!file || !mk_identify(file, &kind, error))
        return NULL;
    if (content)
        *content = kind;
    MkImage *image = kind == MK_CONTENT_SPARSE ? mk_image_sparse_new(file, NULL, error) : mk_image_raw_new(file, error);
    if (image && !image->path)
        image->path = g_strdup(path);
    return image;
}
