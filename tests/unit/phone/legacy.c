/* What the virtual phone's legacy agent answers where no recording says it: the vectors of da-legacy-vectors.txt that were run on a genuine
 * agent, what each release knows, refusals, tests, the watchdog. */
#include "legacy-host.h"
#include "phone/agent-age.h"

/* Section 17 of the vectors. */
static void test_rejections(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "D3", "A5");
    agent_talk(&agent, "D5", "A5 00000BC3");
    agent_talk(&agent, "D2 01 02", "A5");
    agent_talk(&agent, "D2 00 01", "A5");
    agent_talk(&agent, "D2 0E 01", "A5");
    agent_say(&agent, "00 59 64 85 D1");
    agent_is_silent(&agent);
    agent_talk(&agent, "52", "A5");
    agent_talk(&agent, "60 09", "5A A5 00000C4B");
    mk_chip_set_absent(agent.device.machine.chip, true);
    agent_talk(&agent, "63", "A5 00000C4A");
    agent_talk(&agent, "60 08", "5A A5 00000C4B");
    agent_talk(&agent, "D6 0B 02 0000000000000000 0000000000000200", "A5 00000C4A");
    agent_talk(&agent, "62 01 08 0000000000000000 0000000000000200 00000200", "A5 00000C4A");
    agent_talk(&agent, "D4 02000000 0000000000000000 0000000000000200", "A5 00000C4A 5A");
    agent_talk(&agent, "A5", "A5 0000040D");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* Sections 8 to 10: reading and writing, resent and refused. */
static void test_packets(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "62 01 08 0000000000202000 0000000000000400 00000200", "5A");
    agent_send_packet(&agent, 512);
    agent_hear(&agent, "69");
    agent_say(&agent, "96"); /* no answer, the next byte is a command */
    agent_is_idle(&agent);
    agent_talk(&agent, "62 01 08 0000000000202000 0000000000000200 00000200", "5A");
    g_autofree char *wrong = g_strdup_printf("5A %01024d 1111", 0);
    agent_talk(&agent, wrong, "A5 00000BF4");
    agent_send_packet(&agent, 512); /* the same packet again */
    agent_hear(&agent, "69");
    agent_talk(&agent, "62 00 08 0000000000202200 0000000000000200 00000200", "5A");
    agent_talk(&agent, wrong, "69"); /* not checked */
    agent_talk(&agent, "61 00 08 0000000000204000 0000000000000200 00 03", "00100000 5A");
    agent_send_packet(&agent, 512);
    agent_hear(&agent, "69");
    agent_talk(&agent, "0001", "A5 FF00");
    agent_talk(&agent, "D6 0B 02 0000000000202000 0000000000000200", "5A");
    for (unsigned i = 0; i < 2; i++) {
        uint8_t data[512];
        agent_say(&agent, i ? "33" : "00000400"); /* anything but 5A asks for it again */
        g_assert_cmpuint(device_receive(&agent.device, data, sizeof data, DUE_MS), ==, sizeof data);
        g_assert_cmphex(data[255], ==, 0xFF);
        agent_hear(&agent, "FF00");
    }
    agent_say(&agent, "5A");
    agent_talk(&agent, "D6 0C 02 0000000010000000 0000000000000200", "A5 00000BDC");
    agent_talk(&agent, "62 01 08 0000000000000001 0000000000000200 00000200", "A5 00000BD8");
    agent_talk(&agent, "61 01 08 0000000010000000 0000000000000200 00 03", "00100000 A5 00000BDC");
    agent_is_idle(&agent);
    agent_talk(&agent, "62 01 08 0000000000202000 0000000000000200 00000200", "5A");
    agent_say(&agent, "72"); /* neither 5A nor 96: it hangs for ever */
    agent_is_silent(&agent);
    g_assert_cmpint(agent_end(&agent), ==, MK_NEXT_HALT);
}

