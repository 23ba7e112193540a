#include "agent/xflash.h"

#include "core/i18n.h"

#define COPY_TIMEOUT 500 /* ms, spec 13.1 */

bool xflash_send(MkXFlash *xflash, const void *data, size_t length, GError **error)
{
    return mk_frame_send(&xflash->frames, data, length, XFLASH_TIMEOUT_BULK, error);
}

bool xflash_send32(MkXFlash *xflash, uint32_t value, GError **error)
{
    return mk_frame_send32(&xflash->frames, value, XFLASH_TIMEOUT, error);
}

bool xflash_unexpected(MkXFlash *xflash, uint32_t value, const char *doing, GError **error)
{
    xflash->base.lost = true;
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("While %s the phone answered 0x%X, which does not belong there."), doing,
                 value);
    return false;
}

/* Statuses of two bytes are accepted too (spec 3). */
bool xflash_status(MkXFlash *xflash, uint32_t *status, int timeout, GError **error)
{
    uint8_t bytes[4] = {0};
    size_t length;
    if (!mk_frame_receive(&xflash->frames, bytes, sizeof bytes, &length, timeout, error))
        return false;
    *status = mk_le32(bytes);
    if (length == 4 || length == 2)
        return true;
    xflash->base.lost = true;
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("The phone sent %u bytes where a status belongs."), (unsigned)length);
    return false;
}

bool xflash_expect_ok(MkXFlash *xflash, MkFault fallback, const char *doing, int timeout, GError **error)
{
    uint32_t status;
    if (!xflash_status(xflash, &status, timeout, error))
        return false;
    if (status != MK_XFLASH_S_OK)
        mk_xflash_status_fault(status, fallback, doing, error);
    return status == MK_XFLASH_S_OK;
}

bool xflash_command(MkXFlash *xflash, uint32_t command, const char *name, MkFault fallback, const char *doing,
                    GError **error)
{
    mk_link_note(xflash->base.link, "%06X %s", command, name);
    xflash->frames.link = xflash->base.link; /* another one after a change of speed */
    return xflash_send32(xflash, command, error) &&
           (xflash->old || xflash_expect_ok(xflash, fallback, doing, XFLASH_TIMEOUT, error));
}

/* Only the time-out at a border between two frames leaves both ends in step. */
void xflash_drop_copy(MkXFlash *xflash)
{
    g_autoptr(GError) problem = NULL;
    bool lost = false;
    MkFrames frames = {.link = xflash->base.link, .lost = &lost};
    uint8_t bytes[4];
    size_t length;
    if (!mk_frame_receive(&frames, bytes, sizeof bytes, &length, COPY_TIMEOUT, &problem) &&
        mk_fault_code(problem) != MK_FAULT_SILENT)
        xflash->base.lost = true;
}

bool xflash_stopped(MkXFlash *xflash, GError **error)
{
    if (!g_cancellable_is_cancelled(xflash->base.cancel))
        return false;
    mk_fault_set(error, MK_FAULT_STOPPED, _("Stopped at your wish."));
    return true;
}
