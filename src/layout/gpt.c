/* GPT, 512 and 4096 bytes a sector: read, judge both copies, encode, repair (spec tables.md 6). */
#include "layout/layout.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

#define ENTRY_SIZE   128u
#define ENTRIES      128u
#define HEADER_SIZE  92u
#define FIRST_USABLE 34u
#define NAME_BYTES   72u

static const uint8_t basic_data[16] = {0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44,
                                       0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7};

typedef struct {
    uint64_t own, other, first_usable, last_usable, entries_lba;
    uint32_t count, entries_crc;
} Header;

typedef struct {
    MkCopyState state;
    uint32_t sector;
    uint64_t lba; /* where it was found */
    Header header;
    GBytes *entries;
} Copy;

static void copy_clear(Copy *copy)
{
    g_clear_pointer(&copy->entries, g_bytes_unref);
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

static const char *parse_header(const uint8_t *data, size_t length, uint64_t lba, Header *header)
{
    MkReader reader = mk_reader(data, length);
    uint8_t copy[HEADER_SIZE];
    mk_reader_seek(&reader, 8);
    uint32_t revision = mk_reader_le32(&reader), size = mk_reader_le32(&reader), crc = mk_reader_le32(&reader);
    mk_reader_le32(&reader);
    header->own = mk_reader_le64(&reader);
    header->other = mk_reader_le64(&reader);
    header->first_usable = mk_reader_le64(&reader);
    header->last_usable = mk_reader_le64(&reader);
    mk_reader_take(&reader, 16);
    header->entries_lba = mk_reader_le64(&reader);
    header->count = mk_reader_le32(&reader);
    uint32_t entry_size = mk_reader_le32(&reader);
    header->entries_crc = mk_reader_le32(&reader);
    if (reader.failed || size != HEADER_SIZE || entry_size != ENTRY_SIZE || revision >> 16 != 1)
        return _("its header has an unusual form");
    memcpy(copy, data, HEADER_SIZE);
    memset(copy + 16, 0, 4);
    if (mk_crc32(0, copy, HEADER_SIZE) != crc)
        return _("its header has a wrong checksum");
    if (header->own != lba)
        return _("its header belongs to another place");
    if (!header->count || header->count > ENTRIES)
        return _("it claims an impossible number of partitions");
    return NULL;
}

static const char *read_entries(MkStore *user, Copy *copy, GCancellable *cancel, bool *io, GError **error)
{
    size_t length = (size_t)copy->header.count * ENTRY_SIZE;
    uint64_t offset;
    if (__builtin_mul_overflow(copy->header.entries_lba, copy->sector, &offset) || offset > user->size ||
        length > user->size - offset)
        return _("its list lies outside the storage");
    g_autofree uint8_t *entries = g_malloc(length);
    if (!mk_store_read(user, offset, entries, length, cancel, error)) {
        *io = false;
        return NULL;
    }
    if (mk_crc32(0, entries, length) != copy->header.entries_crc)
        return _("its list has a wrong checksum");
    copy->entries = g_bytes_new_take(g_steal_pointer(&entries), length);
    return NULL;
}

/* False only if reading fails. */
static bool read_copy(MkStore *user, uint32_t sector, uint64_t lba, const char *name, Copy *copy, GPtrArray *findings,
                      GCancellable *cancel, GError **error)
{
    uint8_t data[HEADER_SIZE];
    bool io = true;
    *copy = (Copy){.state = MK_COPY_ABSENT, .sector = sector, .lba = lba};
    if (lba > user->size / sector || user->size - lba * sector < sector)
        return true;
    if (!mk_store_read(user, lba * sector, data, sizeof data, cancel, error))
        return false;
    if (memcmp(data, "EFI PART", 8))
        return true;
    const char *trouble = parse_header(data, sizeof data, lba, &copy->header);
    if (!trouble)
        trouble = read_entries(user, copy, cancel, &io, error);
    copy->state = trouble ? MK_COPY_BAD : MK_COPY_GOOD;
    if (trouble)
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.gpt", 0, _("The %s GPT is damaged: %s."), name, trouble);
    return io;
}

static char *entry_name(const uint8_t *name)
{
    /* An old form has plain 8-bit text (spec tables.md 6.1). */
    if (name[1]) {
        MkReader reader = mk_reader(name, 64);
        return mk_reader_text(&reader, 64);
    }
    gunichar2 wide[NAME_BYTES / 2];
    for (size_t i = 0; i < NAME_BYTES / 2; i++)
        wide[i] = mk_le16(name + 2 * i);
    char *text = g_utf16_to_utf8(wide, NAME_BYTES / 2, NULL, NULL, NULL);
    for (char *c = text; c && *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = '?';
    return text ? text : g_strdup("?");
}

static MkLayout *parse_entries(const Copy *copy)
{
    MkLayout *layout = mk_layout_new(MK_LAYOUT_GPT);
    gsize length;
    const uint8_t *data = g_bytes_get_data(copy->entries, &length);
    layout->storage = copy->sector == 4096 ? MK_STORAGE_UFS : MK_STORAGE_EMMC;
    layout->block_size = copy->sector == 4096 ? 0x80000 : 0x20000;
    for (size_t at = 0; at + ENTRY_SIZE <= length; at += ENTRY_SIZE) {
        const uint8_t *entry = data + at;
        uint64_t first = mk_le64(entry + 32), last = mk_le64(entry + 40), start, size;
        uint8_t value;
        if (mk_is_uniform(entry, 16, &value) && !value)
            continue;
        if (last < first || __builtin_mul_overflow(first, copy->sector, &start) ||
            __builtin_mul_overflow(last - first + 1, copy->sector, &size))
            continue;
        g_autofree char *name = entry_name(entry + 56);
        MkPartition *partition = mk_layout_add(layout, name);
        partition->region = copy->sector == 4096 ? MK_REGION_LU2 : MK_REGION_USER;
        partition->storage = layout->storage;
        partition->start = partition->linear = partition->physical = start;
        partition->size = size;
        partition->attributes = mk_le64(entry + 48);
        memcpy(partition->guid, entry + 16, 16);
        partition->resolved = true;
        partition->boundary_check = true;
        partition->operation = MK_OP_UPDATE;
    }
    return layout;
}

static bool same_table(const Copy *a, const Copy *b)
{
    return a->header.entries_crc == b->header.entries_crc && a->header.count == b->header.count;
}

static bool read_both(MkStore *user, Copy *primary, Copy *secondary, GPtrArray *findings, GCancellable *cancel,
                      GError **error)
{
    static const uint32_t sectors[] = {512, 4096};
    for (gsize i = 0; i < G_N_ELEMENTS(sectors); i++) {
        uint64_t last = user->size / sectors[i];
        if (!last || !read_copy(user, sectors[i], 1, _("primary"), primary, findings, cancel, error) ||
            !read_copy(user, sectors[i], last - 1, _("backup"), secondary, findings, cancel, error))
            return false;
        if (primary->state != MK_COPY_ABSENT || secondary->state != MK_COPY_ABSENT)
            return true;
    }
    return true;
}

MkTable *mk_gpt_read(MkStore *user, GPtrArray *findings, GCancellable *cancel, GError **error)
{
    Copy primary = {0}, secondary = {0};
    g_autoptr(MkTable) table = g_new0(MkTable, 1);
    bool ok = user->size < 4096 || read_both(user, &primary, &secondary, findings, cancel, error);
    table->primary = primary.state;
    table->secondary = secondary.state;
    table->entry_size = ENTRY_SIZE;
    table->primary_offset = primary.lba * primary.sector;
    table->secondary_offset = secondary.lba * secondary.sector;
    const Copy *good = primary.state == MK_COPY_GOOD ? &primary : secondary.state == MK_COPY_GOOD ? &secondary : NULL;
    table->layout = ok && good ? parse_entries(good) : NULL;
    table->differ =
        primary.state == MK_COPY_GOOD && secondary.state == MK_COPY_GOOD && !same_table(&primary, &secondary);
    bool any = primary.state != MK_COPY_ABSENT || secondary.state != MK_COPY_ABSENT;
    if (ok && any && (primary.state == MK_COPY_ABSENT || secondary.state == MK_COPY_ABSENT))
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.gpt", 0,
                       primary.state == MK_COPY_ABSENT ? _("The primary GPT is missing.")
                                                       : _("The backup GPT is missing."));
    if (table->differ)
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.gpt", 0,
                       _("The primary and the backup GPT are both whole, but not the same."));
    copy_clear(&primary);
    copy_clear(&secondary);
    return ok ? g_steal_pointer(&table) : NULL;
}

