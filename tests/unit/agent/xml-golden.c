/* What a genuine first stage (MT6895, 2022) was heard to say, and to whom (tests/data/golden). It ran on an emulated chip without storage and
 * DRAM: NOTIFY-INIT-HW fails there, which ends Medik's session; with that one answer changed the recording goes on to the second stage. */
#include "xml-setup.h"

#define GOLDEN_STAGE2 0x51114u

/* The report of a phone without storage; the recording has its length and its CRC-32. */
#define HW_INFO                                                                                                        \
    XML_PROLOG "<da_hw_info><version>1.0</version><ram_size>0x0</ram_size><battery_voltage>0</battery_voltage>"        \
               "<random_id>00000000000000000000000000000000</random_id><storage>NONE</storage></da_hw_info>"

typedef struct {
    GArray *steps;
    unsigned commands; /* of the host's so far */
    bool memory_fails; /* as recorded */
    bool skipping;     /* an exchange that Medik leaves out */
    bool answered;     /* the exchange's END came */
} Recording;

static const char *document_of(uint32_t crc)
{
    static const char *const known[] = {XML_START, XML_END("OK", ""), XML_END("ERR", ""), HW_INFO};
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (mk_crc32(0, known[i], strlen(known[i]) + 1) == crc)
            return known[i];
    }
    return NULL;
}

/* The device's documents of which the recording kept only ends and sums. */
static void load_device(Recording *recording, size_t length, uint32_t crc)
{
    const char *document = document_of(crc);
    if (document && strcmp(document, XML_END("ERR", "")) == 0 && !recording->memory_fails)
        document = XML_END("OK", "");
    if (document)
        xml_phone(recording->steps, document);
    else if (length == 192) /* END of SET-RUNTIME-PARAMETER; its words are guessed */
        xml_phone(recording->steps, XML_END("ERR", "All storage init fail. check HW storage."));
    else
        xml_phone(recording->steps,
                  XML_DEVICE("DOWNLOAD-FILE", "<arg><checksum>CHK_NO</checksum><info>2nd-DA</info><source_file>"
                                              "MEM://0x1000:0x51114</source_file><packet_length>0x1000"
                                              "</packet_length></arg>"));
}

static void load_host(Recording *recording, size_t length, uint32_t crc)
{
    static const char *const stage1[] = {"SET-RUNTIME-PARAMETER", "HOST-SUPPORTED-COMMANDS", "NOTIFY-INIT-HW",
                                         "SET-HOST-INFO"};
    if (recording->commands == 6) { /* the second stage's bytes */
        g_autofree uint8_t *data = g_malloc0(length);
        xflash_script_frame(recording->steps, true, g_bytes_new(data, length))->any = true;
        return;
    }
    unsigned which = recording->commands++;
    if (which < G_N_ELEMENTS(stage1)) {
        g_autoptr(GArray) exchange = script_steps_new();
        xml_vector(exchange, 2, stage1[which], 0);
        for (guint i = 0; i < 2; i++) {
            const ScriptStep *step = &g_array_index(exchange, ScriptStep, i);
            script_add(recording->steps, true, g_bytes_ref(step->bytes))->any = step->any;
        }
        if (which == 1) {
            GBytes *bytes = g_array_index(exchange, ScriptStep, 1).bytes;
            g_assert_cmphex(mk_crc32(0, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)), ==, crc);
        }
    } else if (which == 4) {
        recording->skipping = true; /* GET-HW-INFO: Medik asks the second stage */
    } else {
        xml_host_command(recording->steps, "BOOT-TO",
                         "<at_address>0x40000000</at_address><jmp_address>0x40000000</jmp_address>"
                         "<source_file>MEM://0x1000:0x51114</source_file>");
    }
}

static void load_line(Recording *recording, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    bool from_host = *line == '<', is_long = g_str_has_prefix(words[2], "len=");
    uint32_t crc = is_long ? (uint32_t)g_ascii_strtoull(words[3] + 6, NULL, 16) : 0;
    size_t length = is_long ? (size_t)g_ascii_strtoull(words[2] + 4, NULL, 10) : 0;
    if (recording->skipping) {
        /* To the answer of the START behind its END. */
        bool start = is_long && document_of(crc) && strcmp(document_of(crc), XML_START) == 0;
        recording->skipping = !(recording->answered && from_host);
        recording->answered = start || (recording->answered && recording->skipping);
    } else if (is_long) {
        (from_host ? load_host : load_device)(recording, length, crc);
    } else {
        g_autofree char *word = g_strconcat(":", words[2], NULL);
        xflash_script_frame(recording->steps, from_host, xflash_script_payload(word));
    }
}

/* COMMANDS: of the host's that are played. */
static GArray *recording_load(bool memory_fails, unsigned commands)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "data", "golden", "agent-xml-mt6895-2022-stage1.txt", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    Recording recording = {.steps = script_steps_new(), .memory_fails = memory_fails};
    bool on = false;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        bool command = on && g_str_has_prefix(*line, "< buf len=") && recording.commands == commands;
        if (command && commands < 6)
            break;
        if (on && **line && g_str_has_prefix(*line + 1, " buf "))
            load_line(&recording, *line);
        on |= strstr(*line, "DA stage 1 runs") != NULL;
    }
    return recording.steps;
}

static void test_without_memory(void)
{
    g_autoptr(XFlashSetup) setup = xflash_setup_new(XML_LABEL, 0x1172, GOLDEN_STAGE2);
    g_autoptr(MkLink) link = script_link(recording_load(true, 3));
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_agent_open(link, &setup->setup, NULL, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_STOR_NONE);
    script_assert_over(link);
}

static void test_to_stage2(void)
{
    g_autoptr(XFlashSetup) setup = xflash_setup_new(XML_LABEL, 0x1172, GOLDEN_STAGE2);
    GArray *steps = recording_load(false, 6);
    g_autoptr(MkLink) link = script_link(steps);
    g_autoptr(GError) error = NULL;
    xml_vector(steps, 1, NULL, 0);
    xml_host_command(steps, "NOTIFY-INIT-HW", "");
    xml_phone(steps, "OK");
    xml_end(steps, "OK", "");
    xml_vector(steps, 5, "GET-SYS-PROPERTY", 0);
    xml_question(steps, "GET-HW-INFO", XML_TARGET_PAGE, "MEM://0x1:0x2000", "HW-INFO", HW_INFO);
    xml_unsupported(steps, "GET-SYS-PROPERTY", XML_KEY("DA.HRID"));
    xml_vector(steps, 5, "GET-DA-INFO", 0);
    g_autoptr(MkAgent) agent = mk_agent_open(link, &setup->setup, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(agent->info.storage, ==, MK_STORAGE_UNKNOWN);
    g_assert_cmpint(agent->info.life, ==, MK_LIFE_UNKNOWN);
    g_assert_false(agent->info.has_chip_id);
    script_assert_over(link);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xml/golden/without-memory", test_without_memory);
    g_test_add_func("/agent/xml/golden/to-stage2", test_to_stage2);
    return g_test_run();
}
