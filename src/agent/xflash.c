/* The XFlash dialect: opening, and its table of functions. */
#include "agent/xflash.h"

#include "core/i18n.h"

static const MkAgentClass xflash_class = {
    .dialect = "XFlash",
    .free = mk_agent_dispose,
    .read = xflash_read,
    .write = xflash_write,
    .erase = xflash_erase,
    .download = xflash_download,
    .upload = xflash_upload,
    .battery = xflash_battery,
    .high_speed = xflash_high_speed,
    .finish = xflash_finish,
};

static bool open_agent(MkXFlash *xflash, const MkAgentSetup *setup, MkProgress *progress, GError **error)
{
    return xflash_start(xflash, setup, progress, error) &&
           (xflash->old || xflash_authenticate(xflash, &setup->signer, error)) &&
           xflash_describe(xflash, setup->file->description, error);
}

MkAgent *mk_xflash_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                        GError **error)
{
    MkXFlash *xflash = g_new0(MkXFlash, 1);
    xflash->base.klass = &xflash_class;
    xflash->base.link = link;
    xflash->base.cancel = cancel;
    xflash->frames = (MkFrames){.link = link, .cancel = cancel, .lost = &xflash->base.lost};
    if (!open_agent(xflash, setup, progress, error)) {
        mk_agent_dispose(&xflash->base);
        return NULL;
    }
    xflash->base.caps = MK_AGENT_CAN_NAMES | MK_AGENT_WRITES_BOOT_HEADER;
    if (!xflash->old)
        xflash->base.caps |= MK_AGENT_CAN_MODES;
    if (xflash->base.info.storage != MK_STORAGE_NAND)
        xflash->base.caps |= MK_AGENT_NEEDS_TABLE;
    xflash->frames.cancel = NULL; /* from here on a stop is obeyed between packets, so that the agent stays usable */
    return &xflash->base;
}
