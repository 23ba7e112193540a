#include "flash/plan.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "core/json.h"

static void step_free(gpointer data)
{
    MkStep *step = data;
    g_free(step->name);
    g_free(step->path);
    g_clear_pointer(&step->data, g_bytes_unref);
    g_free(step->sha256);
    g_free(step->reason);
    g_free(step);
}

static void gate_free(gpointer data)
{
    MkGate *gate = data;
    g_free(gate->text);
    g_free(gate->id);
    g_free(gate);
}

MkPlan *mk_plan_new(const char *title, const char *phone_id)
{
    MkPlan *plan = g_new0(MkPlan, 1);
    plan->title = g_strdup(title);
    plan->phone_id = g_strdup(phone_id);
    plan->steps = g_ptr_array_new_with_free_func(step_free);
    plan->notes = g_ptr_array_new_with_free_func(g_free);
    plan->gates = g_ptr_array_new_with_free_func(gate_free);
    plan->diffs = g_ptr_array_new_with_free_func(g_free);
    plan->findings = mk_findings_new();
    return plan;
}

void mk_plan_free(MkPlan *plan)
{
    if (!plan)
        return;
    g_ptr_array_unref(plan->steps);
    g_ptr_array_unref(plan->notes);
    g_ptr_array_unref(plan->gates);
    g_ptr_array_unref(plan->diffs);
    g_ptr_array_unref(plan->findings);
    g_free(plan->title);
    g_free(plan->phone_id);
    g_free(plan->job);
    g_free(plan);
}

MkStep *mk_plan_add(MkPlan *plan, MkStepKind kind, const char *name, MkRegion region, uint64_t offset, uint64_t length)
{
    MkStep *step = g_new0(MkStep, 1);
    step->kind = kind;
    step->name = g_strdup(name);
    step->region = region;
    step->offset = offset;
    step->length = step->payload = length;
    step->klass = MK_CLASS_SYSTEM;
    g_ptr_array_add(plan->steps, step);
    return step;
}

