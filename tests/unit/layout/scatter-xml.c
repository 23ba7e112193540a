/* XML scatters: what they say, what is said about broken ones, and that hostile ones do no harm (spec scatter.md 4). */
#include "layout/layout.h"

#include <string.h>

#define HEAD                                                                                                           \
    "<root>\n<general name=\"MTK_PLATFORM_CFG\"><config_version name=\"V2.2.0\"><platform>MT6789</platform>"           \
    "<project>p</project></config_version></general>\n<storage_type name=\"UFS\">\n"
#define ENTRY(name, more)                                                                                              \
    "<partition_index name=\"SYS0\">\n<partition_name>" name "</partition_name><file_name>NONE</file_name>"            \
    "<is_download>false</is_download><region>UFS_LU2</region><partition_size>0x1000</partition_size>"                  \
    "<operation_type>UPDATE</operation_type>" more "</partition_index>\n"
#define AT(address) "<physical_start_addr>" address "</physical_start_addr>"
#define TAIL        "</storage_type></root>\n"

static MkLayout *parse(const char *text, bool strict, GPtrArray *findings, GError **error)
{
    return mk_scatter_parse(text, strlen(text), "MT6789_Android_scatter.xml", strict, findings, error);
}

static const MkFinding *finding_of(GPtrArray *findings, const char *id)
{
    for (guint i = 0; i < findings->len; i++) {
        const MkFinding *finding = findings->pdata[i];
        if (!strcmp(finding->id, id))
            return finding;
    }
    return NULL;
}

static void assert_same(const MkLayout *a, const MkLayout *b)
{
    g_assert_cmpint(a->storage, ==, b->storage);
    g_assert_cmpuint(a->block_size, ==, b->block_size);
    g_assert_cmpuint(a->partitions->len, ==, b->partitions->len);
    for (guint i = 0; i < a->partitions->len; i++) {
        const MkPartition *x = a->partitions->pdata[i], *y = b->partitions->pdata[i];
        g_assert_cmpstr(x->name, ==, y->name);
        g_assert_cmpstr(x->file_name, ==, y->file_name);
        g_assert_cmphex(x->physical, ==, y->physical);
        g_assert_cmphex(x->size, ==, y->size);
        g_assert_cmpint(x->region, ==, y->region);
        g_assert_cmpint(x->operation, ==, y->operation);
        g_assert_cmpint(x->type, ==, y->type);
        g_assert_cmpint(x->download, ==, y->download);
        g_assert_cmpint(x->reserved, ==, y->reserved);
        g_assert_cmpint(x->boundary_check, ==, y->boundary_check);
    }
}

