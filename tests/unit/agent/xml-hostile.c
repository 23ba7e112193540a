/* A phone that stops anywhere, lies anywhere, babbles, or sends documents that are traps: always a fault of a known kind, never a hang, a
 * crash or a leak. */
#include "xml-setup.h"

#include "babble.h"

enum { OPERATIONS = 9 };

typedef struct {
    XFlashSetup *setup;
    GByteArray *bytes;
    unsigned done; /* operations that succeeded */
} Case;

static void case_init(Case *which)
{
    which->setup = xflash_setup_new(XML_LABEL, 0x1172, XML_STAGE2);
    which->bytes = xml_said(xml_script_use);
}

static void case_clear(Case *which)
{
    g_byte_array_unref(which->bytes);
    xflash_setup_free(which->setup);
}

static void use(Case *which, MkAgent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = NULL;
    unsigned millivolt;
    MkRegion region = mk_geometry_main_region(&agent->info.geometry);
    uint32_t unit = mk_agent_page_unit(agent, region);
    babble_count(&which->done, mk_agent_read(agent, region, 0, unit, babble_drop, NULL, &error), &error);
    babble_count(&which->done, mk_agent_write(agent, region, 0, unit, babble_zeros, NULL, &error), &error);
    babble_count(&which->done, mk_agent_erase(agent, region, 0, unit, MK_ERASE_NORMAL, false, NULL, &error), &error);
    babble_count(&which->done, mk_agent_download(agent, "boot_a", 512, babble_zeros, NULL, &error), &error);
    babble_count(&which->done, mk_agent_upload(agent, "proinfo", babble_drop, NULL, &error), &error);
    babble_count(&which->done, mk_agent_read_table(agent, &layout, &error), &error);
    babble_count(&which->done, mk_agent_battery(agent, &millivolt, &error), &error);
    babble_count(&which->done, mk_agent_finish(agent, MK_AFTER_REBOOT, &error), &error);
}

/* A phone that says the first LENGTH bytes of BYTES, then OTHERS (or, if that is NULL, REPEATED unless it is negative) for ever. */
static void play(Case *which, const uint8_t *bytes, size_t length, int repeated, const GByteArray *others)
{
    g_autoptr(GError) error = NULL;
    Babble *babble = babble_new(bytes, length);
    babble->endless = repeated >= 0 || others;
    babble->repeated = (uint8_t)repeated;
    babble->others = others ? others->data : NULL;
    babble->others_length = others ? others->len : 0;
    g_autoptr(MkAgent) agent = mk_agent_open(&babble->link, &which->setup->setup, NULL, NULL, &error);
    which->done = 0;
    babble_count(&which->done, agent != NULL, &error);
    if (agent)
        use(which, agent);
    mk_link_free(&babble->link);
}

static void test_truncated(void)
{
    Case which;
    case_init(&which);
    play(&which, which.bytes->data, which.bytes->len, -1, NULL);
    g_assert_cmpuint(which.done, ==, OPERATIONS);
    for (size_t length = 0; length < which.bytes->len; length += 61) {
        g_autofree uint8_t *exact = g_memdup2(which.bytes->data, MAX(length, 1));
        play(&which, exact, length, -1, NULL);
        g_assert_cmpuint(which.done, <, OPERATIONS);
    }
    case_clear(&which);
}

static void test_lies(void)
{
    static const uint8_t lies[] = {0x00, 0xFF, '<', '&', '@'};
    Case which;
    case_init(&which);
    for (size_t at = 0; at < which.bytes->len; at += 47) {
        uint8_t truth = which.bytes->data[at];
        which.bytes->data[at] = lies[at % sizeof lies];
        play(&which, which.bytes->data, which.bytes->len, -1, NULL);
        which.bytes->data[at] = truth;
    }
    case_clear(&which);
}

