#include "core/hash.h"

#include "core/bytes.h"

#include <openssl/evp.h>
#include <string.h>
#include <zlib.h>

/* The bytes of 128 words, added in four lanes of 16 bits: 128 × 2 × 255 just fits. */
static uint32_t sum_block(const uint8_t *bytes)
{
    const uint64_t mask = UINT64_C(0x00FF00FF00FF00FF);
    uint64_t lanes = 0, word;
    for (int i = 0; i < 128; i++) {
        memcpy(&word, bytes + 8 * i, 8);
        lanes += (word & mask) + (word >> 8 & mask);
    }
    return (uint32_t)((lanes & 0xFFFF) + (lanes >> 16 & 0xFFFF) + (lanes >> 32 & 0xFFFF) + (lanes >> 48));
}

uint16_t mk_sum16(uint16_t sum, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t total = sum;
    for (; length >= 1024; length -= 1024, bytes += 1024)
        total += sum_block(bytes);
    for (size_t i = 0; i < length; i++)
        total += bytes[i];
    return (uint16_t)total;
}

/* 1 KiB of little-endian words: a fixed number, which the compiler adds several at a time. */
static uint32_t sum_words(const uint8_t *bytes)
{
    uint32_t total = 0;
    for (int i = 0; i < 256; i++)
        total += mk_le32(bytes + 4 * i);
    return total;
}

uint32_t mk_sum32(uint32_t sum, const void *data, size_t length)
{
    const uint8_t *bytes = data;
    for (; length >= 1024; length -= 1024, bytes += 1024)
        sum += sum_words(bytes);
    for (; length >= 4; length -= 4, bytes += 4)
        sum += mk_le32(bytes);
    for (size_t i = 0; i < length; i++)
        sum += bytes[i];
    return sum;
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

uint32_t mk_crc32_repeat(uint32_t crc, const void *pattern, size_t length, uint64_t times)
{
    uint32_t run = mk_crc32(0, pattern, length);
    for (uint64_t bytes = length; times; bytes *= 2, times /= 2) {
        if (times % 2)
            crc = (uint32_t)crc32_combine(crc, run, (z_off_t)bytes);
        run = (uint32_t)crc32_combine(run, run, (z_off_t)bytes);
    }
    return crc;
}

struct _MkSha256 {
    EVP_MD_CTX *context;
};

MkSha256 *mk_sha256_new(void)
{
    MkSha256 *sha = g_new(MkSha256, 1);
    sha->context = EVP_MD_CTX_new();
    if (!sha->context || EVP_DigestInit_ex(sha->context, EVP_sha256(), NULL) != 1)
        g_error("libcrypto offers no SHA-256");
    return sha;
}

void mk_sha256_update(MkSha256 *sha, const void *data, size_t length)
{
    EVP_DigestUpdate(sha->context, data, length);
}

void mk_sha256_finish_raw(MkSha256 *sha, uint8_t digest[MK_SHA256_SIZE])
{
    EVP_DigestFinal_ex(sha->context, digest, NULL);
    mk_sha256_free(sha);
}

char *mk_sha256_finish(MkSha256 *sha)
{
    uint8_t digest[MK_SHA256_SIZE];
    mk_sha256_finish_raw(sha, digest);
    GString *text = g_string_sized_new(64);
    for (size_t i = 0; i < sizeof digest; i++)
        g_string_append_printf(text, "%02x", digest[i]);
    return g_string_free(text, FALSE);
}

void mk_sha256_free(MkSha256 *sha)
{
    if (!sha)
        return;
    EVP_MD_CTX_free(sha->context);
    g_free(sha);
}

char *mk_sha256_hex(const void *data, size_t length)
{
    MkSha256 *sha = mk_sha256_new();
    mk_sha256_update(sha, data, length);
    return mk_sha256_finish(sha);
}

void mk_sha256(const void *data, size_t length, uint8_t digest[MK_SHA256_SIZE])
{
    MkSha256 *sha = mk_sha256_new();
    mk_sha256_update(sha, data, length);
    mk_sha256_finish_raw(sha, digest);
}
