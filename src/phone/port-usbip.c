/* Two threads meet here: the phone's own, through the wire, and the server's, which alone reads from hosts. Both may send. */
#include "phone/port-usbip.h"

#include "phone/usbip.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_CLIENTS 16
#define PIECE        (256 * 1024)
#define PATIENCE     (5 * G_TIME_SPAN_SECOND) /* with a host that asks for nothing, or for a phone that does not come */
#define LEAVING      (1 * G_TIME_SPAN_SECOND) /* for a host to notice that its device is gone */
#define LAST_WORDS   (100 * G_TIME_SPAN_MILLISECOND) /* for a host to fetch what the phone said last */

typedef struct {
    int fd;
    MkUsbip *usbip;
    gint64 deadline; /* monotonic µs; of no account while it has the device */
    bool leaving;    /* its device is gone: nothing more is read from it but the end */
} Client;

/* An eventfd that is readable while a condition holds. */
typedef struct {
    int fd;
    bool set;
} Flag;

struct _MkUsbServer {
    int listener, wake;
    GThread *thread;
    uint8_t *piece; /* its buffer */
    MkPortCable cable;
    gpointer cable_data;
    /* under `lock` */
    GMutex lock;
    GCond changed;
    bool stop;
    MkUsbBus bus;
    GPtrArray *clients;
    Flag readable, writable;
};

static void flag(Flag *to, bool set)
{
    eventfd_t ignored;
    if (set && !to->set)
        eventfd_write(to->fd, 1);
    else if (!set && to->set)
        eventfd_read(to->fd, &ignored);
    to->set = set;
}

/* --- with the lock held -------------------------------------------------------------------------------------------------- */

static Client *host_of(MkUsbServer *server)
{
    for (guint i = 0; i < server->clients->len; i++) {
        Client *client = server->clients->pdata[i];
        if (server->bus.host && client->usbip == server->bus.host)
            return client;
    }
    return NULL;
}

static void update_flags(MkUsbServer *server)
{
    const MkUsbip *host = server->bus.host;
    flag(&server->readable, host && mk_usbip_has_input(host));
    flag(&server->writable, host && mk_usbip_takes_output(host));
    g_cond_broadcast(&server->changed);
}

