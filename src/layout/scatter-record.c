/* Pairs of key and value become partitions and layouts (spec scatter.md 3.3, 3.4, 4). */
#include "layout/scatter-record.h"

#include "core/i18n.h"

#include <string.h>

#define MOST_PARTITIONS 1024 /* ours; the genuine parser takes 128 */

MkFinding *mk_scatter_find(MkScatterReader *reader, MkSeverity severity, const char *id, unsigned line,
                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return mk_finding_add(reader->findings, severity, id, line, "%s", text);
}

bool mk_scatter_refuse(MkScatterReader *reader, uint32_t number, const char *symbol, unsigned line, const char *what)
{
    if (!reader->failed)
        mk_fault_set_number(reader->error, MK_FAULT_SCATTER, number, symbol, _("Line %u: %s."), line, what);
    reader->failed = true;
    return false;
}

/* --- one partition ------------------------------------------------------------------------------------------------- */

static const char *value_of(MkScatterReader *reader, const char *key)
{
    return g_hash_table_lookup(reader->record, key);
}

static unsigned line_of(MkScatterReader *reader, const char *key)
{
    gpointer line = g_hash_table_lookup(reader->lines, key);
    return line ? GPOINTER_TO_UINT(line) : reader->record_line;
}

static uint64_t number_of(MkScatterReader *reader, const char *key, bool *good)
{
    const char *text = value_of(reader, key);
    uint64_t value = 0;
    *good = text && mk_scatter_number(text, &value);
    if (text && !*good)
        mk_scatter_find(reader, MK_SEVERITY_BLOCK, "scatter.number", line_of(reader, key),
                        _("%s is no number: \"%.40s\"."), key, text);
    return value;
}

static bool bool_of(MkScatterReader *reader, const char *key)
{
    const char *text = value_of(reader, key);
    if (!text)
        return false;
    if (g_ascii_strcasecmp(text, "true") && g_ascii_strcasecmp(text, "false") && strcmp(text, "0") && strcmp(text, "1"))
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.bool", line_of(reader, key),
                        _("%s is neither true nor false: \"%.40s\"."), key, text);
    return !g_ascii_strcasecmp(text, "true") || !strcmp(text, "1");
}

static const char *const needed_keys[] = {"partition_name",      "file_name",      "is_download",    "type",
                                          "physical_start_addr", "partition_size", "region",         "storage",
                                          "boundary_check",      "is_reserved",    "operation_type", "reserve"};

/* What SP Flash Tool v6 insists on, and without what a partition has no place (spec scatter.md 4.2). */
static const char *const needed_xml_keys[] = {"partition_name",      "file_name",      "is_download",
                                              "physical_start_addr", "partition_size", "operation_type"};

static bool check_xml_keys(MkScatterReader *reader, const char *name)
{
    bool complete = true;
    for (gsize i = 0; i < G_N_ELEMENTS(needed_xml_keys); i++) {
        if (value_of(reader, needed_xml_keys[i]))
            continue;
        complete = false;
        if (reader->strict)
            mk_scatter_refuse(reader, 0xC0030001, "STATUS_SCATTER_FILE_INVALID", reader->record_line,
                              _("an entry lacks a key that SP Flash Tool insists on"));
        MkFinding *finding =
            mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.key-missing", reader->record_line,
                            _("%s has no %s; SP Flash Tool refuses such a file."), name, needed_xml_keys[i]);
        if (finding)
            finding->fixable = true;
    }
    return complete;
}

/* The genuine parser ends its list at such an entry; ours says so and goes on. */
static bool check_keys(MkScatterReader *reader, const char *name)
{
    if (reader->xml)
        return check_xml_keys(reader, name);
    bool complete = true;
    for (gsize i = 0; i < G_N_ELEMENTS(needed_keys); i++) {
        if (value_of(reader, needed_keys[i]))
            continue;
        complete = false;
        MkFinding *finding = mk_scatter_find(
            reader, MK_SEVERITY_WARN, "scatter.key-missing", reader->record_line,
            _("%s has no %s. SP Flash Tool would lose this partition and every later one without a word."), name,
            needed_keys[i]);
        if (finding)
            finding->fixable = true;
    }
    return complete;
}

