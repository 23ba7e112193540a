/* medik table: the partition table, on a phone or in a file. */
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

typedef struct {
    char *from;
} Table;

static void show(MkCli *cli, const MkLayout *layout)
{
    mk_cli_say(cli, _("%s, %u partitions"), mk_layout_kind_name(layout->kind), layout->partitions->len);
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        g_autofree char *size = mk_size_text(partition->size);
        uint64_t start = partition->resolved                     ? partition->start
                         : partition->region == MK_REGION_LINEAR ? partition->linear
                                                                 : partition->physical;
        mk_cli_say(cli, "  %-16s %-6s 0x%010" G_GINT64_MODIFIER "X  0x%010" G_GINT64_MODIFIER "X  %-11s %c  %s",
                   partition->name, mk_region_name(partition->region), start, partition->size, size,
                   (char)mk_partition_class(partition), mk_class_words(mk_partition_class(partition)));
        JsonBuilder *event = mk_cli_event_new("partition");
        mk_json_string(event, "name", partition->name);
        mk_json_string(event, "region", mk_region_name(partition->region));
        mk_json_int(event, "start", (gint64)start);
        mk_json_int(event, "size", (gint64)partition->size);
        mk_cli_event(cli, event);
    }
}

static bool require_layout(const MkSession *session, GError **error)
{
    if (!session->layout)
        mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
                            _("The phone has no partition table that can be read."));
    return session->layout != NULL;
}

static bool table_show(MkCli *cli, MkSession *session, G_GNUC_UNUSED const char *argument,
                       G_GNUC_UNUSED JsonBuilder *result, GError **error)
{
    if (!require_layout(session, error))
        return false;
    show(cli, session->layout);
    return true;
}

static bool table_check(MkCli *cli, MkSession *session, G_GNUC_UNUSED const char *argument,
                        G_GNUC_UNUSED JsonBuilder *result, GError **error)
{
    g_autoptr(GPtrArray) findings = mk_findings_new();
    if (!require_layout(session, error))
        return false;
    mk_layout_check(session->layout, &session->agent->info.geometry, findings);
    mk_cli_findings(cli, findings);
    MkSeverity worst = MAX(mk_findings_worst(findings), mk_findings_worst(session->findings));
    if (worst >= MK_SEVERITY_WARN) {
        mk_fault_set(error, MK_FAULT_TABLE_BAD, _("The partition table is not in order; what was found is above."));
        return false;
    }
    mk_cli_say(cli, "%s", _("The partition table is in order."));
    return true;
}

static bool table_diff(MkCli *cli, MkSession *session, const char *path, JsonBuilder *result, GError **error)
{
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) loaded = require_layout(session, error) ? mk_cli_load_layout(path, findings, error) : NULL;
    g_autoptr(MkLayout) load = loaded ? mk_layout_for_storage(loaded, session->agent->info.storage) : NULL;
    if (loaded && !load)
        mk_fault_set(error, MK_FAULT_STOR_MISMATCH, _("%s has no layout for %s, which this phone has."), path,
                     mk_storage_name(session->agent->info.storage));
    if (!load || !mk_layout_resolve(load, &session->agent->info.geometry, error))
        return false;
    g_autoptr(GPtrArray) diffs = mk_layout_compare(session->layout, load);
    unsigned count = mk_cli_diffs(cli, diffs);
    mk_json_bool(result, "same", count == 0);
    mk_cli_say(cli, count ? _("The phone's layout and %s differ.") : _("The phone's layout and %s are the same."),
               path);
    return true;
}

static bool table_save(MkCli *cli, MkSession *session, const char *path, JsonBuilder *result, GError **error)
{
    if (!require_layout(session, error))
        return false;
    g_autoptr(MkLayout) named = mk_layout_copy(session->layout);
    if (!named->platform)
        named->platform = g_strdup(mk_soc_name(session->target->soc));
    if (named->storage == MK_STORAGE_UNKNOWN)
        named->storage = session->agent->info.storage;
    MkLayoutKind kind = mk_scatter_kind_for(named);
    g_autoptr(MkLayout) scatter = mk_scatter_from_table(named, kind, &session->agent->info.geometry);
    g_autofree char *text = mk_scatter_write(scatter, kind, NULL, error);
    if (!text || !mk_cli_write_new(path, text, error))
        return false;
    mk_json_string(result, "file", path);
    mk_cli_say(cli, _("The table is saved as the scatter file %s."), path);
    return true;
}

