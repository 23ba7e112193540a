/* Files between host and agent: DOWNLOAD-FILE, UPLOAD-FILE, PROGRESS-REPORT, FILE-SYS-OPERATION (spec da-xml.md 5). */
#include "core/bytes.h"
#include "core/hash.h"
#include "phone/xml-device.h"

#include <string.h>

#define CANCELLED_DOWN MK_XML_CANCELLED "Host Notify error."
#define TOO_LARGE      "Data size bigger than partition max size.\r\n"

uint32_t mk_xml_upload_packet(const MkXml *x)
{
    return x->stage == 1 ? MK_XML_STAGE1_PACKET : x->linux_host ? MK_XML_UPLOAD_PACKET_LINUX : MK_XML_UPLOAD_PACKET;
}

uint32_t mk_xml_download_packet(const MkXml *x)
{
    return x->stage == 1 ? MK_XML_STAGE1_PACKET : MK_XML_DOWNLOAD_PACKET;
}

/* Whether this packet is the one that a fault waits for. */
static bool injected(MkXml *x)
{
    MkMachine *machine = x->machine;
    return machine->packet_fault && --machine->packet_fault == 0;
}

/* Whether this packet gets lost on its way into the storage. */
static bool lost(MkXml *x)
{
    MkMachine *machine = x->machine;
    return machine->late_fault && --machine->late_fault == 0;
}

static char *file_arg(const char *checksum, const char *info, const char *element, const char *file, uint32_t packet)
{
    g_autofree char *shown = mk_xml_escape(info), *name = mk_xml_escape(file);
    return g_strdup_printf("<checksum>%s</checksum><info>%s</info><%s>%s</%s><packet_length>0x%x</packet_length>",
                           checksum, shown, element, name, element, packet);
}

/* --- to the host ----------------------------------------------------------------------------------------------------------------- */

/* Fills LENGTH bytes of what lies at POSITION. False: the storage does not give them. */
typedef bool (*Source)(MkXml *x, uint64_t position, uint8_t *data, size_t length, const void *user_data);

/* The host agrees, or the command is over: it wants no more, or speaks no language that is known. */
static bool goes_on(MkXml *x)
{
    MkXmlAnswer answer = mk_xml_take_answer(x, NULL);
    if (answer != MK_XML_YES)
        mk_xml_fail(x, "%s", answer == MK_XML_NO ? MK_XML_CANCELLED : "");
    return answer == MK_XML_YES;
}

/* An error of the first packet shows as END in the place of its status, that of a later one as ERR and END (vectors 21, 22). */
static void report_read_error(MkXml *x, bool first)
{
    if (!first) {
        mk_xml_put_text(x, MK_XML_ERR);
        mk_xml_take_answer(x, NULL);
    }
    mk_xml_fail(x, "%s", "");
}

static void upload(MkXml *x, const char *document, const char *total, uint64_t length, const char *status,
                   Source source, const void *user_data)
{
    uint32_t packet = mk_xml_upload_packet(x);
    uint8_t *buffer = mk_xml_buffer(x, packet);
    mk_xml_put_document(x, MK_XML_UPLOAD_FILE, document);
    if (!goes_on(x))
        return;
    mk_xml_put_text(x, total);
    if (!goes_on(x))
        return;
    for (uint64_t done = 0; done < length && !x->gone;) {
        size_t piece = (size_t)MIN(packet, length - done);
        bool good = source(x, done, buffer, piece, user_data) && !injected(x);
        if (!good) {
            report_read_error(x, done == 0);
            return;
        }
        mk_xml_put_text(x, status);
        if (!goes_on(x))
            return;
        mk_xml_put(x, buffer, piece);
        if (!goes_on(x))
            return;
        done += piece;
    }
}

static bool from_memory(G_GNUC_UNUSED MkXml *x, uint64_t position, uint8_t *data, size_t length, const void *text)
{
    memcpy(data, (const char *)text + position, length);
    return true;
}

void mk_xml_upload_text(MkXml *x, const char *info, const char *target, const char *text, bool with_nul)
{
    size_t length = strlen(text) + with_nul;
    g_autofree char *arg = file_arg("CHK_NO", info, "target_file", target, mk_xml_upload_packet(x));
    g_autofree char *total = g_strdup_printf("OK@0x%zx", length);
    upload(x, arg, total, length, MK_XML_OK, from_memory, text);
}

static bool from_storage(MkXml *x, uint64_t position, uint8_t *data, size_t length, const void *user_data)
{
    const MkXmlRange *range = user_data;
    return mk_xml_stored(x, mk_chip_read(x->chip, range->region, range->offset + position, data, length));
}

void mk_xml_upload_range(MkXml *x, const char *info, const char *target, const MkXmlRange *range)
{
    g_autofree char *arg = file_arg("CHK_NO", info, "target_file", target, mk_xml_upload_packet(x));
    g_autofree char *total = g_strdup_printf("OK@0x%016" G_GINT64_MODIFIER "x", range->length);
    upload(x, arg, total, range->length, "OK@0x0", from_storage, range);
}

