#include "store/store.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"

#include <string.h>

const char *mk_storage_name(MkStorage storage)
{
    static const char *const names[] = {"unknown", "NOR", "NAND", "eMMC", "SDMMC", "UFS"};
    return names[storage];
}

static const char *const region_names[MK_REGION_N] = {
    [MK_REGION_NONE] = "none",       [MK_REGION_BOOT1] = "boot1",
    [MK_REGION_BOOT2] = "boot2",     [MK_REGION_RPMB] = "rpmb",
    [MK_REGION_GP1] = "gp1",         [MK_REGION_GP2] = "gp2",
    [MK_REGION_GP3] = "gp3",         [MK_REGION_GP4] = "gp4",
    [MK_REGION_USER] = "user",       [MK_REGION_BOOT1_BOOT2] = "boot1+boot2",
    [MK_REGION_LU0] = "lu0",         [MK_REGION_LU1] = "lu1",
    [MK_REGION_LU2] = "lu2",         [MK_REGION_LU3] = "lu3",
    [MK_REGION_LU0_LU1] = "lu0+lu1", [MK_REGION_NAND] = "nand",
    [MK_REGION_LINEAR] = "linear",
};

const char *mk_region_name(MkRegion region)
{
    return region_names[region];
}

/* Scatter spellings beside our own names (spec scatter.md 3.6). */
static const struct {
    const char *name;
    MkRegion region;
} spellings[] = {
    {"EMMC_BOOT_1", MK_REGION_BOOT1},   {"EMMC_BOOT1", MK_REGION_BOOT1},
    {"EMMC_BOOT_2", MK_REGION_BOOT2},   {"EMMC_BOOT2", MK_REGION_BOOT2},
    {"EMMC_RPMB", MK_REGION_RPMB},      {"EMMC_RPMP", MK_REGION_RPMB},
    {"EMMC_GP1", MK_REGION_GP1},        {"EMMC_GP_1", MK_REGION_GP1},
    {"EMMC_GP2", MK_REGION_GP2},        {"EMMC_GP_2", MK_REGION_GP2},
    {"EMMC_GP3", MK_REGION_GP3},        {"EMMC_GP_3", MK_REGION_GP3},
    {"EMMC_GP4", MK_REGION_GP4},        {"EMMC_GP_4", MK_REGION_GP4},
    {"EMMC_USER", MK_REGION_USER},      {"EMMC_BOOT1_BOOT2", MK_REGION_BOOT1_BOOT2},
    {"UFS_LU0", MK_REGION_LU0},         {"UFS_LU1", MK_REGION_LU1},
    {"UFS_LU2", MK_REGION_LU2},         {"UFS_LU3", MK_REGION_LU3},
    {"UFS_LU0_LU1", MK_REGION_LU0_LU1},
};

bool mk_region_from_name(const char *name, MkRegion *region)
{
    for (int i = 0; i < MK_REGION_N; i++)
        if (!g_ascii_strcasecmp(name, region_names[i])) {
            *region = (MkRegion)i;
            return true;
        }
    for (gsize i = 0; i < G_N_ELEMENTS(spellings); i++)
        if (!g_ascii_strcasecmp(name, spellings[i].name)) {
            *region = spellings[i].region;
            return true;
        }
    return false;
}

bool mk_region_is_boot(MkRegion region)
{
    region = mk_region_copy(region, 0);
    return region == MK_REGION_BOOT1 || region == MK_REGION_BOOT2 || region == MK_REGION_LU0 || region == MK_REGION_LU1;
}

MkRegion mk_region_copy(MkRegion region, unsigned copy)
{
    switch (region) {
    case MK_REGION_BOOT1_BOOT2: return copy ? MK_REGION_BOOT2 : MK_REGION_BOOT1;
    case MK_REGION_LU0_LU1: return copy ? MK_REGION_LU1 : MK_REGION_LU0;
    default: return copy ? MK_REGION_NONE : region;
    }
}

gpointer mk_store_alloc(const MkStoreClass *klass, size_t size, const char *name)
{
    MkStore *store = g_malloc0(size);
    store->klass = klass;
    store->refs = 1;
    store->block_size = 1;
    store->name = g_strdup(name);
    return store;
}

MkStore *mk_store_ref(MkStore *store)
{
    store->refs++;
    return store;
}

void mk_store_unref(MkStore *store)
{
    if (!store || --store->refs)
        return;
    store->klass->free(store);
    g_free(store->name);
    g_free(store);
}

static bool in_range(const MkStore *store, uint64_t offset, uint64_t length, GError **error)
{
    if (offset <= store->size && length <= store->size - offset)
        return true;
    mk_fault_set(
        error, MK_FAULT_RANGE,
        _("0x%" G_GINT64_MODIFIER "x + 0x%" G_GINT64_MODIFIER "x lies outside %s (0x%" G_GINT64_MODIFIER "x bytes)."),
        offset, length, store->name, store->size);
    return false;
}

bool mk_store_read_stream(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                          GCancellable *cancel, GError **error)
{
    return in_range(store, offset, length, error) &&
           (!length || store->klass->read(store, offset, length, sink, user_data, cancel, error));
}

bool mk_store_write_stream(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                           GCancellable *cancel, GError **error)
{
    return in_range(store, offset, length, error) &&
           (!length || store->klass->write(store, offset, length, source, user_data, cancel, error));
}

bool mk_store_erase(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error)
{
    return in_range(store, offset, length, error) &&
           (!length || store->klass->erase(store, offset, length, cancel, error));
}

bool mk_store_flush(MkStore *store, GError **error)
{
    return !store->klass->flush || store->klass->flush(store, error);
}

static bool copy_out(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    uint8_t **at = user_data;
    memcpy(*at, data, length);
    *at += length;
    return true;
}

static bool copy_in(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    const uint8_t **at = user_data;
    memcpy(data, *at, length);
    *at += length;
    return true;
}

bool mk_store_read(MkStore *store, uint64_t offset, void *data, size_t length, GCancellable *cancel, GError **error)
{
    return mk_store_read_stream(store, offset, length, copy_out, &data, cancel, error);
}

bool mk_store_write(MkStore *store, uint64_t offset, const void *data, size_t length, GCancellable *cancel,
                    GError **error)
{
    return mk_store_write_stream(store, offset, length, copy_in, &data, cancel, error);
}
