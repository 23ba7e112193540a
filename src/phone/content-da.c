/* A Download Agent file in the genuine container (spec da-file.md), for virtual phones: marked as ours, never executed. */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"

#include <string.h>

#define MARKER    "MEDIK VIRTUAL DA"
#define CAPACITY  20
#define SIGNATURE 0x100
#define STAGE1    0x4000
#define STAGE2    0x17F64 /* no whole packets: clients that count on a last piece are many (spec agents.md legacy 10) */
#define LEFTOVER  0x270

typedef struct {
    const char *release;
    unsigned info_version;
    const char *label;
} Release;

static const Release releases[] = {{"G0", 3, "v3.3001.00.00"},
                                   {"G1", 4, "v7.1320.0.0.983"},
                                   {"G2", 4, "v7.1352.03"},
                                   {"G3", 4, "v7.1504.00.00"},
                                   {"G4", 4, "v3.3001.2019-12-31.22:53_497508"}};

typedef struct {
    uint16_t hw_code, hw_version, sw_version;
    uint32_t leftover, stage1, stage2;
    bool single;          /* the whole agent is region 1 */
    unsigned first, last; /* releases that have it */
} ChipEntry;

static const ChipEntry chips[] = {
    {0x6575, 0xCA00, 0xE100, 0xC2010000, 0xC2000000, 0xC2038000, true, 0, 3},
    {0x6575, 0xCB00, 0xE201, 0xC2010000, 0xC2000000, 0xC2038000, true, 0, 3},
    {0x6577, 0xCA00, 0xE100, 0xC2010000, 0xC2000000, 0xC2038000, true, 0, 3},
    {0x6583, 0xCA00, 0x0000, 0x12020000, 0x12000000, 0x82038000, true, 1, 3},
    {0x6572, 0xCA00, 0x0000, 0x80010000, 0x02007000, 0x80000000, false, 1, 4},
    {0x6582, 0xCA00, 0x0000, 0x80010000, 0x00200000, 0x80000000, false, 1, 4},
    {0x6752, 0xCA00, 0x0000, 0x50000000, 0x00110000, 0x40000000, false, 3, 4},
    {0x6735, 0xCA00, 0x0000, 0x50000000, 0x00200000, 0x40000000, false, 3, 4},
};

static void put_code(GByteArray *file, const char *release, unsigned stage, uint16_t chip, size_t length, GBytes *next)
{
    guint start = file->len;
    g_autofree char *head = g_strdup_printf("%s %s stage %u for %04X DACmdDispatcher", MARKER, release, stage, chip);
    mk_put_text(file, head, 128);
    if (next) {
        /* Stage 1 knows the hash of its stage 2 (spec da-file.md 7). */
        g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
        uint8_t digest[20];
        gsize size = sizeof digest;
        g_checksum_update(sum, g_bytes_get_data(next, NULL), (gssize)g_bytes_get_size(next) - SIGNATURE);
        g_checksum_get_digest(sum, digest, &size);
        mk_put_text(file, "SHA1=", 5);
        g_byte_array_append(file, digest, sizeof digest);
    }
    for (uint32_t i = chip; file->len < start + length; i += 7)
        mk_put_u8(file, (uint8_t)(i ^ i >> 8));
}

static GBytes *code(const char *release, unsigned stage, uint16_t chip, size_t length, GBytes *next)
{
    GByteArray *array = g_byte_array_new();
    put_code(array, release, stage, chip, length, next);
    return g_byte_array_free_to_bytes(array);
}

/* NAND device table of single-stage chips: one known device, then the end (spec da-file.md 5.2). */
static GBytes *nand_table(unsigned record)
{
    GByteArray *table = g_byte_array_new();
    static const uint16_t known[] = {0x0100, 0x002C, 0x00BC, 0xFFFF, 0xFFFF};
    for (unsigned i = 0; i < G_N_ELEMENTS(known); i++)
        mk_put_le16(table, known[i]);
    mk_put_fill(table, 0, record - table->len);
    mk_put_le16(table, 0xFFFF);
    mk_put_fill(table, 0xFF, 2 * record - table->len);
    return g_byte_array_free_to_bytes(table);
}

