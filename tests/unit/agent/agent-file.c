#include "agent/agent-file.h"
#include "container.h"

#include <glib/gstdio.h>

static const ContainerEntry phones[] = {
    {0x6575, 0xCA00, 0xE100, 1, "one", {0xC2010000, 0xC2000000, 0xC2038000}, {0x40, 0x300, 0x70}, 0},
    {0x6575, 0xCB00, 0xE201, 1, "two", {0xC2010000, 0xC2000000, 0xC2038000}, {0x40, 0x300, 0x70}, 0},
    {0x6577, 0xCA00, 0xE100, 1, "three", {0xC2010000, 0xC2000000, 0xC2038000}, {0x40, 0x300, 0x70}, 0},
    {0x6582, 0xCA00, 0x0000, 0, "four", {0x80010000, 0x200000, 0x80000000}, {0x40, 0x400, 0x1005}, 0x100},
};
static const MkSoc mt6575 = {.hw_code = 0x6575, .da_code = 0x6575, .names = "MT6575"};
static const MkSoc mt6577 = {.hw_code = 0x6575, .da_code = 0x6577, .names = "MT6577"};
static const MkSoc mt6582 = {.hw_code = 0x6582, .da_code = 0x6582, .names = "MT6582"};
static const MkSoc mt6735 = {.hw_code = 0x321, .da_code = 0x6735, .names = "MT6735"};

static Container container(const char *description, uint32_t info_version)
{
    return (Container){description, info_version, 20, phones, G_N_ELEMENTS(phones)};
}

static MkAgentFile *parse(const Container *from, GPtrArray *findings, GError **error)
{
    g_autoptr(GBytes) bytes = container_build(from);
    return mk_agent_file_parse(bytes, "DA.bin", findings, error);
}

static void assert_region(const MkAgentFile *file, const MkAgentEntry *entry, unsigned index, const char *begins,
                          size_t length)
{
    g_autoptr(GBytes) region = mk_agent_file_region(file, entry, index);
    gsize size;
    const char *data = g_bytes_get_data(region, &size);
    g_assert_cmpuint(size, ==, length);
    g_assert_cmpmem(data, strlen(begins), begins, strlen(begins));
}

/* Every layout of the table yields the same programs: info_ver 3, 4, an odd maker's number, and exact slots. */
static void test_generations(void)
{
    const Container cases[] = {
        container("MTK_AllInOne_DA_v3.3001.00.00", 3),
        container("MTK_AllInOne_DA_v7.1352.03", 4),
        container("MTK_AllInOne_DA_v3.3001.2020-11-03.17:07_536490", 0x4A),
        {"MTK_AllInOne_DA_v7.1504.00.00", 4, 0, phones, G_N_ELEMENTS(phones)},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MkAgentFile) file = parse(&cases[i], NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(file->entries->len, ==, 4);
        g_assert_cmpuint(file->info_version, ==, cases[i].info_version);
        g_assert_cmpstr(file->description, ==, cases[i].description);
        const MkAgentEntry *entry = &g_array_index(file->entries, MkAgentEntry, 3);
        g_assert_cmphex(entry->hw_code, ==, 0x6582);
        g_assert_cmphex(entry->hw_version, ==, 0xCA00);
        g_assert_cmpint(entry->family, ==, MK_DA_LEGACY);
        g_assert_true(entry->usable);
        g_assert_cmpuint(mk_agent_entry_stage1(entry), ==, 1);
        g_assert_cmpuint(mk_agent_entry_stage2(entry), ==, 2);
        g_assert_cmphex(entry->regions[1].load_address, ==, 0x200000);
        g_assert_cmpuint(entry->regions[1].signature_length, ==, 0x100);
        assert_region(file, entry, 1, "four", 0x400);
        assert_region(file, entry, 2, "four", 0x1005);
        const MkAgentEntry *single = &g_array_index(file->entries, MkAgentEntry, 0);
        g_assert_cmpuint(mk_agent_entry_stage1(single), ==, 1);
        assert_region(file, single, mk_agent_entry_stage2(single), "one", 0x70);
    }
}

