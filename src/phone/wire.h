/* The device's end of the cable, as the protocol code of the virtual phone sees it: blocking reads and writes that end with GONE as soon as
 * the cable is out, the power is gone or a reset was asked for, so that the protocol reads like the device's own straight code. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _MkWire MkWire;

typedef enum { MK_WIRE_OK, MK_WIRE_TIMEOUT, MK_WIRE_GONE } MkWireResult;

/* Exactly LENGTH bytes; TIMEOUT ms, -1 = for ever (as real agents wait). With border checking on, a read of more than one byte at an
 * instant when bytes of the host's current write were already taken singly drops the rest of that write (spec agents.md, last section). */
MkWireResult mk_wire_read(MkWire *wire, void *data, size_t length, int timeout);
/* At least 1, at most LENGTH bytes. */
MkWireResult mk_wire_read_some(MkWire *wire, void *data, size_t length, size_t *got, int timeout);
/* Bytes that wait to be read, without taking them. */
size_t mk_wire_waiting(MkWire *wire);
MkWireResult mk_wire_write(MkWire *wire, const void *data, size_t length);

/* Big-endian helpers for the protocols. */
MkWireResult mk_wire_get8(MkWire *wire, uint8_t *value);
MkWireResult mk_wire_get16(MkWire *wire, uint16_t *value);
MkWireResult mk_wire_get32(MkWire *wire, uint32_t *value);
MkWireResult mk_wire_get64(MkWire *wire, uint64_t *value);
MkWireResult mk_wire_put8(MkWire *wire, uint8_t value);
MkWireResult mk_wire_put16(MkWire *wire, uint16_t value);
MkWireResult mk_wire_put32(MkWire *wire, uint32_t value);
MkWireResult mk_wire_put64(MkWire *wire, uint64_t value);
/* True once DTR is down or the host closed the port (boot-mode tokens wait for it); always true where lines do not exist. */
bool mk_wire_host_closed(MkWire *wire);
/* UART only: baud rate both ends must share; no meaning on pty/socket, kept so that SPEED can be told apart. */
void mk_wire_set_baud(MkWire *wire, unsigned baud);

/* For tests of protocol code: a wire over one end of a socketpair. Closing the fd at the other end is GONE. */
MkWire *mk_wire_new_fd(int fd, bool borders);
void mk_wire_free(MkWire *wire);

/* For ports. KEEP is a pty's slave, held so that hosts may come and go; WATCH an inotify on it (-1: none). */
MkWire *mk_wire_new_pty(int master, int keep, int watch);
/* Takes one host after the other from a listening socket. */
MkWire *mk_wire_new_listener(int listener);

/* A far side in this process instead of a file descriptor (USB/IP). Called on the phone's own thread. */
typedef struct {
    size_t (*take)(gpointer port, void *data,
                   size_t size); /* bytes of one transfer of the host; 0: none, poll readable */
    bool (*give)(gpointer port, const void *data,
                 size_t length); /* one block of at most 64 KiB; false: poll writable */
    bool (*enumerated)(gpointer port);
    bool (*tool_present)(gpointer port);
    bool (*open)(gpointer port); /* DTR is up */
} MkWirePipe;
/* READABLE and WRITABLE: descriptors of the port's that poll as readable while there is something to take, or give would succeed. */
MkWire *mk_wire_new_pipe(const MkWirePipe *pipe, gpointer port, int readable, int writable);
/* Borders lie at every SIZE bytes of a transfer and at its end; 0: at its end only. */
void mk_wire_set_packet(MkWire *wire, size_t size);

/* From any thread: everything that waits on the wire ends with GONE, now and from here on. */
void mk_wire_cut(MkWire *wire);
/* True once a host has opened the port or written to it ("tool present", spec brom.md 4.2). */
bool mk_wire_tool_present(MkWire *wire);
/* False while the host has not chosen a configuration of a USB port yet. */
bool mk_wire_enumerated(MkWire *wire);
/* A write would go out now. */
bool mk_wire_takes_output(MkWire *wire);
/* Borders are insisted on while an agent runs: BootROM and preloader take the pipe as a stream of bytes (spec brom.md 1.4). */
void mk_wire_set_borders(MkWire *wire, bool borders);
bool mk_wire_borders(const MkWire *wire);
unsigned mk_wire_border_violations(const MkWire *wire);
void mk_wire_set_pace(MkWire *wire, uint64_t bytes_per_second, unsigned turnaround_us);

/* Waits MILLISECONDS, less if the wire is cut: then GONE. */
MkWireResult mk_wire_pause(MkWire *wire, unsigned milliseconds);

/* Waits until the host has read what was sent, at most MILLISECONDS: a terminal that is hung up forgets what nobody has read, while what
 * a real phone sent before it left the bus has arrived (preloaders flush for up to 300 ms, spec brom.md 1.4). */
void mk_wire_drain(MkWire *wire, unsigned milliseconds);

/* Called with bytes on their way (INPUT: host to phone). May change and shorten them; false: the wire is cut now. */
typedef bool (*MkWireTap)(gpointer user_data, bool input, uint8_t *data, size_t *length);
void mk_wire_set_tap(MkWire *wire, MkWireTap tap, gpointer user_data);