/* Section 11. */
static void test_format(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "D4 02000000 0000000000300000 0000000000080000", "5A 5A 00000000 64");
    agent_talk(&agent, "5A", "5A 5A");
    agent_talk(&agent, "D4 02000000 0000000000300001 0000000000080000", "A5 00000BD8 5A");
    agent_talk(&agent, "D4 02000000 0000000010000000 0000000000080000", "5A A5 00000BDC 5A");
    agent.device.model.emmc_can_erase = false;
    agent_talk(&agent, "D4 02000000 0000000000300000 0000000000040000", "5A 5A 00000BCD 19");
    agent_talk(&agent, "5A", "00000BCD 32");
    agent_talk(&agent, "96", "00000BCD 4B"); /* an eMMC does not stop */
    agent_talk(&agent, "5A", "00000000 64");
    agent_talk(&agent, "5A", "5A 5A");
    mk_chip_inject_worn(agent.device.machine.chip, MK_REGION_USER, 0x310000 - 0xA0000, 0x200);
    agent_talk(&agent, "D4 02000000 0000000000300000 0000000000040000", "5A 5A 00000BCD 19");
    agent_talk(&agent, "5A", "00000C4D 0000000000310000 96 5A");
    agent_is_idle(&agent);
    agent_end(&agent);
}

static bool is_set(gpointer flag)
{
    return g_atomic_int_get((gint *)flag) != 0;
}

/* Pulled out while a slow chip writes: it ends soon, with what had been written. */
static void test_slow_chip(void)
{
    Agent agent;
    gint pulled = 0;
    agent_start(&agent, 0x6582, 3);
    MkChip *chip = agent.device.machine.chip;
    mk_chip_set_stop(chip, is_set, &pulled);
    mk_chip_inject_slow(chip, 1000000);
    agent_talk(&agent, "62 01 08 0000000000300000 0000000000800000 00800000", "5A");
    agent_send_packet(&agent, 0x800000);
    g_usleep(200 * 1000);
    g_atomic_int_set(&pulled, 1);
    gint64 end = g_get_monotonic_time() + 3 * G_TIME_SPAN_SECOND;
    while (!g_atomic_int_get(&agent_is_over) && g_get_monotonic_time() < end)
        g_usleep(1000);
    g_assert_true(g_atomic_int_get(&agent_is_over));
    mk_chip_power_on(chip);
    mk_chip_inject_slow(chip, 0);
    uint8_t first[2], last[2];
    g_assert_cmpint(mk_chip_read(chip, MK_REGION_USER, 0x300000 - 0xA0000, first, 2), ==, MK_CHIP_OK);
    g_assert_cmpint(mk_chip_read(chip, MK_REGION_USER, 0xB00000 - 0xA0000 - 2, last, 2), ==, MK_CHIP_OK);
    g_assert_cmphex(first[1], ==, 1);
    g_assert_cmphex(last[1], ==, 0);
    g_assert_cmpint(agent_end(&agent), ==, MK_NEXT_GONE);
}

