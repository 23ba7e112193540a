/* Preloader files: kind, GFH chain, DRAM settings, who they are for (spec preloader-file.md, tables.md 2). */
#include "image/image-private.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "soc/soc.h"

#include <stdlib.h>
#include <string.h>

#define LARGEST         (16u << 20)
#define EMI_MARK        "MTK_BLOADER_INFO_v"
#define EMI_HEADER      0x70u
#define GFH_MARK        "MMM\x01\x38\0\0\0FILE_INFO"
#define GFH_MARK_LENGTH 17u

void mk_preloader_free(MkPreloader *preloader)
{
    if (!preloader)
        return;
    g_free(preloader->project);
    g_free(preloader->chip);
    g_free(preloader->platform);
    g_clear_pointer(&preloader->emi, g_bytes_unref);
    g_free(preloader);
}

static size_t find_bytes(const uint8_t *data, size_t length, const char *what, size_t what_length)
{
    const uint8_t *at = length >= what_length ? memmem(data, length, what, what_length) : NULL;
    return at ? (size_t)(at - data) : SIZE_MAX;
}

/* --- the settings block -------------------------------------------------------------------------------------------- */

static void take_emi(MkPreloader *preloader, GBytes *bytes, size_t offset, size_t length, GPtrArray *findings)
{
    const uint8_t *block = (const uint8_t *)g_bytes_get_data(bytes, NULL) + offset;
    bool cut = false;
    if (length < EMI_HEADER || mk_emi_version(block) < 0) {
        mk_finding_add(findings, MK_SEVERITY_WARN, "B-PL-EMI", 0,
                       _("The memory settings in this preloader are damaged."));
        return;
    }
    preloader->emi_version = mk_emi_version(block);
    preloader->emi_records = mk_emi_count(block, preloader->emi_version);
    preloader->emi = g_bytes_new_from_bytes(bytes, offset, length);
    MkReader reader = mk_reader(block + 0x1B, 0x58 - 0x1B);
    g_autofree char *name = mk_reader_text(&reader, 0x58 - 0x1B);
    if (g_str_has_prefix(name, "preloader_") && g_str_has_suffix(name, ".bin"))
        preloader->project =
            g_strndup(name + strlen("preloader_"), strlen(name) - strlen("preloader_") - strlen(".bin"));
    if (!mk_emi_record_size(preloader->emi_version, preloader->emi_records, length, &cut) || cut)
        mk_finding_add(findings, MK_SEVERITY_WARN, "B-PL-EMI", 0,
                       _("The memory settings in this preloader look cut off."));
}

/* At the end of the signed content, followed by its own length (4.1); else wherever its mark stands. */
static void find_emi(MkPreloader *preloader, GBytes *bytes, GPtrArray *findings)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(bytes, &length);
    uint64_t end = preloader->gfh_offset + preloader->file_length;
    if (preloader->file_length >= preloader->signature_length && end <= length &&
        end - preloader->signature_length >= 4) {
        size_t e = (size_t)(end - preloader->signature_length);
        uint32_t n = mk_le32(data + e - 4);
        if (n >= EMI_HEADER && n <= e - 4 && !memcmp(data + e - 4 - n, EMI_MARK, strlen(EMI_MARK))) {
            take_emi(preloader, bytes, e - 4 - n, n, findings);
            return;
        }
    }
    size_t at = find_bytes(data, length, EMI_MARK, strlen(EMI_MARK));
    if (at == SIZE_MAX)
        return;
    size_t left = length - at;
    for (size_t n = EMI_HEADER; n + 4 <= left; n += 4)
        if (mk_le32(data + at + n) == n) {
            left = n;
            break;
        }
    take_emi(preloader, bytes, at, left, findings);
}

/* --- who is it for? ------------------------------------------------------------------------------------------------ */

