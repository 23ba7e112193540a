/* Partition tables through A4 and A5: what is written is what is read, and where it lies. */
#include "legacy-host.h"

#define FLAGS 4

typedef struct {
    const char *name;
    uint64_t size, address;
} Row;

/* One entry of 96 (with an id) or 88 bytes. */
static void put_row(GByteArray *entries, const Row *row, unsigned size, uint64_t flags)
{
    mk_put_text(entries, row->name, 64);
    mk_put_le64(entries, row->size);
    if (size == 96)
        mk_put_le64(entries, 0xFF);
    mk_put_le64(entries, row->address);
    mk_put_le64(entries, flags);
}

static GByteArray *rows(const Row *row, size_t n, unsigned size)
{
    GByteArray *entries = g_byte_array_new();
    for (size_t i = 0; i < n; i++)
        put_row(entries, &row[i], size, i == 1 ? FLAGS : 0);
    return entries;
}

static void send_rows(Agent *agent, const GByteArray *entries, unsigned size, const char *flag)
{
    g_autofree char *count = g_strdup_printf("%08X", entries->len / size);
    agent_talk(agent, "A4", "5A");
    agent_talk(agent, count, "5A");
    for (guint at = 0; at < entries->len; at += size) {
        device_send(&agent->device, entries->data + at, size);
        agent_hear(agent, "69");
    }
    agent_say(agent, flag);
}

static void expect_rows(Agent *agent, const GByteArray *entries)
{
    g_autofree uint8_t *got = g_malloc(entries->len);
    g_autofree char *length = g_strdup_printf("5A %08X", entries->len);
    agent_talk(agent, "A5", length);
    agent_say(agent, "5A");
    g_assert_cmpuint(device_receive(&agent->device, got, entries->len, DUE_MS), ==, entries->len);
    g_assert_cmpmem(got, entries->len, entries->data, entries->len);
    agent_say(agent, "5A");
    agent_is_idle(agent);
}

static const Row linear[] = {{"PRELOADER", 0x100000, 0},
                             {"MBR", 0x80000, 0x100000},
                             {"ANDROID", 0x800000, 0x200000},
                             {"BMTPOOL", 0x1500000, 0xFFFF00A8}};

/* Addresses, sizes and flags stand as they were sent; without the update flag only the mirror changes (spec agents.md legacy 9). */
static void test_pmt(void)
{
    static const Row other[] = {{"PRELOADER", 0x100000, 0}, {"MBR", 0x80000, 0x100000}, {"CACHE", 0x400000, 0x200000}};
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    g_autoptr(GByteArray) first = rows(linear, G_N_ELEMENTS(linear), 96);
    g_autoptr(GByteArray) second = rows(other, G_N_ELEMENTS(other), 96);
    agent_talk(&agent, "A5", "A5 0000040D");
    send_rows(&agent, first, 96, "00000000");
    agent_hear(&agent, "5A 5A");
    expect_rows(&agent, first); /* the mirror alone is a table */
    send_rows(&agent, first, 96, "00000001");
    agent_hear(&agent, "5A 5A");
    send_rows(&agent, second, 96, "00000000");
    agent_hear(&agent, "5A 5A");
    expect_rows(&agent, first);
    /* Where hosts.md found it: 88 bytes each, no id. */
    g_autoptr(MkStore) user = mk_chip_store(agent.device.machine.chip, MK_REGION_USER);
    g_autoptr(GByteArray) stored = rows(other, G_N_ELEMENTS(other), 88);
    uint8_t page[4096];
    g_assert_true(mk_store_read(user, user->size - 0xFF000, page, sizeof page, NULL, NULL));
    g_assert_cmpmem(page, 8, "1TPM1.0", 8);
    g_assert_cmpmem(page + 8, stored->len, stored->data, stored->len);
    g_assert_cmpmem(page + 4092, 4, "1TPM", 4);
    agent_end(&agent);
}

