/* Bytes per second over a bulk pipe, Medik's link beside a plain loop over libusb. In the virtual machine (tests/vm/bench.sh):
 *
 *   usb device PORT           a device over USB/IP that sends and swallows what it is told
 *   usb link|plain BUS-PATH   reads and writes through Medik's link, or through the loop; prints MB/s
 *
 * A job is six bytes: 'R' (the device sends) or 'W' (it takes), nothing, and the length, big-endian. After a 'W' the device says '!'. */
#include "core/bytes.h"
#include "link/link.h"
#include "phone/port.h"

#include <libusb.h>
#include <stdio.h>
#include <string.h>

#define LENGTH   (8u << 20)
#define BLOCK    (64u << 10) /* of the plain loop, and of the device */
#define ROUNDS   3
#define PATIENCE 30000
#define OUT      0x01
#define IN       0x81

/* --- the device --- */

static void serve(MkWire *wire)
{
    static uint8_t block[BLOCK];
    uint8_t job[6];
    while (mk_wire_read(wire, job, sizeof job, -1) == MK_WIRE_OK) {
        uint32_t left = mk_be32(job + 2);
        for (; left; left -= MIN(left, BLOCK))
            if (job[0] == 'R')
                mk_wire_write(wire, block, MIN(left, BLOCK));
            else if (mk_wire_read(wire, block, MIN(left, BLOCK), -1) != MK_WIRE_OK)
                return;
        if (job[0] == 'W')
            mk_wire_put8(wire, '!');
    }
}

static int device(const char *number)
{
    g_autofree char *text = g_strconcat("usbip:", number, NULL), *name = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(MkPort) port = mk_port_new(text, true, &error);
    MkWire *wire = port ? mk_port_appear(port, MK_USB_PRELOADER, &name, &error) : NULL;
    if (!wire) {
        fprintf(stderr, "usb: %s\n", error->message);
        return 1;
    }
    serve(wire);
    return 0;
}

/* --- the two hosts: whole blocks, or false --- */

typedef struct {
    MkLink *link;
    libusb_context *context;
    libusb_device_handle *handle;
} Host;

static bool plain(Host *host, uint8_t endpoint, uint8_t *data, size_t length)
{
    for (size_t done = 0; done < length;) {
        int moved, code = libusb_bulk_transfer(host->handle, endpoint, data + done, (int)MIN(length - done, BLOCK),
                                               &moved, PATIENCE);
        if (code)
            return false;
        done += (size_t)moved;
    }
    return true;
}

static bool put(Host *host, const void *data, size_t length)
{
    if (host->link)
        return mk_link_write(host->link, data, length, PATIENCE, NULL, NULL);
    return plain(host, OUT, (uint8_t *)data, length);
}

static bool get(Host *host, void *data, size_t length)
{
    if (host->link)
        return mk_link_read(host->link, data, length, PATIENCE, NULL, NULL);
    return plain(host, IN, data, length);
}

static void open_plain(Host *host, const char *path)
{
    libusb_device **list;
    libusb_init(&host->context);
    ssize_t count = libusb_get_device_list(host->context, &list);
    for (ssize_t i = 0; i < count && !host->handle; i++) {
        g_autofree char *name =
            g_strdup_printf("%u-%u", libusb_get_bus_number(list[i]), libusb_get_port_number(list[i]));
        if (strcmp(name, path) == 0)
            libusb_open(list[i], &host->handle);
    }
    libusb_free_device_list(list, 1);
    if (!host->handle)
        return;
    libusb_set_auto_detach_kernel_driver(host->handle, 1);
    if (libusb_claim_interface(host->handle, 0) != 0)
        g_clear_pointer(&host->handle, libusb_close);
}

static double measure(Host *host, char kind, uint8_t *data)
{
    const uint8_t job[] = {(uint8_t)kind, 0, LENGTH >> 24, LENGTH >> 16 & 0xFF, LENGTH >> 8 & 0xFF, LENGTH & 0xFF};
    gint64 start = g_get_monotonic_time();
    uint8_t end;
    bool good = put(host, job, sizeof job) &&
                (kind == 'R' ? get(host, data, LENGTH) : put(host, data, LENGTH) && get(host, &end, 1));
    return good ? (double)LENGTH / (double)(g_get_monotonic_time() - start) : -1;
}

static int host(const char *kind, const char *path)
{
    Host host = {0};
    g_autoptr(GError) error = NULL;
    if (strcmp(kind, "link") == 0)
        host.link = mk_link_wait(path, PATIENCE, NULL, &error);
    else
        open_plain(&host, path);
    if (!host.link && !host.handle) {
        fprintf(stderr, "usb: cannot open %s: %s\n", path, error ? error->message : "not there, or not ours");
        return 1;
    }
    g_autofree uint8_t *data = g_malloc0(LENGTH);
    for (const char *way = "RW"; *way; way++) {
        double best = 0;
        for (unsigned round = 0; round < ROUNDS; round++)
            best = MAX(best, measure(&host, *way, data));
        printf("%s %c %.1f\n", kind, *way, best);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "device") == 0)
        return device(argv[2]);
    if (argc == 3)
        return host(argv[1], argv[2]);
    fprintf(stderr, "usage: usb device PORT | usb link|plain BUS-PATH\n");
    return 1;
}
