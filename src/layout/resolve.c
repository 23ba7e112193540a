/* From the addresses that scatters and PMTs speak to region and offset on one device (spec scatter.md 6, tables.md 1). */
#include "layout/layout.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "layout/scatter.h"

#include <string.h>

typedef struct {
    MkLayout *layout;
    const MkGeometry *geometry;
    MkRegion main;     /* where system and data live */
    uint64_t capacity; /* of it, for entries counted from the end */
    uint64_t block;    /* unit of 0xFFFFnnnn */
    uint64_t header;
} Resolver;

static uint64_t address_of(const Resolver *resolver, const MkPartition *partition)
{
    bool linear = partition->region == MK_REGION_LINEAR || partition->region == MK_REGION_NAND;
    (void)resolver;
    return linear ? partition->linear : partition->physical;
}

static bool fault_small(const MkPartition *partition, uint64_t end, uint64_t capacity, GError **error)
{
    g_autofree char *need = mk_size_text(end), *have = mk_size_text(capacity);
    mk_fault_set_number(error, MK_FAULT_STOR_SMALL, 1011, "S_NOT_ENOUGH_STORAGE_SPACE",
                        _("%s would end at %s, but the phone has only %s: the load is for a bigger variant."),
                        partition->name, need, have);
    return false;
}

/* Everything that has a real address. */
static bool place_fixed(Resolver *resolver, MkPartition *partition, GError **error)
{
    uint64_t address = address_of(resolver, partition);
    if (partition->region == MK_REGION_LINEAR) {
        bool boot = address < resolver->header;
        partition->region = boot ? MK_REGION_BOOT1 : MK_REGION_USER;
        partition->start = boot ? address : address - resolver->header;
        /* The preloader "owns" the whole header in linear space; on the chip it has boot 1. */
        if (boot && resolver->geometry->boot1)
            partition->size = partition->start < resolver->geometry->boot1
                                  ? MIN(partition->size, resolver->geometry->boot1 - partition->start)
                                  : 0;
    } else
        partition->start = address;
    partition->resolved = true;
    uint64_t end;
    if (partition->region != resolver->main)
        return true;
    if (__builtin_add_overflow(partition->start, partition->grows ? 0 : partition->size, &end) ||
        end > resolver->capacity)
        return fault_small(partition, end, resolver->capacity, error);
    return true;
}

/* Old entries without a size: nnnn blocks before the end, up to the next such entry. */
static void place_by_blocks(Resolver *resolver, MkPartition *partition, uint64_t end)
{
    uint64_t distance = (address_of(resolver, partition) & 0xFFFF) * resolver->block;
    uint64_t start = distance <= resolver->capacity ? resolver->capacity - distance : 0;
    partition->start = start;
    partition->size = start < end ? end - start : 0;
}

/* From the last entry down (spec scatter.md 6); returns where normal partitions must end. */
static uint64_t place_reserved(Resolver *resolver)
{
    uint64_t end = resolver->capacity;
    for (guint i = resolver->layout->partitions->len; i-- > 0;) {
        MkPartition *partition = resolver->layout->partitions->pdata[i];
        bool here = partition->region == resolver->main || partition->region == MK_REGION_LINEAR;
        if (!here || !mk_scatter_is_from_end(address_of(resolver, partition)))
            continue;
        partition->reserved = true;
        partition->region = resolver->main;
        if (partition->size && partition->size <= end && !partition->grows) {
            end -= partition->size;
            partition->start = end;
        } else {
            place_by_blocks(resolver, partition, end);
            end = MIN(end, partition->start);
        }
        partition->grows = false;
        partition->resolved = true;
    }
    return end;
}

/* The last normal partition takes what is left; others end where the next begins if their size is not said. */
static bool fill_sizes(Resolver *resolver, uint64_t end, GError **error)
{
    uint64_t next = end;
    for (guint i = resolver->layout->partitions->len; i-- > 0;) {
        MkPartition *partition = resolver->layout->partitions->pdata[i];
        if (partition->region != resolver->main)
            continue;
        if (partition->reserved && partition->start >= end)
            continue;
        if (partition->grows || !partition->size) {
            if (partition->start >= next)
                return fault_small(partition, partition->start, next, error);
            partition->size = next - partition->start;
        }
        next = partition->start;
    }
    return true;
}

