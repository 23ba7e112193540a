#include "phone/unix-socket.h"

#include "core/i18n.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 8

/* A socket that nobody listens on. */
static void remove_stale(const struct sockaddr_un *address, int type)
{
    struct stat status;
    if (g_lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED)
        g_unlink(address->sun_path);
    close(fd);
}

static bool listens(int fd, const struct sockaddr_un *address)
{
    return fd >= 0 && bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 && listen(fd, BACKLOG) == 0;
}

/* Binding makes the file, and until the socket listens it refuses: so that happens under another name. */
static bool appear(int fd, const struct sockaddr_un *address)
{
    struct sockaddr_un hidden = {.sun_family = AF_UNIX};
    int n = snprintf(hidden.sun_path, sizeof hidden.sun_path, "%s.%d", address->sun_path, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof hidden.sun_path)
        return listens(fd, address);
    g_unlink(hidden.sun_path);
    if (listens(fd, &hidden) &&
        renameat2(AT_FDCWD, hidden.sun_path, AT_FDCWD, address->sun_path, RENAME_NOREPLACE) == 0)
        return true;
    int failure = errno == EEXIST ? EADDRINUSE : errno;
    g_unlink(hidden.sun_path);
    errno = failure;
    return false;
}

int mk_unix_listen(const char *path, int type, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path) {
        mk_fault_set(error, MK_FAULT_USAGE, _("The socket path %s is too long."), path);
        return -1;
    }
    remove_stale(&address, type);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (appear(fd, &address))
        return fd;
    mk_fault_set_errno(error, false, errno, _("Cannot listen on"), path);
    if (fd >= 0)
        close(fd);
    return -1;
}
