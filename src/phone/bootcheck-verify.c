/* What a loader since Android 9 does before it starts a kernel: vbmeta is whole, and what it seals is what is there (spec images.md 15).
 * Signatures are not looked at: nobody here has the keys. */
#include "phone/bootcheck-private.h"

#include "core/i18n.h"
#include "image/image.h"

static MkImage *open_partition(const MkStart *start, const char *name)
{
    const MkPartition *partition = mk_start_find(start, name);
    g_autoptr(MkStore) store =
        partition ? mk_store_slice_new(start->store, partition->start, partition->size, name, NULL) : NULL;
    return store ? mk_image_raw_new(store, NULL) : NULL;
}

char *mk_start_unverified(const MkStart *start)
{
    g_autoptr(MkImage) image = open_partition(start, "vbmeta");
    g_autoptr(MkAvb) avb = image ? mk_avb_load(image, NULL) : NULL;
    if (!avb)
        return g_strdup(_("the loader finds no vbmeta that is whole"));
    for (guint i = 0; !(avb->flags & MK_AVB_VERIFICATION_OFF) && i < avb->seals->len; i++) {
        const MkAvbSeal *seal = &g_array_index(avb->seals, MkAvbSeal, i);
        g_autoptr(MkImage) sealed = open_partition(start, seal->partition);
        bool agrees = false;
        if (!sealed || !mk_avb_seal_agrees(seal, sealed, &agrees, NULL) || !agrees)
            return g_strdup_printf(_("%s is not the one that vbmeta vouches for"), seal->partition);
    }
    return NULL;
}
