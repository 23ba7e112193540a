/* The start handshake and the boot modes against phones that are awkward, silent, hostile or vanish at any byte. */
#include "vectors.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const MkBootOptions options = {.timeout = 1500};

static void identification(GArray *steps)
{
    script_parse(steps, "H> FD D> FD 6583 0000 H> FC D> FC 8A00 CA00 0000 0000 "
                        "H> D4 D> D4 H> 10000000 D> 10000000 H> 00000001 D> 00000001 D> 0000 "
                        "H> 22002224 D> 22002224 D> 0000 H> FE D> 01 H> D8 D> D8 00000000 0000");
}

static MkTarget *connect_to(const char *start, GError **error)
{
    GArray *steps = script_steps_new();
    vector_append(steps, start);
    identification(steps);
    g_autoptr(MkLink) link = script_link(steps);
    MkTarget *target = mk_boot_connect(link, &options, NULL, error);
    if (target)
        script_assert_over(link);
    return target;
}

static void test_start(gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkTarget) target = connect_to(name, &error);
    g_assert_no_error(error);
    g_assert_cmphex(target->hw_code, ==, 0x6583);
}

/* --- a phone in a thread that answers as told -------------------------------------------------------------------------------- */

typedef struct {
    int fd;
    unsigned vanish; /* closes after so many answered bytes */
} Phone;

/* The four bytes of the start, then FD with the chip's code and a status; each start byte is answered once it was heard. */
static const uint8_t phone_answers[] = {0x5F, 0xF5, 0xAF, 0xFA, 0xFD, 0x65, 0x83, 0x00};

static gpointer phone_thread(gpointer data)
{
    Phone *phone = data;
    for (unsigned i = 0; i < phone->vanish; i++) {
        uint8_t heard;
        if (i <= 4 && read(phone->fd, &heard, 1) != 1)
            break;
        if (send(phone->fd, &phone_answers[i], 1, MSG_NOSIGNAL) != 1)
            break;
    }
    close(phone->fd);
    return NULL;
}

