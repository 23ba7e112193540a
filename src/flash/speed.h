/* The speed of the cable: agents of phones that came up at full speed (12 Mbit/s) are asked for high speed, and followed when they leave the
 * bus for it (spec behaviour.md 2.4, brom.md 8, da-legacy.md 9.1, da-xflash.md 14, da-xml.md 8.19). */
#pragma once

#include "flash/session.h"

/* Nothing to do on other ports, and where the agent has no such function → true. *LEFT: the phone went to change its speed and did not come
 * back, which is worth a second try without. */
bool mk_session_speed_up(MkSession *session, const MkSessionOptions *options, bool *left, GError **error);
