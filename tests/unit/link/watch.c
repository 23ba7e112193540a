/* Who comes and goes on USB, and which of them is chosen, told by a bus of the test's own. */
#include "link/watch-private.h"

#include "core/fault.h"

#include <string.h>

typedef struct {
    gint64 after; /* ms since the beginning, by the bus's own clock */
    MkWatchEvent kind;
    const char *path;
    uint8_t address;
    uint16_t vid, pid;
    bool adb;
} Step;

typedef struct {
    const Step *steps;
    unsigned count, at;
    bool hurry; /* events do not wait for the clock */
    gint64 start;
    char *opened;
} FakeBus;

static bool fake_next(gpointer source, int timeout, MkBusEvent *event, GCancellable *cancel, GError **error)
{
    FakeBus *bus = source;
    if (g_cancellable_set_error_if_cancelled(cancel, error))
        return false;
    const Step *step = bus->at < bus->count ? &bus->steps[bus->at] : NULL;
    gint64 left = step && !bus->hurry ? step->after * 1000 - (g_get_monotonic_time() - bus->start) : 0;
    *event = (MkBusEvent){.kind = MK_WATCH_QUIET};
    if (!step || left > (gint64)timeout * 1000) {
        g_usleep((gulong)MIN(timeout < 0 ? 1000 : timeout, 1000) * 1000);
        return true;
    }
    g_usleep((gulong)MAX(left, 0));
    bus->at++;
    event->kind = step->kind;
    event->time = bus->start + step->after * 1000;
    event->device = (MkUsbDevice){.address = step->address, .speed = 480};
    event->device.traits =
        (MkUsbTraits){.vid = step->vid, .pid = step->pid, .android = step->adb, .serial = !step->adb};
    g_strlcpy(event->device.path, step->path, sizeof event->device.path);
    return true;
}

static MkLink *fake_open(gpointer source, const MkUsbDevice *device, G_GNUC_UNUSED GError **error)
{
    FakeBus *bus = source;
    MkLink *one, *other;
    g_free(bus->opened);
    bus->opened = g_strdup_printf("%s/%u", device->path, device->address);
    mk_link_pair(&one, &other, false);
    mk_link_free(other);
    return one;
}

static void fake_free(G_GNUC_UNUSED gpointer source)
{
}

static const MkBusClass fake_class = {.next = fake_next, .open = fake_open, .free = fake_free};

static MkWatch *watch_on(FakeBus *bus, const Step *steps, unsigned count)
{
    *bus = (FakeBus){.steps = steps, .count = count, .start = g_get_monotonic_time()};
    return mk_watch_new(&fake_class, bus);
}

#define CAME(after, path, address, pid)                                                                                \
    {                                                                                                                  \
        after, MK_WATCH_CAME, path, address, 0x0E8D, pid, false                                                        \
    }
#define LEFT(after, path, address)                                                                                     \
    {                                                                                                                  \
        after, MK_WATCH_LEFT, path, address, 0, 0, false                                                               \
    }

/* Everything the bus has to tell. */
static void take_all(MkWatch *watch)
{
    MkWatchEvent event = MK_WATCH_CAME;
    const MkWatchPhone *phone;
    while (event != MK_WATCH_QUIET)
        g_assert_true(mk_watch_next(watch, 0, &event, &phone, NULL, NULL));
}

static void test_modes(void)
{
    static const struct {
        uint16_t vid, pid;
        bool fastboot, android, serial;
        MkUsbMode mode;
    } cases[] = {
        {0x0E8D, 0x0003, false, false, true, MK_USB_BOOTROM},   {0x0E8D, 0x2000, false, false, true, MK_USB_PRELOADER},
        {0x0E8D, 0x2001, false, false, true, MK_USB_DA},        {0x0E8D, 0x2007, false, false, true, MK_USB_META},
        {0x1004, 0x6000, false, false, true, MK_USB_PRELOADER}, {0x22D9, 0x0006, false, false, true, MK_USB_BOOTROM},
        {0x0BB4, 0x0C01, true, false, false, MK_USB_FASTBOOT},  {0x0BB4, 0x0C01, false, true, false, MK_USB_ANDROID},
        {0x18D1, 0x4EE0, true, false, false, MK_USB_FASTBOOT},  {0x0E8D, 0x201D, false, true, true, MK_USB_ANDROID},
        {0x0E8D, 0x4321, false, false, true, MK_USB_UNKNOWN},   {0x0E8D, 0x7961, false, false, false, MK_USB_NONE},
        {0x046D, 0xC31C, false, false, false, MK_USB_NONE},     {0x0403, 0x6001, false, false, false, MK_USB_NONE},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        MkUsbTraits traits = {cases[i].vid, cases[i].pid, cases[i].serial, cases[i].fastboot, cases[i].android};
        g_assert_cmpint(mk_usb_classify(&traits), ==, cases[i].mode);
    }
}

