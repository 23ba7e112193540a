/* One command from its document to the next START: what the agent asks for meanwhile, and its verdict (spec da-xml.md 3, 5). The file service
 * answers only for the files of the command that runs, and makes or removes nothing. */
#include "agent/xml.h"

#include "core/i18n.h"

#include <string.h>

#define DOCUMENTS_MOST  4096u   /* of the agent's in one command */
#define REPORTS_MOST    100000u /* lines of progress in one report */
#define PACKET_LEAST    0x200u
#define PACKET_MOST     0x1000000u
#define ANSWER_MOST     (1u << 20)
#define CHECKSUM_NEEDED "CHK_ADD"
#define START_WAIT      2000 /* ms */

static int patience(const XmlRun *run)
{
    return run->command->timeout ? run->command->timeout : XML_TIMEOUT_FINAL;
}

/* The name under which the command speaks of a file, or NULL. */
static const char *name_of(const XmlArgument *arguments, const char *element)
{
    for (; arguments && arguments->name; arguments++) {
        if (strcmp(arguments->name, element) == 0)
            return arguments->value;
    }
    return NULL;
}

/* Is it the file of this command, and not begun yet? */
static bool is_given(const XmlRun *run, const char *name)
{
    const char *own = run->command->given ? name_of(run->command->arguments, "source_file") : NULL;
    return own && g_strcmp0(own, name) == 0 &&
           xml_packets_left(run->command->given) == xml_packets_length(run->command->given);
}

static bool is_taken(const XmlRun *run, const char *name)
{
    const char *own = run->command->taken ? name_of(run->command->arguments, "target_file") : NULL;
    return own && g_strcmp0(own, name) == 0 && run->moved == 0 && !run->complete;
}

static bool read_packet_length(XmlRun *run, const xmlNode *arg, uint32_t *packet, GError **error)
{
    g_autofree char *text = xml_text(arg, "packet_length");
    uint64_t length;
    if (!xml_number(text, &length) || length < PACKET_LEAST)
        return xml_unexpected(run->xml, text ? text : "", run->command->doing, error);
    *packet = (uint32_t)MIN(length, PACKET_MOST);
    return true;
}

static bool on_download(XmlRun *run, const xmlNode *arg, GError **error)
{
    g_autofree char *name = xml_text(arg, "source_file"), *checksum = xml_text(arg, "checksum");
    uint32_t packet;
    if (!is_given(run, name)) {
        mk_link_note(run->xml->base.link, "the agent asks for a file that is not open");
        return xml_say(run->xml, MK_XML_CANCEL, error);
    }
    return read_packet_length(run, arg, &packet, error) &&
           xml_give(run, packet, g_strcmp0(checksum, CHECKSUM_NEEDED) == 0, error);
}

static bool on_upload(XmlRun *run, const xmlNode *arg, GError **error)
{
    g_autofree char *name = xml_text(arg, "target_file");
    uint32_t packet;
    if (!is_taken(run, name)) {
        mk_link_note(run->xml->base.link, "the agent wants to deliver what nobody asked for");
        return xml_say(run->xml, MK_XML_CANCEL, error);
    }
    return read_packet_length(run, arg, &packet, error) && xml_take(run, packet, error);
}

/* "OK!PROGRESS@50@text" or "OK@50" (spec 5.3, hosts.md). An erasure shows its own progress, a transfer that of its bytes. */
static void note_progress(const XmlRun *run, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "@", 3);
    uint64_t percent;
    if (!run->command->given && !run->command->taken && g_strv_length(parts) > 1 && xml_number(parts[1], &percent))
        mk_progress_set(run->command->progress, MIN(percent, 100), 100);
}

static bool on_progress(XmlRun *run, GError **error)
{
    if (!xml_say(run->xml, MK_XML_OK, error))
        return false;
    for (unsigned i = 0; i < REPORTS_MOST; i++) {
        g_autofree char *text = NULL;
        if (!xml_hear_answer(run, &text, patience(run), error))
            return false;
        if (!text)
            return true;
        if (!xml_is_ok(text) && !g_str_has_prefix(text, MK_XML_ERR))
            return xml_unexpected(run->xml, text, run->command->doing, error);
        note_progress(run, text);
        if (!xml_say(run->xml, MK_XML_OK, error))
            return false;
        if (!xml_is_ok(text) || g_str_has_prefix(text, MK_XML_EOT))
            return true;
    }
    return xml_unexpected(run->xml, "OK!PROGRESS", run->command->doing, error);
}

