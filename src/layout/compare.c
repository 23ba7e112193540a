/* What moved, grew, appeared or vanished between two layouts. */
#include "layout/layout.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "layout/scatter.h"

#include <string.h>

static void diff_free(gpointer data)
{
    MkDiff *diff = data;
    g_free(diff->name);
    g_free(diff);
}

typedef struct {
    const MkLayout *before, *after;
} Pair;

static uint64_t place_of(const MkLayout *layout, const MkPartition *partition);

static void add(const Pair *pair, GPtrArray *diffs, MkDiffKind kind, const MkPartition *before,
                const MkPartition *after)
{
    MkDiff *diff = g_new0(MkDiff, 1);
    diff->kind = kind;
    diff->name = mk_partition_canonical((after ? after : before)->name);
    diff->before = before;
    diff->after = after;
    diff->from = before ? place_of(pair->before, before) : 0;
    diff->to = after ? place_of(pair->after, after) : 0;
    g_ptr_array_add(diffs, diff);
}

/* Rows that the other kind of table cannot hold. */
static bool held_by_all(const MkPartition *partition)
{
    MkClass klass = mk_class_by_name(partition->name);
    g_autofree char *name = mk_partition_canonical(partition->name);
    return !mk_region_is_boot(partition->region) && klass != MK_CLASS_TABLE && !g_str_has_prefix(name, "preloader") &&
           strcmp(name, "dsp_bl") && strcmp(name, "bmtpool") && strcmp(name, "otp");
}

/* Where a partition begins, also in a scatter that no device has made real yet. */
static uint64_t place_of(const MkLayout *layout, const MkPartition *partition)
{
    if (partition->resolved)
        return partition->start;
    if (partition->region != MK_REGION_LINEAR)
        return partition->physical;
    return partition->linear < layout->header ? partition->linear : partition->linear - layout->header;
}

/* Both boot regions are boot region 1 with a copy. */
static MkRegion region_of(const MkLayout *layout, const MkPartition *partition)
{
    if (partition->region != MK_REGION_LINEAR)
        return mk_region_copy(partition->region, 0);
    return partition->linear < layout->header ? MK_REGION_BOOT1 : MK_REGION_USER;
}

/* What lies at the end of the device follows its size (spec scatter.md 6). */
static bool is_at_end(const MkLayout *layout, const MkPartition *partition)
{
    return partition->reserved || mk_class_by_name(partition->name) == MK_CLASS_RESERVED ||
           mk_scatter_is_from_end(place_of(layout, partition));
}

/* The last one before those takes what is left, whatever its row in the scatter says (spec tables.md 6.3, 6.5). */
static bool is_last_normal(const MkLayout *layout, const MkPartition *partition)
{
    if (layout->kind == MK_LAYOUT_MBR)
        return false;
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *other = layout->partitions->pdata[i];
        if (region_of(layout, other) == region_of(layout, partition) && !is_at_end(layout, other) &&
            held_by_all(other) && place_of(layout, other) > place_of(layout, partition))
            return false;
    }
    return true;
}

static MkDiffKind judge(const Pair *pair, const MkPartition *before, const MkPartition *after)
{
    if (is_at_end(pair->before, before) || is_at_end(pair->after, after))
        return MK_DIFF_SAME;
    bool moved = region_of(pair->before, before) != region_of(pair->after, after) ||
                 place_of(pair->before, before) != place_of(pair->after, after);
    bool resized = before->size != after->size && !before->grows && !after->grows &&
                   !(is_last_normal(pair->before, before) && is_last_normal(pair->after, after));
    return moved ? (resized ? MK_DIFF_MOVED_RESIZED : MK_DIFF_MOVED) : resized ? MK_DIFF_RESIZED : MK_DIFF_SAME;
}

/* A chain of MBR and EBRs has no names: its slots are matched by where they begin. */
static const MkPartition *find_by_start(const MkLayout *layout, const MkPartition *slot)
{
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        if (partition->region == slot->region && partition->start == slot->start)
            return partition;
    }
    return NULL;
}

