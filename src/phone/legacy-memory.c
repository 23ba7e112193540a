/* The memory test: FE (spec da-legacy.md 9.22). */
#include "phone/legacy-device.h"

#include <string.h>

#define EXTERNAL_DRAM 3

typedef struct {
    uint32_t storage;
    uint64_t start, size;
    uint32_t width, method;
} MemoryTest;

enum { METHOD_DUMP, METHOD_PATTERN, METHOD_COUNT };
#define DUMP_PACKET 0x10000u

static MkRegion tested_region(const MkDevice *device, const MemoryTest *test)
{
    if (test->storage == 4 && !mk_device_is_nand(device))
        return MK_REGION_USER;
    return test->storage == 1 && mk_device_is_nand(device) ? MK_REGION_NAND : MK_REGION_NONE;
}

/* What a test is refused with; 0: it is done (names in spec 14). */
static uint32_t refuse_device(const MkDevice *device, const MemoryTest *test)
{
    bool there = !mk_chip_absent(device->chip), nand = mk_device_is_nand(device);
    switch (test->storage) {
    case 0: return MK_LEGACY_S_NOR_NOT_FOUND;
    case 1: return nand && there ? 0 : MK_LEGACY_S_NAND_NOT_FOUND;
    case 2: return 3084;
    case EXTERNAL_DRAM: return device->machine->dram_up ? 0 : 3085;
    case 4: return !nand && there ? 0 : 3144;
    case 5: return MK_LEGACY_S_SDMMC_NOT_FOUND;
    default: return 1002;
    }
}

static uint32_t refuse_test(const MkDevice *device, const MemoryTest *test)
{
    uint32_t refusal = refuse_device(device, test);
    MkRegion region = tested_region(device, test);
    const MkGeometry *geometry = &device->model->geometry;
    if (test->width > 2 || test->method >= 6)
        return 1002;
    if (refusal)
        return refusal;
    if (test->width && test->start % (2 * test->width))
        return test->width == 1 ? 3090 : 3091;
    if (test->width && test->size % (2 * test->width))
        return test->width == 1 ? 3092 : 3093;
    uint64_t start = test->start, room = region == MK_REGION_NAND ? geometry->nand_size : geometry->user;
    if (region == MK_REGION_NONE) { /* wherever DRAM lies on this chip */
        start = 0;
        room = device->model->dram_size;
    }
    return test->size && start < room && test->size <= room - start ? 0 : MK_LEGACY_S_INVALID_RANGE;
}

/* RAM is not kept between commands: it reads as zero. */
static bool dump_piece(MkDevice *device, MkStore *store, uint64_t at, uint8_t *buffer, size_t length)
{
    memset(buffer, 0, length);
    return !store || mk_store_read(store, at, buffer, length, NULL, NULL);
}

static void dump(MkDevice *device, const MemoryTest *test)
{
    MkRegion region = tested_region(device, test);
    g_autoptr(MkStore) store = region == MK_REGION_NONE ? NULL : mk_chip_store(device->chip, region);
    uint8_t *buffer = mk_device_buffer(device, DUMP_PACKET);
    mk_device_put32(device, DUMP_PACKET);
    for (uint64_t done = 0; done < test->size && !device->gone;) {
        size_t piece = (size_t)MIN(DUMP_PACKET, test->size - done);
        if (!dump_piece(device, store, test->start + done, buffer, piece)) {
            mk_device_halt(device, "the storage fails in the middle of a dump");
            return;
        }
        mk_device_write(device, buffer, piece);
        mk_device_put16(device, mk_sum16(0, buffer, piece));
        if (mk_device_get8(device) == MK_LEGACY_ACK)
            done += piece;
    }
}

/* Where the range fails, for the report of a test. */
static bool find_failure(const MkDevice *device, const MemoryTest *test, uint64_t *address)
{
    MkRegion region = tested_region(device, test);
    uint64_t step = 512;
    if (region == MK_REGION_NONE || !mk_chip_would_fail(device->chip, region, test->start, test->size))
        return false;
    for (*address = test->start; !mk_chip_would_fail(device->chip, region, *address, step); *address += step)
        ;
    return true;
}

static void report_memory_failure(MkDevice *device, uint64_t address)
{
    mk_device_put32(device, mk_device_status(device, 3094));
    mk_device_put_wide(device, address);
    for (unsigned i = 0; i < 5; i++) /* patterns, what was read, pins */
        mk_device_put32(device, 0);
}

/* Patterns take their time; wires are tested at once (spec da-legacy-vectors.txt 20). False: stopped. */
static bool show_progress(MkDevice *device, uint32_t method)
{
    bool long_one = method == METHOD_PATTERN || method == METHOD_COUNT;
    for (uint32_t progress = 25; long_one && progress < 100; progress += 25) {
        mk_device_put32(device, mk_device_status(device, MK_LEGACY_S_IN_PROGRESS));
        mk_device_put32(device, progress);
        if (mk_device_get8(device) == MK_LEGACY_STOP || device->gone)
            return false;
    }
    return true;
}

void mk_device_memory_test(MkDevice *device)
{
    MemoryTest test = {.storage = mk_device_get32(device)};
    uint64_t failed;
    test.start = mk_device_get_wide(device);
    test.size = mk_device_get_wide(device);
    test.width = mk_device_get32(device);
    test.method = mk_device_get32(device);
    mk_device_get32(device); /* pattern */
    if (device->gone)
        return;
    uint32_t refusal = refuse_test(device, &test);
    if (refusal) {
        mk_device_nack(device, refusal);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    if (test.method == METHOD_DUMP) {
        dump(device, &test);
        return;
    }
    if (!show_progress(device, test.method))
        return;
    if (find_failure(device, &test, &failed))
        report_memory_failure(device, failed);
    else
        mk_device_put32(device, 0);
}
