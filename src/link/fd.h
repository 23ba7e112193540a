/* Reading and writing a non-blocking file descriptor with a deadline and a GCancellable: shared by serial ports and sockets. */
#pragma once

#include "link/link.h"

/* Waits until FD is ready for EVENTS (POLLIN, POLLOUT); DEADLINE is a monotonic time in µs, -1 = never. SILENT, STOPPED. */
bool mk_fd_wait(MkLink *link, int fd, short events, gint64 deadline, GCancellable *cancel, GError **error);
/* A link that is a file descriptor; the read and write entries of its class. */
typedef struct {
    MkLink base;
    int fd;
} MkFdLink;
MkLink *mk_fd_link_new(const MkLinkClass *klass, int fd, MkLinkKind kind, const char *name);
bool mk_fd_link_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                          GError **error);
bool mk_fd_link_write(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel, GError **error);
gint64 mk_deadline(int timeout);
