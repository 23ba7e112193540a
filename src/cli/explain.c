/* medik explain: what an error means, offline and without a phone. */
#include "cli/cli.h"
#include "core/catalogue.h"
#include "core/i18n.h"

#define MAX_ANSWERS 6

static void show_row(MkCli *cli, const MkCatalogueRow *row)
{
    g_autoptr(GString) numbers = g_string_new(NULL);
    for (const uint32_t *number = row->numbers; *number; number++)
        g_string_append_printf(numbers, *number > 0xFFFF ? "%s0x%08X" : "%s%u", numbers->len ? ", " : "", *number);
    mk_cli_say(cli, "%s%s%s", numbers->str, numbers->len && *row->symbols ? "  " : "", row->symbols);
    const struct {
        const char *label, *text;
    } lines[] = {{_("When:"), row->when}, {_("Why:"), row->cause}, {_("What to do:"), row->cure}};
    for (unsigned i = 0; i < G_N_ELEMENTS(lines); i++)
        if (*lines[i].text)
            mk_cli_say(cli, "  %s %s", lines[i].label, lines[i].text);
    JsonBuilder *event = mk_cli_event_new("explanation");
    mk_json_string(event, "numbers", numbers->str);
    mk_json_string(event, "symbols", row->symbols);
    mk_json_string(event, "when", row->when);
    mk_json_string(event, "why", row->cause);
    mk_json_string(event, "cure", row->cure);
    mk_cli_event(cli, event);
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
        mk_cli_say(cli, "%s\n  %s %s\n  %s %s", mk_fault_id(code), _("Why:"), mk_fault_cause(code), _("What to do:"),
                   mk_fault_cure(code));
        JsonBuilder *event = mk_cli_event_new("explanation");
        mk_json_string(event, "symbols", mk_fault_id(code));
        mk_json_string(event, "why", mk_fault_cause(code));
        mk_json_string(event, "cure", mk_fault_cure(code));
        mk_cli_event(cli, event);
    }
    return count;
}

int mk_cli_explain(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    if (!mk_cli_parse(
            cli, &argc, &argv, _("TEXT"),
            _("Explains an error: paste the message, its number or its symbol, from SP Flash Tool, mtkclient or "
              "Medik.\n\nExample: medik explain \"Firmware Upgrade could not be executed without PMT\""),
            0, NULL, 1, -1, &error))
        return mk_cli_fail(cli, error);
    g_autofree char *text = g_strjoinv(" ", argv + 1);
    unsigned shown = show_own(cli, text);
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
