#include "phone/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "core/bytes.h"

#define PACKET      65536
#define SOCKET_ROOM (1 << 20) /* bytes on their way to the host; the system may allow fewer */

struct _MkWire {
    const MkWirePipe *pipe; /* or NULL */
    gpointer port;
    int readable, writable; /* the pipe's */
    size_t packet_size;
    int fd, listener, keep, watch, wake;
    int opens; /* hosts that hold the pty's slave */
    gint gone;
    bool present, borders, taken_singly, last_was_input;
    unsigned violations;
    uint8_t packet[PACKET];
    size_t have, at;
    uint64_t rate;
    unsigned turnaround_us;
    gint64 line_free; /* monotonic µs at which the bytes so far have passed */
    MkWireTap tap;
    gpointer tap_data;
};

static MkWire *wire_new(int fd, int listener, int keep, int watch)
{
    MkWire *wire = g_new0(MkWire, 1);
    wire->fd = fd;
    wire->listener = listener;
    wire->keep = keep;
    wire->watch = watch;
    wire->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return wire;
}

MkWire *mk_wire_new_fd(int fd, bool borders)
{
    MkWire *wire = wire_new(fd, -1, -1, -1);
    wire->borders = borders;
    wire->present = true;
    return wire;
}

MkWire *mk_wire_new_pty(int master, int keep, int watch)
{
    return wire_new(master, -1, keep, watch);
}

MkWire *mk_wire_new_listener(int listener)
{
    return wire_new(-1, listener, -1, -1);
}

MkWire *mk_wire_new_pipe(const MkWirePipe *pipe, gpointer port, int readable, int writable)
{
    MkWire *wire = wire_new(-1, -1, -1, -1);
    wire->pipe = pipe;
    wire->port = port;
    wire->readable = readable;
    wire->writable = writable;
    return wire;
}

void mk_wire_set_packet(MkWire *wire, size_t size)
{
    wire->packet_size = size;
}

void mk_wire_free(MkWire *wire)
{
    if (!wire)
        return;
    int fds[] = {wire->fd, wire->listener, wire->keep, wire->watch, wire->wake};
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    g_free(wire);
}

void mk_wire_cut(MkWire *wire)
{
    g_atomic_int_set(&wire->gone, 1);
    eventfd_write(wire->wake, 1);
}

void mk_wire_set_borders(MkWire *wire, bool borders)
{
    wire->borders = borders;
    wire->taken_singly = false;
}

bool mk_wire_borders(const MkWire *wire)
{
    return wire->borders;
}

unsigned mk_wire_border_violations(const MkWire *wire)
{
    return wire->violations;
}

void mk_wire_set_pace(MkWire *wire, uint64_t bytes_per_second, unsigned turnaround_us)
{
    wire->rate = bytes_per_second;
    wire->turnaround_us = turnaround_us;
}

void mk_wire_set_tap(MkWire *wire, MkWireTap tap, gpointer user_data)
{
    wire->tap = tap;
    wire->tap_data = user_data;
}

void mk_wire_set_baud(MkWire *wire, unsigned baud)
{
    (void)wire, (void)baud; /* neither a pty nor a socket garbles bytes at the wrong rate */
}

static bool is_gone(MkWire *wire)
{
    return g_atomic_int_get(&wire->gone) != 0;
}

static void host_left(MkWire *wire)
{
    if (wire->listener >= 0) {
        close(wire->fd);
        wire->fd = -1;
        wire->present = false;
    } else {
        mk_wire_cut(wire);
    }
}

/* Who opened or closed the pty's slave since we last looked? What nobody read is dropped with the last host. */
static void look_at_hosts(MkWire *wire)
{
    char buffer[4096] __attribute__((aligned(8)));
    ssize_t n;
    while (wire->watch >= 0 && (n = read(wire->watch, buffer, sizeof buffer)) > 0) {
        for (char *p = buffer; p < buffer + n;) {
            struct inotify_event *event = (void *)p;
            wire->opens += event->mask & IN_OPEN ? 1 : -1;
            p += sizeof *event + event->len;
        }
        wire->opens = MAX(wire->opens, 0);
        wire->present = wire->opens > 0;
        if (!wire->present)
            tcflush(wire->keep, TCIFLUSH);
    }
}

