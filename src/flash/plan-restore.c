/* Plans that put saved content back: an identity set, or a backup folder (spec behaviour.md 4.11). */
#include "flash/plan-internal.h"

#include "core/i18n.h"
#include "core/json.h"

#include <string.h>

static bool refuse_foreign(MkSession *session, const char *phone_id, const char *folder, GError **error)
{
    if (!g_strcmp0(phone_id, session->id))
        return true;
    mk_fault_set(error, MK_FAULT_ID_FOREIGN,
                 _("%s was saved from phone %.8s, this is phone %s. Calibration fits one phone only."), folder,
                 phone_id ? phone_id : "?", session->short_id);
    return false;
}

/* A plan to fill in; NULL when *KEPT or *error says it all. */
static MkPlan *begin(MkSession *session, const char *title, const char *what, const char *folder,
                     const MkConsent *consent, MkPlan **kept, GError **error)
{
    g_autoptr(MkPlan) plan = mk_plan_new(title, session->id);
    g_autofree char *path = g_canonicalize_filename(folder, NULL);
    mk_plan_set_job(plan, what, path, NULL);
    return mk_plan_continue(session, plan, consent, kept, error) ? NULL : g_steal_pointer(&plan);
}

static MkStep *add_restore(MkPlan *plan, const char *name, const char *path, const char *sha256, MkRegion region,
                           uint64_t offset, uint64_t length)
{
    MkStep *step = mk_plan_add(plan, MK_STEP_RESTORE, name, region, offset, length);
    step->path = g_canonicalize_filename(path, NULL);
    step->sha256 = g_strdup(sha256);
    step->klass = mk_class_by_name(name);
    return step;
}

/* By name, at the place the phone's table gives it today; by the saved place only if the table does not know the name. */
static bool add_identity_file(MkSession *session, MkPlan *plan, const MkIdentityFile *file, GError **error)
{
    MkClass klass = mk_class_by_name(file->name);
    if (file->candidate || !file->sha256 || (klass != MK_CLASS_IDENTITY && klass != MK_CLASS_SECURITY))
        return true;
    const MkPartition *partition = session->layout ? mk_layout_find(session->layout, file->name) : NULL;
    uint64_t size = partition ? partition->size : file->length;
    if (file->length > size) {
        mk_fault_set_number(
            error, MK_FAULT_LAYOUT, 8504, "ERROR_DATA_LOST",
            _("%s in the set has %" G_GUINT64_FORMAT " bytes, the phone's partition only %" G_GUINT64_FORMAT "."),
            file->name, file->length, size);
        return false;
    }
    add_restore(plan, partition ? partition->name : file->name, file->path, file->sha256,
                partition ? partition->region : file->region, partition ? partition->start : file->offset, size);
    return true;
}

/* Which set it is, and what is in it. */
static void show_set(MkPlan *plan, const MkIdentitySet *set)
{
    MkIdentityWorth worth = mk_identity_worth(set);
    mk_plan_note(plan, _("The set of %s in %s is put back; it is %s."), set->date, set->folder,
                 mk_identity_worth_words(worth));
    for (guint i = 0; i < set->files->len; i++) {
        const MkIdentityFile *file = set->files->pdata[i];
        MkClass klass = mk_class_by_name(file->name);
        if (file->sha256 && file->note && (klass == MK_CLASS_IDENTITY || klass == MK_CLASS_SECURITY))
            mk_plan_note(plan, _("In the set, %s: %s."), file->name, file->note);
    }
    if (worth == MK_IDENTITY_BLANK)
        mk_plan_gate(plan, MK_GATE_DANGER, "I-BLANK",
                     _("The NVRAM in this set is blank: with it the phone has no IMEI and no calibration."));
}

MkPlan *mk_plan_identity_restore(MkSession *session, const char *set_folder, const MkConsent *consent, GError **error)
{
    g_autoptr(MkIdentitySet) set =
        set_folder ? mk_identity_load(set_folder, error) : mk_identity_choose(session, error);
    if (!set || !refuse_foreign(session, set->phone_id, set->folder, error))
        return NULL;
    set_folder = set->folder;
    MkPlan *kept;
    g_autoptr(MkPlan) plan =
        begin(session, _("Put the identity set back"), "identity restore", set_folder, consent, &kept, error);
    if (!plan)
        return kept;
    show_set(plan, set);
    /* What is there now is kept too: restoring the wrong set must not be the end. */
    if (!mk_plan_save_identity(session, NULL, consent, plan, error))
        return NULL;
    for (guint i = 0; i < set->files->len; i++)
        if (!add_identity_file(session, plan, set->files->pdata[i], error))
            return NULL;
    if (!plan->steps->len) {
        mk_fault_set(error, MK_FAULT_ID_NONE, _("The set %s holds no identity partition."), set_folder);
        return NULL;
    }
    mk_plan_gate_yes(plan);
    return g_steal_pointer(&plan);
}

