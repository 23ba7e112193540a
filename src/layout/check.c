/* Overlaps, order, ends beyond the device, alignment of a resolved layout. */
#include "layout/layout.h"

#include "core/i18n.h"

static uint64_t capacity_of(const MkGeometry *geometry, MkRegion region)
{
    switch (region) {
    case MK_REGION_BOOT1:
    case MK_REGION_BOOT1_BOOT2: return geometry->boot1;
    case MK_REGION_BOOT2: return geometry->boot2;
    case MK_REGION_RPMB: return geometry->rpmb;
    case MK_REGION_GP1:
    case MK_REGION_GP2:
    case MK_REGION_GP3:
    case MK_REGION_GP4: return geometry->gp[region - MK_REGION_GP1];
    case MK_REGION_USER: return geometry->user;
    case MK_REGION_LU0:
    case MK_REGION_LU0_LU1: return geometry->lu[0];
    case MK_REGION_LU1: return geometry->lu[1];
    case MK_REGION_LU2: return geometry->lu[2];
    case MK_REGION_LU3: return geometry->lu[3];
    case MK_REGION_NAND: return geometry->nand_size;
    default: return 0;
    }
}

static void check_one(const MkPartition *partition, const MkGeometry *geometry, GPtrArray *findings)
{
    uint64_t capacity = capacity_of(geometry, partition->region);
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
