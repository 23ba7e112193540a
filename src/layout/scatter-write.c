/* Writing scatters as the genuine generator does (spec scatter.md 2.1, 11). */
#include "layout/scatter.h"

#include "core/i18n.h"
#include "soc/soc.h"

#include <string.h>

#define BAR                                                                                                            \
    "############################################################################################################"
#define HEX "0x%" G_GINT64_MODIFIER "x"

static char *write_v0(const MkLayout *layout)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        uint64_t address = partition->linear;
        if (partition->region != MK_REGION_LINEAR && partition->region != MK_REGION_NAND && partition->resolved &&
            address < 0xFFFF0000)
            address = partition->region == MK_REGION_USER ? partition->start + layout->header : partition->start;
        g_string_append_printf(text, "%s " HEX "\n{\n}\n", partition->name, address);
    }
    g_string_append(text, "\n\n");
    return g_string_free(text, FALSE);
}

const char *mk_scatter_region_text(const MkLayout *layout, const MkPartition *partition)
{
    static const char *const names[MK_REGION_N] = {
        [MK_REGION_BOOT1] = "EMMC_BOOT_1",
        [MK_REGION_BOOT2] = "EMMC_BOOT_2",
        [MK_REGION_RPMB] = "EMMC_RPMB",
        [MK_REGION_GP1] = "EMMC_GP1",
        [MK_REGION_GP2] = "EMMC_GP2",
        [MK_REGION_GP3] = "EMMC_GP3",
        [MK_REGION_GP4] = "EMMC_GP4",
        [MK_REGION_USER] = "EMMC_USER",
        [MK_REGION_BOOT1_BOOT2] = "EMMC_BOOT1_BOOT2",
        [MK_REGION_LU0] = "UFS_LU0",
        [MK_REGION_LU1] = "UFS_LU1",
        [MK_REGION_LU2] = "UFS_LU2",
        [MK_REGION_LU3] = "UFS_LU3",
        [MK_REGION_LU0_LU1] = "UFS_LU0_LU1",
    };
    if (partition->region == MK_REGION_LINEAR)
        return layout->storage == MK_STORAGE_NAND   ? "NONE"
               : partition->linear < layout->header ? "EMMC_BOOT_1"
                                                    : "EMMC_USER";
    return names[partition->region] ? names[partition->region] : "NONE";
}

const char *mk_scatter_storage_text(MkStorage storage)
{
    static const char *const names[] = {
        "NONE", "HW_STORAGE_NOR", "HW_STORAGE_NAND", "HW_STORAGE_EMMC", "HW_STORAGE_SDMMC", "HW_STORAGE_UFS"};
    return names[storage];
}

static const char *short_storage(MkStorage storage)
{
    return mk_scatter_storage_text(storage) + (storage ? strlen("HW_STORAGE_") : 0);
}

/* Unknown keys go where the generator has its optional ones: before `reserve`, in a stable order. */
static void add_extra(GString *text, const char *indent, const MkPartition *partition)
{
    static const char *const first[] = {"is_upgradable", "empty_boot_needed"};
    const char *value;
    for (gsize i = 0; i < G_N_ELEMENTS(first); i++) {
        value = partition->extra ? g_hash_table_lookup(partition->extra, first[i]) : NULL;
        g_string_append_printf(text, "%s%s: %s\n", indent, first[i], value ? value : "false");
    }
    g_autoptr(GList) keys =
        partition->extra ? g_list_sort(g_hash_table_get_keys(partition->extra), (GCompareFunc)strcmp) : NULL;
    for (GList *key = keys; key; key = key->next)
        if (strcmp(key->data, first[0]) && strcmp(key->data, first[1]) && strcmp(key->data, "reserve"))
            g_string_append_printf(text, "%s%s: %s\n", indent, (const char *)key->data,
                                   (const char *)g_hash_table_lookup(partition->extra, key->data));
    value = partition->extra ? g_hash_table_lookup(partition->extra, "reserve") : NULL;
    g_string_append_printf(text, "%sreserve: %s\n\n", indent, value ? value : "0x00");
}

