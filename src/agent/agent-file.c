#include "agent/agent-file.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

/* Spec da-file.md 2, 3, 8. All integers are little-endian. */
#define HEADER_SIZE   0x6Cu
#define REGION_RECORD 20u
#define MAX_REGIONS   10u
#define MAX_ENTRIES   256u
#define MAX_REGION    (64u << 20)
#define MAGIC         0x22668899u
#define ENTRY_MAGIC   0xDADAu
#define AARCH64_RET   0xD65F03C0u
#define FEW_RETURNS   16

typedef struct {
    const uint8_t *data;
    size_t size;
    bool v3;           /* info_ver 3: a shorter entry head (spec 3.2) */
    unsigned count;    /* entries */
    size_t head;       /* bytes of an entry before its region records */
    bool exact_slots;  /* entries hold only the slots they use (spec 4.3) */
    uint64_t data_min; /* lowest offset of a region that is not empty */
    size_t table_end;
} Table;

static void parse_head(MkReader *reader, bool v3, MkAgentEntry *entry)
{
    entry->hw_code = mk_reader_le16(reader);
    if (!v3)
        entry->hw_sub_code = mk_reader_le16(reader);
    entry->hw_version = mk_reader_le16(reader);
    entry->sw_version = mk_reader_le16(reader);
    if (!v3)
        mk_reader_le16(reader); /* chip evolution */
    mk_reader_le32(reader);     /* feature set */
    entry->entry_region = mk_reader_le16(reader);
    entry->n_regions = mk_reader_le16(reader);
}

/* One entry at OFFSET of the table; its size in bytes, or 0 if it is none. */
static size_t parse_entry(Table *table, size_t offset, MkAgentEntry *entry)
{
    MkReader reader = mk_reader(table->data, table->size);
    mk_reader_seek(&reader, offset);
    *entry = (MkAgentEntry){.usable = true};
    uint16_t magic = mk_reader_le16(&reader);
    parse_head(&reader, table->v3, entry);
    if (reader.failed || magic != ENTRY_MAGIC || entry->n_regions < 1 || entry->n_regions > MAX_REGIONS ||
        entry->entry_region >= entry->n_regions)
        return 0;
    for (unsigned i = 0; i < entry->n_regions; i++) {
        MkAgentRegion *region = &entry->regions[i];
        region->file_offset = mk_reader_le32(&reader);
        region->length = mk_reader_le32(&reader);
        region->load_address = mk_reader_le32(&reader);
        region->signature_offset = mk_reader_le32(&reader);
        region->signature_length = mk_reader_le32(&reader);
        if (region->length)
            table->data_min = MIN(table->data_min, region->file_offset);
    }
    if (reader.failed)
        return 0;
    return table->head + REGION_RECORD * (table->exact_slots ? entry->n_regions : MAX_REGIONS);
}

/* Spec 8 step 5: the stride is accepted if every entry validates and the table ends before the first region begins. */
static GArray *parse_entries(Table *table)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, TRUE, sizeof(MkAgentEntry));
    table->data_min = UINT64_MAX;
    table->table_end = HEADER_SIZE;
    for (unsigned i = 0; i < table->count; i++) {
        MkAgentEntry entry;
        size_t step = parse_entry(table, table->table_end, &entry);
        if (!step)
            return NULL;
        g_array_append_val(entries, entry);
        table->table_end += step;
    }
    if (table->table_end > table->size || table->table_end > table->data_min)
        return NULL;
    return g_steal_pointer(&entries);
}

