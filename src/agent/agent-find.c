/* Where the owner's Download Agent file is (spec behaviour.md 3.1): named, beside the ROM, in an SP Flash Tool folder near it, or
 * the one that worked for this chip before. Never the network. */
#include "agent/agent-file.h"

#include "core/home.h"
#include "core/i18n.h"

#include <string.h>

#define GROUP      "da"
#define NEAR_ABOVE 2 /* folders above the ROM in which SP Flash Tool is looked for */

static char *store_path(void)
{
    g_autofree char *home = mk_home();
    return g_build_filename(home, "agents.ini", NULL);
}

static char *chip_key(const MkSoc *soc)
{
    return g_strdup_printf("%04X", soc->da_code);
}

/* Does the file at PATH parse and hold a program for SOC? */
static bool serves(const char *path, const MkSoc *soc)
{
    g_autoptr(MkAgentFile) file = mk_agent_file_load(path, NULL, NULL);
    return file && (!soc || mk_agent_file_choose(file, soc, 0, 0, NULL, NULL));
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Full paths of the children of FOLDER whose lower-case names satisfy FITS, in the order of their names. */
static GPtrArray *children(const char *folder, bool (*fits)(const char *name))
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *lower = g_ascii_strdown(name, -1);
        if (fits(lower))
            g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
    }
    g_ptr_array_sort(paths, compare_paths);
    return paths;
}

static bool fits_file(const char *name)
{
    return g_str_has_suffix(name, ".bin") &&
           (strstr(name, "allinone_da") || g_str_has_prefix(name, "da_") || g_str_has_prefix(name, "mtk_da_"));
}

static bool fits_tool(const char *name)
{
    return strstr(name, "flash_tool") || strstr(name, "flashtool") || strstr(name, "flash tool") ||
           g_str_has_prefix(name, "spft") || strcmp(name, "download_agent") == 0;
}

static char *search_folder(const char *folder, const MkSoc *soc)
{
    g_autoptr(GPtrArray) paths = children(folder, fits_file);
    for (unsigned i = 0; i < paths->len; i++) {
        if (g_file_test(paths->pdata[i], G_FILE_TEST_IS_REGULAR) && serves(paths->pdata[i], soc))
            return g_strdup(paths->pdata[i]);
    }
    return NULL;
}

/* The ROM's folder, then SP Flash Tool folders in it and in the folders above it. */
static char *search_near(const char *rom_folder, const MkSoc *soc, GString *looked)
{
    g_autofree char *folder = g_canonicalize_filename(rom_folder, NULL);
    g_string_append(looked, folder);
    char *found = search_folder(folder, soc);
    for (int up = 0; !found && up <= NEAR_ABOVE; up++) {
        g_autoptr(GPtrArray) tools = children(folder, fits_tool);
        for (unsigned i = 0; i < tools->len && !found; i++) {
            g_string_append_printf(looked, ", %s", (char *)tools->pdata[i]);
            found = search_folder(tools->pdata[i], soc);
        }
        char *parent = g_path_get_dirname(folder);
        g_free(folder);
        folder = parent;
    }
    return found;
}

static char *remembered(const MkSoc *soc)
{
    g_autoptr(GKeyFile) store = g_key_file_new();
    g_autofree char *ini = store_path();
    g_autofree char *key = chip_key(soc);
    g_key_file_load_from_file(store, ini, G_KEY_FILE_NONE, NULL);
    g_autofree char *path = g_key_file_get_string(store, GROUP, key, NULL);
    return path && serves(path, soc) ? g_steal_pointer(&path) : NULL;
}

static void fault_nowhere(const MkSoc *soc, const char *near, GError **error)
{
    g_autofree char *ini = store_path();
    g_autofree char *searched =
        *near ? g_strdup_printf(_("none is in %s"), near) : g_strdup(_("no ROM folder was named"));
    mk_fault_set(
        error, MK_FAULT_DA_NOFILE,
        _("No Download Agent file for %s was found: none was named with --da, %s, and none that worked for this "
          "chip before and is still there is remembered (%s)."),
        soc ? soc->names : _("this chip"), searched, ini);
}

char *mk_agent_file_find(const char *explicit_path, const char *rom_folder, const MkSoc *soc, MkAgentFrom *from,
                         GError **error)
{
    g_autoptr(GString) looked = g_string_new(NULL);
    MkAgentFrom unwanted;
    from = from ? from : &unwanted;
    *from = MK_AGENT_FROM_NAME;
    if (explicit_path) {
        if (g_file_test(explicit_path, G_FILE_TEST_IS_REGULAR))
            return g_strdup(explicit_path);
        mk_fault_set(error, MK_FAULT_DA_NOFILE, _("There is no file %s."), explicit_path);
        return NULL;
    }
    *from = MK_AGENT_FROM_NEAR;
    char *found = rom_folder ? search_near(rom_folder, soc, looked) : NULL;
    if (found)
        return found;
    *from = MK_AGENT_FROM_MEMORY;
    found = soc ? remembered(soc) : NULL;
    if (!found)
        fault_nowhere(soc, looked->str, error);
    return found;
}

/* A convenience only: whoever cannot write there names the file again. */
void mk_agent_file_remember(const MkSoc *soc, const char *path)
{
    g_autoptr(GKeyFile) store = g_key_file_new();
    g_autofree char *ini = store_path();
    g_autofree char *folder = g_path_get_dirname(ini);
    g_autofree char *key = chip_key(soc);
    g_autofree char *full = g_canonicalize_filename(path, NULL);
    g_key_file_load_from_file(store, ini, G_KEY_FILE_KEEP_COMMENTS, NULL);
    g_key_file_set_string(store, GROUP, key, full);
    if (g_mkdir_with_parents(folder, 0700) != 0 || !g_key_file_save_to_file(store, ini, NULL))
        g_debug("%s cannot be written", ini);
}
