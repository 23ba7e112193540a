/* Inside the room: where a watch learns what comes and goes. The real source is libusb's hot-plug (usb-bus.c); tests have their own. */
#pragma once

#include "link/usb-private.h"
#include "link/watch.h"

typedef struct {
    MkWatchEvent kind;
    MkUsbDevice device;
    gint64 time; /* monotonic µs */
} MkBusEvent;

typedef struct {
    /* The next event, at most TIMEOUT ms from now; kind QUIET when there is none. Devices that are there already come first. */
    bool (*next)(gpointer source, int timeout, MkBusEvent *event, GCancellable *cancel, GError **error);
    /* Opens a device that came and has not left, and consumes the source, also when it fails. */
    MkLink *(*open)(gpointer source, const MkUsbDevice *device, GError **error);
    void (*free)(gpointer source);
} MkBusClass;

MkWatch *mk_watch_new(const MkBusClass *klass, gpointer source);
bool mk_bus_open(const MkBusClass **klass, gpointer *source, GError **error);
const MkUsbDevice *mk_watch_device(const MkWatchPhone *phone);
/* Consumes WATCH, also when it fails. */
MkLink *mk_watch_open_link(MkWatch *watch, const MkWatchPhone *phone, GError **error);

/* Waiting (usb-wait.c), with a watch of the caller's choice; consumes it. */
MkLink *mk_usb_wait_on(MkWatch *watch, const char *port, int timeout, MkLinkSeenFunc seen, gpointer user_data,
                       GCancellable *cancel, GError **error);
/* Waits until the phone that was at PATH with ADDRESS on the bus is there again as another device. */
MkLink *mk_usb_follow_on(MkWatch *watch, const char *path, uint8_t address, int timeout, GCancellable *cancel,
                         GError **error);
