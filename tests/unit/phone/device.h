/* A device of the virtual phone on its own thread, and the test as its host at the other end of a socket pair. */
#pragma once

#include "phone/machine.h"

#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    MkModel model;
    MkSoc soc;
    MkMachine machine;
    int host;
    MkNext (*run)(MkMachine *machine);
    MkNext next;
    GThread *thread;
} Device;

static inline gpointer device_thread(gpointer data)
{
    Device *device = data;
    device->next = device->run(&device->machine);
    return NULL;
}

/* The model of `device` must be filled in. */
static inline void device_start(Device *device, MkNext (*run)(MkMachine *))
{
    int fds[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    device->host = fds[0];
    device->run = run;
    device->machine.model = &device->model;
    device->machine.wire = mk_wire_new_fd(fds[1], false);
    device->machine.preloader_found = true;
    device->machine.memory = g_hash_table_new(NULL, NULL);
    device->machine.pmic = g_hash_table_new(NULL, NULL);
    device->thread = g_thread_new("device", device_thread, device);
}

/* What the host sends while the device may have left already is nobody's concern. */
static inline void device_send(Device *device, const void *data, size_t length)
{
    send(device->host, data, length, MSG_NOSIGNAL);
}

/* Until the device has taken what was sent. */
static inline void device_settle(Device *device)
{
    int waiting = 1;
    while (ioctl(device->host, SIOCOUTQ, &waiting) == 0 && waiting)
        g_usleep(1000);
}

/* Up to LENGTH bytes within MILLISECONDS. */
static inline size_t device_receive(Device *device, void *data, size_t length, int milliseconds)
{
    size_t got = 0;
    while (got < length) {
        struct pollfd fd = {.fd = device->host, .events = POLLIN};
        if (poll(&fd, 1, milliseconds) <= 0)
            break;
        ssize_t n = recv(device->host, (uint8_t *)data + got, length - got, 0);
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    return got;
}

static inline MkNext device_end(Device *device)
{
    close(device->host);
    g_thread_join(device->thread);
    mk_wire_free(device->machine.wire);
    g_clear_pointer(&device->machine.da, g_bytes_unref);
    g_hash_table_unref(device->machine.memory);
    g_hash_table_unref(device->machine.pmic);
    return device->next;
}
