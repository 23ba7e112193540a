#include "phone/bootcheck-private.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "image/image.h"
#include "phone/content-private.h"

#include <string.h>

void mk_boot_report_free(MkBootReport *report)
{
    if (!report)
        return;
    g_free(report->sees);
    g_free(report->why);
    g_free(report->build);
    g_free(report->imei);
    g_free(report);
}

static void stop(MkStart *start, MkBootStop stop_at, const char *why)
{
    static const struct {
        const char *id, *sees;
    } words[] = {
        [MK_BOOT_STOP_PRELOADER] = {"preloader", N_("a black screen; nothing happens, not even when charging")},
        [MK_BOOT_STOP_TABLE] = {"table", N_("a black screen; the phone comes and goes on USB")},
        [MK_BOOT_STOP_LK] = {"lk", N_("a black screen; the phone comes and goes on USB")},
        [MK_BOOT_STOP_BOOT] = {"boot", N_("the first logo, and it stays there")},
        [MK_BOOT_STOP_VBMETA] = {"vbmeta",
                                 N_("a red warning that the system is corrupt; then the phone turns itself off")},
        [MK_BOOT_STOP_SYSTEM] = {"system", N_("the boot logo, for ever")},
        [MK_BOOT_HOME_NO_NVRAM] = {"no-nvram", N_("the home screen; no signal, no Wi-Fi address, no IMEI")},
        [MK_BOOT_HOME_NO_IMEI] = {"no-imei", N_("the home screen; \"invalid IMEI\"")},
        [MK_BOOT_HOME] = {"home", N_("the home screen; everything works")},
    };
    start->report->stop = stop_at;
    start->report->id = words[stop_at].id;
    start->report->sees = g_strdup(_(words[stop_at].sees));
    start->report->why = g_strdup(why);
}

/* --- the stations of the chain; each false has said why --------------------------------------------------------------------------- */

static bool preloader_in(MkStore *store, uint64_t size, bool header, const MkModel *model)
{
    g_autofree uint8_t *data = g_malloc(size);
    const char *id = model->geometry.storage == MK_STORAGE_UFS ? "UFS_BOOT" : "EMMC_BOOT";
    if (!mk_store_read(store, 0, data, size, NULL, NULL) ||
        (header && (memcmp(data, id, strlen(id) + 1) != 0 || memcmp(data + 0x200, "BRLYT", 6) != 0)))
        return false;
    uint32_t begin = header ? mk_le32(data + 0x21C) : 0;
    if (begin > size - 0x40)
        return false;
    g_autoptr(GBytes) bytes = g_bytes_new(data + begin, size - begin);
    g_autoptr(MkPreloader) preloader = mk_preloader_parse(bytes, NULL, NULL);
    return preloader && preloader->gfh_offset == 0 && preloader->file_length <= size - begin && preloader->emi &&
           preloader->emi_version == (int)model->emi_version;
}

static bool check_preloader(MkStart *start)
{
    if (start->model->geometry.storage == MK_STORAGE_NAND) {
        if (preloader_in(start->store, 0x20000, false, start->model))
            return true;
    } else {
        for (unsigned i = 0; i < 2; i++) {
            g_autoptr(MkStore) boot = mk_chip_store(start->chip, mk_geometry_boot_region(&start->model->geometry, i));
            if (preloader_in(boot, MIN(boot->size, 0x40000), true, start->model))
                return true;
        }
    }
    stop(start, MK_BOOT_STOP_PRELOADER, _("BootROM finds no preloader that fits this board"));
    return false;
}

