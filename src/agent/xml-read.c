/* READ-FLASH and READ-PARTITION (spec da-xml.md 8.10, 8.11). */
#include "agent/xml.h"

#include "core/i18n.h"

bool xml_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
              GError **error)
{
    MkXml *xml = (MkXml *)agent;
    const char *area = xml_area(region, error);
    g_autofree char *doing = g_strdup_printf(_("reading %s"), mk_region_name(region));
    g_autofree char *from = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", offset);
    g_autofree char *size = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", length);
    const XmlArgument arguments[] = {
        {"partition", area}, {"offset", from}, {"length", size}, {"target_file", XML_DUMP}, {NULL, NULL}};
    XmlTaken taken = {.most = length, .exact = true, .sink = sink, .user_data = user_data};
    XmlCommand command = {
        .name = MK_XML_READ_FLASH, .arguments = arguments, .taken = &taken, .doing = doing, .fallback = MK_FAULT_READ};
    return area && !xml_stopped(xml, error) && xml_run(xml, &command, error);
}

bool xml_upload(MkAgent *agent, const char *partition, MkSinkFunc sink, gpointer user_data, GError **error)
{
    MkXml *xml = (MkXml *)agent;
    g_autofree char *doing = g_strdup_printf(_("reading the partition %s"), partition);
    const XmlArgument arguments[] = {{"partition", partition}, {"target_file", XML_DUMP}, {NULL, NULL}};
    XmlTaken taken = {.exact = true, .sink = sink, .user_data = user_data};
    XmlCommand command = {.name = MK_XML_READ_PARTITION,
                          .arguments = arguments,
                          .taken = &taken,
                          .doing = doing,
                          .fallback = MK_FAULT_READ};
    return !xml_stopped(xml, error) && xml_partition_size(xml, partition, &taken.most, error) &&
           xml_run(xml, &command, error);
}
