#include "agent/legacy.h"
#include "agent/xflash.h"
#include "agent/xml.h"

#include "core/i18n.h"

MkAgent *mk_agent_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                       GError **error)
{
    if (!setup->entry->usable) {
        mk_fault_set(error, MK_FAULT_DA_FORMAT, _("The program for MT%04X in %s is cut off or damaged."),
                     setup->entry->hw_code, setup->file->path);
        return NULL;
    }
    bool framed = setup->entry->family == MK_DA_XFLASH || setup->entry->family == MK_DA_XML;
    if (framed && mk_agent_entry_stage2(setup->entry) == mk_agent_entry_stage1(setup->entry)) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED,
                     _("The program for MT%04X in the DA file has no second part; Medik does not know this kind."),
                     setup->entry->hw_code);
        return NULL;
    }
    switch (setup->entry->family) {
    case MK_DA_LEGACY: return mk_legacy_open(link, setup, progress, cancel, error);
    case MK_DA_XFLASH: return mk_xflash_open(link, setup, progress, cancel, error);
    case MK_DA_XML: return mk_xml_open(link, setup, progress, cancel, error);
    default:
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("Medik does not know the dialect of the agent for MT%04X."),
                     setup->entry->hw_code);
        return NULL;
    }
}

GBytes *mk_agent_setup_emi(const MkAgentSetup *setup, const uint8_t *id, size_t length, GError **error)
{
    if (setup->emi && setup->choose_emi)
        return setup->choose_emi(id, length, setup->emi_data, error);
    return setup->emi ? g_bytes_ref(setup->emi) : NULL;
}

void mk_agent_dispose(MkAgent *agent)
{
    g_free(agent->info.ufs_model);
    g_free(agent->info.security);
    g_free(agent->info.version);
    g_free(agent);
}

void mk_agent_free(MkAgent *agent)
{
    if (agent)
        agent->klass->free(agent);
}

const MkAgentInfo *mk_agent_info(const MkAgent *agent)
{
    return &agent->info;
}

bool mk_agent_can(const MkAgent *agent, MkAgentCaps cap)
{
    return (agent->caps & cap) == (unsigned)cap;
}

uint64_t mk_agent_region_size(const MkAgent *agent, MkRegion region)
{
    return mk_geometry_region_size(&agent->info.geometry, region);
}

static bool not_lost(const MkAgent *agent, GError **error)
{
    if (agent->lost && agent->link && agent->link->gone)
        mk_link_gone(agent->link, error);
    else if (agent->lost)
        mk_fault_set(error, MK_FAULT_SILENT, _("The conversation with the phone broke off earlier."));
    return !agent->lost;
}

static bool has_function(const MkAgent *agent, bool has, const char *what, GError **error)
{
    if (!has)
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("This phone's agent (%s) has no function for %s."),
                     agent->klass->dialect, what);
    return has && not_lost(agent, error);
}

static bool check_range(const MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, uint32_t unit,
                        GError **error)
{
    uint64_t size = mk_agent_region_size(agent, region);
    const char *name = mk_region_name(region);
    if (!not_lost(agent, error))
        return false;
    if (size == 0) {
        mk_fault_set(error, MK_FAULT_RANGE, _("The phone has no memory region %s."), name);
    } else if (offset > size || length > size - offset) {
        mk_fault_set(error, MK_FAULT_RANGE,
                     _("%" G_GUINT64_FORMAT " bytes at 0x%" G_GINT64_MODIFIER
                       "X reach beyond the end of %s (0x%" G_GINT64_MODIFIER "X)."),
                     length, offset, name, size);
    } else if (unit && (offset % unit || length % unit)) {
        mk_fault_set(
            error, MK_FAULT_RANGE,
            _("0x%" G_GINT64_MODIFIER "X and %" G_GUINT64_FORMAT " bytes are not whole blocks of %s (%u bytes)."),
            offset, length, name, unit);
    } else {
        return true;
    }
    return false;
}

/* RPMB takes only frames that the phone itself has signed; what is sent there otherwise is dropped in silence. */
static bool check_writable(const MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, uint32_t unit,
                           GError **error)
{
    if (region == MK_REGION_RPMB) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("The region rpmb can only be written by the phone itself."));
        return false;
    }
    return check_range(agent, region, offset, length, unit, error);
}

uint32_t mk_agent_page_unit(const MkAgent *agent, MkRegion region)
{
    const MkGeometry *geometry = &agent->info.geometry;
    uint32_t unit = region == MK_REGION_NAND ? geometry->nand_page : geometry->sector;
    return MAX(unit, 1);
}

static uint32_t block_unit(const MkAgent *agent, MkRegion region)
{
    return region == MK_REGION_NAND ? agent->info.geometry.nand_block : agent->info.geometry.sector;
}

bool mk_agent_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink,
                   gpointer user_data, GError **error)
{
    return check_range(agent, region, offset, length, mk_agent_page_unit(agent, region), error) &&
           (length == 0 || agent->klass->read(agent, region, offset, length, sink, user_data, error));
}

bool mk_agent_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                    gpointer user_data, GError **error)
{
    return check_writable(agent, region, offset, length, mk_agent_page_unit(agent, region), error) &&
           (length == 0 || agent->klass->write(agent, region, offset, length, source, user_data, error));
}

