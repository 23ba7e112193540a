/* A Download Agent file in the genuine container (spec da-file.md), for virtual phones: marked as ours, never executed. */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"

#include <string.h>

#define MARKER    "MEDIK VIRTUAL DA"
#define SIGNATURE 0x100
#define STAGE1    0x4000
#define STAGE2    0x17F64 /* no whole packets: clients that count on a last piece are many (spec agents.md legacy 10) */
#define LEFTOVER  0x270

typedef enum {
    FULL,  /* ten region records per entry, zero where not used */
    EXACT, /* only the records that there are, as in the XML files of one chip (spec da-file.md 4.3) */
} Slots;

typedef struct {
    const char *release;
    MkDaFamily dialect;
    unsigned info_version, capacity;
    Slots slots;
    const char *label;
} Release;

static const Release releases[] = {{"G0", MK_DA_LEGACY, 3, 20, FULL, "MTK_AllInOne_DA_v3.3001.00.00"},
                                   {"G1", MK_DA_LEGACY, 4, 20, FULL, "MTK_AllInOne_DA_v7.1320.0.0.983"},
                                   {"G2", MK_DA_LEGACY, 4, 20, FULL, "MTK_AllInOne_DA_v7.1352.03"},
                                   {"G3", MK_DA_LEGACY, 4, 20, FULL, "MTK_AllInOne_DA_v7.1504.00.00"},
                                   {"G4", MK_DA_LEGACY, 4, 20, FULL, "MTK_AllInOne_DA_v3.3001.2019-12-31.22:53_497508"},
                                   {"X1", MK_DA_XFLASH, 4, 20, FULL, "MTK_AllInOne_DA_v3.3001.2015-11-20.10:31"},
                                   {"X2", MK_DA_XFLASH, 4, 64, FULL, "MTK_AllInOne_DA_v3.3001.2020/07/07.10:10_513994"},
                                   {"X3", MK_DA_XFLASH, 4, 64, FULL, "MTK_AllInOne_DA_v3.3001.2025/11/07.14:24_654171"},
                                   {"V1", MK_DA_XML, 4, 64, FULL, "MTK_DA_v6_2023-07-19 15:02:11"},
                                   {"V2", MK_DA_XML, 4, 1, EXACT, "MTK_DA_v6_2022-04-02 23:43:58"}};

enum { G0, G1, G2, G3, G4, X1, X2, X3, V1, V2 };

typedef struct {
    uint16_t hw_code, hw_version, sw_version;
    uint32_t leftover, stage1, stage2;
    bool single;          /* the whole agent is region 1 */
    unsigned first, last; /* releases that have it */
} ChipEntry;

static const ChipEntry chips[] = {
    {0x6575, 0xCA00, 0xE100, 0xC2010000, 0xC2000000, 0xC2038000, true, G0, G3},
    {0x6575, 0xCB00, 0xE201, 0xC2010000, 0xC2000000, 0xC2038000, true, G0, G3},
    {0x6577, 0xCA00, 0xE100, 0xC2010000, 0xC2000000, 0xC2038000, true, G0, G3},
    {0x6583, 0xCA00, 0x0000, 0x12020000, 0x12000000, 0x82038000, true, G1, G3},
    {0x6572, 0xCA00, 0x0000, 0x80010000, 0x02007000, 0x80000000, false, G1, G4},
    {0x6582, 0xCA00, 0x0000, 0x80010000, 0x00200000, 0x80000000, false, G1, G4},
    {0x6752, 0xCA00, 0x0000, 0x50000000, 0x00110000, 0x40000000, false, G3, G4},
    {0x6735, 0xCA00, 0x0000, 0x50000000, 0x00200000, 0x40000000, false, G3, G4},
    {0x6755, 0xCA00, 0x0000, 0x50000000, 0x00200000, 0x40000000, false, X1, X1},
    {0x6797, 0xCA00, 0x0000, 0x50000000, 0x00200000, 0x40000000, false, X1, X1},
    {0x6785, 0xCA00, 0x0000, 0x50000000, 0x00200000, 0x40000000, false, X2, X2},
    {0x6765, 0xCA00, 0x0000, 0x50000000, 0x00200000, 0x40000000, false, X2, X2},
    {0x6768, 0xCA00, 0x0000, 0x50000000, 0x00200000, 0x40000000, false, X2, X3},
    {0x1208, 0xCA00, 0x0000, 0x02000000, 0x02000000, 0x40000000, false, V1, V1},
    {0x1209, 0xCA00, 0x0000, 0x02000000, 0x02000000, 0x40000000, false, V1, V1},
    {0x1129, 0xCA00, 0x0000, 0x02000000, 0x02000000, 0x40000000, false, V1, V1},
    {0x1172, 0xCA00, 0x0000, 0x02000000, 0x02000000, 0x40000000, false, V1, V2},
};

