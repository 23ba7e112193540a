/* The dynamic partitions inside a `super`, read-only (spec images.md 14, AOSP's LP metadata). */
#include "image/image.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

#define GEOMETRY_MAGIC  0x616C4467u
#define HEADER_MAGIC    0x414C5030u
#define RESERVED        4096u
#define GEOMETRY_BLOCK  4096u
#define GEOMETRY_SIZE   52u
#define DIGEST          MK_SHA256_SIZE
#define LARGEST         (1u << 20) /* of one metadata copy */
#define MOST_SLOTS      8u
#define SECTOR          512u
#define PARTITION_ENTRY 52u
#define EXTENT_ENTRY    24u
#define NAME            36u
#define TABLES          80u /* of the header: the descriptors */
#define LINEAR          0u

/* --- metadata ------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    uint32_t metadata_size, slots;
} Geometry;

/* Is the digest at AT of DATA that of DATA with the digest itself zero? */
static bool digest_matches(const uint8_t *data, size_t length, size_t at)
{
    g_autofree uint8_t *copy = g_memdup2(data, length);
    uint8_t digest[DIGEST];
    memset(copy + at, 0, DIGEST);
    mk_sha256(copy, length, digest);
    return memcmp(digest, data + at, DIGEST) == 0;
}

static bool read_geometry(MkStore *super, uint64_t offset, Geometry *geometry)
{
    uint8_t block[GEOMETRY_SIZE];
    if (!mk_store_read(super, offset, block, sizeof block, NULL, NULL) || mk_le32(block) != GEOMETRY_MAGIC ||
        mk_le32(block + 4) != GEOMETRY_SIZE || !digest_matches(block, sizeof block, 8))
        return false;
    geometry->metadata_size = mk_le32(block + 40);
    geometry->slots = mk_le32(block + 44);
    return geometry->metadata_size && geometry->metadata_size <= LARGEST && geometry->metadata_size % SECTOR == 0 &&
           geometry->slots && geometry->slots <= MOST_SLOTS;
}

/* One copy of the metadata, whole; NULL: it is not good. */
static GBytes *read_metadata(MkStore *super, uint64_t offset, uint32_t room)
{
    g_autofree uint8_t *data = g_malloc(room);
    if (!mk_store_read(super, offset, data, room, NULL, NULL) || mk_le32(data) != HEADER_MAGIC ||
        mk_le16(data + 4) != 10)
        return NULL;
    uint32_t header = mk_le32(data + 8), tables = mk_le32(data + 44);
    uint8_t digest[DIGEST];
    if (header < 128 || header > room || tables > room - header || !digest_matches(data, header, 12))
        return NULL;
    mk_sha256(data + header, tables, digest);
    return memcmp(digest, data + 48, DIGEST) == 0 ? g_bytes_new(data, header + tables) : NULL;
}

/* The first good copy of the first slot that has one: its own, then its backup. */
static GBytes *find_metadata(MkStore *super)
{
    Geometry geometry;
    if (!read_geometry(super, RESERVED, &geometry) && !read_geometry(super, RESERVED + GEOMETRY_BLOCK, &geometry))
        return NULL;
    uint64_t first = RESERVED + 2 * GEOMETRY_BLOCK, all = (uint64_t)geometry.slots * geometry.metadata_size;
    GBytes *metadata = NULL;
    for (uint32_t slot = 0; slot < geometry.slots && !metadata; slot++) {
        uint64_t at = first + (uint64_t)slot * geometry.metadata_size;
        metadata = read_metadata(super, at, geometry.metadata_size);
        if (!metadata)
            metadata = read_metadata(super, at + all, geometry.metadata_size);
    }
    return metadata;
}

/* Entry INDEX of table NUMBER, at least SIZE bytes; NULL: there is none. */
static const uint8_t *entry(GBytes *metadata, unsigned number, uint32_t index, uint32_t size)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(metadata, &length), *descriptor = data + TABLES + number * 12;
    uint64_t header = mk_le32(data + 8), offset = mk_le32(descriptor), count = mk_le32(descriptor + 4),
             stride = mk_le32(descriptor + 8);
    if (index >= count || stride < size || stride > length || offset > length || index > length / stride)
        return NULL;
    uint64_t at = header + offset + index * stride;
    return at + stride <= length ? data + at : NULL;
}

