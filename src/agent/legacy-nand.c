/* NAND: the device table of the single-stage agents, reading pages (DF), writing raw pages (B3), the bad block table (A3). Spec
 * da-legacy.md 4, 9.21, 9.23, 9.24. Writing whole images is in legacy-nand-image.c. */
#include "agent/legacy.h"

#include "core/i18n.h"

#define TABLE_RECORD_TIMEOUT 3000 /* ms, spec 15 */
#define MAX_PAGE             0x10000u
#define READ_TRIES           4
#define PROGRAM_PAGE_ONLY    1

bool legacy_nand_upload_table(MkLegacy *legacy, GBytes *table, GError **error)
{
    const char *doing = _("sending the list of NAND chips");
    gsize length;
    const uint8_t *data = g_bytes_get_data(table, &length);
    uint8_t answer;
    uint32_t record;
    mk_link_note(legacy->base.link, "NAND table");
    if (!legacy_get8(legacy, &answer, LEGACY_TIMEOUT, error))
        return false;
    if (answer != MK_LEGACY_ACK)
        return true; /* no NAND controller in use */
    if (!legacy_get32(legacy, &record, LEGACY_TIMEOUT, error))
        return false;
    if (!record || record > length || length % record) {
        legacy->base.lost = true;
        mk_fault_set(error, MK_FAULT_DA_VER,
                     _("The agent wants NAND records of %u bytes; its file's list has %zu bytes."), record, length);
        return false;
    }
    if (!legacy_put(legacy, error, "4", (uint32_t)(length / record)) ||
        !legacy_expect_ack(legacy, MK_FAULT_DA_VER, doing, LEGACY_TIMEOUT, error))
        return false;
    for (size_t at = 0; at < length; at += record) {
        if (!legacy_write(legacy, data + at, record, error) ||
            !legacy_get8(legacy, &answer, TABLE_RECORD_TIMEOUT, error))
            return false;
        if (answer == MK_LEGACY_ACK)
            return true; /* this one is on the board */
        if (answer != MK_LEGACY_CONT)
            return legacy_unexpected(legacy, answer, doing, error);
    }
    return true;
}

/* Spec 9.23: what one DF brings. */
typedef struct {
    uint8_t flag; /* 0 page and spare, 1 page, 2 spare, 3 page with ECC status */
    uint32_t packet;
    uint64_t total;
} PageRead;

static uint8_t read_flag(MkNandMode mode)
{
    switch (mode) {
    case MK_NAND_PAGE_SPARE: return 0;
    case MK_NAND_SPARE: return 2;
    case MK_NAND_PAGE_ECC: return 3;
    default: return 1;
    }
}

/* The sizes the agent tells, and how many pages a packet shall have: whole units, about a bulk packet in all. */
static bool agree_on_packets(MkLegacy *legacy, PageRead *read, GError **error)
{
    uint32_t page, spare, unit, narrow;
    if (!legacy_get32(legacy, &page, LEGACY_TIMEOUT, error) || !legacy_get32(legacy, &spare, LEGACY_TIMEOUT, error) ||
        !legacy_get32(legacy, &unit, LEGACY_TIMEOUT, error))
        return false;
    uint32_t bytes = (read->flag == 2 ? 0 : page) + (read->flag == 0 || read->flag == 2 ? spare : 0);
    if (page > MAX_PAGE || spare > MAX_PAGE || bytes == 0 || unit == 0 || unit > legacy->packet / bytes)
        return legacy_unexpected(legacy, page, _("agreeing on NAND pages"), error);
    uint32_t pages = legacy->packet / bytes / unit * unit;
    read->packet = pages * bytes;
    if (!legacy_put(legacy, error, "4", pages))
        return false;
    if (legacy->release >= MK_RELEASE_G3)
        return legacy_get64(legacy, &read->total, error);
    if (!legacy_get32(legacy, &narrow, LEGACY_TIMEOUT, error))
        return false;
    read->total = narrow;
    return true;
}

/* One packet into BUFFER. A sum that stays wrong or an ECC error ends the command. */
static bool read_packet(MkLegacy *legacy, const PageRead *read, uint8_t *buffer, uint32_t length, const char *doing,
                        GError **error)
{
    for (int try = 1;; try++) {
        bool good;
        if (read->flag == 3 && !legacy_expect_ack(legacy, MK_FAULT_READ, doing, LEGACY_TIMEOUT, error))
            return false;
        if (!legacy_receive(legacy, buffer, length, &good, error))
            return false;
        if (good)
            return true;
        if (try == READ_TRIES) {
            legacy_put8(legacy, MK_LEGACY_NACK, NULL);
            mk_fault_set(error, MK_FAULT_READ, _("What the phone sends arrives damaged again and again."));
            return false;
        }
        if (!legacy_put8(legacy, MK_LEGACY_CONT, error))
            return false;
    }
}

