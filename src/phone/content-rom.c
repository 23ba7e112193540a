/* The stock ROM of a model, as a folder. */
#include "phone/content-private.h"

#include "core/fault.h"
#include "core/i18n.h"

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
        g_autoptr(GError) local = NULL;
        g_autoptr(GBytes) bytes = name ? mk_make_image(model, canonical, &local) : NULL;
        if (local) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (bytes && !write_file(folder, name, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), error))
            return false;
    }
    return write_tables(model, folder, error) &&
           write_file(folder, scatter, model->scatter_text, strlen(model->scatter_text), error);
}
