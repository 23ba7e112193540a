#include "flash/plan-internal.h"

#include "core/hash.h"
#include "core/i18n.h"
#include "flash/journal.h"
#include "flash/file-hash.h"

#include <string.h>

#define PMT_BLOCKS 2 /* of a NAND: its table and the copy */

void mk_plan_set_job(MkPlan *plan, ...)
{
    GString *key = g_string_new(plan->phone_id);
    va_list texts;
    va_start(texts, plan);
    for (const char *text; (text = va_arg(texts, const char *));)
        g_string_append_printf(key, "\n%s", text);
    va_end(texts);
    g_free(plan->job);
    plan->job = mk_sha256_hex(key->str, key->len);
    g_string_free(key, TRUE);
}

void mk_plan_gate_yes(MkPlan *plan)
{
    mk_plan_gate(plan, MK_GATE_YES, NULL, _("The plan has been shown and is agreed to."));
}

bool mk_plan_continue(MkSession *session, const MkPlan *plan, const MkConsent *consent, MkPlan **ret_kept,
                      GError **error)
{
    g_autoptr(GError) local = NULL;
    MkPlan *kept = *ret_kept = consent->restart ? NULL : mk_journal_find(session->home, plan->job, &local);
    if (!kept) {
        bool failed = local != NULL;
        if (failed)
            g_propagate_error(error, g_steal_pointer(&local));
        return failed;
    }
    kept->continued = true;
    session->identity_waived = consent->no_identity_backup;
    g_autoptr(GPtrArray) sets = mk_identity_list(session->home);
    if (!session->identity && sets->len)
        session->identity = mk_identity_load(((MkIdentitySet *)sets->pdata[0])->folder, NULL);
    mk_plan_note(kept, _("This job was interrupted before; it goes on where it stopped. (--restart begins anew.)"));
    mk_plan_gate_yes(kept);
    return true;
}

static bool all_blank(const MkIdentitySet *set)
{
    for (guint i = 0; i < set->files->len; i++) {
        const MkIdentityFile *file = set->files->pdata[i];
        if (mk_class_by_name(file->name) == MK_CLASS_IDENTITY && file->evidence != MK_EVIDENCE_BLANK)
            return false;
    }
    return true;
}

/* A blank NVRAM is kept like any other, but it takes no good set's place. */
static void note_worth(MkSession *session, const MkIdentitySet *set, MkPlan *plan)
{
    g_autoptr(MkIdentitySet) good =
        mk_identity_worth(set) == MK_IDENTITY_GOOD ? NULL : mk_identity_newest_good(session->home);
    if (all_blank(set))
        mk_plan_note(plan, _("Nothing to lose there: the identity partitions are blank or not in the phone's table."));
    if (good)
        mk_plan_note(plan,
                     _("This set is %s. The good set of %s is kept beside it, and is the one that `identity restore` "
                       "puts back: %s"),
                     mk_identity_worth_words(mk_identity_worth(set)), good->date, good->folder);
}

/* Worn-out storage is only for saving (spec behaviour.md 4.10). */
static void gate_life(const MkSession *session, MkPlan *plan)
{
    if (session->agent->info.life == MK_LIFE_END)
        mk_plan_gate(plan, MK_GATE_EXPERT, NULL,
                     _("The phone's storage is worn out by its own report: what is written may not stay, and what is "
                       "there may go. Save everything instead."));
}

bool mk_plan_save_identity(MkSession *session, const MkLayout *expected, const MkConsent *consent, MkPlan *plan,
                           GError **error)
{
    session->identity_waived = consent->no_identity_backup;
    gate_life(session, plan);
    if (consent->no_identity_backup) {
        mk_plan_gate(plan, MK_GATE_NO_BACKUP, NULL,
                     _("No copy of the identity (IMEI, calibration) will be made before writing."));
        return true;
    }
    if (consent->dry_run) {
        mk_plan_note(plan, _("A real run first saves the identity set (IMEI, calibration, tables) to %s."),
                     session->home);
        return true;
    }
    bool existed;
    g_autoptr(MkIdentitySet) set = mk_identity_save(session, expected, &existed, NULL, error);
    if (!set)
        return false;
    mk_plan_note(plan,
                 existed ? _("The identity set was saved before and is unchanged: %s")
                         : _("The identity set was saved: %s"),
                 set->folder);
    note_worth(session, set, plan);
    return true;
}

void mk_plan_add_undo(MkPlan *plan, const MkPartition *partition)
{
    MkRegion region = mk_region_copy(partition->region, 0);
    MkStep *step = mk_plan_add(plan, MK_STEP_SAVE, partition->name, region, partition->start, partition->size);
    step->path = g_strdup_printf("undo-%s-%s-%" G_GINT64_MODIFIER "x.bin", partition->name, mk_region_name(region),
                                 partition->start);
    step->klass = mk_partition_class(partition);
    step->reason = g_strdup(_("undo copy of what is there now"));
}