/* Spec 8 steps 6 to 9. */
static void check_regions(const Table *table, MkAgentEntry *entry, bool v6, GPtrArray *findings)
{
    for (unsigned i = 0; i < entry->n_regions; i++) {
        MkAgentRegion *region = &entry->regions[i];
        if (!region->length)
            continue;
        region->truncated = region->length > MAX_REGION || (uint64_t)region->file_offset + region->length > table->size;
        if (region->truncated) {
            entry->usable = false;
            mk_finding_add(findings, MK_SEVERITY_WARN, "da.truncated", 0,
                           _("The program for MT%04X is cut off: part %u should end at byte %" G_GUINT64_FORMAT
                             ", the file has %zu bytes."),
                           entry->hw_code, i, (uint64_t)region->file_offset + region->length, table->size);
        } else if (region->signature_length > region->length) {
            entry->usable = false;
            mk_finding_add(findings, MK_SEVERITY_WARN, "da.signature", 0,
                           _("The program for MT%04X is damaged: the signature of part %u is longer than the part."),
                           entry->hw_code, i);
        } else if (v6) { /* counted from the beginning of the file (spec da-xml.md 1), and always at the end */
            region->signature_offset = region->length - region->signature_length;
        } else if (region->signature_length &&
                   (uint64_t)region->signature_offset + region->signature_length != region->length) {
            mk_finding_add(
                findings, MK_SEVERITY_NOTE, "da.signature-place", 0,
                _("Part %u for MT%04X names another place for its signature than its end; the end is taken."), i,
                entry->hw_code);
            region->signature_offset = region->length - region->signature_length;
        }
    }
}

/* Spec 8 step 7: regions of one entry are the same piece of file or apart. */
static void check_overlap(const MkAgentEntry *entry, GPtrArray *findings)
{
    for (unsigned i = 0; i < entry->n_regions; i++) {
        for (unsigned j = i + 1; j < entry->n_regions; j++) {
            const MkAgentRegion *a = &entry->regions[i], *b = &entry->regions[j];
            bool same = a->file_offset == b->file_offset && a->length == b->length;
            bool apart = (uint64_t)a->file_offset + a->length <= b->file_offset ||
                         (uint64_t)b->file_offset + b->length <= a->file_offset;
            if (a->length && b->length && !same && !apart)
                mk_finding_add(findings, MK_SEVERITY_WARN, "da.overlap", 0,
                               _("Parts %u and %u of the program for MT%04X overlap in the file."), i, j,
                               entry->hw_code);
        }
    }
}

/* Spec 10: the dialect is decided entry by entry. */
static MkDaFamily entry_family(const Table *table, const MkAgentEntry *entry, bool v6)
{
    static const uint8_t xflash_magic[] = {0xEF, 0xEE, 0xEE, 0xFE};
    if (v6)
        return MK_DA_XML;
    for (unsigned i = 0; i < entry->n_regions; i++) {
        const MkAgentRegion *region = &entry->regions[i];
        if (region->length && !region->truncated &&
            memmem(table->data + region->file_offset, region->length, xflash_magic, sizeof xflash_magic))
            return MK_DA_XFLASH;
    }
    return entry->usable ? MK_DA_LEGACY : MK_DA_UNKNOWN;
}

/* A compiled AArch64 program of this size returns hundreds of times; an ARM or Thumb one has those words nowhere. */
static bool entry_is_64bit(const Table *table, const MkAgentEntry *entry)
{
    const MkAgentRegion *region = &entry->regions[mk_agent_entry_stage1(entry)];
    size_t returns = 0;
    if (region->truncated)
        return false;
    for (uint32_t at = 0; at + 4 <= region->length; at += 4)
        returns += mk_le32(table->data + region->file_offset + at) == AARCH64_RET;
    return returns >= FEW_RETURNS;
}

/* The year of a date such as "2019-12-31" or "2020/07/07" in a description, 0 = none. */
static unsigned description_year(const char *description)
{
    for (const char *p = description; *p; p++) {
        if (g_ascii_strncasecmp(p, "20", 2) == 0 && g_ascii_isdigit(p[2]) && g_ascii_isdigit(p[3]) &&
            (p[4] == '-' || p[4] == '/'))
            return (unsigned)g_ascii_strtoull(p, NULL, 10);
    }
    return 0;
}

