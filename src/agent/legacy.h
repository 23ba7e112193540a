/* The legacy dialect, inside (spec da-legacy.md, agents.md, hosts.md). Only the files legacy-*.c and agent.c include this. */
#pragma once

#include "agent/agent.h"
#include "core/bytes.h"
#include "proto/legacy.h"

#define LEGACY_TIMEOUT      10000 /* ms, spec 15 */
#define LEGACY_TIMEOUT_BULK 60000

/* How an address reaches the agent (spec agents.md, legacy 2). */
typedef enum {
    LEGACY_ADDRESS_UNKNOWN, /* to be asked before the first transfer */
    LEGACY_ADDRESS_LINEAR,  /* over boot1, boot2, RPMB, gp1-4, user */
    LEGACY_ADDRESS_REGION,  /* from the start of the region that 60 chose */
} LegacyAddressing;

typedef struct {
    MkAgent base;
    uint16_t chip;     /* hw_code of the DA entry: decides what differs by chip */
    MkRelease release; /* by the file's label, corrected by what the agent said */
    bool numbering_b;  /* of the status numbers */
    LegacyAddressing addressing;
    uint32_t packet;      /* bytes of a bulk packet */
    GCancellable *cancel; /* what a single exchange obeys: the user's while opening, none in the command loop */
} MkLegacy;

/* What differs by chip. */
bool legacy_chip_in(uint16_t chip, const uint16_t *list, size_t count);
#define LEGACY_CHIP_IN(chip, ...)                                                                                      \
    legacy_chip_in(chip, (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

/* --- legacy-io.c: one exchange. A fault makes the agent lost, except a refusal of the phone's (A5 + status). --- */
bool legacy_read(MkLegacy *legacy, void *data, size_t length, int timeout, GError **error);
bool legacy_write(MkLegacy *legacy, const void *data, size_t length, GError **error);
bool legacy_get8(MkLegacy *legacy, uint8_t *value, int timeout, GError **error);
bool legacy_get16(MkLegacy *legacy, uint16_t *value, GError **error);
bool legacy_get32(MkLegacy *legacy, uint32_t *value, int timeout, GError **error);
bool legacy_get64(MkLegacy *legacy, uint64_t *value, GError **error);
/* Big-endian integers: WIDTHS holds one digit of bytes per value, e.g. "1188". */
bool legacy_put(MkLegacy *legacy, GError **error, const char *widths, ...);
bool legacy_put8(MkLegacy *legacy, uint8_t value, GError **error);
/* MT6592 wants system time and MAC address in some commands; 0 will do (spec 8.2). Nothing on other chips. */
bool legacy_put_phone_info(MkLegacy *legacy, GError **error);
/* Waits for 5A. A5 + status becomes a fault with that status (by default FALLBACK, DOING: "reading the user area"). */
bool legacy_expect_ack(MkLegacy *legacy, MkFault fallback, const char *doing, int timeout, GError **error);
/* Reads the status after an A5 and makes a fault of it; always false. */
bool legacy_refused(MkLegacy *legacy, MkFault fallback, const char *doing, GError **error);
/* BYTE is not what the protocol allows here: the agent is lost; always false. */
bool legacy_unexpected(MkLegacy *legacy, uint32_t value, const char *doing, GError **error);
/* Both fit into the 32 bits that a command has for them. */
bool legacy_narrow(uint64_t first, uint64_t second, GError **error);
/* Swallows the 5A that follows some failures (spec 9.7). */
void legacy_drain_stray_ack(MkLegacy *legacy);
bool legacy_stopped(MkLegacy *legacy, GError **error);
bool legacy_is(const MkLegacy *legacy, uint32_t status, uint32_t a); /* a: number in numbering A */

/* --- legacy-status.c --- */
/* Status A of numbering A as the agent's numbering counts it. */
uint32_t mk_legacy_status(uint32_t a, bool numbering_b);
const char *mk_legacy_status_symbol(uint32_t number, bool numbering_b); /* "S_DA_TIMEOUT", NULL: unknown */
void mk_legacy_status_fault(uint32_t number, bool numbering_b, MkFault fallback, const char *doing, GError **error);

/* --- legacy-report.c --- */
typedef struct {
    uint32_t nor_status;
    uint32_t nand_status;
    uint64_t nand_size;
    uint16_t nand_ids[8], nand_id_count;
    uint16_t nand_page, nand_spare, nand_block_pages;
    uint8_t has_bmt;
    uint32_t emmc_status;
    uint64_t emmc[8]; /* boot1, boot2, RPMB, GP1-4, user */
    uint32_t emmc_cid[4];
    uint8_t emmc_firmware[8];
    uint32_t sdmmc_status;
    uint64_t sdmmc_size;
    uint32_t sram_status, sram_size, dram_status;
    uint64_t dram_size;
    uint8_t chip_id[16];
    uint32_t bmt_blocks;
    uint32_t download_status, boot_style;
    uint8_t soc_check;
} LegacyReport;
/* Reads the report; if it does not read as the release says, tries the other releases on the same bytes and corrects the release. */
bool legacy_read_report(MkLegacy *legacy, LegacyReport *report, GError **error);
void legacy_report_to_info(const LegacyReport *report, MkAgentInfo *info);

/* --- legacy-dram.c --- */
/* The words before stage 2: DRAM up, or E8 with the settings of the preloader (spec 5). CID: manufacturer first, set if the agent
 * names it here. */
bool legacy_start_dram(MkLegacy *legacy, const MkAgentSetup *setup, uint8_t cid[16], GError **error);
/* E8 as a command or as the answer to "not ready". */
bool legacy_enable_dram(MkLegacy *legacy, const MkAgentSetup *setup, const uint8_t cid[16], GError **error);

/* --- legacy-packets.c: bulk data with a sum per packet --- */
typedef struct {
    uint8_t *data;
    uint32_t length;
    uint16_t sum;
} LegacyPacket;

typedef struct {
    MkLegacy *legacy;
    MkSourceFunc source;
    gpointer user_data;
    uint64_t left; /* bytes not yet taken from the source */
    uint32_t packet_length;
    LegacyPacket packets[2], *current, *next;
    const char *doing;
} LegacySender;
/* Takes the first packet from the source, so that nothing has been said to the phone if that fails. */
bool legacy_sender_begin(LegacySender *sender, MkLegacy *legacy, uint64_t length, uint32_t packet_length,
                         MkSourceFunc source, gpointer user_data, const char *doing, GError **error);
void legacy_sender_clear(LegacySender *sender);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LegacySender, legacy_sender_clear)
bool legacy_sender_fill(LegacySender *sender, LegacyPacket *packet, GError **error);
/* The packets of 62, 61 and B3: 5A, data, sum, 69 each (spec 9.5). */
bool legacy_sender_run(LegacySender *sender, GError **error);
/* One of the codes after which the genuine host sends the packet again. */
bool legacy_is_transfer_error(const MkLegacy *legacy, uint32_t status);
/* Data and sum into BUFFER, read in pieces; *good tells if the sum fits. */
bool legacy_receive(MkLegacy *legacy, uint8_t *buffer, uint32_t length, bool *good, GError **error);

/* --- legacy-emmc.c, legacy-nand.c, legacy-table.c, legacy-misc.c: the table of functions --- */
bool legacy_emmc_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink,
                      gpointer user_data, GError **error);
