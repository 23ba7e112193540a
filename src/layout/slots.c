/* Slots: partitions that exist twice, NAME_a and NAME_b, so that an update can be written beside the system that runs. */
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
