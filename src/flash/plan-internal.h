/* Shared by the makers of plans: small pieces that every plan is put together from. */
#pragma once

#include "flash/backup.h"
#include "flash/plan.h"

/* The key of the plan's job: the phone, what was asked, and the files it was asked with (NULL-terminated texts). */
void mk_plan_set_job(MkPlan *plan, ...) G_GNUC_NULL_TERMINATED;
/* Is there an unfinished job of PLAN's key?  True: *KEPT is its plan, with the gate YES and the session's identity set looked up, or NULL with
 * *error.  False: there is none, or the user wants to begin anew. */
bool mk_plan_continue(MkSession *session, const MkPlan *plan, const MkConsent *consent, MkPlan **kept, GError **error);
/* The last gate of every plan that writes. */
void mk_plan_gate_yes(MkPlan *plan);
/* Identity first (safety rule 2): saves the set, unless waived or a dry run. EXPECTED may be NULL. */
bool mk_plan_save_identity(MkSession *session, const MkLayout *expected, const MkConsent *consent, MkPlan *plan,
                           GError **error);
/* A SAVE step for what PARTITION's range holds now, into the job's folder. */
void mk_plan_add_undo(MkPlan *plan, const MkPartition *partition);
/* A WRITE (or preloader) step of the file at PATH to PARTITION; SHA256 may be NULL (then hashed when run). Measures the image: IMAGE_SIZE
 * if it does not fit. */
MkStep *mk_plan_add_image(MkPlan *plan, MkSession *session, const MkPartition *partition, const char *path,
                          const char *sha256, GError **error);
/* TABLE steps for patches (and one AGENT_TABLE on NAND) that put LAYOUT (resolved) on the phone. */
bool mk_plan_add_tables(MkPlan *plan, MkSession *session, MkLayout *layout, GError **error);
void mk_plan_add_patches(MkPlan *plan, const GPtrArray *patches, const char *reason);
/* How far an erase of all of REGION goes: to its end, but on a NAND not into the pool of bad blocks and the two blocks of the agent's table
 * (spec behaviour.md 4.5). */
uint64_t mk_plan_erase_end(MkSession *session, MkRegion region);
/* Where the preloader of a NAND ends by LAYOUT (may be NULL): TABLE_NONE if it does not say so. */
bool mk_plan_behind_preloader(const MkLayout *layout, uint64_t *from, GError **error);
/* Gates for writing or erasing PARTITION by its class. */
void mk_plan_gate_class(MkPlan *plan, const MkPartition *partition, bool erase);
/* The load's layout for this phone's storage, resolved for its geometry. New reference. STOR_MISMATCH when there is none. */
MkLayout *mk_plan_resolve_load(MkSession *session, MkLayout *layout, GError **error);
