/* Every model of virtual phone boots as it was sold, stops where its damage says, and its ROM is in order by Medik's own parsers. */
#include "agent/agent-file.h"
#include "core/hash.h"
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
        if (g_file_test(child, G_FILE_TEST_IS_DIR))
            remove_tree(child);
        else
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

/* Where the chain stops when everything from Android on lies elsewhere: an earlier station may lie behind it in the table. */
static const char *moved_stop(const MkModel *model)
{
    const MkPartition *vbmeta = mk_layout_find(model->layout, "vbmeta"),
                      *system = mk_layout_find(model->layout, "system");
    return vbmeta && system && vbmeta->start > system->start ? "vbmeta" : "system";
}

static void test_states(gconstpointer id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load(id, &error);
    g_assert_no_error(error);
    bool gpt = model->table == MK_TABLE_GPT;
    bool verified = mk_layout_find(model->layout, "vbmeta") || mk_layout_find(model->layout, "vbmeta_a");
    check_state(model, "stock", "home");
    check_state(model, "blank", "preloader");
    check_state(model, "no-preloader", "preloader");
    check_state(model, "resized", "home");
    check_state(model, "wrong-rom", moved_stop(model));
    check_state(model, "no-system", "system");
    check_state(model, "formatted", "no-nvram");
    check_state(model, "no-table", gpt ? "table" : model->table == MK_TABLE_NAND_PMT ? "home" : "system");
    check_state(model, "bad-boot", verified ? "vbmeta" : gpt ? "home" : "boot");
    if (gpt) {
        check_state(model, "bad-primary-gpt", "home");
        check_state(model, "bad-backup-gpt", "home");
        check_state(model, "torn-gpt", "table");
    }
    if (verified)
        check_state(model, "bad-vbmeta", "vbmeta");
}

/* Stock, and then: LENGTH bytes of zeros at OFFSET of a partition (WORN: they can no longer be read). */
typedef struct {
    const char *model, *partition;
    uint64_t offset;
    size_t length;
    bool worn;
    const char *expected;
} Damage;

static const Damage damages[] = {
    {"mt6582-a106-4g", "mbr", 0, 512, true, "system"}, /* the preloader is there all the same */
    {"mt6582-a106-4g", "lk", 0, 4, false, "lk"},
    {"mt6582-a106-4g", "lk", 0, 512, true, "lk"},
    {"mt6582-a106-4g", "lk", 512, 0x20000, false, "lk"}, /* a header and nothing behind it */
    {"mt6582-a106-4g", "boot", 2048, 4, false, "boot"},
    {"mt6582-a106-4g", "boot", 2048 + 512, 0x60000, false, "boot"},
    {"mt6582-a106-4g", "system", 1024, 1024, false, "system"},
    {"mt6582-a106-4g", "nvram", 0x20100, 16, false, "no-nvram"},
    {"mt6582-a106-4g", "nvram", 0, 512, true, "no-nvram"},
    {"mt6735-energy2", "pgpt", 0, 0x4400, true, "home"}, /* the backup is there */
    {"mt6735-energy2", "boot", 2048 + 512, 0x60000, false, "boot"},
    {"mt6735-energy2", "boot", 8, 4, false, "boot"}, /* no kernel left in it */
    {"mt6575-nand", "lk", 0, 0x20000, true, "lk"},
    {"mt6575-nand", "preloader", 0, 0x20000, true, "preloader"},
};

static void test_damage(gconstpointer data)
{
    const Damage *damage = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load(damage->model, &error);
    g_autofree char *folder = temp_folder();
    g_autoptr(MkChip) chip = mk_chip_open(model, folder, true, &error);
    mk_content_fill(chip, model, "stock", &error);
    g_assert_no_error(error);
    const MkPartition *partition = mk_layout_find(model->layout, damage->partition);
    g_assert_nonnull(partition);
    uint64_t place = partition->start + damage->offset;
    g_autofree uint8_t *zeros = g_malloc0(damage->length);
    g_autoptr(MkStore) store = mk_chip_store(chip, partition->region);
    if (damage->worn)
        mk_chip_inject_worn(chip, partition->region, place, damage->length);
    else
        g_assert_true(mk_store_write(store, place, zeros, damage->length, NULL, NULL));
    g_autoptr(MkBootReport) report = mk_bootcheck(chip, model, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(report->id, ==, damage->expected);
    remove_tree(folder);
}

static void test_rom(gconstpointer id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load(id, &error);
    g_autofree char *folder = temp_folder();
    mk_content_make_rom(model, folder, &error);
    g_assert_no_error(error);
    g_autofree char *name = mk_scatter_file_name(model->layout), *scatter = g_build_filename(folder, name, NULL);
    g_autoptr(MkRom) rom = mk_rom_open_folder(folder, scatter, model->geometry.storage, &error);
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
    bool super = mk_layout_find(model->layout, "super");
    const char *const needed[] = {"preloader", "lk", "boot", "logo", super ? "super" : "system"};
    for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++) {
        g_autofree char *slotted = g_strconcat(needed[i], "_a", NULL);
        const MkRomItem *item = mk_rom_find(rom, needed[i]);
        item = item ? item : mk_rom_find(rom, slotted);
        if (!item || !item->image)
            g_test_message("%s: no image for %s", model->id, needed[i]);
        g_assert_true(item && item->image);
    }
    remove_tree(folder);
}

