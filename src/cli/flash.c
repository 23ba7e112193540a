/* medik flash: a ROM to the phone, by scene. */
#include "cli/cli.h"
#include "core/i18n.h"

#include <string.h>

typedef struct {
    char *scene_name, *layout_name;
    char **only, **add, **skip;
    gboolean no_restore;
    MkScene scene;
    MkLayoutPolicy policy;
} Flash;

static bool parse_words(Flash *flash, GError **error)
{
    static const char *const policies[] = {"ask", "keep", "change"};
    if (flash->scene_name && !mk_scene_from_name(flash->scene_name, &flash->scene)) {
        mk_fault_set(error, MK_FAULT_USAGE,
                     _("There is no scene \"%s\"; there are download-only, upgrade, format-all."), flash->scene_name);
        return false;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(policies); i++) {
        if (!flash->layout_name || strcmp(flash->layout_name, policies[i]) == 0) {
            flash->policy = i;
            return true;
        }
    }
    mk_fault_set(error, MK_FAULT_USAGE, _("--layout cannot be \"%s\"; it is ask, keep or change."), flash->layout_name);
    return false;
}

/* --only unticks everything else first. */
static bool select_items(const Flash *flash, MkRom *rom, GError **error)
{
    if (flash->only) {
        for (guint i = 0; i < rom->items->len; i++)
            ((MkRomItem *)rom->items->pdata[i])->selected = false;
    }
    const struct {
        char **names;
        bool selected;
    } lists[] = {{flash->only, true}, {flash->add, true}, {flash->skip, false}};
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (char **name = lists[i].names; name && *name; name++)
            if (!mk_rom_select(rom, *name, lists[i].selected, lists[i].selected, error))
                return false;
        if (lists[i].selected)
            mk_rom_select_companions(rom);
    }
    return true;
}

/* Safety rule 1: every file was opened, measured and hashed before the phone is touched. */
static MkRom *open_rom(MkCli *cli, const Flash *flash, const char *folder, GError **error)
{
    g_autoptr(MkRom) rom = mk_rom_open_folder(folder, cli->scatter, MK_STORAGE_UNKNOWN, error);
    if (!rom)
        return NULL;
    mk_cli_findings(cli, rom->findings);
    mk_cli_use_rom(cli, rom);
    MkProgress *hashing = mk_progress_add(mk_cli_progress(cli), _("reading the files"), 1);
    if (!select_items(flash, rom, error) || !mk_rom_hash(rom, hashing, cli->cancel, error))
        return NULL;
    mk_progress_done(hashing);
    return g_steal_pointer(&rom);
}

/* A combo scatter serves several kinds of storage: the phone decides which. */
static MkRom *rom_for_storage(MkCli *cli, const Flash *flash, MkRom *rom, const MkSession *session, GError **error)
{
    if (!mk_cli_rom_misses(rom, session))
        return rom;
    g_autofree char *folder = g_strdup(rom->folder);
    mk_rom_free(rom);
    rom = mk_rom_open_folder(folder, cli->scatter, session->agent->info.storage, error);
    if (rom && select_items(flash, rom, error) && mk_rom_hash(rom, NULL, cli->cancel, error))
        return rom;
    mk_rom_free(rom);
    return NULL;
}

static int work(MkCli *cli, const Flash *flash, const char *folder)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkRom) rom = open_rom(cli, flash, folder, &error);
    g_autoptr(MkSession) session = rom ? mk_cli_session(cli, rom->folder, false, &error) : NULL;
    if (!session)
        return mk_cli_fail(cli, error);
    rom = rom_for_storage(cli, flash, g_steal_pointer(&rom), session, &error);
    g_autoptr(MkPlan) plan =
        rom ? mk_plan_flash(session, rom, flash->scene, flash->policy, &cli->consent, &error) : NULL;
    return plan ? mk_cli_run_plan(cli, session, plan) : mk_cli_fail(cli, error);
}

int mk_cli_flash(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Flash flash = {.scene = MK_SCENE_DOWNLOAD_ONLY};
    const GOptionEntry entries[] = {
        {"scene", 0, 0, G_OPTION_ARG_STRING, &flash.scene_name,
         N_("download-only (default), upgrade (Firmware Upgrade), format-all (Format All + Download)"), "SCENE"},
        {"layout", 0, 0, G_OPTION_ARG_STRING, &flash.layout_name,
         N_("If the phone's layout differs: ask (refuse and say how), keep (write by name), change (write the ROM's)"),
         "POLICY"},
        {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &flash.only, N_("Only this partition (may be repeated)"), "NAME"},
        {"add", 0, 0, G_OPTION_ARG_STRING_ARRAY, &flash.add, N_("This partition too, although it is not ticked"),
         "NAME"},
        {"skip", 0, 0, G_OPTION_ARG_STRING_ARRAY, &flash.skip, N_("Not this partition"), "NAME"},
        {"no-restore", 0, 0, G_OPTION_ARG_NONE, &flash.no_restore,
         N_("format-all: do not put the identity back (needs --erase-identity)"), NULL},
        {NULL},
    };
    bool parsed = mk_cli_parse(cli, &argc, &argv, _("FOLDER | flash.xml | SCATTER"),
                               _("Writes the ROM in FOLDER, or the one that a flash.xml or a scatter file names. "
                                 "Everything is checked against the phone before the first "
                                 "byte; the identity is saved first and stays; what was written is read back and "
                                 "compared.\n\nExample: medik flash rom/ --yes --da "
                                 "MTK_AllInOne_DA.bin"),
                               MK_CLI_PHONE | MK_CLI_PLAN | MK_CLI_ALL, entries, 1, 1, &error) &&
                  parse_words(&flash, &error);
    cli->consent.no_restore = flash.no_restore;
    int exit = parsed ? work(cli, &flash, argv[1]) : mk_cli_fail(cli, error);
    g_free(flash.scene_name);
    g_free(flash.layout_name);
    g_strfreev(flash.only);
    g_strfreev(flash.add);
    g_strfreev(flash.skip);
    return exit;
}
