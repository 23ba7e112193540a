/* What is it, by content (spec images.md 1.1). File names lie. */
#include "image/image.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

#define HEAD 8192u

const char *mk_content_words(MkContent content)
{
    static const char *const words[] = {
        [MK_CONTENT_UNKNOWN] = N_("data of an unknown kind"),
        [MK_CONTENT_BLANK] = N_("blank (nothing but zeros or FF)"),
        [MK_CONTENT_SPARSE] = N_("an Android sparse image"),
        [MK_CONTENT_BOOT] = N_("an Android boot image"),
        [MK_CONTENT_VENDOR_BOOT] = N_("a vendor boot image"),
        [MK_CONTENT_MTK_HEADER] = N_("an image with MediaTek's header (loader, logo, firmware)"),
        [MK_CONTENT_PRELOADER] = N_("a preloader"),
        [MK_CONTENT_PRELOADER_BOOT_HEADER] = N_("a preloader with the outer header of a phone's boot area"),
        [MK_CONTENT_EMI_BLOCK] = N_("memory settings cut out of a preloader"),
        [MK_CONTENT_DA] = N_("a Download Agent file"),
        [MK_CONTENT_AVB] = N_("a verified-boot table"),
        [MK_CONTENT_LP] = N_("a super image"),
        [MK_CONTENT_DT_TABLE] = N_("a device-tree table"),
        [MK_CONTENT_FDT] = N_("a device tree"),
        [MK_CONTENT_AC_REGION] = N_("a security region"),
        [MK_CONTENT_UBI] = N_("a UBI image"),
        [MK_CONTENT_YAFFS2] = N_("a yaffs2 image"),
        [MK_CONTENT_EXT4] = N_("an ext4 file system"),
        [MK_CONTENT_EROFS] = N_("an EROFS file system"),
        [MK_CONTENT_F2FS] = N_("an F2FS file system"),
        [MK_CONTENT_SQUASHFS] = N_("a squashfs file system"),
        [MK_CONTENT_FAT] = N_("a FAT file system"),
        [MK_CONTENT_MBR] = N_("an MBR or EBR sector"),
        [MK_CONTENT_GPT] = N_("a GPT"),
        [MK_CONTENT_PAYLOAD] = N_("an update payload"),
        [MK_CONTENT_COMPRESSED] = N_("compressed data"),
        [MK_CONTENT_ARCHIVE] = N_("an archive"),
        [MK_CONTENT_CPIO] = N_("a bare ramdisk"),
        [MK_CONTENT_HTML] = N_("a web page, not a phone image"),
        [MK_CONTENT_SIGNED] = N_("a maker-signed image"),
        [MK_CONTENT_ENCRYPTED] = N_("an encrypted image"),
    };
    return _(words[content]);
}

typedef struct {
    size_t at;
    const char *bytes;
    size_t length;
    MkContent content;
} Signature;

#define SIGNATURE(at, bytes, content)                                                                                  \
    {                                                                                                                  \
        at, bytes, sizeof(bytes) - 1, content                                                                          \
    }

static const Signature signatures[] = {
    SIGNATURE(0, "\x3A\xFF\x26\xED", MK_CONTENT_SPARSE),
    SIGNATURE(0, "SSSS", MK_CONTENT_SIGNED),
    SIGNATURE(0, "cccc", MK_CONTENT_ENCRYPTED),
    SIGNATURE(0, "ANDROID!", MK_CONTENT_BOOT),
    SIGNATURE(0, "VNDRBOOT", MK_CONTENT_VENDOR_BOOT),
    SIGNATURE(0, "\x88\x16\x88\x58", MK_CONTENT_MTK_HEADER),
    SIGNATURE(0, "MMM\x01\x38\0\0\0FILE_INFO", MK_CONTENT_PRELOADER),
    SIGNATURE(0, "EMMC_BOOT\0", MK_CONTENT_PRELOADER_BOOT_HEADER),
    SIGNATURE(0, "UFS_BOOT\0", MK_CONTENT_PRELOADER_BOOT_HEADER),
    SIGNATURE(0, "COMBO_BOOT\0", MK_CONTENT_PRELOADER_BOOT_HEADER),
    SIGNATURE(0, "SDMMC_BOOT\0", MK_CONTENT_PRELOADER_BOOT_HEADER),
    SIGNATURE(0, "SF_BOOT\0", MK_CONTENT_PRELOADER_BOOT_HEADER),
    SIGNATURE(0, "BOOTLOADER!", MK_CONTENT_PRELOADER_BOOT_HEADER),
    SIGNATURE(0, "MTK_BLOADER_INFO_v", MK_CONTENT_EMI_BLOCK),
    SIGNATURE(0, "MTK_DOWNLOAD_AGENT", MK_CONTENT_DA),
    SIGNATURE(0, "AVB0", MK_CONTENT_AVB),
    SIGNATURE(4096, "\x67\x44\x6C\x61", MK_CONTENT_LP),
    SIGNATURE(0, "\x67\x44\x6C\x61", MK_CONTENT_LP),
    SIGNATURE(0, "\xD7\xB7\xAB\x1E", MK_CONTENT_DT_TABLE),
    SIGNATURE(0, "\xD0\x0D\xFE\xED", MK_CONTENT_FDT),
    SIGNATURE(0, "AND_AC_REGION", MK_CONTENT_AC_REGION),
    SIGNATURE(0, "UBI#", MK_CONTENT_UBI),
    SIGNATURE(0, "\x31\x18\x10\x06", MK_CONTENT_UBI),
    SIGNATURE(0, "\x03\0\0\0\x01\0\0\0\xFF\xFF\0\0", MK_CONTENT_YAFFS2),
    SIGNATURE(0x438, "\x53\xEF", MK_CONTENT_EXT4),
    SIGNATURE(0x400, "\xE2\xE1\xF5\xE0", MK_CONTENT_EROFS),
    SIGNATURE(0x400, "\x10\x20\xF5\xF2", MK_CONTENT_F2FS),
    SIGNATURE(0, "hsqs", MK_CONTENT_SQUASHFS),
    SIGNATURE(0x200, "EFI PART", MK_CONTENT_GPT),
    SIGNATURE(0, "EFI PART", MK_CONTENT_GPT),
    SIGNATURE(0, "CrAU", MK_CONTENT_PAYLOAD),
    SIGNATURE(0, "\x1F\x8B", MK_CONTENT_COMPRESSED),
    SIGNATURE(0, "BZh", MK_CONTENT_COMPRESSED),
    SIGNATURE(0, "\xFD\x37\x7A\x58\x5A\0", MK_CONTENT_COMPRESSED),
    SIGNATURE(0, "\x28\xB5\x2F\xFD", MK_CONTENT_COMPRESSED),
    SIGNATURE(0, "\x04\x22\x4D\x18", MK_CONTENT_COMPRESSED),
    SIGNATURE(0, "\x02\x21\x4C\x18", MK_CONTENT_COMPRESSED),
    SIGNATURE(0, "\x5D\0\0", MK_CONTENT_COMPRESSED),
    SIGNATURE(0, "PK\3\4", MK_CONTENT_ARCHIVE),
    SIGNATURE(0, "Rar!\x1A\x07", MK_CONTENT_ARCHIVE),
    SIGNATURE(0, "\x37\x7A\xBC\xAF\x27\x1C", MK_CONTENT_ARCHIVE),
    SIGNATURE(257, "ustar", MK_CONTENT_ARCHIVE),
    SIGNATURE(0, "070701", MK_CONTENT_CPIO),
    SIGNATURE(0, "070702", MK_CONTENT_CPIO),
};

