/* What the protocol code of the virtual phone may touch of the machine around it, and what it says when it ends. */
#pragma once

#include "phone/chip.h"
#include "phone/wire.h"

typedef enum {
    MK_NEXT_GONE,     /* the wire said so: cable out, power gone, reset from outside */
    MK_NEXT_BOOT,     /* nobody talked: boot on */
    MK_NEXT_RESET,    /* restarts (watchdog, reboot) */
    MK_NEXT_OFF,      /* switched off */
    MK_NEXT_BOOTROM,  /* assert or USBDL flag: BootROM download for `bootrom_seconds` */
    MK_NEXT_DOWNLOAD, /* restarts and stays in the preloader without time-out */
    MK_NEXT_HALT,     /* answers nothing any more, until power is cut */
    MK_NEXT_META,
    MK_NEXT_FACTORY,
    MK_NEXT_FASTBOOT,
    MK_NEXT_AGENT,
} MkNext;

typedef struct {
    const MkModel *model;
    MkChip *chip;
    MkWire *wire;
    bool battery; /* inserted */
    unsigned battery_mv;
    bool dram_up;             /* preloader started it, or ENABLE_DRAM did */
    unsigned bootrom_seconds; /* for MK_NEXT_BOOTROM; 0 = no limit */
    bool high_speed;          /* USB speed the port has */
    bool off_the_bus;         /* the agent took its USB down before it halted */
    char *release; /* agent release to act as: the option's, or what the agent is, or the model's own; "G3" */
    /* Agent bytes as they arrived, how they were sent. */
    GBytes *da;
    uint32_t da_address, da_signature_length;
    uint32_t jump_address;
    uint8_t shown_bl_version;
    /* One line for the log of the phone, printf-style. */
    void (*log)(gpointer user_data, const char *text);
    gpointer log_data;
    uint8_t random_seed;
    GHashTable *memory;   /* 32-bit words that were written or are preset: GUINT address -> GUINT value */
    GHashTable *pmic;     /* 16-bit PMIC registers, likewise */
    bool pmic_fails;      /* injected: the PMIC does not answer */
    bool auth_refused;    /* injected: the auth file is not this phone's */
    bool preloader_found; /* BootROM sees a preloader it may start */
    bool preloader_stays; /* no time-out in the preloader's window (MK_NEXT_DOWNLOAD) */
    unsigned
        packet_fault; /* injected: the packet of data with this number, counted from 1, ends with `packet_status`; 0 = none */
    uint32_t packet_status; /* XFlash status; an XML agent says ERR */
    unsigned
        late_fault; /* injected: the packet that an XML agent takes for the storage with this number does not get there */
    unsigned frame_fault; /* injected: the frame of an XML agent with this number does not leave; 0 = none */
    bool frame_cut;       /* or only half of it leaves */
    bool dram_fails;      /* injected: an XML agent cannot start the DRAM */
    bool stage2_dead;     /* injected: the second stage never says a word */
    /* Off the bus and back on it at high speed, vendor and product as IDS says (vendor in the high half); `wire` may be another one
     * then. False: the power went away. NULL: the port is one that this does nothing to. */
    bool (*reappear)(gpointer port_data, uint32_t ids);
    gpointer port_data;
    unsigned watchdog_seconds; /* injected: BootROM resets unless the host stops the watchdog; 0 = never */
} MkMachine;

void mk_machine_log(MkMachine *machine, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Does the agent that was sent know this second stage? It carries the SHA-256 of its own somewhere inside (spec da-xflash.md 1, da-xml.md 1); without
 * DRAM nothing of what was sent is there to be hashed. */
bool mk_machine_knows_stage2(const MkMachine *machine, const void *image, size_t length);

/* Each runs on the phone's own thread until it is over. */
MkNext mk_bootrom_run(MkMachine *machine);   /* start handshake, commands; MK_NEXT_AGENT after JUMP_DA */
MkNext mk_preloader_run(MkMachine *machine); /* READY window, tokens, commands */
/* The agents' sides, from the jump into stage 1 to the end. */
MkNext mk_legacy_run(MkMachine *machine);
MkNext mk_xflash_run(MkMachine *machine);
MkNext mk_xml_run(MkMachine *machine);
