/* Frames, texts and documents of the XML agents (spec da-xml.md 2), and what may go wrong with them on demand. */
#include "phone/xml-device.h"

#include <string.h>

#define PROLOG     "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define LEVEL_TALK 1 /* from this level down there is a line before every frame */

/* --- out -------------------------------------------------------------------------------------------------------------------------- */

void mk_xml_say(MkXml *x, unsigned level, const char *format, ...)
{
    if (x->gone || !x->log_to_usb || level < x->log_level)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *line = g_strdup_vprintf(format, arguments), *text = g_strdup_printf("DA%u: %s\n", x->stage, line);
    va_end(arguments);
    x->gone = !mk_frame_write_log(x->wire, text);
}

/* The frame that a fault waits for does not leave, or only half of it does. True: it is done. */
static bool misses(MkXml *x, const void *data, size_t length)
{
    MkMachine *machine = x->machine;
    if (!machine->frame_fault || --machine->frame_fault)
        return false;
    mk_machine_log(machine, "fault: the agent's next frame is %s", machine->frame_cut ? "cut" : "dropped");
    if (machine->frame_cut)
        x->gone = !mk_frame_write_half(x->wire, data, length);
    return true;
}

void mk_xml_put(MkXml *x, const void *data, size_t length)
{
    mk_xml_say(x, LEVEL_TALK, "%zu bytes", length);
    if (!x->gone && !misses(x, data, length))
        x->gone = !mk_frame_write(x->wire, data, length);
}

void mk_xml_put_text(MkXml *x, const char *text)
{
    if (!x->gone && g_str_has_prefix(text, MK_XML_ERR))
        mk_machine_log(x->machine, "agent: answers %s", text);
    mk_xml_put(x, text, strlen(text) + 1);
}

void mk_xml_put_document(MkXml *x, const char *command, const char *arg)
{
    const char *before = arg ? "<arg>" : "", *behind = arg ? "</arg>" : "";
    g_autofree char *document =
        g_strdup_printf(PROLOG "<" MK_XML_ROOT_DEVICE "><version>1.0</version><command>%s</command>%s%s%s"
                               "</" MK_XML_ROOT_DEVICE ">",
                        command, before, arg ? arg : "", behind);
    mk_xml_put(x, document, strlen(document) + 1);
}

/* --- in ----------------------------------------------------------------------------------------------------------------------------- */

uint8_t *mk_xml_buffer(MkXml *x, size_t length)
{
    g_assert(length <= MK_XML_DOWNLOAD_PACKET);
    if (length > x->buffer_size || !x->buffer) {
        x->buffer_size = MAX(length, 4096);
        x->buffer = g_realloc(x->buffer, x->buffer_size);
    }
    return x->buffer;
}

static MkXmlAnswer judge(MkXml *x, MkFrameResult result)
{
    x->gone |= result == MK_FRAME_GONE;
    if (result == MK_FRAME_BROKEN || result == MK_FRAME_OVERFLOW)
        mk_machine_log(x->machine, "agent: %s",
                       result == MK_FRAME_BROKEN ? "no frame where one has to begin" : "a frame longer than it may be");
    return result == MK_FRAME_OK ? MK_XML_YES : MK_XML_BROKEN;
}

MkXmlAnswer mk_xml_take_frame(MkXml *x, size_t room, size_t *length)
{
    uint32_t told = 0;
    *length = 0;
    if (x->gone || judge(x, mk_frame_read_header(x->wire, &told)) != MK_XML_YES)
        return MK_XML_BROKEN;
    if (told > room)
        return judge(x, MK_FRAME_OVERFLOW);
    *length = told;
    return judge(x, mk_frame_read_payload(x->wire, told, mk_xml_buffer(x, told), told));
}

/* No NUL, one or two are all the same; the agent looks at the first two letters and splits at '@' (spec 2.1, vector 28). */
MkXmlAnswer mk_xml_take_answer(MkXml *x, char **value)
{
    char text[MK_XML_ANSWER_MAX + 1] = {0};
    size_t length;
    if (value)
        *value = NULL;
    if (x->gone || judge(x, mk_frame_read(x->wire, text, MK_XML_ANSWER_MAX, &length)) != MK_XML_YES)
        return MK_XML_BROKEN;
    g_auto(GStrv) parts = g_strsplit(text, "@", 3);
    if (value && parts[0] && parts[1])
        *value = g_strdup(parts[1]);
    return strncmp(text, MK_XML_OK, 2) == 0 ? MK_XML_YES : MK_XML_NO;
}
