/* The XML dialect: opening, and its table of functions. */
#include "agent/xml.h"

#include "core/i18n.h"

/* No memory test: only stage 1 has one, and it is over when the agent is ready. */
static const MkAgentClass xml_class = {
    .dialect = "XML",
    .free = mk_agent_dispose,
    .read = xml_read,
    .write = xml_write,
    .erase = xml_erase,
    .read_table = xml_read_table,
    .download = xml_download,
    .upload = xml_upload,
    .battery = xml_battery,
    .high_speed = xml_high_speed,
    .finish = xml_finish,
};

static bool open_agent(MkXml *xml, const MkAgentSetup *setup, MkProgress *progress, GError **error)
{
    return xml_start(xml, setup, progress, error) && xml_authenticate(xml, &setup->signer, error) &&
           xml_describe(xml, setup, error);
}

MkAgent *mk_xml_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                     GError **error)
{
    MkXml *xml = g_new0(MkXml, 1);
    xml->base.klass = &xml_class;
    xml->base.link = link;
    xml->base.cancel = cancel;
    xml->frames = (MkFrames){.link = link, .cancel = cancel, .lost = &xml->base.lost};
    if (!open_agent(xml, setup, progress, error)) {
        mk_agent_dispose(&xml->base);
        return NULL;
    }
    xml->base.caps = MK_AGENT_CAN_TABLE | MK_AGENT_CAN_NAMES | MK_AGENT_CAN_MODES | MK_AGENT_WRITES_BOOT_HEADER;
    xml->frames.cancel = NULL; /* from here on a stop is obeyed between packets, so that the agent stays usable */
    return &xml->base;
}
