/* medik: the verbs. */
#include "cli/cli.h"
#include "core/i18n.h"

#include <locale.h>
#include <signal.h>
#include <string.h>

typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} Verb;

static const Verb verbs[] = {
    {"info", mk_cli_info, N_("say what the phone is and what is wrong with it")},
    {"save", mk_cli_save, N_("copy partitions, ranges or the whole device from the phone")},
    {"write", mk_cli_write, N_("write one image, one range or a backup to the phone")},
    {"flash", mk_cli_flash, N_("write a ROM to the phone, by scene")},
    {"erase", mk_cli_erase, N_("erase a partition, a range, or what a scene of \"Format\" erases")},
    {"verify", mk_cli_verify, N_("compare the phone with a ROM or a file")},
    {"table", mk_cli_table, N_("show, check, compare, save and repair the partition table")},
    {"identity", mk_cli_identity, N_("keep and restore what makes the phone this phone: IMEI, calibration")},
    {"scatter", mk_cli_scatter, N_("check, mend, make and convert scatter files")},
    {"rom", mk_cli_rom, N_("check a ROM folder without a phone")},
    {"boot", mk_cli_boot, N_("start the phone into META, fastboot or factory mode")},
    {"doctor", mk_cli_doctor, N_("say why a phone is not reached, and what to do about it")},
    {"watch", mk_cli_watch, N_("show which phones are plugged in, and in which state")},
    {"explain", mk_cli_explain, N_("explain an error of SP Flash Tool, of a phone or of Medik")},
    {"phone", mk_cli_phone, N_("a virtual phone, to practise and to test on")},
};

static int usage(FILE *out, int exit)
{
    fprintf(out, "%s\n\n", _("medik: first aid for MediaTek phones"));
    fprintf(out, "%s medik %s\n\n", _("Usage:"), _("VERB [OPTION…] [ARGUMENT…]"));
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        fprintf(out, "  %-9s %s\n", verbs[i].name, _(verbs[i].summary));
    fprintf(out, "\n%s\n", _("`medik VERB --help` tells more and shows an example that works."));
    return exit;
}

static const Verb *find_verb(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* ARGV[0] is the verb's name. */
static int run_verb(const Verb *verb, int argc, char **argv)
{
    g_autofree char *name = g_strdup_printf("medik %s", verb->name);
    g_set_prgname(name);
    argv[0] = name;
    mk_cli_remember_command(verb->run, argc, argv);
    return verb->run(argc, argv);
}

/* What a plan in a file asks for. */
static int run_plan(char **arguments)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = mk_cli_plan_words(arguments, &error);
    const Verb *verb = words ? find_verb(words[0]) : NULL;
    if (words && !verb)
        mk_fault_set(&error, MK_FAULT_FILE, _("The plan asks for \"%s\", which medik does not know."), words[0]);
    if (error) {
        g_autoptr(MkCli) cli = mk_cli_new();
        cli->json = g_strv_contains((const char *const *)arguments, "--json");
        return mk_cli_fail(cli, error);
    }
    g_autofree char **argv = g_memdup2(words, sizeof *words * (g_strv_length(words) + 1));
    return run_verb(verb, (int)g_strv_length(words), argv);
}

int main(int argc, char **argv)
{
    /* A pager that was closed, a signing program that reads nothing: no reason to die in the middle of a flash. */
    signal(SIGPIPE, SIG_IGN);
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, MEDIK_LOCALE_DIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    if (argc < 2)
        return usage(stderr, MK_EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout, MK_EXIT_DONE);
    if (strcmp(argv[1], "--version") == 0) {
        printf("medik %s\n", MEDIK_VERSION);
        return MK_EXIT_DONE;
    }
    if (mk_cli_is_run_plan(argv[1]))
        return run_plan(argv + 1);
    const Verb *verb = find_verb(argv[1]);
    if (verb)
        return run_verb(verb, argc - 1, argv + 1);
    if (g_strv_contains((const char *const *)argv, "--json")) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MkCli) cli = mk_cli_new();
        cli->json = true;
        mk_fault_set(&error, MK_FAULT_USAGE, _("There is no verb \"%s\"."), argv[1]);
        return mk_cli_fail(cli, error);
    }
    fprintf(stderr, _("medik: there is no verb \"%s\".\n\n"), argv[1]);
    return usage(stderr, MK_EXIT_USAGE);
}
