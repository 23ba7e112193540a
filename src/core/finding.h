/* One thing that a check or a parser has to say about a file, a table or a set (spec behaviour.md 3.3, checks.md 1). */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    MK_SEVERITY_NOTE,   /* worth knowing */
    MK_SEVERITY_WARN,   /* likely trouble; asks yes/no */
    MK_SEVERITY_DANGER, /* likely to brick or to destroy what cannot be replaced; needs a typed word */
    MK_SEVERITY_BLOCK,  /* would certainly fail or brick; in a parser: the file cannot be used */
} MkSeverity;

typedef struct {
    MkSeverity severity;
    char *id;        /* "P-SIZE", "scatter.key-missing", ... stable */
    char *partition; /* or NULL */
    char *file;      /* or NULL */
    unsigned line;   /* 1-based, 0 = not about a line */
    char *message;   /* plain words: what, why it matters */
    char *advice;    /* what to do, or NULL */
    bool fixable;    /* `medik scatter fix` or the like can mend it */
} MkFinding;

/* Appends a finding to LIST (a GPtrArray made by mk_findings_new(); NULL: dropped) and returns it (owned by the list, NULL
 * if there is none) so that the caller can set partition, file, advice with mk_finding_set(). */
MkFinding *mk_finding_add(GPtrArray *list, MkSeverity severity, const char *id, unsigned line, const char *format, ...)
    G_GNUC_PRINTF(5, 6);
void mk_finding_set(MkFinding *finding, const char *partition, const char *file, const char *advice);
GPtrArray *mk_findings_new(void);                    /* (element-type MkFinding) frees its elements */
MkSeverity mk_findings_worst(const GPtrArray *list); /* NOTE if empty */
const char *mk_severity_name(MkSeverity severity);   /* "note", "warning", "danger", "block" */
