/* Inside the room: one way to catch a phone, whatever is then said to it. */
#pragma once

#include "boot/command.h"

/* Talks to a phone that has just appeared. GONE means: wait for its next appearance; every other fault ends the waiting. */
typedef bool (*MkBootAttempt)(MkLink *link, gpointer user_data, GCancellable *cancel, GError **error);
bool mk_boot_catch(const char *port, int timeout, MkTrace *trace, MkBootStateFunc state, gpointer state_data,
                   MkBootAttempt attempt, gpointer user_data, MkLink **link, GCancellable *cancel, GError **error);
