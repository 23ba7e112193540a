/* Which USB identities are MediaTek phones, and what state they are in (spec brom.md 1.1, behaviour.md 2.1).  The table is data/usb-ids.csv;
 * owners of phones with ids of their own extend it in $XDG_CONFIG_HOME/medik/usb-ids.csv. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    MK_USB_NONE, /* no phone, or none of ours */
    MK_USB_BOOTROM,
    MK_USB_PRELOADER,
    MK_USB_DA,
    MK_USB_META,
    MK_USB_FASTBOOT,
    MK_USB_ANDROID,
    MK_USB_UNKNOWN, /* worth a handshake, nobody knows what it is */
} MkUsbMode;

typedef struct {
    uint16_t vid, pid;
    MkUsbMode mode;
    int interface; /* number of the data interface, -1: as the descriptors say */
    const char *name;
} MkUsbId;

extern const MkUsbId mk_usb_ids[];
extern const size_t mk_usb_id_count;

/* What can be told of a device from its descriptors, without opening it. */
typedef struct {
    uint16_t vid, pid;
    bool serial;   /* a CDC data interface with a bulk pair */
    bool fastboot; /* interface class FF/42/03 */
    bool android;  /* adb (FF/42/01) or MTP (06/01/01) */
} MkUsbTraits;

/* The row of an identity, the user's own rows first; NULL if there is none. Borrowed, lives as long as the program. */
const MkUsbId *mk_usb_id_find(uint16_t vid, uint16_t pid);
/* All rows, the user's first. (element-type MkUsbId) Borrowed. */
const GPtrArray *mk_usb_id_all(void);
MkUsbMode mk_usb_classify(const MkUsbTraits *traits);
/* "BootROM", "preloader, 3 s window", …; translated. */
const char *mk_usb_mode_words(MkUsbMode mode);
/* "bootrom", "preloader", …: for JSON and the table. */
const char *mk_usb_mode_id(MkUsbMode mode);
/* Rows in the form of usb-ids.csv; what is no row is passed over, with a line in COMPLAINTS (or NULL). (element-type MkUsbId, freed with the
 * array) */
GPtrArray *mk_usb_ids_parse(const char *text, GPtrArray *complaints);
/* Where the user's own rows are looked for. Caller frees. */
char *mk_usb_ids_path(void);
