/* A plan: the list of steps that will be done to a phone, with reasons, risks and sizes.  Nothing writes to a phone except by running a
 * plan.  A plan refers to files only by path, so that it can be kept in a journal and continued after a pulled cable. */
#pragma once

#include "flash/session.h"

typedef enum {
    MK_STEP_SAVE,            /* phone range → file `path`, with its SHA-256 */
    MK_STEP_ERASE,           /* phone range */
    MK_STEP_WRITE,           /* image file `path` (raw or sparse) → phone range */
    MK_STEP_WRITE_PRELOADER, /* bare preloader file → boot region, header last */
    MK_STEP_TABLE,           /* the bytes `data` of a table → phone range */
    MK_STEP_AGENT_TABLE,     /* the agent writes its own table (PMT) from the scatter text `data` */
    MK_STEP_RESTORE,         /* saved range in file `path` → phone range */
} MkStepKind;

typedef struct {
    MkStepKind kind;
    char *name; /* partition or "primary GPT", … */
    MkRegion region;
    uint64_t offset;  /* bytes in the region */
    uint64_t length;  /* bytes of the phone touched at most */
    uint64_t payload; /* bytes that travel: of an image what is no hole; else `length` */
    char *path;       /* file, or NULL; of a SAVE step: its name in the job's folder */
    uint64_t skip;    /* RESTORE: bytes of the file in front of what goes to the phone */
    GBytes *data;     /* of table steps, else NULL */
    char *sha256;     /* of the file for writing steps, checked again before it is sent; NULL = made by this plan */
    MkClass klass;
    MkImageType type; /* NAND images: how the file lies */
    char *reason;     /* why, one sentence */
    bool nand_file;   /* NAND: goes through the agent's own image path */
} MkStep;

/* What a gate wants before the plan may run (spec behaviour.md 6.2). */
typedef enum {
    MK_GATE_YES,       /* shown and agreed: --yes */
    MK_GATE_USER_DATA, /* user data will be lost: --erase-user-data */
    MK_GATE_IDENTITY,  /* identity erased or overwritten: --erase-identity=SHORTID */
    MK_GATE_NO_BACKUP, /* no identity backup: --no-identity-backup */
    MK_GATE_MISMATCH,  /* the load does not match: --i-know-this-does-not-match */
    MK_GATE_EXPERT,    /* raw ranges, NAND force: --expert=SHORTID */
    MK_GATE_DANGER,    /* a DANGER finding: --accept=ID for each */
} MkGateKind;

typedef struct {
    MkGateKind kind;
    char *text; /* what would be lost, in the user's terms */
    char *id;   /* finding id of a DANGER gate, else NULL */
} MkGate;

typedef struct {
    char *title; /* "Write the ROM … (Download Only)" */
    char *phone_id;
    char *job;           /* hash of what was asked of which phone with which files: the key of its journal */
    bool continued;      /* the plan of an interrupted job, taken from its journal */
    GPtrArray *steps;    /* (element-type MkStep) in the order they will be done */
    GPtrArray *notes;    /* (char *) what the user should know */
    GPtrArray *gates;    /* (element-type MkGate) */
    GPtrArray *findings; /* (element-type MkFinding) of the checks */
    GPtrArray *diffs;    /* (char *) how the layouts differ */
} MkPlan;

MkPlan *mk_plan_new(const char *title, const char *phone_id);
void mk_plan_free(MkPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkPlan, mk_plan_free)
MkStep *mk_plan_add(MkPlan *plan, MkStepKind kind, const char *name, MkRegion region, uint64_t offset, uint64_t length);
void mk_plan_note(MkPlan *plan, const char *format, ...) G_GNUC_PRINTF(2, 3);
void mk_plan_gate(MkPlan *plan, MkGateKind kind, const char *id, const char *format, ...) G_GNUC_PRINTF(4, 5);
/* Bytes that will be read from and written to the phone. */
void mk_plan_totals(const MkPlan *plan, uint64_t *saved, uint64_t *written, uint64_t *erased);
/* The plan in words, for the user. Caller frees. */
char *mk_plan_text(const MkPlan *plan);
char *mk_plan_to_json(const MkPlan *plan);
MkPlan *mk_plan_from_json(const char *json, GError **error);
/* In words, how NOW does not do to the phone what THEN would have; NULL: it does. What is said about it, and where saved copies lie, does not
 * matter. Caller frees. */
