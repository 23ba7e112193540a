/* A layout out of a file of any kind: a scatter, a listing, the image of a table, or the dump of a whole user area. */
#include "cli/cli.h"

#include "core/i18n.h"

#include <string.h>

#define LARGEST_TEXT (4u << 20)
#define LARGEST_GPT  (1u << 20)

static bool looks_like_text(const char *data, size_t length)
{
    /* UTF-16 is text too; the scatter reader knows its mark. */
    if (length >= 2 && (!memcmp(data, "\xFF\xFE", 2) || !memcmp(data, "\xFE\xFF", 2)))
        return true;
    for (size_t i = 0; i < MIN(length, 512); i++) {
        if ((uint8_t)data[i] < 9)
            return false;
    }
    return true;
}

/* What one reader said of a file it could not read is nothing to the user when another one can. */
static void take_findings(GPtrArray *findings, GPtrArray *from)
{
    while (findings && from->len)
        g_ptr_array_add(findings, g_ptr_array_steal_index(from, 0));
}

static MkLayout *from_text(const char *data, size_t length, const char *name, GPtrArray *findings, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GPtrArray) scatter = mk_findings_new(), listing = mk_findings_new();
    MkLayout *layout = mk_scatter_parse(data, length, name, false, scatter, &local);
    if (layout) {
        take_findings(findings, scatter);
        return layout;
    }
    layout = mk_dumchar_parse(data, length, listing, NULL);
    take_findings(findings, layout ? listing : scatter);
    if (!layout)
        g_propagate_error(error, g_steal_pointer(&local));
    return layout;
}

/* GPT, PMT or MBR in what may be the user area of a phone, or only its beginning. */
static MkLayout *from_dump(MkStore *store, GPtrArray *findings, GError **error)
{
    g_autoptr(MkTable) gpt = mk_gpt_read(store, findings, NULL, error);
    if (!gpt || gpt->layout)
        return gpt ? mk_layout_ref(gpt->layout) : NULL;
    MkGeometry geometry = {.storage = MK_STORAGE_EMMC, .user = store->size, .sector = 512};
    g_autoptr(MkTable) pmt = mk_pmt_read(store, &geometry, findings, NULL, error);
    if (!pmt || pmt->layout)
        return pmt ? mk_layout_ref(pmt->layout) : NULL;
    g_autoptr(MkTable) mbr = mk_mbr_read(store, findings, NULL, error);
    if (!mbr || mbr->layout)
        return mbr ? mk_layout_ref(mbr->layout) : NULL;
    mk_fault_set(error, MK_FAULT_TABLE_BAD,
                 mbr->primary == MK_COPY_BAD
                     ? _("%s is an MBR sector alone: without its EBR sectors and a scatter it names no partitions.")
                     : _("There is no scatter, no listing and no whole partition table in %s (the GPT templates of a "
                         "ROM become whole only on a phone)."),
                 store->name);
    return NULL;
}

MkLayout *mk_cli_load_layout(const char *path, GPtrArray *findings, GError **error)
{
    g_autoptr(MkStore) store = mk_store_file_open(path, false, error);
    if (!store)
        return NULL;
    size_t length = (size_t)MIN(store->size, LARGEST_TEXT);
    g_autofree char *data = g_malloc(length + 1), *name = g_path_get_basename(path);
    if (!mk_store_read(store, 0, data, length, NULL, error))
        return NULL;
    if (looks_like_text(data, length))
        return from_text(data, length, name, findings, error);
    if (length >= 8 && !memcmp(data, "EFI PART", 8))
        return mk_gpt_parse_file(data, MIN(length, LARGEST_GPT), findings, error);
    return from_dump(store, findings, error);
}
