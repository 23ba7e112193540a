#include "phone/model.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"

#include <string.h>

#define GROUP     "phone"
#define WINDOW_MS 2500 /* the handshake time-out (spec brom.md 3.1) */

/* --- keys ---------------------------------------------------------------------------------------------------------------- */

typedef struct {
    GKeyFile *file;
    const char *path;
    GError **error;
    bool failed;
} Keys;

static char *text_of(Keys *keys, const char *key, bool needed)
{
    char *value = g_key_file_get_string(keys->file, GROUP, key, NULL);
    if (!value && needed && !keys->failed) {
        keys->failed = true;
        mk_fault_set(keys->error, MK_FAULT_FILE, _("%s: the key %s is missing."), keys->path, key);
    }
    return value;
}

static uint64_t size_of(Keys *keys, const char *key, bool needed)
{
    g_autofree char *text = text_of(keys, key, needed);
    uint64_t value = 0;
    if (text && !mk_parse_size(text, &value) && !keys->failed) {
        keys->failed = true;
        mk_fault_set(keys->error, MK_FAULT_FILE, _("%s: %s=%s is no number."), keys->path, key, text);
    }
    return value;
}

static bool flag_of(Keys *keys, const char *key)
{
    return g_key_file_get_boolean(keys->file, GROUP, key, NULL);
}

static void hex_of(Keys *keys, const char *key, uint8_t *data, size_t length)
{
    g_autofree char *text = text_of(keys, key, false);
    for (size_t i = 0; text && i < length && strlen(text) >= 2 * length; i++)
        data[i] = (uint8_t)(g_ascii_xdigit_value(text[2 * i]) << 4 | g_ascii_xdigit_value(text[2 * i + 1]));
}

static unsigned list_of(Keys *keys, const char *key, unsigned *values, unsigned max)
{
    gsize count = 0, n = 0;
    g_auto(GStrv) texts = g_key_file_get_string_list(keys->file, GROUP, key, &count, NULL);
    for (; texts && n < MIN(count, max); n++)
        values[n] = (unsigned)g_ascii_strtoull(texts[n], NULL, 0);
    return (unsigned)n;
}

/* --- parts of a model -------------------------------------------------------------------------------------------------------- */

static void read_chip(MkModel *model, Keys *keys)
{
    model->hw_code = (uint16_t)size_of(keys, "hw-code", true);
    model->hw_sub_code = (uint16_t)size_of(keys, "hw-sub-code", true);
    model->hw_version = (uint16_t)size_of(keys, "hw-version", true);
    model->sw_version = (uint16_t)size_of(keys, "sw-version", true);
    model->soc = mk_soc_by_code(model->hw_code, model->hw_sub_code);
    model->dram_size = size_of(keys, "dram", true);
    model->sram_size = size_of(keys, "sram", true);
    model->target_config = (uint32_t)size_of(keys, "target-config", true);
    model->brom_version = 5;
    model->pl_generation = (MkPreloaderGeneration)size_of(keys, "preloader-generation", true);
    model->duplicate_a0 = flag_of(keys, "duplicate-a0");
    model->region_assert = flag_of(keys, "region-assert");
    uint64_t window = size_of(keys, "window-ms", false);
    model->window_ms = window ? (unsigned)MIN(window, G_MAXINT) : WINDOW_MS;
    model->preloader_da_addr = (uint32_t)size_of(keys, "preloader-da-addr", true);
    model->has_me_id = flag_of(keys, "me-id");
    model->has_soc_id = flag_of(keys, "soc-id");
    model->sla_key = text_of(keys, "sla-key", false);
    model->meta_variant = text_of(keys, "meta", true);
    model->emi_version = (uint32_t)size_of(keys, "emi-version", true);
}

