/* Runs a fuzz target over files instead of random bytes: the seeds of every target are an ordinary test. */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_seed(gconstpointer path)
{
    g_autofree char *data = NULL;
    gsize size = 0;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &data, &size, &error);
    g_assert_no_error(error);
    /* A copy of exactly this size: GLib's NUL behind the data would hide an overrun of one byte from ASan. */
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_assert_cmpint(LLVMFuzzerTestOneInput(copy, size), ==, 0);
}

static void run_empty(void)
{
    g_assert_cmpint(LLVMFuzzerTestOneInput((const uint8_t *)"", 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/empty", run_empty);
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = argc > 1 ? g_dir_open(argv[1], 0, NULL) : NULL;
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        char *path = g_build_filename(argv[1], name, NULL);
        g_ptr_array_add(paths, path);
        g_autofree char *test = g_strconcat("/seed/", name, NULL);
        g_test_add_data_func(test, path, run_seed);
    }
    return g_test_run();
}
