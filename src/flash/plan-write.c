/* Plans for one image: to a partition by the phone's own table, or to a raw range. */
#include "flash/plan-internal.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "flash/file-hash.h"

#include <string.h>

/* The partition of that name, or both slots of it. Borrowed elements; NULL: a fault. */
static GPtrArray *find_partitions(MkSession *session, const char *name, GError **error)
{
    if (!session->layout) {
        mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
                            _("The phone has no readable partition table, so %s cannot be found by name."), name);
        return NULL;
    }
    g_autoptr(GPtrArray) found = mk_layout_find_all(session->layout, name);
    if (found->len)
        return g_steal_pointer(&found);
    mk_layout_fault_no_such(session->layout, name, false, 0xC0040006, "STATUS_PARTITON_NOT_FOUND", error);
    return NULL;
}

static void note_pair(MkPlan *plan, const GPtrArray *pair)
{
    if (pair->len > 1)
        mk_plan_note(plan, _("Both slots, %s and %s; name one of them to touch only that one."),
                     ((const MkPartition *)pair->pdata[0])->name, ((const MkPartition *)pair->pdata[1])->name);
}

/* Boot regions stand in no table: they are called preloader, whatever the table says. */
static MkPartition *preloader_partition(MkSession *session)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    MkRegion first = mk_geometry_boot_region(geometry, 0);
    uint64_t size = mk_geometry_region_size(geometry, first);
    if (!size || geometry->storage == MK_STORAGE_NAND)
        return NULL;
    bool ufs = geometry->storage == MK_STORAGE_UFS;
    MkRegion pair = ufs ? MK_REGION_LU0_LU1 : MK_REGION_BOOT1_BOOT2;
    bool both = mk_geometry_region_size(geometry, mk_region_copy(pair, 1));
    MkPartition partition = {.name = (char *)"preloader",
                             .region = both ? pair : first,
                             .size = size,
                             .type = MK_TYPE_SV5_BL_BIN,
                             .operation = MK_OP_BOOTLOADERS,
                             .storage = geometry->storage,
                             .resolved = true};
    return mk_partition_copy(&partition);
}

/* Does the content belong into this partition? A preloader file in a preloader's place of the same board, never anything else there. */
static bool check_preloader(MkSession *session, const char *path, MkPlan *plan, GError **error)
{
    g_autoptr(MkPreloader) preloader = mk_preloader_load(path, NULL, error);
    if (!preloader)
        return false;
    if (preloader->kind == MK_CONTENT_EMI_BLOCK) {
        mk_fault_set_number(error, MK_FAULT_IMAGE_KIND, 5066, "S_DL_PC_BL_INVALID_GFH_FILE_INFO",
                            _("%s holds only memory settings cut out of a preloader; it cannot be written to a phone."),
                            path);
        return false;
    }
    if (preloader->chip && !mk_soc_accepts(session->target->soc, preloader->chip)) {
        mk_fault_set_number(error, MK_FAULT_CHIP, 3184, "S_CHIP_TYPE_NOT_MATCH",
                            _("%s is a preloader for %s, this phone has %s."), path, preloader->chip,
                            mk_soc_name(session->target->soc));
        return false;
    }
    if (session->preloader_project && preloader->project &&
        g_ascii_strcasecmp(session->preloader_project, preloader->project))
        mk_plan_gate(plan, MK_GATE_DANGER, "I-PROJECT-PHONE",
                     _("Your phone's starter is '%s', the file's is '%s': different boards."),
                     session->preloader_project, preloader->project);
    MkPhoneFacts facts = mk_session_facts(session);
    if (preloader->emi && facts.memory_id_length &&
        mk_emi_match(preloader->emi, facts.memory_id, facts.memory_id_length) == MK_EMI_NOT_LISTED)
        mk_plan_gate(plan, MK_GATE_DANGER, "I-DRAM",
                     _("%s does not know your phone's memory chip: the phone would not start with it."), path);
    return true;
}

/* Will it start there? (spec checks.md 5) */
static bool check_boot_image(MkSession *session, MkStore *file, bool recovery, const char *path, MkPlan *plan,
                             GError **error)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autoptr(GPtrArray) findings = mk_findings_new();
    mk_check_boot_image(file, recovery, mk_soc_name(session->target->soc), base, findings);
    while (findings->len) {
        MkFinding *finding = g_ptr_array_steal_index(findings, 0);
        g_ptr_array_add(plan->findings, finding);
        if (finding->severity == MK_SEVERITY_DANGER)
            mk_plan_gate(plan, MK_GATE_DANGER, finding->id, "%s", finding->message);
        if (finding->severity != MK_SEVERITY_BLOCK)
            continue;
        mk_fault_set(error, MK_FAULT_IMAGE_KIND, "%s", finding->message);
        return false;
    }
    return true;
}

