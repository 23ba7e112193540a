/* The whole phone in this process: power, keys, cable, bus, agent, screen, faults and the control socket. */
#include "core/json.h"
#include "phone/phone.h"
#include "phone/machine.h"
#include "proto/bootrom.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SOON_MS 5000

/* In the agent's place: says C0 and its release, then does what the host's next byte says. */
MkNext mk_legacy_run(MkMachine *machine)
{
    uint8_t order;
    mk_wire_put8(machine->wire, 0xC0);
    mk_wire_write(machine->wire, machine->release, 2);
    if (mk_wire_get8(machine->wire, &order) != MK_WIRE_OK)
        return MK_NEXT_GONE;
    return order == 'R' ? MK_NEXT_RESET : order == 'D' ? MK_NEXT_DOWNLOAD : order == 'H' ? MK_NEXT_HALT : MK_NEXT_OFF;
}

typedef struct {
    char *folder, *control, *port, *port_path, *log;
    MkModel *model;
    MkPhone *phone;
    GThread *thread;
} Test;

static gpointer run(gpointer data)
{
    g_autoptr(GError) error = NULL;
    mk_phone_run(data, NULL, &error);
    g_assert_no_error(error);
    return NULL;
}

static char *order(Test *test, const char *text)
{
    g_autoptr(GError) error = NULL;
    char *answer = mk_phone_control(test->control, text, &error);
    g_assert_no_error(error);
    return answer;
}

/* The order must be obeyed. */
static void obey(Test *test, const char *text)
{
    g_autofree char *answer = order(test, text);
    if (!g_str_has_prefix(answer, "{\"ok\":true"))
        g_error("%s: %s", text, answer);
}

static gint64 number(Test *test, const char *member)
{
    g_autofree char *answer = order(test, "state");
    g_autoptr(JsonNode) node = mk_json_parse(answer, -1);
    return mk_json_get_int(mk_json_object(node), member, -1);
}

static bool says(Test *test, const char *member, const char *value)
{
    g_autofree char *answer = order(test, "state");
    g_autoptr(JsonNode) node = mk_json_parse(answer, -1);
    return g_strcmp0(mk_json_get_string(mk_json_object(node), member), value) == 0;
}

static void begin(Test *test, MkPhoneOptions options)
{
    g_autoptr(GError) error = NULL;
    test->folder = g_dir_make_tmp("medik-machine-XXXXXX", NULL);
    test->control = g_build_filename(test->folder, "control", NULL);
    test->port_path = g_build_filename(test->folder, "port", NULL);
    test->log = g_build_filename(test->folder, "log", NULL);
    test->port = g_strconcat("socket:", test->port_path, NULL);
    test->model = mk_model_load("mt6577-9300", &error);
    g_assert_no_error(error);
    test->model->window_ms = options.manual ? 60000 : 100;
    options.control = test->control;
    options.port = test->port;
    options.log_path = test->log;
    test->phone = mk_phone_new(test->model, &options, &error);
    g_assert_no_error(error);
    test->thread = g_thread_new("phone", run, test->phone);
    while (!g_file_test(test->control, G_FILE_TEST_EXISTS))
        g_usleep(1000);
}

static void end(Test *test)
{
    g_autofree char *answer = order(test, "quit");
    g_thread_join(test->thread);
    mk_phone_free(test->phone);
    mk_model_free(test->model);
    g_unlink(test->log);
    g_assert_cmpint(g_rmdir(test->folder), ==, 0); /* nothing else was left behind */
    g_free(test->folder);
    g_free(test->control);
    g_free(test->port);
    g_free(test->port_path);
    g_free(test->log);
}

static int host(Test *test)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, test->port_path, sizeof address.sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    return fd;
}

/* True if exactly IN came within a moment. */
static bool answers(int fd, const void *out, size_t out_length, const void *in, size_t in_length)
{
    uint8_t got[64];
    size_t n = 0;
    send(fd, out, out_length, MSG_NOSIGNAL);
    while (n < in_length) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, SOON_MS) <= 0)
            break;
        ssize_t piece = recv(fd, got + n, in_length - n, 0);
        if (piece <= 0)
            break;
        n += (size_t)piece;
    }
    return n == in_length && memcmp(got, in, n) == 0;
}