/* What code of its dialect can be told by (spec da-file.md 10). */
static void put_words(GByteArray *file, MkDaFamily dialect)
{
    static const uint8_t magic[] = {0xEF, 0xEE, 0xEE, 0xFE};
    if (dialect == MK_DA_XFLASH)
        g_byte_array_append(file, magic, sizeof magic);
    else if (dialect == MK_DA_XML)
        mk_put_text(file, "CMD:START CMD:END", 20);
}

/* Stage 1 knows the hash of its stage 2 without its signature: SHA-1, since XFlash SHA-256 (spec da-file.md 7, da-xflash.md 1). */
static void put_hash(GByteArray *file, MkDaFamily dialect, GBytes *next)
{
    bool old = dialect == MK_DA_LEGACY;
    g_autoptr(GChecksum) sum = g_checksum_new(old ? G_CHECKSUM_SHA1 : G_CHECKSUM_SHA256);
    uint8_t digest[32];
    gsize size = sizeof digest;
    g_checksum_update(sum, g_bytes_get_data(next, NULL), (gssize)g_bytes_get_size(next) - SIGNATURE);
    g_checksum_get_digest(sum, digest, &size);
    mk_put_text(file, old ? "SHA1=" : "SHA2=", 5);
    g_byte_array_append(file, digest, (guint)size);
}

