/* The MBR and EBR sectors of the time before GPT (spec tables.md 3): not the chain of PCs, every EBR holds up to four slots. */
#include "layout/layout.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

#define SECTOR         512u
#define SLOTS          446u
#define MOST_EBRS      4u
#define TYPE_EXTENDED  0x05
#define TYPE_LINUX     0x83
#define MT6577_RESERVE (UINT64_C(1) << 20) /* slots there are 1 MiB shorter */
#define SEC_RO_FS      (UINT64_C(6) << 20) /* a smaller SEC_RO is raw */

typedef struct {
    uint8_t type;
    uint32_t start, count;
} Slot;

static bool parse_sector(const uint8_t *sector, Slot slots[4])
{
    for (int i = 0; i < 4; i++) {
        const uint8_t *slot = sector + SLOTS + 16 * i;
        slots[i] = (Slot){.type = slot[4], .start = mk_le32(slot + 8), .count = mk_le32(slot + 12)};
        if (slots[i].type != 0 && slots[i].type != TYPE_EXTENDED && slots[i].type != TYPE_LINUX &&
            slots[i].type != 0x0C && slots[i].type != 0x0B)
            return false;
    }
    return sector[510] == 0x55 && sector[511] == 0xAA;
}

static bool read_sector(MkStore *user, uint64_t lba, Slot slots[4], bool *good, GCancellable *cancel, GError **error)
{
    uint8_t sector[SECTOR];
    *good = false;
    if (lba >= user->size / SECTOR)
        return true;
    if (!mk_store_read(user, lba * SECTOR, sector, SECTOR, cancel, error))
        return false;
    *good = parse_sector(sector, slots);
    return true;
}

static void add_slot(MkLayout *layout, const char *name, uint64_t lba, uint64_t count, uint64_t capacity)
{
    MkPartition *partition = mk_layout_add(layout, name);
    uint64_t sectors = capacity / SECTOR;
    partition->region = MK_REGION_USER;
    partition->storage = MK_STORAGE_EMMC;
    partition->start = partition->linear = partition->physical = lba * SECTOR;
    /* The last slot reaches beyond the chip: "to the end". */
    partition->grows = lba + count > sectors;
    partition->size = lba >= sectors ? 0 : MIN(count, sectors - lba) * SECTOR;
    partition->operation = MK_OP_UPDATE;
    partition->resolved = true;
}

/* Walks EBR1 and its successors; *good false where one is broken. */
static bool walk(MkStore *user, MkLayout *layout, uint64_t ebr1, unsigned *number, bool *good, GCancellable *cancel,
                 GError **error)
{
    uint64_t ebr = ebr1;
    for (unsigned n = 0; n < MOST_EBRS && *good && ebr; n++) {
        Slot slots[4];
        if (!read_sector(user, ebr, slots, good, cancel, error))
            return false;
        uint64_t next = 0;
        for (int i = 0; *good && i < 4; i++) {
            if (slots[i].type == TYPE_EXTENDED)
                next = ebr1 + slots[i].start;
            else if (slots[i].type) {
                g_autofree char *name = g_strdup_printf("p%u", (*number)++);
                add_slot(layout, name, ebr + slots[i].start, slots[i].count, user->size);
            }
        }
        ebr = next > ebr ? next : 0;
    }
    return true;
}

MkTable *mk_mbr_read(MkStore *user, GPtrArray *findings, GCancellable *cancel, GError **error)
{
    Slot slots[4];
    bool good;
    g_autoptr(MkTable) table = g_new0(MkTable, 1);
    if (!read_sector(user, 0, slots, &good, cancel, error))
        return NULL;
    if (!good || slots[0].type != TYPE_EXTENDED)
        return g_steal_pointer(&table);
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_MBR);
    layout->storage = MK_STORAGE_EMMC;
    layout->block_size = 0x20000;
    unsigned number = 2;
    for (int i = 1; i < 4; i++)
        if (slots[i].type) {
            g_autofree char *name = g_strdup_printf("p%u", number++);
            add_slot(layout, name, slots[i].start, slots[i].count, user->size);
        }
    if (!walk(user, layout, slots[0].start, &number, &good, cancel, error))
        return NULL;
    table->primary = good ? MK_COPY_GOOD : MK_COPY_BAD;
    if (good)
        table->layout = g_steal_pointer(&layout);
    else
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.mbr", 0,
                       _("The MBR is there, but an EBR sector that it names is not."));
    return g_steal_pointer(&table);
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static bool has_slot(const MkPartition *partition)
{
    static const char *const names[] = {"protect1", "protect2", "frp", "system", "cache", "userdata", "fat"};
    g_autofree char *name = mk_partition_canonical(partition->name);
    if (partition->region != MK_REGION_USER || !partition->size)
        return false;
    if (!strcmp(name, "secro"))
        return partition->size >= SEC_RO_FS;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (!strcmp(name, names[i]))
            return true;
    return partition->type == MK_TYPE_EXT4_IMG || partition->type == MK_TYPE_FAT_IMG ||
           partition->type == MK_TYPE_YAFFS_IMG;
}

