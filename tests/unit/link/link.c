#include "link/link.h"

#include "core/fault.h"

#include <glib/gstdio.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static void test_exact_read_and_deadline(void)
{
    g_autoptr(MkLink) one = NULL, other = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t data[4];
    mk_link_pair(&one, &other, false);
    g_assert_true(mk_link_write(one, "ab", 2, 100, NULL, &error));
    g_assert_true(mk_link_write(one, "cd", 2, 100, NULL, &error));
    g_assert_true(mk_link_read(other, data, 4, 100, NULL, &error));
    g_assert_cmpmem(data, 4, "abcd", 4);
    gint64 start = g_get_monotonic_time();
    g_assert_false(mk_link_read(other, data, 1, 30, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SILENT);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 25000);
}

static void test_vanished_phone(void)
{
    MkLink *one, *other;
    g_autoptr(GError) error = NULL;
    uint8_t data[4];
    mk_link_pair(&one, &other, false);
    mk_link_free(one);
    g_assert_false(mk_link_read(other, data, 1, 1000, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
    mk_link_free(other);
}

/* A phone that does not read must not hang us. */
static void test_write_has_a_deadline(void)
{
    g_autoptr(MkLink) one = NULL, other = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree uint8_t *big = g_malloc0(8 << 20);
    mk_link_pair(&one, &other, false);
    g_assert_false(mk_link_write(one, big, 8 << 20, 30, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SILENT);
}

static void test_borders_are_kept(void)
{
    g_autoptr(MkLink) one = NULL, other = NULL;
    g_autoptr(GError) error = NULL;
    uint8_t data[8];
    size_t got;
    mk_link_pair(&one, &other, true);
    g_assert_true(mk_link_write(one, "ab", 2, 100, NULL, &error));
    g_assert_true(mk_link_write(one, "cd", 2, 100, NULL, &error));
    g_assert_true(mk_link_read_some(other, data, 8, &got, 100, NULL, &error));
    g_assert_cmpuint(got, ==, 2);
    g_assert_true(mk_link_read_some(other, data, 1, &got, 100, NULL, &error));
    g_assert_true(mk_link_read_some(other, data, 8, &got, 100, NULL, &error));
    g_assert_cmpuint(got, ==, 1);
    g_assert_cmpint(data[0], ==, 'd');
}

static gpointer cancel_soon(gpointer data)
{
    g_usleep(20000);
    g_cancellable_cancel(data);
    return NULL;
}

static void test_cancel_wakes_a_read(void)
{
    g_autoptr(MkLink) one = NULL, other = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    uint8_t data[1];
    mk_link_pair(&one, &other, false);
    GThread *thread = g_thread_new("cancel", cancel_soon, cancel);
    g_assert_false(mk_link_read(other, data, 1, MK_FOREVER, cancel, &error));
    g_assert_cmpint(mk_fault_code(error), ==, MK_FAULT_STOPPED);
    g_thread_join(thread);
}

static void test_pty(void)
{
    g_autoptr(GError) error = NULL;
    int master, slave;
    char name[64];
    uint8_t data[5];
    g_assert_cmpint(openpty(&master, &slave, name, NULL, NULL), ==, 0);
    g_autoptr(MkLink) link = mk_link_open(name, NULL, &error);
    g_assert_no_error(error);
    /* Raw: nothing is echoed, translated or held back. */
    g_assert_cmpint(write(master, "\r\n\x03\x04\xff", 5), ==, 5);
    g_assert_true(mk_link_read(link, data, 5, 1000, NULL, &error));
    g_assert_cmpmem(data, 5, "\r\n\x03\x04\xff", 5);
    struct termios settings;
    g_assert_cmpint(tcgetattr(slave, &settings), ==, 0);
    g_assert_cmpuint(settings.c_lflag & (ECHO | ICANON | ISIG), ==, 0);
    g_assert_true(mk_link_set_baud(link, 1234567, &error));
    g_assert_true(mk_link_set_lines(link, false, false, &error));
    close(slave);
    close(master);
    g_assert_false(mk_link_read(link, data, 1, 1000, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
}

static void test_ports_that_are_none(void)
{
    static const struct {
        const char *port;
        MkFault fault;
    } ports[] = {{"/dev/pts/99999", MK_FAULT_CON_NONE}, {"1-99.3", MK_FAULT_CON_NONE},
                 {"socket:", MK_FAULT_USAGE},           {"socket:/nonexistent/x", MK_FAULT_CON_NONE},
                 {"/dev/null", MK_FAULT_CON_BUSY},      {"socket:127.0.0.1:1", MK_FAULT_CON_NONE}};
    for (gsize i = 0; i < G_N_ELEMENTS(ports); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(mk_link_open(ports[i].port, NULL, &error));
        /* A computer without USB has other words for it, and the same id. */
        g_assert_cmpstr(mk_fault_id(mk_fault_code(error)), ==, mk_fault_id(ports[i].fault));
    }
}

static gpointer appear(gpointer path)
{
    g_usleep(50000);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return GINT_TO_POINTER(fd);
}

static void test_wait_catches_a_port_that_appears(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("medik-link-XXXXXX", NULL), *path = g_build_filename(folder, "port", NULL),
                    *port = g_strconcat("socket:", path, NULL);
    g_assert_null(mk_link_wait(port, 20, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_CON_NONE);
    g_clear_error(&error);
    GThread *thread = g_thread_new("appear", appear, path);
    g_autoptr(MkLink) link = mk_link_wait(port, 5000, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(link);
    close(GPOINTER_TO_INT(g_thread_join(thread)));
    g_unlink(path);
    g_rmdir(folder);
}

static void test_trace_shows_both_directions(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLink) one = NULL, other = NULL;
    g_autofree char *folder = g_dir_make_tmp("medik-link-XXXXXX", NULL),
                    *path = g_build_filename(folder, "trace", NULL), *text = NULL;
    uint8_t data[100] = {0x5A};
    MkTrace *trace = mk_trace_open(path, &error);
    g_assert_no_error(error);
    mk_link_pair(&one, &other, false);
    mk_link_set_trace(one, trace);
    mk_link_note(one, "%s", "D6 READ");
    g_assert_true(mk_link_write(one, "\xd6\x0c", 2, 100, NULL, &error));
    g_assert_true(mk_link_write(other, data, sizeof data, 100, NULL, &error));
    g_assert_true(mk_link_read(one, data, sizeof data, 100, NULL, &error));
    mk_trace_free(trace);
    mk_link_set_trace(one, NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "# D6 READ\n"));
    g_assert_nonnull(strstr(text, "> d60c\n"));
    g_assert_nonnull(strstr(text, "< len=100 crc32="));
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/link/exact-read-and-deadline", test_exact_read_and_deadline);
    g_test_add_func("/link/vanished-phone", test_vanished_phone);
    g_test_add_func("/link/write-has-a-deadline", test_write_has_a_deadline);
    g_test_add_func("/link/borders-are-kept", test_borders_are_kept);
    g_test_add_func("/link/cancel-wakes-a-read", test_cancel_wakes_a_read);
    g_test_add_func("/link/pty", test_pty);
    g_test_add_func("/link/ports-that-are-none", test_ports_that_are_none);
    g_test_add_func("/link/wait-catches-a-port-that-appears", test_wait_catches_a_port_that_appears);
    g_test_add_func("/link/trace-shows-both-directions", test_trace_shows_both_directions);
    return g_test_run();
}