/* The preloader reads the PMT where there is one, else the table that it was built with (spec tables.md 4.2). */
static bool check_table(MkStart *start, GError **error)
{
    const MkGeometry *geometry = &start->model->geometry;
    g_autoptr(MkTable) table = NULL;
    switch (start->model->table) {
    case MK_TABLE_GPT: table = mk_gpt_read(start->store, NULL, NULL, error); break;
    case MK_TABLE_NAND_PMT: table = mk_pmt_nand_read(start->store, geometry, NULL, NULL, error); break;
    case MK_TABLE_MBR_PMT: table = mk_pmt_read(start->store, geometry, NULL, NULL, error); break;
    case MK_TABLE_MBR: break;
    }
    if (start->model->table != MK_TABLE_GPT && start->model->table != MK_TABLE_NAND_PMT)
        start->mbr = mk_mbr_read(start->store, NULL, NULL, error);
    if (error && *error)
        return false;
    if (table && table->layout)
        start->layout = mk_layout_ref(table->layout);
    else if (start->model->table != MK_TABLE_GPT)
        start->layout = mk_layout_ref(start->model->layout);
    if (!start->layout)
        stop(start, MK_BOOT_STOP_TABLE, _("neither copy of the GPT can be read"));
    return start->layout != NULL;
}

const MkPartition *mk_start_find(const MkStart *start, const char *name)
{
    g_autofree char *slotted = g_strconcat(name, start->slot, NULL);
    const MkPartition *partition = mk_layout_find(start->layout, slotted);
    partition = partition ? partition : mk_layout_find(start->layout, name);
    return partition && partition->start + partition->size <= start->store->size ? partition : NULL;
}

static bool read_at(const MkStart *start, const MkPartition *partition, uint64_t offset, void *data, size_t length)
{
    return partition && offset + length <= partition->size &&
           mk_store_read(start->store, partition->start + offset, data, length, NULL, NULL);
}

/* Code that is nothing but zeros or erased bytes does not run. */
static bool has_code(const MkStart *start, const MkPartition *partition, uint64_t offset, uint64_t length)
{
    uint8_t code[4096], value;
    size_t n = (size_t)MIN(length, sizeof code);
    return n && read_at(start, partition, offset, code, n) &&
           !(mk_is_uniform(code, n, &value) && (value == 0 || value == 0xFF));
}

static bool has_header(const MkStart *start, const MkPartition *partition, uint64_t offset, const char *name)
{
    uint8_t head[512];
    MkMtkHeader header;
    return read_at(start, partition, offset, head, sizeof head) && mk_mtk_header_parse(head, sizeof head, &header) &&
           g_ascii_strcasecmp(header.name, name) == 0 && offset + 512 + header.size <= partition->size &&
           has_code(start, partition, offset + 512, header.size);
}

/* With two slots the preloader falls back to the one that it can load. */
static bool check_lk(MkStart *start)
{
    static const char *const slots[] = {"_a", "_b"};
    for (unsigned i = 0; i < (start->model->ab ? G_N_ELEMENTS(slots) : 1); i++) {
        start->slot = start->model->ab ? slots[i] : "";
        if (has_header(start, mk_start_find(start, "lk"), 0, "LK"))
            return true;
    }
    stop(start, MK_BOOT_STOP_LK, _("the preloader finds no loader (lk) where the table says"));
    return false;
}

static bool check_boot(MkStart *start)
{
    const MkPartition *boot = mk_start_find(start, "boot");
    MkBootInfo info;
    g_autoptr(MkStore) store = boot ? mk_store_slice_new(start->store, boot->start, boot->size, "boot", NULL) : NULL;
    if (!store || !mk_boot_parse(store, &info, NULL)) {
        stop(start, MK_BOOT_STOP_BOOT, _("the loader finds no boot image where the table says"));
        return false;
    }
    /* Loaders up to MT6592 insist on MediaTek's inner headers (spec images.md 3.6). */
    if (start->model->table != MK_TABLE_GPT &&
        (g_ascii_strcasecmp(info.kernel_mtk, "KERNEL") != 0 || g_ascii_strcasecmp(info.ramdisk_mtk, "ROOTFS") != 0)) {
        stop(start, MK_BOOT_STOP_BOOT, _("the kernel or ramdisk has no MediaTek header"));
        return false;
    }
    uint64_t kernel = *info.kernel_mtk ? 512 : 0, ramdisk = *info.ramdisk_mtk ? 512 : 0;
    if (info.length > boot->size || info.kernel_size < kernel || info.ramdisk_size < ramdisk ||
        !has_code(start, boot, info.kernel_offset + kernel, info.kernel_size - kernel) ||
        (info.ramdisk_size && /* a generic kernel's is elsewhere */
         !has_code(start, boot, info.ramdisk_offset + ramdisk, info.ramdisk_size - ramdisk))) {
        stop(start, MK_BOOT_STOP_BOOT, _("the boot image holds no whole kernel and ramdisk"));
        return false;
    }
    return true;
}