static void find_platform(MkPreloader *preloader, const uint8_t *data, size_t length)
{
    static const char mark[] = "AND_ROMINFO_v";
    size_t at = find_bytes(data, length, mark, sizeof mark - 1);
    if (at == SIZE_MAX || length - at < 0x24)
        return;
    MkReader reader = mk_reader(data + at + 0x14, 16);
    g_autofree char *text = mk_reader_text(&reader, 16);
    if (*text)
        preloader->platform = g_steal_pointer(&text);
}

/* The chip that most build paths ".../platform/mtNNNN" name, 0 = none does: they are right where they occur (5). */
static unsigned chip_of_paths(const uint8_t *data, size_t length)
{
    static const char path[] = "platform/mt";
    g_autoptr(GHashTable) votes = g_hash_table_new(NULL, NULL);
    unsigned best = 0, most = 0;
    for (size_t at = 0; at + sizeof path + 3 < length;) {
        size_t hit = find_bytes(data + at, length - at, path, sizeof path - 1);
        if (hit == SIZE_MAX)
            break;
        at += hit + sizeof path - 1;
        char digits[5] = {0};
        memcpy(digits, data + at, MIN(4, length - at));
        unsigned number = strspn(digits, "0123456789") == 4 ? (unsigned)atoi(digits) : 0;
        if (!number || mk_soc_is_companion(number))
            continue;
        unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(votes, GUINT_TO_POINTER(number))) + 1;
        g_hash_table_insert(votes, GUINT_TO_POINTER(number), GUINT_TO_POINTER(count));
        if (count > most) {
            most = count;
            best = number;
        }
    }
    return best;
}

/* Digits in the project's name, or the number of a reference board ("k62v1_64_bsp"): hints (5). */
static char *chip_of_project(const char *project)
{
    static const struct {
        const char *board, *chip;
    } boards[] = {{"k39", "MT6739"}, {"k61", "MT6761"}, {"k62", "MT6765"}, {"k65", "MT6765"},
                  {"k68", "MT6768"}, {"k69", "MT6768"}, {"k71", "MT6771"}, {"k85", "MT6785"}};
    for (const char *c = project; c && *c; c++) {
        if (strspn(c, "0123456789") != 4 || (c > project && g_ascii_isdigit(c[-1])) || (*c != '6' && *c != '8'))
            continue;
        g_autofree char *name = g_strdup_printf("MT%.4s", c);
        if (mk_soc_by_name(name) && !mk_soc_is_companion((unsigned)atoi(name + 2)))
            return g_steal_pointer(&name);
    }
    for (gsize i = 0; project && i < G_N_ELEMENTS(boards); i++)
        if (g_str_has_prefix(project, boards[i].board) && !g_ascii_isdigit(project[strlen(boards[i].board)]))
            return g_strdup(boards[i].chip);
    return NULL;
}

static void guess_chip(MkPreloader *preloader, const uint8_t *data, size_t length)
{
    unsigned number = chip_of_paths(data, length);
    preloader->chip = number ? g_strdup_printf("MT%04u", number) : chip_of_project(preloader->project);
}

/* --- the file ------------------------------------------------------------------------------------------------------ */

static bool parse_file_info(MkPreloader *preloader, const uint8_t *data, size_t length, GPtrArray *findings)
{
    const uint8_t *gfh = data + preloader->gfh_offset;
    uint64_t left = length - preloader->gfh_offset;
    if (left < 0x38)
        return false;
    preloader->flash_device = gfh[0x1A];
    preloader->load_address = mk_le32(gfh + 0x1C);
    preloader->file_length = mk_le32(gfh + 0x20);
    preloader->max_size = mk_le32(gfh + 0x24);
    preloader->signature_length = mk_le32(gfh + 0x2C);
    if (preloader->file_length > left) {
        MkFinding *finding =
            mk_finding_add(findings, MK_SEVERITY_BLOCK, "B-PL-LEN", 0,
                           _("The preloader is cut off: it should be %u bytes, it has %" G_GUINT64_FORMAT "."),
                           preloader->file_length, left);
        mk_finding_set(finding, NULL, NULL, _("Download or unpack it again."));
    }
    return preloader->file_length >= 0x38 && preloader->max_size >= preloader->file_length &&
           preloader->signature_length < preloader->file_length;
}

