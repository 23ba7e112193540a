/* The partition table of a NAND phone (spec tables.md 5.2). */
#include "phone/chip-private.h"

#include "core/bytes.h"

#include <string.h>

#define ENTRY 76

static MkChipResult put_copy(MkChip *chip, const MkLayout *layout, uint32_t block, const char *signature)
{
    const MkGeometry *geometry = &chip->model->geometry;
    g_autoptr(GByteArray) page = g_byte_array_new();
    uint8_t spare[MK_NAND_SPARE_MAX];
    mk_put_text(page, signature, 4);
    for (guint i = 0; i < layout->partitions->len && page->len + ENTRY <= geometry->nand_page; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        mk_put_text(page, partition->name, 64);
        mk_put_le32(page, (uint32_t)partition->size);
        mk_put_le32(page, (uint32_t)(partition->reserved ? partition->linear : partition->start));
        mk_put_le32(page, (uint32_t)partition->attributes);
    }
    mk_put_fill(page, 0, geometry->nand_page - page->len);
    memset(spare, 0xFF, sizeof spare);
    memcpy(spare + 1, signature, 4);
    MkChipResult result = mk_chip_nand_erase(chip, block, false);
    return result == MK_CHIP_OK ? mk_chip_nand_program(chip, block, 0, page->data, spare) : result;
}

MkChipResult mk_chip_nand_put_pmt(MkChip *chip, const MkLayout *layout, bool mirror_only)
{
    uint32_t first = mk_chip_nand_blocks(chip) - chip->model->geometry.pool_blocks - 2;
    MkChipResult result = MK_CHIP_OK;
    if (!mirror_only)
        result = put_copy(chip, layout, mk_chip_bmt_map(chip, first), "1vTP");
    return result == MK_CHIP_OK ? put_copy(chip, layout, mk_chip_bmt_map(chip, first + 1), "1TPM") : result;
}
