/* Exchanges recorded between SP Flash Tool and a genuine agent (tests/data/golden): what Medik sends must be what was sent then. Where
 * the choice is the host's and Medik's differs, the test says so. */
#include "legacy-setup.h"
#include "script.h"

#define LABEL_2014 "MTK_AllInOne_DA_v7.1352.03"
#define LABEL_2016 "MTK_AllInOne_DA_v7.1504.00.00"

typedef struct {
    GArray *steps;
    char **lines;
    bool only_opening; /* stop after the report */
} Loader;

static GBytes *from_hex(const char *hex, size_t repeat)
{
    GByteArray *bytes = g_byte_array_new();
    for (; repeat; repeat--) {
        for (const char *digit = hex; g_ascii_isxdigit(digit[0]); digit += 2)
            mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(digit[0]) << 4 | g_ascii_xdigit_value(digit[1])));
    }
    return g_byte_array_free_to_bytes(bytes);
}

/* The sum that follows a run of data in the next two lines. */
static uint16_t sum_after(char **line)
{
    if (!line[1] || !line[2] || !g_str_has_prefix(line[1], "> u8 ") || !g_str_has_prefix(line[2], "> u8 "))
        return 0;
    return (uint16_t)(g_ascii_strtoull(line[1] + 5, NULL, 16) << 8 | g_ascii_strtoull(line[2] + 5, NULL, 16));
}

static void load_line(Loader *loader, char **line)
{
    g_auto(GStrv) words = g_strsplit(*line, " ", -1);
    bool from_host = **line == '<';
    const char *last = words[g_strv_length(words) - 1];
    size_t repeat = *last == 'x' ? (size_t)g_ascii_strtoull(last + 1, NULL, 10) : 1;
    if (g_str_has_prefix(words[2], "len=")) {
        size_t length = (size_t)g_ascii_strtoull(words[2] + 4, NULL, 10) * repeat;
        ScriptStep *step = script_add(loader->steps, from_host, script_summing(length, sum_after(line)));
        step->any = step->bulk = from_host;
    } else {
        script_add(loader->steps, from_host, from_hex(words[2], repeat));
    }
}

/* The agent's part of a recording. */
static GArray *load(const char *name, bool only_opening)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "golden", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    Loader loader = {script_steps_new(), lines, only_opening};
    bool agent = false;
    for (char **line = lines; *line; line++) {
        agent |= strstr(*line, "stage 1 runs") != NULL;
        if (agent && (**line == '<' || **line == '>'))
            load_line(&loader, line);
        if (agent && only_opening && strcmp(*line, "> u8 c1") == 0)
            break;
    }
    return loader.steps;
}

/* The recordings of the small client chose their own configuration: any bytes after the version are right there. */
static void any_configuration(GArray *steps)
{
    unsigned i = 0;
    while (!g_array_index(steps, ScriptStep, i).from_host)
        i++;
    for (i += 4; g_array_index(steps, ScriptStep, i).from_host; i++)
        g_array_index(steps, ScriptStep, i).any = true;
}

static bool step_is(GArray *steps, unsigned index, bool from_host, const char *hex)
{
    ScriptStep *step = &g_array_index(steps, ScriptStep, index);
    g_autoptr(GBytes) bytes = from_hex(hex, 1);
    return step->from_host == from_host && g_bytes_equal(step->bytes, bytes);
}

/* Drops every exchange H> A3 D> 5A 00 H> 5A: SP Flash Tool asks an eMMC phone for its bad block table, Medik does not. */
static void drop_bmt(GArray *steps)
{
    for (unsigned i = 0; i + 3 < steps->len; i++) {
        if (step_is(steps, i, true, "a3") && step_is(steps, i + 1, false, "5a") && step_is(steps, i + 2, false, "00"))
            g_array_remove_range(steps, i, 4);
    }
}

typedef struct {
    LegacySetup *setup;
    MkLink *link;
    MkAgent *agent;
} Session;

