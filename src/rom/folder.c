/* A ROM from a folder: its scatter (beside it or elsewhere), and which file belongs to which partition (spec behaviour.md 3.4, scatter.md 2.5, 3.8). */
#include "rom/rom-private.h"

#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

static void item_free(gpointer data)
{
    MkRomItem *item = data;
    g_free(item->path);
    g_free(item->sha256);
    mk_image_unref(item->image);
    g_free(item);
}

void mk_rom_free(MkRom *rom)
{
    if (!rom)
        return;
    g_clear_pointer(&rom->items, g_ptr_array_unref);
    mk_layout_unref(rom->layout);
    mk_rom_claims_clear(&rom->claims);
    g_clear_pointer(&rom->findings, g_ptr_array_unref);
    g_free(rom->folder);
    g_free(rom->scatter_path);
    g_free(rom->agent_path);
    g_free(rom);
}

/* --- the scatter --------------------------------------------------------------------------------------------------- */

static bool fits_scatter(const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return strstr(lower, "scatter") && !strstr(lower, "checksum") &&
           (g_str_has_suffix(lower, ".txt") || g_str_has_suffix(lower, ".xml"));
}

/* ROMs of the XML generation carry the same scatter as XML and as text. */
static const char *only_scatter(GPtrArray *found)
{
    if (found->len == 1)
        return found->pdata[0];
    for (guint i = 0; found->len == 2 && i < 2; i++) {
        const char *xml = found->pdata[i], *text = found->pdata[1 - i];
        size_t stem = strlen(xml) - strlen(".xml");
        if (!g_ascii_strcasecmp(xml + stem, ".xml") && strlen(text) == strlen(xml) && !strncmp(xml, text, stem))
            return xml;
    }
    return NULL;
}

static char *find_scatter(const char *folder, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &local);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    if (!dir) {
        mk_fault_set(error, MK_FAULT_FILE, _("The folder %s cannot be read: %s."), folder, local->message);
        return NULL;
    }
    for (const char *name; (name = g_dir_read_name(dir));)
        if (fits_scatter(name))
            g_ptr_array_add(found, g_build_filename(folder, name, NULL));
    if (only_scatter(found))
        return g_strdup(only_scatter(found));
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < found->len; i++)
        g_string_append_printf(names, "\n  %s", (char *)found->pdata[i]);
    mk_fault_set_number(error, MK_FAULT_SCATTER, 5044, "S_DL_SCAT_OPEN_FAIL",
                        found->len ? _("%s holds several scatter files; name the right one with --scatter:%s")
                                   : _("There is no scatter file in %s; name it with --scatter.%s"),
                        folder, names->str);
    return NULL;
}

/* The flash.xml that PATH is, or that lies in the folder PATH where SP Flash Tool has it; NULL: there is none. */
static char *find_flash_xml(const char *path)
{
    static const char *const places[] = {"flash.xml", "download_agent/flash.xml"};
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return mk_flash_xml_is(path) ? g_strdup(path) : NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *place = g_build_filename(path, places[i], NULL);
        if (g_file_test(place, G_FILE_TEST_IS_REGULAR))
            return g_steal_pointer(&place);
    }
    return NULL;
}

/* Where scatter and images are: PATH is a folder, a flash.xml or a scatter; a scatter that was named counts more than what lies there. */
static bool find_parts(MkRom *rom, const char *path, const char *scatter, GError **error)
{
    bool folder = g_file_test(path, G_FILE_TEST_IS_DIR) || !g_file_test(path, G_FILE_TEST_EXISTS);
    g_autofree char *xml = find_flash_xml(path), *named = NULL;
    if (xml && !mk_flash_xml_load(xml, &named, &rom->agent_path, error))
        return false;
    rom->scatter_path = scatter  ? g_strdup(scatter)
                        : named  ? g_steal_pointer(&named)
                        : folder ? find_scatter(path, error)
                                 : g_strdup(path);
    if (!rom->scatter_path)
        return false;
    rom->folder = folder && (scatter || !xml) ? g_strdup(path) : g_path_get_dirname(rom->scatter_path);
    return true;
}

/* --- files --------------------------------------------------------------------------------------------------------- */

