#include "core/fault.h"

#include <gio/gio.h>
#include <string.h>

static void test_every_code_is_explained(void)
{
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    for (int code = 0; code < MK_FAULT_N; code++) {
        g_assert_nonnull(mk_fault_id(code));
        /* The list of ids is closed (behaviour.md 9.10): three faults have words of their own, no id. */
        if (code == MK_FAULT_NO_PARTITION)
            g_assert_cmpstr(mk_fault_id(code), ==, mk_fault_id(MK_FAULT_LAYOUT));
        else if (code == MK_FAULT_DIFFERS)
            g_assert_cmpstr(mk_fault_id(code), ==, mk_fault_id(MK_FAULT_VERIFY));
        else if (code == MK_FAULT_NO_BUS)
            g_assert_cmpstr(mk_fault_id(code), ==, mk_fault_id(MK_FAULT_CON_NONE));
        else
            g_assert_true(g_hash_table_add(ids, (gpointer)mk_fault_id(code)));
        g_assert_cmpuint(strlen(mk_fault_cause(code)), >, 10);
        g_assert_cmpuint(strlen(mk_fault_cure(code)), >, 10);
        g_assert_cmpint(mk_fault_exit(code), !=, MK_EXIT_DONE);
    }
}

static void test_number_and_symbol_travel(void)
{
    g_autoptr(GError) error = NULL;
    mk_fault_set_number(&error, MK_FAULT_WRITE, 3149, "S_DA_SDMMC_WRITE_FAILED", "The phone could not write %s.",
                        "system");
    g_autoptr(GError) copy = g_error_copy(error);
    g_prefix_error(&copy, "while flashing: ");
    g_assert_cmpint(mk_fault_code(copy), ==, MK_FAULT_WRITE);
    g_assert_cmpuint(mk_fault_number(copy), ==, 3149);
    g_assert_cmpstr(mk_fault_symbol(copy), ==, "S_DA_SDMMC_WRITE_FAILED");
    g_assert_cmpstr(copy->message, ==, "while flashing: The phone could not write system.");
}

static void test_foreign_errors(void)
{
    g_autoptr(GError) io = g_error_new(G_IO_ERROR, G_IO_ERROR_CANCELLED, "x");
    g_autoptr(GError) other = g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED, "x");
    g_assert_cmpint(mk_fault_code(io), ==, MK_FAULT_STOPPED);
    g_assert_cmpint(mk_fault_code(other), ==, MK_FAULT_INTERNAL);
    g_assert_null(mk_fault_symbol(other));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fault/every-code-is-explained", test_every_code_is_explained);
    g_test_add_func("/fault/number-and-symbol-travel", test_number_and_symbol_travel);
    g_test_add_func("/fault/foreign-errors", test_foreign_errors);
    return g_test_run();
}
