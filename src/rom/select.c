/* What of a ROM is written: ticks by name, in pairs of slots, with what belongs together. */
#include "rom/rom-private.h"

#include "core/i18n.h"

#include <string.h>

static MkRomItem *item_of(const MkRom *rom, const MkPartition *partition)
{
    for (guint i = 0; i < rom->items->len; i++) {
        MkRomItem *item = rom->items->pdata[i];
        if (item->partition == partition)
            return item;
    }
    return NULL;
}

MkRomItem *mk_rom_find(const MkRom *rom, const char *partition)
{
    g_autoptr(GPtrArray) found = mk_layout_find_all(rom->layout, partition);
    return found->len ? item_of(rom, found->pdata[0]) : NULL;
}

static bool is_guarded(const MkRomItem *item)
{
    MkClass klass = mk_partition_class(item->partition);
    return klass == MK_CLASS_IDENTITY || klass == MK_CLASS_SECURITY || klass == MK_CLASS_RESERVED ||
           klass == MK_CLASS_TABLE;
}

/* One slot of a pair may come without a file: the ROM then leaves it as it is. */
bool mk_rom_select(MkRom *rom, const char *partition, bool selected, bool named, GError **error)
{
    g_autoptr(GPtrArray) found = mk_layout_find_all(rom->layout, partition);
    unsigned files = 0;
    if (!found->len) {
        mk_layout_fault_no_such(rom->layout, partition, true, 5017, "S_DL_LOAD_REGION_NOT_FOUND", error);
        return false;
    }
    for (guint i = 0; i < found->len; i++) {
        MkRomItem *item = item_of(rom, found->pdata[i]);
        files += item->path != NULL;
        if ((item->path || !selected) && !(selected && is_guarded(item) && !named))
            item->selected = selected;
    }
    if (!selected || files)
        return true;
    mk_fault_set_number(error, MK_FAULT_FILE, 5007, "S_FTHND_FILE_IS_NOT_LOADED_YET",
                        _("There is no file for %s in %s."), ((const MkPartition *)found->pdata[0])->name, rom->folder);
    return false;
}

/* --- what belongs together (spec behaviour.md 4.2) ----------------------------------------------------------------- */

static const struct {
    const char *of, *companion;
} companions[] = {{"super", "vbmeta_system"},
                  {"super", "vbmeta_vendor"},
                  {"preloader", "loader_ext1"},
                  {"preloader", "loader_ext2"},
                  {"preloader", "loader_ext"}};

bool mk_rom_is_companion(const char *of, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(companions); i++)
        if (!strcmp(companions[i].of, of) && !strcmp(companions[i].companion, name))
            return true;
    return false;
}

static bool any_ticked(const MkRom *rom, const char *name)
{
    for (guint i = 0; i < rom->items->len; i++) {
        const MkRomItem *item = rom->items->pdata[i];
        g_autofree char *base = mk_partition_base(item->partition->name);
        if (item->selected && !strcmp(base, name))
            return true;
    }
    return false;
}

void mk_rom_select_companions(MkRom *rom)
{
    for (gsize c = 0; c < G_N_ELEMENTS(companions); c++) {
        bool ticked = any_ticked(rom, companions[c].of);
        for (guint i = 0; ticked && i < rom->items->len; i++) {
            MkRomItem *item = rom->items->pdata[i];
            g_autofree char *base = mk_partition_base(item->partition->name);
            if (item->selected || !item->path || !item->partition->download || strcmp(base, companions[c].companion))
                continue;
            item->selected = true;
            MkFinding *finding =
                mk_finding_add(rom->findings, MK_SEVERITY_NOTE, "S-COMPANION", 0,
                               _("%s is written too: it belongs to %s."), item->partition->name, companions[c].of);
            mk_finding_set(finding, item->partition->name, item->path, NULL);
        }
    }
}
