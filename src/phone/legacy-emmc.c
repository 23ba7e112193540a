/* Reading, writing and erasing an eMMC: 60, D6, 62, 61, D4 (spec da-legacy.md 9.3 to 9.7, agents.md). */
#include "phone/legacy-device.h"
#include "phone/unsparse.h"

#include <string.h>

#define SECTOR       512
#define IMAGE_PACKET 0x100000u
#define FILL_BLOCK   0x10000u

/* --- addresses ------------------------------------------------------------------------------------------------------------------------ */

static const MkRegion linear_order[] = {MK_REGION_BOOT1, MK_REGION_BOOT2, MK_REGION_RPMB, MK_REGION_USER};

bool mk_device_piece(const MkDevice *device, uint64_t address, uint64_t length, MkPiece *piece)
{
    if (device->addressing == MK_ADDRESS_REGION) {
        uint64_t size = mk_chip_size(device->chip, device->part);
        *piece = (MkPiece){.region = device->part, .offset = address, .length = length};
        return address < size && length <= size - address;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(linear_order); i++) {
        uint64_t size = mk_chip_size(device->chip, linear_order[i]);
        if (address < size) {
            *piece = (MkPiece){.region = linear_order[i], .offset = address, .length = MIN(length, size - address)};
            return true;
        }
        address -= size;
    }
    return false;
}

bool mk_device_in_range(const MkDevice *device, uint64_t address, uint64_t length)
{
    uint64_t size = 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(linear_order); i++)
        size += mk_chip_size(device->chip, linear_order[i]);
    if (device->addressing == MK_ADDRESS_REGION)
        size = mk_chip_size(device->chip, device->part);
    return length > 0 && address < size && length <= size - address;
}

MkChipResult mk_device_load(MkDevice *device, uint64_t address, uint8_t *data, size_t length)
{
    MkChipResult result = MK_CHIP_OK;
    for (size_t done = 0; done < length && result == MK_CHIP_OK;) {
        MkPiece piece;
        if (!mk_device_piece(device, address + done, length - done, &piece))
            return MK_CHIP_RANGE;
        result = mk_chip_read(device->chip, piece.region, piece.offset, data + done, (size_t)piece.length);
        done += (size_t)piece.length;
    }
    return result;
}

/* Data that fall into RPMB are dropped in silence (spec agents.md legacy 2). */
MkChipResult mk_device_store(MkDevice *device, uint64_t address, const uint8_t *data, size_t length)
{
    MkChipResult result = MK_CHIP_OK;
    for (size_t done = 0; done < length && result == MK_CHIP_OK;) {
        MkPiece piece;
        if (!mk_device_piece(device, address + done, length - done, &piece))
            return MK_CHIP_RANGE;
        if (piece.region != MK_REGION_RPMB)
            result = mk_chip_write(device->chip, piece.region, piece.offset, data + done, (size_t)piece.length);
        done += (size_t)piece.length;
    }
    return result;
}

static MkChipResult wipe(MkDevice *device, uint64_t address, uint64_t length)
{
    MkChipResult result = MK_CHIP_OK;
    for (uint64_t done = 0; done < length && result == MK_CHIP_OK;) {
        MkPiece piece;
        if (!mk_device_piece(device, address + done, length - done, &piece))
            return MK_CHIP_RANGE;
        if (piece.region != MK_REGION_RPMB)
            result = mk_chip_erase(device->chip, piece.region, piece.offset, piece.length);
        done += piece.length;
    }
    return result;
}

static const MkRegion parts[] = {MK_REGION_NONE, MK_REGION_BOOT1, MK_REGION_BOOT2, MK_REGION_RPMB, MK_REGION_GP1,
                                 MK_REGION_GP2,  MK_REGION_GP3,   MK_REGION_GP4,   MK_REGION_USER};

