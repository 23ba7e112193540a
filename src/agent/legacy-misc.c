/* Link speed, memory test, battery and the end of a session (spec da-legacy.md 9.1, 9.2, 9.12 to 9.16, 9.22). */
#include "agent/legacy.h"

#include "core/i18n.h"

#define REBOOT_DELAY      1000 /* ms */
#define TEST_TIMEOUT      60000
#define TEST_REPORTS      100000
#define DEVICE_DRAM       3
#define WIDTH_32          2
#define SPEED_SETTLE      100 /* ms per try, spec 9.14 */
#define SPEED_TRIES       50
#define BATTERY_PRESENT   0x5A
#define BATTERY_NOT_KNOWN 0xA5

/* Values of D9: what is left alone when the agent halts. */
enum { FINISH_LET_GO = 0, FINISH_KEEP_USB = 2 };

bool legacy_high_speed(MkAgent *agent, bool *reenumerates, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    const char *doing = _("asking for the speed of the cable");
    mk_link_note(agent->link, "72 USB_CHECK_STATUS");
    *reenumerates = false;
    if (!legacy_put8(legacy, MK_LEGACY_USB_CHECK_STATUS, error) ||
        !legacy_expect_ack(legacy, MK_FAULT_PROTOCOL, doing, LEGACY_TIMEOUT, error) ||
        !legacy_get8(legacy, &agent->info.usb_speed, LEGACY_TIMEOUT, error))
        return false;
    if (agent->info.usb_speed != 0)
        return true;
    mk_link_note(agent->link, "70 USB_SETUP_PORT");
    *reenumerates = legacy_put(legacy, error, "11", MK_LEGACY_USB_SETUP_PORT, 1) &&
                    legacy_expect_ack(legacy, MK_FAULT_UNSUPPORTED, doing, LEGACY_TIMEOUT, error);
    return *reenumerates;
}

/* The first speed byte is the id of 921600 baud, and so on down (spec 9.14). */
static uint8_t baud_id(unsigned baud)
{
    static const unsigned bauds[] = {921600, 460800, 230400, 115200, 57600, 38400, 19200, 9600, 4800, 2400, 1200, 300};
    for (size_t i = 0; i < G_N_ELEMENTS(bauds); i++) {
        if (bauds[i] == baud)
            return (uint8_t)(i + 1);
    }
    return 0;
}

/* The agent echoes what it hears; C0 back means both ends are at the new speed. */
static bool settle(MkLegacy *legacy)
{
    for (int i = 0; i < SPEED_TRIES; i++) {
        uint8_t echo = 0;
        size_t got;
        if (!legacy_put8(legacy, MK_LEGACY_SYNC, NULL))
            return false;
        if (mk_link_read_some(legacy->base.link, &echo, 1, &got, SPEED_SETTLE, NULL, NULL) && echo == MK_LEGACY_SYNC)
            return mk_link_drain(legacy->base.link, SPEED_SETTLE, NULL, NULL);
    }
    return false;
}

static bool full_sync(MkLegacy *legacy, const char *doing, GError **error)
{
    for (unsigned value = 0; value <= 0xFF; value++) {
        uint8_t echo;
        if (!legacy_put8(legacy, (uint8_t)value, error) || !legacy_get8(legacy, &echo, LEGACY_TIMEOUT, error))
            return false;
        if (echo != value)
            return legacy_unexpected(legacy, echo, doing, error);
    }
    return true;
}

bool legacy_set_baud(MkAgent *agent, unsigned baud, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    const char *doing = _("changing the speed of the serial line");
    uint8_t id = baud_id(baud), answer;
    if (!id) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("The agent knows no speed of %u baud."), baud);
        return false;
    }
    mk_link_note(agent->link, "D2 SPEED");
    if (!legacy_put(legacy, error, "111", MK_LEGACY_SPEED, id, 1) ||
        !legacy_get8(legacy, &answer, LEGACY_TIMEOUT, error))
        return false;
    if (answer == MK_LEGACY_NACK) { /* without a status (spec 12.1) */
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("The phone refuses %u baud."), baud);
        return false;
    }
    if (answer != MK_LEGACY_ACK)
        return legacy_unexpected(legacy, answer, doing, error);
    if (!mk_link_set_baud(agent->link, baud, error)) {
        agent->lost = true;
        return false;
    }
    if (!settle(legacy)) {
        agent->lost = true;
        mk_fault_set(error, MK_FAULT_SILENT, _("The phone did not follow to %u baud."), baud);
        return false;
    }
    return legacy_put8(legacy, MK_LEGACY_ACK, error) &&
           legacy_expect_ack(legacy, MK_FAULT_PROTOCOL, doing, LEGACY_TIMEOUT, error) &&
           full_sync(legacy, doing, error);
}

bool legacy_battery(MkAgent *agent, unsigned *millivolt, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    uint32_t answer, value;
    mk_link_note(agent->link, "D0 battery");
    if (!legacy_put8(legacy, MK_LEGACY_BATTERY, error) || !legacy_get32(legacy, &answer, LEGACY_TIMEOUT, error))
        return false;
    if (answer == BATTERY_NOT_KNOWN) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("The phone does not tell its battery's voltage."));
        return false;
    }
    if (answer != BATTERY_PRESENT)
        return legacy_unexpected(legacy, answer, _("asking for the battery's voltage"), error);
    if (!legacy_get32(legacy, &value, LEGACY_TIMEOUT, error))
        return false;
    *millivolt = value;
    return true;
}

