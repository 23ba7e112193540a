#include "layout/layout.h"

#include "core/i18n.h"

#include <string.h>

MkLayout *mk_layout_new(MkLayoutKind kind)
{
    MkLayout *layout = g_new0(MkLayout, 1);
    layout->refs = 1;
    layout->kind = kind;
    layout->general = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    layout->partitions = g_ptr_array_new_with_free_func((GDestroyNotify)mk_partition_free);
    return layout;
}

MkLayout *mk_layout_ref(MkLayout *layout)
{
    layout->refs++;
    return layout;
}

void mk_layout_unref(MkLayout *layout)
{
    if (!layout || --layout->refs)
        return;
    g_free(layout->version);
    g_free(layout->platform);
    g_free(layout->project);
    g_hash_table_unref(layout->general);
    g_ptr_array_unref(layout->partitions);
    g_clear_pointer(&layout->sections, g_ptr_array_unref);
    g_free(layout);
}

MkPartition *mk_layout_add(MkLayout *layout, const char *name)
{
    MkPartition *partition = g_new0(MkPartition, 1);
    partition->name = g_strdup(name);
    partition->operation = MK_OP_UNKNOWN;
    partition->type = MK_TYPE_UNKNOWN;
    g_ptr_array_add(layout->partitions, partition);
    return partition;
}

static GHashTable *copy_table(GHashTable *table)
{
    GHashTable *copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(copy, g_strdup(key), g_strdup(value));
    return copy;
}

MkPartition *mk_partition_copy(const MkPartition *partition)
{
    MkPartition *copy = g_memdup2(partition, sizeof *partition);
    copy->name = g_strdup(partition->name);
    copy->file_name = g_strdup(partition->file_name);
    copy->extra = partition->extra ? copy_table(partition->extra) : NULL;
    return copy;
}

void mk_partition_free(MkPartition *partition)
{
    if (!partition)
        return;
    g_free(partition->name);
    g_free(partition->file_name);
    g_clear_pointer(&partition->extra, g_hash_table_unref);
    g_free(partition);
}

MkLayout *mk_layout_copy(const MkLayout *layout)
{
    MkLayout *copy = mk_layout_new(layout->kind);
    copy->version = g_strdup(layout->version);
    copy->platform = g_strdup(layout->platform);
    copy->project = g_strdup(layout->project);
    copy->storage = layout->storage;
    copy->block_size = layout->block_size;
    copy->header = layout->header;
    copy->skip_table = layout->skip_table;
    g_hash_table_unref(copy->general);
    copy->general = copy_table(layout->general);
    for (guint i = 0; i < layout->partitions->len; i++)
        g_ptr_array_add(copy->partitions, mk_partition_copy(layout->partitions->pdata[i]));
    for (guint i = 0; layout->sections && i < layout->sections->len; i++) {
        if (!copy->sections)
            copy->sections = g_ptr_array_new_with_free_func((GDestroyNotify)mk_layout_unref);
        g_ptr_array_add(copy->sections, mk_layout_copy(layout->sections->pdata[i]));
    }
    return copy;
}

MkLayout *mk_layout_for_storage(MkLayout *layout, MkStorage storage)
{
    if (layout->storage == storage || (layout->storage == MK_STORAGE_UNKNOWN && !layout->sections))
        return mk_layout_ref(layout);
    for (guint i = 0; layout->sections && i < layout->sections->len; i++) {
        MkLayout *section = layout->sections->pdata[i];
        if (section->storage == storage)
            return mk_layout_ref(section);
    }
    return NULL;
}

/* --- names --------------------------------------------------------------------------------------------------------- */

/* Old and new names of one purpose (spec behaviour.md 3.4, scatter.md 5). */
static const struct {
    const char *name, *canonical;
} aliases[] = {{"android", "system"},     {"bootimg", "boot"},     {"usrdata", "userdata"},
               {"data", "userdata"},      {"sec_ro", "secro"},     {"secstatic", "secro"},
               {"uboot", "lk"},           {"pro_info", "proinfo"}, {"protect_f", "protect1"},
               {"protect_s", "protect2"}, {"seccnfg", "seccfg"},   {"preloader_backup", "preloader2"}};

