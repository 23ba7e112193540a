#include "link/link.h"

#include "core/fault.h"
#include "core/i18n.h"
#include "link/fd.h"
#include "link/ports.h"
#include "link/trace.h"
#include "link/usb.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define WAIT_STEP_US 5000 /* a port is noticed within 10 ms */

gpointer mk_link_alloc(const MkLinkClass *klass, size_t size, MkLinkKind kind, const char *name)
{
    MkLink *link = g_malloc0(size);
    link->klass = klass;
    link->kind = kind;
    link->name = g_strdup(name);
    return link;
}

void mk_link_free(MkLink *link)
{
    if (!link)
        return;
    link->klass->free(link);
    g_free(link->name);
    g_free(link);
}

const char *mk_link_name(const MkLink *link)
{
    return link->name;
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

MkLink *mk_link_open(const char *port, GCancellable *cancel, GError **error)
{
    if (g_str_has_prefix(port, "socket:"))
        return mk_socket_open(port, port + strlen("socket:"), cancel, error);
    if (strchr(port, '/'))
        return mk_serial_open(port, error);
    if (mk_usb_is_port(port))
        return mk_usb_wait(port, 0, NULL, NULL, cancel, error);
    mk_fault_set(
        error, MK_FAULT_USAGE,
        _("\"%s\" is no port: name a USB bus path (1-2.3, see `medik watch`), usb, a serial port or pty by its "
          "path (/dev/ttyACM0), socket:PATH or socket:HOST:PORT."),
        port);
    return NULL;
}

/* Not there (yet) is worth waiting for, everything else is told at once. */
MkLink *mk_link_wait_told(const char *port, int timeout, MkLinkSeenFunc seen, gpointer user_data, GCancellable *cancel,
                          GError **error)
{
    return mk_usb_is_port(port) ? mk_usb_wait(port, timeout, seen, user_data, cancel, error)
                                : mk_link_wait(port, timeout, cancel, error);
}

MkLink *mk_link_wait(const char *port, int timeout, GCancellable *cancel, GError **error)
{
    if (mk_usb_is_port(port))
        return mk_usb_wait(port, timeout, NULL, NULL, cancel, error);
    gint64 deadline = mk_deadline(timeout);
    for (;;) {
        g_autoptr(GError) local = NULL;
        MkLink *link = mk_link_open(port, cancel, &local);
        if (link)
            return link;
        if (mk_fault_code(local) != MK_FAULT_CON_NONE) {
            g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
        if (deadline >= 0 && g_get_monotonic_time() >= deadline) {
            mk_fault_set_number(error, MK_FAULT_CON_NONE, 8100, "FT_FIND_USB_ERROR",
                                _("No phone appeared on %s within %d s."), port, timeout / 1000);
            return NULL;
        }
        if (g_cancellable_set_error_if_cancelled(cancel, error))
            return NULL;
        g_usleep(WAIT_STEP_US);
    }
}

bool mk_link_can_follow(const MkLink *link)
{
    return link->kind == MK_LINK_USB;
}

MkLink *mk_link_follow(MkLink *link, int timeout, GCancellable *cancel, GError **error)
{
    mk_link_note(link, "leaves the bus");
    return mk_usb_follow(link, timeout, cancel, error);
}

unsigned mk_link_usb_speed(const MkLink *link)
{
    return mk_usb_link_speed(link);
}

/* --- bytes --------------------------------------------------------------------------------------------------------- */

bool mk_link_gone(MkLink *link, GError **error)
{
    mk_fault_set(error, MK_FAULT_GONE, _("The phone vanished from %s."), link->name);
    return false;
}

/* Passes a fault on. That the phone vanished is kept for whoever talks to it next, as not everybody listens to faults. */
static bool fail(MkLink *link, GError *trouble, GError **error)
{
    link->gone = link->gone || mk_fault_code(trouble) == MK_FAULT_GONE;
    g_propagate_error(error, trouble);
    return false;
}

bool mk_link_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                       GError **error)
{
    GError *trouble = NULL;
    *got = 0;
    if (!link->klass->read_some(link, data, length, got, timeout, cancel, &trouble))
        return fail(link, trouble, error);
    mk_trace_bytes(link->trace, '<', data, *got);
    return true;
}

bool mk_link_read(MkLink *link, void *data, size_t length, int timeout, GCancellable *cancel, GError **error)
{
    gint64 deadline = mk_deadline(timeout);
    GError *trouble = NULL;
    uint8_t *at = data;
    size_t left = length;
    while (left) {
        size_t got;
        int rest = timeout < 0 ? timeout : (int)MAX((deadline - g_get_monotonic_time() + 999) / 1000, 0);
        if (!link->klass->read_some(link, at, left, &got, rest, cancel, &trouble)) {
            mk_trace_bytes(link->trace, '<', data, length - left);
            return fail(link, trouble, error);
        }
        at += got;
        left -= got;
        /* Progress renews the deadline: a slow link is not a silent phone. */
        deadline = mk_deadline(timeout);
    }
    mk_trace_bytes(link->trace, '<', data, length);
    return true;
}

bool mk_link_write(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel, GError **error)
{
    GError *trouble = NULL;
    if (!length)
        return true;
    mk_trace_bytes(link->trace, '>', data, length);
    return (!g_cancellable_set_error_if_cancelled(cancel, &trouble) &&
            link->klass->write(link, data, length, timeout, cancel, &trouble)) ||
           fail(link, trouble, error);
}

bool mk_link_end_payload(MkLink *link, size_t length, int timeout, GCancellable *cancel, GError **error)
{
    return !link->klass->end_payload || link->klass->end_payload(link, length, timeout, cancel, error);
}

bool mk_link_drain(MkLink *link, int quiet, GCancellable *cancel, GError **error)
{
    /* A babbling phone must not hold us: what is thrown away has an end. */
    for (size_t thrown = 0; thrown < 16u << 20;) {
        uint8_t buffer[4096];
        size_t got;
        g_autoptr(GError) local = NULL;
        if (mk_link_read_some(link, buffer, sizeof buffer, &got, quiet, cancel, &local)) {
            thrown += got;
            continue;
        }
        if (mk_fault_code(local) == MK_FAULT_SILENT)
            return true;
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("The phone on %s does not stop sending."), link->name);
    return false;
}

bool mk_link_set_baud(MkLink *link, unsigned baud, GError **error)
{
    mk_link_note(link, "baud rate %u", baud);
    return !link->klass->set_baud || link->klass->set_baud(link, baud, error);
}

bool mk_link_set_lines(MkLink *link, bool dtr, bool rts, GError **error)
{
    mk_link_note(link, "DTR %d RTS %d", dtr, rts);
    return !link->klass->set_lines || link->klass->set_lines(link, dtr, rts, error);
}
