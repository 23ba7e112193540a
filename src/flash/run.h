/* Running a plan: journal, undo copies, verification, resume (spec behaviour.md 5). */
#pragma once

#include "flash/plan.h"

typedef enum { MK_VERIFY_NONE, MK_VERIFY_QUICK, MK_VERIFY_FULL } MkVerify;
bool mk_verify_from_name(const char *name, MkVerify *verify);

typedef struct {
    MkVerify verify;
    MkProgress *progress; /* or NULL; one step per plan step is added */
} MkRunOptions;

typedef struct {
    bool verified;          /* everything written was compared in full */
    bool resumed;           /* an interrupted job was continued */
    uint64_t bytes_already; /* of loaders that were in their place already, and were left alone */
    uint64_t bytes_written, bytes_verified, bytes_saved, bytes_erased;
    char *identity_set; /* folder of the set that was saved or found, or NULL */
    char *undo_folder;  /* or NULL */
    char *journal;      /* path */
} MkRunResult;
void mk_run_result_clear(MkRunResult *result);

/* Does it. On a fault the journal stays; running the same plan again continues. Gates must have been checked. */
bool mk_plan_run(MkSession *session, MkPlan *plan, const MkRunOptions *options, MkRunResult *result, GError **error);
