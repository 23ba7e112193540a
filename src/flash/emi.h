/* Which preloader file the DRAM settings come from (spec behaviour.md 3.2, preloader-file.md 4, 5). Internal to the room. */
#pragma once

#include "flash/session.h"

/* The preloader files in question. Made before anything is sent to the phone; the choice among several falls when its flash chip is known. */
typedef struct {
    GPtrArray *preloaders; /* (element-type MkPreloader), each with settings */
    GPtrArray *paths;      /* (char *) theirs */
    const char *project;   /* of the load, or NULL; borrowed */
    bool named;            /* the user named the one that is there: it is warned of, not refused */
    MkBootStateFunc state; /* told in words what is doubtful, or NULL */
    gpointer state_data;
} MkEmiChoice;

/* Looks for preloader files: the one named in OPTIONS, else those beside the ROM, for the chip SOC. None is no fault yet, for not every agent
 * needs one. CHIP if the named one is another chip's. */
bool mk_emi_choice_init(MkEmiChoice *choice, const MkSessionOptions *options, const MkSoc *soc, GError **error);
void mk_emi_choice_clear(MkEmiChoice *choice);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MkEmiChoice, mk_emi_choice_clear)
/* The settings if there is nothing to choose among, else those of the first; NULL: there are none. Borrowed. */
GBytes *mk_emi_choice_first(const MkEmiChoice *choice);
/* An MkEmiFunc; USER_DATA is the MkEmiChoice. By flash chip, then by the project of the load. PL_EMI if no file lists the flash chip, FILE if several
 * are left that differ. */
GBytes *mk_emi_choose(const uint8_t *id, size_t length, gpointer user_data, GError **error);
