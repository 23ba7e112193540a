/* What all commands share: options, words towards the user, progress, findings, results, Ctrl-C (spec behaviour.md 1, 7).
 *
 * A command is one function mk_cli_VERB(): it makes an MkCli, parses, works, and ends with mk_cli_done() or mk_cli_fail(). */
#pragma once

#include "core/fault.h"
#include "core/finding.h"
#include "core/json.h"
#include "core/progress.h"
#include "flash/plan.h"
#include "flash/run.h"

#include <stdio.h>

/* Which groups of common options a command understands besides those of output. */
typedef enum {
    MK_CLI_PHONE = 1 << 0, /* --port, --da, --auth, …, --after */
    MK_CLI_PLAN = 1 << 1,  /* --dry-run, --yes, --verify and the gates */
    MK_CLI_ALL = 1 << 2,   /* --all: every phone on USB (with MK_CLI_PHONE) */
} MkCliGroups;

typedef struct {
    /* output */
    bool json, quiet, verbose;
    char *log;
    /* phone */
    char *port, *da, *preloader, *scatter, *auth, *cert, *key, *sign_command, *trace;
    char *rom_agent, *rom_project; /* what the ROM names: mk_cli_use_rom() */
    int battery;
    int timeout; /* seconds */
    MkAfter after;
    bool after_set;
    bool all;
    char *prefix; /* bus path of the phone, one of many: stands before every line; or NULL */
    /* plan */
    MkConsent consent;
    char **accept;
    MkVerify verify;
    char *plan_out, *run_plan;

    FILE *log_file;
    MkTrace *trace_file;
    GCancellable *cancel;
    MkProgress *progress; /* root, drawn by draw_progress() */
    MkProgress *drawn;    /* step that was drawn last, borrowed */
    gint64 drawn_at;
    bool bar_open; /* the cursor stands behind a bar */
} MkCli;

MkCli *mk_cli_new(void);
void mk_cli_free(MkCli *cli);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkCli, mk_cli_free)

/* Parses; --help prints and leaves the program. PARAMETERS: "FOLDER [NAME…]"; HELP: what it does, and an example that works. Opens the log
 * and the trace. ENTRIES may be NULL. On success argv holds the positional arguments from 1 on; fewer than MINIMUM or more than MAXIMUM
 * (-1: any) of them is E-USAGE. */
bool mk_cli_parse(MkCli *cli, int *argc, char ***argv, const char *parameters, const char *help, unsigned groups,
                  const GOptionEntry *entries, int minimum, int maximum, GError **error);

/* Ctrl-C cancels what this returns (borrowed); the second press leaves at once with MK_EXIT_STOPPED. */
GCancellable *mk_cli_interruptible(void);