static void put_region(GByteArray *table, GByteArray *data, uint32_t base, GBytes *bytes, uint32_t address,
                       bool is_signed)
{
    uint32_t length = (uint32_t)g_bytes_get_size(bytes);
    mk_put_le32(table, base + data->len);
    mk_put_le32(table, length);
    mk_put_le32(table, address);
    mk_put_le32(table, is_signed ? length - SIGNATURE : length);
    mk_put_le32(table, is_signed ? SIGNATURE : 0);
    g_byte_array_append(data, g_bytes_get_data(bytes, NULL), length);
}

static void put_entry(GByteArray *table, GByteArray *data, uint32_t base, const Release *release, const ChipEntry *chip)
{
    bool old = release->info_version == 3;
    g_autoptr(GBytes) leftover = code(release->release, 0, chip->hw_code, LEFTOVER, NULL);
    g_autoptr(GBytes) stage2 =
        chip->single ? nand_table(old ? 52 : 56) : code(release->release, 2, chip->hw_code, STAGE2, NULL);
    g_autoptr(GBytes) stage1 =
        code(release->release, 1, chip->hw_code, chip->single ? STAGE2 : STAGE1, chip->single ? NULL : stage2);
    mk_put_le16(table, 0xDADA);
    mk_put_le16(table, chip->hw_code);
    if (!old)
        mk_put_le16(table, 0);
    mk_put_le16(table, chip->hw_version);
    mk_put_le16(table, chip->sw_version);
    if (!old)
        mk_put_le16(table, 0);
    mk_put_le32(table, 0x1000);
    mk_put_le16(table, chip->single ? 1 : 0);
    mk_put_le16(table, 3);
    put_region(table, data, base, leftover, chip->leftover, true);
    put_region(table, data, base, stage1, chip->stage1, true);
    put_region(table, data, base, stage2, chip->stage2, !chip->single);
    mk_put_fill(table, 0, 7 * 20);
}

GBytes *mk_content_make_da(const char *name, GError **error)
{
    const Release *release = NULL;
    unsigned number = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(releases); i++) {
        if (g_ascii_strcasecmp(releases[i].release, name) == 0) {
            release = &releases[i];
            number = i;
        }
    }
    if (!release) {
        mk_fault_set(error, MK_FAULT_USAGE, _("There is no release \"%s\" of the agent; there are G0 to G4."), name);
        return NULL;
    }
    g_autoptr(GByteArray) table = g_byte_array_new(), data = g_byte_array_new();
    uint32_t stride = release->info_version == 3 ? 0xD8 : 0xDC;
    uint32_t base = 0x6C + CAPACITY * stride, count = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(chips); i++) {
        if (number < chips[i].first || number > chips[i].last)
            continue;
        put_entry(table, data, base, release, &chips[i]);
        count++;
    }
    mk_put_fill(table, 0, CAPACITY * stride - table->len);
    g_autofree char *description = g_strdup_printf("MTK_AllInOne_DA_%s", release->label);
    GByteArray *file = g_byte_array_new();
    mk_put_text(file, "MTK_DOWNLOAD_AGENT", 32);
    mk_put_text(file, description, 64);
    mk_put_le32(file, release->info_version);
    mk_put_le32(file, 0x22668899);
    mk_put_le32(file, count);
    g_byte_array_append(file, table->data, table->len);
    g_byte_array_append(file, data->data, data->len);
    return g_byte_array_free_to_bytes(file);
}

bool mk_content_da_marker(const void *data, size_t length, char release[3], unsigned *stage)
{
    const char *text = data;
    size_t mark = strlen(MARKER);
    if (length < 128 || memcmp(text, MARKER " G", mark + 2) != 0)
        return false;
    memcpy(release, text + mark + 1, 2);
    release[2] = '\0';
    *stage = (unsigned)(text[mark + 10] - '0');
    return true;
}