static Session open_session(const char *label, uint32_t stage2, GArray *steps)
{
    g_autoptr(GError) error = NULL;
    Session session = {.setup = legacy_setup_new(label, 0x6582, 0x80000000, stage2), .link = script_link(steps)};
    session.setup->setup.pool_blocks = 0xA8; /* the ROM of the recordings keeps this many blocks of 128 KiB */
    session.setup->setup.pool_block_size = 0x20000;
    session.agent = mk_agent_open(session.link, &session.setup->setup, NULL, NULL, &error);
    g_assert_no_error(error);
    return session;
}

static void close_session(Session *session)
{
    script_assert_over(session->link);
    mk_agent_free(session->agent);
    mk_link_free(session->link);
    legacy_setup_free(session->setup);
}

static void assert_emmc(const MkAgent *agent, uint64_t user)
{
    static const uint8_t cid[] = {0x15, 0x01, 0x00, 0x52, 0x38, 0x55, 0x33, 0x4D,
                                  0x42, 0x20, 0xA1, 0xB2, 0xC3, 0xD4, 0x40, 0x00};
    const MkAgentInfo *info = mk_agent_info(agent);
    g_assert_cmpint(info->storage, ==, MK_STORAGE_EMMC);
    g_assert_cmpuint(mk_agent_region_size(agent, MK_REGION_BOOT1), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(agent, MK_REGION_BOOT2), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(agent, MK_REGION_RPMB), ==, 0x80000);
    g_assert_cmpuint(mk_agent_region_size(agent, MK_REGION_GP1), ==, 0);
    g_assert_cmpuint(mk_agent_region_size(agent, MK_REGION_USER), ==, user);
    g_assert_cmpmem(info->emmc_cid, 16, cid, 16);
    g_assert_cmpuint(info->dram_size, ==, 0x40000000);
    g_assert_cmpuint(info->sram_size, ==, 0x20000);
    g_assert_cmpuint(info->boot_style, ==, 1033);
    g_assert_true(info->has_chip_id);
    g_assert_cmphex(info->chip_id[0], ==, 0xE1);
    g_assert_cmphex(info->chip_id[15], ==, 0x0D);
}

static void test_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *data = g_malloc(0x10000);
    ScriptBuffer buffer = {data, 0x10000, 0};
    Session session = open_session(LABEL_2016, 0x27EEC, load("legacy-mt6582-read.txt", false));
    assert_emmc(session.agent, 0x40000000);
    mk_agent_read(session.agent, MK_REGION_BOOT1, 0, 0x10000, script_sink, &buffer, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(buffer.done, ==, 0x10000);
    mk_agent_finish(session.agent, MK_AFTER_OFF, &error);
    g_assert_no_error(error);
    close_session(&session);
}

static void test_write(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) content = script_summing(100000, 0x86E8);
    g_autofree uint8_t *back = g_malloc(0x18800);
    gsize size;
    ScriptBuffer source = {(uint8_t *)g_bytes_get_data(content, &size), 100000, 0}, sink = {back, 0x18800, 0};
    Session session = open_session(LABEL_2016, 0x27EEC, load("legacy-mt6582-write.txt", false));
    /* Through the table of functions: the public call insists on whole sectors, SP Flash Tool did not. */
    session.agent->klass->write(session.agent, MK_REGION_BOOT1, 0x100000, 100000, script_source, &source, &error);
    g_assert_no_error(error);
    mk_agent_read(session.agent, MK_REGION_BOOT1, 0x100000, 0x18800, script_sink, &sink, &error);
    g_assert_no_error(error);
    mk_agent_finish(session.agent, MK_AFTER_OFF, &error);
    g_assert_no_error(error);
    close_session(&session);
}

