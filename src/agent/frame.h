/* Frames of the XFlash and XML dialects: a 12-byte header (magic, type, length) and its payload, alike in both directions (spec
 * da-xflash.md 2, da-xml.md 2).
 *
 * Header and payload go out as two transfers, as phones demand.  What comes in may arrive in any pieces.  Log frames are noted in the
 * trace and skipped wherever they come.  Every fault sets *lost: after it the two ends are out of step and cannot get back into it. */
#pragma once

#include "link/link.h"
#include "store/store.h"

typedef struct {
    MkLink *link;         /* borrowed */
    GCancellable *cancel; /* what a single read or write obeys, or NULL */
    bool *lost;           /* set at the first fault */
    size_t left;          /* of the payload that mk_frame_begin() announced and nobody has taken yet */
} MkFrames;

/* One frame. Nothing else may be sent in between. */
bool mk_frame_send(MkFrames *frames, const void *payload, size_t length, int timeout, GError **error);
bool mk_frame_send32(MkFrames *frames, uint32_t value, int timeout, GError **error);

/* Waits TIMEOUT ms for the next protocol frame; its payload (at most MOST bytes, else PROTOCOL) has to be taken before the next one. */
bool mk_frame_begin(MkFrames *frames, size_t most, size_t *length, int timeout, GError **error);
/* The next LENGTH bytes of the payload. */
bool mk_frame_take(MkFrames *frames, void *data, size_t length, int timeout, GError **error);
/* The rest of the payload to SINK, in pieces that are handed on while they are still in the cache. What goes wrong in the sink is kept in
 * *trouble (which may hold one already; then nothing is handed on): the rest has to be taken from the phone all the same. */
bool mk_frame_deliver(MkFrames *frames, MkSinkFunc sink, gpointer user_data, int timeout, GError **trouble,
                      GError **error);
/* Throws the rest of the payload away. */
bool mk_frame_skip(MkFrames *frames, int timeout, GError **error);
/* A whole frame of at most MOST bytes. */
bool mk_frame_receive(MkFrames *frames, void *data, size_t most, size_t *length, int timeout, GError **error);
/* The largest packet that reaches the phone within the usual time limits: MOST, or less where the link is a UART. */
uint32_t mk_frame_packet_limit(const MkFrames *frames, uint32_t most);
