/* WRITE_DATA and DOWNLOAD (spec da-xflash.md 12.3, 13.2, 13.4). */
#include "agent/xflash.h"

#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

#define LENGTH_BYTES 8
#define TABLE_NAME   "pgpt" /* in every scatter of a GPT phone (spec tables.md 6.3) */

typedef struct {
    uint8_t *data;
    uint32_t length;
    uint16_t sum;
} Packet;

typedef struct {
    MkXFlash *xflash;
    MkSourceFunc source;
    gpointer user_data;
    uint64_t length, left; /* bytes of the source: all, and not yet taken */
    uint32_t packet_length;
    uint32_t padding; /* zeros after the last byte, so that the storage gets whole blocks */
    uint64_t taken;   /* bytes that the agent said yes to */
    const char *doing;
    Packet packets[2];
    unsigned current;
} Writing;

static void writing_clear(Writing *writing)
{
    g_free(writing->packets[0].data);
    g_free(writing->packets[1].data);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Writing, writing_clear)

static bool fill(Writing *writing, Packet *packet, GError **error)
{
    uint32_t length = (uint32_t)MIN(writing->left, writing->packet_length);
    if (!packet->data)
        packet->data = g_malloc((size_t)length + writing->padding);
    if (!writing->source(packet->data, length, writing->user_data, error))
        return false;
    writing->left -= length;
    packet->length = length;
    if (writing->left == 0) {
        memset(packet->data + length, 0, writing->padding);
        packet->length += writing->padding;
    }
    packet->sum = mk_sum16(0, packet->data, packet->length);
    return true;
}

/* Takes the first packet from the source, so that nothing has been said to the phone if that fails. */
static bool begin(Writing *writing, GError **error)
{
    writing->packet_length = mk_frame_packet_limit(&writing->xflash->frames, writing->xflash->write_packet);
    writing->left = writing->length;
    return !xflash_stopped(writing->xflash, error) && fill(writing, &writing->packets[0], error);
}

/* A write that failed: the agent writes behind the host's back, so it may be an earlier packet that did (spec 13.2). */
static void fault(Writing *writing, uint32_t status, GError **error)
{
    g_autofree char *doing =
        g_strdup_printf(_("%s (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes had been sent; what of them is on "
                          "the phone is not known)"),
                        writing->doing, writing->taken, writing->length + writing->padding);
    mk_xflash_status_fault(status, MK_FAULT_WRITE, doing, error);
}

/* Ends the operation between two packets; the agent answers with one status and is idle again. */
static bool cancel(Writing *writing, GError **trouble, GError **error)
{
    uint32_t status;
    if (!xflash_send32(writing->xflash, MK_XFLASH_S_ABORT, error) ||
        !xflash_status(writing->xflash, &status, XFLASH_TIMEOUT_FINAL, error))
        return false;
    g_propagate_error(error, g_steal_pointer(trouble));
    return false;
}

/* Sends the current packet and, while the phone takes it, makes the next one ready; what goes wrong with that is kept in *trouble. */
static bool deliver(Writing *writing, GError **trouble, GError **error)
{
    MkXFlash *xflash = writing->xflash;
    const Packet *packet = &writing->packets[writing->current];
    uint32_t status;
    if (!xflash_send32(xflash, MK_XFLASH_S_OK, error) || !xflash_send32(xflash, packet->sum, error) ||
        !xflash_send(xflash, packet->data, packet->length, error))
        return false;
    if (writing->left)
        fill(writing, &writing->packets[!writing->current], trouble);
    /* Before it takes a sparse image the agent erases the whole partition. */
    if (!xflash_status(xflash, &status, XFLASH_TIMEOUT_FINAL, error))
        return false;
    if (status == MK_XFLASH_S_OK) {
        writing->taken += packet->length;
        return true;
    }
    fault(writing, status, error);
    xflash_drop_copy(xflash); /* the final status says the same */
    return false;
}

static bool write_packets(Writing *writing, GError **error)
{
    for (;;) {
        g_autoptr(GError) trouble = NULL;
        bool last = writing->left == 0;
        if (!deliver(writing, &trouble, error))
            return false;
        if (last)
            break;
        if (!trouble)
            xflash_stopped(writing->xflash, &trouble);
        if (trouble)
            return cancel(writing, &trouble, error);
        writing->current = !writing->current;
    }
    uint32_t status;
    if (!xflash_status(writing->xflash, &status, XFLASH_TIMEOUT_FINAL, error))
        return false;
    if (status != MK_XFLASH_S_OK)
        fault(writing, status, error);
    return status == MK_XFLASH_S_OK;
}