static void test_babble(void)
{
    Case which;
    case_init(&which);
    for (int byte = 0; byte <= 0xFF; byte += 0x33) {
        play(&which, NULL, 0, byte, NULL);
        g_assert_cmpuint(which.done, ==, 0);
        for (size_t length = which.bytes->len / 4; length < which.bytes->len; length += which.bytes->len / 8)
            play(&which, which.bytes->data, length, byte, NULL);
    }
    case_clear(&which);
}

static void add_open(GArray *steps)
{
    xml_script_open(steps);
}

/* After its opening the phone says BEFORE, then REPEATED for ever: the first operation fails, and the agent is lost. */
static void endless(const char *before, const char *repeated, guint32 type)
{
    Case which;
    g_autoptr(GArray) frame = script_steps_new(), begin = script_steps_new();
    g_autoptr(GByteArray) others = g_byte_array_new(), bytes = xml_said(add_open);
    case_init(&which);
    xml_phone(begin, "OK");
    if (before)
        xml_phone(begin, before);
    for (guint i = 0; i < begin->len; i++) {
        GBytes *step = g_array_index(begin, ScriptStep, i).bytes;
        g_byte_array_append(bytes, g_bytes_get_data(step, NULL), (guint)g_bytes_get_size(step));
    }
    xml_phone(frame, repeated);
    for (guint i = 0; i < frame->len; i++) {
        GBytes *step = g_array_index(frame, ScriptStep, i).bytes;
        g_byte_array_append(others, g_bytes_get_data(step, NULL), (guint)g_bytes_get_size(step));
    }
    others->data[4] = (uint8_t)type;
    play(&which, bytes->data, bytes->len, -1, others);
    g_assert_cmpuint(which.done, ==, 1);
    case_clear(&which);
}

static void test_endless_logs(void)
{
    endless(NULL, "\1 still working", 2);
}

static void test_endless_progress(void)
{
    endless(XML_DEVICE("PROGRESS-REPORT", "<arg><message>x</message></arg>"), "OK!PROGRESS@1@x", 1);
}

static void test_endless_questions(void)
{
    endless(NULL, XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>EXISTS</key><file_path>/etc/passwd</file_path></arg>"),
            1);
}

static void test_endless_documents(void)
{
    endless(NULL, XML_DEVICE("SOMETHING-NEW", "<arg></arg>"), 1);
}