static bool can_diff(const char *path, GError **error)
{
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) layout = mk_cli_load_layout(path, findings, error);
    return layout != NULL;
}

static bool can_save(const char *path, GError **error)
{
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    mk_fault_set(error, MK_FAULT_FILE, _("%s exists already; nothing is overwritten. Choose another name."), path);
    return false;
}

typedef struct {
    const char *name;
    bool (*work)(MkCli *cli, MkSession *session, const char *argument, JsonBuilder *result, GError **error);
    bool (*prepare)(const char *argument, GError **error); /* before the phone is caught, or NULL */
    bool argument;
} Action;

static const Action actions[] = {
    {"show", table_show, NULL, false},
    {"check", table_check, NULL, false},
    {"diff", table_diff, can_diff, true},
    {"save", table_save, can_save, true},
};

static int read_only(MkCli *cli, const Action *action, const char *argument)
{
    g_autoptr(GError) error = NULL;
    if (action->prepare && !action->prepare(argument, &error))
        return mk_cli_fail(cli, error);
    g_autoptr(MkSession) session = mk_cli_session(cli, NULL, false, &error);
    if (!session)
        return mk_cli_fail(cli, error);
    JsonBuilder *result = mk_cli_event_new("result");
    bool good = action->work(cli, session, argument, result, &error);
    if (mk_cli_leave(cli, session, MK_CLI_AFTER_READING, good ? &error : NULL) && good)
        return mk_cli_done(cli, result);
    g_object_unref(result);
    return mk_cli_fail(cli, error);
}

static int repair(MkCli *cli, const Table *table)
{
    g_autoptr(GError) error = NULL;
    bool from_copy = table->from && strcmp(table->from, "copy") == 0;
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) layout = table->from && !from_copy ? mk_cli_load_layout(table->from, findings, &error) : NULL;
    mk_cli_findings(cli, findings);
    g_autoptr(MkSession) session = error ? NULL : mk_cli_session(cli, NULL, false, &error);
    MkRepairFrom from = from_copy ? MK_REPAIR_FROM_COPY : layout ? MK_REPAIR_FROM_LAYOUT : MK_REPAIR_AUTO;
    g_autoptr(MkPlan) plan = session ? mk_plan_table_repair(session, from, layout, &cli->consent, &error) : NULL;
    return plan ? mk_cli_run_plan(cli, session, plan) : mk_cli_fail(cli, error);
}

static int show_file(MkCli *cli, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) layout = mk_cli_load_layout(path, findings, &error);
    mk_cli_findings(cli, findings);
    if (!layout)
        return mk_cli_fail(cli, error);
    show(cli, layout);
    return mk_cli_done(cli, NULL);
}

static int run(MkCli *cli, const Table *table, const char *name, const char *argument)
{
    g_autoptr(GError) error = NULL;
    if (strcmp(name, "repair") == 0 && !argument)
        return repair(cli, table);
    if (strcmp(name, "show") == 0 && argument)
        return show_file(cli, argument);
    for (unsigned i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(name, actions[i].name) == 0 && actions[i].argument == (argument != NULL))
            return read_only(cli, &actions[i], argument);
    }
    mk_fault_set(&error, MK_FAULT_USAGE,
                 _("Give one of: show [FILE], check, diff FILE, save FILE, repair [--from FILE|copy]."));
    return mk_cli_fail(cli, error);
}

int mk_cli_table(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Table table = {0};
    const GOptionEntry entries[] = {
        {"from", 0, 0, G_OPTION_ARG_FILENAME, &table.from,
         N_("repair: the ROM's scatter (or a saved table), or \"copy\" for the phone's other copy"), "FILE"},
        {NULL},
    };
    bool parsed =
        mk_cli_parse(cli, &argc, &argv, _("show [FILE] | check | diff FILE | save FILE | repair"),
                     _("The partition table: shows it, checks it, compares it with a scatter, saves it as a scatter, "
                       "and repairs it. Repairing writes the table's own sectors only; data stay where they are.\n\n"
                       "Example: medik table repair --from MT6577_Android_scatter_emmc.txt --yes "
                       "--da MTK_AllInOne_DA.bin"),
                     MK_CLI_PHONE | MK_CLI_PLAN, entries, 1, 2, &error);
    int exit = parsed ? run(cli, &table, argv[1], argc > 2 ? argv[2] : NULL) : mk_cli_fail(cli, error);
    g_free(table.from);
    return exit;
}
