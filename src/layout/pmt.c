/* The eMMC PMT: pages with a signature at both ends, a main table and its mirror (spec tables.md 4, hosts.md). */
#include "layout/pmt.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

#define SCAN         (UINT64_C(12) << 20)
#define PAGE         2048u
#define AGENT_PAGE   4096u
#define AGENT_MAIN   (UINT64_C(0x100000)) /* before the end of the user area */
#define AGENT_MIRROR (UINT64_C(0xFF000))
#define MOST_ENTRIES 128u
#define NAME         64u

typedef struct {
    bool mirror;
    uint64_t offset;
    uint32_t page;
    uint32_t info;
    unsigned entry_size;
    MkLayout *layout; /* linear addresses; NULL: damaged */
} Found;

/* --- entries, as on flash and as on the wire ----------------------------------------------------------------------- */

static bool name_is_good(const uint8_t *name)
{
    size_t length = strnlen((const char *)name, NAME);
    if (!length || length == NAME)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isgraph(name[i]))
            return false;
    return true;
}

static bool is_end(const uint8_t *entry)
{
    return entry[0] == 0x00 || entry[0] == 0xFF;
}

typedef struct {
    uint64_t size, id, offset, flags;
} Fields;

static Fields parse_fields(const uint8_t *entry, unsigned entry_size)
{
    const uint8_t *at = entry + NAME;
    if (entry_size == 76)
        return (Fields){.size = mk_le32(at), .offset = mk_le32(at + 4), .flags = mk_le32(at + 8)};
    if (entry_size == 88)
        return (Fields){.size = mk_le64(at), .offset = mk_le64(at + 8), .flags = mk_le64(at + 16)};
    return (Fields){.size = mk_le64(at), .id = mk_le64(at + 8), .offset = mk_le64(at + 16), .flags = mk_le64(at + 24)};
}

/* How many entries read sensibly in this size? Names printable, addresses rising (part ids start again at 0). */
static unsigned plausible(const uint8_t *data, size_t length, unsigned entry_size)
{
    uint64_t last = 0, last_id = 0;
    unsigned count = 0;
    for (size_t at = 0; at + entry_size <= length && count < MOST_ENTRIES; at += entry_size, count++) {
        if (is_end(data + at))
            return count;
        if (!name_is_good(data + at))
            return 0;
        Fields fields = parse_fields(data + at, entry_size);
        bool same_region = entry_size != 96 || fields.id == last_id;
        if (count && same_region && fields.offset < last)
            return 0;
        last = fields.offset;
        last_id = fields.id;
    }
    return count;
}

unsigned mk_pmt_entry_size(const uint8_t *data, size_t length, bool exact)
{
    static const unsigned sizes[] = {96, 88, 76};
    unsigned best = 0, most = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        unsigned count = exact && length % sizes[i] ? 0 : plausible(data, length, sizes[i]);
        if (count > most) {
            most = count;
            best = sizes[i];
        }
    }
    return best;
}

static MkRegion region_of_id(uint64_t id)
{
    return id == 1 ? MK_REGION_BOOT1 : id == 2 ? MK_REGION_BOOT2 : id == 8 ? MK_REGION_USER : MK_REGION_LINEAR;
}

void mk_pmt_add_entries(MkLayout *layout, const uint8_t *data, size_t length, unsigned entry_size)
{
    for (size_t at = 0; at + entry_size <= length && layout->partitions->len < MOST_ENTRIES && !is_end(data + at);
         at += entry_size) {
        MkReader reader = mk_reader(data + at, NAME);
        g_autofree char *name = mk_reader_text(&reader, NAME);
        Fields fields = parse_fields(data + at, entry_size);
        MkPartition *partition = mk_layout_add(layout, name);
        partition->linear = partition->physical = fields.offset;
        partition->size = fields.size;
        partition->attributes = fields.flags;
        partition->region = entry_size == 96 ? region_of_id(fields.id) : MK_REGION_LINEAR;
        MkClass klass = mk_class_by_name(name);
        partition->operation = klass == MK_CLASS_IDENTITY   ? MK_OP_PROTECTED
                               : klass == MK_CLASS_RESERVED ? MK_OP_RESERVED
                               : klass == MK_CLASS_BOOT     ? MK_OP_BOOTLOADERS
                                                            : MK_OP_UPDATE;
        partition->reserved = klass == MK_CLASS_RESERVED && fields.offset >= 0xFFFF0000;
        partition->hidden = g_str_has_prefix(name, "__NODL_");
        partition->download = !partition->hidden;
        partition->boundary_check = !partition->reserved;
    }
    const MkPartition *mbr = mk_layout_find(layout, "mbr");
    layout->header = mbr && mbr->region == MK_REGION_LINEAR ? mbr->linear : 0;
}

