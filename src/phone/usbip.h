/* USB/IP, the server's side of one connection: the protocol of the Linux kernel's vhci_hcd, version 0x0111 (kernel documentation
 * usbip_protocol). Bytes in, bytes out; threads and sockets are port-usbip.c's.
 *
 * The bulk endpoints behave like those of a phone: an OUT transfer is done when the phone has taken its last byte, an IN transfer when it is
 * full or a short packet came; until then both wait. */
#pragma once

#include "phone/usb-device.h"

#include <sys/types.h>

#define MK_USBIP_PORT   3240
#define MK_USBIP_BUS_ID "1-1" /* what the phone is called in every mode */

typedef struct _MkUsbip MkUsbip;

/* What all connections share: who is on the bus, and which connection has it. */
typedef struct {
    MkUsbDevice *device; /* NULL: off the bus */
    MkUsbip *host;       /* who imported it, or NULL */
    uint32_t number;     /* of the device, new at each appearance */
    bool pulled;         /* a host let go of it: the next one that wants it plugs the cable in again */
    bool replug;         /* set here when one does; whoever owns the phone plugs it in and resets both */
} MkUsbBus;

MkUsbip *mk_usbip_new(MkUsbBus *bus);
void mk_usbip_free(MkUsbip *usbip); /* the device is free for others then */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkUsbip, mk_usbip_free)

/* Bytes from the host. False: this is no USB/IP; hang up. */
bool mk_usbip_feed(MkUsbip *usbip, const void *data, size_t length);
/* Bytes for the host; take from its front what was sent. */
GByteArray *mk_usbip_output(MkUsbip *usbip);
/* Asked for a device that is being plugged in: tell it, once, that it is there or (bus->device NULL) will not be. */
bool mk_usbip_waits(const MkUsbip *usbip);
void mk_usbip_answer(MkUsbip *usbip);

/* The phone's end of the bulk pipe. */
bool mk_usbip_has_input(const MkUsbip *usbip);
bool mk_usbip_takes_output(const MkUsbip *usbip);
bool mk_usbip_drained(const MkUsbip *usbip); /* the host has all that the phone gave */
/* At most SIZE bytes of one transfer, in whole packets unless it ends there (SIZE: a multiple of a packet); 0: there is none. */
size_t mk_usbip_take(MkUsbip *usbip, void *data, size_t size);
/* One block of the phone's. False: the last one has not gone yet. A block that fills its last packet is followed by an empty one (spec
 * da-xflash.md 2.2), unless it has MK_USBIP_BLOCK bytes: then there is more to come, or it went by DMA. */
#define MK_USBIP_BLOCK 65536
bool mk_usbip_give(MkUsbip *usbip, const void *data, size_t length);
/* Halts a bulk endpoint: what the host waits for there, and what it asks, is answered STALL until it clears the halt. What the phone gives
 * meanwhile comes after that. */
void mk_usbip_stall(MkUsbip *usbip, bool input);
