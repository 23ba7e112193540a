#include "flash/emi.h"

#include "core/i18n.h"

#include <string.h>

void mk_emi_choice_clear(MkEmiChoice *choice)
{
    g_clear_pointer(&choice->preloaders, g_ptr_array_unref);
    g_clear_pointer(&choice->paths, g_ptr_array_unref);
}

static const MkPreloader *preloader_at(const MkEmiChoice *choice, guint index)
{
    return choice->preloaders->pdata[index];
}

static void tell(const MkEmiChoice *choice, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void tell(const MkEmiChoice *choice, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    if (choice->state)
        choice->state(text, choice->state_data);
}

/* --- which files are there? ---------------------------------------------------------------------------------------- */

static void add(MkEmiChoice *choice, MkPreloader *preloader, const char *path)
{
    g_ptr_array_add(choice->preloaders, preloader);
    g_ptr_array_add(choice->paths, g_strdup(path));
}

static bool looks_like_preloader(const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return g_str_has_prefix(lower, "preloader") && (g_str_has_suffix(lower, ".bin") || g_str_has_suffix(lower, ".img"));
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is no preloader at all, or another chip's, is passed over. */
static void search(MkEmiChoice *choice, const char *folder, const MkSoc *soc)
{
    g_autoptr(GDir) dir = folder ? g_dir_open(folder, 0, NULL) : NULL;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        if (looks_like_preloader(name))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        g_autoptr(MkPreloader) preloader = mk_preloader_load(path, NULL, NULL);
        if (preloader && preloader->emi && (!preloader->chip || mk_soc_accepts(soc, preloader->chip)))
            add(choice, g_steal_pointer(&preloader), path);
    }
}

static bool take_named(MkEmiChoice *choice, const char *path, const MkSoc *soc, GError **error)
{
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkPreloader) preloader = mk_preloader_load(path, findings, error);
    if (!preloader)
        return false;
    if (preloader->chip && !mk_soc_accepts(soc, preloader->chip)) {
        mk_fault_set_number(error, MK_FAULT_CHIP, 3184, "S_CHIP_TYPE_NOT_MATCH",
                            _("%s is a preloader for %s, this phone has %s: its memory settings would not work."), path,
                            preloader->chip, mk_soc_name(soc));
        return false;
    }
    for (guint i = 0; i < findings->len; i++)
        tell(choice, "%s: %s", path, ((const MkFinding *)findings->pdata[i])->message);
    choice->named = true;
    if (preloader->emi)
        add(choice, g_steal_pointer(&preloader), path);
    return true;
}

/* Do the settings have a version that was seen with other chips only? */
static bool contradicts(const MkPreloader *preloader, const MkSoc *soc)
{
    const char *chips = preloader->chip ? NULL : mk_emi_chips(preloader->emi_version);
    g_auto(GStrv) names = chips ? g_strsplit(chips, "/", -1) : NULL;
    for (char **name = names; name && *name; name++)
        if (mk_soc_accepts(soc, *name))
            return false;
    return names != NULL;
}

/* Where some fit, those that do not are out; where none does, it is said. */
static void weigh_versions(MkEmiChoice *choice, const MkSoc *soc)
{
    guint bad = 0, all = choice->preloaders->len;
    for (guint i = 0; i < all; i++)
        bad += contradicts(preloader_at(choice, i), soc);
    for (guint i = all; bad && bad < all && i-- > 0;)
        if (contradicts(preloader_at(choice, i), soc)) {
            g_ptr_array_remove_index(choice->preloaders, i);
            g_ptr_array_remove_index(choice->paths, i);
        }
    if (bad && bad == all)
        tell(choice,
             _("Doubtful: the memory settings in %s have version %d, which was seen with %s; this phone has %s. If its "
               "main memory does not start, find the preloader of this very model."),
             (const char *)choice->paths->pdata[0], preloader_at(choice, 0)->emi_version,
             mk_emi_chips(preloader_at(choice, 0)->emi_version), mk_soc_name(soc));
}

