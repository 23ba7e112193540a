/* From the jump into stage 1 to stage 2's command loop (spec da-xml.md 4, 8.1 to 8.8; hosts.md "XML"). No byte comes before the first frame. */
#include "agent/xml.h"

#include "core/i18n.h"

#define CAPABILITIES MK_XML_DOWNLOAD_FILE "^1@" MK_XML_FILE_SYS "^1@" MK_XML_PROGRESS "^1@" MK_XML_UPLOAD_FILE "^1@"

/* WINDOWS makes the agent deliver in packets of 2 MiB (spec 8.1, 13). Checksums are asked for on the way over the cable; what is on the storage
 * Medik itself reads back. An ERR with a message has been heard from a stage 1 without hardware (golden exchange): the settings are taken all the
 * same, and what it complained about is kept in *COMPLAINT. */
static bool configure(MkXml *xml, const MkAgentSetup *setup, GError **complaint, GError **error)
{
    static const char *const batteries[] = {
        [MK_BATTERY_AUTO] = "AUTO-DETECT", [MK_BATTERY_WITH] = "YES", [MK_BATTERY_WITHOUT] = "NO"};
    const XmlArgument arguments[] = {{"checksum_level", "USB"}, {"battery_exist", batteries[setup->battery]},
                                     {"da_log_level", "INFO"},  {"log_channel", "UART"},
                                     {"system_os", "WINDOWS"},  {NULL, NULL}};
    const XmlArgument advanced[] = {{"initialize_dram", "YES"}, {NULL, NULL}};
    XmlCommand command = {.name = MK_XML_SET_RUNTIME_PARAMETER,
                          .version = "1.1",
                          .arguments = arguments,
                          .advanced = advanced,
                          .doing = _("starting the agent"),
                          .fallback = MK_FAULT_DA_VER};
    if (xml_run(xml, &command, complaint))
        return true;
    MkFault fault = mk_fault_code(*complaint);
    if (!xml->base.lost && fault != MK_FAULT_UNSUPPORTED && fault != MK_FAULT_STOPPED)
        return true;
    g_propagate_error(error, g_steal_pointer(complaint));
    return false;
}

/* A failure without a word has its reason in the COMPLAINT that came before (or NULL). */
static bool init_hardware(MkXml *xml, const GError *complaint, GError **error)
{
    XmlCommand command = {.name = MK_XML_NOTIFY_INIT_HW,
                          .doing = _("starting the main memory"),
                          .fallback = MK_FAULT_PL_EMI,
                          .timeout = XML_TIMEOUT_FINAL};
    g_autoptr(GError) problem = NULL;
    if (xml_run(xml, &command, &problem))
        return true;
    bool explained = complaint && !xml->base.lost && mk_fault_code(problem) == MK_FAULT_PL_EMI;
    g_propagate_error(error, explained ? g_error_copy(complaint) : g_steal_pointer(&problem));
    return false;
}

static bool tell_host(MkXml *xml, GError **error)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *stamp = g_date_time_format(now, "%Y%m%dT%H%M%S");
    const XmlArgument arguments[] = {{"info", stamp}, {NULL, NULL}};
    return xml_ask(xml, MK_XML_SET_HOST_INFO, arguments, NULL, error);
}

static bool tell_capabilities(MkXml *xml, GError **error)
{
    const XmlArgument arguments[] = {{"host_capability", CAPABILITIES}, {NULL, NULL}};
    return xml_ask(xml, MK_XML_HOST_SUPPORTED_COMMANDS, arguments, NULL, error);
}

static bool start_stage1(MkXml *xml, const MkAgentSetup *setup, GError **error)
{
    g_autoptr(GError) complaint = NULL;
    mk_link_note(xml->base.link, "agent start");
    if (!xml_await_start(xml, _("waiting for the agent's first word"), XML_TIMEOUT_READY, error))
        return false;
    xml->stage = 1;
    return configure(xml, setup, &complaint, error) && tell_capabilities(xml, error) &&
           init_hardware(xml, complaint, error) && tell_host(xml, error);
}

/* Stage 1 knows the hash of stage 2 without its signature; so the signature stays behind (spec 1). */
static GBytes *stage2_bytes(const MkAgentSetup *setup, const MkAgentRegion **region)
{
    unsigned index = mk_agent_entry_stage2(setup->entry);
    g_autoptr(GBytes) whole = mk_agent_file_region(setup->file, setup->entry, index);
    gsize length = g_bytes_get_size(whole);
    *region = &setup->entry->regions[index];
    return g_bytes_new_from_bytes(whole, 0, length - MIN((*region)->signature_length, length));
}

static bool boot(MkXml *xml, const XmlCommand *command, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (xml_run(xml, command, &problem))
        return true;
    if (mk_fault_code(problem) == MK_FAULT_SILENT && xml_packets_left(command->given) == 0)
        mk_fault_set(error, MK_FAULT_DA_VER,
                     _("The agent's second part was sent and does not start: the Download Agent is not made for this "
                       "phone, or the phone's memory is broken."));
    else
        g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool start_stage2(MkXml *xml, const MkAgentSetup *setup, MkProgress *progress, GError **error)
{
    const MkAgentRegion *region;
    g_autoptr(GBytes) bytes = stage2_bytes(setup, &region);
    gsize length = g_bytes_get_size(bytes);
    g_autofree char *address = g_strdup_printf("0x%x", region->load_address);
    g_autofree char *name = g_strdup_printf(XML_STAGE, (guint64)length);
    const XmlArgument arguments[] = {
        {"at_address", address}, {"jmp_address", address}, {"source_file", name}, {NULL, NULL}};
    if (length == 0) {
        mk_fault_set(error, MK_FAULT_DA_FORMAT, _("The agent's second part has no usable length."));
        return false;
    }
    g_autoptr(XmlPackets) packets = xml_packets_of_bytes(bytes);
    MkProgress *step = mk_progress_add(progress, _("sending the agent"), length);
    XmlCommand command = {.name = MK_XML_BOOT_TO,
                          .arguments = arguments,
                          .given = packets,
                          .doing = _("starting the agent's second part"),
                          .fallback = MK_FAULT_DA_VER,
                          .progress = step,
                          .then = XML_THEN_STAGE2};
    if (!boot(xml, &command, error))
        return false;
    mk_progress_done(step);
    xml->stage = 2;
    return true;
}

bool xml_start(MkXml *xml, const MkAgentSetup *setup, MkProgress *progress, GError **error)
{
    return start_stage1(xml, setup, error) && start_stage2(xml, setup, progress, error) &&
           /* Stage 2 has no work left to do there; it only says so (spec 8.3). Its word about the host's commands it does not know (spec 6). */
           xml_ask(xml, MK_XML_NOTIFY_INIT_HW, NULL, NULL, error);
}
