/* A5, A4 and their NAND twins A2, A1; A3 (spec da-legacy.md 9.8, 9.9, 9.21). */
#include "phone/legacy-device.h"

#include <string.h>

#define MOST_ENTRIES 40

static unsigned entry_size(const MkDevice *device)
{
    bool gpt = device->model->table == MK_TABLE_GPT && device->release >= 3;
    return device->release >= 2 && !gpt ? 96 : 88;
}

static uint32_t header_of(const MkDevice *device)
{
    const MkGeometry *geometry = &device->model->geometry;
    bool linear = device->addressing == MK_ADDRESS_LINEAR;
    return linear ? (uint32_t)(geometry->boot1 + geometry->boot2 + geometry->rpmb) : 0;
}

static void put_le(GByteArray *entry, uint64_t value)
{
    mk_put_le64(entry, value);
}

/* One entry as the agent hands it over; regions are not told apart (spec agents.md legacy 9: FF). */
static void put_entry(GByteArray *entries, const MkDevice *device, const MkPartition *partition)
{
    bool nand = mk_device_is_nand(device);
    uint64_t base = partition->region == MK_REGION_USER && !nand ? header_of(device) : 0;
    mk_put_text(entries, partition->name, 64);
    put_le(entries, partition->size);
    if (entry_size(device) == 96)
        put_le(entries, 0xFF);
    put_le(entries, partition->start + base);
    put_le(entries, 0);
}

static MkTable *read_table(const MkDevice *device)
{
    const MkGeometry *geometry = &device->model->geometry;
    bool nand = mk_device_is_nand(device);
    g_autoptr(MkStore) store = mk_chip_store(device->chip, nand ? MK_REGION_NAND : MK_REGION_USER);
    if (nand)
        return mk_pmt_nand_read(store, geometry, NULL, NULL, NULL);
    if (device->model->table == MK_TABLE_GPT && device->release >= 3) {
        g_autoptr(MkTable) gpt = mk_gpt_read(store, NULL, NULL, NULL);
        if (gpt && gpt->layout)
            return g_steal_pointer(&gpt);
    }
    return mk_pmt_read(store, geometry, NULL, NULL, NULL);
}

void mk_device_read_table(MkDevice *device)
{
    g_autoptr(MkTable) table = mk_chip_absent(device->chip) ? NULL : read_table(device);
    if (!table || !table->layout) {
        mk_device_nack(device, MK_LEGACY_S_PART_NO_TABLE);
        return;
    }
    g_autoptr(GByteArray) entries = g_byte_array_new();
    for (guint i = 0; i < MIN(table->layout->partitions->len, MOST_ENTRIES); i++)
        put_entry(entries, device, table->layout->partitions->pdata[i]);
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put32(device, entries->len);
    if (mk_device_get8(device) != MK_LEGACY_ACK)
        return;
    mk_device_write(device, entries->data, entries->len);
    mk_device_get8(device);
}

/* --- writing --------------------------------------------------------------------------------------------------------------------------- */

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
    if (!layout)
        return NULL;
    layout->storage = device->model->geometry.storage;
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        partition->storage = layout->storage;
        if (mk_device_is_nand(device)) {
            partition->region = MK_REGION_NAND;
            partition->physical = partition->linear;
        } else if (device->addressing == MK_ADDRESS_REGION && partition->region == MK_REGION_LINEAR) {
            partition->region = MK_REGION_USER;
        }
    }
    return mk_layout_resolve(layout, &device->model->geometry, NULL) ? g_steal_pointer(&layout) : NULL;
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

static bool write_emmc_table(MkDevice *device, MkLayout *layout, bool mirror_only)
{
    const MkGeometry *geometry = &device->model->geometry;
    layout->header = header_of(device);
    g_autoptr(GPtrArray) patches = mk_pmt_encode(layout, geometry, 1, NULL);
    for (guint i = 0; patches && i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        gsize length;
        const void *data = g_bytes_get_data(patch->data, &length);
        if (mirror_only && !strstr(patch->what, "mirror"))
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
    /* "New combo" agents find no room for a PMT (spec agents.md legacy 2). */
    bool refused = device->addressing == MK_ADDRESS_REGION && update && !mk_device_is_nand(device);
    if (!layout || refused || !fits(device, layout)) {
        die(device);
        return;
    }
    bool written = mk_device_is_nand(device)
                       ? mk_device_chip(device, mk_chip_nand_put_pmt(device->chip, layout, update == 0))
                       : write_emmc_table(device, layout, update == 0);
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