/* Section 18. */
static void test_speed(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "D2 02 01", "5A");
    agent_talk(&agent, "C0", "C0");
    agent_talk(&agent, "5A", "5A");
    for (unsigned i = 0; i < 256; i++) {
        g_autofree char *byte = g_strdup_printf("%02X", i);
        agent_talk(&agent, byte, byte);
    }
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* Status numbers of the releases from 2015 on count differently (spec da-legacy.md 14). */
static void test_numbering(void)
{
    Agent agent;
    agent_start(&agent, 0x0321, 4);
    agent_talk(&agent, "D5", "A5 00000BC7");
    agent_talk(&agent, "D6 0C 02 0000000000000001 0000000000000200", "A5 00000BDC");
    agent_talk(&agent, "D6 0C 02 0000000000000000 0000000000000000", "A5 00000BE0");
    agent_talk(&agent, "60 09", "5A A5 00000C50");
    agent_talk(&agent, "A6", "A5 00000C68");
    agent_talk(&agent, "62 01 08 0000000000000000 0000000000000200 00000200", "5A");
    g_autofree char *packet = g_strdup_printf("5A %01024d FFFF", 0);
    agent_talk(&agent, packet, "A5 00000BF9");
    agent_say(&agent, "96");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* A genuine agent does not say of which release it is; when it was compiled tells (spec da-legacy.md 0). */
static void test_age(void)
{
    static const struct {
        const char *bytes, *release;
    } agents[] = {
        {"..Aug 15 2012..", "G0"},
        {"May 24 2013", "G1"},
        {"Jul 23 2013 Oct  7 2013", "G2"},
        {"12:00 Jan 19 2015 and Dec 17 2014", "G3"},
        {"Dec 31 2019", "G4"},
        {"Jan 32 15", NULL},
        {"Xyz 12 2013 Jan-12 2013 Jan 1x 2013 Jan 12 201x", NULL},
        {"", NULL},
    };
    static const uint8_t recorded[0xDA34];
    for (size_t i = 0; i < G_N_ELEMENTS(agents); i++)
        g_assert_cmpstr(mk_agent_age(0x6582, agents[i].bytes, strlen(agents[i].bytes)), ==, agents[i].release);
    g_assert_cmpstr(mk_agent_age(0x6582, recorded, sizeof recorded), ==, "G2");
    g_assert_cmpstr(mk_agent_age(0x6582, recorded, 0xCBE4), ==, "G3");
    g_assert_null(mk_agent_age(0x6572, recorded, sizeof recorded));
}

/* --- which release knows which command (spec da-legacy.md 8.1) --- */

typedef struct {
    uint16_t chip;
    const char *command, *answer; /* of the releases that know it */
    const char *releases;         /* one digit each */
} Knowledge;

static const Knowledge knowledge[] = {
    {0x6577, "63", "5A 00000001", "1234"},
    {0x6577, "73 00 2001 0E8D", "5A", "1234"},
    {0x6577, "7B 10000000 12345678", "5A", "234"},
    {0x6582, "7B 10000000 12345678", "5A", "1234"},
    {0x6582, "7D 0100 1234", "5A", "1234"},
    {0x6592, "7F 0100 34", "5A", "234"},
    {0x6582, "7F", "", ""},
    {0x6582, "A7 02", "A5 00000C5A", "123"},
    {0x6577, "D0", "0000005A 00000F3C", "1234"},
    {0x0321, "A9", "A5 00000C4A", "3"},
    {0x0321, "A9", "A5 00000C4F", "4"},
    {0x0321, "A9", "", ""},
    {0x0321, "B3", "", ""},
};

static void test_releases(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(knowledge); i++) {
        const Knowledge *known = &knowledge[i];
        for (unsigned release = 0; release <= 4; release++) {
            bool knows = strchr(known->releases, (int)('0' + release)) != NULL;
            if (!knows && (release == 3 || release == 4) && known->chip == 0x0321 && known->command[0] == 'A')
                continue; /* the same command, another number */
            if (!knows && release == 4 && strcmp(known->command, "A7 02") == 0)
                continue;
            Agent agent;
            g_test_message("%04X, G%u: %s", known->chip, release, known->command);
            agent_start(&agent, known->chip, release);
            agent.device.machine.battery = true;
            agent.device.machine.battery_mv = 3900;
            g_autofree char *first = g_strndup(known->command, 2);
            if (knows)
                agent_talk(&agent, known->command, known->answer);
            else
                agent_say(&agent, first);
            if (!knows)
                agent_is_silent(&agent);
            agent_is_idle(&agent);
            agent_end(&agent);
        }
    }
}

