/* Exchanges recorded from genuine agents of MT6582, replayed against the virtual phone's agent: what the host sent then is sent again, and
 * every byte that the agent answered must come. Buffers are recorded as length and CRC: data of the host that is not shown is replaced by
 * zeros, and from then on what depends on it is only measured, not compared. */
#include "core/bytes.h"
#include "core/hash.h"
#include "device.h"
#include "phone/chip.h"

#include <glib/gstdio.h>
#include <stdlib.h>

typedef struct {
    const char *file;
    const char *release;
    uint64_t user;
    bool dram_up;
    const char *then; /* another recording that goes on with the same storage, or NULL */
} Recording;

/* Every recording of a legacy agent, from its first byte to its last. */
static const Recording recordings[] = {
    {"legacy-mt6582-read.txt", "G3", 0x40000000, true, NULL},
    {"legacy-mt6582-write.txt", "G3", 0x40000000, true, NULL},
    {"legacy-mt6582-format.txt", "G3", 0x40000000, true, NULL},
    {"legacy-mt6582-reboot.txt", "G3", 0x40000000, true, NULL},
    {"legacy-mt6582-download.txt", "G3", 0x1d2000000, true, "legacy-mt6582-pmt.txt"},
    {"agent-legacy-mt6582-2016-brom.txt", "G3", 0x40000000, false, NULL},
    {"agent-legacy-mt6582-2016-errors.txt", "G3", 0x40000000, true, NULL},
    {"agent-legacy-mt6582-2016-misc.txt", "G3", 0x40000000, true, NULL},
    {"agent-legacy-mt6582-2014-rw.txt", "G2", 0x40000000, true, NULL},
    {"agent-legacy-mt6582-2014-fmtscr.txt", "G2", 0x40000000, true, NULL},
    {"agent-legacy-mt6582-2014-pmt.txt", "G2", 0x40000000, true, NULL},
};

static void fill_model(Device *device, const Recording *recording)
{
    static const uint8_t cid[] = {0x15, 0x01, 0x00, 0x52, 0x38, 0x55, 0x33, 0x4D,
                                  0x42, 0x20, 0xA1, 0xB2, 0xC3, 0xD4, 0x40, 0x00};
    static const uint8_t chip_id[] = {0xE1, 0x29, 0xF2, 0x7C, 0x51, 0x03, 0xBC, 0x5C,
                                      0xC4, 0x4B, 0xCD, 0xF0, 0xA1, 0x5E, 0x16, 0x0D};
    MkModel *model = &device->model;
    model->soc = mk_soc_by_code(0x6582, 0);
    model->hw_code = 0x6582;
    model->geometry = (MkGeometry){.storage = MK_STORAGE_EMMC,
                                   .boot1 = 0x400000,
                                   .boot2 = 0x400000,
                                   .rpmb = 0x80000,
                                   .user = recording->user,
                                   .sector = 512};
    memcpy(model->cid, cid, sizeof cid);
    memcpy(model->chip_id, chip_id, sizeof chip_id);
    model->sram_size = 0x20000;
    model->dram_size = 0x40000000;
    model->emi_version = 12;
    model->emmc_can_erase = true;
    model->table = MK_TABLE_MBR;
    device->machine.release = (char *)recording->release;
    device->machine.dram_up = recording->dram_up;
}

typedef struct {
    Device device;
    unsigned line;
    bool loop;      /* the agent takes commands */
    bool no_ram;    /* the emulated chip's RAM did not answer the report after E8: a phone's does */
    bool unknown;   /* data were written that the recording does not show */
    uint16_t sum;   /* of the host's last buffer */
    uint16_t total; /* of all its buffers since 61 */
    bool sum_next;  /* the next u16 of the host is that sum */
    bool buffer;    /* the last thing from the agent was a buffer: its sum follows in two single bytes */
} Replay;

static void expect(Replay *replay, const uint8_t *wanted, size_t length, bool compare)
{
    g_autofree uint8_t *got = g_malloc0(length + 1);
    size_t n = device_receive(&replay->device, got, length, 5000);
    if (n != length)
        g_test_message("line %u: %zu of %zu bytes came", replay->line, n, length);
    g_assert_cmpuint(n, ==, length);
    if (compare && wanted && memcmp(got, wanted, length) != 0)
        g_test_message("line %u: other bytes, first %02x instead of %02x", replay->line, got[0], wanted[0]);
    if (compare && wanted)
        g_assert_cmpmem(got, length, wanted, length);
}

static void expect_buffer(Replay *replay, size_t length, const char *crc)
{
    g_autofree uint8_t *got = g_malloc(length);
    g_assert_cmpuint(device_receive(&replay->device, got, length, 5000), ==, length);
    if (crc && !replay->unknown)
        g_assert_cmphex(mk_crc32(0, got, length), ==, g_ascii_strtoull(crc, NULL, 16));
    replay->buffer = true;
}

