/* eMMC: regions and addresses, reading (D6) and writing (62). Spec da-legacy.md 9.3 to 9.5, agents.md legacy 2 and 5 to 7. */
#include "agent/legacy.h"

#include "core/i18n.h"

#include <string.h>

#define SECTOR        512u
#define READ_COMMAND  (32u << 20) /* bytes per D6: a reading cannot be aborted, only read to its end */
#define READ_TRIES    4
#define CHECK_SUMS    1
#define HOST_OS_OTHER 0x0B /* makes the agent send whole packets in one piece (spec 9.4) */

static uint8_t part_number(MkRegion region)
{
    switch (region) {
    case MK_REGION_BOOT1: return MK_LEGACY_PART_BOOT1;
    case MK_REGION_BOOT2: return MK_LEGACY_PART_BOOT2;
    case MK_REGION_RPMB: return MK_LEGACY_PART_RPMB;
    case MK_REGION_GP1:
    case MK_REGION_GP2:
    case MK_REGION_GP3:
    case MK_REGION_GP4: return (uint8_t)(MK_LEGACY_PART_GP1 + (region - MK_REGION_GP1));
    default: return MK_LEGACY_PART_USER;
    }
}

/* What 60 and 62 name. In linear space the address alone decides; the genuine host then always names the user area. */
static uint8_t part_for(const MkLegacy *legacy, MkRegion region)
{
    return legacy->addressing == LEGACY_ADDRESS_REGION ? part_number(region) : MK_LEGACY_PART_USER;
}

bool legacy_switch_part(MkLegacy *legacy, MkRegion region, GError **error)
{
    const char *doing = _("choosing the part of the memory chip");
    return legacy_put8(legacy, MK_LEGACY_SWITCH_PART, error) &&
           legacy_expect_ack(legacy, MK_FAULT_READ, doing, LEGACY_TIMEOUT, error) &&
           legacy_put8(legacy, part_for(legacy, region), error) &&
           legacy_expect_ack(legacy, MK_FAULT_READ, doing, LEGACY_TIMEOUT, error);
}

/* Where REGION begins in linear space: boot1, boot2, RPMB, gp1 to gp4, user. */
static uint64_t linear_base(const MkGeometry *geometry, MkRegion region)
{
    const uint64_t sizes[] = {geometry->boot1, geometry->boot2, geometry->rpmb, geometry->gp[0],
                              geometry->gp[1], geometry->gp[2], geometry->gp[3]};
    static const MkRegion order[] = {MK_REGION_BOOT1, MK_REGION_BOOT2, MK_REGION_RPMB, MK_REGION_GP1,
                                     MK_REGION_GP2,   MK_REGION_GP3,   MK_REGION_GP4};
    uint64_t base = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(order) && order[i] != region; i++)
        base += sizes[i];
    return base;
}

static bool start_read(MkLegacy *legacy, uint64_t address, uint64_t length, uint32_t packet, const char *doing,
                       GError **error)
{
    mk_link_note(legacy->base.link, "D6 READ");
    bool sent =
        legacy->release >= MK_RELEASE_G3
            ? legacy_put(legacy, error, "11188", MK_LEGACY_READ, HOST_OS_OTHER, MK_LEGACY_STORAGE_EMMC, address, length)
            : legacy_put(legacy, error, "1188", MK_LEGACY_READ, MK_LEGACY_STORAGE_EMMC, address, length);
    return sent && legacy_expect_ack(legacy, MK_FAULT_READ, doing, LEGACY_TIMEOUT, error) &&
           legacy_put(legacy, error, "4", packet);
}

