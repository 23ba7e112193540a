/* K-VERITY: do the seals of the ROM's vbmeta images fit its other images? (spec checks.md 5, images.md 15) */
#include "rom/checks.h"

#include "core/i18n.h"

#include <string.h>

static bool check_seal(Check *check, const MkRomItem *vbmeta, const MkAvbSeal *seal, GError **error)
{
    const MkRomItem *item = mk_rom_find(check->rom, seal->partition);
    bool agrees;
    if (!item || !item->image || !(item->selected || vbmeta->selected))
        return true;
    if (!mk_avb_seal_agrees(seal, item->image, &agrees, error))
        return false;
    g_autofree char *base = mk_check_base(item), *seals = mk_check_base(vbmeta);
    if (!agrees)
        mk_check_find(check, item, MK_SEVERITY_DANGER, "K-VERITY",
                      _("The phone will refuse this %s (verified boot): %s was made for another one."), base, seals);
    return true;
}

static bool check_vbmeta(Check *check, const MkRomItem *item, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(MkAvb) avb = mk_avb_load(item->image, &local);
    g_autofree char *base = mk_check_base(item);
    if (!avb) {
        mk_check_find(check, item, MK_SEVERITY_BLOCK, "F-TRUNC", "%s: %s", base, local->message);
        return true;
    }
    if (avb->flags & MK_AVB_VERIFICATION_OFF) {
        mk_check_find(check, item, MK_SEVERITY_WARN, "B-LOCK",
                      _("%s switches verified boot off: a locked phone does not start with it."), base);
        return true;
    }
    for (guint i = 0; i < avb->seals->len; i++)
        if (!check_seal(check, item, &g_array_index(avb->seals, MkAvbSeal, i), error))
            return false;
    return true;
}

bool mk_check_avb(Check *check, GError **error)
{
    for (guint i = 0; i < check->rom->items->len; i++) {
        const MkRomItem *item = check->rom->items->pdata[i];
        /* Of a pair of slots one is enough: both have the same file. */
        if (item->image && item->inner == MK_CONTENT_AVB &&
            mk_layout_slot(check->rom->layout, item->partition) != 'b' && !check_vbmeta(check, item, error))
            return false;
    }
    return true;
}

void mk_check_companions(Check *check)
{
    for (guint i = 0; i < check->rom->items->len; i++)
        for (guint k = 0; k < check->rom->items->len; k++) {
            const MkRomItem *item = check->rom->items->pdata[i], *other = check->rom->items->pdata[k];
            g_autofree char *of = mk_partition_base(item->partition->name),
                            *name = mk_partition_base(other->partition->name);
            if (item->selected && !other->selected && other->path && mk_rom_is_companion(of, name))
                mk_check_find(check, other, MK_SEVERITY_WARN, "S-INCOMPLETE",
                              _("%s is written but %s is not: they belong together."), item->partition->name,
                              other->partition->name);
        }
}
