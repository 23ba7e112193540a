/* Frames of the XFlash and XML agents, the phone's end of them: magic, type, length, payload, all little-endian (spec da-xflash.md 2).
 *
 * Genuine agents take the header and what is no longer than it byte by byte, and longer payloads straight from the endpoint, where they do
 * not see what is left of a packet that was begun byte by byte: with borders on, such a payload is lost (spec agents.md, last section).
 * What they send of up to 12 bytes leaves one byte a packet where there are packets. */
#pragma once

#include "phone/wire.h"

typedef enum {
    MK_FRAME_OK,
    MK_FRAME_GONE,     /* the wire ended */
    MK_FRAME_BROKEN,   /* no magic where a frame has to begin; 12 bytes are gone */
    MK_FRAME_OVERFLOW, /* longer than there is room for: the payload was not taken, the stream is out of step */
} MkFrameResult;

/* The header of the next frame; its *length bytes of payload are still to be taken. The type is not looked at. Waits for ever. */
MkFrameResult mk_frame_read_header(MkWire *wire, uint32_t *length);
/* Payload, or a part of it. PAYLOAD_LENGTH: of the whole, which decides how it is taken. OK or GONE. */
MkFrameResult mk_frame_read_payload(MkWire *wire, uint32_t payload_length, void *data, size_t length);
/* A frame of at most ROOM bytes; *length is what it had (also on OVERFLOW). */
MkFrameResult mk_frame_read(MkWire *wire, void *data, size_t room, size_t *length);
/* A protocol frame. False: the wire ended. */
bool mk_frame_write(MkWire *wire, const void *data, size_t length);
/* A log frame: u32 priority 1 and TEXT without NUL. Only between protocol frames. */
bool mk_frame_write_log(MkWire *wire, const char *text);
/* The header of a protocol frame and half of what it promises. */
bool mk_frame_write_half(MkWire *wire, const void *data, size_t length);