static bool is_html(const uint8_t *head, size_t length)
{
    size_t at = length >= 3 && !memcmp(head, "\xEF\xBB\xBF", 3) ? 3 : 0;
    while (at < length && g_ascii_isspace(head[at]))
        at++;
    return (length - at >= 9 && !g_ascii_strncasecmp((const char *)head + at, "<!doctype", 9)) ||
           (length - at >= 5 && !g_ascii_strncasecmp((const char *)head + at, "<html", 5));
}

static bool is_mbr_image(const uint8_t *head, uint64_t size)
{
    if (size % 512 || size > 1024 || head[510] != 0x55 || head[511] != 0xAA)
        return false;
    for (int i = 0; i < 4; i++)
        if (head[0x1C2 + 16 * i] != 0 && head[0x1C2 + 16 * i] != 5 && head[0x1C2 + 16 * i] != 0x83)
            return false;
    return true;
}

static bool is_fat(const uint8_t *head, size_t length)
{
    return length >= 512 && head[510] == 0x55 && head[511] == 0xAA &&
           (!memcmp(head + 0x52, "FAT32", 5) || !memcmp(head + 0x36, "FAT16", 5) || !memcmp(head + 0x36, "FAT12", 5));
}

static bool not_blank(uint64_t offset, uint64_t length, gpointer user_data, GError **error)
{
    return false;
}

static bool blank_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    int *value = user_data;
    uint8_t here;
    if (mk_is_uniform(data, length, &here) && (here == 0 || here == 0xFF) && (*value < 0 || *value == here)) {
        *value = here;
        return true;
    }
    mk_fault_set(error, MK_FAULT_STOPPED, "not blank"); /* ends the reading; never shown */
    return false;
}

/* A file that is nothing but a hole needs no reading. */
static bool is_blank_store(MkStore *store, const uint8_t *head, size_t length)
{
    if (!mk_is_blank(head, length))
        return false;
    if (mk_store_foreach_data(store, not_blank, NULL, NULL))
        return true;
    int value = -1;
    g_autoptr(GError) stop = NULL;
    return mk_store_read_stream(store, 0, store->size, blank_sink, &value, NULL, &stop);
}

bool mk_identify(MkStore *store, MkContent *content, GError **error)
{
    g_autofree uint8_t *head = g_malloc0(HEAD);
    size_t length = (size_t)MIN(store->size, HEAD);
    *content = MK_CONTENT_UNKNOWN;
    if (length && !mk_store_read(store, 0, head, length, NULL, error))
        return false;
    if (length >= 4 && !memcmp(head, "FBFB", 4)) {
        *content = MK_CONTENT_SIGNED;
        return true;
    }
    if (is_fat(head, length) || (length >= 512 && is_mbr_image(head, store->size))) {
        *content = is_fat(head, length) ? MK_CONTENT_FAT : MK_CONTENT_MBR;
        return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(signatures); i++)
        if (signatures[i].at + signatures[i].length <= length &&
            !memcmp(head + signatures[i].at, signatures[i].bytes, signatures[i].length)) {
            *content = signatures[i].content;
            return true;
        }
    if (is_html(head, length))
        *content = MK_CONTENT_HTML;
    else if (length && is_blank_store(store, head, length))
        *content = MK_CONTENT_BLANK;
    return true;
}
