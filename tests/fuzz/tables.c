/* A user area or NAND that holds any bytes: every table reader, and the repair of what it finds. */
#include "layout/layout.h"

#include <string.h>

static void read_emmc(MkStore *user)
{
    MkGeometry geometry = {.storage = MK_STORAGE_EMMC,
                           .boot1 = 1 << 20,
                           .boot2 = 1 << 20,
                           .rpmb = 1 << 20,
                           .user = user->size,
                           .sector = 512};
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkTable) gpt = mk_gpt_read(user, findings, NULL, NULL);
    g_autoptr(MkTable) pmt = mk_pmt_read(user, &geometry, findings, NULL, NULL);
    g_autoptr(MkTable) mbr = mk_mbr_read(user, findings, NULL, NULL);
    g_autoptr(GPtrArray) gpt_patches = mk_gpt_repair(user, NULL, NULL);
    g_autoptr(GPtrArray) pmt_patches = mk_pmt_repair(user, &geometry, NULL, NULL);
    if (gpt && gpt->layout)
        mk_layout_check(gpt->layout, &geometry, findings);
}

static void read_nand(MkStore *nand)
{
    MkGeometry geometry = {.storage = MK_STORAGE_NAND,
                           .nand_size = nand->size,
                           .nand_block = 4096,
                           .nand_page = 2048,
                           .nand_spare = 64,
                           .pool_blocks = 2};
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkTable) pmt = mk_pmt_nand_read(nand, &geometry, findings, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The end matters as much as the beginning: short inputs get room between them. */
    size_t whole = (MAX(size, 16384) + 4095) / 4096 * 4096;
    g_autofree uint8_t *bytes = g_malloc0(whole);
    memcpy(bytes, data, size);
    g_autoptr(MkStore) store = mk_store_memory_new(bytes, whole);
    read_emmc(store);
    read_nand(store);
    g_autoptr(MkLayout) entries = mk_pmt_parse_entries(data, size, NULL);
    g_autoptr(MkLayout) file = mk_gpt_parse_file(data, size, NULL, NULL);
    g_autoptr(MkLayout) dumchar = mk_dumchar_parse((const char *)data, size, NULL, NULL);
    return 0;
}