char *mk_partition_canonical(const char *name)
{
    static const char *const prefixes[] = {"__nodl_rsv_", "__nodl_", "__hidden_"};
    g_autofree char *lower = g_ascii_strdown(name, -1);
    const char *bare = lower;
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(bare, prefixes[i])) {
            bare += strlen(prefixes[i]);
            break;
        }
    for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (!strcmp(bare, aliases[i].name))
            return g_strdup(aliases[i].canonical);
    return g_strdup(bare);
}

MkPartition *mk_layout_find(const MkLayout *layout, const char *name)
{
    MkPartition *by_case = NULL, *by_alias = NULL;
    g_autofree char *canonical = mk_partition_canonical(name);
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (!strcmp(partition->name, name))
            return partition;
        if (!by_case && !g_ascii_strcasecmp(partition->name, name))
            by_case = partition;
        g_autofree char *other = mk_partition_canonical(partition->name);
        if (!by_alias && !strcmp(other, canonical))
            by_alias = partition;
    }
    return by_case ? by_case : by_alias;
}

/* --- classes (spec behaviour.md 6.1) ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    MkClass klass;
} classes[] = {
    {"nvram", MK_CLASS_IDENTITY},     {"nvdata", MK_CLASS_IDENTITY},
    {"nvcfg", MK_CLASS_IDENTITY},     {"protect1", MK_CLASS_IDENTITY},
    {"protect2", MK_CLASS_IDENTITY},  {"proinfo", MK_CLASS_IDENTITY},
    {"persist", MK_CLASS_IDENTITY},   {"persistbak", MK_CLASS_IDENTITY},
    {"md_udc", MK_CLASS_IDENTITY},    {"oppo_custom", MK_CLASS_IDENTITY},
    {"ocdt", MK_CLASS_IDENTITY},      {"seccfg", MK_CLASS_SECURITY},
    {"secro", MK_CLASS_SECURITY},     {"frp", MK_CLASS_SECURITY},
    {"kb", MK_CLASS_SECURITY},        {"dkb", MK_CLASS_SECURITY},
    {"keystore", MK_CLASS_SECURITY},  {"oemkeystore", MK_CLASS_SECURITY},
    {"efuse", MK_CLASS_SECURITY},     {"sec1", MK_CLASS_SECURITY},
    {"preloader", MK_CLASS_BOOT},     {"preloader2", MK_CLASS_BOOT},
    {"dsp_bl", MK_CLASS_BOOT},        {"lk", MK_CLASS_BOOT},
    {"lk2", MK_CLASS_BOOT},           {"loader_ext1", MK_CLASS_BOOT},
    {"loader_ext2", MK_CLASS_BOOT},   {"loader_ext", MK_CLASS_BOOT},
    {"tee", MK_CLASS_BOOT},           {"tee1", MK_CLASS_BOOT},
    {"tee2", MK_CLASS_BOOT},          {"scp", MK_CLASS_BOOT},
    {"scp1", MK_CLASS_BOOT},          {"scp2", MK_CLASS_BOOT},
    {"sspm", MK_CLASS_BOOT},          {"sspm_1", MK_CLASS_BOOT},
    {"sspm_2", MK_CLASS_BOOT},        {"spmfw", MK_CLASS_BOOT},
    {"dtbo", MK_CLASS_BOOT},          {"odmdtbo", MK_CLASS_BOOT},
    {"vbmeta", MK_CLASS_BOOT},        {"vbmeta_system", MK_CLASS_BOOT},
    {"vbmeta_vendor", MK_CLASS_BOOT}, {"pmt", MK_CLASS_TABLE},
    {"mbr", MK_CLASS_TABLE},          {"ebr1", MK_CLASS_TABLE},
    {"ebr2", MK_CLASS_TABLE},         {"ebr3", MK_CLASS_TABLE},
    {"ebr4", MK_CLASS_TABLE},         {"pgpt", MK_CLASS_TABLE},
    {"sgpt", MK_CLASS_TABLE},         {"bmtpool", MK_CLASS_RESERVED},
    {"otp", MK_CLASS_RESERVED},       {"flashinfo", MK_CLASS_RESERVED},
    {"sdrpmb", MK_CLASS_RESERVED},    {"md1img", MK_CLASS_MODEM},
    {"md1dsp", MK_CLASS_MODEM},       {"md1arm7", MK_CLASS_MODEM},
    {"md3img", MK_CLASS_MODEM},       {"modem", MK_CLASS_MODEM},
    {"userdata", MK_CLASS_USER},      {"metadata", MK_CLASS_USER},
    {"fat", MK_CLASS_USER},           {"intsd", MK_CLASS_USER},
    {"external", MK_CLASS_USER},
};

MkClass mk_class_by_name(const char *name)
{
    g_autofree char *canonical = mk_partition_base(name); /* a slot is its partition */
    for (gsize i = 0; i < G_N_ELEMENTS(classes); i++)
        if (!strcmp(canonical, classes[i].name))
            return classes[i].klass;
    return g_str_has_prefix(canonical, "opporeserve") ? MK_CLASS_IDENTITY : MK_CLASS_SYSTEM;
}

