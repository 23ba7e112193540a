/* The journal of one job: a folder under the phone's home with plan.json, journal.jsonl (one JSON object per line, flushed line by line)
 * and the files the plan made (undo copies, table bytes). Spec behaviour.md 5.2. */
#pragma once

#include "flash/plan.h"

typedef struct _MkJournal MkJournal;

/* home/jobs/JOB. Caller frees. */
char *mk_journal_folder(const char *home, const char *job);
/* Continues the unfinished journal of PLAN's job, or (RESTART, or there is none) begins one. An older record is moved aside with its undo
 * copies, never overwritten. */
MkJournal *mk_journal_open(const char *home, const MkPlan *plan, bool restart, GError **error);
void mk_journal_free(MkJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkJournal, mk_journal_free)
const char *mk_journal_job_folder(const MkJournal *journal);
const char *mk_journal_path(const MkJournal *journal);
bool mk_journal_resumed(const MkJournal *journal);

/* Is step INDEX recorded as done? How many payload bytes of it were acknowledged? */
bool mk_journal_step_done(const MkJournal *journal, unsigned index);
uint64_t mk_journal_step_bytes(const MkJournal *journal, unsigned index);

bool mk_journal_note_bytes(MkJournal *journal, unsigned index, uint64_t bytes, GError **error);
bool mk_journal_note_done(MkJournal *journal, unsigned index, GError **error);
bool mk_journal_note_finished(MkJournal *journal, bool verified, GError **error);
void mk_journal_note_fault(MkJournal *journal, const GError *fault);
/* The plan of an unfinished job of this key, or NULL (with *error only if there is one and it cannot be used). */
MkPlan *mk_journal_find(const char *home, const char *job, GError **error);
/* Finished jobs older than 30 days are removed with their undo copies. */
void mk_journal_prune(const char *home);
