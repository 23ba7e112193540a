/* Slots: partitions that exist twice, NAME_a and NAME_b, so that an update can be written beside the system that runs. */
#include "core/fault.h"
#include "core/i18n.h"
#include "layout/layout.h"

#include <string.h>

static bool ends_as_slot(const char *name)
{
    size_t length = strlen(name);
    char last = length > 2 ? (char)(name[length - 1] | 0x20) : 0;
    return length > 2 && name[length - 2] == '_' && (last == 'a' || last == 'b');
}

char *mk_partition_base(const char *name)
{
    char *canonical = mk_partition_canonical(name);
    if (!ends_as_slot(canonical))
        return canonical;
    canonical[strlen(canonical) - 2] = '\0';
    /* The bare name may have an alias of its own. */
    char *base = mk_partition_canonical(canonical);
    g_free(canonical);
    return base;
}

const MkPartition *mk_layout_twin(const MkLayout *layout, const MkPartition *partition)
{
    if (!ends_as_slot(partition->name))
        return NULL;
    g_autofree char *other = g_strdup(partition->name);
    other[strlen(other) - 1] ^= 'a' ^ 'b';
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *twin = layout->partitions->pdata[i];
        if (!g_ascii_strcasecmp(twin->name, other))
            return twin;
    }
    return NULL;
}

char mk_layout_slot(const MkLayout *layout, const MkPartition *partition)
{
    return mk_layout_twin(layout, partition) ? (char)(partition->name[strlen(partition->name) - 1] | 0x20) : 0;
}

GPtrArray *mk_layout_find_all(const MkLayout *layout, const char *name)
{
    GPtrArray *found = g_ptr_array_new();
    MkPartition *partition = mk_layout_find(layout, name);
    g_autofree char *canonical = mk_partition_canonical(name);
    static const char *const slots[] = {"_a", "_b"};
    if (partition)
        g_ptr_array_add(found, partition);
    for (gsize i = 0; !partition && i < G_N_ELEMENTS(slots); i++) {
        g_autofree char *slot = g_strconcat(canonical, slots[i], NULL);
        MkPartition *one = mk_layout_find(layout, slot);
        if (one)
            g_ptr_array_add(found, one);
    }
    return found;
}

char *mk_layout_pairs(const MkLayout *layout)
{
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        if (mk_layout_slot(layout, partition) == 'a')
            g_string_append_printf(names, "%s%.*s", names->len ? ", " : "", (int)strlen(partition->name) - 2,
                                   partition->name);
    }
    if (names->len)
        return g_string_free(names, FALSE);
    g_string_free(names, TRUE);
    return NULL;
}

/* --- a name that is not there ---------------------------------------------------------------------------------------- */

#define NAME_MOST 32 /* longer names are never near */
#define NEAR      2  /* letters to change, add or drop */

/* Letters to change, add or drop to make B of A. */
static unsigned distance(const char *a, const char *b)
{
    size_t width = strlen(b), length = strlen(a);
    unsigned row[NAME_MOST + 1];
    if (width > NAME_MOST || length > NAME_MOST)
        return NAME_MOST;
    for (size_t k = 0; k <= width; k++)
        row[k] = (unsigned)k;
    for (size_t i = 0; i < length; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i + 1;
        for (size_t k = 0; k < width; k++) {
            unsigned other = diagonal + (a[i] != b[k]);
            diagonal = row[k + 1];
            row[k + 1] = MIN(other, MIN(row[k], diagonal) + 1);
        }
    }
    return row[width];
}

static bool near(const char *wanted, const char *name)
{
    g_autofree char *a = mk_partition_canonical(wanted), *b = mk_partition_canonical(name);
    size_t length = strlen(a);
    return distance(a, b) <= MIN(NEAR, length / 3) || (length > 3 && strstr(b, a)) || (strlen(b) > 3 && strstr(a, b));
}

static char *names_of(const MkLayout *layout, const char *wanted)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        if (!wanted || near(wanted, partition->name))
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", partition->name);
    }
    return names->len ? g_strdup(names->str) : NULL;
}

void mk_layout_fault_no_such(const MkLayout *layout, const char *name, bool scatter, uint32_t number,
                             const char *symbol, GError **error)
{
    g_autofree char *close = names_of(layout, name), *all = close ? NULL : names_of(layout, NULL);
    mk_fault_set_number(error, MK_FAULT_NO_PARTITION, number, symbol,
                        scatter ? _("The scatter has no partition \"%s\"; %s: %s.")
                                : _("The phone's table has no partition \"%s\"; %s: %s."),
                        name, close ? _("near names are") : _("there are"),
                        close ? close
                        : all ? all
                              : _("none"));
}
