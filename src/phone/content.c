/* Filling a virtual phone: stock, and stock with one thing wrong. */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"
#include "image/image.h"

#include <string.h>

const char *const mk_content_states[] = {"stock",          "blank",        "no-table",  "wrong-rom",
                                         "resized",        "no-preloader", "no-system", "bad-primary-gpt",
                                         "bad-backup-gpt", "formatted",    "bad-boot",  NULL};

#define WRONG_SHIFT  (UINT64_C(8) << 20)
#define RESIZE_SHIFT (UINT64_C(64) << 20)
#define WRONG_BUILD  "OTHER-PHONE-20130101"

typedef struct {
    MkChip *chip;
    const MkModel *model;
    const MkLayout *layout; /* where content goes */
} Fill;

static bool put(Fill *fill, const MkPartition *partition, GBytes *bytes, GError **error)
{
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    g_autoptr(MkStore) store = mk_chip_store(fill->chip, partition->region);
    return mk_store_write(store, partition->start, data, length, NULL, error);
}

/* yaffs2 images carry the spare bytes of each page. */
static bool put_yaffs(Fill *fill, const MkPartition *partition, GBytes *bytes, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    gsize length;
    const uint8_t *data = g_bytes_get_data(bytes, &length);
    uint32_t record = geometry->nand_page + geometry->nand_spare,
             per_block = geometry->nand_block / geometry->nand_page;
    for (uint32_t i = 0; (gsize)(i + 1) * record <= length; i++) {
        uint32_t block = (uint32_t)(partition->start / geometry->nand_block) + i / per_block;
        uint8_t spare[MK_NAND_SPARE_MAX];
        /* Byte 0 is the bad-block mark: tags begin behind it. */
        memset(spare, 0xFF, sizeof spare);
        memcpy(spare + 1, data + (size_t)i * record + geometry->nand_page, 28);
        if (mk_chip_nand_program(fill->chip, mk_chip_bmt_map(fill->chip, block), i % per_block,
                                 data + (size_t)i * record, spare) != MK_CHIP_OK) {
            mk_fault_set(error, MK_FAULT_WRITE, _("The virtual NAND took no page."));
            return false;
        }
    }
    return true;
}

/* --- tables ------------------------------------------------------------------------------------------------------------------ */

static bool put_patches(Fill *fill, GPtrArray *patches, GError **error)
{
    for (guint i = 0; patches && i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        g_autoptr(MkStore) store = mk_chip_store(fill->chip, patch->region);
        if (!mk_store_write(store, patch->offset, g_bytes_get_data(patch->data, NULL), g_bytes_get_size(patch->data),
                            NULL, error))
            return false;
    }
    return patches != NULL;
}

static bool put_nand_pmt(Fill *fill, GError **error)
{
    if (mk_chip_nand_put_pmt(fill->chip, fill->layout, false) == MK_CHIP_OK)
        return true;
    mk_fault_set(error, MK_FAULT_WRITE, _("The virtual NAND took no table."));
    return false;
}

static bool put_tables(Fill *fill, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    if (fill->model->table == MK_TABLE_NAND_PMT)
        return put_nand_pmt(fill, error);
    if (fill->model->table == MK_TABLE_GPT) {
        g_autoptr(GPtrArray) gpt = mk_gpt_encode(fill->layout, geometry, error);
        return put_patches(fill, gpt, error);
    }
    g_autoptr(GPtrArray) mbr = mk_mbr_encode(fill->layout, geometry, error);
    if (!put_patches(fill, mbr, error))
        return false;
    if (fill->model->table == MK_TABLE_MBR)
        return true;
    g_autoptr(GPtrArray) pmt = mk_pmt_encode(fill->layout, geometry, 1, error);
    return put_patches(fill, pmt, error);
}

/* --- partitions ---------------------------------------------------------------------------------------------------------------- */

