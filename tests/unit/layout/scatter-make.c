/* A scatter made from a table says what genuine ones say: the rows no table has, operations that keep the identity, names of its time. */
#include "layout/layout.h"

#include <string.h>

#define USER (UINT64_C(0x3A0000000))

static const MkGeometry geometry = {
    .storage = MK_STORAGE_EMMC, .boot1 = 4 << 20, .boot2 = 4 << 20, .rpmb = 4 << 20, .user = USER, .sector = 512};

static char *genuine(const char *folder, const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", folder, name, NULL);
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static MkLayout *parse(const char *text, const char *name)
{
    g_autoptr(GError) error = NULL;
    MkLayout *layout = mk_scatter_parse(text, strlen(text), name, true, NULL, &error);
    g_assert_no_error(error);
    return layout;
}

/* The GPT that a genuine scatter makes on a phone, as a phone's own table. */
static MkLayout *phone_table(const char *scatter)
{
    g_autofree char *text = genuine("scatter", scatter);
    g_autoptr(MkLayout) layout = parse(text, scatter);
    g_assert_true(mk_layout_resolve(layout, &geometry, NULL));
    g_autoptr(GPtrArray) patches = mk_gpt_encode(layout, &geometry, NULL);
    g_autoptr(MkStore) store = mk_store_memory_new(NULL, 1 << 20);
    const MkPatch *primary = patches->pdata[1];
    g_assert_true(mk_store_write(store, primary->offset, g_bytes_get_data(primary->data, NULL),
                                 g_bytes_get_size(primary->data), NULL, NULL));
    g_autoptr(MkTable) table = mk_gpt_read(store, NULL, NULL, NULL);
    g_assert_nonnull(table->layout);
    return mk_layout_ref(table->layout);
}

static void test_gpt(void)
{
    static const char *const names[] = {"mt6735m-dexp.txt", "mt6765-k65v1.txt"};
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = genuine("scatter", names[i]);
        g_autoptr(MkLayout) original = parse(text, names[i]), table = phone_table(names[i]);
        g_autoptr(MkLayout) made = mk_scatter_from_table(table, MK_LAYOUT_SCATTER_V1, &geometry);
        g_autofree char *written = mk_scatter_write(made, MK_LAYOUT_SCATTER_V1, NULL, NULL);
        g_autoptr(MkLayout) again = parse(written, NULL);
        g_assert_cmpuint(again->partitions->len, ==, original->partitions->len);
        g_assert_true(mk_layout_resolve(again, &geometry, NULL) && mk_layout_resolve(original, &geometry, NULL));
        for (guint k = 0; k < again->partitions->len; k++) {
            const MkPartition *a = again->partitions->pdata[k], *b = original->partitions->pdata[k];
            g_assert_cmpstr(a->name, ==, b->name);
            g_assert_cmphex(a->start, ==, b->start);
            g_assert_cmphex(a->size, ==, b->size);
            g_assert_cmpint(mk_region_copy(a->region, 0), ==, mk_region_copy(b->region, 0));
            /* What becomes of it in an upgrade is what the genuine scatter says. */
            if (mk_class_by_name(a->name) == MK_CLASS_IDENTITY || b->reserved)
                g_assert_cmpint(a->operation, ==, b->operation);
        }
    }
}

/* Without the device's size the real addresses stay, and the file still reads. */
static void test_gpt_alone(void)
{
    g_autoptr(MkLayout) table = phone_table("mt6735m-dexp.txt");
    g_autoptr(MkLayout) made = mk_scatter_from_table(table, MK_LAYOUT_SCATTER_V1, NULL);
    g_autofree char *written = mk_scatter_write(made, MK_LAYOUT_SCATTER_V1, NULL, NULL);
    g_autoptr(MkLayout) again = parse(written, NULL);
    g_assert_true(mk_layout_resolve(again, &geometry, NULL));
    g_assert_true(mk_layout_same(table, again));
}

/* The listing of a phone and the scatter of its ROM are the same thing. */
static void test_listing(void)
{
    g_autofree char *rows = genuine("tables", "mt6572-mobiwire_s10-dumchar_rows.txt"),
                    *text = genuine("scatter", "mt6572-mobiwire_s10.txt");
    g_autoptr(MkLayout) listing = mk_dumchar_parse(rows, strlen(rows), NULL, NULL), original = parse(text, NULL);
    g_autoptr(MkLayout) made = mk_scatter_from_table(listing, MK_LAYOUT_SCATTER_V1, NULL);
    g_assert_cmpuint(made->partitions->len, ==, original->partitions->len);
    for (guint i = 0; i < made->partitions->len; i++) {
        const MkPartition *a = made->partitions->pdata[i], *b = original->partitions->pdata[i];
        g_assert_cmpstr(a->name, ==, b->name);
        g_assert_cmphex(a->linear, ==, b->linear);
        g_assert_cmphex(a->physical, ==, b->physical);
        g_assert_cmphex(a->size, ==, b->size);
        g_assert_cmpint(a->operation, ==, b->operation);
        g_assert_cmpint(a->download, ==, b->download);
        g_assert_cmpint(a->boundary_check, ==, b->boundary_check);
    }
}

/* Between the plain form and V1.1.1 the names change, not the places. */
static void test_generations(void)
{
    g_autofree char *text = genuine("scatter", "mt6577-ptgen_emmc.txt");
    g_autoptr(MkLayout) plain = parse(text, "MT6577_Android_scatter_emmc.txt");
    g_autoptr(MkLayout) v1 = mk_scatter_from_table(plain, MK_LAYOUT_SCATTER_V1, NULL);
    g_assert_nonnull(mk_layout_find(v1, "NVRAM"));
    g_assert_cmpstr(mk_layout_find(v1, "NVRAM")->name, ==, "NVRAM");
    g_autofree char *written = mk_scatter_write(v1, MK_LAYOUT_SCATTER_V1, "V1.1.1", NULL);
    g_autoptr(MkLayout) again = parse(written, NULL);
    g_autoptr(MkLayout) back = mk_scatter_from_table(again, MK_LAYOUT_SCATTER_V0, NULL);
    g_autofree char *plain_again = mk_scatter_write(back, MK_LAYOUT_SCATTER_V0, NULL, NULL);
    g_autofree char *lower = g_ascii_strdown(plain_again, -1), *wanted = g_ascii_strdown(text, -1);
    g_assert_cmpstr(g_strchomp(lower), ==, g_strchomp(wanted));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scatter-make/gpt", test_gpt);
    g_test_add_func("/scatter-make/gpt-alone", test_gpt_alone);
    g_test_add_func("/scatter-make/listing", test_listing);
    g_test_add_func("/scatter-make/generations", test_generations);
    return g_test_run();
}
