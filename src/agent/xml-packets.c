/* What a command gives to the agent, cut into packets. Two buffers: while the phone takes the one the other is filled. */
#include "agent/xml.h"

#include <string.h>

#define BUFFER (2u << 20) /* bytes; what today's agents take at once (spec 8.1) */

struct _XmlPackets {
    MkSourceFunc source;
    gpointer user_data;
    MkReader bytes; /* what xml_packets_of_bytes() reads from */
    GBytes *held;
    uint64_t length; /* bytes in all */
    uint64_t unread; /* bytes still with the source */
    uint64_t left;   /* bytes not yet handed out */
    struct {
        uint8_t *data;
        size_t length, at;
    } buffers[2];
    unsigned current;
};

static bool fill(XmlPackets *packets, unsigned index, GError **error)
{
    size_t length = (size_t)MIN(packets->unread, BUFFER);
    if (!packets->buffers[index].data)
        packets->buffers[index].data = g_malloc(length);
    packets->buffers[index].length = packets->buffers[index].at = 0;
    if (!packets->source(packets->buffers[index].data, length, packets->user_data, error))
        return false;
    packets->buffers[index].length = length;
    packets->unread -= length;
    return true;
}

XmlPackets *xml_packets_new(uint64_t length, MkSourceFunc source, gpointer user_data, GError **error)
{
    g_autoptr(XmlPackets) packets = g_new0(XmlPackets, 1);
    packets->source = source;
    packets->user_data = user_data;
    packets->length = packets->unread = packets->left = length;
    return fill(packets, 0, error) ? g_steal_pointer(&packets) : NULL;
}

static bool bytes_source(uint8_t *data, size_t length, gpointer reader, G_GNUC_UNUSED GError **error)
{
    memcpy(data, mk_reader_take(reader, length), length);
    return true;
}

XmlPackets *xml_packets_of_bytes(GBytes *bytes)
{
    XmlPackets *packets = g_new0(XmlPackets, 1);
    packets->held = g_bytes_ref(bytes);
    packets->bytes = mk_reader(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    packets->source = bytes_source;
    packets->user_data = &packets->bytes;
    packets->length = packets->unread = packets->left = packets->bytes.length;
    fill(packets, 0, NULL);
    return packets;
}

void xml_packets_free(XmlPackets *packets)
{
    if (!packets)
        return;
    g_free(packets->buffers[0].data);
    g_free(packets->buffers[1].data);
    g_clear_pointer(&packets->held, g_bytes_unref);
    g_free(packets);
}

/* The checksum wants whole words everywhere but at the end: both MOST and a buffer are (spec 5.2). */
const uint8_t *xml_packets_next(XmlPackets *packets, size_t most, size_t *length)
{
    if (packets->buffers[packets->current].at == packets->buffers[packets->current].length)
        packets->current = !packets->current;
    size_t at = packets->buffers[packets->current].at;
    *length = MIN(most, packets->buffers[packets->current].length - at);
    packets->buffers[packets->current].at += *length;
    packets->left -= *length;
    return packets->buffers[packets->current].data + at;
}

bool xml_packets_prepare(XmlPackets *packets, GError **error)
{
    unsigned next = !packets->current;
    bool waiting = packets->buffers[next].at < packets->buffers[next].length;
    return waiting || packets->unread == 0 || fill(packets, next, error);
}

void xml_packets_cut(XmlPackets *packets, uint64_t length)
{
    uint64_t less = packets->length - MIN(length, packets->length);
    packets->length -= less;
    packets->left -= less;
    packets->unread -= MIN(less, packets->unread);
    packets->buffers[0].length = (size_t)MIN(packets->buffers[0].length, packets->length);
}

uint64_t xml_packets_length(const XmlPackets *packets)
{
    return packets->length;
}

uint64_t xml_packets_left(const XmlPackets *packets)
{
    return packets->left;
}

const uint8_t *xml_packets_peek(const XmlPackets *packets, size_t *length)
{
    *length = packets->buffers[0].length;
    return packets->buffers[0].data;
}
