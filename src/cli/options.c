/* The options that commands have in common. */
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/i18n.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

MkCli *mk_cli_new(void)
{
    MkCli *cli = g_new0(MkCli, 1);
    cli->timeout = 120;
    cli->battery = MK_BATTERY_AUTO;
    cli->verify = MK_VERIFY_FULL;
    return cli;
}

void mk_cli_free(MkCli *cli)
{
    if (!cli)
        return;
    char *texts[] = {cli->log,    cli->port,      cli->da,          cli->preloader,    cli->scatter,
                     cli->auth,   cli->cert,      cli->key,         cli->sign_command, cli->trace,
                     cli->prefix, cli->rom_agent, cli->rom_project, cli->plan_out,     cli->run_plan};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free((char *)cli->consent.erase_identity);
    g_free((char *)cli->consent.expert);
    g_strfreev(cli->accept);
    mk_progress_free(cli->progress);
    mk_trace_free(cli->trace_file);
    if (cli->log_file)
        fclose(cli->log_file);
    g_free(cli);
}

static bool choose(const char *option, const char *value, const char *const *names, int *chosen, GError **error)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], value) == 0) {
            *chosen = i;
            return true;
        }
    g_autofree char *all = g_strjoinv(", ", (char **)names);
    mk_fault_set(error, MK_FAULT_USAGE, _("%s cannot be \"%s\"; it is one of: %s."), option, value, all);
    return false;
}

static gboolean take_battery(const char *option, const char *value, gpointer data, GError **error)
{
    MkCli *cli = data;
    static const char *const names[] = {"auto", "with", "without", NULL};
    return choose(option, value, names, &cli->battery, error);
}

static gboolean take_after(const char *option, const char *value, gpointer data, GError **error)
{
    MkCli *cli = data;
    static const char *const names[] = {"stay", "reboot", "off", "meta", "fastboot", NULL};
    int after = 0;
    if (!choose(option, value, names, &after, error))
        return FALSE;
    cli->after = (MkAfter)after;
    cli->after_set = true;
    return TRUE;
}

static gboolean take_verify(const char *option, const char *value, gpointer data, GError **error)
{
    MkCli *cli = data;
    static const char *const names[] = {"none", "quick", "full", NULL};
    int verify = 0;
    if (!choose(option, value, names, &verify, error))
        return FALSE;
    cli->verify = (MkVerify)verify;
    return TRUE;
}

/* GOption wants gboolean where MkConsent has bool: one callback per flag keeps the two apart. */
static gboolean take_flag(const char *option, const char *value, gpointer data, GError **error)
{
    MkCli *cli = data;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"--all", &cli->all},
        {"--json", &cli->json},
        {"--quiet", &cli->quiet},
        {"-q", &cli->quiet},
        {"--verbose", &cli->verbose},
        {"-v", &cli->verbose},
        {"--dry-run", &cli->consent.dry_run},
        {"--yes", &cli->consent.yes},
        {"--restart", &cli->consent.restart},
        {"--erase-user-data", &cli->consent.erase_user_data},
        {"--no-identity-backup", &cli->consent.no_identity_backup},
        {"--i-know-this-does-not-match", &cli->consent.mismatch},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        if (strcmp(flags[i].name, option) == 0)
            *flags[i].flag = true;
    return TRUE;
}

#define FLAG(name, letter, text)                                                                                       \
    {                                                                                                                  \
        name, letter, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, take_flag, text, NULL                               \
    }

static GOptionGroup *group_new(MkCli *cli, const char *name, const char *title, const char *help,
                               const GOptionEntry *entries)
{
    GOptionGroup *group = g_option_group_new(name, title, help, cli, NULL);
    g_option_group_set_translation_domain(group, GETTEXT_PACKAGE);
    g_option_group_add_entries(group, entries);
    return group;
}

static void add_output_options(MkCli *cli, GOptionContext *context)
{
    const GOptionEntry entries[] = {
        FLAG("json", 0, N_("One JSON object per line on stdout, words on stderr")),
        FLAG("quiet", 'q', N_("Say only what went wrong")),
        FLAG("verbose", 'v', N_("Say more")),
        {"log", 0, 0, G_OPTION_ARG_FILENAME, &cli->log, N_("Append what is said to this file, with the time"), "FILE"},
        {NULL},
    };
    g_option_context_add_group(context,
                               group_new(cli, "output", _("Output:"), _("Show the options of output"), entries));
    g_option_context_set_help_enabled(context, TRUE);
}