/* --- a logical partition as a store --------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t sectors, first;
    bool zero;
} Piece;

typedef struct {
    MkStore base;
    MkStore *super;
    GArray *pieces; /* (element-type Piece) */
} LogicalStore;

static bool give_zeros(uint64_t length, MkSinkFunc sink, gpointer user_data, GError **error)
{
    static const uint8_t zeros[65536];
    for (uint64_t done = 0; done < length; done += sizeof zeros)
        if (!sink(zeros, (size_t)MIN(sizeof zeros, length - done), user_data, error))
            return false;
    return true;
}

static bool logical_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                         GCancellable *cancel, GError **error)
{
    LogicalStore *logical = (LogicalStore *)store;
    uint64_t at = 0;
    for (guint i = 0; i < logical->pieces->len && length; i++) {
        const Piece *piece = &g_array_index(logical->pieces, Piece, i);
        uint64_t size = piece->sectors * SECTOR, skip = offset - at;
        if (skip < size) {
            uint64_t part = MIN(length, size - skip);
            if (!(piece->zero ? give_zeros(part, sink, user_data, error)
                              : mk_store_read_stream(logical->super, piece->first * SECTOR + skip, part, sink,
                                                     user_data, cancel, error)))
                return false;
            offset += part;
            length -= part;
        }
        at += size;
    }
    return true;
}

static void logical_free(MkStore *store)
{
    LogicalStore *logical = (LogicalStore *)store;
    mk_store_unref(logical->super);
    g_array_unref(logical->pieces);
}

static const MkStoreClass logical_class = {.read = logical_read, .free = logical_free};

/* Every extent of the entry, checked against SUPER; NULL: one is not in this `super`. */
static GArray *read_pieces(MkStore *super, GBytes *metadata, const uint8_t *partition, uint64_t *size)
{
    uint32_t first = mk_le32(partition + NAME + 4), count = mk_le32(partition + NAME + 8);
    g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    *size = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *extent = entry(metadata, 1, first + i, EXTENT_ENTRY);
        if (!extent || first + i < first)
            return NULL;
        Piece piece = {
            .sectors = mk_le64(extent), .first = mk_le64(extent + 12), .zero = mk_le32(extent + 8) != LINEAR};
        uint64_t all = super->size / SECTOR;
        bool inside =
            piece.zero || (mk_le32(extent + 20) == 0 && piece.first <= all && piece.sectors <= all - piece.first);
        if (!inside || piece.sectors > (UINT64_C(1) << 40) || *size > (UINT64_C(1) << 50))
            return NULL;
        *size += piece.sectors * SECTOR;
        g_array_append_val(pieces, piece);
    }
    return g_steal_pointer(&pieces);
}

MkStore *mk_super_open(MkStore *super, const char *name, GError **error)
{
    g_autoptr(GBytes) metadata = find_metadata(super);
    if (!metadata) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("%s has no good table of dynamic partitions."), super->name);
        return NULL;
    }
    const uint8_t *partition;
    for (uint32_t i = 0; (partition = entry(metadata, 0, i, PARTITION_ENTRY)); i++) {
        uint64_t size;
        if (strncmp((const char *)partition, name, NAME) != 0)
            continue;
        g_autoptr(GArray) pieces = read_pieces(super, metadata, partition, &size);
        if (!pieces)
            break;
        LogicalStore *logical = mk_store_alloc(&logical_class, sizeof *logical, name);
        logical->super = mk_store_ref(super);
        logical->pieces = g_steal_pointer(&pieces);
        logical->base.size = size;
        logical->base.block_size = super->block_size;
        logical->base.storage = super->storage;
        logical->base.region = super->region;
        return &logical->base;
    }
    mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("%s has no partition %s, or one that reaches out of it."), super->name,
                 name);
    return NULL;
}
