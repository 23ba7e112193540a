/* Saving from the phone into a folder: one file per partition or region, manifest, scatter with real sizes, README (spec behaviour.md 4.6). */
#include "flash/backup.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"
#include "core/json.h"
#include "flash/file-hash.h"
#include "flash/save-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    char *name;
    char *file;
    MkRegion region;
    uint64_t offset, length;
    char *sha256; /* NULL: not saved yet */
    uint64_t unreadable;
    GArray *map; /* MkUnreadable, or NULL */
} Piece;

typedef struct {
    MkSession *session;
    const MkSaveOptions *options;
    MkSaveResult *result;
    GPtrArray *pieces;
    GPtrArray *missing; /* (char *) why a whole-device dump is partial */
} Save;

static void piece_free(gpointer data)
{
    Piece *piece = data;
    g_free(piece->name);
    g_free(piece->file);
    g_free(piece->sha256);
    g_clear_pointer(&piece->map, g_array_unref);
    g_free(piece);
}

bool mk_preset_from_name(const char *name, MkPreset *preset)
{
    static const char *const names[] = {"identity",         "boot-chain",  "system",
                                        "except-user-data", "until-cache", "whole-device"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (!g_ascii_strcasecmp(name, names[i])) {
            *preset = (MkPreset)i;
            return true;
        }
    return false;
}

void mk_save_result_clear(MkSaveResult *result)
{
    g_free(result->folder);
    *result = (MkSaveResult){0};
}

static void add_piece(Save *save, const char *name, const char *ending, MkRegion region, uint64_t offset,
                      uint64_t length)
{
    Piece *piece = g_new0(Piece, 1);
    piece->name = g_strdup(name);
    piece->file = g_strconcat(name, ending, NULL);
    g_strdelimit(piece->file, "/", '_');
    piece->region = region;
    piece->offset = offset;
    piece->length = length;
    g_ptr_array_add(save->pieces, piece);
}

/* --- what to save -------------------------------------------------------------------------------------------------- */

static bool preset_takes(MkPreset preset, const MkPartition *partition)
{
    MkClass klass = mk_partition_class(partition);
    switch (preset) {
    case MK_PRESET_IDENTITY: return klass == MK_CLASS_IDENTITY || klass == MK_CLASS_SECURITY;
    case MK_PRESET_BOOT_CHAIN: {
        g_autofree char *name = mk_partition_canonical(partition->name);
        return klass == MK_CLASS_BOOT || klass == MK_CLASS_TABLE || !strcmp(name, "boot") ||
               !strcmp(name, "recovery") || !strcmp(name, "logo");
    }
    case MK_PRESET_SYSTEM: return klass == MK_CLASS_SYSTEM || klass == MK_CLASS_MODEM;
    case MK_PRESET_EXCEPT_USER_DATA:
    case MK_PRESET_UNTIL_CACHE: return klass != MK_CLASS_USER;
    case MK_PRESET_WHOLE_DEVICE: return false;
    }
    return false;
}

static void add_partition(Save *save, const MkPartition *partition)
{
    if (partition->size)
        add_piece(save, partition->name, ".img", mk_region_copy(partition->region, 0), partition->start,
                  partition->size);
}

static bool require_layout(Save *save, GError **error)
{
    if (save->session->layout)
        return true;
    mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
                        _("The phone has no readable partition table, so nothing can be saved by name; save the whole "
                          "device or a range."));
    return false;
}

static void add_boot_regions(Save *save)
{
    const MkGeometry *geometry = &save->session->agent->info.geometry;
    for (unsigned copy = 0; copy < 2 && geometry->storage != MK_STORAGE_NAND; copy++) {
        MkRegion region = mk_geometry_boot_region(geometry, copy);
        uint64_t size = mk_agent_region_size(save->session->agent, region);
        if (size)
            add_piece(save, mk_region_name(region), ".bin", region, 0, size);
    }
}

