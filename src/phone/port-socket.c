/* Sockets as ports: one host at a time, each new one after the last has left. */
#include "core/i18n.h"
#include "phone/port.h"
#include "phone/unix-socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gio/gio.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* FD, or -1 and it is closed. */
static int listening(int fd, const struct sockaddr *address, socklen_t length, const char *name, GError **error)
{
    if (fd >= 0 && bind(fd, address, length) == 0 && listen(fd, 4) == 0)
        return fd;
    mk_fault_set_errno(error, false, errno, _("Cannot listen on"), name);
    if (fd >= 0)
        close(fd);
    return -1;
}

MkWire *mk_port_unix(const char *path, bool borders, GError **error)
{
    int fd = mk_unix_listen(path, borders ? SOCK_SEQPACKET : SOCK_STREAM, error);
    return fd < 0 ? NULL : mk_wire_new_listener(fd);
}

static GInetAddress *resolve(const char *host, GError **error)
{
    g_autoptr(GError) local = NULL;
    GList *found = g_resolver_lookup_by_name(g_resolver_get_default(), host, NULL, &local);
    if (!found) {
        mk_fault_set(error, MK_FAULT_USAGE, _("Cannot find the address of %s: %s."), host, local->message);
        return NULL;
    }
    GInetAddress *first = g_object_ref(found->data);
    g_resolver_free_addresses(found);
    return first;
}

int mk_port_listen_tcp(const char *host, uint16_t *number, GError **error)
{
    g_autoptr(GInetAddress) place = resolve(host, error);
    if (!place)
        return -1;
    g_autoptr(GSocketAddress) address = g_inet_socket_address_new(place, *number);
    struct sockaddr_storage native;
    gssize length = g_socket_address_get_native_size(address);
    if (!g_socket_address_to_native(address, &native, sizeof native, error))
        return -1;
    int fd = socket(native.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    fd = listening(fd, (struct sockaddr *)&native, (socklen_t)length, host, error);
    socklen_t size = sizeof native;
    if (fd >= 0 && getsockname(fd, (struct sockaddr *)&native, &size) == 0)
        *number = ntohs(native.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&native)->sin6_port
                                                     : ((struct sockaddr_in *)&native)->sin_port);
    return fd;
}

MkWire *mk_port_tcp(const char *host, uint16_t *number, GError **error)
{
    int fd = mk_port_listen_tcp(host, number, error);
    return fd < 0 ? NULL : mk_wire_new_listener(fd);
}
