/* The legacy agent of a NAND phone: downloads, blocks that fail under way, verification, the host's table of chips. */
#include "legacy-host.h"

#define BOOTIMG 0x680000u
#define BLOCK   0x20000u

/* One image of LENGTH counting bytes through DD and DE, with the checksum at the end. */
static void download(Agent *agent, size_t length)
{
    g_autofree uint8_t *data = g_malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i ^ i >> 8);
    g_autofree char *list = g_strdup_printf(
        "DD A5A5A5 01 01 00000000 00000000 01 %08X %08zX 00500000 00500000 00000001", BOOTIMG, BOOTIMG + length - 1);
    agent_talk(agent, list, "5A");
    agent_talk(agent, "424F4F54494D47000000000000000000", "5A");
    agent_talk(agent, "DE", "5A");
    agent_talk(agent, "00010000", "5A 5A 5A");
    for (size_t done = 0; done < length; done += 0x10000) {
        size_t piece = MIN(0x10000, length - done);
        g_autofree char *sum = g_strdup_printf("%04X", mk_sum16(0, data + done, piece));
        device_send(&agent->device, data + done, piece);
        agent_talk(agent, sum, "69");
        agent_say(agent, "5A");
    }
    agent_hear(agent, "5A 5A");
    agent_talk(agent, "01", "5A");
    g_autofree char *progress = g_strdup_printf("00000000 64 %016zX", length);
    agent_hear(agent, progress);
    agent_talk(agent, "5A", "5A"); /* what is read back adds up to what was sent */
    g_autofree uint8_t *back = g_malloc(length);
    g_autoptr(MkStore) nand = mk_chip_store(agent->device.machine.chip, MK_REGION_NAND);
    agent_is_idle(agent);
    g_assert_true(mk_store_read(nand, BOOTIMG, back, length, NULL, NULL));
    g_assert_cmpmem(back, length, data, length);
}

static unsigned replaced(Agent *agent, uint16_t block)
{
    uint16_t bad[256], instead[256];
    unsigned n = mk_chip_bmt_list(agent->device.machine.chip, bad, instead, 256);
    for (unsigned i = 0; i < n; i++)
        if (bad[i] == block)
            return instead[i];
    return 0;
}

static void test_download(void)
{
    Agent agent;
    agent_start_model(&agent, "mt6575-nand", 1);
    download(&agent, 0x30001);
    download(&agent, 0x800);
    agent_end(&agent);
}

/* A block that cannot be erased, and one that fails in its middle: both are replaced, and nothing is lost. */
static void test_blocks_that_fail(void)
{
    Agent agent;
    agent_start_model(&agent, "mt6575-nand", 1);
    mk_chip_inject_worn(agent.device.machine.chip, MK_REGION_NAND, BOOTIMG + BLOCK, BLOCK);
    download(&agent, 0x50000);
    g_assert_cmpuint(replaced(&agent, BOOTIMG / BLOCK + 1), !=, 0);
    g_assert_cmpuint(replaced(&agent, BOOTIMG / BLOCK), ==, 0);
    /* Pages are read through the replacement. */
    agent_talk(&agent, "DF 01 00 006A0000 00000800 00000000", "5A 00000800 00000040 00000001");
    agent_talk(&agent, "00000001", "00000800");
    uint8_t page[2048];
    g_assert_cmpuint(device_receive(&agent.device, page, sizeof page, DUE_MS), ==, sizeof page);
    g_assert_cmphex(page[1], ==, 1);
    g_autofree char *sum = g_strdup_printf("%04X", mk_sum16(0, page, sizeof page));
    agent_hear(&agent, sum);
    agent_say(&agent, "5A");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* The preloader goes into the first block, through 51 and flash device 2 (spec da-legacy.md 9.26). */
static void test_preloader(void)
{
    Agent agent;
    agent_start_model(&agent, "mt6575-nand", 1);
    agent_talk(&agent, "51", "5A");
    g_autofree char *hash = g_strdup_printf("00000020 %064d", 0);
    agent_talk(&agent, hash, "00000000");
    agent_talk(&agent, "00001000 05", "A5 00000C42"); /* it has no eMMC */
    agent_talk(&agent, "51", "5A");
    agent_talk(&agent, hash, "00000000");
    agent_talk(&agent, "00001000 02", "5A 5A");
    agent_talk(&agent, "00000001 5A 02 0001 00000000 00040000 00000001 00040000 00 00000000 00000000 00001800 00 00",
               "5A 5A");
    agent_send_packet(&agent, 0x1000);
    agent_hear(&agent, "69");
    agent_send_packet(&agent, 0x800);
    agent_hear(&agent, "69 5A");
    agent_is_idle(&agent);
    uint8_t page[2048];
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpint(mk_chip_nand_read(agent.device.machine.chip, 0, i, page, NULL), ==, MK_CHIP_OK);
        g_assert_cmphex(page[1], ==, i < 3 ? 1 : 0xFF);
    }
    agent_end(&agent);
}

/* A stopped format leaves its last byte behind (spec da-legacy.md 12.2). */
static void test_format_stopped(void)
{
    Agent agent;
    agent_start_model(&agent, "mt6575-nand", 1);
    agent_talk(&agent, "D4 01000000 0000000001700000 0000000001900000", "5A 5A 00000BCD 01");
    agent_talk(&agent, "96", "5A");
    agent_is_idle(&agent);
    agent_end(&agent);
}

/* Single-stage agents know the chips of the table that the host brings, and no others. */
static void test_unknown_chip(void)
{
    Agent agent = {0};
    g_autoptr(GError) error = NULL;
    agent.loaded = mk_model_load("mt6575-nand", &error);
    agent.device.model = *agent.loaded;
    agent.device.machine.release = (char *)"G1";
    agent.device.machine.dram_up = true;
    agent.folder = g_dir_make_tmp("medik-legacy-XXXXXX", NULL);
    agent.device.machine.chip = mk_chip_open(&agent.device.model, agent.folder, true, &error);
    g_assert_no_error(error);
    device_start(&agent.device, mk_legacy_run);
    agent_hear(&agent, "C0 030284");
    agent_talk(&agent, "05FE000800 7007FFFF 00000000 02 00", "5A 00000038");
    agent_talk(&agent, "00000001", "5A");
    g_autofree char *record = g_strdup_printf("0100 9800 DC00 %0100d", 0);
    agent_talk(&agent, record, "69");
    agent_hear(&agent, "00000BC3 00 08 FFFF 00000000 0000 0000 0000 0000 00000000 00000000 00000BC4 00 FFFF 00000000");
    agent_end(&agent);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/legacy-nand/download", test_download);
    g_test_add_func("/legacy-nand/failing-blocks", test_blocks_that_fail);
    g_test_add_func("/legacy-nand/preloader", test_preloader);
    g_test_add_func("/legacy-nand/format-stopped", test_format_stopped);
    g_test_add_func("/legacy-nand/unknown-chip", test_unknown_chip);
    return g_test_run();
}
