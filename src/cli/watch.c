/* medik watch: which phones are plugged in, in which mode, as it changes. */
#include "cli/cli.h"
#include "core/i18n.h"
#include "link/watch.h"

#include <string.h>
#include <unistd.h>

#define REDRAW 1000 /* ms: a rhythm that has stopped is noticed */

static void tell(MkCli *cli, MkWatchEvent event, const MkWatchPhone *phone)
{
    JsonBuilder *object = mk_cli_event_new("device");
    mk_json_string(object, "event", event == MK_WATCH_CAME ? "came" : "left");
    mk_json_string(object, "port", phone->path);
    mk_json_string(object, "mode", mk_usb_mode_id(phone->mode));
    mk_json_int(object, "vid", phone->vid);
    mk_json_int(object, "pid", phone->pid);
    mk_json_int(object, "speed", phone->speed);
    mk_json_string(object, "name", phone->name);
    mk_json_int(object, "arrivals", phone->arrivals);
    if (phone->period > 0) {
        json_builder_set_member_name(object, "period");
        json_builder_add_double_value(object, phone->period);
    }
    mk_cli_event(cli, object);
}

/* On a terminal one line that changes; elsewhere a line per change. */
static void show(MkCli *cli, MkWatch *watch, char **last, bool live)
{
    g_autofree char *line = mk_watch_line(watch);
    if (g_strcmp0(line, *last) == 0)
        return;
    if (live)
        fprintf(stderr, "\r\033[K%s", line);
    else if (!cli->json)
        mk_cli_say(cli, "%s", line);
    g_free(*last);
    *last = g_steal_pointer(&line);
}

static int watch_until(MkCli *cli, MkWatch *watch, gint64 end)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *last = NULL;
    bool live = isatty(STDERR_FILENO) && !cli->json && !cli->quiet;
    int pause = 0; /* first everything that is there already */
    while (end == 0 || g_get_monotonic_time() < end) {
        MkWatchEvent event;
        const MkWatchPhone *phone;
        if (!mk_watch_next(watch, pause, &event, &phone, cli->cancel, &error))
            break;
        if (phone)
            tell(cli, event, phone);
        if (event == MK_WATCH_QUIET || pause)
            show(cli, watch, &last, live);
        if (event == MK_WATCH_QUIET)
            pause = end ? (int)CLAMP((end - g_get_monotonic_time()) / 1000, 1, REDRAW) : REDRAW;
    }
    if (live)
        fputc('\n', stderr);
    /* Ctrl-C is how it ends. */
    return error && mk_fault_code(error) != MK_FAULT_STOPPED ? mk_cli_fail(cli, error) : mk_cli_done(cli, NULL);
}

int mk_cli_watch(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    int seconds = 0;
    const GOptionEntry entries[] = {
        {"seconds", 0, 0, G_OPTION_ARG_INT, &seconds, N_("Stop after so long (0: at Ctrl-C)"), "SECONDS"},
        {NULL},
    };
    if (!mk_cli_parse(
            cli, &argc, &argv, "",
            _("Shows which phones are on USB and in which state: BootROM, preloader, DA, META, fastboot, Android, or "
              "restarting every few seconds. The bus path it shows is what --port takes. Opens nothing.\n\n"
              "Example: medik watch"),
            0, entries, 0, 0, &error))
        return mk_cli_fail(cli, error);
    g_autoptr(MkWatch) watch = mk_watch_open(&error);
    if (!watch)
        return mk_cli_fail(cli, error);
    return watch_until(cli, watch, seconds > 0 ? g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC : 0);
}
