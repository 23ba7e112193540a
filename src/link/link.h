/* A link: bytes to and from one phone.  Exact reads with a deadline, whole writes, nothing about protocols.
 *
 * Each mk_link_write() is one transfer: on USB it becomes bulk transfers of its own, never glued to the bytes of another call, which
 * phones insist on for bulk data (spec agents.md, last section).  Faults: GONE (the port vanished), SILENT (deadline passed),
 * STOPPED (cancelled), CON_BUSY / CON_NONE on opening. */
#pragma once

#include <gio/gio.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct _MkLink MkLink;
typedef struct _MkTrace MkTrace;

typedef enum {
    MK_LINK_SERIAL, /* tty, pty */
    MK_LINK_SOCKET,
    MK_LINK_PAIR,
    MK_LINK_USB,
} MkLinkKind;

#define MK_FOREVER (-1) /* a time-out in ms that never comes */

typedef struct {
    /* At least 1, at most LENGTH bytes; *got is set. Waits TIMEOUT ms; time-out → fault SILENT. */
    bool (*read_some)(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                      GError **error);
    bool (*write)(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel, GError **error);
    /* The last write of LENGTH bytes was the end of a payload. NULL: ends need no mark here. */
    bool (*end_payload)(MkLink *link, size_t length, int timeout, GCancellable *cancel, GError **error);
    bool (*set_baud)(MkLink *link, unsigned baud, GError **error);       /* NULL: has no meaning here */
    bool (*set_lines)(MkLink *link, bool dtr, bool rts, GError **error); /* NULL: has no meaning here */
    void (*free)(MkLink *link);
} MkLinkClass;

/* Implementations embed this first; made with mk_link_alloc(). */
struct _MkLink {
    const MkLinkClass *klass;
    MkLinkKind kind;
    char *name;     /* the port as the user would name it */
    MkTrace *trace; /* or NULL */
    bool gone;      /* a read or a write has met GONE */
};
gpointer mk_link_alloc(const MkLinkClass *klass, size_t size, MkLinkKind kind, const char *name);

/* PORT: a USB bus path ("1-2.3"); "usb": the one phone on USB, CON_MANY if there are several; /dev/ttyACM0, /dev/pts/3, a symbolic link to
 * one; socket:PATH, socket:HOST:PORT.
 * Serial ports are put into raw mode, 8N1, 115200 baud, no flow control, HUPCL off, RTS and DTR raised (spec brom.md 1.4, hosts.md). */
MkLink *mk_link_open(const char *port, GCancellable *cancel, GError **error);
/* Waits until PORT exists and can be opened, at most TIMEOUT ms (MK_FOREVER: until cancelled), reaction ≤ 10 ms. CON_NONE when the time
 * is over; CON_BUSY at once if the port is there and somebody else's. */
MkLink *mk_link_wait(const char *port, int timeout, GCancellable *cancel, GError **error);
/* The same; SEEN (may be NULL) is told in words what is there and cannot be talked to, for example a phone that runs Android. */
typedef void (*MkLinkSeenFunc)(const char *words, gpointer user_data);
MkLink *mk_link_wait_told(const char *port, int timeout, MkLinkSeenFunc seen, gpointer user_data, GCancellable *cancel,
                          GError **error);
/* The phone behind LINK is about to leave the bus and to come back as another device (spec brom.md 8): lets go of LINK and waits, at most
 * TIMEOUT ms, for what comes to the same place. LINK is taken, also on a fault; the trace goes with it. GONE when nothing comes. USB only:
 * mk_link_can_follow(). */
MkLink *mk_link_follow(MkLink *link, int timeout, GCancellable *cancel, GError **error);
bool mk_link_can_follow(const MkLink *link);
unsigned mk_link_usb_speed(const MkLink *link); /* Mbit/s of a USB link: 12, 480, 5000; else 0 */
/* Two ends in memory; borders between writes are kept if BORDERS (a read never spans two writes). For tests. */
void mk_link_pair(MkLink **one, MkLink **other, bool borders);
/* A link over a connected stream socket (taken over). */
MkLink *mk_link_from_fd(int fd, MkLinkKind kind, const char *name);
void mk_link_free(MkLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkLink, mk_link_free)

/* The fault of a vanished phone. Always false. */
bool mk_link_gone(MkLink *link, GError **error);

bool mk_link_read(MkLink *link, void *data, size_t length, int timeout, GCancellable *cancel, GError **error);
bool mk_link_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                       GError **error);
bool mk_link_write(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel, GError **error);
/* After the last mk_link_write(), of LENGTH bytes, of a payload for BootROM or preloader: on USB a zero-length packet if the last packet was
 * full (spec brom.md 1.4). Agents count bytes and want none (spec da-xflash.md 2.2). */
bool mk_link_end_payload(MkLink *link, size_t length, int timeout, GCancellable *cancel, GError **error);
bool mk_link_set_baud(MkLink *link, unsigned baud, GError **error); /* true and nothing where baud has no meaning */
bool mk_link_set_lines(MkLink *link, bool dtr, bool rts, GError **error);
/* Throws away what comes until nothing came for QUIET ms. */
bool mk_link_drain(MkLink *link, int quiet, GCancellable *cancel, GError **error);
const char *mk_link_name(const MkLink *link);

/* --- trace: both directions with time stamps and command names --- */
MkTrace *mk_trace_open(const char *path, GError **error); /* creates; never overwrites */
void mk_trace_free(MkTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkTrace, mk_trace_free)
void mk_link_set_trace(MkLink *link, MkTrace *trace); /* not owned; NULL = off */
/* Names what comes next in the trace, e.g. "D4 FORMAT". Costs nothing without a trace. */
void mk_link_note(MkLink *link, const char *format, ...) G_GNUC_PRINTF(2, 3);
