/* The virtual phone: a phone in a process, device side only (design.md "The virtual phone").
 *
 * It is a machine with a cable, a battery, a power key, flash chips backed by sparse files in a folder, BootROM, preloader, the agents'
 * side of the dialects, and a boot check that tells what its owner would see.  It never uses boot, agent or flash: both ends of the
 * wire are written apart, from the specification. */
#pragma once

#include "core/fault.h"
#include "phone/model.h"

typedef struct _MkPhone MkPhone;

/* WHAT the owner or the host notices: "port" (its name), "control" (path of the control socket), "screen" (what the owner sees). Called on the
 * phone's thread. */
typedef void (*MkPhoneShow)(gpointer user_data, const char *what, const char *text);

typedef struct {
    const char *flash_dir; /* NULL: a temporary folder, removed at the end */
    const char
        *port; /* "pty", "pty:PATH", "socket:PATH", "socket:HOST:PORT", "usbip", "usbip:PORT", "usbip:HOST:PORT" */
    const char *control;       /* path of the control socket, or NULL */
    const char *state;         /* content when the folder is empty: "stock" (default) or a damage, see content.h */
    const char *const *faults; /* NULL-terminated "name[=value][@when]" texts, spec in fault-injection.h; or NULL */
    uint64_t rate;             /* bytes per second the link is held to, 0 = as fast as it goes */
    unsigned turnaround_us;    /* added to each change of direction */
    bool borders;              /* insist on write borders (spec agents.md, last section) */
    bool manual;               /* stays off until `ctl` plugs it in; default: cable in, key as `key` says */
    const char *key;           /* held when it is plugged in or switched on: "none" (preloader), "download" (BootROM) */
    bool exit_when_off;        /* ends when the phone has been switched off or has booted */
    const char *log_path;      /* events, or NULL = stderr */
    const char *
        agent_release; /* "G0".."G4" whatever the agent says of itself; NULL: its marker, else its age, else the model's own */
    MkPhoneShow show; /* or NULL */
    gpointer show_data;
} MkPhoneOptions;

MkPhone *mk_phone_new(const MkModel *model, const MkPhoneOptions *options, GError **error);
/* Runs the phone until `ctl quit`, SIGTERM, or exit_when_off. */
bool mk_phone_run(MkPhone *phone, GCancellable *cancel, GError **error);
/* The port's name once it is on the bus (e.g. "/dev/pts/5"), else NULL. Caller frees. Thread-safe. */
char *mk_phone_port(MkPhone *phone);
void mk_phone_free(MkPhone *phone);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkPhone, mk_phone_free)

/* One command to the control socket of a running phone; the answer (one line of JSON or words). Caller frees. */
char *mk_phone_control(const char *socket_path, const char *command, GError **error);
