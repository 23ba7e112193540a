/* medik explain: what an error means, offline and without a phone. */
#include "cli/cli.h"
#include "core/catalogue.h"
#include "core/i18n.h"

#include <string.h>

#define MAX_ANSWERS 6

static MkFault fault_by_id(const char *id)
{
    MkFault code = 0;
    while (code < MK_FAULT_N && strcmp(mk_fault_id(code), id) != 0)
        code++;
    return code;
}

static char *number_text(const MkCatalogueRow *row, uint32_t number)
{
    bool word = number > 0xFFFF, status = g_str_has_prefix(row->symbol, "BROM_");
    return g_strdup_printf(word ? "0x%08X" : status ? "0x%04X" : "%u", number);
}

static char *numbers_text(const MkCatalogueRow *row)
{
    g_autofree char *old = number_text(row, row->old), *new = number_text(row, row->new);
    if (row->old == row->new)
        return g_strdup(row->old ? old : "");
    return !row->old   ? g_strdup_printf(_("%s (tools since 2015)"), new)
           : !row->new ? g_strdup_printf(_("%s (tools until 2014)"), old)
                       : g_strdup_printf(_("%s (tools until 2014), %s (since 2015)"), old, new);
}

static void show_row(MkCli *cli, const MkCatalogueRow *row)
{
    g_autofree char *numbers = numbers_text(row);
    bool explained = *row->when || *row->cause || *row->cure;
    /* What has no words of its own has at least those of the code it stands for. */
    MkFault code = fault_by_id(row->id);
    bool by_code = !explained && code != MK_FAULT_N && code != MK_FAULT_INTERNAL;
    const char *why = by_code ? mk_fault_cause(code) : row->cause, *cure = by_code ? mk_fault_cure(code) : row->cure;
    const struct {
        const char *label, *text;
    } lines[] = {{_("When:"), row->when}, {_("Why:"), why}, {_("What to do:"), cure}};
    mk_cli_say(cli, "%s%s%s%s%s%s", numbers, *numbers ? "  " : "", row->symbol, *row->id ? "  [" : "", row->id,
               *row->id ? "]" : "");
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++)
        if (*lines[i].text)
            mk_cli_say(cli, "  %s %s", lines[i].label, lines[i].text);
    if (!explained && !by_code)
        mk_cli_say(cli, "  %s", _("Nothing is known of it but its name."));
    JsonBuilder *event = mk_cli_event_new("explanation");
    mk_json_string(event, "numbers", numbers);
    mk_json_string(event, "symbol", row->symbol);
    mk_json_string(event, "code", *row->id ? row->id : NULL);
    mk_json_string(event, "when", row->when);
    mk_json_string(event, "why", why);
    mk_json_string(event, "cure", cure);
    mk_cli_event(cli, event);
}

static void show_meaning(MkCli *cli, const char *id, const char *why, const char *cure)
{
    mk_cli_say(cli, "%s\n  %s %s\n  %s %s", id, _("Why:"), why, _("What to do:"), cure);
    JsonBuilder *event = mk_cli_event_new("explanation");
    mk_json_string(event, "code", id);
    mk_json_string(event, "why", why);
    mk_json_string(event, "cure", cure);
    mk_cli_event(cli, event);
}

/* Ids of what checks say: K-VERITY, scatter.order. */
static unsigned show_findings(MkCli *cli, const char *text)
{
    unsigned count = 0;
    g_auto(GStrv) words = g_strsplit_set(text, " ,;:()[]\"'\n\t", -1);
    for (char **word = words; *word; word++) {
        const MkCatalogueFinding *finding = mk_catalogue_finding(*word);
        if (finding) {
            bool family = strchr(finding->id, '*');
            show_meaning(cli, family ? *word : finding->id, finding->why, finding->cure);
            count++;
        }
    }
    return count;
}

/* Medik's own ids, as its messages print them. */
static unsigned show_own(MkCli *cli, const char *text)
{
    unsigned count = 0;
    g_autofree char *upper = g_ascii_strup(text, -1);
    g_auto(GStrv) words = g_strsplit_set(upper, " ,;:()[]\n\t", -1);
    for (MkFault code = 0; code < MK_FAULT_N; code++) {
        if (!g_strv_contains((const char *const *)words, mk_fault_id(code)))
            continue;
        count++;
        show_meaning(cli, mk_fault_id(code), mk_fault_cause(code), mk_fault_cure(code));
    }
    return count;
}

/* -1073545215 is a status word, not an option: everything from there on is text. */
static char **protect_numbers(int *argc, char **argv)
{
    char **protected = g_new0(char *, (gsize)*argc + 2);
    int n = 0;
    bool text = false;
    for (int i = 0; i < *argc; i++) {
        if (!text && argv[i][0] == '-' && g_ascii_isdigit(argv[i][1])) {
            protected[n++] = g_strdup("--");
            text = true;
        }
        text = text || !strcmp(argv[i], "--");
        protected[n++] = g_strdup(argv[i]);
    }
    *argc = n;
    return protected;
}

int mk_cli_explain(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    g_auto(GStrv) kept = protect_numbers(&argc, argv);
    g_autofree char **words = g_memdup2(kept, sizeof *kept * ((gsize)argc + 1)); /* GOption takes pointers out of it */
    argv = words;
    if (!mk_cli_parse(
            cli, &argc, &argv, _("TEXT"),
            _("Explains an error: paste the message, its number, its symbol or its id, from SP Flash Tool, mtkclient "
              "or Medik.\n\nExample: medik explain \"Firmware Upgrade could not be executed without PMT\""),
            0, NULL, 1, -1, &error))
        return mk_cli_fail(cli, error);
    g_autofree char *text = g_strjoinv(" ", argv + 1);
    unsigned shown = show_own(cli, text) + show_findings(cli, text);
    g_autoptr(GPtrArray) found = mk_catalogue_search(text);
    for (guint i = 0; i < found->len && shown < MAX_ANSWERS; i++, shown++)
        show_row(cli, found->pdata[i]);
    if (shown == 0) {
        mk_fault_set(&error, MK_FAULT_USAGE,
                     _("Medik does not know this one. Give the symbol (S_…, STATUS_…) or the number of the message."));
        return mk_cli_fail(cli, error);
    }
    if (found->len > MAX_ANSWERS)
        mk_cli_say(cli, _("(%u more; numbers differ between versions of the tool: the symbol is surer.)"),
                   found->len - MAX_ANSWERS);
    return mk_cli_done(cli, NULL);
}
