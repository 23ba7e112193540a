/* K and X: will boot, recovery and system start? (spec checks.md 5, 8) */
#include "rom/checks.h"

#include "core/i18n.h"

#include <string.h>

/* Loaders up to MT6592 insist on MediaTek's inner headers and on 2048-byte pages (spec images.md 3.6). */
static bool old_loader(const char *chip)
{
    static const char *const chips[] = {"MT6573", "MT6575", "MT6577", "MT6589", "MT6583",
                                        "MT6572", "MT6571", "MT6582", "MT6592"};
    for (gsize i = 0; chip && i < G_N_ELEMENTS(chips); i++)
        if (!g_ascii_strncasecmp(chip, chips[i], strlen(chips[i])))
            return true;
    return false;
}

static void check_names(const MkBootInfo *info, const char *base, bool recovery, const char *chip, GPtrArray *findings)
{
    if (!*info->kernel_mtk && !*info->ramdisk_mtk) {
        if (old_loader(chip))
            mk_finding_add(findings, MK_SEVERITY_DANGER, "K-MTKHDR", 0,
                           _("%s lacks MediaTek's special header that this phone's loader insists on. It will not "
                             "start. It was probably repacked with an ordinary tool."),
                           base);
        return;
    }
    const char *other = recovery ? "ROOTFS" : "RECOVERY";
    if (!g_ascii_strcasecmp(info->ramdisk_mtk, other))
        mk_finding_add(findings, MK_SEVERITY_DANGER, "K-NAME", 0,
                       recovery ? _("%s is really a boot image: boot and recovery were swapped.")
                                : _("%s is really a recovery image: boot and recovery were swapped."),
                       base);
    if (info->kernel_mtk_size + 512 != info->kernel_size ||
        (*info->ramdisk_mtk && info->ramdisk_mtk_size + 512 != info->ramdisk_size))
        mk_finding_add(findings, MK_SEVERITY_WARN, "K-MTKSIZE", 0,
                       _("The two size fields of %s disagree; the image may be damaged."), base);
}

void mk_check_boot_image(MkStore *image, bool recovery, const char *chip, const char *base, GPtrArray *findings)
{
    MkBootInfo info;
    if (!mk_boot_parse(image, &info, NULL)) {
        mk_finding_add(findings, MK_SEVERITY_BLOCK, "K-HDR", 0, _("%s has an impossible header."), base);
        return;
    }
    check_names(&info, base, recovery, chip, findings);
    if (old_loader(chip) && info.page_size != 2048)
        mk_finding_add(findings, MK_SEVERITY_DANGER, "K-PAGE", 0,
                       _("This phone's loader only understands 2048-byte pages, %s has %u."), base, info.page_size);
}

static void check_item(Check *check, const char *partition, bool recovery)
{
    const MkRomItem *item = mk_rom_find(check->rom, partition);
    if (!item || !item->selected || item->inner != MK_CONTENT_BOOT)
        return;
    g_autofree char *base = mk_check_base(item);
    g_autoptr(MkStore) store = mk_image_as_store(item->image);
    guint before = check->findings->len;
    mk_check_boot_image(store, recovery, check->rom->claims.chip, base, check->findings);
    for (guint i = before; i < check->findings->len; i++)
        mk_finding_set(check->findings->pdata[i], item->partition->name, item->path, NULL);
}

static void check_system(Check *check)
{
    const MkRomItem *item = mk_rom_find(check->rom, "system");
    if (!item || !item->selected || item->inner != MK_CONTENT_EXT4 || check->rom->claims.model ||
        check->rom->claims.build || check->rom->claims.android)
        return;
    g_autofree char *base = mk_check_base(item);
    mk_check_find(check, item, MK_SEVERITY_DANGER, "X-BUILDPROP",
                  _("There is no Android in %s (no readable build.prop)."), base);
}

bool mk_check_boot(Check *check, G_GNUC_UNUSED GError **error)
{
    check_system(check);
    check_item(check, "boot", false);
    check_item(check, "recovery", true);
    return true;
}
