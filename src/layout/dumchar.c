/* /proc/dumchar_info, or the bare rows that backup tools saved (spec tables.md 7.1). */
#include "layout/layout.h"

#include "core/i18n.h"
#include "layout/scatter.h"

#include <string.h>

typedef struct {
    char *name;
    uint64_t size, start;
    bool nand;
} Row;

static bool parse_row(char *line, Row *row)
{
    g_auto(GStrv) raw = g_strsplit_set(g_strstrip(line), " \t", -1);
    const char *fields[5] = {0};
    int count = 0;
    for (char **field = raw; *field && count < 5; field++)
        if (**field)
            fields[count++] = *field;
    if (count < 4 || !g_str_has_prefix(fields[1], "0x") || !mk_scatter_number(fields[1], &row->size))
        return false;
    row->nand = !strcmp(fields[3], "1");
    if (!mk_scatter_number(fields[2], &row->start) || strlen(fields[0]) > 63)
        return false;
    row->name = g_strdup(fields[0]);
    return true;
}

/* Names of the scatter: upper case, __NODL_ where v0 hides the entry. */
static char *scatter_name(const char *name)
{
    static const char *const hidden[] = {"nvram", "pro_info", "protect_f", "protect_s", "seccfg",
                                         "misc",  "expdb",    "pmt",       "bmtpool",   "otp"};
    g_autofree char *upper = g_ascii_strup(name, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(hidden); i++)
        if (!g_ascii_strcasecmp(name, hidden[i]))
            return g_strconcat("__NODL_", upper, NULL);
    return g_steal_pointer(&upper);
}

static void add_row(MkLayout *layout, const Row *row, uint64_t *nand_start)
{
    g_autofree char *name = scatter_name(row->name);
    MkPartition *partition = mk_layout_add(layout, name);
    bool preloader = !strcmp(row->name, "preloader"), tail = !strcmp(row->name, "bmtpool") || !strcmp(row->name, "otp");
    partition->size = row->size;
    mk_scatter_v0_properties(partition, layout->storage);
    if (row->nand) {
        partition->region = MK_REGION_NAND;
        partition->linear = partition->physical = *nand_start;
        *nand_start += row->size;
        return;
    }
    partition->region = MK_REGION_LINEAR;
    /* The preloader row's size is the header in front of the user area. */
    partition->linear = preloader ? 0
                        : tail    ? 0xFFFF0000 | (row->size / 0x20000 & 0xFFFF)
                                  : row->start + layout->header;
    partition->physical = tail ? partition->linear : row->start;
    partition->reserved = tail;
}

MkLayout *mk_dumchar_parse(const char *text, size_t length, GPtrArray *findings, GError **error)
{
    g_autofree char *copy = g_strndup(text, length);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_DUMCHAR);
    uint64_t nand_start = 0, end = 0;
    layout->block_size = 0x20000;
    for (unsigned i = 0; lines[i] && layout->partitions->len < 128; i++) {
        Row row = {0};
        if (!parse_row(lines[i], &row)) {
            if (layout->partitions->len)
                break; /* the legend below the rows */
            continue;
        }
        if (!layout->partitions->len) {
            layout->storage = row.nand ? MK_STORAGE_NAND : MK_STORAGE_EMMC;
            layout->header = !row.nand && !strcmp(row.name, "preloader") ? row.size : 0;
        } else if (!row.nand && row.start < UINT64_C(0xFE000000) && row.start != end && end)
            mk_finding_add(findings, MK_SEVERITY_WARN, "dumchar.gap", i + 1,
                           _("%s does not begin where the row before it ends."), row.name);
        if (strcmp(row.name, "preloader"))
            end = row.start + row.size;
        add_row(layout, &row, &nand_start);
        g_free(row.name);
    }
    if (layout->partitions->len < 2) {
        mk_fault_set(error, MK_FAULT_SCATTER,
                     _("This is no dumchar_info listing: no rows \"name 0xSIZE 0xSTART type device\" were found."));
        return NULL;
    }
    return g_steal_pointer(&layout);
}