/* One chip gets the phone's time and address with every write (spec da-legacy.md 8.2). */
static void test_phone_info(void)
{
    Agent agent;
    agent_start(&agent, 0x6592, 3);
    agent_talk(&agent, "62 0000000000000000 0000000000000000 01 08 0000000000200000 0000000000000200 00000200", "5A");
    agent_send_packet(&agent, 512);
    agent_hear(&agent, "69");
    agent_talk(&agent, "D4 02000000 0000000000000000 0000000000000000 00 0000000000200000 0000000000000200",
               "5A 5A 00000000 64");
    agent_talk(&agent, "5A", "5A 5A");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* Hosts of MT6580 send the shares of its cells with the configuration, since 2016 (spec da-legacy.md 3.2). */
static void test_slc_block(void)
{
    Agent agent = {0};
    agent_start(&agent, 0x6580, 4);
    agent_say(&agent, "D9 00000000");
    agent_hear(&agent, "5A 5A");
    device_end(&agent.device);
    agent.device.machine.release = (char *)"G4";
    device_start(&agent.device, mk_legacy_run);
    agent_hear(&agent, "C0 00000BC4 0007 0000000000000000000000000000 00000000 15010052 38553333 4D4220A1 B2C3D440");
    agent_talk(&agent, "5A", "04 02 9C");
    agent_say(&agent, "05FE000800 7007FFFF 01 00000000 02 01 02 00");
    agent_is_silent(&agent);
    agent_talk(&agent, "00000002 46460000000000000000000000000000 FF000000 53595300000000000000000000000000 32000000",
               "00000000");
    agent_talk(&agent, "80000000 00000104 00001000", "5A");
    agent_end(&agent);
}

/* --- memory test (section 20) --- */

static void test_memory(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "FE 00000003 0000000080000000 0000000020000000 00000002 00000004 00000000", "5A 00000000");
    agent_talk(&agent, "FE 00000003 0000000080000000 0000000020000000 00000002 00000003 00000000", "5A 00000000");
    agent_talk(&agent, "FE 00000003 0000000080000000 0000000020000000 00000002 00000001 44332211",
               "5A 00000BCD 00000019");
    agent_talk(&agent, "5A", "00000BCD 00000032");
    agent_talk(&agent, "5A", "00000BCD 0000004B");
    agent_talk(&agent, "5A", "00000000");
    agent_talk(&agent, "FE 00000003 0000000080000000 0000000020000000 00000002 00000002 00000000",
               "5A 00000BCD 00000019");
    agent_say(&agent, "96"); /* stopped */
    agent_is_idle(&agent);
    agent_talk(&agent, "FE 00000004 0000000000000000 0000000000000004 00000000 00000000 00000000",
               "5A 00010000 00000000 0000");
    agent_talk(&agent, "A5", "00000000 0000"); /* again */
    agent_say(&agent, "5A");
    agent_is_idle(&agent);
    agent_end(&agent);
}

static void test_memory_refusals(void)
{
    static const struct {
        const char *test, *status;
    } wrong[] = {
        {"00000003 0000000080000000 0000000020000000 00000002 00000006 00000000", "000003EA"},
        {"00000003 0000000080000000 0000000020000000 00000003 00000004 00000000", "000003EA"},
        {"00000003 0000000080000001 0000000000001000 00000001 00000001 00000000", "00000C12"},
        {"00000003 0000000080000002 0000000000001000 00000002 00000001 00000000", "00000C13"},
        {"00000003 0000000080000000 0000000000001001 00000001 00000001 00000000", "00000C14"},
        {"00000003 0000000080000000 0000000000001002 00000002 00000001 00000000", "00000C15"},
        {"00000003 0000000080000000 0000000040001000 00000002 00000001 00000000", "00000BDC"},
        {"00000003 0000000080000000 0000000000000000 00000002 00000001 00000000", "00000BDC"},
        {"00000000 0000000000000000 0000000000001000 00000000 00000001 00000000", "00000BC3"},
        {"00000001 0000000000000000 0000000000001000 00000000 00000001 00000000", "00000BC4"},
        {"00000002 0000000000000000 0000000000001000 00000000 00000001 00000000", "00000C0C"},
        {"00000005 0000000000000000 0000000000001000 00000000 00000001 00000000", "00000C4A"},
    };
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *out = g_strconcat("FE ", wrong[i].test, NULL), *in = g_strconcat("A5 ", wrong[i].status, NULL);
        agent_talk(&agent, out, in);
    }
    agent_is_idle(&agent);
    agent_end(&agent);
}

static void test_memory_failure(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 2); /* u32 addresses until 2014 */
    mk_chip_inject_worn(agent.device.machine.chip, MK_REGION_USER, 0x1400, 0x200);
    agent_talk(&agent, "FE 00000004 00001000 00001000 00000000 00000004 00000000",
               "5A 00000C16 00001400 00000000 00000000 00000000 00000000 00000000");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* --- OTP: status words, no NACK --- */

