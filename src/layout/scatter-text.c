/* v0: the plain text of MT6573 … MT6589 (spec scatter.md 2). */
#include "layout/scatter.h"

#include "core/i18n.h"
#include "soc/soc.h"

#include <string.h>

static const struct {
    const char *name;
    MkOperation operation;
    MkImageType type, type_emmc;
    bool reserved;
} v0_names[] = {
    {"PRELOADER", MK_OP_BOOTLOADERS, MK_TYPE_SV5_BL_BIN, MK_TYPE_SV5_BL_BIN, false},
    {"DSP_BL", MK_OP_BOOTLOADERS, MK_TYPE_SV5_BL_BIN, MK_TYPE_SV5_BL_BIN, false},
    {"MBR", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"EBR1", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"EBR2", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"UBOOT", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"BOOTIMG", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"RECOVERY", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"LOGO", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"TEE1", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"TEE2", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"SEC_RO", MK_OP_UPDATE, MK_TYPE_YAFFS_IMG, MK_TYPE_YAFFS_IMG, false},
    {"ANDROID", MK_OP_UPDATE, MK_TYPE_YAFFS_IMG, MK_TYPE_YAFFS_IMG, false},
    {"CACHE", MK_OP_UPDATE, MK_TYPE_YAFFS_IMG, MK_TYPE_YAFFS_IMG, false},
    {"USRDATA", MK_OP_UPDATE, MK_TYPE_YAFFS_IMG, MK_TYPE_YAFFS_IMG, false},
    {"FAT", MK_OP_UPDATE, MK_TYPE_UBI_IMG, MK_TYPE_FAT_IMG, false},
    {"__NODL_NVRAM", MK_OP_BINREGION, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"__NODL_PRO_INFO", MK_OP_PROTECTED, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"__NODL_PROTECT_F", MK_OP_PROTECTED, MK_TYPE_YAFFS_IMG, MK_TYPE_EXT4_IMG, false},
    {"__NODL_PROTECT_S", MK_OP_PROTECTED, MK_TYPE_YAFFS_IMG, MK_TYPE_EXT4_IMG, false},
    {"__NODL_SECCFG", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"__NODL_MISC", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"__NODL_EXPDB", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"__NODL_CACHE", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, MK_TYPE_NORMAL_ROM, false},
    {"__NODL_FAT", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, MK_TYPE_FAT_IMG, false},
    {"__NODL_PMT", MK_OP_RESERVED, MK_TYPE_UNKNOWN, MK_TYPE_UNKNOWN, false},
    {"__NODL_RSV_PMT", MK_OP_RESERVED, MK_TYPE_UNKNOWN, MK_TYPE_UNKNOWN, true},
    {"__NODL_OTP", MK_OP_RESERVED, MK_TYPE_UNKNOWN, MK_TYPE_UNKNOWN, false},
    {"__NODL_RSV_OTP", MK_OP_RESERVED, MK_TYPE_UNKNOWN, MK_TYPE_UNKNOWN, true},
    {"__NODL_BMTPOOL", MK_OP_RESERVED, MK_TYPE_UNKNOWN, MK_TYPE_UNKNOWN, true},
    {"__NODL_RSV_BMTPOOL", MK_OP_RESERVED, MK_TYPE_UNKNOWN, MK_TYPE_UNKNOWN, true},
};

void mk_scatter_v0_properties(MkPartition *partition, MkStorage storage)
{
    partition->hidden = g_str_has_prefix(partition->name, "__NODL_") || g_str_has_prefix(partition->name, "__HIDDEN_");
    partition->reserved = g_str_has_prefix(partition->name, "__HIDDEN_") || strstr(partition->name, "_RSV") ||
                          !strcmp(partition->name, "__NODL_BMTPOOL");
    partition->download = !partition->hidden;
    partition->storage = storage;
    for (gsize i = 0; i < G_N_ELEMENTS(v0_names); i++)
        if (!g_ascii_strcasecmp(partition->name, v0_names[i].name)) {
            partition->operation = v0_names[i].operation;
            partition->type = storage == MK_STORAGE_NAND ? v0_names[i].type : v0_names[i].type_emmc;
            partition->reserved = v0_names[i].reserved;
            return;
        }
}

/* The name of the file names chip and storage (spec scatter.md 2.2). */
static char *chip_from_name(const char *file_name)
{
    g_autofree char *upper = g_ascii_strup(file_name ? file_name : "", -1);
    for (const char *at = upper; (at = strstr(at, "MT")); at += 2) {
        if (strspn(at + 2, "0123456789") != 4)
            continue;
        g_autofree char *chip = g_strndup(at, 6);
        if (mk_soc_by_name(chip))
            return g_steal_pointer(&chip);
    }
    return NULL;
}

