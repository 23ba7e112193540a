/* The phone from inside: what the power machine (phone.c) and the orders from the control socket (orders.c) share. */
#pragma once

#include "phone/bootcheck.h"
#include "phone/control.h"
#include "phone/fault-injection.h"
#include "phone/machine.h"
#include "phone/phone.h"
#include "phone/port.h"

#include <stdio.h>

struct _MkPhone {
    /* set once */
    const MkModel *model;
    char *folder, *control_path, *release;
    bool folder_is_ours, manual, exit_when_off, borders;
    uint64_t rate;
    unsigned turnaround_us;
    MkPhoneShow show;
    gpointer show_data;
    FILE *log;
    gint64 born; /* monotonic µs */

    /* the phone's own thread */
    MkChip *chip;
    MkMachine machine;
    MkPort *port;
    MkFaults *faults;
    MkControl *control;
    GError *trouble; /* why the phone cannot go on: no port */

    /* under `lock`; `changed` is signalled at every change */
    GMutex lock;
    GCond changed;
    bool cable, battery, key_download;
    unsigned battery_mv;
    bool start; /* somebody plugged the cable or pressed power while it was off */
    bool lost;  /* the power went away since the phone was started */
    bool quit;
    const char *mode;
    char *port_name; /* NULL: not on the bus */
    MkWire *wire;    /* NULL likewise */
    MkBootReport *report;
    unsigned starts, border_violations;
    GPtrArray *events;
};

/* With `lock` held. */
void mk_phone_lose_power(MkPhone *phone);
void mk_phone_set_cable(MkPhone *phone, bool in);
/* Without it. */
void mk_phone_note(MkPhone *phone, const char *text);
void mk_phone_stop(MkPhone *phone);
void mk_phone_watch_port(MkPhone *phone); /* once, before it is on the bus */
/* One order of the control socket; one line of JSON, caller frees. An MkControlAnswer. */
char *mk_phone_order(gpointer phone, const char *line);