GBytes *mk_make_image(const MkModel *model, const char *partition, GError **error)
{
    static const char *const file_systems[] = {"system", "cache", "userdata", "secro"};
    for (unsigned i = 0; i < G_N_ELEMENTS(file_systems); i++) {
        if (strcmp(partition, file_systems[i]) == 0)
            return mk_make_file_system(model, partition, model->build, error);
    }
    if (strcmp(partition, "preloader") == 0)
        return mk_make_preloader(model);
    if (strcmp(partition, "boot") == 0 || strcmp(partition, "recovery") == 0)
        return mk_make_boot(model, *partition == 'r', true);
    if (strcmp(partition, "lk") == 0)
        return mk_make_headed("LK", "MEDIK VIRTUAL LK", 0x20000);
    if (strcmp(partition, "logo") == 0)
        return mk_make_headed("LOGO", "MEDIK VIRTUAL LOGO", 0x30000);
    if (strcmp(partition, "dsp_bl") == 0) {
        g_autoptr(GBytes) headed = mk_make_headed("DSP_BL", "MEDIK VIRTUAL DSP LOADER", 0x4000);
        return g_bytes_new_from_bytes(headed, 512, 0x4000);
    }
    if (strcmp(partition, "tee1") == 0 || strcmp(partition, "tee2") == 0)
        return mk_make_headed("TEE", "MEDIK VIRTUAL TEE", 0x20000);
    return NULL;
}

static GBytes *make_own(const MkModel *model, const char *partition, GError **error)
{
    static const char *const file_systems[] = {"protect1", "protect2", "nvdata"};
    if (strcmp(partition, "nvram") == 0)
        return mk_make_nvram(model);
    if (strcmp(partition, "proinfo") == 0) {
        g_autofree char *serial = g_strdup_printf("MV%02X%02X%02X%02X 10P", model->chip_id[0], model->chip_id[1],
                                                  model->chip_id[2], model->chip_id[3]);
        return g_bytes_new(serial, strlen(serial) + 1);
    }
    if (strcmp(partition, "seccfg") == 0)
        return g_bytes_new("AND_SECCFG_v\0\0\0\0\2\0\0\0", 20);
    for (unsigned i = 0; i < G_N_ELEMENTS(file_systems); i++) {
        if (strcmp(partition, file_systems[i]) == 0)
            return mk_make_file_system(model, partition, model->build, error);
    }
    return mk_make_image(model, partition, error);
}

/* Boot regions hold the preloader behind its boot header; a NAND holds it as it is. */
static bool put_preloader(Fill *fill, GError **error)
{
    g_autoptr(GBytes) preloader = mk_make_preloader(fill->model);
    gsize length;
    const void *data = g_bytes_get_data(preloader, &length);
    if (fill->model->geometry.storage == MK_STORAGE_NAND) {
        g_autoptr(MkStore) nand = mk_chip_store(fill->chip, MK_REGION_NAND);
        return mk_store_write(nand, 0, data, length, NULL, error);
    }
    g_autoptr(GBytes) header = mk_preloader_boot_header(MK_STORAGE_EMMC, 0x40000);
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(MkStore) boot = mk_chip_store(fill->chip, mk_geometry_boot_region(&fill->model->geometry, i));
        if (!mk_store_write(boot, 0, g_bytes_get_data(header, NULL), g_bytes_get_size(header), NULL, error) ||
            !mk_store_write(boot, g_bytes_get_size(header), data, length, NULL, error))
            return false;
    }
    return true;
}

static bool put_partition(Fill *fill, const MkPartition *partition, GError **error)
{
    g_autofree char *name = mk_partition_canonical(partition->name);
    g_autoptr(GError) local = NULL;
    if (strcmp(name, "preloader") == 0)
        return put_preloader(fill, error);
    g_autoptr(GBytes) bytes = make_own(fill->model, name, &local);
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    if (!bytes || g_bytes_get_size(bytes) > partition->size)
        return true;
    uint8_t first = *(const uint8_t *)g_bytes_get_data(bytes, NULL);
    bool yaffs = partition->region == MK_REGION_NAND && first == 3;
    return yaffs ? put_yaffs(fill, partition, bytes, error) : put(fill, partition, bytes, error);
}

static bool fill_stock(Fill *fill, GError **error)
{
    for (guint i = 0; i < fill->layout->partitions->len; i++) {
        if (!put_partition(fill, fill->layout->partitions->pdata[i], error))
            return false;
    }
    return put_tables(fill, error);
}

/* --- damages -------------------------------------------------------------------------------------------------------------------- */

static bool erase_partition(Fill *fill, const char *name, GError **error)
{
    const MkPartition *partition = mk_layout_find(fill->layout, name);
    g_autoptr(MkStore) store = partition ? mk_chip_store(fill->chip, partition->region) : NULL;
    return !store || mk_store_erase(store, partition->start, partition->size, NULL, error);
}

