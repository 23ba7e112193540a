/* What a test needs to open an XML agent: the exchanges of spec da-xml-vectors.txt (tests/data) as scripts, with Medik's own names for files and its
 * own settings in the places that are the host's choice, and frames of one's own. */
#pragma once

#include "xflash-setup.h"

#define XML_LABEL  "MTK_DA_v6_2022-04-02 23:43:58"
#define XML_STAGE2 0x1400u /* bytes that BOOT_TO takes in the vectors */
#define XML_PROLOG "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define XML_DEVICE(command, rest)                                                                                      \
    XML_PROLOG "<host><version>1.0</version><command>CMD:" command "</command>" rest "</host>"
#define XML_START            XML_DEVICE("START", "")
#define XML_END(result, say) XML_DEVICE("END", "<arg><result>" result "</result><message>" say "</message></arg>")

static inline void xml_replace(char **text, const char *old, const char *new)
{
    g_auto(GStrv) parts = g_strsplit(*text, old, -1);
    g_free(*text);
    *text = g_strjoinv(new, parts);
}

/* A vector's text as Medik's own session has it. */
static inline char *xml_translate(const char *from)
{
    static const char *const names[][2] = {{">boot.img<", ">image.img<"},
                                           {">b.img<", ">image.img<"},
                                           {">s.img<", ">image.img<"},
                                           {">boot.sig<", ">image.sig<"},
                                           {">b.sig<", ">image.sig<"},
                                           {">s.sig<", ">image.sig<"},
                                           {">ROM_0<", ">dump.bin<"},
                                           {">m.bin<", ">dump.bin<"},
                                           {">o<", ">dump.bin<"},
                                           {">a<", ">dump.bin<"},
                                           {">pt.xml<", ">table.xml<"},
                                           {"boot-verified", "image-verified"},
                                           {"b-verified", "image-verified"},
                                           {">s-verified", ">image-verified"},
                                           {">LINUX<", ">WINDOWS<"},
                                           {"<checksum_level>NONE", "<checksum_level>USB"},
                                           {"\\r\\n", "\r\n"}};
    char *text = g_strdup(from);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        xml_replace(&text, names[i][0], names[i][1]);
    return text;
}

/* "data 00 01 02 ..": what is not shown is zero. */
static inline GBytes *xml_vector_data(const char *text, size_t length)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autofree uint8_t *data = g_malloc0(length);
    size_t at = 0;
    for (char **word = words + 1; *word && at < length && g_ascii_isxdigit(**word); word++)
        data[at++] = (uint8_t)g_ascii_strtoull(*word, NULL, 16);
    return g_bytes_new(data, length);
}

/* "H> len 0x3  OK\0" */
static inline void xml_vector_line(GArray *steps, const char *line)
{
    const char *content = strstr(line, "  ") + 2;
    size_t length = (size_t)g_ascii_strtoull(line + 7, NULL, 16);
    bool from_host = *line == 'H';
    ScriptStep *step;
    if (g_str_has_prefix(content, "data ")) {
        step = xflash_script_frame(steps, from_host, xml_vector_data(content, length));
        step->any = from_host;
    } else {
        g_autofree char *text = xml_translate(content);
        bool ends = g_str_has_suffix(text, "\\0");
        if (ends)
            text[strlen(text) - 2] = '\0';
        step = xflash_script_frame(steps, from_host, g_bytes_new(text, strlen(text) + ends));
        step->any = from_host && strstr(text, "SET-HOST-INFO"); /* a time stamp */
    }
}

static inline char **xml_vector_lines(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "da-xml-vectors.txt", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return g_strsplit(text, "\n", -1);
}

/* Appends the exchange that begins with "# COMMAND" in vector NUMBER, the first one or the one after SKIP others. COMMAND NULL: all of it. */
static inline void xml_vector(GArray *steps, unsigned number, const char *command, unsigned skip)
{
    g_auto(GStrv) lines = xml_vector_lines();
    g_autofree char *title = g_strdup_printf("== %u. ", number);
    bool inside = false, on = false;
    guint before = steps->len;
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "== ")) {
            inside = g_str_has_prefix(*line, title);
            on = inside && !command;
        } else if (inside && command && g_str_has_prefix(*line, "# ")) {
            on = strcmp(*line + 2, command) == 0 && skip-- == 0;
        } else if (on && (*line)[0] && (*line)[1] == '>') {
            xml_vector_line(steps, *line);
        }
    }
    g_assert_cmpuint(steps->len, >, before);
}

static inline void xml_frame(GArray *steps, bool from_host, const char *text)
{
    xflash_script_frame(steps, from_host, g_bytes_new(text, strlen(text) + 1));
}

static inline void xml_phone(GArray *steps, const char *text)
{
    xml_frame(steps, false, text);
}

static inline void xml_host(GArray *steps, const char *text)
{
    xml_frame(steps, true, text);
}

/* COMMAND with ARG between its arg elements. */
static inline void xml_host_command(GArray *steps, const char *command, const char *arg)
{
    g_autofree char *text = g_strdup_printf(
        XML_PROLOG "<da><version>1.0</version><command>CMD:%s</command><arg>%s</arg></da>", command, arg);
    xml_host(steps, text);
}

/* END with that result, and START, each answered. */
static inline void xml_end(GArray *steps, const char *result, const char *message)
{
    g_autofree char *end =
        g_strdup_printf(XML_DEVICE("END", "<arg><result>%s</result><message>%s</message></arg>"), result, message);
    xml_phone(steps, end);
    xml_host(steps, "OK");
    xml_phone(steps, XML_START);
    xml_host(steps, "OK");
}

