/* A store: random-access bytes with a size and a block size — a file, a full dump, memory, a region of a live phone, or a
 * slice of another store.  To everyone above, a live phone, a dump file and a virtual phone are the same thing.
 *
 * A store is reference counted and used from one thread at a time.  Offsets and lengths are bytes.  Reading or writing
 * outside the store is a fault (MK_FAULT_RANGE), never a short count.  Long transfers go through the stream calls, so that a
 * store backed by a Download Agent can keep one command running for many packets. */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    MK_STORAGE_UNKNOWN,
    MK_STORAGE_NOR,
    MK_STORAGE_NAND,
    MK_STORAGE_EMMC,
    MK_STORAGE_SDMMC,
    MK_STORAGE_UFS,
} MkStorage;

/* Where in the storage. Names and meaning: spec scatter.md 3.6. MK_REGION_LINEAR is the MBR era's address space that begins
 * with boot 1 and runs on through boot 2, RPMB and the user area (spec tables.md 1). */
typedef enum {
    MK_REGION_NONE, /* not known; NOR */
    MK_REGION_BOOT1,
    MK_REGION_BOOT2,
    MK_REGION_RPMB,
    MK_REGION_GP1,
    MK_REGION_GP2,
    MK_REGION_GP3,
    MK_REGION_GP4,
    MK_REGION_USER,
    MK_REGION_BOOT1_BOOT2, /* a scatter's wish: the same content in both */
    MK_REGION_LU0,
    MK_REGION_LU1,
    MK_REGION_LU2,
    MK_REGION_LU3,
    MK_REGION_LU0_LU1,
    MK_REGION_NAND, /* the logical NAND array */
    MK_REGION_LINEAR,
    MK_REGION_N
} MkRegion;

const char *mk_storage_name(MkStorage storage); /* "eMMC", "NAND", ... */
const char *mk_region_name(MkRegion region);    /* "boot1", "boot2", "user", "lu2", ... for file names and messages */
bool mk_region_from_name(const char *name,
                         MkRegion *region); /* case-insensitive, also scatter spellings EMMC_USER, ... */

/* Is it one of the regions that BootROM starts from: boot 1 and 2, LU0 and LU1, and the pairs of them? */
bool mk_region_is_boot(MkRegion region);
/* A pair's first (COPY 0) or second (COPY 1) region. Any other region is its own copy 0 and has no copy 1 (MK_REGION_NONE). */
MkRegion mk_region_copy(MkRegion region, unsigned copy);

typedef struct _MkStore MkStore;

/* Receives LENGTH bytes at OFFSET of the running transfer; false with *error stops it. */
typedef bool (*MkSinkFunc)(const uint8_t *data, size_t length, gpointer user_data, GError **error);
/* Delivers exactly LENGTH bytes into DATA; false with *error stops the transfer. */
typedef bool (*MkSourceFunc)(uint8_t *data, size_t length, gpointer user_data, GError **error);

typedef struct {
    bool (*read)(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                 GCancellable *cancel, GError **error);
    bool (*write)(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                  GCancellable *cancel, GError **error);
    /* Content becomes blank (0x00 or 0xFF) or undefined. */
    bool (*erase)(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error);
    bool (*flush)(MkStore *store, GError **error); /* may be NULL */
    void (*free)(MkStore *store);                  /* frees instance fields, not the store */
} MkStoreClass;

/* Implementations embed this as their first member and allocate with mk_store_alloc(). */
struct _MkStore {
    const MkStoreClass *klass;
    int refs;
    uint64_t size;
    uint32_t block_size; /* writes and erases are multiples of it where the storage insists; 1 = does not care */
    MkStorage storage;
    MkRegion region;
    char *name; /* for messages */
};

/* For implementations: allocates SIZE bytes (≥ sizeof (MkStore)), zeroed, refs 1. NAME is copied. */
gpointer mk_store_alloc(const MkStoreClass *klass, size_t size, const char *name);
MkStore *mk_store_ref(MkStore *store);
void mk_store_unref(MkStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkStore, mk_store_unref)

bool mk_store_read(MkStore *store, uint64_t offset, void *data, size_t length, GCancellable *cancel, GError **error);
bool mk_store_write(MkStore *store, uint64_t offset, const void *data, size_t length, GCancellable *cancel,
                    GError **error);
bool mk_store_read_stream(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                          GCancellable *cancel, GError **error);
bool mk_store_write_stream(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                           GCancellable *cancel, GError **error);
bool mk_store_erase(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error);
bool mk_store_flush(MkStore *store, GError **error);

/* A file opened for reading, or for reading and writing. Its size is the file's (block devices: the device's). */
MkStore *mk_store_file_open(const char *path, bool writable, GError **error);
/* Creates (never overwrites) a sparse file of SIZE bytes. */
MkStore *mk_store_file_create(const char *path, uint64_t size, GError **error);
/* Lists the parts of a file that hold data, skipping holes (SEEK_DATA). Calls FUNC(offset, length) in rising order; a file
 * system that cannot tell reports one extent. Only for file stores; others report one extent. */
typedef bool (*MkDataFunc)(uint64_t offset, uint64_t length, gpointer user_data, GError **error);
bool mk_store_foreach_data(MkStore *store, MkDataFunc func, gpointer user_data, GError **error);

/* Memory: a copy of DATA (NULL: zeroed). */
MkStore *mk_store_memory_new(const void *data, size_t size);
const uint8_t *mk_store_memory_data(MkStore *store);

/* LENGTH bytes of PARENT from OFFSET on; holds a reference. Fault if outside the parent. */
MkStore *mk_store_slice_new(MkStore *parent, uint64_t offset, uint64_t length, const char *name, GError **error);
