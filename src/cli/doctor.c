/* medik doctor: why a phone is not reached, and the cure. */
#include "cli/cli.h"
#include "core/i18n.h"
#include "link/doctor.h"

#include <unistd.h>

typedef struct {
    char *root;
    gboolean rules, install, yes;
} Doctor;

static int examine(MkCli *cli, const MkDoctor *doctor)
{
    g_autoptr(GPtrArray) findings = mk_doctor_examine(doctor);
    bool verbose = cli->verbose;
    cli->verbose = true; /* here the notes are what was asked for */
    mk_cli_findings(cli, findings);
    cli->verbose = verbose;
    MkSeverity worst = mk_findings_worst(findings);
    if (worst == MK_SEVERITY_NOTE)
        mk_cli_say(cli, "%s", _("Nothing stands in the way."));
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_string(event, "worst", mk_severity_name(worst));
    mk_json_int(event, "findings", findings->len);
    return mk_cli_done(cli, event);
}

static bool agreed(const MkCli *cli, const Doctor *options, const char *rules, GError **error)
{
    char answer[16] = "";
    if (options->yes)
        return true;
    if (!cli->json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
        fprintf(stderr, "%s\n%s ", rules, _("Install these rules in /etc/udev/rules.d? Type yes to go on:"));
        fflush(stderr);
        if (fgets(answer, sizeof answer, stdin) && g_ascii_strcasecmp(g_strstrip(answer), "yes") == 0)
            return true;
    }
    mk_fault_set(error, MK_FAULT_REFUSED, _("The rules were not installed: agree with --yes."));
    return false;
}

/* udev reads the rules by itself; phones that are plugged in already are looked at again only when told. */
static void tell_udev(MkCli *cli)
{
    static const char *const commands[] = {"udevadm control --reload",
                                           "udevadm trigger --subsystem-match=usb --action=add"};
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        int status = 0;
        if (!g_spawn_command_line_sync(commands[i], NULL, NULL, &status, NULL) || status)
            mk_cli_say(cli, _("`%s` did not work; unplug the phone and plug it in again."), commands[i]);
    }
}

static int install(MkCli *cli, const MkDoctor *doctor, const Doctor *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *rules = mk_doctor_rules(), *path = NULL;
    if (!agreed(cli, options, rules, &error) || !mk_doctor_install_rules(doctor, &path, &error))
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, _("Installed: %s"), path);
    if (!*doctor->root)
        tell_udev(cli);
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_string(event, "rules", path);
    return mk_cli_done(cli, event);
}

int mk_cli_doctor(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Doctor options = {0};
    const GOptionEntry entries[] = {
        {"rules", 0, 0, G_OPTION_ARG_NONE, &options.rules, N_("Print the udev rules and do nothing else"), NULL},
        {"install-rules", 0, 0, G_OPTION_ARG_NONE, &options.install,
         N_("Install the udev rules (as root; shows them and asks)"), NULL},
        {"yes", 'y', 0, G_OPTION_ARG_NONE, &options.yes, N_("Install without asking"), NULL},
        {"root", 0, 0, G_OPTION_ARG_FILENAME, &options.root, N_("Examine the system that is mounted in this folder"),
         "FOLDER"},
        {NULL},
    };
    bool parsed = mk_cli_parse(
        cli, &argc, &argv, "",
        _("Says why a phone is not reached: rights, programs and drivers on its port, hubs, virtual machines, and what "
          "to do about each. Changes nothing, except with --install-rules.\n\nExample: medik doctor"),
        0, entries, 0, 0, &error);
    MkDoctor doctor = {.root = options.root ? options.root : ""};
    int exit = MK_EXIT_DONE;
    if (!parsed) {
        exit = mk_cli_fail(cli, error);
    } else if (options.rules) {
        g_autofree char *rules = mk_doctor_rules();
        if (!cli->json)
            fputs(rules, stdout);
        JsonBuilder *event = mk_cli_event_new("result");
        mk_json_string(event, "rules", rules);
        exit = mk_cli_done(cli, event);
    } else {
        exit = options.install ? install(cli, &doctor, &options) : examine(cli, &doctor);
    }
    g_free(options.root);
    return exit;
}