MkClass mk_partition_class(const MkPartition *partition)
{
    MkClass klass = mk_class_by_name(partition->name);
    if (klass != MK_CLASS_SYSTEM)
        return klass;
    switch (partition->operation) {
    case MK_OP_PROTECTED:
    case MK_OP_BINREGION: return MK_CLASS_IDENTITY;
    case MK_OP_RESERVED: return MK_CLASS_RESERVED;
    case MK_OP_BOOTLOADERS: return MK_CLASS_BOOT;
    default: return partition->reserved ? MK_CLASS_RESERVED : klass;
    }
}

const char *mk_class_words(MkClass klass)
{
    switch (klass) {
    case MK_CLASS_IDENTITY: return _("identity and calibration");
    case MK_CLASS_SECURITY: return _("security state");
    case MK_CLASS_BOOT: return _("boot chain");
    case MK_CLASS_TABLE: return _("partition table");
    case MK_CLASS_MODEM: return _("modem firmware");
    case MK_CLASS_SYSTEM: return _("system");
    case MK_CLASS_USER: return _("user data");
    case MK_CLASS_RESERVED: return _("reserved");
    }
    return "";
}

const char *mk_operation_name(MkOperation operation)
{
    static const char *const names[] = {"BOOTLOADERS", "UPDATE",  "INVISIBLE",  "PROTECTED", "RESERVED",
                                        "BINREGION",   "UNKNOWN", "NEEDRESIZE", "LOGIC"};
    return names[operation];
}

const char *mk_type_name(MkImageType type)
{
    switch (type) {
    case MK_TYPE_NORMAL_ROM: return "NORMAL_ROM";
    case MK_TYPE_SV5_BL_BIN: return "SV5_BL_BIN";
    case MK_TYPE_YAFFS_IMG: return "YAFFS_IMG";
    case MK_TYPE_MBR_BIN: return "MBR_BIN";
    case MK_TYPE_UBI_IMG: return "UBI_IMG";
    case MK_TYPE_EXT4_IMG: return "EXT4_IMG";
    case MK_TYPE_FAT_IMG: return "FAT_IMG";
    case MK_TYPE_F2FS_IMG: return "F2FS_IMG";
    case MK_TYPE_FTL20_IMG: return "FTL20_IMG";
    case MK_TYPE_UNKNOWN: break;
    }
    return "NONE";
}

const char *mk_layout_kind_name(MkLayoutKind kind)
{
    static const char *const names[] = {N_("no table"),
                                        N_("scatter (plain text)"),
                                        N_("scatter"),
                                        N_("XML scatter"),
                                        N_("OTA scatter text"),
                                        "PMT",
                                        "MBR/EBR",
                                        "GPT",
                                        "dumchar_info"};
    return _(names[kind]);
}

void mk_patch_free(MkPatch *patch)
{
    if (!patch)
        return;
    g_clear_pointer(&patch->data, g_bytes_unref);
    g_free(patch->what);
    g_free(patch);
}

void mk_table_free(MkTable *table)
{
    if (!table)
        return;
    mk_layout_unref(table->layout);
    g_free(table);
}