/* Releases and chips that were not measured: the sector just behind the user area exists in linear space only. */
static bool ask_addressing(MkLegacy *legacy, GError **error)
{
    const MkGeometry *geometry = &legacy->base.info.geometry;
    uint8_t sector[SECTOR];
    g_autoptr(GError) refusal = NULL;
    bool good;
    if (linear_base(geometry, MK_REGION_USER) < SECTOR) {
        legacy->addressing = LEGACY_ADDRESS_REGION;
        return true;
    }
    mk_link_note(legacy->base.link, "linear or by region?");
    if (!legacy_switch_part(legacy, MK_REGION_USER, error))
        return false;
    if (start_read(legacy, geometry->user, SECTOR, SECTOR, _("asking how the agent counts addresses"), &refusal)) {
        legacy->addressing = LEGACY_ADDRESS_LINEAR;
        return legacy_receive(legacy, sector, SECTOR, &good, error) && legacy_put8(legacy, MK_LEGACY_ACK, error);
    }
    if (legacy->base.lost) {
        g_propagate_error(error, g_steal_pointer(&refusal));
        return false;
    }
    legacy->addressing = LEGACY_ADDRESS_REGION;
    return true;
}

bool legacy_know_addressing(MkLegacy *legacy, GError **error)
{
    return legacy->addressing != LEGACY_ADDRESS_UNKNOWN || ask_addressing(legacy, error);
}

bool legacy_address(MkLegacy *legacy, MkRegion region, uint64_t offset, uint64_t *address, GError **error)
{
    if (!legacy_know_addressing(legacy, error))
        return false;
    *address = offset;
    if (legacy->addressing == LEGACY_ADDRESS_LINEAR)
        *address += linear_base(&legacy->base.info.geometry, region);
    return true;
}

/* One packet into BUFFER, asked for again while its sum is wrong. *good is false if it stayed so; the agent then goes on. */
static bool read_packet(MkLegacy *legacy, uint8_t *buffer, uint32_t length, bool *good, GError **error)
{
    for (int try = 1;; try++) {
        if (!legacy_receive(legacy, buffer, length, good, error))
            return false;
        if (*good || try == READ_TRIES)
            return legacy_put8(legacy, MK_LEGACY_ACK, error);
        if (!legacy_put8(legacy, MK_LEGACY_NACK, error))
            return false;
    }
}

/* What one D6 brings, handed to SINK while the phone fetches the next packet. After a trouble of ours the rest is still taken from the
 * phone, because a reading cannot be aborted; then the agent is as usable as before. */
static bool read_command(MkLegacy *legacy, uint64_t length, uint32_t packet, uint8_t *buffer, MkSinkFunc sink,
                         gpointer user_data, GError **error)
{
    g_autoptr(GError) trouble = NULL;
    for (uint64_t done = 0; done < length;) {
        uint32_t piece = (uint32_t)MIN(length - done, packet);
        bool good;
        if (!read_packet(legacy, buffer, piece, &good, error))
            return false;
        if (!trouble && !good)
            mk_fault_set(&trouble, MK_FAULT_READ, _("What the phone sends arrives damaged again and again."));
        if (!trouble && !legacy_stopped(legacy, &trouble))
            sink(buffer, piece, user_data, &trouble);
        done += piece;
    }
    if (!trouble)
        return true;
    g_propagate_error(error, g_steal_pointer(&trouble));
    return false;
}

bool legacy_emmc_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink,
                      gpointer user_data, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    g_autofree char *doing = g_strdup_printf(_("reading %s"), mk_region_name(region));
    g_autofree uint8_t *buffer = g_malloc(MIN(length, legacy->packet));
    while (length) {
        uint64_t address, piece = MIN(length, READ_COMMAND);
        uint32_t packet = legacy->packet;
        /* Early releases fill the last packet up (spec agents.md, legacy 1): let every command end with a whole one. */
        if (legacy->release <= MK_RELEASE_G2 && piece < packet)
            packet = (uint32_t)piece;
        else if (legacy->release <= MK_RELEASE_G2)
            piece -= piece % packet;
        if (legacy_stopped(legacy, error) || !legacy_address(legacy, region, offset, &address, error) ||
            !legacy_switch_part(legacy, region, error) || !start_read(legacy, address, piece, packet, doing, error) ||
            !read_command(legacy, piece, packet, buffer, sink, user_data, error))
            return false;
        offset += piece;
        length -= piece;
    }
    return true;
}

