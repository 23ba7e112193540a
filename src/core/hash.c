#include "core/hash.h"

#include "core/bytes.h"

#include <string.h>
#include <zlib.h>

uint16_t mk_sum16(uint16_t sum, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t total = sum;
    for (size_t i = 0; i < length; i++)
        total += bytes[i];
    return (uint16_t)total;
}

uint16_t mk_xor16(uint16_t sum, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    size_t i = 0;
    for (; i + 1 < length; i += 2)
        sum ^= mk_le16(bytes + i);
    if (i < length)
        sum ^= bytes[i];
    return sum;
}

uint32_t mk_crc32(uint32_t crc, const void *data, size_t length)
{
    const Bytef *bytes = data;
    uLong value = crc;
    while (length) {
        uInt piece = (uInt)MIN(length, (size_t)1 << 30);
        value = crc32(value, bytes, piece);
        bytes += piece;
        length -= piece;
    }
    return (uint32_t)value;
}

char *mk_sha256_hex(const void *data, size_t length)
{
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, length);
}
