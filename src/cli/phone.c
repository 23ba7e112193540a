/* medik phone: a virtual phone, to practise and to test on. */
#include "cli/cli.h"
#include "core/i18n.h"
#include "phone/bootcheck.h"
#include "phone/content.h"
#include "phone/phone.h"

#include <string.h>

static int list_models(MkCli *cli)
{
    g_autoptr(GPtrArray) ids = mk_model_list();
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < ids->len; i++) {
        g_autoptr(MkModel) model = mk_model_load(ids->pdata[i], &error);
        if (!model)
            return mk_cli_fail(cli, error);
        if (cli->json) {
            JsonBuilder *event = mk_cli_event_new("model");
            mk_json_string(event, "id", model->id);
            mk_json_string(event, "title", model->title);
            mk_cli_event(cli, event);
        } else {
            printf("%-16s %s\n", model->id, model->title);
        }
    }
    return mk_cli_done(cli, NULL);
}

/* --- phone MODEL ------------------------------------------------------------------------------------------------------------ */

static void show(gpointer data, const char *what, const char *text)
{
    MkCli *cli = data;
    if (cli->json) {
        JsonBuilder *event = mk_cli_event_new(what);
        mk_json_string(event, "text", text);
        mk_cli_event(cli, event);
    } else {
        printf("%s: %s\n", what, text);
    }
    fflush(stdout);
}

/* "125us", "2ms", "1s"; a bare number is microseconds. */
static bool parse_pause(const char *text, unsigned *microseconds, GError **error)
{
    char *end;
    guint64 number = g_ascii_strtoull(text, &end, 10);
    guint64 unit = strcmp(end, "ms") == 0 ? 1000 : strcmp(end, "s") == 0 ? G_USEC_PER_SEC : 1;
    if (end != text && number <= 10 * G_USEC_PER_SEC / unit && (unit > 1 || !*end || strcmp(end, "us") == 0)) {
        *microseconds = (unsigned)(number * unit);
        return true;
    }
    mk_fault_set(error, MK_FAULT_USAGE, _("--turnaround cannot be \"%s\"; write 125us, 2ms or 1s."), text);
    return false;
}

static bool run(MkCli *cli, const char *id, const MkPhoneOptions *options, GError **error)
{
    g_autoptr(MkModel) model = mk_model_load(id, error);
    g_autoptr(MkPhone) phone = model ? mk_phone_new(model, options, error) : NULL;
    return phone && mk_phone_run(phone, cli->cancel, error);
}