static bool choose_preset(Save *save, GError **error)
{
    MkPreset preset = save->options->preset;
    if (!require_layout(save, error))
        return false;
    if (preset != MK_PRESET_IDENTITY && preset != MK_PRESET_SYSTEM)
        add_boot_regions(save);
    for (guint i = 0; i < save->session->layout->partitions->len; i++) {
        const MkPartition *partition = save->session->layout->partitions->pdata[i];
        g_autofree char *name = mk_partition_canonical(partition->name);
        if (preset == MK_PRESET_UNTIL_CACHE && !strcmp(name, "cache"))
            break;
        if (!mk_region_is_boot(partition->region) && preset_takes(preset, partition))
            add_partition(save, partition);
    }
    return true;
}

/* Boot regions first, so that an interruption leaves the most valuable part. */
static void choose_whole_device(Save *save)
{
    static const MkRegion regions[] = {MK_REGION_BOOT1, MK_REGION_BOOT2, MK_REGION_GP1, MK_REGION_GP2,
                                       MK_REGION_GP3,   MK_REGION_GP4,   MK_REGION_LU0, MK_REGION_LU1,
                                       MK_REGION_NAND,  MK_REGION_USER,  MK_REGION_LU2, MK_REGION_LU3};
    for (gsize i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint64_t size = mk_agent_region_size(save->session->agent, regions[i]);
        if (size)
            add_piece(save, mk_region_name(regions[i]), ".bin", regions[i], 0, size);
    }
    if (mk_agent_region_size(save->session->agent, MK_REGION_RPMB))
        g_ptr_array_add(save->missing,
                        g_strdup(_("RPMB: bound to its chip, it cannot be backed up in a way that means anything")));
}

static bool choose_names(Save *save, GError **error)
{
    if (!require_layout(save, error))
        return false;
    for (const char *const *name = save->options->partitions; *name; name++) {
        g_autoptr(GPtrArray) found = mk_layout_find_all(save->session->layout, *name);
        MkRegion region;
        uint64_t size = 0;
        if (!found->len && mk_region_from_name(*name, &region))
            size = mk_agent_region_size(save->session->agent, region);
        for (guint i = 0; i < found->len; i++)
            add_partition(save, found->pdata[i]);
        if (found->len)
            continue;
        if (size)
            add_piece(save, *name, ".bin", region, 0, size);
        else {
            mk_layout_fault_no_such(save->session->layout, *name, false, 0xC0040006, "STATUS_PARTITON_NOT_FOUND",
                                    error);
            return false;
        }
    }
    return true;
}

static bool choose_range(Save *save, GError **error)
{
    const MkSaveOptions *options = save->options;
    uint64_t size = mk_agent_region_size(save->session->agent, options->region);
    if (!options->length || options->offset > size || options->length > size - options->offset) {
        mk_fault_set(error, MK_FAULT_RANGE,
                     _("0x%" G_GINT64_MODIFIER "x + 0x%" G_GINT64_MODIFIER
                       "x is no range of %s (size 0x%" G_GINT64_MODIFIER "x)."),
                     options->offset, options->length, mk_region_name(options->region), size);
        return false;
    }
    g_autofree char *name =
        g_strdup_printf("%s-0x%" G_GINT64_MODIFIER "x", mk_region_name(options->region), options->offset);
    add_piece(save, name, ".bin", options->region, options->offset, options->length);
    return true;
}

static bool choose(Save *save, GError **error)
{
    const MkSaveOptions *options = save->options;
    if (options->range)
        return choose_range(save, error);
    if (options->partitions)
        return choose_names(save, error);
    if (options->preset != MK_PRESET_WHOLE_DEVICE)
        return choose_preset(save, error);
    choose_whole_device(save);
    return true;
}

/* --- manifest ------------------------------------------------------------------------------------------------------ */

static void piece_json(JsonBuilder *builder, const Piece *piece)
{
    json_builder_begin_object(builder);
    mk_json_string(builder, "name", piece->name);
    mk_json_string(builder, "file", piece->file);
    mk_json_string(builder, "region", mk_region_name(piece->region));
    mk_json_int(builder, "offset", (gint64)piece->offset);
    mk_json_int(builder, "length", (gint64)piece->length);
    mk_json_string(builder, "status", !piece->sha256 ? "missing" : piece->unreadable ? "partly unreadable" : "saved");
    mk_json_string(builder, "sha256", piece->sha256);
    mk_json_int(builder, "unreadable", (gint64)piece->unreadable);
    if (piece->map) {
        json_builder_set_member_name(builder, "unreadable_map");
        json_builder_begin_array(builder);
        for (guint i = 0; i < piece->map->len; i++) {
            const MkUnreadable *range = &g_array_index(piece->map, MkUnreadable, i);
            json_builder_begin_array(builder);
            json_builder_add_int_value(builder, (gint64)range->offset);
            json_builder_add_int_value(builder, (gint64)range->length);
            json_builder_end_array(builder);
        }
        json_builder_end_array(builder);
    }
    json_builder_end_object(builder);
}

