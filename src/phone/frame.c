#include "phone/frame.h"

#include "core/bytes.h"
#include "proto/xflash.h"

#include <string.h>

#define BY_BYTES 12      /* longest block that is taken and sent byte by byte */
#define TOGETHER 0x10000 /* header and payload of up to this leave in one write where nobody sees packets */

static MkFrameResult read_bytes(MkWire *wire, uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (mk_wire_read(wire, data + i, 1, -1) != MK_WIRE_OK)
            return MK_FRAME_GONE;
    return MK_FRAME_OK;
}

MkFrameResult mk_frame_read_header(MkWire *wire, uint32_t *length)
{
    uint8_t header[MK_XFLASH_HEADER_SIZE];
    *length = 0;
    if (read_bytes(wire, header, sizeof header) != MK_FRAME_OK)
        return MK_FRAME_GONE;
    if (mk_le32(header) != MK_XFLASH_MAGIC)
        return MK_FRAME_BROKEN;
    *length = mk_le32(header + 8);
    return MK_FRAME_OK;
}

MkFrameResult mk_frame_read_payload(MkWire *wire, uint32_t payload_length, void *data, size_t length)
{
    if (payload_length <= BY_BYTES)
        return read_bytes(wire, data, length);
    return length == 0 || mk_wire_read(wire, data, length, -1) == MK_WIRE_OK ? MK_FRAME_OK : MK_FRAME_GONE;
}

MkFrameResult mk_frame_read(MkWire *wire, void *data, size_t room, size_t *length)
{
    uint32_t told;
    MkFrameResult result = mk_frame_read_header(wire, &told);
    *length = told;
    if (result != MK_FRAME_OK)
        return result;
    return told > room ? MK_FRAME_OVERFLOW : mk_frame_read_payload(wire, told, data, told);
}

static bool write_block(MkWire *wire, const uint8_t *data, size_t length)
{
    if (length > BY_BYTES)
        return mk_wire_write(wire, data, length) == MK_WIRE_OK;
    for (size_t i = 0; i < length; i++)
        if (mk_wire_write(wire, data + i, 1) != MK_WIRE_OK)
            return false;
    return true;
}

static bool write_frame(MkWire *wire, uint32_t type, const void *data, size_t length)
{
    uint32_t words[] = {GUINT32_TO_LE(MK_XFLASH_MAGIC), GUINT32_TO_LE(type), GUINT32_TO_LE((uint32_t)length)};
    if (mk_wire_borders(wire) || length > TOGETHER)
        return write_block(wire, (const uint8_t *)words, sizeof words) && write_block(wire, data, length);
    g_autofree uint8_t *whole = g_malloc(sizeof words + length);
    memcpy(whole, words, sizeof words);
    if (length)
        memcpy(whole + sizeof words, data, length);
    return mk_wire_write(wire, whole, sizeof words + length) == MK_WIRE_OK;
}

bool mk_frame_write(MkWire *wire, const void *data, size_t length)
{
    return write_frame(wire, MK_XFLASH_FRAME_PROTOCOL, data, length);
}

bool mk_frame_write_half(MkWire *wire, const void *data, size_t length)
{
    uint32_t words[] = {GUINT32_TO_LE(MK_XFLASH_MAGIC), GUINT32_TO_LE(MK_XFLASH_FRAME_PROTOCOL),
                        GUINT32_TO_LE((uint32_t)length)};
    return write_block(wire, (const uint8_t *)words, sizeof words) && write_block(wire, data, length / 2);
}

bool mk_frame_write_log(MkWire *wire, const char *text)
{
    g_autoptr(GByteArray) payload = g_byte_array_new();
    mk_put_le32(payload, 1);
    g_byte_array_append(payload, (const guint8 *)text, (guint)strlen(text));
    return write_frame(wire, MK_XFLASH_FRAME_LOG, payload->data, payload->len);
}