/* False: the connection is broken. */
static bool flush(Client *client)
{
    GByteArray *output = mk_usbip_output(client->usbip);
    size_t sent = 0;
    ssize_t n = 0;
    while (sent < output->len &&
           (n = send(client->fd, output->data + sent, output->len - sent, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
        sent += (size_t)n;
    g_byte_array_remove_range(output, 0, (guint)sent);
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void client_free(gpointer data)
{
    Client *client = data;
    close(client->fd);
    mk_usbip_free(client->usbip);
    g_free(client);
}

/* A configured device whose host hangs up lost its cable; one that was only tried is there for the next. True: it was the former. */
static bool drop(MkUsbServer *server, Client *client)
{
    bool pulled = client->usbip == server->bus.host && mk_usb_device_configured(server->bus.device);
    g_ptr_array_remove(server->clients, client);
    if (pulled) {
        g_clear_pointer(&server->bus.device, mk_usb_device_free);
        server->bus.pulled = true;
    }
    return pulled;
}

static void accept_client(MkUsbServer *server)
{
    int on = 1, fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (server->clients->len == MOST_CLIENTS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Client *client = g_new0(Client, 1);
    *client = (Client){.fd = fd, .usbip = mk_usbip_new(&server->bus), .deadline = g_get_monotonic_time() + PATIENCE};
    g_ptr_array_add(server->clients, client);
}

/* False: the host is gone or talks nonsense. */
static bool hear(MkUsbServer *server, Client *client)
{
    ssize_t n = recv(client->fd, server->piece, PIECE, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0 || client->leaving)
        return n > 0;
    return mk_usbip_feed(client->usbip, server->piece, (size_t)n) && flush(client);
}

static bool in_time(const MkUsbServer *server, Client *client, gint64 now)
{
    if (client->usbip == server->bus.host || now < client->deadline)
        return true;
    if (!mk_usbip_waits(client->usbip))
        return false;
    mk_usbip_answer(client->usbip); /* no phone came */
    client->deadline = now + PATIENCE;
    return flush(client);
}

static bool serve(MkUsbServer *server, Client *client, short events, gint64 now)
{
    if (events & POLLOUT && !flush(client))
        return false;
    if (events & (POLLIN | POLLHUP | POLLERR) && !hear(server, client))
        return false;
    if (client->leaving && !mk_usbip_output(client->usbip)->len)
        shutdown(client->fd, SHUT_WR);
    return in_time(server, client, now);
}

/* --- the server's thread -------------------------------------------------------------------------------------------------- */

static guint prepare(MkUsbServer *server, struct pollfd *fds, int *timeout)
{
    gint64 now = g_get_monotonic_time(), first = -1;
    fds[0] = (struct pollfd){.fd = server->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = server->listener, .events = POLLIN};
    for (guint i = 0; i < server->clients->len; i++) {
        Client *client = server->clients->pdata[i];
        short events = mk_usbip_output(client->usbip)->len ? POLLIN | POLLOUT : POLLIN;
        fds[2 + i] = (struct pollfd){.fd = client->fd, .events = events};
        if (client->usbip != server->bus.host)
            first = first < 0 ? client->deadline : MIN(first, client->deadline);
    }
    *timeout = first < 0 ? -1 : (int)(MAX(0, first - now) / 1000) + 1;
    return server->clients->len;
}

static gpointer run(gpointer data)
{
    MkUsbServer *server = data;
    struct pollfd fds[2 + MOST_CLIENTS];
    g_mutex_lock(&server->lock);
    while (!server->stop) {
        int timeout;
        bool pulled = false;
        eventfd_t ignored;
        guint count = prepare(server, fds, &timeout);
        g_mutex_unlock(&server->lock);
        poll(fds, 2 + count, timeout);
        g_mutex_lock(&server->lock);
        eventfd_read(server->wake, &ignored);
        gint64 now = g_get_monotonic_time();
        for (guint i = count; i-- > 0;) { /* only this thread adds or removes */
            Client *client = server->clients->pdata[i];
            if (!serve(server, client, fds[2 + i].revents, now))
                pulled |= drop(server, client);
        }
        if (fds[1].revents)
            accept_client(server);
        bool replug = server->bus.replug;
        if (replug)
            server->bus.pulled = server->bus.replug = false;
        update_flags(server);
        if ((pulled || replug) && server->cable) {
            g_mutex_unlock(&server->lock);
            if (pulled)
                server->cable(server->cable_data, false);
            if (replug)
                server->cable(server->cable_data, true);
            g_mutex_lock(&server->lock);
        }
    }
    g_mutex_unlock(&server->lock);
    return NULL;
}

MkUsbServer *mk_usb_server_new(const char *host, uint16_t *number, MkPortCable cable, gpointer user_data,
                               GError **error)
{
    int listener = mk_port_listen_tcp(host, number, error);
    if (listener < 0)
        return NULL;
    MkUsbServer *server = g_new0(MkUsbServer, 1);
    server->listener = listener;
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->readable.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->writable.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->piece = g_malloc(PIECE);
    server->cable = cable;
    server->cable_data = user_data;
    server->clients = g_ptr_array_new_with_free_func(client_free);
    g_mutex_init(&server->lock);
    g_cond_init(&server->changed);
    server->thread = g_thread_new("phone-usbip", run, server);
    return server;
}

void mk_usb_server_free(MkUsbServer *server)
{
    if (!server)
        return;
    g_mutex_lock(&server->lock);
    server->stop = true;
    g_mutex_unlock(&server->lock);
    eventfd_write(server->wake, 1);
    g_thread_join(server->thread);
    g_ptr_array_unref(server->clients);
    mk_usb_device_free(server->bus.device);
    int fds[] = {server->listener, server->wake, server->readable.fd, server->writable.fd};
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
    g_mutex_clear(&server->lock);
    g_cond_clear(&server->changed);
    g_free(server->piece);
    g_free(server);
}

/* --- the phone's thread --------------------------------------------------------------------------------------------------- */

/* What the socket did not take at once is the other thread's. */
static void changed(MkUsbServer *server)
{
    Client *host = host_of(server);
    if (host && (!flush(host) || mk_usbip_output(host->usbip)->len))
        eventfd_write(server->wake, 1);
    update_flags(server);
}

static size_t take(gpointer data, void *bytes, size_t size)
{
    MkUsbServer *server = data;
    g_mutex_lock(&server->lock);
    size_t got = server->bus.host ? mk_usbip_take(server->bus.host, bytes, size) : 0;
    changed(server);
    g_mutex_unlock(&server->lock);
    return got;
}

static bool give(gpointer data, const void *bytes, size_t length)
{
    MkUsbServer *server = data;
    g_mutex_lock(&server->lock);
    bool given = server->bus.host && mk_usbip_give(server->bus.host, bytes, length);
    changed(server);
    g_mutex_unlock(&server->lock);
    return given;
}

static bool ask(MkUsbServer *server, bool (*question)(const MkUsbDevice *device), bool without)
{
    g_mutex_lock(&server->lock);
    bool answer = server->bus.device ? question(server->bus.device) : without;
    g_mutex_unlock(&server->lock);
    return answer;
}

static bool enumerated(gpointer server)
{
    return ask(server, mk_usb_device_configured, false);
}

static bool tool_present(gpointer server)
{
    return ask(server, mk_usb_device_tool_present, false);
}

static bool is_open(gpointer server)
{
    return ask(server, mk_usb_device_dtr, false);
}

void mk_usb_server_reappear(MkUsbServer *server, MkWire *wire, MkUsbKind kind, uint32_t ids)
{
    g_mutex_lock(&server->lock);
    MkUsbBus *bus = &server->bus;
    bus->device = mk_usb_device_new(kind, ids);
    bus->number = bus->number % 127 + 1;
    bus->pulled = false;
    mk_wire_set_packet(wire, mk_usb_device_packet(bus->device));
    for (guint i = 0; i < server->clients->len; i++) {
        Client *client = server->clients->pdata[i];
        if (mk_usbip_waits(client->usbip)) {
            mk_usbip_answer(client->usbip);
            flush(client);
        }
    }
    update_flags(server);
    eventfd_write(server->wake, 1);
    g_mutex_unlock(&server->lock);
}

MkWire *mk_usb_server_appear(MkUsbServer *server, MkUsbKind kind, uint32_t ids)
{
    static const MkWirePipe pipe = {
        .take = take, .give = give, .enumerated = enumerated, .tool_present = tool_present, .open = is_open};
    MkWire *wire = mk_wire_new_pipe(&pipe, server, server->readable.fd, server->writable.fd);
    mk_usb_server_reappear(server, wire, kind, ids);
    return wire;
}

void mk_usb_server_vanish(MkUsbServer *server)
{
    gint64 end = g_get_monotonic_time() + LAST_WORDS;
    g_mutex_lock(&server->lock);
    while (server->bus.host && !mk_usbip_drained(server->bus.host) &&
           g_cond_wait_until(&server->changed, &server->lock, end))
        ;
    Client *host = host_of(server);
    if (host) {
        host->leaving = true;
        host->deadline = g_get_monotonic_time() + LEAVING;
        server->bus.host = NULL;
    }
    g_clear_pointer(&server->bus.device, mk_usb_device_free);
    update_flags(server);
    eventfd_write(server->wake, 1);
    g_mutex_unlock(&server->lock);
}

void mk_usb_server_stall(MkUsbServer *server, bool input)
{
    g_mutex_lock(&server->lock);
    if (server->bus.host)
        mk_usbip_stall(server->bus.host, input);
    changed(server);
    g_mutex_unlock(&server->lock);
}
