/* The data of an image whose pages carry their spare bytes (yaffs2), without these: what a NAND reads back. */
#include "image/image-private.h"

#include "core/i18n.h"

typedef struct {
    MkImage base;
    MkImage *parent;
    uint32_t page, spare;
} PageImage;

static bool pages_read(MkImage *image, uint64_t offset, uint8_t *data, size_t length, GError **error)
{
    PageImage *pages = (PageImage *)image;
    for (size_t done = 0; done < length;) {
        uint64_t number = (offset + done) / pages->page;
        uint32_t inside = (uint32_t)((offset + done) % pages->page);
        size_t piece = MIN(length - done, pages->page - inside);
        uint64_t at = number * ((uint64_t)pages->page + pages->spare) + inside;
        if (!mk_image_read(pages->parent, at, data + done, piece, error))
            return false;
        done += piece;
    }
    return true;
}

static void pages_free(MkImage *image)
{
    mk_image_unref(((PageImage *)image)->parent);
}

MkImage *mk_image_pages_new(MkImage *parent, uint32_t page, uint32_t spare, GError **error)
{
    static const MkImageClass klass = {.read = pages_read, .free = pages_free};
    uint64_t record = (uint64_t)page + spare;
    if (page == 0 || parent->size == 0 || parent->size % record) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND,
                     _("%s is not made of pages of %u bytes with %u spare bytes each, as this phone's NAND has."),
                     parent->path ? parent->path : _("the image"), page, spare);
        return NULL;
    }
    PageImage *pages = mk_image_alloc(&klass, sizeof *pages, parent->size / record * page);
    pages->parent = mk_image_ref(parent);
    pages->page = page;
    pages->spare = spare;
    pages->base.path = g_strdup(parent->path);
    MkExtent extent = {.kind = MK_EXTENT_DATA, .length = pages->base.size};
    g_array_append_val(pages->base.extents, extent);
    return &pages->base;
}