/* What kind of memory chip it was, hashed: a chip is replaced, its phone stays (spec behaviour.md 4.11). */
static void storage_id_json(JsonBuilder *builder, const MkAgentInfo *info)
{
    g_autofree char *hash = mk_sha256_hex(info->emmc_cid, sizeof info->emmc_cid);
    mk_json_string(builder, "storage_id", mk_is_blank(info->emmc_cid, sizeof info->emmc_cid) ? NULL : hash);
}

static void layout_json(JsonBuilder *builder, const MkLayout *layout)
{
    json_builder_set_member_name(builder, "layout");
    json_builder_begin_array(builder);
    for (guint i = 0; layout && i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        json_builder_begin_object(builder);
        mk_json_string(builder, "name", partition->name);
        mk_json_string(builder, "region", mk_region_name(partition->region));
        mk_json_int(builder, "start", (gint64)partition->start);
        mk_json_int(builder, "size", (gint64)partition->size);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static bool write_text(const char *folder, const char *base, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, base, NULL);
    g_autoptr(GError) local = NULL;
    if (g_file_set_contents(path, text, -1, &local))
        return true;
    mk_fault_set(error, MK_FAULT_FILE, _("Cannot write %s: %s."), path, local->message);
    return false;
}

static bool write_manifest(Save *save, bool complete, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format_iso8601(now);
    json_builder_begin_object(builder);
    mk_json_string(builder, "kind", "medik backup");
    mk_json_string(builder, "tool", "medik " MEDIK_VERSION);
    mk_json_string(builder, "date", date);
    mk_json_string(builder, "phone", save->session->id);
    mk_json_string(builder, "chip", mk_soc_name(save->session->target->soc));
    mk_json_int(builder, "hw_code", save->session->target->hw_code);
    mk_json_string(builder, "storage", mk_storage_name(save->session->agent->info.storage));
    storage_id_json(builder, &save->session->agent->info);
    layout_json(builder, save->session->layout);
    mk_json_string(builder, "agent_sha256", save->session->agent_file->sha256);
    mk_json_bool(builder, "complete", complete);
    mk_json_bool(builder, "partial", !complete || save->result->unreadable);
    mk_json_bool(builder, "whole_device", save->options->use_preset && save->options->preset == MK_PRESET_WHOLE_DEVICE);
    json_builder_set_member_name(builder, "missing");
    json_builder_begin_array(builder);
    for (guint i = 0; i < save->missing->len; i++)
        json_builder_add_string_value(builder, save->missing->pdata[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "files");
    json_builder_begin_array(builder);
    for (guint i = 0; i < save->pieces->len; i++)
        piece_json(builder, save->pieces->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autofree char *text = mk_json_text(builder, true);
    return write_text(save->options->folder, "manifest.json", text, error);
}

/* --- taking up an unfinished save ---------------------------------------------------------------------------------- */

static void take_up_piece(Piece *piece, JsonObject *object, const char *folder)
{
    g_autofree char *path = g_build_filename(folder, piece->file, NULL);
    const char *sha256 = mk_json_get_string(object, "sha256");
    if (g_strcmp0(mk_json_get_string(object, "name"), piece->name) ||
        mk_json_get_int(object, "offset", -1) != (gint64)piece->offset ||
        mk_json_get_int(object, "length", -1) != (gint64)piece->length || !sha256 ||
        mk_json_get_int(object, "unreadable", 0))
        return; /* what had unreadable places is tried again */
    g_autofree char *now = mk_file_sha256(path, NULL);
    if (!g_strcmp0(now, sha256))
        piece->sha256 = g_strdup(sha256);
}

/* A folder that exists is used only if it is an unfinished save of the same phone and the same choice. */
static bool prepare_folder(Save *save, GError **error)
{
    const char *folder = save->options->folder;
    g_autofree char *path = g_build_filename(folder, "manifest.json", NULL), *text = NULL;
    if (!g_file_test(folder, G_FILE_TEST_EXISTS)) {
        if (!g_mkdir_with_parents(folder, 0700))
            return true;
        mk_fault_set_errno(error, false, errno, _("Cannot create"), folder);
        return false;
    }
    g_autoptr(JsonNode) root = g_file_get_contents(path, &text, NULL, NULL) ? mk_json_parse(text, -1) : NULL;
    JsonObject *object = mk_json_object(root);
    JsonArray *files = object ? mk_json_get_array(object, "files") : NULL;
    bool same = files && !g_strcmp0(mk_json_get_string(object, "phone"), save->session->id) &&
                json_array_get_length(files) == save->pieces->len;
    if (!same || mk_json_get_bool(object, "complete")) {
        mk_fault_set(error, MK_FAULT_FILE, _("%s exists already; nothing is overwritten. Choose another name."),
                     folder);
        return false;
    }
    for (guint i = 0; i < save->pieces->len; i++)
        take_up_piece(save->pieces->pdata[i], mk_json_object(json_array_get_element(files, i)), folder);
    return true;
}

/* --- the files ----------------------------------------------------------------------------------------------------- */

static bool read_spare(MkSession *session, const Piece *piece, const char *path, GError **error);

static bool save_piece(Save *save, Piece *piece, MkProgress *progress, GError **error)
{
    g_autofree char *path = g_build_filename(save->options->folder, piece->file, NULL);
    MkStore *store = mk_session_store(save->session, piece->region, error);
    if (!store)
        return false;
    if (save->options->spare && piece->region == MK_REGION_NAND) {
        g_autofree char *spare = g_strconcat(path, ".with-spare", NULL);
        if (!read_spare(save->session, piece, spare, error))
            return false;
    }
    MkSavedFile saved;
    if (!mk_save_file(store, piece->offset, piece->length, path, true, save->session->cancel, progress, &saved, error))
        return false;
    piece->sha256 = g_steal_pointer(&saved.sha256);
    piece->unreadable = saved.unreadable;
    piece->map = g_steal_pointer(&saved.map);
    return true;
}

typedef struct {
    FILE *file;
    const char *path;
} SpareFile;

static bool spare_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    SpareFile *spare = user_data;
    if (fwrite(data, 1, length, spare->file) == length)
        return true;
    mk_fault_set_errno(error, false, errno, _("Cannot write"), spare->path);
    return false;
}

/* NAND: the same range once more as raw pages with their spare bytes. */
static bool read_spare(MkSession *session, const Piece *piece, const char *path, GError **error)
{
    SpareFile spare = {.file = g_fopen(path, "wbx"), .path = path};
    if (!spare.file) {
        mk_fault_set_errno(error, false, errno, _("Cannot create"), path);
        return false;
    }
    bool ok = mk_agent_read_nand(session->agent, piece->offset, piece->length, MK_NAND_PAGE_SPARE, false, spare_sink,
                                 &spare, error);
    if (fclose(spare.file) && ok) {
        mk_fault_set_errno(error, false, errno, _("Cannot write"), path);
        ok = false;
    }
    return ok;
}

static bool save_pieces(Save *save, GError **error)
{
    g_autoptr(GPtrArray) steps = g_ptr_array_new();
    for (guint i = 0; i < save->pieces->len; i++) {
        const Piece *piece = save->pieces->pdata[i];
        g_ptr_array_add(steps, mk_progress_add(save->options->progress, piece->name, piece->length));
    }
    for (guint i = 0; i < save->pieces->len; i++) {
        Piece *piece = save->pieces->pdata[i];
        if (!piece->sha256 && !save_piece(save, piece, steps->pdata[i], error)) {
            g_prefix_error(error, _("While saving %s: "), piece->name);
            return false;
        }
        mk_progress_done(steps->pdata[i]);
        save->result->files++;
        save->result->bytes += piece->length;
        save->result->unreadable += piece->unreadable;
        if (!write_manifest(save, false, error))
            return false;
    }
    return true;
}

/* --- words and scatter --------------------------------------------------------------------------------------------- */

static bool write_readme(Save *save, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, _("Saved from phone %s (%s, %s) by medik %s.\n\n"), save->session->short_id,
                           mk_soc_name(save->session->target->soc), mk_storage_name(save->session->agent->info.storage),
                           MEDIK_VERSION);
    g_string_append(text, _("Each file is one partition or memory region, byte for byte. manifest.json holds places "
                            "and SHA-256 sums; medik uses it to put everything back:\n\n"
                            "    medik write --backup THIS-FOLDER --port PORT\n\n"
                            "Identity (IMEI, calibration) fits this phone only. Do not share it.\n"));
    for (guint i = 0; i < save->missing->len; i++)
        g_string_append_printf(text, _("Not in here: %s.\n"), (const char *)save->missing->pdata[i]);
    if (save->result->unreadable)
        g_string_append_printf(
            text, _("%" G_GUINT64_FORMAT " bytes could not be read and are zero; manifest.json lists where.\n"),
            save->result->unreadable);
    return write_text(save->options->folder, "README.txt", text->str, error);
}

/* The scatter names the files of this folder and no others. */
static void name_files(const Save *save, MkLayout *layout)
{
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        const char *file = NULL;
        for (guint k = 0; k < save->pieces->len && partition->file_name; k++) {
            const Piece *piece = save->pieces->pdata[k];
            if (piece->region == partition->region && piece->offset == partition->start &&
                piece->length == partition->size)
                file = piece->file;
        }
        g_free(partition->file_name);
        partition->file_name = g_strdup(file);
        partition->download = file != NULL;
    }
}

