/* What went wrong, why (most likely), and what to do about it.
 *
 * Every fallible function of Medik reports through one GError domain, MK_FAULT.  The code is stable and has an id that
 * users may quote (E-CHIP, CON-NONE, ...: spec behaviour.md 9.10).  The GError message is one sentence of what happened;
 * cause and cure belong to the code and live in fault.c.  Where SP Flash Tool or the phone has a number or a symbol of its
 * own for the trouble, the error carries that too.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define MK_FAULT (mk_fault_quark())

typedef enum {
    MK_FAULT_INTERNAL,      /* a bug of ours, or an answer nobody has seen before */
    MK_FAULT_USAGE,         /* the command line does not make sense */
    MK_FAULT_DA_NOFILE,     /* no Download Agent file was given or found */
    MK_FAULT_DA_FORMAT,     /* the file is not a Download Agent container, or is damaged */
    MK_FAULT_DA_CHIP,       /* the DA file holds no entry for this chip */
    MK_FAULT_DA_SIGN,       /* the phone refused the DA's signature */
    MK_FAULT_DA_VER,        /* DA and host do not speak the same dialect */
    MK_FAULT_PL_EMI,        /* DRAM settings missing, or DRAM did not start */
    MK_FAULT_CHIP,          /* the load or the DA is for another chip */
    MK_FAULT_STOR_MISMATCH, /* the load is for another kind of storage */
    MK_FAULT_STOR_NONE,     /* the phone reports no usable storage */
    MK_FAULT_STOR_SMALL,    /* the load needs more storage than the phone has */
    MK_FAULT_LAYOUT,        /* the phone's layout differs from the load's */
    MK_FAULT_NO_PARTITION, /* a name that no table knows; shown as E-LAYOUT (the ids of behaviour.md 9.10 are all there are) */
    MK_FAULT_TABLE_NONE,    /* the phone has no partition table */
    MK_FAULT_TABLE_BAD,     /* the partition table is damaged or could not be read or written */
    MK_FAULT_SCATTER,       /* the scatter file cannot be used */
    MK_FAULT_FILE,          /* a file on this computer is missing, unreadable or in the way */
    MK_FAULT_IMAGE_KIND,    /* an image is not what its partition needs, or is damaged */
    MK_FAULT_IMAGE_SIZE,    /* an image does not fit into its partition */
    MK_FAULT_AUTH_NEEDED,   /* the phone wants an auth file, certificate or key */
    MK_FAULT_AUTH_WRONG,    /* the phone refused the auth file, certificate or key */
    MK_FAULT_SEC_FORBIDDEN, /* the phone's security forbids the operation */
    MK_FAULT_CON_BUSY,      /* the port is held by somebody else, or we may not open it */
    MK_FAULT_CON_NONE,      /* no phone came within the waiting time */
    MK_FAULT_NO_BUS,        /* this computer shows no USB at all; shown as CON-NONE */
    MK_FAULT_CON_MANY,      /* several phones, none was named */
    MK_FAULT_CON_FLAP,      /* the phone comes and goes */
    MK_FAULT_SILENT,        /* the phone is there and says nothing */
    MK_FAULT_GONE,          /* the phone vanished from the port */
    MK_FAULT_PROTOCOL,      /* the phone answered something that the protocol does not allow here */
    MK_FAULT_OTHER_PHONE,   /* another phone than the one we began with */
    MK_FAULT_READ,          /* the phone could not read its storage */
    MK_FAULT_WRITE,         /* the phone could not write its storage */
    MK_FAULT_ERASE,         /* the phone could not erase its storage */
    MK_FAULT_RANGE,         /* address or length outside the region, or not aligned */
    MK_FAULT_UNSUPPORTED,   /* this phone or agent cannot do that */
    MK_FAULT_VERIFY,        /* what is on the phone is not what was written */
    MK_FAULT_DIFFERS,       /* asked whether the phone holds these files: it does not; shown as E-VERIFY */
    MK_FAULT_LIFE,          /* the storage is worn out */
    MK_FAULT_ID_NONE,       /* no identity set was found */
    MK_FAULT_ID_FOREIGN,    /* the identity set belongs to another phone */
    MK_FAULT_ID_BLANK,      /* the identity partitions are blank */
    MK_FAULT_REFUSED,       /* a safety rule stands against it (a gate was not opened) */
    MK_FAULT_REFUSED_EFUSE, /* eFuse/OTP writing: never */
    MK_FAULT_REFUSED_SCOPE, /* out of Medik's bounds */
    MK_FAULT_STOPPED,       /* the user stopped it */
    MK_FAULT_PARTIAL,       /* saved, but with unreadable sectors */
    MK_FAULT_N
} MkFault;

/* Exit codes of the command line, spec behaviour.md 7. */
typedef enum {
    MK_EXIT_DONE = 0,
    MK_EXIT_USAGE = 1,
    MK_EXIT_FILE = 2,
    MK_EXIT_NO_PHONE = 3,
    MK_EXIT_NO_FIT = 4,
    MK_EXIT_REFUSED = 5,
    MK_EXIT_PHONE_ERROR = 6,
    MK_EXIT_VERIFY = 7,
    MK_EXIT_STOPPED = 8,
    MK_EXIT_PARTIAL = 9,
    MK_EXIT_AUTH = 10,
    MK_EXIT_INTERNAL = 70,
} MkExit;

GQuark mk_fault_quark(void);

/* Sets *error (if not NULL) to a fault with a printf-style sentence. */
void mk_fault_set(GError **error, MkFault code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* As mk_fault_set(), with the number that phone or SP Flash Tool uses (0 = none) and its symbol (static text or NULL). */
void mk_fault_set_number(GError **error, MkFault code, uint32_t number, const char *symbol, const char *format, ...)
    G_GNUC_PRINTF(5, 6);

/* A fault for errno after a file operation on PATH: MK_FAULT_FILE, or CON_BUSY/CON_NONE when PORT is true. */
void mk_fault_set_errno(GError **error, bool port, int error_number, const char *doing, const char *path);

/* The code of an error; anything that is not of the domain MK_FAULT (G_IO_ERROR_CANCELLED apart) is MK_FAULT_INTERNAL. */
MkFault mk_fault_code(const GError *error);
uint32_t mk_fault_number(const GError *error);    /* 0: none */
const char *mk_fault_symbol(const GError *error); /* NULL: none */

const char *mk_fault_id(MkFault code);    /* "E-CHIP" */
const char *mk_fault_cause(MkFault code); /* translated sentence; never NULL */
const char *mk_fault_cure(MkFault code);  /* translated sentence; never NULL */
MkExit mk_fault_exit(MkFault code);