MkLayout *mk_gpt_parse_file(const void *data, size_t length, GPtrArray *findings, GError **error)
{
    /* With or without the protective MBR in front (spec tables.md 6.3): put it where a device has it. */
    const uint8_t *bytes = data;
    if (length < 512) {
        mk_fault_set(error, MK_FAULT_TABLE_BAD, _("The file is too short for a GPT."));
        return NULL;
    }
    bool bare = !memcmp(bytes, "EFI PART", 8);
    size_t shift = bare ? 512 : 0;
    g_autofree uint8_t *device = g_malloc0(length + shift);
    memcpy(device + shift, data, length);
    g_autoptr(MkStore) store = mk_store_memory_new(device, length + shift);
    g_autoptr(MkTable) table = mk_gpt_read(store, findings, NULL, error);
    if (!table)
        return NULL;
    if (!table->layout)
        mk_fault_set(error, MK_FAULT_TABLE_BAD,
                     _("There is no whole GPT in the file (templates of a ROM become whole only on a phone)."));
    return table->layout ? mk_layout_ref(table->layout) : NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static bool stands_in_gpt(const MkPartition *partition, MkRegion main)
{
    g_autofree char *name = mk_partition_canonical(partition->name);
    return partition->region == main && strcmp(name, "pgpt") && strcmp(name, "sgpt") && strcmp(name, "pmt") &&
           strcmp(name, "mbr") && !g_str_has_prefix(name, "preloader") && partition->size;
}

static void put_entry(GByteArray *entries, const MkPartition *partition, unsigned index, uint32_t sector)
{
    /* The agent's own form: first 32 bits = index (spec tables.md 6.1). */
    static const uint8_t tail[12] = {0xC2, 0x39, 0x88, 0x44, 0x9B, 0xB0, 0x00, 0xCB, 0x43, 0xC9, 0xCC, 0xD4};
    uint8_t value;
    bool has_guid = !mk_is_uniform(partition->guid, 16, &value);
    g_byte_array_append(entries, basic_data, 16);
    if (has_guid)
        g_byte_array_append(entries, partition->guid, 16);
    else {
        mk_put_le32(entries, index);
        g_byte_array_append(entries, tail, sizeof tail);
    }
    mk_put_le64(entries, partition->start / sector);
    mk_put_le64(entries, (partition->start + partition->size - 1) / sector);
    mk_put_le64(entries, partition->attributes);
    glong units = 0;
    g_autofree gunichar2 *wide = g_utf8_to_utf16(partition->name, -1, NULL, &units, NULL);
    for (glong i = 0; i < (glong)(NAME_BYTES / 2); i++)
        mk_put_le16(entries, wide && i < units ? wide[i] : 0);
}

static GBytes *make_header(const Header *header)
{
    GByteArray *data = g_byte_array_new();
    g_byte_array_append(data, (const guint8 *)"EFI PART", 8);
    mk_put_le32(data, 0x00010000);
    mk_put_le32(data, HEADER_SIZE);
    mk_put_le64(data, 0); /* CRC, reserved */
    mk_put_le64(data, header->own);
    mk_put_le64(data, header->other);
    mk_put_le64(data, header->first_usable);
    mk_put_le64(data, header->last_usable);
    mk_put_fill(data, 0, 16);
    mk_put_le64(data, header->entries_lba);
    mk_put_le32(data, header->count);
    mk_put_le32(data, ENTRY_SIZE);
    mk_put_le32(data, header->entries_crc);
    uint32_t crc = GUINT32_TO_LE(mk_crc32(0, data->data, HEADER_SIZE));
    memcpy(data->data + 16, &crc, 4);
    return g_byte_array_free_to_bytes(data);
}

static void put_sector(GByteArray *array, GBytes *content, uint32_t sector)
{
    gsize length;
    const void *data = g_bytes_get_data(content, &length);
    g_byte_array_append(array, data, (guint)length);
    mk_put_fill(array, 0, (size_t)(mk_round_up(length, sector) - length));
}

static void put_protective_mbr(GByteArray *array, uint64_t last, uint32_t sector)
{
    mk_put_fill(array, 0, 446);
    mk_put_le32(array, 0x00020000); /* status 0, CHS 0/0/2 */
    mk_put_le32(array, 0xFFFFFFEE); /* type EE, CHS end */
    mk_put_le32(array, 1);
    mk_put_le32(array, (uint32_t)MIN(last, UINT32_MAX));
    mk_put_fill(array, 0, 48);
    mk_put_u8(array, 0x55);
    mk_put_u8(array, 0xAA);
    mk_put_fill(array, 0, sector - 512);
}

static void add_patch(GPtrArray *patches, MkRegion region, uint64_t offset, GByteArray *data, const char *what)
{
    MkPatch *patch = g_new0(MkPatch, 1);
    patch->region = region;
    patch->offset = offset;
    patch->data = g_byte_array_free_to_bytes(data);
    patch->what = g_strdup(what);
    g_ptr_array_add(patches, patch);
}

typedef struct {
    MkRegion region;
    uint32_t sector;
    uint64_t last, first_usable, last_usable;
    GBytes *entries; /* whole list, a multiple of the sector */
} Encoding;

static Header header_for(const Encoding *encoding, bool primary)
{
    gsize length;
    const void *data = g_bytes_get_data(encoding->entries, &length);
    return (Header){.own = primary ? 1 : encoding->last,
                    .other = primary ? encoding->last : 1,
                    .first_usable = encoding->first_usable,
                    .last_usable = encoding->last_usable,
                    .entries_lba = primary ? 2 : encoding->last - length / encoding->sector,
                    .count = ENTRIES,
                    .entries_crc = mk_crc32(0, data, length)};
}

static void add_primary(GPtrArray *patches, const Encoding *encoding)
{
    GByteArray *data = g_byte_array_new();
    Header header = header_for(encoding, true);
    g_autoptr(GBytes) bytes = make_header(&header);
    put_protective_mbr(data, encoding->last, encoding->sector);
    put_sector(data, bytes, encoding->sector);
    put_sector(data, encoding->entries, encoding->sector);
    add_patch(patches, encoding->region, 0, data, "primary GPT");
}

static void add_backup(GPtrArray *patches, const Encoding *encoding)
{
    GByteArray *data = g_byte_array_new();
    Header header = header_for(encoding, false);
    g_autoptr(GBytes) bytes = make_header(&header);
    put_sector(data, encoding->entries, encoding->sector);
    put_sector(data, bytes, encoding->sector);
    add_patch(patches, encoding->region, header.entries_lba * encoding->sector, data, "backup GPT");
}

static bool geometry_of(const MkGeometry *geometry, Encoding *encoding, GError **error)
{
    bool ufs = geometry->storage == MK_STORAGE_UFS;
    encoding->region = mk_geometry_main_region(geometry);
    uint64_t size = mk_geometry_region_size(geometry, encoding->region);
    encoding->sector = geometry->sector ? geometry->sector : ufs ? 4096 : 512;
    if (size / encoding->sector < 128) {
        mk_fault_set(error, MK_FAULT_STOR_SMALL, _("The storage is too small for a GPT."));
        return false;
    }
    encoding->last = size / encoding->sector - 1;
    return true;
}

GPtrArray *mk_gpt_encode(const MkLayout *layout, const MkGeometry *geometry, GError **error)
{
    Encoding encoding = {0};
    if (!geometry_of(geometry, &encoding, error))
        return NULL;
    GByteArray *entries = g_byte_array_new();
    unsigned count = 0;
    uint64_t first = FIRST_USABLE;
    for (guint i = 0; i < layout->partitions->len && count < ENTRIES; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        if (!stands_in_gpt(partition, encoding.region))
            continue;
        put_entry(entries, partition, count++, encoding.sector);
        first = MIN(first, partition->start / encoding.sector);
    }
    mk_put_fill(entries, 0, ENTRIES * ENTRY_SIZE - entries->len);
    encoding.entries = g_byte_array_free_to_bytes(entries);
    const MkPartition *sgpt = mk_layout_find(layout, "sgpt");
    /* 34 everywhere, also on UFS, where genuine first partitions begin below it (spec tables.md 6.1, 11): other readers take no
     * partition that begins before the first usable sector, so it says what is true. */
    encoding.first_usable = MIN(FIRST_USABLE, first);
    uint64_t own = ENTRIES * ENTRY_SIZE / encoding.sector + 1,
             area = sgpt && sgpt->size / encoding.sector >= own ? sgpt->size / encoding.sector : own;
    encoding.last_usable = encoding.last - MIN(area, encoding.last);
    GPtrArray *patches = g_ptr_array_new_with_free_func((GDestroyNotify)mk_patch_free);
    /* The backup first: at every moment one copy is whole. */
    add_backup(patches, &encoding);
    add_primary(patches, &encoding);
    g_bytes_unref(encoding.entries);
    return patches;
}

/* The good copy's own list, padded to a full one, in both places. */
static GPtrArray *repair_from(const Copy *good, bool write_primary, uint64_t size, MkRegion region)
{
    GPtrArray *patches = g_ptr_array_new_with_free_func((GDestroyNotify)mk_patch_free);
    GByteArray *entries = g_byte_array_new();
    gsize length;
    const uint8_t *data = g_bytes_get_data(good->entries, &length);
    g_byte_array_append(entries, data, (guint)length);
    mk_put_fill(entries, 0, ENTRIES * ENTRY_SIZE - length);
    Encoding encoding = {.region = region,
                         .sector = good->sector,
                         .last = size / good->sector - 1,
                         .first_usable = good->header.first_usable,
                         .last_usable = good->header.last_usable,
                         .entries = g_byte_array_free_to_bytes(entries)};
    if (write_primary)
        add_primary(patches, &encoding);
    else
        add_backup(patches, &encoding);
    /* A list with fewer than 128 places has another checksum once it is padded: both copies get the new one. */
    if (good->header.count != ENTRIES && write_primary)
        add_backup(patches, &encoding);
    else if (good->header.count != ENTRIES)
        add_primary(patches, &encoding);
    g_bytes_unref(encoding.entries);
    return patches;
}

GPtrArray *mk_gpt_repair(MkStore *user, GCancellable *cancel, GError **error)
{
    Copy primary = {0}, secondary = {0};
    GPtrArray *patches = NULL;
    if (read_both(user, &primary, &secondary, NULL, cancel, error)) {
        MkRegion region = user->region == MK_REGION_NONE ? MK_REGION_USER : user->region;
        if (primary.state == MK_COPY_GOOD)
            patches = repair_from(&primary, false, user->size, region);
        else if (secondary.state == MK_COPY_GOOD)
            patches = repair_from(&secondary, true, user->size, region);
        else if (primary.state == MK_COPY_ABSENT && secondary.state == MK_COPY_ABSENT)
            mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 0xC003000E, "STATUS_PARTITION_TBL_NOT_EXIST",
                                _("There is no GPT."));
        else
            mk_fault_set_number(error, MK_FAULT_TABLE_BAD, 0xC0030008, "STATUS_INVALID_GPT",
                                _("Neither copy of the GPT is whole."));
    }
    copy_clear(&primary);
    copy_clear(&secondary);
    return patches;
}
