#include "core/catalogue.h"

#include <string.h>

#define LAST_LIBRARY_NUMBER 10100u

typedef bool (*Matches)(const MkCatalogueRow *row, const void *what);

static void match(GPtrArray *found, Matches matches, const void *what)
{
    for (size_t i = 0; i < mk_catalogue_count; i++) {
        const MkCatalogueRow *row = &mk_catalogue_rows[i];
        if (matches(row, what) && !g_ptr_array_find(found, row, NULL))
            g_ptr_array_add(found, (gpointer)row);
    }
}

static const char *strip_prefix(const char *symbol)
{
    static const char *const prefixes[] = {"S_", "STATUS_"};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (g_str_has_prefix(symbol, prefixes[i]))
            return symbol + strlen(prefixes[i]);
    }
    return symbol;
}

/* The prefix of a group may be missing, but a bare word like STOP names nothing. */
static bool has_symbol(const MkCatalogueRow *row, const void *what)
{
    const char *symbol = what, *bare = strip_prefix(row->symbol);
    return !strcmp(row->symbol, symbol) || (strchr(bare, '_') && !strcmp(bare, strip_prefix(symbol)));
}

static bool has_phrase(const MkCatalogueRow *row, const void *what)
{
    g_auto(GStrv) phrases = g_strsplit(row->phrases, "|", -1);
    for (char **phrase = phrases; *phrase; phrase++) {
        if (**phrase && strstr(what, *phrase))
            return true;
    }
    return false;
}

typedef struct {
    uint32_t value;
    bool front_end; /* the text speaks of SP Flash Tool 6's own codes, which use the library's numbers again */
} Number;

static bool has_number(const MkCatalogueRow *row, const void *what)
{
    const Number *number = what;
    bool front_end = g_str_has_prefix(row->symbol, "CFT_");
    return (row->old == number->value || row->new == number->value) && front_end == number->front_end;
}

static bool is_symbol(const char *word)
{
    bool underscore = false;
    for (const char *p = word; *p; p++) {
        if (!g_ascii_isupper(*p) && !g_ascii_isdigit(*p) && *p != '_')
            return false;
        underscore |= *p == '_';
    }
    return g_ascii_isupper(*word) && underscore;
}

static bool parse_number(const char *word, uint32_t *number)
{
    char *end;
    bool hex = g_ascii_strncasecmp(word, "0x", 2) == 0;
    gint64 value = g_ascii_strtoll(word, &end, hex ? 16 : 10);
    if (*end || end == word || value > UINT32_MAX || value < INT32_MIN)
        return false;
    *number = (uint32_t)value;
    return value < 0 || value >= 1000;
}

GPtrArray *mk_catalogue_search(const char *text)
{
    GPtrArray *found = g_ptr_array_new();
    /* Symbols and "CFT" in capitals, however they were typed. */
    g_auto(GStrv) parts = g_strsplit(text, "\u2212", -1); /* a typographic minus */
    g_autofree char *plain = g_strjoinv("-", parts), *lower = g_ascii_strdown(plain, -1),
                    *upper = g_ascii_strup(plain, -1);
    g_auto(GStrv) words = g_strsplit_set(upper, " \t\r\n,;:()[]{}<>\"'!?=.", -1);
    Number number = {.front_end = strstr(upper, "CFT")};
    for (char **word = words; *word; word++) {
        if (is_symbol(*word))
            match(found, has_symbol, *word);
    }
    match(found, has_phrase, lower);
    bool named = found->len;
    for (char **word = words; *word; word++) {
        if (parse_number(*word, &number.value) && (!named || number.value > LAST_LIBRARY_NUMBER))
            match(found, has_number, &number);
    }
    return found;
}

const MkCatalogueFinding *mk_catalogue_finding(const char *id)
{
    for (size_t i = 0; i < mk_catalogue_findings_count; i++) {
        const MkCatalogueFinding *finding = &mk_catalogue_findings[i];
        size_t length = strlen(finding->id);
        bool family = finding->id[length - 1] == '*';
        if (family ? g_ascii_strncasecmp(id, finding->id, length - 1) == 0 && id[length - 1]
                   : g_ascii_strcasecmp(id, finding->id) == 0)
            return finding;
    }
    return NULL;
}
