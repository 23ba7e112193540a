/* Opening a legacy agent: from the jump into stage 1 to the command loop (spec da-legacy.md 3 to 7). */
#include "agent/legacy.h"

#include "core/i18n.h"

#include <string.h>

#define SYNC_TIMEOUT   5000 /* ms, spec 3.1 */
#define SYNC_LIMIT     4096 /* bytes of noise before the sync byte */
#define COUNT_POLL     200  /* ms for the bytes by which an early report with an id count is longer */
#define SMALL_PACKET   0x10000u
#define STAGE2_HELLO   0x78 /* some builds say this before the 5A (spec 5.3 step 7) */
#define UNKNOWN_BBCHIP 0xFF

/* What opening learns step by step. */
typedef struct {
    MkLegacy *legacy;
    const MkAgentSetup *setup;
    MkProgress *progress;
    bool two_stage;
    bool has_cid;
    uint8_t cid[16]; /* manufacturer first */
    uint8_t version[3];
} Opening;

static bool wants_nand_table(const Opening *opening)
{
    return LEGACY_CHIP_IN(opening->legacy->chip, 0x6573, 0x6575, 0x6577);
}

static bool await_sync(MkLegacy *legacy, GError **error)
{
    uint8_t byte = 0;
    for (unsigned i = 0; i < SYNC_LIMIT; i++) {
        if (!legacy_get8(legacy, &byte, SYNC_TIMEOUT, error))
            return false;
        if (byte == MK_LEGACY_SYNC)
            return true;
    }
    return legacy_unexpected(legacy, byte, _("waiting for the agent's first word"), error);
}

/* The early report (spec 3.2 step 2). Whether an id count stands before the ids depends on the release; the label is believed until
 * the bytes speak against it. FIRST is the byte already read. */
static bool read_early_report(Opening *opening, uint8_t first, GError **error)
{
    MkLegacy *legacy = opening->legacy;
    uint8_t bytes[64] = {first};
    if (legacy->release < MK_RELEASE_G2)
        legacy->release = MK_RELEASE_G2;
    if (!legacy_read(legacy, bytes + 1, 5, LEGACY_TIMEOUT, error))
        return false;
    uint16_t count = mk_be16(bytes + 4);
    bool can_count = opening->two_stage && count >= 1 && count <= 8;
    bool counted = can_count && legacy->release >= MK_RELEASE_G3;
    size_t without = 4 + 2 * 5 + 20, with = 4 + 2 + 2u * count + 20, length = counted ? with : without;
    if (!legacy_read(legacy, bytes + 6, length - 6, LEGACY_TIMEOUT, error))
        return false;
    if (can_count && !counted && with > without) {
        size_t got;
        if (mk_link_read_some(legacy->base.link, bytes + without, 1, &got, COUNT_POLL, legacy->cancel, NULL)) {
            if (!legacy_read(legacy, bytes + without + 1, with - without - 1, LEGACY_TIMEOUT, error))
                return false;
            counted = true;
        }
    }
    if (opening->two_stage && counted != (legacy->release >= MK_RELEASE_G3))
        legacy->release = counted ? MK_RELEASE_G3 : MK_RELEASE_G2;
    const uint8_t *emmc = bytes + (counted ? with : without) - 20;
    opening->has_cid = mk_be32(emmc) == 0;
    memcpy(opening->cid, emmc + 4, sizeof opening->cid);
    if (mk_be16(bytes) || mk_be16(emmc)) {
        legacy->base.lost = true;
        mk_fault_set(error, MK_FAULT_DA_VER, _("The agent's first report does not read as any known release's."));
        return false;
    }
    return legacy_put8(legacy, MK_LEGACY_ACK, error);
}

/* Up to the version bytes. A status begins with 00, a version with 03 or 04: so the first byte tells whether there is an early
 * report. */
