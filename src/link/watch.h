/* Which phones are plugged in over USB, in which mode, coming and going: hot-plug, the live state line, the rhythm of a phone that
 * restarts by itself (spec behaviour.md 2.1, 2.2).  Only what descriptors tell is used; nothing is opened. */
#pragma once

#include "link/usb-ids.h"

#include <gio/gio.h>

typedef struct _MkWatch MkWatch;

typedef struct {
    const char *path; /* bus path: "1-2.3" */
    uint16_t vid, pid;
    MkUsbMode mode;
    const char *name;  /* what the table of identities calls it, or NULL */
    unsigned speed;    /* Mbit/s, 0 = not known */
    bool present;      /* else it was here and left */
    double period;     /* it comes again every so many seconds; 0: no rhythm */
    unsigned arrivals; /* ever */
    gint64 since;      /* monotonic µs of the last arrival or departure */
    bool serial;       /* has something to talk to */
} MkWatchPhone;

typedef enum { MK_WATCH_QUIET, MK_WATCH_CAME, MK_WATCH_LEFT } MkWatchEvent;

/* NO_BUS where there is no USB bus. */
MkWatch *mk_watch_open(GError **error);
void mk_watch_free(MkWatch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkWatch, mk_watch_free)

/* Waits at most TIMEOUT ms (MK_FOREVER: for ever) for the next coming or going of a phone; QUIET when the time is over. What is plugged in
 * already is told first, at once. *PHONE is borrowed and good until the next call. */
bool mk_watch_next(MkWatch *watch, int timeout, MkWatchEvent *event, const MkWatchPhone **phone, GCancellable *cancel,
                   GError **error);
/* Is somebody there who answers a start handshake? What no table knows counts only when the user NAMED it. */
bool mk_watch_phone_answers(const MkWatchPhone *phone, bool named);
/* Those that are plugged in, by bus path; (element-type MkWatchPhone), the array is the caller's, its elements are the watch's. */
GPtrArray *mk_watch_present(MkWatch *watch);
/* "1-2: preloader, 3 s window · restarting every 4 s", or what to do when nothing is seen. Caller frees. */
char *mk_watch_line(MkWatch *watch);
/* One phone of that line. Caller frees. */
char *mk_watch_phone_words(const MkWatchPhone *phone);