/* Two frames: the document is acknowledged, then answered (spec 5.4). Side files of an image are never there (spec 8.13). */
static bool on_file_system(XmlRun *run, const xmlNode *arg, GError **error)
{
    g_autofree char *key = xml_text(arg, "key"), *name = xml_text(arg, "file_path");
    bool given = is_given(run, name);
    if (!xml_say(run->xml, MK_XML_OK, error))
        return false;
    if (g_strcmp0(key, "FILE-SIZE") == 0 && given)
        return xml_say_number(run->xml, xml_packets_length(run->command->given), error);
    if (g_strcmp0(key, "EXISTS") == 0)
        return xml_say(run->xml, given ? "OK@EXISTS" : "OK@NOT-EXISTS", error);
    mk_link_note(run->xml->base.link, "refused to the agent: %s", key ? key : "");
    bool known = g_strcmp0(key, "FILE-SIZE") == 0 || g_strcmp0(key, "MKDIR") == 0 || g_strcmp0(key, "REMOVE") == 0 ||
                 g_strcmp0(key, "REMOVE-ALL") == 0;
    return xml_say(run->xml, known ? MK_XML_ERR : MK_XML_UNSUPPORTED, error);
}

/* What is known at END becomes the command's fault, unless there is one already. */
static void judge(XmlRun *run, const char *result, const char *message)
{
    const XmlCommand *command = run->command;
    g_autofree char *doing = NULL;
    if (run->trouble)
        return;
    if (run->refused || g_strcmp0(result, MK_XML_UNSUPPORTED) == 0) {
        mk_fault_set(&run->trouble, MK_FAULT_UNSUPPORTED, _("The phone's agent does not know the command %s."),
                     command->name);
        return;
    }
    doing = run->total ? g_strdup_printf(_("%s (%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes went over)"),
                                         command->doing, run->moved, run->total)
                       : g_strdup(command->doing);
    if (!result || !xml_is_ok(result))
        xml_message_fault(message ? message : "", command->fallback, doing, &run->trouble);
    else if ((command->given || command->taken) && !run->complete)
        mk_fault_set(&run->trouble, command->fallback, _("While %s the phone ended before all was said."), doing);
}

static bool on_end(XmlRun *run, const xmlNode *arg, bool *over, GError **error)
{
    g_autofree char *result = xml_text(arg, "result"), *message = xml_text(arg, "message");
    judge(run, result, message);
    *over = true;
    return xml_say(run->xml, MK_XML_OK, error);
}

/* One document of the agent's. */
static bool serve(XmlRun *run, const char *text, bool *over, GError **error)
{
    g_autoptr(xmlDoc) document = xml_parse(text, strlen(text));
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    g_autofree char *command = root && xml_is_named(root, MK_XML_ROOT_DEVICE) ? xml_text(root, "command") : NULL;
    const xmlNode *arg = xml_child(root, "arg");
    if (!command)
        return xml_unexpected(run->xml, text, run->command->doing, error);
    if (strcmp(command, MK_XML_END) == 0)
        return on_end(run, arg, over, error);
    if (strcmp(command, MK_XML_DOWNLOAD_FILE) == 0)
        return on_download(run, arg, error);
    if (strcmp(command, MK_XML_UPLOAD_FILE) == 0)
        return on_upload(run, arg, error);
    if (strcmp(command, MK_XML_PROGRESS) == 0)
        return on_progress(run, error);
    if (strcmp(command, MK_XML_FILE_SYS) == 0)
        return on_file_system(run, arg, error);
    if (strcmp(command, MK_XML_START) == 0 && run->refused) { /* an agent that did not understand at all (spec 3) */
        judge(run, NULL, NULL);
        *over = run->started = true;
        return xml_say(run->xml, MK_XML_OK, error);
    }
    if (strcmp(command, MK_XML_START) == 0)
        return xml_unexpected(run->xml, command, run->command->doing, error);
    return xml_say(run->xml, MK_XML_UNSUPPORTED, error);
}

static bool serve_all(XmlRun *run, GError **error)
{
    bool over = false;
    for (unsigned i = 0; i < DOCUMENTS_MOST && !over; i++) {
        g_autofree char *text = g_steal_pointer(&run->pending);
        if (!text)
            text = xml_hear(run->xml, patience(run), error);
        if (!text)
            return false;
        /* Some agents confirm a stop before they end. */
        if (run->trouble && g_str_has_prefix(text, MK_XML_ERR))
            continue;
        if (!serve(run, text, &over, error))
            return false;
    }
    return over || xml_unexpected(run->xml, "...", run->command->doing, error);
}

