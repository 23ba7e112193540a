/* Identity sets: what makes a phone this phone, saved before anything is written (spec behaviour.md 4.11, nvram.md 1). */
#include "flash/backup.h"

#include "core/i18n.h"
#include "core/json.h"
#include "flash/evidence.h"
#include "flash/identity-places.h"
#include "flash/save-file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define TABLE_AREA (UINT64_C(1) << 20)
#define BOOT_HEAD  (UINT64_C(256) << 10)
#define LARGEST    (UINT64_C(256) << 20) /* of one partition of a set */

static void file_free(gpointer data)
{
    MkIdentityFile *file = data;
    g_free(file->name);
    g_free(file->path);
    g_free(file->sha256);
    g_free(file->note);
    g_free(file);
}

static MkIdentitySet *set_new(const char *folder, const char *phone_id, const char *date)
{
    MkIdentitySet *set = g_new0(MkIdentitySet, 1);
    set->folder = g_strdup(folder);
    set->phone_id = g_strdup(phone_id);
    set->date = g_strdup(date);
    set->files = g_ptr_array_new_with_free_func(file_free);
    return set;
}

void mk_identity_set_free(MkIdentitySet *set)
{
    if (!set)
        return;
    g_ptr_array_unref(set->files);
    g_free(set->folder);
    g_free(set->phone_id);
    g_free(set->date);
    g_free(set);
}

static MkIdentityFile *set_add(MkIdentitySet *set, const char *name, MkRegion region, uint64_t offset, uint64_t length,
                               bool candidate)
{
    MkIdentityFile *file = g_new0(MkIdentityFile, 1);
    file->name = g_strdup(name);
    file->region = region;
    file->offset = offset;
    file->length = length;
    file->candidate = candidate;
    g_autofree char *base = g_strdup_printf(candidate ? "%s.candidate" : "%s.img", name);
    file->path = g_build_filename(set->folder, base, NULL);
    g_ptr_array_add(set->files, file);
    return file;
}

static bool belongs(const MkPartition *partition)
{
    MkClass klass = mk_partition_class(partition);
    return (klass == MK_CLASS_IDENTITY || klass == MK_CLASS_SECURITY) && partition->resolved && partition->size &&
           partition->size <= LARGEST;
}

/* What the phone's own table says, then where the load expects the same partition if that is another place. */
static void choose_files(MkSession *session, const MkLayout *expected, MkIdentitySet *set)
{
    for (guint i = 0; session->layout && i < session->layout->partitions->len; i++) {
        const MkPartition *partition = session->layout->partitions->pdata[i];
        if (!belongs(partition))
            continue;
        g_autofree char *name = mk_partition_canonical(partition->name);
        set_add(set, name, partition->region, partition->start, partition->size, false);
    }
    for (guint i = 0; expected && i < expected->partitions->len; i++) {
        const MkPartition *partition = expected->partitions->pdata[i];
        const MkPartition *known = session->layout ? mk_layout_find(session->layout, partition->name) : NULL;
        if (!belongs(partition) || (known && known->region == partition->region && known->start == partition->start &&
                                    known->size >= partition->size))
            continue;
        g_autofree char *name = mk_partition_canonical(partition->name);
        set_add(set, name, partition->region, partition->start, partition->size, true);
    }
}

static bool has_file(const MkIdentitySet *set, const char *name)
{
    for (guint i = 0; i < set->files->len; i++)
        if (!strcmp(((const MkIdentityFile *)set->files->pdata[i])->name, name))
            return true;
    return false;
}

/* No table: where earlier sets of this phone had it; and where something looks like an NVRAM, if nothing tells better. */
static bool choose_known_places(MkSession *session, MkIdentitySet *set, GError **error)
{
    g_autoptr(GPtrArray) earlier = mk_identity_list(session->home);
    for (guint i = 0; i < earlier->len; i++) {
        const MkIdentitySet *old = earlier->pdata[i];
        for (guint k = 0; k < old->files->len; k++) {
            const MkIdentityFile *file = old->files->pdata[k];
            MkClass klass = mk_class_by_name(file->name);
            if ((klass == MK_CLASS_IDENTITY || klass == MK_CLASS_SECURITY) && file->length &&
                !has_file(set, file->name))
                set_add(set, file->name, file->region, file->offset, file->length, true);
        }
    }
    if (has_file(set, "nvram"))
        return true;
    MkRegion region;
    uint64_t offset, length;
    if (!mk_identity_search_nvram(session, &region, &offset, &length, error))
        return false;
    if (length)
        set_add(set, "nvram", region, offset, length, true);
    return true;
}

