/* Any bytes as what a phone's XML agent says: opening with its report, then some use. The first byte chooses who signs, and whether the user
 * has had enough from the start of the use. */
#include "../unit/agent/xml-setup.h"

#include "../unit/agent/babble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(MkAgent *agent)
{
    g_autoptr(MkLayout) layout = NULL;
    MkRegion region = mk_geometry_main_region(&agent->info.geometry);
    uint32_t unit = mk_agent_page_unit(agent, region);
    unsigned millivolt;
    bool reenumerates;
    mk_agent_read(agent, region, 0, unit, babble_drop, NULL, NULL);
    mk_agent_write(agent, region, 0, unit, babble_zeros, NULL, NULL);
    mk_agent_erase(agent, region, 0, unit, MK_ERASE_NORMAL, false, NULL, NULL);
    mk_agent_download(agent, "boot_a", 512, babble_zeros, NULL, NULL);
    mk_agent_upload(agent, "proinfo", babble_drop, NULL, NULL);
    mk_agent_read_table(agent, &layout, NULL);
    mk_agent_battery(agent, &millivolt, NULL);
    mk_agent_high_speed(agent, &reenumerates, NULL);
    mk_agent_finish(agent, MK_AFTER_META, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autoptr(XFlashSetup) setup = xflash_setup_new(XML_LABEL, 0x1172, XML_STAGE2);
    setup->setup.signer.command = data[0] & 1 ? "cat" : NULL;
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    Babble *babble = babble_new(data + 1, size - 1);
    MkAgent *agent = mk_agent_open(&babble->link, &setup->setup, NULL, cancel, NULL);
    if (agent && data[0] & 2)
        g_cancellable_cancel(cancel);
    if (agent)
        use(agent);
    mk_agent_free(agent);
    mk_link_free(&babble->link);
    return 0;
}
