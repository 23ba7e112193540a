/* The agent's report on its phone (spec da-legacy.md 7): one table of fields, their widths by release and chip. */
#include "agent/legacy.h"

#include "core/i18n.h"

#include <string.h>

#define FIRST_TIMEOUT    30000 /* ms, spec 15 */
#define SECURITY_TIMEOUT 20000
#define PROCESS_TIMEOUT  120000
#define GUESS_TIMEOUT    1000

/* Widths that are not plain numbers. */
enum {
    BY_NAND = 0x10, /* u64 on MT6571 and the chips enumerated after it */
    BY_BMT,         /* u32 on a few chips, absent on the others */
};
#define COUNT_IDS 0 /* as many as the id count says, 5 where there is none */

typedef enum { CHECK_NOTHING, CHECK_STATUS, CHECK_ID_COUNT } Check;

typedef struct {
    int field;        /* offset in LegacyReport, -1: not kept */
    uint8_t size;     /* bytes of one element of that field */
    uint8_t count;    /* elements */
    uint8_t width[5]; /* bytes of one on the wire, G0 to G4; 0 = absent */
    Check check;
} Row;

#define KEEP(name)       offsetof(LegacyReport, name), sizeof((LegacyReport){0}.name)
#define KEEP_ARRAY(name) offsetof(LegacyReport, name), sizeof((LegacyReport){0}.name[0])
#define SKIP             -1, 0
#define ALL(width)                                                                                                     \
    {                                                                                                                  \
        width, width, width, width, width                                                                              \
    }

static const Row rows[] = {
    {KEEP(nor_status), 1, ALL(4), CHECK_STATUS},
    {SKIP, 2, ALL(1)},                                                   /* NOR chip selects */
    {SKIP, 1, ALL(2)},                                                   /* NOR flash id */
    {SKIP, 1, ALL(4)},                                                   /* NOR flash size */
    {SKIP, 4, ALL(2)},                                                   /* NOR device codes */
    {SKIP, 2, ALL(4)},                                                   /* OTP status, size */
    {KEEP(nand_status), 1, ALL(4), CHECK_STATUS},                        /* row 8 */
    {SKIP, 1, ALL(1)},                                                   /* chip select */
    {SKIP, 1, ALL(2)},                                                   /* flash id */
    {KEEP(nand_size), 1, {4, 4, BY_NAND, BY_NAND, BY_NAND}},             /* row 11 */
    {KEEP(nand_id_count), 1, {0, 0, 0, 2, 2}, CHECK_ID_COUNT},           /* row 12 */
    {KEEP_ARRAY(nand_ids), COUNT_IDS, ALL(2)},                           /* row 13 */
    {KEEP(nand_page), 1, ALL(2)},                                        /* row 14 */
    {KEEP(nand_spare), 1, ALL(2)},                                       /* row 15 */
    {KEEP(nand_block_pages), 1, ALL(2)},                                 /* row 16 */
    {SKIP, 2, ALL(1)},                                                   /* io interface, address cycles */
    {KEEP(has_bmt), 1, ALL(1)},                                          /* row 17 */
    {KEEP(emmc_status), 1, ALL(4), CHECK_STATUS},                        /* row 18 */
    {KEEP_ARRAY(emmc), 7, {4, 4, 4, 8, 8}},                              /* row 19 */
    {offsetof(LegacyReport, emmc) + 7 * sizeof(uint64_t), 8, 1, ALL(8)}, /* row 20: user area */
    {KEEP_ARRAY(emmc_cid), 4, ALL(4)},                                   /* row 21 */
    {KEEP_ARRAY(emmc_firmware), 8, {0, 1, 1, 1, 1}},                     /* row 22 */
    {KEEP(sdmmc_status), 1, ALL(4), CHECK_STATUS},                       /* row 23 */
    {KEEP(sdmmc_size), 1, ALL(8)},                                       /* row 24 */
    {SKIP, 4, ALL(4)},                                                   /* SD card id */
    {KEEP(sram_status), 1, ALL(4), CHECK_STATUS},                        /* row 26 */
    {KEEP(sram_size), 1, ALL(4)},                                        /* row 26 */
    {KEEP(dram_status), 1, ALL(4), CHECK_STATUS},                        /* row 27 */
    {SKIP, 2, ALL(1)},                                                   /* RAM type, chip select */
    {KEEP(dram_size), 1, {4, 4, 4, 8, 8}},                               /* row 29 */
    {KEEP_ARRAY(chip_id), 16, ALL(1)},                                   /* row 30 */
    {KEEP(bmt_blocks), 1, {0, 0, 0, BY_BMT, BY_BMT}},                    /* row 31 */
};

static unsigned row_width(const Row *row, MkRelease release, uint16_t chip)
{
    unsigned width = row->width[release];
    if (width == BY_BMT)
        return LEGACY_CHIP_IN(chip, 0x8127, 0x8163, 0x8590, 0x8521) ? 4 : 0;
    if (width != BY_NAND)
        return width;
    if (release == MK_RELEASE_G2)
        return chip == 0x6571 ? 8 : 4;
    return LEGACY_CHIP_IN(chip, 0x6572, 0x6573, 0x6575, 0x6577, 0x6582, 0x6583, 0x6592, 0x8135) ? 4 : 8;
}