/* Agents take a first packet that begins so for a sparse image and expand it (spec 9.5). */
static bool looks_sparse(const LegacyPacket *packet)
{
    static const uint8_t magic[] = {0x3A, 0xFF, 0x26, 0xED};
    return packet->length >= sizeof magic && memcmp(packet->data, magic, sizeof magic) == 0;
}

static bool take_sector(const uint8_t *data, size_t length, gpointer user_data, G_GNUC_UNUSED GError **error)
{
    memcpy(user_data, data, length);
    return true;
}

/* A source that gives one sector before it asks another source. */
typedef struct {
    uint8_t sector[SECTOR];
    bool given;
    LegacySender *inner;
    uint32_t used; /* of the inner packet that was already taken */
} Prefixed;

static bool prefixed_source(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Prefixed *prefixed = user_data;
    const LegacyPacket *first = prefixed->inner->current;
    if (!prefixed->given) {
        memcpy(data, prefixed->sector, SECTOR);
        data += SECTOR;
        length -= SECTOR;
        prefixed->given = true;
    }
    size_t kept = MIN(length, first->length - prefixed->used);
    memcpy(data, first->data + prefixed->used, kept);
    prefixed->used += (uint32_t)kept;
    return kept == length || prefixed->inner->source(data + kept, length - kept, prefixed->inner->user_data, error);
}

static bool write_command(MkLegacy *legacy, MkRegion region, uint64_t offset, uint64_t length, LegacySender *sender,
                          GError **error)
{
    uint64_t address;
    if (!legacy_address(legacy, region, offset, &address, error) || !legacy_switch_part(legacy, region, error))
        return false;
    mk_link_note(legacy->base.link, "62 WRITE_DATA");
    return legacy_put8(legacy, MK_LEGACY_WRITE_DATA, error) && legacy_put_phone_info(legacy, error) &&
           legacy_put(legacy, error, "11884", CHECK_SUMS, part_for(legacy, region), address, length,
                      sender->packet_length) &&
           legacy_expect_ack(legacy, MK_FAULT_WRITE, sender->doing, LEGACY_TIMEOUT, error) &&
           legacy_sender_run(sender, error);
}

/* Raw bytes that begin like a sparse image are written together with the sector before them, so that the agent leaves them alone. */
static bool write_behind_a_sector(MkLegacy *legacy, MkRegion region, uint64_t offset, uint64_t length,
                                  LegacySender *inner, GError **error)
{
    g_auto(LegacySender) sender = {0};
    Prefixed prefixed = {.inner = inner};
    if (offset < SECTOR) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED,
                     _("The bytes for the start of %s look like a sparse image; the agent would expand them instead of "
                       "writing them."),
                     mk_region_name(region));
        return false;
    }
    return legacy_emmc_read(&legacy->base, region, offset - SECTOR, SECTOR, take_sector, prefixed.sector, error) &&
           legacy_sender_begin(&sender, legacy, length + SECTOR, inner->packet_length, prefixed_source, &prefixed,
                               inner->doing, error) &&
           write_command(legacy, region, offset - SECTOR, length + SECTOR, &sender, error);
}

bool legacy_emmc_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                       gpointer user_data, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    g_autofree char *doing = g_strdup_printf(_("writing %s"), mk_region_name(region));
    g_auto(LegacySender) sender = {0};
    if (!legacy_sender_begin(&sender, legacy, length, legacy->packet, source, user_data, doing, error))
        return false;
    if (looks_sparse(sender.current))
        return write_behind_a_sector(legacy, region, offset, length, &sender, error);
    return write_command(legacy, region, offset, length, &sender, error);
}
