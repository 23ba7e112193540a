/* Pre-flight checks (spec checks.md): wrong or dangerous before anything is written. The files of the set here, boot images and what the
 * phone says in checks-boot.c and checks-phone.c. */
#include "rom/checks.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "image/image.h"

#include <string.h>

MkFinding *mk_check_find(Check *check, const MkRomItem *item, MkSeverity severity, const char *id, const char *format,
                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    MkFinding *finding = mk_finding_add(check->findings, severity, id, 0, "%s", text);
    if (item)
        mk_finding_set(finding, item->partition->name, item->path, NULL);
    return finding;
}

void mk_check_unchecked(Check *check, const char *id)
{
    if (check->unchecked)
        g_ptr_array_add(check->unchecked, g_strdup(id));
}

char *mk_check_base(const MkRomItem *item)
{
    return item->path ? g_path_get_basename(item->path)
                      : g_strdup(item->partition->file_name ? item->partition->file_name : item->partition->name);
}

/* --- F: each file --------------------------------------------------------------------------------------------------- */

/* By name without a slot; what is not listed may be anything (spec checks.md 3.1). */
bool mk_content_suits(const char *name, MkContent kind)
{
    static const MkContent preloader[] = {MK_CONTENT_PRELOADER, MK_CONTENT_PRELOADER_BOOT_HEADER, 0},
                           mbr[] = {MK_CONTENT_MBR, 0}, loader[] = {MK_CONTENT_MTK_HEADER, MK_CONTENT_SIGNED, 0},
                           boot[] = {MK_CONTENT_BOOT, MK_CONTENT_SIGNED, 0},
                           vendor_boot[] = {MK_CONTENT_VENDOR_BOOT, 0}, header[] = {MK_CONTENT_MTK_HEADER, 0},
                           seal[] = {MK_CONTENT_AVB, 0},
                           tree[] = {MK_CONTENT_DT_TABLE, MK_CONTENT_MTK_HEADER, MK_CONTENT_FDT, 0},
                           logical[] = {MK_CONTENT_LP, 0}, system[] = {MK_CONTENT_EXT4,
                                                                       MK_CONTENT_F2FS,
                                                                       MK_CONTENT_EROFS,
                                                                       MK_CONTENT_SQUASHFS,
                                                                       MK_CONTENT_YAFFS2,
                                                                       MK_CONTENT_UBI,
                                                                       0},
                           data[] = {MK_CONTENT_EXT4, MK_CONTENT_F2FS,  MK_CONTENT_YAFFS2,
                                     MK_CONTENT_UBI,  MK_CONTENT_BLANK, 0};
    static const struct {
        const char *name;
        const MkContent *kinds; /* ended by 0 */
    } table[] = {{"preloader", preloader},
                 {"mbr", mbr},
                 {"ebr1", mbr},
                 {"ebr2", mbr},
                 {"lk", loader},
                 {"lk2", loader},
                 {"boot", boot},
                 {"recovery", boot},
                 {"init_boot", boot},
                 {"vendor_boot", vendor_boot},
                 {"logo", header},
                 {"vbmeta", seal},
                 {"vbmeta_system", seal},
                 {"vbmeta_vendor", seal},
                 {"dtbo", tree},
                 {"odmdtbo", tree},
                 {"super", logical},
                 {"system", system},
                 {"vendor", system},
                 {"product", system},
                 {"cache", data},
                 {"userdata", data}};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        if (strcmp(table[i].name, name))
            continue;
        for (const MkContent *allowed = table[i].kinds; *allowed; allowed++)
            if (*allowed == kind)
                return true;
        return false;
    }
    return true;
}