/* The bytes of a report as they come; a second reading by another release begins again with what is here. */
typedef struct {
    MkLegacy *legacy;
    GByteArray *bytes;
    size_t offset;
    bool guessing; /* then silence is an answer, and a quick one will do */
} Stream;

static const uint8_t *stream_take(Stream *stream, size_t length, int timeout, GError **error)
{
    while (stream->bytes->len < stream->offset + length) {
        uint8_t piece[256];
        size_t missing = MIN(stream->offset + length - stream->bytes->len, sizeof piece), got;
        if (!mk_link_read_some(stream->legacy->base.link, piece, missing, &got,
                               stream->guessing ? GUESS_TIMEOUT : timeout, stream->legacy->cancel, error))
            return NULL;
        g_byte_array_append(stream->bytes, piece, (guint)got);
    }
    stream->offset += length;
    return stream->bytes->data + stream->offset - length;
}

static uint64_t big_endian(const uint8_t *bytes, unsigned width)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void keep(LegacyReport *report, const Row *row, unsigned index, uint64_t value)
{
    uint8_t *place = (uint8_t *)report + row->field + (size_t)index * row->size;
    switch (row->size) {
    case 1: *place = (uint8_t)value; break;
    case 2: memcpy(place, &(uint16_t){(uint16_t)value}, 2); break;
    case 4: memcpy(place, &(uint32_t){(uint32_t)value}, 4); break;
    default: memcpy(place, &value, 8); break;
    }
}

static bool plausible(const Row *row, uint64_t value)
{
    switch (row->check) {
    case CHECK_STATUS: return value <= 0xFFFF;
    case CHECK_ID_COUNT: return value >= 1 && value <= G_N_ELEMENTS(((LegacyReport *)0)->nand_ids);
    default: return true;
    }
}

/* One row; *fits is false if its value cannot be one of this release. */
static bool read_row(Stream *stream, const Row *row, MkRelease release, LegacyReport *report, bool *fits,
                     GError **error)
{
    unsigned width = row_width(row, release, stream->legacy->chip);
    unsigned count = row->count == COUNT_IDS ? report->nand_id_count : row->count;
    int timeout = stream->offset ? LEGACY_TIMEOUT : FIRST_TIMEOUT;
    const uint8_t *bytes = stream_take(stream, (size_t)width * count, timeout, error);
    if (!bytes)
        return false;
    for (unsigned i = 0; width && i < count; i++) {
        uint64_t value = big_endian(bytes + (size_t)i * width, width);
        *fits = *fits && plausible(row, value);
        if (row->field >= 0)
            keep(report, row, i, value);
    }
    return true;
}

/* Rows 32 to 35, which tell whether everything before them was read in the right widths. */
static bool read_tail(Stream *stream, LegacyReport *report, bool *fits, GError **error)
{
    const uint8_t *bytes = stream_take(stream, 1, SECURITY_TIMEOUT, error);
    if (bytes && *bytes == MK_LEGACY_NACK)
        bytes = stream_take(stream, 1, PROCESS_TIMEOUT, error); /* first-time processing went on */
    else if (bytes && *bytes != MK_LEGACY_ACK)
        *fits = false;
    if (!bytes || !*fits)
        return bytes != NULL;
    bytes = stream_take(stream, 9, LEGACY_TIMEOUT, error);
    if (!bytes)
        return false;
    report->download_status = mk_be32(bytes);
    report->boot_style = mk_be32(bytes + 4);
    report->soc_check = bytes[8];
    *fits = report->download_status <= 0xFFFF && report->boot_style >= MK_LEGACY_S_EMMC_BOOT &&
            report->boot_style <= MK_LEGACY_S_NAND_BOOT &&
            (report->soc_check == MK_LEGACY_SOC_OK || report->soc_check == MK_LEGACY_SOC_FAIL);
    return true;
}

static bool read_as(Stream *stream, MkRelease release, LegacyReport *report, bool *fits, GError **error)
{
    *report = (LegacyReport){.nand_id_count = 5};
    *fits = true;
    stream->offset = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rows) && *fits; i++) {
        if (!read_row(stream, &rows[i], release, report, fits, error))
            return false;
    }
    return !*fits || read_tail(stream, report, fits, error);
}

/* The label may lie: the release whose widths carry the reading to a sensible end is the right one (G0 and G1 differ already in the
 * configuration, so only later ones get here). A time-out while trying is no verdict on the phone, only on the guess. */