static bool handshake(int fd)
{
    return answers(fd, "\xA0\x0A\x50\x05", 4, "\x5F\xF5\xAF\xFA", 4);
}

static void start_agent(int fd)
{
    g_assert_true(handshake(fd));
    g_assert_true(
        answers(fd, "\xD7\xC2\0\0\0\0\0\0\x02\0\0\0\0xy", 15, "\xD7\xC2\0\0\0\0\0\0\x02\0\0\0\0\0\0yx\0\0", 19));
    g_assert_true(answers(fd, "\xD5\xC2\0\0\0", 5, "\xD5\xC2\0\0\0\0\0", 7));
}

static void test_reaches_home(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){0});
    obey(&test, "wait home 10");
    g_assert_true(says(&test, "screen", "home"));
    g_assert_true(says(&test, "imei", "present"));
    g_assert_true(says(&test, "port", NULL));
    obey(&test, "unplug"); /* it runs from its battery */
    g_assert_true(says(&test, "mode", "booted"));
    obey(&test, "battery out");
    obey(&test, "wait off");
    end(&test);
}

static void test_preloader_is_on_the_bus_for_its_window_only(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){.manual = true});
    g_assert_false(g_file_test(test.port_path, G_FILE_TEST_EXISTS));
    obey(&test, "plug");
    obey(&test, "wait preloader");
    int fd = host(&test);
    g_assert_true(answers(fd, "", 0, "READYREADY", 10));
    obey(&test, "unplug");
    obey(&test, "wait off");
    g_assert_false(g_file_test(test.port_path, G_FILE_TEST_EXISTS));
    close(fd);
    end(&test);
}

static void test_dead_phone_stays_in_bootrom(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){.state = "no-preloader"});
    obey(&test, "wait bootrom");
    int fd = host(&test);
    g_assert_true(handshake(fd));
    g_assert_true(answers(fd, "\xFE", 1, "\xFE", 1));
    close(fd);
    end(&test);
}

static void test_agent_and_what_follows(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){.manual = true, .key = "download", .agent_release = "G2"});
    obey(&test, "plug");
    obey(&test, "wait bootrom");
    int fd = host(&test);
    start_agent(fd);
    g_assert_true(answers(fd, "", 0, "\xC0G2", 3));
    g_assert_true(says(&test, "mode", "agent"));
    g_assert_false(answers(fd, "D", 1, "?", 1)); /* the port goes away; nobody holds the key when it restarts */
    close(fd);
    obey(&test, "wait preloader");
    g_assert_cmpint(number(&test, "starts"), ==, 2);
    obey(&test, "release");
    obey(&test, "power long");
    obey(&test, "plug"); /* while it is going off */
    obey(&test, "wait preloader");
    obey(&test, "power long");
    obey(&test, "wait off");
    obey(&test, "hold download");
    obey(&test, "power");
    obey(&test, "wait bootrom");
    fd = host(&test);
    start_agent(fd);
    send(fd, "H", 1, 0);
    obey(&test, "wait halted");
    obey(&test, "unplug");
    obey(&test, "wait off");
    close(fd);
    end(&test);
}

static void test_meta(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){.manual = true});
    obey(&test, "plug");
    obey(&test, "wait preloader");
    int fd = host(&test);
    g_assert_true(answers(fd, "", 0, "READY", 5));
    send(fd, "METAMETA", 8, 0);
    obey(&test, "wait meta");
    g_assert_true(says(&test, "port", test.port));
    close(fd);
    end(&test);
}

/* Pulled before each byte of the handshake, in both directions: the phone is off, and after plugging it in again it answers as before. */
static void test_unplugged_at_every_byte(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){.manual = true, .key = "download"});
    for (unsigned i = 0; i < 8; i++) {
        bool input = i < 4;
        g_autofree char *fault = g_strdup_printf("fault unplug@%s:%" G_GINT64_FORMAT, input ? "rx" : "tx",
                                                 number(&test, input ? "rx" : "tx") + i % 4);
        obey(&test, fault);
        obey(&test, "plug");
        obey(&test, "wait bootrom");
        int fd = host(&test);
        g_assert_false(handshake(fd));
        obey(&test, "wait off");
        g_autofree char *state = order(&test, "state");
        g_assert_nonnull(strstr(state, "\"cable\":false"));
        close(fd);
        obey(&test, "plug");
        obey(&test, "wait bootrom");
        fd = host(&test);
        g_assert_true(handshake(fd));
        close(fd);
        obey(&test, "unplug");
        obey(&test, "wait off");
    }
    end(&test);
}

