/* A whole image to a NAND partition: DD announces it, DE sends it (spec da-legacy.md 9.25). The agent skips bad blocks and, for YAFFS,
 * takes pages together with their spare bytes. */
#include "agent/legacy.h"

#include "core/i18n.h"

#define TRIES         4
#define END_TIMEOUT   120000 /* ms, spec 15 */
#define POST_TIMEOUT  30000
#define MAX_PAGE_SIZE 0x4000u
#define MAX_SPARE     0x800u
#define NAME_LENGTH   16

static bool announce_image(MkLegacy *legacy, const MkPartition *partition, uint64_t length, GError **error)
{
    const char *doing = _("announcing an image for the NAND");
    bool wide = legacy->release >= MK_RELEASE_G4 && LEGACY_CHIP_IN(legacy->chip, 0x8163, 0x8590, 0x8521);
    g_autoptr(GByteArray) image = g_byte_array_new();
    if (!wide && !legacy_narrow(partition->start + partition->size, length, error))
        return false;
    const uint64_t numbers[] = {partition->start, partition->start + length - 1, partition->size, partition->size};
    mk_put_u8(image, 1); /* enabled */
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (wide)
            mk_put_be64(image, numbers[i]);
        else
            mk_put_be32(image, (uint32_t)numbers[i]);
    }
    mk_put_be32(image, partition->type);
    if (legacy->chip == 0x6571)
        mk_put_be32(image, 0); /* NAND architecture */
    mk_put_text(image, partition->name, NAME_LENGTH);
    mk_link_note(legacy->base.link, "DD NAND_IMAGE_LIST");
    /* Three feature bytes that are off, one image, one of them enabled, no ROM_INFO. */
    return legacy_put(legacy, error, "11111144", MK_LEGACY_NAND_IMAGE_LIST, MK_LEGACY_NACK, MK_LEGACY_NACK,
                      MK_LEGACY_NACK, 1, 1, 0, 0) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT, error) &&
           legacy_write(legacy, image->data, image->len, error) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT, error);
}

/* For YAFFS the agent names its page and spare size and gets a packet length of whole pages. */
static bool agree_on_yaffs_packet(MkLegacy *legacy, uint32_t *packet, GError **error)
{
    uint32_t page, spare;
    if (!legacy_get32(legacy, &page, LEGACY_TIMEOUT, error) || !legacy_get32(legacy, &spare, LEGACY_TIMEOUT, error))
        return false;
    if (page == 0 || page > MAX_PAGE_SIZE || spare == 0 || spare > MAX_SPARE)
        return legacy_unexpected(legacy, page, _("agreeing on NAND pages"), error);
    *packet = legacy->packet / (page + spare) * (page + spare);
    return legacy_put(legacy, error, "4", *packet);
}

/* Steps before the data. *packet is what a packet will hold. */
static bool begin_transfer(MkLegacy *legacy, bool yaffs, uint32_t *packet, const char *doing, GError **error)
{
    mk_link_note(legacy->base.link, "DE NAND_WRITE_IMAGE");
    *packet = legacy->packet;
    return legacy_put8(legacy, MK_LEGACY_NAND_WRITE_IMAGE, error) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT, error) &&
           legacy_put(legacy, error, "4", *packet) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT, error) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT_BULK, error) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT, error) &&
           (!yaffs || agree_on_yaffs_packet(legacy, packet, error));
}

/* The phone did not take a packet: *again, or the end with what it said. */
static bool packet_refused(MkLegacy *legacy, bool last_try, const char *doing, GError **error)
{
    uint32_t status;
    if (!legacy_get32(legacy, &status, LEGACY_TIMEOUT, error))
        return false;
    if (!legacy_is_transfer_error(legacy, status)) {
        mk_legacy_status_fault(status, legacy->numbering_b, MK_FAULT_WRITE, doing, error);
        return false;
    }
    if (!legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT, error)) /* its buffer is clean again */
        return false;
    if (!last_try)
        return legacy_put8(legacy, MK_LEGACY_CONT, error);
    legacy_put8(legacy, MK_LEGACY_NACK, NULL);
    mk_legacy_status_fault(status, legacy->numbering_b, MK_FAULT_WRITE, doing, error);
    return false;
}

static bool deliver_packet(LegacySender *sender, GError **source_error, GError **error)
{
    MkLegacy *legacy = sender->legacy;
    for (int try = 1;; try++) {
        uint8_t answer;
        if (!legacy_write(legacy, sender->current->data, sender->current->length, error) ||
            !legacy_put(legacy, error, "2", sender->current->sum))
            return false;
        if (try == 1 && sender->left)
            legacy_sender_fill(sender, sender->next, source_error);
        if (!legacy_get8(legacy, &answer, LEGACY_TIMEOUT_BULK, error))
            return false;
        if (answer == MK_LEGACY_CONT)
            return true;
        if (!packet_refused(legacy, try == TRIES, sender->doing, error))
            return false;
    }
}

static bool send_packets(LegacySender *sender, GError **error)
{
    MkLegacy *legacy = sender->legacy;
    for (;;) {
        g_autoptr(GError) source_error = NULL;
        bool last = sender->left == 0;
        if (!deliver_packet(sender, &source_error, error))
            return false;
        if (source_error || legacy_stopped(legacy, &source_error)) {
            legacy_put8(legacy, MK_LEGACY_STOP, NULL);
            g_propagate_error(error, g_steal_pointer(&source_error));
            return false;
        }
        if (!legacy_put8(legacy, MK_LEGACY_ACK, error))
            return false;
        if (last)
            return true;
        LegacyPacket *sent = sender->current;
        sender->current = sender->next;
        sender->next = sent;
    }
}

/* Everything is there; the agent finishes its blocks. Verification is done by reading back, so its own is left off. */
static bool end_transfer(MkLegacy *legacy, const char *doing, GError **error)
{
    uint8_t answer;
    if (!legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, END_TIMEOUT, error) ||
        !legacy_get8(legacy, &answer, LEGACY_TIMEOUT, error) ||
        (answer == MK_LEGACY_NACK && !legacy_get8(legacy, &answer, POST_TIMEOUT, error)))
        return false;
    if (answer != MK_LEGACY_ACK)
        return legacy_unexpected(legacy, answer, doing, error);
    return legacy_put8(legacy, 0, error) && legacy_expect_ack(legacy, MK_FAULT_WRITE, doing, LEGACY_TIMEOUT, error);
}

bool legacy_nand_write_image(MkAgent *agent, const MkPartition *partition, uint64_t length, MkSourceFunc source,
                             gpointer user_data, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    g_autofree char *doing = g_strdup_printf(_("writing %s"), partition->name);
    g_auto(LegacySender) sender = {0};
    bool yaffs = partition->type == MK_TYPE_YAFFS_IMG;
    uint32_t packet;
    return !legacy_stopped(legacy, error) && announce_image(legacy, partition, length, error) &&
           begin_transfer(legacy, yaffs, &packet, doing, error) &&
           legacy_sender_begin(&sender, legacy, length, packet, source, user_data, doing, error) &&
           send_packets(&sender, error) && end_transfer(legacy, doing, error);
}
