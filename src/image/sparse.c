/* Android sparse files: read, check, write (spec images.md 2). */
#include "image/image-private.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAGIC        0xED26FF3Au
#define FILE_HEADER  28u
#define CHUNK_HEADER 12u
#define RAW          0xCAC1
#define FILL         0xCAC2
#define DONT_CARE    0xCAC3
#define CRC32        0xCAC4
#define MOST_CHUNKS  (1u << 22)
#define MOST_SIZE    (UINT64_C(1) << 44)
#define WRITE_BLOCK  4096u
#define WRITE_RAW    (UINT64_C(64) << 20)
#define FILL_BLOCKS  4u /* shorter runs are not worth a chunk */
#define BUFFER       (UINT32_C(1) << 20)

typedef struct {
    uint64_t file_offset; /* of the body, for DATA */
} Body;

typedef struct {
    MkImage base;
    MkStore *store;
    GArray *bodies; /* Body per extent */
} SparseImage;

typedef struct {
    uint32_t block, blocks, chunks;
    uint16_t file_header, chunk_header;
} Header;

typedef struct {
    uint16_t type;
    uint32_t blocks, total;
} Chunk;

/* --- reading ------------------------------------------------------------------------------------------------------- */

static bool sparse_read(MkImage *image, uint64_t offset, uint8_t *data, size_t length, GError **error)
{
    SparseImage *sparse = (SparseImage *)image;
    guint low = 0, high = image->extents->len;
    while (low + 1 < high) {
        guint middle = (low + high) / 2;
        if (g_array_index(image->extents, MkExtent, middle).offset <= offset)
            low = middle;
        else
            high = middle;
    }
    for (guint i = low; length; i++) {
        const MkExtent *extent = &g_array_index(image->extents, MkExtent, i);
        uint64_t inside = offset - extent->offset;
        size_t piece = (size_t)MIN(length, extent->length - inside);
        if (extent->kind == MK_EXTENT_DATA) {
            if (!mk_store_read(sparse->store, g_array_index(sparse->bodies, Body, i).file_offset + inside, data, piece,
                               NULL, error))
                return false;
        } else
            for (size_t k = 0; k < piece; k++)
                data[k] = extent->kind == MK_EXTENT_FILL ? extent->fill[(inside + k) % 4] : 0;
        data += piece;
        offset += piece;
        length -= piece;
    }
    return true;
}

static void sparse_free(MkImage *image)
{
    SparseImage *sparse = (SparseImage *)image;
    mk_store_unref(sparse->store);
    g_array_unref(sparse->bodies);
}

static const MkImageClass sparse_class = {.read = sparse_read, .free = sparse_free};

static bool damaged(MkStore *store, GPtrArray *findings, GError **error, const char *id, const char *what)
{
    mk_finding_add(findings, MK_SEVERITY_BLOCK, id, 0, _("%s: %s"), store->name, what);
    mk_fault_set_number(error, MK_FAULT_IMAGE_KIND, 0xC0040005, "STATUS_UNKNOWN_SPARSE_CHUNK_TYPE",
                        _("%s is a damaged sparse file: %s. Download or unpack it again."), store->name, what);
    return false;
}

static bool read_header(MkStore *store, Header *header, GPtrArray *findings, GError **error)
{
    uint8_t data[FILE_HEADER];
    if (store->size < FILE_HEADER)
        return damaged(store, findings, error, "F-TRUNC", _("it is cut off in its header"));
    if (!mk_store_read(store, 0, data, sizeof data, NULL, error))
        return false;
    uint16_t major = mk_le16(data + 4);
    *header = (Header){.block = mk_le32(data + 12),
                       .blocks = mk_le32(data + 16),
                       .chunks = mk_le32(data + 20),
                       .file_header = mk_le16(data + 8),
                       .chunk_header = mk_le16(data + 10)};
    if (mk_le32(data) != MAGIC || major != 1 || header->file_header < FILE_HEADER ||
        header->chunk_header < CHUNK_HEADER || !header->block || header->block % 4 || !header->blocks ||
        header->chunks > MOST_CHUNKS || (uint64_t)header->block * header->blocks > MOST_SIZE)
        return damaged(store, findings, error, "F-SPARSE", _("its header makes no sense"));
    return true;
}

static bool read_chunk(MkStore *store, const Header *header, uint64_t at, Chunk *chunk, GPtrArray *findings,
                       GError **error)
{
    uint8_t data[CHUNK_HEADER];
    if (at > store->size || store->size - at < header->chunk_header)
        return damaged(store, findings, error, "F-TRUNC", _("it is cut off"));
    if (!mk_store_read(store, at, data, sizeof data, NULL, error))
        return false;
    *chunk = (Chunk){.type = mk_le16(data), .blocks = mk_le32(data + 4), .total = mk_le32(data + 8)};
    if (chunk->total < header->chunk_header)
        return damaged(store, findings, error, "F-SPARSE", _("a chunk has an impossible size"));
    if (store->size - at < chunk->total)
        return damaged(store, findings, error, "F-TRUNC", _("it is cut off"));
    return true;
}

