/* A phone in memory for tests of src/flash: an agent whose regions are buffers, with faults on demand. No wire, no protocol. */
#pragma once

#include "flash/backup.h"
#include "flash/run.h"

#define FAKE_USER (UINT64_C(64) << 20)
#define FAKE_BOOT (UINT64_C(1) << 20)

typedef struct {
    MkAgent base;
    uint8_t *boot1, *boot2, *user;
    uint64_t cut_after; /* bytes written until the cable is pulled; UINT64_MAX = never */
    uint64_t written;
    uint64_t bad_start, bad_length; /* unreadable range of user */
    int corrupt_writes;             /* so many write calls store a wrong byte */
    uint8_t erased;                 /* what an erase leaves */
    unsigned erases;
    unsigned endings;     /* how often it was told to end */
    MkAfter ended;        /* how, the last time; META is refused */
    bool ended_cancelled; /* a stop was still in force then */
} FakeAgent;

typedef struct {
    MkSession *session;
    FakeAgent *agent; /* owned by the session */
    char *folder;     /* temporary; home and files below it */
} FakePhone;

/* A phone with a GPT of nvram, protect1, boot, system, userdata; nvram holds "identity" bytes. */
void fake_phone_init(FakePhone *phone);
void fake_phone_clear(FakePhone *phone);
/* A new session on the same memory, as after plugging in again. */
void fake_phone_reconnect(FakePhone *phone);
MkLayout *fake_layout(void);
/* A file below the folder. Caller frees the path. */
char *fake_file(FakePhone *phone, const char *name, const void *data, size_t length);
