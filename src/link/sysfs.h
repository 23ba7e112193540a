/* What the kernel shows of the phones on USB: the tree below /sys, read without opening a device. */
#pragma once

#include "link/usb-ids.h"

typedef struct {
    char *path; /* bus path: "1-2.3" */
    uint16_t vid, pid;
    MkUsbMode mode;
    unsigned bus, address;
    unsigned speed;     /* Mbit/s */
    unsigned hubs;      /* between the phone and the computer */
    GPtrArray *drivers; /* (element-type utf8) kernel drivers on its interfaces, each once */
    GPtrArray *
        nodes; /* (element-type utf8) its device files, the one of the bus first: "/dev/bus/usb/001/005", "/dev/ttyACM0" */
} MkSysfsPhone;

/* ROOT is put before /sys; "" is the real system. (element-type MkSysfsPhone, freed with the array) By bus path. */
GPtrArray *mk_sysfs_phones(const char *root);
