/* The error catalogue: what SP Flash Tool, agents, BootROM and preloader mean by their numbers and symbols (data/errors.csv and
 * data/explanations.csv, from spec behaviour.md 9, Appendix A and brom.md 5), and what Medik's own checks mean by their ids (data/findings.csv,
 * checks.md). Works offline and without a phone. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One code. Symbols are stable, numbers are not: tools until 2014 and later ones count differently. */
typedef struct {
    uint32_t old, new;  /* its number in either, 0 = not known there; mostly the same */
    const char *symbol; /* in full: S_DA_SDMMC_WRITE_FAILED, STATUS_ABORT, CFT_…; BROM_… for 16-bit status words */
    const char *id;     /* Medik's own code, E-WRITE; "" if it is no error */
    const char *when, *cause, *cure; /* "" where nothing is known but the name */
    const char *phrases;             /* lower-case pieces of the messages people paste, separated by | */
} MkCatalogueRow;

extern const MkCatalogueRow mk_catalogue_rows[];
extern const size_t mk_catalogue_count;

/* What a check means by its id. */
typedef struct {
    const char *id; /* "K-VERITY"; "scatter.*": all of that family */
    const char *why, *cure;
} MkCatalogueFinding;

extern const MkCatalogueFinding mk_catalogue_findings[];
extern const size_t mk_catalogue_findings_count;

/* By its id in any case; NULL: no check has that id. */
const MkCatalogueFinding *mk_catalogue_finding(const char *id);

/* What TEXT, a pasted error box, may mean: symbols first, then known phrases, then status words, and library numbers only if nothing of these was
 * found (decimal, 0x…, signed decimal). Each row once, the surest first; in any case. (element-type MkCatalogueRow, borrowed) */
GPtrArray *mk_catalogue_search(const char *text);
