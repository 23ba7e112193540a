/* A pseudo-terminal as a port. The phone holds the terminal's far side open too, so that hosts may come and go (spec hosts.md). */
#include "core/i18n.h"
#include "phone/port.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

bool mk_port_pty_forget(const char *link_path)
{
    g_autofree char *target = g_file_read_link(link_path, NULL);
    return target && g_str_has_prefix(target, "/dev/pts/") && g_unlink(link_path) == 0;
}

static bool point_at(const char *link_path, const char *terminal, GError **error)
{
    mk_port_pty_forget(link_path);
    if (symlink(terminal, link_path) == 0)
        return true;
    mk_fault_set_errno(error, false, errno, _("Cannot make the symbolic link"), link_path);
    return false;
}

static int open_terminal(int master, char *name, size_t size)
{
    if (grantpt(master) || unlockpt(master) || ptsname_r(master, name, size))
        return -1;
    int slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios settings;
    if (slave >= 0 && tcgetattr(slave, &settings) == 0) {
        cfmakeraw(&settings);
        cfsetspeed(&settings, B115200);
        tcsetattr(slave, TCSANOW, &settings);
    }
    return slave;
}

MkWire *mk_port_pty(const char *link_path, char **name, GError **error)
{
    char terminal[64];
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    int slave = master < 0 ? -1 : open_terminal(master, terminal, sizeof terminal);
    int watch = slave < 0 ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, terminal, IN_OPEN | IN_CLOSE) < 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot make a pseudo-terminal from"), "/dev/ptmx");
        int fds[] = {master, slave, watch};
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
            if (fds[i] >= 0)
                close(fds[i]);
        return NULL;
    }
    MkWire *wire = mk_wire_new_pty(master, slave, watch);
    if (link_path && !point_at(link_path, terminal, error)) {
        mk_wire_free(wire);
        return NULL;
    }
    *name = g_strdup(link_path ? link_path : terminal);
    return wire;
}