/* What the agent says of a failed cell (spec 9.22 step 7). */
static bool report_failed_cell(MkLegacy *legacy, uint32_t status, GError **error)
{
    uint64_t address;
    uint32_t narrow = 0, expected, found, pattern, pins[2];
    bool wide = legacy->release >= MK_RELEASE_G3;
    if (!(wide ? legacy_get64(legacy, &address, error) : legacy_get32(legacy, &narrow, LEGACY_TIMEOUT, error)) ||
        !legacy_get32(legacy, &pattern, LEGACY_TIMEOUT, error) ||
        !legacy_get32(legacy, &expected, LEGACY_TIMEOUT, error) ||
        !legacy_get32(legacy, &found, LEGACY_TIMEOUT, error) ||
        !legacy_get32(legacy, &pins[0], LEGACY_TIMEOUT, error) ||
        !legacy_get32(legacy, &pins[1], LEGACY_TIMEOUT, error))
        return false;
    if (!wide)
        address = narrow;
    mk_fault_set_number(error, MK_FAULT_VERIFY, status, mk_legacy_status_symbol(status, legacy->numbering_b),
                        _("The main memory fails at address 0x%" G_GINT64_MODIFIER
                          "X: 0x%08X was read there (last good "
                          "pattern 0x%08X, failed pattern 0x%08X)."),
                        address, found, expected, pattern);
    return false;
}

static bool follow_test(MkLegacy *legacy, MkProgress *progress, GError **error)
{
    for (int i = 0; i < TEST_REPORTS; i++) {
        uint32_t status, percent;
        if (!legacy_get32(legacy, &status, TEST_TIMEOUT, error))
            return false;
        if (status == 0) {
            mk_progress_done(progress);
            return true;
        }
        if (!legacy_is(legacy, status, MK_LEGACY_S_IN_PROGRESS) && !legacy_is(legacy, status, MK_LEGACY_S_BAD_BLOCK))
            return report_failed_cell(legacy, status, error);
        if (!legacy_get32(legacy, &percent, LEGACY_TIMEOUT, error))
            return false;
        mk_progress_set(progress, MIN(percent, 100), 100);
        if (legacy_stopped(legacy, error)) {
            legacy_put8(legacy, MK_LEGACY_STOP, NULL);
            return false;
        }
        if (!legacy_put8(legacy, MK_LEGACY_ACK, error))
            return false;
    }
    return legacy_unexpected(legacy, MK_LEGACY_S_IN_PROGRESS, _("testing the main memory"), error);
}

bool legacy_memory_test(MkAgent *agent, MkMemoryTest test, uint64_t start, uint64_t length, uint32_t pattern,
                        MkProgress *progress, GError **error)
{
    static const uint32_t methods[] = {
        [MK_MEMTEST_PATTERN] = 1,
        [MK_MEMTEST_INC_DEC] = 2,
        [MK_MEMTEST_ADDRESS_BUS] = 3,
        [MK_MEMTEST_DATA_BUS] = 4,
    };
    MkLegacy *legacy = (MkLegacy *)agent;
    bool wide = legacy->release >= MK_RELEASE_G3;
    mk_link_note(agent->link, "FE MEMORY_TEST");
    if ((!wide && !legacy_narrow(start, length, error)) ||
        !legacy_put(legacy, error, "14", MK_LEGACY_MEMORY_TEST, DEVICE_DRAM) ||
        !(wide ? legacy_put(legacy, error, "88", start, length)
               : legacy_put(legacy, error, "44", (uint32_t)start, (uint32_t)length)))
        return false;
    return legacy_put(legacy, error, "444", WIDTH_32, methods[test], pattern) &&
           legacy_expect_ack(legacy, MK_FAULT_UNSUPPORTED, _("starting the memory test"), LEGACY_TIMEOUT, error) &&
           follow_test(legacy, progress, error);
}

static bool halt(MkLegacy *legacy, uint32_t keep, GError **error)
{
    const char *doing = _("ending the session");
    mk_link_note(legacy->base.link, "D9 FINISH");
    return legacy_put8(legacy, MK_LEGACY_FINISH, error) &&
           legacy_expect_ack(legacy, MK_FAULT_PROTOCOL, doing, LEGACY_TIMEOUT, error) &&
           legacy_put(legacy, error, "4", keep) &&
           legacy_expect_ack(legacy, MK_FAULT_PROTOCOL, doing, LEGACY_TIMEOUT, error);
}

/* The watchdog bites after a while and the agent goes on until then; so it is halted as the genuine host does (golden exchanges). */
static bool reboot(MkLegacy *legacy, GError **error)
{
    uint32_t flags = MK_LEGACY_WDT_REBOOT | MK_LEGACY_WDT_ASYNC | MK_LEGACY_WDT_KEEP_RTC;
    mk_link_note(legacy->base.link, "DB ENABLE_WATCHDOG");
    if (!legacy_put(legacy, error, "124", MK_LEGACY_ENABLE_WATCHDOG, REBOOT_DELAY * 10 / 156, flags) ||
        !legacy_expect_ack(legacy, MK_FAULT_PROTOCOL, _("restarting the phone"), LEGACY_TIMEOUT, error))
        return false;
    halt(legacy, FINISH_LET_GO, NULL); /* the restart is on its way whatever the answer */
    return true;
}

bool legacy_finish(MkAgent *agent, MkAfter after, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    bool ok;
    switch (after) {
    case MK_AFTER_STAY: ok = halt(legacy, FINISH_KEEP_USB, error); break;
    case MK_AFTER_OFF: ok = halt(legacy, FINISH_LET_GO, error); break;
    case MK_AFTER_REBOOT: ok = reboot(legacy, error); break;
    default:
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("This agent cannot restart the phone into another mode."));
        return false;
    }
    agent->lost = true; /* a halted agent never answers again */
    return ok;
}
