/* Bulk data in packets with a 16-bit sum each (spec da-legacy.md 9.4, 9.5). Data always travels in transfers of its own: the agents
 * throw away what is glued to a packet (spec agents.md, last section). */
#include "agent/legacy.h"

#include "core/hash.h"
#include "core/i18n.h"

#define TRIES         4          /* one and three repetitions */
#define RECEIVE_PIECE (1u << 16) /* summed while it is still in the cache; short enough for a slow UART's time limit */

bool legacy_sender_fill(LegacySender *sender, LegacyPacket *packet, GError **error)
{
    packet->length = (uint32_t)MIN(sender->left, sender->packet_length);
    if (!packet->data)
        packet->data = g_malloc(MAX(packet->length, 1));
    if (!sender->source(packet->data, packet->length, sender->user_data, error))
        return false;
    packet->sum = mk_sum16(0, packet->data, packet->length);
    sender->left -= packet->length;
    return true;
}

bool legacy_sender_begin(LegacySender *sender, MkLegacy *legacy, uint64_t length, uint32_t packet_length,
                         MkSourceFunc source, gpointer user_data, const char *doing, GError **error)
{
    *sender = (LegacySender){.legacy = legacy,
                             .source = source,
                             .user_data = user_data,
                             .left = length,
                             .packet_length = packet_length,
                             .doing = doing};
    sender->current = &sender->packets[0];
    sender->next = &sender->packets[1];
    return legacy_sender_fill(sender, sender->current, error);
}

void legacy_sender_clear(LegacySender *sender)
{
    g_free(sender->packets[0].data);
    g_free(sender->packets[1].data);
}

bool legacy_is_transfer_error(const MkLegacy *legacy, uint32_t status)
{
    static const uint32_t codes[] = {3057, 3058, 3060, 3061}; /* numbering A, spec 9.5 */
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        if (legacy_is(legacy, status, codes[i]))
            return true;
    }
    return false;
}

static bool send_packet(MkLegacy *legacy, const LegacyPacket *packet, GError **error)
{
    return legacy_put8(legacy, MK_LEGACY_ACK, error) && legacy_write(legacy, packet->data, packet->length, error) &&
           legacy_put(legacy, error, "2", packet->sum);
}

/* Ends the command between two packets; the agent says nothing to that (spec 9.5). */
static bool abort_command(MkLegacy *legacy)
{
    return legacy_put8(legacy, MK_LEGACY_STOP, NULL);
}

/* Waits for the answer to the packet just sent; *again if it has to be repeated. After any other refusal the command is ended. */
static bool packet_answer(LegacySender *sender, bool last_try, bool *again, GError **error)
{
    MkLegacy *legacy = sender->legacy;
    uint8_t answer;
    uint32_t status;
    *again = false;
    if (!legacy_get8(legacy, &answer, LEGACY_TIMEOUT_BULK, error))
        return false;
    if (answer == MK_LEGACY_CONT)
        return true;
    if (answer == MK_LEGACY_STOP) {
        mk_fault_set(error, MK_FAULT_WRITE, _("The phone stopped by itself while %s."), sender->doing);
        return false;
    }
    if (answer != MK_LEGACY_NACK)
        return legacy_unexpected(legacy, answer, sender->doing, error);
    if (!legacy_get32(legacy, &status, LEGACY_TIMEOUT, error))
        return false;
    *again = !last_try && legacy_is_transfer_error(legacy, status);
    if (*again)
        return true;
    mk_legacy_status_fault(status, legacy->numbering_b, MK_FAULT_WRITE, sender->doing, error);
    abort_command(legacy);
    return false;
}

/* Sends the current packet until it is taken. While the phone writes it, the next one is made ready; what went wrong with that is
 * kept in *source_error for after the answer. */
static bool deliver_packet(LegacySender *sender, GError **source_error, GError **error)
{
    bool again = true, filled = false;
    for (int try = 1; again; try++) {
        if (!send_packet(sender->legacy, sender->current, error))
            return false;
        if (!filled && sender->left)
            legacy_sender_fill(sender, sender->next, source_error);
        filled = true;
        if (!packet_answer(sender, try == TRIES, &again, error))
            return false;
    }
    return true;
}

bool legacy_sender_run(LegacySender *sender, GError **error)
{
    for (;;) {
        g_autoptr(GError) source_error = NULL;
        bool last = sender->left == 0;
        if (legacy_stopped(sender->legacy, error)) {
            abort_command(sender->legacy);
            return false;
        }
        if (!deliver_packet(sender, &source_error, error))
            return false;
        if (source_error) {
            abort_command(sender->legacy);
            g_propagate_error(error, g_steal_pointer(&source_error));
            return false;
        }
        if (last)
            return true;
        LegacyPacket *sent = sender->current;
        sender->current = sender->next;
        sender->next = sent;
    }
}

bool legacy_receive(MkLegacy *legacy, uint8_t *buffer, uint32_t length, bool *good, GError **error)
{
    uint16_t sum = 0, told;
    for (uint32_t done = 0; done < length;) {
        uint32_t piece = MIN(length - done, RECEIVE_PIECE);
        if (!legacy_read(legacy, buffer + done, piece, LEGACY_TIMEOUT, error))
            return false;
        sum = mk_sum16(sum, buffer + done, piece);
        done += piece;
    }
    if (!legacy_get16(legacy, &told, error))
        return false;
    *good = sum == told;
    return true;
}
