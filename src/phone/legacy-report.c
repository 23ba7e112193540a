/* What the agent tells by itself: early report, DRAM block, the report; and E8 (spec da-legacy.md 3.2, 5, 7). */
#include "phone/legacy-device.h"

#include <string.h>

static const struct {
    uint16_t chip;
    uint8_t number;
} bbchips[] = {{0x6573, 131}, {0x6575, 132}, {0x6577, 133}, {0x6583, 134}, {0x6582, 135}, {0x6572, 136},
               {0x8135, 137}, {0x6592, 138}, {0x6571, 139}, {0x6595, 140}, {0x8127, 141}, {0x8173, 142},
               {0x6752, 143}, {0x8590, 145}, {0x6795, 154}, {0x6735, 155}, {0x6580, 156}, {0x8163, 161}};

uint8_t mk_device_bbchip(const MkDevice *device)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(bbchips); i++) {
        if (bbchips[i].chip == device->da_chip)
            return bbchips[i].number;
    }
    return 0xFF;
}

static bool has_emmc(const MkDevice *device)
{
    return !mk_device_is_nand(device) && !mk_chip_absent(device->chip);
}

static bool has_nand(const MkDevice *device)
{
    /* The single-stage agents know the chips of the host's table only (spec da-legacy.md 4). */
    return mk_device_is_nand(device) && !mk_chip_absent(device->chip) && !device->nand_unknown;
}

static uint32_t emmc_status(const MkDevice *device)
{
    return has_emmc(device) ? 0 : mk_device_status(device, 3144);
}

static uint32_t nand_status(const MkDevice *device)
{
    return has_nand(device) ? 0 : mk_device_status(device, 3008);
}

static unsigned nand_id_count(const MkDevice *device)
{
    uint16_t chip = device->da_chip;
    bool seven = chip == 0x6571 || chip == 0x6580 || chip == 0x8127 || chip == 0x8163 ||
                 (chip == 0x6592 && device->release >= 4);
    return seven && device->release >= 3 ? 7 : 5;
}

/* Ids as a block, little-endian on the chips that send their memory as it is. */
static void put_nand_ids(MkDevice *device, bool raw)
{
    for (unsigned i = 0; i < nand_id_count(device); i++) {
        uint16_t id = has_nand(device) && i < G_N_ELEMENTS(device->model->nand_ids) ? device->model->nand_ids[i] : 0;
        mk_device_put16(device, raw ? (uint16_t)(id << 8 | id >> 8) : id);
    }
}

static bool sends_raw(const MkDevice *device)
{
    return device->da_chip == 0x6583 || device->da_chip == 0x8135;
}

void mk_device_early_report(MkDevice *device)
{
    mk_device_put32(device, nand_status(device));
    if (device->release >= 3 && !sends_raw(device))
        mk_device_put16(device, (uint16_t)nand_id_count(device));
    put_nand_ids(device, sends_raw(device));
    mk_device_put32(device, emmc_status(device));
    for (unsigned i = 0; i < 4; i++)
        mk_device_put32(device, has_emmc(device) ? mk_be32(device->model->cid + 4 * i) : 0);
}

/* The same words as they lie in memory: little-endian (spec agents.md legacy 11). */
static void put_cid_swapped(MkDevice *device)
{
    for (unsigned i = 0; i < 4; i++)
        mk_device_put32(device, has_emmc(device) ? mk_le32(device->model->cid + 4 * i) : 0);
}

void mk_device_dram_block(MkDevice *device)
{
    mk_device_put32(device, emmc_status(device));
    put_cid_swapped(device);
    mk_device_put32(device, nand_status(device));
    if (device->release >= 3)
        mk_device_put16(device, (uint16_t)nand_id_count(device));
    put_nand_ids(device, sends_raw(device));
}

/* --- E8 ----------------------------------------------------------------------------------------------------------------------------- */

/* Records by version: their length, and where in them the id of the memory stands (spec preloader-file.md 4.3). */
typedef struct {
    uint8_t version, length, id_at;
} EmiRecord;

