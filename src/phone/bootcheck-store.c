#include "phone/bootcheck-private.h"

#include <string.h>

typedef struct {
    MkStore store;
    MkStore *chip; /* owned */
} Worn;

static bool worn_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                      GCancellable *cancel, GError **error)
{
    MkStore *chip = ((Worn *)store)->chip;
    uint8_t piece[1 << 16];
    for (uint64_t done = 0; done < length;) {
        size_t size = (size_t)MIN(sizeof piece, length - done), sector = store->block_size;
        if (!mk_store_read(chip, offset + done, piece, size, cancel, NULL)) {
            size = MIN(sector - (size_t)((offset + done) % sector), size);
            if (!mk_store_read(chip, offset + done, piece, size, cancel, NULL))
                memset(piece, 0, size);
        }
        if (!sink(piece, size, user_data, error))
            return false;
        done += size;
    }
    return true;
}

static void worn_free(MkStore *store)
{
    mk_store_unref(((Worn *)store)->chip);
}

MkStore *mk_start_store(MkChip *chip, MkRegion region)
{
    static const MkStoreClass klass = {.read = worn_read, .free = worn_free};
    MkStore *raw = mk_chip_store(chip, region);
    Worn *self = mk_store_alloc(&klass, sizeof *self, raw->name);
    self->chip = raw;
    self->store.size = raw->size;
    self->store.block_size = raw->block_size;
    self->store.storage = raw->storage;
    self->store.region = raw->region;
    return &self->store;
}
