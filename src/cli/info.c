/* medik info: what the phone is, and what is wrong with it. */
#include "cli/cli.h"
#include "core/i18n.h"

typedef struct {
    gboolean target_only;
    gboolean memory_test;
} Info;

static int show_target(MkCli *cli)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLink) link = NULL;
    g_autoptr(MkTarget) target = mk_cli_catch(cli, &link, &error);
    if (!target)
        return mk_cli_fail(cli, error);
    const char *stage = target->stage == MK_STAGE_BOOTROM ? "BootROM" : "preloader";
    const char *chip = target->soc ? mk_soc_name(target->soc) : _("unknown to Medik");
    g_autofree char *security = mk_target_config_words(target->target_config);
    mk_cli_say(cli, _("Caught in: %s"), stage);
    mk_cli_say(cli, _("Chip:      %s (%04X, %04X/%04X/%04X)"), chip, target->hw_code, target->hw_sub_code,
               target->hw_version, target->sw_version);
    mk_cli_say(cli, _("Security:  %s"), security);
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_string(event, "stage", stage);
    mk_json_string(event, "chip", target->soc ? mk_soc_name(target->soc) : NULL);
    mk_json_int(event, "hw_code", target->hw_code);
    mk_json_int(event, "hw_sub_code", target->hw_sub_code);
    mk_json_int(event, "hw_version", target->hw_version);
    mk_json_int(event, "sw_version", target->sw_version);
    mk_json_int(event, "target_config", target->target_config);
    return mk_cli_done(cli, event);
}

static bool test_memory(MkCli *cli, MkSession *session, GError **error)
{
    static const struct {
        MkMemoryTest test;
        const char *name;
    } tests[] = {{MK_MEMTEST_DATA_BUS, N_("data bus")},
                 {MK_MEMTEST_ADDRESS_BUS, N_("address bus")},
                 {MK_MEMTEST_PATTERN, N_("pattern")},
                 {MK_MEMTEST_INC_DEC, N_("counting up and down")}};
    uint64_t length = MIN(session->agent->info.dram_size, UINT64_C(64) << 20);
    uint64_t start = session->target->soc->da2_load_addr & 0xC0000000u;
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        MkProgress *progress = mk_progress_add(mk_cli_progress(cli), _(tests[i].name), length);
        if (!mk_agent_memory_test(session->agent, tests[i].test, start, length, 0x5AA55AA5, progress, error))
            return false;
        mk_progress_done(progress);
        mk_cli_say(cli, _("Memory test, %s: passed."), _(tests[i].name));
    }
    return true;
}

/* What is wrong, last, where it is seen; how bad all of it is, with what was said before the card (tables, health). */
static MkSeverity show_diagnosis(MkCli *cli, const MkSession *session, const GPtrArray *wrong)
{
    MkSeverity worst = MAX(mk_findings_worst(wrong), mk_findings_worst(session->findings));
    if (wrong->len)
        mk_cli_say(cli, "%s", _("What is wrong:"));
    else if (worst == MK_SEVERITY_NOTE && session->agent->info.storage != MK_STORAGE_UNKNOWN)
        mk_cli_say(
            cli, "%s",
            _("Nothing wrong was seen in what was looked at: tables, preloader, the beginnings of the partitions."));
    mk_cli_findings(cli, wrong);
    return worst;
}

int mk_cli_info(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Info info = {0};
    const GOptionEntry entries[] = {
        {"target", 0, 0, G_OPTION_ARG_NONE, &info.target_only,
         N_("Ask only BootROM or preloader; needs no Download Agent"), NULL},
        {"memory-test", 0, 0, G_OPTION_ARG_NONE, &info.memory_test, N_("Test the first 64 MiB of the phone's RAM too"),
         NULL},
        {NULL},
    };
    if (!mk_cli_parse(
            cli, &argc, &argv, "",
            _("Says what the phone is: chip, security, storage, partition table, and what is wrong with them. "
              "Writes nothing.\n\nExample: medik info --da MTK_AllInOne_DA.bin"),
            MK_CLI_PHONE | MK_CLI_ALL, entries, 0, 0, &error))
        return mk_cli_fail(cli, error);
    if (info.target_only)
        return show_target(cli);
    g_autoptr(MkSession) session = mk_cli_session(cli, NULL, true, &error);
    if (!session)
        return mk_cli_fail(cli, error);
    g_autoptr(GPtrArray) wrong = mk_findings_new();
    if (!mk_session_look(session, wrong, &error))
        return mk_cli_fail(cli, error);
    g_autofree char *card = mk_session_card(session, true);
    mk_cli_say(cli, "%s", card);
    MkSeverity worst = show_diagnosis(cli, session, wrong);
    JsonBuilder *event = mk_cli_event_new("result");
    mk_session_card_json(session, event);
    mk_json_string(event, "worst", mk_severity_name(worst));
    if ((info.memory_test && !test_memory(cli, session, &error)) ||
        !mk_cli_leave(cli, session, MK_CLI_AFTER_READING, &error)) {
        g_object_unref(event);
        return mk_cli_fail(cli, error);
    }
    if (session->agent->info.storage == MK_STORAGE_UNKNOWN) {
        g_object_unref(event);
        mk_fault_set_number(&error, MK_FAULT_STOR_NONE, 8043, "FT_STORAGE_ERROR",
                            _("The agent found no storage on this phone."));
        return mk_cli_fail(cli, error);
    }
    return mk_cli_done(cli, event);
}