static void addresses(const MkLayout *layout, const MkPartition *partition, bool linear_version, uint64_t *linear,
                      uint64_t *physical)
{
    bool from_table = layout->kind != MK_LAYOUT_SCATTER_V0 && layout->kind != MK_LAYOUT_SCATTER_V1 &&
                      layout->kind != MK_LAYOUT_SCATTER_XML;
    *linear = partition->linear;
    *physical = partition->physical;
    if (!from_table || !partition->resolved)
        return;
    *physical = partition->start;
    *linear = partition->start + (linear_version && partition->region == MK_REGION_USER ? layout->header : 0);
}

static void add_partition(GString *text, const char *pad, unsigned index, const MkLayout *layout,
                          const MkPartition *partition, bool linear_version)
{
    g_autofree char *indent = g_strdup_printf("%s  ", pad);
    uint64_t linear, physical;
    addresses(layout, partition, linear_version, &linear, &physical);
    g_string_append_printf(text, "%s- partition_index: SYS%u\n", pad, index);
    g_string_append_printf(text, "%spartition_name: %s\n", indent, partition->name);
    g_string_append_printf(text, "%sfile_name: %s\n", indent, partition->file_name ? partition->file_name : "NONE");
    g_string_append_printf(text, "%sis_download: %s\n", indent, partition->download ? "true" : "false");
    g_string_append_printf(text, "%stype: %s\n", indent, mk_type_name(partition->type));
    g_string_append_printf(text, "%slinear_start_addr: " HEX "\n", indent, linear);
    g_string_append_printf(text, "%sphysical_start_addr: " HEX "\n", indent, physical);
    g_string_append_printf(text, "%spartition_size: " HEX "\n", indent, partition->size);
    g_string_append_printf(text, "%sregion: %s\n", indent, mk_scatter_region_text(layout, partition));
    g_string_append_printf(text, "%sstorage: %s\n", indent,
                           mk_scatter_storage_text(partition->storage ? partition->storage : layout->storage));
    g_string_append_printf(text, "%sboundary_check: %s\n", indent, partition->boundary_check ? "true" : "false");
    g_string_append_printf(text, "%sis_reserved: %s\n", indent, partition->reserved ? "true" : "false");
    g_string_append_printf(text, "%soperation_type: %s\n", indent, mk_operation_name(partition->operation));
    add_extra(text, indent, partition);
}

static const char *general(const MkLayout *layout, const char *key, const char *fallback)
{
    const char *value = g_hash_table_lookup(layout->general, key);
    return value ? value : fallback;
}

/* Keys the generator writes by itself are left out of the second round. */
static void add_general_rest(GString *text, const char *indent, const MkLayout *layout)
{
    static const char *const written[] = {"config_version", "platform",     "project",
                                          "storage",        "boot_channel", "block_size"};
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(layout->general), (GCompareFunc)strcmp);
    for (GList *key = keys; key; key = key->next) {
        bool done = false;
        for (gsize i = 0; i < G_N_ELEMENTS(written); i++)
            done = done || !strcmp(key->data, written[i]);
        if (!done)
            g_string_append_printf(text, "%s%s: %s\n", indent, (const char *)key->data,
                                   (const char *)g_hash_table_lookup(layout->general, key->data));
    }
}

const char *mk_scatter_boot_channel(const MkLayout *layout)
{
    return general(layout, "boot_channel",
                   layout->storage == MK_STORAGE_UFS    ? "UFSHCI_0"
                   : layout->storage == MK_STORAGE_EMMC ? "MSDC_0"
                                                        : "NONE");
}

uint32_t mk_scatter_block_size(const MkLayout *layout)
{
    return layout->block_size ? layout->block_size : layout->storage == MK_STORAGE_UFS ? 0x80000 : 0x20000;
}

static void add_storage(GString *text, const char *first, const char *indent, const MkLayout *layout)
{
    g_string_append_printf(text, "%sstorage: %s\n", first, short_storage(layout->storage));
    g_string_append_printf(text, "%sboot_channel: %s\n", indent, mk_scatter_boot_channel(layout));
    g_string_append_printf(text, "%sblock_size: 0x%x\n", indent, mk_scatter_block_size(layout));
}

static void add_section(GString *text, const char *pad, const MkLayout *layout, bool linear_version)
{
    for (guint i = 0; i < layout->partitions->len; i++)
        add_partition(text, pad, i, layout, layout->partitions->pdata[i], linear_version);
}