/* --- from the host ---------------------------------------------------------------------------------------------------------------- */

static void refuse(MkXml *x, const char *message)
{
    mk_xml_put_text(x, MK_XML_ERR);
    mk_xml_fail(x, "%s", message);
}

/* How long the file is. False: the command is over. */
static bool take_total(MkXml *x, uint64_t limit, uint64_t *total)
{
    g_autofree char *value = NULL;
    if (!goes_on(x))
        return false;
    MkXmlAnswer answer = mk_xml_take_answer(x, &value);
    *total = mk_xml_number(value);
    if (answer != MK_XML_YES || !value)
        refuse(x, answer == MK_XML_BROKEN ? "" : CANCELLED_DOWN);
    else if (*total > limit)
        refuse(x, TOO_LARGE);
    else
        mk_xml_put_text(x, MK_XML_OK);
    return !x->message && !x->gone;
}

/* Checksum, OK, data into `buffer`. False: the command is over. The low half of the sum is what is compared. */
static bool take_packet(MkXml *x, uint64_t left, size_t *length)
{
    g_autofree char *value = NULL;
    MkXmlAnswer answer = mk_xml_take_answer(x, &value);
    if (answer != MK_XML_YES) {
        refuse(x, answer == MK_XML_BROKEN ? "" : CANCELLED_DOWN);
        return false;
    }
    mk_xml_put_text(x, MK_XML_OK);
    bool taken = mk_xml_take_frame(x, mk_xml_download_packet(x), length) == MK_XML_YES && *length <= left;
    bool right = taken && (!x->usb_sums || (uint16_t)mk_sum32(0, x->buffer, *length) == (uint16_t)mk_xml_number(value));
    if (taken && !right)
        mk_machine_log(x->machine, "agent: the sum of a packet is not %s", value ? value : "there");
    if (!right || injected(x))
        refuse(x, "");
    return !x->message && !x->gone;
}

bool mk_xml_download(MkXml *x, const char *info, const char *source, uint64_t limit, bool flash, MkXmlSink sink,
                     void *user_data)
{
    g_autofree char *arg =
        file_arg(x->usb_sums ? "CHK_ADD" : "CHK_NO", info, "source_file", source, mk_xml_download_packet(x));
    uint64_t total;
    bool stored = true;
    mk_xml_put_document(x, MK_XML_DOWNLOAD_FILE, arg);
    if (!take_total(x, limit, &total))
        return false;
    for (uint64_t done = 0; done < total;) {
        size_t piece = 0;
        if (!take_packet(x, total - done, &piece))
            return false;
        stored = stored && !(flash && lost(x)) && sink(x, done, x->buffer, piece, user_data);
        mk_xml_put_text(x, flash ? "OK@0x0" : MK_XML_OK);
        if (x->gone)
            return false;
        done += piece;
    }
    /* What is written behind the host's back fails late (vector 23). */
    if (!stored)
        mk_xml_fail(x, "%s", "");
    return true;
}

static bool collect(G_GNUC_UNUSED MkXml *x, G_GNUC_UNUSED uint64_t position, const uint8_t *data, size_t length,
                    void *file)
{
    g_byte_array_append(file, data, (guint)length);
    return true;
}

GByteArray *mk_xml_download_file(MkXml *x, const char *info, const char *source, uint64_t limit, bool flash)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    return mk_xml_download(x, info, source, limit, flash, collect, file) ? g_steal_pointer(&file) : NULL;
}

/* --- the others ------------------------------------------------------------------------------------------------------------------------ */

/* Whatever the host answers to these (spec 5.3). */
void mk_xml_progress_begin(MkXml *x, const char *text)
{
    g_autofree char *shown = mk_xml_escape(text), *arg = g_strdup_printf("<message>%s</message>", shown);
    mk_xml_put_document(x, MK_XML_PROGRESS, arg);
    mk_xml_take_answer(x, NULL);
}

void mk_xml_progress(MkXml *x, unsigned percent, const char *text)
{
    g_autofree char *line = g_strdup_printf("OK!PROGRESS@%u@%s", percent, text);
    mk_xml_put_text(x, line);
    mk_xml_take_answer(x, NULL);
}

void mk_xml_progress_end(MkXml *x)
{
    mk_xml_put_text(x, MK_XML_EOT);
    mk_xml_take_answer(x, NULL);
}

/* The first answer says that the question was understood; without it no second one comes. */
char *mk_xml_ask_file(MkXml *x, const char *key, const char *path)
{
    g_autofree char *name = mk_xml_escape(path), *value = NULL;
    g_autofree char *arg = g_strdup_printf("<key>%s</key><file_path>%s</file_path>", key, name);
    mk_xml_put_document(x, MK_XML_FILE_SYS, arg);
    if (mk_xml_take_answer(x, NULL) != MK_XML_YES || mk_xml_take_answer(x, &value) != MK_XML_YES)
        return NULL;
    return value ? g_steal_pointer(&value) : g_strdup("");
}
