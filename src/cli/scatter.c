/* medik scatter: scatter files, without a phone. */
#include "cli/cli.h"
#include "core/i18n.h"
#include "soc/soc.h"

#include <string.h>

typedef struct {
    char *output, *version, *chip;
    gboolean old, xml, strict;
} Scatter;

static int check(MkCli *cli, const Scatter *scatter, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) layout = mk_scatter_load(path, scatter->strict, findings, &error);
    mk_cli_findings(cli, findings);
    if (!layout)
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, _("%s: %s for %s on %s, %u partitions."), path, mk_layout_kind_name(layout->kind),
               layout->platform ? layout->platform : _("an unnamed chip"), mk_storage_name(layout->storage),
               layout->partitions->len);
    for (guint i = 0; layout->sections && i < layout->sections->len; i++) {
        const MkLayout *section = layout->sections->pdata[i];
        mk_cli_say(cli, _("It also holds a layout for %s, %u partitions."), mk_storage_name(section->storage),
                   section->partitions->len);
    }
    /* Only errors block (spec behaviour.md 3.3): real files hold tabs, odd names and worse, and still serve. */
    if (mk_findings_worst(findings) >= MK_SEVERITY_DANGER) {
        mk_fault_set(&error, MK_FAULT_SCATTER, _("%s is not in order; `medik scatter fix` mends what it can."), path);
        return mk_cli_fail(cli, error);
    }
    if (mk_findings_worst(findings) == MK_SEVERITY_WARN)
        mk_cli_say(cli, "%s", _("It can be used; `medik scatter fix` writes it as it should be."));
    return mk_cli_done(cli, NULL);
}

/* A file that is mended stays what it is, unless another form is asked for. */
static MkLayoutKind chosen_kind(const Scatter *scatter, const MkLayout *layout)
{
    if (scatter->old)
        return MK_LAYOUT_SCATTER_V0;
    if (scatter->xml || (layout->kind == MK_LAYOUT_SCATTER_XML && !scatter->version))
        return MK_LAYOUT_SCATTER_XML;
    return scatter->version ? MK_LAYOUT_SCATTER_V1 : mk_scatter_kind_for(layout);
}

/* Tables know no chip, and a plain scatter knows it only by its file name. */
static bool name_chip(MkCli *cli, const Scatter *scatter, MkLayout *layout, GError **error)
{
    if (!scatter->chip) {
        if (!layout->platform)
            mk_cli_say(cli, "%s", _("What chip it is for is not in the file; name it with --chip."));
        return true;
    }
    const MkSoc *soc = mk_soc_by_name(scatter->chip);
    if (!soc) {
        mk_fault_set(error, MK_FAULT_USAGE, _("Medik knows no chip \"%s\"."), scatter->chip);
        return false;
    }
    g_free(layout->platform);
    layout->platform = g_ascii_strup(scatter->chip, -1);
    return true;
}

/* Fixing and making are the same: read whatever it is, write it as it should be, and read that again. */
static int make(MkCli *cli, const Scatter *scatter, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) findings = mk_findings_new(), again = mk_findings_new();
    g_autoptr(MkLayout) layout = mk_cli_load_layout(path, findings, &error);
    mk_cli_findings(cli, findings);
    if (!layout)
        return mk_cli_fail(cli, error);
    if (!name_chip(cli, scatter, layout, &error))
        return mk_cli_fail(cli, error);
    MkLayoutKind kind = chosen_kind(scatter, layout);
    g_autoptr(MkLayout) whole = mk_scatter_from_table(layout, kind, NULL);
    g_autofree char *text = mk_scatter_write(whole, kind, scatter->version, &error);
    g_autoptr(MkLayout) reread =
        text ? mk_scatter_parse(text, strlen(text), scatter->output, false, again, &error) : NULL;
    if (!reread)
        return mk_cli_fail(cli, error);
    if (!scatter->output) {
        if (!cli->json)
            fputs(text, stdout);
        return mk_cli_done(cli, NULL);
    }
    if (!mk_cli_write_new(scatter->output, text, &error))
        return mk_cli_fail(cli, error);
    mk_cli_say(cli, _("%s written: %u partitions."), scatter->output, reread->partitions->len);
    return mk_cli_done(cli, NULL);
}

