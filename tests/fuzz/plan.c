/* A plan from a journal that was damaged or edited. */
#include "flash/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(MkPlan) plan = mk_plan_from_json(text, NULL);
    if (!plan)
        return 0;
    g_autofree char *words = mk_plan_text(plan), *again = mk_plan_to_json(plan);
    return 0;
}
