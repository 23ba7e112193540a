/* Reading, writing and erasing by address (spec da-xml.md 7, 8.10, 8.12, 8.14). */
#include "core/bytes.h"
#include "phone/unsparse.h"
#include "core/hash.h"
#include "phone/xml-device.h"

#include <string.h>

#define ERASE_STEP    (UINT64_C(256) << 20) /* longer erases report how far they are */
#define SPARSE_BLOCK  12                    /* in the head of a sparse file: bytes of a block, number of blocks */
#define SPARSE_BLOCKS 16
#define BASE_MESSAGE  "base address is larger than partition max size."

bool mk_xml_has_storage(const MkXml *x)
{
    return !mk_chip_absent(x->chip) && x->model->geometry.storage != MK_STORAGE_NAND;
}

bool mk_xml_stored(MkXml *x, MkChipResult result)
{
    x->gone |= result == MK_CHIP_GONE;
    return result == MK_CHIP_OK;
}

/* --- where --------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    MkRegion region;
} areas[] = {
    {"EMMC-BOOT1", MK_REGION_BOOT1}, {"EMMC-BOOT2", MK_REGION_BOOT2}, {"EMMC-USER", MK_REGION_USER},
    {"EMMC-GP1", MK_REGION_GP1},     {"EMMC-GP2", MK_REGION_GP2},     {"EMMC-GP3", MK_REGION_GP3},
    {"EMMC-GP4", MK_REGION_GP4},     {"UFS-LUA0", MK_REGION_LU0},     {"UFS-LUA1", MK_REGION_LU1},
    {"UFS-LUA2", MK_REGION_LU2},     {"UFS-LUA3", MK_REGION_LU3},
};

/* The whole area; an area that the storage has not is none. */
static bool find_area(MkXml *x, const char *name, MkXmlRange *range)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(areas); i++) {
        if (strcmp(areas[i].name, name) != 0 || !mk_xml_has_storage(x))
            continue;
        *range = (MkXmlRange){areas[i].region, 0, mk_geometry_region_size(&x->model->geometry, areas[i].region)};
        if (range->length)
            return true;
    }
    mk_xml_fail(x, "Cannot find [%s] on current device storage.", name);
    return false;
}

/* From OFFSET to the end of the area. */
static bool skip(MkXml *x, const char *offset, MkXmlRange *range)
{
    uint64_t at = mk_xml_number(offset);
    if (at >= range->length) {
        mk_xml_fail(x, BASE_MESSAGE);
        return false;
    }
    range->offset = at;
    range->length -= at;
    return true;
}

static uint64_t length_of(const char *text, const MkXmlRange *rest)
{
    return strcmp(text, "MAX") == 0 ? rest->length : mk_xml_number(text);
}

/* --- READ-FLASH ------------------------------------------------------------------------------------------------------------------ */

void mk_xml_read_flash(MkXml *x)
{
    g_autofree char *area = mk_xml_need(x, "partition"), *offset = mk_xml_need(x, "offset");
    g_autofree char *length = mk_xml_need(x, "length"), *target = mk_xml_need(x, "target_file");
    MkXmlRange range;
    if (x->message || !find_area(x, area, &range) || !skip(x, offset, &range))
        return;
    uint64_t wanted = length_of(length, &range);
    if (wanted > range.length) {
        mk_xml_fail(x,
                    "Read length[%" G_GINT64_MODIFIER "x] is larger than partition max size[%" G_GINT64_MODIFIER "x]",
                    wanted, range.length);
        return;
    }
    range.length = wanted;
    mk_xml_upload_range(x, area, target, &range);
}

/* --- erasing ------------------------------------------------------------------------------------------------------------------------ */

bool mk_xml_erase(MkXml *x, const MkXmlRange *range, const char *label)
{
    bool good = true;
    mk_xml_progress_begin(x, label);
    for (uint64_t done = 0; done < range->length && good && !x->gone;) {
        uint64_t piece = MIN(ERASE_STEP, range->length - done);
        good = mk_xml_stored(x, mk_chip_erase(x->chip, range->region, range->offset + done, piece));
        done += piece;
        if (good && done < range->length)
            mk_xml_progress(x, (unsigned)(100 * (done >> 20) / (range->length >> 20)), label);
    }
    mk_xml_progress_end(x);
    if (!good)
        mk_xml_fail(x, "%s", "");
    return good && !x->gone;
}