/* A line for the user: stdout, or stderr in JSON mode; silent with --quiet. */
void mk_cli_say(MkCli *cli, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Findings, those of severity note only with --verbose; in JSON mode one {"t":"finding"} each. */
void mk_cli_findings(MkCli *cli, const GPtrArray *findings);
/* Those of DIFFS that are differences, with a {"t":"diff"} each; how many. */
unsigned mk_cli_diffs(MkCli *cli, const GPtrArray *diffs);
/* Begins {"t":TYPE, …; the caller adds members and hands it to mk_cli_event(). */
JsonBuilder *mk_cli_event_new(const char *type);
/* Prints the event in JSON mode; consumes BUILDER always. */
void mk_cli_event(MkCli *cli, JsonBuilder *builder);
/* Ends a command well: prints the result object. RESULT (consumed, may be NULL) is an event of type "result" with the command's own members.
 * Returns the exit code. */
int mk_cli_done(MkCli *cli, JsonBuilder *result);
/* Ends a command badly: what happened, why, what to do, details. Returns the exit code. */
int mk_cli_fail(MkCli *cli, const GError *error);
/* For MkSessionOptions.state and mk_boot_mode(); USER_DATA is the MkCli. */
void mk_cli_state(const char *state, gpointer user_data);

/* The root of progress, drawn as a bar, lines or events. */
MkProgress *mk_cli_progress(MkCli *cli);

/* --- many phones (cli/all.c) --- */
/* What main() was asked, for the threads of --all. */
void mk_cli_remember_command(int (*run)(int argc, char **argv), int argc, char **argv);
const char *const *mk_cli_command(void); /* what was remembered: "medik VERB" and its words, NULL-terminated */
/* Runs the command for every phone on USB; the exit code of the first that failed. */
int mk_cli_serve_all(MkCli *cli);
/* In a thread of --all: the bus path of its phone, and that phone, caught (NULL when it was taken). Else NULL. */
const char *mk_cli_turn(void);
MkCaught *mk_cli_turn_caught(void);
/* No two phones of one run may have the same ID (phones that tell none of their own look alike): REFUSED. Outside of --all always true. */
bool mk_cli_turn_claim(const char *id, GError **error);

/* --- with a phone --- */
/* Waits for the phone and connects, no more; in a thread of --all it is there already. */
MkTarget *mk_cli_catch(MkCli *cli, MkLink **link, GError **error);
/* --port, else $MEDIK_PORT, else "usb": the one phone that is on USB. */
const char *mk_cli_port(const MkCli *cli);
int mk_cli_timeout(const MkCli *cli); /* ms, or MK_FOREVER */
/* From here on every way out restarts the phone, or leaves it as --after says: mk_session_free(). */
MkSession *mk_cli_session(MkCli *cli, const char *rom_folder, bool allow_no_storage, GError **error);
/* What ROM says about scatter, Download Agent and board serves where the user said nothing. */
void mk_cli_use_rom(MkCli *cli, const MkRom *rom);
/* Does ROM, opened without knowing the phone, show another storage's section of its scatter than the one this phone has? */
bool mk_cli_rom_misses(const MkRom *rom, const MkSession *session);
MkBootOptions mk_cli_boot_options(const MkCli *cli);
/* Leaves the phone as --after says, FALLBACK without it. */
bool mk_cli_leave(MkCli *cli, MkSession *session, MkAfter fallback, GError **error);
/* What is kindest after a command that only read: no agent can be talked to again once it was left, so the phone starts anew (spec da-legacy.md 9.12,
 * da-xflash.md 5, 15). */
#define MK_CLI_AFTER_READING MK_AFTER_REBOOT
/* Shows the plan, checks its gates (asks for the plain yes on a terminal), and unless --dry-run runs it and leaves the phone. Returns
 * the exit code. */
int mk_cli_run_plan(MkCli *cli, MkSession *session, MkPlan *plan);

/* A name of a region and a size, as options give them. Fault USAGE. */
bool mk_cli_parse_region(const char *text, MkRegion *region, GError **error);
bool mk_cli_parse_number(const char *option, const char *text, uint64_t *value, GError **error);
/* Can PATH (NULL: none is needed) be read? For what a command names, before the phone is caught. */
bool mk_cli_need_file(const char *path, GError **error);
/* Writes TEXT to a file that must not be there yet. */
bool mk_cli_write_new(const char *path, const char *text, GError **error);
/* The layout in a file of any kind: scatter, dumchar text, GPT or MBR image. */
MkLayout *mk_cli_load_layout(const char *path, GPtrArray *findings, GError **error);

/* --- the commands --- */
int mk_cli_boot(int argc, char **argv);
int mk_cli_doctor(int argc, char **argv);
int mk_cli_erase(int argc, char **argv);
int mk_cli_explain(int argc, char **argv);
int mk_cli_flash(int argc, char **argv);
int mk_cli_identity(int argc, char **argv);
int mk_cli_info(int argc, char **argv);
int mk_cli_phone(int argc, char **argv);
int mk_cli_rom(int argc, char **argv);
int mk_cli_save(int argc, char **argv);
int mk_cli_scatter(int argc, char **argv);
int mk_cli_table(int argc, char **argv);
int mk_cli_verify(int argc, char **argv);
int mk_cli_watch(int argc, char **argv);
int mk_cli_write(int argc, char **argv);

/* --- plan-file.c ---------------------------------------------------------------------------------------------------------- */

/* Writes PLAN and the words that asked for it to --plan-out. */
bool mk_cli_plan_out(MkCli *cli, const MkPlan *plan, GError **error);
/* Is PLAN the one of --run-plan (or was none named)? */
bool mk_cli_plan_agrees(MkCli *cli, const MkPlan *plan, GError **error);
bool mk_cli_is_run_plan(const char *word);
/* ARGUMENTS: --run-plan, its file and more options. The words of the command in the file with them; enters the folder where the plan was made.
 * NULL-terminated, caller frees with g_strfreev(); NULL: a fault. */
char **mk_cli_plan_words(char **arguments, GError **error);