bool mk_agent_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
                    MkProgress *progress, GError **error)
{
    return check_writable(agent, region, offset, length, block_unit(agent, region), error) &&
           (length == 0 || agent->klass->erase(agent, region, offset, length, mode, physical, progress, error));
}

bool mk_agent_read_nand(MkAgent *agent, uint64_t offset, uint64_t length, MkNandMode mode, bool physical,
                        MkSinkFunc sink, gpointer user_data, GError **error)
{
    return has_function(agent, agent->klass->read_nand && agent->info.storage == MK_STORAGE_NAND,
                        _("reading NAND pages"), error) &&
           check_range(agent, MK_REGION_NAND, offset, length, mk_agent_page_unit(agent, MK_REGION_NAND), error) &&
           (length == 0 || agent->klass->read_nand(agent, offset, length, mode, physical, sink, user_data, error));
}

/* A YAFFS image brings the spare bytes of its pages along. */
static bool check_nand_image(const MkAgent *agent, const MkPartition *partition, uint64_t length, GError **error)
{
    const MkGeometry *geometry = &agent->info.geometry;
    uint64_t most = partition->size;
    if (partition->type == MK_TYPE_YAFFS_IMG && geometry->nand_page)
        most = most / geometry->nand_page * ((uint64_t)geometry->nand_page + geometry->nand_spare);
    if (length <= most)
        return true;
    mk_fault_set(error, MK_FAULT_IMAGE_SIZE,
                 _("The image for %s has %" G_GUINT64_FORMAT " bytes; its partition takes %" G_GUINT64_FORMAT "."),
                 partition->name, length, most);
    return false;
}

bool mk_agent_write_nand(MkAgent *agent, const MkPartition *partition, uint64_t length, MkSourceFunc source,
                         gpointer user_data, GError **error)
{
    return has_function(agent, agent->klass->write_nand && agent->info.storage == MK_STORAGE_NAND,
                        _("writing NAND images"), error) &&
           check_range(agent, MK_REGION_NAND, partition->start, partition->size, block_unit(agent, MK_REGION_NAND),
                       error) &&
           check_nand_image(agent, partition, length, error) &&
           (length == 0 || agent->klass->write_nand(agent, partition, length, source, user_data, error));
}

bool mk_agent_read_table(MkAgent *agent, MkLayout **layout, GError **error)
{
    return has_function(agent, agent->klass->read_table && mk_agent_can(agent, MK_AGENT_CAN_TABLE),
                        _("reading the partition table"), error) &&
           agent->klass->read_table(agent, layout, error);
}

bool mk_agent_write_table(MkAgent *agent, const MkLayout *layout, bool update, GError **error)
{
    return has_function(agent, agent->klass->write_table && mk_agent_can(agent, MK_AGENT_CAN_TABLE),
                        _("writing the partition table"), error) &&
           agent->klass->write_table(agent, layout, update, error);
}

bool mk_agent_read_bmt(MkAgent *agent, GArray **pairs, GError **error)
{
    return has_function(agent, agent->klass->read_bmt && agent->info.storage == MK_STORAGE_NAND,
                        _("reading the bad block table"), error) &&
           agent->klass->read_bmt(agent, pairs, error);
}

bool mk_agent_download(MkAgent *agent, const char *partition, uint64_t length, MkSourceFunc source, gpointer user_data,
                       GError **error)
{
    return has_function(agent, agent->klass->download && mk_agent_can(agent, MK_AGENT_CAN_NAMES),
                        _("writing a partition by its name"), error) &&
           agent->klass->download(agent, partition, length, source, user_data, error);
}

bool mk_agent_upload(MkAgent *agent, const char *partition, MkSinkFunc sink, gpointer user_data, GError **error)
{
    return has_function(agent, agent->klass->upload && mk_agent_can(agent, MK_AGENT_CAN_NAMES),
                        _("reading a partition by its name"), error) &&
           agent->klass->upload(agent, partition, sink, user_data, error);
}

bool mk_agent_memory_test(MkAgent *agent, MkMemoryTest test, uint64_t start, uint64_t length, uint32_t pattern,
                          MkProgress *progress, GError **error)
{
    return has_function(agent, agent->klass->memory_test != NULL, _("testing the main memory"), error) &&
           agent->klass->memory_test(agent, test, start, length, pattern, progress, error);
}

bool mk_agent_battery(MkAgent *agent, unsigned *millivolt, GError **error)
{
    return has_function(agent, agent->klass->battery != NULL, _("asking for the battery's voltage"), error) &&
           agent->klass->battery(agent, millivolt, error);
}

bool mk_agent_set_baud(MkAgent *agent, unsigned baud, GError **error)
{
    return has_function(agent, agent->klass->set_baud != NULL, _("changing the line's speed"), error) &&
           agent->klass->set_baud(agent, baud, error);
}

bool mk_agent_high_speed(MkAgent *agent, bool *reenumerates, GError **error)
{
    return has_function(agent, agent->klass->high_speed != NULL, _("a faster cable mode"), error) &&
           agent->klass->high_speed(agent, reenumerates, error);
}

bool mk_agent_finish(MkAgent *agent, MkAfter after, GError **error)
{
    return not_lost(agent, error) && agent->klass->finish(agent, after, error);
}