static inline void xml_unsupported(GArray *steps, const char *command, const char *arg)
{
    xml_host_command(steps, command, arg);
    xml_phone(steps, "ERR!UNSUPPORTED");
    xml_end(steps, "ERR!UNSUPPORTED", "Unsupported command.");
}

/* A question that is answered by DOCUMENT under that label. */
static inline void xml_question(GArray *steps, const char *command, const char *arg, const char *target,
                                const char *label, const char *document)
{
    g_autofree char *upload = g_strdup_printf(
        XML_DEVICE("UPLOAD-FILE", "<arg><checksum>CHK_NO</checksum><info>%s</info><target_file>%s</target_file>"
                                  "<packet_length>0x200000</packet_length></arg>"),
        label, target);
    g_autofree char *total = g_strdup_printf("OK@0x%zx", strlen(document) + 1);
    xml_host_command(steps, command, arg);
    xml_phone(steps, "OK");
    xml_phone(steps, upload);
    xml_host(steps, "OK");
    xml_phone(steps, total);
    xml_host(steps, "OK");
    xml_phone(steps, "OK");
    xml_host(steps, "OK");
    xml_phone(steps, document);
    xml_host(steps, "OK");
    xml_end(steps, "OK", "");
}

#define XML_TARGET_PAGE "<target_file>MEM://0x1:0x2000</target_file>"
#define XML_KEY(key)    "<key>" key "</key>" XML_TARGET_PAGE

/* Stage 1, up to where it is sent the second. */
static inline void xml_script_stage1(GArray *steps)
{
    static const char *const commands[] = {"SET-RUNTIME-PARAMETER", "HOST-SUPPORTED-COMMANDS", "NOTIFY-INIT-HW",
                                           "SET-HOST-INFO"};
    xml_vector(steps, 1, NULL, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        xml_vector(steps, 2, commands[i], 0);
}

/* From the first frame to stage 2's command loop. */
static inline void xml_script_start(GArray *steps)
{
    xml_script_stage1(steps);
    xml_vector(steps, 3, "BOOT-TO", 0);
    xml_vector(steps, 1, NULL, 0);
    xml_host_command(steps, "NOTIFY-INIT-HW", "");
    xml_phone(steps, "OK");
    xml_end(steps, "OK", "");
}

/* What is asked after the storage. */
static inline void xml_script_tail(GArray *steps)
{
    xml_unsupported(steps, "GET-SYS-PROPERTY", XML_KEY("DA.HRID"));
    xml_vector(steps, 15, "EMMC-CONTROL", 0);
    xml_vector(steps, 15, "EMMC-CONTROL", 1);
    xml_vector(steps, 5, "GET-DA-INFO", 0);
}

/* The whole opening of the vectors' phone. */
static inline void xml_script_open(GArray *steps)
{
    xml_script_start(steps);
    xml_vector(steps, 5, "GET-SYS-PROPERTY", 0);
    xml_vector(steps, 5, "GET-HW-INFO", 0);
    xml_script_tail(steps);
}

/* What the phone says while the host reads LENGTH bytes (in one packet). */
static inline void xml_phone_reading(GArray *steps, size_t length)
{
    g_autofree char *total = g_strdup_printf("OK@0x%016zx", length);
    xml_phone(steps, "OK");
    xml_phone(steps, XML_DEVICE("UPLOAD-FILE", "<arg><checksum>CHK_NO</checksum><info>x</info><target_file>dump.bin"
                                               "</target_file><packet_length>0x200000</packet_length></arg>"));
    xml_phone(steps, total);
    xml_phone(steps, "OK@0x0");
    xflash_script_frame(steps, false, g_bytes_new_take(g_malloc0(length), length));
    xml_phone(steps, XML_END("OK", ""));
    xml_phone(steps, XML_START);
}

/* A session's worth of what a phone says: opening, reading, writing and erasing a block of the user unit, the partition boot_a written and
 * proinfo read by name, the table, the battery, the end.  What the host says is in it too, but not to be relied on. */
static inline void xml_script_use(GArray *steps)
{
    xml_script_open(steps);
    xml_phone_reading(steps, 4096);
    xml_vector(steps, 9, "WRITE-FLASH", 0);
    xml_vector(steps, 14, "ERASE-FLASH", 0);
    xml_vector(steps, 5, "READ-PARTITION-TABLE", 0);
    xml_vector(steps, 13, "WRITE-PARTITION", 0);
    xml_vector(steps, 5, "READ-PARTITION-TABLE", 0);
    xml_phone_reading(steps, 0x8000);
    xml_vector(steps, 5, "READ-PARTITION-TABLE", 0);
    xml_vector(steps, 5, "GET-HW-INFO", 0);
    xml_vector(steps, 25, "REBOOT", 1);
}

/* All that the phone says there. */
static inline GByteArray *xml_said(void (*script)(GArray *steps))
{
    g_autoptr(GArray) steps = script_steps_new();
    GByteArray *bytes = g_byte_array_new();
    script(steps);
    for (guint i = 0; i < steps->len; i++) {
        const ScriptStep *step = &g_array_index(steps, ScriptStep, i);
        if (!step->from_host)
            g_byte_array_append(bytes, g_bytes_get_data(step->bytes, NULL), (guint)g_bytes_get_size(step->bytes));
    }
    return bytes;
}