static bool find_release(Stream *stream, LegacyReport *report, GError **error)
{
    MkLegacy *legacy = stream->legacy;
    stream->guessing = true;
    for (MkRelease release = MK_RELEASE_G2; release <= MK_RELEASE_G4; release++) {
        g_autoptr(GError) problem = NULL;
        bool fits = false;
        if (release == legacy->release)
            continue;
        if (read_as(stream, release, report, &fits, &problem) && fits && stream->offset == stream->bytes->len) {
            legacy->release = release;
            return true;
        }
        if (problem && mk_fault_code(problem) != MK_FAULT_SILENT) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
    }
    mk_fault_set(error, MK_FAULT_DA_VER,
                 _("The agent's report on the phone (%u bytes so far) does not read as any known release's."),
                 stream->bytes->len);
    return false;
}

/* The same status has other numbers in the two numberings (spec 14); the report always says at least one. */
static void confirm_numbering(MkLegacy *legacy, const LegacyReport *report)
{
    if (report->download_status == mk_legacy_status(MK_LEGACY_S_BLANK_FLASH, true))
        legacy->numbering_b = true;
    else if (report->download_status == MK_LEGACY_S_BLANK_FLASH)
        legacy->numbering_b = false;
}

bool legacy_read_report(MkLegacy *legacy, LegacyReport *report, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autoptr(GError) problem = NULL;
    Stream stream = {.legacy = legacy, .bytes = bytes};
    bool fits = false;
    bool ok = read_as(&stream, legacy->release, report, &fits, &problem) && fits;
    if (!ok && (!problem || (mk_fault_code(problem) == MK_FAULT_SILENT && bytes->len)))
        ok = find_release(&stream, report, error);
    else if (problem)
        g_propagate_error(error, g_steal_pointer(&problem));
    if (ok && report->soc_check == MK_LEGACY_SOC_FAIL) {
        mk_fault_set_number(error, MK_FAULT_CHIP, mk_legacy_status(3013, legacy->numbering_b), "S_DA_SOC_CHECK_FAIL",
                            _("The agent found that it does not belong on this phone's chip."));
        ok = false;
    }
    legacy->base.lost |= !ok;
    if (ok)
        confirm_numbering(legacy, report);
    return ok;
}

static MkStorage storage_of(const LegacyReport *report)
{
    if (report->emmc_status == 0)
        return MK_STORAGE_EMMC;
    if (report->nand_status == 0)
        return MK_STORAGE_NAND;
    if (report->nor_status == 0)
        return MK_STORAGE_NOR;
    if (report->sdmmc_status == 0)
        return MK_STORAGE_SDMMC;
    return MK_STORAGE_UNKNOWN;
}

static void emmc_to_info(const LegacyReport *report, MkAgentInfo *info)
{
    MkGeometry *geometry = &info->geometry;
    geometry->sector = 512;
    geometry->boot1 = report->emmc[0];
    geometry->boot2 = report->emmc[1];
    geometry->rpmb = report->emmc[2];
    memcpy(geometry->gp, &report->emmc[3], sizeof geometry->gp);
    geometry->user = report->emmc[7];
    memcpy(info->emmc_firmware, report->emmc_firmware, sizeof info->emmc_firmware);
    for (unsigned i = 0; i < 16; i++) /* the words come byte-swapped (measured: golden exchanges) */
        info->emmc_cid[i] = (uint8_t)(report->emmc_cid[i / 4] >> (i % 4 * 8));
}

static void nand_to_info(const LegacyReport *report, MkAgentInfo *info)
{
    MkGeometry *geometry = &info->geometry;
    geometry->nand_size = report->nand_size;
    geometry->nand_page = report->nand_page;
    geometry->nand_spare = report->nand_spare;
    geometry->nand_block = (uint32_t)report->nand_page * report->nand_block_pages;
    geometry->pool_blocks = report->bmt_blocks && report->bmt_blocks < 0x10000 ? report->bmt_blocks : 80;
    info->nand_id_count = report->nand_id_count;
    memcpy(info->nand_ids, report->nand_ids, sizeof info->nand_ids);
}

void legacy_report_to_info(const LegacyReport *report, MkAgentInfo *info)
{
    info->nor_status = report->nor_status;
    info->nand_status = report->nand_status;
    info->emmc_status = report->emmc_status;
    info->sdmmc_status = report->sdmmc_status;
    info->storage = info->geometry.storage = storage_of(report);
    if (report->emmc_status == 0)
        emmc_to_info(report, info);
    if (report->nand_status == 0)
        nand_to_info(report, info);
    if (report->sdmmc_status == 0)
        info->sdmmc_size = report->sdmmc_size;
    info->sram_size = report->sram_status == 0 ? report->sram_size : 0;
    /* What E8 answered stands where the report knows nothing better. */
    if (report->dram_status == 0 || info->dram_size == 0) {
        info->dram_status = report->dram_status;
        info->dram_size = report->dram_status == 0 ? report->dram_size : 0;
    }
    memcpy(info->chip_id, report->chip_id, sizeof info->chip_id);
    info->has_chip_id = !mk_is_blank(info->chip_id, sizeof info->chip_id);
    info->boot_style = report->boot_style;
    info->ufs_status = MK_LEGACY_S_DEVICE_NOT_FOUND;
}