static void choose_tables(MkSession *session, MkIdentitySet *set)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    MkRegion main = mk_geometry_main_region(geometry);
    uint64_t size = mk_geometry_region_size(geometry, main);
    if (geometry->storage == MK_STORAGE_NAND)
        return;
    if (size) {
        uint64_t area = MIN(TABLE_AREA, size);
        set_add(set, "table-first", main, 0, area, false);
        set_add(set, "table-last", main, size - area, area, false);
    }
    for (unsigned copy = 0; copy < 2; copy++) {
        MkRegion boot = mk_geometry_boot_region(geometry, copy);
        g_autofree char *name = g_strconcat(mk_region_name(boot), "-head", NULL);
        size = mk_geometry_region_size(geometry, boot);
        if (size)
            set_add(set, name, boot, 0, MIN(BOOT_HEAD, size), false);
    }
}

static bool save_one(MkSession *session, MkIdentityFile *file, MkProgress *progress, GError **error)
{
    MkStore *store = mk_session_store(session, file->region, error);
    MkSavedFile saved = {0};
    if (!store)
        return false;
    if (file->offset > store->size || file->length > store->size - file->offset) {
        file->note = g_strdup(_("outside the storage: not saved"));
        file->length = 0;
        return true;
    }
    if (!mk_save_file(store, file->offset, file->length, file->path, true, session->cancel, progress, &saved, error))
        return false;
    file->sha256 = g_strdup(saved.sha256);
    uint64_t unreadable = saved.unreadable;
    mk_saved_file_clear(&saved);
    g_autoptr(MkStore) copy = mk_store_file_open(file->path, false, error);
    if (!copy || !mk_evidence_look(file->name, copy, 0, file->length, &file->evidence, &file->note, error))
        return false;
    if (unreadable) {
        char *note = g_strdup_printf(_("%s; %" G_GUINT64_FORMAT " bytes could not be read"), file->note, unreadable);
        g_free(file->note);
        file->note = note;
    }
    return true;
}

static bool write_manifest(const MkIdentitySet *set, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    mk_json_string(builder, "kind", "medik identity set");
    mk_json_string(builder, "phone", set->phone_id);
    mk_json_string(builder, "date", set->date);
    json_builder_set_member_name(builder, "files");
    json_builder_begin_array(builder);
    for (guint i = 0; i < set->files->len; i++) {
        const MkIdentityFile *file = set->files->pdata[i];
        g_autofree char *base = g_path_get_basename(file->path);
        json_builder_begin_object(builder);
        mk_json_string(builder, "name", file->name);
        mk_json_string(builder, "file", base);
        mk_json_string(builder, "region", mk_region_name(file->region));
        mk_json_int(builder, "offset", (gint64)file->offset);
        mk_json_int(builder, "length", (gint64)file->length);
        mk_json_string(builder, "sha256", file->sha256);
        mk_json_bool(builder, "candidate", file->candidate);
        mk_json_string(builder, "note", file->note);
        mk_json_int(builder, "evidence", file->evidence);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autofree char *text = mk_json_text(builder, true), *path = g_build_filename(set->folder, "identity.json", NULL);
    g_autoptr(GError) local = NULL;
    if (g_file_set_contents(path, text, -1, &local))
        return true;
    mk_fault_set(error, MK_FAULT_FILE, _("Cannot write %s: %s."), path, local->message);
    return false;
}

static bool load_file(MkIdentitySet *set, JsonObject *object)
{
    const char *name = mk_json_get_string(object, "name"), *base = mk_json_get_string(object, "file");
    const char *region_name = mk_json_get_string(object, "region");
    gint64 offset = mk_json_get_int(object, "offset", -1), length = mk_json_get_int(object, "length", -1);
    MkRegion region;
    if (!name || !base || strchr(base, '/') || !region_name || !mk_region_from_name(region_name, &region) ||
        offset < 0 || length < 0)
        return false;
    MkIdentityFile *file =
        set_add(set, name, region, (uint64_t)offset, (uint64_t)length, mk_json_get_bool(object, "candidate"));
    g_free(file->path);
    file->path = g_build_filename(set->folder, base, NULL);
    file->sha256 = g_strdup(mk_json_get_string(object, "sha256"));
    file->note = g_strdup(mk_json_get_string(object, "note"));
    gint64 evidence = mk_json_get_int(object, "evidence", MK_EVIDENCE_SOME);
    file->evidence = (MkEvidence)CLAMP(evidence, MK_EVIDENCE_BLANK, MK_EVIDENCE_PROVEN);
    return true;
}

MkIdentitySet *mk_identity_load(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "identity.json", NULL), *text = NULL;
    g_autoptr(JsonNode) root = g_file_get_contents(path, &text, NULL, NULL) ? mk_json_parse(text, -1) : NULL;
    JsonObject *object = mk_json_object(root);
    JsonArray *files = object ? mk_json_get_array(object, "files") : NULL;
    const char *phone = mk_json_get_string(object, "phone"), *date = mk_json_get_string(object, "date");
    if (!files || !phone) {
        mk_fault_set(error, MK_FAULT_ID_NONE, _("%s is not an identity set (no good identity.json in it)."), folder);
        return NULL;
    }
    g_autoptr(MkIdentitySet) set = set_new(folder, phone, date ? date : "");
    for (guint i = 0; i < json_array_get_length(files); i++) {
        JsonObject *file = mk_json_object(json_array_get_element(files, i));
        if (!file || !load_file(set, file)) {
            mk_fault_set(error, MK_FAULT_ID_NONE, _("File %u of the identity set %s is not described properly."), i + 1,
                         folder);
            return NULL;
        }
    }
    return g_steal_pointer(&set);
}

