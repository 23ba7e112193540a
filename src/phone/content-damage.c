/* Stock content with one thing wrong. */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"

#include <string.h>

const char *const mk_content_states[] = {
    "stock",           "blank",          "no-table",  "wrong-rom", "resized",    "no-preloader", "no-system",
    "bad-primary-gpt", "bad-backup-gpt", "formatted", "bad-boot",  "bad-vbmeta", "torn-gpt",     NULL};

#define WRONG_SHIFT  (UINT64_C(8) << 20)
#define RESIZE_SHIFT (UINT64_C(64) << 20)
#define WRONG_BUILD  "OTHER-PHONE-20130101"
#define TORN         65536u

static bool erase_partition(MkFill *fill, const char *name, GError **error)
{
    const MkPartition *partition = mk_layout_find(fill->layout, name);
    g_autoptr(MkStore) store = partition ? mk_chip_store(fill->chip, partition->region) : NULL;
    return !store || mk_store_erase(store, partition->start, partition->size, NULL, error);
}

/* Both copies of the GPT and nothing beside them: partitions may begin right behind its entries, and end right before. */
static bool erase_gpt(MkFill *fill, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    g_autoptr(MkStore) user = mk_chip_store(fill->chip, mk_geometry_main_region(geometry));
    uint64_t entries = mk_round_up(128 * 128, geometry->sector), sector = geometry->sector;
    return mk_store_erase(user, 0, 2 * sector + entries, NULL, error) &&
           mk_store_erase(user, user->size - entries - sector, entries + sector, NULL, error);
}

static bool erase_tables(MkFill *fill, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    if (geometry->storage == MK_STORAGE_NAND) {
        g_autoptr(MkStore) nand = mk_chip_store(fill->chip, MK_REGION_NAND);
        uint64_t first = geometry->nand_size - (uint64_t)(geometry->pool_blocks + 2) * geometry->nand_block;
        return mk_store_erase(nand, first, 2 * (uint64_t)geometry->nand_block, NULL, error);
    }
    if (fill->model->table == MK_TABLE_GPT)
        return erase_gpt(fill, error);
    g_autoptr(MkStore) user = mk_chip_store(fill->chip, mk_geometry_main_region(geometry));
    static const char *const tables[] = {"ebr1", "ebr2", "pmt"};
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++)
        if (!erase_partition(fill, tables[i], error))
            return false;
    /* MBR in front, late PMT at the end. */
    return mk_store_erase(user, 0, 34 * geometry->sector, NULL, error) &&
           mk_store_erase(user, user->size - (1 << 20), 1 << 20, NULL, error);
}

/* Where Android is: "system", or the `super` that it is a part of. */
static const MkPartition *android(const MkLayout *layout)
{
    const MkPartition *system = mk_layout_find(layout, "system");
    return system ? system : mk_layout_find(layout, "super");
}

static GBytes *make_android(MkFill *fill, const char *build, GError **error)
{
    const MkPartition *partition = android(fill->layout);
    return strcmp(partition->name, "super") == 0 ? mk_make_super(fill->model, partition->size, build, error)
                                                 : mk_make_file_system(fill->model, "system", build, error);
}

/* A copy of the stock layout in which everything from FROM on lies SHIFT later. */
static MkLayout *shifted(const MkModel *model, const MkPartition *from, uint64_t at, uint64_t shift)
{
    MkLayout *layout = mk_layout_copy(model->layout);
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (partition->region != from->region || partition->start < at || partition->reserved ||
            (partition->linear & MK_FROM_END_MASK) == MK_FROM_END_MASK)
            continue;
        partition->start += shift;
        partition->linear += shift;
        partition->physical += shift;
        if (partition->grows)
            partition->size -= MIN(shift, partition->size);
    }
    return layout;
}

/* The images of another phone's ROM where this phone's table does not look for them, and a table of that other ROM. */
static bool make_wrong_rom(MkFill *fill, GError **error)
{
    if (!mk_fill_stock(fill, error))
        return false;
    const MkPartition *partition = android(fill->layout);
    g_autoptr(GBytes) system = make_android(fill, WRONG_BUILD, error);
    g_autoptr(MkLayout) other = shifted(fill->model, partition, partition->start, WRONG_SHIFT);
    if (!system || !erase_partition(fill, partition->name, error) || !erase_tables(fill, error) ||
        !mk_fill_put(fill, partition, system, error))
        return false;
    fill->layout = other;
    bool good = mk_fill_put_tables(fill, error);
    fill->layout = fill->model->layout;
    return good;
}

