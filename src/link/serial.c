/* Serial ports and pseudo-terminals: raw termios, any baud rate (spec brom.md 1.4, hosts.md). */
#include "core/fault.h"
#include "core/i18n.h"
#include "link/fd.h"
#include "link/holder.h"
#include "link/ports.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define INITIAL_BAUD 115200

static bool set_raw(int fd, unsigned baud)
{
    struct termios2 settings;
    if (ioctl(fd, TCGETS2, &settings))
        return false;
    settings.c_iflag = IGNBRK;
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    /* HUPCL off: closing the port must not drop DTR, which a preloader takes for "go on" (spec brom.md 9). */
    settings.c_cflag = CS8 | CREAD | CLOCAL | BOTHER | (BOTHER << IBSHIFT);
    settings.c_ispeed = settings.c_ospeed = baud;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    return !ioctl(fd, TCSETS2, &settings);
}

static bool serial_set_baud(MkLink *link, unsigned baud, GError **error)
{
    MkFdLink *serial = (MkFdLink *)link;
    ioctl(serial->fd, TCSBRK, 1); /* what was written goes out at the old rate */
    if (set_raw(serial->fd, baud))
        return true;
    if (errno == EIO)
        return mk_link_gone(link, error);
    mk_fault_set_number(error, MK_FAULT_CON_BUSY, 1015, "S_COM_PORT_SET_STATE_FAIL", _("%s does not take %u baud: %s."),
                        link->name, baud, g_strerror(errno));
    return false;
}

static bool serial_set_lines(MkLink *link, bool dtr, bool rts, GError **error)
{
    int lines = (dtr ? TIOCM_DTR : 0) | (rts ? TIOCM_RTS : 0);
    /* A pty has no lines: ENOTTY and EINVAL mean there is nothing to set. */
    if (!ioctl(((MkFdLink *)link)->fd, TIOCMSET, &lines) || errno == ENOTTY || errno == EINVAL)
        return true;
    return mk_link_gone(link, error);
}

static void serial_free(MkLink *link)
{
    int fd = ((MkFdLink *)link)->fd;
    ioctl(fd, TIOCNXCL);
    close(fd);
}

static const MkLinkClass serial_class = {.read_some = mk_fd_link_read_some,
                                         .write = mk_fd_link_write,
                                         .set_baud = serial_set_baud,
                                         .set_lines = serial_set_lines,
                                         .free = serial_free};

static MkLink *open_fault(const char *path, int error_number, GError **error)
{
    if (error_number == EBUSY) {
        g_autofree char *holder = mk_holder_of(path);
        mk_fault_set_number(error, MK_FAULT_CON_BUSY, 1013, "S_COM_PORT_OPEN_FAIL", _("%s is held by %s."), path,
                            holder ? holder : _("another program"));
    } else if (error_number == EACCES || error_number == EPERM)
        mk_fault_set_number(error, MK_FAULT_CON_BUSY, 1013, "S_COM_PORT_OPEN_FAIL",
                            _("You may not open %s (its group may: see `ls -l %s`)."), path, path);
    else
        mk_fault_set_errno(error, true, error_number, _("Cannot open"), path);
    return NULL;
}

MkLink *mk_serial_open(const char *path, GError **error)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return open_fault(path, errno, error);
    if (!isatty(fd)) {
        close(fd);
        mk_fault_set(error, MK_FAULT_CON_BUSY, _("%s is not a serial port."), path);
        return NULL;
    }
    if (ioctl(fd, TIOCEXCL) || !set_raw(fd, INITIAL_BAUD)) {
        int error_number = errno;
        close(fd);
        return open_fault(path, error_number, error);
    }
    ioctl(fd, TCFLSH, TCIOFLUSH);
    MkLink *link = mk_fd_link_new(&serial_class, fd, MK_LINK_SERIAL, path);
    serial_set_lines(link, true, true, NULL);
    return link;
}
