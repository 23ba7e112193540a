/* The control socket of a virtual phone: one line asks, one line of JSON answers, then the connection ends. */
#pragma once

#include "core/fault.h"

typedef struct _MkControl MkControl;

/* Answers one line (caller frees what it returns). Called from a thread of its own for each connection. */
typedef char *(*MkControlAnswer)(gpointer user_data, const char *line);

MkControl *mk_control_start(const char *path, MkControlAnswer answer, gpointer user_data, GError **error);
/* Waits for the answers that are being given; whoever makes them wait must have been told to end. */
void mk_control_stop(MkControl *control);
