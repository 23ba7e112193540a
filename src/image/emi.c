/* The DRAM settings in a preloader ("EMI block"): its records, and the flash chips that they are for (spec preloader-file.md 4). */
#include "image/image-private.h"

#include "core/bytes.h"

#include <string.h>

#define HEADER     0x70u
#define VERSION_AT 0x12u
#define COUNT_AT   0x6Cu
#define ID_ROOM    16u
#define LEAST      0x18u /* bytes of a record up to its settings */
#define MOST       1024u /* records */

/* Where a record keeps the id of the flash chip that it is for. */
typedef struct {
    unsigned id, id_room, id_length;
} Form;

static const Form form_a = {0x10, 16, 8}, form_b = {4, 12, 0x6C}, form_c = {4, 16, 0x14}, form_d = {8, 16, 4};

/* Sizes of a record by version; one that is not listed here is found by dividing. */
static const struct {
    int first, last;
    unsigned sizes[2];
} sizes[] = {{0, 0, {140, 188}},   {8, 8, {136}},   {10, 10, {184}}, {11, 11, {168}}, {12, 13, {188}}, {14, 14, {168}},
             {15, 15, {176}},      {16, 16, {188}}, {17, 17, {176}}, {20, 21, {188}}, {22, 22, {176}}, {24, 24, {164}},
             {25, 25, {160, 144}}, {27, 27, {188}}, {28, 28, {144}}, {30, 31, {160}}, {32, 32, {188}}, {35, 36, {160}},
             {38, 40, {160}},      {45, 47, {160}}, {49, 49, {84}},  {52, 52, {84}}};

/* Chips whose boards were seen with a version: a hint, for one version may serve more (spec 5, point 6). */
static const struct {
    int version;
    const char *chips;
} hints[] = {{8, "MT6575/MT6577"},  {10, "MT6589"},        {11, "MT6572"},
             {12, "MT6582"},        {13, "MT6592"},        {15, "MT6795/MT6595"},
             {16, "MT8163"},        {17, "MT6752"},        {20, "MT6735/MT6737/MT6753"},
             {21, "MT6580"},        {22, "MT6750/MT6755"}, {24, "MT6799"},
             {25, "MT6757"},        {27, "MT6570"},        {28, "MT8167/MT8168"},
             {30, "MT6763"},        {31, "MT6758"},        {32, "MT6739"},
             {35, "MT6765/MT6762"}, {36, "MT6771/MT8183"}, {38, "MT6761"},
             {39, "MT6779"},        {40, "MT6768/MT6769"}, {45, "MT6785"},
             {46, "MT6889/MT6885"}, {49, "MT6853"},        {52, "MT6833"}};

const char *mk_emi_chips(int version)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hints); i++)
        if (hints[i].version == version)
            return hints[i].chips;
    return NULL;
}

int mk_emi_version(const uint8_t *block)
{
    const uint8_t *digits = block + VERSION_AT;
    return g_ascii_isdigit(digits[0]) && g_ascii_isdigit(digits[1]) ? (digits[0] - '0') * 10 + (digits[1] - '0') : -1;
}

/* Generators of versions 08 to 12 wrote the decimal count as hexadecimal digits (spec 4.2). */
unsigned mk_emi_count(const uint8_t *block, int version)
{
    uint32_t stored = mk_le32(block + COUNT_AT);
    if (version >= 20 || stored <= 9)
        return stored;
    char digits[12];
    g_snprintf(digits, sizeof digits, "%x", stored);
    return strspn(digits, "0123456789") == strlen(digits) ? (unsigned)g_ascii_strtoull(digits, NULL, 10) : stored;
}

/* The size of a record; 0: cannot be told. Blocks were seen with 4 and 36 bytes too many, and cut off at their end (spec 6). */
unsigned mk_emi_record_size(int version, unsigned count, size_t length, bool *cut)
{
    static const size_t extras[] = {0, 4, 36};
    unsigned known = 0;
    *cut = false;
    if (!count || count > MOST || length <= HEADER)
        return 0;
    size_t records = length - HEADER;
    for (gsize i = 0; i < G_N_ELEMENTS(sizes) && !known; i++)
        if (version >= sizes[i].first && version <= sizes[i].last)
            known = (unsigned)i + 1;
    for (gsize k = 0; known && k < G_N_ELEMENTS(sizes[0].sizes); k++)
        for (gsize e = 0; e < G_N_ELEMENTS(extras); e++)
            if (sizes[known - 1].sizes[k] && (size_t)sizes[known - 1].sizes[k] * count + extras[e] == records)
                return sizes[known - 1].sizes[k];
    if (records % count == 0 && records / count >= 64)
        return (unsigned)(records / count);
    *cut = known && (size_t)sizes[known - 1].sizes[0] * count > records;
    return *cut ? sizes[known - 1].sizes[0] : 0;
}

static const Form *form_of(int version)
{
    return version == 8                     ? &form_b
           : version == 11 || version == 14 ? &form_c
           : version == 49 || version == 52 ? &form_d
                                            : &form_a;
}

/* What one record says about the chip ID. */
static MkEmiMatch match_record(const uint8_t *record, unsigned size, const Form *form, const uint8_t *id, size_t length)
{
    if (form->id_length + 4 > size || form->id + form->id_room > size)
        return MK_EMI_UNREADABLE;
    uint32_t named = mk_le32(record + form->id_length);
    if (named == 0)
        return MK_EMI_DISCRETE;
    if (named > form->id_room)
        return MK_EMI_UNREADABLE;
    return named <= length && !memcmp(record + form->id, id, named) ? MK_EMI_LISTED : MK_EMI_NOT_LISTED;
}

MkEmiMatch mk_emi_match(GBytes *block, const uint8_t *id, size_t id_length)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(block, &length);
    MkEmiMatch best = MK_EMI_NOT_LISTED;
    bool cut;
    if (length <= HEADER || !id_length || mk_emi_version(data) < 0)
        return MK_EMI_UNREADABLE;
    int version = mk_emi_version(data);
    unsigned count = mk_emi_count(data, version), size = mk_emi_record_size(version, count, length, &cut);
    for (size_t i = 0; size >= LEAST && i < count && HEADER + (i + 1) * size <= length; i++) {
        MkEmiMatch match = match_record(data + HEADER + i * size, size, form_of(version), id, id_length);
        if (match == MK_EMI_UNREADABLE)
            return match;
        best = MAX(best, match);
    }
    return size >= LEAST && !(cut && best == MK_EMI_NOT_LISTED) ? best : MK_EMI_UNREADABLE;
}