bool legacy_emmc_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                       gpointer user_data, GError **error);
/* 60 */
bool legacy_switch_part(MkLegacy *legacy, MkRegion region, GError **error);
/* Asks the agent how it counts, unless that is known. */
bool legacy_know_addressing(MkLegacy *legacy, GError **error);
/* The agent's address of OFFSET in REGION. */
bool legacy_address(MkLegacy *legacy, MkRegion region, uint64_t offset, uint64_t *address, GError **error);

bool legacy_nand_upload_table(MkLegacy *legacy, GBytes *table, GError **error);
bool legacy_nand_read(MkAgent *agent, uint64_t offset, uint64_t length, MkNandMode mode, bool physical, MkSinkFunc sink,
                      gpointer user_data, GError **error);
bool legacy_nand_write_raw(MkAgent *agent, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                           GError **error);
bool legacy_nand_write_image(MkAgent *agent, const MkPartition *partition, uint64_t length, MkSourceFunc source,
                             gpointer user_data, GError **error);
bool legacy_nand_read_bmt(MkAgent *agent, GArray **pairs, GError **error);

bool legacy_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
                  MkProgress *progress, GError **error);
bool legacy_read_table(MkAgent *agent, MkLayout **layout, GError **error);
bool legacy_write_table(MkAgent *agent, const MkLayout *layout, bool update, GError **error);

bool legacy_memory_test(MkAgent *agent, MkMemoryTest test, uint64_t start, uint64_t length, uint32_t pattern,
                        MkProgress *progress, GError **error);
bool legacy_battery(MkAgent *agent, unsigned *millivolt, GError **error);
bool legacy_set_baud(MkAgent *agent, unsigned baud, GError **error);
bool legacy_high_speed(MkAgent *agent, bool *reenumerates, GError **error);
bool legacy_finish(MkAgent *agent, MkAfter after, GError **error);

/* --- legacy.c --- */
MkAgent *mk_legacy_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                        GError **error);
