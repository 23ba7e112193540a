#include "store/store.h"

#include "core/fault.h"

#include <glib/gstdio.h>
#include <string.h>

static void test_range_is_a_fault(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkStore) store = mk_store_memory_new("0123456789", 10);
    uint8_t data[10];
    g_assert_true(mk_store_read(store, 8, data, 2, NULL, &error));
    g_assert_cmpmem(data, 2, "89", 2);
    g_assert_false(mk_store_read(store, 9, data, 2, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_RANGE);
    g_clear_error(&error);
    g_assert_false(mk_store_write(store, UINT64_MAX, data, 2, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_RANGE);
    g_clear_error(&error);
    g_assert_null(mk_store_slice_new(store, 5, 6, "x", &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_RANGE);
}

static void test_slice_writes_through(void)
{
    g_autoptr(MkStore) store = mk_store_memory_new(NULL, 16);
    g_autoptr(MkStore) slice = mk_store_slice_new(store, 4, 8, "slice", NULL);
    g_autoptr(MkStore) inner = mk_store_slice_new(slice, 2, 4, "inner", NULL);
    g_assert_true(mk_store_write(inner, 0, "abcd", 4, NULL, NULL));
    g_assert_cmpmem(mk_store_memory_data(store) + 6, 4, "abcd", 4);
    g_assert_true(mk_store_erase(slice, 0, 3, NULL, NULL));
    g_assert_cmpmem(mk_store_memory_data(store) + 6, 4, "\0bcd", 4);
}

static bool note_data(uint64_t offset, uint64_t length, gpointer user_data, GError **error)
{
    uint64_t *sum = user_data;
    *sum += length;
    return true;
}

static void test_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("medik-store-XXXXXX", NULL),
                    *path = g_build_filename(folder, "ein Bild ü.img", NULL);
    g_autoptr(MkStore) file = mk_store_file_create(path, UINT64_C(6) << 30, &error);
    g_assert_no_error(error);
    g_assert_true(mk_store_write(file, UINT64_C(5) << 30, "late", 4, NULL, &error));
    g_assert_true(mk_store_flush(file, &error));
    g_assert_null(mk_store_file_create(path, 1, &error)); /* never overwrites */
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
    g_clear_error(&error);
    g_autoptr(MkStore) again = mk_store_file_open(path, false, &error);
    char data[4];
    g_assert_cmpuint(again->size, ==, UINT64_C(6) << 30);
    g_assert_true(mk_store_read(again, UINT64_C(5) << 30, data, 4, NULL, &error));
    g_assert_cmpmem(data, 4, "late", 4);
    uint64_t sum = 0;
    g_assert_true(mk_store_foreach_data(again, note_data, &sum, &error));
    g_assert_cmpuint(sum, >=, 4);
    g_assert_cmpuint(sum, <, 16 << 20);
    g_assert_true(mk_store_erase(file, UINT64_C(5) << 30, 4096, NULL, &error));
    g_assert_true(mk_store_read(again, UINT64_C(5) << 30, data, 4, NULL, &error));
    g_assert_cmpmem(data, 4, "\0\0\0\0", 4);
    g_unlink(path);
    g_rmdir(folder);
    g_assert_null(mk_store_file_open(path, false, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
}

static void test_names(void)
{
    MkRegion region;
    for (int i = 0; i < MK_REGION_N; i++) {
        g_assert_true(mk_region_from_name(mk_region_name((MkRegion)i), &region));
        g_assert_cmpint(region, ==, i);
    }
    g_assert_true(mk_region_from_name("emmc_user", &region));
    g_assert_cmpint(region, ==, MK_REGION_USER);
    g_assert_true(mk_region_from_name("EMMC_BOOT1_BOOT2", &region));
    g_assert_cmpint(region, ==, MK_REGION_BOOT1_BOOT2);
    g_assert_false(mk_region_from_name("EMMC", &region));
}

static void test_boot_regions(void)
{
    g_assert_cmpint(mk_region_copy(MK_REGION_BOOT1_BOOT2, 0), ==, MK_REGION_BOOT1);
    g_assert_cmpint(mk_region_copy(MK_REGION_LU0_LU1, 1), ==, MK_REGION_LU1);
    g_assert_cmpint(mk_region_copy(MK_REGION_USER, 0), ==, MK_REGION_USER);
    g_assert_cmpint(mk_region_copy(MK_REGION_USER, 1), ==, MK_REGION_NONE);
    g_assert_true(mk_region_is_boot(MK_REGION_BOOT2) && mk_region_is_boot(MK_REGION_LU0_LU1));
    g_assert_false(mk_region_is_boot(MK_REGION_LU2) || mk_region_is_boot(MK_REGION_NAND));
}

static void test_cancel_stops(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autoptr(MkStore) store = mk_store_memory_new(NULL, 16);
    char data[4];
    g_cancellable_cancel(cancel);
    g_assert_false(mk_store_read(store, 0, data, 4, cancel, &error));
    g_assert_cmpint(mk_fault_code(error), ==, MK_FAULT_STOPPED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/range-is-a-fault", test_range_is_a_fault);
    g_test_add_func("/store/slice-writes-through", test_slice_writes_through);
    g_test_add_func("/store/file", test_file);
    g_test_add_func("/store/names", test_names);
    g_test_add_func("/store/boot-regions", test_boot_regions);
    g_test_add_func("/store/cancel-stops", test_cancel_stops);
    return g_test_run();
}