static void test_vanishes_anywhere(void)
{
    for (unsigned vanish = 0; vanish <= sizeof phone_answers; vanish++) {
        int fds[2];
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
        Phone phone = {.fd = fds[1], .vanish = vanish};
        GThread *thread = g_thread_new("phone", phone_thread, &phone);
        MkLink *link = mk_link_from_fd(fds[0], MK_LINK_PAIR, "pair");
        g_assert_null(mk_boot_connect(link, &options, NULL, &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
        mk_link_free(link);
        g_thread_join(thread);
    }
}

static void test_silent(void)
{
    int fds[2];
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_autoptr(MkLink) link = mk_link_from_fd(fds[0], MK_LINK_PAIR, "pair");
    MkBootOptions hurried = {.timeout = 200};
    gint64 start = g_get_monotonic_time();
    g_assert_null(mk_boot_connect(link, &hurried, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SILENT);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 2000000);
    close(fds[1]);
}

static void test_garbage(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (unsigned round = 0; round < 20; round++) {
        int fds[2];
        uint8_t noise[512];
        g_autoptr(GError) error = NULL;
        for (unsigned i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)g_rand_int(random);
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
        g_assert_cmpint(write(fds[1], noise, sizeof noise), ==, sizeof noise);
        shutdown(fds[1], SHUT_WR);
        g_autoptr(MkLink) link = mk_link_from_fd(fds[0], MK_LINK_PAIR, "pair");
        MkBootOptions hurried = {.timeout = 100};
        g_autoptr(MkTarget) target = mk_boot_connect(link, &hurried, NULL, &error);
        g_assert_null(target);
        g_assert_nonnull(error);
        close(fds[1]);
    }
}

/* A command loop that an earlier run left behind answers A0 with A0, and FD with a code. */
static void test_already_synchronised(void)
{
    g_autoptr(GError) error = NULL;
    GArray *steps = script_steps_new();
    script_parse(steps, "H> A0 D> A0");
    identification(steps);
    g_autoptr(MkLink) link = script_link(steps);
    g_autoptr(MkTarget) target = mk_boot_connect(link, &options, NULL, &error);
    g_assert_no_error(error);
    script_assert_over(link);
}

static void test_mere_echo(void)
{
    g_autoptr(GError) error = NULL;
    GArray *steps = script_steps_new();
    for (unsigned i = 0; i < 3; i++)
        script_parse(steps, "H> A0 D> A0 H> FD D> FD");
    g_autoptr(MkLink) link = script_link(steps);
    g_assert_null(mk_boot_connect(link, &options, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SILENT);
    g_assert_nonnull(strstr(error->message, "echo"));
}

/* --- boot modes, over a pseudo-terminal ---------------------------------------------------------------------------------------- */

typedef struct {
    int master;
    const char *vector;
    bool heard_all;
} Preloader;

static bool play(int fd, const ScriptStep *step)
{
    gsize length;
    const uint8_t *bytes = g_bytes_get_data(step->bytes, &length);
    if (!step->from_host)
        return write(fd, bytes, length) == (gssize)length;
    for (gsize i = 0; i < length; i++) {
        uint8_t byte;
        GPollFD poll = {.fd = fd, .events = G_IO_IN};
        if (g_poll(&poll, 1, 5000) != 1 || read(fd, &byte, 1) != 1)
            return false;
        if (byte != bytes[i] && !(length == 12 || length == 16)) /* contents of the parameter blocks are ours */
            return false;
    }
    return true;
}

static gpointer preloader_thread(gpointer data)
{
    Preloader *preloader = data;
    g_autoptr(GArray) steps = script_steps_new();
    vector_append(steps, preloader->vector);
    /* READY again and again, as preloaders do: what is said before the port is open is lost. */
    GPollFD poll = {.fd = preloader->master, .events = G_IO_IN};
    for (int i = 0; i < 200 && !preloader->heard_all; i++)
        preloader->heard_all = write(preloader->master, "READY", 5) == 5 && g_poll(&poll, 1, 20) == 1;
    for (unsigned i = 0; preloader->heard_all && i < steps->len; i++)
        preloader->heard_all = play(preloader->master, &g_array_index(steps, ScriptStep, i));
    return NULL;
}

typedef struct {
    const char *vector;
    MkBootMode mode;
    const char *answer;
    int fault; /* −1: none */
} ModeCase;

static const ModeCase mode_cases[] = {
    {"meta-old", MK_MODE_META, "ATEMATEM", -1},
    {"meta-world-phone", MK_MODE_META, "ATEM0001 ATEMATEX", -1},
    {"meta-v2", MK_MODE_META, "ATEM0001 ATEM0002 ATEMATEX", -1},
    {"factory", MK_MODE_FACTORY, "TCAFTCAF", -1},
    {"ate-factory", MK_MODE_ATE, "MYROTCAF", -1},
    {"advanced-meta-old", MK_MODE_ADVANCED_META, "ATEMEVDA", -1},
    {"advanced-meta", MK_MODE_ADVANCED_META, "ATEMEVDX", -1},
    {"fastboot", MK_MODE_FASTBOOT, "TOOBTSAF", -1},
    {"at-normal-boot", MK_MODE_NORMAL, "AT+OK", -1},
    {"meta-forbidden", MK_MODE_META, "METAFORB", MK_FAULT_SEC_FORBIDDEN},
};

static void test_mode(gconstpointer data)
{
    const ModeCase *mode = data;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_true(grantpt(master) == 0 && unlockpt(master) == 0);
    g_autofree char *port = g_strdup(ptsname(master));
    g_autofree char *answer = NULL;
    g_autoptr(GError) error = NULL;
    int keep = open(port, O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_autoptr(MkLink) raw = mk_link_open(port, NULL, NULL); /* raw mode before anything is written */
    Preloader preloader = {.master = master, .vector = mode->vector};
    GThread *thread = g_thread_new("preloader", preloader_thread, &preloader);
    bool good = mk_boot_mode(port, mode->mode, 3000, 0, NULL, NULL, NULL, &answer, NULL, NULL, &error);
    g_thread_join(thread);
    g_assert_cmpstr(answer, ==, mode->answer);
    g_assert_true(preloader.heard_all);
    if (mode->fault < 0) {
        g_assert_no_error(error);
        g_assert_true(good);
    } else {
        g_assert_error(error, MK_FAULT, mode->fault);
    }
    close(keep);
    close(master);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const char *const starts[] = {"start-brom-clean", "start-pl1-with-ready"};
    for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_autofree char *path = g_strdup_printf("/boot/%s", starts[i]);
        g_test_add_data_func(path, starts[i], test_start);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(mode_cases); i++) {
        g_autofree char *path = g_strdup_printf("/boot/%s", mode_cases[i].vector);
        g_test_add_data_func(path, &mode_cases[i], test_mode);
    }
    g_test_add_func("/boot/vanishes-anywhere", test_vanishes_anywhere);
    g_test_add_func("/boot/silent", test_silent);
    g_test_add_func("/boot/garbage", test_garbage);
    g_test_add_func("/boot/already-synchronised", test_already_synchronised);
    g_test_add_func("/boot/mere-echo", test_mere_echo);
    return g_test_run();
}
