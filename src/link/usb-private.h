/* Inside the room: a USB phone's two bulk pipes, and the one seam behind which libusb stands, so that tests can put a phone there that
 * stalls, babbles and vanishes. */
#pragma once

#include "link/link.h"
#include "link/usb-ids.h"

#include <libusb.h>

/* What is used of libusb after a device was opened; each entry is the function of that name. */
typedef struct {
    int (*submit_transfer)(struct libusb_transfer *transfer);
    int (*cancel_transfer)(struct libusb_transfer *transfer);
    int (*handle_events)(libusb_context *context, struct timeval *timeout);
    void (*interrupt_event_handler)(libusb_context *context);
    int (*clear_halt)(libusb_device_handle *handle, unsigned char endpoint);
    int (*control_transfer)(libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                            unsigned char *data, uint16_t length, unsigned timeout);
    int (*set_auto_detach_kernel_driver)(libusb_device_handle *handle, int enable);
    int (*claim_interface)(libusb_device_handle *handle, int interface);
    int (*release_interface)(libusb_device_handle *handle, int interface);
    int (*set_interface_alt_setting)(libusb_device_handle *handle, int interface, int setting);
    void (*close)(libusb_device_handle *handle);
    void (*exit)(libusb_context *context);
} MkUsbCalls;
extern const MkUsbCalls mk_usb_libusb;

/* The part of a device that talks: one interface with a bulk pair, and the one that takes line coding and control lines. */
typedef struct {
    int data, setting; /* interface number, alternate setting */
    int control;       /* interface number, -1: there is none */
    uint8_t in, out;   /* endpoint addresses */
    unsigned packet;   /* bytes of a bulk packet */
} MkUsbFunction;
/* Whatever number it has: what a CDC union names, else class 0A, else a vendor class with a bulk pair. PREFERRED: interface number from the
 * table of identities, -1 = none. */
bool mk_usb_find_function(const struct libusb_config_descriptor *config, int preferred, MkUsbFunction *function);

/* A device on the bus, before it is opened. */
typedef struct {
    char path[32]; /* bus and ports: "1-2.3" */
    uint8_t bus, address;
    unsigned speed; /* Mbit/s: 12, 480, 5000; 0 = not known */
    MkUsbTraits traits;
} MkUsbDevice;

/* --- the link ---------------------------------------------------------------------------------------------------------- */

#define MK_USB_IN_SLOTS  8
#define MK_USB_OUT_SLOTS 8
#define MK_USB_SLOT_SIZE (64u << 10)

typedef struct {
    struct libusb_transfer *transfer;
    uint8_t *buffer; /* IN only */
    bool busy;
    size_t taken; /* IN: bytes that the reader has had */
} MkUsbSlot;

typedef struct {
    MkLink base;
    const MkUsbCalls *calls;
    libusb_context *context;
    libusb_device_handle *handle;
    MkUsbDevice device;
    MkUsbFunction function;
    unsigned baud;
    MkUsbSlot in[MK_USB_IN_SLOTS], out[MK_USB_OUT_SLOTS];
    unsigned in_head, out_head, out_count;
    unsigned finished;  /* transfers that came back, ever */
    unsigned in_stalls; /* since the last byte came */
    bool claimed, control_claimed;
} MkUsbLink;

/* Takes over CONTEXT and HANDLE, also when it fails: claims, tells the phone that a tool is present, sets the transfers in motion. */
MkLink *mk_usb_link_new(const MkUsbCalls *calls, libusb_context *context, libusb_device_handle *handle,
                        const MkUsbDevice *device, const MkUsbFunction *function, GError **error);

/* The pipes (usb-pipe.c). */
bool mk_usb_pipe_start(MkUsbLink *usb, GError **error);
void mk_usb_pipe_stop(MkUsbLink *usb);
bool mk_usb_pipe_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                           GError **error);
bool mk_usb_pipe_write(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel,
                       GError **error);
bool mk_usb_pipe_end_payload(MkLink *link, size_t length, int timeout, GCancellable *cancel, GError **error);
/* Turns a code of libusb into a fault. Always false. */
bool mk_usb_fault(const char *name, int code, const char *doing, GError **error);