static const EmiRecord *emi_record(uint32_t version)
{
    static const EmiRecord records[] = {{8, 136, 4},   {10, 184, 16}, {11, 168, 4},  {12, 188, 16},
                                        {13, 188, 16}, {14, 168, 4},  {15, 176, 16}, {17, 176, 16},
                                        {20, 188, 16}, {21, 188, 16}, {0, 0, 0}};
    const EmiRecord *record = records;
    while (record->version && record->version != version)
        record++;
    return record;
}

/* Do the settings name the memory on this board, or none, as those for discrete DRAM do? */
static bool fits_board(const MkDevice *device, const uint8_t *emi, size_t length)
{
    const EmiRecord *record = emi_record(device->model->emi_version);
    uint8_t ids[4], zero;
    const uint8_t *wanted = device->model->cid;
    size_t size = 9;
    if (mk_device_is_nand(device)) {
        for (unsigned i = 0; i < sizeof ids; i++)
            ids[i] = (uint8_t)device->model->nand_ids[i + (i > 0)];
        wanted = ids;
        size = sizeof ids;
    }
    for (size_t at = record->id_at; record->length && at + size <= length; at += record->length) {
        if (memcmp(emi + at, wanted, size) == 0 || (mk_is_uniform(emi + at, size, &zero) && zero == 0))
            return true;
    }
    return false;
}

static bool takes_all(uint32_t version)
{
    return version == 0x0F || version == 0x10 || version == 0x11 || version == 0x14 || version == 0x15;
}

/* Settings arrive and are checked; false: refused by one of the two. */
static bool take_settings(MkDevice *device, uint32_t version, bool *fits)
{
    static const uint8_t info[16] = "EMI INFO";
    uint32_t record = emi_record(version)->length;
    if (version == 0x0A || version == 0x0B)
        mk_device_write(device, info, sizeof info);
    mk_device_put32(device, record);
    if (mk_device_get8(device) != MK_LEGACY_ACK)
        return false;
    uint32_t length = takes_all(version) && device->da_chip != 0x8127 ? mk_device_get32(device) : record;
    uint8_t *emi = mk_device_buffer(device, length);
    if (!emi || length == 0) {
        mk_device_halt(device, "DRAM settings that cannot be");
        return false;
    }
    mk_device_read(device, emi, length);
    mk_device_put16(device, mk_sum16(0, emi, length));
    *fits = fits_board(device, emi, length);
    return mk_device_get8(device) == MK_LEGACY_ACK;
}

void mk_device_eye_scan(MkDevice *device)
{
    for (unsigned i = 0; device->da_chip == 0x6592 && i < 5; i++)
        mk_device_put32(device, 0);
}

