/* --plan-out and --run-plan (spec behaviour.md 7). The file keeps what was asked, word by word, and the plan that was made of it. Running it
 * makes the plan anew from the phone as it is then, and goes on only if it is the same one: whoever wrote the file, no check is left out. */
#include "cli/cli.h"
#include "core/i18n.h"

#include <glib/gstdio.h>
#include <string.h>

#define KIND     "medik plan"
#define RUN_PLAN "--run-plan"

/* Words that belong to one run and not to what was asked; those of the second list take a value. */
static const char *const passing[] = {"--dry-run", "-n", "--yes",     "-y", "--json",
                                      "--quiet",   "-q", "--verbose", "-v", NULL};
static const char *const passing_with_value[] = {"--plan-out", RUN_PLAN, "--log", "--trace", NULL};

/* NAME, or NAME=VALUE. */
static bool is_option(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, name, length) == 0 && (word[length] == '\0' || word[length] == '=');
}

/* 0: WORD stays; 1: it is left out; 2: so is the next. */
static int left_out(const char *word)
{
    if (g_strv_contains(passing, word))
        return 1;
    for (size_t i = 0; passing_with_value[i]; i++)
        if (is_option(word, passing_with_value[i]))
            return strchr(word, '=') ? 1 : 2;
    return 0;
}

static void add_words(JsonBuilder *builder)
{
    const char *const *asked = mk_cli_command();
    json_builder_set_member_name(builder, "words");
    json_builder_begin_array(builder);
    /* The first is "medik VERB". */
    json_builder_add_string_value(builder, strchr(asked[0], ' ') + 1);
    for (size_t i = 1; asked[i]; i++) {
        int out = left_out(asked[i]);
        if (strcmp(asked[i], "--") == 0) {
            for (; asked[i]; i++)
                json_builder_add_string_value(builder, asked[i]);
            break;
        }
        if (!out)
            json_builder_add_string_value(builder, asked[i]);
        i += out == 2 && asked[i + 1];
    }
    json_builder_end_array(builder);
}

bool mk_cli_plan_out(MkCli *cli, const MkPlan *plan, GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *folder = g_get_current_dir(), *json = mk_plan_to_json(plan);
    json_builder_begin_object(builder);
    mk_json_string(builder, "kind", KIND);
    mk_json_string(builder, "tool", "medik " MEDIK_VERSION);
    mk_json_string(builder, "folder", folder);
    add_words(builder);
    json_builder_set_member_name(builder, "plan");
    json_builder_add_value(builder, mk_json_parse(json, -1));
    json_builder_end_object(builder);
    g_autofree char *text = mk_json_text(builder, true);
    if (!mk_cli_write_new(cli->plan_out, text, error))
        return false;
    mk_cli_say(cli, _("The plan is in %s; `medik --run-plan %s` does it."), cli->plan_out, cli->plan_out);
    return true;
}

/* The document in PATH, or NULL with a fault. */
static JsonNode *load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(path, &text, NULL, &local)) {
        mk_fault_set(error, MK_FAULT_FILE, _("Cannot read the plan: %s."), local->message);
        return NULL;
    }
    g_autoptr(JsonNode) root = mk_json_parse(text, -1);
    JsonObject *object = mk_json_object(root);
    if (object && !g_strcmp0(mk_json_get_string(object, "kind"), KIND) && mk_json_get_array(object, "words") &&
        mk_json_get_string(object, "folder"))
        return g_steal_pointer(&root);
    mk_fault_set(error, MK_FAULT_FILE, _("%s is no plan that `medik … --plan-out` made."), path);
    return NULL;
}

bool mk_cli_plan_agrees(MkCli *cli, const MkPlan *plan, GError **error)
{
    if (!cli->run_plan)
        return true;
    g_autoptr(JsonNode) root = load(cli->run_plan, error);
    if (!root)
        return false;
    JsonObject *object = mk_json_object(root);
    JsonNode *kept = json_object_has_member(object, "plan") ? json_object_get_member(object, "plan") : NULL;
    g_autofree char *text = kept ? json_to_string(kept, FALSE) : g_strdup("");
    g_autoptr(MkPlan) wanted = mk_plan_from_json(text, error);
    if (!wanted)
        return false;
    g_autofree char *difference = mk_plan_difference(wanted, plan);
    if (!difference)
        return true;
    mk_fault_set(
        error, MK_FAULT_REFUSED,
        _("The phone or the files are no longer what the plan in %s was made for: %s Nothing was done; make the plan "
          "again and look at it."),
        cli->run_plan, difference);
    return false;
}

/* The words of the file, ours before a "--" of theirs, so that ours count where both say something. */
static char **join_words(JsonArray *kept, char **ours, const char *path)
{
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    bool added = false;
    for (guint i = 0; i <= json_array_get_length(kept); i++) {
        JsonNode *node = i < json_array_get_length(kept) ? json_array_get_element(kept, i) : NULL;
        const char *word = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
                               ? json_node_get_string(node)
                               : NULL;
        if (!added && (!node || !g_strcmp0(word, "--"))) {
            g_strv_builder_add_many(words, RUN_PLAN, path, NULL);
            g_strv_builder_addv(words, (const char **)ours);
            added = true;
        }
        if (node)
            g_strv_builder_add(words, word ? word : "");
    }
    return g_strv_builder_end(words);
}

char **mk_cli_plan_words(char **arguments, GError **error)
{
    const char *value = strchr(arguments[0], '=');
    char **rest = arguments + 1;
    if (!value && !*rest) {
        mk_fault_set(error, MK_FAULT_USAGE, "%s", _("--run-plan wants the file that --plan-out made."));
        return NULL;
    }
    g_autofree char *path = g_canonicalize_filename(value ? value + 1 : *rest++, NULL);
    g_autoptr(JsonNode) root = load(path, error);
    if (!root)
        return NULL;
    const char *folder = mk_json_get_string(mk_json_object(root), "folder");
    if (g_chdir(folder)) {
        mk_fault_set(error, MK_FAULT_FILE, _("The plan was made in %s, which cannot be entered now."), folder);
        return NULL;
    }
    return join_words(mk_json_get_array(mk_json_object(root), "words"), rest, path);
}

bool mk_cli_is_run_plan(const char *word)
{
    return is_option(word, RUN_PLAN);
}
