/* Partition tables on a storage: what is written is read back, and one whole copy is enough. */
#include "core/bytes.h"
#include "core/fault.h"
#include "layout/layout.h"

#include <string.h>

#define USER (UINT64_C(64) << 20)

static const MkGeometry geometry = {
    .storage = MK_STORAGE_EMMC, .boot1 = 2 << 20, .boot2 = 2 << 20, .rpmb = 2 << 20, .user = USER, .sector = 512};

static MkPartition *add(MkLayout *layout, const char *name, uint64_t start, uint64_t size)
{
    MkPartition *partition = mk_layout_add(layout, name);
    partition->region = MK_REGION_USER;
    partition->storage = MK_STORAGE_EMMC;
    partition->start = partition->physical = start;
    partition->linear = start + layout->header;
    partition->size = size;
    partition->resolved = true;
    return partition;
}

static MkLayout *gpt_layout(void)
{
    MkLayout *layout = mk_layout_new(MK_LAYOUT_GPT);
    layout->storage = MK_STORAGE_EMMC;
    add(layout, "proinfo", 0x80000, 0x300000);
    add(layout, "nvram", 0x380000, 0x500000);
    add(layout, "system", 0x1000000, 0x1000000);
    add(layout, "userdata", 0x2000000, 0x1000000);
    return layout;
}

static void apply(MkStore *store, GPtrArray *patches)
{
    g_assert_nonnull(patches);
    for (guint i = 0; i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        g_assert_true(mk_store_write(store, patch->offset, g_bytes_get_data(patch->data, NULL),
                                     g_bytes_get_size(patch->data), NULL, NULL));
    }
}

static MkStore *with_gpt(void)
{
    g_autoptr(MkLayout) layout = gpt_layout();
    MkStore *store = mk_store_memory_new(NULL, USER);
    g_autoptr(GPtrArray) patches = mk_gpt_encode(layout, &geometry, NULL);
    apply(store, patches);
    return store;
}

static MkTable *read_gpt(MkStore *store)
{
    g_autoptr(GError) error = NULL;
    MkTable *table = mk_gpt_read(store, NULL, NULL, &error);
    g_assert_no_error(error);
    return table;
}

static void test_gpt_round_trip(void)
{
    g_autoptr(MkStore) store = with_gpt();
    g_autoptr(MkLayout) layout = gpt_layout();
    g_autoptr(MkTable) table = read_gpt(store);
    g_assert_cmpint(table->primary, ==, MK_COPY_GOOD);
    g_assert_cmpint(table->secondary, ==, MK_COPY_GOOD);
    g_assert_false(table->differ);
    g_assert_true(mk_layout_same(layout, table->layout));
}

/* Either header, either list of entries: the other copy serves, and repair makes both whole and equal. */
static void test_gpt_other_copy(void)
{
    static const uint64_t places[] = {512 + 40, 1024 + 60, USER - 512 + 24, USER - 33 * 512 + 60};
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(MkStore) store = with_gpt();
        g_autoptr(MkLayout) layout = gpt_layout();
        g_assert_true(mk_store_write(store, places[i], "\xA5\x5A", 2, NULL, NULL));
        g_autoptr(MkTable) damaged = read_gpt(store);
        g_assert_cmpint(i < 2 ? damaged->primary : damaged->secondary, ==, MK_COPY_BAD);
        g_assert_true(mk_layout_same(layout, damaged->layout));
        g_autoptr(GPtrArray) patches = mk_gpt_repair(store, NULL, NULL);
        apply(store, patches);
        g_autoptr(MkTable) table = read_gpt(store);
        g_assert_cmpint(table->primary, ==, MK_COPY_GOOD);
        g_assert_cmpint(table->secondary, ==, MK_COPY_GOOD);
        g_assert_false(table->differ);
        g_assert_true(mk_layout_same(layout, table->layout));
    }
}

