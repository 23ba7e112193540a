/* The USB/IP server behind the port "usbip": one thread, many connections, one of which has the phone. It stays when the phone leaves the bus,
 * so that a host finds the next mode at the same place. */
#pragma once

#include "phone/port.h"

typedef struct _MkUsbServer MkUsbServer;

/* NUMBER 0: any, it is set. CABLE as in port.h, or NULL. */
MkUsbServer *mk_usb_server_new(const char *host, uint16_t *number, MkPortCable cable, gpointer user_data,
                               GError **error);
void mk_usb_server_free(MkUsbServer *server);
/* IDS as for mk_usb_device_new(). The wire belongs to the caller. */
MkWire *mk_usb_server_appear(MkUsbServer *server, MkUsbKind kind, uint32_t ids);
/* On the wire that an earlier appearance made. */
void mk_usb_server_reappear(MkUsbServer *server, MkWire *wire, MkUsbKind kind, uint32_t ids);
/* Off the bus; what the phone said last still reaches a host that asks for it. */
void mk_usb_server_vanish(MkUsbServer *server);
void mk_usb_server_stall(MkUsbServer *server, bool input);
