/* The device's end of the cable: exact reads, time-outs, hosts that come and go, borders, pace, and cuts from another thread. */
#include "phone/port.h"
#include "phone/wire.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static MkWire *pair(int type, bool borders, int *host)
{
    int fds[2];
    g_assert_cmpint(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), ==, 0);
    *host = fds[0];
    return mk_wire_new_fd(fds[1], borders);
}

static void test_reads(void)
{
    int host;
    uint8_t bytes[4];
    size_t got;
    MkWire *wire = pair(SOCK_STREAM, false, &host);
    g_assert_cmpint(send(host, "abc", 3, 0), ==, 3);
    g_assert_cmpuint(mk_wire_waiting(wire), ==, 3);
    g_assert_cmpint(mk_wire_read(wire, bytes, 4, 10), ==, MK_WIRE_TIMEOUT);
    g_assert_cmpint(send(host, "defg", 4, 0), ==, 4);
    g_assert_cmpint(mk_wire_read_some(wire, bytes, 4, &got, 100), ==, MK_WIRE_OK);
    g_assert_cmpmem(bytes, got, "defg", 4);
    close(host);
    g_assert_cmpint(mk_wire_read(wire, bytes, 1, -1), ==, MK_WIRE_GONE);
    mk_wire_free(wire);
}

static void test_numbers(void)
{
    int host;
    uint8_t raw[15];
    uint64_t value;
    MkWire *wire = pair(SOCK_STREAM, false, &host);
    mk_wire_put8(wire, 0x01);
    mk_wire_put16(wire, 0x0203);
    mk_wire_put32(wire, 0x04050607);
    mk_wire_put64(wire, 0x08090A0B0C0D0E0F);
    g_assert_cmpint(recv(host, raw, sizeof raw, MSG_WAITALL), ==, sizeof raw);
    for (unsigned i = 0; i < sizeof raw; i++)
        g_assert_cmphex(raw[i], ==, i + 1);
    g_assert_cmpint(send(host, raw + 7, 8, 0), ==, 8);
    g_assert_cmpint(mk_wire_get64(wire, &value), ==, MK_WIRE_OK);
    g_assert_cmphex(value, ==, 0x08090A0B0C0D0E0F);
    close(host);
    mk_wire_free(wire);
}

static gpointer cut_soon(gpointer wire)
{
    g_usleep(20 * 1000);
    mk_wire_cut(wire);
    return NULL;
}

static void test_cut_ends_waiting(void)
{
    int host;
    uint8_t byte;
    MkWire *wire = pair(SOCK_STREAM, false, &host);
    GThread *thread = g_thread_new("cut", cut_soon, wire);
    g_assert_cmpint(mk_wire_read(wire, &byte, 1, -1), ==, MK_WIRE_GONE);
    g_assert_cmpint(mk_wire_write(wire, &byte, 1), ==, MK_WIRE_GONE);
    g_assert_cmpint(mk_wire_pause(wire, 10000), ==, MK_WIRE_GONE);
    g_thread_join(thread);
    close(host);
    mk_wire_free(wire);
}

/* A host that glues data to its command bytes loses the data, as on USB; one that does not is served. */
static void test_borders(void)
{
    int host;
    uint8_t byte, data[2];
    MkWire *wire = pair(SOCK_SEQPACKET, true, &host);
    g_assert_cmpint(send(host,
                         "\xD5"
                         "xy",
                         3, 0),
                    ==, 3);
    g_assert_cmpint(mk_wire_get8(wire, &byte), ==, MK_WIRE_OK);
    g_assert_cmpint(mk_wire_read(wire, data, 2, 20), ==, MK_WIRE_TIMEOUT);
    g_assert_cmpuint(mk_wire_border_violations(wire), ==, 1);
    send(host, "\xD5", 1, 0);
    send(host, "xy", 2, 0);
    g_assert_cmpint(mk_wire_get8(wire, &byte), ==, MK_WIRE_OK);
    g_assert_cmpint(mk_wire_read(wire, data, 2, 1000), ==, MK_WIRE_OK);
    g_assert_cmpmem(data, 2, "xy", 2);
    g_assert_cmpuint(mk_wire_border_violations(wire), ==, 1);
    close(host);
    mk_wire_free(wire);
}

