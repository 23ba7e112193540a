/* From a table to what a scatter says beyond it: names of its generation, operations, types, files, and the rows that no table has
 * (spec scatter.md 2.4, 3.7, 11; tables.md 9). */
#include "layout/scatter.h"

#include "core/bytes.h"

#include <string.h>

#define PRELOADER_SIZE 0x40000u
#define SGPT_SIZE      0x4200u /* 33 sectors of 512 */

typedef struct {
    const char *name; /* canonical */
    MkOperation operation;
    MkImageType type;
    const char *file; /* the genuine generator's; NULL: none */
} Row;

/* How genuine scatters class them: 39 real files of the time of GPT, and the tables of MT6572 and MT6582. */
static const Row rows[] = {
    {"preloader", MK_OP_BOOTLOADERS, MK_TYPE_SV5_BL_BIN, "preloader.bin"},
    {"dsp_bl", MK_OP_BOOTLOADERS, MK_TYPE_SV5_BL_BIN, "DSP_BL"},
    {"pgpt", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"mbr", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "MBR"},
    {"ebr1", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "EBR1"},
    {"ebr2", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "EBR2"},
    {"pmt", MK_OP_RESERVED, MK_TYPE_NORMAL_ROM, NULL},
    {"nvram", MK_OP_BINREGION, MK_TYPE_NORMAL_ROM, NULL},
    {"proinfo", MK_OP_PROTECTED, MK_TYPE_NORMAL_ROM, NULL},
    {"protect1", MK_OP_PROTECTED, MK_TYPE_EXT4_IMG, NULL},
    {"protect2", MK_OP_PROTECTED, MK_TYPE_EXT4_IMG, NULL},
    {"nvcfg", MK_OP_PROTECTED, MK_TYPE_EXT4_IMG, NULL},
    {"persist", MK_OP_PROTECTED, MK_TYPE_EXT4_IMG, NULL},
    {"nvdata", MK_OP_INVISIBLE, MK_TYPE_EXT4_IMG, NULL},
    {"seccfg", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"misc", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"para", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"boot_para", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"expdb", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"frp", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"metadata", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"keystore", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"oemkeystore", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"sec1", MK_OP_INVISIBLE, MK_TYPE_NORMAL_ROM, NULL},
    {"lk", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "lk.bin"},
    {"lk2", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "lk.bin"},
    {"logo", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "logo.bin"},
    {"tee1", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "trustzone.bin"},
    {"tee2", MK_OP_UPDATE, MK_TYPE_NORMAL_ROM, "trustzone.bin"},
    {"system", MK_OP_UPDATE, MK_TYPE_EXT4_IMG, "system.img"},
    {"vendor", MK_OP_UPDATE, MK_TYPE_EXT4_IMG, "vendor.img"},
    {"cache", MK_OP_UPDATE, MK_TYPE_EXT4_IMG, "cache.img"},
    {"userdata", MK_OP_UPDATE, MK_TYPE_EXT4_IMG, "userdata.img"},
    {"fat", MK_OP_INVISIBLE, MK_TYPE_FAT_IMG, NULL},
    {"bmtpool", MK_OP_RESERVED, MK_TYPE_NORMAL_ROM, NULL},
    {"flashinfo", MK_OP_RESERVED, MK_TYPE_NORMAL_ROM, NULL},
    {"otp", MK_OP_RESERVED, MK_TYPE_NORMAL_ROM, NULL},
    {"sdrpmb", MK_OP_RESERVED, MK_TYPE_NORMAL_ROM, NULL},
    {"sgpt", MK_OP_RESERVED, MK_TYPE_NORMAL_ROM, NULL},
};

static void classify(MkPartition *partition, MkStorage storage)
{
    g_autofree char *name = mk_partition_canonical(partition->name), *file = g_strconcat(name, ".img", NULL);
    Row row = {.operation = MK_OP_UPDATE, .type = MK_TYPE_NORMAL_ROM, .file = file};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!strcmp(rows[i].name, name))
            row = rows[i];
    if (!row.name && mk_class_by_name(name) == MK_CLASS_IDENTITY)
        row = (Row){.operation = MK_OP_PROTECTED, .type = MK_TYPE_NORMAL_ROM};
    partition->operation = row.operation;
    partition->type = storage == MK_STORAGE_NAND && row.type == MK_TYPE_EXT4_IMG ? MK_TYPE_UBI_IMG : row.type;
    partition->download = row.file != NULL;
    partition->hidden = !row.file;
    partition->reserved = partition->reserved || row.operation == MK_OP_RESERVED;
    partition->boundary_check = !partition->reserved;
    g_free(partition->file_name);
    partition->file_name = g_strdup(row.file);
}

/* NVRAM of V1 is __NODL_NVRAM of v0. */
static void name_for(MkPartition *partition, bool v0)
{
    static const char *const prefixes[] = {"__NODL_RSV_", "__NODL_"};
    const char *bare = partition->name;
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(bare, prefixes[i])) {
            bare += strlen(prefixes[i]);
            break;
        }
    if (v0 == (bare != partition->name) || (v0 && !partition->hidden))
        return;
    char *name = g_strconcat(v0 ? "__NODL_" : "", bare, NULL);
    g_free(partition->name);
    partition->name = name;
}