/* Spec da-legacy.md 13.3 rule 1. */
static MkRelease label_release(uint32_t info_version, const char *description, bool *sure)
{
    static const struct {
        const char *label;
        MkRelease release;
    } labels[] = {
        {"v7.1320", MK_RELEASE_G1},
        {"v7.1352", MK_RELEASE_G2},
        {"v7.1504", MK_RELEASE_G3},
        {"v3.3001.2015", MK_RELEASE_G3},
    };
    *sure = true;
    if (info_version == 3)
        return MK_RELEASE_G0;
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        if (strstr(description, labels[i].label))
            return labels[i].release;
    }
    unsigned year = description_year(description);
    *sure = year >= 2016 && strstr(description, "v3.3001.");
    return year >= 2016 ? MK_RELEASE_G4 : MK_RELEASE_G3;
}

static bool read_header(Table *table, MkAgentFile *file, GError **error)
{
    MkReader reader = mk_reader(table->data, table->size);
    const uint8_t *identifier = mk_reader_take(&reader, 0x20);
    file->description = mk_reader_text(&reader, 0x40);
    file->info_version = mk_reader_le32(&reader);
    uint32_t magic = mk_reader_le32(&reader);
    table->count = mk_reader_le32(&reader);
    if (reader.failed || memcmp(identifier, "MTK_DOWNLOAD_AGENT", 18) != 0 || magic != MAGIC) {
        mk_fault_set(error, MK_FAULT_DA_FORMAT, _("%s (%zu bytes) is not a Download Agent file."), file->path,
                     table->size);
        return false;
    }
    if (table->count < 1 || table->count > MAX_ENTRIES) {
        mk_fault_set(error, MK_FAULT_DA_FORMAT, _("%s claims to hold programs for %u chips, which cannot be."),
                     file->path, table->count);
        return false;
    }
    table->v3 = file->info_version == 3;
    table->head = table->v3 ? 16 : 20;
    return true;
}

MkAgentFile *mk_agent_file_parse(GBytes *bytes, const char *path, GPtrArray *findings, GError **error)
{
    g_autoptr(MkAgentFile) file = g_new0(MkAgentFile, 1);
    Table table = {0};
    table.data = g_bytes_get_data(bytes, &table.size);
    file->path = g_strdup(path);
    file->bytes = g_bytes_ref(bytes);
    if (!read_header(&table, file, error))
        return NULL;
    file->entries = parse_entries(&table);
    if (!file->entries) {
        table.exact_slots = true;
        file->entries = parse_entries(&table);
    }
    if (!file->entries) {
        mk_fault_set(error, MK_FAULT_DA_FORMAT,
                     _("The table of %s is damaged or cut off: it should describe %u chips (the file has %zu bytes)."),
                     path, table.count, table.size);
        return NULL;
    }
    bool v6 = strstr(file->description, "MTK_DA_v6") != NULL;
    for (unsigned i = 0; i < file->entries->len; i++) {
        MkAgentEntry *entry = &g_array_index(file->entries, MkAgentEntry, i);
        check_regions(&table, entry, v6, findings);
        check_overlap(entry, findings);
        entry->family = entry_family(&table, entry, v6);
        entry->is_64bit = entry_is_64bit(&table, entry);
    }
    file->release = label_release(file->info_version, file->description, &file->release_sure);
    file->sha256 = mk_sha256_hex(table.data, table.size);
    return g_steal_pointer(&file);
}

MkAgentFile *mk_agent_file_load(const char *path, GPtrArray *findings, GError **error)
{
    g_autoptr(GError) problem = NULL;
    GMappedFile *mapped = g_mapped_file_new(path, FALSE, &problem);
    if (!mapped) {
        mk_fault_set(error, MK_FAULT_FILE, _("The Download Agent file cannot be opened: %s"), problem->message);
        return NULL;
    }
    g_autoptr(GBytes) bytes = g_mapped_file_get_bytes(mapped);
    g_mapped_file_unref(mapped);
    return mk_agent_file_parse(bytes, path, findings, error);
}

