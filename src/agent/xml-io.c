/* Frames as texts: what both ends say to one another beside raw data (spec da-xml.md 2, 2.1, 3). */
#include "agent/xml.h"

#include "core/i18n.h"

#include <string.h>

#define TEXT_MOST 0x10000u /* bytes of an answer or a document that is no file */
#define SHOWN     60       /* characters of an answer in a message */

bool xml_say(MkXml *xml, const char *text, GError **error)
{
    return mk_frame_send(&xml->frames, text, strlen(text) + 1, XML_TIMEOUT_BULK, error);
}

bool xml_say_number(MkXml *xml, uint64_t value, GError **error)
{
    g_autofree char *text = g_strdup_printf(MK_XML_OK "@0x%" G_GINT64_MODIFIER "x", value);
    return xml_say(xml, text, error);
}

char *xml_hear(MkXml *xml, int timeout, GError **error)
{
    size_t length;
    if (!mk_frame_begin(&xml->frames, TEXT_MOST, &length, timeout, error))
        return NULL;
    g_autofree char *text = g_malloc(length + 1);
    if (!mk_frame_take(&xml->frames, text, length, XML_TIMEOUT, error))
        return NULL;
    text[length] = '\0';
    return g_steal_pointer(&text);
}

bool xml_is_ok(const char *text)
{
    return g_str_has_prefix(text, MK_XML_OK);
}

/* No answer begins with it. */
bool xml_is_document(const char *text)
{
    while (g_ascii_isspace(*text))
        text++;
    return *text == '<';
}

uint64_t xml_answer_number(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", 3);
    uint64_t value;
    return g_strv_length(parts) > 1 && xml_number(g_strstrip(parts[1]), &value) ? value : 0;
}

bool xml_unexpected(MkXml *xml, const char *text, const char *doing, GError **error)
{
    MkReader reader = mk_reader(text, strlen(text));
    g_autofree char *shown = mk_reader_text(&reader, MIN(strlen(text), SHOWN));
    xml->base.lost = true;
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("While %s the phone answered \"%s\", which does not belong there."), doing,
                 shown);
    return false;
}

bool xml_stopped(MkXml *xml, GError **error)
{
    if (!g_cancellable_is_cancelled(xml->base.cancel))
        return false;
    mk_fault_set(error, MK_FAULT_STOPPED, _("Stopped at your wish."));
    return true;
}

char *xml_command_of(const char *text)
{
    g_autoptr(xmlDoc) document = xml_parse(text, strlen(text));
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    return root && xml_is_named(root, MK_XML_ROOT_DEVICE) ? xml_text(root, "command") : NULL;
}

bool xml_await_start(MkXml *xml, const char *doing, int timeout, GError **error)
{
    g_autofree char *text = xml_hear(xml, timeout, error);
    g_autofree char *command = text ? xml_command_of(text) : NULL;
    if (!text)
        return false;
    if (g_strcmp0(command, MK_XML_START) != 0)
        return xml_unexpected(xml, text, doing, error);
    return xml_say(xml, MK_XML_OK, error);
}
