/* Reading, writing and erasing by address (spec da-xflash.md 10, 12, 13). */
#include "core/hash.h"
#include "phone/xflash-device.h"

#include <string.h>

/* --- where ---------------------------------------------------------------------------------------------------------------------- */

bool mk_xflash_has_storage(const MkXflash *x)
{
    return !mk_chip_absent(x->chip) && x->model->geometry.storage != MK_STORAGE_NAND;
}

static const MkRegion emmc_sections[] = {
    [MK_XFLASH_EMMC_BOOT1] = MK_REGION_BOOT1,      [MK_XFLASH_EMMC_BOOT2] = MK_REGION_BOOT2,
    [MK_XFLASH_EMMC_RPMB] = MK_REGION_RPMB,        [MK_XFLASH_EMMC_GP1] = MK_REGION_GP1,
    [MK_XFLASH_EMMC_GP2] = MK_REGION_GP2,          [MK_XFLASH_EMMC_GP3] = MK_REGION_GP3,
    [MK_XFLASH_EMMC_GP4] = MK_REGION_GP4,          [MK_XFLASH_EMMC_USER] = MK_REGION_USER,
    [MK_XFLASH_EMMC_BOOT1_BOOT2] = MK_REGION_BOOT1};
static const MkRegion ufs_sections[] = {[MK_XFLASH_UFS_LU0] = MK_REGION_LU0,
                                        [MK_XFLASH_UFS_LU1] = MK_REGION_LU1,
                                        [MK_XFLASH_UFS_LU2] = MK_REGION_LU2,
                                        [MK_XFLASH_UFS_LU0_LU1] = MK_REGION_LU0};

static bool find_section(const MkXflash *x, uint32_t section, MkXflashRange *range)
{
    bool ufs = x->model->geometry.storage == MK_STORAGE_UFS;
    const MkRegion *list = ufs ? ufs_sections : emmc_sections;
    size_t count = ufs ? G_N_ELEMENTS(ufs_sections) : G_N_ELEMENTS(emmc_sections);
    if (section == 0 || section >= count || list[section] == MK_REGION_NONE)
        return false;
    range->region = list[section];
    range->twin = ufs && section == MK_XFLASH_UFS_LU0_LU1         ? MK_REGION_LU1
                  : !ufs && section == MK_XFLASH_EMMC_BOOT1_BOOT2 ? MK_REGION_BOOT2
                                                                  : MK_REGION_NONE;
    return true;
}

/* Storage, then section, then range: the order of the checks in which all three are known to come. */
static uint32_t judge_range(const MkXflash *x, const uint8_t *block, MkXflashRange *range)
{
    uint32_t storage = mk_le32(block);
    uint32_t present = x->model->geometry.storage == MK_STORAGE_UFS ? MK_XFLASH_STORAGE_UFS : MK_XFLASH_STORAGE_EMMC;
    range->offset = mk_le64(block + 8);
    range->length = mk_le64(block + 16);
    if (storage != present || !mk_xflash_has_storage(x))
        return MK_XFLASH_S_STORAGE_MISMATCH;
    if (!find_section(x, mk_le32(block + 4), range))
        return MK_XFLASH_S_UNKNOWN_SECTION;
    uint64_t size = mk_chip_size(x->chip, range->region);
    return range->offset > size || range->length > size - range->offset ? MK_XFLASH_S_RANGE : 0;
}

/* The parameter of a command by address. False: the command is over, `gone` or refused. */
static bool take_range(MkXflash *x, MkXflashRange *range)
{
    uint8_t block[MK_XFLASH_RANGE_SIZE] = {0};
    size_t size = x->year == MK_XFLASH_2015 ? MK_XFLASH_RANGE_SIZE_2015 : MK_XFLASH_RANGE_SIZE;
    *range = (MkXflashRange){.region = MK_REGION_NONE};
    uint32_t status = mk_xflash_take_exactly(x, block, size) ? judge_range(x, block, range) : x->broken;
    if (status)
        mk_xflash_status(x, status);
    return !status && !x->gone;
}

/* --- what the storage says --------------------------------------------------------------------------------------------------- */

uint32_t mk_xflash_chip_status(MkXflash *x, MkChipResult result, const char *doing, uint64_t offset)
{
    x->gone |= result == MK_CHIP_GONE;
    if (result == MK_CHIP_OK)
        return 0;
    x->error_text = doing;
    x->error_sector = offset / x->model->geometry.sector;
    return x->model->geometry.storage == MK_STORAGE_UFS ? MK_XFLASH_S_UFS : MK_XFLASH_S_MMC;
}