static bool make_resized(MkFill *fill, GError **error)
{
    const MkPartition *partition = android(fill->layout);
    g_autoptr(MkLayout) larger = shifted(fill->model, partition, partition->start + partition->size, RESIZE_SHIFT);
    mk_layout_find(larger, partition->name)->size += RESIZE_SHIFT;
    fill->layout = larger;
    bool good = mk_fill_stock(fill, error);
    fill->layout = fill->model->layout;
    return good;
}

static bool make_bad_boot(MkFill *fill, GError **error)
{
    const MkPartition *boot = mk_layout_find(fill->layout, "boot");
    boot = boot ? boot : mk_layout_find(fill->layout, "boot_a");
    g_autoptr(GBytes) bytes = mk_make_boot(fill->model, false, false);
    return erase_partition(fill, boot->name, error) && mk_fill_put(fill, boot, bytes, error);
}

static bool spoil_gpt(MkFill *fill, bool backup, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    g_autoptr(MkStore) user = mk_chip_store(fill->chip, mk_geometry_main_region(geometry));
    uint64_t header = backup ? user->size - geometry->sector : geometry->sector;
    return mk_store_write(user, header + 40, "\xDE\xAD", 2, NULL, error);
}

static bool make_no_preloader(MkFill *fill, GError **error)
{
    if (fill->model->geometry.storage == MK_STORAGE_NAND)
        return erase_partition(fill, "preloader", error);
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(MkStore) boot = mk_chip_store(fill->chip, mk_geometry_boot_region(&fill->model->geometry, i));
        if (!mk_store_erase(boot, 0, boot->size, NULL, error))
            return false;
    }
    return true;
}

/* What an interrupted flash of a whole ROM leaves: the tables erased for the new ones, of which only the first block was written, and a
 * system that has hardly begun. Preloader, loaders and identity are as they were. */
static bool make_torn_gpt(MkFill *fill, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    const MkPartition *partition = android(fill->layout);
    g_autoptr(MkStore) user = mk_chip_store(fill->chip, mk_geometry_main_region(geometry));
    g_autoptr(GBytes) system = make_android(fill, fill->model->build, error);
    g_autofree uint8_t *first = g_malloc(2 * (size_t)geometry->sector);
    if (!system || !mk_store_read(user, 0, first, 2 * (size_t)geometry->sector, NULL, error) ||
        !erase_gpt(fill, error) || !mk_store_write(user, 0, first, 2 * (size_t)geometry->sector, NULL, error) ||
        !erase_partition(fill, partition->name, error))
        return false;
    g_autoptr(GBytes) begin = g_bytes_new_from_bytes(system, 0, MIN(g_bytes_get_size(system), TORN));
    return mk_fill_put(fill, partition, begin, error);
}

static bool damage(MkFill *fill, const char *state, GError **error)
{
    if (strcmp(state, "no-table") == 0)
        return erase_tables(fill, error);
    if (strcmp(state, "no-preloader") == 0)
        return make_no_preloader(fill, error);
    if (strcmp(state, "no-system") == 0)
        return erase_partition(fill, android(fill->layout)->name, error);
    if (strcmp(state, "bad-vbmeta") == 0)
        return erase_partition(fill, "vbmeta", error) && erase_partition(fill, "vbmeta_a", error);
    if (strcmp(state, "torn-gpt") == 0)
        return make_torn_gpt(fill, error);
    if (strcmp(state, "formatted") == 0)
        return erase_partition(fill, "nvram", error) && erase_partition(fill, "nvdata", error);
    if (strcmp(state, "bad-boot") == 0)
        return make_bad_boot(fill, error);
    if (strcmp(state, "bad-primary-gpt") == 0 || strcmp(state, "bad-backup-gpt") == 0)
        return spoil_gpt(fill, state[4] == 'b', error);
    return true;
}

bool mk_content_fill(MkChip *chip, const MkModel *model, const char *state, GError **error)
{
    MkFill fill = {.chip = chip, .model = model, .layout = model->layout};
    if (!g_strv_contains(mk_content_states, state)) {
        mk_fault_set(error, MK_FAULT_USAGE, _("There is no state \"%s\" of a virtual phone."), state);
        return false;
    }
    if (g_str_has_suffix(state, "gpt") && model->table != MK_TABLE_GPT) {
        mk_fault_set(error, MK_FAULT_USAGE, _("%s has no GPT."), model->id);
        return false;
    }
    if (strcmp(state, "bad-vbmeta") == 0 && !mk_model_has(model, "vbmeta")) {
        mk_fault_set(error, MK_FAULT_USAGE, _("%s has no vbmeta."), model->id);
        return false;
    }
    if (strcmp(state, "blank") == 0)
        return true;
    if (strcmp(state, "wrong-rom") == 0)
        return make_wrong_rom(&fill, error);
    if (strcmp(state, "resized") == 0)
        return make_resized(&fill, error);
    return mk_fill_stock(&fill, error) && damage(&fill, state, error);
}
