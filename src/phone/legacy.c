/* Stage 1 to finish: the state machine of spec da-legacy.md 10.1. */
#include "phone/legacy-device.h"

#include "phone/content.h"
#include "phone/legacy-loop.h"

#include <string.h>

/* --- the wire -------------------------------------------------------------------------------------------------------------------- */

bool mk_device_read(MkDevice *device, void *data, size_t length)
{
    int timeout = -1;
    if (device->dog) {
        gint64 left = (device->dog - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND;
        timeout = (int)CLAMP(left, 0, G_MAXINT);
    }
    MkWireResult result = device->gone ? MK_WIRE_GONE : mk_wire_read(device->wire, data, length, timeout);
    if (result == MK_WIRE_TIMEOUT)
        mk_device_dog_bites(device);
    device->gone = result != MK_WIRE_OK;
    if (device->gone)
        memset(data, 0, length);
    return !device->gone;
}

void mk_device_write(MkDevice *device, const void *data, size_t length)
{
    device->gone = device->gone || mk_wire_write(device->wire, data, length) != MK_WIRE_OK;
}

/* Genuine agents assemble everything but bulk data from single bytes; what that means for packets: spec agents.md, last section. */
bool mk_device_take(MkDevice *device, void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        mk_device_read(device, (uint8_t *)data + i, 1);
    return !device->gone;
}

uint8_t mk_device_get8(MkDevice *device)
{
    uint8_t value;
    mk_device_read(device, &value, 1);
    return value;
}

uint16_t mk_device_get16(MkDevice *device)
{
    uint8_t raw[2];
    mk_device_take(device, raw, sizeof raw);
    return mk_be16(raw);
}

uint32_t mk_device_get32(MkDevice *device)
{
    uint8_t raw[4];
    mk_device_take(device, raw, sizeof raw);
    return mk_be32(raw);
}

uint64_t mk_device_get64(MkDevice *device)
{
    uint8_t raw[8];
    mk_device_take(device, raw, sizeof raw);
    return mk_be64(raw);
}

uint64_t mk_device_get_wide(MkDevice *device)
{
    return device->release >= 3 ? mk_device_get64(device) : mk_device_get32(device);
}

static void put(MkDevice *device, uint64_t value, unsigned width)
{
    uint8_t raw[8];
    for (unsigned i = 0; i < width; i++)
        raw[i] = (uint8_t)(value >> 8 * (width - 1 - i));
    mk_device_write(device, raw, width);
}

void mk_device_put8(MkDevice *device, uint8_t value)
{
    put(device, value, 1);
}

void mk_device_put16(MkDevice *device, uint16_t value)
{
    put(device, value, 2);
}

void mk_device_put32(MkDevice *device, uint32_t value)
{
    put(device, value, 4);
}

void mk_device_put64(MkDevice *device, uint64_t value)
{
    put(device, value, 8);
}

void mk_device_put_wide(MkDevice *device, uint64_t value)
{
    put(device, value, device->release >= 3 ? 8 : 4);
}

/* Numbering B counts on after each name that it inserted (spec da-legacy.md 14). */
uint32_t mk_device_status(const MkDevice *device, uint32_t status)
{
    if (device->release < 4 || status < 3004 || status >= 4000)
        return status;
    return status + (status >= 3154 ? 16 : status >= 3052 ? 5 : 4);
}

void mk_device_nack(MkDevice *device, uint32_t status)
{
    uint32_t number = mk_device_status(device, status);
    uint8_t raw[] = {MK_LEGACY_NACK, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                     (uint8_t)number};
    mk_machine_log(device->machine, "agent: refuses with 0x%X", number);
    mk_device_write(device, raw, sizeof raw);
}

void mk_device_halt(MkDevice *device, const char *why)
{
    mk_machine_log(device->machine, "agent: hangs: %s", why);
    device->over = true;
    device->next = MK_NEXT_HALT;
}

uint8_t *mk_device_buffer(MkDevice *device, uint64_t length)
{
    if (length > MK_LEGACY_LARGEST) {
        mk_device_halt(device, "a packet larger than its memory");
        return NULL;
    }
    if (length > device->buffer_size) {
        device->buffer = g_realloc(device->buffer, length);
        device->buffer_size = length;
    }
    return device->buffer;
}

bool mk_device_chip(MkDevice *device, MkChipResult result)
{
    device->gone |= result == MK_CHIP_GONE;
    return result == MK_CHIP_OK;
}

bool mk_device_is_nand(const MkDevice *device)
{
    return device->model->geometry.storage == MK_STORAGE_NAND;
}

/* --- stage 1 ------------------------------------------------------------------------------------------------------------------------ */

static bool chip_is(const MkDevice *device, const uint16_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == device->da_chip)
            return true;
    }
    return false;
}
#define CHIP_IS(device, ...)                                                                                           \
    chip_is(device, (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static bool is_single_stage(const MkDevice *device)
{
    return CHIP_IS(device, 0x6573, 0x6575, 0x6577);
}

static bool takes_blob(const MkDevice *device)
{
    return CHIP_IS(device, 0x6583, 0x8135);
}

void mk_device_phone_info(MkDevice *device)
{
    uint8_t info[16];
    if (device->da_chip == 0x6592)
        mk_device_take(device, info, sizeof info);
}

static void take_slc_block(MkDevice *device)
{
    uint8_t record[20];
    for (uint32_t n = mk_device_get32(device); n && !device->gone; n--)
        mk_device_take(device, record, sizeof record);
}

/* What the host adds for some chips (spec 3.2 step 6). */
static void take_trailer(MkDevice *device)
{
    if (CHIP_IS(device, 0x6583) && device->release >= 1)
        mk_device_get32(device);
    if (CHIP_IS(device, 0x6571, 0x6582) && device->release >= 3)
        device->addressing = mk_device_get32(device) ? MK_ADDRESS_REGION : MK_ADDRESS_LINEAR;
    if (CHIP_IS(device, 0x6592) && device->release >= 4)
        mk_device_get32(device);
    if (CHIP_IS(device, 0x8127) && device->release >= 4)
        mk_device_get32(device);
    if (CHIP_IS(device, 0x6580, 0x8127) && device->release >= 4)
        take_slc_block(device);
    if (CHIP_IS(device, 0x8163))
        take_slc_block(device);
}

static void take_configuration(MkDevice *device)
{
    uint8_t fixed[5];
    mk_device_take(device, fixed, sizeof fixed); /* BROM, boot loader, chip selects */
    mk_device_get32(device);                     /* NAND access control */
    if (device->release == 1)
        mk_device_get32(device); /* BMT blocks */
    if (device->release >= 2) {
        mk_device_get8(device);  /* BMT flag */
        mk_device_get32(device); /* BMT size */
        mk_device_get8(device);  /* force charge */
        mk_device_get8(device);  /* reset key */
    }
    mk_device_get8(device); /* external clock */
    if (device->release >= 1)
        mk_device_get8(device); /* MSDC boot channel */
    take_trailer(device);
}

/* Our own first stages know the hash of their second; a genuine one is believed. */
static bool hash_fits(const MkDevice *device, const uint8_t *image, uint32_t length)
{
    gsize size;
    const uint8_t *stage1 = device->machine->da ? g_bytes_get_data(device->machine->da, &size) : NULL;
    MkDaMark mark;
    if (!stage1 || !mk_content_da_marker(stage1, size, &mark) || size < 153)
        return true;
    if (memcmp(stage1 + 128, "SHA1=", 5) != 0 || length < 0x100)
        return false;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA1);
    uint8_t digest[20];
    gsize digest_size = sizeof digest;
    g_checksum_update(sum, image, length - 0x100);
    g_checksum_get_digest(sum, digest, &digest_size);
    return memcmp(digest, stage1 + 133, sizeof digest) == 0;
}

/* Spec 5.3: packets of the length the host says, then the rest, which may be empty. */
static void take_second_stage(MkDevice *device)
{
    mk_device_get32(device); /* address */
    uint32_t length = mk_device_get32(device), packet = mk_device_get32(device);
    uint8_t *image = mk_device_buffer(device, length);
    if (!image || packet == 0) {
        mk_device_halt(device, "a second stage that cannot be");
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    uint32_t done = 0;
    for (; length - done >= packet && !device->gone; done += packet) {
        mk_device_read(device, image + done, packet);
        mk_device_put8(device, MK_LEGACY_ACK);
    }
    if (length > done)
        mk_device_read(device, image + done, length - done);
    mk_device_put8(device, MK_LEGACY_ACK);
    if (!takes_blob(device) && !device->gone && !hash_fits(device, image, length)) {
        mk_device_halt(device, "the second stage is not the one that belongs to the first");
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_get8(device);
}

static void bring_up_dram(MkDevice *device)
{
    if (device->machine->dram_up) {
        mk_device_put32(device, 0);
        mk_device_eye_scan(device);
        return;
    }
    mk_device_put32(device, mk_device_status(device, MK_LEGACY_S_RAM_ERROR));
    mk_device_dram_block(device);
    mk_device_get8(device); /* E8; genuine code does not look at it */
    mk_device_enable_dram(device);
    if (!device->machine->dram_up && !device->over && !device->gone)
        mk_device_halt(device, "no DRAM");
}

static void run_stage1(MkDevice *device)
{
    mk_device_put8(device, MK_LEGACY_SYNC);
    if (!is_single_stage(device) && device->release >= 2) {
        mk_device_early_report(device);
        mk_device_get8(device);
    }
    bool old = is_single_stage(device) || takes_blob(device) || CHIP_IS(device, 0x6595, 0x6795, 0x8173);
    uint8_t version[] = {old ? 3 : 4, 2, mk_device_bbchip(device)};
    mk_device_write(device, version, sizeof version);
    take_configuration(device);
    if (is_single_stage(device)) {
        mk_device_nand_table(device);
        return;
    }
    bring_up_dram(device);
    if (!device->over && !device->gone)
        take_second_stage(device);
}

static unsigned release_number(const char *release)
{
    return release && release[0] == 'G' && release[1] >= '0' && release[1] <= '4' ? (unsigned)(release[1] - '0') : 3;
}

MkNext mk_legacy_run(MkMachine *machine)
{
    MkDevice device = {.machine = machine,
                       .model = machine->model,
                       .chip = machine->chip,
                       .wire = machine->wire,
                       .release = release_number(machine->release ? machine->release : machine->model->agent_release),
                       .da_chip = machine->model->soc->da_code,
                       .part = MK_REGION_USER,
                       .next = MK_NEXT_GONE};
    device.addressing =
        machine->model->table == MK_TABLE_GPT || machine->model->new_combo ? MK_ADDRESS_REGION : MK_ADDRESS_LINEAR;
    mk_machine_log(machine, "agent: runs (release G%u)", device.release);
    run_stage1(&device);
    if (!device.over && !device.gone)
        mk_device_report(&device);
    if (!device.over && !device.gone)
        mk_device_loop(&device);
    g_free(device.buffer);
    g_free(device.image_list);
    return device.gone && !device.over ? MK_NEXT_GONE : device.next;
}