static void compare_slots(const Pair *pair, GPtrArray *diffs)
{
    for (guint i = 0; i < pair->before->partitions->len; i++) {
        const MkPartition *slot = pair->before->partitions->pdata[i];
        if (!find_by_start(pair->after, slot))
            add(pair, diffs, MK_DIFF_GONE, slot, NULL);
    }
}

GPtrArray *mk_layout_compare(const MkLayout *before, const MkLayout *after)
{
    GPtrArray *diffs = g_ptr_array_new_with_free_func(diff_free);
    Pair pair = {before, after};
    if (before->kind == MK_LAYOUT_MBR && after->kind != MK_LAYOUT_MBR) {
        compare_slots(&pair, diffs);
        return diffs;
    }
    for (guint i = 0; i < after->partitions->len; i++) {
        const MkPartition *now = after->partitions->pdata[i], *then = mk_layout_find(before, now->name);
        if (then && (held_by_all(now) || before->kind == after->kind))
            add(&pair, diffs, judge(&pair, then, now), then, now);
        else if (!then && held_by_all(now))
            add(&pair, diffs, MK_DIFF_ADDED, NULL, now);
    }
    for (guint i = 0; i < before->partitions->len; i++) {
        const MkPartition *then = before->partitions->pdata[i];
        if (!mk_layout_find(after, then->name) && held_by_all(then))
            add(&pair, diffs, MK_DIFF_GONE, then, NULL);
    }
    return diffs;
}

/* Are the addresses counted from the beginning of the whole storage, by an amount that only the device knows? */
static bool is_linear(const MkLayout *layout)
{
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        if (!partition->resolved && partition->region == MK_REGION_LINEAR)
            return !layout->header;
    }
    return false;
}

bool mk_layout_comparable(const MkLayout *before, const MkLayout *after)
{
    bool known = before->storage != MK_STORAGE_UNKNOWN && after->storage != MK_STORAGE_UNKNOWN;
    return is_linear(before) == is_linear(after) && (!known || before->storage == after->storage);
}

bool mk_layout_same(const MkLayout *before, const MkLayout *after)
{
    g_autoptr(GPtrArray) diffs = mk_layout_compare(before, after);
    for (guint i = 0; i < diffs->len; i++)
        if (((const MkDiff *)diffs->pdata[i])->kind != MK_DIFF_SAME)
            return false;
    return true;
}

char *mk_diff_text(const MkDiff *diff)
{
    g_autofree char *old_size = mk_size_text(diff->before ? diff->before->size : 0),
                    *new_size = mk_size_text(diff->after ? diff->after->size : 0);
    uint64_t old_start = diff->from, new_start = diff->to;
    bool grew = diff->before && diff->after && diff->after->size > diff->before->size;
    switch (diff->kind) {
    case MK_DIFF_SAME: return g_strdup_printf(_("%s is the same"), diff->name);
    case MK_DIFF_MOVED:
        return g_strdup_printf(_("%s moved from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER "x"), diff->name,
                               old_start, new_start);
    case MK_DIFF_RESIZED:
        return g_strdup_printf(grew ? _("%s grew from %s to %s") : _("%s shrank from %s to %s"), diff->name, old_size,
                               new_size);
    case MK_DIFF_MOVED_RESIZED:
        return g_strdup_printf(
            grew ? _("%s moved from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER "x and grew from %s to %s")
                 : _("%s moved from 0x%" G_GINT64_MODIFIER "x to 0x%" G_GINT64_MODIFIER "x and shrank from %s to %s"),
            diff->name, old_start, new_start, old_size, new_size);
    case MK_DIFF_ADDED:
        return g_strdup_printf(_("%s is new, at 0x%" G_GINT64_MODIFIER "x, %s"), diff->name, new_start, new_size);
    case MK_DIFF_GONE:
        return g_strdup_printf(_("%s is gone (it was at 0x%" G_GINT64_MODIFIER "x, %s)"), diff->name, old_start,
                               old_size);
    }
    return NULL;
}
