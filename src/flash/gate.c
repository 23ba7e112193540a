/* The gates: what must have been said before a plan may run (spec behaviour.md 6.2, 6.3). */
#include "flash/plan.h"

#include "core/i18n.h"

#include <string.h>

static bool typed(const char *given, const MkPlan *plan)
{
    return given && strlen(given) == 8 && !g_ascii_strncasecmp(given, plan->phone_id, 8);
}

static bool gate_open(const MkPlan *plan, const MkGate *gate, const MkConsent *consent)
{
    switch (gate->kind) {
    case MK_GATE_YES: return consent->yes;
    case MK_GATE_USER_DATA: return consent->erase_user_data;
    case MK_GATE_IDENTITY: return typed(consent->erase_identity, plan);
    case MK_GATE_NO_BACKUP: return consent->no_identity_backup;
    case MK_GATE_MISMATCH: return consent->mismatch;
    case MK_GATE_EXPERT: return typed(consent->expert, plan);
    case MK_GATE_DANGER: return consent->accept && g_strv_contains(consent->accept, gate->id);
    }
    return false;
}

char *mk_gate_option(const MkPlan *plan, const MkGate *gate)
{
    switch (gate->kind) {
    case MK_GATE_YES: return g_strdup("--yes");
    case MK_GATE_USER_DATA: return g_strdup("--erase-user-data");
    case MK_GATE_IDENTITY: return g_strdup_printf("--erase-identity=%.8s", plan->phone_id);
    case MK_GATE_NO_BACKUP: return g_strdup("--no-identity-backup");
    case MK_GATE_MISMATCH: return g_strdup("--i-know-this-does-not-match");
    case MK_GATE_EXPERT: return g_strdup_printf("--expert=%.8s", plan->phone_id);
    case MK_GATE_DANGER: return g_strdup_printf("--accept=%s", gate->id);
    }
    return NULL;
}

bool mk_plan_check_gates(const MkPlan *plan, const MkConsent *consent, GError **error)
{
    g_autoptr(GString) closed = g_string_new(NULL);
    for (guint i = 0; i < plan->gates->len; i++) {
        const MkGate *gate = plan->gates->pdata[i];
        if (gate_open(plan, gate, consent))
            continue;
        g_autofree char *how = mk_gate_option(plan, gate);
        g_string_append_printf(closed, "\n  %s [%s]", gate->text, how);
    }
    if (!closed->len)
        return true;
    mk_fault_set(error, MK_FAULT_REFUSED, _("This was not done, because it was not asked for in so many words:%s"),
                 closed->str);
    return false;
}
