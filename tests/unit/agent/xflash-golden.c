/* What genuine XFlash agents (MT6765, 2020) were heard to say, and to whom (tests/data/golden): Medik must ask the same words, byte for byte
 * where the choice is not the host's, and understand the answers. */
#include "xflash-setup.h"
#include "xflash-words.h"

#define OPEN_2020 START RAM CTRL("40001") "@emmc-2020 0 " TAIL_OF(":0000200000000100")

typedef struct {
    const char *name;
    GArray *steps;    /* frames after a stage's SYNC: a header and a payload each */
    GByteArray *sent; /* the data of all writes in a row */
} Recording;

/* Where a recording worked: it kept only the CRC-32 of its 56-byte blocks. */
static const char *const ranges[] = {
    "1:8:1248000:30400", "1:1:0:1000",   "1:8:3248000:250000", "1:8:3248000:123",     "1:8:3248000:100000",
    "1:8:3248000:80000", "1:1:0:400000", "1:8:1248000:400",    "1:8:4248000:2000000", "1:8:40000000:200",
    "1:8:3FFFFE00:400",  "1:9:0:200",    "30:8:0:200"};

static GBytes *range_of(uint32_t crc)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        g_autoptr(GByteArray) block = g_byte_array_new();
        xflash_put_range(block, ranges[i]);
        if (mk_crc32(0, block->data, block->len) == crc)
            return g_byte_array_free_to_bytes(g_steal_pointer(&block));
    }
    g_error("a range that the test does not know");
}

/* "len=56 crc32=36323a77 first...last": the block itself; from the host data of the sum sent before them; from the phone zeros. */
static void load_long(Recording *recording, char **words, bool from_host)
{
    size_t length = (size_t)g_ascii_strtoull(words[2] + 4, NULL, 10);
    GBytes *bytes;
    if (from_host && length == 56) {
        bytes = range_of((uint32_t)g_ascii_strtoull(words[3] + 6, NULL, 16));
    } else if (from_host) {
        const ScriptStep *sum = &g_array_index(recording->steps, ScriptStep, recording->steps->len - 1);
        bytes = script_summing(length, mk_le16(g_bytes_get_data(sum->bytes, NULL)));
        g_byte_array_append(recording->sent, g_bytes_get_data(bytes, NULL), (guint)length);
    } else {
        bytes = g_bytes_new_take(g_malloc0(length), length);
    }
    xflash_script_frame(recording->steps, from_host, bytes);
}

static void load_line(Recording *recording, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    if (g_str_has_prefix(line + 2, "hdr efeeeefe"))
        return; /* every payload brings its own */
    if (g_str_has_prefix(words[2], "len="))
        load_long(recording, words, *line == '<');
    else {
        g_autofree char *word = g_strconcat(":", words[2], NULL);
        xflash_script_frame(recording->steps, *line == '<', xflash_script_payload(word));
    }
}

/* What came after the line that contains FROM, up to the one that contains TO (NULL: the end). */
static void recording_load(Recording *recording, const char *name, const char *from, const char *to)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "golden", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    bool on = false;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    *recording = (Recording){name, script_steps_new(), g_byte_array_new()};
    for (char **line = lines; *line; line++) {
        if (on && to && strstr(*line, to))
            break;
        if (on && (**line == '<' || **line == '>') && strcmp(*line, "> buf c0") != 0)
            load_line(recording, *line);
        on |= strstr(*line, from) != NULL;
    }
}

static void recording_clear(Recording *recording)
{
    g_array_unref(recording->steps);
    g_byte_array_unref(recording->sent);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Recording, recording_clear)

static bool payload_is(GArray *steps, guint index, bool from_host, uint32_t value)
{
    if (index >= steps->len)
        return false;
    const ScriptStep *step = &g_array_index(steps, ScriptStep, index);
    return step->from_host == from_host && g_bytes_get_size(step->bytes) == 4 &&
           mk_le32(g_bytes_get_data(step->bytes, NULL)) == value;
}

/* Moves the DEVICE_CTRL exchange of CODE to the end of STEPS; its host words must be there. */
static void move_control(GArray *steps, Recording *recording, uint32_t code)
{
    GArray *from = recording->steps;
    for (guint i = 1; i + 4 < from->len; i += 2) {
        if (!payload_is(from, i, true, 0x10009) || !payload_is(from, i + 4, true, code))
            continue;
        guint end = i + 6;
        /* To the next command, or the end. */
        while (end < from->len && !payload_is(from, end, true, 0x10009) && !payload_is(from, end, true, 0x10008))
            end += 2;
        for (guint j = i - 1; j < end - 1; j++) {
            const ScriptStep *step = &g_array_index(from, ScriptStep, j);
            ScriptStep *copy = script_add(steps, step->from_host, g_bytes_ref(step->bytes));
            copy->bulk = step->bulk;
            copy->any = step->any;
        }
        return;
    }
    g_error("%s has no %06X", recording->name, code);
}

static void append_words(GArray *steps, const char *words)
{
    xflash_script_parse(steps, words);
}

