/* medik write: one image, one range or a backup to the phone. */
#include "cli/cli.h"
#include "core/i18n.h"

typedef struct {
    char *backup, *region, *offset;
    MkRegion place;
    uint64_t start;
} Write;

/* Everything that can be judged without the phone. */
static bool prepare(Write *write, char **names, GError **error)
{
    if (write->backup) {
        g_autofree char *manifest = g_build_filename(write->backup, "manifest.json", NULL);
        return mk_cli_need_file(manifest, error);
    }
    return (!write->region || mk_cli_parse_region(write->region, &write->place, error)) &&
           (!write->offset || mk_cli_parse_number("--offset", write->offset, &write->start, error)) &&
           mk_cli_need_file(names[write->region ? 0 : 1], error);
}

static MkPlan *make_plan(MkCli *cli, MkSession *session, const Write *write, char **names, GError **error)
{
    if (write->backup)
        return mk_plan_restore_backup(session, write->backup, &cli->consent, error);
    if (!write->region)
        return mk_plan_write_partition(session, names[0], names[1], &cli->consent, error);
    return mk_plan_write_range(session, write->place, write->start, names[0], &cli->consent, error);
}

static int work(MkCli *cli, const Write *write, char **names)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSession) session = mk_cli_session(cli, write->backup, false, &error);
    g_autoptr(MkPlan) plan = session ? make_plan(cli, session, write, names, &error) : NULL;
    return plan ? mk_cli_run_plan(cli, session, plan) : mk_cli_fail(cli, error);
}

int mk_cli_write(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Write write = {0};
    const GOptionEntry entries[] = {
        {"backup", 0, 0, G_OPTION_ARG_FILENAME, &write.backup, N_("Put back a folder that `medik save` made"),
         "FOLDER"},
        {"region", 0, 0, G_OPTION_ARG_STRING, &write.region, N_("Write at an address of this region (expert)"),
         "REGION"},
        {"offset", 0, 0, G_OPTION_ARG_STRING, &write.offset, N_("Where in the region"), "BYTES"},
        {NULL},
    };
    int exit;
    bool parsed = mk_cli_parse(cli, &argc, &argv, _("[PARTITION] [FILE]"),
                               _("Writes one image to one partition by its name, FILE to a range (--region, --offset), "
                                 "or a saved folder (--backup). The identity is saved first, what was there is kept, "
                                 "what was written is read back and compared.\n\nExample: medik write recovery "
                                 "recovery.img --yes --da MTK_AllInOne_DA.bin"),
                               MK_CLI_PHONE | MK_CLI_PLAN | MK_CLI_ALL, entries, 0, 2, &error);
    int wanted = write.backup ? 0 : write.region ? 1 : 2;
    if (parsed && argc - 1 != wanted)
        mk_fault_set(&error, MK_FAULT_USAGE,
                     _("Give PARTITION FILE, or --region REGION FILE, or --backup FOLDER alone."));
    if (!error)
        prepare(&write, argv + 1, &error);
    exit = error ? mk_cli_fail(cli, error) : work(cli, &write, argv + 1);
    g_free(write.backup);
    g_free(write.region);
    g_free(write.offset);
    return exit;
}
