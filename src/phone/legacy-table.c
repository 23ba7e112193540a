/* A5, A4 and their NAND twins A2, A1; A3 (spec da-legacy.md 9.8, 9.9, 9.21). */
#include "phone/legacy-device.h"

#include <string.h>

#define MOST_ENTRIES 40

static bool writes_gpt(const MkDevice *device)
{
    return device->model->table == MK_TABLE_GPT && device->release >= 3;
}

static unsigned entry_size(const MkDevice *device)
{
    return device->release >= 2 && !writes_gpt(device) ? 96 : 88;
}

/* Bytes in front of the user area in linear space. */
static uint64_t header_of(const MkDevice *device)
{
    const MkGeometry *geometry = &device->model->geometry;
    return geometry->boot1 + geometry->boot2 + geometry->rpmb;
}

static bool lies_at_the_end(const MkPartition *partition)
{
    return (partition->linear & MK_FROM_END_MASK) == MK_FROM_END_MASK && partition->linear <= UINT32_MAX;
}

static bool is_loader(const MkPartition *partition)
{
    return strcmp(partition->name, "PRELOADER") == 0 || partition->region == MK_REGION_BOOT1 ||
           partition->region == MK_REGION_BOOT2;
}

/* Agents that count by region see addresses of the user area; what a PMT holds is linear. */
static uint64_t told_address(const MkDevice *device, const MkPartition *partition)
{
    bool moved = device->addressing == MK_ADDRESS_REGION && !is_loader(partition) && !lies_at_the_end(partition);
    return moved && partition->linear >= header_of(device) ? partition->linear - header_of(device) : partition->linear;
}

/* One entry as the agent hands it over; regions are not told apart (spec agents.md legacy 9: FF). */
static void put_entry(GByteArray *entries, const MkDevice *device, const char *name, uint64_t size, uint64_t address,
                      uint64_t flags)
{
    mk_put_text(entries, name, 64);
    mk_put_le64(entries, size);
    if (entry_size(device) == 96)
        mk_put_le64(entries, 0xFF);
    mk_put_le64(entries, address);
    mk_put_le64(entries, flags);
}

/* The PMT goes out as it stands on the flash. The agent of 2014 sends the entry behind the last one too, an empty one. */
static bool put_emmc_pmt(const MkDevice *device, GByteArray *entries)
{
    g_autoptr(MkStore) user = mk_chip_store(device->chip, MK_REGION_USER);
    g_autoptr(MkLayout) layout = mk_pmt_entries(user, NULL, NULL);
    for (guint i = 0; layout && i < MIN(layout->partitions->len, MOST_ENTRIES); i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        put_entry(entries, device, partition->name, partition->size, told_address(device, partition),
                  partition->attributes);
    }
    if (layout && device->release == 2)
        put_entry(entries, device, "", 0, 0, 0);
    return layout != NULL;
}

static bool put_table(const MkTable *table, const MkDevice *device, GByteArray *entries)
{
    for (guint i = 0; table && table->layout && i < MIN(table->layout->partitions->len, MOST_ENTRIES); i++) {
        const MkPartition *partition = table->layout->partitions->pdata[i];
        bool pool = mk_device_is_nand(device) && partition->reserved; /* FFFFnnnn, as it was written */
        put_entry(entries, device, partition->name, partition->size, pool ? partition->linear : partition->start,
                  mk_device_is_nand(device) ? partition->attributes : 0);
    }
    return table && table->layout;
}

/* GPT first, then the older kind (spec da-legacy.md 9.8). */
static bool put_entries(const MkDevice *device, GByteArray *entries)
{
    bool nand = mk_device_is_nand(device);
    g_autoptr(MkStore) store = mk_chip_store(device->chip, nand ? MK_REGION_NAND : MK_REGION_USER);
    if (nand) {
        g_autoptr(MkTable) table = mk_pmt_nand_read(store, &device->model->geometry, NULL, NULL, NULL);
        return put_table(table, device, entries);
    }
    g_autoptr(MkTable) gpt = writes_gpt(device) ? mk_gpt_read(store, NULL, NULL, NULL) : NULL;
    return put_table(gpt, device, entries) || put_emmc_pmt(device, entries);
}

