#include "flash/session.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"
#include "flash/backup.h"
#include "flash/emi.h"
#include "flash/speed.h"

#include <string.h>

#define EDGE (UINT64_C(1) << 20)

/* --- getting there ------------------------------------------------------------------------------------------------- */

/* The owner should know whose program runs, above all when he did not name it himself. */
static void tell_agent_file(const MkAgentFile *file, MkAgentFrom from, const MkSessionOptions *options)
{
    const char *const reasons[] = {
        [MK_AGENT_FROM_NAME] = _("as named"),
        [MK_AGENT_FROM_NEAR] = _("found near the ROM"),
        [MK_AGENT_FROM_MEMORY] = _("it worked for this chip before"),
    };
    g_autofree char *text =
        g_strdup_printf(_("Download Agent: %s (%s), %s."), file->path, file->description, reasons[from]);
    if (options->state)
        options->state(text, options->state_data);
}

static const MkAgentEntry *load_agent_file(MkSession *session, const MkSessionOptions *options, GError **error)
{
    const MkTarget *target = session->target;
    MkAgentFrom from;
    g_autofree char *path = mk_agent_file_find(options->da_path, options->rom_folder, target->soc, &from, error);
    session->agent_file = path ? mk_agent_file_load(path, session->findings, error) : NULL;
    if (session->agent_file)
        tell_agent_file(session->agent_file, from, options);
    return session->agent_file ? mk_agent_file_choose(session->agent_file, target->soc, target->hw_version,
                                                      target->sw_version, session->findings, error)
                               : NULL;
}

/* Which jump a first stage needs. XML agents are built for either mode and have to be looked at (spec da-xml.md 1); for the others the chip's row
 * tells, and no preloader of theirs has the 64-bit form (spec brom.md 6.8). */
static bool needs_wide_jump(const MkTarget *target, const MkAgentEntry *entry)
{
    return entry->family == MK_DA_XML ? entry->is_64bit : target->soc->jump64 && target->stage == MK_STAGE_BOOTROM;
}

static bool send_first_stage(MkSession *session, const MkAgentEntry *entry, GError **error)
{
    unsigned index = mk_agent_entry_stage1(entry);
    const MkAgentRegion *region = &entry->regions[index];
    g_autoptr(GBytes) da = mk_agent_file_region(session->agent_file, entry, index);
    return mk_boot_send_da(session->link, session->target, region->load_address, da, region->signature_length,
                           session->cancel, error) &&
           mk_boot_jump_da(session->link, region->load_address, needs_wide_jump(session->target, entry),
                           session->cancel, error);
}

static bool start_agent(MkSession *session, const MkSessionOptions *options, MkProgress *progress, GError **error)
{
    const MkTarget *target = session->target;
    if (!target->soc) {
        mk_fault_set_number(error, MK_FAULT_CHIP, 1018, "S_UNKNOWN_TARGET_BBCHIP",
                            _("Medik does not know the chip of this phone (code %04X)."), target->hw_code);
        return false;
    }
    g_auto(MkEmiChoice) emi = {0};
    const MkAgentEntry *entry = load_agent_file(session, options, error);
    if (!entry || (target->stage == MK_STAGE_BOOTROM && !mk_emi_choice_init(&emi, options, target->soc, error)) ||
        !mk_boot_authenticate(session->link, session->target, &options->boot, session->cancel, error) ||
        !send_first_stage(session, entry, error))
        return false;
    MkAgentSetup setup = {.soc = target->soc,
                          .hw_code = target->hw_code,
                          .hw_sub_code = target->hw_sub_code,
                          .hw_version = target->hw_version,
                          .sw_version = target->sw_version,
                          .from_preloader = target->stage == MK_STAGE_PRELOADER,
                          .brom_version = target->brom_version,
                          .bl_version = target->bl_version,
                          .file = session->agent_file,
                          .entry = entry,
                          .emi = emi.preloaders ? mk_emi_choice_first(&emi) : NULL,
                          .choose_emi = mk_emi_choose,
                          .emi_data = &emi,
                          .signer = {options->boot.key_path, options->boot.sign_command},
                          .battery = options->battery};
    session->agent = mk_agent_open(session->link, &setup, progress, session->cancel, error);
    if (!session->agent)
        return false;
    mk_agent_file_remember(target->soc, session->agent_file->path);
    return !options->baud || mk_agent_set_baud(session->agent, options->baud, error);
}