static bool check_vbmeta(MkStart *start)
{
    g_autofree char *why = mk_model_has(start->model, "vbmeta") ? mk_start_unverified(start) : NULL;
    if (why)
        stop(start, MK_BOOT_STOP_VBMETA, why);
    return !why;
}

static char *prop(const char *text, const char *key)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, key) && (*line)[strlen(key)] == '=')
            return g_strdup(*line + strlen(key) + 1);
    }
    return NULL;
}

/* The object header of build.prop and the chunk behind it: what our own yaffs2 images hold. */
static char *yaffs_build_prop(const MkStart *start, const MkPartition *system)
{
    uint32_t page = start->model->geometry.nand_page;
    g_autofree uint8_t *data = g_malloc0(page + 1);
    bool found = false;
    for (uint64_t at = 0; at < MIN(system->size, 1u << 20); at += page) {
        if (!read_at(start, system, at, data, page))
            return NULL;
        if (found)
            return g_strdup((const char *)data);
        found = mk_le32(data) == 1 && strcmp((const char *)data + 10, "build.prop") == 0;
    }
    return NULL;
}

/* The kernel mounts the slot of the MBR chain; the chain has to say what the loader's table says. */
static bool kernel_sees(const MkStart *start, const MkPartition *partition)
{
    if (!start->mbr)
        return true;
    for (guint i = 0; start->mbr->layout && i < start->mbr->layout->partitions->len; i++) {
        const MkPartition *slot = start->mbr->layout->partitions->pdata[i];
        if (slot->start == partition->start)
            return true;
    }
    return false;
}

/* Phones without a PMT find system by its place in the chain, wherever that is. */
static const MkPartition *kernel_system(const MkStart *start)
{
    const MkPartition *system = mk_start_find(start, "system");
    if (start->model->table != MK_TABLE_MBR || !system || kernel_sees(start, system) || !start->mbr->layout)
        return system;
    for (guint i = 0; i < start->mbr->layout->partitions->len; i++) {
        const MkPartition *slot = start->mbr->layout->partitions->pdata[i];
        if (slot->start > system->start - (UINT64_C(1) << 20) && slot->start < system->start + system->size / 2)
            return slot;
    }
    return system;
}

/* The partition that Android is in, or its part of a `super`. */
static MkStore *open_system(const MkStart *start, const MkPartition *system)
{
    const MkPartition *super = mk_start_find(start, "super");
    if (system)
        return mk_store_slice_new(start->store, system->start, system->size, "system", NULL);
    g_autoptr(MkStore) all = super ? mk_store_slice_new(start->store, super->start, super->size, "super", NULL) : NULL;
    g_autofree char *name = g_strconcat("system", start->slot, NULL);
    return all ? mk_super_open(all, name, NULL) : NULL;
}

/* The text of build.prop wherever this era keeps it, NULL: there is none. */
static char *read_build_prop(const MkStart *start, const MkPartition *system)
{
    static const char *const places[] = {"/build.prop", "/system/build.prop"};
    if (system && system->region == MK_REGION_NAND)
        return yaffs_build_prop(start, system);
    g_autoptr(MkStore) store = open_system(start, system);
    g_autoptr(GBytes) bytes = NULL;
    for (unsigned i = 0; store && !bytes && i < G_N_ELEMENTS(places); i++)
        bytes = mk_ext4_read_file(store, places[i], 1 << 16, NULL);
    return bytes ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)) : NULL;
}

