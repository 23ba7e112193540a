/* Reading back what was written and summing it up: BD, and the end of DE (spec da-legacy.md 9.11, 9.25). */
#include "phone/chip-private.h"
#include "phone/legacy-device.h"

#define PIECE 0x100000u

static MkChipResult load(MkDevice *device, uint64_t address, uint8_t *data, size_t length)
{
    return mk_device_is_nand(device) ? mk_nand_read(device->chip, address, data, length)
                                     : mk_device_load(device, address, data, length);
}

static bool report(MkDevice *device, uint32_t status, uint64_t done, uint64_t length)
{
    mk_device_put32(device, mk_device_status(device, status));
    mk_device_put8(device, (uint8_t)(done * 100 / length));
    mk_device_put64(device, done);
    return mk_device_get8(device) != MK_LEGACY_STOP && !device->gone;
}

bool mk_device_verify_range(MkDevice *device, uint64_t address, uint64_t length, uint16_t wanted)
{
    uint8_t *buffer = mk_device_buffer(device, PIECE);
    uint16_t sum = 0;
    for (uint64_t done = 0; done < length;) {
        size_t piece = (size_t)MIN(PIECE, length - done);
        if (!mk_device_chip(device, load(device, address + done, buffer, piece))) {
            mk_device_put32(device,
                            mk_device_status(device, mk_device_is_nand(device) ? 3101 : MK_LEGACY_S_SDMMC_READ));
            mk_device_put64(device, address + done);
            return false;
        }
        sum = mk_sum16(sum, buffer, piece);
        done += piece;
        if (!report(device, done < length ? MK_LEGACY_S_IN_PROGRESS : 0, done, length))
            return false;
    }
    mk_device_put8(device, sum == wanted ? MK_LEGACY_ACK : MK_LEGACY_NACK);
    if (sum != wanted)
        mk_device_put16(device, sum);
    return sum == wanted;
}

static uint32_t refuse(const MkDevice *device, uint8_t storage, uint64_t address, uint64_t length)
{
    uint64_t size = device->model->geometry.nand_size;
    if (mk_device_is_nand(device) && (storage != MK_LEGACY_STORAGE_NAND || mk_chip_absent(device->chip)))
        return storage == MK_LEGACY_STORAGE_NAND ? MK_LEGACY_S_NAND_NOT_FOUND : MK_LEGACY_S_INVALID_STORAGE;
    if (mk_device_is_nand(device))
        return length && address < size && length <= size - address ? 0 : MK_LEGACY_S_INVALID_RANGE;
    if (storage != MK_LEGACY_STORAGE_EMMC)
        return MK_LEGACY_S_INVALID_STORAGE;
    if (mk_chip_absent(device->chip))
        return MK_LEGACY_S_SDMMC_NOT_FOUND;
    return mk_device_in_range(device, address, length) ? 0 : MK_LEGACY_S_INVALID_RANGE;
}

void mk_device_verify(MkDevice *device)
{
    uint8_t name[16];
    uint8_t storage = mk_device_get8(device);
    mk_device_get8(device); /* kind of image */
    uint64_t address = mk_device_get64(device), length = mk_device_get64(device);
    uint16_t wanted = mk_device_get16(device);
    mk_device_get16(device); /* image number, first and last marks */
    mk_device_take(device, name, sizeof name);
    if (device->gone)
        return;
    uint32_t refusal = refuse(device, storage, address, length);
    if (refusal) { /* there is no NACK here: any other status is an error, and an address follows it */
        mk_device_put32(device, mk_device_status(device, refusal));
        mk_device_put64(device, address);
        return;
    }
    mk_device_verify_range(device, address, length, wanted);
}
