/* A phone that stops at any byte, lies at any byte, or babbles: always a fault of a known kind, never a hang, a crash or a leak. */
#include "babble.h"
#include "legacy-setup.h"

#define LABEL_G3 "MTK_AllInOne_DA_v7.1504.00.00"
#define LABEL_G1 "MTK_AllInOne_DA_v7.1320.0.0.983"

#define NOR  "00000BC3 00 00 FFFF 00000000 0000 0000 0000 0000 00000000 00000000 "
#define TAIL "00112233445566778899AABBCCDDEEFF 5A 00000C06 0000040B C1 "
/* What a good phone says to opening, reading, writing, erasing, reading and writing the table, and ending. */
#define GOOD_EMMC                                                                                                      \
    "C0 00000BC0 0005 0000 0000 0000 0000 0000 00000000 15010038 474E4431 52061234 56787251 04 02 87 "                 \
    "00000BBF 00000000 38000115 31444E47 34120652 51727856 00000BC0 0005 0000 0000 0000 0000 0000 "                    \
    "5A 000000BC 0000 00000000 02 00 0000000040000000 5A 5A 5A 5A " NOR                                                \
    "00000BC4 00 FFFF 00000000 0005 0000 0000 0000 0000 0000 0000 0000 0000 00 00 00 "                                 \
    "00000000 0000000000400000 0000000000400000 0000000000400000 0000000000000000 0000000000000000 "                   \
    "0000000000000000 0000000000000000 0000000100000000 38000115 31444E47 34120652 51727856 0000000000000001 "         \
    "00000C4A 0000000000000000 00000000 00000000 00000000 00000000 00000000 00020000 00000000 02 00 "                  \
    "0000000040000000 " TAIL
#define GOOD_NAND                                                                                                      \
    "C0 03 02 84 5A 00000038 5A 69 5A " NOR "00000000 00 00AD 20000000 00AD 00BC 0090 0055 0056 0800 0040 0040 "       \
    "00 05 01 00000C48 00000000 00000000 00000000 00000000 00000000 00000000 00000000 0000000000000000 "               \
    "00000000 00000000 00000000 00000000 0000000000000000 "                                                            \
    "00000C4A 0000000000000000 00000000 00000000 00000000 00000000 00000000 00010000 00000000 02 00 20000000 " TAIL
#define USE_EMMC                                                                                                       \
    "5A 5A 5A " ZEROS(512) "0000 5A 5A 5A 69 5A 5A 5A 5A 00000BCD 32 00000000 64 5A 5A "                               \
                           "5A 00000060 50524C00" ZEROS(92) "5A 5A 69 5A 5A 5A 0000 0000 0000005A 00000F3C 5A 5A 5A "
#define USE_NAND                                                                                                       \
    "5A 00000800 00000040 00000001 00000840 " ZEROS(                                                                   \
        2112) "0000 5A 69 5A 5A 00000BCD 32 00000000 64 "                                                              \
              "A5 0000000000000000 0000000020000000 00001000 00000002 00000000 5A "                                    \
              "5A 5A 5A 5A 5A 5A 00000800 00000040 69 5A 5A 5A 5A 02 0010 0FF0 0020 0FF1 "
#define ZEROS(n) "z" #n " "

static GByteArray *phone_bytes(const char *script)
{
    g_auto(GStrv) words = g_strsplit(script, " ", -1);
    GByteArray *bytes = g_byte_array_new();
    for (char **word = words; *word; word++) {
        const char *digits = *word;
        for (; g_ascii_isxdigit(digits[0]); digits += 2)
            mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(digits[0]) << 4 | g_ascii_xdigit_value(digits[1])));
        if (*digits == 'z')
            mk_put_fill(bytes, 0, (size_t)g_ascii_strtoull(digits + 1, NULL, 10));
    }
    return bytes;
}

typedef struct {
    LegacySetup *setup;
    bool nand;
    GByteArray *bytes;
    unsigned done; /* operations that succeeded */
} Case;

static void use_emmc(Case *which, MkAgent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) found = NULL;
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_PMT);
    unsigned millivolt;
    mk_layout_add(layout, "PRELOADER")->region = MK_REGION_LINEAR;
    babble_count(&which->done, mk_agent_read(agent, MK_REGION_USER, 0, 512, babble_drop, NULL, &error), &error);
    babble_count(&which->done, mk_agent_write(agent, MK_REGION_USER, 0, 512, babble_zeros, NULL, &error), &error);
    babble_count(&which->done, mk_agent_erase(agent, MK_REGION_USER, 0, 512, MK_ERASE_NORMAL, false, NULL, &error),
                 &error);
    babble_count(&which->done, mk_agent_read_table(agent, &found, &error), &error);
    babble_count(&which->done, mk_agent_write_table(agent, layout, true, &error), &error);
    babble_count(&which->done, mk_agent_memory_test(agent, MK_MEMTEST_PATTERN, 0, 0x1000, 0, NULL, &error), &error);
    babble_count(&which->done, mk_agent_battery(agent, &millivolt, &error), &error);
    babble_count(&which->done, mk_agent_finish(agent, MK_AFTER_REBOOT, &error), &error);
}

