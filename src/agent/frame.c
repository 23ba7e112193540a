#include "agent/frame.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"
#include "proto/xflash.h"

#define LOG_MOST   0x10000u /* bytes of one log frame */
#define LOG_FRAMES 100000u  /* between two protocol frames: then the phone only babbles */
#define LOG_SHOWN  512u     /* bytes of it that go into the trace */
#define PIECE      (1u << 17)
#define UART_MOST  0x10000u /* a UART is slow: a packet must fit into the time limits */

static bool lose(MkFrames *frames)
{
    *frames->lost = true;
    return false;
}

static bool get(MkFrames *frames, void *data, size_t length, int timeout, GError **error)
{
    return mk_link_read(frames->link, data, length, timeout, frames->cancel, error) || lose(frames);
}

static bool put(MkFrames *frames, const void *data, size_t length, int timeout, GError **error)
{
    return mk_link_write(frames->link, data, length, timeout, frames->cancel, error) || lose(frames);
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

bool mk_frame_send(MkFrames *frames, const void *payload, size_t length, int timeout, GError **error)
{
    uint8_t header[MK_XFLASH_HEADER_SIZE];
    put_le32(header, MK_XFLASH_MAGIC);
    put_le32(header + 4, MK_XFLASH_FRAME_PROTOCOL);
    put_le32(header + 8, (uint32_t)length);
    return put(frames, header, sizeof header, timeout, error) && put(frames, payload, length, timeout, error);
}

bool mk_frame_send32(MkFrames *frames, uint32_t value, int timeout, GError **error)
{
    uint8_t bytes[4];
    put_le32(bytes, value);
    return mk_frame_send(frames, bytes, sizeof bytes, timeout, error);
}

/* Priority and text; only the trace is interested. */
static bool take_log(MkFrames *frames, size_t length, int timeout, GError **error)
{
    char text[LOG_SHOWN + 1];
    uint8_t rest[1024];
    size_t shown = MIN(length, LOG_SHOWN);
    if (!get(frames, text, shown, timeout, error))
        return false;
    for (size_t left = length - shown; left; left -= MIN(left, sizeof rest)) {
        if (!get(frames, rest, MIN(left, sizeof rest), timeout, error))
            return false;
    }
    for (size_t i = 0; i < shown; i++) {
        if (!g_ascii_isprint(text[i]))
            text[i] = ' ';
    }
    text[shown] = '\0';
    mk_link_note(frames->link, "the phone's log: %s", g_strstrip(text));
    return true;
}

/* Header of the next frame of any type. */
static bool get_header(MkFrames *frames, uint32_t *type, uint32_t *length, int timeout, GError **error)
{
    uint8_t header[MK_XFLASH_HEADER_SIZE];
    if (!get(frames, header, sizeof header, timeout, error))
        return false;
    *type = mk_le32(header + 4);
    *length = mk_le32(header + 8);
    if (mk_le32(header) == MK_XFLASH_MAGIC)
        return true;
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("The phone sent 0x%08X where a frame (0x%08X) should begin."),
                 mk_le32(header), MK_XFLASH_MAGIC);
    return lose(frames);
}

bool mk_frame_begin(MkFrames *frames, size_t most, size_t *length, int timeout, GError **error)
{
    g_return_val_if_fail(frames->left == 0, lose(frames));
    for (unsigned i = 0; i < LOG_FRAMES; i++) {
        uint32_t type, announced;
        if (!get_header(frames, &type, &announced, timeout, error))
            return false;
        bool log = type == MK_XFLASH_FRAME_LOG;
        if (announced > (log ? LOG_MOST : most)) {
            mk_fault_set(error, MK_FAULT_PROTOCOL,
                         _("The phone announces %u bytes where at most %" G_GSIZE_FORMAT " belong."), announced,
                         log ? (size_t)LOG_MOST : most);
            return lose(frames);
        }
        if (!log) {
            *length = frames->left = announced;
            return true;
        }
        if (!take_log(frames, announced, timeout, error))
            return false;
    }
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("The phone sends nothing but log lines."));
    return lose(frames);
}

bool mk_frame_take(MkFrames *frames, void *data, size_t length, int timeout, GError **error)
{
    g_return_val_if_fail(length <= frames->left, lose(frames));
    frames->left -= length;
    return get(frames, data, length, timeout, error);
}

bool mk_frame_deliver(MkFrames *frames, MkSinkFunc sink, gpointer user_data, int timeout, GError **trouble,
                      GError **error)
{
    g_autofree uint8_t *buffer = g_malloc(MIN(PIECE, MAX(frames->left, 1)));
    while (frames->left) {
        size_t piece = MIN(frames->left, PIECE);
        if (!mk_frame_take(frames, buffer, piece, timeout, error))
            return false;
        if (!*trouble)
            sink(buffer, piece, user_data, trouble);
    }
    return true;
}

uint32_t mk_frame_packet_limit(const MkFrames *frames, uint32_t most)
{
    const MkLink *link = frames->link;
    bool uart = link->kind == MK_LINK_SERIAL &&
                (g_str_has_prefix(link->name, "/dev/ttyS") || g_str_has_prefix(link->name, "/dev/ttyUSB"));
    return uart ? MIN(UART_MOST, most) : most;
}

bool mk_frame_skip(MkFrames *frames, int timeout, GError **error)
{
    uint8_t rest[4096];
    while (frames->left) {
        if (!mk_frame_take(frames, rest, MIN(frames->left, sizeof rest), timeout, error))
            return false;
    }
    return true;
}

bool mk_frame_receive(MkFrames *frames, void *data, size_t most, size_t *length, int timeout, GError **error)
{
    return mk_frame_begin(frames, most, length, timeout, error) && mk_frame_take(frames, data, *length, timeout, error);
}
