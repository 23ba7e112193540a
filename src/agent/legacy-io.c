#include "agent/legacy.h"

#include "core/i18n.h"

#include <stdarg.h>

#define STRAY_ACK_TIMEOUT 200 /* ms, spec da-legacy.md 9.7 */

bool legacy_chip_in(uint16_t chip, const uint16_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == chip)
            return true;
    }
    return false;
}

bool legacy_read(MkLegacy *legacy, void *data, size_t length, int timeout, GError **error)
{
    bool ok = mk_link_read(legacy->base.link, data, length, timeout, legacy->cancel, error);
    legacy->base.lost |= !ok;
    return ok;
}

bool legacy_write(MkLegacy *legacy, const void *data, size_t length, GError **error)
{
    bool ok = mk_link_write(legacy->base.link, data, length, LEGACY_TIMEOUT, legacy->cancel, error);
    legacy->base.lost |= !ok;
    return ok;
}

bool legacy_get8(MkLegacy *legacy, uint8_t *value, int timeout, GError **error)
{
    return legacy_read(legacy, value, 1, timeout, error);
}

bool legacy_get16(MkLegacy *legacy, uint16_t *value, GError **error)
{
    uint8_t bytes[2];
    if (!legacy_read(legacy, bytes, sizeof bytes, LEGACY_TIMEOUT, error))
        return false;
    *value = mk_be16(bytes);
    return true;
}

bool legacy_get32(MkLegacy *legacy, uint32_t *value, int timeout, GError **error)
{
    uint8_t bytes[4];
    if (!legacy_read(legacy, bytes, sizeof bytes, timeout, error))
        return false;
    *value = mk_be32(bytes);
    return true;
}

bool legacy_get64(MkLegacy *legacy, uint64_t *value, GError **error)
{
    uint8_t bytes[8];
    if (!legacy_read(legacy, bytes, sizeof bytes, LEGACY_TIMEOUT, error))
        return false;
    *value = mk_be64(bytes);
    return true;
}

bool legacy_put(MkLegacy *legacy, GError **error, const char *widths, ...)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    va_list values;
    va_start(values, widths);
    for (const char *width = widths; *width; width++) {
        switch (*width) {
        case '1': mk_put_u8(bytes, (uint8_t)va_arg(values, unsigned)); break;
        case '2': mk_put_be16(bytes, (uint16_t)va_arg(values, unsigned)); break;
        case '4': mk_put_be32(bytes, va_arg(values, uint32_t)); break;
        case '8': mk_put_be64(bytes, va_arg(values, uint64_t)); break;
        default: g_assert_not_reached();
        }
    }
    va_end(values);
    return legacy_write(legacy, bytes->data, bytes->len, error);
}

bool legacy_put8(MkLegacy *legacy, uint8_t value, GError **error)
{
    return legacy_write(legacy, &value, 1, error);
}

bool legacy_put_phone_info(MkLegacy *legacy, GError **error)
{
    return legacy->chip != 0x6592 || legacy_put(legacy, error, "88", UINT64_C(0), UINT64_C(0));
}

bool legacy_unexpected(MkLegacy *legacy, uint32_t value, const char *doing, GError **error)
{
    legacy->base.lost = true;
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("While %s the phone answered 0x%X, which does not belong there."), doing,
                 value);
    return false;
}

bool legacy_refused(MkLegacy *legacy, MkFault fallback, const char *doing, GError **error)
{
    uint32_t status;
    if (legacy_get32(legacy, &status, LEGACY_TIMEOUT, error))
        mk_legacy_status_fault(status, legacy->numbering_b, fallback, doing, error);
    return false;
}

bool legacy_expect_ack(MkLegacy *legacy, MkFault fallback, const char *doing, int timeout, GError **error)
{
    uint8_t answer;
    if (!legacy_get8(legacy, &answer, timeout, error))
        return false;
    if (answer == MK_LEGACY_ACK)
        return true;
    if (answer == MK_LEGACY_NACK)
        return legacy_refused(legacy, fallback, doing, error);
    return legacy_unexpected(legacy, answer, doing, error);
}

bool legacy_narrow(uint64_t first, uint64_t second, GError **error)
{
    if (first <= UINT32_MAX && second <= UINT32_MAX)
        return true;
    mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("This agent's release counts only to 4 GiB in this command."));
    return false;
}

void legacy_drain_stray_ack(MkLegacy *legacy)
{
    uint8_t stray;
    size_t got;
    mk_link_read_some(legacy->base.link, &stray, 1, &got, STRAY_ACK_TIMEOUT, NULL, NULL);
}

bool legacy_stopped(MkLegacy *legacy, GError **error)
{
    if (!g_cancellable_is_cancelled(legacy->base.cancel))
        return false;
    mk_fault_set(error, MK_FAULT_STOPPED, _("Stopped at your wish."));
    return true;
}

bool legacy_is(const MkLegacy *legacy, uint32_t status, uint32_t a)
{
    return status == mk_legacy_status(a, legacy->numbering_b);
}
