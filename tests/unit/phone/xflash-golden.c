/* Exchanges recorded from the genuine agent of MT6765 (2020), replayed against the virtual phone's: what the host sent then is sent again,
 * and every byte that the agent answered must come. Data that the recording shows by length and CRC only are known where they are the
 * parameters of a command; other data of the host become a pattern, and what is read back of them is compared in length. */
#include "recording.h"
#include "xflash-host.h"

#define STAGE2_LENGTH 291356
#define RANGE_LENGTH  56

typedef struct {
    const char *file;
    MkNext next;
} Recording;

static const Recording recordings[] = {
    {"agent-xflash-mt6765-2020-info.txt", MK_NEXT_GONE},     {"agent-xflash-mt6765-2020-errors.txt", MK_NEXT_GONE},
    {"agent-xflash-mt6765-2020-rw.txt", MK_NEXT_GONE},       {"agent-xflash-mt6765-2020-fmtscr.txt", MK_NEXT_GONE},
    {"agent-xflash-mt6765-2020-shutdown.txt", MK_NEXT_HALT},
};

/* The parameters behind the recorded CRCs; the last stands for the one FORMAT whose parameter nobody has found. */
static const struct {
    uint32_t storage, section;
    uint64_t address, length;
} ranges[] = {
    {1, 8, 0x40000000, 0x200},    {1, 8, 0x3FFFFE00, 0x400},   {1, 9, 0, 0x200},           {0x30, 8, 0, 0x200},
    {1, 8, 0x1248000, 0x400},     {1, 8, 0x1248000, 0x30400},  {1, 1, 0, 0x1000},          {1, 8, 0x3248000, 0x250000},
    {1, 8, 0x3248000, 0x123},     {1, 8, 0x3248000, 0x100000}, {1, 8, 0x3248000, 0x80000}, {1, 1, 0, 0x400000},
    {1, 8, 0x8000000, 0x4000000},
};

typedef struct {
    Host host;
    unsigned line;
    uint8_t *stage2;
} Replay;

static GByteArray *parameter(uint32_t crc)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
        g_autoptr(GByteArray) block = g_byte_array_new();
        mk_put_le32(block, ranges[i].storage);
        mk_put_le32(block, ranges[i].section);
        mk_put_le64(block, ranges[i].address);
        mk_put_le64(block, ranges[i].length);
        mk_put_fill(block, 0, RANGE_LENGTH - block->len);
        if (mk_crc32(0, block->data, block->len) == crc || i + 1 == G_N_ELEMENTS(ranges))
            return g_steal_pointer(&block);
    }
    return NULL;
}

static void send_unseen(Replay *replay, size_t length, uint32_t crc)
{
    g_autoptr(GByteArray) data = length == RANGE_LENGTH ? parameter(crc) : g_byte_array_new();
    if (length == STAGE2_LENGTH)
        g_byte_array_append(data, replay->stage2, STAGE2_LENGTH);
    else if (length != RANGE_LENGTH)
        mk_put_fill(data, 0xD7, length);
    device_send(&replay->host.device, data->data, data->len);
}

static bool is_unseen(const uint8_t *data, size_t length)
{
    uint8_t value;
    return mk_is_uniform(data, length, &value) && value == 0xD7;
}

static void expect_unseen(Replay *replay, size_t length, uint32_t crc)
{
    g_autofree uint8_t *got = g_malloc(length);
    g_assert_cmpuint(device_receive(&replay->host.device, got, length, 5000), ==, length);
    if (!is_unseen(got, length) && mk_crc32(0, got, length) != crc)
        g_test_message("line %u: other data", replay->line);
    g_assert_true(is_unseen(got, length) || mk_crc32(0, got, length) == crc);
}

static void expect(Replay *replay, const GByteArray *wanted)
{
    uint8_t got[256];
    size_t n = device_receive(&replay->host.device, got, wanted->len, 5000);
    if (n != wanted->len || memcmp(got, wanted->data, n) != 0)
        g_test_message("line %u: other bytes", replay->line);
    g_assert_cmpmem(got, n, wanted->data, wanted->len);
}

static void replay_line(Replay *replay, const char *text)
{
    RecordedLine line = recording_line(text);
    g_autoptr(GByteArray) bytes = line.bytes;
    if (!bytes && line.from_host)
        send_unseen(replay, line.length, line.crc);
    else if (!bytes)
        expect_unseen(replay, line.length, line.crc);
    else if (line.from_host)
        device_send(&replay->host.device, bytes->data, bytes->len);
    else
        expect(replay, bytes);
}

static void begin(Replay *replay)
{
    static const HostKind kind = {.flavour = "2020", .hw_code = 0x766, .user = 0x40000000};
    Host *host = &replay->host;
    replay->stage2 = g_malloc(STAGE2_LENGTH);
    memset(replay->stage2, 0xDA, STAGE2_LENGTH);
    host_prepare(host, &kind);
    g_bytes_unref(host->device.machine.da);
    host->device.machine.da = host_stage1(replay->stage2, STAGE2_LENGTH);
    host->device.machine.high_speed = true;
    device_start(&host->device, mk_xflash_run);
}

static void test_recording(gconstpointer data)
{
    const Recording *recording = data;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "golden", recording->file, NULL), *text = NULL;
    Replay replay = {0};
    bool agent = false;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    begin(&replay);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        replay.line = (unsigned)(line - lines) + 1;
        agent |= strstr(*line, "stage 1 runs") != NULL;
        if (agent && (**line == '<' || **line == '>'))
            replay_line(&replay, *line);
    }
    host_is_quiet(&replay.host);
    g_assert_cmpint(host_end(&replay.host), ==, recording->next);
    g_free(replay.stage2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(recordings); i++) {
        g_autofree char *name = g_strdup_printf("/xflash-golden/%s", recordings[i].file);
        g_test_add_data_func(name, &recordings[i], test_recording);
    }
    return g_test_run();
}