bool mk_emi_choice_init(MkEmiChoice *choice, const MkSessionOptions *options, const MkSoc *soc, GError **error)
{
    *choice = (MkEmiChoice){.preloaders = g_ptr_array_new_with_free_func((GDestroyNotify)mk_preloader_free),
                            .paths = g_ptr_array_new_with_free_func(g_free),
                            .project = options->rom_project,
                            .state = options->state,
                            .state_data = options->state_data};
    if (options->preloader_path) {
        if (!take_named(choice, options->preloader_path, soc, error))
            return false;
    } else {
        search(choice, options->rom_folder, soc);
    }
    weigh_versions(choice, soc);
    return true;
}

GBytes *mk_emi_choice_first(const MkEmiChoice *choice)
{
    return choice->preloaders->len ? preloader_at(choice, 0)->emi : NULL;
}

/* --- which one is it? ---------------------------------------------------------------------------------------------- */

/* "QE13MB": a CID has its product name behind manufacturer and OEM, a UFS says nothing else. */
static char *chip_words(const uint8_t *id, size_t length)
{
    bool text = length && g_ascii_isalnum(id[0]) && g_ascii_isalnum(id[1]) && g_ascii_isalnum(id[2]);
    GString *words = g_string_new(NULL);
    for (size_t i = text ? 0 : 3; i < (text ? length : MIN(length, 9)) && g_ascii_isprint(id[i]); i++)
        g_string_append_c(words, (char)id[i]);
    return g_string_free(words, FALSE);
}

static bool same_project(const MkEmiChoice *choice, guint index)
{
    const char *project = preloader_at(choice, index)->project;
    return choice->project && project && !g_ascii_strcasecmp(choice->project, project);
}

/* The one block that all candidates of RANK share, of the load's project where only one has it. NULL with a fault: they differ. */
static GBytes *only_block(const MkEmiChoice *choice, const GArray *matches, MkEmiMatch rank, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);
    GBytes *found = NULL, *own = NULL;
    bool differ = false, own_differ = false;
    for (guint i = 0; i < choice->preloaders->len; i++) {
        GBytes *block = preloader_at(choice, i)->emi;
        if (g_array_index(matches, MkEmiMatch, i) != rank)
            continue;
        g_string_append_printf(names, "%s%s", names->len ? ", " : "", (const char *)choice->paths->pdata[i]);
        differ = differ || (found && !g_bytes_equal(found, block));
        found = found ? found : block;
        if (same_project(choice, i)) {
            own_differ = own_differ || (own && !g_bytes_equal(own, block));
            own = own ? own : block;
        }
    }
    if (!differ || (own && !own_differ))
        return g_bytes_ref(differ ? own : found);
    mk_fault_set(error, MK_FAULT_FILE,
                 _("There are several preloader files with different memory settings (%s); name the one of this "
                   "phone's board with --preloader."),
                 names->str);
    return NULL;
}

GBytes *mk_emi_choose(const uint8_t *id, size_t length, gpointer user_data, GError **error)
{
    const MkEmiChoice *choice = user_data;
    g_autoptr(GArray) matches = g_array_new(FALSE, FALSE, sizeof(MkEmiMatch));
    g_autofree char *words = chip_words(id, length);
    MkEmiMatch best = MK_EMI_UNREADABLE;
    bool unreadable = false;
    for (guint i = 0; i < choice->preloaders->len; i++) {
        MkEmiMatch match = mk_emi_match(preloader_at(choice, i)->emi, id, length);
        g_array_append_val(matches, match);
        unreadable = unreadable || match == MK_EMI_UNREADABLE;
        best = MAX(best, match);
    }
    /* What cannot be read may still be right. */
    if (best == MK_EMI_NOT_LISTED && unreadable)
        best = MK_EMI_UNREADABLE;
    if (best == MK_EMI_NOT_LISTED && !choice->named) {
        mk_fault_set(
            error, MK_FAULT_PL_EMI,
            _("The preloader file %s does not list this phone's memory chip (%s): it is another board's. Nothing "
              "was sent; naming it with --preloader tries it all the same."),
            (const char *)choice->paths->pdata[0], words);
        return NULL;
    }
    if (best == MK_EMI_NOT_LISTED)
        tell(choice,
             _("Doubtful: %s does not list this phone's memory chip (%s). It is tried because it was named; if the "
               "phone "
               "falls silent, take its battery out and find the preloader of this very model."),
             (const char *)choice->paths->pdata[0], words);
    return only_block(choice, matches, best, error);
}
