/* Frames: what a client may rely on whatever the phone sends. */
#include "agent/frame.h"

#include "babble.h"
#include "script.h"

#define MAGIC "EFEEEEFE"

typedef struct {
    MkLink *link;
    MkFrames frames;
    bool lost;
} Fixture;

static void set_up(Fixture *f, const char *text)
{
    GArray *steps = script_steps_new();
    script_parse(steps, text);
    f->link = script_link(steps);
    f->lost = false;
    f->frames = (MkFrames){.link = f->link, .lost = &f->lost};
}

static void tear_down(Fixture *f)
{
    mk_link_free(f->link);
}

static void test_send(void)
{
    Fixture f;
    set_up(&f, "H> " MAGIC "0100000004000000 09000100  " MAGIC "0100000010000000 P(16)");
    uint8_t payload[16];
    for (unsigned i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)i;
    g_assert_true(mk_frame_send32(&f.frames, 0x10009, 100, NULL));
    g_assert_true(mk_frame_send(&f.frames, payload, sizeof payload, 100, NULL));
    script_assert_over(f.link);
    tear_down(&f);
}

/* One byte at a time, and a log frame before and behind. */
static void test_fragments_and_logs(void)
{
    static const char text[] = "\xEF\xEE\xEE\xFE\x02\0\0\0\x07\0\0\0\x01\0\0\0hi\n"
                               "\xEF\xEE\xEE\xFE\x01\0\0\0\x03\0\0\0"
                               "1.0"
                               "\xEF\xEE\xEE\xFE\x02\0\0\0\x00\0\0\0"
                               "\xEF\xEE\xEE\xFE\x01\0\0\0\x04\0\0\0\x05\0\x04\x40";
    g_autoptr(GString) script = g_string_new("D> ");
    for (size_t i = 0; i < sizeof text - 1; i++)
        g_string_append_printf(script, "%02X ", (uint8_t)text[i]);
    Fixture f;
    set_up(&f, script->str);
    uint8_t payload[8];
    size_t length;
    g_assert_true(mk_frame_receive(&f.frames, payload, sizeof payload, &length, 100, NULL));
    g_assert_cmpmem(payload, length, "1.0", 3);
    g_assert_true(mk_frame_begin(&f.frames, 4, &length, 100, NULL));
    g_assert_cmpuint(length, ==, 4);
    g_assert_true(mk_frame_take(&f.frames, payload, 1, 100, NULL));
    g_assert_cmpuint(payload[0], ==, 5);
    g_assert_true(mk_frame_skip(&f.frames, 100, NULL));
    g_assert_false(f.lost);
    script_assert_over(f.link);
    tear_down(&f);
}

static void assert_fault(const char *text, MkFault expected)
{
    Fixture f;
    uint8_t payload[8];
    size_t length;
    g_autoptr(GError) error = NULL;
    set_up(&f, text);
    g_assert_false(mk_frame_receive(&f.frames, payload, sizeof payload, &length, 100, &error));
    g_assert_cmpint(mk_fault_code(error), ==, expected);
    g_assert_true(f.lost);
    tear_down(&f);
}

static void test_hostile(void)
{
    assert_fault("D> EFEEEEFF0100000004000000 00000000", MK_FAULT_PROTOCOL);
    assert_fault("D> " MAGIC "01000000FFFFFFFF", MK_FAULT_PROTOCOL);
    assert_fault("D> " MAGIC "0100000009000000 010203040506070809", MK_FAULT_PROTOCOL);
    assert_fault("D> " MAGIC "02000000FFFFFFFF", MK_FAULT_PROTOCOL);
    assert_fault("D> " MAGIC "0100000008000000 01020304", MK_FAULT_SILENT);
    assert_fault("D> " MAGIC "01000000", MK_FAULT_SILENT);
    assert_fault("D> ", MK_FAULT_SILENT);
}

/* A phone that sends log frames for ever does not hold us. */
static bool babble_logs(G_GNUC_UNUSED MkLink *link, void *data, size_t length, size_t *got, G_GNUC_UNUSED int timeout,
                        G_GNUC_UNUSED GCancellable *cancel, G_GNUC_UNUSED GError **error)
{
    static const uint8_t header[12] = {0xEF, 0xEE, 0xEE, 0xFE, 2};
    g_assert_cmpuint(length, ==, sizeof header);
    memcpy(data, header, sizeof header);
    *got = sizeof header;
    return true;
}

static void test_endless_logs(void)
{
    static const MkLinkClass klass = {.read_some = babble_logs, .write = babble_write, .free = babble_free};
    g_autoptr(MkLink) link = mk_link_alloc(&klass, sizeof *link, MK_LINK_PAIR, "logs");
    bool lost = false;
    MkFrames frames = {.link = link, .lost = &lost};
    size_t length;
    g_autoptr(GError) error = NULL;
    g_assert_false(mk_frame_begin(&frames, 4, &length, 100, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_PROTOCOL);
    g_assert_true(lost);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame/send", test_send);
    g_test_add_func("/frame/fragments-and-logs", test_fragments_and_logs);
    g_test_add_func("/frame/hostile", test_hostile);
    g_test_add_func("/frame/endless-logs", test_endless_logs);
    return g_test_run();
}