/* Prefixes of image files by canonical partition name; the excluded ending last (spec scatter.md 2.5, behaviour.md 3.4). */
static const struct {
    const char *partition, *prefix, *not_ending;
} prefixes[] = {{"preloader", "preloader", NULL},
                {"dsp_bl", "dsp_bl", NULL},
                {"mbr", "mbr", NULL},
                {"ebr1", "ebr1", NULL},
                {"ebr2", "ebr2", NULL},
                {"proinfo", "pro_info", NULL},
                {"lk", "lk", NULL},
                {"lk", "uboot", NULL},
                {"lk", "u-boot", NULL},
                {"lk", "bootloader", NULL},
                {"boot", "boot", "nonsecure"},
                {"recovery", "recovery", "nonsecure"},
                {"secro", "secro", NULL},
                {"system", "system", NULL},
                {"logo", "logo", NULL},
                {"cache", "cache", NULL},
                {"userdata", "userdata", NULL},
                {"fat", "fat", NULL},
                {"tee1", "tz", NULL},
                {"tee2", "tz", NULL},
                {"custpack1", "custpack1", NULL},
                {"custpack2", "custpack2", NULL},
                {"custpack3", "custpack3", NULL},
                {"custpack4", "custpack4", NULL}};

/* The longest prefix that FILE begins with for any partition: "bootloader.bin" is not a boot image. */
static size_t longest_prefix(const char *file)
{
    size_t longest = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (!g_ascii_strncasecmp(file, prefixes[i].prefix, strlen(prefixes[i].prefix)))
            longest = MAX(longest, strlen(prefixes[i].prefix));
    return longest;
}

static bool prefix_matches(const char *canonical, const char *file)
{
    if (g_str_has_suffix(file, ".txt") || g_str_has_suffix(file, ".xml") || g_str_has_suffix(file, ".ini"))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        size_t length = strlen(prefixes[i].prefix);
        if (strcmp(prefixes[i].partition, canonical) || g_ascii_strncasecmp(file, prefixes[i].prefix, length) ||
            length < longest_prefix(file))
            continue;
        g_autofree char *stem = g_strndup(file, strcspn(file, "."));
        if (!prefixes[i].not_ending || !g_str_has_suffix(stem, prefixes[i].not_ending))
            return true;
    }
    return false;
}

static char *by_prefix(MkRom *rom, GPtrArray *names, const MkPartition *partition)
{
    g_autofree char *canonical = mk_partition_canonical(partition->name);
    const char *found = NULL;
    for (guint i = 0; i < names->len; i++) {
        if (!prefix_matches(canonical, names->pdata[i]))
            continue;
        if (found) {
            MkFinding *finding = mk_finding_add(rom->findings, MK_SEVERITY_WARN, "rom.ambiguous", 0,
                                                _("Both %s and %s could be for %s; neither is taken."), found,
                                                (char *)names->pdata[i], partition->name);
            mk_finding_set(finding, partition->name, NULL, _("Take one of them out of the folder."));
            return NULL;
        }
        found = names->pdata[i];
    }
    return found ? g_build_filename(rom->folder, found, NULL) : NULL;
}

static char *existing(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_IS_REGULAR) ? g_steal_pointer(&path) : NULL;
}

static char *with_suffix(const char *name, const char *suffix)
{
    const char *dot = strrchr(name, '.');
    return dot ? g_strdup_printf("%.*s%s%s", (int)(dot - name), name, suffix, dot) : g_strconcat(name, suffix, NULL);
}

/* The name of the scatter; in other case; signed variants only where the plain one is missing, for an open phone wants the plain one. */
static char *by_name(MkRom *rom, GPtrArray *names, const char *file_name)
{
    char *path = existing(rom->folder, file_name);
    for (guint i = 0; !path && i < names->len; i++)
        if (!g_ascii_strcasecmp(names->pdata[i], file_name))
            path = existing(rom->folder, names->pdata[i]);
    static const char *const variants[] = {"-sign", "-verified"};
    for (gsize i = 0; !path && i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *name = with_suffix(file_name, variants[i]);
        path = existing(rom->folder, name);
    }
    return path;
}

static GPtrArray *list_names(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));)
        g_ptr_array_add(names, g_strdup(name));
    return names;
}

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- opening ------------------------------------------------------------------------------------------------------- */