/* Which way a file lies on a NAND is seen in the file; tables do not say it. */
static MkImageType nand_type(const MkPartition *partition, MkContent content)
{
    if (content == MK_CONTENT_YAFFS2)
        return MK_TYPE_YAFFS_IMG;
    if (content == MK_CONTENT_UBI)
        return MK_TYPE_UBI_IMG;
    return partition->type == MK_TYPE_UNKNOWN || partition->type == MK_TYPE_YAFFS_IMG ? MK_TYPE_NORMAL_ROM
                                                                                      : partition->type;
}

MkStep *mk_plan_add_image(MkPlan *plan, MkSession *session, const MkPartition *partition, const char *path,
                          const char *sha256, GError **error)
{
    MkContent content;
    g_autoptr(MkImage) image = mk_image_open(path, &content, error);
    if (!image)
        return NULL;
    if (image->size > partition->size) {
        mk_fault_set_number(error, MK_FAULT_IMAGE_SIZE, 1011, "S_NOT_ENOUGH_STORAGE_SPACE",
                            _("%s needs %" G_GUINT64_FORMAT " bytes, %s has only %" G_GUINT64_FORMAT "."), path,
                            image->size, partition->name, partition->size);
        return NULL;
    }
    bool preloader = content == MK_CONTENT_PRELOADER || content == MK_CONTENT_PRELOADER_BOOT_HEADER;
    bool nand = session->agent->info.storage == MK_STORAGE_NAND;
    if (preloader && nand) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED,
                     _("Medik cannot write the preloader of a NAND phone: its outer header is made by the maker's tool "
                       "only."));
        return NULL;
    }
    MkStep *step = mk_plan_add(plan, preloader ? MK_STEP_WRITE_PRELOADER : MK_STEP_WRITE, partition->name,
                               partition->region, partition->start, partition->size);
    step->path = g_canonicalize_filename(path, NULL);
    step->payload = mk_image_payload(image);
    step->sha256 = g_strdup(sha256);
    step->klass = mk_partition_class(partition);
    step->type = nand ? nand_type(partition, content) : partition->type;
    step->nand_file = nand;
    if (!step->sha256 && !(step->sha256 = mk_file_sha256(path, error)))
        return NULL;
    return step;
}

void mk_plan_add_patches(MkPlan *plan, const GPtrArray *patches, const char *reason)
{
    for (guint i = 0; i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        MkStep *undo =
            mk_plan_add(plan, MK_STEP_SAVE, patch->what, patch->region, patch->offset, g_bytes_get_size(patch->data));
        undo->klass = MK_CLASS_TABLE;
        undo->path =
            g_strdup_printf("undo-table-%s-%" G_GINT64_MODIFIER "x.bin", mk_region_name(patch->region), patch->offset);
        undo->reason = g_strdup(_("undo copy of what is there now"));
    }
    for (guint i = 0; i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        MkStep *step =
            mk_plan_add(plan, MK_STEP_TABLE, patch->what, patch->region, patch->offset, g_bytes_get_size(patch->data));
        step->klass = MK_CLASS_TABLE;
        step->data = g_bytes_ref(patch->data);
        step->reason = g_strdup(reason);
    }
}

static void join(GPtrArray *all, GPtrArray *more)
{
    while (more->len)
        g_ptr_array_add(all, g_ptr_array_steal_index(more, 0));
    g_ptr_array_unref(more);
}

static bool has_copy(const MkTable *table)
{
    return table && (table->primary != MK_COPY_ABSENT || table->secondary != MK_COPY_ABSENT);
}

/* The tables of the MBR era: MBR and its EBRs, and the PMT where the layout has a place for one or the phone carries one. */
static GPtrArray *encode_old_tables(MkSession *session, MkLayout *layout, GError **error)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)mk_patch_free);
    if (mk_layout_find(layout, "pmt") || has_copy(session->pmt)) {
        GPtrArray *pmt = mk_pmt_encode(layout, geometry, 1, error);
        if (!pmt)
            return NULL;
        join(all, pmt);
    }
    GPtrArray *mbr = mk_mbr_encode(layout, geometry, error);
    if (!mbr)
        return NULL;
    join(all, mbr);
    return g_steal_pointer(&all);
}

static bool erases_table(const MkPlan *plan, MkRegion main)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const MkStep *step = plan->steps->pdata[i];
        if (step->kind == MK_STEP_ERASE && step->region == main && step->offset == 0)
            return true;
    }
    return false;
}

