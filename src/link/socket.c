/* Unix and TCP sockets: virtual phones, and phones behind another computer. */
#include "core/fault.h"
#include "core/i18n.h"
#include "link/fd.h"
#include "link/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BORDER_WRITE (64u << 10) /* one message of a socket that keeps borders */
#define ROOM         (1 << 20)   /* bytes on their way to the phone; the system may allow fewer */

static void socket_free(MkLink *link)
{
    close(((MkFdLink *)link)->fd);
}

static const MkLinkClass stream_class = {
    .read_some = mk_fd_link_read_some, .write = mk_fd_link_write, .free = socket_free};

/* --- sockets that keep the borders between writes, as USB does ------------------------------------------------------ */

typedef struct {
    MkFdLink fd;
    uint8_t message[BORDER_WRITE];
    size_t length, taken;
} BorderLink;

/* A message may be longer than what the caller wants: the rest waits here. */
static bool border_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                             GError **error)
{
    BorderLink *border = (BorderLink *)link;
    if (border->taken == border->length) {
        border->taken = border->length = 0;
        if (!mk_fd_link_read_some(link, border->message, sizeof border->message, &border->length, timeout, cancel,
                                  error))
            return false;
    }
    *got = MIN(length, border->length - border->taken);
    memcpy(data, border->message + border->taken, *got);
    border->taken += *got;
    return true;
}

static bool border_write(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel,
                         GError **error)
{
    for (size_t at = 0; at < length; at += BORDER_WRITE)
        if (!mk_fd_link_write(link, (const uint8_t *)data + at, MIN(BORDER_WRITE, length - at), timeout, cancel, error))
            return false;
    return true;
}

static const MkLinkClass border_class = {.read_some = border_read_some, .write = border_write, .free = socket_free};

static MkLink *border_link_new(int fd, MkLinkKind kind, const char *name)
{
    BorderLink *border = mk_link_alloc(&border_class, sizeof *border, kind, name);
    border->fd.fd = fd;
    return &border->fd.base;
}

MkLink *mk_link_from_fd(int fd, MkLinkKind kind, const char *name)
{
    return mk_fd_link_new(&stream_class, fd, kind, name);
}

void mk_link_pair(MkLink **one, MkLink **other, bool borders)
{
    int fds[2];
    if (socketpair(AF_UNIX, (borders ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds))
        g_error("socketpair: %s", g_strerror(errno));
    *one = borders ? border_link_new(fds[0], MK_LINK_PAIR, "pair")
                   : mk_fd_link_new(&stream_class, fds[0], MK_LINK_PAIR, "pair");
    *other = borders ? border_link_new(fds[1], MK_LINK_PAIR, "pair")
                     : mk_fd_link_new(&stream_class, fds[1], MK_LINK_PAIR, "pair");
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

static MkLink *open_unix(const char *port, const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        mk_fault_set(error, MK_FAULT_USAGE, _("The socket path %s is too long."), path);
        return NULL;
    }
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    for (int attempt = 0; attempt < 2; attempt++) {
        int fd = socket(AF_UNIX, (attempt ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0);
        if (fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address)) {
            MkLink *link = attempt ? border_link_new(fd, MK_LINK_SOCKET, port)
                                   : mk_fd_link_new(&stream_class, fd, MK_LINK_SOCKET, port);
            int room = ROOM;
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
            return link;
        }
        int error_number = errno;
        if (fd >= 0)
            close(fd);
        if (error_number == EPROTOTYPE && !attempt)
            continue;
        mk_fault_set_errno(error, true, error_number, _("Cannot connect to"), port);
        return NULL;
    }
    return NULL;
}

static MkLink *open_tcp(const char *port, const char *address, GCancellable *cancel, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GError) local = NULL;
    g_socket_client_set_enable_proxy(client, FALSE);
    g_autoptr(GSocketConnection) connection = g_socket_client_connect_to_host(client, address, 0, cancel, &local);
    if (!connection) {
        bool stopped = g_error_matches(local, G_IO_ERROR, G_IO_ERROR_CANCELLED),
             usage = g_error_matches(local, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
        mk_fault_set(error,
                     stopped ? MK_FAULT_STOPPED
                     : usage ? MK_FAULT_USAGE
                             : MK_FAULT_CON_NONE,
                     _("Cannot connect to %s: %s."), port, local->message);
        return NULL;
    }
    int fd = fcntl(g_socket_get_fd(g_socket_connection_get_socket(connection)), F_DUPFD_CLOEXEC, 3), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return mk_fd_link_new(&stream_class, fd, MK_LINK_SOCKET, port);
}

MkLink *mk_socket_open(const char *port, const char *address, GCancellable *cancel, GError **error)
{
    if (strchr(address, '/'))
        return open_unix(port, address, error);
    if (strchr(address, ':'))
        return open_tcp(port, address, cancel, error);
    mk_fault_set(error, MK_FAULT_USAGE, _("\"%s\" is neither socket:PATH (with a slash) nor socket:HOST:PORT."), port);
    return NULL;
}
