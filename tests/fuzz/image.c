/* A file that claims to be an image: recognised, read as every kind that there is a reader for. */
#include "image/image.h"

#include <string.h>

#define MOST (8u << 20)

static void read_super(MkStore *store)
{
    uint8_t buffer[4096];
    g_autoptr(MkStore) system = mk_super_open(store, "system", NULL);
    for (uint64_t at = 0; system && at < MIN(system->size, MOST); at += sizeof buffer)
        mk_store_read(system, at, buffer, (size_t)MIN(sizeof buffer, system->size - at), NULL, NULL);
}

static void read_sparse(MkStore *store)
{
    uint8_t buffer[4096];
    g_autoptr(GPtrArray) findings = mk_findings_new();
    mk_sparse_check(store, findings, NULL, NULL);
    g_autoptr(MkImage) image = mk_image_sparse_new(store, findings, NULL);
    for (uint64_t at = 0; image && at < MIN(image->size, MOST); at += sizeof buffer)
        mk_image_read(image, at, buffer, (size_t)MIN(sizeof buffer, image->size - at), NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(MkStore) store = mk_store_memory_new(data, size);
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    MkContent content;
    MkBootInfo info;
    MkMtkHeader header;
    MkNvramReport report = {0};
    uint64_t length;
    mk_identify(store, &content, NULL);
    read_sparse(store);
    read_super(store);
    mk_boot_parse(store, &info, NULL);
    mk_mtk_header_parse(data, size, &header);
    g_autoptr(MkPreloader) preloader = mk_preloader_parse(bytes, NULL, NULL);
    mk_emi_match(preloader && preloader->emi ? preloader->emi : bytes, data, MIN(size, 16));
    g_autoptr(MkAvb) avb = mk_avb_parse(bytes, NULL);
    if (mk_nvram_report(store, &report, NULL))
        mk_nvram_report_clear(&report);
    mk_ext4_size(store, &length, NULL);
    g_autoptr(GBytes) prop = mk_ext4_read_file(store, "/build.prop", 1 << 16, NULL);
    return 0;
}
