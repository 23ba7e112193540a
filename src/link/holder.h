/* Who else has a port open: the programs that hold a device file, by name and process number. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct {
    int pid;
    char *name; /* "ModemManager" */
    char *path; /* the device file, as the program opened it */
} MkHolder;

/* Programs that hold one of PATHS (NULL-terminated), this one excepted. ROOT is put before /proc and /dev; "" is the real system.
 * (element-type MkHolder, freed with the array) */
GPtrArray *mk_holders_find(const char *root, const char *const *paths);
/* "ModemManager (612)", or NULL if nobody has PATH open or /proc does not tell. Caller frees. */
char *mk_holder_of(const char *path);
/* The same for a device on the USB bus. */
char *mk_holder_of_usb(uint8_t bus, uint8_t address);