static bool check_kind(MkSession *session, const MkPartition *partition, const char *path, MkPlan *plan, GError **error)
{
    g_autofree char *name = mk_partition_base(partition->name);
    g_autoptr(MkStore) file = mk_store_file_open(path, false, error);
    MkContent content;
    if (!file || !mk_identify(file, &content, error))
        return false;
    if (content == MK_CONTENT_HTML || content == MK_CONTENT_EMI_BLOCK || content == MK_CONTENT_DA) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("%s is %s, nothing that belongs on a phone."), path,
                     mk_content_words(content));
        return false;
    }
    bool is_preloader = content == MK_CONTENT_PRELOADER || content == MK_CONTENT_PRELOADER_BOOT_HEADER,
         wants = !strcmp(name, "preloader");
    if (is_preloader != wants) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("%s is %s and does not belong into %s."), path,
                     mk_content_words(content), partition->name);
        return false;
    }
    if (wants)
        return check_preloader(session, path, plan, error);
    bool recovery = !strcmp(name, "recovery");
    if (!recovery && strcmp(name, "boot"))
        return true;
    if (content == MK_CONTENT_BOOT)
        return check_boot_image(session, file, recovery, path, plan, error);
    if (content != MK_CONTENT_SPARSE)
        mk_plan_gate(plan, MK_GATE_DANGER, "F-KIND", _("%s is %s, but %s needs an Android boot image."), path,
                     mk_content_words(content), partition->name);
    return true;
}

#define LARGEST_UNDO (UINT64_C(512) << 20)

/* A copy of what the image will overwrite: of a loader all that is there, else up to the end of the image's last data. What is large and comes out of a
 * ROM is not copied, as a flash does not. */
static bool add_undo(MkPlan *plan, const MkPartition *partition, const char *path, GError **error)
{
    MkContent content;
    g_autoptr(MkImage) image = mk_image_open(path, &content, error);
    if (!image)
        return false;
    MkPartition part = *partition;
    uint64_t end = 0;
    for (guint i = 0; i < image->extents->len; i++) {
        const MkExtent *extent = &g_array_index(image->extents, MkExtent, i);
        if (extent->kind != MK_EXTENT_HOLE)
            end = MAX(end, extent->offset + extent->length);
    }
    if (mk_partition_class(partition) != MK_CLASS_BOOT)
        part.size = MIN(part.size, mk_round_up(end, 4096));
    if (part.size <= LARGEST_UNDO)
        mk_plan_add_undo(plan, &part);
    else
        mk_plan_note(plan, _("No copy is kept of what is in %s now: it is large. `medik save` makes one."),
                     partition->name);
    return true;
}

static bool add_write(MkSession *session, MkPlan *plan, const MkPartition *partition, const char *path,
                      const char *sha256, GError **error)
{
    mk_plan_gate_class(plan, partition, false);
    if (session->agent->info.storage != MK_STORAGE_NAND && mk_partition_class(partition) != MK_CLASS_USER &&
        !add_undo(plan, partition, path, error))
        return false;
    return mk_plan_add_image(plan, session, partition, path, sha256, error) != NULL;
}

static bool write_to(MkSession *session, MkPlan *plan, const GPtrArray *partitions, const char *path,
                     const char *sha256, const MkConsent *consent, GError **error)
{
    note_pair(plan, partitions);
    if (!check_kind(session, partitions->pdata[0], path, plan, error) ||
        !mk_plan_save_identity(session, NULL, consent, plan, error))
        return false;
    for (guint i = 0; i < partitions->len; i++)
        if (!add_write(session, plan, partitions->pdata[i], path, sha256, error))
            return false;
    mk_plan_gate_yes(plan);
    return true;
}

MkPlan *mk_plan_write_partition(MkSession *session, const char *name, const char *path, const MkConsent *consent,
                                GError **error)
{
    g_autofree char *canonical = mk_partition_canonical(name), *sha256 = mk_file_sha256(path, error),
                    *title = g_strdup_printf(_("Write %s to %s"), path, name);
    if (!sha256)
        return NULL;
    g_autoptr(MkPlan) plan = mk_plan_new(title, session->id);
    mk_plan_set_job(plan, "write partition", canonical, sha256, NULL);
    MkPlan *kept;
    if (mk_plan_continue(session, plan, consent, &kept, error))
        return kept;
    MkPartition *own = !strcmp(canonical, "preloader") ? preloader_partition(session) : NULL;
    g_autoptr(GPtrArray) partitions = own ? g_ptr_array_new() : find_partitions(session, name, error);
    if (own)
        g_ptr_array_add(partitions, own);
    bool ok = partitions && write_to(session, plan, partitions, path, sha256, consent, error);
    g_clear_pointer(&own, mk_partition_free);
    return ok ? g_steal_pointer(&plan) : NULL;
}