/* A phone is known by its chip's own random id; where the agent does not tell one, by the serial number of its eMMC or UFS. */
static void identify(MkSession *session)
{
    const MkAgentInfo *info = &session->agent->info;
    g_autoptr(GByteArray) key = g_byte_array_new();
    mk_put_be16(key, session->target->hw_code);
    if (!info->has_chip_id && info->storage == MK_STORAGE_UFS)
        g_byte_array_append(key, info->ufs_serial, sizeof info->ufs_serial);
    else
        g_byte_array_append(key, info->has_chip_id ? info->chip_id : info->emmc_cid, 16);
    session->id = mk_sha256_hex(key->data, key->len);
    g_strlcpy(session->short_id, session->id, sizeof session->short_id);
    g_autofree char *home = mk_home();
    session->home = g_build_filename(home, "phones", session->short_id, NULL);
}

/* What the agent said about chip and storage that the owner should know before anything else. */
static void judge_agent(MkSession *session)
{
    const MkAgentInfo *info = &session->agent->info;
    const MkTarget *target = session->target;
    if (info->chip_code && info->chip_code != target->hw_code && info->chip_code != target->soc->da_code)
        mk_finding_add(session->findings, MK_SEVERITY_WARN, "I-CHIP-AGENT", 0,
                       _("BootROM says that the chip is %04X, the agent says %04X: is this the right DA file?"),
                       target->hw_code, info->chip_code);
    if (info->life == MK_LIFE_WARNING)
        mk_finding_set(mk_finding_add(session->findings, MK_SEVERITY_WARN, "H-LIFE", 0,
                                      _("The phone's storage is near the end of its life.")),
                       NULL, NULL, _("Save everything first: medik save FOLDER."));
    else if (info->life == MK_LIFE_END)
        mk_finding_set(mk_finding_add(session->findings, MK_SEVERITY_DANGER, "H-LIFE", 0,
                                      _("The phone's storage is worn out: it may stop taking what is written.")),
                       NULL, NULL, _("Save everything: medik save FOLDER. Writing wants --expert."));
}

static bool require_storage(MkSession *session, GError **error)
{
    const MkAgentInfo *info = &session->agent->info;
    if (info->storage != MK_STORAGE_UNKNOWN)
        return true;
    mk_fault_set_number(error, MK_FAULT_STOR_NONE, 8043, "FT_STORAGE_ERROR",
                        _("[Storage Error] The agent found no storage on this phone: eMMC answers 0x%X, UFS 0x%X, NAND "
                          "0x%X. SP Flash Tool calls this \"The load and the target are inconsistent\" with a blank "
                          "target."),
                        info->emmc_status, info->ufs_status, info->nand_status);
    return false;
}

static bool catch_phone(MkSession *session, const MkSessionOptions *options, GError **error)
{
    if (options->caught && options->caught->target) {
        session->target = g_steal_pointer(&options->caught->target);
        session->link = g_steal_pointer(&options->caught->link);
        mk_link_set_trace(session->link, options->trace);
        return true;
    }
    session->target = mk_boot_wait(options->port, options->timeout, &options->boot, options->trace, options->state,
                                   options->state_data, &session->link, session->cancel, error);
    return session->target != NULL;
}

/* *LEFT: the phone was lost while it changed its speed. */
static MkSession *open_once(const MkSessionOptions *options, bool allow_no_storage, MkProgress *progress, bool *left,
                            GCancellable *cancel, GError **error)
{
    g_autoptr(MkSession) session = g_new0(MkSession, 1);
    session->cancel = cancel ? g_object_ref(cancel) : NULL;
    session->findings = mk_findings_new();
    session->names_path = g_strdup(options->names_path);
    session->after = options->after;
    if (!catch_phone(session, options, error) || !start_agent(session, options, progress, error) ||
        !mk_session_speed_up(session, options, left, error))
        return NULL;
    identify(session);
    judge_agent(session);
    session->kept_findings = session->findings->len;
    if (session->agent->info.storage == MK_STORAGE_UNKNOWN)
        return allow_no_storage || require_storage(session, error) ? g_steal_pointer(&session) : NULL;
    return mk_session_read_tables(session, error) ? g_steal_pointer(&session) : NULL;
}

MkSession *mk_session_open(const MkSessionOptions *options, bool allow_no_storage, MkProgress *progress,
                           GCancellable *cancel, GError **error)
{
    if (options->da_path && !g_file_test(options->da_path, G_FILE_TEST_IS_REGULAR)) {
        mk_fault_set_number(error, MK_FAULT_DA_NOFILE, 5003, "S_DA_HANDLE_IS_NOT_READY",
                            _("The DA file %s is not there."), options->da_path);
        return NULL;
    }
    g_autoptr(GError) local = NULL;
    bool left = false;
    MkSession *session = open_once(options, allow_no_storage, progress, &left, cancel, &local);
    if (session || !left || mk_fault_code(local) == MK_FAULT_STOPPED) {
        if (local)
            g_propagate_error(error, g_steal_pointer(&local));
        return session;
    }
    /* Spec behaviour.md 2.4: once more, at the speed it has. */
    MkSessionOptions slow = *options;
    slow.keep_speed = true;
    if (options->state)
        options->state(
            _("The phone did not come back at high speed. Restart it and plug it in again; this time its speed "
              "stays as it is."),
            options->state_data);
    return open_once(&slow, allow_no_storage, progress, &left, cancel, error);
}

