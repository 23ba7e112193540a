/* Words, events and progress towards the user. */
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/i18n.h"

#include <stdarg.h>
#include <unistd.h>

static void close_bar(MkCli *cli)
{
    if (cli->bar_open)
        fputc('\n', stderr);
    cli->bar_open = false;
}

static void log_line(MkCli *cli, const char *text)
{
    if (!cli->log_file)
        return;
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *stamp = g_date_time_format(now, "%F %T");
    fprintf(cli->log_file, "%s %s\n", stamp, text);
    fflush(cli->log_file);
}

/* "[1-2] " before each line when there are many phones. Caller frees. */
static char *with_prefix(const MkCli *cli, const char *text)
{
    if (!cli->prefix)
        return g_strdup(text);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *between = g_strdup_printf("\n[%s] ", cli->prefix);
    g_autofree char *joined = g_strjoinv(between, lines);
    return g_strdup_printf("[%s] %s", cli->prefix, joined);
}

void mk_cli_say(MkCli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    log_line(cli, text);
    if (cli->quiet)
        return;
    close_bar(cli);
    FILE *out = cli->json ? stderr : stdout;
    g_autofree char *marked = with_prefix(cli, text);
    fprintf(out, "%s\n", marked);
    fflush(out);
}

JsonBuilder *mk_cli_event_new(const char *type)
{
    JsonBuilder *builder = json_builder_new();
    json_builder_begin_object(builder);
    mk_json_string(builder, "t", type);
    return builder;
}

void mk_cli_event(MkCli *cli, JsonBuilder *builder)
{
    mk_json_string(builder, "bus_path", cli->prefix);
    json_builder_end_object(builder);
    if (cli->json) {
        g_autofree char *text = mk_json_text(builder, false);
        printf("%s\n", text);
        fflush(stdout);
    }
    g_object_unref(builder);
}

static void finding_event(MkCli *cli, const MkFinding *finding)
{
    JsonBuilder *event = mk_cli_event_new("finding");
    mk_json_string(event, "severity", mk_severity_name(finding->severity));
    mk_json_string(event, "id", finding->id);
    mk_json_string(event, "partition", finding->partition);
    mk_json_string(event, "file", finding->file);
    if (finding->line)
        mk_json_int(event, "line", finding->line);
    mk_json_string(event, "message", finding->message);
    mk_json_string(event, "advice", finding->advice);
    mk_json_bool(event, "fixable", finding->fixable);
    mk_cli_event(cli, event);
}

void mk_cli_findings(MkCli *cli, const GPtrArray *findings)
{
    for (guint i = 0; findings && i < findings->len; i++) {
        const MkFinding *finding = findings->pdata[i];
        finding_event(cli, finding);
        if (finding->severity == MK_SEVERITY_NOTE && !cli->verbose)
            continue;
        g_autoptr(GString) text = g_string_new(NULL);
        g_string_printf(text, "%s [%s]", mk_severity_name(finding->severity), finding->id);
        if (finding->file)
            g_string_append_printf(text, " %s", finding->file);
        if (finding->line)
            g_string_append_printf(text, _(" line %u"), finding->line);
        if (finding->partition)
            g_string_append_printf(text, " %s", finding->partition);
        g_string_append_printf(text, ": %s", finding->message);
        if (finding->advice)
            g_string_append_printf(text, "\n    %s", finding->advice);
        mk_cli_say(cli, "%s", text->str);
    }
}

unsigned mk_cli_diffs(MkCli *cli, const GPtrArray *diffs)
{
    static const char *const kinds[] = {"same", "moved", "resized", "moved and resized", "added", "gone"};
    unsigned count = 0;
    for (guint i = 0; i < diffs->len; i++) {
        const MkDiff *diff = diffs->pdata[i];
        if (diff->kind == MK_DIFF_SAME)
            continue;
        g_autofree char *text = mk_diff_text(diff);
        mk_cli_say(cli, "  %s", text);
        JsonBuilder *event = mk_cli_event_new("diff");
        mk_json_string(event, "part", diff->name);
        mk_json_string(event, "kind", kinds[diff->kind]);
        mk_json_string(event, "message", text);
        mk_cli_event(cli, event);
        count++;
    }
    return count;
}

int mk_cli_done(MkCli *cli, JsonBuilder *result)
{
    close_bar(cli);
    if (!result)
        result = mk_cli_event_new("result");
    mk_json_bool(result, "ok", true);
    mk_cli_event(cli, result);
    return MK_EXIT_DONE;
}

/* GIO's words for a stop are no sentence for a user. */
static const char *words_of(const GError *error)
{
    return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? _("Stopped.") : error->message;
}

static void fail_event(MkCli *cli, const GError *error, MkFault code)
{
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_bool(event, "ok", false);
    mk_json_string(event, "code", mk_fault_id(code));
    mk_json_string(event, "symbol", mk_fault_symbol(error));
    if (mk_fault_number(error))
        mk_json_int(event, "number", mk_fault_number(error));
    mk_json_string(event, "message", words_of(error));
    mk_json_string(event, "why", mk_fault_cause(code));
    mk_json_string(event, "cure", mk_fault_cure(code));
    mk_json_int(event, "exit", mk_fault_exit(code));
    mk_cli_event(cli, event);
}

int mk_cli_fail(MkCli *cli, const GError *error)
{
    MkFault code = mk_fault_code(error);
    close_bar(cli);
    g_autoptr(GString) text = g_string_new(words_of(error));
    if (code != MK_FAULT_USAGE && code != MK_FAULT_STOPPED) /* the sentence says it already */
        g_string_append_printf(text, "\n  %s %s", _("Why:"), mk_fault_cause(code));
    g_string_append_printf(text, "\n  %s %s\n  [%s", _("What to do:"), mk_fault_cure(code), mk_fault_id(code));
    if (mk_fault_symbol(error))
        g_string_append_printf(text, ", %s", mk_fault_symbol(error));
    uint32_t number = mk_fault_number(error);
    if (number)
        g_string_append_printf(text, number > 0xFFFF ? ", 0x%08X" : ", %u", number);
    g_string_append_c(text, ']');
    log_line(cli, text->str);
    g_autofree char *marked = with_prefix(cli, text->str);
    fprintf(stderr, "medik: %s\n", marked);
    fail_event(cli, error, code);
    return mk_fault_exit(code);
}

void mk_cli_state(const char *state, gpointer user_data)
{
    MkCli *cli = user_data;
    JsonBuilder *event = mk_cli_event_new("phase");
    mk_json_string(event, "name", state);
    mk_cli_event(cli, event);
    mk_cli_say(cli, "%s", state);
}
