#include "flash/identity-places.h"

#include "core/bytes.h"
#include "image/image.h"
#include "layout/scatter.h"

#define STEP    (UINT64_C(512) << 10) /* partitions of phones begin at multiples of it */
#define REACH   (UINT64_C(512) << 20) /* and the NVRAM not far from the beginning */
#define LARGEST (UINT64_C(64) << 20)
#define HEAD    16u
#define AROUND  0x40000u /* the blocks before and after the files, spec nvram.md 3 */

MkLayout *mk_identity_usual_layout(MkSession *session)
{
    g_autoptr(MkLayout) loaded = session->names_path ? mk_scatter_load(session->names_path, false, NULL, NULL) : NULL;
    g_autoptr(MkLayout) section = loaded ? mk_layout_for_storage(loaded, session->agent->info.storage) : NULL;
    g_autoptr(MkLayout) layout = section ? mk_layout_copy(section) : NULL;
    if (!layout || (layout->platform && !mk_soc_accepts(session->target->soc, layout->platform)) ||
        !mk_layout_resolve(layout, &session->agent->info.geometry, NULL))
        return NULL;
    return g_steal_pointer(&layout);
}

/* How long the NVRAM at OFFSET is; 0: there is none. */
static bool measure(MkStore *store, uint64_t offset, uint64_t *length, GError **error)
{
    uint8_t head[HEAD];
    MkNvramReport report;
    *length = 0;
    g_autoptr(MkStore) place = mk_store_slice_new(store, offset, MIN(store->size - offset, LARGEST), "nvram", error);
    if (!place || !mk_store_read(place, 0, head, sizeof head, NULL, error))
        return false;
    if (mk_is_blank(head, sizeof head))
        return true;
    if (!mk_nvram_report(place, &report, error))
        return false;
    if (report.known_format && report.checksum_ok)
        *length = MIN(place->size, (AROUND + (uint64_t)mk_le32(head + 4) + STEP - 1) / STEP * STEP);
    mk_nvram_report_clear(&report);
    return true;
}

bool mk_identity_search_nvram(MkSession *session, MkRegion *region, uint64_t *offset, uint64_t *length, GError **error)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    *region = mk_geometry_main_region(geometry);
    *length = 0;
    if (geometry->storage == MK_STORAGE_NAND || !mk_geometry_region_size(geometry, *region))
        return true;
    MkStore *store = mk_session_store(session, *region, error);
    if (!store)
        return false;
    for (*offset = 0; *offset + STEP <= MIN(store->size, REACH); *offset += STEP) {
        if (g_cancellable_set_error_if_cancelled(session->cancel, error))
            return false;
        g_autoptr(GError) unreadable = NULL; /* a bad sector hides one place, not all */
        if (!measure(store, *offset, length, &unreadable) && session->agent->lost) {
            g_propagate_error(error, g_steal_pointer(&unreadable));
            return false;
        }
        if (*length)
            return true;
    }
    return true;
}