void mk_device_switch_part(MkDevice *device)
{
    mk_device_put8(device, MK_LEGACY_ACK);
    uint8_t part = mk_device_get8(device);
    if (part == 0 || part >= G_N_ELEMENTS(parts) || mk_chip_size(device->chip, parts[part]) == 0 ||
        mk_chip_absent(device->chip)) {
        mk_device_nack(device, MK_LEGACY_S_SDMMC_CONFIG);
        return;
    }
    device->part = parts[part];
    mk_device_put8(device, MK_LEGACY_ACK);
}

/* The part byte of 61 and 62 switches by itself; FF is linear space, whatever the agent counts by. */
static void take_part(MkDevice *device)
{
    uint8_t part = mk_device_get8(device);
    if (part > 0 && part < G_N_ELEMENTS(parts))
        device->part = parts[part];
    else if (part == MK_LEGACY_PART_LINEAR)
        device->addressing = MK_ADDRESS_LINEAR;
}

/* 0: fine. Order of the checks as measured: alignment, then range. */
static uint32_t refuse_address(const MkDevice *device, uint64_t address, uint64_t length)
{
    if (mk_chip_absent(device->chip) || mk_device_is_nand(device))
        return MK_LEGACY_S_SDMMC_NOT_FOUND;
    if (address % SECTOR)
        return MK_LEGACY_S_INVALID_BEGIN;
    return mk_device_in_range(device, address, length) ? 0 : MK_LEGACY_S_INVALID_RANGE;
}

/* Says yes, or no and why. */
static bool admit(MkDevice *device, uint32_t refusal)
{
    if (refusal)
        mk_device_nack(device, refusal);
    else
        mk_device_put8(device, MK_LEGACY_ACK);
    return !refusal;
}

/* --- D6 -------------------------------------------------------------------------------------------------------------------------------- */

/* True: the host wants the next packet. G4 waits for one of the two answers, older releases take anything but 5A as "again". */
static bool packet_is_good(MkDevice *device)
{
    for (;;) {
        uint8_t answer = mk_device_get8(device);
        if (answer == MK_LEGACY_ACK || device->gone)
            return true;
        if (device->release < 4 || answer == MK_LEGACY_NACK)
            return false;
    }
}

static void send_packets(MkDevice *device, uint64_t address, uint64_t length, uint32_t packet)
{
    /* Until 2014 the last packet is filled up to its full length. */
    bool filled = device->release < 3;
    uint8_t *buffer = mk_device_buffer(device, filled ? packet : MIN(packet, length));
    for (uint64_t done = 0; buffer && done < length && !device->gone;) {
        uint32_t piece = (uint32_t)MIN(packet, length - done);
        if (!mk_device_chip(device, mk_device_load(device, address + done, buffer, piece))) {
            mk_device_halt(device, "the storage fails in the middle of a read");
            return;
        }
        uint32_t sent = filled ? packet : piece;
        memset(buffer + piece, 0, sent - piece);
        uint16_t sum = mk_sum16(0, buffer, sent);
        do {
            mk_device_write(device, buffer, sent);
            mk_device_put16(device, sum);
        } while (!packet_is_good(device));
        done += piece;
    }
}

/* What cannot be read is refused before the first packet. */
static bool readable(MkDevice *device, uint64_t address, uint64_t length)
{
    for (uint64_t done = 0; done < length;) {
        MkPiece piece;
        if (!mk_device_piece(device, address + done, length - done, &piece) ||
            mk_chip_would_fail(device->chip, piece.region, piece.offset, piece.length))
            return false;
        done += piece.length;
    }
    return true;
}

void mk_device_read_storage(MkDevice *device)
{
    if (device->release >= 3)
        mk_device_get8(device); /* host system */
    uint8_t storage = mk_device_get8(device);
    uint64_t address = mk_device_get64(device), length = mk_device_get64(device);
    if (device->gone)
        return;
    uint32_t refusal =
        storage == MK_LEGACY_STORAGE_EMMC ? refuse_address(device, address, length) : MK_LEGACY_S_INVALID_STORAGE;
    if (!refusal && !readable(device, address, length))
        refusal = MK_LEGACY_S_SDMMC_READ;
    if (device->gone)
        return;
    if (!admit(device, refusal))
        return;
    uint32_t packet = mk_device_get32(device);
    if (packet == 0)
        mk_device_halt(device, "packets of no length");
    else
        send_packets(device, address, length, packet);
}

