#include "core/finding.h"

#include "core/i18n.h"

static void finding_free(gpointer data)
{
    MkFinding *finding = data;
    g_free(finding->id);
    g_free(finding->partition);
    g_free(finding->file);
    g_free(finding->message);
    g_free(finding->advice);
    g_free(finding);
}

GPtrArray *mk_findings_new(void)
{
    return g_ptr_array_new_with_free_func(finding_free);
}

MkFinding *mk_finding_add(GPtrArray *list, MkSeverity severity, const char *id, unsigned line, const char *format, ...)
{
    if (!list)
        return NULL;
    MkFinding *finding = g_new0(MkFinding, 1);
    va_list arguments;
    va_start(arguments, format);
    finding->severity = severity;
    finding->id = g_strdup(id);
    finding->line = line;
    finding->message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(list, finding);
    return finding;
}

static void set_text(char **field, const char *text)
{
    if (!text)
        return;
    g_free(*field);
    *field = g_strdup(text);
}

void mk_finding_set(MkFinding *finding, const char *partition, const char *file, const char *advice)
{
    if (!finding)
        return;
    set_text(&finding->partition, partition);
    set_text(&finding->file, file);
    set_text(&finding->advice, advice);
}

MkSeverity mk_findings_worst(const GPtrArray *list)
{
    MkSeverity worst = MK_SEVERITY_NOTE;
    for (guint i = 0; list && i < list->len; i++)
        worst = MAX(worst, ((const MkFinding *)list->pdata[i])->severity);
    return worst;
}

const char *mk_severity_name(MkSeverity severity)
{
    static const char *const names[] = {N_("note"), N_("warning"), N_("danger"), N_("block")};
    return _(names[severity]);
}