static bool is_critical(const char *name)
{
    static const char *const names[] = {"preloader",   "lk",  "boot", "recovery", "init_boot",
                                        "vendor_boot", "mbr", "ebr1", "ebr2"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

static void check_blank(Check *check, const MkRomItem *item, const char *name, const char *base)
{
    bool bad = is_critical(name) || !strcmp(name, "system");
    mk_check_find(check, item, bad ? MK_SEVERITY_BLOCK : MK_SEVERITY_NOTE, "F-BLANK",
                  _("%s contains nothing but zeros or FF. A readback that went wrong looks like this."), base);
}

static void check_kind(Check *check, const MkRomItem *item, const char *name, const char *base)
{
    if (item->inner == MK_CONTENT_HTML) {
        mk_check_find(
            check, item, MK_SEVERITY_BLOCK, "F-HTML",
            _("%s is a web page, not a phone image: the download site saved an error page. Download it again."), base);
    } else if (item->content == MK_CONTENT_EMI_BLOCK) {
        mk_check_find(check, item, MK_SEVERITY_BLOCK, "B-PL-TAIL",
                      _("%s is not a preloader, only the memory settings cut out of one. It must never be written."),
                      base);
    } else if (item->inner == MK_CONTENT_BLANK) {
        check_blank(check, item, name, base);
    } else if (!mk_content_suits(name, item->inner)) {
        mk_check_find(check, item, is_critical(name) ? MK_SEVERITY_BLOCK : MK_SEVERITY_WARN, "F-KIND",
                      _("%s is %s, which does not belong into %s. Files were probably mixed up or renamed."), base,
                      mk_content_words(item->inner), item->partition->name);
    }
    if (item->content == MK_CONTENT_SIGNED || item->content == MK_CONTENT_ENCRYPTED)
        mk_check_find(check, item, MK_SEVERITY_WARN, "F-SIGNED",
                      _("%s is a maker-signed file. An unlocked phone needs the plain version."), base);
}

static bool check_truncated(Check *check, const MkRomItem *item, const char *base, GError **error)
{
    uint64_t need = 0;
    if (item->inner == MK_CONTENT_EXT4) {
        g_autoptr(MkStore) store = mk_image_as_store(item->image);
        if (!mk_ext4_size(store, &need, error))
            return false;
    } else if (item->inner == MK_CONTENT_BOOT) {
        g_autoptr(MkStore) store = mk_image_as_store(item->image);
        MkBootInfo info;
        /* The last page is often not padded. */
        if (mk_boot_parse(store, &info, NULL))
            need = info.dtb_size      ? info.dtb_offset + info.dtb_size
                   : info.second_size ? info.second_offset + info.second_size
                                      : info.ramdisk_offset + info.ramdisk_size;
    } else if (item->inner == MK_CONTENT_MTK_HEADER && item->image->size >= 512) {
        uint8_t head[512];
        MkMtkHeader header;
        if (!mk_image_read(item->image, 0, head, sizeof head, error))
            return false;
        need = mk_mtk_header_parse(head, sizeof head, &header) ? 512 + (uint64_t)header.size : 0;
    }
    if (need > item->image->size)
        mk_check_find(check, item, MK_SEVERITY_BLOCK, "F-TRUNC",
                      _("%s is cut off: it should be %" G_GUINT64_FORMAT " bytes, it has %" G_GUINT64_FORMAT
                        ". Download or unpack it again."),
                      base, need, item->image->size);
    return true;
}

static bool check_preloader(Check *check, const MkRomItem *item, const char *base, GError **error)
{
    if (item->content != MK_CONTENT_PRELOADER && item->content != MK_CONTENT_PRELOADER_BOOT_HEADER)
        return true;
    g_autoptr(GPtrArray) inner = mk_findings_new();
    g_autoptr(GError) local = NULL;
    g_autoptr(MkPreloader) preloader = mk_preloader_load(item->path, inner, &local);
    if (!preloader)
        mk_check_find(check, item, MK_SEVERITY_BLOCK, "B-PL-LEN", "%s", local->message);
    for (guint i = 0; i < inner->len; i++) {
        const MkFinding *finding = inner->pdata[i];
        mk_check_find(check, item, finding->severity, finding->id, "%s: %s", base, finding->message);
    }
    if (preloader && preloader->kind == MK_CONTENT_PRELOADER_BOOT_HEADER)
        mk_check_find(
            check, item, MK_SEVERITY_NOTE, "B-PL-HDR",
            _("%s was copied from a phone with an outer header; Medik cuts it out and makes the phone's own."), base);
    return true;
}

static bool check_file(Check *check, const MkRomItem *item, GError **error)
{
    g_autofree char *name = mk_partition_base(item->partition->name), *base = mk_check_base(item);
    if (!item->file_size) {
        mk_check_find(check, item, MK_SEVERITY_BLOCK, "F-EMPTY",
                      _("%s is empty (0 bytes). The copy or download failed."), base);
        return true;
    }
    if (!item->image)
        return true; /* told when the ROM was opened */
    check_kind(check, item, name, base);
    return check_truncated(check, item, base, error) && check_preloader(check, item, base, error);
}

static void check_missing(Check *check, const MkRomItem *item)
{
    if (item->path || !item->partition->download)
        return;
    g_autofree char *base = mk_check_base(item);
    MkFinding *finding = mk_check_find(check, item, MK_SEVERITY_WARN, "F-MISSING",
                                       _("%s for %s is not in the folder; %s will not be written."), base,
                                       item->partition->name, item->partition->name);
    mk_finding_set(finding, NULL, NULL, _("Copy the file there if the phone needs it."));
}

/* --- F-SAME, F-SUMXML ---------------------------------------------------------------------------------------------- */

static void check_same(Check *check)
{
    const GPtrArray *items = check->rom->items;
    for (guint i = 0; i < items->len; i++)
        for (guint k = i + 1; k < items->len; k++) {
            const MkRomItem *a = items->pdata[i], *b = items->pdata[k];
            if (!a->selected || !b->selected || !a->sha256 || !b->sha256 || strcmp(a->sha256, b->sha256) ||
                a->inner == MK_CONTENT_BLANK)
                continue;
            g_autofree char *x = mk_partition_canonical(a->partition->name),
                            *y = mk_partition_canonical(b->partition->name);
            bool twins = g_str_has_prefix(x, y) || g_str_has_prefix(y, x) ||
                         (g_str_has_prefix(x, "tee") && g_str_has_prefix(y, "tee"));
            size_t nx = strlen(x), ny = strlen(y);
            twins = twins || (nx == ny && nx > 2 && !strncmp(x, y, nx - 1));
            if (!twins)
                mk_check_find(check, b, MK_SEVERITY_DANGER, "F-SAME",
                              _("%s and %s are the same file. One of them is misnamed."), a->partition->name,
                              b->partition->name);
        }
}

/* Sum of little-endian words in pieces of 64 MiB, the left-over bytes added as signed bytes (spec hosts.md, scatter.md 10.2). */
typedef struct {
    uint32_t sum;
    uint8_t rest[4];
    size_t have;
} Sum;

static bool sum_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Sum *sum = user_data;
    for (size_t i = 0; i < length; i++) {
        sum->rest[sum->have++] = data[i];
        if (sum->have == 4) {
            sum->sum += mk_le32(sum->rest);
            sum->have = 0;
        }
    }
    return true;
}

static bool check_listed_sum(Check *check, const char *file, const char *value, GError **error)
{
    g_autofree char *path = g_build_filename(check->rom->folder, file, NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return true;
    g_autoptr(MkStore) store = mk_store_file_open(path, false, error);
    Sum sum = {0};
    if (!store || !mk_store_read_stream(store, 0, store->size, sum_sink, &sum, NULL, error))
        return false;
    for (size_t i = 0; i < sum.have; i++)
        sum.sum += (uint32_t)(int8_t)sum.rest[i];
    if (sum.sum != (uint32_t)g_ascii_strtoull(value, NULL, 16)) {
        MkFinding *finding =
            mk_finding_add(check->findings, MK_SEVERITY_BLOCK, "F-SUMXML", 0,
                           _("%s does not match the maker's checksum list: it was changed or damaged."), file);
        mk_finding_set(finding, NULL, path,
                       _("If you changed it on purpose, remove scatter_checksum.xml from the folder."));
    }
    return true;
}

static bool check_sums(Check *check, GError **error)
{
    g_autofree char *ini = g_build_filename(check->rom->folder, "Checksum.ini", NULL),
                    *xml = g_build_filename(check->rom->folder, "scatter_checksum.xml", NULL), *text = NULL;
    if (g_file_test(ini, G_FILE_TEST_EXISTS))
        mk_finding_add(check->findings, MK_SEVERITY_NOTE, "F-SUMINI", 0,
                       _("The ROM has a Checksum.ini; its rule differs between tool versions, so it is not used."));
    if (!g_file_get_contents(xml, &text, NULL, NULL))
        return true;
    g_autoptr(GRegex) file =
        g_regex_new("<file[^>]*name=\"([^\"/]+)\"[^>]*checksum=\"(?:0[xX])?([0-9A-Fa-f]+)\"", 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(file, text, 0, &match); g_match_info_matches(match); g_match_info_next(match, NULL)) {
        g_autofree char *name = g_match_info_fetch(match, 1), *value = g_match_info_fetch(match, 2);
        if (!check_listed_sum(check, name, value, error))
            return false;
    }
    return true;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static void copy_findings(Check *check)
{
    for (guint i = 0; i < check->rom->findings->len; i++) {
        const MkFinding *old = check->rom->findings->pdata[i];
        MkFinding *finding = mk_finding_add(check->findings, old->severity, old->id, old->line, "%s", old->message);
        mk_finding_set(finding, old->partition, old->file, old->advice);
    }
}

static void check_identity_images(Check *check)
{
    for (guint i = 0; i < check->rom->items->len; i++) {
        const MkRomItem *item = check->rom->items->pdata[i];
        if (item->path && mk_partition_class(item->partition) == MK_CLASS_IDENTITY)
            mk_check_find(check, item, item->selected ? MK_SEVERITY_DANGER : MK_SEVERITY_NOTE, "D-NVRAM-ROM",
                          _("%s in the ROM comes from somebody else's phone: it holds serial numbers and calibration "
                            "that fit one phone only."),
                          item->partition->name);
    }
}

bool mk_rom_check(const MkRom *rom, const MkPhoneFacts *phone, GPtrArray *findings, GPtrArray *unchecked,
                  GError **error)
{
    Check check = {.rom = rom, .phone = phone, .findings = findings, .unchecked = unchecked};
    copy_findings(&check);
    for (guint i = 0; i < rom->items->len; i++) {
        const MkRomItem *item = rom->items->pdata[i];
        check_missing(&check, item);
        if (item->selected && !check_file(&check, item, error))
            return false;
    }
    check_same(&check);
    check_identity_images(&check);
    mk_check_companions(&check);
    return check_sums(&check, error) && mk_check_boot(&check, error) && mk_check_avb(&check, error) &&
           mk_check_phone(&check, error);
}

MkFit mk_rom_verdict(const GPtrArray *findings, const MkPhoneFacts *phone)
{
    MkSeverity worst = mk_findings_worst(findings);
    if (worst == MK_SEVERITY_BLOCK)
        return MK_FIT_NO;
    if (worst == MK_SEVERITY_DANGER)
        return MK_FIT_PROBABLY_NOT;
    return worst == MK_SEVERITY_WARN || !phone || !phone->soc || !phone->geometry ? MK_FIT_PROBABLY : MK_FIT_YES;
}

const char *mk_fit_words(MkFit fit)
{
    static const char *const words[] = {N_("yes"), N_("probably"), N_("probably not"), N_("no")};
    return _(words[fit]);
}