static int newest_first(gconstpointer a, gconstpointer b)
{
    const MkIdentitySet *x = *(MkIdentitySet *const *)a, *y = *(MkIdentitySet *const *)b;
    int order = g_strcmp0(y->date, x->date);
    return order ? order : strcmp(y->folder, x->folder);
}

GPtrArray *mk_identity_list(const char *home)
{
    GPtrArray *sets = g_ptr_array_new_with_free_func((GDestroyNotify)mk_identity_set_free);
    g_autofree char *folder = g_build_filename(home, "identity", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        MkIdentitySet *set = g_str_has_suffix(name, ".part") ? NULL : mk_identity_load(path, NULL);
        if (set)
            g_ptr_array_add(sets, set);
    }
    g_ptr_array_sort(sets, newest_first);
    return sets;
}

static bool same_content(const MkIdentitySet *a, const MkIdentitySet *b)
{
    if (a->files->len != b->files->len || strcmp(a->phone_id, b->phone_id))
        return false;
    for (guint i = 0; i < a->files->len; i++) {
        const MkIdentityFile *x = a->files->pdata[i], *y = b->files->pdata[i];
        if (strcmp(x->name, y->name) || x->candidate != y->candidate || x->offset != y->offset ||
            g_strcmp0(x->sha256, y->sha256))
            return false;
    }
    return true;
}

static void remove_set(const MkIdentitySet *set)
{
    for (guint i = 0; i < set->files->len; i++)
        g_unlink(((const MkIdentityFile *)set->files->pdata[i])->path);
    g_autofree char *manifest = g_build_filename(set->folder, "identity.json", NULL);
    g_unlink(manifest);
    g_rmdir(set->folder);
}

/* The part folder becomes the set, under a name that is free. */
static MkIdentitySet *keep_set(MkSession *session, MkIdentitySet *part, GError **error)
{
    g_autofree char *root = g_build_filename(session->home, "identity", NULL), *name = g_strdup(part->date);
    g_strdelimit(name, ":", '-');
    for (unsigned n = 0;; n++) {
        g_autofree char *base = n ? g_strdup_printf("%s.%u", name, n) : g_strdup(name),
                        *folder = g_build_filename(root, base, NULL);
        if (g_file_test(folder, G_FILE_TEST_EXISTS))
            continue;
        if (!g_rename(part->folder, folder))
            return mk_identity_load(folder, error);
        mk_fault_set_errno(error, false, errno, _("Cannot keep the identity set in"), folder);
        return NULL;
    }
}

static MkIdentitySet *save_part(MkSession *session, const MkLayout *expected, MkProgress *progress, GError **error)
{
    g_autofree char *folder = g_build_filename(session->home, "identity", "current.part", NULL);
    if (g_mkdir_with_parents(folder, 0700)) {
        mk_fault_set_errno(error, false, errno, _("Cannot create"), folder);
        return NULL;
    }
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
    g_autoptr(MkIdentitySet) set = set_new(folder, session->id, date);
    g_autoptr(MkLayout) usual = expected || session->layout ? NULL : mk_identity_usual_layout(session);
    choose_files(session, expected ? expected : usual, set);
    if (!session->layout && !choose_known_places(session, set, error))
        return NULL;
    choose_tables(session, set);
    for (guint i = 0; i < set->files->len; i++) {
        MkIdentityFile *file = set->files->pdata[i];
        if (!save_one(session, file, mk_progress_add(progress, file->name, file->length), error)) {
            g_prefix_error(error, _("While saving the identity (%s): "), file->name);
            return NULL;
        }
    }
    return write_manifest(set, error) ? g_steal_pointer(&set) : NULL;
}

MkIdentitySet *mk_identity_save(MkSession *session, const MkLayout *expected, bool *existed, MkProgress *progress,
                                GError **error)
{
    g_autoptr(MkIdentitySet) part = save_part(session, expected, progress, error);
    if (!part)
        return NULL;
    g_autoptr(GPtrArray) sets = mk_identity_list(session->home);
    g_autoptr(MkIdentitySet) set = NULL;
    for (guint i = 0; i < sets->len && !set; i++)
        if (same_content(sets->pdata[i], part))
            set = mk_identity_load(((MkIdentitySet *)sets->pdata[i])->folder, NULL);
    if (existed)
        *existed = set != NULL;
    if (set)
        remove_set(part);
    else if (!(set = keep_set(session, part, error)))
        return NULL;
    g_clear_pointer(&session->identity, mk_identity_set_free);
    session->identity = mk_identity_load(set->folder, error);
    return session->identity ? g_steal_pointer(&set) : NULL;
}
