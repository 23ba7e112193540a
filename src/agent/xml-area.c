/* What an XML agent calls the regions of its storage (spec da-xml.md 7). */
#include "agent/xml.h"

#include "core/i18n.h"

const char *xml_area(MkRegion region, GError **error)
{
    /* The RPMB and the pairs of boot regions have no name that an agent is known to take. */
    static const char *const names[MK_REGION_N] = {
        [MK_REGION_BOOT1] = "EMMC-BOOT1", [MK_REGION_BOOT2] = "EMMC-BOOT2", [MK_REGION_GP1] = "EMMC-GP1",
        [MK_REGION_GP2] = "EMMC-GP2",     [MK_REGION_GP3] = "EMMC-GP3",     [MK_REGION_GP4] = "EMMC-GP4",
        [MK_REGION_USER] = "EMMC-USER",   [MK_REGION_LU0] = "UFS-LUA0",     [MK_REGION_LU1] = "UFS-LUA1",
        [MK_REGION_LU2] = "UFS-LUA2",     [MK_REGION_LU3] = "UFS-LUA3",     [MK_REGION_NAND] = "NAND-WHOLE"};
    if (!names[region])
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("The phone's agent has no name for the region %s."),
                     mk_region_name(region));
    return names[region];
}