/* The phone's first document is a trap. */
static void test_trap_documents(void)
{
    g_autoptr(GString) deep = g_string_new(NULL);
    for (unsigned i = 0; i < 10000; i++)
        g_string_append(deep, "<a>");
    const char *const traps[] = {
        "<?xml version=\"1.0\"?><!DOCTYPE host [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\"><!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]>"
        "<host><version>&d;</version><command>CMD:START</command></host>",
        "<?xml version=\"1.0\"?><!DOCTYPE host SYSTEM \"file:///etc/passwd\"><host><command>CMD:START</command></host>",
        "<?xml version=\"1.0\"?><!DOCTYPE host [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><host><command>&x;</command>"
        "</host>",
        "<?xml version=\"1.0\"?><!DOCTYPE host><host><version>1.0</version><command>CMD:START</command></host>",
        "<host><command>CMD:START</command>", /* not closed */
        "<da><version>1.0</version><command>CMD:START</command></da>",
        "<host><version>1.0</version><command>CMD:STARTED</command></host>",
        "<host><arg><command>CMD:START</command></arg></host>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><host></host>",
        "OK",
        "",
        deep->str};
    Case which;
    case_init(&which);
    for (size_t i = 0; i < G_N_ELEMENTS(traps); i++) {
        g_autoptr(GArray) steps = script_steps_new();
        g_autoptr(GError) error = NULL;
        xml_phone(steps, traps[i]);
        g_autoptr(MkLink) link = script_link(g_steal_pointer(&steps));
        g_assert_null(mk_agent_open(link, &which.setup->setup, NULL, NULL, &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_PROTOCOL);
        script_assert_over(link); /* not answered */
    }
    case_clear(&which);
}

/* A wrong magic, or a text longer than any. */
static void test_wrong_frames(void)
{
    static const uint32_t frames[][3] = {{0xFEEEEEEE, 1, 4}, {0xFEEEEEEF, 1, 0x10001}, {0xFEEEEEEF, 1, 0xFFFFFFFF}};
    Case which;
    case_init(&which);
    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        g_autoptr(GError) error = NULL;
        for (size_t k = 0; k < 3; k++)
            mk_put_le32(bytes, frames[i][k]);
        Babble *babble = babble_new(bytes->data, bytes->len);
        babble->endless = true;
        babble->repeated = 'x';
        g_assert_null(mk_agent_open(&babble->link, &which.setup->setup, NULL, NULL, &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_PROTOCOL);
        mk_link_free(&babble->link);
    }
    case_clear(&which);
}

static MkAgent *open_script(Case *which, GArray *more, MkLink **link)
{
    GArray *steps = script_steps_new();
    g_autoptr(GError) error = NULL;
    xml_script_open(steps);
    for (guint i = 0; i < more->len; i++) {
        const ScriptStep *step = &g_array_index(more, ScriptStep, i);
        ScriptStep *copy = script_add(steps, step->from_host, g_bytes_ref(step->bytes));
        copy->any = step->any;
        copy->bulk = step->bulk;
    }
    *link = script_link(steps);
    MkAgent *agent = mk_agent_open(*link, &which->setup->setup, NULL, NULL, &error);
    g_assert_no_error(error);
    return agent;
}

/* The agent asks for files that are not the command's, to make folders and to remove: refused, each time; the erasure goes on. */
static void test_file_service(void)
{
    static const struct {
        const char *document, *answer, *second;
    } requests[] = {
        {XML_DEVICE("DOWNLOAD-FILE",
                    "<arg><checksum>CHK_NO</checksum><info>x</info><source_file>/etc/shadow</source_file>"
                    "<packet_length>0x1000</packet_length></arg>"),
         "ERR!CANCEL", NULL},
        {XML_DEVICE("UPLOAD-FILE",
                    "<arg><checksum>CHK_NO</checksum><info>x</info><target_file>/etc/shadow</target_file>"
                    "<packet_length>0x1000</packet_length></arg>"),
         "ERR!CANCEL", NULL},
        {XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>FILE-SIZE</key><file_path>/etc/shadow</file_path></arg>"), "OK",
         "ERR"},
        {XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>EXISTS</key><file_path>/etc/shadow</file_path></arg>"), "OK",
         "OK@NOT-EXISTS"},
        {XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>MKDIR</key><file_path>/tmp/x</file_path></arg>"), "OK", "ERR"},
        {XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>REMOVE</key><file_path>/tmp/x</file_path></arg>"), "OK", "ERR"},
        {XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>REMOVE-ALL</key><file_path>/</file_path></arg>"), "OK", "ERR"},
        {XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>CHMOD</key><file_path>/</file_path></arg>"), "OK",
         "ERR!UNSUPPORTED"},
        {XML_DEVICE("FORMAT-HOST", "<arg></arg>"), "ERR!UNSUPPORTED", NULL}};
    Case which;
    g_autoptr(GArray) more = script_steps_new();
    g_autoptr(MkLink) link = NULL;
    g_autoptr(GError) error = NULL;
    case_init(&which);
    xml_host_command(more, "ERASE-FLASH", "<partition>UFS-LUA2</partition><offset>0x0</offset><length>0x1000</length>");
    xml_phone(more, "OK");
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        xml_phone(more, requests[i].document);
        xml_host(more, requests[i].answer);
        if (requests[i].second)
            xml_host(more, requests[i].second);
    }
    xml_end(more, "OK", "");
    g_autoptr(MkAgent) agent = open_script(&which, more, &link);
    g_assert_true(mk_agent_erase(agent, MK_REGION_LU2, 0, 0x1000, MK_ERASE_NORMAL, false, NULL, &error));
    g_assert_no_error(error);
    script_assert_over(link);
    case_clear(&which);
}

/* More bytes than were asked for: stopped at the first packet, none of it handed on, the agent still in step. */
static void test_too_many_bytes(void)
{
    Case which;
    g_autoptr(GArray) more = script_steps_new();
    g_autoptr(MkLink) link = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *data = g_malloc0(4096);
    ScriptBuffer buffer = {data, 0, 0};
    case_init(&which);
    xml_host_command(more, "READ-FLASH",
                     "<partition>UFS-LUA2</partition><offset>0x0</offset><length>0x1000</length><target_file>dump.bin"
                     "</target_file>");
    xml_phone(more, "OK");
    xml_phone(more, XML_DEVICE("UPLOAD-FILE",
                               "<arg><checksum>CHK_NO</checksum><info>x</info><target_file>dump.bin</target_file>"
                               "<packet_length>0x10000</packet_length></arg>"));
    xml_host(more, "OK");
    xml_phone(more, "OK@0xffffffffffffffff");
    xml_host(more, "OK");
    xml_phone(more, "OK@0x0");
    xml_host(more, "OK");
    xflash_script_frame(more, false, g_bytes_new(data, 4096));
    xml_host(more, "ERR!CANCEL");
    xml_end(more, "ERR", "Host notice error or user canceled.\r\n");
    xml_vector(more, 5, "GET-HW-INFO", 0);
    g_autoptr(MkAgent) agent = open_script(&which, more, &link);
    unsigned millivolt;
    g_assert_false(mk_agent_read(agent, MK_REGION_LU2, 0, 4096, script_sink, &buffer, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_READ);
    g_assert_false(agent->lost);
    g_assert_true(mk_agent_battery(agent, &millivolt, NULL));
    script_assert_over(link);
    case_clear(&which);
}

/* An agent that says it was done and never took or gave a byte. */
static void test_done_without_doing(void)
{
    Case which;
    g_autoptr(GArray) more = script_steps_new();
    g_autoptr(MkLink) link = NULL;
    g_autoptr(GError) error = NULL;
    case_init(&which);
    xml_host_command(more, "WRITE-FLASH",
                     "<partition>UFS-LUA2</partition><offset>0x0</offset><source_file>image.img</source_file>");
    xml_phone(more, "OK");
    xml_end(more, "OK", "");
    g_autoptr(MkAgent) agent = open_script(&which, more, &link);
    g_assert_false(mk_agent_write(agent, MK_REGION_LU2, 0, 4096, babble_zeros, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_WRITE);
    g_assert_false(agent->lost);
    script_assert_over(link);
    case_clear(&which);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xml/hostile/truncated", test_truncated);
    g_test_add_func("/agent/xml/hostile/lies", test_lies);
    g_test_add_func("/agent/xml/hostile/babble", test_babble);
    g_test_add_func("/agent/xml/hostile/endless-logs", test_endless_logs);
    g_test_add_func("/agent/xml/hostile/endless-progress", test_endless_progress);
    g_test_add_func("/agent/xml/hostile/endless-questions", test_endless_questions);
    g_test_add_func("/agent/xml/hostile/endless-documents", test_endless_documents);
    g_test_add_func("/agent/xml/hostile/trap-documents", test_trap_documents);
    g_test_add_func("/agent/xml/hostile/wrong-frames", test_wrong_frames);
    g_test_add_func("/agent/xml/hostile/file-service", test_file_service);
    g_test_add_func("/agent/xml/hostile/too-many-bytes", test_too_many_bytes);
    g_test_add_func("/agent/xml/hostile/done-without-doing", test_done_without_doing);
    return g_test_run();
}