static int run_phone(MkCli *cli, int argc, char **argv)
{
    MkPhoneOptions options = {.show = show, .show_data = cli};
    g_autofree char *flash = NULL, *link = NULL, *state = NULL, *key = NULL, *control = NULL, *rate = NULL,
                    *turnaround = NULL, *release = NULL;
    g_auto(GStrv) faults = NULL;
    gboolean borders = false, manual = false, exit_when_off = false, list = false;
    const GOptionEntry entries[] = {
        {"list", 0, 0, G_OPTION_ARG_NONE, &list, N_("Name the models"), NULL},
        {"flash", 0, 0, G_OPTION_ARG_FILENAME, &flash, N_("Folder of the storage; filled if empty, kept"), N_("DIR")},
        {"link", 0, 0, G_OPTION_ARG_STRING, &link, N_("Where it appears (default pty)"),
         "pty[:PATH]|socket:PATH|socket:HOST:PORT|usbip[:[HOST:]PORT]"},
        {"state", 0, 0, G_OPTION_ARG_STRING, &state, N_("What an empty folder is filled with (default stock)"),
         N_("STATE")},
        {"fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &faults, N_("Bad luck, e.g. unplug@rx:5000; repeatable"),
         N_("FAULT")},
        {"key", 0, 0, G_OPTION_ARG_STRING, &key, N_("Key held while it is plugged in: none, or download for BootROM"),
         N_("KEY")},
        {"control", 0, 0, G_OPTION_ARG_FILENAME, &control, N_("Socket for `medik phone ctl`"), N_("PATH")},
        {"borders", 0, 0, G_OPTION_ARG_NONE, &borders, N_("Be as strict about the borders of writes as USB is"), NULL},
        {"rate", 0, 0, G_OPTION_ARG_STRING, &rate, N_("Bytes per second of the cable"), N_("SIZE")},
        {"turnaround", 0, 0, G_OPTION_ARG_STRING, &turnaround, N_("Pause before each answer"), N_("TIME")},
        {"manual", 0, 0, G_OPTION_ARG_NONE, &manual, N_("Stay off until `ctl` plugs it in"), NULL},
        {"exit-when-off", 0, 0, G_OPTION_ARG_NONE, &exit_when_off, N_("End when it is off or has started"), NULL},
        {"agent-release", 0, 0, G_OPTION_ARG_STRING, &release, N_("Act as this release of the agent"),
         "G0|…|G4|X1|X2|X3|V1|V2"},
        {NULL}};
    g_autofree char *
        states = g_strjoinv(", ", (char **)mk_content_states),
       *help = g_strdup_printf(
           _("A phone in a process: BootROM, preloader, agent, storage, and what its owner would see.\n"
             "Also: phone ctl SOCKET ORDER…, phone rom MODEL DIR, phone da FILE, phone check MODEL DIR.\n"
             "States: %s. Faults and orders: see `man medik`.\n"
             "After a command the phone has started Android: `ctl` \"power long\", then \"plug\", catches it again.\n\n"
             "Example: medik phone mt6577-9300 --state wrong-rom --link pty:/tmp/phone --control /tmp/phone.ctl\n"
             "         medik info --port /tmp/phone      (in another window)"),
           states);
    g_autoptr(GError) error = NULL;
    if (!mk_cli_parse(cli, &argc, &argv, _("MODEL"), help, 0, entries, 0, 1, &error))
        return mk_cli_fail(cli, error);
    if (list)
        return list_models(cli);
    if (argc != 2) {
        mk_fault_set(&error, MK_FAULT_USAGE, _("Which model? `medik phone --list` names them."));
        return mk_cli_fail(cli, error);
    }
    options.flash_dir = flash;
    options.port = link;
    options.control = control;
    options.state = state;
    options.faults = (const char *const *)faults;
    options.borders = borders;
    options.manual = manual;
    options.key = key;
    options.exit_when_off = exit_when_off;
    options.log_path = cli->log;
    options.agent_release = release;
    bool good = (!release || mk_content_known_release(release, &error)) &&
                (!rate || mk_cli_parse_number("--rate", rate, &options.rate, &error)) &&
                (!turnaround || parse_pause(turnaround, &options.turnaround_us, &error)) &&
                run(cli, argv[1], &options, &error);
    return good ? mk_cli_done(cli, NULL) : mk_cli_fail(cli, error);
}

/* --- phone ctl, rom, da, check ----------------------------------------------------------------------------------------------- */

static int order(MkCli *cli, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!mk_cli_parse(
            cli, &argc, &argv, _("SOCKET ORDER…"),
            _("Gives a running virtual phone an order: state, plug, unplug, power [long], hold none|download, release, "
              "battery in|out|MILLIVOLTS, fault FAULT, wait MODE [SECONDS], screen, events, quit.\n\n"
              "Example: medik phone ctl /tmp/phone.ctl plug"),
            0, NULL, 2, -1, &error))
        return mk_cli_fail(cli, error);
    g_autofree char *line = g_strjoinv(" ", argv + 2), *answer = mk_phone_control(argv[1], line, &error);
    if (!answer)
        return mk_cli_fail(cli, error);
    printf("%s\n", answer);
    g_autoptr(JsonNode) node = mk_json_parse(answer, -1);
    JsonObject *object = node ? mk_json_object(node) : NULL;
    return object && mk_json_get_bool(object, "ok") ? MK_EXIT_DONE : MK_EXIT_PHONE_ERROR;
}

