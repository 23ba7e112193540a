/* The kinds of port behind mk_link_open(). */
#pragma once

#include "link/link.h"

MkLink *mk_serial_open(const char *path, GError **error);
/* ADDRESS: a path with a slash, or HOST:PORT. PORT is the name shown. */
MkLink *mk_socket_open(const char *port, const char *address, GCancellable *cancel, GError **error);