/* The status that is injected for this packet, 0: none. */
static uint32_t injected(MkXflash *x)
{
    MkMachine *machine = x->machine;
    if (!machine->packet_fault || --machine->packet_fault)
        return 0;
    return machine->packet_status;
}

/* --- to the host ------------------------------------------------------------------------------------------------------------- */

static uint32_t load(MkXflash *x, const MkXflashRange *range, uint64_t at, uint8_t *data, size_t length)
{
    return mk_xflash_chip_status(x, mk_chip_read(x->chip, range->region, range->offset + at, data, length), "read",
                                 range->offset + at);
}

/* The agent reads one packet ahead: an error overtakes the good packet before it (vector 24). */
static uint32_t error_ahead(MkXflash *x, const MkXflashRange *range, uint64_t at, uint32_t packet)
{
    if (at >= range->length)
        return 0;
    uint64_t offset = range->offset + at, length = MIN(packet, range->length - at);
    bool fails = mk_chip_would_fail(x->chip, range->region, offset, length);
    return fails ? mk_xflash_chip_status(x, MK_CHIP_FAILED, "read", offset) : 0;
}

/* The agents of 2015 wait for the host between status and data, too (spec hosts.md). 0, or what ends the command. */
static uint32_t send_packet(MkXflash *x, const uint8_t *data, size_t length)
{
    uint32_t answer = 0;
    mk_xflash_status(x, 0);
    if (x->year == MK_XFLASH_2015 && !mk_xflash_take32(x, &answer))
        return x->broken;
    if (answer)
        return answer;
    mk_xflash_put(x, data, length);
    return mk_xflash_take32(x, &answer) ? answer : x->broken;
}

void mk_xflash_send_range(MkXflash *x, const MkXflashRange *range)
{
    uint32_t packet = mk_xflash_read_packet(x);
    uint8_t *buffer = mk_xflash_buffer(x, packet);
    for (uint64_t done = 0; done < range->length && !x->gone;) {
        size_t piece = (size_t)MIN(packet, range->length - done);
        uint32_t status = injected(x);
        status = status ? status : load(x, range, done, buffer, piece);
        uint32_t ahead = status ? 0 : error_ahead(x, range, done + piece, packet);
        if (ahead)
            mk_xflash_status(x, ahead);
        if (!status && !ahead)
            status = send_packet(x, buffer, piece);
        if (status || ahead) {
            mk_xflash_status(x, status ? status : ahead);
            return;
        }
        done += piece;
    }
    mk_xflash_status(x, 0);
}

void mk_xflash_read_data(MkXflash *x)
{
    MkXflashRange range;
    if (!take_range(x, &range))
        return;
    mk_xflash_status(x, 0);
    mk_xflash_send_range(x, &range);
}

/* --- from the host ------------------------------------------------------------------------------------------------------------ */

uint32_t mk_xflash_store(MkXflash *x, const MkXflashRange *range, uint64_t position, const uint8_t *data, size_t length)
{
    uint64_t offset = range->offset + position;
    if (position > range->length || length > range->length - position)
        return MK_XFLASH_S_TOO_LARGE;
    MkChipResult result = mk_chip_write(x->chip, range->region, offset, data, length);
    if (result == MK_CHIP_OK && range->twin != MK_REGION_NONE)
        result = mk_chip_write(x->chip, range->twin, offset, data, length);
    return mk_xflash_chip_status(x, result, "write", offset);
}

/* Host status, checksum, data into `buffer`. 0, or what the packet's status is; *CANCELLED: the host wants no more. */
static uint32_t take_packet(MkXflash *x, uint64_t left, size_t *length, bool *cancelled)
{
    uint32_t host, sum;
    if (!mk_xflash_take32(x, &host))
        return x->broken;
    *cancelled = host != 0;
    if (host)
        return host;
    if (!mk_xflash_take32(x, &sum) || !mk_xflash_take_blob(x, mk_xflash_write_packet(x), length))
        return x->broken;
    if (*length > left)
        return MK_XFLASH_S_TOO_LARGE;
    bool wrong = (x->checksum & MK_XFLASH_CHECKSUM_USB) && (sum & 0xFFFF) != mk_sum16(0, x->buffer, *length);
    return wrong ? MK_XFLASH_S_CHECKSUM : injected(x);
}

