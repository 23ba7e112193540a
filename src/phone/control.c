#include "phone/control.h"

#include "core/i18n.h"
#include "phone/phone.h"
#include "phone/unix-socket.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_LIMIT   4096
#define ANSWER_LIMIT (1u << 20)
#define PATIENCE_S   5 /* for a client to send its line */

struct _MkControl {
    int listener, wake;
    char *path;
    MkControlAnswer answer;
    gpointer user_data;
    GThread *thread;
};

typedef struct {
    MkControl *control;
    int fd;
} Client;

static bool address_of(const char *path, struct sockaddr_un *address, GError **error)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (g_strlcpy(address->sun_path, path, sizeof address->sun_path) < sizeof address->sun_path)
        return true;
    mk_fault_set(error, MK_FAULT_USAGE, _("The socket path %s is too long."), path);
    return false;
}

/* Up to the end of the line or of the stream. NULL: nothing of the sort within LIMIT bytes. */
static char *read_line(int fd, size_t limit)
{
    g_autoptr(GString) line = g_string_new(NULL);
    while (line->len < limit) {
        char piece[512];
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return NULL;
        g_string_append_len(line, piece, n);
        if (n == 0 || memchr(piece, '\n', (size_t)n))
            return g_strchomp(g_strdup(line->str));
    }
    return NULL;
}

static bool send_line(int fd, const char *text)
{
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    for (size_t done = 0, length = strlen(line); done < length;) {
        ssize_t n = send(fd, line + done, length - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static gpointer serve(gpointer data)
{
    Client *client = data;
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    g_autofree char *line = read_line(client->fd, LINE_LIMIT);
    if (line) {
        g_autofree char *answer = client->control->answer(client->control->user_data, line);
        send_line(client->fd, answer);
    }
    close(client->fd);
    g_free(client);
    return NULL;
}

static gpointer take_clients(gpointer data)
{
    MkControl *control = data;
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    for (;;) {
        struct pollfd fds[] = {{.fd = control->wake, .events = POLLIN}, {.fd = control->listener, .events = POLLIN}};
        if (poll(fds, G_N_ELEMENTS(fds), -1) > 0 && fds[0].revents)
            break;
        int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        Client *client = g_new(Client, 1);
        *client = (Client){control, fd};
        g_ptr_array_add(threads, g_thread_new("phone-control", serve, client));
    }
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
    return NULL;
}

MkControl *mk_control_start(const char *path, MkControlAnswer answer, gpointer user_data, GError **error)
{
    int listener = mk_unix_listen(path, SOCK_STREAM, error);
    if (listener < 0)
        return NULL;
    MkControl *control = g_new0(MkControl, 1);
    *control = (MkControl){.listener = listener,
                           .wake = eventfd(0, EFD_CLOEXEC),
                           .path = g_strdup(path),
                           .answer = answer,
                           .user_data = user_data};
    control->thread = g_thread_new("phone-control", take_clients, control);
    return control;
}

void mk_control_stop(MkControl *control)
{
    if (!control)
        return;
    eventfd_write(control->wake, 1);
    g_thread_join(control->thread);
    close(control->listener);
    close(control->wake);
    g_unlink(control->path);
    g_free(control->path);
    g_free(control);
}

char *mk_phone_control(const char *socket_path, const char *command, GError **error)
{
    struct sockaddr_un address;
    if (!address_of(socket_path, &address, error))
        return NULL;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot connect to the virtual phone's control socket"), socket_path);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    char *answer = send_line(fd, command) ? read_line(fd, ANSWER_LIMIT) : NULL;
    close(fd);
    if (answer && *answer)
        return answer;
    g_free(answer);
    mk_fault_set(error, MK_FAULT_GONE, _("The virtual phone ended before it answered \"%s\"."), command);
    return NULL;
}
