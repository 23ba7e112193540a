/* medik identity: what makes this phone this phone, kept on this computer. */
#include "cli/cli.h"
#include "core/i18n.h"
#include "flash/backup.h"

#include <string.h>

static void show_set(MkCli *cli, const MkIdentitySet *set)
{
    MkIdentityWorth worth = mk_identity_worth(set);
    mk_cli_say(cli, _("%s, phone %.8s, %s"), set->folder, set->phone_id, mk_identity_worth_words(worth));
    for (guint i = 0; i < set->files->len; i++) {
        const MkIdentityFile *file = set->files->pdata[i];
        mk_cli_say(cli, "  %-12s %s%s", file->name, file->note ? file->note : "",
                   file->candidate ? _(" (saved by position, the table did not name it)") : "");
    }
    JsonBuilder *event = mk_cli_event_new("identity");
    mk_json_string(event, "folder", set->folder);
    mk_json_string(event, "phone", set->phone_id);
    mk_json_string(event, "date", set->date);
    mk_json_string(event, "worth", mk_identity_worth_id(worth));
    mk_json_int(event, "files", set->files->len);
    mk_cli_event(cli, event);
}

static int save(MkCli *cli)
{
    g_autoptr(GError) error = NULL;
    bool existed = false;
    g_autoptr(MkSession) session = mk_cli_session(cli, NULL, false, &error);
    g_autoptr(MkIdentitySet) set = session && mk_cli_turn_claim(session->id, &error)
                                       ? mk_identity_save(session, NULL, &existed, mk_cli_progress(cli), &error)
                                       : NULL;
    if (!set)
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, "%s", existed ? _("This identity set was saved before:") : _("The identity set is saved:"));
    show_set(cli, set);
    if (!mk_cli_leave(cli, session, MK_CLI_AFTER_READING, &error))
        return mk_cli_fail(cli, error);
    return mk_cli_done(cli, NULL);
}

/* Every set of every phone; needs no phone. */
static int list(MkCli *cli)
{
    g_autofree char *home = mk_home(), *folder = g_build_filename(home, "phones", NULL);
    g_autoptr(GDir) phones = g_dir_open(folder, 0, NULL);
    unsigned count = 0;
    for (const char *name; phones && (name = g_dir_read_name(phones));) {
        g_autofree char *phone = g_build_filename(folder, name, NULL);
        g_autoptr(GPtrArray) sets = mk_identity_list(phone);
        for (guint i = 0; i < sets->len; i++, count++) {
            const MkIdentitySet *set = sets->pdata[i];
            g_autoptr(MkIdentitySet) whole = mk_identity_load(set->folder, NULL);
            show_set(cli, whole ? whole : set);
        }
    }
    if (count == 0)
        mk_cli_say(cli, _("No identity set is kept in %s."), folder);
    return mk_cli_done(cli, NULL);
}

static int restore(MkCli *cli, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkIdentitySet) named = folder ? mk_identity_load(folder, &error) : NULL;
    if (folder && !named)
        return mk_cli_fail(cli, error);
    g_autoptr(MkSession) session = mk_cli_session(cli, NULL, false, &error);
    g_autoptr(MkPlan) plan = session ? mk_plan_identity_restore(session, folder, &cli->consent, &error) : NULL;
    return plan ? mk_cli_run_plan(cli, session, plan) : mk_cli_fail(cli, error);
}

int mk_cli_identity(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    if (!mk_cli_parse(
            cli, &argc, &argv, _("save | list | restore [FOLDER]"),
            _("Keeps what no ROM holds: IMEI, serial numbers, calibration, locks. Medik saves it by itself before "
              "it first writes to a phone; here it is done by hand, listed, and put back: the newest set "
              "whose NVRAM is good, or the FOLDER you name. A set of another phone is refused.\n\nExample: medik "
              "identity save --da "
              "MTK_AllInOne_DA.bin"),
            MK_CLI_PHONE | MK_CLI_PLAN | MK_CLI_ALL, NULL, 1, 2, &error))
        return mk_cli_fail(cli, error);
    if (strcmp(argv[1], "save") == 0 && argc == 2)
        return save(cli);
    if (strcmp(argv[1], "list") == 0 && argc == 2)
        return list(cli);
    if (strcmp(argv[1], "restore") == 0)
        return restore(cli, argc > 2 ? argv[2] : NULL);
    mk_fault_set(&error, MK_FAULT_USAGE, _("Give one of: save, list, restore [FOLDER]."));
    return mk_cli_fail(cli, error);
}
