/* A phone that stops at any byte, lies at any byte, or babbles: always a fault of a known kind, never a hang, a crash or a leak. */
#include "babble.h"
#include "xflash-setup.h"
#include "xflash-words.h"

/* What a good phone says to reading, writing, erasing, a download, an upload, the battery and the end. */
static const char use_words[] = "D> 0 0 0 P(512) 0 "
                                "D> 0 0 0 0 "
                                "D> 0 0 40040004 64 40040005 "
                                "D> 0 0 0 0 0 0 0 0 0 0 "
                                "D> 0 0 :0002000000000000 0 P(512) 0 "
                                "D> 0 0 F00 0 "
                                "D> 0 0 ";

enum { OPERATIONS = 8 };

typedef struct {
    XFlashSetup *setup;
    GByteArray *bytes;
    unsigned done; /* operations that succeeded */
} Case;

static void case_init(Case *which)
{
    GArray *steps = script_steps_new();
    xflash_script_parse(steps, OPEN);
    xflash_script_parse(steps, use_words);
    which->setup = xflash_setup_new(XFLASH_LABEL, 0x6765, XFLASH_STAGE2);
    which->bytes = g_byte_array_new();
    for (guint i = 0; i < steps->len; i++) {
        const ScriptStep *step = &g_array_index(steps, ScriptStep, i);
        if (!step->from_host)
            g_byte_array_append(which->bytes, g_bytes_get_data(step->bytes, NULL),
                                (guint)g_bytes_get_size(step->bytes));
    }
    g_array_unref(steps);
}

static void case_clear(Case *which)
{
    g_byte_array_unref(which->bytes);
    xflash_setup_free(which->setup);
}

static void use(Case *which, MkAgent *agent)
{
    g_autoptr(GError) error = NULL;
    unsigned millivolt;
    MkRegion region = mk_geometry_main_region(&agent->info.geometry);
    uint32_t unit = mk_agent_page_unit(agent, region);
    babble_count(&which->done, mk_agent_read(agent, region, 0, unit, babble_drop, NULL, &error), &error);
    babble_count(&which->done, mk_agent_write(agent, region, 0, unit, babble_zeros, NULL, &error), &error);
    babble_count(&which->done, mk_agent_erase(agent, region, 0, unit, MK_ERASE_NORMAL, false, NULL, &error), &error);
    babble_count(&which->done, mk_agent_download(agent, "boot", 512, babble_zeros, NULL, &error), &error);
    babble_count(&which->done, mk_agent_upload(agent, "boot", babble_drop, NULL, &error), &error);
    babble_count(&which->done, mk_agent_battery(agent, &millivolt, &error), &error);
    babble_count(&which->done, mk_agent_finish(agent, MK_AFTER_REBOOT, &error), &error);
}

/* A phone that says the first LENGTH bytes of BYTES, then REPEATED for ever if that is not negative. */
static void play(Case *which, const uint8_t *bytes, size_t length, int repeated)
{
    g_autoptr(GError) error = NULL;
    Babble *babble = babble_new(bytes, length);
    babble->endless = repeated >= 0;
    babble->repeated = (uint8_t)repeated;
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
    play(&which, which.bytes->data, which.bytes->len, -1);
    g_assert_cmpuint(which.done, ==, OPERATIONS);
    for (size_t length = 0; length < which.bytes->len; length++) {
        g_autofree uint8_t *exact = g_memdup2(which.bytes->data, MAX(length, 1));
        play(&which, exact, length, -1);
        g_assert_cmpuint(which.done, <, OPERATIONS);
    }
    case_clear(&which);
}

static void test_lies(void)
{
    static const uint8_t lies[] = {0x00, 0xFF, 0xC0, 0x40, 0x02};
    Case which;
    case_init(&which);
    for (size_t at = 0; at < which.bytes->len; at++) {
        uint8_t truth = which.bytes->data[at];
        for (size_t i = 0; i < sizeof lies; i++) {
            which.bytes->data[at] = lies[i];
            play(&which, which.bytes->data, which.bytes->len, -1);
        }
        which.bytes->data[at] = truth;
    }
    case_clear(&which);
}

static void test_babble(void)
{
    Case which;
    case_init(&which);
    for (int byte = 0; byte <= 0xFF; byte += 0x0F) {
        play(&which, NULL, 0, byte);
        g_assert_cmpuint(which.done, ==, 0);
        for (size_t length = which.bytes->len / 4; length < which.bytes->len; length += which.bytes->len / 8)
            play(&which, which.bytes->data, length, byte);
    }
    case_clear(&which);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xflash/hostile/truncated", test_truncated);
    g_test_add_func("/agent/xflash/hostile/lies", test_lies);
    g_test_add_func("/agent/xflash/hostile/babble", test_babble);
    return g_test_run();
}
