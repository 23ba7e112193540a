/* A USB phone behind the seam of usb-private.h: what it sends, refuses, swallows and when it vanishes is up to the test. */
#pragma once

#include "link/usb-private.h"

typedef struct {
    enum libusb_transfer_status status;
    const char *data; /* NULL: none */
    size_t length;
} FakePiece;

typedef struct {
    /* what the test says */
    GQueue pieces;         /* of FakePiece: one per IN transfer that ends */
    unsigned stall_out_at; /* the n-th OUT transfer (from 1) stalls after half a packet; 0: none */
    unsigned stalls_out;   /* so many times */
    bool swallow_out;      /* OUT transfers never end by themselves */
    bool keeps;            /* cancelled transfers never come back */
    bool unplugged;
    int claim_code;   /* what claiming interface 0 answers */
    int control_code; /* what requests answer, 0: as asked */
    /* what it saw */
    GByteArray *written;
    GArray *out_sizes; /* of unsigned: bytes of each OUT transfer that ended well */
    GPtrArray *log;    /* "claim 1", "request 21 20 0 1 …", … */
    GQueue in, out;    /* posted transfers */
    unsigned out_ended, most_out, clears;
    bool closed;
    bool interrupted;
    GMutex mutex;
    GCond cond;
} FakeUsb;

extern FakeUsb *fake_usb;
extern const MkUsbCalls fake_usb_calls;

void fake_usb_new(void);
void fake_usb_free(void);
void fake_usb_send(const char *data, size_t length);
void fake_usb_end(enum libusb_transfer_status status);
/* Opens a link to it: data interface 0, control interface 1, packets of 512. */
MkLink *fake_usb_open(GError **error);
