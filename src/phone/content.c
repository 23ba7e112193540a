/* Filling a virtual phone as it was sold. */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"
#include "image/image.h"

#include <string.h>

#define PIECE 65536u

static bool is_zero(const uint8_t *data, size_t length)
{
    return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

/* Where it is put is blank: storage other than NAND reads zero there already. */
static bool put_plain(MkFill *fill, const MkPartition *partition, GBytes *bytes, GError **error)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(bytes, &length);
    bool skips = partition->region != MK_REGION_NAND;
    g_autoptr(MkStore) store = mk_chip_store(fill->chip, partition->region);
    for (gsize at = 0; at < length; at += PIECE) {
        size_t piece = MIN(PIECE, length - at);
        if (!(skips && is_zero(data + at, piece)) &&
            !mk_store_write(store, partition->start + at, data + at, piece, NULL, error))
            return false;
    }
    return true;
}

/* yaffs2 images carry the spare bytes of each page. */
static bool put_yaffs(MkFill *fill, const MkPartition *partition, GBytes *bytes, GError **error)
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

bool mk_fill_put(MkFill *fill, const MkPartition *partition, GBytes *bytes, GError **error)
{
    uint8_t first = *(const uint8_t *)g_bytes_get_data(bytes, NULL);
    bool yaffs = partition->region == MK_REGION_NAND && first == 3;
    return yaffs ? put_yaffs(fill, partition, bytes, error) : put_plain(fill, partition, bytes, error);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------ */

static bool put_patches(MkFill *fill, GPtrArray *patches, GError **error)
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

static bool put_nand_pmt(MkFill *fill, GError **error)
{
    if (mk_chip_nand_put_pmt(fill->chip, fill->layout, false) == MK_CHIP_OK)
        return true;
    mk_fault_set(error, MK_FAULT_WRITE, _("The virtual NAND took no table."));
    return false;
}

bool mk_fill_put_tables(MkFill *fill, GError **error)
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

/* What lies behind MediaTek's header in the modern ones: nobody looks into it. */
static const struct {
    const char *partition, *header;
} firmware[] = {{"lk", "LK"},
                {"logo", "LOGO"},
                {"tee1", "TEE"},
                {"tee2", "TEE"},
                {"tee", "TEE"},
                {"md1img", "md1rom"},
                {"md1dsp", "md1dsp"},
                {"md1arm7", "md1arm7"},
                {"md3img", "md3rom"},
                {"spmfw", "spmfw"},
                {"scp", "tinysys-scp-RV33_A"},
                {"sspm", "tinysys-sspm"},
                {"mcupm", "tinysys-mcupm"},
                {"gz", "gz"},
                {"audio_dsp", "hifi3a"},
                {"cam_vpu1", "cam_vpu1"},
                {"cam_vpu2", "cam_vpu2"},
                {"cam_vpu3", "cam_vpu3"},
                {"pi_img", "pi_img"},
                {"dpm", "dpm-dm"},
                {"efuse", "efuse"}};

static GBytes *make_firmware(const char *partition)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(firmware); i++) {
        if (strcmp(partition, firmware[i].partition) != 0)
            continue;
        g_autofree char *upper = g_ascii_strup(partition, -1), *words = g_strdup_printf("MEDIK VIRTUAL %s", upper);
        bool large = strcmp(partition, "logo") == 0;
        /* The two copies of the secure world are one file. */
        bool tee = g_str_has_prefix(partition, "tee");
        return mk_make_headed(firmware[i].header, tee ? "MEDIK VIRTUAL TEE" : words, large ? 0x30000 : 0x20000);
    }
    return NULL;
}

/* Images of the era that MediaTek's own header is no part of any more. */
static GBytes *make_late(const MkModel *model, const char *partition)
{
    if (strcmp(partition, "boot") == 0 || strcmp(partition, "recovery") == 0 || strcmp(partition, "init_boot") == 0)
        return mk_make_late_boot(model, partition);
    if (strcmp(partition, "vendor_boot") == 0)
        return mk_make_vendor_boot(model);
    if (strcmp(partition, "dtbo") == 0)
        return mk_make_dtbo(model);
    return g_str_has_prefix(partition, "vbmeta") ? mk_make_vbmeta(model, partition) : NULL;
}