MkPreloader *mk_preloader_parse(GBytes *bytes, GPtrArray *findings, GError **error)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(bytes, &length);
    g_autoptr(MkPreloader) preloader = g_new0(MkPreloader, 1);
    preloader->emi_version = -1;
    if (length > strlen(EMI_MARK) && !memcmp(data, EMI_MARK, strlen(EMI_MARK))) {
        preloader->kind = MK_CONTENT_EMI_BLOCK;
        take_emi(preloader, bytes, 0, length, findings);
        guess_chip(preloader, data, length);
        return g_steal_pointer(&preloader);
    }
    size_t gfh = find_bytes(data, length, GFH_MARK, GFH_MARK_LENGTH);
    if (gfh == SIZE_MAX) {
        mk_fault_set_number(error, MK_FAULT_IMAGE_KIND, 5066, "S_DL_PC_BL_INVALID_GFH_FILE_INFO",
                            _("This is no preloader: the mark of its header (FILE_INFO) is not in it."));
        return NULL;
    }
    preloader->kind = gfh ? MK_CONTENT_PRELOADER_BOOT_HEADER : MK_CONTENT_PRELOADER;
    preloader->gfh_offset = gfh;
    if (!parse_file_info(preloader, data, length, findings)) {
        mk_fault_set_number(error, MK_FAULT_IMAGE_KIND, 5066, "S_DL_PC_BL_INVALID_GFH_FILE_INFO",
                            _("The header of the preloader makes no sense."));
        return NULL;
    }
    find_emi(preloader, bytes, findings);
    find_platform(preloader, data, length);
    guess_chip(preloader, data, length);
    return g_steal_pointer(&preloader);
}

MkPreloader *mk_preloader_load(const char *path, GPtrArray *findings, GError **error)
{
    g_autoptr(MkStore) file = mk_store_file_open(path, false, error);
    if (!file)
        return NULL;
    if (file->size > LARGEST) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("%s is far too large for a preloader."), path);
        return NULL;
    }
    g_autofree uint8_t *data = g_malloc(MAX(file->size, 1));
    if (!mk_store_read(file, 0, data, file->size, NULL, error))
        return NULL;
    g_autoptr(GBytes) bytes = g_bytes_new_take(g_steal_pointer(&data), file->size);
    MkPreloader *preloader = mk_preloader_parse(bytes, findings, error);
    if (!preloader)
        g_prefix_error(error, "%s: ", path);
    return preloader;
}

GBytes *mk_preloader_boot_header(MkStorage storage, uint32_t max_size)
{
    GByteArray *array = g_byte_array_new();
    bool ufs = storage == MK_STORAGE_UFS;
    uint32_t start = ufs ? 0x1000 : 0x800, boundary = start + max_size;
    mk_put_text(array, ufs ? "UFS_BOOT" : "EMMC_BOOT", 12);
    mk_put_le32(array, 1);
    mk_put_le32(array, ufs ? 0x1000 : 0x200);
    mk_put_fill(array, 0xFF, 0x200 - array->len);
    mk_put_text(array, "BRLYT", 8);
    mk_put_le32(array, 1);
    mk_put_le32(array, start);
    mk_put_le32(array, boundary);
    mk_put_le32(array, 0x42424242);
    mk_put_le32(array, ufs ? 0x0001000C : 0x00010005);
    mk_put_le32(array, start);
    mk_put_le32(array, boundary);
    mk_put_le32(array, 1);
    mk_put_fill(array, 0, 0x2B4 - array->len);
    mk_put_fill(array, 0xFF, (ufs ? start : 0x400) - array->len);
    mk_put_fill(array, 0, start - array->len);
    return g_byte_array_free_to_bytes(array);
}
