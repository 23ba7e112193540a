/* DRAM settings: records of every form, what they say about a flash chip, and whose preloader it is (spec preloader-file.md 4, 5). */
#include "image/image.h"

#include "core/bytes.h"

#include <string.h>

static const uint8_t samsung[16] = {0x15, 0x01, 0x00, 0x51, 0x45, 0x31, 0x33, 0x4D, 0x42, 0x01},
                     hynix[16] = {0x90, 0x01, 0x4A, 0x48, 0x42, 0x47, 0x34, 0x61, 0x32, 0xA5};

/* Offsets of id and of its length in a record, by layout. */
typedef struct {
    int version;
    unsigned size, id, id_length;
} Form;

/* A block of COUNT records of the form; record I is for IDS[I], NULL: discrete memory. */
static GBytes *block_of(const Form *form, const char *project, const uint8_t *const *ids, unsigned count,
                        uint32_t stored)
{
    GByteArray *block = g_byte_array_new();
    g_autofree char *mark = g_strdup_printf("MTK_BLOADER_INFO_v%02d", form->version),
                    *name = g_strdup_printf("preloader_%s.bin", project);
    mk_put_text(block, mark, 0x1B);
    mk_put_text(block, name, 0x58 - 0x1B);
    mk_put_fill(block, 0, 0x6C - 0x58);
    mk_put_le32(block, stored);
    for (unsigned i = 0; i < count; i++) {
        guint at = block->len;
        mk_put_fill(block, 0x77, form->size);
        uint32_t length = GUINT32_TO_LE(ids[i] ? 9 : 0);
        memset(block->data + at + form->id, 0, 12);
        if (ids[i])
            memcpy(block->data + at + form->id, ids[i], 9);
        memcpy(block->data + at + form->id_length, &length, 4);
    }
    return g_byte_array_free_to_bytes(block);
}

static const Form forms[] = {{8, 136, 4, 0x6C},  {10, 184, 0x10, 8}, {11, 168, 4, 0x14}, {12, 188, 0x10, 8},
                             {25, 144, 0x10, 8}, {25, 160, 0x10, 8}, {40, 160, 0x10, 8}, {49, 84, 8, 4},
                             {77, 200, 0x10, 8} /* a version that nobody has seen */};

static void test_records_name_flash_chips(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++) {
        const uint8_t *const ids[] = {hynix, samsung}, *const other[] = {hynix, hynix},
                             *const discrete[] = {hynix, NULL};
        g_autoptr(GBytes) both = block_of(&forms[i], "x", ids, 2, 2), one = block_of(&forms[i], "x", other, 2, 2),
                          loose = block_of(&forms[i], "x", discrete, 2, 2);
        g_assert_cmpint(mk_emi_match(both, samsung, 16), ==, MK_EMI_LISTED);
        g_assert_cmpint(mk_emi_match(one, samsung, 16), ==, MK_EMI_NOT_LISTED);
        g_assert_cmpint(mk_emi_match(loose, samsung, 16), ==, MK_EMI_DISCRETE);
        g_assert_cmpint(mk_emi_match(both, samsung, 0), ==, MK_EMI_UNREADABLE);
        g_assert_cmpint(mk_emi_match(both, samsung, 4), ==, MK_EMI_NOT_LISTED); /* a shorter name is another name */
    }
}

/* Ten records of versions up to 12 are stored as 0x10 (spec 4.2). */
static void test_count_trap(void)
{
    const uint8_t *ids[10];
    for (unsigned i = 0; i < 10; i++)
        ids[i] = i == 9 ? samsung : hynix;
    g_autoptr(GBytes) old = block_of(&forms[3], "x", ids, 10, 0x10), new = block_of(&forms[6], "x", ids, 10, 10);
    g_assert_cmpint(mk_emi_match(old, samsung, 16), ==, MK_EMI_LISTED);
    g_assert_cmpint(mk_emi_match(new, samsung, 16), ==, MK_EMI_LISTED);
}

/* Collected blocks are often 36 bytes too long or lack their end: what is whole counts, what is missing is not "not listed". */
static void test_damaged_blocks(void)
{
    const uint8_t *const ids[] = {hynix, hynix, samsung};
    g_autoptr(GBytes) whole = block_of(&forms[6], "x", ids, 3, 3);
    gsize length;
    const uint8_t *data = g_bytes_get_data(whole, &length);
    g_autofree uint8_t *longer = g_malloc0(length + 36);
    memcpy(longer, data, length);
    g_autoptr(GBytes) extra = g_bytes_new(longer, length + 36), cut = g_bytes_new(data, length - 100);
    g_assert_cmpint(mk_emi_match(extra, samsung, 16), ==, MK_EMI_LISTED);
    g_assert_cmpint(mk_emi_match(cut, samsung, 16), ==, MK_EMI_UNREADABLE);
    g_assert_cmpint(mk_emi_match(cut, hynix, 16), ==, MK_EMI_LISTED);
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkPreloader) preloader = mk_preloader_parse(cut, findings, NULL);
    g_assert_cmpint(preloader->kind, ==, MK_CONTENT_EMI_BLOCK);
    g_assert_cmpuint(findings->len, ==, 1);
    for (gsize n = 0; n < length; n++) {
        g_autoptr(GBytes) piece = g_bytes_new(data, n);
        mk_emi_match(piece, samsung, 16);
    }
}

static char *chip_of(const char *project, const char *code)
{
    const uint8_t *const ids[] = {samsung};
    g_autoptr(GBytes) block = block_of(&forms[6], project, ids, 1, 1);
    GByteArray *file = g_byte_array_new();
    gsize length;
    const uint8_t *data = g_bytes_get_data(block, &length);
    g_byte_array_append(file, data, (guint)length);
    g_byte_array_append(file, (const guint8 *)code, (guint)strlen(code));
    g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(file);
    g_autoptr(MkPreloader) preloader = mk_preloader_parse(bytes, NULL, NULL);
    g_assert_cmpstr(preloader->project, ==, project);
    return g_strdup(preloader->chip);
}

static void test_whose_preloader(void)
{
    static const struct {
        const char *project, *code, *chip;
    } cases[] = {{"k62v1_64_bsp", "", "MT6765"},
                 {"k69v1", "", "MT6768"},
                 {"k6833v1_64", "", "MT6833"},
                 {"lamu", "", NULL},
                 {"k620v1", "", NULL}, /* another number */
                 {"k62v1_64_bsp", "platform/mt6357/a platform/mt6771/b platform/mt6768/c platform/mt6771/d", "MT6771"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *chip = chip_of(cases[i].project, cases[i].code);
        g_assert_cmpstr(chip, ==, cases[i].chip);
    }
    g_assert_cmpstr(mk_emi_chips(35), ==, "MT6765/MT6762");
    g_assert_null(mk_emi_chips(0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/emi/records-name-flash-chips", test_records_name_flash_chips);
    g_test_add_func("/emi/count-trap", test_count_trap);
    g_test_add_func("/emi/damaged-blocks", test_damaged_blocks);
    g_test_add_func("/emi/whose-preloader", test_whose_preloader);
    return g_test_run();
}
