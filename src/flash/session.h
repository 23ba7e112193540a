/* A session: one phone, connected, described, ready to be read.  Everything that is learnt about the phone before a plan is made lives
 * here: who it is, its storage, its tables, what is wrong with them (spec behaviour.md 2.2, 4.1).  A session never writes; only
 * running a plan does (flash/run.h). */
#pragma once

#include "agent/agent.h"
#include "boot/boot.h"
#include "core/home.h"
#include "rom/rom.h"

typedef struct {
    const char *port;
    int timeout;                /* ms to wait for the phone, MK_FOREVER = until cancelled */
    const char *da_path;        /* owner's DA file, or NULL = search */
    const char *preloader_path; /* for the DRAM settings, or NULL */
    const char *rom_folder;     /* where DA and preloader may lie too, or NULL */
    const char *rom_project;    /* what the load's scatter calls its board, or NULL */
    const char
        *names_path; /* scatter that names the partitions of a phone whose own table has no names (MBR), or NULL */
    MkBootOptions boot;
    int battery;           /* MK_BATTERY_* of agent.h */
    unsigned baud;         /* UART: raise to this rate, 0 = leave it */
    bool keep_speed;       /* USB: do not ask for high speed */
    MkAfter after;         /* how the phone is left when the session ends before its work does: after any error */
    MkCaught *caught;      /* a phone that was caught already (what is taken is cleared), or NULL */
    MkTrace *trace;        /* or NULL */
    MkBootStateFunc state; /* told in words what is waited for, or NULL */
    gpointer state_data;
} MkSessionOptions;

typedef struct {
    MkLink *link;
    MkTarget *target;
    MkAgentFile *agent_file;
    MkAgent *agent;
    char *id;         /* 64 hex digits: hash of chip code and the chip's own id; keys everything that is kept */
    char short_id[9]; /* first 8 of them */
    char *home;       /* folder of this phone under mk_home(): identity sets, undo copies, journals */
    MkStore *stores[MK_REGION_N];    /* made on demand: mk_session_store() */
    MkTable *gpt, *pmt, *mbr;        /* NULL = not looked for on this storage */
    char *names_path;                /* as in the options */
    MkLayout *named_layout;          /* that scatter, if the phone's nameless table agrees with it, or NULL */
    MkLayout *agent_layout;          /* what the agent itself reports as the table, or NULL */
    MkLayout *layout;                /* the table in force (resolved), or NULL = none; borrowed from one of the above */
    GPtrArray *findings;             /* about DA file, chip and storage, then about the tables */
    guint kept_findings;             /* how many are not about the tables */
    bool blank;                      /* storage proven blank: see mk_session_is_blank() */
    GPtrArray *contents;             /* (char *) of each partition of layout, see mk_session_look(), or NULL */
    char *preloader_project;         /* of the preloader in boot 1, or NULL */
    bool identity_waived;            /* the user typed --no-identity-backup */
    struct _MkIdentitySet *identity; /* saved in this session or found to be saved already, or NULL */
    MkAfter after;                   /* as in the options */
    GCancellable *cancel;
} MkSession;

/* Waits for the phone, connects, starts the agent, reads the storage report and the tables. PROGRESS may be NULL. E-STOR-NONE if the agent
 * found no storage, unless ALLOW_NO_STORAGE. */
MkSession *mk_session_open(const MkSessionOptions *options, bool allow_no_storage, MkProgress *progress,
                           GCancellable *cancel, GError **error);
/* Ends the agent as AFTER says, whether or not the session was cancelled. */
bool mk_session_finish(MkSession *session, MkAfter after, GError **error);
/* Closes the port. A phone that still runs an agent that was not finished would hear no later command until its power is pulled: it is left
 * as `after` of the options says, or restarted where that cannot be. */
void mk_session_free(MkSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkSession, mk_session_free)

/* A region of the phone as a store (borrowed). */
MkStore *mk_session_store(MkSession *session, MkRegion region, GError **error);
/* The store and offset of a resolved partition; BOOT1_BOOT2 means boot 1. */
MkStore *mk_session_partition_store(MkSession *session, const MkPartition *partition, GError **error);
/* Looks at the first bytes of every partition; the card then tells what they hold, and FINDINGS (appended) what is wrong with them: table,
 * preloader, what starts Android, identity. A place that cannot be read is no fault. */
bool mk_session_look(MkSession *session, GPtrArray *findings, GError **error);
/* What partition INDEX of the layout holds, in words; NULL if it was not looked at. */
const char *mk_session_content(const MkSession *session, guint index);
/* Reads the tables again, after they were written. */
bool mk_session_read_tables(MkSession *session, GError **error);
/* Is the storage proven blank (spec behaviour.md 6.2): first and last MiB of the user area, table positions, and where LAYOUT (may be NULL) keeps
 * class I, all uniform? */
bool mk_session_is_blank(MkSession *session, const MkLayout *layout, bool *blank, GError **error);
MkPhoneFacts mk_session_facts(MkSession *session);

/* The phone card as words, one "label: value" per line, and as JSON members (see flash/card.c). Caller frees. */
char *mk_session_card(MkSession *session, bool with_layout);
struct _JsonBuilder;
void mk_session_card_json(MkSession *session, struct _JsonBuilder *builder);
