/* Many images at once, by a scatter that the host sends along (spec da-xml.md 8.15). */
#include "layout/layout.h"
#include "phone/xml-device.h"

#include <string.h>

#define SCATTER_LARGEST (UINT64_C(4) << 20)
#define TABLE_ENTRIES   UINT64_C(0x4000) /* 128 entries of 128 bytes */

/* What the scatter says about this phone's storage, with real addresses; NULL: failed. */
static MkLayout *take_scatter(MkXml *x, const char *source)
{
    g_autoptr(GByteArray) file = mk_xml_download_file(x, "scatter-file", source, SCATTER_LARGEST, false);
    if (!file || x->message)
        return NULL;
    const char *text = file->len ? (const char *)file->data : "";
    g_autoptr(MkLayout) whole = mk_scatter_parse(text, file->len, "scatter.xml", false, NULL, NULL);
    g_autoptr(MkLayout) layout = whole ? mk_layout_for_storage(whole, x->model->geometry.storage) : NULL;
    if (layout && mk_layout_resolve(layout, &x->model->geometry, NULL))
        return g_steal_pointer(&layout);
    mk_xml_fail(x, "%s", "");
    return NULL;
}

/* Nothing is touched on a phone that is laid out otherwise. */
static bool is_laid_out_so(MkXml *x, const MkLayout *scatter)
{
    if (x->table && mk_layout_same(x->table, scatter))
        return true;
    mk_xml_fail(x, "GPT layout change. FW upgrade or Format all first.");
    return false;
}

/* The preloader comes first wherever it stands. */
static int before(gconstpointer a, gconstpointer b)
{
    const MkXmlImage *const *left = a, *const *right = b;
    bool one = g_ascii_strcasecmp((*left)->name, "preloader") == 0;
    bool other = g_ascii_strcasecmp((*right)->name, "preloader") == 0;
    return (int)other - (int)one;
}

static void write_all(MkXml *x, GPtrArray *images)
{
    g_ptr_array_sort(images, before);
    for (guint i = 0; i < images->len && !x->gone; i++) {
        const MkXmlImage *image = images->pdata[i];
        g_autofree char *suffix = g_strdup_printf(" [%u/%u]", i + 1, images->len);
        if (!mk_xml_write_image(x, image->name, image->file, suffix, true) && x->message)
            return;
    }
}

static GPtrArray *need_list(MkXml *x)
{
    GPtrArray *list = mk_xml_flash_list(x);
    if (!list)
        mk_xml_fail(x, "Required XML node path not found. Check command string.");
    return list;
}

void mk_xml_write_partitions(MkXml *x)
{
    g_autofree char *source = mk_xml_need(x, "source_file");
    g_autoptr(GPtrArray) images = need_list(x);
    if (x->message)
        return;
    g_autoptr(MkLayout) scatter = take_scatter(x, source);
    if (scatter && is_laid_out_so(x, scatter))
        write_all(x, images);
}

/* --- FLASH-ALL --------------------------------------------------------------------------------------------------------------------- */

static bool is_listed(const GPtrArray *images, const char *name)
{
    for (guint i = 0; i < images->len; i++)
        if (strcmp(((const MkXmlImage *)images->pdata[i])->name, name) == 0)
            return true;
    return false;
}

/* Exactly the partitions that are for download. */
static bool list_matches(MkXml *x, const MkLayout *scatter, const GPtrArray *images)
{
    guint wanted = 0;
    bool all = true;
    for (guint i = 0; i < scatter->partitions->len; i++) {
        const MkPartition *partition = scatter->partitions->pdata[i];
        wanted += partition->download;
        all = all && (!partition->download || is_listed(images, partition->name));
    }
    if (!all || wanted != images->len)
        mk_xml_fail(x, "Command file list is not match with scatter file.");
    return all && wanted == images->len;
}

/* Version 1: the files lie beside the scatter. */
static GPtrArray *files_beside(const MkLayout *scatter, const char *source, const char *separator)
{
    GPtrArray *images = mk_xml_images_new();
    const char *last = g_strrstr(source, separator);
    g_autofree char *folder = g_strndup(source, (gsize)(last - source) + strlen(separator));
    for (guint i = 0; i < scatter->partitions->len; i++) {
        const MkPartition *partition = scatter->partitions->pdata[i];
        if (!partition->download || !partition->file_name)
            continue;
        g_autofree char *path = g_strconcat(folder, partition->file_name, NULL);
        mk_xml_images_add(images, partition->name, path);
    }
    return images;
}

static bool has_separator(MkXml *x, const char *source, const char *separator)
{
    bool good = *separator && strstr(source, separator);
    if (!good)
        mk_xml_fail(x, "Unknow path separator.");
    return good;
}

void mk_xml_flash_all(MkXml *x)
{
    unsigned minor;
    bool listed = mk_xml_version(x->command, &minor) == 2;
    g_autofree char *separator = mk_xml_need(x, "path_separator"), *source = mk_xml_need(x, "source_file");
    g_autoptr(GPtrArray) images = listed ? need_list(x) : NULL;
    if (x->message || (!listed && !has_separator(x, source, separator)))
        return;
    g_autoptr(MkLayout) scatter = take_scatter(x, source);
    if (!scatter || !is_laid_out_so(x, scatter) || (listed && !list_matches(x, scatter, images)))
        return;
    if (!images)
        images = files_beside(scatter, source, separator);
    write_all(x, images);
}

/* --- FLASH-UPDATE ------------------------------------------------------------------------------------------------------------------- */

/* "FW upgrade": in the one run that was seen (vector 27) the agent erased both copies of the table and then failed. So does this phone, whatever
 * the scatter says: a host that sends it is left with a phone without a table, as it would be. */
void mk_xml_flash_update(MkXml *x)
{
    const MkGeometry *geometry = &x->model->geometry;
    g_autofree char *separator = mk_xml_need(x, "path_separator"), *source = mk_xml_need(x, "source_file");
    g_autofree char *backup = mk_xml_need(x, "backup_folder");
    if (x->message)
        return;
    g_autoptr(MkLayout) scatter = take_scatter(x, source);
    if (!scatter)
        return;
    g_autoptr(GString) folder = g_string_new(backup);
    g_string_append(folder, separator);
    for (unsigned i = 0; i < sizeof x->model->chip_id; i++)
        g_string_append_printf(folder, "%02X", x->model->chip_id[i]);
    g_string_append(folder, separator);
    g_autofree char *record = g_strconcat(folder->str, "record_history.bin", NULL);
    g_free(mk_xml_ask_file(x, "EXISTS", record));
    g_free(mk_xml_ask_file(x, "MKDIR", folder->str));
    MkRegion region = mk_geometry_main_region(geometry);
    uint64_t size = mk_chip_size(x->chip, region), second = TABLE_ENTRIES + geometry->sector;
    MkXmlRange first_copy = {region, 0, second + geometry->sector}, second_copy = {region, size - second, second};
    mk_machine_log(x->machine, "agent: FLASH-UPDATE erases both copies of the table");
    if (mk_xml_has_storage(x) && mk_xml_erase(x, &first_copy, "PGPT") && mk_xml_erase(x, &second_copy, "SGPT"))
        mk_xml_fail(x, "find partition info from partition table failed.\r\n");
    else
        mk_xml_fail(x, "%s", "");
}
