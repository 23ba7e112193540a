/* Any bytes as a Download Agent file: parse, choose for some chips, take every region. */
#include "agent/agent-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const MkSoc chips[] = {{.da_code = 0x6582, .names = "MT6582"}, {.da_code = 0x6575, .names = "MT6575"}};
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkAgentFile) file = mk_agent_file_parse(bytes, "fuzz", findings, NULL);
    for (size_t i = 0; file && i < G_N_ELEMENTS(chips); i++) {
        const MkAgentEntry *entry = mk_agent_file_choose(file, &chips[i], 0xCA00, 0xE100, findings, NULL);
        for (unsigned region = 0; entry && region < entry->n_regions; region++)
            g_bytes_unref(mk_agent_file_region(file, entry, region));
    }
    return 0;
}
