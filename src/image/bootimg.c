/* Android boot and recovery images: the header's facts and MediaTek's inner headers (spec images.md 3). */
#include "image/image.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

static uint64_t pages(uint64_t size, uint32_t page)
{
    return mk_round_up(size, page);
}

static bool impossible(MkStore *store, GError **error)
{
    mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("%s has an impossible boot image header."), store->name);
    return false;
}

static void read_text(char *target, size_t room, const uint8_t *source, size_t length)
{
    size_t n = MIN(strnlen((const char *)source, length), room - 1 - strlen(target));
    char *at = target + strlen(target);
    for (size_t i = 0; i < n; i++)
        at[i] = g_ascii_isprint(source[i]) ? (char)source[i] : '?';
    at[n] = '\0';
}

static bool parse_old(const uint8_t *h, MkBootInfo *info)
{
    uint32_t version = mk_le32(h + 40);
    info->version = version <= 2 ? version : 0; /* others keep a vendor field there */
    info->kernel_size = mk_le32(h + 8);
    info->kernel_addr = mk_le32(h + 12);
    info->ramdisk_size = mk_le32(h + 16);
    info->ramdisk_addr = mk_le32(h + 20);
    info->second_size = mk_le32(h + 24);
    info->second_addr = mk_le32(h + 28);
    info->tags_addr = mk_le32(h + 32);
    info->page_size = mk_le32(h + 36);
    read_text(info->product, sizeof info->product, h + 48, 16);
    read_text(info->cmdline, sizeof info->cmdline, h + 64, 512);
    read_text(info->cmdline, sizeof info->cmdline, h + 608, 1024);
    memcpy(info->id, h + 576, 32);
    info->recovery_dtbo_size = info->version >= 1 ? mk_le32(h + 1632) : 0;
    info->dtb_size = info->version >= 2 ? mk_le32(h + 1648) : 0;
    if (info->page_size != 2048 && info->page_size != 4096 && info->page_size != 8192 && info->page_size != 16384)
        return false;
    uint64_t at = info->page_size;
    info->kernel_offset = at;
    info->ramdisk_offset = at += pages(info->kernel_size, info->page_size);
    info->second_offset = at += pages(info->ramdisk_size, info->page_size);
    at += pages(info->second_size, info->page_size) + pages(info->recovery_dtbo_size, info->page_size);
    info->dtb_offset = at;
    info->length = at + pages(info->dtb_size, info->page_size);
    return info->kernel_size && info->ramdisk_size;
}

static bool parse_new(const uint8_t *h, uint32_t version, MkBootInfo *info)
{
    info->version = version;
    info->kernel_size = mk_le32(h + 8);
    info->ramdisk_size = mk_le32(h + 12);
    info->page_size = 4096;
    read_text(info->cmdline, sizeof info->cmdline, h + 44, 1536);
    info->kernel_offset = 4096;
    info->ramdisk_offset = 4096 + pages(info->kernel_size, 4096);
    info->length =
        info->ramdisk_offset + pages(info->ramdisk_size, 4096) + (version >= 4 ? pages(mk_le32(h + 1580), 4096) : 0);
    return info->kernel_size || info->ramdisk_size;
}

static bool read_inner(MkStore *store, uint64_t offset, uint64_t size, char name[33], uint32_t *body, GError **error)
{
    uint8_t data[512];
    MkMtkHeader header;
    if (size < sizeof data || offset > store->size || store->size - offset < sizeof data)
        return true;
    if (!mk_store_read(store, offset, data, sizeof data, NULL, error))
        return false;
    if (mk_mtk_header_parse(data, sizeof data, &header)) {
        memcpy(name, header.name, 33);
        *body = header.size;
    }
    return true;
}

bool mk_boot_parse(MkStore *store, MkBootInfo *info, GError **error)
{
    uint8_t h[2048];
    *info = (MkBootInfo){0};
    if (store->size < sizeof h)
        return impossible(store, error);
    if (!mk_store_read(store, 0, h, sizeof h, NULL, error))
        return false;
    if (memcmp(h, "ANDROID!", 8))
        return impossible(store, error);
    /* v3 and v4 keep the version at the same place, with a header size beside it that no old header has. */
    uint32_t version = mk_le32(h + 40), header_size = mk_le32(h + 20);
    bool new_form = (version == 3 || version == 4) && header_size >= 1580 && header_size <= 4096;
    if (!(new_form ? parse_new(h, version, info) : parse_old(h, info)))
        return impossible(store, error);
    return read_inner(store, info->kernel_offset, info->kernel_size, info->kernel_mtk, &info->kernel_mtk_size, error) &&
           read_inner(store, info->ramdisk_offset, info->ramdisk_size, info->ramdisk_mtk, &info->ramdisk_mtk_size,
                      error);
}
