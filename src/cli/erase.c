/* medik erase. */
#include "cli/cli.h"
#include "core/i18n.h"

typedef struct {
    gboolean all, except_boot, except_identity, user_data;
    char *region, *offset, *length;
} Erase;

typedef struct {
    MkEraseWhat what;
    const char *partition;
    MkRegion region;
    uint64_t offset, length;
} Target;

static bool choose(const Erase *erase, const char *partition, Target *target, GError **error)
{
    int wishes = erase->all + erase->except_boot + erase->except_identity + erase->user_data + (erase->region != NULL) +
                 (partition != NULL);
    if (wishes != 1) {
        mk_fault_set(
            error, MK_FAULT_USAGE,
            _("Say one thing to erase: a PARTITION, --user-data, --except-identity, --except-bootloader, --all, "
              "or --region with --offset and --length."));
        return false;
    }
    target->partition = partition;
    target->what = erase->all               ? MK_ERASE_WHAT_ALL
                   : erase->except_boot     ? MK_ERASE_WHAT_EXCEPT_BOOT
                   : erase->except_identity ? MK_ERASE_WHAT_EXCEPT_IDENTITY
                   : erase->user_data       ? MK_ERASE_WHAT_USER_DATA
                   : erase->region          ? MK_ERASE_WHAT_RANGE
                                            : MK_ERASE_WHAT_PARTITION;
    if (!erase->region)
        return true;
    if (!erase->length) {
        mk_fault_set(error, MK_FAULT_USAGE, _("A range wants --length."));
        return false;
    }
    return mk_cli_parse_region(erase->region, &target->region, error) &&
           (!erase->offset || mk_cli_parse_number("--offset", erase->offset, &target->offset, error)) &&
           mk_cli_parse_number("--length", erase->length, &target->length, error);
}

static int work(MkCli *cli, const Target *target)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkSession) session = mk_cli_session(cli, NULL, false, &error);
    g_autoptr(MkPlan) plan = session ? mk_plan_erase(session, target->what, target->partition, target->region,
                                                     target->offset, target->length, &cli->consent, &error)
                                     : NULL;
    return plan ? mk_cli_run_plan(cli, session, plan) : mk_cli_fail(cli, error);
}

int mk_cli_erase(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Erase erase = {0};
    Target target = {0};
    const GOptionEntry entries[] = {
        {"user-data", 0, 0, G_OPTION_ARG_NONE, &erase.user_data, N_("userdata, cache, metadata"), NULL},
        {"except-identity", 0, 0, G_OPTION_ARG_NONE, &erase.except_identity,
         N_("Everything but identity, security and boot chain"), NULL},
        {"except-bootloader", 0, 0, G_OPTION_ARG_NONE, &erase.except_boot, N_("Everything but the boot regions"), NULL},
        {"all", 0, 0, G_OPTION_ARG_NONE, &erase.all, N_("Everything"), NULL},
        {"region", 0, 0, G_OPTION_ARG_STRING, &erase.region, N_("A range of this region (expert)"), "REGION"},
        {"offset", 0, 0, G_OPTION_ARG_STRING, &erase.offset, N_("Where the range begins"), "BYTES"},
        {"length", 0, 0, G_OPTION_ARG_STRING, &erase.length, N_("How long the range is"), "BYTES"},
        {NULL},
    };
    bool parsed = mk_cli_parse(cli, &argc, &argv, _("[PARTITION]"),
                               _("Makes content empty. The identity is saved before anything is erased.\n\nExample: "
                                 "medik erase cache --yes --da MTK_AllInOne_DA.bin"),
                               MK_CLI_PHONE | MK_CLI_PLAN, entries, 0, 1, &error) &&
                  choose(&erase, argc > 1 ? argv[1] : NULL, &target, &error);
    int exit = parsed ? work(cli, &target) : mk_cli_fail(cli, error);
    g_free(erase.region);
    g_free(erase.offset);
    g_free(erase.length);
    return exit;
}
