/* Progress towards the user: a bar on a terminal, plain lines elsewhere, events in JSON mode; and Ctrl-C. */
#include "cli/cli.h"
#include "core/bytes.h"
#include "core/i18n.h"

#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#define TERMINAL_PERIOD (G_USEC_PER_SEC / 10)
#define EVENT_PERIOD    (G_USEC_PER_SEC / 4)
#define LINE_PERIOD     (10 * G_USEC_PER_SEC)
#define BAR_WIDTH       24
#define RATE_AFTER      (G_USEC_PER_SEC / 100) /* before that a rate means nothing */

/* --- Ctrl-C ------------------------------------------------------------------------------------------------------------ */

static GCancellable *interrupted;
static volatile sig_atomic_t presses;
static int wake_pipe[2];

static void on_signal(G_GNUC_UNUSED int number)
{
    if (presses++)
        _exit(MK_EXIT_STOPPED);
    if (write(wake_pipe[1], "", 1) != 1)
        _exit(MK_EXIT_STOPPED);
}

/* g_cancellable_cancel() is not for signal handlers: a thread that waits does it. */
static gpointer wait_for_signal(G_GNUC_UNUSED gpointer data)
{
    char byte;
    if (read(wake_pipe[0], &byte, 1) == 1)
        g_cancellable_cancel(interrupted);
    return NULL;
}

GCancellable *mk_cli_interruptible(void)
{
    if (interrupted)
        return interrupted;
    interrupted = g_cancellable_new();
    if (g_unix_open_pipe(wake_pipe, FD_CLOEXEC, NULL)) {
        struct sigaction action = {.sa_handler = on_signal};
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        g_thread_unref(g_thread_new("interrupt", wait_for_signal, NULL));
    }
    return interrupted;
}

/* --- drawing ------------------------------------------------------------------------------------------------------------- */

typedef struct {
    double rate;     /* bytes per second of the step */
    gint64 seconds;  /* left for the whole job, −1 = not known */
    double fraction; /* of the whole job */
} Pace;

static Pace measure(const MkProgress *root, const MkProgress *step)
{
    gint64 now = g_get_monotonic_time();
    gint64 running = now - mk_progress_started(step);
    gint64 total = mk_progress_started(root) ? now - mk_progress_started(root) : 0;
    Pace pace = {.fraction = mk_progress_fraction(root), .seconds = -1};
    if (running > RATE_AFTER)
        pace.rate = (double)mk_progress_step_moved(step) * G_USEC_PER_SEC / (double)running;
    if (pace.fraction > 0.01 && total > G_USEC_PER_SEC)
        pace.seconds = (gint64)((double)total * (1 - pace.fraction) / pace.fraction / G_USEC_PER_SEC);
    return pace;
}

static char *remaining_text(gint64 seconds)
{
    if (seconds < 0)
        return g_strdup("");
    return g_strdup_printf(_(", %" G_GINT64_FORMAT ":%02" G_GINT64_FORMAT " left"), seconds / 60, seconds % 60);
}

/* Short steps have none. */
static char *rate_text(double rate)
{
    return rate > 0 ? g_strdup_printf(_("%.1f MB/s"), rate / 1e6) : g_strdup("");
}

static void draw_bar(MkCli *cli, const MkProgress *root, const MkProgress *step)
{
    char bar[BAR_WIDTH + 1];
    Pace pace = measure(root, step);
    int full = (int)(pace.fraction * BAR_WIDTH);
    g_autofree char *left = remaining_text(pace.seconds), *rate = rate_text(pace.rate);
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %3d %%  %s  %s%s", bar, (int)(pace.fraction * 100), mk_progress_name(step), rate,
            left);
    cli->bar_open = true;
}

static void draw_line(MkCli *cli, const MkProgress *root, const MkProgress *step)
{
    Pace pace = measure(root, step);
    g_autofree char *left = remaining_text(pace.seconds), *rate = rate_text(pace.rate);
    if (mk_progress_is_done(step))
        mk_cli_say(cli, _("  done: %s"), mk_progress_name(step));
    else if (cli->drawn == step)
        mk_cli_say(cli, "  %d %%%s%s%s", (int)(pace.fraction * 100), *rate ? ", " : "", rate, left);
}

static void send_event(MkCli *cli, const MkProgress *root, const MkProgress *step)
{
    JsonBuilder *event = mk_cli_event_new("progress");
    mk_json_string(event, "part", mk_progress_name(step));
    mk_json_int(event, "done", (gint64)mk_progress_step_done(step));
    mk_json_int(event, "total", (gint64)mk_progress_step_total(step));
    mk_json_int(event, "bps", (gint64)measure(root, step).rate);
    mk_cli_event(cli, event);
}

static void on_progress(MkProgress *root, MkProgress *step, gpointer user_data)
{
    MkCli *cli = user_data;
    bool terminal = isatty(STDERR_FILENO) && !cli->json && !cli->prefix;
    gint64 period = cli->json ? EVENT_PERIOD : terminal ? TERMINAL_PERIOD : LINE_PERIOD;
    gint64 now = g_get_monotonic_time();
    uint64_t total = mk_progress_step_total(step);
    bool is_new = cli->drawn != step, is_done = mk_progress_is_done(step);
    bool is_whole = cli->json && total && mk_progress_step_done(step) == total; /* though perhaps not checked yet */
    if (cli->quiet || step == root ||
        (!is_done && !is_whole && now - cli->drawn_at < period && !(is_new && (terminal || cli->json))))
        return;
    if (cli->json)
        send_event(cli, root, step);
    else if (terminal)
        draw_bar(cli, root, step);
    else
        draw_line(cli, root, step);
    cli->drawn = is_done ? NULL : step;
    cli->drawn_at = now;
}

MkProgress *mk_cli_progress(MkCli *cli)
{
    if (!cli->progress) {
        cli->progress = mk_progress_new("medik");
        mk_progress_listen(cli->progress, on_progress, cli);
    }
    return cli->progress;
}
