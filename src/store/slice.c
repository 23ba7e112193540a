#include "store/store.h"

#include "core/fault.h"
#include "core/i18n.h"

typedef struct {
    MkStore base;
    MkStore *parent;
    uint64_t offset;
} SliceStore;

static bool slice_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                       GCancellable *cancel, GError **error)
{
    SliceStore *slice = (SliceStore *)store;
    return mk_store_read_stream(slice->parent, slice->offset + offset, length, sink, user_data, cancel, error);
}

static bool slice_write(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                        GCancellable *cancel, GError **error)
{
    SliceStore *slice = (SliceStore *)store;
    return mk_store_write_stream(slice->parent, slice->offset + offset, length, source, user_data, cancel, error);
}

static bool slice_erase(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error)
{
    SliceStore *slice = (SliceStore *)store;
    return mk_store_erase(slice->parent, slice->offset + offset, length, cancel, error);
}

static bool slice_flush(MkStore *store, GError **error)
{
    return mk_store_flush(((SliceStore *)store)->parent, error);
}

static void slice_free(MkStore *store)
{
    mk_store_unref(((SliceStore *)store)->parent);
}

static const MkStoreClass slice_class = {
    .read = slice_read, .write = slice_write, .erase = slice_erase, .flush = slice_flush, .free = slice_free};

MkStore *mk_store_slice_new(MkStore *parent, uint64_t offset, uint64_t length, const char *name, GError **error)
{
    if (offset > parent->size || length > parent->size - offset) {
        mk_fault_set(error, MK_FAULT_RANGE, _("%s would lie outside %s."), name, parent->name);
        return NULL;
    }
    SliceStore *slice = mk_store_alloc(&slice_class, sizeof *slice, name);
    slice->parent = mk_store_ref(parent);
    slice->offset = offset;
    slice->base.size = length;
    slice->base.block_size = parent->block_size;
    slice->base.storage = parent->storage;
    slice->base.region = parent->region;
    return &slice->base;
}
