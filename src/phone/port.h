/* Where the phone appears to its host: a pseudo-terminal or a socket. Each time the phone comes onto the bus there is a new wire; while
 * it is off there is nothing to open. */
#pragma once

#include "core/fault.h"
#include "phone/wire.h"

typedef struct _MkPort MkPort;

/* "pty", "pty:PATH", "socket:PATH" (with a slash), "socket:HOST:PORT"; BORDERS: a Unix socket that keeps them (SOCK_SEQPACKET). */
MkPort *mk_port_new(const char *text, bool borders, GError **error);
/* NAME: what a host calls it (caller frees). The wire belongs to the caller. */
MkWire *mk_port_appear(MkPort *port, char **name, GError **error);
/* Takes the name away; free the wire as well. */
void mk_port_vanish(MkPort *port);
void mk_port_free(MkPort *port);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkPort, mk_port_free)

/* The two kinds. */
MkWire *mk_port_pty(const char *link_path, char **name, GError **error);
bool mk_port_pty_forget(const char *link_path); /* removes a symbolic link to a terminal, nothing else */
MkWire *mk_port_unix(const char *path, bool borders, GError **error);
MkWire *mk_port_tcp(const char *host, uint16_t *number, GError **error); /* 0: any, *number is set */
