#include "phone/boot-area.h"

#include "core/bytes.h"
#include "image/image.h"

#include <string.h>

#define MAX_SIZE_OFFSET 0x24 /* of the preloader's first header */

static bool has_boot_header(const uint8_t *file, size_t length)
{
    static const char *const ids[] = {"EMMC_BOOT", "UFS_BOOT", "COMBO_BOOT", "SDMMC_BOOT"};
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
        if (length > 12 && memcmp(file, ids[i], strlen(ids[i]) + 1) == 0)
            return true;
    return false;
}

MkChipResult mk_boot_area_store(MkChip *chip, const MkGeometry *geometry, const uint8_t *file, size_t length,
                                bool *invalid)
{
    MkRegion region = mk_geometry_boot_region(geometry, 0);
    uint32_t max_size = length >= MAX_SIZE_OFFSET + 4 ? mk_le32(file + MAX_SIZE_OFFSET) : 0;
    bool whole = has_boot_header(file, length);
    *invalid = !whole && length > max_size;
    if (*invalid)
        return MK_CHIP_FAILED;
    g_autoptr(GBytes) made = mk_preloader_boot_header(geometry->storage, max_size);
    gsize head = g_bytes_get_size(made);
    head = whole ? MIN(head, length) : head;
    const uint8_t *header = whole ? file : g_bytes_get_data(made, NULL);
    const uint8_t *body = whole ? file + head : file;
    MkChipResult result = mk_chip_erase(chip, region, 0, mk_chip_size(chip, region));
    if (result == MK_CHIP_OK)
        result = mk_chip_write(chip, region, head, body, whole ? length - head : length);
    if (result == MK_CHIP_OK)
        result = mk_chip_write(chip, region, 0, header, head);
    return result;
}