static MkStorage storage_from_content(const MkLayout *layout, const char *file_name, GPtrArray *findings)
{
    static const char *const emmc[] = {"MBR", "EBR1", "__NODL_PMT"};
    g_autofree char *upper = g_ascii_strup(file_name ? file_name : "", -1);
    MkStorage by_name = strstr(upper, "EMMC") ? MK_STORAGE_EMMC : MK_STORAGE_NAND, by_content = MK_STORAGE_NAND;
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        for (gsize k = 0; k < G_N_ELEMENTS(emmc); k++)
            if (!strcmp(partition->name, emmc[k]))
                by_content = MK_STORAGE_EMMC;
    }
    if (by_name != by_content)
        mk_finding_add(findings, MK_SEVERITY_WARN, "scatter.renamed", 0,
                       _("The file name says %s, the content says %s: the file was renamed. SP Flash Tool would take "
                         "the name; Medik takes the content."),
                       mk_storage_name(by_name), mk_storage_name(by_content));
    return by_content;
}

/* NAME ADDRESS, then { and } on lines of their own or behind it. */
static bool parse_entry(MkLayout *layout, char *line, unsigned number, GPtrArray *findings)
{
    char *brace = strpbrk(line, "{}");
    if (brace)
        *brace = '\0';
    g_strstrip(line);
    if (!*line)
        return true;
    size_t name = strcspn(line, " \t");
    const char *address = line + name + strspn(line + name, " \t");
    uint64_t value;
    bool plain = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.") == name;
    if (!name || name > 63 || !plain || !mk_scatter_number(address, &value)) {
        MkFinding *finding = mk_finding_add(findings, MK_SEVERITY_BLOCK, "scatter.line", number,
                                            _("Line %u is not \"NAME 0xADDRESS\": \"%.60s\"."), number, line);
        mk_finding_set(finding, NULL, NULL, _("Compare it with an unchanged scatter of this ROM."));
        return false;
    }
    g_autofree char *text = g_strndup(line, name);
    if (mk_layout_find(layout, text) && !strcmp(mk_layout_find(layout, text)->name, text)) {
        mk_finding_add(findings, MK_SEVERITY_BLOCK, "scatter.twice", number,
                       _("%s stands in the file twice (line %u)."), text, number);
        return false;
    }
    MkPartition *partition = mk_layout_add(layout, text);
    partition->linear = partition->physical = value;
    partition->region = MK_REGION_LINEAR;
    partition->line = number;
    return true;
}

static void finish(MkLayout *layout, GPtrArray *findings)
{
    uint64_t before = 0;
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i],
                    *next = i + 1 < layout->partitions->len ? layout->partitions->pdata[i + 1] : NULL;
        mk_scatter_v0_properties(partition, layout->storage);
        if (layout->storage == MK_STORAGE_NAND)
            partition->region = MK_REGION_NAND;
        bool symbolic = mk_scatter_is_from_end(partition->linear);
        partition->reserved = partition->reserved || symbolic;
        if (!symbolic && i && partition->linear <= before)
            mk_finding_add(findings, MK_SEVERITY_BLOCK, "scatter.order", partition->line,
                           _("%s does not begin behind the partition before it (5014)."), partition->name);
        if (partition->linear % 4)
            mk_finding_add(findings, MK_SEVERITY_BLOCK, "scatter.align", partition->line,
                           _("The address of %s is no multiple of 4 (5012)."), partition->name);
        before = symbolic ? before : partition->linear;
        bool loader = !strcmp(partition->name, "PRELOADER") || !strcmp(partition->name, "DSP_BL");
        partition->boundary_check = !loader && !partition->reserved && next && !g_str_has_prefix(next->name, "__NODL_");
        if (next && !mk_scatter_is_from_end(next->linear) && next->linear > partition->linear)
            partition->size = next->linear - partition->linear;
        else if (!symbolic)
            partition->grows = true;
    }
    const MkPartition *mbr = mk_layout_find(layout, "MBR");
    layout->header = layout->storage == MK_STORAGE_EMMC && mbr ? mbr->linear : 0;
}

MkLayout *mk_scatter_parse_v0(const char *text, const char *file_name, GPtrArray *findings, GError **error)
{
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_SCATTER_V0);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned bad = 0;
    for (unsigned i = 0; lines[i]; i++)
        if (!mk_scatter_is_blank_line(lines[i]) && !parse_entry(layout, lines[i], i + 1, findings))
            bad++;
    if (!layout->partitions->len || bad > layout->partitions->len) {
        mk_fault_set_number(error, MK_FAULT_SCATTER, 5011, "S_DL_SCAT_INCORRECT_FORMAT",
                            _("%s is no scatter file: hardly a line of it is \"NAME 0xADDRESS\"."),
                            file_name ? file_name : _("The file"));
        return NULL;
    }
    layout->platform = chip_from_name(file_name);
    layout->storage = storage_from_content(layout, file_name, findings);
    layout->block_size = layout->storage == MK_STORAGE_EMMC ? 0x20000 : 0;
    if (!layout->platform)
        mk_finding_add(findings, MK_SEVERITY_WARN, "scatter.no-chip", 0,
                       _("This kind of scatter names its chip only in its file name (MTxxxx_Android_scatter…), and "
                         "this one does not."));
    finish(layout, findings);
    return g_steal_pointer(&layout);
}
