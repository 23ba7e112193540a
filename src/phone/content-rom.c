/* The stock ROM of a model, as a folder. */
#include "phone/content-private.h"

#include "core/fault.h"
#include "core/i18n.h"
#include "image/image.h"

#include <errno.h>
#include <string.h>

/* What ROM folders call the images that a v0 scatter only implies. */
static const struct {
    const char *partition, *file;
} usual_names[] = {{"dsp_bl", "DSP_BL"},         {"lk", "lk.bin"},       {"boot", "boot.img"},
                   {"recovery", "recovery.img"}, {"secro", "secro.img"}, {"logo", "logo.bin"},
                   {"system", "system.img"},     {"cache", "cache.img"}, {"userdata", "userdata.img"}};

static char *file_name(const MkModel *model, const MkPartition *partition, const char *canonical)
{
    if (partition->file_name)
        return g_strdup(partition->file_name);
    if (strcmp(canonical, "preloader") == 0)
        return g_strdup_printf("preloader_%s.bin", model->project);
    if (model->layout->kind != MK_LAYOUT_SCATTER_V0 || partition->hidden)
        return NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(usual_names); i++) {
        if (strcmp(canonical, usual_names[i].partition) == 0)
            return g_strdup(usual_names[i].file);
    }
    return NULL;
}

static bool write_file(const char *folder, const char *name, const void *data, size_t length, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) local = NULL;
    if (g_file_set_contents(path, data, (gssize)length, &local))
        return true;
    mk_fault_set(error, MK_FAULT_FILE, "%s", local->message);
    return false;
}

/* MBR and EBRs go out as files of their own, one sector each. */
static bool write_tables(const MkModel *model, const char *folder, GError **error)
{
    if (model->table != MK_TABLE_MBR && model->table != MK_TABLE_MBR_PMT)
        return true;
    g_autoptr(GPtrArray) patches = mk_mbr_encode(model->layout, &model->geometry, error);
    for (guint i = 0; patches && i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        for (guint k = 0; k < model->layout->partitions->len; k++) {
            const MkPartition *partition = model->layout->partitions->pdata[k];
            if (partition->region == patch->region && partition->start == patch->offset &&
                (g_str_has_suffix(partition->name, "MBR") || strstr(partition->name, "EBR")) &&
                !write_file(folder, partition->name, g_bytes_get_data(patch->data, NULL), g_bytes_get_size(patch->data),
                            error))
                return false;
        }
    }
    return patches != NULL;
}

/* --- sparse files, and what ROMs for XML agents have beside their images -------------------------------------------------------- */

/* File systems travel sparse in ROMs of this era, `super` with all the room behind its partitions. */
static bool is_sparse(const MkModel *model, const char *canonical)
{
    static const char *const names[] = {"super", "system", "vendor", "userdata", "cache", "cust", "rescue", NULL};
    return model->dialect != MK_DA_LEGACY && g_strv_contains(names, canonical);
}

/* What SIZE has behind the last byte of BYTES is a hole. */
static bool write_sparse(const char *folder, const char *name, GBytes *bytes, uint64_t size, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(MkImage) image = mk_image_bytes_new(bytes);
    MkExtent room = {.kind = MK_EXTENT_HOLE, .offset = image->size, .length = MAX(size, image->size) - image->size};
    image->size += room.length;
    if (room.length)
        g_array_append_val(image->extents, room);
    return mk_sparse_write(image, path, false, NULL, error);
}

static bool write_image(const MkModel *model, const MkPartition *partition, const char *canonical, const char *folder,
                        const char *name, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GBytes) bytes = mk_make_image(model, canonical, &local);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (local) {
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    /* Copies of a partition share their file. */
    if (!bytes || g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    if (is_sparse(model, canonical))
        return write_sparse(folder, name, bytes, strcmp(canonical, "super") == 0 ? partition->size : 0, error);
    return write_file(folder, name, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error);
}

/* SP Flash Tool v6 opens this and finds scatter and agent through it (spec scatter.md 4.4, hosts.md). */
static bool write_flash_xml(const MkModel *model, const char *folder, const char *scatter, GError **error)
{
    if (model->dialect != MK_DA_XML)
        return true;
    static const char schema[] = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                                 "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n"
                                 "  <xs:element name=\"flash-mode\">\n    <xs:complexType>\n      <xs:sequence>\n"
                                 "        <xs:element name=\"scatter\" type=\"xs:string\"/>\n"
                                 "        <xs:element name=\"dagent\" type=\"xs:string\"/>\n"
                                 "        <xs:element name=\"contact\" type=\"xs:string\" minOccurs=\"0\"/>\n"
                                 "      </xs:sequence>\n    </xs:complexType>\n  </xs:element>\n</xs:schema>\n";
    g_autofree char *place = g_build_filename(folder, "download_agent", NULL);
    g_autofree char *text = g_strdup_printf("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<flash-mode>\n"
                                            "  <scatter>../%s</scatter>\n  <dagent>DA_BR.bin</dagent>\n"
                                            "  <contact>Made for a virtual phone by Medik</contact>\n</flash-mode>\n",
                                            scatter);
    g_autoptr(GBytes) agent = mk_content_make_da(model->agent_release, error);
    if (!agent || g_mkdir_with_parents(place, 0755) != 0)
        return false;
    return write_file(place, "flash.xml", text, strlen(text), error) &&
           write_file(place, "flash.xsd", schema, strlen(schema), error) &&
           write_file(place, "DA_BR.bin", g_bytes_get_data(agent, NULL), g_bytes_get_size(agent), error);
}

bool mk_content_make_rom(const MkModel *model, const char *folder, GError **error)
{
    g_autofree char *scatter = mk_scatter_file_name(model->layout);
    if (g_mkdir_with_parents(folder, 0755) != 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot make the folder"), folder);
        return false;
    }
    for (guint i = 0; i < model->layout->partitions->len; i++) {
        const MkPartition *partition = model->layout->partitions->pdata[i];
        g_autofree char *canonical = mk_partition_canonical(partition->name);
        g_autofree char *name = file_name(model, partition, canonical);
        if (name && !write_image(model, partition, canonical, folder, name, error))
            return false;
    }
    return write_tables(model, folder, error) && write_flash_xml(model, folder, scatter, error) &&
           write_file(folder, scatter, model->scatter_text, strlen(model->scatter_text), error);
}
