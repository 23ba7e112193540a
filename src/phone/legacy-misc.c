/* Registers, power, memory test, boot loader download, finish (spec da-legacy.md 9.1, 9.2, 9.12 to 9.22, 9.26). */
#include "phone/legacy-device.h"

#include "image/image.h"

#include <string.h>

#define DEVICE_EMMC     5
#define EXTERNAL_DRAM   3
#define WATCHDOG_UNIT   15.6
#define LONGEST_DELAY   2000 /* ms the virtual phone really waits before it resets */
#define PRELOADER_LIMIT 0x100000u
#define DROP_MS         100 /* from the last answer to the way off the bus */
#define KEEPS_USB       2   /* of FINISH */

/* --- registers ---------------------------------------------------------------------------------------------------------------------------- */

static uint32_t peek(const MkDevice *device, uint32_t address)
{
    if (address == 0x08000000)
        return device->model->hw_code;
    return GPOINTER_TO_UINT(g_hash_table_lookup(device->machine->memory, GUINT_TO_POINTER(address & ~3u)));
}

static void poke(MkDevice *device, uint32_t address, uint32_t value)
{
    g_hash_table_insert(device->machine->memory, GUINT_TO_POINTER(address & ~3u), GUINT_TO_POINTER(value));
}

static void register32(MkDevice *device, bool writing)
{
    uint32_t address = mk_device_get32(device);
    if (writing)
        poke(device, address, mk_device_get32(device));
    else
        mk_device_put32(device, peek(device, address));
    mk_device_put8(device, MK_LEGACY_ACK);
}

static void register16(MkDevice *device, bool writing)
{
    uint32_t address = mk_device_get32(device), shift = address & 2 ? 16 : 0, word = peek(device, address);
    if (writing)
        poke(device, address, (word & ~(0xFFFFu << shift)) | (uint32_t)mk_device_get16(device) << shift);
    else
        mk_device_put16(device, (uint16_t)(word >> shift));
    mk_device_put8(device, MK_LEGACY_ACK);
}

static void power_register(MkDevice *device, bool writing)
{
    gpointer place = GUINT_TO_POINTER((guint)mk_device_get16(device));
    if (writing)
        g_hash_table_insert(device->machine->pmic, place, GUINT_TO_POINTER((guint)mk_device_get16(device)));
    else
        mk_device_put16(device, (uint16_t)GPOINTER_TO_UINT(g_hash_table_lookup(device->machine->pmic, place)));
    mk_device_put8(device, MK_LEGACY_ACK);
}

static bool registers(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_READ_REG32:
    case MK_LEGACY_WRITE_REG32: register32(device, command == MK_LEGACY_WRITE_REG32); return true;
    case MK_LEGACY_READ_REG16:
    case MK_LEGACY_WRITE_REG16: register16(device, command == MK_LEGACY_WRITE_REG16); return true;
    case MK_LEGACY_PWR_READ16:
    case MK_LEGACY_PWR_WRITE16: power_register(device, command == MK_LEGACY_PWR_WRITE16); return true;
    default: return false;
    }
}

/* --- memory test -------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t storage;
    uint64_t start, size;
    uint32_t width, method;
} MemoryTest;

#define METHOD_DUMP 0
#define DUMP_PACKET 0x10000u

static MkRegion tested_region(const MkDevice *device, const MemoryTest *test)
{
    if (test->storage == 4 && !mk_device_is_nand(device))
        return MK_REGION_USER;
    return test->storage == 1 && mk_device_is_nand(device) ? MK_REGION_NAND : MK_REGION_NONE;
}

static bool test_is_possible(const MkDevice *device, const MemoryTest *test)
{
    MkRegion region = tested_region(device, test);
    const MkGeometry *geometry = &device->model->geometry;
    if (test->width > 2 || test->method >= 6 || test->size == 0)
        return false;
    if (test->storage == EXTERNAL_DRAM)
        return device->machine->dram_up && test->size <= device->model->dram_size;
    uint64_t room = region == MK_REGION_NAND ? geometry->nand_size : region == MK_REGION_USER ? geometry->user : 0;
    return !mk_chip_absent(device->chip) && test->start < room && test->size <= room - test->start;
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

static void memory_test(MkDevice *device)
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
    if (!test_is_possible(device, &test)) {
        mk_device_nack(device, 1002);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    if (test.method == METHOD_DUMP) {
        dump(device, &test);
        return;
    }
    for (uint32_t progress = 25; progress < 100; progress += 25) {
        mk_device_put32(device, mk_device_status(device, MK_LEGACY_S_IN_PROGRESS));
        mk_device_put32(device, progress);
        if (mk_device_get8(device) == MK_LEGACY_STOP || device->gone)
            return;
    }
    if (find_failure(device, &test, &failed))
        report_memory_failure(device, failed);
    else
        mk_device_put32(device, 0);
}

/* --- the boot loader (51) --------------------------------------------------------------------------------------------------------------------- */

