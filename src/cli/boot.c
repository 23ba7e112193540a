/* medik boot: META, fastboot, factory through the preloader. */
#include "boot/boot.h"
#include "cli/cli.h"
#include "core/i18n.h"

#define NEW_PORT_TIMEOUT 60 /* s; a kernel has to start */

static const char *mode_words(MkBootMode mode)
{
    static const char *const words[] = {
        [MK_MODE_META] = N_("in META mode"),         [MK_MODE_ADVANCED_META] = N_("in advanced META mode"),
        [MK_MODE_FACTORY] = N_("in factory mode"),   [MK_MODE_ATE] = N_("in ATE (factory test) mode"),
        [MK_MODE_FASTBOOT] = N_("in fastboot mode"), [MK_MODE_NORMAL] = N_("as usual")};
    return _(words[mode]);
}

int mk_cli_boot(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    int wait = NEW_PORT_TIMEOUT;
    const GOptionEntry entries[] = {
        {"wait", 0, 0, G_OPTION_ARG_INT, &wait, N_("Wait so long for the port that appears then (60; 0: do not)"),
         "SECONDS"},
        {NULL},
    };
    MkBootMode mode = MK_MODE_NORMAL;
    g_autofree char *answer = NULL, *new_port = NULL;
    bool parsed =
        mk_cli_parse(cli, &argc, &argv, _("meta | advanced-meta | factory | ate | fastboot | normal"),
                     _("Catches the preloader and tells it how to start the phone. Needs no Download Agent and "
                       "writes nothing.\n\nExample: medik boot meta"),
                     MK_CLI_PHONE, entries, 1, 1, &error);
    if (parsed && !mk_boot_mode_from_name(argv[1], &mode))
        mk_fault_set(&error, MK_FAULT_USAGE, _("There is no boot mode \"%s\"."), argv[1]);
    if (error || !mk_boot_mode(mk_cli_port(cli), mode, mk_cli_timeout(cli), CLAMP(wait, 0, 3600) * 1000,
                               cli->trace_file, mk_cli_state, cli, &answer, &new_port, cli->cancel, &error))
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, _("The preloader agreed: the phone starts %s."), mode_words(mode));
    if (cli->verbose)
        mk_cli_say(cli, _("Its own words: %s"), answer);
    if (new_port)
        mk_cli_say(cli, _("The phone is there again: %s"), new_port);
    else if (wait > 0)
        mk_cli_say(cli, _("No new port appeared within %d s."), wait);
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_string(event, "answer", answer);
    mk_json_string(event, "port", new_port);
    return mk_cli_done(cli, event);
}