/* 1 MB at 10 MB/s in pieces of 10 kB takes 0.1 s; sleeps that are too long are made good. */
static void test_pace(void)
{
    int host;
    uint8_t piece[10000] = {0};
    MkWire *wire = pair(SOCK_STREAM, false, &host);
    mk_wire_set_pace(wire, 10 * 1000 * 1000, 0);
    gint64 start = g_get_monotonic_time();
    for (unsigned i = 0; i < 100; i++) {
        g_assert_cmpint(mk_wire_write(wire, piece, sizeof piece), ==, MK_WIRE_OK);
        g_assert_cmpint(recv(host, piece, sizeof piece, MSG_WAITALL), ==, sizeof piece);
    }
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 95000);
    close(host);
    mk_wire_free(wire);
}

static bool drop_from_second(G_GNUC_UNUSED gpointer data, bool input, uint8_t *bytes, size_t *length)
{
    if (input)
        return true;
    bytes[0] ^= 1;
    *length = MIN(*length, 1);
    return false;
}

static void test_tap(void)
{
    int host;
    char got[4];
    MkWire *wire = pair(SOCK_STREAM, false, &host);
    mk_wire_set_tap(wire, drop_from_second, NULL);
    g_assert_cmpint(mk_wire_write(wire, "ab", 2), ==, MK_WIRE_GONE);
    g_assert_cmpint(recv(host, got, sizeof got, 0), ==, 1);
    g_assert_cmpint(got[0], ==, 'a' ^ 1);
    close(host);
    mk_wire_free(wire);
}

