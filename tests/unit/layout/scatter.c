/* Scatter files as people have them: odd but readable ones are read, broken ones are named line by line, and strictness refuses what SP Flash
 * Tool refuses. */
#include "core/fault.h"
#include "layout/layout.h"

#include <string.h>

static char *genuine(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "scatter", name, NULL);
    char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static char *replaced(const char *text, const char *old, const char *new)
{
    g_auto(GStrv) parts = g_strsplit(text, old, -1);
    g_assert_cmpuint(g_strv_length(parts), >, 1);
    return g_strjoinv(new, parts);
}

static MkLayout *parse(const char *text, const char *file_name, GPtrArray *findings)
{
    g_autoptr(GError) error = NULL;
    MkLayout *layout = mk_scatter_parse(text, strlen(text), file_name, false, findings, &error);
    g_assert_no_error(error);
    return layout;
}

static void assert_same(const MkLayout *one, const MkLayout *other)
{
    g_assert_cmpuint(one->partitions->len, ==, other->partitions->len);
    for (guint i = 0; i < one->partitions->len; i++) {
        const MkPartition *a = one->partitions->pdata[i], *b = other->partitions->pdata[i];
        g_assert_cmpstr(a->name, ==, b->name);
        g_assert_cmphex(a->linear, ==, b->linear);
        g_assert_cmphex(a->size, ==, b->size);
        g_assert_cmpstr(a->file_name, ==, b->file_name);
    }
}

/* CRLF, a BOM, tabs, trailing blanks, blank lines: all the same file. */
static void test_tolerance(void)
{
    g_autofree char *text = genuine("mt6735m-dexp.txt");
    g_autoptr(MkLayout) plain = parse(text, NULL, NULL);
    g_autofree char *crlf = replaced(text, "\n", "\r\n"), *bom = g_strconcat("\xEF\xBB\xBF", text, NULL),
                    *trailing = replaced(text, "\n", "  \n"),
                    *blank = replaced(text, "- partition_index", "\n\n- partition_index"),
                    *old_mac = replaced(text, "\n", "\r"), *quoted = replaced(text, "boot.img", "\"boot.img\""),
                    *comments = replaced(text, "boot.img", "boot.img # the kernel");
    const char *variants[] = {crlf, bom, trailing, blank, old_mac, quoted, comments};
    for (unsigned i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autoptr(MkLayout) layout = parse(variants[i], NULL, NULL);
        assert_same(plain, layout);
    }
}

/* What Windows calls "Unicode". */
static void test_utf16(void)
{
    g_autofree char *text = genuine("mt6735m-dexp.txt");
    g_autoptr(MkLayout) plain = parse(text, NULL, NULL);
    const char *charsets[] = {"UTF-16LE", "UTF-16BE"};
    for (unsigned i = 0; i < G_N_ELEMENTS(charsets); i++) {
        gsize length;
        g_autofree char *marked = g_strconcat("\xEF\xBB\xBF", text, NULL),
                        *wide = g_convert(marked, -1, charsets[i], "UTF-8", NULL, &length, NULL);
        g_autoptr(MkLayout) layout = mk_scatter_parse(wide, length, NULL, false, NULL, NULL);
        g_assert_nonnull(layout);
        assert_same(plain, layout);
    }
}

/* Rows that want the same place are named with their line; addresses from the end are none. */
static void test_overlap(void)
{
    g_autofree char *text = genuine("mt6735m-dexp.txt");
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) good = parse(text, NULL, findings);
    g_assert_cmpuint(findings->len, ==, 0);
    g_autofree char *moved = replaced(text, "physical_start_addr: 0x80000\n", "physical_start_addr: 0x90000\n");
    g_autoptr(MkLayout) bad = parse(moved, NULL, findings);
    g_assert_cmpuint(findings->len, ==, 1);
    const MkFinding *finding = findings->pdata[0];
    g_assert_cmpstr(finding->id, ==, "scatter.overlap");
    g_assert_cmpstr(finding->partition, ==, "nvram");
    g_assert_cmpuint(finding->line, ==, mk_layout_find(bad, "nvram")->line);
    g_assert_cmpint(finding->severity, ==, MK_SEVERITY_WARN);
}