static bool is_linear_version(const MkLayout *layout)
{
    return layout->version && g_ascii_strcasecmp(layout->version, "V1.1.1") <= 0;
}

static void read_enums(MkScatterReader *reader, MkPartition *partition)
{
    const char *type = value_of(reader, "type"), *operation = value_of(reader, "operation_type"),
               *storage = value_of(reader, "storage");
    const char *region = value_of(reader, "region");
    if (type && !mk_type_from_name(type, &partition->type) && g_ascii_strcasecmp(type, "NONE"))
        mk_scatter_find(reader, MK_SEVERITY_NOTE, "scatter.type", line_of(reader, "type"),
                        _("%s has a type nobody knows: %.40s."), partition->name, type);
    if (operation && !mk_operation_from_name(operation, &partition->operation))
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.operation", line_of(reader, "operation_type"),
                        _("%s has an operation_type nobody knows: %.40s (8506)."), partition->name, operation);
    if (storage && !mk_storage_from_name(storage, &partition->storage))
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.storage", line_of(reader, "storage"),
                        _("%s has a storage nobody knows: %.40s."), partition->name, storage);
    if (region && !mk_region_from_name(region, &partition->region))
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.region", line_of(reader, "region"),
                        _("%s has a region nobody knows: %.40s."), partition->name, region);
}

static const char *const known_keys[] = {"partition_name",    "file_name",           "is_download",    "type",
                                         "linear_start_addr", "physical_start_addr", "partition_size", "region",
                                         "storage",           "boundary_check",      "is_reserved",    "operation_type",
                                         "partition_index"};

static void keep_extra(MkScatterReader *reader, MkPartition *partition)
{
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, reader->record);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        bool known = false;
        for (gsize i = 0; i < G_N_ELEMENTS(known_keys); i++)
            known = known || !strcmp(key, known_keys[i]);
        if (known)
            continue;
        if (!partition->extra)
            partition->extra = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_hash_table_insert(partition->extra, g_strdup(key), g_strdup(value));
    }
}

/* V1.1.1 and before speak linear addresses; what lies in the boot area keeps its region (spec scatter.md 3.2). */
static void place(MkScatterReader *reader, MkPartition *partition)
{
    if (!is_linear_version(reader->section) && !is_linear_version(reader->top))
        return;
    if (partition->region == MK_REGION_USER || partition->region == MK_REGION_BOOT1)
        partition->region = MK_REGION_LINEAR;
}

static void check_entry(MkScatterReader *reader, const MkPartition *partition)
{
    if (partition->download && !partition->file_name)
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.download-none", partition->line,
                        _("%s is to be written, but names no file (5080)."), partition->name);
    uint64_t address = mk_scatter_is_from_end(partition->physical) ? 0 : partition->physical;
    if (partition->size % 4 || address % 4)
        mk_scatter_find(reader, MK_SEVERITY_BLOCK, "scatter.align", partition->line,
                        _("Address or size of %s is no multiple of 4 (5012)."), partition->name);
    else if (address % 512 || partition->size % 512)
        mk_scatter_find(reader, MK_SEVERITY_NOTE, "scatter.sector", partition->line,
                        _("Address or size of %s is no multiple of a sector."), partition->name);
}

static MkPartition *add_partition(MkScatterReader *reader, const char *name)
{
    g_autofree char *cut = g_strndup(name, 63);
    const MkPartition *twin = mk_layout_find(reader->section, cut);
    if (twin && !strcmp(twin->name, cut)) {
        if (reader->strict)
            mk_scatter_refuse(reader, 5081, "S_DL_SCAT_DUPLICATED_NAME", reader->record_line,
                              _("the same partition name stands there twice"));
        mk_scatter_find(reader, MK_SEVERITY_BLOCK, "scatter.twice", reader->record_line,
                        _("%s stands in the file twice (lines %u and %u)."), name, twin->line, reader->record_line);
    }
    return mk_layout_add(reader->section, cut);
}

