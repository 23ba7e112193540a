/* medik rom: is this ROM in order, what is it for? Without a phone. */
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

static void claim(MkCli *cli, JsonBuilder *event, const char *label, const char *member, const char *value)
{
    if (value)
        mk_cli_say(cli, "%-10s %s", label, value);
    mk_json_string(event, member, value);
}

/* A combo scatter serves phones with either. */
static void show_storage(MkCli *cli, JsonBuilder *event, const MkRom *rom)
{
    g_autoptr(GString) names = g_string_new(mk_storage_name(rom->claims.storage));
    mk_json_string(event, "storage", names->str);
    json_builder_set_member_name(event, "storages");
    json_builder_begin_array(event);
    json_builder_add_string_value(event, names->str);
    for (guint i = 0; rom->layout->sections && i < rom->layout->sections->len; i++) {
        const MkLayout *section = rom->layout->sections->pdata[i];
        json_builder_add_string_value(event, mk_storage_name(section->storage));
        g_string_append_printf(names, _(" or %s"), mk_storage_name(section->storage));
    }
    json_builder_end_array(event);
    mk_cli_say(cli, "%-10s %s", _("Storage:"), names->str);
}

static void show(MkCli *cli, const MkRom *rom)
{
    const MkRomClaims *claims = &rom->claims;
    JsonBuilder *event = mk_cli_event_new("rom");
    claim(cli, event, _("Scatter:"), "scatter", rom->scatter_path);
    claim(cli, event, _("Chip:"), "chip", claims->chip);
    show_storage(cli, event, rom);
    claim(cli, event, _("Project:"), "project", claims->project);
    claim(cli, event, _("Preloader:"), "preloader", claims->preloader_project);
    claim(cli, event, _("Model:"), "model", claims->model);
    claim(cli, event, _("Build:"), "build", claims->build);
    claim(cli, event, _("Android:"), "android", claims->android);
    mk_cli_event(cli, event);
    for (guint i = 0; i < rom->items->len; i++) {
        const MkRomItem *item = rom->items->pdata[i];
        if (!item->path)
            continue;
        g_autofree char *size = mk_size_text(item->file_size), *base = g_path_get_basename(item->path);
        mk_cli_say(cli, "  [%c] %-14s %-24s %-11s %s", item->selected ? 'x' : ' ', item->partition->name, base, size,
                   mk_content_words(item->inner));
    }
}

static int check(MkCli *cli, const MkRom *rom)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) findings = mk_findings_new(), unchecked = g_ptr_array_new_with_free_func(g_free);
    MkPhoneFacts nothing = {0};
    if (!mk_rom_check(rom, &nothing, findings, unchecked, &error))
        return mk_cli_fail(cli, error);
    mk_cli_findings(cli, findings);
    g_ptr_array_add(unchecked, NULL);
    g_autofree char *names = g_strjoinv(" ", (char **)unchecked->pdata);
    if (*names)
        mk_cli_say(cli, _("Not checked without a phone: %s"), names);
    if (mk_findings_worst(findings) == MK_SEVERITY_BLOCK) {
        mk_fault_set(&error, MK_FAULT_IMAGE_KIND, _("This ROM cannot be written as it is; what was found is above."));
        return mk_cli_fail(cli, error);
    }
    mk_cli_say(cli, "%s", _("The files fit together."));
    return mk_cli_done(cli, NULL);
}

int mk_cli_rom(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    char *scatter = NULL;
    const GOptionEntry entries[] = {
        {"scatter", 0, 0, G_OPTION_ARG_FILENAME, &scatter, N_("The scatter file, if it is not alone in FOLDER"),
         "FILE"},
        {NULL},
    };
    bool parsed =
        mk_cli_parse(cli, &argc, &argv, _("show FOLDER | check FOLDER"),
                     _("Says what a ROM is for and which file belongs to which partition; checks that the files "
                       "fit together.\n\nExample: medik rom check rom/"),
                     0, entries, 2, 2, &error);
    bool checking = parsed && strcmp(argv[1], "check") == 0;
    if (parsed && !checking && strcmp(argv[1], "show") != 0)
        mk_fault_set(&error, MK_FAULT_USAGE, _("Give one of: show FOLDER, check FOLDER."));
    g_autoptr(MkRom) rom = error ? NULL : mk_rom_open_folder(argv[2], scatter, MK_STORAGE_UNKNOWN, &error);
    g_free(scatter);
    if (!rom)
        return mk_cli_fail(cli, error);
    mk_cli_findings(cli, rom->findings);
    show(cli, rom);
    return checking ? check(cli, rom) : mk_cli_done(cli, NULL);
}