static void test_otp(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "99", "00000C53");
    agent_talk(&agent, "9A", "00000C53 00000000");
    agent_talk(&agent, "9B 00000000 00000010 0000000000000000", "00000C53");
    agent_talk(&agent, "9C 00000000 00000002 0000000000000000 1234", "00000C53");
    agent_talk(&agent, "9D 0000000000000000", "00000C53");
    agent_talk(&agent, "9E 0000000000000000", "00000C53");
    agent_talk(&agent, "E9", "00000C2C");
    agent_talk(&agent, "EA", "00000C2C 00000000");
    agent_talk(&agent, "EB 00000000 00000010", "00000C2C");
    agent_talk(&agent, "ED", "00000C2C");
    agent_talk(&agent, "EE", "00000C2C");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* --- BD: what was written is read back and summed up --- */

static void test_verify(void)
{
    Agent agent;
    const char *name = "42 4F 4F 54 494D47 00 0000000000000000";
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "62 01 08 0000000000200000 0000000000000200 00000200", "5A");
    agent_send_packet(&agent, 512);
    agent_hear(&agent, "69");
    g_autofree char *good = g_strdup_printf("BD 02 01 0000000000200000 0000000000000200 FF00 00 03 %s", name);
    agent_talk(&agent, good, "00000000 64 0000000000000200");
    agent_talk(&agent, "5A", "5A");
    g_autofree char *bad = g_strdup_printf("BD 02 01 0000000000200000 0000000000000200 FF01 00 03 %s", name);
    agent_talk(&agent, bad, "00000000 64 0000000000000200");
    agent_talk(&agent, "5A", "A5 FF00");
    g_autofree char *longer = g_strdup_printf("BD 02 01 0000000000200000 0000000000200000 FF00 00 03 %s", name);
    agent_talk(&agent, longer, "00000BCD 32 0000000000100000");
    agent_talk(&agent, "5A", "00000000 64 0000000000200000");
    agent_talk(&agent, "5A", "5A");
    g_autofree char *outside = g_strdup_printf("BD 02 01 0000000010000000 0000000000000200 FF00 00 03 %s", name);
    agent_talk(&agent, outside, "00000BDC 0000000010000000");
    g_autofree char *nand = g_strdup_printf("BD 01 01 0000000000200000 0000000000000200 FF00 00 03 %s", name);
    agent_talk(&agent, nand, "000003EB 0000000000200000");
    mk_chip_inject_worn(agent.device.machine.chip, MK_REGION_USER, 0x200000 - 0xA0000, 0x200);
    agent_talk(&agent, good, "00000C4C 0000000000200000");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* --- the watchdog --- */

static MkNext after(const char *out, const char *in)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, out, in);
    uint8_t byte;
    gint64 end = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;
    while (!g_atomic_int_get(&agent_is_over) && g_get_monotonic_time() < end)
        g_usleep(1000);
    g_assert_true(g_atomic_int_get(&agent_is_over)); /* by itself, not because the host left */
    g_assert_cmpuint(device_receive(&agent.device, &byte, 1, 0), ==, 0);
    return agent_end(&agent);
}

/* "Answers and keeps running until the dog bites" (spec da-legacy.md 9.13). */
static void test_dog_bites(void)
{
    g_assert_cmpint(after("DB 0006 00000003 72", "5A 5A01"), ==, MK_NEXT_RESET);
    g_assert_cmpint(after("DB 0006 00000006", "5A"), ==, MK_NEXT_DOWNLOAD);
    g_assert_cmpint(after("DB 0006 00000001", "5A"), ==, MK_NEXT_RESET);
    g_assert_cmpint(after("DB 0006 00000004", "5A"), ==, MK_NEXT_DOWNLOAD);
}

static void test_finish(void)
{
    g_assert_cmpint(after("DB 0140 00000003 D9 00000000", "5A 5A 5A"), ==, MK_NEXT_RESET);
    g_assert_cmpint(after("D9 00000000", "5A 5A"), ==, MK_NEXT_HALT);
    g_assert_cmpint(after("D9 00000001", "5A 5A"), ==, MK_NEXT_HALT);
}

/* --- 51: the preloader into both boot areas, with the header that the agent makes (spec da-legacy.md 9.26, preloader-file.md 2.2) --- */