static int compare(MkCli *cli, const char *one, const char *other)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) before = mk_cli_load_layout(one, NULL, &error);
    g_autoptr(MkLayout) after = before ? mk_cli_load_layout(other, NULL, &error) : NULL;
    if (after && !mk_layout_comparable(before, after))
        mk_fault_set(&error, MK_FAULT_USAGE,
                     _("%s (%s, %s) and %s (%s, %s) are layouts of different kinds: their addresses cannot be "
                       "compared. Compare each with the phone (`medik table diff FILE`)."),
                     one, mk_layout_kind_name(before->kind), mk_storage_name(before->storage), other,
                     mk_layout_kind_name(after->kind), mk_storage_name(after->storage));
    if (error)
        return mk_cli_fail(cli, error);
    if (before->platform && after->platform && g_ascii_strcasecmp(before->platform, after->platform))
        mk_cli_say(cli, _("They are for different chips: %s and %s."), before->platform, after->platform);
    g_autoptr(GPtrArray) diffs = mk_layout_compare(before, after);
    bool same = mk_cli_diffs(cli, diffs) == 0;
    if (same)
        mk_cli_say(cli, "%s", _("The layouts are the same."));
    JsonBuilder *event = mk_cli_event_new("result");
    mk_json_bool(event, "same", same);
    return mk_cli_done(cli, event);
}

static int run(MkCli *cli, const Scatter *scatter, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (strcmp(argv[1], "check") == 0 && argc == 3)
        return check(cli, scatter, argv[2]);
    if ((strcmp(argv[1], "fix") == 0 || strcmp(argv[1], "make") == 0) && argc == 3)
        return make(cli, scatter, argv[2]);
    if (strcmp(argv[1], "diff") == 0 && argc == 4)
        return compare(cli, argv[2], argv[3]);
    mk_fault_set(&error, MK_FAULT_USAGE, _("Give one of: check FILE, fix FILE, make FILE, diff FILE FILE."));
    return mk_cli_fail(cli, error);
}

int mk_cli_scatter(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkCli) cli = mk_cli_new();
    Scatter scatter = {0};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &scatter.output,
         N_("fix, make: write to this new file, not to stdout"), "FILE"},
        {"version", 0, 0, G_OPTION_ARG_STRING, &scatter.version, N_("make: dialect, for example V1.1.2"), "VERSION"},
        {"chip", 0, 0, G_OPTION_ARG_STRING, &scatter.chip,
         N_("fix, make: the chip it is for, for example MT6572, where the file does not say"), "CHIP"},
        {"old", 0, 0, G_OPTION_ARG_NONE, &scatter.old, N_("make: the plain form of MT6575/6577"), NULL},
        {"xml", 0, 0, G_OPTION_ARG_NONE, &scatter.xml, N_("make: the XML form of SP Flash Tool v6"), NULL},
        {"strict", 0, 0, G_OPTION_ARG_NONE, &scatter.strict, N_("check: refuse what SP Flash Tool refuses"), NULL},
        {NULL},
    };
    bool parsed =
        mk_cli_parse(cli, &argc, &argv, _("check FILE | fix FILE | make FILE | diff FILE FILE"),
                     _("Checks a scatter file line by line, mends it, makes one from a partition table image or "
                       "a dumchar_info text, or names how two layouts differ (exit status 0 whatever it "
                       "finds).\n\nExample: medik scatter check "
                       "MT6577_Android_scatter_emmc.txt"),
                     0, entries, 2, 3, &error);
    int exit = parsed ? run(cli, &scatter, argc, argv) : mk_cli_fail(cli, error);
    g_free(scatter.output);
    g_free(scatter.version);
    g_free(scatter.chip);
    return exit;
}
