#include "phone/port.h"

#include "core/i18n.h"

#include <glib/gstdio.h>
#include <string.h>

struct _MkPort {
    char *path;      /* of the symbolic link or the socket; NULL: bare pty or TCP */
    char *host;      /* TCP */
    uint16_t number; /* TCP; kept when the first one was any */
    bool pty, borders, there;
};

MkPort *mk_port_new(const char *text, bool borders, GError **error)
{
    g_autoptr(MkPort) port = g_new0(MkPort, 1);
    port->borders = borders;
    if (strcmp(text, "pty") == 0 || g_str_has_prefix(text, "pty:")) {
        port->pty = true;
        port->path = text[3] ? g_strdup(text + 4) : NULL;
        return g_steal_pointer(&port);
    }
    const char *place = g_str_has_prefix(text, "socket:") ? text + 7 : "", *colon = strrchr(place, ':');
    guint64 number;
    if (strchr(place, '/')) {
        port->path = g_strdup(place);
    } else if (colon && colon > place && g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16, &number, NULL)) {
        port->host = g_strndup(place, (gsize)(colon - place));
        port->number = (uint16_t)number;
    } else {
        mk_fault_set(error, MK_FAULT_USAGE,
                     _("A virtual phone has no port \"%s\"; write pty, pty:PATH, socket:PATH (with a slash) or "
                       "socket:HOST:PORT."),
                     text);
        return NULL;
    }
    return g_steal_pointer(&port);
}

MkWire *mk_port_appear(MkPort *port, char **name, GError **error)
{
    MkWire *wire;
    if (port->pty)
        wire = mk_port_pty(port->path, name, error);
    else if (port->path)
        wire = mk_port_unix(port->path, port->borders, error);
    else
        wire = mk_port_tcp(port->host, &port->number, error);
    if (wire && !port->pty)
        *name = port->path ? g_strdup_printf("socket:%s", port->path)
                           : g_strdup_printf("socket:%s:%u", port->host, port->number);
    port->there = wire != NULL;
    return wire;
}

void mk_port_vanish(MkPort *port)
{
    if (port->there && port->path && port->pty)
        mk_port_pty_forget(port->path);
    else if (port->there && port->path)
        g_unlink(port->path);
    port->there = false;
}

void mk_port_free(MkPort *port)
{
    if (!port)
        return;
    mk_port_vanish(port);
    g_free(port->path);
    g_free(port->host);
    g_free(port);
}
