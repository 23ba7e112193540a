/* Overlaps, order, ends beyond the device, alignment of a resolved layout. */
#include "layout/layout.h"

#include "core/i18n.h"

static void check_one(const MkPartition *partition, const MkGeometry *geometry, GPtrArray *findings)
{
    uint64_t capacity = mk_geometry_region_size(geometry, partition->region);
    uint32_t unit = partition->region == MK_REGION_NAND ? geometry->nand_block
                    : geometry->sector                  ? geometry->sector
                                                        : 512;
    MkFinding *finding = NULL;
    if (capacity && (partition->start > capacity || partition->size > capacity - partition->start))
        finding = mk_finding_add(findings, MK_SEVERITY_BLOCK, "table.beyond", partition->line,
                                 _("%s ends beyond the %s of this phone."), partition->name,
                                 mk_region_name(partition->region));
    else if (unit && (partition->start % unit || partition->size % unit))
        finding = mk_finding_add(findings, MK_SEVERITY_WARN, "table.align", partition->line,
                                 _("%s does not begin and end on a multiple of %u bytes."), partition->name, unit);
    else if (!partition->size && !partition->reserved)
        finding = mk_finding_add(findings, MK_SEVERITY_WARN, "table.empty", partition->line,
                                 _("%s has no room at all."), partition->name);
    mk_finding_set(finding, partition->name, NULL, NULL);
}

void mk_layout_check(const MkLayout *layout, const MkGeometry *geometry, GPtrArray *findings)
{
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *a = layout->partitions->pdata[i];
        if (!a->resolved)
            continue;
        check_one(a, geometry, findings);
        for (guint k = i + 1; k < layout->partitions->len; k++) {
            const MkPartition *b = layout->partitions->pdata[k];
            if (!b->resolved || a->region != b->region || !a->size || !b->size || a->start >= b->start + b->size ||
                b->start >= a->start + a->size)
                continue;
            MkFinding *finding = mk_finding_add(findings, MK_SEVERITY_BLOCK, "table.overlap", b->line,
                                                _("%s and %s overlap."), a->name, b->name);
            mk_finding_set(finding, b->name, NULL, NULL);
        }
    }
}