static void test_v0_by_name(void)
{
    g_autofree char *text = genuine("mt6577-ptgen_emmc.txt");
    g_autoptr(MkLayout) layout = parse(text, "MT6577_Android_scatter_emmc.txt", NULL);
    g_assert_cmpstr(layout->platform, ==, "MT6577");
    g_assert_cmpint(layout->storage, ==, MK_STORAGE_EMMC);
    g_assert_cmphex(layout->header, ==, 0x600000);
    MkGeometry geometry = {.storage = MK_STORAGE_EMMC,
                           .boot1 = 2 << 20,
                           .boot2 = 2 << 20,
                           .rpmb = 2 << 20,
                           .user = UINT64_C(0xEC000000),
                           .sector = 512};
    g_assert_true(mk_layout_resolve(layout, &geometry, NULL));
    const MkPartition *nvram = mk_layout_find(layout, "nvram"), *preloader = mk_layout_find(layout, "preloader");
    g_assert_cmpint(nvram->region, ==, MK_REGION_USER);
    g_assert_cmphex(nvram->start, ==, 0xA08000 - 0x600000);
    g_assert_cmphex(nvram->size, ==, 0xF08000 - 0xA08000);
    g_assert_cmpint(preloader->region, ==, MK_REGION_BOOT1);
    g_assert_cmpint(mk_partition_class(nvram), ==, MK_CLASS_IDENTITY);
}

static void test_round_trips(void)
{
    static const char *const files[] = {"mt6572-mobiwire_s10.txt", "mt6582-mtk_wish_tablet.txt", "mt6735m-dexp.txt",
                                        "mt6765-k65v1.txt"};
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *text = genuine(files[i]);
        g_autoptr(MkLayout) layout = parse(text, files[i], NULL);
        g_autofree char *written = mk_scatter_write(layout, MK_LAYOUT_SCATTER_V1, NULL, NULL);
        g_autoptr(MkLayout) again = parse(written, files[i], NULL);
        assert_same(layout, again);
        g_assert_cmpstr(again->version, ==, layout->version);
    }
}

/* The line is named, and what is still usable is kept. */
static void test_broken_line(void)
{
    g_autofree char *text = genuine("mt6735m-dexp.txt");
    g_autofree char *broken = replaced(text, "linear_start_addr: 0x1d80000", "linear_start_addr: oops");
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) layout = parse(broken, NULL, findings);
    const char *place = strstr(broken, "oops");
    unsigned line = 1;
    for (const char *p = broken; p < place; p++)
        line += *p == '\n';
    bool named = false;
    for (guint i = 0; i < findings->len; i++) {
        const MkFinding *finding = findings->pdata[i];
        named |= finding->line == line && finding->severity >= MK_SEVERITY_WARN;
    }
    g_assert_true(named);
}

static void test_strict(void)
{
    g_autofree char *text = genuine("mt6735m-dexp.txt");
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) good = mk_scatter_parse(text, strlen(text), NULL, true, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(good);
    static const struct {
        const char *old, *new, *symbol;
    } cases[] = {
        {"config_version: V1.1.2", "config_version: V1.1.10", "S_DL_SCAT_VERSION_UNSUPPORTED"},
        {"physical_start_addr: 0x380000", "physical_start_addr: 0x80000", "S_DL_SCAT_ADDR_IS_NOT_ASCENDING_ORDER"},
        {"physical_start_addr: 0x380000", "physical_start_addr: 0x380001", "S_DL_SCAT_ADDR_IS_NOT_WORD_ALIGN"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *broken = replaced(text, cases[i].old, cases[i].new);
        g_autoptr(MkLayout) refused = mk_scatter_parse(broken, strlen(broken), NULL, true, NULL, &error);
        g_assert_null(refused);
        g_assert_error(error, MK_FAULT, MK_FAULT_SCATTER);
        g_assert_cmpstr(mk_fault_symbol(error), ==, cases[i].symbol);
        g_clear_error(&error);
    }
}

static void test_nothing_usable(void)
{
    static const char *const texts[] = {"", "\n\n", "<html><body>404</body></html>", "hello world"};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(mk_scatter_parse(texts[i], strlen(texts[i]), "scatter.txt", false, NULL, &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_SCATTER);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scatter/tolerance", test_tolerance);
    g_test_add_func("/scatter/utf16", test_utf16);
    g_test_add_func("/scatter/overlap", test_overlap);
    g_test_add_func("/scatter/v0-by-name", test_v0_by_name);
    g_test_add_func("/scatter/round-trips", test_round_trips);
    g_test_add_func("/scatter/broken-line", test_broken_line);
    g_test_add_func("/scatter/strict", test_strict);
    g_test_add_func("/scatter/nothing-usable", test_nothing_usable);
    return g_test_run();
}
