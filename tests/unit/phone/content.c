/* Every model of virtual phone boots as it was sold, stops where its damage says, and its ROM is in order by Medik's own parsers. */
#include "agent/agent-file.h"
#include "phone/bootcheck.h"
#include "phone/content.h"
#include "rom/rom.h"

#include <glib/gstdio.h>
#include <string.h>

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        g_unlink(child);
    }
    g_rmdir(path);
}

static char *temp_folder(void)
{
    g_autofree char *base = g_dir_make_tmp("medik-content-XXXXXX", NULL);
    return g_steal_pointer(&base);
}

static void check_state(const MkModel *model, const char *state, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = temp_folder();
    g_autoptr(MkChip) chip = mk_chip_open(model, folder, true, &error);
    g_assert_no_error(error);
    mk_content_fill(chip, model, state, &error);
    g_assert_no_error(error);
    g_autoptr(MkBootReport) report = mk_bootcheck(chip, model, &error);
    g_assert_no_error(error);
    if (strcmp(report->id, expected) != 0)
        g_test_message("%s, %s: %s", model->id, state, report->why);
    g_assert_cmpstr(report->id, ==, expected);
    remove_tree(folder);
}

static void test_states(gconstpointer id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load(id, &error);
    g_assert_no_error(error);
    bool gpt = model->table == MK_TABLE_GPT;
    check_state(model, "stock", "home");
    check_state(model, "blank", "preloader");
    check_state(model, "no-preloader", "preloader");
    check_state(model, "resized", "home");
    check_state(model, "wrong-rom", "system");
    check_state(model, "no-system", "system");
    check_state(model, "formatted", "no-nvram");
    check_state(model, "no-table", gpt ? "table" : model->table == MK_TABLE_NAND_PMT ? "home" : "system");
    check_state(model, "bad-boot", gpt ? "home" : "boot");
    if (gpt) {
        check_state(model, "bad-primary-gpt", "home");
        check_state(model, "bad-backup-gpt", "home");
    }
}

static void test_rom(gconstpointer id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load(id, &error);
    g_autofree char *folder = temp_folder();
    mk_content_make_rom(model, folder, &error);
    g_assert_no_error(error);
    g_autoptr(MkRom) rom = mk_rom_open_folder(folder, NULL, MK_STORAGE_UNKNOWN, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) findings = mk_findings_new();
    MkPhoneFacts facts = {.soc = model->soc, .geometry = &model->geometry, .storage = model->geometry.storage};
    g_assert_true(mk_rom_check(rom, &facts, findings, NULL, &error));
    for (guint i = 0; i < findings->len; i++) {
        const MkFinding *finding = findings->pdata[i];
        if (finding->severity > MK_SEVERITY_NOTE)
            g_test_message("%s: %s %s: %s", model->id, finding->id, finding->file, finding->message);
    }
    g_assert_cmpint(mk_findings_worst(findings), ==, MK_SEVERITY_NOTE);
    static const char *const needed[] = {"preloader", "lk", "boot", "recovery", "logo", "system"};
    for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
        const MkRomItem *item = mk_rom_find(rom, needed[i]);
        if (!item || !item->image)
            g_test_message("%s: no image for %s", model->id, needed[i]);
        g_assert_true(item && item->image);
    }
    remove_tree(folder);
}

static void test_da(void)
{
    static const char *const releases[] = {"G0", "G1", "G2", "G3", "G4"};
    static const uint16_t newest[] = {0x6577, 0x6582, 0x6583, 0x0321, 0x0335};
    for (unsigned i = 0; i < G_N_ELEMENTS(releases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) bytes = mk_content_make_da(releases[i], &error);
        g_autofree char *folder = temp_folder(), *path = g_build_filename(folder, "MTK_AllInOne_DA.bin", NULL);
        g_assert_true(g_file_set_contents(path, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes), NULL));
        g_autoptr(GPtrArray) findings = mk_findings_new();
        g_autoptr(MkAgentFile) file = mk_agent_file_load(path, findings, &error);
        g_assert_no_error(error);
        const MkSoc *soc = mk_soc_by_code(newest[i], newest[i] == 0x6577 ? 0x8B00 : 0);
        const MkAgentEntry *entry = mk_agent_file_choose(file, soc, 0xCA00, 0xE100, findings, &error);
        g_assert_no_error(error);
        g_autoptr(GBytes) stage1 = mk_agent_file_region(file, entry, mk_agent_entry_stage1(entry));
        char release[3];
        unsigned stage;
        g_assert_true(mk_content_da_marker(g_bytes_get_data(stage1, NULL), g_bytes_get_size(stage1), release, &stage));
        g_assert_cmpstr(release, ==, releases[i]);
        g_assert_cmpuint(stage, ==, 1);
        /* A stage 2 of whole packets makes agents acknowledge an empty one, which trips simple clients (spec agents.md legacy 10). */
        g_autoptr(GBytes) stage2 = mk_agent_file_region(file, entry, 2);
        g_assert_cmpuint(g_bytes_get_size(stage2) % 0x1000, !=, 0);
        remove_tree(folder);
    }
}

/* Genuine hosts ask every BootROM for its ids and wait until they have come (spec hosts.md). */
static void test_ids(gconstpointer id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load(id, &error);
    g_assert_no_error(error);
    g_assert_true(model->has_me_id && model->has_soc_id);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autoptr(GPtrArray) models = mk_model_list();
    g_assert_cmpuint(models->len, >=, 10);
    for (guint i = 0; i < models->len; i++) {
        g_autofree char *states = g_strdup_printf("/content/states/%s", (char *)models->pdata[i]);
        g_autofree char *rom = g_strdup_printf("/content/rom/%s", (char *)models->pdata[i]);
        g_test_add_data_func(states, models->pdata[i], test_states);
        g_autofree char *ids = g_strdup_printf("/content/ids/%s", (char *)models->pdata[i]);
        g_test_add_data_func(rom, models->pdata[i], test_rom);
        g_test_add_data_func(ids, models->pdata[i], test_ids);
    }
    g_test_add_func("/content/da", test_da);
    return g_test_run();
}