/* --- a backup of `medik save` -------------------------------------------------------------------------------------- */

static bool add_backup_file(MkSession *session, MkPlan *plan, const char *folder, JsonObject *file, GError **error)
{
    const char *name = mk_json_get_string(file, "name"), *base = mk_json_get_string(file, "file"),
               *sha256 = mk_json_get_string(file, "sha256");
    const char *region_name = mk_json_get_string(file, "region");
    gint64 offset = mk_json_get_int(file, "offset", -1), length = mk_json_get_int(file, "length", -1);
    MkRegion region;
    if (!name || !base || strchr(base, '/') || !sha256 || !region_name || !mk_region_from_name(region_name, &region) ||
        offset < 0 || length < 0) {
        mk_fault_set(error, MK_FAULT_FILE, _("The manifest of %s does not describe its files properly."), folder);
        return false;
    }
    if (region == MK_REGION_RPMB)
        return true;
    if (mk_json_get_int(file, "unreadable", 0))
        mk_plan_gate(plan, MK_GATE_DANGER, "D-PARTIAL",
                     _("%s has places that could not be read when it was saved; they would be written as zero."), name);
    g_autofree char *path = g_build_filename(folder, base, NULL);
    add_restore(plan, name, path, sha256, region, (uint64_t)offset, (uint64_t)length);
    return true;
}

static int boot_regions_last(gconstpointer a, gconstpointer b)
{
    const MkStep *x = *(MkStep *const *)a, *y = *(MkStep *const *)b;
    bool boot_x = mk_region_is_boot(x->region), boot_y = mk_region_is_boot(y->region);
    return boot_x != boot_y ? boot_x - boot_y : (int)y->region - (int)x->region;
}

/* Does any step reach into a partition of user data, as the phone's table has it? Without a table it must be feared. */
static bool covers_user_data(const MkSession *session, const MkPlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const MkStep *step = plan->steps->pdata[i];
        if (!session->layout)
            return true;
        for (guint k = 0; k < session->layout->partitions->len; k++) {
            const MkPartition *partition = session->layout->partitions->pdata[k];
            if (mk_partition_class(partition) == MK_CLASS_USER && partition->region == step->region &&
                step->offset < partition->start + partition->size && partition->start < step->offset + step->length)
                return true;
        }
    }
    return false;
}

MkPlan *mk_plan_restore_backup(MkSession *session, const char *folder, const MkConsent *consent, GError **error)
{
    g_autofree char *manifest = g_build_filename(folder, "manifest.json", NULL), *text = NULL;
    g_autoptr(JsonNode) root = g_file_get_contents(manifest, &text, NULL, NULL) ? mk_json_parse(text, -1) : NULL;
    JsonObject *object = mk_json_object(root);
    JsonArray *files = object ? mk_json_get_array(object, "files") : NULL;
    if (!files) {
        mk_fault_set(error, MK_FAULT_FILE, _("%s is no backup of Medik (no good manifest.json in it)."), folder);
        return NULL;
    }
    if (!refuse_foreign(session, mk_json_get_string(object, "phone"), folder, error))
        return NULL;
    MkPlan *kept;
    g_autoptr(MkPlan) plan = begin(session, _("Put a backup back"), "restore backup", folder, consent, &kept, error);
    if (!plan)
        return kept;
    if (!mk_plan_save_identity(session, NULL, consent, plan, error))
        return NULL;
    for (guint i = 0; i < json_array_get_length(files); i++)
        if (!add_backup_file(session, plan, folder, mk_json_object(json_array_get_element(files, i)), error))
            return NULL;
    g_ptr_array_sort(plan->steps, boot_regions_last);
    if (covers_user_data(session, plan))
        mk_plan_gate(plan, MK_GATE_USER_DATA, NULL,
                     _("The user data on the phone are replaced by those of the backup."));
    mk_plan_gate_yes(plan);
    return g_steal_pointer(&plan);
}