/* Every scatter of the GPT era becomes XML and comes back the same, all its storages too. */
static void test_text_to_xml_and_back(void)
{
    g_autofree char *folder = g_test_build_filename(G_TEST_DIST, "data", "scatter", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    unsigned files = 0, combos = 0;
    for (const char *base; (base = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, base, NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(MkLayout) layout = mk_scatter_load(path, false, NULL, NULL);
        bool gpt_era = layout && layout->version && g_ascii_strcasecmp(layout->version, "V1.1.1") > 0;
        if (!gpt_era)
            continue;
        g_autofree char *text = mk_scatter_write(layout, MK_LAYOUT_SCATTER_XML, NULL, &error);
        g_assert_no_error(error);
        g_autoptr(MkLayout) again = parse(text, false, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpint(again->kind, ==, MK_LAYOUT_SCATTER_XML);
        g_assert_cmpstr(again->platform, ==, layout->platform);
        assert_same(layout, again);
        g_assert_cmpint(layout->sections != NULL, ==, again->sections != NULL);
        for (guint i = 0; layout->sections && i < layout->sections->len; i++, combos++)
            assert_same(layout->sections->pdata[i], again->sections->pdata[i]);
        files++;
    }
    g_assert_cmpuint(files, >=, 20);
    g_assert_cmpuint(combos, >=, 3);
}

static void test_linear_becomes_physical(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "scatter", "mt6582-mtk_wish_tablet.txt", NULL);
    g_autoptr(MkLayout) layout = mk_scatter_load(path, false, NULL, &error);
    g_assert_no_error(error);
    g_autofree char *text = mk_scatter_write(layout, MK_LAYOUT_SCATTER_XML, NULL, &error);
    g_autoptr(MkLayout) again = parse(text, false, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmphex(mk_layout_find(again, "mbr")->physical, ==, 0);
    g_assert_cmphex(mk_layout_find(again, "system")->physical, ==,
                    mk_layout_find(layout, "system")->linear - layout->header);
}

static void test_combo_sections(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "scatter", "mt6781-synthetic_combo.xml", NULL);
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) layout = mk_scatter_load(path, true, findings, &error);
    g_assert_no_error(error);
    g_autoptr(MkLayout) ufs = mk_layout_for_storage(layout, MK_STORAGE_UFS),
                        emmc = mk_layout_for_storage(layout, MK_STORAGE_EMMC),
                        nand = mk_layout_for_storage(layout, MK_STORAGE_NAND);
    g_assert_nonnull(ufs);
    g_assert_nonnull(emmc);
    g_assert_null(nand);
    g_assert_cmpstr(ufs->platform, ==, "MT6781");
    g_assert_cmpuint(ufs->block_size, ==, 0x80000);
    g_assert_cmpuint(emmc->block_size, ==, 0x20000);
    MkGeometry geometry = {.storage = MK_STORAGE_UFS, .sector = 4096, .lu = {4 << 20, 4 << 20, UINT64_C(64) << 30}};
    g_assert_true(mk_layout_resolve(ufs, &geometry, &error));
    g_assert_true(mk_region_is_boot(mk_layout_find(ufs, "preloader")->region));
    g_assert_cmpint(mk_layout_find(ufs, "userdata")->region, ==, MK_REGION_LU2);
    g_assert_false(mk_layout_resolve(emmc, &geometry, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_STOR_MISMATCH);
}

static void test_findings_name_lines(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) layout =
        parse(HEAD ENTRY("a", AT("0x1000")) ENTRY("b", "") ENTRY("c", AT("lost")) TAIL, false, findings, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(layout->partitions->len, ==, 3);
    g_assert_cmpuint(finding_of(findings, "scatter.key-missing")->line, ==, 6);
    g_assert_cmpuint(finding_of(findings, "scatter.number")->line, ==, 9);
    g_assert_null(parse(HEAD ENTRY("b", "") TAIL, true, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SCATTER);
}

static void test_a_table_told_twice(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) findings = mk_findings_new(), others = mk_findings_new();
    g_autoptr(MkLayout) layout =
        parse(HEAD ENTRY("a", AT("0x1000")) ENTRY("a", AT("0x1000")) TAIL, true, findings, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(layout->partitions->len, ==, 1);
    g_assert_nonnull(finding_of(findings, "scatter.repeated"));
    g_autoptr(MkLayout) odd = parse(HEAD ENTRY("a", AT("0x1000")) ENTRY("a", AT("0x2000")) TAIL, false, others, &error);
    g_assert_cmpint(finding_of(others, "scatter.twice")->severity, ==, MK_SEVERITY_BLOCK);
    g_assert_cmpuint(odd->partitions->len, ==, 2);
}

static void assert_refused(const char *text, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = parse(text, false, NULL, &error);
    g_assert_null(layout);
    g_assert_error(error, MK_FAULT, MK_FAULT_SCATTER);
    if (!strstr(error->message, words))
        g_error("\"%s\" does not say \"%s\"", error->message, words);
}

static void test_hostile(void)
{
    assert_refused("<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>" HEAD ENTRY(
                       "&a;", AT("0")) TAIL,
                   "document type");
    assert_refused("<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]>" HEAD TAIL,
                   "document type");
    assert_refused("<root><general name=\"MTK_PLATFORM_CFG\">", "no whole XML file");
    assert_refused("<flash-mode><scatter>x.xml</scatter></flash-mode>", "flash.xml");
    assert_refused("<root/>", "no partition");
    assert_refused("<html><body>404</body></html>", "web page");
    GString *deep = g_string_new("<root>");
    for (int i = 0; i < 40; i++)
        g_string_append(deep, "<a>");
    g_string_append(deep, "<b/>");
    for (int i = 0; i < 40; i++)
        g_string_append(deep, "</a>");
    g_string_append(deep, "</root>");
    assert_refused(deep->str, "too deeply");
    g_string_free(deep, TRUE);
}

/* What stands in a name must not become markup, nor a key an element that nobody can read. */
static void test_names_are_escaped(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_SCATTER_XML);
    layout->storage = MK_STORAGE_UFS;
    layout->platform = g_strdup("MT6789");
    mk_layout_add(layout, "a<b>&\"c\"");
    g_autofree char *text = mk_scatter_write(layout, MK_LAYOUT_SCATTER_XML, NULL, &error);
    g_autoptr(MkLayout) again = parse(text, false, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(((MkPartition *)again->partitions->pdata[0])->name, ==, "a<b>&\"c\"");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/layout/scatter-xml/text-and-back", test_text_to_xml_and_back);
    g_test_add_func("/layout/scatter-xml/linear-becomes-physical", test_linear_becomes_physical);
    g_test_add_func("/layout/scatter-xml/combo", test_combo_sections);
    g_test_add_func("/layout/scatter-xml/lines", test_findings_name_lines);
    g_test_add_func("/layout/scatter-xml/twice", test_a_table_told_twice);
    g_test_add_func("/layout/scatter-xml/hostile", test_hostile);
    g_test_add_func("/layout/scatter-xml/escaped", test_names_are_escaped);
    return g_test_run();
}