static void test_rows_of_the_user(void)
{
    g_autoptr(GPtrArray) complaints = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) rows =
        mk_usb_ids_parse("# mine\n1234,ABCD,bootrom,3,My, phone\n\n12345,1,da,,x\n1,2,nonsense,,x\n"
                         "1,2\n0e8d,2000,preloader,,  ours \r\n",
                         complaints);
    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpuint(complaints->len, ==, 3);
    const MkUsbId *id = rows->pdata[0];
    g_assert_cmpint(id->vid, ==, 0x1234);
    g_assert_cmpint(id->pid, ==, 0xABCD);
    g_assert_cmpint(id->interface, ==, 3);
    g_assert_cmpstr(id->name, ==, "My, phone");
    id = rows->pdata[1];
    g_assert_cmpint(id->interface, ==, -1);
    g_assert_cmpstr(id->name, ==, "ours");
}

static void test_state_line(void)
{
    static const Step steps[] = {
        CAME(0, "1-2", 5, 0x2000), {0, MK_WATCH_CAME, "1-9", 6, 0x046D, 0xC31C, false}, CAME(0, "2-1.4", 7, 0x0003)};
    FakeBus bus;
    g_autoptr(MkWatch) watch = watch_on(&bus, steps, 1);
    g_autofree char *none = mk_watch_line(watch);
    g_assert_nonnull(strstr(none, "Nothing seen"));
    take_all(watch);
    g_autofree char *one = mk_watch_line(watch);
    g_assert_cmpstr(one, ==, "1-2: preloader, 3 s window");
    bus.count = 3;
    take_all(watch);
    g_autofree char *two = mk_watch_line(watch);
    g_assert_cmpstr(two, ==, "1-2: preloader, 3 s window  |  2-1.4: BootROM");
}

/* A phone that restarts by itself is recognised by its rhythm, whatever lies between. */
static void test_rhythm(void)
{
    static const Step steps[] = {
        CAME(0, "1-2", 5, 0x2000),    LEFT(2500, "1-2", 5),         CAME(3000, "1-2", 6, 0x0003),
        LEFT(3400, "1-2", 6),         CAME(4100, "1-2", 7, 0x2000), LEFT(6500, "1-2", 7),
        CAME(8000, "1-2", 8, 0x2000), LEFT(8100, "1-2", 8),         CAME(20000, "1-2", 9, 0x2000)};
    FakeBus bus;
    g_autoptr(MkWatch) watch = watch_on(&bus, steps, 7);
    bus.hurry = true;
    bus.start -= 8000 * 1000;
    take_all(watch);
    g_autofree char *line = mk_watch_line(watch);
    g_assert_cmpstr(line, ==, "1-2: preloader, 3 s window · restarting every 4 s");
    bus.count = 8; /* still told while it is away */
    take_all(watch);
    g_autofree char *gone = mk_watch_line(watch);
    g_assert_cmpstr(gone, ==, "1-2: gone · restarting every 4 s");
    bus.count = 9; /* out of step: no rhythm any more */
    take_all(watch);
    g_autofree char *irregular = mk_watch_line(watch);
    g_assert_cmpstr(irregular, ==, "1-2: preloader, 3 s window");
}

static void test_late_departure(void)
{
    static const Step steps[] = {CAME(0, "1-2", 5, 0x2000), CAME(0, "1-2", 6, 0x0003), LEFT(0, "1-2", 5)};
    FakeBus bus;
    g_autoptr(MkWatch) watch = watch_on(&bus, steps, 3);
    take_all(watch);
    g_autofree char *line = mk_watch_line(watch);
    g_assert_cmpstr(line, ==, "1-2: BootROM");
}

/* --- waiting ----------------------------------------------------------------------------------------------------------- */

static void remember(const char *words, gpointer user_data)
{
    g_ptr_array_add(user_data, g_strdup(words));
}

static void test_the_only_phone_is_taken_at_once(void)
{
    static const Step steps[] = {{0, MK_WATCH_CAME, "1-1", 3, 0x0E8D, 0x201C, true}, CAME(60, "1-2.3", 5, 0x2000)};
    FakeBus bus;
    g_autoptr(GPtrArray) said = g_ptr_array_new_with_free_func(g_free);
    MkWatch *watch = watch_on(&bus, steps, 2);
    g_autoptr(MkLink) link = mk_usb_wait_on(watch, "usb", 5000, remember, said, NULL, NULL);
    g_assert_nonnull(link);
    g_assert_cmpint(g_get_monotonic_time() - bus.start, <, 60000 + 10000);
    g_assert_cmpstr(bus.opened, ==, "1-2.3/5");
    /* The other one runs Android: no candidate, but worth a word. */
    g_assert_cmpuint(said->len, ==, 1);
    g_assert_nonnull(strstr(said->pdata[0], "1-1: Android"));
    g_free(bus.opened);
}