/* Which partitions does a raw range touch? Each counts with its own gates. */
static void gate_range(MkSession *session, MkPlan *plan, MkRegion region, uint64_t offset, uint64_t length, bool erase)
{
    for (guint i = 0; session->layout && i < session->layout->partitions->len; i++) {
        const MkPartition *partition = session->layout->partitions->pdata[i];
        if (partition->region != region || partition->start >= offset + length ||
            offset >= partition->start + partition->size)
            continue;
        mk_plan_note(plan, _("The range touches %s (%s)."), partition->name,
                     mk_class_words(mk_partition_class(partition)));
        mk_plan_gate_class(plan, partition, erase);
    }
}

MkPlan *mk_plan_write_range(MkSession *session, MkRegion region, uint64_t offset, const char *path,
                            const MkConsent *consent, GError **error)
{
    MkContent content;
    g_autofree char *sha256 = mk_file_sha256(path, error);
    g_autoptr(MkImage) image = sha256 ? mk_image_open(path, &content, error) : NULL;
    MkStore *store = image ? mk_session_store(session, region, error) : NULL;
    if (!store)
        return NULL;
    if (offset > store->size || image->size > store->size - offset || offset % MAX(store->block_size, 1)) {
        mk_fault_set_number(error, MK_FAULT_RANGE, 8505, "ERROR_ILLEGAL_ADDRESS",
                            _("%s does not fit at 0x%" G_GINT64_MODIFIER "x of %s (size 0x%" G_GINT64_MODIFIER
                              "x, steps of %u bytes)."),
                            path, offset, mk_region_name(region), store->size, store->block_size);
        return NULL;
    }
    g_autofree char *title =
        g_strdup_printf(_("Write %s to %s at 0x%" G_GINT64_MODIFIER "x"), path, mk_region_name(region), offset);
    g_autofree char *where = g_strdup_printf("%d+%" G_GUINT64_FORMAT, region, offset);
    g_autoptr(MkPlan) plan = mk_plan_new(title, session->id);
    mk_plan_set_job(plan, "write range", where, sha256, NULL);
    MkPlan *kept;
    if (mk_plan_continue(session, plan, consent, &kept, error))
        return kept;
    if (!mk_plan_save_identity(session, NULL, consent, plan, error))
        return NULL;
    gate_range(session, plan, region, offset, image->size, false);
    mk_plan_gate(plan, MK_GATE_EXPERT, NULL, _("Writing by address knows no partitions."));
    MkPartition range = {.name = (char *)"range",
                         .region = region,
                         .start = offset,
                         .size = image->size,
                         .resolved = true,
                         .type = MK_TYPE_NORMAL_ROM};
    mk_plan_add_undo(plan, &range);
    MkStep *step = mk_plan_add(plan, MK_STEP_WRITE, "range", region, offset, image->size);
    step->path = g_canonicalize_filename(path, NULL);
    step->sha256 = g_steal_pointer(&sha256);
    mk_plan_gate_yes(plan);
    return g_steal_pointer(&plan);
}

/* --- erase --------------------------------------------------------------------------------------------------------- */

static void add_erase(MkPlan *plan, const char *name, MkRegion region, uint64_t offset, uint64_t length, MkClass klass)
{
    MkStep *step = mk_plan_add(plan, MK_STEP_ERASE, name, region, offset, length);
    step->klass = klass;
}

static bool erase_partition(MkSession *session, MkPlan *plan, const char *name, GError **error)
{
    g_autoptr(GPtrArray) partitions = find_partitions(session, name, error);
    if (!partitions)
        return false;
    note_pair(plan, partitions);
    for (guint i = 0; i < partitions->len; i++) {
        const MkPartition *partition = partitions->pdata[i];
        MkClass klass = mk_partition_class(partition);
        if (klass == MK_CLASS_BOOT)
            mk_plan_gate(plan, MK_GATE_EXPERT, NULL, _("Without %s the phone does not start."), partition->name);
        mk_plan_gate_class(plan, partition, true);
        add_erase(plan, partition->name, partition->region, partition->start, partition->size, klass);
    }
    return true;
}

