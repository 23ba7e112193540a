#include "link/fd.h"

#include "core/fault.h"
#include "core/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

gint64 mk_deadline(int timeout)
{
    return timeout < 0 ? -1 : g_get_monotonic_time() + (gint64)timeout * 1000;
}

MkLink *mk_fd_link_new(const MkLinkClass *klass, int fd, MkLinkKind kind, const char *name)
{
    MkFdLink *link = mk_link_alloc(klass, sizeof *link, kind, name);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    link->fd = fd;
    return &link->base;
}

static int remaining(gint64 deadline)
{
    if (deadline < 0)
        return -1;
    gint64 left = deadline - g_get_monotonic_time();
    return left <= 0 ? 0 : (int)((left + 999) / 1000);
}

bool mk_fd_wait(MkLink *link, int fd, short events, gint64 deadline, GCancellable *cancel, GError **error)
{
    GPollFD stop = {.fd = -1};
    bool have_stop = cancel && g_cancellable_make_pollfd(cancel, &stop);
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = have_stop ? stop.fd : -1, .events = POLLIN}};
    int ready;
    do
        ready = poll(fds, 2, remaining(deadline));
    while (ready < 0 && errno == EINTR);
    if (have_stop)
        g_cancellable_release_fd(cancel);
    if (g_cancellable_set_error_if_cancelled(cancel, error))
        return false;
    if (ready > 0)
        return true; /* a hang-up is told by the read or write that follows */
    if (!ready)
        mk_fault_set(error, MK_FAULT_SILENT, _("The phone on %s says nothing."), link->name);
    else
        mk_fault_set_errno(error, true, errno, _("Cannot wait for"), link->name);
    return false;
}

/* End of file and EIO (a closed pty) are GONE. */
bool mk_fd_link_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                          GError **error)
{
    int fd = ((MkFdLink *)link)->fd;
    gint64 deadline = mk_deadline(timeout);
    for (;;) {
        ssize_t n = read(fd, data, length);
        if (n > 0) {
            *got = (size_t)n;
            return true;
        }
        if (!n || (errno != EAGAIN && errno != EINTR))
            return mk_link_gone(link, error);
        if (!mk_fd_wait(link, fd, POLLIN, deadline, cancel, error))
            return false;
    }
}

/* A socket whose other end is gone shall be a fault, not a signal. */
static ssize_t write_quietly(int fd, const void *data, size_t length)
{
    ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
    return n < 0 && errno == ENOTSOCK ? write(fd, data, length) : n;
}

bool mk_fd_link_write(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel, GError **error)
{
    int fd = ((MkFdLink *)link)->fd;
    gint64 deadline = mk_deadline(timeout);
    const uint8_t *at = data;
    while (length) {
        ssize_t n = write_quietly(fd, at, length);
        if (n > 0) {
            at += n;
            length -= (size_t)n;
            continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return mk_link_gone(link, error);
        if (!mk_fd_wait(link, fd, POLLOUT, deadline, cancel, error))
            return false;
    }
    return true;
}