static void test_never_a_guess(void)
{
    static const Step steps[] = {CAME(0, "1-2", 5, 0x2000), CAME(0, "1-3", 6, 0x0003)};
    FakeBus bus;
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_usb_wait_on(watch_on(&bus, steps, 2), "usb", 5000, NULL, NULL, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_CON_MANY);
    g_assert_nonnull(strstr(error->message, "1-2 (preloader"));
    g_assert_nonnull(strstr(error->message, "1-3 (BootROM)"));
    g_assert_nonnull(strstr(error->message, "--port 1-2"));
    g_assert_null(bus.opened);
    /* Named, it is no guess. */
    g_autoptr(MkLink) link = mk_usb_wait_on(watch_on(&bus, steps, 2), "1-3", 5000, NULL, NULL, NULL, NULL);
    g_assert_cmpstr(bus.opened, ==, "1-3/6");
    g_free(bus.opened);
}

static void test_nobody_came(void)
{
    static const Step steps[] = {CAME(0, "1-2", 5, 0x2007)};
    FakeBus bus;
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_usb_wait_on(watch_on(&bus, steps, 1), "usb", 30, NULL, NULL, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_CON_NONE);
    g_assert_cmpuint(mk_fault_number(error), ==, 2006);
    g_assert_nonnull(strstr(error->message, "META on 1-2"));
    g_clear_error(&error);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_cancellable_cancel(cancel);
    g_assert_null(mk_usb_wait_on(watch_on(&bus, steps, 1), "usb", 5000, NULL, NULL, cancel, &error));
    g_assert_cmpint(mk_fault_code(error), ==, MK_FAULT_STOPPED);
}

/* An id that no table knows may be a modem of this computer: only if the user names it. */
static void test_unknown_device_must_be_named(void)
{
    static const Step steps[] = {CAME(0, "1-2", 5, 0x7127)};
    FakeBus bus;
    g_assert_null(mk_usb_wait_on(watch_on(&bus, steps, 1), "usb", 10, NULL, NULL, NULL, NULL));
    g_autoptr(MkLink) link = mk_usb_wait_on(watch_on(&bus, steps, 1), "1-2", 10, NULL, NULL, NULL, NULL);
    g_assert_nonnull(link);
    g_free(bus.opened);
}

/* --- following --------------------------------------------------------------------------------------------------------- */

static const char *follow(FakeBus *bus, const Step *steps, unsigned count, int timeout, GError **error)
{
    g_autoptr(MkLink) link = mk_usb_follow_on(watch_on(bus, steps, count), "1-2", 5, timeout, NULL, error);
    return link ? bus->opened : NULL;
}

static void test_same_place_again(void)
{
    static const Step steps[] = {CAME(0, "1-2", 5, 0x2000), CAME(0, "1-3", 6, 0x2000), LEFT(20, "1-2", 5),
                                 CAME(30, "1-4", 8, 0x0003), CAME(40, "1-2", 9, 0x2001)};
    FakeBus bus;
    g_assert_cmpstr(follow(&bus, steps, 5, 5000, NULL), ==, "1-2/9");
    g_free(bus.opened);
    /* It was faster than we. */
    g_assert_cmpstr(follow(&bus, steps + 4, 1, 5000, NULL), ==, "1-2/9");
    g_free(bus.opened);
}

static void test_another_controller(void)
{
    static const Step moved[] = {CAME(0, "1-2", 5, 0x0003), LEFT(20, "1-2", 5), CAME(40, "2-2", 2, 0x2001)};
    static const Step unsure[] = {CAME(0, "1-2", 5, 0x0003), CAME(0, "1-3", 6, 0x0003), LEFT(20, "1-2", 5),
                                  LEFT(30, "1-3", 6), CAME(40, "2-2", 2, 0x2001)};
    static const Step foreign[] = {CAME(0, "1-2", 5, 0x0003), LEFT(20, "1-2", 5), CAME(40, "2-2", 2, 0x2000)};
    FakeBus bus;
    g_autoptr(GError) error = NULL;
    g_assert_cmpstr(follow(&bus, moved, 3, 5000, NULL), ==, "2-2/2");
    g_free(bus.opened);
    /* Two left and one came, or another stage came: that may be anybody. */
    g_assert_null(follow(&bus, unsure, 5, 1200, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
    g_assert_null(follow(&bus, foreign, 3, 1200, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/watch/modes", test_modes);
    g_test_add_func("/watch/rows-of-the-user", test_rows_of_the_user);
    g_test_add_func("/watch/state-line", test_state_line);
    g_test_add_func("/watch/rhythm", test_rhythm);
    g_test_add_func("/watch/late-departure", test_late_departure);
    g_test_add_func("/watch/the-only-phone-is-taken-at-once", test_the_only_phone_is_taken_at_once);
    g_test_add_func("/watch/never-a-guess", test_never_a_guess);
    g_test_add_func("/watch/nobody-came", test_nobody_came);
    g_test_add_func("/watch/unknown-device-must-be-named", test_unknown_device_must_be_named);
    g_test_add_func("/watch/same-place-again", test_same_place_again);
    g_test_add_func("/watch/another-controller", test_another_controller);
    return g_test_run();
}
