/* medik save: from the phone to this computer. */
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/i18n.h"
#include "flash/backup.h"

typedef struct {
    char *preset, *region, *offset, *length;
    gboolean spare;
} Save;

static bool choose(const Save *save, char **names, MkSaveOptions *options, GError **error)
{
    bool by_range = save->region || save->offset || save->length;
    if ((save->preset != NULL) + (*names != NULL) + by_range > 1) {
        mk_fault_set(error, MK_FAULT_USAGE, _("Names, --preset and a range exclude each other."));
        return false;
    }
    if (*names) {
        options->partitions = (const char *const *)names;
        return true;
    }
    if (!by_range) {
        const char *preset = save->preset ? save->preset : "whole-device";
        options->use_preset = mk_preset_from_name(preset, &options->preset);
        if (!options->use_preset)
            mk_fault_set(error, MK_FAULT_USAGE,
                         _("There is no preset \"%s\"; there are identity, boot-chain, system, except-user-data, "
                           "until-cache, whole-device."),
                         preset);
        return options->use_preset;
    }
    if (!save->region || !save->length) {
        mk_fault_set(error, MK_FAULT_USAGE, _("A range wants --region and --length (and --offset, else 0)."));
        return false;
    }
    options->range = true;
    return mk_cli_parse_region(save->region, &options->region, error) &&
           (!save->offset || mk_cli_parse_number("--offset", save->offset, &options->offset, error)) &&
           mk_cli_parse_number("--length", save->length, &options->length, error);
}

/* A folder with something in it serves only if it is a save to go on with; whether of this phone and choice is seen later. */
static bool check_folder(const MkCli *cli, const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "manifest.json", NULL), *text = NULL;
    if (cli->prefix || !g_file_test(folder, G_FILE_TEST_EXISTS))
        return true;
    g_autoptr(JsonNode) root = g_file_get_contents(path, &text, NULL, NULL) ? mk_json_parse(text, -1) : NULL;
    JsonObject *manifest = mk_json_object(root);
    if (manifest && !mk_json_get_bool(manifest, "complete"))
        return true;
    mk_fault_set(error, MK_FAULT_FILE, _("%s exists already; nothing is overwritten. Choose another name."), folder);
    return false;
}

static int work(MkCli *cli, MkSaveOptions *options)
{
    g_autoptr(GError) error = NULL;
    if (!check_folder(cli, options->folder, &error))
        return mk_cli_fail(cli, error);
    g_autoptr(MkSession) session = mk_cli_session(cli, NULL, false, &error);
    MkSaveResult result = {0};
    g_autofree char *own = session && cli->prefix ? g_build_filename(options->folder, session->short_id, NULL)
                                                  : NULL; /* one of many phones */
    if (own)
        options->folder = own;
    options->progress = mk_cli_progress(cli);
    options->tell = mk_cli_state;
    options->tell_data = cli;
    if (!session || !mk_cli_turn_claim(session->id, &error) || !mk_save(session, options, &result, &error))
        return mk_cli_fail(cli, error);
    g_autofree char *size = mk_size_text(result.bytes);
    mk_cli_say(cli, ngettext("Saved %u file, %s, in %s.", "Saved %u files, %s, in %s.", result.files), result.files,
               size, result.folder);
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_string(event, "folder", result.folder);
    mk_json_int(event, "files", result.files);
    mk_json_int(event, "bytes", (gint64)result.bytes);
    mk_json_int(event, "unreadable", (gint64)result.unreadable);
    if (result.unreadable)
        mk_fault_set(&error, MK_FAULT_PARTIAL,
                     _("%" G_GUINT64_FORMAT " bytes could not be read; they are zero in the "
                       "files and listed in manifest.json."),
                     result.unreadable);
    mk_save_result_clear(&result);
    if (error || !mk_cli_leave(cli, session, MK_CLI_AFTER_READING, &error)) {
        g_object_unref(event);
        return mk_cli_fail(cli, error);
    }
    return mk_cli_done(cli, event);
}

int mk_cli_save(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Save save = {0};
    const GOptionEntry entries[] = {
        {"preset", 0, 0, G_OPTION_ARG_STRING, &save.preset,
         N_("identity, boot-chain, system, except-user-data, until-cache, whole-device"), "PRESET"},
        {"region", 0, 0, G_OPTION_ARG_STRING, &save.region, N_("A range of this region: user, boot1, boot2, nand …"),
         "REGION"},
        {"offset", 0, 0, G_OPTION_ARG_STRING, &save.offset, N_("Where the range begins in the region"), "BYTES"},
        {"length", 0, 0, G_OPTION_ARG_STRING, &save.length, N_("How long the range is"), "BYTES"},
        {"spare", 0, 0, G_OPTION_ARG_NONE, &save.spare, N_("NAND: the spare bytes of each page too"), NULL},
        {NULL},
    };
    MkSaveOptions options = {0};
    int exit;
    if (!mk_cli_parse(cli, &argc, &argv, _("FOLDER [PARTITION…]"),
                      _("Copies from the phone into a new folder: the named partitions, a preset, a range, or without "
                        "these the whole device, with a manifest and a scatter of the real sizes. Run again, an "
                        "interrupted save goes on. Changes nothing on the phone.\n\nExample: medik save backup nvram "
                        "protect1 protect2 --da MTK_AllInOne_DA.bin"),
                      MK_CLI_PHONE | MK_CLI_ALL, entries, 1, -1, &error) ||
        !choose(&save, argv + 2, &options, &error)) {
        exit = mk_cli_fail(cli, error);
    } else {
        options.folder = argv[1];
        options.spare = save.spare;
        exit = work(cli, &options);
    }
    g_free(save.preset);
    g_free(save.region);
    g_free(save.offset);
    g_free(save.length);
    return exit;
}