bool mk_session_finish(MkSession *session, MkAfter after, GError **error)
{
    MkAgent *agent = session->agent;
    if (agent->lost)
        return true;
    /* A stop that was wished for stops the work, never the ending; every answer to it has a deadline. */
    GCancellable *cancel = agent->cancel;
    agent->cancel = NULL;
    bool ok = mk_agent_finish(agent, after, error);
    agent->cancel = cancel;
    agent->lost |= ok;
    return ok;
}

static void leave_phone(MkSession *session)
{
    if (session->agent && !mk_session_finish(session, session->after, NULL))
        mk_session_finish(session, MK_AFTER_REBOOT, NULL);
}

static void forget_tables(MkSession *session)
{
    session->layout = NULL;
    g_clear_pointer(&session->gpt, mk_table_free);
    g_clear_pointer(&session->pmt, mk_table_free);
    g_clear_pointer(&session->mbr, mk_table_free);
    g_clear_pointer(&session->agent_layout, mk_layout_unref);
    g_clear_pointer(&session->named_layout, mk_layout_unref);
    g_clear_pointer(&session->preloader_project, g_free);
    g_clear_pointer(&session->contents, g_ptr_array_unref);
}

void mk_session_free(MkSession *session)
{
    if (!session)
        return;
    leave_phone(session);
    forget_tables(session);
    for (int region = 0; region < MK_REGION_N; region++)
        g_clear_pointer(&session->stores[region], mk_store_unref);
    g_clear_pointer(&session->agent, mk_agent_free);
    g_clear_pointer(&session->agent_file, mk_agent_file_free);
    g_clear_pointer(&session->target, mk_target_free);
    g_clear_pointer(&session->link, mk_link_free);
    g_clear_pointer(&session->identity, mk_identity_set_free);
    g_clear_pointer(&session->findings, g_ptr_array_unref);
    g_clear_object(&session->cancel);
    g_free(session->names_path);
    g_free(session->id);
    g_free(session->home);
    g_free(session);
}

/* --- stores -------------------------------------------------------------------------------------------------------- */

MkStore *mk_session_store(MkSession *session, MkRegion region, GError **error)
{
    if (!session->stores[region])
        session->stores[region] = mk_store_agent_new(session->agent, region, error);
    return session->stores[region];
}

MkStore *mk_session_partition_store(MkSession *session, const MkPartition *partition, GError **error)
{
    return mk_session_store(session, mk_region_copy(partition->region, 0), error);
}

/* --- tables -------------------------------------------------------------------------------------------------------- */

static bool read_raw_tables(MkSession *session, GError **error)
{
    MkStore *user = mk_session_store(session, mk_geometry_main_region(&session->agent->info.geometry), error);
    if (!user)
        return false;
    session->gpt = mk_gpt_read(user, session->findings, session->cancel, error);
    if (!session->gpt)
        return false;
    if (session->gpt->primary != MK_COPY_ABSENT || session->gpt->secondary != MK_COPY_ABSENT)
        return true;
    session->pmt = mk_pmt_read(user, &session->agent->info.geometry, session->findings, session->cancel, error);
    session->mbr = session->pmt ? mk_mbr_read(user, session->findings, session->cancel, error) : NULL;
    return session->mbr != NULL;
}

