#include "core/catalogue.h"

#include <string.h>

static void add(GPtrArray *found, const MkCatalogueRow *row)
{
    if (!g_ptr_array_find(found, row, NULL))
        g_ptr_array_add(found, (gpointer)row);
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

static bool row_has_symbol(const MkCatalogueRow *row, const char *symbol)
{
    g_auto(GStrv) symbols = g_strsplit_set(row->symbols, ", /", -1);
    for (char **one = symbols; *one; one++) {
        if (**one && strcmp(strip_prefix(*one), strip_prefix(symbol)) == 0)
            return true;
    }
    return false;
}

static bool row_has_number(const MkCatalogueRow *row, uint32_t number)
{
    for (const uint32_t *one = row->numbers; *one; one++) {
        if (*one == number)
            return true;
    }
    return false;
}

static bool row_has_phrase(const MkCatalogueRow *row, const char *lower)
{
    g_auto(GStrv) phrases = g_strsplit(row->phrases, "|", -1);
    for (char **phrase = phrases; *phrase; phrase++) {
        if (**phrase && strstr(lower, *phrase))
            return true;
    }
    return false;
}

static bool is_symbol(const char *word)
{
    bool underscore = false;
    for (const char *p = word; *p; p++) {
        if (!g_ascii_isupper(*p) && !g_ascii_isdigit(*p) && *p != '_')
            return false;
        underscore |= *p == '_';
    }
    return g_ascii_isupper(*word) && (underscore || strlen(word) >= 4);
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

/* Rows that only name the error count where none explains it. */
static void match(GPtrArray *found, bool (*has)(const MkCatalogueRow *row, const void *what), const void *what)
{
    guint before = found->len;
    for (int pass = 0; pass < 2 && found->len == before; pass++) {
        for (size_t i = 0; i < mk_catalogue_count; i++) {
            const MkCatalogueRow *row = &mk_catalogue_rows[i];
            if ((*row->cause || *row->cure) == (pass == 0) && has(row, what))
                add(found, row);
        }
    }
}

static bool has_symbol(const MkCatalogueRow *row, const void *what)
{
    return row_has_symbol(row, what);
}

static bool has_number(const MkCatalogueRow *row, const void *what)
{
    return row_has_number(row, *(const uint32_t *)what);
}

static bool has_phrase(const MkCatalogueRow *row, const void *what)
{
    return row_has_phrase(row, what);
}

GPtrArray *mk_catalogue_search(const char *text)
{
    GPtrArray *found = g_ptr_array_new();
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n,;:()[]{}<>\"'!?=.", -1);
    for (char **word = words; *word; word++) {
        if (is_symbol(*word))
            match(found, has_symbol, *word);
    }
    match(found, has_phrase, lower);
    for (char **word = words; *word; word++) {
        uint32_t number;
        if (parse_number(*word, &number))
            match(found, has_number, &number);
    }
    return found;
}