void mk_plan_note(MkPlan *plan, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(plan->notes, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void mk_plan_gate(MkPlan *plan, MkGateKind kind, const char *id, const char *format, ...)
{
    MkGate *gate = g_new0(MkGate, 1);
    va_list arguments;
    va_start(arguments, format);
    gate->kind = kind;
    gate->id = g_strdup(id);
    gate->text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(plan->gates, gate);
}

static bool step_sends(const MkStep *step)
{
    return step->kind != MK_STEP_SAVE && step->kind != MK_STEP_ERASE;
}

void mk_plan_totals(const MkPlan *plan, uint64_t *saved, uint64_t *written, uint64_t *erased)
{
    *saved = *written = *erased = 0;
    for (guint i = 0; i < plan->steps->len; i++) {
        const MkStep *step = plan->steps->pdata[i];
        *(step->kind == MK_STEP_SAVE ? saved : step_sends(step) ? written : erased) += step->payload;
    }
}

const char *mk_step_verb(MkStepKind kind)
{
    static const char *const verbs[] = {N_("save"),        N_("erase"),       N_("write"),  N_("write preloader"),
                                        N_("write table"), N_("write table"), N_("restore")};
    return _(verbs[kind]);
}

static void add_lines(GString *text, const char *heading, const GPtrArray *lines)
{
    if (!lines->len)
        return;
    g_string_append_printf(text, "%s\n", heading);
    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(text, "  - %s\n", (const char *)lines->pdata[i]);
}

static void add_step(GString *text, guint number, const MkStep *step)
{
    g_autofree char *size = mk_size_text(step->payload);
    g_autofree char *file = step->path ? g_path_get_basename(step->path) : NULL;
    g_string_append_printf(text, "  %2u. %-15s %-16s %10s  %s+0x%" G_GINT64_MODIFIER "x", number,
                           mk_step_verb(step->kind), step->name, size, mk_region_name(step->region), step->offset);
    if (file && step->kind != MK_STEP_RESTORE)
        g_string_append_printf(text, "  %s %s", step->kind == MK_STEP_SAVE ? "→" : "←", file);
    if (step->reason)
        g_string_append_printf(text, "\n      %s", step->reason);
    g_string_append_c(text, '\n');
}

/* Also where the options were given: what is lost is lost all the same. */
static void add_losses(GString *text, const MkPlan *plan)
{
    bool any = false;
    for (guint i = 0; i < plan->gates->len; i++) {
        const MkGate *gate = plan->gates->pdata[i];
        if (gate->kind == MK_GATE_YES)
            continue;
        g_autofree char *option = mk_gate_option(plan, gate);
        if (!any)
            g_string_append_printf(text, "%s\n", _("What will be lost or is at risk, and the option that allows it:"));
        g_string_append_printf(text, "  - %s [%s]\n", gate->text, option);
        any = true;
    }
}

char *mk_plan_text(const MkPlan *plan)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%s\n", plan->title);
    add_lines(text, _("How the layouts differ:"), plan->diffs);
    g_string_append_printf(text, "%s\n", _("Steps, in this order:"));
    for (guint i = 0; i < plan->steps->len; i++)
        add_step(text, i + 1, plan->steps->pdata[i]);
    uint64_t saved, written, erased;
    mk_plan_totals(plan, &saved, &written, &erased);
    g_autofree char *s = mk_size_text(saved), *w = mk_size_text(written), *e = mk_size_text(erased);
    g_string_append_printf(text, _("Together: save %s, write %s, erase %s.\n"), s, w, e);
    add_losses(text, plan);
    add_lines(text, _("Good to know:"), plan->notes);
    return g_string_free(text, FALSE);
}

static void step_to_json(JsonBuilder *builder, const MkStep *step)
{
    json_builder_begin_object(builder);
    mk_json_int(builder, "kind", step->kind);
    mk_json_string(builder, "name", step->name);
    mk_json_int(builder, "region", step->region);
    mk_json_int(builder, "offset", (gint64)step->offset);
    mk_json_int(builder, "length", (gint64)step->length);
    mk_json_int(builder, "payload", (gint64)step->payload);
    mk_json_string(builder, "path", step->path);
    mk_json_int(builder, "skip", (gint64)step->skip);
    if (step->data) {
        gsize length;
        const guchar *data = g_bytes_get_data(step->data, &length);
        g_autofree char *text = g_base64_encode(data, length);
        mk_json_string(builder, "data", text);
    }
    mk_json_string(builder, "sha256", step->sha256);
    mk_json_int(builder, "class", step->klass);
    mk_json_int(builder, "type", step->type);
    mk_json_bool(builder, "nand_file", step->nand_file);
    mk_json_string(builder, "reason", step->reason);
    json_builder_end_object(builder);
}

char *mk_plan_to_json(const MkPlan *plan)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    mk_json_string(builder, "title", plan->title);
    mk_json_string(builder, "phone", plan->phone_id);
    mk_json_string(builder, "job", plan->job);
    json_builder_set_member_name(builder, "steps");
    json_builder_begin_array(builder);
    for (guint i = 0; i < plan->steps->len; i++)
        step_to_json(builder, plan->steps->pdata[i]);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "notes");
    json_builder_begin_array(builder);
    for (guint i = 0; i < plan->notes->len; i++)
        json_builder_add_string_value(builder, plan->notes->pdata[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return mk_json_text(builder, true);
}

static bool step_from_json(MkPlan *plan, JsonObject *object)
{
    gint64 kind = mk_json_get_int(object, "kind", -1), region = mk_json_get_int(object, "region", -1);
    const char *name = mk_json_get_string(object, "name");
    gint64 offset = mk_json_get_int(object, "offset", -1), length = mk_json_get_int(object, "length", -1);
    if (kind < 0 || kind > MK_STEP_RESTORE || region < 0 || region >= MK_REGION_N || !name || offset < 0 || length < 0)
        return false;
    MkStep *step = mk_plan_add(plan, (MkStepKind)kind, name, (MkRegion)region, (uint64_t)offset, (uint64_t)length);
    step->payload = (uint64_t)mk_json_get_int(object, "payload", length);
    step->path = g_strdup(mk_json_get_string(object, "path"));
    step->skip = (uint64_t)MAX(mk_json_get_int(object, "skip", 0), 0);
    step->sha256 = g_strdup(mk_json_get_string(object, "sha256"));
    step->reason = g_strdup(mk_json_get_string(object, "reason"));
    step->klass = (MkClass)mk_json_get_int(object, "class", MK_CLASS_SYSTEM);
    step->type = (MkImageType)mk_json_get_int(object, "type", MK_TYPE_UNKNOWN);
    step->nand_file = mk_json_get_bool(object, "nand_file");
    const char *data = mk_json_get_string(object, "data");
    if (data) {
        gsize count;
        guchar *bytes = g_base64_decode(data, &count);
        step->data = g_bytes_new_take(bytes, count);
    }
    if (step->kind == MK_STEP_TABLE || step->kind == MK_STEP_AGENT_TABLE)
        return step->data && (step->kind != MK_STEP_TABLE || g_bytes_get_size(step->data) == step->length);
    return step->path || step->kind == MK_STEP_ERASE;
}

MkPlan *mk_plan_from_json(const char *json, GError **error)
{
    g_autoptr(JsonNode) root = mk_json_parse(json, -1);
    JsonObject *object = mk_json_object(root);
    JsonArray *steps = object ? mk_json_get_array(object, "steps") : NULL;
    if (!steps) {
        mk_fault_set(error, MK_FAULT_FILE, _("The plan kept for this job is damaged."));
        return NULL;
    }
    const char *title = mk_json_get_string(object, "title");
    g_autoptr(MkPlan) plan = mk_plan_new(title ? title : "", mk_json_get_string(object, "phone"));
    plan->job = g_strdup(mk_json_get_string(object, "job"));
    for (guint i = 0; i < json_array_get_length(steps); i++) {
        JsonObject *step = mk_json_object(json_array_get_element(steps, i));
        if (!step || !step_from_json(plan, step)) {
            mk_fault_set(error, MK_FAULT_FILE, _("Step %u of the plan kept for this job is damaged."), i + 1);
            return NULL;
        }
    }
    JsonArray *notes = mk_json_get_array(object, "notes");
    for (guint i = 0; notes && i < json_array_get_length(notes); i++) {
        JsonNode *note = json_array_get_element(notes, i);
        if (JSON_NODE_HOLDS_VALUE(note) && json_node_get_value_type(note) == G_TYPE_STRING)
            mk_plan_note(plan, "%s", json_node_get_string(note));
    }
    return g_steal_pointer(&plan);
}

static bool same_step(const MkStep *one, const MkStep *other)
{
    bool data = one->data && other->data ? g_bytes_equal(one->data, other->data) : one->data == other->data;
    bool file = one->kind == MK_STEP_RESTORE || one->kind == MK_STEP_SAVE ||
                (!g_strcmp0(one->path, other->path) && !g_strcmp0(one->sha256, other->sha256));
    return data && file && one->kind == other->kind && !g_strcmp0(one->name, other->name) &&
           one->region == other->region && one->offset == other->offset && one->length == other->length &&
           one->skip == other->skip && one->nand_file == other->nand_file;
}

char *mk_plan_difference(const MkPlan *then, const MkPlan *now)
{
    if (g_strcmp0(then->phone_id, now->phone_id))
        return g_strdup_printf(_("it was made for phone %.8s, this is phone %.8s."),
                               then->phone_id ? then->phone_id : "?", now->phone_id);
    for (guint i = 0; i < MAX(then->steps->len, now->steps->len); i++) {
        const MkStep *was = i < then->steps->len ? then->steps->pdata[i] : NULL,
                     *is = i < now->steps->len ? now->steps->pdata[i] : NULL;
        if (was && is && same_step(was, is))
            continue;
        if (!was || !is)
            return g_strdup_printf(_("it had %u steps, now there are %u."), then->steps->len, now->steps->len);
        return g_strdup_printf(_("step %u was \"%s %s\" and is now \"%s %s\" or another place or content of it."),
                               i + 1, mk_step_verb(was->kind), was->name, mk_step_verb(is->kind), is->name);
    }
    return NULL;
}

bool mk_scene_from_name(const char *name, MkScene *scene)
{
    static const struct {
        const char *name;
        MkScene scene;
    } names[] = {{"download-only", MK_SCENE_DOWNLOAD_ONLY},
                 {"download", MK_SCENE_DOWNLOAD_ONLY},
                 {"upgrade", MK_SCENE_UPGRADE},
                 {"firmware-upgrade", MK_SCENE_UPGRADE},
                 {"format-all", MK_SCENE_FORMAT_ALL},
                 {"format-download", MK_SCENE_FORMAT_ALL}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (!g_ascii_strcasecmp(name, names[i].name)) {
            *scene = names[i].scene;
            return true;
        }
    return false;
}
