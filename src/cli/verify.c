/* medik verify: is on the phone what is in the files? Reads only. */
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/i18n.h"
#include "flash/backup.h"

#include <string.h>

typedef struct {
    gboolean quick;
    unsigned equal, different, skipped;
} Verify;

static bool compare_at(MkCli *cli, Verify *verify, const char *name, MkStore *store, uint64_t offset, MkImage *image,
                       GError **error)
{
    MkCompareResult result = {0};
    MkProgress *progress = mk_progress_add(mk_cli_progress(cli), name, mk_image_payload(image));
    if (!mk_compare(store, offset, image, verify->quick, &result, progress, cli->cancel, error))
        return false;
    mk_progress_done(progress);
    JsonBuilder *event = mk_cli_event_new("compared");
    mk_json_string(event, "part", name);
    mk_json_int(event, "compared", (gint64)result.compared);
    mk_json_int(event, "different", (gint64)result.different);
    mk_cli_event(cli, event);
    if (result.different) {
        verify->different++;
        mk_cli_say(cli, _("%s: differs, first at 0x%" G_GINT64_MODIFIER "X of the image."), name, result.first);
    } else {
        verify->equal++;
        mk_cli_say(cli, _("%s: equal."), name);
    }
    return true;
}

static bool compare(MkCli *cli, Verify *verify, MkSession *session, const MkPartition *partition, MkImage *image,
                    GError **error)
{
    MkStore *store = mk_session_partition_store(session, partition, error);
    uint64_t offset;
    g_autoptr(MkImage) readable = store ? mk_image_on_phone(session, partition, image, &offset, error) : NULL;
    return readable && compare_at(cli, verify, partition->name, store, offset, readable, error);
}

static const MkPartition *on_phone(MkSession *session, const char *name, GError **error)
{
    const MkPartition *partition = session->layout ? mk_layout_find(session->layout, name) : NULL;
    if (!partition && session->layout)
        mk_layout_fault_no_such(session->layout, name, false, 0xC0040006, "STATUS_PARTITON_NOT_FOUND", error);
    else if (!partition)
        mk_fault_set(error, MK_FAULT_TABLE_NONE,
                     _("The phone has no readable partition table, so %s cannot be found by name."), name);
    return partition;
}

/* The preloader has no row in a GPT, but its place is known: where the scatter says, in the first boot region. */
static const MkPartition *place_of(MkSession *session, const char *name, MkPartition *loader, GError **error)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    g_autofree char *canonical = mk_partition_canonical(name);
    bool in_table = session->layout && mk_layout_find(session->layout, name);
    if (in_table || strcmp(canonical, "preloader") || geometry->storage == MK_STORAGE_NAND)
        return on_phone(session, name, error);
    MkRegion region = mk_geometry_boot_region(geometry, 0);
    *loader = (MkPartition){.name = (char *)"preloader",
                            .region = region,
                            .size = mk_geometry_region_size(geometry, region),
                            .storage = geometry->storage,
                            .resolved = true};
    return loader;
}

static bool compare_rom(MkCli *cli, Verify *verify, MkSession *session, MkRom *rom, GError **error)
{
    for (guint i = 0; i < rom->items->len; i++) {
        const MkRomItem *item = rom->items->pdata[i];
        g_autoptr(GError) local = NULL;
        MkPartition loader;
        const MkPartition *partition =
            item->image && item->selected ? place_of(session, item->partition->name, &loader, &local) : NULL;
        if (!item->image || !item->selected)
            continue;
        if (!partition) {
            /* Boot regions and tables have no row of their own in most tables. */
            verify->skipped++;
            mk_cli_say(cli, _("%s: not compared; %s"), item->partition->name, local->message);
            continue;
        }
        if (!compare(cli, verify, session, partition, item->image, error))
            return false;
    }
    return true;
}

static bool compare_file(MkCli *cli, Verify *verify, MkSession *session, char **names, GError **error)
{
    MkPartition loader;
    g_autoptr(GPtrArray) places = session->layout ? mk_layout_find_all(session->layout, names[0]) : g_ptr_array_new();
    if (!places->len) {
        const MkPartition *place = place_of(session, names[0], &loader, error);
        if (!place)
            return false;
        g_ptr_array_add(places, (gpointer)place);
    }
    g_autoptr(MkImage) image = mk_image_open(names[1], NULL, error);
    for (guint i = 0; image && i < places->len; i++)
        if (!compare(cli, verify, session, places->pdata[i], image, error))
            return false;
    return image != NULL;
}

/* --- a folder of `medik save`: each file at the place that its manifest gives --- */

static bool compare_saved(MkCli *cli, Verify *verify, MkSession *session, const char *folder, JsonObject *file,
                          GError **error)
{
    const char *name = mk_json_get_string(file, "name"), *base = mk_json_get_string(file, "file"),
               *region_name = mk_json_get_string(file, "region");
    gint64 offset = mk_json_get_int(file, "offset", -1);
    MkRegion region;
    if (!name || !base || strchr(base, '/') || !region_name || !mk_region_from_name(region_name, &region) ||
        offset < 0) {
        mk_fault_set(error, MK_FAULT_FILE, _("The manifest of %s does not describe its files properly."), folder);
        return false;
    }
    if (g_strcmp0(mk_json_get_string(file, "status"), "saved")) {
        verify->skipped++;
        mk_cli_say(cli, _("%s: not compared; it was not saved in full."), name);
        return true;
    }
    g_autofree char *path = g_build_filename(folder, base, NULL);
    g_autoptr(MkStore) saved = mk_store_file_open(path, false, error);
    g_autoptr(MkImage) image = saved ? mk_image_raw_new(saved, error) : NULL;
    MkStore *store = image ? mk_session_store(session, region, error) : NULL;
    return store && compare_at(cli, verify, name, store, (uint64_t)offset, image, error);
}