/* The agent's own idea of the table: the only one on NAND, the last resort on eMMC. */
static bool ask_agent(MkSession *session, GError **error)
{
    g_autoptr(GError) local = NULL;
    if (!mk_agent_can(session->agent, MK_AGENT_CAN_TABLE) ||
        mk_agent_read_table(session->agent, &session->agent_layout, &local))
        return true;
    if (!session->agent->lost)
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

static bool read_preloader_project(MkSession *session, GError **error)
{
    const MkGeometry *geometry = &session->agent->info.geometry;
    MkRegion region = mk_geometry_boot_region(geometry, 0);
    /* A preloader is at most half a MiB; its EMI block lies at its end. */
    uint64_t size = MIN(mk_geometry_region_size(geometry, region), EDGE);
    if (!size)
        return true;
    g_autofree uint8_t *head = g_malloc(size);
    MkStore *boot = mk_session_store(session, region, error);
    if (!boot || !mk_store_read(boot, 0, head, size, session->cancel, error))
        return false;
    g_autoptr(GBytes) bytes = g_bytes_new_take(g_steal_pointer(&head), size);
    g_autoptr(MkPreloader) preloader = mk_preloader_parse(bytes, NULL, NULL);
    session->preloader_project = preloader ? g_strdup(preloader->project) : NULL;
    return true;
}

/* Does every slot of the MBR chain begin where NAMED has a partition? */
static bool slots_agree(const MkLayout *slots, const MkLayout *named)
{
    for (guint i = 0; i < slots->partitions->len; i++) {
        const MkPartition *slot = slots->partitions->pdata[i];
        bool found = false;
        for (guint k = 0; k < named->partitions->len && !found; k++) {
            const MkPartition *partition = named->partitions->pdata[k];
            found = partition->region == slot->region && partition->start == slot->start;
        }
        if (!found)
            return false;
    }
    return slots->partitions->len > 0;
}

/* An MBR chain has places but no names, and not every partition: phones of that kind know the rest by heart, and so does their scatter. */
static void name_partitions(MkSession *session)
{
    const MkAgentInfo *info = &session->agent->info;
    if (!session->names_path || !session->mbr || !session->mbr->layout)
        return;
    g_autoptr(MkLayout) loaded = mk_scatter_load(session->names_path, false, NULL, NULL);
    g_autoptr(MkLayout) named = loaded ? mk_layout_for_storage(loaded, info->storage) : NULL;
    if (named && mk_layout_resolve(named, &info->geometry, NULL) && slots_agree(session->mbr->layout, named))
        session->named_layout = g_steal_pointer(&named);
    else
        mk_finding_add(session->findings, MK_SEVERITY_WARN, "table.names", 0,
                       _("%s does not agree with the phone's partition table; the partitions stay without names."),
                       session->names_path);
}

static MkLayout *layout_in_force(const MkSession *session)
{
    if (session->gpt && session->gpt->layout)
        return session->gpt->layout;
    if (session->pmt && session->pmt->layout)
        return session->pmt->layout;
    if (session->agent_layout)
        return session->agent_layout;
    if (session->named_layout)
        return session->named_layout;
    return session->mbr ? session->mbr->layout : NULL;
}

bool mk_session_read_tables(MkSession *session, GError **error)
{
    forget_tables(session);
    g_ptr_array_set_size(session->findings, (int)session->kept_findings);
    if (session->agent->info.storage != MK_STORAGE_NAND &&
        (!read_raw_tables(session, error) || !read_preloader_project(session, error)))
        return false;
    bool found = session->gpt && session->gpt->layout;
    found = found || (session->pmt && session->pmt->layout);
    if (!found && !ask_agent(session, error))
        return false;
    if (session->agent_layout && !mk_layout_resolve(session->agent_layout, &session->agent->info.geometry, NULL))
        g_clear_pointer(&session->agent_layout, mk_layout_unref);
    if (!found && !session->agent_layout)
        name_partitions(session);
    session->layout = layout_in_force(session);
    return true;
}

/* --- blank? -------------------------------------------------------------------------------------------------------- */

static bool range_is_blank(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, bool *blank,
                           GError **error)
{
    g_autofree uint8_t *data = g_malloc(EDGE);
    length = MIN(length, EDGE);
    if (!*blank || !length || offset > store->size || length > store->size - offset)
        return true;
    if (!mk_store_read(store, offset, data, length, cancel, error))
        return false;
    *blank = mk_is_blank(data, length);
    return true;
}

bool mk_session_is_blank(MkSession *session, const MkLayout *layout, bool *blank, GError **error)
{
    MkRegion region = mk_geometry_main_region(&session->agent->info.geometry);
    MkStore *store = mk_session_store(session, region, error);
    *blank = !session->layout;
    if (!store || !range_is_blank(store, 0, EDGE, session->cancel, blank, error))
        return false;
    if (store->size > EDGE && !range_is_blank(store, store->size - EDGE, EDGE, session->cancel, blank, error))
        return false;
    for (guint i = 0; layout && *blank && i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        MkClass klass = mk_partition_class(partition);
        if ((klass == MK_CLASS_IDENTITY || klass == MK_CLASS_TABLE) && partition->resolved &&
            partition->region == region &&
            !range_is_blank(store, partition->start, partition->size, session->cancel, blank, error))
            return false;
    }
    session->blank = *blank;
    return true;
}

MkPhoneFacts mk_session_facts(MkSession *session)
{
    const MkAgentInfo *info = &session->agent->info;
    bool ufs = info->storage == MK_STORAGE_UFS, emmc = info->storage == MK_STORAGE_EMMC;
    const uint8_t *id = ufs ? info->ufs_id : info->emmc_cid;
    size_t length = ufs ? sizeof info->ufs_id : emmc ? sizeof info->emmc_cid : 0;
    return (MkPhoneFacts){.soc = session->target->soc,
                          .memory_id = id,
                          .memory_id_length = length && !mk_is_blank(id, length) ? length : 0,
                          .geometry = &info->geometry,
                          .layout = session->layout,
                          .preloader_project = session->preloader_project,
                          .storage = info->storage,
                          .storage_none = info->storage == MK_STORAGE_UNKNOWN};
}
