/* The PMT of NAND phones: the two blocks before the bad-block pool (spec tables.md 5). */
#include "layout/pmt.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

#define ENTRY_V1     76u
#define ENTRY_V3     96u
#define MOST_ENTRIES 40u

static MkLayout *parse_page(const uint8_t *page, size_t size)
{
    bool v1 = !memcmp(page, "1vTP", 4) || !memcmp(page, "1TPM", 4),
         v3 = !memcmp(page, "3vTP", 4) || !memcmp(page, "3TPM", 4);
    unsigned entry = v3 ? ENTRY_V3 : ENTRY_V1;
    size_t first = v3 ? 8 : 4, length = MIN(size - first, (size_t)MOST_ENTRIES * entry) / entry * entry;
    if ((!v1 && !v3) || size <= first)
        return NULL;
    MkLayout *layout = mk_layout_new(MK_LAYOUT_PMT);
    layout->storage = MK_STORAGE_NAND;
    mk_pmt_add_entries(layout, page + first, length, entry);
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        partition->region = MK_REGION_NAND;
        partition->storage = MK_STORAGE_NAND;
        partition->physical = partition->linear;
    }
    if (layout->partitions->len)
        return layout;
    mk_layout_unref(layout);
    return NULL;
}

/* The main table: first valid page upwards; the mirror: first valid one downwards, which is the newest. */
static bool find_page(MkStore *nand, uint64_t block, const MkGeometry *geometry, const char *signature, bool down,
                      MkLayout **layout, uint64_t *offset, GCancellable *cancel, GError **error)
{
    uint32_t pages = geometry->nand_block / geometry->nand_page;
    g_autofree uint8_t *page = g_malloc(geometry->nand_page);
    for (uint32_t i = 0; i < pages && !*layout; i++) {
        uint64_t at = block + (uint64_t)(down ? pages - 1 - i : i) * geometry->nand_page;
        g_autoptr(GError) local = NULL;
        if (!mk_store_read(nand, at, page, geometry->nand_page, cancel, &local)) {
            if (mk_fault_code(local) == MK_FAULT_READ)
                continue;
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (!memcmp(page + 1, signature, 3) && (page[0] == '1' || page[0] == '3'))
            *layout = parse_page(page, geometry->nand_page);
        *offset = at;
    }
    return true;
}

MkTable *mk_pmt_nand_read(MkStore *nand, const MkGeometry *geometry, GPtrArray *findings, GCancellable *cancel,
                          GError **error)
{
    g_autoptr(MkTable) table = g_new0(MkTable, 1);
    uint64_t pool = (uint64_t)(geometry->pool_blocks ? geometry->pool_blocks : 80) * geometry->nand_block,
             two = 2 * (uint64_t)geometry->nand_block;
    if (!geometry->nand_page || geometry->nand_block < geometry->nand_page || nand->size < pool + two)
        return g_steal_pointer(&table);
    g_autoptr(MkLayout) main = NULL, mirror = NULL;
    uint64_t block = nand->size - pool - two;
    if (!find_page(nand, block, geometry, "vTP", false, &main, &table->primary_offset, cancel, error) ||
        !find_page(nand, block + geometry->nand_block, geometry, "TPM", true, &mirror, &table->secondary_offset, cancel,
                   error))
        return NULL;
    table->primary = main ? MK_COPY_GOOD : MK_COPY_ABSENT;
    table->secondary = mirror ? MK_COPY_GOOD : MK_COPY_ABSENT;
    table->entry_size = ENTRY_V1;
    MkLayout *used = main ? main : mirror;
    if (used && mk_layout_resolve(used, geometry, NULL))
        table->layout = mk_layout_ref(used);
    else if (used)
        mk_finding_add(findings, MK_SEVERITY_WARN, "table.pmt", 0, _("The PMT does not fit this phone's storage."));
    return g_steal_pointer(&table);
}
