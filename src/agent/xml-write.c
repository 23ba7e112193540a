/* WRITE-FLASH and WRITE-PARTITION (spec da-xml.md 8.12, 8.13, 14). The agent erases first and checks afterwards: whatever can be known is checked
 * here before a word is said to it. */
#include "agent/xml.h"

#include "core/i18n.h"

#include <string.h>

#define SPARSE_MAGIC 0xED26FF3Au
#define PRELOADER    "preloader"

/* The bytes that a sparse image stands for; false if it is none. */
static bool sparse_size(const XmlPackets *packets, uint64_t *size)
{
    size_t length;
    const uint8_t *data = xml_packets_peek(packets, &length);
    if (length < 4 || mk_le32(data) != SPARSE_MAGIC)
        return false;
    *size = length >= 20 ? (uint64_t)mk_le32(data + 12) * mk_le32(data + 16) : UINT64_MAX;
    return true;
}

bool xml_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
               gpointer user_data, GError **error)
{
    MkXml *xml = (MkXml *)agent;
    const char *area = xml_area(region, error);
    g_autofree char *doing = g_strdup_printf(_("writing %s"), mk_region_name(region));
    g_autofree char *at = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", offset);
    const XmlArgument arguments[] = {{"partition", area}, {"offset", at}, {"source_file", XML_IMAGE}, {NULL, NULL}};
    if (!area || xml_stopped(xml, error))
        return false;
    g_autoptr(XmlPackets) packets = xml_packets_new(length, source, user_data, error);
    uint64_t expanded;
    if (!packets)
        return false;
    if (sparse_size(packets, &expanded)) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND,
                     _("What is to be written at 0x%" G_GINT64_MODIFIER
                       "X of %s begins like a sparse image; the phone's agent would expand it instead of writing it."),
                     offset, mk_region_name(region));
        return false;
    }
    XmlCommand command = {.name = MK_XML_WRITE_FLASH,
                          .arguments = arguments,
                          .given = packets,
                          .doing = doing,
                          .fallback = MK_FAULT_WRITE,
                          .timeout = xml_erase_timeout(length)};
    return xml_run(xml, &command, error);
}

/* A source with zeros behind its end. */
typedef struct {
    MkSourceFunc source;
    gpointer user_data;
    uint64_t left;
} Padded;

static bool padded_source(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Padded *padded = user_data;
    size_t own = (size_t)MIN(length, padded->left);
    padded->left -= own;
    memset(data + own, 0, length - own);
    return own == 0 || padded->source(data, own, padded->user_data, error);
}

/* A preloader is in no table: it goes into the boot region, behind a header of one block that the agent makes. */
static bool room_for(MkXml *xml, const char *partition, uint64_t *room, GError **error)
{
    const MkGeometry *geometry = &xml->base.info.geometry;
    if (strcmp(partition, PRELOADER) != 0)
        return xml_partition_size(xml, partition, room, error);
    uint64_t boot = mk_geometry_region_size(geometry, mk_geometry_boot_region(geometry, 0));
    *room = boot - MIN(boot, mk_agent_page_unit(&xml->base, mk_geometry_boot_region(geometry, 0)));
    return true;
}

static bool check_size(const char *partition, uint64_t length, uint64_t room, GError **error)
{
    if (length && length <= room)
        return true;
    mk_fault_set(error, MK_FAULT_IMAGE_SIZE,
                 _("The image for %s has %" G_GUINT64_FORMAT " bytes; its partition takes %" G_GUINT64_FORMAT "."),
                 partition, length, room);
    return false;
}

static bool write_partition(MkXml *xml, const char *partition, XmlPackets *packets, uint64_t room, GError **error)
{
    const XmlArgument arguments[] = {{"partition", partition}, {"source_file", XML_IMAGE}, {NULL, NULL}};
    g_autofree char *doing = g_strdup_printf(_("writing the partition %s"), partition);
    XmlCommand command = {.name = MK_XML_WRITE_PARTITION,
                          .arguments = arguments,
                          .given = packets,
                          .doing = doing,
                          .fallback = MK_FAULT_WRITE,
                          .timeout = xml_erase_timeout(room)};
    return xml_run(xml, &command, error);
}

/* The agent expands a sparse image itself, and knows its length from the image; any other gets zeros up to the end of its last block. */
bool xml_download(MkAgent *agent, const char *partition, uint64_t length, MkSourceFunc source, gpointer user_data,
                  GError **error)
{
    MkXml *xml = (MkXml *)agent;
    Padded padded = {source, user_data, length};
    uint64_t room, expanded;
    if (xml_stopped(xml, error) || !room_for(xml, partition, &room, error) ||
        !check_size(partition, length, room, error))
        return false;
    uint64_t whole = mk_round_up(length, MAX(agent->info.geometry.sector, 1));
    g_autoptr(XmlPackets) packets = xml_packets_new(whole, padded_source, &padded, error);
    if (!packets)
        return false;
    if (sparse_size(packets, &expanded)) {
        xml_packets_cut(packets, length);
        if (!check_size(partition, expanded, room, error))
            return false;
    }
    return write_partition(xml, partition, packets, room, error);
}