static uint64_t header_of(const MkLayout *layout, const MkGeometry *geometry)
{
    if (layout->header)
        return layout->header;
    const MkPartition *mbr = mk_layout_find(layout, "mbr");
    if (mbr && mbr->region == MK_REGION_LINEAR && mbr->linear)
        return mbr->linear;
    return geometry->boot1 + geometry->boot2 + geometry->rpmb;
}

static bool choose_main(Resolver *resolver, GError **error)
{
    const MkGeometry *geometry = resolver->geometry;
    resolver->main = mk_geometry_main_region(geometry);
    resolver->capacity = mk_geometry_region_size(geometry, resolver->main);
    switch (geometry->storage) {
    case MK_STORAGE_EMMC:
    case MK_STORAGE_SDMMC:
        resolver->block = resolver->layout->block_size ? resolver->layout->block_size : 0x20000;
        return true;
    case MK_STORAGE_UFS:
        resolver->block = resolver->layout->block_size ? resolver->layout->block_size : 0x80000;
        return true;
    case MK_STORAGE_NAND: resolver->block = geometry->nand_block; return true;
    default:
        mk_fault_set(error, MK_FAULT_STOR_NONE, _("The phone reports no storage, so the layout cannot be placed."));
        return false;
    }
}

/* NAND: the pool is as large as the agent says, and the two blocks before it hold the PMT (spec tables.md 5.1). */
static uint64_t place_nand_pool(Resolver *resolver)
{
    const MkGeometry *geometry = resolver->geometry;
    uint64_t pool = (uint64_t)(geometry->pool_blocks ? geometry->pool_blocks : 80) * geometry->nand_block, end = 0;
    if (pool + 2 * (uint64_t)geometry->nand_block < geometry->nand_size)
        end = geometry->nand_size - pool - 2 * (uint64_t)geometry->nand_block;
    for (guint i = 0; i < resolver->layout->partitions->len; i++) {
        MkPartition *partition = resolver->layout->partitions->pdata[i];
        g_autofree char *name = mk_partition_canonical(partition->name);
        if (strcmp(name, "bmtpool"))
            continue;
        partition->start = geometry->nand_size - MIN(pool, geometry->nand_size);
        partition->size = pool;
        partition->region = MK_REGION_NAND;
        partition->reserved = partition->resolved = true;
        partition->grows = false;
    }
    return end;
}

static bool already_resolved(const MkLayout *layout)
{
    for (guint i = 0; i < layout->partitions->len; i++)
        if (!((const MkPartition *)layout->partitions->pdata[i])->resolved)
            return false;
    return true;
}

bool mk_layout_resolve(MkLayout *layout, const MkGeometry *geometry, GError **error)
{
    Resolver resolver = {.layout = layout, .geometry = geometry};
    if (already_resolved(layout))
        return true;
    if (layout->storage != MK_STORAGE_UNKNOWN && geometry->storage != MK_STORAGE_UNKNOWN &&
        layout->storage != geometry->storage) {
        mk_fault_set_number(error, MK_FAULT_STOR_MISMATCH, 3183, "S_STORAGE_NOT_MATCH",
                            _("The layout is for %s, the phone has %s."), mk_storage_name(layout->storage),
                            mk_storage_name(geometry->storage));
        return false;
    }
    if (!choose_main(&resolver, error))
        return false;
    resolver.header = header_of(layout, geometry);
    layout->header = resolver.main == MK_REGION_USER ? resolver.header : 0;
    bool nand = geometry->storage == MK_STORAGE_NAND;
    for (guint i = 0; nand && i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (partition->region == MK_REGION_NONE || partition->region == MK_REGION_LINEAR)
            partition->region = MK_REGION_NAND;
        if (partition->region == MK_REGION_NAND && !partition->linear && partition->physical)
            partition->linear = partition->physical;
    }
    uint64_t end = nand ? place_nand_pool(&resolver) : place_reserved(&resolver);
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (!partition->resolved && !place_fixed(&resolver, partition, error))
            return false;
    }
    return fill_sizes(&resolver, end, error);
}
