/* READ_DATA and UPLOAD (spec da-xflash.md 12.2, 13.1, 13.5). */
#include "agent/xflash.h"

#include "core/i18n.h"

#include <string.h>

#define DETAIL_TEXT 32 /* bytes */

enum { NAND_PAGE = 1 }; /* operation type: data without spare */

typedef struct {
    MkXFlash *xflash;
    uint64_t length, done;
    MkSinkFunc sink;
    gpointer user_data;
    const char *doing;
} Reading;

/* One packet to the sink. What goes wrong there is kept in *trouble: the rest of the packet has to be taken from the phone all the
 * same. */
static bool take_packet(Reading *reading, GError **trouble, GError **error)
{
    MkFrames *frames = &reading->xflash->frames;
    size_t most = (size_t)MIN(reading->length - reading->done, reading->xflash->read_packet), length;
    if (!mk_frame_begin(frames, most, &length, XFLASH_TIMEOUT_BULK, error))
        return false;
    if (length == 0)
        return xflash_unexpected(reading->xflash, 0, reading->doing, error);
    reading->done += length;
    return mk_frame_deliver(frames, reading->sink, reading->user_data, XFLASH_TIMEOUT_BULK, trouble, error);
}

/* What the chip said of its failure and where, in the words of agents that keep it (spec 6.1); NULL where they have none. */
static char *failure_words(MkXFlash *xflash)
{
    uint8_t detail[MK_XFLASH_ERROR_DETAIL_SIZE];
    size_t length;
    if (xflash->old || xflash->base.lost ||
        !xflash_ask(xflash, MK_XFLASH_GET_ERROR_DETAIL, "GET_ERROR_DETAIL", detail, sizeof detail, &length, NULL,
                    NULL) ||
        length < DETAIL_TEXT + 8)
        return NULL;
    MkReader reader = mk_reader(detail, DETAIL_TEXT);
    g_autofree char *text = g_strstrip(mk_reader_text(&reader, DETAIL_TEXT));
    return *text ? g_strdup_printf(_("%s at block %" G_GUINT64_FORMAT), text, mk_le64(detail + DETAIL_TEXT)) : NULL;
}

/* An error may come ahead of data already read, and once more as the final status (spec 13.1). */
static bool failed(Reading *reading, uint32_t status, GError **error)
{
    bool storage = status >= MK_XFLASH_S_MMC && status <= MK_XFLASH_S_UFS && status != MK_XFLASH_S_EMI_VERSION;
    xflash_drop_copy(reading->xflash);
    g_autofree char *words = storage ? failure_words(reading->xflash) : NULL;
    g_autofree char *doing =
        g_strdup_printf(_("%s (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes were read%s%s)"), reading->doing,
                        reading->done, reading->length, words ? ", " : "", words ? words : "");
    mk_xflash_status_fault(status, MK_FAULT_READ, doing, error);
    return false;
}

/* Tells the agent to stop; it answers with one status and is idle again. */
static bool cancel(Reading *reading, GError **trouble, GError **error)
{
    uint32_t status;
    if (!xflash_send32(reading->xflash, MK_XFLASH_S_ABORT, error) ||
        !xflash_status(reading->xflash, &status, XFLASH_TIMEOUT_BULK, error))
        return false;
    g_propagate_error(error, g_steal_pointer(trouble));
    return false;
}

/* A packet's status, and the word that the dialect of 2015 wants before the data. */
static bool begin_packet(Reading *reading, GError **error)
{
    MkXFlash *xflash = reading->xflash;
    uint32_t status;
    if (!xflash_status(xflash, &status, XFLASH_TIMEOUT_BULK, error))
        return false;
    if (status != MK_XFLASH_S_OK)
        return failed(reading, status, error);
    return !xflash->old || xflash_send32(xflash, 0, error);
}

static bool read_packets(Reading *reading, GError **error)
{
    while (reading->done < reading->length) {
        g_autoptr(GError) trouble = NULL;
        if (!begin_packet(reading, error) || !take_packet(reading, &trouble, error))
            return false;
        if (!trouble)
            xflash_stopped(reading->xflash, &trouble);
        if (trouble)
            return cancel(reading, &trouble, error);
        if (!xflash_send32(reading->xflash, MK_XFLASH_S_OK, error))
            return false;
    }
    return xflash_expect_ok(reading->xflash, MK_FAULT_READ, reading->doing, XFLASH_TIMEOUT_BULK, error);
}

static bool read_range(MkXFlash *xflash, const XFlashRange *range, MkSinkFunc sink, gpointer user_data, GError **error)
{
    g_autofree char *doing = g_strdup_printf(_("reading %s"), mk_region_name(range->region));
    Reading reading = {xflash, range->length, 0, sink, user_data, doing};
    return !xflash_stopped(xflash, error) &&
           xflash_command(xflash, MK_XFLASH_READ_DATA, "READ_DATA", MK_FAULT_READ, doing, error) &&
           xflash_send_range(xflash, range, error) &&
           xflash_expect_ok(xflash, MK_FAULT_READ, doing, XFLASH_TIMEOUT_READY, error) && read_packets(&reading, error);
}

bool xflash_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                 GError **error)
{
    XFlashRange range = {
        .region = region, .offset = offset, .length = length, .nand_mode = region == MK_REGION_NAND ? NAND_PAGE : 0};
    return read_range((MkXFlash *)agent, &range, sink, user_data, error);
}

bool xflash_upload(MkAgent *agent, const char *partition, MkSinkFunc sink, gpointer user_data, GError **error)
{
    MkXFlash *xflash = (MkXFlash *)agent;
    g_autofree char *doing = g_strdup_printf(_("reading the partition %s"), partition);
    Reading reading = {xflash, 0, 0, sink, user_data, doing};
    uint8_t size[8];
    size_t length;
    if (xflash_stopped(xflash, error) ||
        !xflash_command(xflash, MK_XFLASH_UPLOAD, "UPLOAD", MK_FAULT_READ, doing, error) ||
        !xflash_send(xflash, partition, strlen(partition), error) ||
        !xflash_expect_ok(xflash, MK_FAULT_READ, doing, XFLASH_TIMEOUT_READY, error) ||
        !mk_frame_receive(&xflash->frames, size, sizeof size, &length, XFLASH_TIMEOUT, error))
        return false;
    if (length != sizeof size)
        return xflash_unexpected(xflash, (uint32_t)length, doing, error);
    reading.length = mk_le64(size);
    return read_packets(&reading, error);
}