/* One vendor's packs hold the whole table twice (spec scatter.md 4.2): the second time says nothing new. */
static bool is_exact_twin(MkScatterReader *reader, const char *name, uint64_t physical, uint64_t size)
{
    const MkPartition *twin = mk_layout_find(reader->section, name);
    if (!twin || strcmp(twin->name, name) || twin->physical != physical || twin->size != size)
        return false;
    mk_scatter_find(reader, MK_SEVERITY_NOTE, "scatter.repeated", reader->record_line,
                    _("%s stands in the file twice, both times the same (lines %u and %u)."), name, twin->line,
                    reader->record_line);
    return true;
}

static void take_record(MkScatterReader *reader)
{
    const char *name = value_of(reader, "partition_name"), *file = value_of(reader, "file_name");
    bool good_linear, good_physical, good_size;
    if (!name || !*name) {
        mk_scatter_find(reader, MK_SEVERITY_BLOCK, "scatter.name", reader->record_line,
                        _("The entry at line %u has no partition_name and cannot be used."), reader->record_line);
        reader->list_ended = reader->list_ended || reader->strict;
        return;
    }
    bool complete = check_keys(reader, name);
    uint64_t linear = number_of(reader, "linear_start_addr", &good_linear),
             physical = number_of(reader, "physical_start_addr", &good_physical);
    uint64_t size = number_of(reader, "partition_size", &good_size);
    if (reader->strict && (!complete || !good_physical || !good_size))
        reader->list_ended = true;
    if (reader->list_ended || reader->section->partitions->len >= MOST_PARTITIONS)
        return;
    if (reader->xml && is_exact_twin(reader, name, good_physical ? physical : linear, size))
        return;
    MkPartition *partition = add_partition(reader, name);
    partition->line = reader->record_line;
    partition->linear = good_linear ? linear : physical;
    partition->physical = good_physical ? physical : linear;
    partition->size = size;
    partition->file_name = file && *file && g_ascii_strcasecmp(file, "NONE") ? g_strdup(file) : NULL;
    /* The readers of the XML generation take anything but "false" for true (spec scatter.md 4.2). */
    const char *download = value_of(reader, "is_download");
    partition->download =
        reader->xml ? download && g_ascii_strcasecmp(download, "false") : bool_of(reader, "is_download");
    partition->boundary_check = bool_of(reader, "boundary_check");
    partition->reserved = bool_of(reader, "is_reserved");
    read_enums(reader, partition);
    partition->hidden = !partition->download && !partition->file_name;
    partition->grows = !partition->size || partition->operation == MK_OP_NEEDRESIZE;
    place(reader, partition);
    keep_extra(reader, partition);
    check_entry(reader, partition);
    if (reader->strict && partition->download && !partition->file_name)
        mk_scatter_refuse(reader, 5080, "S_DL_SCAT_IS_DOWNLOAD_PROP_ERR", partition->line,
                          _("is_download is true, but there is no file"));
}

void mk_scatter_close_record(MkScatterReader *reader)
{
    if (!reader->record)
        return;
    take_record(reader);
    g_clear_pointer(&reader->record, g_hash_table_unref);
    g_clear_pointer(&reader->lines, g_hash_table_unref);
}

/* --- general keys -------------------------------------------------------------------------------------------------- */

static void set_general(MkScatterReader *reader, const char *key, const char *value, unsigned line)
{
    MkLayout *layout = reader->section;
    uint64_t number;
    g_hash_table_insert(layout->general, g_strdup(key), g_strdup(value));
    if (!strcmp(key, "config_version")) {
        g_free(layout->version);
        layout->version = g_strdup(value);
    } else if (!strcmp(key, "platform")) {
        g_free(layout->platform);
        layout->platform = g_strdup(value);
    } else if (!strcmp(key, "project")) {
        g_free(layout->project);
        layout->project = g_strdup(value);
    } else if (!strcmp(key, "storage")) {
        if (!mk_storage_from_name(value, &layout->storage))
            mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.storage", line, _("The storage \"%.40s\" is not known."),
                            value);
    } else if (!strcmp(key, "block_size")) {
        if (mk_scatter_number(value, &number) && number <= UINT32_MAX)
            layout->block_size = (uint32_t)number;
        else
            mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.number", line, _("block_size is no number: \"%.40s\"."),
                            value);
    } else if (!strcmp(key, "skip_pmt_operate") || !strcmp(key, "skip_pt_operate"))
        layout->skip_table = !g_ascii_strcasecmp(value, "true");
}