static bool read_packets(MkLegacy *legacy, const PageRead *read, MkSinkFunc sink, gpointer user_data, const char *doing,
                         GError **error)
{
    g_autofree uint8_t *buffer = g_malloc(read->packet);
    for (uint64_t done = 0; done < read->total;) {
        uint32_t piece = (uint32_t)MIN(read->total - done, read->packet);
        if (!read_packet(legacy, read, buffer, piece, doing, error))
            return false;
        if (legacy_stopped(legacy, error) || !sink(buffer, piece, user_data, error)) {
            legacy_put8(legacy, MK_LEGACY_STOP, NULL);
            return false;
        }
        if (!legacy_put8(legacy, MK_LEGACY_ACK, error))
            return false;
        done += piece;
    }
    return true;
}

bool legacy_nand_read(MkAgent *agent, uint64_t offset, uint64_t length, MkNandMode mode, bool physical, MkSinkFunc sink,
                      gpointer user_data, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    const MkGeometry *geometry = &agent->info.geometry;
    const char *doing = _("reading the NAND");
    PageRead read = {.flag = read_flag(mode)};
    mk_link_note(agent->link, "DF NAND_READ_PAGE");
    if (legacy_stopped(legacy, error) || (legacy->release < MK_RELEASE_G3 && !legacy_narrow(offset, length, error)) ||
        !legacy_put(legacy, error, "111", MK_LEGACY_NAND_READ_PAGE, read.flag, physical) ||
        !(legacy->release >= MK_RELEASE_G3 ? legacy_put(legacy, error, "88", offset, length)
                                           : legacy_put(legacy, error, "44", (uint32_t)offset, (uint32_t)length)) ||
        !legacy_put(legacy, error, "4", 0) || !legacy_expect_ack(legacy, MK_FAULT_READ, doing, LEGACY_TIMEOUT, error) ||
        !agree_on_packets(legacy, &read, error))
        return false;
    uint64_t pages = geometry->nand_page ? length / geometry->nand_page : 0;
    if (read.total > pages * ((uint64_t)geometry->nand_page + geometry->nand_spare))
        return legacy_unexpected(legacy, (uint32_t)read.total, doing, error);
    return read_packets(legacy, &read, sink, user_data, doing, error);
}

/* B3, spec 9.24; absent in later releases for some chips. */
bool legacy_nand_write_raw(MkAgent *agent, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                           GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    g_auto(LegacySender) sender = {0};
    if (legacy->release >= MK_RELEASE_G3 && LEGACY_CHIP_IN(legacy->chip, 0x6735, 0x6580)) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("This agent cannot write raw NAND pages."));
        return false;
    }
    if (!legacy_narrow(offset, length, error) ||
        !legacy_sender_begin(&sender, legacy, length, legacy->packet, source, user_data, _("writing the NAND"), error))
        return false;
    mk_link_note(agent->link, "B3 NAND_WRITE_DATA");
    return legacy_put(legacy, error, "1114444", MK_LEGACY_NAND_WRITE_DATA, 0, PROGRAM_PAGE_ONLY, (uint32_t)offset,
                      (uint32_t)length, (uint32_t)length, sender.packet_length) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, sender.doing, LEGACY_TIMEOUT, error) &&
           legacy_sender_run(&sender, error);
}

bool legacy_nand_read_bmt(MkAgent *agent, GArray **pairs, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint8_t answer, count;
    mk_link_note(agent->link, "A3 READ_BMT");
    if (!legacy_put8(legacy, MK_LEGACY_READ_BMT, error) || !legacy_get8(legacy, &answer, LEGACY_TIMEOUT, error))
        return false;
    if (answer != MK_LEGACY_ACK && answer != MK_LEGACY_NACK)
        return legacy_unexpected(legacy, answer, _("reading the bad block table"), error);
    if (answer == MK_LEGACY_ACK) {
        if (!legacy_get8(legacy, &count, LEGACY_TIMEOUT, error))
            return false;
        for (unsigned i = 0; i < count; i++) {
            uint32_t pair;
            if (!legacy_get32(legacy, &pair, LEGACY_TIMEOUT, error))
                return false;
            g_array_append_val(found, pair);
        }
        if (!legacy_put8(legacy, MK_LEGACY_ACK, error))
            return false;
    }
    *pairs = g_steal_pointer(&found);
    return true;
}
