/* How an agent ends: FINISH and the watchdog (spec da-legacy.md 9.12, 9.13). */
#include "phone/legacy-device.h"

#define WATCHDOG_UNIT 15.6 /* ms */
#define KEEPS_USB     2    /* of FINISH */
#define LONGEST_PAUSE 2000 /* ms a virtual phone really waits before it resets at once */

void mk_device_dog_bites(MkDevice *device)
{
    mk_machine_log(device->machine, "agent: the watchdog bites");
    device->over = true;
    device->next = device->dog_next;
}

/* The agent halts: a host sees time-outs until the power is cut (spec 10.1). 0 and 2 let the power key go: with the cable out the phone is
 * off; 2 keeps the USB. With the watchdog armed it resets; nobody is served any more, so nobody has to wait for that. */
void mk_device_finish(MkDevice *device)
{
    mk_device_put8(device, MK_LEGACY_ACK);
    uint32_t how = mk_device_get32(device);
    mk_device_put8(device, MK_LEGACY_ACK);
    if (device->gone)
        return;
    mk_machine_log(device->machine, "agent: finished (%u)", how);
    device->over = true;
    device->next = device->dog ? device->dog_next : MK_NEXT_HALT;
    device->machine->off_the_bus = how != KEEPS_USB;
}

void mk_device_watchdog(MkDevice *device)
{
    double delay = mk_device_get16(device) * WATCHDOG_UNIT;
    uint32_t flags = mk_device_get32(device);
    mk_device_put8(device, MK_LEGACY_ACK);
    if (device->gone)
        return;
    mk_machine_log(device->machine, "agent: the watchdog will bite in %.0f ms (flags %u)", delay, flags);
    device->dog_next = flags & MK_LEGACY_WDT_DOWNLOAD ? MK_NEXT_DOWNLOAD : MK_NEXT_RESET;
    if (flags & MK_LEGACY_WDT_ASYNC) {
        device->dog = g_get_monotonic_time() + (gint64)(delay * G_TIME_SPAN_MILLISECOND);
        return;
    }
    if (mk_wire_pause(device->wire, (unsigned)MIN(delay, LONGEST_PAUSE)) == MK_WIRE_OK)
        mk_device_dog_bites(device);
    else
        device->gone = true;
}
