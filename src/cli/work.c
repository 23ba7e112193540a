/* What commands that talk to a phone have in common: the session, the plan, the leaving. */
#include "cli/cli.h"

#include "core/i18n.h"
#include "flash/backup.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PORT_TIMEOUT 10000 /* for the start handshake on a port that is there, spec brom.md 4.4 */

MkBootOptions mk_cli_boot_options(const MkCli *cli)
{
    return (MkBootOptions){.timeout = PORT_TIMEOUT,
                           .auth_path = cli->auth,
                           .cert_path = cli->cert,
                           .key_path = cli->key,
                           .sign_command = cli->sign_command};
}

int mk_cli_timeout(const MkCli *cli)
{
    return cli->timeout ? cli->timeout * 1000 : MK_FOREVER;
}

MkTarget *mk_cli_catch(MkCli *cli, MkLink **link, GError **error)
{
    MkBootOptions options = mk_cli_boot_options(cli);
    MkCaught *caught = mk_cli_turn_caught();
    if (!caught)
        return mk_boot_wait(mk_cli_port(cli), mk_cli_timeout(cli), &options, cli->trace_file, mk_cli_state, cli, link,
                            cli->cancel, error);
    *link = g_steal_pointer(&caught->link);
    return g_steal_pointer(&caught->target);
}

const char *mk_cli_port(const MkCli *cli)
{
    if (cli->prefix)
        return cli->prefix;
    const char *port = cli->port ? cli->port : g_getenv("MEDIK_PORT");
    return port && *port ? port : "usb";
}

void mk_cli_use_rom(MkCli *cli, const MkRom *rom)
{
    if (!cli->scatter)
        cli->scatter = g_strdup(rom->scatter_path);
    if (rom->agent_path && g_file_test(rom->agent_path, G_FILE_TEST_IS_REGULAR)) {
        g_free(cli->rom_agent);
        cli->rom_agent = g_strdup(rom->agent_path);
    }
    g_free(cli->rom_project);
    cli->rom_project = g_strdup(rom->claims.project);
}

bool mk_cli_rom_misses(const MkRom *rom, const MkSession *session)
{
    return rom->layout->sections && rom->layout->storage != session->agent->info.storage;
}

bool mk_cli_need_file(const char *path, GError **error)
{
    g_autoptr(MkStore) file = path ? mk_store_file_open(path, false, error) : NULL;
    return !path || file;
}

/* Safety rule 1: what cannot work is said before the phone is touched. */
static bool files_are_there(const MkCli *cli, GError **error)
{
    const char *paths[] = {cli->preloader, cli->scatter, cli->auth, cli->cert, cli->key};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
        if (!mk_cli_need_file(paths[i], error))
            return false;
    return true;
}

MkSession *mk_cli_session(MkCli *cli, const char *rom_folder, bool allow_no_storage, GError **error)
{
    if (!files_are_there(cli, error))
        return NULL;
    MkSessionOptions options = {.port = mk_cli_port(cli),
                                .caught = mk_cli_turn_caught(),
                                .timeout = mk_cli_timeout(cli),
                                .da_path = cli->da ? cli->da : cli->rom_agent,
                                .preloader_path = cli->preloader,
                                .rom_folder = rom_folder,
                                .rom_project = cli->rom_project,
                                .names_path = cli->scatter,
                                .boot = mk_cli_boot_options(cli),
                                .battery = cli->battery,
                                .after = cli->after_set ? cli->after : MK_CLI_AFTER_READING,
                                .trace = cli->trace_file,
                                .state = mk_cli_state,
                                .state_data = cli};
    MkSession *session = mk_session_open(&options, allow_no_storage, mk_cli_progress(cli), cli->cancel, error);
    if (!session)
        return NULL;
    mk_cli_findings(cli, session->findings);
    /* Said before anything is done, not after all of it. */
    bool mode = cli->after_set && (cli->after == MK_AFTER_META || cli->after == MK_AFTER_FASTBOOT);
    if (!mode || mk_agent_can(session->agent, MK_AGENT_CAN_MODES))
        return session;
    mk_fault_set(error, MK_FAULT_UNSUPPORTED,
                 _("This phone's agent cannot restart it into another mode; use `medik boot` afterwards."));
    mk_session_free(session);
    return NULL;
}

static const char *after_words(MkAfter after)
{
    switch (after) {
    case MK_AFTER_REBOOT: return _("The phone restarts.");
    case MK_AFTER_OFF: return _("The phone switches itself off.");
    case MK_AFTER_META: return _("The phone restarts into META.");
    case MK_AFTER_FASTBOOT: return _("The phone restarts into fastboot.");
    case MK_AFTER_STAY: break;
    }
    return NULL;
}

bool mk_cli_leave(MkCli *cli, MkSession *session, MkAfter fallback, GError **error)
{
    MkAfter after = cli->after_set ? cli->after : fallback;
    if (!mk_session_finish(session, after, error))
        return false;
    if (after_words(after))
        mk_cli_say(cli, "%s", after_words(after));
    return true;
}

/* --- plans ------------------------------------------------------------------------------------------------------------------- */

static void show_plan(MkCli *cli, MkSession *session, const MkPlan *plan)
{
    g_autofree char *card = mk_session_card(session, false), *text = mk_plan_text(plan);
    JsonBuilder *event = mk_cli_event_new("plan");
    g_autofree char *json = mk_plan_to_json(plan);
    g_autoptr(JsonNode) node = mk_json_parse(json, -1);
    if (node) {
        json_builder_set_member_name(event, "plan");
        json_builder_add_value(event, g_steal_pointer(&node));
    }
    mk_cli_event(cli, event);
    mk_cli_say(cli, "%s", card);
    mk_cli_findings(cli, plan->findings);
    mk_cli_say(cli, "%s", text);
}