static int make_rom(MkCli *cli, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!mk_cli_parse(cli, &argc, &argv, _("MODEL FOLDER"),
                      _("Writes the stock ROM of a model of virtual phone: its scatter and its images.\n\n"
                        "Example: medik phone rom mt6577-9300 /tmp/rom"),
                      0, NULL, 2, 2, &error))
        return mk_cli_fail(cli, error);
    g_autoptr(MkModel) model = mk_model_load(argv[1], &error);
    if (!model || !mk_content_make_rom(model, argv[2], &error))
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, _("The ROM of %s is in %s."), model->title, argv[2]);
    return mk_cli_done(cli, NULL);
}

static bool write_bytes(const char *path, GBytes *bytes, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_EXISTS)) {
        mk_fault_set(error, MK_FAULT_FILE, _("%s is there already and stays as it is."), path);
        return false;
    }
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    return g_file_set_contents(path, data, (gssize)size, error);
}

static int make_da(MkCli *cli, int argc, char **argv)
{
    g_autofree char *release = NULL;
    const GOptionEntry entries[] = {{"release", 0, 0, G_OPTION_ARG_STRING, &release,
                                     N_("Release the agent says it is (default G3)"), "G0|…|G4|X1|X2|X3|V1|V2"},
                                    {NULL}};
    g_autoptr(GError) error = NULL;
    if (!mk_cli_parse(cli, &argc, &argv, _("FILE"),
                      _("Writes a Download Agent file for the virtual phones. Real phones cannot run it.\n\n"
                        "Example: medik phone da /tmp/MTK_AllInOne_DA.bin"),
                      0, entries, 1, 1, &error))
        return mk_cli_fail(cli, error);
    g_autoptr(GBytes) bytes = mk_content_make_da(release ? release : "G3", &error);
    if (!bytes || !write_bytes(argv[1], bytes, &error))
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, _("Wrote %s (%zu bytes)."), argv[1], g_bytes_get_size(bytes));
    return mk_cli_done(cli, NULL);
}

static int check(MkCli *cli, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (!mk_cli_parse(
            cli, &argc, &argv, _("MODEL FOLDER"),
            _("Says whether a virtual phone with the storage in FOLDER would start, and what its owner would see.\n\n"
              "Example: medik phone check mt6577-9300 /tmp/flash"),
            0, NULL, 2, 2, &error))
        return mk_cli_fail(cli, error);
    g_autoptr(MkModel) model = mk_model_load(argv[1], &error);
    g_autoptr(MkChip) chip = model ? mk_chip_open(model, argv[2], false, &error) : NULL;
    g_autoptr(MkBootReport) report = chip ? mk_bootcheck(chip, model, &error) : NULL;
    if (!report)
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, "screen: %s", report->sees);
    mk_cli_say(cli, "%s: %s", report->id, report->why);
    JsonBuilder *result = mk_cli_event_new("result");
    mk_json_string(result, "screen", report->id);
    mk_json_string(result, "sees", report->sees);
    mk_json_string(result, "why", report->why);
    mk_json_string(result, "build", report->build);
    mk_json_string(result, "imei", report->imei);
    return mk_cli_done(cli, result);
}

int mk_cli_phone(int argc, char **argv)
{
    static const struct {
        const char *word;
        int (*run)(MkCli *cli, int argc, char **argv);
    } words[] = {{"ctl", order}, {"rom", make_rom}, {"da", make_da}, {"check", check}};
    g_autoptr(MkCli) cli = mk_cli_new();
    for (size_t i = 0; argc > 1 && i < G_N_ELEMENTS(words); i++)
        if (strcmp(argv[1], words[i].word) == 0) {
            g_autofree char *name = g_strdup_printf("medik phone %s", argv[1]);
            g_set_prgname(name);
            return words[i].run(cli, argc - 1, argv + 1);
        }
    return run_phone(cli, argc, argv);
}