static bool check_system(MkStart *start)
{
    const MkPartition *system = kernel_system(start);
    if (!mk_start_find(start, "super") && (!system || !kernel_sees(start, system))) {
        stop(start, MK_BOOT_STOP_SYSTEM, _("the kernel finds no system partition in the MBR chain"));
        return false;
    }
    g_autofree char *text = read_build_prop(start, system);
    start->report->build = text ? prop(text, "ro.build.display.id") : NULL;
    g_autofree char *device = text ? prop(text, "ro.product.device") : NULL;
    if (!start->report->build || !device) {
        stop(start, MK_BOOT_STOP_SYSTEM, _("there is no Android where the table says that system is"));
        return false;
    }
    return true;
}

/* --- identity ------------------------------------------------------------------------------------------------------------------------- */

/* The live files are in nvdata; the phone makes them anew from nvram where they are gone (spec nvram.md 1). */
static bool has_live_identity(const MkStart *start)
{
    static const char imei[] = "/md/NVRAM/NVD_IMEI/LD0B_001";
    const MkPartition *nvdata = mk_start_find(start, "nvdata");
    if (!nvdata || start->model->dialect == MK_DA_LEGACY)
        return false;
    g_autoptr(MkStore) store = mk_store_slice_new(start->store, nvdata->start, nvdata->size, "nvdata", NULL);
    g_autoptr(GBytes) record = store ? mk_ext4_read_file(store, imei, 4096, NULL) : NULL;
    gsize size;
    const uint8_t *data = record ? g_bytes_get_data(record, &size) : NULL;
    return data && size == 384 && memcmp(data, "LDI", 4) == 0 && memcmp(data + 64, data + 64 + 9 * 32, 32) != 0;
}

static void check_identity(MkStart *start)
{
    const MkPartition *nvram = mk_start_find(start, "nvram");
    MkNvramReport report = {0};
    g_autoptr(MkStore) store =
        nvram ? mk_store_slice_new(start->store, nvram->start, nvram->size, "nvram", NULL) : NULL;
    bool read = store && mk_nvram_report(store, &report, NULL);
    bool good = read && !report.blank && report.known_format && report.checksum_ok;
    if (has_live_identity(start))
        stop(start, MK_BOOT_HOME,
             good ? _("everything is where it should be")
                  : _("everything is where it should be, but the next factory reset takes the IMEI along"));
    else if (!good)
        stop(start, MK_BOOT_HOME_NO_NVRAM, _("the NVRAM is blank or damaged"));
    else if (!report.imei_present[0])
        stop(start, MK_BOOT_HOME_NO_IMEI, _("the NVRAM holds no IMEI record"));
    else
        stop(start, MK_BOOT_HOME, _("everything is where it should be"));
    start->report->imei = has_live_identity(start) ? g_strdup("present") : g_strdup(report.imei_words);
    mk_nvram_report_clear(&report);
}

MkBootReport *mk_bootcheck(MkChip *chip, const MkModel *model, GError **error)
{
    g_autoptr(MkBootReport) report = g_new0(MkBootReport, 1);
    g_autoptr(GError) local = NULL;
    MkStart start = {.chip = chip,
                     .model = model,
                     .report = report,
                     .slot = "",
                     .store = mk_start_store(chip, mk_geometry_main_region(&model->geometry))};
    if (check_preloader(&start) && check_table(&start, &local) && check_lk(&start) && check_boot(&start) &&
        check_vbmeta(&start) && check_system(&start))
        check_identity(&start);
    mk_store_unref(start.store);
    g_clear_pointer(&start.layout, mk_layout_unref);
    g_clear_pointer(&start.mbr, mk_table_free);
    if (!local)
        return g_steal_pointer(&report);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}