/* The recording's questions in Medik's order. It told more than Medik asks, and the small client chose other settings: Linux, no checksums. */
static void test_info(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XFlashSetup) setup = xflash_setup_new(XFLASH_LABEL, 0x6765, 291356);
    g_auto(Recording) first = {0}, second = {0};
    static const uint32_t questions[] = {0x4000C, 0x40001, 0x4000D, 0x40008, 0x40007,
                                         0x40005, 0x40014, 0x40010, 0x40012};
    static const uint8_t cid[] = {0x15, 0x01, 0x00, 0x52, 0x38, 0x55, 0x33, 0x4D,
                                  0x42, 0x20, 0xA1, 0xB2, 0xC3, 0xD4, 0x40, 0x00};
    recording_load(&first, "agent-xflash-mt6765-2020-info.txt", "stage 1 runs", "stage 2 entered");
    recording_load(&second, "agent-xflash-mt6765-2020-info.txt", "stage 2 entered", NULL);
    GArray *steps = script_steps_new();
    append_words(steps, START_STAGE1);
    move_control(steps, &first, 0x20004);
    append_words(steps, SET("20002", "2") SET("20003", "1"));
    move_control(steps, &first, 0x4000A);
    append_words(steps, "H> 10008 D> 0 H> :00000040000000001C72040000000000 *291356 D> 0 434E5953 ");
    move_control(steps, &second, 0x40016);
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        if (questions[i] == 0x40001)
            append_words(
                steps,
                CTRL(
                    "40001") "@emmc-2020 0 "); /* the recording has a CRC-32 of it; see xflash_put_emmc_of_recordings() */
        else
            move_control(steps, &second, questions[i]);
    }
    append_words(steps, CTRL("80007") "0 ");
    MkLink *link = script_link(steps);
    g_autoptr(MkAgent) agent = mk_agent_open(link, &setup->setup, NULL, NULL, &error);
    g_assert_no_error(error);
    const MkAgentInfo *info = mk_agent_info(agent);
    g_assert_cmpuint(info->geometry.boot1, ==, 0x400000);
    g_assert_cmpuint(info->geometry.rpmb, ==, 0x80000);
    g_assert_cmpuint(info->geometry.user, ==, 0x40000000);
    g_assert_cmpmem(info->emmc_cid, 16, cid, 16);
    g_assert_cmpuint(info->dram_size, ==, 0xC0000000);
    g_assert_cmpuint(info->sram_size, ==, 0x70000);
    g_assert_cmpuint(info->dram_type, ==, 3);
    g_assert_cmpint(info->rpmb_key, ==, 1);
    g_assert_false(info->has_chip_id); /* the emulated chip's ids are all zero */
    g_assert_cmphex(info->chip_code, ==, 0x766);
    g_assert_false(info->has_hrid);
    script_assert_over(link);
    mk_link_free(link);
}

