/* The partition table through the agent: A5/A4 on eMMC, A2/A1 on NAND (spec da-legacy.md 9.8, 9.9; hosts.md). */
#include "agent/legacy.h"

#include "core/i18n.h"

#define MAX_TABLE     (128u * 96) /* spec: at most 40 entries */
#define ENTRY_TIMEOUT 10000
#define WRITE_TIMEOUT 60000

static bool is_nand(const MkLegacy *legacy)
{
    return legacy->base.info.storage == MK_STORAGE_NAND;
}

static bool read_entries(MkLegacy *legacy, GByteArray *entries, GError **error)
{
    const char *doing = _("reading the phone's partition table");
    uint32_t total;
    if (!legacy_put8(legacy, is_nand(legacy) ? MK_LEGACY_NAND_READ_PMT : MK_LEGACY_READ_PMT, error) ||
        !legacy_expect_ack(legacy, MK_FAULT_TABLE_BAD, doing, LEGACY_TIMEOUT, error) ||
        !legacy_get32(legacy, &total, LEGACY_TIMEOUT, error))
        return false;
    if (total == 0 || total > MAX_TABLE) {
        legacy_put8(legacy, MK_LEGACY_NACK, NULL);
        mk_fault_set(error, MK_FAULT_TABLE_BAD, _("The phone's partition table claims to be %u bytes long."), total);
        return false;
    }
    g_byte_array_set_size(entries, total);
    return legacy_put8(legacy, MK_LEGACY_ACK, error) &&
           legacy_read(legacy, entries->data, total, LEGACY_TIMEOUT, error) &&
           legacy_put8(legacy, MK_LEGACY_ACK, error);
}

/* Agents that count by region (a GPT behind this command) mean the user area where the entry does not say. */
static void place_in_user_area(MkLayout *layout)
{
    for (unsigned i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        if (partition->region == MK_REGION_LINEAR)
            partition->region = MK_REGION_USER;
    }
}

bool legacy_read_table(MkAgent *agent, MkLayout **layout, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    g_autoptr(GByteArray) entries = g_byte_array_new();
    g_autoptr(MkLayout) found = NULL;
    mk_link_note(agent->link, "READ_PMT");
    if ((!is_nand(legacy) && !legacy_know_addressing(legacy, error)) || !read_entries(legacy, entries, error))
        return false;
    found = mk_pmt_parse_entries(entries->data, entries->len, error);
    if (!found)
        return false;
    found->storage = agent->info.storage;
    if (!is_nand(legacy) && legacy->addressing == LEGACY_ADDRESS_REGION)
        place_in_user_area(found);
    if (!mk_layout_resolve(found, &agent->info.geometry, error))
        return false;
    *layout = g_steal_pointer(&found);
    return true;
}

/* As SP Flash Tool sends it (golden exchanges): the preloader owns the whole header of linear space, and what counts from the end stays
 * so. */
static MkLayout *table_form(const MkLegacy *legacy, const MkLayout *layout)
{
    MkLayout *copy = mk_layout_copy(layout);
    if (legacy->addressing == LEGACY_ADDRESS_REGION)
        copy->header = 0;
    for (unsigned i = 0; i < copy->partitions->len; i++) {
        MkPartition *partition = copy->partitions->pdata[i];
        if ((partition->linear & MK_FROM_END_MASK) == MK_FROM_END_MASK && partition->linear <= UINT32_MAX)
            partition->resolved = false;
        if (partition->region == MK_REGION_BOOT1 && partition->start == 0)
            partition->size = MAX(partition->size, copy->header);
    }
    return copy;
}

/* The entries one by one; the agent may have enough early. */
static bool send_entries(MkLegacy *legacy, GBytes *entries, unsigned entry_size, const char *doing, GError **error)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(entries, &size);
    for (size_t at = 0; at < size; at += entry_size) {
        uint8_t answer;
        if (!legacy_write(legacy, data + at, entry_size, error) || !legacy_get8(legacy, &answer, ENTRY_TIMEOUT, error))
            return false;
        if (answer == MK_LEGACY_ACK)
            return true;
        if (answer == MK_LEGACY_NACK)
            return legacy_refused(legacy, MK_FAULT_TABLE_BAD, doing, error);
        if (answer != MK_LEGACY_CONT)
            return legacy_unexpected(legacy, answer, doing, error);
    }
    return true;
}

bool legacy_write_table(MkAgent *agent, const MkLayout *layout, bool update, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    const char *doing = update ? _("writing the phone's partition table") : _("checking the new partition table");
    unsigned entry_size = legacy->release >= MK_RELEASE_G2 ? 96 : 88;
    if (!is_nand(legacy) && !legacy_know_addressing(legacy, error))
        return false;
    g_autoptr(MkLayout) form = table_form(legacy, layout);
    g_autoptr(GBytes) entries = mk_pmt_write_entries(form, entry_size);
    mk_link_note(agent->link, "WRITE_PMT");
    if (!legacy_put8(legacy, is_nand(legacy) ? MK_LEGACY_NAND_WRITE_PMT : MK_LEGACY_WRITE_PMT, error) ||
        !legacy_expect_ack(legacy, MK_FAULT_TABLE_BAD, doing, LEGACY_TIMEOUT, error) ||
        !legacy_put(legacy, error, "4", (uint32_t)(g_bytes_get_size(entries) / entry_size)) ||
        !legacy_expect_ack(legacy, MK_FAULT_TABLE_BAD, doing, LEGACY_TIMEOUT, error) ||
        !send_entries(legacy, entries, entry_size, doing, error) || !legacy_put(legacy, error, "4", (uint32_t)update) ||
        !legacy_expect_ack(legacy, MK_FAULT_TABLE_BAD, doing, LEGACY_TIMEOUT, error))
        return false;
    bool ok = legacy_expect_ack(legacy, MK_FAULT_TABLE_BAD, doing, WRITE_TIMEOUT, error);
    agent->lost |= !ok; /* an agent that failed here ends itself (spec 9.9) */
    return ok;
}
