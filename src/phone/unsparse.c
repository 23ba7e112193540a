/* Android sparse images that a host sends as they are: the agent expands them while they arrive (spec da-legacy.md 9.5, images.md 2). */
#include "phone/unsparse.h"

#include "core/bytes.h"

#include <string.h>

#define MAGIC       0xED26FF3Au
#define FILE_HEAD   28
#define CHUNK_HEAD  12
#define CHUNK_RAW   0xCAC1
#define CHUNK_FILL  0xCAC2
#define CHUNK_SKIP  0xCAC3
#define CHUNK_CRC   0xCAC4
#define FILL_BUFFER 65536

bool mk_unsparse_recognises(const uint8_t *data, size_t length)
{
    return length >= FILE_HEAD && mk_le32(data) == MAGIC && mk_le16(data + 4) == 1;
}

void mk_unsparse_begin(MkUnsparse *unsparse, uint64_t address, MkUnsparseStore store, void *target)
{
    *unsparse = (MkUnsparse){
        .store = store, .target = target, .address = address, .need = FILE_HEAD, .state = MK_UNSPARSE_FILE_HEAD};
}

static MkChipResult fill(MkUnsparse *unsparse)
{
    g_autofree uint8_t *buffer = g_malloc(FILL_BUFFER);
    MkChipResult result = MK_CHIP_OK;
    for (size_t i = 0; i < FILL_BUFFER; i++)
        buffer[i] = unsparse->head[i % 4];
    for (uint64_t done = 0; done < unsparse->left && result == MK_CHIP_OK; done += FILL_BUFFER) {
        size_t piece = (size_t)MIN(FILL_BUFFER, unsparse->left - done);
        result = unsparse->store(unsparse->target, unsparse->address + done, buffer, piece);
    }
    unsparse->address += unsparse->left;
    return result;
}

static void next_chunk(MkUnsparse *unsparse)
{
    unsparse->have = 0;
    unsparse->need = unsparse->chunk_head;
    unsparse->state = unsparse->chunks ? MK_UNSPARSE_CHUNK_HEAD : MK_UNSPARSE_END;
}

/* A head is complete: what does it say? */
static MkChipResult begin_chunk(MkUnsparse *unsparse)
{
    uint16_t kind = mk_le16(unsparse->head);
    unsparse->left = (uint64_t)mk_le32(unsparse->head + 4) * unsparse->block;
    unsparse->chunks--;
    unsparse->have = 0;
    unsparse->need = 4;
    switch (kind) {
    case CHUNK_RAW: unsparse->state = MK_UNSPARSE_RAW; return MK_CHIP_OK;
    case CHUNK_FILL: unsparse->state = MK_UNSPARSE_FILL; return MK_CHIP_OK;
    case CHUNK_CRC: unsparse->state = MK_UNSPARSE_CRC; return MK_CHIP_OK;
    case CHUNK_SKIP:
        unsparse->address += unsparse->left;
        next_chunk(unsparse);
        return MK_CHIP_OK;
    default: unsparse->strange = true; return MK_CHIP_FAILED;
    }
}

static MkChipResult head_complete(MkUnsparse *unsparse)
{
    MkChipResult result = MK_CHIP_OK;
    switch (unsparse->state) {
    case MK_UNSPARSE_FILE_HEAD:
        unsparse->chunk_head = mk_le16(unsparse->head + 10);
        unsparse->block = mk_le32(unsparse->head + 12);
        unsparse->chunks = mk_le32(unsparse->head + 20);
        if (mk_le16(unsparse->head + 8) != FILE_HEAD || unsparse->chunk_head != CHUNK_HEAD || unsparse->block % 4 ||
            unsparse->block == 0)
            return MK_CHIP_FAILED;
        next_chunk(unsparse);
        return MK_CHIP_OK;
    case MK_UNSPARSE_CHUNK_HEAD: return begin_chunk(unsparse);
    case MK_UNSPARSE_FILL: result = fill(unsparse); break;
    default: break;
    }
    next_chunk(unsparse);
    return result;
}

static MkChipResult take_raw(MkUnsparse *unsparse, const uint8_t *data, size_t *length)
{
    size_t piece = (size_t)MIN(unsparse->left, *length);
    MkChipResult result = unsparse->store(unsparse->target, unsparse->address, data, piece);
    unsparse->address += piece;
    unsparse->left -= piece;
    *length = piece;
    if (unsparse->left == 0)
        next_chunk(unsparse);
    return result;
}

MkChipResult mk_unsparse_feed(MkUnsparse *unsparse, const uint8_t *data, size_t length)
{
    MkChipResult result = MK_CHIP_OK;
    while (length && result == MK_CHIP_OK && unsparse->state != MK_UNSPARSE_END) {
        size_t taken = length;
        if (unsparse->state == MK_UNSPARSE_RAW) {
            result = take_raw(unsparse, data, &taken);
        } else {
            taken = MIN(length, unsparse->need - unsparse->have);
            memcpy(unsparse->head + unsparse->have, data, taken);
            unsparse->have += (unsigned)taken;
            if (unsparse->have == unsparse->need)
                result = head_complete(unsparse);
        }
        data += taken;
        length -= taken;
    }
    return result;
}
