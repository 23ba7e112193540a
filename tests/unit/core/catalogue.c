/* What people paste is found again, and the surest explanation comes first. */
#include "core/catalogue.h"
#include "core/fault.h"

#include <string.h>

static const MkCatalogueRow *first(const char *text)
{
    g_autoptr(GPtrArray) found = mk_catalogue_search(text);
    return found->len ? found->pdata[0] : NULL;
}

static void test_phrases(void)
{
    const MkCatalogueRow *row = first("Firmware Upgrade could not be executed without PMT (8045)");
    g_assert_cmpstr(row->symbol, ==, "FT_UPGRADE_GET_PMT_FAIL");
    g_assert_nonnull(strstr(row->cure, "Do not format"));
    row = first("[Storage Error] The load and the target are inconsistent!");
    g_assert_cmpstr(row->symbol, ==, "FT_STORAGE_ERROR");
}

static void test_symbols(void)
{
    const MkCatalogueRow *row = first("ERROR : S_BROM_CMD_STARTCMD_FAIL ( 2005 )");
    g_assert_nonnull(strstr(row->symbol, "BROM_CMD_STARTCMD_FAIL"));
    g_assert_true(*row->cause);
    g_assert_nonnull(strstr(first("STATUS_ABORT")->symbol, "ABORT"));
}

static void test_numbers(void)
{
    g_assert_nonnull(strstr(first("0xC0030006")->symbol, "STORAGE_MISMATCH"));
    g_assert_nonnull(strstr(first("3221422086")->symbol, "STORAGE_MISMATCH"));  /* decimal */
    g_assert_nonnull(strstr(first("-1073545210")->symbol, "STORAGE_MISMATCH")); /* signed */
    g_assert_nonnull(strstr(first("(0xFC0)")->symbol, "ENABLE_DRAM_FAIL"));
    g_assert_null(first("it is 17 past"));
}

/* The same number meant other things in other years: all of them are shown, unless the symbol stands beside it. */
static void test_two_bands(void)
{
    g_autoptr(GPtrArray) both = mk_catalogue_search("3149"),
                         one = mk_catalogue_search("BROM ERROR : S_DA_SDMMC_WRITE_FAILED (3149)"),
                         plain = mk_catalogue_search("1010"), front_end = mk_catalogue_search("CFT error 1010"),
                         word = mk_catalogue_search("press STOP");
    g_assert_cmpuint(both->len, ==, 2);
    g_assert_cmpuint(one->len, ==, 1);
    g_assert_cmpstr(((const MkCatalogueRow *)plain->pdata[0])->symbol, ==, "S_BUF_SIZE_TOO_SMALL");
    g_assert_cmpstr(((const MkCatalogueRow *)front_end->pdata[0])->symbol, ==, "CFT_DL_CHKSUM_FEEDBACK_ERR");
    g_assert_cmpuint(word->len, ==, 0);
}

/* Every row has a symbol, and a code of Medik's or none; a text for a reader is not a note for a writer. */
static void test_rows(void)
{
    static const char *const notes[] = {"as above", "see above", "linter", "coach", "doctor", "9.", "4.", "5.4", "|"};
    for (size_t i = 0; i < mk_catalogue_count; i++) {
        const MkCatalogueRow *row = &mk_catalogue_rows[i];
        bool known = !*row->id;
        for (MkFault code = 0; code < MK_FAULT_N; code++)
            known |= !strcmp(mk_fault_id(code), row->id);
        g_assert_true(known && *row->symbol);
        for (size_t k = 0; k < G_N_ELEMENTS(notes); k++) {
            g_assert_null(strstr(row->cure, notes[k]));
            g_assert_null(strstr(row->cause, notes[k]));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/catalogue/phrases", test_phrases);
    g_test_add_func("/catalogue/symbols", test_symbols);
    g_test_add_func("/catalogue/numbers", test_numbers);
    g_test_add_func("/catalogue/two-bands", test_two_bands);
    g_test_add_func("/catalogue/rows", test_rows);
    return g_test_run();
}