/* --- 62 and 61 ---------------------------------------------------------------------------------------------------------------------------- */

bool mk_device_take_packets(MkDevice *device, uint64_t length, uint32_t packet, bool checked, uint16_t *sum,
                            MkPacketSink sink, void *user_data)
{
    uint8_t *buffer = packet ? mk_device_buffer(device, MIN(packet, length)) : NULL;
    for (uint64_t done = 0; buffer && done < length;) {
        uint32_t piece = (uint32_t)MIN(packet, length - done);
        uint8_t go = mk_device_get8(device);
        if (device->gone || go == MK_LEGACY_STOP)
            return false;
        if (go != MK_LEGACY_ACK) {
            mk_device_halt(device, "neither 5A nor 96 before a packet");
            return false;
        }
        mk_device_read(device, buffer, piece);
        uint16_t told = mk_device_get16(device), own = mk_sum16(0, buffer, piece);
        if (device->gone)
            return false;
        if (checked && told != own) {
            mk_device_nack(device, MK_LEGACY_S_DATA_CHECKSUM);
            continue;
        }
        MkChipResult result = sink(device, done, buffer, piece, user_data);
        if (!mk_device_chip(device, result)) {
            if (device->gone)
                return false;
            mk_device_nack(device, mk_device_is_nand(device) ? MK_LEGACY_S_NAND_PROGRAM : MK_LEGACY_S_SDMMC_WRITE);
            continue;
        }
        mk_device_put8(device, MK_LEGACY_CONT);
        *sum = (uint16_t)(*sum + own);
        done += piece;
    }
    if (!buffer && length)
        mk_device_halt(device, "packets of no length");
    return buffer != NULL;
}

typedef struct {
    uint64_t address;
    bool sparse;
    MkUnsparse unsparse;
} Incoming;

static MkChipResult store_expanded(void *device, uint64_t address, const uint8_t *data, size_t length)
{
    return mk_device_store(device, address, data, length);
}

static MkChipResult store_at(MkDevice *device, uint64_t position, const uint8_t *data, size_t length, void *user_data)
{
    Incoming *incoming = user_data;
    if (position == 0) {
        incoming->sparse = mk_unsparse_recognises(data, length);
        mk_unsparse_begin(&incoming->unsparse, incoming->address, store_expanded, device);
    }
    return incoming->sparse ? mk_unsparse_feed(&incoming->unsparse, data, length)
                            : mk_device_store(device, incoming->address + position, data, length);
}

static void write_data(MkDevice *device)
{
    mk_device_phone_info(device);
    bool checked = mk_device_get8(device) != 0;
    take_part(device);
    uint64_t address = mk_device_get64(device), length = mk_device_get64(device);
    uint32_t packet = mk_device_get32(device), refusal = refuse_address(device, address, length);
    uint16_t sum = 0;
    if (device->gone)
        return;
    if (!admit(device, refusal))
        return;
    Incoming incoming = {.address = address};
    mk_device_take_packets(device, length, packet, checked, &sum, store_at, &incoming);
}

static void write_image(MkDevice *device)
{
    mk_device_phone_info(device);
    bool checked = mk_device_get8(device) != 0;
    take_part(device);
    uint64_t address = mk_device_get64(device), length = mk_device_get64(device);
    mk_device_get16(device); /* image number, first and last marks */
    uint32_t refusal = refuse_address(device, address, length);
    uint16_t sum = 0;
    if (device->gone)
        return;
    if (device->release >= 2)
        mk_device_put32(device, IMAGE_PACKET);
    if (!admit(device, refusal))
        return;
    Incoming incoming = {.address = address};
    if (!mk_device_take_packets(device, length, IMAGE_PACKET, checked, &sum, store_at, &incoming))
        return;
    if (mk_device_get16(device) == sum) {
        mk_device_put8(device, MK_LEGACY_ACK);
    } else {
        mk_device_put8(device, MK_LEGACY_NACK);
        mk_device_put16(device, sum);
    }
}