/* Real sizes, as the phone has them (spec behaviour.md 4.6). A table that no scatter can express is no reason to fail a save. */
static bool write_scatter(Save *save, GError **error)
{
    MkLayout *layout = save->session->layout;
    if (!layout)
        return true;
    g_autoptr(MkLayout) named = mk_layout_copy(layout);
    if (!named->platform)
        named->platform = g_strdup(mk_soc_name(save->session->target->soc));
    if (named->storage == MK_STORAGE_UNKNOWN)
        named->storage = save->session->agent->info.storage;
    MkLayoutKind kind = mk_scatter_kind_for(named);
    g_autoptr(MkLayout) copy = mk_scatter_from_table(named, kind, &save->session->agent->info.geometry);
    name_files(save, copy);
    g_autofree char *text = mk_scatter_write(copy, kind, NULL, NULL);
    g_autofree char *base = text ? mk_scatter_file_name(named) : NULL;
    return !base || write_text(save->options->folder, base, text, error);
}

/* A warning, no refusal: zero runs become holes, and nobody knows before how many there are. */
static void warn_of_room(const Save *save)
{
    uint64_t need = 0, free;
    for (guint i = 0; i < save->pieces->len; i++) {
        const Piece *piece = save->pieces->pdata[i];
        need += piece->sha256 ? 0 : piece->length;
    }
    if (mk_save_room(save->options->folder, need, &free) || !save->options->tell)
        return;
    g_autofree char *needed = mk_size_text(need), *there = mk_size_text(free);
    g_autofree char *text = g_strdup_printf(_("Not enough room, perhaps: this needs up to %s (runs of zeros need "
                                              "none), and where %s is to be only %s are free."),
                                            needed, save->options->folder, there);
    save->options->tell(text, save->options->tell_data);
}

bool mk_save(MkSession *session, const MkSaveOptions *options, MkSaveResult *result, GError **error)
{
    *result = (MkSaveResult){.folder = g_strdup(options->folder)};
    g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func(piece_free),
                         missing = g_ptr_array_new_with_free_func(g_free);
    Save save = {.session = session, .options = options, .result = result, .pieces = pieces, .missing = missing};
    if (!choose(&save, error) || !prepare_folder(&save, error))
        return false;
    warn_of_room(&save);
    if (!write_manifest(&save, false, error) || !save_pieces(&save, error))
        return false;
    return write_scatter(&save, error) && write_readme(&save, error) && write_manifest(&save, true, error);
}
