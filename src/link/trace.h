/* Internal to the room: what link.c tells the trace. */
#pragma once

#include "link/link.h"

/* DIRECTION '>' to the phone, '<' from it; NULL trace costs one test. */
void mk_trace_bytes(MkTrace *trace, char direction, const void *data, size_t length);