static void read_storage(MkModel *model, Keys *keys)
{
    MkGeometry *geometry = &model->geometry;
    g_autofree char *kind = text_of(keys, "storage-kind", true);
    unsigned ids[5] = {0};
    bool nand = g_strcmp0(kind, "NAND") == 0, ufs = g_strcmp0(kind, "UFS") == 0, emmc = !nand && !ufs;
    geometry->storage = nand ? MK_STORAGE_NAND : ufs ? MK_STORAGE_UFS : MK_STORAGE_EMMC;
    geometry->sector = ufs ? 4096 : 512;
    geometry->boot1 = size_of(keys, "boot1", emmc);
    geometry->boot2 = size_of(keys, "boot2", emmc);
    geometry->rpmb = size_of(keys, "rpmb", emmc);
    geometry->user = size_of(keys, "user", emmc);
    geometry->lu[0] = size_of(keys, "lu0", ufs);
    geometry->lu[1] = size_of(keys, "lu1", ufs);
    geometry->lu[2] = size_of(keys, "lu2", ufs);
    geometry->nand_size = size_of(keys, "nand-size", nand);
    geometry->nand_block = (uint32_t)size_of(keys, "nand-block", nand);
    geometry->nand_page = (uint32_t)size_of(keys, "nand-page", nand);
    geometry->nand_spare = (uint32_t)size_of(keys, "nand-spare", nand);
    geometry->pool_blocks = nand ? 80 : 0;
    bool shape = geometry->nand_page >= 512 && geometry->nand_page <= 16384 && geometry->nand_spare >= 32 &&
                 geometry->nand_spare <= MK_NAND_SPARE_MAX && geometry->nand_block % geometry->nand_page == 0;
    if (nand && !keys->failed && !shape) {
        keys->failed = true;
        mk_fault_set(keys->error, MK_FAULT_FILE, _("%s: no NAND has pages, spare bytes and blocks of these sizes."),
                     keys->path);
    }
    model->n_nand_bad = list_of(keys, "nand-bad-blocks", model->nand_bad_blocks, G_N_ELEMENTS(model->nand_bad_blocks));
    list_of(keys, "nand-ids", ids, G_N_ELEMENTS(ids));
    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
        model->nand_ids[i] = (uint16_t)ids[i];
    hex_of(keys, "cid", model->cid, sizeof model->cid);
    model->new_combo = flag_of(keys, "new-combo");
    model->emmc_can_erase = !flag_of(keys, "emmc-only-fills");
    model->fs = g_strdup(nand ? "yaffs2" : "ext4");
}

static void read_identity(MkModel *model, Keys *keys)
{
    static const uint8_t card[9] = {0x15, 0x01, 0x00, 'Q', 'E', '1', '3', 'M', 'B'};
    /* Every model has ids of its own that never change: made from its name. */
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, model->id, -1);
    uint8_t bytes[32];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(g_ascii_xdigit_value(digest[2 * i]) << 4 | g_ascii_xdigit_value(digest[2 * i + 1]));
    memcpy(model->chip_id, bytes, 16);
    memcpy(model->me_id, bytes + 8, 16);
    memcpy(model->soc_id, bytes, 32);
    memcpy(model->hrid, bytes + 16, 16);
    if (model->cid[0] == 0 && model->geometry.storage == MK_STORAGE_EMMC) {
        memcpy(model->cid, card, sizeof card);
        memcpy(model->cid + sizeof card, bytes + 20, 7);
    }
    model->brand = text_of(keys, "brand", true);
    model->model_name = text_of(keys, "model", true);
    model->device = text_of(keys, "device", true);
    model->project = text_of(keys, "project", true);
    model->build = text_of(keys, "build", true);
    model->android = text_of(keys, "android", true);
}

/* A path as it is, or one beside the model's file. */
static char *beside(Keys *keys, const char *key)
{
    g_autofree char *name = text_of(keys, key, false), *folder = g_path_get_dirname(keys->path);
    return !name || g_path_is_absolute(name) ? g_steal_pointer(&name) : g_build_filename(folder, name, NULL);
}

/* What is told by the agents of 2015 and later (spec da-xflash.md 6.1, 11). */
static void read_agent(MkModel *model, Keys *keys)
{
    g_autofree char *dialect = text_of(keys, "dialect", false);
    model->agent_release = text_of(keys, "agent-release", true);
    model->flavour = text_of(keys, "flavour", false);
    model->agent_key = beside(keys, "agent-key");
    model->ufs_model = text_of(keys, "ufs-model", model->geometry.storage == MK_STORAGE_UFS);
    model->life_a = (uint8_t)size_of(keys, "life-a", false);
    model->life_b = (uint8_t)size_of(keys, "life-b", false);
    model->pre_eol = (uint8_t)size_of(keys, "pre-eol", false);
    model->dram_type = (uint32_t)size_of(keys, "dram-type", false);
    model->rpmb_key = flag_of(keys, "rpmb-key");
    model->ab = flag_of(keys, "ab");
    model->dialect = !dialect || strcmp(dialect, "legacy") == 0 ? MK_DA_LEGACY
                     : strcmp(dialect, "xflash") == 0           ? MK_DA_XFLASH
                     : strcmp(dialect, "xml") == 0              ? MK_DA_XML
                                                                : MK_DA_UNKNOWN;
    /* What a preloader that verifies takes (spec brom.md, table of platforms). */
    model->preloader_da_max = model->dialect == MK_DA_LEGACY ? 0x30000 : 0x40000;
    if (model->dialect == MK_DA_UNKNOWN && !keys->failed) {
        keys->failed = true;
        mk_fault_set(keys->error, MK_FAULT_FILE, _("%s: dialect=%s is not known."), keys->path, dialect);
    }
}

static bool read_table(MkModel *model, Keys *keys)
{
    static const char *const names[] = {"mbr+pmt", "mbr", "gpt", "nand-pmt"};
    g_autofree char *table = text_of(keys, "table", true);
    for (unsigned i = 0; table && i < G_N_ELEMENTS(names); i++) {
        if (strcmp(table, names[i]) == 0) {
            model->table = i;
            return true;
        }
    }
    if (!keys->failed)
        mk_fault_set(keys->error, MK_FAULT_FILE, _("%s: table=%s is not known."), keys->path, table);
    return false;
}