static void add_phone_options(MkCli *cli, GOptionContext *context)
{
    /* The two that everybody needs stand in the short help too. */
    const GOptionEntry common[] = {
        {"port", 'p', 0, G_OPTION_ARG_FILENAME, &cli->port,
         N_("Where the phone is or will appear (the one on USB): a bus path (1-2.3), /dev/ttyACM0, a pty, socket:PATH, "
            "socket:HOST:PORT"),
         "PORT"},
        {"da", 0, 0, G_OPTION_ARG_FILENAME, &cli->da, N_("Download Agent file (default: searched)"), "FILE"},
        {NULL},
    };
    const GOptionEntry entries[] = {
        {"preloader", 0, 0, G_OPTION_ARG_FILENAME, &cli->preloader, N_("Preloader with the DRAM settings"), "FILE"},
        {"scatter", 0, 0, G_OPTION_ARG_FILENAME, &cli->scatter,
         N_("The ROM's scatter; it also names the partitions of a phone whose table has no names"), "FILE"},
        {"auth", 0, 0, G_OPTION_ARG_FILENAME, &cli->auth, N_("The maker's auth file"), "FILE"},
        {"cert", 0, 0, G_OPTION_ARG_FILENAME, &cli->cert, N_("The maker's certificate"), "FILE"},
        {"key", 0, 0, G_OPTION_ARG_FILENAME, &cli->key, N_("RSA key (PEM) for the phone's challenge"), "FILE"},
        {"sign-command", 0, 0, G_OPTION_ARG_STRING, &cli->sign_command,
         N_("Program that answers the phone's challenge (stdin to stdout)"), "COMMAND"},
        {"battery", 0, 0, G_OPTION_ARG_CALLBACK, take_battery, N_("Power of the phone: with, without, auto"), "MODE"},
        {"timeout", 0, 0, G_OPTION_ARG_INT, &cli->timeout, N_("Wait so long for the phone (120; 0: for ever)"),
         "SECONDS"},
        {"trace", 0, 0, G_OPTION_ARG_FILENAME, &cli->trace, N_("Record every byte to this new file"), "FILE"},
        {"after", 0, 0, G_OPTION_ARG_CALLBACK, take_after, N_("Leave the phone so: stay, reboot, off, meta, fastboot"),
         "STATE"},
        {NULL},
    };
    g_option_context_add_main_entries(context, common, GETTEXT_PACKAGE);
    g_option_context_add_group(
        context, group_new(cli, "phone", _("Phone:"), _("Show the other options about the phone"), entries));
}

static void add_plan_options(MkCli *cli, GOptionContext *context)
{
    const GOptionEntry entries[] = {
        FLAG("dry-run", 'n', N_("Show the plan, do nothing")),
        FLAG("yes", 'y', N_("The plan needs no question")),
        {"plan-out", 0, 0, G_OPTION_ARG_FILENAME, &cli->plan_out, N_("Keep the plan in this file, do nothing"), "FILE"},
        {"run-plan", 0, 0, G_OPTION_ARG_FILENAME, &cli->run_plan,
         N_("Go on only if the plan is the one in this file (`medik --run-plan FILE` also asks for it)"), "FILE"},
        FLAG("restart", 0, N_("Begin an interrupted job anew instead of continuing it")),
        {"verify", 0, 0, G_OPTION_ARG_CALLBACK, take_verify, N_("Compare what was written: none, quick, full (full)"),
         "HOW"},
        FLAG("erase-user-data", 0, N_("Agree that photos, messages and apps will be lost")),
        {"erase-identity", 0, 0, G_OPTION_ARG_STRING, &cli->consent.erase_identity,
         N_("Agree that identity or security data will be lost on the phone with this short id"), "SHORTID"},
        FLAG("no-identity-backup", 0, N_("Do not save the identity first (it cannot be made again)")),
        FLAG("i-know-this-does-not-match", 0, N_("Write a ROM that is not for this phone")),
        {"expert", 0, 0, G_OPTION_ARG_STRING, &cli->consent.expert,
         N_("Allow raw addresses on the phone with this short id"), "SHORTID"},
        {"accept", 0, 0, G_OPTION_ARG_STRING_ARRAY, &cli->accept,
         N_("Accept the danger with this id, as the plan names it; repeatable: D-PARTIAL, F-KIND, F-SAME, I-BLANK, "
            "I-CHIP-SET, I-DRAM, I-PROJECT-PHONE, K-MTKHDR, K-NAME, K-PAGE, K-VERITY, T-EVIDENCE, T-GOOD, X-BUILDPROP"),
         "ID"},
        {NULL},
    };
    g_option_context_add_group(
        context, group_new(cli, "plan", _("Plan:"), _("Show the options of plans and what they may destroy"), entries));
}