/* Hosts that chose addresses by region see such; no PMT is written for them (spec agents.md legacy 2). */
static void test_new_combo(void)
{
    static const Row by_region[] = {{"PRELOADER", 0x100000, 0},
                                    {"MBR", 0x80000, 0x60000},
                                    {"ANDROID", 0x800000, 0x160000},
                                    {"BMTPOOL", 0x1500000, 0xFFFF00A8}};
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    g_autoptr(GByteArray) sent = rows(linear, G_N_ELEMENTS(linear), 96);
    send_rows(&agent, sent, 96, "00000001");
    agent_hear(&agent, "5A 5A");
    agent_say(&agent, "D9 00000000");
    agent_hear(&agent, "5A 5A");
    device_end(&agent.device);
    agent_addressing = MK_ADDRESS_REGION;
    device_start(&agent.device, agent_loop);
    g_autoptr(GByteArray) told = rows(by_region, G_N_ELEMENTS(by_region), 96);
    expect_rows(&agent, told);
    send_rows(&agent, told, 96, "00000001");
    agent_hear(&agent, "5A A5 000013CD");
    agent_talk(&agent, "00000000", "5A"); /* as FINISH would, and it is over */
    g_assert_cmpint(agent_end(&agent), ==, MK_NEXT_HALT);
    agent_addressing = MK_ADDRESS_LINEAR;
}

/* A table that does not fit ends the agent (spec da-legacy.md 9.9). */
static void test_no_room(void)
{
    static const Row large[] = {
        {"PRELOADER", 0x100000, 0}, {"MBR", 0x80000, 0x100000}, {"ANDROID", 0x80000000, 0x200000}};
    Agent agent;
    agent_start(&agent, 0x6582, 3);
    g_autoptr(GByteArray) entries = rows(large, G_N_ELEMENTS(large), 96);
    send_rows(&agent, entries, 96, "00000001");
    agent_hear(&agent, "5A A5 000013CD");
    agent_talk(&agent, "00000000", "5A");
    agent_say(&agent, "72");
    agent_is_silent(&agent);
    g_assert_cmpint(agent_end(&agent), ==, MK_NEXT_HALT);
}

/* On a phone with a GPT the same commands carry the GPT, in entries of 88 bytes (spec tables.md 4.4). */
static void test_gpt(void)
{
    static const Row parts[] = {{"boot", 0x400000, 0x100000}, {"system", 0x1000000, 0x500000}};
    Agent agent;
    agent_start(&agent, 0x0321, 4);
    agent.device.model.table = MK_TABLE_GPT;
    agent_say(&agent, "D9 00000000");
    agent_hear(&agent, "5A 5A");
    device_end(&agent.device);
    agent_addressing = MK_ADDRESS_REGION;
    device_start(&agent.device, agent_loop);
    GByteArray *entries = g_byte_array_new();
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        put_row(entries, &parts[i], 88, 0);
    send_rows(&agent, entries, 88, "00000000");
    agent_hear(&agent, "5A 5A");
    g_autoptr(MkStore) user = mk_chip_store(agent.device.machine.chip, MK_REGION_USER);
    g_autoptr(MkTable) backup = mk_gpt_read(user, NULL, NULL, NULL);
    g_assert_cmpint(backup->primary, ==, MK_COPY_ABSENT);
    g_assert_cmpint(backup->secondary, ==, MK_COPY_GOOD);
    send_rows(&agent, entries, 88, "00000001");
    agent_hear(&agent, "5A 5A");
    expect_rows(&agent, entries);
    g_autoptr(MkTable) both = mk_gpt_read(user, NULL, NULL, NULL);
    g_assert_cmpint(both->primary, ==, MK_COPY_GOOD);
    g_assert_cmpint(both->secondary, ==, MK_COPY_GOOD);
    g_byte_array_unref(entries);
    agent_end(&agent);
    agent_addressing = MK_ADDRESS_LINEAR;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/legacy-table/pmt", test_pmt);
    g_test_add_func("/legacy-table/new-combo", test_new_combo);
    g_test_add_func("/legacy-table/no-room", test_no_room);
    g_test_add_func("/legacy-table/gpt", test_gpt);
    return g_test_run();
}