static bool erase_regions(MkSession *session, MkPlan *plan, bool boot, GError **error)
{
    static const MkRegion regions[] = {MK_REGION_BOOT1, MK_REGION_BOOT2, MK_REGION_LU0, MK_REGION_LU1,
                                       MK_REGION_GP1,   MK_REGION_GP2,   MK_REGION_GP3, MK_REGION_GP4,
                                       MK_REGION_USER,  MK_REGION_LU2,   MK_REGION_NAND};
    for (gsize i = 0; i < G_N_ELEMENTS(regions); i++) {
        uint64_t end = mk_plan_erase_end(session, regions[i]), from = 0;
        if (!end || (mk_region_is_boot(regions[i]) && !boot))
            continue;
        if (regions[i] == MK_REGION_NAND && !boot && !mk_plan_behind_preloader(session->layout, &from, error))
            return false;
        add_erase(plan, mk_region_name(regions[i]), regions[i], from, end - MIN(from, end), MK_CLASS_USER);
    }
    mk_plan_gate(plan, MK_GATE_IDENTITY, NULL,
                 _("After this the phone has no IMEI or radio calibration unless it is restored."));
    mk_plan_gate(plan, MK_GATE_USER_DATA, NULL, _("All user data on the phone will be lost."));
    if (boot)
        mk_plan_gate(plan, MK_GATE_EXPERT, NULL, _("Without its preloader the phone shows nothing but BootROM."));
    return true;
}

static bool erase_by_class(MkSession *session, MkPlan *plan, bool only_user, GError **error)
{
    if (!session->layout) {
        mk_fault_set_number(error, MK_FAULT_TABLE_NONE, 1037, "S_PART_NO_VALID_TABLE",
                            _("The phone has no readable partition table, so nothing can be spared by name."));
        return false;
    }
    for (guint i = 0; i < session->layout->partitions->len; i++) {
        const MkPartition *partition = session->layout->partitions->pdata[i];
        MkClass klass = mk_partition_class(partition);
        g_autofree char *name = mk_partition_canonical(partition->name);
        bool wipe = klass == MK_CLASS_USER || !strcmp(name, "cache");
        bool other = klass == MK_CLASS_SYSTEM || klass == MK_CLASS_MODEM;
        if (partition->size && !mk_region_is_boot(partition->region) && (wipe || (!only_user && other)))
            add_erase(plan, partition->name, partition->region, partition->start, partition->size, klass);
    }
    mk_plan_gate(plan, MK_GATE_USER_DATA, NULL, _("All user data on the phone will be lost."));
    if (only_user)
        mk_plan_note(plan, _("The phone makes fresh file systems there when it starts."));
    return true;
}

static bool erase_range(MkSession *session, MkPlan *plan, MkRegion region, uint64_t offset, uint64_t length,
                        GError **error)
{
    MkStore *store = mk_session_store(session, region, error);
    if (!store)
        return false;
    uint32_t step = MAX(store->block_size, 1);
    if (!length || offset > store->size || length > store->size - offset || offset % step || length % step) {
        mk_fault_set_number(error, MK_FAULT_RANGE, 8401, "FT_INVALID_FORMAT_ADDR_ERROR",
                            _("0x%" G_GINT64_MODIFIER "x + 0x%" G_GINT64_MODIFIER
                              "x is no range of %s (size 0x%" G_GINT64_MODIFIER "x, steps of %u bytes)."),
                            offset, length, mk_region_name(region), store->size, step);
        return false;
    }
    gate_range(session, plan, region, offset, length, true);
    mk_plan_gate(plan, MK_GATE_EXPERT, NULL, _("Erasing by address knows no partitions."));
    add_erase(plan, "range", region, offset, length, MK_CLASS_SYSTEM);
    return true;
}

static bool add_erases(MkSession *session, MkPlan *plan, MkEraseWhat what, const char *partition, MkRegion region,
                       uint64_t offset, uint64_t length, GError **error)
{
    switch (what) {
    case MK_ERASE_WHAT_PARTITION: return erase_partition(session, plan, partition, error);
    case MK_ERASE_WHAT_RANGE: return erase_range(session, plan, region, offset, length, error);
    case MK_ERASE_WHAT_ALL: return erase_regions(session, plan, true, error);
    case MK_ERASE_WHAT_EXCEPT_BOOT: return erase_regions(session, plan, false, error);
    case MK_ERASE_WHAT_EXCEPT_IDENTITY: return erase_by_class(session, plan, false, error);
    case MK_ERASE_WHAT_USER_DATA: return erase_by_class(session, plan, true, error);
    }
    return false;
}

MkPlan *mk_plan_erase(MkSession *session, MkEraseWhat what, const char *partition, MkRegion region, uint64_t offset,
                      uint64_t length, const MkConsent *consent, GError **error)
{
    g_autoptr(MkPlan) plan = mk_plan_new(_("Erase"), session->id);
    g_autofree char *how = g_strdup_printf("erase %d %s %d %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, what,
                                           partition ? partition : "", region, offset, length);
    mk_plan_set_job(plan, how, NULL);
    MkPlan *kept;
    if (mk_plan_continue(session, plan, consent, &kept, error))
        return kept;
    if (!mk_plan_save_identity(session, NULL, consent, plan, error) ||
        !add_erases(session, plan, what, partition, region, offset, length, error))
        return NULL;
    mk_plan_gate_yes(plan);
    return g_steal_pointer(&plan);
}
