/* Unix sockets that the virtual phone listens on. */
#pragma once

#include "core/fault.h"

/* A socket of TYPE (SOCK_STREAM, SOCK_SEQPACKET) that listens at PATH; -1 and a fault if it cannot. The path is there only once a connection is
 * taken: whoever waits for it need not try twice. What a phone that was killed left behind is replaced, a file that is no socket stays. */
int mk_unix_listen(const char *path, int type, GError **error);