/* The emulated chip had no battery: 0 mV and then a refusal. */
static void test_no_battery(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(XFlashSetup) setup = xflash_setup_new(XFLASH_LABEL, 0x6765, XFLASH_STAGE2);
    g_auto(Recording) recording = {0};
    GArray *steps = script_steps_new();
    unsigned millivolt;
    bool reenumerates;
    recording_load(&recording, "agent-xflash-mt6765-2020-info.txt", "stage 2 entered", NULL);
    append_words(steps, OPEN_2020);
    move_control(steps, &recording, 0x4000F);
    move_control(steps, &recording, 0x4000B);
    MkLink *link = script_link(steps);
    g_autoptr(MkAgent) agent = mk_agent_open(link, &setup->setup, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(mk_agent_battery(agent, &millivolt, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_UNSUPPORTED);
    g_assert_cmphex(mk_fault_number(error), ==, 0xC0040001);
    g_clear_error(&error);
    g_assert_true(mk_agent_high_speed(agent, &reenumerates, &error));
    g_assert_false(reenumerates);
    g_assert_cmpuint(agent->info.usb_speed, ==, 1);
    script_assert_over(link);
    mk_link_free(link);
}

typedef struct {
    XFlashSetup *setup;
    Recording recording;
    MkLink *link;
    MkAgent *agent;
    size_t sent;
} Replay;

/* Exchanges of a recording that Medik does not have: frames [first, last) of stage 2, the SYNC being number 0. */
typedef struct {
    guint first, last;
} Drop;

/* Medik's own opening, then what the recording did in stage 2. DROPS from the last to the first, ends with {0, 0}. */
static void replay_open(Replay *replay, const char *name, const Drop *drops)
{
    g_autoptr(GError) error = NULL;
    GArray *steps = script_steps_new();
    recording_load(&replay->recording, name, "stage 2 entered", NULL);
    append_words(steps, OPEN_2020);
    for (; drops->last; drops++)
        g_array_remove_range(replay->recording.steps, 2 * drops->first, 2 * (drops->last - drops->first));
    for (guint i = 2; i < replay->recording.steps->len; i++) { /* behind the SYNC */
        const ScriptStep *step = &g_array_index(replay->recording.steps, ScriptStep, i);
        ScriptStep *copy = script_add(steps, step->from_host, g_bytes_ref(step->bytes));
        copy->bulk = step->bulk;
        copy->any = step->any;
    }
    replay->setup = xflash_setup_new(XFLASH_LABEL, 0x6765, XFLASH_STAGE2);
    replay->link = script_link(steps);
    replay->agent = mk_agent_open(replay->link, &replay->setup->setup, NULL, NULL, &error);
    g_assert_no_error(error);
    replay->sent = 0;
}

static void replay_close(Replay *replay)
{
    script_assert_over(replay->link);
    mk_agent_free(replay->agent);
    mk_link_free(replay->link);
    xflash_setup_free(replay->setup);
    recording_clear(&replay->recording);
}

static void replay_write(Replay *replay, MkRegion region, uint64_t offset, size_t length)
{
    g_autoptr(GError) error = NULL;
    ScriptBuffer source = {replay->recording.sent->data + replay->sent, length, 0};
    g_assert_cmpuint(replay->sent + length, <=, replay->recording.sent->len);
    replay->agent->klass->write(replay->agent, region, offset, length, script_source, &source, &error);
    g_assert_no_error(error);
    replay->sent += length;
}

/* Through the table of functions: the public calls insist on whole sectors within the region. */
static void replay_read(Replay *replay, MkRegion region, uint64_t offset, size_t length, uint32_t refusal)
{
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *data = g_malloc(length);
    ScriptBuffer sink = {data, length, 0};
    bool good = replay->agent->klass->read(replay->agent, region, offset, length, script_sink, &sink, &error);
    g_assert_cmphex(error ? mk_fault_number(error) : 0, ==, refusal);
    g_assert_true(good == (refusal == 0));
    g_assert_cmpuint(sink.done, ==, good ? length : 0);
}

/* DEVICE_CTRL/GET_PACKET_LENGTH, which Medik has asked while opening. */
static const Drop first_question[] = {{1, 7}, {0, 0}};

static void test_read_write(void)
{
    Replay replay;
    replay_open(&replay, "agent-xflash-mt6765-2020-rw.txt", first_question);
    replay_write(&replay, MK_REGION_USER, 0x1248000, 0x30400);
    replay_read(&replay, MK_REGION_USER, 0x1248000, 0x30400, 0);
    replay_write(&replay, MK_REGION_BOOT1, 0, 0x1000);
    replay_read(&replay, MK_REGION_BOOT1, 0, 0x1000, 0);
    replay_write(&replay, MK_REGION_USER, 0x3248000, 0x250000);
    replay_read(&replay, MK_REGION_USER, 0x3248000, 0x250000, 0);
    replay_read(&replay, MK_REGION_USER, 0x3248000, 0x123, 0);
    replay_close(&replay);
}

static void test_erase(void)
{
    g_autoptr(GError) error = NULL;
    Replay replay;
    replay_open(&replay, "agent-xflash-mt6765-2020-fmtscr.txt", first_question);
    replay_write(&replay, MK_REGION_USER, 0x3248000, 0x100000);
    mk_agent_erase(replay.agent, MK_REGION_USER, 0x3248000, 0x80000, MK_ERASE_NORMAL, false, NULL, &error);
    g_assert_no_error(error);
    replay_read(&replay, MK_REGION_USER, 0x3248000, 0x100000, 0);
    mk_agent_erase(replay.agent, MK_REGION_USER, 0x4248000, 0x2000000, MK_ERASE_NORMAL, false, NULL, &error);
    g_assert_no_error(error);
    mk_agent_erase(replay.agent, MK_REGION_BOOT1, 0, 0x400000, MK_ERASE_NORMAL, false, NULL, &error);
    g_assert_no_error(error);
    replay_close(&replay);
}

/* Unknown words, another storage and SET_CHECKSUM_LEVEL in stage 2 were asked of the agent only by the small client. */
static void test_errors(void)
{
    static const Drop drops[] = {{29, 33}, {17, 25}, {1, 9}, {0, 0}};
    g_autoptr(GError) error = NULL;
    uint8_t data[512] = {0};
    ScriptBuffer source = {data, sizeof data, 0};
    bool reenumerates;
    Replay replay;
    replay_open(&replay, "agent-xflash-mt6765-2020-errors.txt", drops);
    replay_read(&replay, MK_REGION_USER, 0x40000000, 0x200, 0xC004000B);
    replay_read(&replay, MK_REGION_USER, 0x3FFFFE00, 0x400, 0xC004000B);
    g_assert_false(
        replay.agent->klass->write(replay.agent, MK_REGION_USER, 0x40000000, 0x200, script_source, &source, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_RANGE);
    g_clear_error(&error);
    replay_write(&replay, MK_REGION_USER, 0x1248000, 0x400);
    g_assert_true(mk_agent_high_speed(replay.agent, &reenumerates, &error));
    replay_close(&replay);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xflash/golden/info", test_info);
    g_test_add_func("/agent/xflash/golden/no-battery", test_no_battery);
    g_test_add_func("/agent/xflash/golden/read-write", test_read_write);
    g_test_add_func("/agent/xflash/golden/erase", test_erase);
    g_test_add_func("/agent/xflash/golden/errors", test_errors);
    return g_test_run();
}