static void begin_section(MkScatterReader *reader, const char *storage, unsigned line)
{
    MkLayout *section = mk_layout_new(reader->top->kind);
    section->version = g_strdup(reader->top->version);
    section->platform = g_strdup(reader->top->platform);
    section->project = g_strdup(reader->top->project);
    section->skip_table = reader->top->skip_table;
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, reader->top->general);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(section->general, g_strdup(key), g_strdup(value));
    if (!mk_storage_from_name(storage, &section->storage))
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.storage", line, _("The storage \"%.40s\" is not known."),
                        storage);
    g_ptr_array_add(reader->sections, section);
    reader->section = section;
}

/* --- pairs ---------------------------------------------------------------------------------------------------------- */

static void begin_record(MkScatterReader *reader, unsigned line)
{
    reader->record = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    reader->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader->record_line = line;
}

void mk_scatter_take_pair(MkScatterReader *reader, const char *key, const char *value, unsigned line)
{
    if (!strcmp(key, "partition_index")) {
        mk_scatter_close_record(reader);
        begin_record(reader, line);
    } else if (!strcmp(key, "storage_type")) {
        mk_scatter_close_record(reader);
        begin_section(reader, value, line);
        return;
    } else if (!strcmp(key, "general") || !strcmp(key, "info") || !strcmp(key, "description"))
        return;
    if (!reader->record) {
        set_general(reader, key, value, line);
        return;
    }
    g_hash_table_insert(reader->record, g_strdup(key), g_strdup(value));
    g_hash_table_insert(reader->lines, g_strdup(key), GUINT_TO_POINTER(line));
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static bool version_known(const char *version, bool *per_storage)
{
    *per_storage = !strcmp(version, "V2.1.0") || !strcmp(version, "V2.2.0");
    return *per_storage || !strcmp(version, "V1.2.0") ||
           (g_str_has_prefix(version, "V1.1.") && g_ascii_isdigit(version[5]) && !version[6]);
}

static bool check_version(MkScatterReader *reader)
{
    const char *version = reader->top->version;
    bool per_storage = false, known = version && version_known(version, &per_storage);
    if (!known && reader->strict)
        return mk_scatter_refuse(reader, 5079, "S_DL_SCAT_VERSION_UNSUPPORTED", 1,
                                 _("the config_version is none that SP Flash Tool knows"));
    if (!known)
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.version", 0,
                        _("config_version \"%s\" is not known; SP Flash Tool answers 5079."), version ? version : "");
    bool flat = !reader->sections->len;
    if (reader->strict && flat && known && (per_storage || !strcmp(version, "V1.2.0")))
        return mk_scatter_refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", 1,
                                 _("a file of this version has one part for each storage"));
    return true;
}