/* After the byte E8. */
void mk_device_enable_dram(MkDevice *device)
{
    uint32_t version = mk_device_get32(device);
    bool fits = false;
    if (version != MK_LEGACY_EMI_DEFAULT && version != device->model->emi_version) {
        mk_device_put8(device, MK_LEGACY_NACK);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    if (version != MK_LEGACY_EMI_DEFAULT && !take_settings(device, version, &fits))
        return;
    mk_device_get32(device); /* apply */
    if (device->gone || device->over)
        return;
    if (!fits) {
        mk_device_put32(device, 3002);
        return;
    }
    device->machine->dram_up = true;
    mk_device_put32(device, 0);
    mk_device_put8(device, 2);
    mk_device_put8(device, 0);
    mk_device_put_wide(device, device->model->dram_size);
    mk_device_eye_scan(device);
}

/* --- the report ---------------------------------------------------------------------------------------------------------------------- */

static void report_nor(MkDevice *device)
{
    mk_device_put32(device, mk_device_status(device, MK_LEGACY_S_NOR_NOT_FOUND));
    mk_device_put8(device, 0);
    mk_device_put8(device, 8);
    mk_device_put16(device, 0xFFFF);
    mk_device_put32(device, 0);
    for (unsigned i = 0; i < 4; i++)
        mk_device_put16(device, 0);
    mk_device_put32(device, 0);
    mk_device_put32(device, 0);
}

static bool wide_nand_size(const MkDevice *device)
{
    static const uint16_t narrow[] = {0x6572, 0x6573, 0x6575, 0x6577, 0x6582, 0x6583, 0x6592, 0x8135};
    if (device->release < 3)
        return device->da_chip == 0x6571 && device->release == 2;
    for (unsigned i = 0; i < G_N_ELEMENTS(narrow); i++) {
        if (narrow[i] == device->da_chip)
            return false;
    }
    return true;
}

static void report_nand(MkDevice *device)
{
    const MkGeometry *geometry = &device->model->geometry;
    bool found = has_nand(device);
    mk_device_put32(device, found ? 0 : mk_device_status(device, MK_LEGACY_S_NAND_NOT_FOUND));
    mk_device_put8(device, 0);
    mk_device_put16(device, found ? 0x0100 : 0xFFFF);
    if (wide_nand_size(device))
        mk_device_put64(device, found ? geometry->nand_size : 0);
    else
        mk_device_put32(device, found ? (uint32_t)geometry->nand_size : 0);
    if (device->release >= 3)
        mk_device_put16(device, (uint16_t)nand_id_count(device));
    put_nand_ids(device, false);
    mk_device_put16(device, found ? (uint16_t)geometry->nand_page : 0);
    mk_device_put16(device, found ? (uint16_t)geometry->nand_spare : 0);
    mk_device_put16(device, found ? (uint16_t)(geometry->nand_block / geometry->nand_page) : 0);
    mk_device_put8(device, 0);
    mk_device_put8(device, found ? 5 : 0);
    mk_device_put8(device, found);
}

static void report_emmc(MkDevice *device)
{
    const MkGeometry *geometry = &device->model->geometry;
    bool found = has_emmc(device);
    const uint64_t sizes[] = {geometry->boot1, geometry->boot2, geometry->rpmb, 0, 0, 0, 0};
    mk_device_put32(device, emmc_status(device));
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++)
        mk_device_put_wide(device, found ? sizes[i] : 0);
    mk_device_put64(device, found ? geometry->user : 0);
    put_cid_swapped(device);
    for (unsigned i = 0; device->release >= 1 && i < 8; i++)
        mk_device_put8(device, found && i == 0 ? 0x20 : 0);
}

static void report_ram(MkDevice *device)
{
    bool up = device->machine->dram_up;
    mk_device_put32(device, 0);
    mk_device_put32(device, (uint32_t)device->model->sram_size);
    mk_device_put32(device, up ? 0 : mk_device_status(device, MK_LEGACY_S_RAM_ERROR));
    mk_device_put8(device, up ? 2 : 0);
    mk_device_put8(device, 0);
    mk_device_put_wide(device, up ? device->model->dram_size : 0);
}

void mk_device_report(MkDevice *device)
{
    uint16_t chip = device->da_chip;
    report_nor(device);
    report_nand(device);
    report_emmc(device);
    mk_device_put32(device, mk_device_status(device, MK_LEGACY_S_SDMMC_NOT_FOUND));
    mk_device_put64(device, 0);
    for (unsigned i = 0; i < 4; i++)
        mk_device_put32(device, 0);
    report_ram(device);
    mk_device_write(device, device->model->chip_id, 16);
    if (device->release >= 3 && (chip == 0x8127 || chip == 0x8163 || chip == 0x8590 || chip == 0x8521))
        mk_device_put32(device, device->model->geometry.pool_blocks);
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put32(device, mk_device_status(device, MK_LEGACY_S_BLANK_FLASH));
    mk_device_put32(device, mk_device_is_nand(device) ? MK_LEGACY_S_NAND_BOOT : MK_LEGACY_S_EMMC_BOOT);
    mk_device_put8(device, MK_LEGACY_SOC_OK);
}