static bool compare_backup(MkCli *cli, Verify *verify, MkSession *session, const char *folder, JsonObject *manifest,
                           GError **error)
{
    JsonArray *files = mk_json_get_array(manifest, "files");
    if (g_strcmp0(mk_json_get_string(manifest, "phone"), session->id))
        mk_cli_say(cli, "%s", _("This was saved from another phone."));
    for (guint i = 0; files && i < json_array_get_length(files); i++)
        if (!compare_saved(cli, verify, session, folder, mk_json_object(json_array_get_element(files, i)), error))
            return false;
    return true;
}

/* What `medik save` wrote beside its files; NULL: FOLDER is none of its. */
static JsonNode *backup_manifest(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "manifest.json", NULL), *text = NULL;
    g_autoptr(JsonNode) root = g_file_get_contents(path, &text, NULL, NULL) ? mk_json_parse(text, -1) : NULL;
    JsonObject *object = mk_json_object(root);
    bool ours = object && !g_strcmp0(mk_json_get_string(object, "kind"), "medik backup");
    return ours ? g_steal_pointer(&root) : NULL;
}

/* --- the command --- */

static int tell(MkCli *cli, const Verify *verify)
{
    g_autoptr(GError) error = NULL;
    if (verify->different)
        mk_fault_set(&error, MK_FAULT_DIFFERS,
                     _("The phone does not hold this: %u differ, %u are equal, %u were not compared."),
                     verify->different, verify->equal, verify->skipped);
    else if (!verify->equal)
        mk_fault_set(&error, MK_FAULT_DIFFERS,
                     _("Nothing was compared: none of these files has a place on this phone (%u were passed over)."),
                     verify->skipped);
    if (error)
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, verify->quick ? _("%u compared by samples: equal.") : _("%u compared in full: equal."),
               verify->equal);
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_bool(event, "verified", !verify->quick && !verify->skipped);
    mk_json_int(event, "equal", verify->equal);
    mk_json_int(event, "skipped", verify->skipped);
    return mk_cli_done(cli, event);
}

static int work_backup(MkCli *cli, Verify *verify, const char *folder, JsonNode *manifest)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSession) session = mk_cli_session(cli, folder, false, &error);
    if (!session || !compare_backup(cli, verify, session, folder, mk_json_object(manifest), &error) ||
        !mk_cli_leave(cli, session, MK_CLI_AFTER_READING, &error))
        return mk_cli_fail(cli, error);
    return tell(cli, verify);
}

static int work(MkCli *cli, Verify *verify, char **names, int count)
{
    g_autoptr(GError) error = NULL;
    const char *folder = count == 1 ? names[0] : NULL;
    g_autoptr(JsonNode) manifest = folder ? backup_manifest(folder) : NULL;
    if (manifest)
        return work_backup(cli, verify, folder, manifest);
    g_autoptr(MkRom) rom = folder ? mk_rom_open_folder(folder, cli->scatter, MK_STORAGE_UNKNOWN, &error) : NULL;
    if (folder && !rom)
        return mk_cli_fail(cli, error);
    if (rom)
        mk_cli_use_rom(cli, rom);
    if (!folder && !mk_cli_need_file(names[1], &error))
        return mk_cli_fail(cli, error);
    g_autoptr(MkSession) session = mk_cli_session(cli, rom ? rom->folder : NULL, false, &error);
    if (session && rom && mk_cli_rom_misses(rom, session)) {
        g_autofree char *images = g_strdup(rom->folder);
        g_clear_pointer(&rom, mk_rom_free);
        rom = mk_rom_open_folder(images, cli->scatter, session->agent->info.storage, &error);
    }
    if (!session || (folder && !rom) ||
        !(folder ? compare_rom(cli, verify, session, rom, &error)
                 : compare_file(cli, verify, session, names, &error)) ||
        !mk_cli_leave(cli, session, MK_CLI_AFTER_READING, &error))
        return mk_cli_fail(cli, error);
    return tell(cli, verify);
}

int mk_cli_verify(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Verify verify = {0};
    const GOptionEntry entries[] = {
        {"quick", 0, 0, G_OPTION_ARG_NONE, &verify.quick, N_("Compare samples only"), NULL},
        {NULL},
    };
    bool parsed = mk_cli_parse(cli, &argc, &argv, _("FOLDER | PARTITION FILE"),
                               _("Compares what is on the phone with a ROM folder, with a folder of `medik save`, or "
                                 "with one file; by name, at the place the phone's own table gives. Writes "
                                 "nothing.\n\nExample: medik verify rom/ "
                                 "--da MTK_AllInOne_DA.bin"),
                               MK_CLI_PHONE | MK_CLI_ALL, entries, 1, 2, &error);
    int exit = parsed ? work(cli, &verify, argv + 1, argc - 1) : mk_cli_fail(cli, error);
    return exit;
}
