/* The range parameter of READ_DATA, WRITE_DATA and FORMAT (spec da-xflash.md 10). */
#include "agent/xflash.h"

enum { ADDRESS_LOGICAL = 0, ADDRESS_PHYSICAL = 1 };
enum { WHOLE_DEVICE = 8 }; /* what other tools send for a NAND (spec 10, 22) */

static uint32_t section_of(MkRegion region)
{
    switch (region) {
    case MK_REGION_BOOT1: return MK_XFLASH_EMMC_BOOT1;
    case MK_REGION_BOOT2: return MK_XFLASH_EMMC_BOOT2;
    case MK_REGION_RPMB: return MK_XFLASH_EMMC_RPMB;
    case MK_REGION_GP1: return MK_XFLASH_EMMC_GP1;
    case MK_REGION_GP2: return MK_XFLASH_EMMC_GP2;
    case MK_REGION_GP3: return MK_XFLASH_EMMC_GP3;
    case MK_REGION_GP4: return MK_XFLASH_EMMC_GP4;
    case MK_REGION_USER: return MK_XFLASH_EMMC_USER;
    case MK_REGION_BOOT1_BOOT2: return MK_XFLASH_EMMC_BOOT1_BOOT2;
    case MK_REGION_LU0: return MK_XFLASH_UFS_LU0;
    case MK_REGION_LU1: return MK_XFLASH_UFS_LU1;
    case MK_REGION_LU2: return MK_XFLASH_UFS_LU2;
    case MK_REGION_LU0_LU1: return MK_XFLASH_UFS_LU0_LU1;
    case MK_REGION_NAND: return WHOLE_DEVICE;
    default: return 0;
    }
}

bool xflash_send_range(MkXFlash *xflash, const XFlashRange *range, GError **error)
{
    g_autoptr(GByteArray) block = g_byte_array_sized_new(MK_XFLASH_RANGE_SIZE);
    mk_put_le32(block, xflash->storage_id);
    mk_put_le32(block, section_of(range->region));
    mk_put_le64(block, range->offset);
    mk_put_le64(block, range->length);
    mk_put_le32(block, 0);
    mk_put_le32(block, range->physical ? ADDRESS_PHYSICAL : ADDRESS_LOGICAL);
    mk_put_le32(block, 0);
    mk_put_le32(block, 0);
    mk_put_le32(block, range->nand_mode);
    mk_put_fill(block, 0, (xflash->old ? MK_XFLASH_RANGE_SIZE_2015 : MK_XFLASH_RANGE_SIZE) - block->len);
    return xflash_send(xflash, block->data, block->len, error);
}
