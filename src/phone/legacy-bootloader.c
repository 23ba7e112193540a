/* The preloader download: 51 (spec da-legacy.md 9.26, hosts.md). */
#include "image/image.h"
#include "phone/chip-private.h"
#include "phone/legacy-device.h"

#include <string.h>

#define DEVICE_NAND     2
#define DEVICE_EMMC     5
#define PRELOADER_LIMIT 0x100000u

static MkChipResult collect(G_GNUC_UNUSED MkDevice *device, G_GNUC_UNUSED uint64_t position, const uint8_t *data,
                            size_t length, void *user_data)
{
    g_byte_array_append(user_data, data, (guint)length);
    return MK_CHIP_OK;
}

/* Body first, header last, into both boot areas: an interrupted write leaves no bootable fragment (spec preloader-file.md 2.2). */
static bool store_in_boot_areas(MkDevice *device, const GByteArray *file, uint32_t max_size)
{
    static const MkRegion regions[] = {MK_REGION_BOOT2, MK_REGION_BOOT1};
    g_autoptr(GBytes) header = mk_preloader_boot_header(MK_STORAGE_EMMC, max_size);
    gsize head;
    const uint8_t *bytes = g_bytes_get_data(header, &head), *body = file->data;
    size_t length = file->len;
    if (length > head && memcmp(body, bytes, 9) == 0) { /* it brings its own header */
        bytes = body;
        body += head;
        length -= head;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint64_t size = mk_chip_size(device->chip, regions[i]);
        if (!mk_device_chip(device, mk_chip_erase(device->chip, regions[i], 0, size)) ||
            !mk_device_chip(device, mk_chip_write(device->chip, regions[i], head, body, length)) ||
            !mk_device_chip(device, mk_chip_write(device->chip, regions[i], 0, bytes, head)))
            return false;
    }
    return true;
}

/* A NAND holds it from its first block on; that one is written last. */
static bool store_in_nand(MkDevice *device, const GByteArray *file)
{
    const MkGeometry *geometry = &device->model->geometry;
    uint32_t blocks = (file->len + geometry->nand_block - 1) / geometry->nand_block;
    for (uint32_t i = blocks; i-- > 0;) {
        uint64_t at = (uint64_t)i * geometry->nand_block;
        size_t length = MIN(geometry->nand_block, file->len - at);
        if (!mk_device_chip(device, mk_nand_erase(device->chip, at, length)) ||
            !mk_device_chip(device, mk_nand_write(device->chip, at, file->data + at, length)))
            return false;
    }
    return true;
}

static bool store_preloader(MkDevice *device, const GByteArray *file, uint32_t max_size)
{
    return mk_device_is_nand(device) ? store_in_nand(device, file) : store_in_boot_areas(device, file, max_size);
}

typedef struct {
    uint32_t max_size, size;
    bool present;
} Profile;

static bool take_profile(MkDevice *device, Profile *profile)
{
    uint8_t skipped[25];
    profile->present = mk_device_get8(device) == MK_LEGACY_ACK;
    if (!profile->present)
        return !device->gone;
    mk_device_take(device, skipped, 1 + 2 + 4 + 4 + 4);
    profile->max_size = mk_device_get32(device);
    mk_device_take(device, skipped, 1 + 4 + 4);
    profile->size = mk_device_get32(device);
    mk_device_take(device, skipped, 2);
    if (device->gone)
        return false;
    if (profile->size == 0 || profile->size > PRELOADER_LIMIT || profile->size > profile->max_size) {
        mk_device_nack(device, 3052);
        return false;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    return true;
}

void mk_device_download_bootloader(MkDevice *device)
{
    uint8_t byte;
    Profile profile = {0};
    uint16_t sum = 0;
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_phone_info(device);
    for (uint32_t n = mk_device_get32(device); n && !device->gone; n--)
        mk_device_take(device, &byte, 1); /* hash of the key */
    mk_device_put32(device, 0);
    uint32_t packet = mk_device_get32(device);
    uint8_t flash = mk_device_get8(device);
    if (device->gone)
        return;
    if (flash != (mk_device_is_nand(device) ? DEVICE_NAND : DEVICE_EMMC) || mk_chip_absent(device->chip)) {
        mk_device_nack(device, 3138);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put8(device, MK_LEGACY_ACK); /* first download */
    for (uint32_t i = mk_device_get32(device); i && !device->gone; i--) {
        Profile other;
        if (!take_profile(device, &other))
            return;
        if (other.present)
            profile = other;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    g_autoptr(GByteArray) file = g_byte_array_new();
    if (!profile.present || !mk_device_take_packets(device, profile.size, packet, true, &sum, collect, file))
        return;
    if (store_preloader(device, file, profile.max_size))
        mk_device_put8(device, MK_LEGACY_ACK);
    else if (!device->gone)
        mk_device_nack(device, mk_device_is_nand(device) ? MK_LEGACY_S_NAND_PROGRAM : MK_LEGACY_S_SDMMC_WRITE);
}
