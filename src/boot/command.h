/* Inside the room: how every BootROM and preloader command is spoken (spec brom.md 5).  A command is one byte, its arguments are echoed one
 * by one, status words are 16 bits big-endian, 0 is success. */
#pragma once

#include "boot/boot.h"
#include "proto/bootrom.h"

#define MK_BOOT_ECHO_TIMEOUT   10000 /* spec brom.md 5: 10 s for an echo, 30 s for a status, 5 s for the hardware code */
#define MK_BOOT_STATUS_TIMEOUT 30000
#define MK_BOOT_CODE_TIMEOUT   5000

/* Sends a command byte that is echoed. NAME goes into the trace and into faults. */
bool mk_boot_command(MkLink *link, uint8_t command, const char *name, GCancellable *cancel, GError **error);
/* Sends an argument and compares its echo. */
bool mk_boot_send8(MkLink *link, uint8_t value, const char *name, GCancellable *cancel, GError **error);
bool mk_boot_send16(MkLink *link, uint16_t value, const char *name, GCancellable *cancel, GError **error);
bool mk_boot_send32(MkLink *link, uint32_t value, const char *name, GCancellable *cancel, GError **error);
bool mk_boot_get16(MkLink *link, uint16_t *value, GCancellable *cancel, GError **error);
bool mk_boot_get32(MkLink *link, uint32_t *value, GCancellable *cancel, GError **error);
/* A status word; LIMIT is the first value that counts as a refusal (1 = anything but 0). */
bool mk_boot_status(MkLink *link, const char *name, uint16_t limit, GCancellable *cancel, GError **error);
/* The fault for a status word that refuses NAME, with the number and symbol of SP Flash Tool (spec brom.md 11). */
void mk_boot_status_fault(GError **error, uint16_t status, const char *name);
/* XOR of 16-bit little-endian words that BootROM answers after data, compared with DATA's own. */
bool mk_boot_check_sum(MkLink *link, GBytes *data, const char *name, GCancellable *cancel, GError **error);
/* BYTES as a payload of its own. */
bool mk_boot_send_bytes(MkLink *link, GBytes *bytes, GCancellable *cancel, GError **error);
/* LENGTH bytes, as the phone announced them; more than LIMIT make no sense. */
GBytes *mk_boot_get_bytes(MkLink *link, uint32_t length, uint32_t limit, const char *name, GCancellable *cancel,
                          GError **error);

typedef enum { MK_SYNC_NEW, MK_SYNC_ALREADY } MkSync;
/* Start handshake, spec brom.md 4.4: until the phone answers, at most TIMEOUT ms. */
bool mk_boot_sync(MkLink *link, int timeout, MkSync *sync, GCancellable *cancel, GError **error);

/* Milliseconds left of a TIMEOUT that began at START (monotonic µs); MK_FOREVER stays that. */
int mk_boot_left(gint64 start, int timeout);
