/* What goes by the name of a partition in the phone's own table (spec da-xml.md 8.11, 8.13, 8.14). */
#include "phone/boot-area.h"
#include "core/hash.h"
#include "phone/xml-device.h"

#include <string.h>

#define SIDE_LARGEST      (UINT64_C(1) << 20)
#define PRELOADER_LARGEST (UINT64_C(4) << 20)

/* Exactly this name, as an agent compares it. */
static bool find(const MkXml *x, const char *name, MkXmlRange *range)
{
    for (guint i = 0; x->table && i < x->table->partitions->len; i++) {
        const MkPartition *partition = x->table->partitions->pdata[i];
        if (strcmp(partition->name, name) != 0)
            continue;
        *range = (MkXmlRange){mk_geometry_main_region(&x->model->geometry), partition->start, partition->size};
        return true;
    }
    return false;
}

/* offset and length are not looked at. */
void mk_xml_read_partition(MkXml *x)
{
    g_autofree char *name = mk_xml_need(x, "partition"), *target = mk_xml_need(x, "target_file");
    MkXmlRange range;
    if (x->message)
        return;
    if (find(x, name, &range))
        mk_xml_upload_range(x, name, target, &range);
    else
        mk_xml_fail(x, "Cannot find [%s] in partition table.", name);
}

void mk_xml_erase_partition(MkXml *x)
{
    g_autofree char *name = mk_xml_need(x, "partition");
    MkXmlRange range;
    if (x->message)
        return;
    if (find(x, name, &range))
        mk_xml_erase(x, &range, name);
    else
        mk_xml_fail(x, "Find [%s] from partition table failed.\r\n", name);
}

/* --- WRITE-PARTITION --------------------------------------------------------------------------------------------------------------- */

static bool exists(MkXml *x, const char *path)
{
    g_autofree char *answer = mk_xml_ask_file(x, "EXISTS", path);
    return answer && strcmp(answer, "EXISTS") == 0;
}

/* Of "x/boot.img": "x/boot" and ".img". */
static char *base_of(const char *file, const char **extension)
{
    const char *dot = strrchr(file, '.'), *slash = strpbrk(dot ? dot : file, "/\\");
    *extension = dot && !slash ? dot : file + strlen(file);
    return g_strndup(file, (gsize)(*extension - file));
}

/* A signature beside the image is fetched, a signed twin of the image takes its place. What is to be sent: caller frees. NULL: failed. */
static char *choose_file(MkXml *x, const char *file)
{
    const char *extension;
    g_autofree char *base = base_of(file, &extension), *signature = g_strconcat(base, ".sig", NULL);
    g_autofree char *verified = g_strconcat(base, "-verified", extension, NULL);
    bool has_signature = exists(x, signature), has_twin = exists(x, verified);
    if (has_signature && !x->gone) {
        g_autoptr(GByteArray) bytes = mk_xml_download_file(x, "Signature", signature, SIDE_LARGEST, false);
        if (!bytes)
            return NULL;
    }
    return x->gone ? NULL : g_strdup(has_twin ? verified : file);
}

static void add_feedback(MkXml *x, const char *name, const char *file, uint32_t sum)
{
    g_autofree char *shown = mk_xml_escape(name), *path = mk_xml_escape(file);
    g_string_append_printf(x->feedback, "<item pt=\"%s\" image_chksum=\"0x%x\" file=\"%s\"/>", shown, sum, path);
}

/* The header is written last, and only when all of the image has come. */
static bool take_preloader(MkXml *x, const char *info, const char *source, uint32_t *sum)
{
    bool invalid;
    uint64_t area = mk_chip_size(x->chip, mk_geometry_boot_region(&x->model->geometry, 0));
    g_autoptr(GByteArray) file = mk_xml_download_file(x, info, source, MIN(PRELOADER_LARGEST, area), true);
    if (!file || !file->len)
        return false;
    MkChipResult result = mk_boot_area_store(x->chip, &x->model->geometry, file->data, file->len, &invalid);
    if (!mk_xml_stored(x, result))
        mk_xml_fail(x, "%s", "");
    *sum = x->storage_sums ? mk_sum32(0, file->data, file->len) : 0;
    return !x->message;
}

bool mk_xml_write_image(MkXml *x, const char *name, const char *file, const char *suffix, bool erase_first)
{
    bool preloader = g_ascii_strcasecmp(name, "preloader") == 0 && mk_xml_has_storage(x);
    MkRegion boot = mk_geometry_boot_region(&x->model->geometry, 0);
    MkXmlRange range = {boot, 0, preloader ? mk_chip_size(x->chip, boot) : 0};
    const char *label = preloader ? "PRELOADER" : name;
    uint32_t sum = 0;
    if (!preloader && !find(x, name, &range)) {
        mk_xml_fail(x, "Cannot find [%s] info from partition table.\r\n", name);
        return false;
    }
    if (erase_first && !mk_xml_erase(x, &range, label))
        return false;
    g_autofree char *source = choose_file(x, file), *info = g_strconcat(label, suffix, NULL);
    if (!source)
        return false;
    bool good = preloader ? take_preloader(x, info, source, &sum) : mk_xml_take_image(x, info, source, &range, 0, &sum);
    if (good)
        add_feedback(x, name, source, sum);
    return good;
}

void mk_xml_write_partition(MkXml *x)
{
    g_autofree char *name = mk_xml_need(x, "partition"), *source = mk_xml_need(x, "source_file");
    g_autofree char *erase = mk_xml_arg(x, "pre_erase");
    if (!x->message)
        mk_xml_write_image(x, name, source, "", g_strcmp0(erase, "NO") != 0);
}
