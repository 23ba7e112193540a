/* Cursors over bytes that cannot overrun, for everything that comes from a phone, a file or an archive.
 *
 * A reader that is asked for more than is left sets `failed`, returns 0 / NULL and stays failed: read a whole structure,
 * then test once.  A writer appends to a GByteArray. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *data;
    size_t length;
    size_t offset;
    bool failed;
} MkReader;

static inline MkReader mk_reader(const void *data, size_t length)
{
    return (MkReader){.data = data, .length = length};
}
static inline size_t mk_reader_left(const MkReader *reader)
{
    return reader->failed ? 0 : reader->length - reader->offset;
}
/* The next LENGTH bytes (borrowed), or NULL and failed. */
const uint8_t *mk_reader_take(MkReader *reader, size_t length);
void mk_reader_seek(MkReader *reader, size_t offset);
uint8_t mk_reader_u8(MkReader *reader);
uint16_t mk_reader_le16(MkReader *reader);
uint32_t mk_reader_le32(MkReader *reader);
uint64_t mk_reader_le64(MkReader *reader);
uint16_t mk_reader_be16(MkReader *reader);
uint32_t mk_reader_be32(MkReader *reader);
uint64_t mk_reader_be64(MkReader *reader);
/* A NUL-padded field of LENGTH bytes as UTF-8: bytes that are not printable ASCII become "?". Caller frees. */
char *mk_reader_text(MkReader *reader, size_t length);

void mk_put_u8(GByteArray *array, uint8_t value);
void mk_put_le16(GByteArray *array, uint16_t value);
void mk_put_le32(GByteArray *array, uint32_t value);
void mk_put_le64(GByteArray *array, uint64_t value);
void mk_put_be16(GByteArray *array, uint16_t value);
void mk_put_be32(GByteArray *array, uint32_t value);
void mk_put_be64(GByteArray *array, uint64_t value);
void mk_put_fill(GByteArray *array, uint8_t value, size_t count);
void mk_put_text(GByteArray *array, const char *text, size_t width); /* NUL-padded, cut to width */

/* At a fixed place, for structures that are not read in order. */
static inline uint16_t mk_le16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] | b[1] << 8);
}
static inline uint32_t mk_le32(const void *p)
{
    return mk_le16(p) | (uint32_t)mk_le16((const uint8_t *)p + 2) << 16;
}
static inline uint64_t mk_le64(const void *p)
{
    return mk_le32(p) | (uint64_t)mk_le32((const uint8_t *)p + 4) << 32;
}
static inline uint16_t mk_be16(const void *p)
{
    const uint8_t *b = p;
    return (uint16_t)(b[0] << 8 | b[1]);
}
static inline uint32_t mk_be32(const void *p)
{
    return (uint32_t)mk_be16(p) << 16 | mk_be16((const uint8_t *)p + 2);
}
static inline uint64_t mk_be64(const void *p)
{
    return (uint64_t)mk_be32(p) << 32 | mk_be32((const uint8_t *)p + 4);
}

/* Rounds up to a multiple of UNIT (any positive number); saturates at UINT64_MAX. */
uint64_t mk_round_up(uint64_t value, uint64_t unit);
/* True if every byte equals the first one; *value gets it. An empty buffer is not uniform. */
bool mk_is_uniform(const void *data, size_t length, uint8_t *value);
/* True if a non-empty buffer holds only 0x00 or only 0xFF: an erased or never written area. */
bool mk_is_blank(const void *data, size_t length);
/* "1.5 GiB", "640 KiB", "512 bytes". Caller frees. */
char *mk_size_text(uint64_t bytes);
/* Parses "4096", "0x1000", "1K", "16M", "4G", "4GiB" (1024-based); false if it is nothing of the sort or overflows. */
bool mk_parse_size(const char *text, uint64_t *value);