static MkChipResult collect(G_GNUC_UNUSED MkDevice *device, G_GNUC_UNUSED uint64_t position, const uint8_t *data,
                            size_t length, void *user_data)
{
    g_byte_array_append(user_data, data, (guint)length);
    return MK_CHIP_OK;
}

/* Body first, header last, into both boot areas: an interrupted write leaves no bootable fragment (spec preloader-file.md 2.2). */
static bool store_preloader(MkDevice *device, const GByteArray *file, uint32_t max_size)
{
    static const MkRegion regions[] = {MK_REGION_BOOT2, MK_REGION_BOOT1};
    g_autoptr(GBytes) header = mk_preloader_boot_header(MK_STORAGE_EMMC, max_size);
    gsize head;
    const void *bytes = g_bytes_get_data(header, &head);
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint64_t size = mk_chip_size(device->chip, regions[i]);
        if (!mk_device_chip(device, mk_chip_erase(device->chip, regions[i], 0, size)) ||
            !mk_device_chip(device, mk_chip_write(device->chip, regions[i], head, file->data, file->len)) ||
            !mk_device_chip(device, mk_chip_write(device->chip, regions[i], 0, bytes, head)))
            return false;
    }
    return true;
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

static void download_bootloader(MkDevice *device)
{
    uint8_t hash[256];
    Profile profile = {0};
    uint16_t sum = 0;
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_take(device, hash, MIN(mk_device_get32(device), sizeof hash));
    mk_device_put32(device, 0);
    uint32_t packet = mk_device_get32(device);
    uint8_t flash = mk_device_get8(device);
    if (device->gone)
        return;
    if (flash != DEVICE_EMMC || mk_device_is_nand(device) || mk_chip_absent(device->chip)) {
        mk_device_nack(device, 3138);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put8(device, MK_LEGACY_ACK); /* first download */
    for (uint32_t i = MIN(mk_device_get32(device), 4); i; i--) {
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
        mk_device_nack(device, MK_LEGACY_S_SDMMC_WRITE);
}

/* --- speed of a UART (9.14) --------------------------------------------------------------------------------------------------------------------- */

static void speed(MkDevice *device)
{
    static const unsigned rates[] = {0,     921600, 460800, 230400, 115200, 57600, 38400,
                                     19200, 9600,   4800,   2400,   1200,   300,   110};
    uint8_t id = mk_device_get8(device), count = mk_device_get8(device), byte;
    if (device->gone)
        return;
    if (id == 0 || id >= G_N_ELEMENTS(rates)) {
        mk_device_put8(device, MK_LEGACY_NACK);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_wire_set_baud(device->wire, rates[id]);
    while ((byte = mk_device_get8(device)) != MK_LEGACY_ACK && !device->gone)
        mk_device_put8(device, byte);
    mk_device_put8(device, MK_LEGACY_ACK);
    for (unsigned i = 0; i < 256u * count && !device->gone; i++)
        mk_device_put8(device, mk_device_get8(device));
}

/* --- the end ---------------------------------------------------------------------------------------------------------------------------------------- */

static void finish(MkDevice *device)
{
    mk_device_put8(device, MK_LEGACY_ACK);
    uint32_t how = mk_device_get32(device);
    mk_device_put8(device, MK_LEGACY_ACK);
    if (device->gone)
        return;
    mk_machine_log(device->machine, "agent: finished (%u)", how);
    device->over = true;
    /* 0 and 2 let the power key go: with the cable out the phone is off; 2 keeps the USB (spec 9.12). */
    device->next = device->machine->watchdog_reset ? MK_NEXT_RESET : MK_NEXT_HALT;
    device->machine->watchdog_reset = false;
    device->machine->off_the_bus = how != KEEPS_USB;
}

static void watchdog(MkDevice *device)
{
    double delay = mk_device_get16(device) * WATCHDOG_UNIT;
    uint32_t flags = mk_device_get32(device);
    mk_device_put8(device, MK_LEGACY_ACK);
    if (device->gone)
        return;
    mk_machine_log(device->machine, "agent: the watchdog will bite in %.0f ms (flags %u)", delay, flags);
    if (flags & MK_LEGACY_WDT_ASYNC) {
        device->machine->watchdog_reset = true;
        return;
    }
    g_usleep((gulong)(MIN(delay, LONGEST_DELAY) * 1000));
    device->over = true;
    device->next = flags & MK_LEGACY_WDT_DOWNLOAD ? MK_NEXT_DOWNLOAD : MK_NEXT_RESET;
}

/* --- questions ----------------------------------------------------------------------------------------------------------------------------------------- */

static void battery(MkDevice *device)
{
    bool known = device->da_chip != 0x6582 && device->machine->battery;
    mk_device_put32(device, known ? MK_LEGACY_ACK : MK_LEGACY_NACK);
    if (known)
        mk_device_put32(device, device->machine->battery_mv);
}

static bool questions(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_USB_CHECK_STATUS:
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put8(device, device->machine->high_speed);
        return true;
    case MK_LEGACY_GET_CARD_TYPE:
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put32(device, 1);
        return true;
    case MK_LEGACY_BATTERY: battery(device); return true;
    case MK_LEGACY_GET_DSP_VER:
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put16(device, 0);
        return true;
    case MK_LEGACY_READ_IMEI_PID_SWV: mk_device_nack(device, 3160); return true;
    case MK_LEGACY_READ_FLASH_INFO:
    case MK_LEGACY_WRITE_FLASH_INFO:
        mk_device_get8(device);
        mk_device_nack(device, 3162);
        return true;
    case MK_LEGACY_GET_PROJECT_ID:
    case MK_LEGACY_GET_FAT_INFO: mk_device_put32(device, mk_device_status(device, 3067)); return true;
    case MK_LEGACY_EMMC_OTP_CHECK:
    case MK_LEGACY_OTP_CHECK: mk_device_put32(device, mk_device_status(device, 3116)); return true;
    default: return false;
    }
}

/* What a host asks around a download when secure download is off (spec hosts.md). */
static bool security(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_CHK_PC_SEC_INFO: {
        uint32_t length = mk_device_get32(device);
        uint8_t *buffer = mk_device_buffer(device, length);
        if (buffer)
            mk_device_read(device, buffer, length);
        mk_device_put8(device, MK_LEGACY_ACK);
        return true;
    }
    case MK_LEGACY_SECURE_STATUS:
        mk_device_put32(device, 0x1799);
        mk_device_get32(device);
        return true;
    case MK_LEGACY_SECURE_TABLE:
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put8(device, MK_LEGACY_ACK);
        return true;
    default: return false;
    }
}

static void setup_port(MkDevice *device, bool with_ids)
{
    bool fast = mk_device_get8(device) != 0;
    uint32_t ids = with_ids ? mk_device_get32(device) : 0; /* product, vendor */
    MkMachine *machine = device->machine;
    mk_device_put8(device, MK_LEGACY_ACK);
    machine->high_speed |= fast;
    if (fast && !device->gone && machine->reappear)
        device->gone = mk_wire_pause(device->wire, DROP_MS) != MK_WIRE_OK ||
                       !machine->reappear(machine->port_data, ids << 16 | ids >> 16);
    device->wire = machine->wire;
}

bool mk_device_misc(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_USB_SETUP_PORT:
    case MK_LEGACY_USB_SETUP_PORT_EX: setup_port(device, command == MK_LEGACY_USB_SETUP_PORT_EX); return true;
    case MK_LEGACY_DOWNLOAD_BLOADER: download_bootloader(device); return true;
    case MK_LEGACY_ENABLE_DRAM: mk_device_enable_dram(device); return true;
    case MK_LEGACY_MEMORY_TEST: memory_test(device); return true;
    case MK_LEGACY_SPEED: speed(device); return true;
    case MK_LEGACY_MEM: mk_device_put8(device, MK_LEGACY_NACK); return true;
    case MK_LEGACY_NAND_BMT_REMARK:
        mk_device_put8(device, MK_LEGACY_NACK); /* not needed */
        return true;
    case MK_LEGACY_D5: mk_device_nack(device, 1040); return true;
    case MK_LEGACY_WRITE_GPT: mk_device_nack(device, MK_LEGACY_S_SDMMC_NOT_FOUND); return true;
    case MK_LEGACY_FINISH: finish(device); return true;
    case MK_LEGACY_ENABLE_WATCHDOG: watchdog(device); return true;
    default: return registers(device, command) || questions(device, command) || security(device, command);
    }
}
