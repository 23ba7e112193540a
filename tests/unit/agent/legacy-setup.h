/* What a test needs to open a legacy agent: a DA file with one entry, and the setup. */
#pragma once

#include "agent/agent.h"
#include "container.h"

typedef struct {
    MkSoc soc;
    MkAgentFile *file;
    MkAgentSetup setup;
} LegacySetup;

static inline LegacySetup *legacy_setup_new(const char *label, uint16_t chip, uint32_t stage2_address,
                                            uint32_t stage2_length)
{
    bool single = chip == 0x6573 || chip == 0x6575 || chip == 0x6577 || chip == 0x6583;
    ContainerEntry entry = {.hw_code = chip,
                            .entry_region = single,
                            .content = "",
                            .addresses = {0x80010000, 0x200000, stage2_address},
                            .lengths = {0x40, 0x400, stage2_length}};
    Container container = {label, strstr(label, "v3.3001.00") ? 3 : 4, 20, &entry, 1};
    g_autoptr(GBytes) bytes = container_build(&container);
    LegacySetup *setup = g_new0(LegacySetup, 1);
    setup->soc = (MkSoc){.hw_code = chip, .da_code = chip, .names = "test chip"};
    setup->file = mk_agent_file_parse(bytes, "DA.bin", NULL, NULL);
    g_assert_nonnull(setup->file);
    setup->setup = (MkAgentSetup){.soc = &setup->soc,
                                  .hw_code = chip,
                                  .from_preloader = true,
                                  .brom_version = 5,
                                  .bl_version = 1,
                                  .file = setup->file,
                                  .entry = &g_array_index(setup->file->entries, MkAgentEntry, 0)};
    return setup;
}

static inline void legacy_setup_free(LegacySetup *setup)
{
    mk_agent_file_free(setup->file);
    g_clear_pointer(&setup->setup.emi, g_bytes_unref);
    g_free(setup);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(LegacySetup, legacy_setup_free)

/* An EMI block of COUNT records of LENGTH bytes, each filled with its number, the ids of eMMC chips at their place (layout A). */
static inline GBytes *legacy_emi(unsigned version, unsigned count, unsigned length, const char *const *ids)
{
    GByteArray *block = g_byte_array_new();
    g_autofree char *magic = g_strdup_printf("MTK_BLOADER_INFO_v%02u", version);
    mk_put_text(block, magic, 0x6C);
    mk_put_le32(block, count);
    for (unsigned i = 0; i < count; i++) {
        size_t id_length = ids ? strlen(ids[i]) : 0;
        mk_put_fill(block, (uint8_t)i, 8);
        mk_put_le32(block, (uint32_t)id_length);
        mk_put_fill(block, (uint8_t)i, 4);
        mk_put_text(block, ids ? ids[i] : "", 16);
        mk_put_fill(block, (uint8_t)i, length - 0x20);
    }
    return g_byte_array_free_to_bytes(block);
}