/* Usually the backup is written first, so that one copy is whole at every moment. Where none is, some agents take nothing before the primary one
 * (MK_AGENT_NEEDS_TABLE). */
static void order_for_agent(const MkPlan *plan, const MkSession *session, GPtrArray *patches)
{
    MkRegion main = mk_geometry_main_region(&session->agent->info.geometry);
    bool whole = session->gpt && session->gpt->layout && !erases_table(plan, main);
    if (whole || !mk_agent_can(session->agent, MK_AGENT_NEEDS_TABLE))
        return;
    for (guint i = 1; i < patches->len; i++)
        if (((const MkPatch *)patches->pdata[i])->offset == 0)
            g_ptr_array_insert(patches, 0, g_ptr_array_steal_index(patches, i));
}

bool mk_plan_add_tables(MkPlan *plan, MkSession *session, MkLayout *layout, GError **error)
{
    const char *reason = _("the table of this load, both copies");
    if (session->agent->info.storage == MK_STORAGE_NAND) {
        g_autofree char *scatter = mk_scatter_write(layout, MK_LAYOUT_SCATTER_V0, NULL, error);
        if (!scatter)
            return false;
        MkStep *step = mk_plan_add(plan, MK_STEP_AGENT_TABLE, "PMT", MK_REGION_NAND, 0, 0);
        step->klass = MK_CLASS_TABLE;
        step->data = g_bytes_new(scatter, strlen(scatter));
        step->reason = g_strdup(_("the agent writes the table where this phone keeps it"));
        return true;
    }
    g_autoptr(GPtrArray) patches = mk_layout_find(layout, "mbr")
                                       ? encode_old_tables(session, layout, error)
                                       : mk_gpt_encode(layout, &session->agent->info.geometry, error);
    if (!patches)
        return false;
    order_for_agent(plan, session, patches);
    mk_plan_add_patches(plan, patches, reason);
    return true;
}

void mk_plan_gate_class(MkPlan *plan, const MkPartition *partition, bool erase)
{
    switch (mk_partition_class(partition)) {
    case MK_CLASS_IDENTITY:
        mk_plan_gate(plan, MK_GATE_IDENTITY, NULL,
                     erase ? _("%s holds this phone's identity. After this the phone has no IMEI or radio calibration "
                               "unless it is restored.")
                           : _("%s holds this phone's identity; it will be overwritten."),
                     partition->name);
        break;
    case MK_CLASS_SECURITY:
        mk_plan_gate(plan, MK_GATE_IDENTITY, NULL,
                     _("%s holds this phone's security state; a wrong one can keep it from starting."),
                     partition->name);
        break;
    case MK_CLASS_RESERVED:
    case MK_CLASS_TABLE:
        mk_plan_gate(plan, MK_GATE_EXPERT, NULL,
                     _("%s is reserved for the phone itself or is part of its partition table."), partition->name);
        break;
    case MK_CLASS_USER:
        mk_plan_gate(plan, MK_GATE_USER_DATA, NULL, _("User data in %s will be lost."), partition->name);
        break;
    case MK_CLASS_BOOT:
    case MK_CLASS_MODEM:
    case MK_CLASS_SYSTEM: break;
    }
}

uint64_t mk_plan_erase_end(MkSession *session, MkRegion region)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    uint64_t size = mk_agent_region_size(session->agent, region);
    uint64_t kept =
        region == MK_REGION_NAND ? (uint64_t)(geometry->pool_blocks + PMT_BLOCKS) * geometry->nand_block : 0;
    return size - MIN(kept, size);
}

bool mk_plan_behind_preloader(const MkLayout *layout, uint64_t *from, GError **error)
{
    const MkPartition *preloader = layout ? mk_layout_find(layout, "preloader") : NULL;
    if (preloader && preloader->resolved) {
        *from = preloader->start + preloader->size;
        return true;
    }
    mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 8400, "FT_FIND_NVRAM_ERROR",
                        _("The phone's table does not say where the preloader ends, so it cannot be spared."));
    return false;
}

MkLayout *mk_plan_resolve_load(MkSession *session, MkLayout *layout, GError **error)
{
    const MkAgentInfo *info = &session->agent->info;
    g_autoptr(MkLayout) section = mk_layout_for_storage(layout, info->storage);
    if (!section) {
        mk_fault_set_number(
            error, MK_FAULT_STOR_MISMATCH, 8043, "FT_STORAGE_ERROR",
            _("[Storage Error] The load and the target are inconsistent: the load is for %s, this phone has %s."),
            mk_storage_name(layout->storage), mk_storage_name(info->storage));
        return NULL;
    }
    g_autoptr(MkLayout) load = mk_layout_copy(section);
    return mk_layout_resolve(load, &info->geometry, error) ? g_steal_pointer(&load) : NULL;
}
