#include "link/trace.h"

#include "core/fault.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <errno.h>
#include <stdio.h>

#define SHOWN 64 /* longer runs: length, CRC-32, first bytes */

struct _MkTrace {
    FILE *file;
    gint64 start;
};

MkTrace *mk_trace_open(const char *path, GError **error)
{
    FILE *file = fopen(path, "wxe");
    if (!file) {
        mk_fault_set_errno(error, false, errno, _("Cannot create"), path);
        return NULL;
    }
    MkTrace *trace = g_new(MkTrace, 1);
    trace->file = file;
    trace->start = g_get_monotonic_time();
    fputs("# medik trace: seconds, > to the phone, < from the phone, # what it is\n", file);
    return trace;
}

void mk_trace_free(MkTrace *trace)
{
    if (!trace)
        return;
    fclose(trace->file);
    g_free(trace);
}

static void stamp(MkTrace *trace)
{
    fprintf(trace->file, "%12.6f ", (double)(g_get_monotonic_time() - trace->start) / G_USEC_PER_SEC);
}

void mk_trace_bytes(MkTrace *trace, char direction, const void *data, size_t length)
{
    if (!trace || !length)
        return;
    const uint8_t *bytes = data;
    stamp(trace);
    fprintf(trace->file, "%c ", direction);
    if (length > SHOWN)
        fprintf(trace->file, "len=%zu crc32=%08x ", length, mk_crc32(0, data, length));
    for (size_t i = 0; i < MIN(length, SHOWN); i++)
        fprintf(trace->file, "%02x", bytes[i]);
    fputs(length > SHOWN ? "...\n" : "\n", trace->file);
    fflush(trace->file);
}

void mk_link_set_trace(MkLink *link, MkTrace *trace)
{
    link->trace = trace;
}

void mk_link_note(MkLink *link, const char *format, ...)
{
    if (!link->trace)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    stamp(link->trace);
    fprintf(link->trace->file, "# %s\n", text);
    fflush(link->trace->file);
}
