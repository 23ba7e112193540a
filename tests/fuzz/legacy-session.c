/* Any bytes as what a phone's legacy agent says: opening with its report, then some use. The first byte chooses chip, release and the
 * state of the memory. */
#include "../unit/agent/babble.h"
#include "../unit/agent/legacy-setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static LegacySetup *choose_setup(uint8_t choice)
{
    static const uint16_t chips[] = {0x6575, 0x6582, 0x6583, 0x6735, 0x6592, 0x6571, 0x8127, 0x6580};
    LegacySetup *setup = legacy_setup_new("MTK_AllInOne_DA_v7.1504.00.00", chips[choice & 7], 0x80000000, 112);
    setup->file->release = (MkRelease)((choice >> 3) % 5);
    setup->setup.from_preloader = false;
    setup->setup.emi = legacy_emi(choice & 0x80 ? 12 : 20, 2, 188, NULL);
    return setup;
}

static void use(MkAgent *agent)
{
    g_autoptr(MkLayout) layout = NULL;
    g_autoptr(GArray) pairs = NULL;
    MkRegion region = agent->info.storage == MK_STORAGE_NAND ? MK_REGION_NAND : MK_REGION_USER;
    const MkGeometry *geometry = &agent->info.geometry;
    uint32_t page = region == MK_REGION_NAND ? geometry->nand_page : geometry->sector;
    uint32_t block = region == MK_REGION_NAND ? geometry->nand_block : geometry->sector;
    unsigned millivolt;
    mk_agent_read(agent, region, 0, page, babble_drop, NULL, NULL);
    mk_agent_write(agent, region, 0, page, babble_zeros, NULL, NULL);
    mk_agent_erase(agent, region, 0, block, MK_ERASE_NORMAL, false, NULL, NULL);
    mk_agent_read_nand(agent, 0, page, MK_NAND_PAGE_SPARE, false, babble_drop, NULL, NULL);
    mk_agent_read_table(agent, &layout, NULL);
    mk_agent_read_bmt(agent, &pairs, NULL);
    mk_agent_memory_test(agent, MK_MEMTEST_DATA_BUS, 0, 0x1000, 0, NULL, NULL);
    mk_agent_battery(agent, &millivolt, NULL);
    mk_agent_finish(agent, MK_AFTER_REBOOT, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autoptr(LegacySetup) setup = choose_setup(data[0]);
    Babble *babble = babble_new(data + 1, size - 1);
    MkAgent *agent = mk_agent_open(&babble->link, &setup->setup, NULL, NULL, NULL);
    if (agent)
        use(agent);
    mk_agent_free(agent);
    mk_link_free(&babble->link);
    return 0;
}
