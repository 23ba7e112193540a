/* ERASE-FLASH (spec da-xml.md 8.14). Nothing stops it once it runs (spec 12). */
#include "agent/xml.h"

#include "core/i18n.h"

#define GIB_TIMEOUT 10000 /* ms and per GiB: the whole range may be erased before the agent says a word */

int xml_erase_timeout(uint64_t length)
{
    return XML_TIMEOUT_FINAL + (int)MIN(length >> 30, 1024) * GIB_TIMEOUT;
}

bool xml_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
               MkProgress *progress, GError **error)
{
    MkXml *xml = (MkXml *)agent;
    const char *area = xml_area(region, error);
    g_autofree char *doing = g_strdup_printf(_("erasing %s"), mk_region_name(region));
    g_autofree char *from = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", offset);
    g_autofree char *size = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", length);
    const XmlArgument arguments[] = {{"partition", area}, {"offset", from}, {"length", size}, {NULL, NULL}};
    XmlCommand command = {.name = MK_XML_ERASE_FLASH,
                          .arguments = arguments,
                          .doing = doing,
                          .fallback = MK_FAULT_ERASE,
                          .progress = progress,
                          .timeout = xml_erase_timeout(length)};
    if (!area || xml_stopped(xml, error))
        return false;
    if (mode != MK_ERASE_NORMAL || physical) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED,
                     _("This phone's agent erases only as its storage wants; bad blocks stay as they are."));
        return false;
    }
    if (!xml_run(xml, &command, error))
        return false;
    mk_progress_done(progress);
    return true;
}