static void test_release(void)
{
    const struct {
        const char *label;
        uint32_t info_version;
        MkRelease release;
        bool sure;
    } cases[] = {
        {"MTK_AllInOne_DA_v3.3001.00.00", 3, MK_RELEASE_G0, true},
        {"MTK_AllInOne_DA_v7.1320.0.0.983", 4, MK_RELEASE_G1, true},
        {"MTK_AllInOne_DA_v7.1352.03", 4, MK_RELEASE_G2, true},
        {"MTK_AllInOne_DA_v7.1504.00.00", 4, MK_RELEASE_G3, true},
        {"MTK_AllInOne_DA_v3.3001.2015-01-19.10:05", 4, MK_RELEASE_G3, true},
        {"MTK_AllInOne_DA_v3.3001.2016-02-18.10:05", 4, MK_RELEASE_G4, true},
        {"MTK_AllInOne_DA_v3.3001.2019-12-31.22:53_497508", 4, MK_RELEASE_G4, true},
        {"Somebody's 2018/03/02 build", 4, MK_RELEASE_G4, false},
        {"MTK_AllInOne_DA_v7.1420", 4, MK_RELEASE_G3, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Container from = container(cases[i].label, cases[i].info_version);
        g_autoptr(MkAgentFile) file = parse(&from, NULL, NULL);
        g_assert_cmpint(file->release, ==, cases[i].release);
        g_assert_cmpint(file->release_sure, ==, cases[i].sure);
    }
}

static void test_family(void)
{
    ContainerEntry entry = phones[3];
    Container from = {"MTK_AllInOne_DA_v3.3001.2020/07/07", 4, 64, &entry, 1};
    entry.content = "code \xEF\xEE\xEE\xFE code";
    g_autoptr(MkAgentFile) xflash = parse(&from, NULL, NULL);
    g_assert_cmpint(g_array_index(xflash->entries, MkAgentEntry, 0).family, ==, MK_DA_XFLASH);
    from.description = "MTK_DA_v6_2022-04-02 23:43:58";
    from.capacity = 0;
    entry.content = "CMD:";
    g_autoptr(MkAgentFile) xml = parse(&from, NULL, NULL);
    g_assert_cmpint(g_array_index(xml->entries, MkAgentEntry, 0).family, ==, MK_DA_XML);
}

/* MT6886's first stage is 64-bit code, MT6895's is not (spec da-xml.md 1); a few equal words prove nothing. */
static void test_cpu_mode(void)
{
    for (unsigned returns = 15; returns <= 16; returns++) {
        ContainerEntry entry = phones[3];
        Container from = {"MTK_DA_v6_2022-04-02 23:43:58", 4, 0, &entry, 1};
        g_autoptr(GString) code = g_string_new("CMD:");
        g_autoptr(GPtrArray) findings = mk_findings_new();
        for (unsigned i = 0; i < returns; i++)
            g_string_append(code, "\xC0\x03\x5F\xD6");
        entry.content = code->str;
        g_autoptr(MkAgentFile) file = parse(&from, findings, NULL);
        g_assert_true(g_array_index(file->entries, MkAgentEntry, 0).is_64bit == (returns == 16));
        g_assert_cmpuint(findings->len, ==, 0);
    }
}

/* The genuine rule takes the first entry whose versions fit; when the versions do not fit, a warning is given. */
static void test_choose(void)
{
    Container from = container("MTK_AllInOne_DA_v7.1352.03", 4);
    g_autoptr(MkAgentFile) file = parse(&from, NULL, NULL);
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(GError) error = NULL;
    const MkAgentEntry *entry = mk_agent_file_choose(file, &mt6575, 0xCB01, 0xE201, findings, NULL);
    g_assert_cmphex(entry->hw_version, ==, 0xCB00);
    entry = mk_agent_file_choose(file, &mt6575, 0, 0, findings, NULL);
    g_assert_cmphex(entry->hw_version, ==, 0xCA00);
    g_assert_cmphex(mk_agent_file_choose(file, &mt6577, 0xCA00, 0xE100, findings, NULL)->hw_code, ==, 0x6577);
    g_assert_cmpuint(findings->len, ==, 0);
    entry = mk_agent_file_choose(file, &mt6575, 0xCB00, 0xE200, findings, NULL);
    g_assert_cmphex(entry->hw_version, ==, 0xCB00);
    g_assert_cmpuint(findings->len, ==, 1);
    entry = mk_agent_file_choose(file, &mt6582, 0xCC00, 0, findings, NULL);
    g_assert_cmphex(entry->hw_code, ==, 0x6582);
    g_assert_cmpuint(findings->len, ==, 2);
    g_assert_null(mk_agent_file_choose(file, &mt6735, 0xCA00, 0, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_DA_CHIP);
    g_assert_nonnull(strstr(error->message, "MT6735"));
    g_assert_nonnull(strstr(error->message, "MT6575, MT6577, MT6582"));
    /* Codes are no names. */
    g_array_index(file->entries, MkAgentEntry, 0).hw_code = 0x1208;
    g_array_index(file->entries, MkAgentEntry, 1).hw_code = 0xFFF0;
    g_clear_error(&error);
    g_assert_null(mk_agent_file_choose(file, &mt6735, 0xCA00, 0, NULL, &error));
    g_assert_nonnull(strstr(error->message, "only for MT6789, code 0xFFF0, "));
}

/* A file cut anywhere is refused, or names the programs that are cut and keeps the others. */
static void test_truncated(void)
{
    Container from = container("MTK_AllInOne_DA_v7.1352.03", 4);
    g_autoptr(GBytes) whole = container_build(&from);
    size_t size = g_bytes_get_size(whole);
    const size_t cuts[] = {0x50, 0x6C, 0x80, 0x1000, size / 2, size - 1};
    for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
        g_autoptr(GBytes) cut = g_bytes_new_from_bytes(whole, 0, cuts[i]);
        g_autoptr(GPtrArray) findings = mk_findings_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(MkAgentFile) file = mk_agent_file_parse(cut, "DA.bin", findings, &error);
        if (cuts[i] <= 0x80) {
            g_assert_null(file);
            g_assert_error(error, MK_FAULT, MK_FAULT_DA_FORMAT);
        } else {
            g_assert_cmpuint(findings->len, >, 0);
            g_assert_null(mk_agent_file_choose(file, &mt6582, 0xCA00, 0, NULL, &error));
            g_assert_error(error, MK_FAULT, MK_FAULT_DA_FORMAT);
        }
    }
    g_autoptr(GBytes) cut = g_bytes_new_from_bytes(whole, 0, size - 1);
    g_autoptr(MkAgentFile) file = mk_agent_file_parse(cut, "DA.bin", NULL, NULL);
    g_assert_nonnull(mk_agent_file_choose(file, &mt6577, 0xCA00, 0xE100, NULL, NULL));
}

static void test_foreign(void)
{
    static const char raw[0x400] = "raw code without a container";
    g_autoptr(GBytes) bytes = g_bytes_new_static(raw, sizeof raw);
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_agent_file_parse(bytes, "gps_DA.bin", NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_DA_FORMAT);
    g_assert_nonnull(strstr(error->message, "gps_DA.bin"));
}

static char *write_file(const char *folder, const char *name, const Container *from)
{
    g_autoptr(GBytes) bytes = container_build(from);
    char *path = g_build_filename(folder, name, NULL);
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    g_mkdir_with_parents(folder, 0700);
    g_assert_true(g_file_set_contents(path, data, (gssize)size, NULL));
    return path;
}

static void assert_found(const char *rom, const MkSoc *soc, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = mk_agent_file_find(NULL, rom, soc, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, path);
}

/* Beside the ROM goes before SP Flash Tool's folder, that before the remembered one; files for other chips are passed over. */
static void test_find(void)
{
    g_autofree char *top = g_dir_make_tmp("medik-da-XXXXXX", NULL);
    g_autofree char *rom = g_build_filename(top, "firmware", "rom", NULL);
    g_autofree char *tool = g_build_filename(top, "SP_Flash_Tool_v5", NULL);
    g_autofree char *elsewhere = g_build_filename(top, "firmware", "rom", "old", "deep", NULL);
    Container from = container("MTK_AllInOne_DA_v7.1352.03", 4), small = from;
    small.n_entries = 1;
    g_autoptr(GError) error = NULL;
    g_setenv("MEDIK_HOME", top, TRUE);
    g_mkdir_with_parents(rom, 0700);
    g_assert_null(mk_agent_file_find(NULL, rom, &mt6582, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_DA_NOFILE);
    g_assert_nonnull(strstr(error->message, rom));

    g_autofree char *kept = write_file(elsewhere, "mine.bin", &from);
    mk_agent_file_remember(&mt6582, kept);
    g_autofree char *memory = g_build_filename(top, "agents.ini", NULL);
    g_assert_true(g_file_test(memory, G_FILE_TEST_IS_REGULAR)); /* in Medik's one home */
    assert_found(rom, &mt6582, kept);
    assert_found(NULL, &mt6582, kept);
    g_autofree char *in_tool = write_file(tool, "MTK_AllInOne_DA.bin", &from);
    assert_found(rom, &mt6582, in_tool);
    g_autofree char *other_chip = write_file(rom, "MTK_AllInOne_DA.bin", &small);
    assert_found(rom, &mt6582, in_tool);
    assert_found(rom, &mt6575, other_chip);
    g_autofree char *beside = write_file(rom, "mtk_allinone_da_new.BIN", &from);
    assert_found(rom, &mt6582, beside);
    MkAgentFrom why;
    g_autofree char *named = mk_agent_file_find(other_chip, rom, &mt6582, &why, NULL);
    g_assert_cmpint(why, ==, MK_AGENT_FROM_NAME);
    g_assert_cmpstr(named, ==, other_chip);

    g_autofree char *rm = g_strdup_printf("rm -r '%s'", top);
    g_assert_true(g_spawn_command_line_sync(rm, NULL, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/file/generations", test_generations);
    g_test_add_func("/agent/file/release", test_release);
    g_test_add_func("/agent/file/family", test_family);
    g_test_add_func("/agent/file/cpu-mode", test_cpu_mode);
    g_test_add_func("/agent/file/choose", test_choose);
    g_test_add_func("/agent/file/truncated", test_truncated);
    g_test_add_func("/agent/file/foreign", test_foreign);
    g_test_add_func("/agent/file/find", test_find);
    return g_test_run();
}