static void test_format(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *back = g_malloc(0x1000);
    ScriptBuffer sink = {back, 0x1000, 0};
    GArray *steps = load("legacy-mt6582-format.txt", false);
    drop_bmt(steps);
    Session session = open_session(LABEL_2016, 0x27EEC, steps);
    mk_agent_erase(session.agent, MK_REGION_BOOT1, 0x100000, 0x40000, MK_ERASE_NORMAL, false, NULL, &error);
    g_assert_no_error(error);
    mk_agent_read(session.agent, MK_REGION_BOOT1, 0x100000, 0x1000, script_sink, &sink, &error);
    g_assert_no_error(error);
    mk_agent_finish(session.agent, MK_AFTER_OFF, &error);
    g_assert_no_error(error);
    close_session(&session);
}

/* Medik lets the phone keep its clock and restarts it sooner: the numbers of DB differ, the order does not. */
static void test_reboot(void)
{
    g_autoptr(GError) error = NULL;
    GArray *steps = load("legacy-mt6582-reboot.txt", false);
    for (unsigned i = 0; i < steps->len; i++) {
        if (step_is(steps, i, true, "0140") || step_is(steps, i, true, "00000003"))
            g_array_index(steps, ScriptStep, i).any = true;
    }
    Session session = open_session(LABEL_2016, 0x27EEC, steps);
    mk_agent_finish(session.agent, MK_AFTER_REBOOT, &error);
    g_assert_no_error(error);
    close_session(&session);
}

/* The entries SP Flash Tool sent in legacy-mt6582-download.txt: 20 of 96 bytes after A4 and the count. */
static GBytes *recorded_entries(void)
{
    g_autoptr(GArray) steps = load("legacy-mt6582-download.txt", false);
    GByteArray *entries = g_byte_array_new();
    unsigned i = 0;
    while (!step_is(steps, i, true, "00000014"))
        i++;
    for (i += 2; entries->len < 20 * 96; i++) {
        const ScriptStep *step = &g_array_index(steps, ScriptStep, i);
        if (step->from_host)
            g_byte_array_append(entries, g_bytes_get_data(step->bytes, NULL), 1);
    }
    return g_byte_array_free_to_bytes(entries);
}

static MkPartition *named(const MkLayout *layout, const char *name)
{
    for (unsigned i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (strcmp(partition->name, name) == 0)
            return partition;
    }
    g_assert_not_reached();
}

static void test_read_table(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = NULL;
    g_autoptr(GBytes) entries = recorded_entries();
    GArray *steps = load("legacy-mt6582-pmt.txt", false);
    for (unsigned i = 0; i < steps->len; i++) {
        ScriptStep *step = &g_array_index(steps, ScriptStep, i);
        if (!step->from_host && g_bytes_get_size(step->bytes) == 1920) {
            g_bytes_unref(step->bytes);
            step->bytes = g_bytes_ref(entries);
        }
    }
    Session session = open_session(LABEL_2016, 0x27EEC, steps);
    mk_agent_read_table(session.agent, &layout, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(layout->partitions->len, ==, 20);
    const MkPartition *android = named(layout, "ANDROID");
    g_assert_cmpint(android->region, ==, MK_REGION_USER);
    g_assert_cmphex(android->start, ==, 0x4340000 - 0xC00000);
    g_assert_cmphex(android->size, ==, 0x38400000);
    mk_agent_finish(session.agent, MK_AFTER_OFF, &error);
    g_assert_no_error(error);
    close_session(&session);
}

/* From A5 (no table yet) to the end of A4; what SP Flash Tool asked before (E0, B4) and did afterwards (61) is its own. */
static GArray *table_writing(void)
{
    GArray *steps = load("legacy-mt6582-download.txt", false);
    unsigned e0 = 0, a4 = 0, end = 0;
    while (!step_is(steps, e0, true, "e0"))
        e0++;
    for (unsigned i = e0; !end; i++) {
        if (step_is(steps, i, true, "a5"))
            a4 = i;
        else if (a4 && step_is(steps, i, true, "00000000"))
            end = i + 3;
    }
    g_array_remove_range(steps, end, steps->len - end);
    g_array_remove_range(steps, e0, a4 - e0);
    return steps;
}

static void test_write_table(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) entries = recorded_entries();
    g_autoptr(MkLayout) none = NULL;
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_SCATTER_V1);
    const MkGeometry geometry = {
        .storage = MK_STORAGE_EMMC, .boot1 = 0x400000, .boot2 = 0x400000, .rpmb = 0x80000, .user = 0x1D2000000};
    const uint8_t *entry = g_bytes_get_data(entries, NULL);
    for (unsigned i = 0; i < 20; i++, entry += 96) {
        MkPartition *partition = mk_layout_add(layout, (const char *)entry);
        partition->size = mk_le64(entry + 64);
        partition->linear = mk_le64(entry + 80);
        partition->region = MK_REGION_LINEAR;
    }
    mk_layout_resolve(layout, &geometry, &error);
    g_assert_no_error(error);
    Session session = open_session(LABEL_2016, 0x27EEC, table_writing());
    g_assert_false(mk_agent_read_table(session.agent, &none, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_TABLE_NONE);
    g_assert_cmpuint(mk_fault_number(error), ==, 0x40D);
    g_clear_error(&error);
    mk_agent_write_table(session.agent, layout, false, &error);
    g_assert_no_error(error);
    close_session(&session);
}

