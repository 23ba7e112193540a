/* --all: the command for every phone on USB, each in a thread of its own.
 *
 * A phone is caught before anything else is done for it: what the command has to read and to hash first takes longer than the preloader
 * listens, but once it was answered it waits.  Each bus path gets one turn: the restart at the end of a job is no new phone. */
#include "cli/cli.h"
#include "core/i18n.h"
#include "link/watch.h"

#include <stdlib.h>
#include <string.h>

#define LOOK 100 /* ms between two looks at the clock */

typedef struct {
    MkCli *cli; /* of the main thread */
    int (*run)(int argc, char **argv);
    char **argv;
    GPtrArray *threads;
    GHashTable *served; /* bus paths */
    GMutex mutex;       /* guards what follows */
    GHashTable *ids;    /* of phones that had a session */
    unsigned running;
    gint64 last; /* monotonic µs of the last beginning or end */
    int exit;
} Crowd;

typedef struct {
    Crowd *crowd;
    char *path;
    MkCaught caught;
} Turn;

static GPrivate current; /* the Turn of a thread */
static int (*command_run)(int argc, char **argv);
static char **command_argv;

void mk_cli_remember_command(int (*run)(int argc, char **argv), int argc, char **argv)
{
    command_run = run;
    command_argv = g_new0(char *, argc + 1);
    for (int i = 0; i < argc; i++)
        command_argv[i] = g_strdup(argv[i]);
}

const char *const *mk_cli_command(void)
{
    return (const char *const *)command_argv;
}

const char *mk_cli_turn(void)
{
    const Turn *turn = g_private_get(&current);
    return turn ? turn->path : NULL;
}

MkCaught *mk_cli_turn_caught(void)
{
    Turn *turn = g_private_get(&current);
    return turn && turn->caught.target ? &turn->caught : NULL;
}

bool mk_cli_turn_claim(const char *id, GError **error)
{
    Turn *turn = g_private_get(&current);
    if (!turn)
        return true;
    g_mutex_lock(&turn->crowd->mutex);
    bool is_new = g_hash_table_add(turn->crowd->ids, g_strdup(id));
    g_mutex_unlock(&turn->crowd->mutex);
    if (!is_new)
        mk_fault_set(
            error, MK_FAULT_REFUSED,
            _("Another phone of this run tells the same identity (%.8s), so Medik cannot keep their copies and "
              "journals apart. Do this one alone, without --all."),
            id);
    return is_new;
}

/* --- one phone --------------------------------------------------------------------------------------------------------- */

/* The options that the handshake needs are parsed by the command itself, later: here those of the main thread serve, which are the same. */
static int take_turn(Turn *turn)
{
    MkCli *main_cli = turn->crowd->cli;
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) words = mk_cli_new();
    words->json = main_cli->json;
    words->quiet = main_cli->quiet;
    words->prefix = g_strdup(turn->path);
    MkBootOptions options = mk_cli_boot_options(main_cli);
    turn->caught.target = mk_boot_wait(turn->path, mk_cli_timeout(main_cli), &options, NULL, mk_cli_state, words,
                                       &turn->caught.link, main_cli->cancel, &error);
    if (!turn->caught.target)
        return mk_cli_fail(words, error);
    g_auto(GStrv) copy = g_strdupv(turn->crowd->argv);
    int argc = (int)g_strv_length(copy);
    g_autofree char **argv = g_memdup2(copy, sizeof(char *) * (size_t)(argc + 1)); /* parsing moves its elements */
    return turn->crowd->run(argc, argv);
}

static gpointer turn_thread(gpointer data)
{
    Turn *turn = data;
    Crowd *crowd = turn->crowd;
    g_private_set(&current, turn);
    int exit = take_turn(turn);
    mk_caught_clear(&turn->caught);
    g_mutex_lock(&crowd->mutex);
    crowd->running--;
    crowd->last = g_get_monotonic_time();
    if (exit && !crowd->exit)
        crowd->exit = exit;
    g_mutex_unlock(&crowd->mutex);
    g_free(turn->path);
    g_free(turn);
    return NULL;
}

static void begin(Crowd *crowd, const MkWatchPhone *phone)
{
    if (!mk_watch_phone_answers(phone, false) || !g_hash_table_add(crowd->served, g_strdup(phone->path)))
        return;
    Turn *turn = g_new0(Turn, 1);
    turn->crowd = crowd;
    turn->path = g_strdup(phone->path);
    g_mutex_lock(&crowd->mutex);
    crowd->running++;
    crowd->last = g_get_monotonic_time();
    g_mutex_unlock(&crowd->mutex);
    g_ptr_array_add(crowd->threads, g_thread_new(turn->path, turn_thread, turn));
}

/* --- all of them ------------------------------------------------------------------------------------------------------- */

static bool is_over(Crowd *crowd)
{
    int timeout = mk_cli_timeout(crowd->cli);
    g_mutex_lock(&crowd->mutex);
    bool over =
        crowd->running == 0 && timeout != MK_FOREVER && g_get_monotonic_time() - crowd->last >= (gint64)timeout * 1000;
    g_mutex_unlock(&crowd->mutex);
    return over;
}

static bool serve(Crowd *crowd, GError **error)
{
    g_autoptr(MkWatch) watch = mk_watch_open(error);
    if (!watch)
        return false;
    mk_cli_say(crowd->cli, _("Waiting for phones: each that is plugged in gets its turn (Ctrl-C ends it)."));
    while (!is_over(crowd)) {
        MkWatchEvent event;
        const MkWatchPhone *phone;
        if (!mk_watch_next(watch, LOOK, &event, &phone, crowd->cli->cancel, error))
            return false;
        if (event == MK_WATCH_CAME)
            begin(crowd, phone);
    }
    return true;
}

static int finish(Crowd *crowd, const GError *error)
{
    for (guint i = 0; i < crowd->threads->len; i++)
        g_thread_join(crowd->threads->pdata[i]);
    if (error)
        return mk_cli_fail(crowd->cli, error);
    guint phones = g_hash_table_size(crowd->served);
    if (phones == 0) {
        g_autoptr(GError) none = NULL;
        mk_fault_set(&none, MK_FAULT_CON_NONE, _("No phone appeared over USB within %d s."), crowd->cli->timeout);
        return mk_cli_fail(crowd->cli, none);
    }
    mk_cli_say(crowd->cli, _("%u phones had their turn."), phones);
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_int(event, "phones", phones);
    mk_json_bool(event, "ok", crowd->exit == 0);
    mk_json_int(event, "exit", crowd->exit);
    mk_cli_event(crowd->cli, event);
    return crowd->exit;
}

int mk_cli_serve_all(MkCli *cli)
{
    g_autoptr(GError) error = NULL;
    Crowd crowd = {.cli = cli, .run = command_run, .argv = command_argv, .last = g_get_monotonic_time()};
    if (cli->port)
        mk_fault_set(&error, MK_FAULT_USAGE, _("--all and --port exclude each other."));
    crowd.threads = g_ptr_array_new();
    crowd.served = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    crowd.ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&crowd.mutex);
    if (!error)
        serve(&crowd, &error);
    int exit = finish(&crowd, error);
    g_ptr_array_unref(crowd.threads);
    g_hash_table_unref(crowd.served);
    g_hash_table_unref(crowd.ids);
    g_mutex_clear(&crowd.mutex);
    return exit;
}