static GBytes *code(const Release *release, unsigned stage, uint16_t chip, size_t length, GBytes *next)
{
    GByteArray *file = g_byte_array_new();
    g_autofree char *head = g_strdup_printf("%s %s stage %u for %04X%s", MARKER, release->release, stage, chip,
                                            release->dialect == MK_DA_LEGACY ? " DACmdDispatcher" : "");
    mk_put_text(file, head, 128);
    put_words(file, release->dialect);
    if (next)
        put_hash(file, release->dialect, next);
    for (uint32_t i = chip; file->len < length; i += 7)
        mk_put_u8(file, (uint8_t)(i ^ i >> 8));
    return g_byte_array_free_to_bytes(file);
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

typedef struct {
    GByteArray *table, *data;
    uint32_t base; /* of the data in the file */
    const Release *release;
} Container;

/* The fourth word: length without the signature; in XML files the place of the signature in the file (spec da-xml.md 1). */
static void put_record(Container *file, uint32_t offset, uint32_t length, uint32_t address, bool is_signed)
{
    uint32_t body = is_signed ? length - SIGNATURE : length;
    mk_put_le32(file->table, offset);
    mk_put_le32(file->table, length);
    mk_put_le32(file->table, address);
    mk_put_le32(file->table, file->release->dialect == MK_DA_XML ? offset + body : body);
    mk_put_le32(file->table, is_signed ? SIGNATURE : 0);
}

static void put_region(Container *file, GBytes *bytes, uint32_t address, bool is_signed)
{
    uint32_t length = (uint32_t)g_bytes_get_size(bytes);
    put_record(file, file->base + file->data->len, length, address, is_signed);
    g_byte_array_append(file->data, g_bytes_get_data(bytes, NULL), length);
}

static void put_entry_head(Container *file, const ChipEntry *chip)
{
    bool old = file->release->info_version == 3, late = file->release->capacity > 20;
    mk_put_le16(file->table, 0xDADA);
    mk_put_le16(file->table, chip->hw_code);
    if (!old)
        mk_put_le16(file->table, late ? 0x8A00 : 0);
    mk_put_le16(file->table, chip->hw_version);
    mk_put_le16(file->table, chip->sw_version);
    if (!old)
        mk_put_le16(file->table, 0);
    mk_put_le32(file->table, file->release->dialect == MK_DA_XML ? 0 : 0x1000);
    mk_put_le16(file->table, chip->single ? 1 : 0);
    mk_put_le16(file->table, 3);
}

static void put_entry(Container *file, const ChipEntry *chip)
{
    const Release *release = file->release;
    g_autoptr(GBytes) leftover = code(release, 0, chip->hw_code, LEFTOVER, NULL);
    g_autoptr(GBytes) stage2 =
        chip->single ? nand_table(release->info_version == 3 ? 52 : 56) : code(release, 2, chip->hw_code, STAGE2, NULL);
    g_autoptr(GBytes) stage1 =
        code(release, 1, chip->hw_code, chip->single ? STAGE2 : STAGE1, chip->single ? NULL : stage2);
    put_entry_head(file, chip);
    /* Region 0 of the XML files is region 1 once more. */
    if (release->dialect == MK_DA_XML)
        put_record(file, file->base + file->data->len, STAGE1, chip->stage1, true);
    else
        put_region(file, leftover, chip->leftover, true);
    put_region(file, stage1, chip->stage1, true);
    put_region(file, stage2, chip->stage2, !chip->single);
    mk_put_fill(file->table, 0, release->slots == FULL ? 7 * 20 : 0);
}

static const Release *find_release(const char *name, unsigned *number)
{
    for (*number = 0; *number < G_N_ELEMENTS(releases); (*number)++)
        if (g_ascii_strcasecmp(releases[*number].release, name) == 0)
            return &releases[*number];
    return NULL;
}

bool mk_content_known_release(const char *name, GError **error)
{
    unsigned number;
    if (find_release(name, &number))
        return true;
    mk_fault_set(error, MK_FAULT_USAGE,
                 _("There is no release \"%s\" of the agent; there are G0 to G4, X1 to X3, V1 and V2."), name);
    return false;
}

GBytes *mk_content_make_da(const char *name, GError **error)
{
    unsigned number;
    const Release *release = find_release(name, &number);
    if (!mk_content_known_release(name, error))
        return NULL;
    g_autoptr(GByteArray) table = g_byte_array_new(), data = g_byte_array_new();
    uint32_t stride = release->info_version == 3 ? 0xD8 : release->slots == EXACT ? 0x14 + 3 * 20 : 0xDC;
    Container container = {.table = table, .data = data, .base = 0x6C + release->capacity * stride, .release = release};
    uint32_t count = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(chips); i++) {
        if (number < chips[i].first || number > chips[i].last)
            continue;
        put_entry(&container, &chips[i]);
        count++;
    }
    mk_put_fill(table, 0, release->capacity * stride - table->len);
    GByteArray *file = g_byte_array_new();
    mk_put_text(file, "MTK_DOWNLOAD_AGENT", 32);
    mk_put_text(file, release->label, 64);
    mk_put_le32(file, release->info_version);
    mk_put_le32(file, 0x22668899);
    mk_put_le32(file, count);
    g_byte_array_append(file, table->data, table->len);
    g_byte_array_append(file, data->data, data->len);
    return g_byte_array_free_to_bytes(file);
}

bool mk_content_da_marker(const void *data, size_t length, MkDaMark *mark)
{
    const char *text = data;
    size_t at = strlen(MARKER " ");
    if (length < 128 || memcmp(text, MARKER " ", at) != 0 || memcmp(text + at + 2, " stage ", 7) != 0)
        return false;
    memcpy(mark->release, text + at, 2);
    mark->release[2] = '\0';
    mark->stage = (unsigned)(text[at + 9] - '0');
    mark->chip = (uint16_t)g_ascii_strtoull(text + at + 15, NULL, 16);
    return true;
}

MkDaFamily mk_content_da_dialect(const void *data, size_t length)
{
    static const uint8_t magic[] = {0xEF, 0xEE, 0xEE, 0xFE};
    unsigned number;
    MkDaMark mark;
    if (mk_content_da_marker(data, length, &mark)) {
        const Release *release = find_release(mark.release, &number);
        return release ? release->dialect : MK_DA_UNKNOWN;
    }
    if (memmem(data, length, magic, sizeof magic))
        return MK_DA_XFLASH;
    return memmem(data, length, "CMD:", 4) ? MK_DA_XML : MK_DA_UNKNOWN;
}