static int connect_to(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static void test_socket_port(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("medik-wire-XXXXXX", NULL),
                    *path = g_build_filename(folder, "phone", NULL), *text = g_strconcat("socket:", path, NULL),
                    *name = NULL;
    g_autoptr(MkPort) port = mk_port_new(text, false, &error);
    g_assert_no_error(error);
    g_assert_cmpint(connect_to(path, SOCK_STREAM), <, 0);
    MkWire *wire = mk_port_appear(port, MK_USB_PRELOADER, &name, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(name, ==, text);
    g_assert_false(mk_wire_tool_present(wire));
    for (unsigned visit = 0; visit < 2; visit++) { /* hosts come and go */
        uint8_t byte;
        int host = connect_to(path, SOCK_STREAM);
        g_assert_true(mk_wire_tool_present(wire));
        send(host, "x", 1, 0);
        g_assert_cmpint(mk_wire_read(wire, &byte, 1, 1000), ==, MK_WIRE_OK);
        close(host);
        g_assert_cmpint(mk_wire_read(wire, &byte, 1, 10), ==, MK_WIRE_TIMEOUT);
    }
    mk_port_vanish(port);
    mk_wire_free(wire);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_rmdir(folder);
}

static gpointer appear_soon(gpointer port)
{
    g_autofree char *name = NULL;
    g_usleep(200);
    return mk_port_appear(port, MK_USB_BOOTROM, &name, NULL);
}

/* Who waits until the path is there can connect: it is not there before the phone listens. */
static void test_socket_is_there_at_once(void)
{
    g_autofree char *folder = g_dir_make_tmp("medik-wire-XXXXXX", NULL),
                    *path = g_build_filename(folder, "phone", NULL), *text = g_strconcat("socket:", path, NULL);
    for (unsigned i = 0; i < 200; i++) {
        g_autoptr(MkPort) port = mk_port_new(text, false, NULL);
        GThread *thread = g_thread_new("appear", appear_soon, port);
        while (access(path, F_OK) != 0)
            ;
        int host = connect_to(path, SOCK_STREAM);
        g_assert_cmpint(host, >=, 0);
        MkWire *wire = g_thread_join(thread);
        mk_port_vanish(port);
        mk_wire_free(wire);
        close(host);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* no other name is left behind */
}

static void test_pty_port(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("medik-wire-XXXXXX", NULL), *path = g_build_filename(folder, "tty", NULL),
                    *text = g_strconcat("pty:", path, NULL), *name = NULL;
    g_autoptr(MkPort) port = mk_port_new(text, false, &error);
    MkWire *wire = mk_port_appear(port, MK_USB_PRELOADER, &name, &error);
    g_assert_no_error(error);
    for (unsigned visit = 0; visit < 2; visit++) {
        uint8_t byte;
        g_assert_false(mk_wire_tool_present(wire));
        int host = open(path, O_RDWR | O_NOCTTY);
        g_assert_cmpint(host, >=, 0);
        g_assert_true(mk_wire_tool_present(wire));
        g_assert_cmpint(write(host, "\n", 1), ==, 1); /* raw: no echo, no translation */
        g_assert_cmpint(mk_wire_read(wire, &byte, 1, 1000), ==, MK_WIRE_OK);
        g_assert_cmphex(byte, ==, '\n');
        g_assert_cmpint(mk_wire_write(wire, "\xA0\x0A", 2), ==, MK_WIRE_OK);
        g_assert_cmpint(read(host, &byte, 1), ==, 1);
        g_assert_cmphex(byte, ==, 0xA0);
        close(host);
        g_assert_true(mk_wire_host_closed(wire));
    }
    int host = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK); /* what the last host left unread is gone */
    uint8_t byte;
    g_assert_cmpint(read(host, &byte, 1), <, 0);
    mk_port_vanish(port);
    mk_wire_free(wire);
    g_assert_cmpint(read(host, &byte, 1), <=, 0);
    close(host);
    g_assert_false(g_file_test(path, G_FILE_TEST_IS_SYMLINK));
    g_rmdir(folder);
}

static gpointer leave(gpointer wire)
{
    mk_wire_drain(wire, 5000);
    mk_wire_free(wire);
    return NULL;
}

/* A phone that leaves the bus at once after an answer, as after FINISH or a refusal: the answer has been sent, so it arrives. */
static void test_pty_last_words(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("medik-wire-XXXXXX", NULL), *path = g_build_filename(folder, "tty", NULL),
                    *text = g_strconcat("pty:", path, NULL), *name = NULL;
    g_autoptr(MkPort) port = mk_port_new(text, false, &error);
    MkWire *wire = mk_port_appear(port, MK_USB_PRELOADER, &name, &error);
    g_assert_no_error(error);
    int host = open(path, O_RDWR | O_NOCTTY);
    uint8_t bytes[4];
    g_assert_cmpint(mk_wire_write(wire, "last", 4), ==, MK_WIRE_OK);
    GThread *thread = g_thread_new("leave", leave, wire);
    g_usleep(20 * 1000); /* a host that is busy elsewhere */
    for (size_t i = 0; i < sizeof bytes; i++)
        g_assert_cmpint(read(host, bytes + i, 1), ==, 1);
    g_assert_cmpmem(bytes, sizeof bytes, "last", 4);
    g_thread_join(thread);
    close(host);
    mk_port_vanish(port);
    g_rmdir(folder);
}

/* Nobody is there, or nobody reads: the phone does not wait for ever. */
static void test_pty_nobody_reads(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;
    g_autoptr(MkPort) port = mk_port_new("pty", false, &error);
    MkWire *wire = mk_port_appear(port, MK_USB_PRELOADER, &name, &error);
    gint64 begin = g_get_monotonic_time();
    g_assert_cmpint(mk_wire_write(wire, "last", 4), ==, MK_WIRE_OK);
    mk_wire_drain(wire, 60000);
    int host = open(name, O_RDWR | O_NOCTTY);
    mk_wire_drain(wire, 50);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 30 * G_TIME_SPAN_SECOND);
    close(host);
    mk_wire_free(wire);
}

static void test_port_names(void)
{
    const char *const wrong[] = {"", "tty", "ptyx", "socket:", "socket:name", "socket::1", "socket:host:99999", NULL};
    for (unsigned i = 0; wrong[i]; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(mk_port_new(wrong[i], false, &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_USAGE);
    }
}

static void test_foreign_file_stays(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("medik-wire-XXXXXX", NULL), *path = g_build_filename(folder, "file", NULL),
                    *name = NULL;
    g_assert_true(g_file_set_contents(path, "mine", -1, NULL));
    for (unsigned kind = 0; kind < 2; kind++) {
        g_autofree char *text = g_strconcat(kind ? "pty:" : "socket:", path, NULL);
        g_autoptr(GError) local = NULL;
        g_autoptr(MkPort) port = mk_port_new(text, false, &error);
        g_assert_no_error(error);
        g_assert_null(mk_port_appear(port, MK_USB_PRELOADER, &name, &local));
        g_assert_error(local, MK_FAULT, MK_FAULT_FILE);
    }
    g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/reads", test_reads);
    g_test_add_func("/wire/numbers", test_numbers);
    g_test_add_func("/wire/cut", test_cut_ends_waiting);
    g_test_add_func("/wire/borders", test_borders);
    g_test_add_func("/wire/pace", test_pace);
    g_test_add_func("/wire/tap", test_tap);
    g_test_add_func("/port/socket", test_socket_port);
    g_test_add_func("/port/socket/at-once", test_socket_is_there_at_once);
    g_test_add_func("/port/pty", test_pty_port);
    g_test_add_func("/port/pty/last-words", test_pty_last_words);
    g_test_add_func("/port/pty/nobody-reads", test_pty_nobody_reads);
    g_test_add_func("/port/names", test_port_names);
    g_test_add_func("/port/foreign-file", test_foreign_file_stays);
    return g_test_run();
}
