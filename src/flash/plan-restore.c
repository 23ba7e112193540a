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

/* What was saved by position, without a table, counts once a table says the same place. */
static bool confirmed(const MkIdentitySet *set, const MkPartition *partition, const MkIdentityFile *candidate)
{
    for (guint i = 0; i < set->files->len; i++) {
        const MkIdentityFile *file = set->files->pdata[i];
        if (!file->candidate && file->sha256 && !strcmp(file->name, candidate->name))
            return false;
    }
    return partition && partition->region == candidate->region && partition->start == candidate->offset;
}

/* By name, at the place the phone's table gives it today; by the saved place only if the table does not know the name. */
static bool add_identity_file(MkSession *session, MkPlan *plan, const MkIdentitySet *set, const MkIdentityFile *file,
                              GError **error)
{
    MkClass klass = mk_class_by_name(file->name);
    const MkPartition *partition = session->layout ? mk_layout_find(session->layout, file->name) : NULL;
    if (!file->sha256 || (klass != MK_CLASS_IDENTITY && klass != MK_CLASS_SECURITY) ||
        (file->candidate && !confirmed(set, partition, file)))
        return true;
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
        if (!add_identity_file(session, plan, set, set->files->pdata[i], error))
            return NULL;
    if (!plan->steps->len) {
        mk_fault_set(error, MK_FAULT_ID_NONE, _("The set %s holds no identity partition."), set_folder);
        return NULL;
    }
    mk_plan_gate_yes(plan);
    return g_steal_pointer(&plan);
}

/* --- a backup of `medik save` -------------------------------------------------------------------------------------- */

/* --- … of a NAND --- */

/* What lies in PARTITION is right there only in the layout that it was saved in. */
static bool same_place(const MkPartition *partition, JsonArray *layout)
{
    for (guint i = 0; layout && i < json_array_get_length(layout); i++) {
        JsonObject *saved = mk_json_object(json_array_get_element(layout, i));
        if (saved && !g_strcmp0(mk_json_get_string(saved, "name"), partition->name))
            return mk_json_get_int(saved, "start", -1) == (gint64)partition->start &&
                   mk_json_get_int(saved, "size", -1) == (gint64)partition->size;
    }
    return false;
}

/* Why a partition is left as it is, or NULL. The preloader's outer header and the pool belong to this chip's bad blocks; yaffs2 keeps its tags in the
 * spare bytes, which a dump of pages lacks: written without them the file system would be gone. */
static const char *why_left(const MkPartition *partition, const MkStep *step, GError **error)
{
    g_autofree char *name = mk_partition_canonical(partition->name);
    MkClass klass = mk_partition_class(partition);
    if (klass == MK_CLASS_RESERVED || klass == MK_CLASS_TABLE)
        return _("it is bound to this chip's bad blocks.");
    if (!strcmp(name, "preloader") || !strcmp(name, "dsp_bl"))
        return _("the phone's own loader stays.");
    g_autoptr(MkStore) file = mk_store_file_open(step->path, false, error);
    g_autoptr(MkImage) whole = file ? mk_image_raw_new(file, error) : NULL,
                       part = whole ? mk_image_slice_new(whole, step->skip, step->length, error) : NULL;
    g_autoptr(MkStore) store = part ? mk_image_as_store(part) : NULL;
    MkContent content = MK_CONTENT_UNKNOWN;
    if (!store || !mk_identify(store, &content, error))
        return NULL;
    return content == MK_CONTENT_YAFFS2 ? _("yaffs2 cannot be put back from a backup without spare bytes; the ROM "
                                            "brings it back (`medik flash`).")
                                        : NULL;
}

/* WHOLE covers partitions of a NAND: a step for each, but for those that stay. */
static bool cut_nand_step(MkSession *session, MkPlan *plan, JsonArray *layout, const MkStep *whole, GError **error)
{
    for (guint i = 0; i < session->layout->partitions->len; i++) {
        const MkPartition *partition = session->layout->partitions->pdata[i];
        if (!partition->size || partition->start < whole->offset || partition->size > whole->length ||
            partition->start - whole->offset > whole->length - partition->size)
            continue;
        MkStep part = *whole;
        g_autoptr(GError) local = NULL;
        part.skip = partition->start - whole->offset;
        part.length = partition->size;
        const char *why = why_left(partition, &part, &local);
        if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (why) {
            mk_plan_note(plan, _("%s is left alone: %s"), partition->name, why);
            continue;
        }
        if (!same_place(partition, layout)) {
            mk_fault_set(error, MK_FAULT_LAYOUT, _("%s lay elsewhere when the backup was made."), partition->name);
            return false;
        }
        add_restore(plan, partition->name, whole->path, whole->sha256, MK_REGION_NAND, partition->start,
                    partition->size)
            ->skip = part.skip;
    }
    return true;
}

/* A NAND is never written in one piece. */
static bool cut_nand(MkSession *session, MkPlan *plan, JsonArray *layout, GError **error)
{
    if (!session->layout) {
        mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
                            _("The phone has no readable partition table; a NAND's backup is put back partition by "
                              "partition. Flash the ROM first, then put the backup back."));
        return false;
    }
    guint count = plan->steps->len;
    for (guint i = 0; i < count; i++)
        if (!cut_nand_step(session, plan, layout, plan->steps->pdata[i], error))
            return false;
    g_ptr_array_remove_range(plan->steps, 0, count);
    if (!plan->steps->len)
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("Nothing of this backup can be put back to a NAND."));
    return plan->steps->len != 0;
}

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
    if (session->agent->info.storage == MK_STORAGE_NAND &&
        !cut_nand(session, plan, mk_json_get_array(object, "layout"), error))
        return NULL;
    g_ptr_array_sort(plan->steps, boot_regions_last);
    if (covers_user_data(session, plan))
        mk_plan_gate(plan, MK_GATE_USER_DATA, NULL,
                     _("The user data on the phone are replaced by those of the backup."));
    mk_plan_gate_yes(plan);
    return g_steal_pointer(&plan);
}