static bool open_item(MkRom *rom, MkRomItem *item, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(MkStore) file = mk_store_file_open(item->path, false, error);
    if (!file)
        return false;
    item->file_size = file->size;
    item->image = mk_image_open(item->path, &item->content, &local);
    if (!item->image) {
        /* A damaged sparse file is a finding of this file, not the end of the ROM. */
        if (mk_fault_code(local) != MK_FAULT_IMAGE_KIND) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        item->content = item->inner = MK_CONTENT_SPARSE;
        MkFinding *finding = mk_finding_add(rom->findings, MK_SEVERITY_BLOCK, "F-SPARSE", 0, "%s", local->message);
        mk_finding_set(finding, item->partition->name, item->path, NULL);
        return true;
    }
    item->inner = item->content;
    if (item->content != MK_CONTENT_SPARSE)
        return true;
    g_autoptr(MkStore) inside = mk_image_as_store(item->image);
    return mk_identify(inside, &item->inner, error);
}

static bool visible(const MkPartition *partition)
{
    MkClass klass = mk_partition_class(partition);
    return partition->download && klass != MK_CLASS_IDENTITY && klass != MK_CLASS_SECURITY &&
           klass != MK_CLASS_RESERVED;
}

static bool add_items(MkRom *rom, GError **error)
{
    g_autoptr(GPtrArray) names = list_names(rom->folder);
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < rom->layout->partitions->len; i++) {
        const MkPartition *partition = rom->layout->partitions->pdata[i];
        MkRomItem *item = g_new0(MkRomItem, 1);
        item->partition = partition;
        g_ptr_array_add(rom->items, item);
        if (partition->file_name)
            item->path = by_name(rom, names, partition->file_name);
        if (!item->path && partition->download)
            item->path = by_prefix(rom, names, partition);
        if (item->path && !open_item(rom, item, error))
            return false;
        item->selected = item->path && visible(partition);
    }
    return true;
}

MkRom *mk_rom_open_folder(const char *folder, const char *scatter, MkStorage storage, GError **error)
{
    g_autoptr(MkRom) rom = g_new0(MkRom, 1);
    rom->findings = mk_findings_new();
    rom->items = g_ptr_array_new_with_free_func(item_free);
    bool found = find_parts(rom, folder, scatter, error);
    g_autoptr(MkLayout) layout = found ? mk_scatter_load(rom->scatter_path, false, rom->findings, error) : NULL;
    if (!layout)
        return NULL;
    rom->layout = storage == MK_STORAGE_UNKNOWN ? mk_layout_ref(layout) : mk_layout_for_storage(layout, storage);
    if (!rom->layout)
        rom->layout = mk_layout_ref(layout); /* the wrong storage is told when it meets the phone */
    if (!add_items(rom, error))
        return NULL;
    mk_rom_read_claims(rom);
    return g_steal_pointer(&rom);
}

/* --- hashing ------------------------------------------------------------------------------------------------------- */

typedef struct {
    MkSha256 *sha;
    MkProgress *progress;
    uint64_t done, total;
} Hashing;

static bool hash_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Hashing *hashing = user_data;
    mk_sha256_update(hashing->sha, data, length);
    hashing->done += length;
    mk_progress_set(hashing->progress, hashing->done, hashing->total);
    return true;
}

bool mk_rom_hash(MkRom *rom, MkProgress *progress, GCancellable *cancel, GError **error)
{
    Hashing hashing = {.progress = progress};
    for (guint i = 0; i < rom->items->len; i++) {
        const MkRomItem *item = rom->items->pdata[i];
        hashing.total += item->selected && !item->sha256 ? item->file_size : 0;
    }
    for (guint i = 0; i < rom->items->len; i++) {
        MkRomItem *item = rom->items->pdata[i];
        if (!item->selected || item->sha256)
            continue;
        g_autoptr(MkStore) file = mk_store_file_open(item->path, false, error);
        hashing.sha = mk_sha256_new();
        bool ok = file && mk_store_read_stream(file, 0, file->size, hash_sink, &hashing, cancel, error);
        item->sha256 = mk_sha256_finish(hashing.sha);
        if (!ok)
            return false;
    }
    mk_progress_done(progress);
    return true;
}