MkLayout *mk_pmt_parse_entries(const void *data, size_t length, GError **error)
{
    unsigned entry_size = mk_pmt_entry_size(data, length, true);
    if (!entry_size) {
        mk_fault_set_number(error, MK_FAULT_TABLE_BAD, 5073, "S_DL_READ_PT_FAIL",
                            _("The phone's partition list (%zu bytes) does not read as one."), length);
        return NULL;
    }
    MkLayout *layout = mk_layout_new(MK_LAYOUT_PMT);
    layout->block_size = 0x20000;
    mk_pmt_add_entries(layout, data, length, entry_size);
    return layout;
}

/* The address the old tables speak: linear where there is a header, the offset otherwise. */
static uint64_t linear_of(const MkLayout *layout, const MkPartition *partition)
{
    if (!partition->resolved || partition->reserved)
        return partition->linear; /* a BMTPOOL stays FFFFnnnn (golden/legacy-mt6582-pmt.txt) */
    return partition->region == MK_REGION_USER ? partition->start + layout->header : partition->start;
}

static void put_entry(GByteArray *array, const MkLayout *layout, const MkPartition *partition, unsigned entry_size)
{
    mk_put_text(array, partition->name, NAME - 1);
    mk_put_u8(array, 0);
    if (entry_size == 76) {
        mk_put_le32(array, (uint32_t)partition->size);
        mk_put_le32(array, (uint32_t)linear_of(layout, partition));
        mk_put_le32(array, (uint32_t)partition->attributes);
        return;
    }
    mk_put_le64(array, partition->size);
    if (entry_size == 96)
        mk_put_le64(array, 0xFF);
    mk_put_le64(array, linear_of(layout, partition));
    mk_put_le64(array, partition->attributes);
}

GBytes *mk_pmt_write_entries(const MkLayout *layout, unsigned entry_size)
{
    GByteArray *array = g_byte_array_new();
    for (guint i = 0; i < layout->partitions->len; i++)
        put_entry(array, layout, layout->partitions->pdata[i], entry_size);
    return g_byte_array_free_to_bytes(array);
}

/* --- pages on flash ------------------------------------------------------------------------------------------------ */

static bool is_signature(const uint8_t *data, bool *mirror, bool *v3)
{
    static const char *const signatures[] = {"1vTP", "1TPM", "3vTP", "3TPM"};
    for (int i = 0; i < 4; i++)
        if (!memcmp(data, signatures[i], 4)) {
            *mirror = i & 1;
            *v3 = i >= 2;
            return true;
        }
    return false;
}

/* A page of SIZE bytes at DATA; NEXT (may be NULL) is the page behind it. */
static MkLayout *parse_page(const uint8_t *data, const uint8_t *next, size_t size, bool v3, Found *found)
{
    bool agent_form = !memcmp(data + 4, "1.0", 4);
    size_t first = agent_form ? 8 : 4, room = size - 8 - first;
    unsigned entry_size = v3 ? 96 : mk_pmt_entry_size(data + first, room, false);
    if (!entry_size || !plausible(data + first, room, entry_size))
        return NULL;
    found->info = mk_le32(data + size - 8);
    found->entry_size = entry_size;
    MkLayout *layout = mk_layout_new(MK_LAYOUT_PMT);
    layout->storage = MK_STORAGE_EMMC;
    layout->block_size = 0x20000;
    mk_pmt_add_entries(layout, data + first, room / entry_size * entry_size, entry_size);
    bool more = (found->info >> 12 & 0xF) == 1 && next && !memcmp(next, data, 4) && !memcmp(next + size - 4, data, 4);
    if (more)
        mk_pmt_add_entries(layout, next + 4, (size - 12) / entry_size * entry_size, entry_size);
    return layout;
}

static bool found_page(const uint8_t *data, size_t left, uint64_t offset, Found *found)
{
    static const uint32_t pages[] = {PAGE, AGENT_PAGE};
    bool v3;
    if (left < PAGE || !is_signature(data, &found->mirror, &v3))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++) {
        if (left < pages[i] || memcmp(data + pages[i] - 4, data, 4))
            continue;
        found->offset = offset;
        found->page = pages[i];
        found->layout = parse_page(data, left >= 2 * pages[i] ? data + pages[i] : NULL, pages[i], v3, found);
        if (found->layout)
            return true;
    }
    /* The beginning of a table whose end is gone. */
    if (!name_is_good(data + 4) && !name_is_good(data + 8))
        return false;
    found->offset = offset;
    found->layout = NULL;
    return true;
}