void mk_agent_file_free(MkAgentFile *file)
{
    if (!file)
        return;
    g_free(file->path);
    g_free(file->description);
    g_free(file->sha256);
    g_clear_pointer(&file->entries, g_array_unref);
    g_clear_pointer(&file->bytes, g_bytes_unref);
    g_free(file);
}

/* The genuine rule (spec 6.1); STRICTNESS 3: code, hw and sw version, 2: code and hw version, 1: code alone. */
static const MkAgentEntry *first_match(const MkAgentFile *file, uint16_t code, uint16_t hw, uint16_t sw, int strictness)
{
    for (unsigned i = 0; i < file->entries->len; i++) {
        const MkAgentEntry *entry = &g_array_index(file->entries, MkAgentEntry, i);
        if (entry->hw_code == code && (strictness < 2 || (entry->hw_version & 0xFF00) == (hw & 0xFF00)) &&
            (strictness < 3 || (entry->sw_version & 0xFF) <= (sw & 0xFF)))
            return entry;
    }
    return NULL;
}

static void fault_no_entry(const MkAgentFile *file, const MkSoc *soc, GError **error)
{
    g_autoptr(GString) chips = g_string_new(NULL);
    for (unsigned i = 0; i < file->entries->len; i++) {
        uint16_t code = g_array_index(file->entries, MkAgentEntry, i).hw_code;
        const MkSoc *other = mk_soc_by_da_code(code);
        g_autofree char *name = other ? g_strdup(mk_soc_name(other)) : g_strdup_printf(_("code 0x%04X"), code);
        if (!strstr(chips->str, name))
            g_string_append_printf(chips, "%s%s", chips->len ? ", " : "", name);
    }
    mk_fault_set(error, MK_FAULT_DA_CHIP, _("%s holds no program for %s, only for %s."), file->path, soc->names,
                 chips->str);
}

const MkAgentEntry *mk_agent_file_choose(const MkAgentFile *file, const MkSoc *soc, uint16_t hw_version,
                                         uint16_t sw_version, GPtrArray *findings, GError **error)
{
    const MkAgentEntry *entry = NULL;
    int first = hw_version || sw_version ? 3 : 1;
    for (int strictness = first; strictness && !entry; strictness--) {
        entry = first_match(file, soc->da_code, hw_version, sw_version, strictness);
        if (entry && strictness < first)
            mk_finding_add(findings, MK_SEVERITY_WARN, "da.version", 0,
                           _("The file's program for MT%04X is for chip version %04X/%04X; this chip is %04X/%04X."),
                           entry->hw_code, entry->hw_version, entry->sw_version, hw_version, sw_version);
    }
    if (!entry) {
        fault_no_entry(file, soc, error);
        return NULL;
    }
    if (!entry->usable) {
        mk_fault_set(error, MK_FAULT_DA_FORMAT, _("The program for MT%04X in %s is cut off or damaged."),
                     entry->hw_code, file->path);
        return NULL;
    }
    return entry;
}

GBytes *mk_agent_file_region(const MkAgentFile *file, const MkAgentEntry *entry, unsigned index)
{
    const MkAgentRegion *region = &entry->regions[index];
    return g_bytes_new_from_bytes(file->bytes, region->file_offset, region->length);
}

/* Spec 5: two-stage chips begin with region 1 (region 0 is a leftover), the others with their entry region. */
unsigned mk_agent_entry_stage1(const MkAgentEntry *entry)
{
    return entry->entry_region == 0 ? MIN(1, entry->n_regions - 1) : entry->entry_region;
}

unsigned mk_agent_entry_stage2(const MkAgentEntry *entry)
{
    return MIN(mk_agent_entry_stage1(entry) + 1, entry->n_regions - 1);
}