static void test_preloader(void)
{
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    agent_talk(&agent, "52", "A5");
    agent_talk(&agent, "51", "5A");
    agent_talk(&agent, "00000020 000102030405060708090A0B0C0D0E0F 101112131415161718191A1B1C1D1E1F", "00000000");
    agent_talk(&agent, "00001000 05", "5A 5A");
    agent_talk(&agent, "00000002 A5", "");
    agent_talk(&agent, "5A 05 0001 00000000 00040000 00000001 00020000 00 00000000 00000000 00001800 00 00", "5A 5A");
    agent_send_packet(&agent, 0x1000);
    agent_hear(&agent, "69");
    agent_send_packet(&agent, 0x800);
    agent_hear(&agent, "69 5A");
    agent_is_idle(&agent);
    static const MkRegion areas[] = {MK_REGION_BOOT1, MK_REGION_BOOT2};
    for (size_t i = 0; i < G_N_ELEMENTS(areas); i++) {
        uint8_t start[0x2800];
        g_assert_cmpint(mk_chip_read(agent.device.machine.chip, areas[i], 0, start, sizeof start), ==, MK_CHIP_OK);
        g_assert_cmpmem(start, 9, "EMMC_BOOT", 9);
        g_assert_cmphex(mk_le32(start + 0x20C), ==, 0x800);
        g_assert_cmphex(mk_le32(start + 0x210), ==, 0x20800);
        g_assert_cmphex(start[0x801], ==, 1);
        g_assert_cmphex(start[0x1FFF], ==, 0xFF);
        g_assert_cmphex(start[0x2001], ==, 0);
    }
    agent_end(&agent);
}

/* --- E8 as a command: the settings of another board, and of none in particular --- */

static void test_dram_settings(void)
{
    Agent agent;
    agent_start(&agent, 0x6577, 2);
    agent.device.machine.dram_up = false;
    uint8_t settings[188] = {[16] = 0x90, 0x01, 0x4A, 'H', 'Y', 'N', 'I', 'X', ' '};
    agent_talk(&agent, "E8 0000000D", "A5"); /* a version that it does not know */
    agent_talk(&agent, "E8 0000000C", "5A 000000BC");
    agent_say(&agent, "5A");
    device_send(&agent.device, settings, sizeof settings);
    g_autofree char *sum = g_strdup_printf("%04X", mk_sum16(0, settings, sizeof settings));
    agent_hear(&agent, sum);
    agent_talk(&agent, "5A 80000001", "00000BBA");
    g_assert_false(agent.device.machine.dram_up);
    memset(settings, 0, sizeof settings);
    agent_talk(&agent, "E8 0000000C", "5A 000000BC");
    agent_say(&agent, "5A");
    device_send(&agent.device, settings, sizeof settings);
    agent_hear(&agent, "0000");
    agent_talk(&agent, "5A 80000001", "00000000 02 00 40000000");
    agent_is_idle(&agent);
    agent_end(&agent);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/legacy/rejections", test_rejections);
    g_test_add_func("/legacy/packets", test_packets);
    g_test_add_func("/legacy/format", test_format);
    g_test_add_func("/legacy/slow-chip", test_slow_chip);
    g_test_add_func("/legacy/speed", test_speed);
    g_test_add_func("/legacy/numbering", test_numbering);
    g_test_add_func("/legacy/age", test_age);
    g_test_add_func("/legacy/releases", test_releases);
    g_test_add_func("/legacy/phone-info", test_phone_info);
    g_test_add_func("/legacy/memory", test_memory);
    g_test_add_func("/legacy/memory/refusals", test_memory_refusals);
    g_test_add_func("/legacy/memory/failure", test_memory_failure);
    g_test_add_func("/legacy/otp", test_otp);
    g_test_add_func("/legacy/verify", test_verify);
    g_test_add_func("/legacy/dog", test_dog_bites);
    g_test_add_func("/legacy/finish", test_finish);
    g_test_add_func("/legacy/preloader", test_preloader);
    g_test_add_func("/legacy/slc", test_slc_block);
    g_test_add_func("/legacy/dram", test_dram_settings);
    return g_test_run();
}