static void keep(Found *slot, Found *found)
{
    if (slot->layout || (slot->offset != UINT64_MAX && !found->layout)) {
        g_clear_pointer(&found->layout, mk_layout_unref);
        return;
    }
    *slot = *found;
    found->layout = NULL;
}

static void scan(const uint8_t *data, size_t length, uint64_t base, Found *main, Found *mirror)
{
    for (size_t at = 0; at + PAGE <= length; at += 512) {
        Found found = {0};
        if (!found_page(data + at, length - at, base + at, &found))
            continue;
        bool second_page = found.layout && main->layout && !found.mirror && at + base == main->offset + main->page;
        if (second_page)
            mk_layout_unref(found.layout);
        else
            keep(found.mirror ? mirror : main, &found);
    }
}

static bool scan_range(MkStore *user, uint64_t offset, uint64_t length, Found *main, Found *mirror,
                       GCancellable *cancel, GError **error)
{
    if (offset >= user->size)
        return true;
    length = MIN(length, user->size - offset);
    g_autofree uint8_t *data = g_malloc(length);
    if (!mk_store_read(user, offset, data, length, cancel, error))
        return false;
    scan(data, length, offset, main, mirror);
    return true;
}

static bool find_tables(MkStore *user, Found *main, Found *mirror, GCancellable *cancel, GError **error)
{
    main->offset = mirror->offset = UINT64_MAX;
    if (user->size > AGENT_MAIN &&
        !scan_range(user, user->size - AGENT_MAIN, 3 * AGENT_PAGE, main, mirror, cancel, error))
        return false;
    if (main->layout || mirror->layout)
        return true;
    return scan_range(user, 0, SCAN, main, mirror, cancel, error);
}

static MkCopyState state_of(const Found *found)
{
    return found->offset == UINT64_MAX ? MK_COPY_ABSENT : found->layout ? MK_COPY_GOOD : MK_COPY_BAD;
}

static bool same_entries(const MkLayout *a, const MkLayout *b)
{
    g_autoptr(GBytes) x = mk_pmt_write_entries(a, 96), y = mk_pmt_write_entries(b, 96);
    return g_bytes_equal(x, y);
}

/* After a crash in the middle of an update the mirror carries pt_changed and wins (spec tables.md 4.3). */
static bool mirror_wins(const Found *main, const Found *mirror)
{
    return mirror->layout && (!main->layout || (mirror->info >> 24 & 0xF) == 1);
}

MkLayout *mk_pmt_entries(MkStore *user, GCancellable *cancel, GError **error)
{
    Found main = {0}, mirror = {0};
    bool ok = find_tables(user, &main, &mirror, cancel, error);
    MkLayout *layout = g_steal_pointer((main.layout ? &main.layout : &mirror.layout));
    g_clear_pointer(&main.layout, mk_layout_unref);
    g_clear_pointer(&mirror.layout, mk_layout_unref);
    if (!ok)
        g_clear_pointer(&layout, mk_layout_unref);
    return layout;
}

MkTable *mk_pmt_read(MkStore *user, const MkGeometry *geometry, GPtrArray *findings, GCancellable *cancel,
                     GError **error)
{
    Found main = {0}, mirror = {0};
    g_autoptr(MkTable) table = g_new0(MkTable, 1);
    bool ok = find_tables(user, &main, &mirror, cancel, error);
    table->primary = state_of(&main);
    table->secondary = state_of(&mirror);
    table->primary_offset = main.offset == UINT64_MAX ? 0 : main.offset;
    table->secondary_offset = mirror.offset == UINT64_MAX ? 0 : mirror.offset;
    const Found *used = mirror_wins(&main, &mirror) ? &mirror : &main;
    table->entry_size = used->entry_size;
    table->differ = main.layout && mirror.layout && !same_entries(main.layout, mirror.layout);
    if (ok && used->layout && mk_layout_resolve(used->layout, geometry, NULL))
        table->layout = mk_layout_ref(used->layout);
    else if (ok && used->layout)
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.pmt", 0,
                       _("The PMT does not fit this phone's storage: it belongs to another variant."));
    if (table->primary == MK_COPY_BAD || table->secondary == MK_COPY_BAD)
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.pmt", 0,
                       _("A copy of the PMT begins, but does not end as it should."));
    if (table->differ)
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.pmt", 0, _("The PMT and its mirror are not the same."));
    if (ok && used->layout && !table->layout && used == &main)
        table->primary = MK_COPY_BAD;
    g_clear_pointer(&main.layout, mk_layout_unref);
    g_clear_pointer(&mirror.layout, mk_layout_unref);
    return ok ? g_steal_pointer(&table) : NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------- */

