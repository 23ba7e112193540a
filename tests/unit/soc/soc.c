#include "soc/soc.h"

#include <glib.h>
#include <string.h>

static void test_every_row_is_found_by_its_code(void)
{
    size_t count;
    const MkSoc *rows = mk_soc_table(&count);
    g_assert_cmpuint(count, ==, 94);
    for (size_t i = 0; i < count; i++) {
        g_assert_true(mk_soc_by_code(rows[i].hw_code, 0) == &rows[i]);
        g_assert_cmpuint(strlen(mk_soc_name(&rows[i])), >=, 4);
        g_assert_cmpuint(rows[i].da_code, !=, 0);
        if (rows[i].wdt_action == MK_WDT_WRITE || rows[i].wdt_action == MK_WDT_READ_MODIFY_WRITE)
            g_assert_cmpuint(rows[i].wdt_base, !=, 0);
    }
    g_assert_null(mk_soc_by_code(0x1234, 0));
}

static void test_sub_code_tells_6575_from_6577(void)
{
    g_assert_cmpstr(mk_soc_name(mk_soc_by_code(0x6575, 0x8A00)), ==, "MT6575");
    g_assert_cmpstr(mk_soc_name(mk_soc_by_code(0x6575, 0x8B00)), ==, "MT6577");
}

static void test_watchdogs(void)
{
    const MkSoc *mt6577 = mk_soc_by_name("MT6577"), *mt6582 = mk_soc_by_name("MT6582"),
                *mt6589 = mk_soc_by_name("MT6589");
    g_assert_cmpint(mt6577->wdt_action, ==, MK_WDT_READ_MODIFY_WRITE);
    g_assert_cmpuint(mt6577->wdt_width, ==, 16);
    g_assert_cmphex(mt6577->wdt_base, ==, 0xC0000000);
    g_assert_cmphex(mt6577->wdt_value, ==, 0x2200);
    g_assert_cmpint(mt6582->wdt_action, ==, MK_WDT_BY_DA);
    g_assert_cmphex(mt6589->wdt_value, ==, 0x22002224); /* SP Flash Tool's, where sources differ */
}

static void test_names(void)
{
    static const struct {
        const char *name;
        uint16_t code;
    } names[] = {{"MT6589", 0x6583}, {"mt6735m", 0x0335}, {"MT6737T", 0x0321}, {"MT6753", 0x0337}, {"MT6737M", 0x0335},
                 {"MT6765", 0x0766}, {"MT6589T", 0x6583}, {"MT6582", 0x6582},  {"MT6592", 0x6592}, {"MT6768", 0x0707}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const MkSoc *soc = mk_soc_by_name(names[i].name);
        g_assert_nonnull(soc);
        g_assert_cmphex(soc->hw_code, ==, names[i].code);
    }
    g_assert_null(mk_soc_by_name("MT"));
    g_assert_null(mk_soc_by_name(""));
    g_assert_null(mk_soc_by_name("Snapdragon"));
    g_assert_null(mk_soc_by_name("MT0000"));
}

static void test_families(void)
{
    const MkSoc *mt6735 = mk_soc_by_code(0x321, 0), *mt6582 = mk_soc_by_code(0x6582, 0);
    g_assert_true(mk_soc_accepts(mt6735, "MT6735"));
    g_assert_true(mk_soc_accepts(mt6735, "MT6737T"));
    g_assert_true(mk_soc_accepts(mt6735, "MT6735M"));
    g_assert_false(mk_soc_accepts(mt6735, "MT6582"));
    g_assert_true(mk_soc_accepts(mt6582, "MT8382"));
    g_assert_false(mk_soc_accepts(mt6582, "MT6592"));
    g_assert_false(mk_soc_accepts(mt6582, "nonsense"));
}

static void test_companions(void)
{
    g_assert_true(mk_soc_is_companion(6357));
    g_assert_true(mk_soc_is_companion(6625));
    g_assert_false(mk_soc_is_companion(6765));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/soc/every-row-is-found-by-its-code", test_every_row_is_found_by_its_code);
    g_test_add_func("/soc/sub-code-tells-6575-from-6577", test_sub_code_tells_6575_from_6577);
    g_test_add_func("/soc/watchdogs", test_watchdogs);
    g_test_add_func("/soc/names", test_names);
    g_test_add_func("/soc/families", test_families);
    g_test_add_func("/soc/companions", test_companions);
    return g_test_run();
}
