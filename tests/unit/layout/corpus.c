/* Every scatter file and table of the corpus: parsed, resolved, written, read again; genuine MBR and EBR sectors reproduced. */
#include "layout/layout.h"

#include <string.h>

static char *data_path(const char *folder, const char *name)
{
    return g_test_build_filename(G_TEST_DIST, "data", folder, name, NULL);
}

static MkGeometry geometry_for(MkStorage storage)
{
    if (storage == MK_STORAGE_NAND)
        return (MkGeometry){.storage = storage,
                            .nand_size = UINT64_C(1) << 30,
                            .nand_block = 0x20000,
                            .nand_page = 2048,
                            .nand_spare = 64,
                            .pool_blocks = 80};
    if (storage == MK_STORAGE_UFS)
        return (MkGeometry){.storage = storage, .sector = 4096, .lu = {4 << 20, 4 << 20, UINT64_C(256) << 30}};
    return (MkGeometry){.storage = MK_STORAGE_EMMC,
                        .sector = 512,
                        .boot1 = 4 << 20,
                        .boot2 = 4 << 20,
                        .rpmb = 512 << 10,
                        .user = UINT64_C(128) << 30};
}

static void assert_same_partition(const MkPartition *a, const MkPartition *b)
{
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpstr(a->file_name, ==, b->file_name);
    g_assert_cmphex(a->linear, ==, b->linear);
    g_assert_cmphex(a->physical, ==, b->physical);
    g_assert_cmphex(a->size, ==, b->size);
    g_assert_cmpint(a->region, ==, b->region);
    g_assert_cmpint(a->operation, ==, b->operation);
    g_assert_cmpint(a->type, ==, b->type);
    g_assert_cmpint(a->download, ==, b->download);
    g_assert_cmpint(a->reserved, ==, b->reserved);
    g_assert_cmpint(a->boundary_check, ==, b->boundary_check);
}

static void assert_round_trip(const MkLayout *layout, const char *base)
{
    g_autoptr(GError) error = NULL;
    bool v0 = layout->kind == MK_LAYOUT_SCATTER_V0;
    g_autofree char *text = mk_scatter_write(layout, layout->kind, NULL, &error), *name = mk_scatter_file_name(layout);
    g_assert_no_error(error);
    g_autoptr(MkLayout) again = mk_scatter_parse(text, strlen(text), v0 ? name : base, false, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(again->platform, ==, layout->platform);
    g_assert_cmpint(again->storage, ==, layout->storage);
    g_assert_cmpuint(again->partitions->len, ==, layout->partitions->len);
    g_assert_cmpint(again->sections != NULL, ==, layout->sections != NULL);
    for (guint i = 0; i < layout->partitions->len; i++)
        assert_same_partition(layout->partitions->pdata[i], again->partitions->pdata[i]);
}

static void assert_resolves(MkLayout *layout)
{
    g_autoptr(GError) error = NULL;
    MkGeometry geometry = geometry_for(layout->storage);
    g_autoptr(MkLayout) copy = mk_layout_copy(layout);
    mk_layout_resolve(copy, &geometry, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < copy->partitions->len; i++)
        g_assert_true(((MkPartition *)copy->partitions->pdata[i])->resolved);
    for (guint i = 0; copy->sections && i < copy->sections->len; i++) {
        MkLayout *section = copy->sections->pdata[i];
        MkGeometry other = geometry_for(section->storage);
        mk_layout_resolve(section, &other, &error);
        g_assert_no_error(error);
    }
}

static void test_every_scatter(void)
{
    g_autofree char *folder = data_path("scatter", "");
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    unsigned files = 0;
    for (const char *base; (base = g_dir_read_name(dir));) {
        if (!g_str_has_suffix(base, ".txt") && !g_str_has_suffix(base, ".xml"))
            continue;
        g_autofree char *path = g_build_filename(folder, base, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) findings = mk_findings_new();
        g_test_message("%s", base);
        g_autoptr(MkLayout) layout = mk_scatter_load(path, false, findings, &error);
        if (strstr(base, "_ota_")) {
            g_assert_error(error, MK_FAULT, MK_FAULT_SCATTER);
            g_assert_nonnull(strstr(error->message, "update package"));
            continue;
        }
        g_assert_no_error(error);
        g_assert_nonnull(layout->platform);
        g_assert_cmpuint(layout->partitions->len, >=, 10);
        assert_round_trip(layout, base);
        assert_resolves(layout);
        files++;
    }
    g_assert_cmpuint(files, >=, 36);
}

static void assert_sector(GPtrArray *patches, const char *name, const char *file)
{
    g_autofree char *path = data_path("tables", file), *genuine = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &genuine, &length, NULL));
    for (guint i = 0; i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        if (!strcmp(patch->what, name)) {
            g_assert_cmpmem(g_bytes_get_data(patch->data, NULL), 512, genuine, 512);
            return;
        }
    }
    g_assert_not_reached();
}

/* Names of the ptgen runs were shortened; the file name carries the chip. */
static MkLayout *load_resolved(const char *base)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = data_path("scatter", base);
    MkLayout *layout = mk_scatter_load(path, false, NULL, &error);
    g_assert_no_error(error);
    MkGeometry geometry = geometry_for(MK_STORAGE_EMMC);
    geometry.user = UINT64_C(8) << 30;
    mk_layout_resolve(layout, &geometry, &error);
    g_assert_no_error(error);
    return layout;
}

