/* The tables behind usb-device.c. */
#pragma once

#include "phone/usb-device.h"

#define MK_USB_DEVICE_SIZE    18
#define MK_USB_QUALIFIER_SIZE 10

typedef struct {
    uint16_t vendor, product;
    uint8_t device_class;
    bool high_speed; /* runs at high speed; full speed is all that the others can */
    MkUsbEndpoints endpoints;
    const char *strings[6]; /* by index; NULL: there is none. [0] is not used: 0409 is the only language */
} MkUsbTable;

const MkUsbTable *mk_usb_table(MkUsbKind kind);
/* Appended to ARRAY. */
void mk_usb_put_device(GByteArray *array, const MkUsbTable *table, uint32_t ids);
void mk_usb_put_qualifier(GByteArray *array, const MkUsbTable *table);
/* PACKET: of the bulk endpoints. Returns where it begins in ARRAY. */
guint mk_usb_put_configuration(GByteArray *array, MkUsbKind kind, uint16_t packet);
