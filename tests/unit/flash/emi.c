/* Which preloader's memory settings are sent: chosen by chip, flash chip and project; doubts are told before anything is sent. */
#include "flash/emi.h"

#include "core/bytes.h"

#include <glib/gstdio.h>
#include <string.h>

static const uint8_t samsung[16] = {0x15, 0x01, 0x00, 0x51, 0x45, 0x31, 0x33, 0x4D, 0x42, 0x01},
                     hynix[16] = {0x90, 0x01, 0x4A, 0x48, 0x42, 0x47, 0x34, 0x61, 0x32, 0xA5};

typedef struct {
    char *folder;
    GString *told;
    MkSessionOptions options;
} Desk;

static void note(const char *state, gpointer user_data)
{
    g_string_append(user_data, state);
}

static void desk_init(Desk *desk)
{
    desk->folder = g_dir_make_tmp("medik-emi-XXXXXX", NULL);
    desk->told = g_string_new(NULL);
    desk->options = (MkSessionOptions){.rom_folder = desk->folder, .state = note, .state_data = desk->told};
}

static void desk_clear(Desk *desk)
{
    g_autoptr(GDir) dir = g_dir_open(desk->folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(desk->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(desk->folder);
    g_free(desk->folder);
    g_string_free(desk->told, TRUE);
}

/* A block for one flash chip, as collections of preloaders hold them. Returns its path. */
static char *put(Desk *desk, const char *name, int version, const char *project, const uint8_t *id, uint8_t settings)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    g_autofree char *mark = g_strdup_printf("MTK_BLOADER_INFO_v%02d", version),
                    *own = g_strdup_printf("preloader_%s.bin", project);
    mk_put_text(block, mark, 0x1B);
    mk_put_text(block, own, 0x58 - 0x1B);
    mk_put_fill(block, 0, 0x6C - 0x58);
    mk_put_le32(block, 1);
    mk_put_le32(block, 0);
    mk_put_le32(block, 0x203);
    mk_put_le32(block, 9);
    mk_put_le32(block, 0);
    g_byte_array_append(block, id, 9);
    mk_put_fill(block, 0, 15);
    mk_put_fill(block, settings, 0x70 + 160 - block->len);
    char *path = g_build_filename(desk->folder, name, NULL);
    g_assert_true(g_file_set_contents(path, (const char *)block->data, block->len, NULL));
    return path;
}

/* The settings byte of the block that is sent to a phone with the flash chip ID; -1: a fault. */
static int chosen(Desk *desk, const uint8_t *id, MkFault fault)
{
    g_auto(MkEmiChoice) choice = {0};
    g_autoptr(GError) error = NULL;
    if (!mk_emi_choice_init(&choice, &desk->options, mk_soc_by_name("MT6765"), &error)) {
        g_assert_error(error, MK_FAULT, (int)fault);
        return -1;
    }
    if (!mk_emi_choice_first(&choice))
        return -2;
    g_autoptr(GBytes) block = mk_emi_choose(id, id ? 16 : 0, &choice, &error);
    if (!block) {
        g_assert_error(error, MK_FAULT, (int)fault);
        g_assert_nonnull(strstr(error->message, "--preloader"));
        return -1;
    }
    return ((const uint8_t *)g_bytes_get_data(block, NULL))[g_bytes_get_size(block) - 1];
}

static void test_the_flash_chip_decides(void)
{
    Desk desk;
    desk_init(&desk);
    g_assert_cmpint(chosen(&desk, samsung, 0), ==, -2);
    g_free(put(&desk, "preloader_one.bin", 35, "one", samsung, 1));
    g_free(put(&desk, "preloader_two.bin", 35, "two", hynix, 2));
    g_assert_cmpint(chosen(&desk, samsung, 0), ==, 1);
    g_assert_cmpint(chosen(&desk, hynix, 0), ==, 2);
    g_assert_cmpint(chosen(&desk, NULL, MK_FAULT_FILE), ==, -1); /* not guessed */
    desk.options.rom_project = "two";
    g_assert_cmpint(chosen(&desk, NULL, 0), ==, 2); /* the load's own board */
    g_free(put(&desk, "preloader_more.bin", 35, "one", samsung, 3));
    g_assert_cmpint(chosen(&desk, samsung, MK_FAULT_FILE), ==, -1);
    g_assert_cmpstr(desk.told->str, ==, "");
    desk_clear(&desk);
}

static void test_another_board_is_refused_unless_named(void)
{
    static const uint8_t kingston[16] = {0x70, 0x01, 0x00, 0x45, 0x4D, 0x4D, 0x43, 0x30, 0x38};
    Desk desk;
    desk_init(&desk);
    g_autofree char *path = put(&desk, "preloader_one.bin", 35, "one", samsung, 1);
    g_assert_cmpint(chosen(&desk, kingston, MK_FAULT_PL_EMI), ==, -1);
    desk.options.preloader_path = path;
    g_assert_cmpint(chosen(&desk, kingston, 0), ==, 1);
    g_assert_nonnull(strstr(desk.told->str, "EMMC08"));
    desk_clear(&desk);
}

static void test_another_chip(void)
{
    Desk desk;
    desk_init(&desk);
    g_free(put(&desk, "preloader_k68v1.bin", 40, "k68v1_64", samsung, 1));
    g_assert_cmpint(chosen(&desk, samsung, 0), ==, -2); /* passed over */
    g_autofree char *path = g_build_filename(desk.folder, "preloader_k68v1.bin", NULL);
    desk.options.preloader_path = path;
    g_assert_cmpint(chosen(&desk, samsung, MK_FAULT_CHIP), ==, -1);
    desk.options.preloader_path = NULL;
    /* Settings of a version that belongs to other chips give way to fitting ones, and are doubted where they are alone. */
    g_free(put(&desk, "preloader_odd.bin", 30, "odd", samsung, 2));
    g_assert_cmpint(chosen(&desk, samsung, 0), ==, 2);
    g_assert_nonnull(strstr(desk.told->str, "MT6763"));
    g_free(put(&desk, "preloader_own.bin", 35, "own", samsung, 3));
    g_assert_cmpint(chosen(&desk, samsung, 0), ==, 3);
    desk_clear(&desk);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/emi-choice/the-flash-chip-decides", test_the_flash_chip_decides);
    g_test_add_func("/emi-choice/another-board-is-refused-unless-named", test_another_board_is_refused_unless_named);
    g_test_add_func("/emi-choice/another-chip", test_another_chip);
    return g_test_run();
}
