/* The NVRAM bin region, read only: is identity there? Never prints or decodes a number (spec nvram.md 3, 4, 6). */
#include "image/image.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

#define BLOCK       0x20000u
#define ENTRY       140u
#define MAP_AT      12u
#define LARGEST     (64u << 20)
#define IMEI_RECORD 12u
#define OLD_IMEI    120u
#define NEW_IMEI    384u

void mk_nvram_report_clear(MkNvramReport *report)
{
    g_free(report->imei_words);
    *report = (MkNvramReport){0};
}

/* XOR and ADD by turns over 32-bit words, the rest ADDed, XORed with the length (3.2). */
static uint32_t checksum(const uint8_t *data, size_t length)
{
    uint32_t sum = 0, rest = 0;
    size_t words = length / 4;
    for (size_t i = 0; i < words; i++)
        sum = i & 1 ? sum + mk_le32(data + 4 * i) : sum ^ mk_le32(data + 4 * i);
    for (size_t i = words * 4; i < length; i++)
        rest |= (uint32_t)data[i] << (8 * (i % 4));
    return (sum + rest) ^ (uint32_t)length;
}

typedef struct {
    const uint8_t *files;
    uint32_t files_length;
    const uint8_t *imei;
    uint32_t imei_length;
    unsigned calibration;
} Contents;

/* The counts in front of the entries differ from build to build: the first name begins with a slash (3.1). */
static bool parse_map(const uint8_t *map, uint32_t length, Contents *contents)
{
    const uint8_t *slash = length > 36 ? memchr(map + 24, '/', length - 24) : NULL;
    if (!slash || (size_t)(slash - map) < 24)
        return false;
    uint32_t first = (uint32_t)(slash - map) - 12;
    if (first > length || (length - first) % ENTRY)
        return false;
    for (uint32_t at = first; at + ENTRY <= length; at += ENTRY) {
        uint32_t start = mk_le32(map + at + 4), size = mk_le32(map + at + 8);
        char path[129] = {0};
        memcpy(path, map + at + 12, 128);
        if (path[0] != '/' || start > contents->files_length || size > contents->files_length - start)
            return false;
        contents->calibration += strstr(path, "/CALIBRAT/") != NULL;
        if (strstr(path, "/NVD_IMEI/") && g_str_has_suffix(path, "0B_001")) {
            contents->imei = contents->files + start;
            contents->imei_length = size;
        }
    }
    return true;
}

static bool record_is_whole(const uint8_t *record)
{
    uint8_t even = 0, odd = 0;
    for (int i = 0; i < 10; i += 2) {
        even = (uint8_t)(even + record[i]);
        odd = (uint8_t)(odd + record[i + 1]);
    }
    return record[10] == even && record[11] == odd;
}

static const char *judge_imei(const Contents *contents, bool present[2])
{
    uint32_t record = contents->imei_length == OLD_IMEI ? IMEI_RECORD : 32,
             base = contents->imei_length == OLD_IMEI ? 0 : 64;
    if (!contents->imei || (contents->imei_length != OLD_IMEI && contents->imei_length != NEW_IMEI) ||
        mk_is_blank(contents->imei, contents->imei_length))
        return _("missing");
    const uint8_t *first = contents->imei + base, *last = first + 9 * record;
    if (contents->imei_length == OLD_IMEI && (!record_is_whole(first) || !record_is_whole(first + record)))
        return _("damaged");
    /* Unused slots all hold the same record (4.1). */
    present[0] = memcmp(first, last, record) != 0;
    present[1] = memcmp(first + record, last, record) != 0;
    return present[0] ? _("present") : _("blank");
}

static bool read_region(MkStore *nvram, uint32_t map_size, uint32_t data_size, MkNvramReport *report, GError **error)
{
    g_autofree uint8_t *map = g_malloc(map_size), *files = g_malloc(data_size);
    if (!mk_store_read(nvram, MAP_AT, map, map_size, NULL, error) ||
        !mk_store_read(nvram, BLOCK, files, data_size, NULL, error))
        return false;
    Contents contents = {.files = files, .files_length = data_size};
    report->known_format = parse_map(map, map_size, &contents);
    report->checksum_ok = report->known_format && checksum(files, data_size) == mk_le32(map);
    report->calibration = contents.calibration;
    report->imei_words =
        g_strdup(report->known_format ? judge_imei(&contents, report->imei_present) : _("unknown format"));
    return true;
}

bool mk_nvram_report(MkStore *nvram, MkNvramReport *report, GError **error)
{
    uint8_t head[MAP_AT + 4];
    *report = (MkNvramReport){0};
    if (nvram->size < 2 * BLOCK) {
        report->imei_words = g_strdup(_("unknown format"));
        return true;
    }
    if (!mk_store_read(nvram, 0, head, sizeof head, NULL, error))
        return false;
    uint32_t map_size = mk_le32(head), data_size = mk_le32(head + 4);
    report->blank = mk_is_blank(head, sizeof head);
    if (!report->blank && map_size >= 40 && map_size <= BLOCK - MAP_AT && data_size &&
        data_size <= MIN(nvram->size - 2 * BLOCK, LARGEST))
        return read_region(nvram, map_size, data_size, report, error);
    report->imei_words = g_strdup(report->blank ? _("blank") : _("unknown format"));
    return true;
}
