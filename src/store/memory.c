#include "store/store.h"

#include <string.h>

typedef struct {
    MkStore base;
    uint8_t *data;
} MemoryStore;

static bool memory_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                        GCancellable *cancel, GError **error)
{
    return !g_cancellable_set_error_if_cancelled(cancel, error) &&
           sink(((MemoryStore *)store)->data + offset, length, user_data, error);
}

static bool memory_write(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                         GCancellable *cancel, GError **error)
{
    return !g_cancellable_set_error_if_cancelled(cancel, error) &&
           source(((MemoryStore *)store)->data + offset, length, user_data, error);
}

static bool memory_erase(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error)
{
    memset(((MemoryStore *)store)->data + offset, 0, length);
    return true;
}

static void memory_free(MkStore *store)
{
    g_free(((MemoryStore *)store)->data);
}

static const MkStoreClass memory_class = {
    .read = memory_read, .write = memory_write, .erase = memory_erase, .free = memory_free};

MkStore *mk_store_memory_new(const void *data, size_t size)
{
    MemoryStore *memory = mk_store_alloc(&memory_class, sizeof *memory, "memory");
    memory->data = g_malloc0(MAX(size, 1));
    if (data && size)
        memcpy(memory->data, data, size);
    memory->base.size = size;
    return &memory->base;
}

const uint8_t *mk_store_memory_data(MkStore *store)
{
    return ((MemoryStore *)store)->data;
}