char *mk_plan_difference(const MkPlan *then, const MkPlan *now);
const char *mk_step_verb(MkStepKind kind); /* "save", "erase", … translated */

typedef enum { MK_SCENE_DOWNLOAD_ONLY, MK_SCENE_UPGRADE, MK_SCENE_FORMAT_ALL } MkScene;
bool mk_scene_from_name(const char *name, MkScene *scene); /* "download-only"/"download", "upgrade", "format-all" */
/* What to do when the phone's layout differs from the load's. */
typedef enum {
    MK_LAYOUT_ASK,    /* refuse with E-LAYOUT and the differences */
    MK_LAYOUT_KEEP,   /* write by name into the phone's layout */
    MK_LAYOUT_CHANGE, /* write the load's table; identity is carried to its new place */
} MkLayoutPolicy;

/* Everything the user said besides the files. */
typedef struct {
    bool restart; /* do not continue an interrupted job: begin anew */
    bool dry_run; /* nothing will be run: no identity set is saved either */
    bool yes;
    bool erase_user_data;
    const char *erase_identity; /* short id typed */
    bool no_identity_backup;
    bool no_restore; /* Format All: do not put the identity back (needs erase_identity) */
    bool mismatch;
    const char *expert;        /* short id typed */
    const char *const *accept; /* ids of DANGER findings, NULL-terminated, or NULL */
} MkConsent;

/* Plans. Where the same was asked of the same phone with the same files before and did not finish, that job's plan is returned
 * (`continued`), for the phone has moved on since. A ROM may lose ticks (with a note in the plan) that must not be written without being named. Each reads what it must know from the phone, never writes. ROM must be hashed (mk_rom_hash()). */
MkPlan *mk_plan_flash(MkSession *session, MkRom *rom, MkScene scene, MkLayoutPolicy policy, const MkConsent *consent,
                      GError **error);
/* One image file to one partition (by the phone's table) … */
MkPlan *mk_plan_write_partition(MkSession *session, const char *partition, const char *path, const MkConsent *consent,
                                GError **error);
/* … or to a raw range. */
MkPlan *mk_plan_write_range(MkSession *session, MkRegion region, uint64_t offset, const char *path,
                            const MkConsent *consent, GError **error);

typedef enum {
    MK_ERASE_WHAT_PARTITION,
    MK_ERASE_WHAT_RANGE,
    MK_ERASE_WHAT_ALL,
    MK_ERASE_WHAT_EXCEPT_BOOT,
    MK_ERASE_WHAT_EXCEPT_IDENTITY,
    MK_ERASE_WHAT_USER_DATA
} MkEraseWhat;
MkPlan *mk_plan_erase(MkSession *session, MkEraseWhat what, const char *partition, MkRegion region, uint64_t offset,
                      uint64_t length, const MkConsent *consent, GError **error);

typedef enum { MK_REPAIR_AUTO, MK_REPAIR_FROM_COPY, MK_REPAIR_FROM_LAYOUT } MkRepairFrom;
/* Only the table's own bytes. Where the phone's table is readable and LAYOUT differs, the plan lists how, and asks for user data that move and (T-GOOD)
 * for a good table that is replaced. LAYOUT (for FROM_LAYOUT and as AUTO's second choice) is the exact ROM's scatter or a saved layout, unresolved or not. */
MkPlan *mk_plan_table_repair(MkSession *session, MkRepairFrom from, MkLayout *layout, const MkConsent *consent,
                             GError **error);

/* Puts an identity set back by name; SET_FOLDER NULL: the newest good one (mk_identity_choose()). A set whose NVRAM is blank is a named danger. */
MkPlan *mk_plan_identity_restore(MkSession *session, const char *set_folder, const MkConsent *consent, GError **error);
/* Puts a backup folder (manifest.json of `medik save`) back. */
MkPlan *mk_plan_restore_backup(MkSession *session, const char *folder, const MkConsent *consent, GError **error);

/* The option that opens GATE, as it must be typed. Caller frees. */
char *mk_gate_option(const MkPlan *plan, const MkGate *gate);
/* May the plan run with what the user said? Every closed gate is named in the fault (MK_FAULT_REFUSED, LAYOUT, CHIP …). */
bool mk_plan_check_gates(const MkPlan *plan, const MkConsent *consent, GError **error);