void mk_device_read_table(MkDevice *device)
{
    g_autoptr(GByteArray) entries = g_byte_array_new();
    if (mk_chip_absent(device->chip) || !put_entries(device, entries)) {
        mk_device_nack(device, MK_LEGACY_S_PART_NO_TABLE);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put32(device, entries->len);
    if (mk_device_get8(device) != MK_LEGACY_ACK)
        return;
    mk_device_write(device, entries->data, entries->len);
    mk_device_get8(device);
}

/* --- writing --------------------------------------------------------------------------------------------------------------------------- */

/* As they came; told addresses become what stands in the table. */
static MkLayout *take_entries(MkDevice *device, uint32_t count)
{
    unsigned size = entry_size(device);
    g_autoptr(GByteArray) entries = g_byte_array_new();
    uint8_t entry[96];
    for (uint32_t i = 0; i < count && !device->gone; i++) {
        mk_device_take(device, entry, size);
        g_byte_array_append(entries, entry, size);
        mk_device_put8(device, MK_LEGACY_CONT);
    }
    g_autoptr(MkLayout) layout = device->gone ? NULL : mk_pmt_parse_entries(entries->data, entries->len, NULL);
    for (guint i = 0; layout && i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        bool told_by_region = device->addressing == MK_ADDRESS_REGION && partition->region == MK_REGION_LINEAR;
        if (mk_device_is_nand(device))
            partition->region = MK_REGION_NAND;
        else if (told_by_region && !is_loader(partition) && !lies_at_the_end(partition))
            partition->linear += header_of(device);
    }
    return g_steal_pointer(&layout);
}

/* A copy that knows where everything lies on this phone; NULL: it has no place here. */
static MkLayout *placed(const MkDevice *device, const MkLayout *layout)
{
    const MkGeometry *geometry = &device->model->geometry;
    g_autoptr(MkLayout) copy = mk_layout_copy(layout);
    copy->storage = geometry->storage;
    copy->header = mk_device_is_nand(device) ? 0 : header_of(device);
    for (guint i = 0; i < copy->partitions->len; i++)
        ((MkPartition *)copy->partitions->pdata[i])->storage = geometry->storage;
    return mk_layout_resolve(copy, geometry, NULL) ? g_steal_pointer(&copy) : NULL;
}

static bool fits(const MkDevice *device, const MkLayout *layout)
{
    const MkGeometry *geometry = &device->model->geometry;
    uint64_t room = mk_device_is_nand(device)
                        ? geometry->nand_size - (uint64_t)(geometry->pool_blocks + 2) * geometry->nand_block
                        : geometry->user;
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        bool counted = partition->region == MK_REGION_USER || partition->region == MK_REGION_NAND;
        bool pool = strstr(partition->name, "BMTPOOL") != NULL;
        if (counted && !pool && partition->start + partition->size > room)
            return false;
    }
    return layout->partitions->len > 0;
}

static GPtrArray *encode(const MkDevice *device, MkLayout *layout, const MkLayout *place)
{
    const MkGeometry *geometry = &device->model->geometry;
    if (writes_gpt(device))
        return mk_gpt_encode(place, geometry, NULL);
    /* The PMT of phones that have a partition for it lies there. */
    MkPartition *own = mk_layout_find(layout, "pmt");
    const MkPartition *there = mk_layout_find(place, "pmt");
    if (own && there) {
        own->region = there->region;
        own->start = there->start;
    }
    return mk_pmt_encode(layout, geometry, 1, NULL);
}

/* Without the update flag only the second copy is written (spec agents.md legacy 9). */
static bool write_emmc_table(MkDevice *device, MkLayout *layout, const MkLayout *place, bool second_only)
{
    g_autoptr(GPtrArray) patches = encode(device, layout, place);
    for (guint i = 0; patches && i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        gsize length;
        const void *data = g_bytes_get_data(patch->data, &length);
        if (second_only && !strstr(patch->what, "mirror") && !strstr(patch->what, "backup"))
            continue;
        if (!mk_device_chip(device, mk_chip_write(device->chip, patch->region, patch->offset, data, length)))
            return false;
    }
    return patches != NULL;
}

/* After a failed table the agent ends itself: it takes a word, as FINISH would, and answers no more. */
static void die(MkDevice *device)
{
    mk_device_nack(device, MK_LEGACY_S_PMT_NO_SPACE);
    mk_device_get32(device);
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_halt(device, "the table was refused");
}

void mk_device_write_table(MkDevice *device)
{
    if (mk_chip_absent(device->chip)) {
        mk_device_nack(device, MK_LEGACY_S_SDMMC_NOT_FOUND);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    uint32_t count = mk_device_get32(device);
    if (device->gone)
        return;
    if (count == 0 || count > MOST_ENTRIES) {
        mk_device_nack(device, MK_LEGACY_S_PMT_NO_SPACE);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    g_autoptr(MkLayout) layout = take_entries(device, count);
    uint32_t update = mk_device_get32(device);
    if (device->gone)
        return;
    mk_device_put8(device, MK_LEGACY_ACK);
    g_autoptr(MkLayout) place = layout ? placed(device, layout) : NULL;
    /* "New combo" agents find no room for a PMT (spec agents.md legacy 2). */
    bool refused = device->addressing == MK_ADDRESS_REGION && update && !writes_gpt(device);
    if (!place || refused || !fits(device, place)) {
        die(device);
        return;
    }
    bool written = mk_device_is_nand(device)
                       ? mk_device_chip(device, mk_chip_nand_put_pmt(device->chip, place, update == 0))
                       : write_emmc_table(device, layout, place, update == 0);
    if (device->gone)
        return;
    if (written)
        mk_device_put8(device, MK_LEGACY_ACK);
    else
        die(device);
}

void mk_device_read_bmt(MkDevice *device)
{
    uint16_t bad[0xFF], replacement[0xFF];
    unsigned count = 0;
    if (mk_device_is_nand(device) && !mk_chip_absent(device->chip))
        count = MIN(mk_chip_bmt_list(device->chip, bad, replacement, 0xFF), 0xFF);
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put8(device, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        mk_device_put16(device, bad[i]);
        mk_device_put16(device, replacement[i]);
    }
    mk_device_get8(device);
}
