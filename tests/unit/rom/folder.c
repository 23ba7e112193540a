/* A ROM folder: which file belongs to which partition, and what is refused. */
#include "core/fault.h"
#include "phone/content.h"
#include "rom/rom.h"

#include <glib/gstdio.h>
#include <string.h>

static char *make(const char *model_name, const char *folder_name)
{
    g_autofree char *base = g_dir_make_tmp("medik-rom-XXXXXX", NULL);
    char *folder = g_build_filename(base, folder_name, NULL);
    g_autoptr(MkModel) model = mk_model_load(model_name, NULL);
    g_assert_true(mk_content_make_rom(model, folder, NULL));
    return folder;
}

static void clean(const char *folder)
{
    g_autofree char *base = g_path_get_dirname(folder);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_rmdir(base);
}

static void rename_in(const char *folder, const char *old, const char *new)
{
    g_autofree char *from = g_build_filename(folder, old, NULL), *to = g_build_filename(folder, new, NULL);
    g_assert_cmpint(g_rename(from, to), ==, 0);
}

static MkRom *open_rom(const char *folder, const char *scatter)
{
    g_autoptr(GError) error = NULL;
    MkRom *rom = mk_rom_open_folder(folder, scatter, MK_STORAGE_UNKNOWN, &error);
    g_assert_no_error(error);
    return rom;
}

/* Blanks and letters of any language in the path of the folder. */
static void test_path(void)
{
    g_autofree char *folder = make("mt6577-9300", "мой телефон – ROM");
    g_autoptr(MkRom) rom = open_rom(folder, NULL);
    g_assert_nonnull(mk_rom_find(rom, "system")->image);
    g_assert_cmpstr(rom->claims.chip, ==, "MT6577");
    g_assert_cmpstr(rom->claims.model, ==, "9300+");
    g_assert_cmpstr(rom->claims.preloader_project, ==, "bird77_cu_ics2");
    clean(folder);
}

/* A v0 scatter names no files: prefixes find them, and a bootloader is no boot image. */
static void test_names(void)
{
    g_autofree char *folder = make("mt6577-9300", "rom");
    rename_in(folder, "boot.img", "boot-sign.img");
    rename_in(folder, "lk.bin", "bootloader.bin");
    g_autoptr(MkRom) rom = open_rom(folder, NULL);
    g_assert_true(g_str_has_suffix(mk_rom_find(rom, "boot")->path, "boot-sign.img"));
    g_assert_true(g_str_has_suffix(mk_rom_find(rom, "lk")->path, "bootloader.bin"));
    clean(folder);
}

static void test_several_scatters(void)
{
    g_autofree char *folder = make("mt6735-energy2", "rom"),
                    *second = g_build_filename(folder, "MT6735_old_scatter.txt", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(second, "PRELOADER 0x0\n{\n}\n", -1, NULL));
    g_assert_null(mk_rom_open_folder(folder, NULL, MK_STORAGE_UNKNOWN, &error));
    g_assert_nonnull(strstr(error->message, "MT6735_old_scatter.txt"));
    g_autofree char *right = g_build_filename(folder, "MT6735_Android_scatter.txt", NULL);
    g_autoptr(MkRom) rom = open_rom(folder, right);
    g_assert_nonnull(mk_rom_find(rom, "system")->image);
    clean(folder);
}

/* Identity is never ticked by itself; a missing file leaves its item empty and is said. */
static void test_ticks(void)
{
    g_autofree char *folder = make("mt6735-energy2", "rom"), *logo = g_build_filename(folder, "logo.bin", NULL);
    g_unlink(logo);
    g_autoptr(MkRom) rom = open_rom(folder, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_rom_find(rom, "logo")->image);
    g_assert_false(mk_rom_find(rom, "nvram")->selected);
    g_assert_true(mk_rom_find(rom, "system")->selected);
    g_assert_false(mk_rom_select(rom, "logo", true, true, &error));
    g_assert_nonnull(error);
    clean(folder);
}

typedef struct {
    const char *file, *replacement; /* of another partition in the same folder */
    const char *finding;
} Wrong;

static const Wrong wrongs[] = {{"boot.img", "system.img", "F-KIND"}, {"boot.img", "recovery.img", "K-NAME"}};

static void test_wrong_content(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(wrongs); i++) {
        g_autofree char *folder = make("mt6577-9300", "rom");
        g_autofree char *from = g_build_filename(folder, wrongs[i].replacement, NULL),
                        *to = g_build_filename(folder, wrongs[i].file, NULL), *data = NULL;
        gsize length;
        g_assert_true(g_file_get_contents(from, &data, &length, NULL) &&
                      g_file_set_contents(to, data, (gssize)length, NULL));
        g_autoptr(MkRom) rom = open_rom(folder, NULL);
        g_autoptr(GPtrArray) findings = mk_findings_new();
        MkPhoneFacts facts = {0};
        g_assert_true(mk_rom_check(rom, &facts, findings, NULL, NULL));
        bool found = false;
        for (guint k = 0; k < findings->len; k++)
            found |= strcmp(((MkFinding *)findings->pdata[k])->id, wrongs[i].finding) == 0;
        if (!found)
            g_test_message("%s in the place of %s was not noticed", wrongs[i].replacement, wrongs[i].file);
        g_assert_true(found);
        clean(folder);
    }
}

static const MkFinding *find_about(const GPtrArray *findings, const char *id)
{
    for (guint i = 0; i < findings->len; i++)
        if (!strcmp(((const MkFinding *)findings->pdata[i])->id, id))
            return findings->pdata[i];
    return NULL;
}

/* The ROM of another board with the same chip is most likely the wrong one, whatever of it is ticked; nobody knows: nothing is said. */
static void test_other_board(void)
{
    g_autofree char *folder = make("mt6768-a15", "rom");
    g_autoptr(MkRom) rom = open_rom(folder, NULL);
    g_autofree char *own = g_strdup(rom->claims.preloader_project);
    const struct {
        const char *phone;
        bool without_preloader, scatter_fits, danger;
    } cases[] = {{own, false, false, false},       {"k69v1_64", false, false, true}, {"k69v1_64", true, false, true},
                 {"k69v1_64", false, true, false}, {NULL, false, false, false},      {"K69V1_64", true, true, false}};
    g_assert_true(mk_rom_select(rom, "preloader", false, true, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) findings = mk_findings_new();
        MkPhoneFacts facts = {.preloader_project = cases[i].phone};
        g_free(rom->claims.preloader_project);
        rom->claims.preloader_project = cases[i].without_preloader ? NULL : g_strdup(own);
        g_free(rom->claims.project);
        rom->claims.project = g_strdup(cases[i].scatter_fits ? "k69v1_64" : own);
        g_assert_true(mk_rom_check(rom, &facts, findings, NULL, NULL));
        const MkFinding *finding = find_about(findings, "I-PROJECT-PHONE");
        bool danger = finding && finding->severity == MK_SEVERITY_DANGER;
        g_assert_cmpint(danger, ==, cases[i].danger);
        g_assert_true(!danger || (!finding->partition && finding->advice));
        g_assert_true(!danger || mk_rom_verdict(findings, &facts) == MK_FIT_PROBABLY_NOT);
    }
    clean(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rom/path", test_path);
    g_test_add_func("/rom/names", test_names);
    g_test_add_func("/rom/several-scatters", test_several_scatters);
    g_test_add_func("/rom/ticks", test_ticks);
    g_test_add_func("/rom/wrong-content", test_wrong_content);
    g_test_add_func("/rom/other-board", test_other_board);
    return g_test_run();
}