static void add_all_option(MkCli *cli, GOptionContext *context)
{
    const GOptionEntry entries[] = {
        FLAG("all", 0, N_("Every phone on USB, and those that come within --timeout, at the same time")),
        {NULL},
    };
    g_option_context_add_group(
        context, group_new(cli, "many", _("Many phones:"), _("Show the options for many phones"), entries));
}

/* One of many phones writes into files of its own. */
static void divide(char **path, const char *prefix)
{
    if (!*path)
        return;
    char *own = g_strdup_printf("%s.%s", *path, prefix);
    g_free(*path);
    *path = own;
}

static bool open_files(MkCli *cli, GError **error)
{
    if (cli->prefix) {
        divide(&cli->log, cli->prefix);
        divide(&cli->trace, cli->prefix);
        divide(&cli->plan_out, cli->prefix);
    }
    if (cli->log && !(cli->log_file = fopen(cli->log, "ae"))) {
        mk_fault_set_errno(error, false, errno, _("Cannot open the log"), cli->log);
        return false;
    }
    return !cli->trace || (cli->trace_file = mk_trace_open(cli->trace, error));
}

bool mk_cli_parse(MkCli *cli, int *argc, char ***argv, const char *parameters, const char *help, unsigned groups,
                  const GOptionEntry *entries, int minimum, int maximum, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new(parameters);
    g_option_context_set_summary(context, help);
    if (entries)
        g_option_context_add_main_entries(context, entries, GETTEXT_PACKAGE);
    if (groups & MK_CLI_PHONE)
        add_phone_options(cli, context);
    if (groups & MK_CLI_PLAN)
        add_plan_options(cli, context);
    if (groups & MK_CLI_ALL)
        add_all_option(cli, context);
    add_output_options(cli, context);
    /* Parsing ends at the first mistake, and the program that called wants to hear of it as it asked. */
    bool json = g_strv_contains((const char *const *)*argv, "--json");
    g_autoptr(GError) trouble = NULL;
    if (!g_option_context_parse(context, argc, argv, &trouble)) {
        cli->json = json;
        mk_fault_set(error, MK_FAULT_USAGE, "%s", trouble->message);
        return false;
    }
    /* "--" is left in place by GOption. */
    if (*argc > 1 && strcmp((*argv)[1], "--") == 0) {
        memmove(*argv + 1, *argv + 2, sizeof(**argv) * (size_t)(*argc - 1));
        (*argc)--;
    }
    cli->consent.dry_run |= cli->plan_out != NULL;
    cli->consent.accept = (const char *const *)cli->accept;
    cli->cancel = mk_cli_interruptible();
    int given = *argc - 1;
    if (given < minimum || (maximum >= 0 && given > maximum)) {
        mk_fault_set(error, MK_FAULT_USAGE, _("%s takes: %s"), g_get_prgname(), parameters);
        return false;
    }
    if (cli->timeout < 0 || cli->timeout > G_MAXINT / 1000) {
        mk_fault_set(error, MK_FAULT_USAGE, _("--timeout %d makes no sense."), cli->timeout);
        return false;
    }
    if (cli->all && !mk_cli_turn())
        exit(mk_cli_serve_all(cli)); /* the threads come here again, each for its phone */
    cli->prefix = g_strdup(mk_cli_turn());
    return open_files(cli, error);
}

bool mk_cli_parse_region(const char *text, MkRegion *region, GError **error)
{
    if (mk_region_from_name(text, region))
        return true;
    mk_fault_set(error, MK_FAULT_USAGE, _("There is no region \"%s\" (user, boot1, boot2, nand, lu0 …)."), text);
    return false;
}

bool mk_cli_parse_number(const char *option, const char *text, uint64_t *value, GError **error)
{
    if (mk_parse_size(text, value))
        return true;
    mk_fault_set(error, MK_FAULT_USAGE, _("%s cannot be \"%s\"; write 4096, 0x1000, 16M or 4G."), option, text);
    return false;
}