static int by_place(gconstpointer a, gconstpointer b)
{
    const MkPartition *one = *(MkPartition *const *)a, *other = *(MkPartition *const *)b;
    return one->start < other->start ? -1 : one->start > other->start;
}

static MkPartition *insert(MkLayout *layout, int index, const char *name, MkRegion region, uint64_t start,
                           uint64_t size)
{
    MkPartition *partition = mk_layout_add(layout, name);
    g_ptr_array_steal_index(layout->partitions, layout->partitions->len - 1);
    g_ptr_array_insert(layout->partitions, index, partition);
    partition->region = region;
    partition->storage = layout->storage;
    partition->start = partition->linear = partition->physical = start;
    partition->size = size;
    partition->resolved = true;
    return partition;
}

/* What a GPT does not say of itself: the preloader before it, the two copies of the table around it. */
static void add_gpt_rows(MkLayout *layout, const MkGeometry *geometry)
{
    bool ufs = layout->storage == MK_STORAGE_UFS;
    MkRegion main = ufs ? MK_REGION_LU2 : MK_REGION_USER;
    GPtrArray *partitions = layout->partitions;
    uint64_t capacity = geometry ? mk_geometry_region_size(geometry, main) : 0;
    g_ptr_array_sort(partitions, by_place);
    const MkPartition *first = partitions->len ? partitions->pdata[0] : NULL,
                      *last = partitions->len ? partitions->pdata[partitions->len - 1] : NULL;
    uint64_t begin = first ? first->start : 0, end = last ? last->start + last->size : 0,
             sgpt = ufs ? 0x8000 : SGPT_SIZE;
    /* Behind a reserved one there is nothing but the table; behind another there may be free room. */
    if (last && mk_class_by_name(last->name) == MK_CLASS_RESERVED && end < capacity)
        sgpt = capacity - end;
    if (!mk_layout_find(layout, "pgpt"))
        insert(layout, 0, "pgpt", main, 0, begin);
    if (!mk_layout_find(layout, "preloader"))
        insert(layout, 0, "preloader", ufs ? MK_REGION_LU0_LU1 : MK_REGION_BOOT1_BOOT2, 0, PRELOADER_SIZE);
    if (mk_layout_find(layout, "sgpt"))
        return;
    MkPartition *row = insert(layout, (int)partitions->len, "sgpt", main, MAX(capacity, end + sgpt) - sgpt, sgpt);
    row->reserved = true;
    if (capacity)
        return;
    row->linear = row->physical = MK_FROM_END_MASK;
    row->resolved = false;
}

/* Reserved rows at the end are counted from it: the same file then serves a chip of another size (spec scatter.md 6). */
static void count_from_end(MkLayout *layout)
{
    uint64_t sum = 0, block = layout->block_size ? layout->block_size : 0x20000;
    for (guint i = layout->partitions->len; i-- > 0;) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (!partition->reserved || mk_scatter_is_from_end(partition->physical))
            return;
        sum += partition->size;
        partition->linear = partition->physical = MK_FROM_END_MASK | (sum / block & 0xFFFF);
        partition->resolved = false;
    }
}

/* v0 says where, not how much: a reserved row reaches to the next one (spec scatter.md 6). */
static void size_from_blocks(MkLayout *layout)
{
    uint64_t after = 0;
    for (guint i = layout->partitions->len; i-- > 0;) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (!mk_scatter_is_from_end(partition->linear))
            continue;
        uint64_t own = partition->linear & 0xFFFF;
        if (!partition->size && own > after)
            partition->size = (own - after) * (layout->block_size ? layout->block_size : 0x20000);
        after = own;
        partition->reserved = true;
    }
}

/* Offsets beside the linear addresses. */
static void add_offsets(MkLayout *layout)
{
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (partition->region == MK_REGION_LINEAR && !mk_scatter_is_from_end(partition->linear) &&
            partition->linear >= layout->header)
            partition->physical = partition->linear - layout->header;
    }
}

MkLayout *mk_scatter_from_table(const MkLayout *table, MkLayoutKind kind, const MkGeometry *geometry)
{
    MkLayout *layout = mk_layout_copy(table);
    bool v0 = kind == MK_LAYOUT_SCATTER_V0,
         scatter = table->kind == MK_LAYOUT_SCATTER_V1 || table->kind == MK_LAYOUT_SCATTER_XML;
    if (table->kind == MK_LAYOUT_MBR || (scatter && !v0) || (v0 && table->kind == MK_LAYOUT_SCATTER_V0))
        return layout;
    if (table->kind == MK_LAYOUT_GPT)
        add_gpt_rows(layout, geometry);
    for (guint i = 0; i < layout->partitions->len; i++) {
        if (!scatter)
            classify(layout->partitions->pdata[i], layout->storage);
        name_for(layout->partitions->pdata[i], v0);
    }
    if (table->kind == MK_LAYOUT_GPT && geometry)
        count_from_end(layout);
    if (table->kind != MK_LAYOUT_GPT && !scatter) {
        size_from_blocks(layout);
        add_offsets(layout);
    }
    return layout;
}
