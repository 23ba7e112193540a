/* V1.x and V2.x: the YAML-like "MTK_PLATFORM_CFG" file, read line by line so that every diagnosis names its line and nothing is dropped
 * in silence (spec scatter.md 3). STRICT gives the genuine parser's refusals, as they were measured (3.4). */
#include "layout/scatter.h"

#include "core/i18n.h"

#include <string.h>

#define MOST_PARTITIONS 1024 /* ours; the genuine parser takes 128 */

typedef struct {
    GPtrArray *findings;
    bool strict;
    GError **error;
    MkLayout *top;
    GPtrArray *sections; /* MkLayout, of a combo file */
    MkLayout *section;   /* gets the partitions: top, or one of the sections */
    GHashTable *record;  /* key → value of the open partition, or NULL */
    GHashTable *lines;   /* key → line number */
    unsigned record_line;
    bool list_ended; /* strict: the genuine parser stopped here */
    bool failed;
} Reader;

static MkFinding *find(Reader *reader, MkSeverity severity, const char *id, unsigned line, const char *format, ...)
    G_GNUC_PRINTF(5, 6);

static MkFinding *find(Reader *reader, MkSeverity severity, const char *id, unsigned line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return mk_finding_add(reader->findings, severity, id, line, "%s", text);
}

static bool refuse(Reader *reader, uint32_t number, const char *symbol, unsigned line, const char *what)
{
    if (!reader->failed)
        mk_fault_set_number(reader->error, MK_FAULT_SCATTER, number, symbol, _("Line %u: %s."), line, what);
    reader->failed = true;
    return false;
}

/* --- one partition ------------------------------------------------------------------------------------------------- */

static const char *value_of(Reader *reader, const char *key)
{
    return g_hash_table_lookup(reader->record, key);
}

static unsigned line_of(Reader *reader, const char *key)
{
    gpointer line = g_hash_table_lookup(reader->lines, key);
    return line ? GPOINTER_TO_UINT(line) : reader->record_line;
}

static uint64_t number_of(Reader *reader, const char *key, bool *good)
{
    const char *text = value_of(reader, key);
    uint64_t value = 0;
    *good = text && mk_scatter_number(text, &value);
    if (text && !*good)
        find(reader, MK_SEVERITY_BLOCK, "scatter.number", line_of(reader, key), _("%s is no number: \"%.40s\"."), key,
             text);
    return value;
}

static bool bool_of(Reader *reader, const char *key)
{
    const char *text = value_of(reader, key);
    if (!text)
        return false;
    if (g_ascii_strcasecmp(text, "true") && g_ascii_strcasecmp(text, "false") && strcmp(text, "0") && strcmp(text, "1"))
        find(reader, MK_SEVERITY_WARN, "scatter.bool", line_of(reader, key),
             _("%s is neither true nor false: \"%.40s\"."), key, text);
    return !g_ascii_strcasecmp(text, "true") || !strcmp(text, "1");
}

static const char *const needed_keys[] = {"partition_name",      "file_name",      "is_download",    "type",
                                          "physical_start_addr", "partition_size", "region",         "storage",
                                          "boundary_check",      "is_reserved",    "operation_type", "reserve"};