static bool chunk_size_ok(const Header *header, const Chunk *chunk)
{
    uint64_t body = chunk->total - header->chunk_header;
    switch (chunk->type) {
    case RAW: return body == (uint64_t)chunk->blocks * header->block;
    case FILL: return body == 4;
    case CRC32: return body == 4 && !chunk->blocks;
    default: return chunk->type == DONT_CARE; /* a body there is tolerated */
    }
}

static void add_chunk(SparseImage *sparse, const Header *header, const Chunk *chunk, uint64_t body, uint64_t offset,
                      const uint8_t fill[4])
{
    MkExtent extent = {.kind = chunk->type == RAW    ? MK_EXTENT_DATA
                               : chunk->type == FILL ? MK_EXTENT_FILL
                                                     : MK_EXTENT_HOLE,
                       .offset = offset,
                       .length = (uint64_t)chunk->blocks * header->block};
    Body place = {.file_offset = body};
    memcpy(extent.fill, fill, 4);
    if (!extent.length)
        return;
    g_array_append_val(sparse->base.extents, extent);
    g_array_append_val(sparse->bodies, place);
}

static bool walk(SparseImage *sparse, const Header *header, GPtrArray *findings, GError **error)
{
    MkStore *store = sparse->store;
    uint64_t at = header->file_header, block = 0;
    for (uint32_t i = 0; i < header->chunks; i++) {
        Chunk chunk;
        uint8_t fill[4] = {0};
        if (!read_chunk(store, header, at, &chunk, findings, error))
            return false;
        if (!chunk_size_ok(header, &chunk))
            return damaged(store, findings, error, "F-SPARSE",
                           chunk.type < RAW || chunk.type > CRC32 ? _("a chunk has an unknown type")
                                                                  : _("a chunk has the wrong size"));
        if (block + chunk.blocks > header->blocks)
            return damaged(store, findings, error, "F-SPARSE", _("its chunks hold more than its header says"));
        if (chunk.type == FILL && !mk_store_read(store, at + header->chunk_header, fill, 4, NULL, error))
            return false;
        if (chunk.type != CRC32)
            add_chunk(sparse, header, &chunk, at + header->chunk_header, block * header->block, fill);
        block += chunk.blocks;
        at += chunk.total;
    }
    if (block != header->blocks)
        return damaged(store, findings, error, "F-TRUNC", _("its chunks hold less than its header says"));
    if (at < store->size)
        mk_finding_add(findings, MK_SEVERITY_NOTE, "F-TAIL", 0,
                       _("%s has %" G_GUINT64_FORMAT " extra bytes after its end."), store->name, store->size - at);
    return true;
}

MkImage *mk_image_sparse_new(MkStore *store, GPtrArray *findings, GError **error)
{
    Header header;
    if (!read_header(store, &header, findings, error))
        return NULL;
    SparseImage *sparse = mk_image_alloc(&sparse_class, sizeof *sparse, (uint64_t)header.block * header.blocks);
    sparse->store = mk_store_ref(store);
    sparse->bodies = g_array_new(FALSE, FALSE, sizeof(Body));
    sparse->base.path = g_strdup(store->name);
    if (walk(sparse, &header, findings, error))
        return &sparse->base;
    mk_image_unref(&sparse->base);
    return NULL;
}

/* --- checking: both variants of the CRC (spec images.md 2.3) -------------------------------------------------------- */

typedef struct {
    uint32_t a, b;
} Crcs;

static bool crc_image(MkImage *image, guint *extent_index, uint64_t end, uint32_t block, Crcs *crcs,
                      GCancellable *cancel, GError **error)
{
    g_autofree uint8_t *buffer = g_malloc(1 << 20);
    for (; *extent_index < image->extents->len; (*extent_index)++) {
        const MkExtent *extent = &g_array_index(image->extents, MkExtent, *extent_index);
        if (extent->offset >= end)
            return true;
        if (extent->kind != MK_EXTENT_DATA) {
            static const uint8_t zero[4];
            bool fill = extent->kind == MK_EXTENT_FILL;
            crcs->a = mk_crc32_repeat(crcs->a, fill ? extent->fill : zero, 4, extent->length / 4);
            if (fill)
                crcs->b = mk_crc32_repeat(crcs->b, extent->fill, 4, MIN(extent->length, block) / 4);
            continue;
        }
        for (uint64_t at = 0; at < extent->length;) {
            size_t piece = (size_t)MIN(extent->length - at, 1 << 20);
            if (g_cancellable_set_error_if_cancelled(cancel, error) ||
                !mk_image_read(image, extent->offset + at, buffer, piece, error))
                return false;
            crcs->a = mk_crc32(crcs->a, buffer, piece);
            crcs->b = mk_crc32(crcs->b, buffer, piece);
            at += piece;
        }
    }
    return true;
}

