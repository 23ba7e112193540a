/* P, I and S: does the set fit together, and does it fit this phone? (spec checks.md 4, 6, 9) */
#include "rom/checks.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

/* --- P: sizes ------------------------------------------------------------------------------------------------------- */

static void check_size(Check *check, const MkRomItem *item, const MkLayout *layout)
{
    const MkPartition *place = mk_layout_find(layout, item->partition->name);
    /* What takes the rest is as large as the phone makes it. */
    if (!place || !place->size || !item->image || (place->grows && layout == check->rom->layout) ||
        item->image->size <= place->size)
        return;
    g_autofree char *base = mk_check_base(item), *need = mk_size_text(item->image->size),
                    *have = mk_size_text(place->size);
    mk_check_find(
        check, item, MK_SEVERITY_BLOCK, "P-SIZE",
        _("%s is %s but the %s partition is only %s. It is meant for another phone, or another storage layout."), base,
        need, item->partition->name, have);
}

static void check_storage_kind(Check *check, const MkRomItem *item)
{
    g_autofree char *name = mk_partition_canonical(item->partition->name), *base = mk_check_base(item);
    MkStorage storage = check->rom->layout->storage;
    if (strcmp(name, "system") && strcmp(name, "userdata") && strcmp(name, "cache"))
        return;
    bool nand_image = item->inner == MK_CONTENT_YAFFS2 || item->inner == MK_CONTENT_UBI,
         block_image = item->inner == MK_CONTENT_EXT4 || item->inner == MK_CONTENT_F2FS;
    if ((storage == MK_STORAGE_NAND && block_image) || (storage != MK_STORAGE_NAND && nand_image))
        mk_check_find(check, item, MK_SEVERITY_BLOCK, "P-NANDKIND", _("%s is made for %s memory."), base,
                      storage == MK_STORAGE_NAND ? _("eMMC or UFS") : "NAND");
}

static void check_region(Check *check, const MkRomItem *item)
{
    MkRegion region = item->partition->region;
    bool boot = mk_region_is_boot(region);
    bool preloader = item->content == MK_CONTENT_PRELOADER || item->content == MK_CONTENT_PRELOADER_BOOT_HEADER;
    bool known = region != MK_REGION_LINEAR && region != MK_REGION_NAND && region != MK_REGION_NONE;
    if (known && boot != preloader && (preloader || mk_class_by_name(item->partition->name) != MK_CLASS_BOOT))
        mk_check_find(check, item, MK_SEVERITY_BLOCK, "P-REGION", _("%s would be written to the wrong area."),
                      item->partition->name);
}

/* The load's own layout on this phone: does it fit at all, and does it hold together? */
static void check_layout(Check *check)
{
    const MkPhoneFacts *phone = check->phone;
    if (!phone || !phone->geometry || phone->geometry->storage == MK_STORAGE_UNKNOWN) {
        mk_check_unchecked(check, "P-FLASHEND");
        return;
    }
    g_autoptr(MkLayout) section = mk_layout_for_storage(check->rom->layout, phone->geometry->storage);
    if (!section) {
        mk_check_find(check, NULL, MK_SEVERITY_BLOCK, "P-STORAGE",
                      _("This ROM is for phones with %s memory. Yours has %s. There are two versions of this model: "
                        "find the other ROM."),
                      mk_storage_name(check->rom->layout->storage), mk_storage_name(phone->geometry->storage));
        return;
    }
    g_autoptr(MkLayout) layout = mk_layout_copy(section);
    g_autoptr(GError) local = NULL;
    if (!mk_layout_resolve(layout, phone->geometry, &local)) {
        bool small = mk_fault_code(local) == MK_FAULT_STOR_SMALL;
        mk_check_find(check, NULL, MK_SEVERITY_BLOCK, small ? "P-FLASHEND" : "P-STORAGE", "%s", local->message);
        return;
    }
    g_autoptr(GPtrArray) trouble = mk_findings_new();
    mk_layout_check(layout, phone->geometry, trouble);
    for (guint i = 0; i < trouble->len; i++) {
        const MkFinding *finding = trouble->pdata[i];
        if (finding->severity == MK_SEVERITY_BLOCK)
            mk_check_find(check, NULL, MK_SEVERITY_BLOCK, "P-OVERLAP", _("The scatter file is broken: %s"),
                          finding->message);
    }
    for (guint i = 0; i < check->rom->items->len; i++) {
        const MkRomItem *item = check->rom->items->pdata[i];
        if (item->selected)
            check_size(check, item, layout);
    }
    if (phone->layout && phone->layout->kind != MK_LAYOUT_MBR && !mk_layout_same(phone->layout, layout))
        mk_check_find(check, NULL, MK_SEVERITY_WARN, "P-TABLE",
                      _("The layout in this ROM differs from the layout on the phone."));
}

/* --- I: chips and projects ----------------------------------------------------------------------------------------- */

static bool same_family(const char *a, const char *b)
{
    const MkSoc *x = mk_soc_by_name(a), *y = mk_soc_by_name(b);
    return !x || !y || mk_soc_accepts(x, b) || mk_soc_accepts(y, a);
}

