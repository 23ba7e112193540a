/* Pairs of slots are one partition to the user. */
#include "layout/layout.h"

static MkLayout *layout_of(const char *const *names)
{
    MkLayout *layout = mk_layout_new(MK_LAYOUT_GPT);
    for (; *names; names++)
        mk_layout_add(layout, *names);
    return layout;
}

static void test_pairs(void)
{
    static const char *const names[] = {"boot_para", "boot_a", "LK_A", "boot_b", "lk_b", "vbmeta_a", "nvram", NULL};
    g_autoptr(MkLayout) layout = layout_of(names);
    g_autofree char *pairs = mk_layout_pairs(layout);
    g_assert_cmpstr(pairs, ==, "boot, LK");
    const MkPartition *boot = mk_layout_find(layout, "boot_a");
    g_assert_cmpstr(mk_layout_twin(layout, boot)->name, ==, "boot_b");
    g_assert_cmpint(mk_layout_slot(layout, boot), ==, 'a');
    g_assert_cmpint(mk_layout_slot(layout, mk_layout_find(layout, "lk_b")), ==, 'b');
    g_assert_cmpint(mk_layout_slot(layout, mk_layout_find(layout, "vbmeta_a")), ==, 0); /* alone */
    g_assert_cmpint(mk_layout_slot(layout, mk_layout_find(layout, "boot_para")), ==, 0);
}

/* What a user names: one slot, both, or an old name of both; never something that only begins so. */
static void test_find_all(void)
{
    static const char *const names[] = {"boot_para", "boot_a", "boot_b", "lk", "lk_b", "system_a", NULL};
    static const struct {
        const char *name, *found[3];
    } cases[] = {{"boot", {"boot_a", "boot_b"}}, {"BOOTIMG", {"boot_a", "boot_b"}},
                 {"boot_b", {"boot_b"}},         {"lk", {"lk"}},
                 {"ANDROID", {"system_a"}},      {"boo", {NULL}}};
    g_autoptr(MkLayout) layout = layout_of(names);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) found = mk_layout_find_all(layout, cases[i].name);
        guint n = 0;
        for (; cases[i].found[n]; n++) {
            g_assert_cmpuint(n, <, found->len);
            g_assert_cmpstr(((const MkPartition *)found->pdata[n])->name, ==, cases[i].found[n]);
        }
        g_assert_cmpuint(found->len, ==, n);
    }
}

static void test_base(void)
{
    static const char *const names[][2] = {
        {"boot_a", "boot"},       {"BOOTIMG_b", "boot"}, {"vbmeta_system_a", "vbmeta_system"},
        {"sspm_1", "sspm_1"},     {"_a", "_a"},          {"protect_f", "protect1"},
        {"__NODL_NVRAM", "nvram"}};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *base = mk_partition_base(names[i][0]);
        g_assert_cmpstr(base, ==, names[i][1]);
    }
    g_assert_cmpint(mk_class_by_name("nvcfg_b"), ==, MK_CLASS_IDENTITY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/slots/pairs", test_pairs);
    g_test_add_func("/slots/find-all", test_find_all);
    g_test_add_func("/slots/base", test_base);
    return g_test_run();
}