bool mk_sparse_check(MkStore *store, GPtrArray *findings, GCancellable *cancel, GError **error)
{
    Header header;
    g_autoptr(MkImage) image = mk_image_sparse_new(store, findings, error);
    if (!image || !read_header(store, &header, findings, error))
        return false;
    Crcs crcs = {0};
    guint extent = 0;
    uint64_t at = header.file_header, block = 0;
    for (uint32_t i = 0; i < header.chunks; i++) {
        Chunk chunk;
        uint8_t stored[4];
        if (!read_chunk(store, &header, at, &chunk, findings, error))
            return false;
        block += chunk.blocks;
        if (chunk.type == CRC32) {
            if (!crc_image(image, &extent, block * header.block, header.block, &crcs, cancel, error) ||
                !mk_store_read(store, at + header.chunk_header, stored, 4, cancel, error))
                return false;
            if (mk_le32(stored) != crcs.a && mk_le32(stored) != crcs.b)
                return damaged(store, findings, error, "F-SPARSE-CRC", _("it fails its own checksum"));
        }
        at += chunk.total;
    }
    return true;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

typedef struct {
    MkStore *out;
    uint64_t at;
    uint32_t chunks, crc;
    bool sums; /* somebody wants the CRC */
} Writer;

static bool put(Writer *writer, const void *data, size_t length, GError **error)
{
    bool ok = mk_store_write(writer->out, writer->at, data, length, NULL, error);
    writer->at += length;
    return ok;
}

static bool put_chunk(Writer *writer, uint16_t type, uint64_t blocks, uint64_t body, GError **error)
{
    g_autoptr(GByteArray) header = g_byte_array_new();
    mk_put_le16(header, type);
    mk_put_le16(header, 0);
    mk_put_le32(header, (uint32_t)blocks);
    mk_put_le32(header, (uint32_t)(CHUNK_HEADER + body));
    writer->chunks++;
    return put(writer, header->data, header->len, error);
}

/* A chunk of raw blocks whose number is not known yet. */
typedef struct {
    uint64_t header; /* where its header stands, 0 = none is open */
    uint64_t blocks;
} RawRun;

static bool end_raw(Writer *writer, RawRun *run, GError **error)
{
    uint64_t end = writer->at;
    if (!run->header)
        return true;
    writer->at = run->header;
    bool ok = put_chunk(writer, RAW, run->blocks, run->blocks * WRITE_BLOCK, error);
    writer->at = end;
    *run = (RawRun){0};
    return ok;
}

static bool put_raw(Writer *writer, RawRun *run, const uint8_t *data, size_t length, GError **error)
{
    if (!run->header) {
        run->header = writer->at;
        writer->at += CHUNK_HEADER;
    }
    run->blocks += length / WRITE_BLOCK;
    return put(writer, data, length, error) && (run->blocks * WRITE_BLOCK < WRITE_RAW || end_raw(writer, run, error));
}

/* How many of the next blocks repeat one 32-bit word? */
static size_t repeated(const uint8_t *data, size_t length)
{
    size_t same = 4;
    while (same < length && !memcmp(data + same, data, 4))
        same += 4;
    return same / WRITE_BLOCK;
}

/* One buffer of whole blocks: runs of at least FILL_BLOCKS blocks of one word become FILL, the rest is RAW (spec images.md 2.4). */
static bool put_blocks(Writer *writer, RawRun *run, const uint8_t *data, size_t length, GError **error)
{
    for (size_t at = 0; at < length;) {
        size_t blocks = repeated(data + at, length - at), piece = MAX(blocks, 1) * WRITE_BLOCK;
        bool fill = blocks >= FILL_BLOCKS;
        if (!fill && !put_raw(writer, run, data + at, piece, error))
            return false;
        if (fill && (!end_raw(writer, run, error) || !put_chunk(writer, FILL, blocks, 4, error) ||
                     !put(writer, data + at, 4, error)))
            return false;
        at += piece;
    }
    writer->crc = writer->sums ? mk_crc32(writer->crc, data, length) : 0;
    return true;
}

static bool put_data(Writer *writer, MkImage *image, uint64_t offset, uint64_t length, GCancellable *cancel,
                     GError **error)
{
    g_autofree uint8_t *buffer = g_malloc0(BUFFER);
    uint64_t padded = mk_round_up(length, WRITE_BLOCK);
    RawRun run = {0};
    for (uint64_t at = 0; at < padded;) {
        size_t piece = (size_t)MIN(padded - at, BUFFER), inside = (size_t)MIN(piece, length > at ? length - at : 0);
        memset(buffer + inside, 0, piece - inside);
        if (g_cancellable_set_error_if_cancelled(cancel, error) ||
            (inside && !mk_image_read(image, offset + at, buffer, inside, error)) ||
            !put_blocks(writer, &run, buffer, piece, error))
            return false;
        at += piece;
    }
    return end_raw(writer, &run, error);
}

static void crc_run(Writer *writer, const uint8_t fill[4], uint64_t length)
{
    uint8_t block[WRITE_BLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = fill[i % 4];
    for (; writer->sums && length; length -= MIN(length, WRITE_BLOCK))
        writer->crc = mk_crc32(writer->crc, block, WRITE_BLOCK);
}

static bool put_extent(Writer *writer, MkImage *image, const MkExtent *extent, GCancellable *cancel, GError **error)
{
    static const uint8_t zero[4];
    uint64_t blocks = (extent->length + WRITE_BLOCK - 1) / WRITE_BLOCK;
    /* Only extents on block borders can be runs; others travel as they are. */
    bool aligned = !(extent->offset % WRITE_BLOCK) &&
                   (!(extent->length % WRITE_BLOCK) || extent->offset + extent->length == image->size);
    if (extent->kind == MK_EXTENT_HOLE && aligned) {
        crc_run(writer, zero, blocks * WRITE_BLOCK);
        return put_chunk(writer, DONT_CARE, blocks, 0, error);
    }
    if (extent->kind == MK_EXTENT_FILL && aligned) {
        crc_run(writer, extent->fill, blocks * WRITE_BLOCK);
        return put_chunk(writer, FILL, blocks, 4, error) && put(writer, extent->fill, 4, error);
    }
    return put_data(writer, image, extent->offset, extent->length, cancel, error);
}

static bool all_aligned(const MkImage *image)
{
    for (guint i = 0; i < image->extents->len; i++)
        if (g_array_index(image->extents, MkExtent, i).offset % WRITE_BLOCK)
            return false;
    return true;
}

static bool put_file_header(Writer *writer, uint64_t blocks, GError **error)
{
    g_autoptr(GByteArray) header = g_byte_array_new();
    mk_put_le32(header, MAGIC);
    mk_put_le16(header, 1);
    mk_put_le16(header, 0);
    mk_put_le16(header, FILE_HEADER);
    mk_put_le16(header, CHUNK_HEADER);
    mk_put_le32(header, WRITE_BLOCK);
    mk_put_le32(header, (uint32_t)blocks);
    mk_put_le32(header, writer->chunks);
    mk_put_le32(header, 0);
    writer->at = 0;
    return put(writer, header->data, header->len, error);
}

bool mk_sparse_write(MkImage *image, const char *path, bool crc, GCancellable *cancel, GError **error)
{
    uint64_t blocks = (image->size + WRITE_BLOCK - 1) / WRITE_BLOCK;
    if (!blocks || blocks > UINT32_MAX) {
        mk_fault_set(error, MK_FAULT_IMAGE_SIZE, _("An image of this size cannot be a sparse file."));
        return false;
    }
    /* Room for the worst case; cut to what was needed at the end. */
    uint64_t room =
        FILE_HEADER + image->size + WRITE_BLOCK +
        (image->extents->len + image->size / WRITE_RAW + 2 * (image->size / (FILL_BLOCKS * WRITE_BLOCK)) + 4) * 16;
    g_autoptr(MkStore) out = mk_store_file_create(path, room, error);
    if (!out)
        return false;
    Writer writer = {.out = out, .at = FILE_HEADER, .sums = crc};
    MkExtent whole = {.kind = MK_EXTENT_DATA, .length = image->size};
    bool runs = all_aligned(image);
    for (guint i = 0; i < (runs ? image->extents->len : 1); i++)
        if (!put_extent(&writer, image, runs ? &g_array_index(image->extents, MkExtent, i) : &whole, cancel, error))
            return false;
    uint8_t sum[4] = {(uint8_t)writer.crc, (uint8_t)(writer.crc >> 8), (uint8_t)(writer.crc >> 16),
                      (uint8_t)(writer.crc >> 24)};
    if (crc && (!put_chunk(&writer, CRC32, 0, 4, error) || !put(&writer, sum, 4, error)))
        return false;
    uint64_t length = writer.at;
    if (!put_file_header(&writer, blocks, error) || !mk_store_flush(out, error))
        return false;
    if (!truncate(path, (off_t)length))
        return true;
    mk_fault_set_errno(error, false, errno, _("Cannot write"), path);
    return false;
}