static void put_slot(uint8_t *sector, int slot, uint8_t type, uint64_t start, uint64_t count)
{
    uint8_t *at = sector + SLOTS + 16 * slot;
    uint32_t words[2] = {GUINT32_TO_LE((uint32_t)start), GUINT32_TO_LE((uint32_t)count)};
    at[4] = type;
    memcpy(at + 8, words, sizeof words);
}

typedef struct {
    const MkLayout *layout;
    GPtrArray *slots; /* MkPartition with a slot, in order */
    GPtrArray *ebrs;  /* MkPartition EBR1, EBR2, … */
    uint64_t ebr1;    /* sectors */
    uint64_t reserve;
} Encoding;

static void put_partition(const Encoding *encoding, uint8_t *sector, int slot, guint index, uint64_t base)
{
    const MkPartition *partition = encoding->slots->pdata[index];
    uint64_t start = partition->start / SECTOR, count;
    if (index + 1 == encoding->slots->len)
        count = 0xFFFFFFFF - (start - encoding->ebr1); /* the last one: to the end */
    else
        count = (partition->size - MIN(encoding->reserve, partition->size)) / SECTOR;
    put_slot(sector, slot, TYPE_LINUX, start - base, count);
}

static void add_sector(GPtrArray *patches, uint64_t offset, const uint8_t *sector, const char *what)
{
    MkPatch *patch = g_new0(MkPatch, 1);
    patch->region = MK_REGION_USER;
    patch->offset = offset;
    patch->data = g_bytes_new(sector, SECTOR);
    patch->what = g_strdup(what);
    g_ptr_array_add(patches, patch);
}

static void begin_sector(uint8_t *sector)
{
    memset(sector, 0, SECTOR);
    sector[510] = 0x55;
    sector[511] = 0xAA;
}

static bool collect(Encoding *encoding, const MkLayout *layout, GError **error)
{
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        g_autofree char *name = mk_partition_canonical(partition->name);
        if (g_str_has_prefix(name, "ebr"))
            g_ptr_array_add(encoding->ebrs, partition);
        else if (has_slot(partition))
            g_ptr_array_add(encoding->slots, partition);
    }
    guint room = 3;
    for (guint i = 0; i < encoding->ebrs->len; i++)
        room += i + 1 < encoding->ebrs->len ? 3 : 4;
    const MkPartition *mbr = mk_layout_find(layout, "mbr");
    if (mbr && mbr->resolved && !mbr->start && encoding->ebrs->len && encoding->slots->len <= room)
        return true;
    mk_fault_set(error, MK_FAULT_TABLE_BAD,
                 _("This layout cannot be written as MBR and EBR: it needs MBR at the beginning, EBR1, and room for "
                   "every file system."));
    return false;
}

static void encode_ebrs(const Encoding *encoding, GPtrArray *patches, guint next)
{
    for (guint n = 0; n < encoding->ebrs->len; n++) {
        const MkPartition *ebr = encoding->ebrs->pdata[n],
                          *successor = n + 1 < encoding->ebrs->len ? encoding->ebrs->pdata[n + 1] : NULL;
        uint8_t sector[SECTOR];
        begin_sector(sector);
        for (int slot = 0; slot < (successor ? 3 : 4) && next < encoding->slots->len; slot++)
            put_partition(encoding, sector, slot, next++, ebr->start / SECTOR);
        if (successor)
            put_slot(sector, 3, TYPE_EXTENDED, successor->start / SECTOR - encoding->ebr1, 0xFFFFFFFF);
        add_sector(patches, ebr->start, sector, ebr->name);
    }
}

GPtrArray *mk_mbr_encode(const MkLayout *layout, const MkGeometry *geometry, GError **error)
{
    g_autoptr(GPtrArray) slots = g_ptr_array_new(), ebrs = g_ptr_array_new();
    bool old = layout->platform &&
               (!g_ascii_strcasecmp(layout->platform, "MT6577") || !g_ascii_strcasecmp(layout->platform, "MT6575"));
    Encoding encoding = {.layout = layout, .slots = slots, .ebrs = ebrs, .reserve = old ? MT6577_RESERVE : 0};
    if (!collect(&encoding, layout, error))
        return NULL;
    GPtrArray *patches = g_ptr_array_new_with_free_func((GDestroyNotify)mk_patch_free);
    encoding.ebr1 = ((const MkPartition *)ebrs->pdata[0])->start / SECTOR;
    guint in_mbr = MIN(3, slots->len);
    encode_ebrs(&encoding, patches, in_mbr);
    uint8_t sector[SECTOR];
    begin_sector(sector);
    put_slot(sector, 0, TYPE_EXTENDED, encoding.ebr1, 0xFFFFFFFF);
    for (guint i = 0; i < in_mbr; i++)
        put_partition(&encoding, sector, (int)i + 1, i, 0);
    add_sector(patches, 0, sector, "MBR");
    return patches;
}
