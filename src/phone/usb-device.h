/* What a phone is on the bus: descriptors, strings, and how it answers on its control endpoint (spec brom.md 1.1 to 1.3). No threads, no
 * sockets: the USB/IP server (usbip.h) shows it to a kernel. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MK_USB_SETUP_SIZE 8

typedef enum {
    MK_USB_BOOTROM,   /* 0E8D:0003, full speed [inf]: genuine agents are asked there to change to high speed */
    MK_USB_PRELOADER, /* 0E8D:2000, high speed */
    MK_USB_AGENT,     /* 0E8D:2001 or as the host wished, high speed */
    MK_USB_KERNEL,    /* META and FACTORY: 0E8D:2007, one ACM function */
    MK_USB_FASTBOOT,  /* LK: 0BB4:0C01 */
} MkUsbKind;

typedef struct {
    uint8_t bulk_out, bulk_in, interrupt_in; /* numbers without the direction bit; 0: there is none */
} MkUsbEndpoints;

typedef struct _MkUsbDevice MkUsbDevice;

/* IDS: vendor in the high half, product in the low half; 0: those of KIND. */
MkUsbDevice *mk_usb_device_new(MkUsbKind kind, uint32_t ids);
void mk_usb_device_free(MkUsbDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkUsbDevice, mk_usb_device_free)

/* The request in SETUP; DATA is what the host sends with it. True: REPLY got what the device sends (never more than wLength);
 * false: STALL. */
bool mk_usb_device_control(MkUsbDevice *device, const uint8_t setup[MK_USB_SETUP_SIZE], const uint8_t *data,
                           size_t length, GByteArray *reply);

bool mk_usb_device_high_speed(const MkUsbDevice *device);
size_t mk_usb_device_packet(const MkUsbDevice *device); /* bytes of a full bulk packet: 64, or 512 at high speed */
MkUsbEndpoints mk_usb_device_endpoints(const MkUsbDevice *device);
bool mk_usb_device_configured(const MkUsbDevice *device);
bool mk_usb_device_tool_present(const MkUsbDevice *device); /* SET_LINE_CODING came: READY may go out (spec 1.3) */
bool mk_usb_device_dtr(const MkUsbDevice *device);          /* "the port is open" (spec 1.3) */
/* ENDPOINT with its direction bit. A halted endpoint answers STALL until the host clears it. */
bool mk_usb_device_halted(const MkUsbDevice *device, uint8_t endpoint);
void mk_usb_device_halt(MkUsbDevice *device, uint8_t endpoint);
/* Borrowed, as the host would read them. */
const uint8_t *mk_usb_device_descriptor(const MkUsbDevice *device);
const uint8_t *mk_usb_device_configuration(const MkUsbDevice *device, size_t *length);
