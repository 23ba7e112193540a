/* A virtual NAND behaves as the real one: bits only clear, bad blocks refuse, the BMT survives, a torn page is only torn. */
#include "phone/chip.h"

#include <glib/gstdio.h>
#include <string.h>

#define NEVER_WRITTEN 200

typedef struct {
    MkModel *model;
    MkChip *chip;
    char *folder;
    uint8_t *page, *back, spare[256];
} Bench;

static void set_up(Bench *bench, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    bench->model = mk_model_load("mt6575-nand", &error);
    g_assert_no_error(error);
    bench->folder = g_dir_make_tmp("medik-nand-XXXXXX", NULL);
    bench->chip = mk_chip_open(bench->model, bench->folder, true, &error);
    g_assert_no_error(error);
    bench->page = g_malloc(bench->model->geometry.nand_page);
    bench->back = g_malloc(bench->model->geometry.nand_page);
    memset(bench->page, 0x0F, bench->model->geometry.nand_page);
    memset(bench->spare, 0xFF, sizeof bench->spare);
}

static void tear_down(Bench *bench, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *file = g_build_filename(bench->folder, "nand.img", NULL);
    mk_chip_free(bench->chip);
    g_unlink(file);
    g_rmdir(bench->folder);
    g_free(bench->folder);
    g_free(bench->page);
    g_free(bench->back);
    mk_model_free(bench->model);
}

static void reopen(Bench *bench)
{
    g_autoptr(GError) error = NULL;
    mk_chip_free(bench->chip);
    bench->chip = mk_chip_open(bench->model, bench->folder, false, &error);
    g_assert_no_error(error);
}

static void test_bits_only_clear(Bench *bench, G_GNUC_UNUSED gconstpointer data)
{
    g_assert_cmpint(mk_chip_nand_program(bench->chip, 100, 1, bench->page, bench->spare), ==, MK_CHIP_OK);
    memset(bench->page, 0xF3, bench->model->geometry.nand_page);
    g_assert_cmpint(mk_chip_nand_program(bench->chip, 100, 1, bench->page, bench->spare), ==, MK_CHIP_OK);
    mk_chip_nand_read(bench->chip, 100, 1, bench->back, NULL);
    g_assert_cmphex(bench->back[0], ==, 0x03);
    g_assert_cmpint(mk_chip_nand_erase(bench->chip, 100, false), ==, MK_CHIP_OK);
    mk_chip_nand_read(bench->chip, 100, 1, bench->back, NULL);
    g_assert_cmphex(bench->back[0], ==, 0xFF);
}

static void test_bad_blocks(Bench *bench, G_GNUC_UNUSED gconstpointer data)
{
    unsigned bad = bench->model->nand_bad_blocks[0];
    g_assert_true(mk_chip_nand_is_bad(bench->chip, bad));
    g_assert_cmpint(mk_chip_nand_program(bench->chip, bad, 0, bench->page, NULL), ==, MK_CHIP_BAD_BLOCK);
    g_assert_cmpint(mk_chip_nand_erase(bench->chip, bad, false), ==, MK_CHIP_BAD_BLOCK);
    uint32_t replacement = mk_chip_bmt_map(bench->chip, bad);
    g_assert_cmpuint(replacement, !=, bad);
    reopen(bench);
    g_assert_cmpuint(mk_chip_bmt_map(bench->chip, bad), ==, replacement);
}

/* The table is gone: the replacement blocks know what they stand for, also after they were written anew. */
static void test_lost_bmt(Bench *bench, G_GNUC_UNUSED gconstpointer data)
{
    unsigned bad = bench->model->nand_bad_blocks[0], blocks = mk_chip_nand_blocks(bench->chip);
    uint32_t replacement = mk_chip_bmt_map(bench->chip, bad);
    g_assert_cmpint(mk_chip_nand_erase(bench->chip, replacement, false), ==, MK_CHIP_OK);
    g_assert_cmpint(mk_chip_nand_program(bench->chip, replacement, 0, bench->page, bench->spare), ==, MK_CHIP_OK);
    for (unsigned i = 1; i <= 4; i++)
        g_assert_cmpint(mk_chip_nand_erase(bench->chip, blocks - i, true), ==, MK_CHIP_OK);
    reopen(bench);
    g_assert_cmpuint(mk_chip_bmt_map(bench->chip, bad), ==, replacement);
    g_assert_cmpuint(mk_chip_bmt_map(bench->chip, bad + 1), ==, bad + 1);
}

static void test_torn_page(Bench *bench, G_GNUC_UNUSED gconstpointer data)
{
    mk_chip_inject_tear(bench->chip, 10);
    int result = mk_chip_nand_program(bench->chip, NEVER_WRITTEN, 0, bench->page, bench->spare);
    g_assert_cmpint(result, ==, MK_CHIP_GONE);
    g_assert_cmpint(mk_chip_nand_read(bench->chip, NEVER_WRITTEN, 0, bench->back, NULL), ==, MK_CHIP_GONE);
    mk_chip_power_on(bench->chip);
    g_assert_cmpint(mk_chip_nand_read(bench->chip, NEVER_WRITTEN, 0, bench->back, bench->spare), ==, MK_CHIP_OK);
    g_assert_cmphex(bench->back[0], ==, 0x0F);
    g_assert_cmphex(bench->back[bench->model->geometry.nand_page - 1], ==, 0xFF);
    g_assert_false(mk_chip_nand_is_bad(bench->chip, NEVER_WRITTEN));
    g_assert_cmpint(mk_chip_nand_erase(bench->chip, NEVER_WRITTEN, false), ==, MK_CHIP_OK);
}

/* A table whose checksum is wrong is not believed; what the replacement blocks say is. */
static void test_false_bmt(Bench *bench, G_GNUC_UNUSED gconstpointer data)
{
    uint32_t last = mk_chip_nand_blocks(bench->chip) - 1, replacement = mk_chip_bmt_map(bench->chip, 37);
    uint16_t bad[8], instead[8];
    g_assert_cmpint(mk_chip_nand_read(bench->chip, last, 0, bench->back, NULL), ==, MK_CHIP_OK);
    g_assert_cmpmem(bench->back, 3, "BMT", 3);
    g_assert_cmphex(bench->back[20], ==, 37); /* the first entry: make it block 100 */
    bench->back[20] = 100;
    mk_chip_nand_erase(bench->chip, last, false);
    mk_chip_nand_program(bench->chip, last, 0, bench->back, bench->spare);
    reopen(bench);
    g_assert_cmpuint(mk_chip_bmt_list(bench->chip, bad, instead, 8), ==, 3);
    g_assert_cmpuint(mk_chip_bmt_map(bench->chip, 100), ==, 100);
    g_assert_cmpuint(mk_chip_bmt_map(bench->chip, 37), ==, replacement);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/nand/bits-only-clear", Bench, NULL, set_up, test_bits_only_clear, tear_down);
    g_test_add("/nand/bad-blocks", Bench, NULL, set_up, test_bad_blocks, tear_down);
    g_test_add("/nand/lost-bmt", Bench, NULL, set_up, test_lost_bmt, tear_down);
    g_test_add("/nand/torn-page", Bench, NULL, set_up, test_torn_page, tear_down);
    g_test_add("/nand/false-bmt", Bench, NULL, set_up, test_false_bmt, tear_down);
    return g_test_run();
}
