/* The error catalogue: what SP Flash Tool, agents, BootROM and preloader mean by their numbers and symbols (data/errors.csv, from spec
 * behaviour.md 9, Appendix A and brom.md 5). Works offline and without a phone. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint32_t *numbers; /* ends with 0 */
    const char *symbols;     /* comma-separated; some without their group's prefix (S_, STATUS_) */
    const char *when, *cause, *cure;
    const char *phrases; /* lower-case pieces of the messages people paste, separated by | */
} MkCatalogueRow;

extern const MkCatalogueRow mk_catalogue_rows[];
extern const size_t mk_catalogue_count;

/* What TEXT, a pasted error box, may mean: symbols first, then known phrases, then numbers (decimal, 0x…, signed decimal of a status word). Each row
 * once, the surest first, those that explain before those that only name. (element-type MkCatalogueRow, borrowed) */
GPtrArray *mk_catalogue_search(const char *text);