static void check_chip(Check *check)
{
    const MkRomClaims *claims = &check->rom->claims;
    const MkRomItem *preloader = mk_rom_find(check->rom, "preloader");
    if (!check->phone || !check->phone->soc)
        mk_check_unchecked(check, "I-CHIP-PHONE");
    else if (!claims->chip)
        mk_check_find(check, NULL, MK_SEVERITY_WARN, "I-CHIP-PHONE",
                      _("The ROM does not say which chip it is for; your phone has %s."),
                      mk_soc_name(check->phone->soc));
    else if (!mk_soc_accepts(check->phone->soc, claims->chip))
        mk_check_find(check, NULL, MK_SEVERITY_BLOCK, "I-CHIP-PHONE",
                      _("This ROM is for the %s chip. Your phone has %s. Writing it would kill the phone."),
                      claims->chip, mk_soc_name(check->phone->soc));
    bool writes = preloader && preloader->selected;
    if (claims->chip && claims->preloader_chip && !same_family(claims->chip, claims->preloader_chip))
        mk_check_find(
            check, preloader, writes ? MK_SEVERITY_BLOCK : MK_SEVERITY_DANGER, "I-CHIP-SET",
            _("The preloader is for %s but the ROM's map is for %s. The ROM was put together from different phones."),
            claims->preloader_chip, claims->chip);
    if (claims->chip && claims->platform && !same_family(claims->chip, claims->platform))
        mk_check_find(
            check, NULL, writes ? MK_SEVERITY_BLOCK : MK_SEVERITY_DANGER, "I-CHIP-SET",
            _("The system is for %s but the ROM's map is for %s. The ROM was put together from different phones."),
            claims->platform, claims->chip);
}

/* The board of the phone is known by the preloader in its boot region, the ROM's by its preloader, else by its scatter. Where the scatter names the
 * phone's own board only the preloader is a stranger in the ROM: what else is in there may be written. */
static void check_board(Check *check, const char *own, bool writes)
{
    const MkRomClaims *claims = &check->rom->claims;
    const char *theirs = claims->preloader_project ? claims->preloader_project : claims->project;
    if (!theirs || !g_ascii_strcasecmp(own, theirs))
        return;
    if (claims->project && !g_ascii_strcasecmp(own, claims->project)) {
        mk_check_find(
            check, mk_rom_find(check->rom, "preloader"), writes ? MK_SEVERITY_DANGER : MK_SEVERITY_NOTE,
            "I-PROJECT-PHONE",
            _("Your phone's starter is '%s', the ROM's is '%s': different boards. Leave the preloader unticked."), own,
            theirs);
        return;
    }
    MkFinding *finding = mk_check_find(check, NULL, MK_SEVERITY_DANGER, "I-PROJECT-PHONE",
                                       _("Your phone's starter is '%s', the ROM's is '%s': different boards. This is "
                                         "most likely the ROM of another model."),
                                       own, theirs);
    mk_finding_set(finding, NULL, NULL,
                   _("The phone's board is known by nothing but the preloader in its boot region. Compare the model on "
                     "its label. Only if a wrong ROM brought that preloader there is this one the cure: flash it all "
                     "the same, then the right preloader with `medik write preloader FILE`."));
}

static void check_project(Check *check)
{
    const MkRomClaims *claims = &check->rom->claims;
    const MkRomItem *preloader = mk_rom_find(check->rom, "preloader");
    const char *own = check->phone ? check->phone->preloader_project : NULL;
    if (own)
        check_board(check, own, preloader && preloader->selected);
    else
        mk_check_unchecked(check, "I-PROJECT-PHONE");
    if (claims->project && claims->preloader_project && g_ascii_strcasecmp(claims->project, claims->preloader_project))
        mk_check_find(check, preloader, MK_SEVERITY_WARN, "I-PROJECT",
                      _("The ROM's map says '%s', its preloader says '%s'."), claims->project,
                      claims->preloader_project);
}

/* A preloader that does not list the memory chip cannot start the main memory: the phone would not get past it. */
static bool check_memory(Check *check, GError **error)
{
    const MkRomItem *item = mk_rom_find(check->rom, "preloader");
    const MkPhoneFacts *phone = check->phone;
    if (!phone || !phone->memory_id_length) {
        mk_check_unchecked(check, "I-DRAM");
        return true;
    }
    if (!item || !item->selected ||
        (item->content != MK_CONTENT_PRELOADER && item->content != MK_CONTENT_PRELOADER_BOOT_HEADER))
        return true;
    g_autoptr(MkPreloader) preloader = mk_preloader_load(item->path, NULL, error);
    if (!preloader)
        return false;
    if (preloader->emi && mk_emi_match(preloader->emi, phone->memory_id, phone->memory_id_length) == MK_EMI_NOT_LISTED)
        mk_check_find(check, item, MK_SEVERITY_DANGER, "I-DRAM",
                      _("This preloader does not know your phone's memory chip: the phone would not start with it."));
    return true;
}

static void check_set(Check *check)
{
    const MkRomItem *system = mk_rom_find(check->rom, "system"), *boot = mk_rom_find(check->rom, "boot");
    if (system && system->selected && boot && !boot->selected)
        mk_check_find(check, boot, MK_SEVERITY_WARN, "S-INCOMPLETE",
                      _("The system is written but the boot image is not: they may not belong together."));
}

bool mk_check_phone(Check *check, GError **error)
{
    if (check->phone && check->phone->storage_none)
        mk_check_find(check, NULL, MK_SEVERITY_BLOCK, "P-STORAGE", _("The phone reports no storage at all."));
    for (guint i = 0; i < check->rom->items->len; i++) {
        const MkRomItem *item = check->rom->items->pdata[i];
        if (!item->selected)
            continue;
        check_storage_kind(check, item);
        check_region(check, item);
        if (!check->phone || !check->phone->geometry)
            check_size(check, item, check->rom->layout);
    }
    check_layout(check);
    check_chip(check);
    check_project(check);
    check_set(check);
    return check_memory(check, error);
}
