/* The USB/IP server against a hostile host. The first byte chooses the mode; what follows comes in pieces, each behind a byte that says how long it
 * is, and between the pieces the phone takes and gives. */
#include "phone/usbip.h"

#include <string.h>

#define MOST_OUTPUT (8u << 20)

/* The phone reads what is there, stalls now and then, and answers. */
static void live(MkUsbip *host, uint8_t choice)
{
    static const uint8_t words[1500];
    uint8_t taken[512];
    mk_usbip_has_input(host);
    mk_usbip_take(host, taken, choice & 1 ? sizeof taken : 1 + (size_t)choice % 100);
    if (mk_usbip_takes_output(host))
        mk_usbip_give(host, words, choice & 2 ? choice : 512 * (size_t)(choice % 3));
    if (choice == 0xFF)
        mk_usbip_stall(host, choice & 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    g_autoptr(MkUsbDevice) device =
        mk_usb_device_new((MkUsbKind)(data[0] % (MK_USB_FASTBOOT + 1)), data[0] & 0x80 ? 0x10046000 : 0);
    MkUsbBus bus = {.device = data[0] & 0x40 ? NULL : device, .number = 1, .pulled = data[0] & 0x20};
    g_autoptr(MkUsbip) usbip = mk_usbip_new(&bus);
    for (size_t at = 1; at < size;) {
        size_t length = MIN(data[at], size - at - 1);
        uint8_t choice = data[at];
        if (!mk_usbip_feed(usbip, data + at + 1, length) || mk_usbip_output(usbip)->len > MOST_OUTPUT)
            break;
        at += 1 + length;
        if (mk_usbip_waits(usbip) && choice & 1) {
            bus.device = device;
            mk_usbip_answer(usbip);
        }
        if (bus.host)
            live(usbip, choice);
    }
    return 0;
}