static bool read_versions(Opening *opening, GError **error)
{
    MkLegacy *legacy = opening->legacy;
    uint8_t *version = opening->version;
    if (!legacy_get8(legacy, &version[0], LEGACY_TIMEOUT, error))
        return false;
    if (version[0] == 0) {
        if (!read_early_report(opening, version[0], error) || !legacy_get8(legacy, &version[0], LEGACY_TIMEOUT, error))
            return false;
    } else if (opening->two_stage && legacy->release >= MK_RELEASE_G2) {
        legacy->release = MK_RELEASE_G1;
    }
    if (version[0] != 3 && version[0] != 4)
        return legacy_unexpected(legacy, version[0], _("asking for the agent's version"), error);
    if (!legacy_read(legacy, version + 1, 2, LEGACY_TIMEOUT, error))
        return false;
    if (version[2] == UNKNOWN_BBCHIP) {
        legacy->base.lost = true;
        mk_fault_set_number(error, MK_FAULT_DA_CHIP, mk_legacy_status(3082, legacy->numbering_b),
                            "S_DA_UNSUPPORTED_BBCHIP", _("The agent does not know this phone's chip."));
        return false;
    }
    return true;
}

/* One record that says "nothing configured": SLC share of the partition with the name FF (spec 3.2 step 6). */
static void put_slc_block(GByteArray *bytes)
{
    mk_put_be32(bytes, 1);
    mk_put_text(bytes, "FF", 16);
    mk_put_le32(bytes, 0xFF);
}

/* What the host adds for some chips; the agent reads it only from a certain release on (spec 3.2 step 6). "New combo" stays 0 as
 * with the genuine host: PMT writing fails at 1 (spec agents.md, legacy 2). */
static void put_chip_trailer(const Opening *opening, GByteArray *bytes)
{
    const MkLegacy *legacy = opening->legacy;
    switch (legacy->chip) {
    case 0x6583:
        if (legacy->release >= MK_RELEASE_G1)
            mk_put_be32(bytes, !opening->setup->from_preloader && opening->setup->emi);
        break;
    case 0x6571:
    case 0x6582:
        if (legacy->release >= MK_RELEASE_G3)
            mk_put_be32(bytes, 0);
        break;
    case 0x6592:
        if (legacy->release >= MK_RELEASE_G4)
            mk_put_be32(bytes, 0);
        break;
    case 0x8127:
        if (legacy->release >= MK_RELEASE_G4) {
            mk_put_be32(bytes, 0);
            put_slc_block(bytes);
        }
        break;
    case 0x6580:
    case 0x8163:
        if (legacy->release >= MK_RELEASE_G4)
            put_slc_block(bytes);
        break;
    default: break;
    }
}

/* Spec 3.2 step 5. */
static bool send_configuration(const Opening *opening, GError **error)
{
    const MkAgentSetup *setup = opening->setup;
    MkLegacy *legacy = opening->legacy;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    mk_put_u8(bytes, setup->brom_version);
    mk_put_u8(bytes, setup->bl_version);
    mk_put_be16(bytes, 0x0008);     /* NOR chip selects */
    mk_put_u8(bytes, 0);            /* NAND chip select */
    mk_put_be32(bytes, 0x7007FFFF); /* NAND access control */
    if (legacy->release == MK_RELEASE_G1)
        mk_put_be32(bytes, setup->pool_blocks);
    if (legacy->release >= MK_RELEASE_G2) {
        mk_put_u8(bytes, 1);
        mk_put_be32(bytes, setup->pool_blocks * setup->pool_block_size);
        mk_put_u8(bytes, setup->battery == MK_BATTERY_AUTO ? 2 : setup->battery == MK_BATTERY_WITHOUT);
        mk_put_u8(bytes, 0); /* reset by one key */
    }
    mk_put_u8(bytes, 2); /* 26 MHz */
    if (legacy->release >= MK_RELEASE_G1)
        mk_put_u8(bytes, 0); /* MSDC channel */
    put_chip_trailer(opening, bytes);
    mk_link_note(legacy->base.link, "agent configuration");
    return legacy_write(legacy, bytes->data, bytes->len, error);
}