static bool check_order(MkScatterReader *reader, const MkLayout *layout)
{
    uint64_t last[MK_REGION_N];
    bool seen[MK_REGION_N] = {false}, linear = is_linear_version(layout), all_zero = true;
    for (guint i = 0; i < layout->partitions->len; i++)
        all_zero = all_zero && !((const MkPartition *)layout->partitions->pdata[i])->physical;
    for (guint i = 0; i < layout->partitions->len && (linear || !all_zero); i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        uint64_t address = linear ? partition->linear : partition->physical;
        MkRegion region = linear ? MK_REGION_LINEAR : partition->region;
        if (reader->strict && address % 4 && address != UINT64_MAX)
            return mk_scatter_refuse(reader, 5012, "S_DL_SCAT_ADDR_IS_NOT_WORD_ALIGN", partition->line,
                                     _("the address is no multiple of 4"));
        /* 0xFFFFnnnn counts back from the end: genuine files have flashinfo before sgpt, nearer and nearer. */
        bool from_end = mk_scatter_is_from_end(address);
        if (seen[region] && !from_end && address <= last[region] && reader->strict)
            return mk_scatter_refuse(reader, 5014, "S_DL_SCAT_ADDR_IS_NOT_ASCENDING_ORDER", partition->line,
                                     _("the address is not above that of the partition before it"));
        /* Symbolic addresses of small reserved entries may be equal (spec scatter.md 6). */
        if (seen[region] && address <= last[region] && !partition->reserved)
            mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.order", partition->line,
                            _("%s does not begin behind the partition before it (5014)."), partition->name);
        seen[region] = true;
        last[region] = address;
    }
    return true;
}

/* Two rows that want the same place: writing one would destroy the other. Two real files of the corpus hold such rows, so reading goes on;
 * writing by such a scatter is what the checks of the ROM refuse (spec checks.md P-OVERLAP). */
static void check_overlap(MkScatterReader *reader, const MkLayout *layout)
{
    bool linear = is_linear_version(layout);
    const MkPartition *before[MK_REGION_N] = {NULL};
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        uint64_t start = linear ? partition->linear : partition->physical;
        if (mk_scatter_is_from_end(start) || !partition->size)
            continue;
        const MkPartition *other = before[partition->region];
        uint64_t begin = !other ? 0 : linear ? other->linear : other->physical;
        /* A table whose addresses are all zero says nothing of places. */
        bool placed = start || begin;
        if (other && placed && start - begin < other->size && start >= begin) {
            MkFinding *finding = mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.overlap", partition->line,
                                                 _("%s begins before %s ends (line %u): they overlap."),
                                                 partition->name, other->name, other->line);
            mk_finding_set(finding, partition->name, NULL, NULL);
        }
        if (!other || start + partition->size > begin + other->size)
            before[partition->region] = partition;
    }
}

static void finish_layout(MkLayout *layout)
{
    const MkPartition *mbr = mk_layout_find(layout, "MBR");
    if (is_linear_version(layout) && mbr)
        layout->header = mbr->linear;
}

/* A combo file becomes its first part; the others hang below it. */
static MkLayout *join_sections(MkScatterReader *reader)
{
    if (!reader->sections->len)
        return mk_layout_ref(reader->top);
    MkLayout *first = mk_layout_ref(reader->sections->pdata[0]);
    for (guint i = 1; i < reader->sections->len; i++) {
        if (!first->sections)
            first->sections = g_ptr_array_new_with_free_func((GDestroyNotify)mk_layout_unref);
        g_ptr_array_add(first->sections, mk_layout_ref(reader->sections->pdata[i]));
    }
    return first;
}

static bool check_all(MkScatterReader *reader)
{
    unsigned partitions = reader->top->partitions->len;
    if (!check_version(reader))
        return false;
    finish_layout(reader->top);
    if (!check_order(reader, reader->top))
        return false;
    check_overlap(reader, reader->top);
    for (guint i = 0; i < reader->sections->len; i++) {
        MkLayout *section = reader->sections->pdata[i];
        finish_layout(section);
        partitions += section->partitions->len;
        if (!check_order(reader, section))
            return false;
        check_overlap(reader, section);
    }
    if (!partitions)
        return mk_scatter_refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", 1, _("there is no partition in the file"));
    if (reader->strict && reader->top->partitions->len > 128)
        return mk_scatter_refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", 1,
                                 _("there are more than 128 partitions"));
    if (!reader->top->platform)
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.no-chip", 0,
                        _("The file does not name its chip (platform)."));
    return true;
}

MkLayout *mk_scatter_finish(MkScatterReader *reader)
{
    mk_scatter_close_record(reader);
    return !reader->failed && check_all(reader) && !reader->failed ? join_sections(reader) : NULL;
}
