/* Inside the room: USB ports by bus path ("1-2.3"), or "usb" for the one phone that is there or will come. */
#pragma once

#include "link/link.h"

bool mk_usb_is_port(const char *port);
/* Waits for the phone of PORT and opens it (link.h: mk_link_wait_told()). */
MkLink *mk_usb_wait(const char *port, int timeout, MkLinkSeenFunc seen, gpointer user_data, GCancellable *cancel,
                    GError **error);
/* What LINK led to is about to leave the bus and come back as another device; see mk_link_follow(). Takes LINK. */
MkLink *mk_usb_follow(MkLink *link, int timeout, GCancellable *cancel, GError **error);
unsigned mk_usb_link_speed(const MkLink *link); /* Mbit/s, 0 = not known or no USB link */