static void test_faults_on_the_wire(void)
{
    Test test;
    begin(&test,
          (MkPhoneOptions){.key = "download", .faults = (const char *const[]){"flip@tx:1", "silence@rx:8", NULL}});
    obey(&test, "wait bootrom");
    int fd = host(&test);
    g_assert_true(answers(fd, "\xA0\x0A\x50\x05", 4, "\x5F\xF4\xAF\xFA", 4));
    g_assert_true(answers(fd, "\xFE\xFE\xFE\xFE", 4, "\xFE\xFE\xFE\xFE", 4));
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    send(fd, "\xFE", 1, 0);
    g_assert_cmpint(poll(&wait, 1, 50), ==, 0); /* silent, and still there */
    obey(&test, "fault brownout@rx:8");
    obey(&test, "power long");
    obey(&test, "wait off");
    close(fd);
    obey(&test, "plug");
    obey(&test, "wait bootrom");
    fd = host(&test);
    g_assert_false(handshake(fd));
    obey(&test, "wait off");
    close(fd);
    end(&test);
}

static void test_storage_that_does_not_answer(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){.faults = (const char *const[]){"no-storage", NULL}});
    obey(&test, "wait bootrom");
    end(&test);
}

/* However slow the storage is, the phone comes up, and can be told to go. */
static void test_slow_storage(void)
{
    Test test;
    begin(&test, (MkPhoneOptions){.faults = (const char *const[]){"slow=1", NULL}});
    obey(&test, "wait home 10");
    end(&test);
}

static void test_orders_that_make_no_sense(void)
{
    static const char *const wrong[] = {"",         "dance",           "hold on",         "battery yes",
                                        "power up", "fault cold@rx:1", "fault unplug@rx", "fault worn=user:0",
                                        "wait",     "wait home soon",  "wait home 0"};
    Test test;
    begin(&test, (MkPhoneOptions){.manual = true});
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *answer = order(&test, wrong[i]);
        if (!g_str_has_prefix(answer, "{\"ok\":false"))
            g_error("\"%s\": %s", wrong[i], answer);
    }
    obey(&test, "battery out");
    g_autofree char *dead = order(&test, "power");
    g_assert_true(g_str_has_prefix(dead, "{\"ok\":false"));
    end(&test);
}

static void test_options_that_make_no_sense(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load("mt6577-9300", &error);
    const MkPhoneOptions wrong[] = {
        {.port = "usb"}, {.state = "sad"}, {.key = "volume"}, {.faults = (const char *const[]){"x", NULL}}};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) local = NULL;
        MkPhoneOptions options = wrong[i];
        options.log_path = "/dev/null";
        g_assert_null(mk_phone_new(model, &options, &local));
        g_assert_error(local, MK_FAULT, MK_FAULT_USAGE);
    }
}

/* A port that cannot be had is an error of the run, not a phone that nobody sees. */
static void test_port_in_use(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load("mt6577-9300", &error);
    MkPhoneOptions options = {.port = "pty:/dev/null", .log_path = "/dev/null"};
    g_autoptr(MkPhone) phone = mk_phone_new(model, &options, &error);
    g_assert_no_error(error);
    g_assert_false(mk_phone_run(phone, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/machine/home", test_reaches_home);
    g_test_add_func("/machine/preloader-window", test_preloader_is_on_the_bus_for_its_window_only);
    g_test_add_func("/machine/dead", test_dead_phone_stays_in_bootrom);
    g_test_add_func("/machine/agent", test_agent_and_what_follows);
    g_test_add_func("/machine/meta", test_meta);
    g_test_add_func("/machine/unplugged", test_unplugged_at_every_byte);
    g_test_add_func("/machine/faults", test_faults_on_the_wire);
    g_test_add_func("/machine/no-storage", test_storage_that_does_not_answer);
    g_test_add_func("/machine/slow", test_slow_storage);
    g_test_add_func("/machine/orders", test_orders_that_make_no_sense);
    g_test_add_func("/machine/options", test_options_that_make_no_sense);
    g_test_add_func("/machine/port-in-use", test_port_in_use);
    return g_test_run();
}
