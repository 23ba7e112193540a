/* Plans that write only the partition table's own bytes (spec behaviour.md 4.12, playbook P2). */
#include "flash/plan-internal.h"

#include "core/i18n.h"
#include "flash/evidence.h"

#include <string.h>

static bool repairable(const MkTable *table)
{
    return table && table->layout &&
           (table->primary != MK_COPY_GOOD || table->secondary != MK_COPY_GOOD || table->differ);
}

static bool is_whole(const MkTable *table)
{
    return table && table->primary == MK_COPY_GOOD && table->secondary == MK_COPY_GOOD && !table->differ;
}

/* Does what lies on the phone agree with the layout that is to be written? Every hit is shown (playbook P2, step 4). */
static bool show_evidence(MkSession *session, const MkLayout *layout, MkPlan *plan, GError **error)
{
    static const char *const names[] = {"nvram", "nvdata", "protect1", "protect2", "system", "super", "seccfg"};
    unsigned hits = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const MkPartition *partition = mk_layout_find(layout, names[i]);
        MkEvidence evidence;
        g_autofree char *words = NULL;
        if (!partition)
            continue;
        MkStore *store = mk_session_partition_store(session, partition, error);
        if (!store || !mk_evidence_look(names[i], store, partition->start, partition->size, &evidence, &words, error))
            return false;
        if (evidence >= MK_EVIDENCE_FORM) {
            mk_plan_note(plan, _("%s is where this table says: %s."), partition->name, words);
            hits++;
        }
    }
    if (hits < 2)
        mk_plan_gate(plan, MK_GATE_DANGER, "T-EVIDENCE",
                     _("Little on the phone confirms this layout (%u places of content fit): it may be the layout of "
                       "another variant."),
                     hits);
    return true;
}

/* Two good copies that differ are two opinions. The one that the phone goes by is kept, if what lies on the phone says the same. */
static bool judge_copies(MkSession *session, const MkTable *table, MkPlan *plan, GError **error)
{
    if (!table->differ)
        return true;
    mk_plan_note(plan, _("Both copies of the table are good, and they differ. The one that the phone goes by is kept, "
                         "the other is made equal to it."));
    return show_evidence(session, table->layout, plan, error);
}

/* From the good copy to the bad one. *done tells whether there was something to do it with. */
static bool repair_from_copy(MkSession *session, MkPlan *plan, bool *done, GError **error)
{
    g_autoptr(GPtrArray) patches = NULL;
    MkStore *user = mk_session_store(session, mk_geometry_main_region(&session->agent->info.geometry), error);
    *done = false;
    if (!user)
        return false;
    const MkTable *table = repairable(session->gpt) ? session->gpt : session->pmt;
    if (!repairable(table))
        return true;
    if (table == session->gpt)
        patches = mk_gpt_repair(user, session->cancel, error);
    else
        patches = mk_pmt_repair(user, &session->agent->info.geometry, session->cancel, error);
    if (!patches)
        return false;
    mk_plan_add_patches(plan, patches, _("made equal to the good copy"));
    *done = true;
    return judge_copies(session, table, plan, error);
}

static bool is_good(const MkSession *session)
{
    return is_whole(session->gpt) || is_whole(session->pmt) ||
           (session->agent->info.storage == MK_STORAGE_NAND && session->agent_layout);
}

/* Content stays where it is, so what moves in the table is lost to its reader. An MBR names nothing: user data must be feared for. */
static void show_moves(MkSession *session, const MkLayout *layout, MkPlan *plan)
{
    if (!session->layout)
        return;
    g_autoptr(GPtrArray) diffs = mk_layout_compare(session->layout, layout);
    bool user = false;
    for (guint i = 0; i < diffs->len; i++) {
        const MkDiff *diff = diffs->pdata[i];
        if (diff->kind == MK_DIFF_SAME)
            continue;
        g_ptr_array_add(plan->diffs, mk_diff_text(diff));
        user = user || session->layout->kind == MK_LAYOUT_MBR ||
               (diff->before && mk_partition_class(diff->before) == MK_CLASS_USER);
    }
    if (user)
        mk_plan_gate(plan, MK_GATE_USER_DATA, NULL,
                     _("The partition of user data begins or ends elsewhere in this table: user data will be lost."));
    if (plan->diffs->len && is_good(session))
        mk_plan_gate(plan, MK_GATE_DANGER, "T-GOOD",
                     _("The phone's own table is good, and this one differs from it: what lies where only the phone's "
                       "table says will not be found any more. Needed only if that table came with a wrong ROM."));
}

static bool repair_from_layout(MkSession *session, MkPlan *plan, MkLayout *load, GError **error)
{
    if (load->platform && !mk_soc_accepts(session->target->soc, load->platform)) {
        mk_fault_set_number(error, MK_FAULT_CHIP, 3184, "S_CHIP_TYPE_NOT_MATCH",
                            _("The layout is for %s, this phone has %s."), load->platform,
                            mk_soc_name(session->target->soc));
        return false;
    }
    show_moves(session, load, plan);
    if (session->agent->info.storage != MK_STORAGE_NAND && !show_evidence(session, load, plan, error))
        return false;
    return mk_plan_add_tables(plan, session, load, error);
}

static bool choose_source(MkSession *session, MkPlan *plan, MkRepairFrom from, MkLayout *load, GError **error)
{
    bool done = false;
    if (from != MK_REPAIR_FROM_LAYOUT && session->agent->info.storage != MK_STORAGE_NAND &&
        !repair_from_copy(session, plan, &done, error))
        return false;
    if (done)
        return true;
    if (from != MK_REPAIR_FROM_COPY && load)
        return repair_from_layout(session, plan, load, error);
    if (is_whole(session->gpt) || is_whole(session->pmt)) {
        mk_plan_note(plan, _("Both copies of the table are good and equal: there is nothing to repair."));
        return true;
    }
    mk_fault_set_number(
        error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
        _("No good copy of the table is left on the phone; a scatter file of exactly this ROM is needed."));
    return false;
}

MkPlan *mk_plan_table_repair(MkSession *session, MkRepairFrom from, MkLayout *layout, const MkConsent *consent,
                             GError **error)
{
    g_autoptr(MkLayout) load = layout ? mk_plan_resolve_load(session, layout, error) : NULL;
    if (layout && !load)
        return NULL;
    g_autoptr(MkPlan) plan = mk_plan_new(_("Repair the partition table (no other byte is touched)"), session->id);
    g_autofree char *scatter = load ? mk_scatter_write(load, MK_LAYOUT_SCATTER_V1, NULL, NULL) : NULL;
    g_autofree char *how = g_strdup_printf("table repair %d", from);
    mk_plan_set_job(plan, how, scatter ? scatter : "", NULL);
    MkPlan *kept;
    if (mk_plan_continue(session, plan, consent, &kept, error))
        return kept;
    if (!mk_plan_save_identity(session, load, consent, plan, error) || !choose_source(session, plan, from, load, error))
        return NULL;
    mk_plan_gate_yes(plan);
    return g_steal_pointer(&plan);
}