/* The stock layout is told by a scatter beside the model: text, or XML where the agents speak XML. A combo scatter has a section for
 * each storage that the chip can have. */
static bool read_layout(MkModel *model, const char *path, GError **error)
{
    bool xml = model->dialect == MK_DA_XML;
    g_autofree char *stem = g_strndup(path, strlen(path) - strlen(".ini"));
    g_autofree char *scatter = g_strconcat(stem, xml ? ".scatter.xml" : ".scatter.txt", NULL);
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(scatter, &model->scatter_text, NULL, &local)) {
        mk_fault_set(error, MK_FAULT_FILE, "%s", local->message);
        return false;
    }
    /* A v0 scatter tells chip and storage by the name that it has in a ROM. */
    g_autofree char *name =
        g_strdup_printf("%s_Android_scatter%s.%s", mk_soc_name(model->soc),
                        model->geometry.storage == MK_STORAGE_EMMC ? "_emmc" : "", xml ? "xml" : "txt");
    g_autoptr(MkLayout) whole =
        mk_scatter_parse(model->scatter_text, strlen(model->scatter_text), name, false, NULL, error);
    model->layout = whole ? mk_layout_for_storage(whole, model->geometry.storage) : NULL;
    if (whole && !model->layout)
        mk_fault_set(error, MK_FAULT_SCATTER, _("%s has no layout for this phone's storage."), scatter);
    if (!model->layout || !mk_layout_resolve(model->layout, &model->geometry, error))
        return false;
    model->header = model->layout->header;
    return true;
}

/* --- finding --------------------------------------------------------------------------------------------------------------------- */

static char *data_folder(const char *root)
{
    return g_build_filename(root, "phones", NULL);
}

static GPtrArray *folders(void)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
    const char *root = g_getenv("MEDIK_DATA_DIR");
    if (root && *root)
        g_ptr_array_add(list, data_folder(root));
    g_ptr_array_add(list, data_folder(MEDIK_BUILD_DATA_DIR));
    g_ptr_array_add(list, data_folder(MEDIK_DATA_DIR));
    return list;
}

static char *find(const char *name)
{
    if (g_str_has_suffix(name, ".ini"))
        return g_strdup(name);
    g_autoptr(GPtrArray) list = folders();
    g_autofree char *base = g_strconcat(name, ".ini", NULL);
    for (guint i = 0; i < list->len && !strchr(name, '/'); i++) {
        char *path = g_build_filename(list->pdata[i], base, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return path;
        g_free(path);
    }
    return NULL;
}

MkModel *mk_model_load(const char *name, GError **error)
{
    g_autofree char *path = find(name);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) local = NULL;
    if (!path) {
        mk_fault_set(error, MK_FAULT_USAGE, _("There is no virtual phone \"%s\"; `medik phone --list` names them."),
                     name);
        return NULL;
    }
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &local)) {
        mk_fault_set(error, MK_FAULT_FILE, "%s: %s", path, local->message);
        return NULL;
    }
    g_autoptr(MkModel) model = g_new0(MkModel, 1);
    g_autofree char *base = g_path_get_basename(path);
    Keys keys = {.file = file, .path = path, .error = error};
    model->id = g_strndup(base, strlen(base) - strlen(".ini"));
    model->title = text_of(&keys, "title", true);
    read_chip(model, &keys);
    read_storage(model, &keys);
    read_identity(model, &keys);
    read_agent(model, &keys);
    if (keys.failed || !read_table(model, &keys))
        return NULL;
    if (!model->soc) {
        mk_fault_set(error, MK_FAULT_FILE, _("%s: no chip has the code %04X."), path, model->hw_code);
        return NULL;
    }
    return read_layout(model, path, error) ? g_steal_pointer(&model) : NULL;
}

void mk_model_free(MkModel *model)
{
    if (!model)
        return;
    char *texts[] = {model->id,           model->title,   model->meta_variant, model->sla_key, model->agent_release,
                     model->scatter_text, model->brand,   model->model_name,   model->device,  model->project,
                     model->build,        model->android, model->fs,           model->flavour, model->agent_key,
                     model->ufs_model};
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_clear_pointer(&model->layout, mk_layout_unref);
    g_free(model);
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *mk_model_list(void)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) list = folders();
    for (guint i = 0; i < list->len; i++) {
        g_autoptr(GDir) dir = g_dir_open(list->pdata[i], 0, NULL);
        for (const char *name; dir && (name = g_dir_read_name(dir));) {
            g_autofree char *stem = g_str_has_suffix(name, ".ini") ? g_strndup(name, strlen(name) - 4) : NULL;
            if (stem && !g_ptr_array_find_with_equal_func(names, stem, g_str_equal, NULL))
                g_ptr_array_add(names, g_steal_pointer(&stem));
        }
    }
    g_ptr_array_sort(names, compare_texts);
    return names;
}