/* After a change of the cable's speed START may come once more, or not (spec 8.19). */
static bool settle(XmlRun *run, GError **error)
{
    MkXml *xml = run->xml;
    g_autoptr(GError) problem = NULL;
    bool wanted = xml->may_repeat;
    xml->may_repeat = false;
    if (!wanted || xml_await_start(xml, run->command->doing, START_WAIT, &problem))
        return true;
    if (mk_fault_code(problem) == MK_FAULT_SILENT) {
        xml->base.lost = false;
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* Sends the document; the agent's first answer says whether it knows the command. */
static bool begin(XmlRun *run, GError **error)
{
    MkXml *xml = run->xml;
    const XmlCommand *command = run->command;
    g_autofree char *document = xml_build(command->name, command->version, command->arguments, command->advanced);
    g_autofree char *answer = NULL;
    if (!settle(run, error))
        return false;
    mk_link_note(xml->base.link, "%s", command->name);
    if (!xml_say(xml, document, error) || !xml_hear_answer(run, &answer, patience(run), error))
        return false;
    run->refused = answer && g_str_has_prefix(answer, MK_XML_ERR);
    return !answer || run->refused || xml_is_ok(answer) || xml_unexpected(xml, answer, command->doing, error);
}

/* After its END the agent says START again, unless the command made it leave. */
static bool await_next(XmlRun *run, GError **error)
{
    bool leaves = run->command->then == XML_THEN_NOTHING && !run->trouble;
    return run->started || leaves || xml_await_start(run->xml, run->command->doing, XML_TIMEOUT_READY, error);
}

bool xml_run(MkXml *xml, const XmlCommand *command, GError **error)
{
    XmlRun run = {.xml = xml, .command = command};
    g_autoptr(GError) lost = NULL;
    xml->frames.link = xml->base.link;
    bool ok = begin(&run, &lost) && serve_all(&run, &lost);
    ok = ok && await_next(&run, &lost) && !run.trouble;
    /* An agent that fails and then falls silent has said why; one that is lost in the middle has not. */
    if (run.trouble)
        g_propagate_error(error, g_steal_pointer(&run.trouble));
    else if (lost)
        g_propagate_error(error, g_steal_pointer(&lost));
    g_free(run.pending);
    return ok;
}

static bool append(const uint8_t *data, size_t length, gpointer array, G_GNUC_UNUSED GError **error)
{
    g_byte_array_append(array, data, (guint)length);
    return true;
}

/* What it uploaded becomes *BYTES. */
static bool fetch(MkXml *xml, XmlCommand *command, GBytes **bytes, GError **error)
{
    g_autoptr(GByteArray) array = g_byte_array_new();
    XmlTaken taken = {.most = ANSWER_MOST, .sink = append, .user_data = array};
    command->taken = &taken;
    if (!xml_run(xml, command, error))
        return false;
    *bytes = g_byte_array_free_to_bytes(g_steal_pointer(&array));
    return true;
}

bool xml_ask(MkXml *xml, const char *name, const XmlArgument *arguments, GBytes **answer, GError **error)
{
    g_autoptr(GError) refusal = NULL;
    g_autofree char *doing = g_strdup_printf(_("asking for %s"), name);
    XmlCommand command = {.name = name, .arguments = arguments, .doing = doing, .fallback = MK_FAULT_UNSUPPORTED};
    if (answer)
        *answer = NULL;
    if (answer ? fetch(xml, &command, answer, &refusal) : xml_run(xml, &command, &refusal))
        return true;
    if (!xml->base.lost && mk_fault_code(refusal) != MK_FAULT_STOPPED)
        return true;
    g_propagate_error(error, g_steal_pointer(&refusal));
    return false;
}

xmlDoc *xml_ask_document(MkXml *xml, const char *name, const XmlArgument *arguments, const char *root, MkFault fallback,
                         const char *doing, GError **error)
{
    XmlCommand command = {.name = name, .arguments = arguments, .doing = doing, .fallback = fallback};
    g_autoptr(GBytes) answer = NULL;
    if (!fetch(xml, &command, &answer, error))
        return NULL;
    gsize size;
    const char *text = g_bytes_get_data(answer, &size);
    g_autoptr(xmlDoc) document = text ? xml_parse(text, strnlen(text, size)) : NULL;
    if (document && (!root || xml_is_named(xmlDocGetRootElement(document), root)))
        return g_steal_pointer(&document);
    mk_fault_set(error, MK_FAULT_PROTOCOL,
                 _("While %s the phone delivered something that is not the document it should be."), doing);
    return NULL;
}