static void take_host(MkWire *wire)
{
    int on = 1, room = SOCKET_ROOM;
    wire->fd = accept4(wire->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    wire->present = wire->fd >= 0;
    if (!wire->present)
        return;
    bool tcp = setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0;
    if (!tcp) /* whose room grows by itself */
        setsockopt(wire->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

static int pipe_fd(const MkWire *wire, short events)
{
    return events == POLLIN ? wire->readable : wire->writable;
}

/* Waits for EVENTS on the connection; takes a waiting host. END in monotonic µs, -1 = for ever. */
static MkWireResult wait_for(MkWire *wire, short events, gint64 end)
{
    for (;;) {
        if (is_gone(wire))
            return MK_WIRE_GONE;
        struct pollfd fds[] = {
            {.fd = wire->wake, .events = POLLIN},
            {.fd = wire->pipe ? pipe_fd(wire, events) : wire->fd, .events = wire->pipe ? POLLIN : events},
            {.fd = wire->fd < 0 ? wire->listener : -1, .events = POLLIN},
            {.fd = wire->watch, .events = POLLIN}};
        gint64 left = (end - g_get_monotonic_time() + 999) / 1000;
        int n = poll(fds, G_N_ELEMENTS(fds), end < 0 ? -1 : (int)MAX(left, 0));
        if (n < 0 && errno == EINTR)
            continue;
        look_at_hosts(wire);
        if (n == 0)
            return MK_WIRE_TIMEOUT;
        if (fds[2].revents)
            take_host(wire);
        if (fds[1].revents)
            return MK_WIRE_OK;
    }
}

/* Sleeps until LENGTH bytes have passed a line of the given rate. What one sleep is too long, the next is shorter: hence the clock. */
static void keep_pace(MkWire *wire, size_t length, bool input)
{
    bool turned = wire->last_was_input && !input;
    wire->last_was_input = input;
    if (!wire->rate && !wire->turnaround_us)
        return;
    gint64 now = g_get_monotonic_time();
    wire->line_free = MAX(wire->line_free, now - G_TIME_SPAN_MILLISECOND);
    if (turned)
        wire->line_free += wire->turnaround_us;
    if (wire->rate)
        wire->line_free += (gint64)((uint64_t)length * G_USEC_PER_SEC / wire->rate);
    if (wire->line_free > now)
        g_usleep((gulong)(wire->line_free - now));
}

/* -1: nothing there after all. 0: the host left. */
static ssize_t receive(MkWire *wire, uint8_t *data, size_t room)
{
    if (wire->pipe) {
        size_t got = wire->pipe->take(wire->port, data, room);
        return got ? (ssize_t)got : -1;
    }
    ssize_t n = read(wire->fd, data, room);
    return n < 0 && errno != EAGAIN && errno != EINTR ? 0 : n;
}

/* What comes next, at most ROOM bytes. */
static MkWireResult await(MkWire *wire, uint8_t *data, size_t room, size_t *got, gint64 end)
{
    for (;;) {
        MkWireResult result = wait_for(wire, POLLIN, end);
        if (result != MK_WIRE_OK)
            return result;
        ssize_t n = receive(wire, data, room);
        if (n == 0)
            host_left(wire);
        if (n <= 0)
            continue;
        wire->present = true;
        wire->taken_singly = false;
        *got = (size_t)n;
        keep_pace(wire, (size_t)n, true);
        return MK_WIRE_OK;
    }
}

static MkWireResult fill(MkWire *wire, gint64 end)
{
    while (wire->at == wire->have) {
        MkWireResult result = await(wire, wire->packet, sizeof wire->packet, &wire->have, end);
        if (result != MK_WIRE_OK)
            return result;
        wire->at = 0;
        if (wire->tap && !wire->tap(wire->tap_data, true, wire->packet, &wire->have))
            mk_wire_cut(wire);
    }
    return is_gone(wire) ? MK_WIRE_GONE : MK_WIRE_OK;
}

/* Nobody looks at how the bytes between two ends of a stream are cut: then they need no stop on the way. */
static bool is_plain(const MkWire *wire)
{
    return !wire->pipe && !wire->tap && !wire->borders && !wire->packet_size && !wire->rate;
}

static gint64 deadline(int timeout)
{
    return timeout < 0 ? -1 : g_get_monotonic_time() + (gint64)timeout * 1000;
}

/* Where the packet that is being read ends. */
static size_t packet_end(const MkWire *wire)
{
    return wire->packet_size ? MIN(wire->have, (wire->at / wire->packet_size + 1) * wire->packet_size) : wire->have;
}

static MkWireResult take(MkWire *wire, uint8_t *data, size_t length, size_t *got, gint64 end)
{
    if (wire->packet_size && wire->at % wire->packet_size == 0)
        wire->taken_singly = false;
    if (wire->borders && length > 1 && wire->taken_singly && wire->at < wire->have) {
        wire->violations++;
        wire->at = packet_end(wire);
    }
    if (wire->at == wire->have && length >= PACKET && is_plain(wire))
        return await(wire, data, length, got, end);
    MkWireResult result = fill(wire, end);
    if (result != MK_WIRE_OK)
        return result;
    *got = MIN(length, wire->have - wire->at);
    memcpy(data, wire->packet + wire->at, *got);
    wire->at += *got;
    wire->taken_singly = wire->taken_singly || length == 1;
    return MK_WIRE_OK;
}

MkWireResult mk_wire_read_some(MkWire *wire, void *data, size_t length, size_t *got, int timeout)
{
    return take(wire, data, length, got, deadline(timeout));
}

MkWireResult mk_wire_read(MkWire *wire, void *data, size_t length, int timeout)
{
    gint64 end = deadline(timeout);
    uint8_t *place = data;
    bool whole = length > 1;
    while (length) {
        size_t got;
        MkWireResult result = take(wire, place, length, &got, end);
        if (result != MK_WIRE_OK)
            return result;
        if (whole) /* its last byte is not "taken singly" */
            wire->taken_singly = false;
        place += got;
        length -= got;
    }
    return MK_WIRE_OK;
}

size_t mk_wire_waiting(MkWire *wire)
{
    if (wire->at == wire->have)
        fill(wire, g_get_monotonic_time());
    return wire->have - wire->at;
}

static ssize_t deliver(MkWire *wire, const uint8_t *data, size_t length)
{
    if (wire->pipe) {
        errno = EAGAIN;
        return wire->pipe->give(wire->port, data, length) ? (ssize_t)length : -1;
    }
    return wire->keep >= 0 ? write(wire->fd, data, length) : send(wire->fd, data, length, MSG_NOSIGNAL);
}

static MkWireResult push(MkWire *wire, const uint8_t *data, size_t length)
{
    keep_pace(wire, length, false);
    bool full = wire->fd < 0; /* or nobody there */
    for (size_t done = 0; done < length && !is_gone(wire);) {
        MkWireResult result = full ? wait_for(wire, POLLOUT, -1) : MK_WIRE_OK;
        if (result != MK_WIRE_OK)
            return result;
        ssize_t n = deliver(wire, data + done, length - done);
        full = n < 0 && (errno == EAGAIN || errno == EINTR);
        if (full)
            continue;
        if (n < 0) {
            host_left(wire); /* the rest belongs to a host that is no longer there */
            break;
        }
        done += (size_t)n;
    }
    return is_gone(wire) ? MK_WIRE_GONE : MK_WIRE_OK;
}

MkWireResult mk_wire_write(MkWire *wire, const void *data, size_t length)
{
    if (is_gone(wire))
        return MK_WIRE_GONE;
    size_t most = is_plain(wire) ? length : PACKET;
    for (size_t at = 0; at < length; at += most) {
        size_t piece = MIN(length - at, most), left = piece;
        const uint8_t *bytes = (const uint8_t *)data + at;
        g_autofree uint8_t *changed = NULL;
        bool cut = false;
        if (wire->tap) {
            bytes = changed = g_memdup2(bytes, piece);
            cut = !wire->tap(wire->tap_data, false, changed, &left);
        }
        MkWireResult result = push(wire, bytes, left);
        if (cut)
            mk_wire_cut(wire);
        if (result != MK_WIRE_OK || cut)
            return MK_WIRE_GONE;
    }
    return MK_WIRE_OK;
}

MkWireResult mk_wire_pause(MkWire *wire, unsigned milliseconds)
{
    struct pollfd wake = {.fd = wire->wake, .events = POLLIN};
    poll(&wake, 1, (int)milliseconds);
    return is_gone(wire) ? MK_WIRE_GONE : MK_WIRE_OK;
}

void mk_wire_drain(MkWire *wire, unsigned milliseconds)
{
    gint64 end = deadline((int)milliseconds);
    look_at_hosts(wire);
    struct pollfd unread = {.fd = wire->keep, .events = POLLIN};
    while (wire->present && wire->keep >= 0 && poll(&unread, 1, 0) == 1 && g_get_monotonic_time() < end) {
        g_usleep(1000);
        look_at_hosts(wire);
    }
}

bool mk_wire_enumerated(MkWire *wire)
{
    return !wire->pipe || wire->pipe->enumerated(wire->port);
}

bool mk_wire_takes_output(MkWire *wire)
{
    return wait_for(wire, POLLOUT, g_get_monotonic_time()) == MK_WIRE_OK;
}

bool mk_wire_tool_present(MkWire *wire)
{
    mk_wire_waiting(wire);
    return wire->pipe ? wire->pipe->tool_present(wire->port) : wire->present;
}

bool mk_wire_host_closed(MkWire *wire)
{
    if (wire->pipe)
        return !wire->pipe->open(wire->port);
    return wire->watch < 0 || !mk_wire_tool_present(wire);
}

#define GET(BITS)                                                                                                      \
    MkWireResult mk_wire_get##BITS(MkWire *wire, uint##BITS##_t *value)                                                \
    {                                                                                                                  \
        uint8_t raw[BITS / 8];                                                                                         \
        MkWireResult result = mk_wire_read(wire, raw, sizeof raw, -1);                                                 \
        if (result == MK_WIRE_OK) {                                                                                    \
            *value = 0;                                                                                                \
            for (size_t i = 0; i < sizeof raw; i++)                                                                    \
                *value = (uint##BITS##_t)((uint64_t)*value << 8 | raw[i]);                                             \
        }                                                                                                              \
        return result;                                                                                                 \
    }                                                                                                                  \
    MkWireResult mk_wire_put##BITS(MkWire *wire, uint##BITS##_t value)                                                 \
    {                                                                                                                  \
        uint8_t raw[BITS / 8];                                                                                         \
        for (size_t i = 0; i < sizeof raw; i++)                                                                        \
            raw[i] = (uint8_t)(value >> (BITS - 8 - 8 * i));                                                           \
        return mk_wire_write(wire, raw, sizeof raw);                                                                   \
    }
GET(8)
GET(16)
GET(32)
GET(64)
