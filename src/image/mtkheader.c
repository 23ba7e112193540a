/* The 512-byte header in front of loaders, logos, kernels and ramdisks (spec images.md 4). */
#include "image/image.h"

#include "core/bytes.h"

#include <string.h>

#define MAGIC 0x58881688u
#define SIZE  512u

bool mk_mtk_header_parse(const void *data, size_t length, MkMtkHeader *header)
{
    const uint8_t *bytes = data;
    if (length < SIZE || mk_le32(bytes) != MAGIC)
        return false;
    *header = (MkMtkHeader){.size = mk_le32(bytes + 4)};
    memcpy(header->name, bytes + 8, 32);
    for (char *c = header->name; *c; c++)
        if (!g_ascii_isprint(*c))
            *c = '?';
    return true;
}

GBytes *mk_mtk_header_make(const char *name, uint32_t size)
{
    GByteArray *array = g_byte_array_new();
    mk_put_le32(array, MAGIC);
    mk_put_le32(array, size);
    mk_put_text(array, name, 32);
    mk_put_fill(array, 0xFF, SIZE - array->len);
    return g_byte_array_free_to_bytes(array);
}