/* The release of 2014: narrow sizes, no id count, no "new combo". */
static void test_2014(void)
{
    GArray *steps = load("agent-legacy-mt6582-2014-rw.txt", true);
    any_configuration(steps);
    Session session = open_session(LABEL_2014, 0x2769C, steps);
    assert_emmc(session.agent, 0x40000000);
    close_session(&session);
}

/* The same phone with a DA file that has another release's label: what the agent says counts. */
static void test_wrong_label(void)
{
    GArray *steps = load("agent-legacy-mt6582-2014-rw.txt", true);
    any_configuration(steps);
    Session session = open_session(LABEL_2016, 0x2769C, steps);
    assert_emmc(session.agent, 0x40000000);
    g_assert_nonnull(strstr(mk_agent_info(session.agent)->version, "release G2 by what it says"));
    close_session(&session);
    session = open_session(LABEL_2014, 0x27EEC, load("legacy-mt6582-read.txt", true));
    assert_emmc(session.agent, 0x40000000);
    g_assert_nonnull(strstr(mk_agent_info(session.agent)->version, "release G3 by what it says"));
    close_session(&session);
}

/* From the BootROM: memory is down, the settings of the preloader start it. */
static void test_bootrom(void)
{
    GArray *steps = load("agent-legacy-mt6582-2016-brom.txt", true);
    any_configuration(steps);
    g_autoptr(GError) error = NULL;
    g_autoptr(LegacySetup) setup = legacy_setup_new(LABEL_2016, 0x6582, 0x80000000, 0x27EEC);
    MkLink *link = script_link(steps);
    setup->setup.from_preloader = false;
    setup->setup.emi = legacy_emi(12, 1, 188, NULL);
    g_autoptr(MkAgent) agent = mk_agent_open(link, &setup->setup, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_emmc(agent, 0x40000000);
    script_assert_over(link);
    mk_link_free(link);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/golden/read", test_read);
    g_test_add_func("/agent/golden/write", test_write);
    g_test_add_func("/agent/golden/format", test_format);
    g_test_add_func("/agent/golden/reboot", test_reboot);
    g_test_add_func("/agent/golden/read-table", test_read_table);
    g_test_add_func("/agent/golden/write-table", test_write_table);
    g_test_add_func("/agent/golden/2014", test_2014);
    g_test_add_func("/agent/golden/wrong-label", test_wrong_label);
    g_test_add_func("/agent/golden/bootrom", test_bootrom);
    return g_test_run();
}