static MkAgentFile *parse_da(const char *release)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) bytes = mk_content_make_da(release, &error);
    g_assert_no_error(error);
    MkAgentFile *file = mk_agent_file_parse(bytes, "DA.bin", NULL, &error);
    g_assert_no_error(error);
    return file;
}

/* Every model finds the agent that it is used with in a file of that release, and it says what it is. */
static void test_da(gconstpointer id)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load(id, &error);
    g_assert_no_error(error);
    g_autoptr(MkAgentFile) file = parse_da(model->agent_release);
    const MkAgentEntry *entry =
        mk_agent_file_choose(file, model->soc, model->hw_version, model->sw_version, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(entry->family == model->dialect);
    g_autoptr(GBytes) stage1 = mk_agent_file_region(file, entry, mk_agent_entry_stage1(entry));
    MkDaMark mark;
    gsize size;
    const uint8_t *data = g_bytes_get_data(stage1, &size);
    g_assert_true(mk_content_da_marker(data, size, &mark));
    g_assert_cmpstr(mark.release, ==, model->agent_release);
    g_assert_cmpuint(mark.stage, ==, 1);
    g_assert_cmphex(mark.chip, ==, model->soc->da_code);
    /* A stage 2 of whole packets makes agents acknowledge an empty one, which trips simple clients (spec agents.md legacy 10). */
    g_autoptr(GBytes) stage2 = mk_agent_file_region(file, entry, mk_agent_entry_stage2(entry));
    g_assert_cmpuint(g_bytes_get_size(stage2) % 0x1000, !=, 0);
    if (model->dialect == MK_DA_LEGACY)
        return;
    g_assert_true(mk_content_da_dialect(data, size) == model->dialect);
    /* Spec da-xflash.md 1: stage 1 holds the SHA-256 of stage 2 without its signature. */
    uint8_t digest[MK_SHA256_SIZE];
    mk_sha256(g_bytes_get_data(stage2, NULL), g_bytes_get_size(stage2) - 0x100, digest);
    g_assert_nonnull(memmem(data, size, digest, sizeof digest));
}

/* Releases that no model is sold with. */
static void test_old_da(void)
{
    g_autoptr(MkAgentFile) g0 = parse_da("G0");
    g_assert_cmpuint(g0->info_version, ==, 3);
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_content_make_da("G9", &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_USAGE);
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
    g_assert_cmpuint(models->len, >=, 18);
    for (guint i = 0; i < models->len; i++) {
        g_autofree char *states = g_strdup_printf("/content/states/%s", (char *)models->pdata[i]);
        g_autofree char *rom = g_strdup_printf("/content/rom/%s", (char *)models->pdata[i]),
                        *da = g_strdup_printf("/content/da/%s", (char *)models->pdata[i]);
        g_test_add_data_func(states, models->pdata[i], test_states);
        g_autofree char *ids = g_strdup_printf("/content/ids/%s", (char *)models->pdata[i]);
        g_test_add_data_func(rom, models->pdata[i], test_rom);
        g_test_add_data_func(ids, models->pdata[i], test_ids);
        g_test_add_data_func(da, models->pdata[i], test_da);
    }
    g_test_add_func("/content/old-da", test_old_da);
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        const Damage *damage = &damages[i];
        g_autofree char *path = g_strdup_printf("/content/damage/%s/%s/%" G_GUINT64_FORMAT "%s", damage->model,
                                                damage->partition, damage->offset, damage->worn ? "/worn" : "");
        g_test_add_data_func(path, damage, test_damage);
    }
    return g_test_run();
}
