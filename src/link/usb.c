/* The link to a phone over libusb: claiming it, the requests that phones wait for, giving it back (spec brom.md 1.3, 1.4). */
#include "link/usb-private.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"
#include "link/holder.h"
#include "link/usb.h"

#define INITIAL_BAUD    115200 /* has no meaning for the phone, but the request has */
#define CONTROL_TIMEOUT 300    /* ms; a phone that does not know a request must not cost its window */

#define TO_INTERFACE           0x21 /* class request, host to device */
#define SET_LINE_CODING        0x20
#define SET_CONTROL_LINE_STATE 0x22

static int handle_events(libusb_context *context, struct timeval *timeout)
{
    return libusb_handle_events_timeout_completed(context, timeout, NULL);
}

const MkUsbCalls mk_usb_libusb = {
    .submit_transfer = libusb_submit_transfer,
    .cancel_transfer = libusb_cancel_transfer,
    .handle_events = handle_events,
    .interrupt_event_handler = libusb_interrupt_event_handler,
    .clear_halt = libusb_clear_halt,
    .control_transfer = libusb_control_transfer,
    .set_auto_detach_kernel_driver = libusb_set_auto_detach_kernel_driver,
    .claim_interface = libusb_claim_interface,
    .release_interface = libusb_release_interface,
    .set_interface_alt_setting = libusb_set_interface_alt_setting,
    .close = libusb_close,
    .exit = libusb_exit,
};

/* --- requests ---------------------------------------------------------------------------------------------------------- */

/* A phone may refuse it (stall): not all stages know it. */
static bool request(MkUsbLink *usb, uint8_t number, uint16_t value, uint8_t *data, uint16_t length, GError **error)
{
    int interface = usb->function.control >= 0 ? usb->function.control : usb->function.data;
    int code = usb->calls->control_transfer(usb->handle, TO_INTERFACE, number, value, (uint16_t)interface, data, length,
                                            CONTROL_TIMEOUT);
    if (code < 0)
        mk_link_note(&usb->base, "request 21/%02X: %s", number, libusb_error_name(code));
    return code != LIBUSB_ERROR_NO_DEVICE || mk_usb_fault(usb->base.name, code, "", error);
}

static bool usb_set_baud(MkLink *link, unsigned baud, GError **error)
{
    MkUsbLink *usb = (MkUsbLink *)link;
    uint8_t coding[7] = {0, 0, 0, 0, 0, 0, 8}; /* baud, 1 stop bit, no parity, 8 bits */
    for (unsigned i = 0; i < 4; i++)
        coding[i] = (uint8_t)(baud >> 8 * i);
    return request(usb, SET_LINE_CODING, 0, coding, sizeof coding, error);
}

static bool usb_set_lines(MkLink *link, bool dtr, bool rts, GError **error)
{
    return request((MkUsbLink *)link, SET_CONTROL_LINE_STATE, (uint16_t)(dtr | rts << 1), NULL, 0, error);
}

/* --- claiming and giving back ------------------------------------------------------------------------------------------- */

static bool claim_fault(const MkUsbLink *usb, int interface, int code, GError **error)
{
    if (code == LIBUSB_ERROR_NO_DEVICE || code == LIBUSB_ERROR_NOT_FOUND)
        return mk_usb_fault(usb->base.name, code, "", error);
    g_autofree char *holder = mk_holder_of_usb(usb->device.bus, usb->device.address);
    mk_fault_set_number(error, MK_FAULT_CON_BUSY, 1013, "S_COM_PORT_OPEN_FAIL",
                        _("Interface %d of the phone on %s is held by %s."), interface, usb->base.name,
                        holder ? holder : _("another program"));
    return false;
}

/* Kernel drivers (cdc_acm, option, …) are moved aside, and come back when the interfaces are released. */
static bool claim(MkUsbLink *usb, GError **error)
{
    usb->calls->set_auto_detach_kernel_driver(usb->handle, 1);
    int code = usb->function.control < 0 ? 0 : usb->calls->claim_interface(usb->handle, usb->function.control);
    if (code)
        return claim_fault(usb, usb->function.control, code, error);
    usb->control_claimed = usb->function.control >= 0;
    code = usb->calls->claim_interface(usb->handle, usb->function.data);
    if (code)
        return claim_fault(usb, usb->function.data, code, error);
    usb->claimed = true;
    if (usb->function.setting)
        usb->calls->set_interface_alt_setting(usb->handle, usb->function.data, usb->function.setting);
    return true;
}

static void usb_free(MkLink *link)
{
    MkUsbLink *usb = (MkUsbLink *)link;
    mk_usb_pipe_stop(usb);
    /* Data first: cdc_acm, which returns with the control interface, wants both. */
    if (usb->claimed)
        usb->calls->release_interface(usb->handle, usb->function.data);
    if (usb->control_claimed)
        usb->calls->release_interface(usb->handle, usb->function.control);
    usb->calls->close(usb->handle);
    usb->calls->exit(usb->context);
}

static const MkLinkClass usb_class = {.read_some = mk_usb_pipe_read_some,
                                      .write = mk_usb_pipe_write,
                                      .end_payload = mk_usb_pipe_end_payload,
                                      .set_baud = usb_set_baud,
                                      .set_lines = usb_set_lines,
                                      .free = usb_free};

/* Halted pipes (spec brom.md 4.4, 1) are cleared when the first transfer says so: clearing one that is not halted loses a packet on
 * phones that do not reset their data toggle. */
MkLink *mk_usb_link_new(const MkUsbCalls *calls, libusb_context *context, libusb_device_handle *handle,
                        const MkUsbDevice *device, const MkUsbFunction *function, GError **error)
{
    MkUsbLink *usb = mk_link_alloc(&usb_class, sizeof *usb, MK_LINK_USB, device->path);
    g_autoptr(MkLink) link = &usb->base;
    usb->calls = calls;
    usb->context = context;
    usb->handle = handle;
    usb->device = *device;
    usb->function = *function;
    /* SET_LINE_CODING is what makes a preloader say READY: the listening begins before it. */
    bool ready = claim(usb, error) && mk_usb_pipe_start(usb, error) && usb_set_baud(link, INITIAL_BAUD, error) &&
                 usb_set_lines(link, true, true, error);
    return ready ? g_steal_pointer(&link) : NULL;
}

unsigned mk_usb_link_speed(const MkLink *link)
{
    return link->klass == &usb_class ? ((const MkUsbLink *)link)->device.speed : 0;
}
