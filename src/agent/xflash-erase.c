/* FORMAT (spec da-xflash.md 13.3, agents.md XFlash 6). */
#include "agent/xflash.h"

#include "core/i18n.h"

#define GIB_TIMEOUT    10000 /* ms and per GiB: eMMC erases the whole range before it says a word */
#define SMALLEST_BLOCK 4096  /* no agent reports more often than once per block */
#define FEW            1000

static uint32_t level_of(MkEraseMode mode)
{
    static const uint32_t levels[] = {[MK_ERASE_NORMAL] = MK_XFLASH_FORMAT_NORMAL,
                                      [MK_ERASE_FORCE] = MK_XFLASH_FORMAT_FORCE,
                                      [MK_ERASE_MARK_BAD] = MK_XFLASH_FORMAT_MARK_BAD};
    return levels[mode];
}

/* The user's wish is obeyed with the acknowledge of a report; the agent then ends with a status of its own. */
static bool cancel(MkXFlash *xflash, GError **trouble, GError **error)
{
    uint32_t status;
    if (!xflash_send32(xflash, MK_XFLASH_S_ABORT, error) ||
        !xflash_status(xflash, &status, XFLASH_TIMEOUT_FINAL, error))
        return false;
    if (status == MK_XFLASH_S_COMPLETE)
        return true; /* it was the last report: all is erased */
    g_propagate_error(error, g_steal_pointer(trouble));
    return false;
}

static bool follow_progress(MkXFlash *xflash, uint64_t length, const char *doing, MkProgress *progress, GError **error)
{
    int timeout = XFLASH_TIMEOUT_BULK + (int)MIN(length >> 30, 1024) * GIB_TIMEOUT;
    for (uint64_t reports = 0; reports < length / SMALLEST_BLOCK + FEW; reports++) {
        g_autoptr(GError) trouble = NULL;
        uint32_t status, percent;
        if (!xflash_status(xflash, &status, timeout, error))
            return false;
        if (status == MK_XFLASH_S_COMPLETE)
            return true;
        if (status != MK_XFLASH_S_CONTINUE) {
            mk_xflash_status_fault(status, MK_FAULT_ERASE, doing, error);
            return false;
        }
        if (!xflash_status(xflash, &percent, XFLASH_TIMEOUT, error))
            return false;
        mk_progress_set(progress, MIN(percent, 100), 100);
        if (xflash_stopped(xflash, &trouble))
            return cancel(xflash, &trouble, error);
        if (!xflash_send32(xflash, MK_XFLASH_S_OK, error))
            return false;
    }
    return xflash_unexpected(xflash, MK_XFLASH_S_CONTINUE, doing, error);
}

bool xflash_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
                  MkProgress *progress, GError **error)
{
    MkXFlash *xflash = (MkXFlash *)agent;
    XFlashRange range = {region, offset, length, physical, level_of(mode)};
    g_autofree char *doing = g_strdup_printf(_("erasing %s"), mk_region_name(region));
    if (xflash_stopped(xflash, error) ||
        !xflash_command(xflash, MK_XFLASH_FORMAT, "FORMAT", MK_FAULT_ERASE, doing, error) ||
        !xflash_send_range(xflash, &range, error) ||
        !xflash_expect_ok(xflash, MK_FAULT_ERASE, doing, XFLASH_TIMEOUT_READY, error) ||
        !follow_progress(xflash, length, doing, progress, error))
        return false;
    mk_progress_done(progress);
    return true;
}
