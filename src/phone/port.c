#include "phone/port.h"

#include "core/i18n.h"
#include "phone/port-usbip.h"
#include "phone/usbip.h"

#include <glib/gstdio.h>
#include <string.h>

struct _MkPort {
    char *path;      /* of the symbolic link or the socket; NULL: bare pty or TCP */
    char *host;      /* TCP */
    uint16_t number; /* TCP; kept when the first one was any */
    bool pty, usb, borders, there;
    MkUsbServer *server; /* USB: from the first appearance on */
    MkPortCable cable;
    gpointer cable_data;
};

#define LOOPBACK "127.0.0.1"

/* "HOST:PORT". */
static bool take_address(MkPort *port, const char *place)
{
    const char *colon = strrchr(place, ':');
    guint64 number;
    if (!colon || colon == place || !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16, &number, NULL))
        return false;
    port->host = g_strndup(place, (gsize)(colon - place));
    port->number = (uint16_t)number;
    return true;
}

/* "usbip", "usbip:PORT", "usbip:HOST:PORT": nobody but this computer, unless told otherwise. */
static bool take_usbip(MkPort *port, const char *text)
{
    port->usb = true;
    g_autofree char *place = !text[5]                ? g_strdup_printf(LOOPBACK ":%u", MK_USBIP_PORT)
                             : strchr(text + 6, ':') ? g_strdup(text + 6)
                                                     : g_strconcat(LOOPBACK ":", text + 6, NULL);
    return take_address(port, place);
}

MkPort *mk_port_new(const char *text, bool borders, GError **error)
{
    g_autoptr(MkPort) port = g_new0(MkPort, 1);
    port->borders = borders;
    if (strcmp(text, "pty") == 0 || g_str_has_prefix(text, "pty:")) {
        port->pty = true;
        port->path = text[3] ? g_strdup(text + 4) : NULL;
        return g_steal_pointer(&port);
    }
    const char *place = g_str_has_prefix(text, "socket:") ? text + 7 : "";
    bool usbip = strcmp(text, "usbip") == 0 || g_str_has_prefix(text, "usbip:");
    if (strchr(place, '/'))
        port->path = g_strdup(place);
    else if (!(usbip ? take_usbip(port, text) : take_address(port, place))) {
        mk_fault_set(error, MK_FAULT_USAGE,
                     _("A virtual phone has no port \"%s\"; write pty, pty:PATH, socket:PATH (with a slash), "
                       "socket:HOST:PORT, usbip, usbip:PORT or usbip:HOST:PORT."),
                     text);
        return NULL;
    }
    return g_steal_pointer(&port);
}

static MkWire *appear_on_bus(MkPort *port, MkUsbKind kind, GError **error)
{
    if (!port->server)
        port->server = mk_usb_server_new(port->host, &port->number, port->cable, port->cable_data, error);
    return port->server ? mk_usb_server_appear(port->server, kind, 0) : NULL;
}

void mk_port_reappear(MkPort *port, MkWire *wire, uint32_t ids)
{
    mk_usb_server_vanish(port->server);
    mk_usb_server_reappear(port->server, wire, MK_USB_AGENT, ids);
}

bool mk_port_is_usb(const MkPort *port)
{
    return port->usb;
}

void mk_port_set_cable(MkPort *port, MkPortCable cable, gpointer user_data)
{
    port->cable = cable;
    port->cable_data = user_data;
}

void mk_port_stall(MkPort *port, bool input)
{
    if (port->server)
        mk_usb_server_stall(port->server, input);
}

MkWire *mk_port_appear(MkPort *port, MkUsbKind kind, char **name, GError **error)
{
    MkWire *wire;
    if (port->usb)
        wire = appear_on_bus(port, kind, error);
    else if (port->pty)
        wire = mk_port_pty(port->path, name, error);
    else if (port->path)
        wire = mk_port_unix(port->path, port->borders, error);
    else
        wire = mk_port_tcp(port->host, &port->number, error);
    if (wire && !port->pty)
        *name = port->path ? g_strdup_printf("socket:%s", port->path)
                           : g_strdup_printf("%s:%s:%u", port->usb ? "usbip" : "socket", port->host, port->number);
    port->there = wire != NULL;
    return wire;
}

void mk_port_vanish(MkPort *port)
{
    if (port->there && port->path && port->pty)
        mk_port_pty_forget(port->path);
    else if (port->there && port->path)
        g_unlink(port->path);
    else if (port->there && port->usb)
        mk_usb_server_vanish(port->server);
    port->there = false;
}

void mk_port_free(MkPort *port)
{
    if (!port)
        return;
    mk_port_vanish(port);
    mk_usb_server_free(port->server);
    g_free(port->path);
    g_free(port->host);
    g_free(port);
}
