/* Checksums of the protocols and formats, chainable: start with 0 (crc32 too) and feed the result back in. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Sum of all bytes modulo 65536: the legacy agent's packets (spec da-legacy.md 1). */
uint16_t mk_sum16(uint16_t sum, const void *data, size_t length);
/* Sum of all little-endian 32-bit words and of the up to three bytes left over, modulo 2^32: the XML agent's packets (spec da-xml.md 5.2).
 * Chain only after whole words. */
uint32_t mk_sum32(uint32_t sum, const void *data, size_t length);
/* XOR of little-endian 16-bit words, an odd last byte as a low byte: SEND_DA (spec brom.md 6.8). Chain only after an even
 * number of bytes. */
uint16_t mk_xor16(uint16_t sum, const void *data, size_t length);
/* zlib's CRC-32, as GPT and sparse images use it. */
uint32_t mk_crc32(uint32_t crc, const void *data, size_t length);
/* As if PATTERN came TIMES times, in the time of a few steps: for runs of zeros and fills that are gigabytes long. Together below 2^62 bytes. */
uint32_t mk_crc32_repeat(uint32_t crc, const void *pattern, size_t length, uint64_t times);
/* SHA-256, streamed, through libcrypto (which uses the processor's own instructions). */
#define MK_SHA256_SIZE 32
typedef struct _MkSha256 MkSha256;
MkSha256 *mk_sha256_new(void);
void mk_sha256_update(MkSha256 *sha, const void *data, size_t length);
/* Ends it: 64 lower-case hex digits, caller frees. */
char *mk_sha256_finish(MkSha256 *sha);
void mk_sha256_finish_raw(MkSha256 *sha, uint8_t digest[MK_SHA256_SIZE]); /* the same as bytes */
void mk_sha256_free(MkSha256 *sha);                                       /* only if it was not finished */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSha256, mk_sha256_free)
/* SHA-256 of a buffer as 64 lower-case hex digits. Caller frees. */
char *mk_sha256_hex(const void *data, size_t length);
/* The same as bytes. */
void mk_sha256(const void *data, size_t length, uint8_t digest[MK_SHA256_SIZE]);
