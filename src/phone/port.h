/* Where the phone appears to its host: a pseudo-terminal, a socket, or a USB bus. Each time the phone comes onto the bus there is a new wire; while
 * it is off there is nothing to open. */
#pragma once

#include "core/fault.h"
#include "phone/usb-device.h"
#include "phone/wire.h"

typedef struct _MkPort MkPort;

/* "pty", "pty:PATH", "socket:PATH" (with a slash), "socket:HOST:PORT", "usbip", "usbip:PORT", "usbip:HOST:PORT"; BORDERS: a Unix socket that
 * keeps them (SOCK_SEQPACKET). */
MkPort *mk_port_new(const char *text, bool borders, GError **error);
/* As what it appears matters on USB only. NAME: what a host calls it (caller frees). The wire belongs to the caller. */
MkWire *mk_port_appear(MkPort *port, MkUsbKind kind, char **name, GError **error);
/* USB: the same wire, off the bus and on it again as an agent at high speed; IDS as for mk_usb_device_new(). */
void mk_port_reappear(MkPort *port, MkWire *wire, uint32_t ids);
bool mk_port_is_usb(const MkPort *port);
/* USB only: the host let go of the device, as if the cable were pulled at its end (IN false), or wants it back. Called on the port's thread. */
typedef void (*MkPortCable)(gpointer user_data, bool in);
void mk_port_set_cable(MkPort *port, MkPortCable cable, gpointer user_data);
/* USB only: halts the endpoint that takes (INPUT: the host's IN) or gives bytes until the host clears it. */
void mk_port_stall(MkPort *port, bool input);
/* Takes the name away; free the wire as well. */
void mk_port_vanish(MkPort *port);
void mk_port_free(MkPort *port);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkPort, mk_port_free)

/* The kinds. */
MkWire *mk_port_pty(const char *link_path, char **name, GError **error);
bool mk_port_pty_forget(const char *link_path); /* removes a symbolic link to a terminal, nothing else */
MkWire *mk_port_unix(const char *path, bool borders, GError **error);
MkWire *mk_port_tcp(const char *host, uint16_t *number, GError **error);    /* 0: any, *number is set */
int mk_port_listen_tcp(const char *host, uint16_t *number, GError **error); /* likewise; -1 on failure */
