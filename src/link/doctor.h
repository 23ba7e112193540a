/* Why a phone is not reached: rights, programs and drivers that sit on its port, hubs, virtual machines; each finding with its cure (spec
 * behaviour.md 2.6).  Nothing is opened and nothing changed. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *root;                   /* put before /sys, /proc, /dev, /etc, …; "" is this system */
    bool (*may_open)(const char *path); /* may we read and write this file? NULL: ask the system */
} MkDoctor;

/* (element-type MkFinding) the ids begin with "doctor."; those of severity NOTE are facts, no trouble. */
GPtrArray *mk_doctor_examine(const MkDoctor *doctor);

/* The udev rules: phones in the table of identities may be opened by who sits at the computer, and ModemManager leaves them alone. The same as
 * data/60-medik.rules plus the user's own identities. Caller frees. */
char *mk_doctor_rules(void);
/* Writes them to etc/udev/rules.d below the root; a file of that name that is not ours is left alone. *PATH is the caller's. FILE. */
bool mk_doctor_install_rules(const MkDoctor *doctor, char **path, GError **error);
