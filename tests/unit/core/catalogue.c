/* What people paste is found again, and the surest explanation comes first. */
#include "core/catalogue.h"

#include <string.h>

static const MkCatalogueRow *first(const char *text)
{
    g_autoptr(GPtrArray) found = mk_catalogue_search(text);
    return found->len ? found->pdata[0] : NULL;
}

static void test_phrases(void)
{
    const MkCatalogueRow *row = first("Firmware Upgrade could not be executed without PMT (8045)");
    g_assert_cmpstr(row->symbols, ==, "FT_UPGRADE_GET_PMT_FAIL");
    g_assert_nonnull(strstr(row->cure, "Do not format"));
    row = first("[Storage Error] The load and the target are inconsistent!");
    g_assert_cmpstr(row->symbols, ==, "FT_STORAGE_ERROR");
}

static void test_symbols(void)
{
    const MkCatalogueRow *row = first("ERROR : S_BROM_CMD_STARTCMD_FAIL ( 2005 )");
    g_assert_nonnull(strstr(row->symbols, "BROM_CMD_STARTCMD_FAIL"));
    g_assert_true(*row->cause);
    g_assert_nonnull(strstr(first("STATUS_ABORT")->symbols, "ABORT"));
}

static void test_numbers(void)
{
    g_assert_nonnull(strstr(first("0xC0030006")->symbols, "STORAGE_MISMATCH"));
    g_assert_nonnull(strstr(first("3221422086")->symbols, "STORAGE_MISMATCH"));  /* decimal */
    g_assert_nonnull(strstr(first("-1073545210")->symbols, "STORAGE_MISMATCH")); /* signed */
    g_assert_nonnull(strstr(first("(0xFC0)")->symbols, "ENABLE_DRAM_FAIL"));
    g_assert_null(first("it is 17 past"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/catalogue/phrases", test_phrases);
    g_test_add_func("/catalogue/symbols", test_symbols);
    g_test_add_func("/catalogue/numbers", test_numbers);
    return g_test_run();
}