static void add_patch(GPtrArray *patches, uint64_t offset, GByteArray *data, const char *what)
{
    MkPatch *patch = g_new0(MkPatch, 1);
    patch->region = MK_REGION_USER;
    patch->offset = offset;
    patch->data = g_byte_array_free_to_bytes(data);
    patch->what = g_strdup(what);
    g_ptr_array_add(patches, patch);
}

/* One page: entries [from, from + count) of LAYOUT. */
static void put_page(GByteArray *array, const MkLayout *layout, guint from, guint count, unsigned entry_size,
                     uint32_t page, const char *signature, uint32_t info)
{
    guint begin = array->len;
    g_byte_array_append(array, (const guint8 *)signature, 4);
    if (page == AGENT_PAGE)
        g_byte_array_append(array, (const guint8 *)"1.0", 4);
    for (guint i = from; i < from + count && i < layout->partitions->len; i++)
        put_entry(array, layout, layout->partitions->pdata[i], entry_size);
    mk_put_fill(array, 0, page - 8 - (array->len - begin));
    mk_put_le32(array, info);
    g_byte_array_append(array, (const guint8 *)signature, 4);
}

static GByteArray *make_pages(const MkLayout *layout, unsigned entry_size, uint32_t page, const char *signature,
                              uint8_t sequence)
{
    GByteArray *array = g_byte_array_new();
    guint per_page = (page - (page == AGENT_PAGE ? 16 : 12)) / entry_size;
    bool more = layout->partitions->len > per_page;
    /* sequence; updated by the tool, next page; both copies have room (spec tables.md 4.1) */
    uint32_t info = sequence | 1u << 8 | (more ? 1u << 12 : 0) | 1u << 20 | 1u << 28;
    put_page(array, layout, 0, per_page, entry_size, page, signature, info);
    if (more)
        put_page(array, layout, per_page, per_page, entry_size, page, signature, info & ~(1u << 12));
    return array;
}

GPtrArray *mk_pmt_encode(const MkLayout *layout, const MkGeometry *geometry, uint8_t sequence, GError **error)
{
    const MkPartition *place = mk_layout_find(layout, "pmt");
    bool agent_form = !place || place->region != MK_REGION_USER;
    uint32_t page = agent_form ? AGENT_PAGE : PAGE;
    unsigned entry_size = agent_form || geometry->user >= UINT64_C(4) << 30 ? 88 : 76;
    guint room = (page - (agent_form ? 16 : 12)) / entry_size * (agent_form ? 1 : 2);
    if (layout->partitions->len > room) {
        mk_fault_set_number(error, MK_FAULT_TABLE_BAD, 3185, "S_DA_EXCEED_MAX_PARTITION_COUNT",
                            _("The layout has %u partitions; a PMT holds %u."), layout->partitions->len, room);
        return NULL;
    }
    if (agent_form && geometry->user <= AGENT_MAIN) {
        mk_fault_set_number(error, MK_FAULT_STOR_SMALL, 5069, "S_DL_PMT_ERR_NO_SPACE",
                            _("There is no room for a PMT at the end of the storage."));
        return NULL;
    }
    GByteArray *main = make_pages(layout, entry_size, page, "1vTP", sequence),
               *mirror = make_pages(layout, entry_size, page, "1TPM", sequence);
    uint64_t at = agent_form ? geometry->user - AGENT_MAIN : place->start;
    GPtrArray *patches = g_ptr_array_new_with_free_func((GDestroyNotify)mk_patch_free);
    guint length = main->len;
    /* The mirror first: at every moment one copy is whole. */
    add_patch(patches, agent_form ? geometry->user - AGENT_MIRROR : at + length, mirror, "PMT mirror");
    add_patch(patches, at, main, "PMT");
    return patches;
}

GPtrArray *mk_pmt_repair(MkStore *user, const MkGeometry *geometry, GCancellable *cancel, GError **error)
{
    g_autoptr(MkTable) table = mk_pmt_read(user, geometry, NULL, cancel, error);
    if (!table)
        return NULL;
    if (!table->layout) {
        mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
                            _("Neither copy of the PMT is whole."));
        return NULL;
    }
    return mk_pmt_encode(table->layout, geometry, 1, error);
}