/* What 61 and 62 say about addressing counts for them only. */
void mk_device_write_data(MkDevice *device)
{
    MkAddressing addressing = device->addressing;
    write_data(device);
    device->addressing = addressing;
}

void mk_device_write_image(MkDevice *device)
{
    MkAddressing addressing = device->addressing;
    write_image(device);
    device->addressing = addressing;
}

/* --- D4 -------------------------------------------------------------------------------------------------------------------------------------- */

static uint8_t report_progress(MkDevice *device, uint32_t status, uint64_t done, uint64_t length)
{
    mk_device_put32(device, status);
    mk_device_put8(device, (uint8_t)(done * 100 / length));
    return mk_device_get8(device);
}

static void report_failure(MkDevice *device, uint64_t address)
{
    mk_device_put32(device, mk_device_status(device, MK_LEGACY_S_SDMMC_WRITE));
    mk_device_put64(device, address);
    mk_device_put8(device, MK_LEGACY_STOP);
}

/* Cards that cannot erase are overwritten with FF, with progress; false: it failed and said so. */
static bool fill_range(MkDevice *device, uint64_t address, uint64_t length)
{
    uint8_t *buffer = mk_device_buffer(device, FILL_BLOCK);
    unsigned shown = 0;
    memset(buffer, 0xFF, FILL_BLOCK);
    for (uint64_t done = 0; done < length && !device->gone;) {
        size_t piece = (size_t)MIN(FILL_BLOCK, length - done);
        if (!mk_device_chip(device, mk_device_store(device, address + done, buffer, piece))) {
            report_failure(device, address + done);
            return false;
        }
        done += piece;
        unsigned percent = (unsigned)(done * 100 / length);
        if (done < length && percent > shown)
            report_progress(device, mk_device_status(device, MK_LEGACY_S_IN_PROGRESS), done, length);
        shown = percent;
    }
    return true;
}

static bool format_emmc(MkDevice *device, uint64_t address, uint64_t length)
{
    if (!device->model->emmc_can_erase && !fill_range(device, address, length))
        return false;
    if (device->model->emmc_can_erase && !mk_device_chip(device, wipe(device, address, length))) {
        report_failure(device, address);
        return false;
    }
    report_progress(device, 0, length, length);
    mk_device_put8(device, MK_LEGACY_ACK); /* no statistics */
    return true;
}

void mk_device_format(MkDevice *device)
{
    uint8_t head[4], address_type;
    mk_device_take(device, head, 3);
    mk_device_phone_info(device);
    address_type = mk_device_get8(device);
    uint64_t begin = mk_device_get64(device), length = mk_device_get64(device);
    bool nand = head[0] == MK_LEGACY_STORAGE_NAND;
    if (device->gone)
        return;
    if (nand && mk_device_is_nand(device) && !mk_chip_absent(device->chip)) {
        mk_device_nand_format(device, head[1], address_type == 1, begin, length);
        return;
    }
    /* The last 5A comes after every outcome (spec agents.md legacy 8). */
    uint32_t refusal = head[0] == MK_LEGACY_STORAGE_EMMC    ? refuse_address(device, begin, length)
                       : nand                               ? MK_LEGACY_S_NAND_NOT_FOUND
                       : head[0] == MK_LEGACY_STORAGE_SDMMC ? MK_LEGACY_S_SDMMC_NOT_FOUND
                                                            : MK_LEGACY_S_NOR_NOT_FOUND;
    if (refusal == MK_LEGACY_S_INVALID_RANGE)
        mk_device_put8(device, MK_LEGACY_ACK);
    if (refusal) {
        mk_device_nack(device, refusal);
    } else {
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put8(device, MK_LEGACY_ACK);
        format_emmc(device, begin, length);
    }
    mk_device_put8(device, MK_LEGACY_ACK);
}