/* The copies of one image that a phone holds next to it. */
static const char *original(const char *partition)
{
    static const char *const copies[][2] = {{"lk2", "lk"},      {"scp1", "scp"}, {"scp2", "scp"}, {"sspm_1", "sspm"},
                                            {"sspm_2", "sspm"}, {"gz1", "gz"},   {"gz2", "gz"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(copies); i++)
        if (strcmp(partition, copies[i][0]) == 0)
            return copies[i][1];
    return partition;
}

GBytes *mk_make_image(const MkModel *model, const char *name, GError **error)
{
    static const char *const file_systems[] = {"system", "vendor", "cache", "userdata", "secro", "cust", "rescue"};
    g_autofree char *slotless = mk_slotless(name);
    const char *partition = original(slotless);
    for (unsigned i = 0; i < G_N_ELEMENTS(file_systems); i++) {
        if (strcmp(partition, file_systems[i]) == 0)
            return mk_make_file_system(model, partition, model->build, error);
    }
    if (strcmp(partition, "super") == 0)
        return mk_make_super(model, mk_layout_find(model->layout, name)->size, model->build, error);
    if (strcmp(partition, "preloader") == 0)
        return mk_make_preloader(model);
    GBytes *late = mk_is_late(model) ? make_late(model, partition) : NULL;
    if (late)
        return late;
    if (strcmp(partition, "boot") == 0 || strcmp(partition, "recovery") == 0)
        return mk_make_boot(model, *partition == 'r', true);
    if (strcmp(partition, "dsp_bl") == 0) {
        g_autoptr(GBytes) headed = mk_make_headed("DSP_BL", "MEDIK VIRTUAL DSP LOADER", 0x4000);
        return g_bytes_new_from_bytes(headed, 512, 0x4000);
    }
    return make_firmware(partition);
}

static GBytes *make_own(const MkModel *model, const char *partition, GError **error)
{
    static const char *const file_systems[] = {"protect1", "protect2", "nvdata", "nvcfg", "persist"};
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
    /* The slot that was never written. */
    return g_str_has_suffix(partition, "_b") ? NULL : mk_make_image(model, partition, error);
}

/* Boot regions hold the preloader behind its boot header; a NAND holds it as it is. */
static bool put_preloader(MkFill *fill, GError **error)
{
    g_autoptr(GBytes) preloader = mk_make_preloader(fill->model);
    gsize length;
    const void *data = g_bytes_get_data(preloader, &length);
    if (fill->model->geometry.storage == MK_STORAGE_NAND) {
        g_autoptr(MkStore) nand = mk_chip_store(fill->chip, MK_REGION_NAND);
        return mk_store_write(nand, 0, data, length, NULL, error);
    }
    g_autoptr(GBytes) header = mk_preloader_boot_header(fill->model->geometry.storage, 0x40000);
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(MkStore) boot = mk_chip_store(fill->chip, mk_geometry_boot_region(&fill->model->geometry, i));
        if (!mk_store_write(boot, 0, g_bytes_get_data(header, NULL), g_bytes_get_size(header), NULL, error) ||
            !mk_store_write(boot, g_bytes_get_size(header), data, length, NULL, error))
            return false;
    }
    return true;
}

static bool put_partition(MkFill *fill, const MkPartition *partition, GError **error)
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
    return mk_fill_put(fill, partition, bytes, error);
}

bool mk_fill_stock(MkFill *fill, GError **error)
{
    for (guint i = 0; i < fill->layout->partitions->len; i++) {
        if (!put_partition(fill, fill->layout->partitions->pdata[i], error))
            return false;
    }
    return mk_fill_put_tables(fill, error);
}