static bool only_yes_is_missing(const MkPlan *plan, const MkConsent *consent)
{
    MkConsent willing = *consent;
    willing.yes = true;
    return !consent->yes && mk_plan_check_gates(plan, &willing, NULL);
}

/* On a terminal the plain agreement is asked for; everything that destroys more wants its own option. */
static void ask(MkCli *cli, const MkSession *session, const MkPlan *plan)
{
    if (!only_yes_is_missing(plan, &cli->consent) || cli->json || cli->prefix || !isatty(STDIN_FILENO) ||
        !isatty(STDERR_FILENO))
        return;
    char answer[16] = "";
    fprintf(stderr, _("Do this to phone %s (%s)? Type yes to go on: "), session->short_id,
            mk_soc_name(session->target->soc));
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) && g_ascii_strcasecmp(g_strstrip(answer), "yes") == 0)
        cli->consent.yes = true;
}

static JsonBuilder *run_result(MkCli *cli, const MkRunResult *result)
{
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_bool(event, "verified", result->verified);
    mk_json_bool(event, "resumed", result->resumed);
    mk_json_int(event, "written", (gint64)result->bytes_written);
    mk_json_int(event, "compared", (gint64)result->bytes_verified);
    mk_json_int(event, "already", (gint64)result->bytes_already);
    mk_json_int(event, "erased", (gint64)result->bytes_erased);
    mk_json_string(event, "identity_set", result->identity_set);
    mk_json_string(event, "undo", result->undo_folder);
    mk_json_string(event, "journal", result->journal);
    g_autoptr(MkIdentitySet) set = result->identity_set ? mk_identity_load(result->identity_set, NULL) : NULL;
    bool blank = set && mk_identity_worth(set) == MK_IDENTITY_BLANK;
    if (result->identity_set)
        mk_cli_say(cli, blank ? _("Identity set: %s (its NVRAM is blank)") : _("Identity set: %s"),
                   result->identity_set);
    if (result->undo_folder)
        mk_cli_say(cli, _("What was there before: %s"), result->undo_folder);
    return event;
}

static void say_verified(MkCli *cli, const MkRunResult *result)
{
    g_autofree char *written = g_format_size_full(result->bytes_written, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *compared = g_format_size_full(result->bytes_verified, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *already = g_format_size_full(result->bytes_already, G_FORMAT_SIZE_IEC_UNITS);
    if (result->bytes_already)
        mk_cli_say(cli, _("The preloader was already correct and was left alone: %s."), already);
    g_autofree char *erased = g_format_size_full(result->bytes_erased, G_FORMAT_SIZE_IEC_UNITS);
    if (result->bytes_erased)
        mk_cli_say(cli,
                   cli->verify == MK_VERIFY_NONE ? _("Erased: %s.") : _("Erased: %s; samples of it read as empty."),
                   erased);
    if (!result->bytes_written && !result->bytes_already)
        mk_cli_say(cli, "%s", cli->verify == MK_VERIFY_NONE ? _("Done, not verified.") : _("OK, verified by samples."));
    else if (result->verified)
        mk_cli_say(cli, _("OK, verified: %s written; all of it was read back and compared (%s)."), written, compared);
    else if (cli->verify == MK_VERIFY_QUICK)
        mk_cli_say(cli, _("Written, verified by samples only: %s written, %s compared."), written, compared);
    else
        mk_cli_say(cli, _("Written, not verified: %s written, nothing was compared."), written);
}

int mk_cli_run_plan(MkCli *cli, MkSession *session, MkPlan *plan)
{
    g_autoptr(GError) error = NULL;
    show_plan(cli, session, plan);
    if (!mk_cli_plan_agrees(cli, plan, &error) || (cli->plan_out && !mk_cli_plan_out(cli, plan, &error)))
        return mk_cli_fail(cli, error);
    if (cli->consent.dry_run) {
        mk_cli_say(cli, "%s", _("Dry run: nothing was done."));
        if (!mk_cli_leave(cli, session, MK_CLI_AFTER_READING, &error))
            return mk_cli_fail(cli, error);
        return mk_cli_done(cli, NULL);
    }
    ask(cli, session, plan);
    MkRunOptions options = {.verify = cli->verify, .progress = mk_cli_progress(cli)};
    MkRunResult result = {0};
    if (!mk_plan_check_gates(plan, &cli->consent, &error) || !mk_cli_turn_claim(session->id, &error))
        return mk_cli_fail(cli, error);
    if (!mk_plan_run(session, plan, &options, &result, &error)) {
        int exit = mk_cli_fail(cli, error);
        if (!cli->quiet && mk_fault_code(error) != MK_FAULT_STOPPED) /* whose cure says it */
            fprintf(stderr, "%s\n", _("The same command goes on where this one stopped."));
        mk_run_result_clear(&result);
        return exit;
    }
    say_verified(cli, &result);
    JsonBuilder *event = run_result(cli, &result);
    mk_run_result_clear(&result);
    if (!mk_cli_leave(cli, session, MK_AFTER_REBOOT, &error)) {
        g_object_unref(event);
        return mk_cli_fail(cli, error);
    }
    return mk_cli_done(cli, event);
}

bool mk_cli_write_new(const char *path, const char *text, GError **error)
{
    FILE *file = fopen(path, "wxe");
    bool written = file && fputs(text, file) >= 0;
    int trouble = errno;
    if (file && fclose(file) != 0) {
        trouble = errno;
        written = false;
    }
    if (!written)
        mk_fault_set_errno(error, false, trouble, _("Cannot write"), path);
    return written;
}