static void test_gpt_none(void)
{
    g_autoptr(MkStore) store = mk_store_memory_new(NULL, USER);
    g_autoptr(MkTable) table = read_gpt(store);
    g_autoptr(GError) error = NULL;
    g_assert_null(table->layout);
    g_assert_cmpint(table->primary, ==, MK_COPY_ABSENT);
    g_assert_null(mk_gpt_repair(store, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_TABLE_NONE);
}

/* --- eMMC PMT ------------------------------------------------------------------------------------------------------------- */

static MkLayout *pmt_layout(bool with_place)
{
    MkLayout *layout = mk_layout_new(MK_LAYOUT_PMT);
    layout->storage = MK_STORAGE_EMMC;
    layout->header = 0x600000;
    add(layout, "MBR", 0, 0x4000);
    add(layout, "EBR1", 0x4000, 0x4000);
    if (with_place)
        add(layout, "__NODL_PMT", 0x8000, 0x400000);
    add(layout, "__NODL_NVRAM", 0x408000, 0x500000);
    add(layout, "ANDROID", 0x1000000, 0x1000000);
    add(layout, "USRDATA", 0x2000000, 0x1000000);
    return layout;
}

/* Main and mirror where the layout has a PMT partition, and at the end of the storage where it has none: one of two is enough. */
static void test_pmt(gconstpointer with_place)
{
    for (unsigned spoiled = 0; spoiled < 3; spoiled++) {
        g_autoptr(MkStore) store = mk_store_memory_new(NULL, USER);
        g_autoptr(MkLayout) layout = pmt_layout(with_place != NULL);
        g_autoptr(GPtrArray) patches = mk_pmt_encode(layout, &geometry, 1, NULL);
        apply(store, patches);
        for (guint i = 0; spoiled && i < patches->len; i++) {
            const MkPatch *patch = patches->pdata[i];
            if ((strstr(patch->what, "mirror") != NULL) == (spoiled == 2))
                g_assert_true(mk_store_write(store, patch->offset, "\0\0\0\0", 4, NULL, NULL));
        }
        g_autoptr(MkTable) table = mk_pmt_read(store, &geometry, NULL, NULL, NULL);
        g_assert_nonnull(table->layout);
        g_assert_true(mk_layout_same(layout, table->layout));
        g_assert_true(spoiled != 1 || table->primary != MK_COPY_GOOD);
        g_assert_true(spoiled != 2 || table->secondary != MK_COPY_GOOD);
        g_autoptr(GPtrArray) repaired = mk_pmt_repair(store, &geometry, NULL, NULL);
        apply(store, repaired);
        g_autoptr(MkTable) again = mk_pmt_read(store, &geometry, NULL, NULL, NULL);
        g_assert_cmpint(again->primary, ==, MK_COPY_GOOD);
        g_assert_cmpint(again->secondary, ==, MK_COPY_GOOD);
    }
}

static void test_mbr(void)
{
    g_autoptr(MkStore) store = mk_store_memory_new(NULL, USER);
    g_autoptr(MkLayout) layout = pmt_layout(true);
    g_autoptr(GPtrArray) patches = mk_mbr_encode(layout, &geometry, NULL);
    apply(store, patches);
    g_autoptr(MkTable) table = mk_mbr_read(store, NULL, NULL, NULL);
    g_assert_cmpint(table->primary, ==, MK_COPY_GOOD);
    bool system = false;
    for (guint i = 0; i < table->layout->partitions->len; i++) {
        const MkPartition *slot = table->layout->partitions->pdata[i];
        system |= slot->start == 0x1000000 && slot->size == 0x1000000;
    }
    g_assert_true(system);
    g_assert_true(mk_store_write(store, 0x4000 + 510, "\0\0", 2, NULL, NULL));
    g_autoptr(MkTable) broken = mk_mbr_read(store, NULL, NULL, NULL);
    g_assert_cmpint(broken->primary, ==, MK_COPY_BAD);
}

/* --- comparison -------------------------------------------------------------------------------------------------------------- */

static void test_compare(void)
{
    g_autoptr(MkLayout) before = gpt_layout(), after = gpt_layout();
    mk_layout_find(after, "system")->start += 0x100000;
    mk_layout_find(after, "nvram")->size += 0x100000;
    add(after, "cache", 0x3000000, 0x800000);
    g_ptr_array_remove(after->partitions, mk_layout_find(after, "userdata"));
    g_autoptr(GPtrArray) diffs = mk_layout_compare(before, after);
    static const struct {
        const char *name;
        MkDiffKind kind;
    } wanted[] = {{"proinfo", MK_DIFF_SAME},
                  {"nvram", MK_DIFF_RESIZED},
                  {"system", MK_DIFF_MOVED},
                  {"cache", MK_DIFF_ADDED},
                  {"userdata", MK_DIFF_GONE}};
    g_assert_cmpuint(diffs->len, ==, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < diffs->len; i++) {
        const MkDiff *diff = diffs->pdata[i];
        g_assert_cmpstr(diff->name, ==, wanted[i].name);
        g_assert_cmpint(diff->kind, ==, wanted[i].kind);
    }
    g_assert_false(mk_layout_same(before, after));
}

/* Scatters that no device has made real: the words give the addresses as written, and other kinds of addresses are not compared. */
static void test_compare_as_written(void)
{
    static const char old[] = "NVRAM 0x100000\n{\n}\nSYSTEM 0x%x\n{\n}\nUSRDATA 0x9000000\n{\n}\n";
    g_autofree char *one = g_strdup_printf(old, 0x600000), *two = g_strdup_printf(old, 0x700000);
    g_autoptr(MkLayout)
        before = mk_scatter_parse(one, strlen(one), "MT6577_Android_scatter_emmc.txt", false, NULL, NULL),
        after = mk_scatter_parse(two, strlen(two), "MT6577_Android_scatter_emmc.txt", false, NULL, NULL),
        table = gpt_layout();
    g_assert_true(mk_layout_comparable(before, after));
    g_assert_false(mk_layout_comparable(before, table));
    g_autoptr(GPtrArray) diffs = mk_layout_compare(before, after);
    const MkDiff *diff = diffs->pdata[1];
    g_autofree char *words = mk_diff_text(diff);
    g_assert_cmpuint(diff->from, ==, 0x600000);
    g_assert_cmpuint(diff->to, ==, 0x700000);
    g_assert_nonnull(strstr(words, "from 0x600000 to 0x700000"));
    before->storage = MK_STORAGE_NAND;
    after->storage = MK_STORAGE_EMMC;
    g_assert_false(mk_layout_comparable(before, after));
}

/* The last normal partition and what is reserved behind it follow the size of the device, whatever a scatter says (spec tables.md 6.5). */
static void test_compare_end(void)
{
    g_autoptr(MkLayout) phone = gpt_layout(), load = gpt_layout();
    add(phone, "flashinfo", 0x3800000, 0x100000);
    add(load, "flashinfo", 0x3700000, 0x100000);
    mk_layout_find(phone, "userdata")->size = 0x1800000;
    g_assert_true(mk_layout_same(phone, load));
    mk_layout_find(load, "nvram")->size -= 0x1000;
    g_assert_false(mk_layout_same(phone, load));
}

/* Scatters that no phone has made real are compared by what they say. */
static void test_compare_unresolved(void)
{
    g_autoptr(MkLayout) one = mk_layout_new(MK_LAYOUT_SCATTER_V1), other = mk_layout_new(MK_LAYOUT_SCATTER_V1);
    MkLayout *both[] = {one, other};
    for (int i = 0; i < 2; i++) {
        add(both[i], "boot", 0x100000, 0x100000)->resolved = false;
        add(both[i], "system", 0x200000, 0x100000)->resolved = false;
        for (guint k = 0; k < 2; k++)
            ((MkPartition *)both[i]->partitions->pdata[k])->start = 0;
    }
    g_assert_true(mk_layout_same(one, other));
    mk_layout_find(other, "boot")->physical += 0x1000;
    g_assert_false(mk_layout_same(one, other));
}

/* Readers that are not ours refuse partitions before the first usable sector, where UFS phones have theirs. */
static void test_gpt_first_usable(void)
{
    static const MkGeometry ufs = {.storage = MK_STORAGE_UFS, .lu = {4 << 20, 4 << 20, USER}, .sector = 4096};
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_GPT);
    add(layout, "boot", 8 * 4096, 0x100000)->region = MK_REGION_LU2;
    g_autoptr(GPtrArray) patches = mk_gpt_encode(layout, &ufs, NULL);
    const MkPatch *primary = patches->pdata[1];
    const uint8_t *header = (const uint8_t *)g_bytes_get_data(primary->data, NULL) + 4096;
    g_assert_cmpmem(header, 8, "EFI PART", 8);
    g_assert_cmpuint(mk_le64(header + 40), ==, 8);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tables/gpt/round-trip", test_gpt_round_trip);
    g_test_add_func("/tables/gpt/other-copy", test_gpt_other_copy);
    g_test_add_func("/tables/gpt/none", test_gpt_none);
    g_test_add_data_func("/tables/pmt/own-partition", "yes", test_pmt);
    g_test_add_data_func("/tables/pmt/end-of-storage", NULL, test_pmt);
    g_test_add_func("/tables/mbr", test_mbr);
    g_test_add_func("/tables/gpt/first-usable", test_gpt_first_usable);
    g_test_add_func("/tables/compare", test_compare);
    g_test_add_func("/tables/compare-as-written", test_compare_as_written);
    g_test_add_func("/tables/compare/end", test_compare_end);
    g_test_add_func("/tables/compare/unresolved", test_compare_unresolved);
    return g_test_run();
}
