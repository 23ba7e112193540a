#include "soc/soc.h"

#include "soc/table.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

const MkSoc *mk_soc_table(size_t *count)
{
    *count = mk_soc_row_count;
    return mk_soc_rows;
}

const MkSoc *mk_soc_by_code(uint16_t hw_code, uint16_t sub_code)
{
    /* MT6575 and MT6577 answer the same code; the sub code tells them apart (spec brom.md 6.1). */
    if (hw_code == 0x6575 && sub_code == 0x8B00)
        hw_code = 0x6577;
    for (size_t i = 0; i < mk_soc_row_count; i++)
        if (mk_soc_rows[i].hw_code == hw_code)
            return &mk_soc_rows[i];
    return NULL;
}

const MkSoc *mk_soc_by_da_code(uint16_t da_code)
{
    for (size_t i = 0; i < mk_soc_row_count; i++)
        if (mk_soc_rows[i].da_code == da_code)
            return &mk_soc_rows[i];
    return NULL;
}

/* Is NAME one of the chips in LIST ("MT6735/MT6735T")? */
static bool listed(const char *list, const char *name, size_t length)
{
    for (const char *at = list; *at;) {
        size_t part = strcspn(at, "/");
        if (part == length && !g_ascii_strncasecmp(at, name, length))
            return true;
        at += part + (at[part] == '/');
    }
    return false;
}

static const MkSoc *exact(const char *name, size_t length)
{
    for (size_t i = 0; i < mk_soc_row_count; i++)
        if (listed(mk_soc_rows[i].names, name, length))
            return &mk_soc_rows[i];
    for (size_t i = 0; i < mk_soc_row_count; i++)
        if (listed(mk_soc_rows[i].spft_names, name, length))
            return &mk_soc_rows[i];
    return NULL;
}

/* Length of "MT" and four digits, 0 if NAME does not begin so. */
static size_t stem(const char *name)
{
    size_t digits = g_ascii_strncasecmp(name, "MT", 2) ? 0 : strspn(name + 2, "0123456789");
    return digits == 4 ? 6 : 0;
}

const MkSoc *mk_soc_by_name(const char *name)
{
    size_t length = strlen(name), base = stem(name);
    const MkSoc *soc = exact(name, length);
    if (soc || !base)
        return soc;
    /* Suffix letters name variants of one chip: MT6735P, mt6757cd. */
    soc = exact(name, base);
    uint16_t code = (uint16_t)strtoul(name + 2, NULL, 16);
    for (size_t i = 0; !soc && i < mk_soc_row_count; i++)
        if (mk_soc_rows[i].spft_code == code)
            soc = &mk_soc_rows[i];
    return soc;
}

bool mk_soc_accepts(const MkSoc *soc, const char *name)
{
    /* Hardware codes that share their DA entry are one family: MT6735 / 6735M / 6753 / 6737 (spec scatter.md 8, checks.md 2.3). */
    const MkSoc *other = mk_soc_by_name(name);
    if (!other)
        return false;
    if (other->hw_code == soc->hw_code)
        return true;
    bool family_6735 = soc->da_code == 0x6735 && other->da_code == 0x6735;
    size_t length = strlen(name), base = stem(name);
    return family_6735 || listed(soc->names, name, length) || listed(soc->spft_names, name, length) ||
           (base && (listed(soc->names, name, base) || listed(soc->spft_names, name, base)));
}

const char *mk_soc_name(const MkSoc *soc)
{
    static GMutex lock;
    static GHashTable *names;
    g_mutex_lock(&lock);
    if (!names)
        names = g_hash_table_new(NULL, NULL);
    const char *name = g_hash_table_lookup(names, soc);
    if (!name) {
        /* Of several names the one that SP Flash Tool, scatters and owners use: MT6589, which calls itself 6583. */
        size_t common = strcspn(soc->spft_names, "/"), own = strcspn(soc->names, "/");
        bool known = common && listed(soc->names, soc->spft_names, common);
        g_autofree char *first = known ? g_strndup(soc->spft_names, common) : g_strndup(soc->names, own);
        name = g_intern_string(first);
        g_hash_table_insert(names, (gpointer)soc, (gpointer)name);
    }
    g_mutex_unlock(&lock);
    return name;
}

bool mk_soc_is_companion(unsigned number)
{
    static const uint16_t singles[] = {6311, 6313, 6315, 6320, 6322, 6323, 6325, 6328, 6329, 6331,
                                       6332, 6333, 6391, 6392, 6397, 6605, 6620, 6625, 6627, 6628,
                                       6630, 6631, 6632, 6635, 6691, 6173, 6175, 6177};
    if ((number >= 6350 && number <= 6373))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(singles); i++)
        if (singles[i] == number)
            return true;
    return false;
}