/* Sparse images are expanded by the agent and have to keep their length. */
static bool looks_sparse(const Packet *packet)
{
    static const uint8_t magic[] = {0x3A, 0xFF, 0x26, 0xED};
    return packet->length >= sizeof magic && memcmp(packet->data, magic, sizeof magic) == 0;
}

static bool send_download(MkXFlash *xflash, const char *partition, uint64_t length, const char *doing, GError **error)
{
    g_autoptr(GByteArray) size = g_byte_array_sized_new(LENGTH_BYTES);
    mk_put_le64(size, length);
    return xflash_command(xflash, MK_XFLASH_DOWNLOAD, "DOWNLOAD", MK_FAULT_WRITE, doing, error) &&
           xflash_send(xflash, partition, strlen(partition), error) &&
           xflash_send(xflash, size->data, size->len, error) &&
           xflash_expect_ok(xflash, MK_FAULT_WRITE, doing, XFLASH_TIMEOUT_READY, error);
}

/* A phone without a table takes no WRITE_DATA at all (agents.md XFlash 3); by its scatter name the table itself is the one partition that needs no
 * table to be found. If the agent does not think so either, the first refusal stands. */
static bool write_first_table(Writing *writing, GError **refusal, GError **error)
{
    MkXFlash *xflash = writing->xflash;
    g_autoptr(GError) problem = NULL;
    if (send_download(xflash, TABLE_NAME, writing->length, writing->doing, &problem))
        return write_packets(writing, error);
    GError **told = xflash->base.lost ? &problem : refusal;
    g_propagate_error(error, g_steal_pointer(told));
    return false;
}

static bool is_first_table(const Writing *writing, const XFlashRange *range, const GError *refusal)
{
    return mk_fault_number(refusal) == MK_XFLASH_S_READ_TABLE_FAILED && range->offset == 0 && writing->left == 0 &&
           range->region == mk_geometry_main_region(&writing->xflash->base.info.geometry);
}

bool xflash_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                  gpointer user_data, GError **error)
{
    MkXFlash *xflash = (MkXFlash *)agent;
    XFlashRange range = {.region = region, .offset = offset, .length = length};
    g_autofree char *doing = g_strdup_printf(_("writing %s"), mk_region_name(region));
    g_autoptr(GError) refusal = NULL;
    g_auto(Writing)
        writing = {.xflash = xflash, .source = source, .user_data = user_data, .length = length, .doing = doing};
    if (!begin(&writing, error) ||
        !xflash_command(xflash, MK_XFLASH_WRITE_DATA, "WRITE_DATA", MK_FAULT_WRITE, doing, error) ||
        !xflash_send_range(xflash, &range, error))
        return false;
    if (xflash_expect_ok(xflash, MK_FAULT_WRITE, doing, XFLASH_TIMEOUT_READY, &refusal))
        return write_packets(&writing, error);
    if (is_first_table(&writing, &range, refusal))
        return write_first_table(&writing, &refusal, error);
    g_propagate_error(error, g_steal_pointer(&refusal));
    return false;
}

/* A preloader is written only between these two (spec 13.4). */
static bool download_info(MkXFlash *xflash, uint32_t code, const char *name, GError **error)
{
    XFlashControl control = {code, name, MK_FAULT_WRITE, NULL, 0, NULL, 0};
    return xflash_control(xflash, &control, NULL, error);
}

bool xflash_download(MkAgent *agent, const char *partition, uint64_t length, MkSourceFunc source, gpointer user_data,
                     GError **error)
{
    MkXFlash *xflash = (MkXFlash *)agent;
    g_autofree char *doing = g_strdup_printf(_("writing the partition %s"), partition);
    g_auto(Writing)
        writing = {.xflash = xflash, .source = source, .user_data = user_data, .length = length, .doing = doing};
    uint32_t sector = MAX(agent->info.geometry.sector, 1);
    writing.padding = (uint32_t)(mk_round_up(length, sector) - length);
    if (!begin(&writing, error))
        return false;
    if (writing.padding && looks_sparse(&writing.packets[0])) {
        if (writing.left == 0)
            writing.packets[0].length -= writing.padding;
        writing.padding = 0;
    }
    if (!download_info(xflash, MK_XFLASH_START_DL_INFO, "START_DL_INFO", error) ||
        !send_download(xflash, partition, length + writing.padding, doing, error) || !write_packets(&writing, error))
        return false;
    return download_info(xflash, MK_XFLASH_END_DL_INFO, "END_DL_INFO", error);
}