static bool send_stage2_packets(Opening *opening, const uint8_t *data, size_t length, GError **error)
{
    MkLegacy *legacy = opening->legacy;
    MkProgress *step = mk_progress_add(opening->progress, _("sending the agent"), length);
    for (size_t at = 0;; at += MK_LEGACY_LOAD_PACKET) {
        size_t piece = MIN(length - at, MK_LEGACY_LOAD_PACKET);
        /* A last packet without bytes is acknowledged too (spec 5.3 step 6). */
        if ((piece && !legacy_write(legacy, data + at, piece, error)) ||
            !legacy_expect_ack(legacy, MK_FAULT_DA_VER, _("sending the agent's second part"), LEGACY_TIMEOUT, error))
            return false;
        mk_progress_set(step, at + piece, length);
        if (piece < MK_LEGACY_LOAD_PACKET)
            break;
    }
    mk_progress_done(step);
    return true;
}

static bool send_stage2(Opening *opening, GError **error)
{
    MkLegacy *legacy = opening->legacy;
    const MkAgentSetup *setup = opening->setup;
    unsigned index = mk_agent_entry_stage2(setup->entry);
    g_autoptr(GBytes) stage2 = mk_agent_file_region(setup->file, setup->entry, index);
    gsize length;
    const uint8_t *data = g_bytes_get_data(stage2, &length);
    g_autoptr(GError) problem = NULL;
    uint8_t hello;
    mk_link_note(legacy->base.link, "stage 2");
    if (!legacy_put(legacy, error, "444", setup->entry->regions[index].load_address, (uint32_t)length,
                    MK_LEGACY_LOAD_PACKET) ||
        !legacy_expect_ack(legacy, MK_FAULT_DA_VER, _("announcing the agent's second part"), LEGACY_TIMEOUT, error) ||
        !send_stage2_packets(opening, data, length, error))
        return false;
    bool ok = legacy_get8(legacy, &hello, LEGACY_TIMEOUT, &problem) &&
              (hello != STAGE2_HELLO || legacy_get8(legacy, &hello, LEGACY_TIMEOUT, &problem));
    if (ok)
        return legacy_put8(legacy, MK_LEGACY_ACK, error);
    if (mk_fault_code(problem) == MK_FAULT_SILENT) {
        /* Stage 1 halts in silence when the hash of stage 2 is not the one it carries. */
        mk_fault_set(error, MK_FAULT_DA_VER,
                     _("The agent's second part was sent and did not start: the DA file is probably damaged."));
    } else {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return false;
}

/* From the configuration to just before the report. */
static bool bring_up(Opening *opening, GError **error)
{
    MkLegacy *legacy = opening->legacy;
    const MkAgentSetup *setup = opening->setup;
    if (wants_nand_table(opening)) {
        g_autoptr(GBytes) table = mk_agent_file_region(setup->file, setup->entry, mk_agent_entry_stage2(setup->entry));
        return legacy_nand_upload_table(legacy, table, error);
    }
    return legacy_start_dram(legacy, setup, opening->cid, error) && send_stage2(opening, error);
}

static void describe(Opening *opening, const LegacyReport *report)
{
    MkLegacy *legacy = opening->legacy;
    MkAgentInfo *info = &legacy->base.info;
    legacy_report_to_info(report, info);
    info->usb_speed = 0xFF;
    info->rpmb_key = -1;
    if (opening->has_cid && info->storage == MK_STORAGE_EMMC)
        memcpy(info->emmc_cid, opening->cid, sizeof info->emmc_cid);
    info->version = g_strdup_printf("%s: %u.%u, chip %u, release G%d%s", opening->setup->file->description,
                                    opening->version[0], opening->version[1], opening->version[2], legacy->release,
                                    legacy->release == opening->setup->file->release ? "" : " by what it says");
    legacy->base.caps = MK_AGENT_CAN_MEMORY_TEST;
    if (info->storage == MK_STORAGE_EMMC || info->storage == MK_STORAGE_NAND)
        legacy->base.caps |= MK_AGENT_CAN_TABLE;
    if (info->storage == MK_STORAGE_NAND)
        legacy->base.caps |= MK_AGENT_CAN_SPARE;
    /* Where it was not measured (spec agents.md, legacy 2), the agent is asked before the first transfer. */
    bool known = legacy->release <= MK_RELEASE_G2 || LEGACY_CHIP_IN(legacy->chip, 0x6571, 0x6582);
    legacy->addressing = known ? LEGACY_ADDRESS_LINEAR : LEGACY_ADDRESS_UNKNOWN;
}

static bool open_agent(Opening *opening, GError **error)
{
    MkLegacy *legacy = opening->legacy;
    LegacyReport report;
    mk_link_note(legacy->base.link, "agent start");
    if (!await_sync(legacy, error) || !read_versions(opening, error) || !send_configuration(opening, error) ||
        !bring_up(opening, error))
        return false;
    mk_link_note(legacy->base.link, "agent report");
    if (!legacy_read_report(legacy, &report, error))
        return false;
    describe(opening, &report);
    /* The chips without a DRAM step start it by command when the report says it is down (spec 4). */
    if (wants_nand_table(opening) && report.dram_status != 0 && opening->setup->emi)
        return legacy_enable_dram(legacy, opening->setup, legacy->base.info.emmc_cid, error);
    return true;
}

static bool read_region(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink,
                        gpointer user_data, GError **error)
{
    if (region == MK_REGION_NAND)
        return legacy_nand_read(agent, offset, length, MK_NAND_PAGE, false, sink, user_data, error);
    return legacy_emmc_read(agent, region, offset, length, sink, user_data, error);
}

static bool write_region(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                         gpointer user_data, GError **error)
{
    if (region == MK_REGION_NAND)
        return legacy_nand_write_raw(agent, offset, length, source, user_data, error);
    return legacy_emmc_write(agent, region, offset, length, source, user_data, error);
}

static const MkAgentClass legacy_class = {
    .dialect = "legacy",
    .free = mk_agent_dispose,
    .read = read_region,
    .write = write_region,
    .erase = legacy_erase,
    .read_nand = legacy_nand_read,
    .write_nand = legacy_nand_write_image,
    .read_table = legacy_read_table,
    .write_table = legacy_write_table,
    .read_bmt = legacy_nand_read_bmt,
    .memory_test = legacy_memory_test,
    .battery = legacy_battery,
    .set_baud = legacy_set_baud,
    .high_speed = legacy_high_speed,
    .finish = legacy_finish,
};

/* A UART is slow: a packet must fit into the time limits. */
static uint32_t packet_for(const MkLink *link)
{
    bool uart = link->kind == MK_LINK_SERIAL &&
                (g_str_has_prefix(link->name, "/dev/ttyS") || g_str_has_prefix(link->name, "/dev/ttyUSB"));
    return uart ? SMALL_PACKET : MK_LEGACY_PACKET;
}

MkAgent *mk_legacy_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                        GError **error)
{
    unsigned stage2 = mk_agent_entry_stage2(setup->entry);
    if (stage2 == mk_agent_entry_stage1(setup->entry) || setup->entry->entry_region > 1) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED,
                     _("The program for MT%04X in the DA file has no second part; Medik does not know this kind."),
                     setup->entry->hw_code);
        return NULL;
    }
    MkLegacy *legacy = g_new0(MkLegacy, 1);
    legacy->base.klass = &legacy_class;
    legacy->base.link = link;
    legacy->base.cancel = cancel;
    legacy->cancel = cancel;
    legacy->chip = setup->entry->hw_code;
    legacy->release = setup->file->release;
    legacy->numbering_b = legacy->release == MK_RELEASE_G4;
    legacy->packet = packet_for(link);
    Opening opening = {
        .legacy = legacy, .setup = setup, .progress = progress, .two_stage = setup->entry->entry_region == 0};
    if (!open_agent(&opening, error)) {
        mk_agent_dispose(&legacy->base);
        return NULL;
    }
    legacy->cancel = NULL; /* from here on a stop is obeyed between packets, so that the agent stays usable */
    return &legacy->base;
}