static void use_nand(Case *which, MkAgent *agent)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) pairs = NULL;
    char name[] = "SYSTEM";
    MkPartition partition = {.name = name, .region = MK_REGION_NAND, .size = 0x40000, .type = MK_TYPE_YAFFS_IMG};
    babble_count(&which->done,
                 mk_agent_read_nand(agent, 0, 0x800, MK_NAND_PAGE_SPARE, false, babble_drop, NULL, &error), &error);
    babble_count(&which->done, mk_agent_write(agent, MK_REGION_NAND, 0, 0x800, babble_zeros, NULL, &error), &error);
    babble_count(&which->done, mk_agent_erase(agent, MK_REGION_NAND, 0, 0x20000, MK_ERASE_NORMAL, false, NULL, &error),
                 &error);
    babble_count(&which->done, mk_agent_write_nand(agent, &partition, 2112, babble_zeros, NULL, &error), &error);
    babble_count(&which->done, mk_agent_read_bmt(agent, &pairs, &error), &error);
}

/* How many operations a phone that says BYTES (and REPEATED for ever, if not negative) satisfies; opening counts as one. */
static unsigned play(Case *which, const uint8_t *bytes, size_t length, int repeated)
{
    g_autoptr(GError) error = NULL;
    Babble *babble = babble_new(bytes, length);
    babble->endless = repeated >= 0;
    babble->repeated = (uint8_t)repeated;
    g_autoptr(MkAgent) agent = mk_agent_open(&babble->link, &which->setup->setup, NULL, NULL, &error);
    which->done = 0;
    babble_count(&which->done, agent != NULL, &error);
    if (agent && which->nand)
        use_nand(which, agent);
    else if (agent)
        use_emmc(which, agent);
    mk_link_free(&babble->link);
    return which->done;
}

static void case_init(Case *which, bool nand)
{
    which->nand = nand;
    which->bytes = phone_bytes(nand ? GOOD_NAND USE_NAND : GOOD_EMMC USE_EMMC);
    which->setup = nand ? legacy_setup_new(LABEL_G1, 0x6575, 0xC2038000, 112)
                        : legacy_setup_new(LABEL_G3, 0x6582, 0x80000000, 0x1005);
    which->setup->setup.from_preloader = nand;
    if (!nand) {
        /* Records of zeros only: their sum is 0, as the phone above says. */
        g_autoptr(GBytes) block = legacy_emi(12, 1, 188, NULL);
        which->setup->setup.emi = g_steal_pointer(&block);
    }
}

static void case_clear(Case *which)
{
    g_byte_array_unref(which->bytes);
    legacy_setup_free(which->setup);
}

static unsigned all_operations(const Case *which)
{
    return which->nand ? 6 : 9;
}

static void test_truncated(gconstpointer nand)
{
    Case which;
    case_init(&which, nand != NULL);
    g_assert_cmpuint(play(&which, which.bytes->data, which.bytes->len, -1), ==, all_operations(&which));
    for (size_t length = 0; length < which.bytes->len; length++) {
        unsigned done = play(&which, which.bytes->data, length, -1);
        /* The reboot is on its way before the last bytes; everything else needs all of its own. */
        if (length < which.bytes->len - 2)
            g_assert_cmpuint(done, <, all_operations(&which));
    }
    case_clear(&which);
}

static void test_lies(gconstpointer nand)
{
    static const uint8_t lies[] = {0x00, 0xFF, 0xA5, 0x69};
    Case which;
    case_init(&which, nand != NULL);
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

static void test_babble(gconstpointer nand)
{
    Case which;
    case_init(&which, nand != NULL);
    for (int byte = 0; byte <= 0xFF; byte += 0x0F) { /* 5A, 69, 96 and A5 among them */
        g_assert_cmpuint(play(&which, NULL, 0, byte), ==, 0);
        for (size_t length = which.bytes->len / 4; length < which.bytes->len; length += which.bytes->len / 8)
            g_assert_cmpuint(play(&which, which.bytes->data, length, byte), <=, all_operations(&which));
    }
    case_clear(&which);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/agent/hostile/truncated/emmc", NULL, test_truncated);
    g_test_add_data_func("/agent/hostile/truncated/nand", "nand", test_truncated);
    g_test_add_data_func("/agent/hostile/lies/emmc", NULL, test_lies);
    g_test_add_data_func("/agent/hostile/lies/nand", "nand", test_lies);
    g_test_add_data_func("/agent/hostile/babble/emmc", NULL, test_babble);
    g_test_add_data_func("/agent/hostile/babble/nand", "nand", test_babble);
    return g_test_run();
}
