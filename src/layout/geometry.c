/* Where the regions of a storage are, and how large. */
#include "layout/layout.h"

uint64_t mk_geometry_region_size(const MkGeometry *geometry, MkRegion region)
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
    case MK_REGION_LU1:
    case MK_REGION_LU2:
    case MK_REGION_LU3: return geometry->lu[region - MK_REGION_LU0];
    case MK_REGION_NAND: return geometry->nand_size;
    default: return 0;
    }
}

MkRegion mk_geometry_main_region(const MkGeometry *geometry)
{
    switch (geometry->storage) {
    case MK_STORAGE_NAND: return MK_REGION_NAND;
    case MK_STORAGE_UFS: return MK_REGION_LU2;
    default: return MK_REGION_USER;
    }
}

MkRegion mk_geometry_boot_region(const MkGeometry *geometry, unsigned copy)
{
    switch (geometry->storage) {
    case MK_STORAGE_NAND: return MK_REGION_NAND;
    case MK_STORAGE_UFS: return copy ? MK_REGION_LU1 : MK_REGION_LU0;
    default: return copy ? MK_REGION_BOOT2 : MK_REGION_BOOT1;
    }
}