/* Data that the recording shows by their checksum only: zeros and the counting pattern are known, other data become zeros. */
static void send_buffer(Replay *replay, size_t length, const char *crc)
{
    g_autofree uint8_t *data = g_malloc0(length);
    uint32_t wanted = crc ? (uint32_t)g_ascii_strtoull(crc, NULL, 16) : 0;
    if (mk_crc32(0, data, length) != wanted) { /* as the DRAM settings of a recording are */
        for (size_t i = 0; i < length; i++)
            data[i] = (uint8_t)i;
        if (mk_crc32(0, data, length) != wanted) {
            memset(data, 0, length);
            replay->unknown |= replay->loop;
        }
    }
    replay->sum = mk_sum16(0, data, length);
    replay->total = (uint16_t)(replay->total + replay->sum);
    replay->sum_next = true;
    device_send(&replay->device, data, length);
}

static GByteArray *bytes_of(const char *hex, size_t repeat)
{
    GByteArray *bytes = g_byte_array_new();
    for (; repeat; repeat--)
        for (const char *digit = hex; g_ascii_isxdigit(digit[0]); digit += 2)
            mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(digit[0]) << 4 | g_ascii_xdigit_value(digit[1])));
    return bytes;
}

static bool is_sum(const Replay *replay, const char *width)
{
    return replay->sum_next && strcmp(width, "u16") == 0;
}

static void replay_line(Replay *replay, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    bool from_host = *line == '<';
    const char *last = words[g_strv_length(words) - 1];
    size_t repeat = *last == 'x' ? (size_t)g_ascii_strtoull(last + 1, NULL, 10) : 1;
    if (g_str_has_prefix(words[2], "len=")) {
        size_t length = (size_t)g_ascii_strtoull(words[2] + 4, NULL, 10) * repeat;
        const char *crc = words[3] && g_str_has_prefix(words[3], "crc32=") ? words[3] + 6 : NULL;
        if (from_host)
            send_buffer(replay, length, crc);
        else
            expect_buffer(replay, length, repeat == 1 ? crc : NULL);
        return;
    }
    g_autoptr(GByteArray) bytes = bytes_of(words[2], repeat);
    bool own_sum = from_host && is_sum(replay, words[1]);
    bool wrong = own_sum && bytes->len == 2 && mk_be16(bytes->data) == (uint16_t)(replay->sum + 1) && !replay->unknown;
    bool own_total = replay->unknown && !own_sum && strcmp(words[1], "u16") == 0;
    if (from_host && bytes->len == 1 && bytes->data[0] == 0x61)
        replay->total = 0;
    if (from_host && (own_total || (own_sum && !wrong))) {
        uint16_t value = own_total ? replay->total : replay->sum;
        uint8_t sum[] = {(uint8_t)(value >> 8), (uint8_t)value};
        device_send(&replay->device, sum, sizeof sum);
    } else if (from_host) {
        device_send(&replay->device, bytes->data, bytes->len);
    } else {
        bool is_data = replay->buffer && replay->unknown && strcmp(words[1], "u8") == 0;
        expect(replay, bytes->data, bytes->len, !is_data && !replay->no_ram);
        return;
    }
    replay->sum_next = replay->sum_next && wrong;
    replay->buffer = false;
}

static bool is_ram(const Replay *replay, const char *const *line)
{
    return !replay->loop && line[-1] && strcmp(line[-1], "> u32 00020000") == 0 && strcmp(*line, "> u32 00000bbf") == 0;
}

static void play_file(Replay *replay, const char *file)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "golden", file, NULL), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool agent = false;
    unsigned ram = 0;
    for (char **line = lines; *line; line++) {
        replay->line = (unsigned)(line - lines) + 1;
        agent |= strstr(*line, "stage 1 runs") != NULL;
        if (!agent || (**line != '<' && **line != '>'))
            continue;
        ram = is_ram(replay, (const char *const *)line) ? 4 : ram; /* status, type, chip select, size */
        replay->no_ram = ram > 0;
        ram -= ram > 0;
        replay_line(replay, *line);
        replay->loop |= strcmp(*line, "> u8 c1") == 0;
    }
}

static void run_recording(const Recording *recording, const char *file, const char *folder, bool create)
{
    g_autoptr(GError) error = NULL;
    Replay replay = {0};
    fill_model(&replay.device, recording);
    replay.device.machine.chip = mk_chip_open(&replay.device.model, folder, create, &error);
    g_assert_no_error(error);
    device_start(&replay.device, mk_legacy_run);
    play_file(&replay, file);
    uint8_t more;
    g_assert_cmpuint(device_receive(&replay.device, &more, 1, 20), ==, 0); /* nothing that the agent did not say */
    device_end(&replay.device);
    mk_chip_free(replay.device.machine.chip);
}

static void test_recording(gconstpointer data)
{
    const Recording *recording = data;
    g_autofree char *folder = g_dir_make_tmp("medik-golden-XXXXXX", NULL);
    run_recording(recording, recording->file, folder, true);
    if (recording->then)
        run_recording(recording, recording->then, folder, false);
    static const char *const files[] = {"boot1.img", "boot2.img", "rpmb.img", "user.img"};
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(recordings); i++) {
        g_autofree char *name = g_strdup_printf("/golden/%s", recordings[i].file);
        g_test_add_data_func(name, &recordings[i], test_recording);
    }
    return g_test_run();
}
