#include "core/bytes.h"

#include <errno.h>
#include <string.h>

const uint8_t *mk_reader_take(MkReader *reader, size_t length)
{
    if (reader->failed || length > reader->length - reader->offset) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *at = reader->data + reader->offset;
    reader->offset += length;
    return at;
}

void mk_reader_seek(MkReader *reader, size_t offset)
{
    if (offset > reader->length)
        reader->failed = true;
    else
        reader->offset = offset;
}

uint8_t mk_reader_u8(MkReader *reader)
{
    const uint8_t *p = mk_reader_take(reader, 1);
    return p ? *p : 0;
}

uint16_t mk_reader_le16(MkReader *reader)
{
    const uint8_t *p = mk_reader_take(reader, 2);
    return p ? mk_le16(p) : 0;
}

uint32_t mk_reader_le32(MkReader *reader)
{
    const uint8_t *p = mk_reader_take(reader, 4);
    return p ? mk_le32(p) : 0;
}

uint64_t mk_reader_le64(MkReader *reader)
{
    const uint8_t *p = mk_reader_take(reader, 8);
    return p ? mk_le64(p) : 0;
}

uint16_t mk_reader_be16(MkReader *reader)
{
    const uint8_t *p = mk_reader_take(reader, 2);
    return p ? mk_be16(p) : 0;
}

uint32_t mk_reader_be32(MkReader *reader)
{
    const uint8_t *p = mk_reader_take(reader, 4);
    return p ? mk_be32(p) : 0;
}

uint64_t mk_reader_be64(MkReader *reader)
{
    const uint8_t *p = mk_reader_take(reader, 8);
    return p ? mk_be64(p) : 0;
}

char *mk_reader_text(MkReader *reader, size_t length)
{
    const uint8_t *p = mk_reader_take(reader, length);
    if (!p)
        return g_strdup("");
    char *text = g_strndup((const char *)p, length);
    for (char *c = text; *c; c++)
        if (!g_ascii_isprint(*c))
            *c = '?';
    return text;
}

void mk_put_u8(GByteArray *array, uint8_t value)
{
    g_byte_array_append(array, &value, 1);
}

void mk_put_le16(GByteArray *array, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    g_byte_array_append(array, (const guint8 *)&value, 2);
}

void mk_put_le32(GByteArray *array, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    g_byte_array_append(array, (const guint8 *)&value, 4);
}

void mk_put_le64(GByteArray *array, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(array, (const guint8 *)&value, 8);
}

void mk_put_be16(GByteArray *array, uint16_t value)
{
    value = GUINT16_TO_BE(value);
    g_byte_array_append(array, (const guint8 *)&value, 2);
}

void mk_put_be32(GByteArray *array, uint32_t value)
{
    value = GUINT32_TO_BE(value);
    g_byte_array_append(array, (const guint8 *)&value, 4);
}

void mk_put_be64(GByteArray *array, uint64_t value)
{
    value = GUINT64_TO_BE(value);
    g_byte_array_append(array, (const guint8 *)&value, 8);
}

void mk_put_fill(GByteArray *array, uint8_t value, size_t count)
{
    guint old = array->len;
    g_byte_array_set_size(array, old + (guint)count);
    if (count)
        memset(array->data + old, value, count);
}

void mk_put_text(GByteArray *array, const char *text, size_t width)
{
    size_t length = MIN(strlen(text), width);
    g_byte_array_append(array, (const guint8 *)text, (guint)length);
    mk_put_fill(array, 0, width - length);
}

uint64_t mk_round_up(uint64_t value, uint64_t unit)
{
    uint64_t rest = value % unit, rounded;
    if (!rest)
        return value;
    return __builtin_add_overflow(value, unit - rest, &rounded) ? UINT64_MAX : rounded;
}

bool mk_is_uniform(const void *data, size_t length, uint8_t *value)
{
    const uint8_t *bytes = data;
    if (!length || (length > 1 && memcmp(bytes, bytes + 1, length - 1)))
        return false;
    if (value)
        *value = bytes[0];
    return true;
}

bool mk_is_blank(const void *data, size_t length)
{
    uint8_t value;
    return mk_is_uniform(data, length, &value) && (value == 0x00 || value == 0xFF);
}

char *mk_size_text(uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024)
        return g_strdup_printf("%" G_GUINT64_FORMAT " bytes", bytes);
    double value = (double)bytes / 1024;
    unsigned unit = 0;
    while (value >= 1024 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1024;
        unit++;
    }
    return bytes % (UINT64_C(1) << (10 * (unit + 1))) ? g_strdup_printf("%.1f %s", value, units[unit])
                                                      : g_strdup_printf("%.0f %s", value, units[unit]);
}

bool mk_parse_size(const char *text, uint64_t *value)
{
    while (g_ascii_isspace(*text))
        text++;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    if (!(hex ? g_ascii_isxdigit(text[2]) : g_ascii_isdigit(text[0])))
        return false;
    char *end = NULL;
    errno = 0;
    uint64_t number = g_ascii_strtoull(hex ? text + 2 : text, &end, hex ? 16 : 10);
    if (errno)
        return false;
    static const char letters[] = "KMGT";
    const char *letter = *end ? strchr(letters, g_ascii_toupper(*end)) : NULL;
    if (letter) {
        if (__builtin_mul_overflow(number, UINT64_C(1) << (10 * (letter - letters + 1)), &number))
            return false;
        end++;
        if (!g_ascii_strncasecmp(end, "iB", 2))
            end += 2;
    }
    while (g_ascii_isspace(*end))
        end++;
    if (*end)
        return false;
    *value = number;
    return true;
}
