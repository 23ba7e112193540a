/* DEVICE_CTRL, battery, cable speed and the end of a session (spec da-xflash.md 6, 14, 15). */
#include "agent/xflash.h"

#include "core/i18n.h"

#include <string.h>

#define SHUTDOWN_DELAY  100u       /* ms until the watchdog bites */
#define HIGH_SPEED_PORT 0x0E8D2001 /* what the phone calls itself afterwards */

enum { META_MODE = 1, META_OVER_USB = 2 };

/* A 4-byte answer with C in its highest digit is the refusal, and nothing follows it (spec 6, agents.md XFlash 4). */
static bool is_refusal(const void *answer, size_t length)
{
    return length == 4 && mk_le32(answer) >> 28 == 0xC;
}

static bool receive_answer(MkXFlash *xflash, const XFlashControl *control, const char *doing, size_t *length,
                           GError **error)
{
    g_return_val_if_fail(control->most >= 4, false);
    if (!mk_frame_receive(&xflash->frames, control->answer, control->most, length, XFLASH_TIMEOUT, error))
        return false;
    if (!is_refusal(control->answer, *length))
        return true;
    mk_xflash_status_fault(mk_le32(control->answer), control->fallback, doing, error);
    return false;
}

bool xflash_control(MkXFlash *xflash, const XFlashControl *control, size_t *length, GError **error)
{
    g_autofree char *doing = g_strdup_printf(_("asking for %s"), control->name);
    size_t ignored;
    if (!xflash_command(xflash, MK_XFLASH_DEVICE_CTRL, control->name, control->fallback, doing, error) ||
        !xflash_send32(xflash, control->code, error) ||
        !xflash_expect_ok(xflash, control->fallback, doing, XFLASH_TIMEOUT, error))
        return false;
    if (control->parameter && !xflash_send(xflash, control->parameter, control->parameter_length, error))
        return false;
    if (control->answer && !receive_answer(xflash, control, doing, length ? length : &ignored, error))
        return false;
    return xflash_expect_ok(xflash, control->fallback, doing, XFLASH_TIMEOUT, error);
}

bool xflash_set32(MkXFlash *xflash, uint32_t code, const char *name, uint32_t value, GError **error)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    XFlashControl control = {code, name, MK_FAULT_UNSUPPORTED, bytes, sizeof bytes, NULL, 0};
    return xflash_control(xflash, &control, NULL, error);
}

bool xflash_ask(MkXFlash *xflash, uint32_t code, const char *name, void *answer, size_t most, size_t *length,
                uint32_t *refusal, GError **error)
{
    g_autoptr(GError) problem = NULL;
    XFlashControl control = {code, name, MK_FAULT_UNSUPPORTED, NULL, 0, answer, most};
    *length = 0;
    if (refusal)
        *refusal = MK_XFLASH_S_OK;
    if (xflash_control(xflash, &control, length, &problem))
        return true;
    *length = 0;
    if (refusal)
        *refusal = mk_fault_number(problem);
    if (!xflash->base.lost)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool xflash_battery(MkAgent *agent, unsigned *millivolt, GError **error)
{
    uint8_t bytes[4];
    size_t length;
    uint32_t refusal;
    if (!xflash_ask((MkXFlash *)agent, MK_XFLASH_GET_BATTERY_VOLTAGE, "GET_BATTERY_VOLTAGE", bytes, sizeof bytes,
                    &length, &refusal, error))
        return false;
    if (length != sizeof bytes) {
        mk_fault_set_number(error, MK_FAULT_UNSUPPORTED, refusal, mk_xflash_status_symbol(refusal),
                            _("The phone does not tell its battery's voltage."));
        return false;
    }
    *millivolt = mk_le32(bytes);
    return true;
}

static uint8_t speed_of(const char *text)
{
    static const char *const words[] = {"full-speed", "high-speed", "hyper-speed"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i]) == 0)
            return (uint8_t)i;
    }
    return 0xFF;
}

bool xflash_high_speed(MkAgent *agent, bool *reenumerates, GError **error)
{
    MkXFlash *xflash = (MkXFlash *)agent;
    const char *doing = _("asking for the speed of the cable");
    char text[32] = "";
    size_t length;
    *reenumerates = false;
    if (!xflash_ask(xflash, MK_XFLASH_GET_USB_SPEED, "GET_USB_SPEED", text, sizeof text - 1, &length, NULL, error))
        return false;
    text[length] = '\0';
    agent->info.usb_speed = speed_of(text);
    if (agent->info.usb_speed != 0)
        return true;
    *reenumerates =
        xflash_command(xflash, MK_XFLASH_SWITCH_USB_SPEED, "SWITCH_USB_SPEED", MK_FAULT_UNSUPPORTED, doing, error) &&
        xflash_send32(xflash, HIGH_SPEED_PORT, error) &&
        xflash_expect_ok(xflash, MK_FAULT_UNSUPPORTED, doing, XFLASH_TIMEOUT, error);
    return *reenumerates;
}

static bool shutdown_2015(MkXFlash *xflash, MkAfter after, const char *doing, GError **error)
{
    if (after == MK_AFTER_META || after == MK_AFTER_FASTBOOT) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("This agent cannot restart the phone into another mode."));
        return false;
    }
    return xflash_command(xflash, MK_XFLASH_SHUTDOWN, "SHUTDOWN", MK_FAULT_PROTOCOL, doing, error) &&
           xflash_send32(xflash, after == MK_AFTER_REBOOT ? MK_XFLASH_2015_REBOOT : MK_XFLASH_2015_OFF, error) &&
           xflash_expect_ok(xflash, MK_FAULT_PROTOCOL, doing, XFLASH_TIMEOUT, error);
}

/* 24 bytes: agents take a longer block for no block and do not restart (spec 15). */
static bool shutdown_today(MkXFlash *xflash, MkAfter after, const char *doing, GError **error)
{
    bool restart = after != MK_AFTER_STAY && after != MK_AFTER_OFF;
    g_autoptr(GByteArray) block = g_byte_array_new();
    mk_put_le32(block, restart);
    mk_put_le32(block, SHUTDOWN_DELAY);
    mk_put_le32(block, 0);
    mk_put_le32(block, after == MK_AFTER_FASTBOOT ? MK_XFLASH_BOOT_FASTBOOT : MK_XFLASH_BOOT_NORMAL);
    mk_put_le32(block, 0);
    mk_put_le32(block, 1);
    return xflash_command(xflash, MK_XFLASH_SHUTDOWN, "SHUTDOWN", MK_FAULT_PROTOCOL, doing, error) &&
           xflash_send(xflash, block->data, block->len, error) &&
           xflash_expect_ok(xflash, MK_FAULT_PROTOCOL, doing, XFLASH_TIMEOUT, error);
}

bool xflash_finish(MkAgent *agent, MkAfter after, GError **error)
{
    static const uint8_t meta[MK_XFLASH_META_MODE_SIZE] = {META_MODE, META_OVER_USB, 0};
    MkXFlash *xflash = (MkXFlash *)agent;
    const char *doing = _("ending the session");
    XFlashControl control = {
        MK_XFLASH_SET_META_BOOT_MODE, "SET_META_BOOT_MODE", MK_FAULT_UNSUPPORTED, meta, sizeof meta, NULL, 0};
    if (!xflash->old && after == MK_AFTER_META && !xflash_control(xflash, &control, NULL, error))
        return false;
    if (!(xflash->old ? shutdown_2015 : shutdown_today)(xflash, after, doing, error))
        return false;
    agent->lost = true; /* the agent never answers again */
    return true;
}
