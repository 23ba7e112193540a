/* The two directions of a file inside a command (spec da-xml.md 5.1, 5.2; hosts.md "XML"). */
#include "agent/xml.h"

#include "core/hash.h"
#include "core/i18n.h"

bool xml_hear_answer(XmlRun *run, char **text, int timeout, GError **error)
{
    *text = xml_hear(run->xml, timeout, error);
    if (!*text)
        return false;
    if (xml_is_document(*text))
        run->pending = g_steal_pointer(text);
    return true;
}

/* Hears an answer; *OK (may be NULL) becomes false if it is a refusal, after which END says more, or if END came in its place. *NUMBER (may
 * be NULL) gets what it carries. */
static bool agreed(XmlRun *run, bool *ok, uint64_t *number, int timeout, GError **error)
{
    g_autofree char *text = NULL;
    if (!xml_hear_answer(run, &text, timeout, error))
        return false;
    *ok = text && xml_is_ok(text);
    if (number)
        *number = text ? xml_answer_number(text) : 0;
    if (!text || *ok || g_str_has_prefix(text, MK_XML_ERR))
        return true;
    return xml_unexpected(run->xml, text, run->command->doing, error);
}

static bool give_packet(XmlRun *run, uint32_t most, bool checked, bool *ok, GError **error)
{
    MkXml *xml = run->xml;
    XmlPackets *packets = run->command->given;
    size_t length;
    const uint8_t *data = xml_packets_next(packets, most, &length);
    if (!xml_say_number(xml, checked ? mk_sum32(0, data, length) : 0, error) ||
        !agreed(run, ok, NULL, XML_TIMEOUT_BULK, error))
        return false;
    if (!*ok)
        return true;
    if (!mk_frame_send(&xml->frames, data, length, XML_TIMEOUT_BULK, error))
        return false;
    if (!run->trouble)
        xml_packets_prepare(packets, &run->trouble);
    if (!agreed(run, ok, NULL, XML_TIMEOUT_FINAL, error))
        return false;
    run->moved += *ok ? length : 0;
    return true;
}

/* In place of a packet's checksum (spec 5.2); the agent says ERR, then END. */
static bool cancel_giving(XmlRun *run, GError **error)
{
    g_autofree char *text = NULL;
    if (!xml_say(run->xml, MK_XML_CANCEL, error) || !xml_hear_answer(run, &text, XML_TIMEOUT_FINAL, error))
        return false;
    return !text || g_str_has_prefix(text, MK_XML_ERR) || xml_unexpected(run->xml, text, run->command->doing, error);
}

bool xml_give(XmlRun *run, uint32_t packet, bool checked, GError **error)
{
    XmlPackets *packets = run->command->given;
    uint32_t most = mk_frame_packet_limit(&run->xml->frames, packet & ~3u);
    bool ok;
    run->total = xml_packets_length(packets);
    if (!xml_say(run->xml, MK_XML_OK, error) || !xml_say_number(run->xml, run->total, error) ||
        !agreed(run, &ok, NULL, XML_TIMEOUT_BULK, error))
        return false;
    while (ok && xml_packets_left(packets)) {
        if (!run->trouble)
            xml_stopped(run->xml, &run->trouble);
        if (run->trouble)
            return cancel_giving(run, error);
        if (!give_packet(run, most, checked, &ok, error))
            return false;
        mk_progress_set(run->command->progress, run->moved, run->total);
    }
    run->complete = ok;
    return true;
}

/* Whether that many bytes can be meant. If not, the agent is stopped at its first packet, the only place where it listens. */
static void check_total(XmlRun *run)
{
    const XmlTaken *taken = run->command->taken;
    if (run->trouble || run->total == taken->most || (!taken->exact && run->total < taken->most))
        return;
    mk_fault_set(&run->trouble, run->command->fallback,
                 _("While %s the phone announced %" G_GUINT64_FORMAT " bytes where %" G_GUINT64_FORMAT " belong."),
                 run->command->doing, run->total, taken->most);
}

static bool take_packet(XmlRun *run, uint32_t packet, bool *ok, GError **error)
{
    MkXml *xml = run->xml;
    const XmlTaken *taken = run->command->taken;
    size_t length;
    if (!agreed(run, ok, NULL, XML_TIMEOUT_BULK, error))
        return false;
    if (!*ok) /* an ERR is acknowledged before END comes, an END in its place is not (spec 5.1) */
        return run->pending || xml_say(xml, MK_XML_OK, error);
    if (!xml_say(xml, MK_XML_OK, error) ||
        !mk_frame_begin(&xml->frames, (size_t)MIN(packet, run->total - run->moved), &length, XML_TIMEOUT_BULK, error))
        return false;
    if (length == 0)
        return xml_unexpected(xml, "", run->command->doing, error);
    if (!mk_frame_deliver(&xml->frames, taken->sink, taken->user_data, XML_TIMEOUT_BULK, &run->trouble, error))
        return false;
    run->moved += length;
    if (!run->trouble)
        xml_stopped(xml, &run->trouble);
    *ok = !run->trouble;
    return xml_say(xml, *ok ? MK_XML_OK : MK_XML_CANCEL, error);
}

bool xml_take(XmlRun *run, uint32_t packet, GError **error)
{
    bool ok;
    if (!xml_say(run->xml, MK_XML_OK, error) || !agreed(run, &ok, &run->total, XML_TIMEOUT_FINAL, error))
        return false;
    if (!ok)
        return true;
    check_total(run);
    if (!xml_say(run->xml, MK_XML_OK, error))
        return false;
    while (ok && run->moved < run->total) {
        if (!take_packet(run, packet, &ok, error))
            return false;
    }
    run->complete = ok;
    return true;
}