void mk_xml_erase_flash(MkXml *x)
{
    g_autofree char *area = mk_xml_need(x, "partition"), *offset = mk_xml_need(x, "offset");
    g_autofree char *length = mk_xml_need(x, "length");
    MkXmlRange range;
    if (x->message || !find_area(x, area, &range) || !skip(x, offset, &range))
        return;
    uint64_t wanted = length_of(length, &range);
    if (wanted > range.length) {
        mk_xml_fail(x, "erase length is larger than partition max size.");
        return;
    }
    range.length = wanted;
    mk_xml_erase(x, &range, area);
}

/* --- an image on its way ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    MkXml *x;
    const MkXmlRange *range;
    uint64_t largest;
    uint32_t sum;
    bool sparse, refused;
    MkUnsparse unsparse;
} Incoming;

static MkChipResult store(void *target, uint64_t position, const uint8_t *data, size_t length)
{
    Incoming *incoming = target;
    const MkXmlRange *range = incoming->range;
    if (position > range->length || length > range->length - position)
        return MK_CHIP_RANGE;
    MkChipResult result = mk_chip_write(incoming->x->chip, range->region, range->offset + position, data, length);
    return mk_xml_stored(incoming->x, result) ? MK_CHIP_OK : result;
}

/* Where the size of the file was asked for, a sparse image may not grow beyond it (vector 19). */
static void begin_sparse(Incoming *incoming, const uint8_t *head)
{
    uint64_t expanded = (uint64_t)mk_le32(head + SPARSE_BLOCK) * mk_le32(head + SPARSE_BLOCKS);
    incoming->sparse = true;
    incoming->refused = incoming->largest && expanded > incoming->largest;
    mk_unsparse_begin(&incoming->unsparse, 0, store, incoming);
}

static bool take(MkXml *x, uint64_t position, const uint8_t *data, size_t length, void *user_data)
{
    Incoming *incoming = user_data;
    if (position == 0 && mk_unsparse_recognises(data, length))
        begin_sparse(incoming, data);
    if (x->storage_sums)
        incoming->sum = mk_sum32(incoming->sum, data, length);
    if (incoming->refused)
        return false;
    return (incoming->sparse ? mk_unsparse_feed(&incoming->unsparse, data, length)
                             : store(incoming, position, data, length)) == MK_CHIP_OK;
}

bool mk_xml_take_image(MkXml *x, const char *info, const char *source, const MkXmlRange *range, uint64_t largest,
                       uint32_t *sum)
{
    Incoming incoming = {.x = x, .range = range, .largest = largest};
    bool came = mk_xml_download(x, info, source, range->length, true, take, &incoming);
    if (came && incoming.sparse && incoming.unsparse.state != MK_UNSPARSE_END)
        mk_xml_fail(x, "%s", "");
    if (sum)
        *sum = incoming.sum;
    return came && !x->message;
}

/* --- WRITE-FLASH -------------------------------------------------------------------------------------------------------------------- */

/* The range is what the host says the file has; it is erased before a byte of the file has come. */
void mk_xml_write_flash(MkXml *x)
{
    g_autofree char *area = mk_xml_need(x, "partition"), *offset = mk_xml_need(x, "offset");
    g_autofree char *source = mk_xml_need(x, "source_file");
    MkXmlRange range;
    if (x->message || !find_area(x, area, &range) || !skip(x, offset, &range))
        return;
    g_autofree char *told = mk_xml_ask_file(x, "FILE-SIZE", source);
    uint64_t size = mk_xml_number(told);
    if (size == 0) {
        mk_xml_fail(x, "Get host file size failed.");
        return;
    }
    if (size > range.length) {
        mk_xml_fail(x,
                    "Host file size[%" G_GINT64_MODIFIER
                    "x] is larger than max partition available size[%" G_GINT64_MODIFIER "x]",
                    size, range.length);
        return;
    }
    range.length = size;
    if (mk_xml_erase(x, &range, area))
        mk_xml_take_image(x, area, source, &range, size, NULL);
}
