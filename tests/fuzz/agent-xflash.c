/* Any bytes as what a phone's XFlash agent says: opening with its report, then some use. The first byte chooses the dialect and who started
 * the agent. */
#include "../unit/agent/babble.h"
#include "../unit/agent/xflash-setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(MkAgent *agent)
{
    MkRegion region = mk_geometry_main_region(&agent->info.geometry);
    uint32_t unit = mk_agent_page_unit(agent, region);
    unsigned millivolt;
    bool reenumerates;
    mk_agent_read(agent, region, 0, unit, babble_drop, NULL, NULL);
    mk_agent_write(agent, region, 0, unit, babble_zeros, NULL, NULL);
    mk_agent_erase(agent, region, 0, unit, MK_ERASE_NORMAL, false, NULL, NULL);
    mk_agent_download(agent, "boot", 512, babble_zeros, NULL, NULL);
    mk_agent_upload(agent, "boot", babble_drop, NULL, NULL);
    mk_agent_battery(agent, &millivolt, NULL);
    mk_agent_high_speed(agent, &reenumerates, NULL);
    mk_agent_finish(agent, MK_AFTER_META, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autoptr(XFlashSetup) setup =
        xflash_setup_new(data[0] & 1 ? XFLASH_LABEL_2015 : XFLASH_LABEL, 0x6765, XFLASH_STAGE2);
    setup->setup.from_preloader = !(data[0] & 2);
    setup->setup.emi = xflash_emi(0x110);
    setup->setup.signer.command = data[0] & 4 ? "cat" : NULL;
    Babble *babble = babble_new(data + 1, size - 1);
    MkAgent *agent = mk_agent_open(&babble->link, &setup->setup, NULL, NULL, NULL);
    if (agent)
        use(agent);
    mk_agent_free(agent);
    mk_link_free(&babble->link);
    return 0;
}