static bool erase_tables(Fill *fill, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    if (geometry->storage == MK_STORAGE_NAND) {
        g_autoptr(MkStore) nand = mk_chip_store(fill->chip, MK_REGION_NAND);
        uint64_t first = geometry->nand_size - (uint64_t)(geometry->pool_blocks + 2) * geometry->nand_block;
        return mk_store_erase(nand, first, 2 * (uint64_t)geometry->nand_block, NULL, error);
    }
    g_autoptr(MkStore) user = mk_chip_store(fill->chip, mk_geometry_main_region(geometry));
    static const char *const tables[] = {"ebr1", "ebr2", "pmt"};
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++)
        if (!erase_partition(fill, tables[i], error))
            return false;
    /* MBR or primary GPT in front, backup GPT and late PMT at the end. */
    return mk_store_erase(user, 0, 34 * geometry->sector, NULL, error) &&
           mk_store_erase(user, user->size - (1 << 20), 1 << 20, NULL, error);
}

/* A copy of the stock layout in which everything from NAME on lies SHIFT later. */
static MkLayout *shifted(const MkModel *model, const char *name, uint64_t shift)
{
    MkLayout *layout = mk_layout_copy(model->layout);
    MkPartition *first = mk_layout_find(layout, name);
    for (guint i = 0; first && i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (partition->region != first->region || partition->start < first->start || partition->reserved ||
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
static bool make_wrong_rom(Fill *fill, GError **error)
{
    if (!fill_stock(fill, error))
        return false;
    g_autoptr(GBytes) system = mk_make_file_system(fill->model, "system", WRONG_BUILD, error);
    const MkPartition *partition = mk_layout_find(fill->layout, "system");
    g_autoptr(MkLayout) other = shifted(fill->model, "system", WRONG_SHIFT);
    if (!system || !erase_partition(fill, "system", error) || !erase_tables(fill, error))
        return false;
    bool yaffs = partition->region == MK_REGION_NAND;
    if (!(yaffs ? put_yaffs(fill, partition, system, error) : put(fill, partition, system, error)))
        return false;
    fill->layout = other;
    bool good = put_tables(fill, error);
    fill->layout = fill->model->layout;
    return good;
}

static bool make_resized(Fill *fill, GError **error)
{
    g_autoptr(MkLayout) larger = shifted(fill->model, "cache", RESIZE_SHIFT);
    mk_layout_find(larger, "system")->size += RESIZE_SHIFT;
    fill->layout = larger;
    bool good = fill_stock(fill, error);
    fill->layout = fill->model->layout;
    return good;
}

static bool make_bad_boot(Fill *fill, GError **error)
{
    const MkPartition *boot = mk_layout_find(fill->layout, "boot");
    g_autoptr(GBytes) bytes = mk_make_boot(fill->model, false, false);
    return erase_partition(fill, "boot", error) && put(fill, boot, bytes, error);
}

static bool spoil_gpt(Fill *fill, bool backup, GError **error)
{
    const MkGeometry *geometry = &fill->model->geometry;
    g_autoptr(MkStore) user = mk_chip_store(fill->chip, mk_geometry_main_region(geometry));
    uint64_t header = backup ? user->size - geometry->sector : geometry->sector;
    return mk_store_write(user, header + 40, "\xDE\xAD", 2, NULL, error);
}

static bool make_no_preloader(Fill *fill, GError **error)
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

static bool damage(Fill *fill, const char *state, GError **error)
{
    if (strcmp(state, "no-table") == 0)
        return erase_tables(fill, error);
    if (strcmp(state, "no-preloader") == 0)
        return make_no_preloader(fill, error);
    if (strcmp(state, "no-system") == 0)
        return erase_partition(fill, "system", error);
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
    Fill fill = {.chip = chip, .model = model, .layout = model->layout};
    if (!g_strv_contains(mk_content_states, state)) {
        mk_fault_set(error, MK_FAULT_USAGE, _("There is no state \"%s\" of a virtual phone."), state);
        return false;
    }
    if (g_str_has_suffix(state, "gpt") && model->table != MK_TABLE_GPT) {
        mk_fault_set(error, MK_FAULT_USAGE, _("%s has no GPT."), model->id);
        return false;
    }
    if (strcmp(state, "blank") == 0)
        return true;
    if (strcmp(state, "wrong-rom") == 0)
        return make_wrong_rom(&fill, error);
    if (strcmp(state, "resized") == 0)
        return make_resized(&fill, error);
    return fill_stock(&fill, error) && damage(&fill, state, error);
}