static void test_mbr_is_the_genuine_one(void)
{
    static const char *const phones[] = {"mt6577-ptgen_emmc", "mt6589-ptgen_emmc_otp", "mt6572-wiko_s4050ap",
                                         "mt6572-mobiwire_s10", "mt6592-blu"};
    MkGeometry geometry = geometry_for(MK_STORAGE_EMMC);
    for (gsize i = 0; i < G_N_ELEMENTS(phones); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *base = g_strconcat(phones[i], ".txt", NULL);
        g_autoptr(MkLayout) layout = load_resolved(base);
        g_autoptr(GPtrArray) patches = mk_mbr_encode(layout, &geometry, &error);
        g_assert_no_error(error);
        for (guint k = 0; k < patches->len; k++) {
            const MkPatch *patch = patches->pdata[k];
            g_autofree char *file = g_strdup_printf("%s-%s.bin", phones[i], patch->what);
            assert_sector(patches, patch->what, file);
        }
        g_assert_cmpuint(patches->len, >=, 2);
    }
}

static void test_mbr_is_read_back(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = load_resolved("mt6592-blu.txt");
    MkGeometry geometry = geometry_for(MK_STORAGE_EMMC);
    g_autoptr(GPtrArray) patches = mk_mbr_encode(layout, &geometry, &error);
    g_autoptr(MkStore) user = mk_store_memory_new(NULL, 128 << 20);
    for (guint i = 0; i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        g_assert_true(mk_store_write(user, patch->offset, g_bytes_get_data(patch->data, NULL), 512, NULL, &error));
    }
    g_autoptr(MkTable) table = mk_mbr_read(user, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(table->primary, ==, MK_COPY_GOOD);
    g_assert_cmpuint(table->layout->partitions->len, ==, 7);
    static const char *const names[] = {"PROTECT_F", "PROTECT_S", "SEC_RO", "FRP", "ANDROID", "CACHE", "USRDATA"};
    for (guint i = 0; i < 7; i++) {
        const MkPartition *slot = table->layout->partitions->pdata[i], *partition = mk_layout_find(layout, names[i]);
        g_assert_cmphex(slot->start, ==, partition->start);
    }
    g_assert_true(mk_store_erase(user, ((MkPartition *)mk_layout_find(layout, "EBR1"))->start, 512, NULL, &error));
    g_autoptr(MkTable) broken = mk_mbr_read(user, NULL, NULL, &error);
    g_assert_cmpint(broken->primary, ==, MK_COPY_BAD);
    g_assert_null(broken->layout);
}

/* The published listing of a phone gives the layout of its published scatter (spec tables.md 7.1, 9). */
static void test_dumchar_gives_the_scatter(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = data_path("tables", "mt6572-mobiwire_s10-dumchar_rows.txt"), *text = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) listing = mk_dumchar_parse(text, length, findings, &error);
    g_assert_no_error(error);
    g_assert_cmphex(listing->header, ==, 0x1400000);
    MkGeometry geometry = geometry_for(MK_STORAGE_EMMC);
    geometry.user = UINT64_C(4) << 30;
    g_autoptr(MkLayout) scatter = NULL;
    g_autofree char *scatter_path = data_path("scatter", "mt6572-mobiwire_s10.txt");
    scatter = mk_scatter_load(scatter_path, false, NULL, &error);
    g_assert_true(mk_layout_resolve(listing, &geometry, &error));
    g_assert_no_error(error);
    g_assert_true(mk_layout_resolve(scatter, &geometry, &error));
    g_assert_no_error(error);
    g_autoptr(GPtrArray) diffs = mk_layout_compare(listing, scatter);
    for (guint i = 0; i < diffs->len; i++) {
        g_autofree char *words = mk_diff_text(diffs->pdata[i]);
        g_test_message("%s", words);
    }
    g_assert_true(mk_layout_same(listing, scatter));
}

/* flashinfo's place comes from sizes, not from the truncated 0xFFFFnnnn (spec scatter.md 6). */
static void test_reserved_places(void)
{
    g_autoptr(MkLayout) layout = load_resolved("mt6735-mlais.txt");
    const MkPartition *sgpt = mk_layout_find(layout, "sgpt"), *flashinfo = mk_layout_find(layout, "flashinfo"),
                      *userdata = mk_layout_find(layout, "userdata");
    uint64_t user = UINT64_C(8) << 30;
    g_assert_cmphex(sgpt->start + sgpt->size, ==, user);
    g_assert_cmphex(flashinfo->start + flashinfo->size, ==, sgpt->start);
    g_assert_cmphex(userdata->start + userdata->size, <=, flashinfo->start);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/corpus/every-scatter", test_every_scatter);
    g_test_add_func("/corpus/mbr-is-the-genuine-one", test_mbr_is_the_genuine_one);
    g_test_add_func("/corpus/mbr-is-read-back", test_mbr_is_read_back);
    g_test_add_func("/corpus/dumchar-gives-the-scatter", test_dumchar_gives_the_scatter);
    g_test_add_func("/corpus/reserved-places", test_reserved_places);
    return g_test_run();
}
