/* The speed of the cable and the end of a session (spec da-xml.md 8.17 to 8.19). */
#include "agent/xml.h"

#include "core/i18n.h"

#include <string.h>

#define SPEED_PAGE "MEM://0x1:0x40"

/* An agent that does not know the question has no faster mode. */
bool xml_high_speed(MkAgent *agent, bool *reenumerates, GError **error)
{
    MkXml *xml = (MkXml *)agent;
    const XmlArgument arguments[] = {{"target_file", SPEED_PAGE}, {NULL, NULL}};
    g_autoptr(GBytes) answer = NULL;
    *reenumerates = false;
    if (!xml_ask(xml, MK_XML_CAN_HIGHER_USB_SPEED, arguments, &answer, error))
        return false;
    gsize size = 0;
    const char *text = answer ? g_bytes_get_data(answer, &size) : NULL;
    if (size < 3 || strncmp(text, "YES", 3) != 0)
        return true;
    XmlCommand command = {.name = MK_XML_SWITCH_USB_SPEED,
                          .doing = _("changing the speed of the cable"),
                          .fallback = MK_FAULT_UNSUPPORTED,
                          .then = XML_THEN_NOTHING};
    if (!xml_run(xml, &command, error))
        return false;
    *reenumerates = xml->may_repeat = true;
    return true;
}

static bool set_boot_mode(MkXml *xml, const char *mode, GError **error)
{
    const XmlArgument arguments[] = {
        {"mode", mode}, {"connect_type", "USB"}, {"mobile_log", "ON"}, {"adb", "ON"}, {NULL, NULL}};
    XmlCommand command = {.name = MK_XML_SET_BOOT_MODE,
                          .arguments = arguments,
                          .doing = _("setting what the phone starts next"),
                          .fallback = MK_FAULT_UNSUPPORTED};
    return xml_run(xml, &command, error);
}

/* Without a restart the agent leaves the bus; the phone is off as soon as the cable is out. */
bool xml_finish(MkAgent *agent, MkAfter after, GError **error)
{
    MkXml *xml = (MkXml *)agent;
    bool restart = after != MK_AFTER_STAY && after != MK_AFTER_OFF;
    const XmlArgument arguments[] = {{"action", restart ? "IMMEDIATE" : "DISCONNECT"}, {NULL, NULL}};
    XmlCommand command = {.name = MK_XML_REBOOT,
                          .arguments = arguments,
                          .doing = _("ending the session"),
                          .fallback = MK_FAULT_PROTOCOL,
                          .then = XML_THEN_NOTHING};
    if ((after == MK_AFTER_META && !set_boot_mode(xml, "META", error)) ||
        (after == MK_AFTER_FASTBOOT && !set_boot_mode(xml, "FASTBOOT", error)) || !xml_run(xml, &command, error))
        return false;
    agent->lost = true; /* the agent never answers again */
    return true;
}