static char *write_v1(const MkLayout *layout, const char *version)
{
    GString *text = g_string_new(BAR "\n#\n#  General Setting\n#\n" BAR "\n");
    bool linear_version = g_ascii_strcasecmp(version, "V1.1.1") <= 0, combo = version[1] == '2';
    g_string_append(text, "- general: MTK_PLATFORM_CFG\n  info:\n");
    g_string_append_printf(text, "    - config_version: %s\n      platform: %s\n      project: %s\n", version,
                           layout->platform ? layout->platform : "", layout->project ? layout->project : "medik");
    if (!combo) {
        add_storage(text, "      ", "      ", layout);
        add_general_rest(text, "      ", layout);
    }
    guint others = combo && layout->sections ? layout->sections->len : 0;
    for (guint i = 0; i <= others; i++) {
        const MkLayout *section = i ? layout->sections->pdata[i - 1] : layout;
        g_string_append(text, BAR "\n#\n#  Layout Setting\n#\n" BAR "\n");
        if (combo) {
            g_string_append_printf(text,
                                   "- storage_type: %s\n  description:\n  - general: MTK_STORAGE_CFG\n    info:\n",
                                   short_storage(section->storage));
            add_storage(text, "      - ", "        ", section);
            add_general_rest(text, "        ", section);
            g_string_append_c(text, '\n');
        }
        add_section(text, combo ? "  " : "", section, linear_version);
    }
    return g_string_free(text, FALSE);
}

/* Old tables speak linear addresses. */
static const char *default_version(const MkLayout *layout)
{
    if (layout->version && (layout->kind == MK_LAYOUT_SCATTER_V1 || layout->kind == MK_LAYOUT_SCATTER_XML))
        return layout->version;
    bool linear = layout->kind == MK_LAYOUT_PMT || layout->kind == MK_LAYOUT_DUMCHAR ||
                  layout->kind == MK_LAYOUT_SCATTER_V0 || (layout->kind == MK_LAYOUT_MBR);
    return linear ? "V1.1.1" : "V1.1.2";
}

char *mk_scatter_write(const MkLayout *layout, MkLayoutKind kind, const char *version, GError **error)
{
    if (kind == MK_LAYOUT_SCATTER_V0)
        return write_v0(layout);
    if (kind == MK_LAYOUT_SCATTER_V1)
        return write_v1(layout, version ? version : default_version(layout));
    if (kind == MK_LAYOUT_SCATTER_XML)
        return mk_scatter_write_xml(layout, version                                        ? version
                                            : layout->version && layout->version[1] == '2' ? layout->version
                                                                                           : "V2.1.0");
    mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("Medik writes scatters in plain text, V1 and XML, not %s."),
                 mk_layout_kind_name(kind));
    return NULL;
}

MkLayoutKind mk_scatter_kind_for(const MkLayout *layout)
{
    static const unsigned old[] = {0x6573, 0x6575, 0x6577, 0x6583};
    if (layout->kind != MK_LAYOUT_PMT && layout->kind != MK_LAYOUT_DUMCHAR)
        return layout->kind == MK_LAYOUT_SCATTER_V0 ? MK_LAYOUT_SCATTER_V0 : MK_LAYOUT_SCATTER_V1;
    g_autofree char *platform = g_ascii_strup(layout->platform ? layout->platform : "", -1);
    const MkSoc *soc = mk_soc_by_name(platform);
    for (gsize i = 0; soc && i < G_N_ELEMENTS(old); i++)
        if (soc->spft_code == old[i])
            return MK_LAYOUT_SCATTER_V0;
    return MK_LAYOUT_SCATTER_V1;
}

char *mk_scatter_file_name(const MkLayout *layout)
{
    g_autofree char *platform = g_ascii_strup(layout->platform ? layout->platform : "MTxxxx", -1);
    bool v0 = mk_scatter_kind_for(layout) == MK_LAYOUT_SCATTER_V0;
    return g_strdup_printf("%s_Android_scatter%s.%s", platform, v0 && layout->storage == MK_STORAGE_EMMC ? "_emmc" : "",
                           layout->kind == MK_LAYOUT_SCATTER_XML ? "xml" : "txt");
}
