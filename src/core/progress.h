/* Progress as a tree of named, weighted steps.  The command line's bar, the --json events and the window render the same
 * tree.  A step belongs to its parent; the root is owned by the caller.  All calls for one tree come from one thread (the
 * thread that works on the phone); the listener is called on that thread. NULL is accepted everywhere and does nothing. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct _MkProgress MkProgress;

/* Called after each change of STEP, a node of the tree whose root the listener was set on. */
typedef void (*MkProgressFunc)(MkProgress *root, MkProgress *step, gpointer user_data);

MkProgress *mk_progress_new(const char *name);
void mk_progress_free(MkProgress *root); /* only for a root */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkProgress, mk_progress_free)
void mk_progress_listen(MkProgress *root, MkProgressFunc func, gpointer user_data);

/* Adds a step with a weight (any unit, usually bytes; 0 counts as 1) and returns it. NULL parent: returns NULL. */
MkProgress *mk_progress_add(MkProgress *parent, const char *name, uint64_t weight);
/* Sets how much of TOTAL (bytes, blocks, ...; 0 = unknown) is done. Starts the step on its first call. */
void mk_progress_set(MkProgress *step, uint64_t done, uint64_t total);
void mk_progress_done(MkProgress *step);

const char *mk_progress_name(const MkProgress *step);
uint64_t mk_progress_step_done(const MkProgress *step);
uint64_t mk_progress_step_moved(
    const MkProgress *step); /* done by this run: what it took up from an earlier one is not counted */
uint64_t mk_progress_step_total(const MkProgress *step);
double mk_progress_fraction(const MkProgress *step); /* 0..1, children by weight */
bool mk_progress_is_done(const MkProgress *step);
gint64 mk_progress_started(const MkProgress *step); /* g_get_monotonic_time(), 0 = not yet */