/* What is written behind the host's back fails late: the packet after the next one, or the final status, says so (vector 24). */
void mk_xflash_take_packets(MkXflash *x, uint64_t length, MkXflashSink sink,
                            uint32_t (*finish)(MkXflash *x, void *user_data), void *user_data)
{
    uint32_t failed = 0;
    unsigned since = 0; /* packets since it failed */
    for (uint64_t done = 0; done < length && !x->gone;) {
        size_t piece = 0;
        bool cancelled = false;
        uint32_t status = take_packet(x, length - done, &piece, &cancelled);
        if (x->gone)
            return;
        if (!status && !failed)
            failed = sink(x, done, x->buffer, piece, user_data);
        else
            since += failed != 0;
        if (!status && since >= 2)
            status = failed;
        if (!cancelled)
            mk_xflash_status(x, status);
        if (status) {
            mk_xflash_status(x, status);
            return;
        }
        done += piece;
    }
    if (!failed && finish && !x->gone)
        failed = finish(x, user_data);
    mk_xflash_status(x, failed);
}

static uint32_t store_data(MkXflash *x, uint64_t position, const uint8_t *data, size_t length, void *range)
{
    return mk_xflash_store(x, range, position, data, length);
}

/* RPMB is written with its key only, and nothing in the user area without a partition table (spec agents.md XFlash 3). */
static uint32_t judge_writing(MkXflash *x, const MkXflashRange *range)
{
    if (range->region == MK_REGION_RPMB)
        return MK_XFLASH_S_UNSUPPORTED_OPERATION;
    if (range->region != mk_geometry_main_region(&x->model->geometry))
        return 0;
    g_autoptr(MkLayout) table = mk_xflash_table(x);
    return table ? 0 : MK_XFLASH_S_READ_TABLE_FAILED;
}

void mk_xflash_write_data(MkXflash *x)
{
    MkXflashRange range;
    if (!take_range(x, &range))
        return;
    uint32_t status = judge_writing(x, &range);
    mk_xflash_status(x, status);
    if (!status)
        mk_xflash_take_packets(x, range.length, store_data, NULL, &range);
}

/* --- SRAM_WRITE_TEST -------------------------------------------------------------------------------------------------------------- */

/* The frames of WRITE_DATA before there is DRAM; phones with secure boot refuse it before they have seen its parameter (spec 13.7). */
void mk_xflash_sram_write_test(MkXflash *x)
{
    uint32_t refusal = x->model->target_config & 1 ? MK_XFLASH_S_WRITE_NOT_ALLOWED : 0;
    mk_xflash_status(x, refusal);
    if (!refusal)
        mk_xflash_write_data(x);
}

/* --- FORMAT -------------------------------------------------------------------------------------------------------------------------- */

static uint32_t erase(MkXflash *x, const MkXflashRange *range)
{
    MkChipResult result = mk_chip_erase(x->chip, range->region, range->offset, range->length);
    if (result == MK_CHIP_OK && range->twin != MK_REGION_NONE)
        result = mk_chip_erase(x->chip, range->twin, range->offset, range->length);
    return mk_xflash_chip_status(x, result, "erase", range->offset);
}

/* These storages report once (spec 13.3). */
void mk_xflash_erase_range(MkXflash *x, const MkXflashRange *range)
{
    uint32_t status = erase(x, range), answer;
    if (x->gone)
        return;
    if (status) {
        mk_xflash_status(x, status);
        return;
    }
    mk_xflash_status(x, MK_XFLASH_S_CONTINUE);
    mk_xflash_put32(x, 100);
    if (!mk_xflash_take32(x, &answer))
        mk_xflash_status(x, x->broken);
    else
        mk_xflash_status(x, answer ? MK_XFLASH_S_ABORT : MK_XFLASH_S_COMPLETE);
}

void mk_xflash_format(MkXflash *x)
{
    MkXflashRange range;
    if (!take_range(x, &range))
        return;
    uint32_t status = range.region == MK_REGION_RPMB ? MK_XFLASH_S_FORMAT_NOT_ALLOWED : 0;
    mk_xflash_status(x, status);
    if (!status)
        mk_xflash_erase_range(x, &range);
}
