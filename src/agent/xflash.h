/* The XFlash dialect, inside (spec da-xflash.md, agents.md, hosts.md). Only the files xflash*.c and agent.c include this. */
#pragma once

#include "agent/agent.h"
#include "agent/frame.h"
#include "core/bytes.h"
#include "proto/xflash.h"

#define XFLASH_TIMEOUT       10000  /* ms for a status, spec 9 (advice 5 s) */
#define XFLASH_TIMEOUT_READY 30000  /* a stage or the DRAM comes up */
#define XFLASH_TIMEOUT_BULK  60000  /* a packet or a step of an erasure */
#define XFLASH_TIMEOUT_FINAL 120000 /* what is still being written when the last packet was taken */

typedef struct {
    MkAgent base;
    MkFrames frames; /* its cancellable is the user's while opening, none in the command loop */
    bool old;        /* the dialect of 2015 */
    unsigned stage;  /* 1 or 2: which stage is in its command loop */
    uint32_t storage_id;
    uint32_t read_packet, write_packet; /* bytes */
} MkXFlash;

/* --- xflash-io.c: one exchange. A fault makes the agent lost, except a refusal of the phone's (a status other than 0). --- */
bool xflash_status(MkXFlash *xflash, uint32_t *status, int timeout, GError **error);
/* Waits for status 0; another one becomes a fault with that status (by default FALLBACK, DOING: "reading the user area"). */
bool xflash_expect_ok(MkXFlash *xflash, MkFault fallback, const char *doing, int timeout, GError **error);
bool xflash_send(MkXFlash *xflash, const void *data, size_t length, GError **error);
bool xflash_send32(MkXFlash *xflash, uint32_t value, GError **error);
/* The command word and, in today's dialect, the status that says that it is known. NAME is for the trace. */
bool xflash_command(MkXFlash *xflash, uint32_t command, const char *name, MkFault fallback, const char *doing,
                    GError **error);
/* VALUE is not what the protocol allows here: the agent is lost; always false. */
bool xflash_unexpected(MkXFlash *xflash, uint32_t value, const char *doing, GError **error);
/* Swallows a further copy of an error (spec 13.1). */
void xflash_drop_copy(MkXFlash *xflash);
bool xflash_stopped(MkXFlash *xflash, GError **error);

/* --- xflash-control.c: DEVICE_CTRL (spec 6) --- */
typedef struct {
    uint32_t code;
    const char *name;
    MkFault fallback;
    const void *parameter; /* or NULL: none */
    size_t parameter_length;
    void *answer; /* or NULL: none */
    size_t most;  /* bytes of room there */
} XFlashControl;
/* *LENGTH (may be NULL) gets the length of the answer. */
bool xflash_control(MkXFlash *xflash, const XFlashControl *control, size_t *length, GError **error);
bool xflash_set32(MkXFlash *xflash, uint32_t code, const char *name, uint32_t value, GError **error);
/* A question that an agent may refuse: then *LENGTH is 0 and *REFUSAL (may be NULL) its status. False only if the agent is lost. */
bool xflash_ask(MkXFlash *xflash, uint32_t code, const char *name, void *answer, size_t most, size_t *length,
                uint32_t *refusal, GError **error);
bool xflash_battery(MkAgent *agent, unsigned *millivolt, GError **error);
bool xflash_high_speed(MkAgent *agent, bool *reenumerates, GError **error);
bool xflash_finish(MkAgent *agent, MkAfter after, GError **error);

/* --- xflash-status.c --- */
const char *mk_xflash_status_symbol(uint32_t status); /* "STATUS_DA_HASH_MISMATCH", NULL: unknown */
void mk_xflash_status_fault(uint32_t status, MkFault fallback, const char *doing, GError **error);

/* --- xflash-start.c: from the jump to stage 2's command loop (spec 4, 7, 8) --- */
bool xflash_start(MkXFlash *xflash, const MkAgentSetup *setup, MkProgress *progress, GError **error);

/* --- xflash-sla.c: an agent that answers little until the owner has signed (spec 17) --- */
bool xflash_authenticate(MkXFlash *xflash, const MkSigner *signer, GError **error);

/* --- xflash-info.c: everything that a report wants to know (spec 11). LABEL: of the DA file. --- */
bool xflash_describe(MkXFlash *xflash, const char *label, GError **error);
/* What the flash chip calls itself, as preloaders list it; *LENGTH 0 if the agent does not say. */
#define XFLASH_FLASH_ID 20
bool xflash_flash_id(MkXFlash *xflash, uint8_t id[XFLASH_FLASH_ID], size_t *length, GError **error);

/* --- xflash-range.c: where a command works (spec 10) --- */
typedef struct {
    MkRegion region;
    uint64_t offset, length;
    bool physical;      /* NAND addresses */
    uint32_t nand_mode; /* or the level of FORMAT */
} XFlashRange;
bool xflash_send_range(MkXFlash *xflash, const XFlashRange *range, GError **error);

/* --- xflash-read.c, xflash-write.c, xflash-erase.c: the table of functions --- */
bool xflash_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                 GError **error);
bool xflash_upload(MkAgent *agent, const char *partition, MkSinkFunc sink, gpointer user_data, GError **error);
bool xflash_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                  gpointer user_data, GError **error);
bool xflash_download(MkAgent *agent, const char *partition, uint64_t length, MkSourceFunc source, gpointer user_data,
                     GError **error);
bool xflash_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
                  MkProgress *progress, GError **error);

/* --- xflash.c --- */
MkAgent *mk_xflash_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                        GError **error);
