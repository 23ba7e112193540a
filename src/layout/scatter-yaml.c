/* V1.x and V2.x: the YAML-like "MTK_PLATFORM_CFG" file, read line by line so that every diagnosis names its line and nothing is dropped
 * in silence (spec scatter.md 3). STRICT gives the genuine parser's refusals, as they were measured (3.4). */
#include "layout/scatter-record.h"

#include "core/i18n.h"

#include <string.h>

/* The value as a YAML parser understands it: without a comment behind it, without the quotes around it. */
static char *bare_value(char *value)
{
    char quote = *value == '"' || *value == '\'' ? *value : '\0';
    char *end = quote ? strchr(value + 1, quote) : NULL;
    if (end) {
        *end = '\0';
        return value + 1;
    }
    for (char *hash = value; (hash = strchr(hash, '#')); hash++)
        if (hash == value || g_ascii_isspace(hash[-1])) {
            *hash = '\0';
            break;
        }
    return g_strchomp(value);
}

static bool take_line(MkScatterReader *reader, char *line, unsigned number)
{
    size_t length = strlen(line);
    if (length && line[length - 1] == '\r')
        line[length - 1] = '\0';
    if (mk_scatter_is_blank_line(line))
        return true;
    if (strchr(line, '\t')) {
        if (reader->strict)
            return mk_scatter_refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", number, _("there is a tab in it"));
        MkFinding *finding = mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.tab", number,
                                             _("There is a tab in line %u; SP Flash Tool refuses that."), number);
        if (finding)
            finding->fixable = true;
    }
    char *at = g_strstrip(line);
    if (*at == '-')
        at = g_strchug(at + 1);
    char *colon = strchr(at, ':');
    if (!colon || colon == at) {
        if (reader->strict)
            return mk_scatter_refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", number, _("it is not \"key: value\""));
        mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.line", number,
                        _("Line %u is not \"key: value\": \"%.60s\"."), number, at);
        return true;
    }
    if (colon[1] && !g_ascii_isspace(colon[1])) {
        if (reader->strict)
            return mk_scatter_refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", number,
                                     _("there is no blank behind the colon"));
        MkFinding *finding =
            mk_scatter_find(reader, MK_SEVERITY_WARN, "scatter.colon", number,
                            _("There is no blank behind the colon in line %u; SP Flash Tool refuses that."), number);
        if (finding)
            finding->fixable = true;
    }
    *colon = '\0';
    mk_scatter_take_pair(reader, g_strchomp(at), bare_value(g_strstrip(colon + 1)), number);
    return true;
}

MkLayout *mk_scatter_parse_v1(const char *text, bool strict, GPtrArray *findings, GError **error)
{
    g_autoptr(MkLayout) top = mk_layout_new(MK_LAYOUT_SCATTER_V1);
    g_autoptr(GPtrArray) sections = g_ptr_array_new_with_free_func((GDestroyNotify)mk_layout_unref);
    MkScatterReader reader = {
        .findings = findings, .strict = strict, .error = error, .top = top, .section = top, .sections = sections};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool going = true;
    for (unsigned i = 0; lines[i] && going; i++)
        going = take_line(&reader, lines[i], i + 1);
    return mk_scatter_finish(&reader);
}
