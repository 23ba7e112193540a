/* Lines of tests/data/golden/agent-*.txt: who sent, and the bytes, or of long runs their length and CRC. */
#pragma once

#include "core/bytes.h"

#include <string.h>

typedef struct {
    bool from_host;
    GByteArray *bytes; /* NULL: only length and CRC are known */
    size_t length;
    uint32_t crc;
} RecordedLine;

static inline GByteArray *recording_bytes(const char *hex)
{
    GByteArray *bytes = g_byte_array_new();
    for (; g_ascii_isxdigit(hex[0]); hex += 2)
        mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1])));
    return bytes;
}

/* "< buf 4f4b00", "> buf len=102 crc32=ab2a9086 ..."; free the bytes. */
static inline RecordedLine recording_line(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    RecordedLine result = {.from_host = *line == '<'};
    if (g_str_has_prefix(words[2], "len=")) {
        result.length = (size_t)g_ascii_strtoull(words[2] + 4, NULL, 10);
        result.crc = (uint32_t)g_ascii_strtoull(words[3] + 6, NULL, 16);
    } else {
        result.bytes = recording_bytes(words[2]);
        result.length = result.bytes->len;
    }
    return result;
}