/* The genuine parser ends its list at such an entry; ours says so and goes on. */
static bool check_keys(Reader *reader, const char *name)
{
    bool complete = true;
    for (gsize i = 0; i < G_N_ELEMENTS(needed_keys); i++) {
        if (value_of(reader, needed_keys[i]))
            continue;
        complete = false;
        MkFinding *finding =
            find(reader, MK_SEVERITY_WARN, "scatter.key-missing", reader->record_line,
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

static void read_enums(Reader *reader, MkPartition *partition)
{
    const char *type = value_of(reader, "type"), *operation = value_of(reader, "operation_type"),
               *storage = value_of(reader, "storage");
    const char *region = value_of(reader, "region");
    if (type && !mk_type_from_name(type, &partition->type) && g_ascii_strcasecmp(type, "NONE"))
        find(reader, MK_SEVERITY_NOTE, "scatter.type", line_of(reader, "type"), _("%s has a type nobody knows: %.40s."),
             partition->name, type);
    if (operation && !mk_operation_from_name(operation, &partition->operation))
        find(reader, MK_SEVERITY_WARN, "scatter.operation", line_of(reader, "operation_type"),
             _("%s has an operation_type nobody knows: %.40s (8506)."), partition->name, operation);
    if (storage && !mk_storage_from_name(storage, &partition->storage))
        find(reader, MK_SEVERITY_WARN, "scatter.storage", line_of(reader, "storage"),
             _("%s has a storage nobody knows: %.40s."), partition->name, storage);
    if (region && !mk_region_from_name(region, &partition->region))
        find(reader, MK_SEVERITY_WARN, "scatter.region", line_of(reader, "region"),
             _("%s has a region nobody knows: %.40s."), partition->name, region);
}

static const char *const known_keys[] = {"partition_name",    "file_name",           "is_download",    "type",
                                         "linear_start_addr", "physical_start_addr", "partition_size", "region",
                                         "storage",           "boundary_check",      "is_reserved",    "operation_type",
                                         "partition_index"};

static void keep_extra(Reader *reader, MkPartition *partition)
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
static void place(Reader *reader, MkPartition *partition)
{
    if (!is_linear_version(reader->section) && !is_linear_version(reader->top))
        return;
    if (partition->region == MK_REGION_USER || partition->region == MK_REGION_BOOT1)
        partition->region = MK_REGION_LINEAR;
}

static void check_entry(Reader *reader, const MkPartition *partition)
{
    if (partition->download && !partition->file_name)
        find(reader, MK_SEVERITY_WARN, "scatter.download-none", partition->line,
             _("%s is to be written, but names no file (5080)."), partition->name);
    if (partition->size % 4 || partition->physical % 4)
        find(reader, MK_SEVERITY_BLOCK, "scatter.align", partition->line,
             _("Address or size of %s is no multiple of 4 (5012)."), partition->name);
    else if (partition->physical % 512 || partition->size % 512)
        find(reader, MK_SEVERITY_NOTE, "scatter.sector", partition->line,
             _("Address or size of %s is no multiple of a sector."), partition->name);
}

static MkPartition *add_partition(Reader *reader, const char *name)
{
    g_autofree char *cut = g_strndup(name, 63);
    const MkPartition *twin = mk_layout_find(reader->section, cut);
    if (twin && !strcmp(twin->name, cut)) {
        if (reader->strict)
            refuse(reader, 5081, "S_DL_SCAT_DUPLICATED_NAME", reader->record_line,
                   _("the same partition name stands there twice"));
        find(reader, MK_SEVERITY_BLOCK, "scatter.twice", reader->record_line,
             _("%s stands in the file twice (lines %u and %u)."), name, twin->line, reader->record_line);
    }
    return mk_layout_add(reader->section, cut);
}

static void take_record(Reader *reader)
{
    const char *name = value_of(reader, "partition_name"), *file = value_of(reader, "file_name");
    bool good_linear, good_physical, good_size;
    if (!name || !*name) {
        find(reader, MK_SEVERITY_BLOCK, "scatter.name", reader->record_line,
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
    MkPartition *partition = add_partition(reader, name);
    partition->line = reader->record_line;
    partition->linear = good_linear ? linear : physical;
    partition->physical = good_physical ? physical : linear;
    partition->size = size;
    partition->file_name = file && *file && g_ascii_strcasecmp(file, "NONE") ? g_strdup(file) : NULL;
    partition->download = bool_of(reader, "is_download");
    partition->boundary_check = bool_of(reader, "boundary_check");
    partition->reserved = bool_of(reader, "is_reserved");
    read_enums(reader, partition);
    partition->hidden = !partition->download && !partition->file_name;
    partition->grows = !partition->size || partition->operation == MK_OP_NEEDRESIZE;
    place(reader, partition);
    keep_extra(reader, partition);
    check_entry(reader, partition);
    if (reader->strict && partition->download && !partition->file_name)
        refuse(reader, 5080, "S_DL_SCAT_IS_DOWNLOAD_PROP_ERR", partition->line,
               _("is_download is true, but there is no file"));
}

static void close_record(Reader *reader)
{
    if (!reader->record)
        return;
    take_record(reader);
    g_clear_pointer(&reader->record, g_hash_table_unref);
    g_clear_pointer(&reader->lines, g_hash_table_unref);
}

/* --- general keys -------------------------------------------------------------------------------------------------- */

static void set_general(Reader *reader, const char *key, const char *value, unsigned line)
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
            find(reader, MK_SEVERITY_WARN, "scatter.storage", line, _("The storage \"%.40s\" is not known."), value);
    } else if (!strcmp(key, "block_size")) {
        if (mk_scatter_number(value, &number) && number <= UINT32_MAX)
            layout->block_size = (uint32_t)number;
        else
            find(reader, MK_SEVERITY_WARN, "scatter.number", line, _("block_size is no number: \"%.40s\"."), value);
    } else if (!strcmp(key, "skip_pmt_operate") || !strcmp(key, "skip_pt_operate"))
        layout->skip_table = !g_ascii_strcasecmp(value, "true");
}

static void begin_section(Reader *reader, const char *storage, unsigned line)
{
    MkLayout *section = mk_layout_new(MK_LAYOUT_SCATTER_V1);
    section->version = g_strdup(reader->top->version);
    section->platform = g_strdup(reader->top->platform);
    section->project = g_strdup(reader->top->project);
    if (!mk_storage_from_name(storage, &section->storage))
        find(reader, MK_SEVERITY_WARN, "scatter.storage", line, _("The storage \"%.40s\" is not known."), storage);
    g_ptr_array_add(reader->sections, section);
    reader->section = section;
}

/* --- lines --------------------------------------------------------------------------------------------------------- */

static void begin_record(Reader *reader, unsigned line)
{
    reader->record = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    reader->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader->record_line = line;
}

static void take_pair(Reader *reader, const char *key, const char *value, unsigned line)
{
    if (!strcmp(key, "partition_index")) {
        close_record(reader);
        begin_record(reader, line);
    } else if (!strcmp(key, "storage_type")) {
        close_record(reader);
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

static bool take_line(Reader *reader, char *line, unsigned number)
{
    size_t length = strlen(line);
    if (length && line[length - 1] == '\r')
        line[length - 1] = '\0';
    if (mk_scatter_is_blank_line(line))
        return true;
    if (strchr(line, '\t')) {
        if (reader->strict)
            return refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", number, _("there is a tab in it"));
        MkFinding *finding = find(reader, MK_SEVERITY_WARN, "scatter.tab", number,
                                  _("There is a tab in line %u; SP Flash Tool refuses that."), number);
        if (finding)
            finding->fixable = true;
    }
    char *at = g_strstrip(line);
    if (*at == '-')
        at = g_strchug(at + 1);
    char *colon = strchr(at, ':');
    if (!colon || colon == at) {
        if (reader->strict)
            return refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", number, _("it is not \"key: value\""));
        find(reader, MK_SEVERITY_WARN, "scatter.line", number, _("Line %u is not \"key: value\": \"%.60s\"."), number,
             at);
        return true;
    }
    if (colon[1] && !g_ascii_isspace(colon[1])) {
        if (reader->strict)
            return refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", number, _("there is no blank behind the colon"));
        MkFinding *finding =
            find(reader, MK_SEVERITY_WARN, "scatter.colon", number,
                 _("There is no blank behind the colon in line %u; SP Flash Tool refuses that."), number);
        if (finding)
            finding->fixable = true;
    }
    *colon = '\0';
    take_pair(reader, g_strchomp(at), g_strstrip(colon + 1), number);
    return true;
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static bool version_known(const char *version, bool *per_storage)
{
    *per_storage = !strcmp(version, "V2.1.0") || !strcmp(version, "V2.2.0");
    return *per_storage || !strcmp(version, "V1.2.0") ||
           (g_str_has_prefix(version, "V1.1.") && g_ascii_isdigit(version[5]) && !version[6]);
}

static bool check_version(Reader *reader)
{
    const char *version = reader->top->version;
    bool per_storage = false, known = version && version_known(version, &per_storage);
    if (!known && reader->strict)
        return refuse(reader, 5079, "S_DL_SCAT_VERSION_UNSUPPORTED", 1,
                      _("the config_version is none that SP Flash Tool knows"));
    if (!known)
        find(reader, MK_SEVERITY_WARN, "scatter.version", 0,
             _("config_version \"%s\" is not known; SP Flash Tool answers 5079."), version ? version : "");
    bool flat = !reader->sections->len;
    if (reader->strict && flat && known && (per_storage || !strcmp(version, "V1.2.0")))
        return refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", 1,
                      _("a file of this version has one part for each storage"));
    return true;
}

static bool check_order(Reader *reader, const MkLayout *layout)
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
            return refuse(reader, 5012, "S_DL_SCAT_ADDR_IS_NOT_WORD_ALIGN", partition->line,
                          _("the address is no multiple of 4"));
        /* 0xFFFFnnnn counts back from the end: genuine files have flashinfo before sgpt, nearer and nearer. */
        bool from_end = (address & MK_FROM_END_MASK) == MK_FROM_END_MASK && address <= UINT32_MAX;
        if (seen[region] && !from_end && address <= last[region] && reader->strict)
            return refuse(reader, 5014, "S_DL_SCAT_ADDR_IS_NOT_ASCENDING_ORDER", partition->line,
                          _("the address is not above that of the partition before it"));
        /* Symbolic addresses of small reserved entries may be equal (spec scatter.md 6). */
        if (seen[region] && address <= last[region] && !partition->reserved)
            find(reader, MK_SEVERITY_WARN, "scatter.order", partition->line,
                 _("%s does not begin behind the partition before it (5014)."), partition->name);
        seen[region] = true;
        last[region] = address;
    }
    return true;
}

static void finish_layout(MkLayout *layout)
{
    const MkPartition *mbr = mk_layout_find(layout, "MBR");
    if (is_linear_version(layout) && mbr)
        layout->header = mbr->linear;
}

/* A combo file becomes its first part; the others hang below it. */
static MkLayout *join_sections(Reader *reader)
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

static bool check_all(Reader *reader)
{
    unsigned partitions = reader->top->partitions->len;
    if (!check_version(reader))
        return false;
    finish_layout(reader->top);
    if (!check_order(reader, reader->top))
        return false;
    for (guint i = 0; i < reader->sections->len; i++) {
        MkLayout *section = reader->sections->pdata[i];
        finish_layout(section);
        partitions += section->partitions->len;
        if (!check_order(reader, section))
            return false;
    }
    if (!partitions)
        return refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", 1, _("there is no partition in the file"));
    if (reader->strict && reader->top->partitions->len > 128)
        return refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", 1, _("there are more than 128 partitions"));
    if (!reader->top->platform)
        find(reader, MK_SEVERITY_WARN, "scatter.no-chip", 0, _("The file does not name its chip (platform)."));
    return true;
}

MkLayout *mk_scatter_parse_v1(const char *text, bool strict, GPtrArray *findings, GError **error)
{
    g_autoptr(MkLayout) top = mk_layout_new(MK_LAYOUT_SCATTER_V1);
    g_autoptr(GPtrArray) sections = g_ptr_array_new_with_free_func((GDestroyNotify)mk_layout_unref);
    Reader reader = {
        .findings = findings, .strict = strict, .error = error, .top = top, .section = top, .sections = sections};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool going = true;
    for (unsigned i = 0; lines[i] && going; i++)
        going = take_line(&reader, lines[i], i + 1);
    close_record(&reader);
    return !reader.failed && check_all(&reader) && !reader.failed ? join_sections(&reader) : NULL;
}
