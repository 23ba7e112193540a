/* What an XFlash agent does by the name of a partition, which it looks up in the phone's own table (spec da-xflash.md 13.4 to 13.6, 16). */
#include "phone/boot-area.h"
#include "phone/unsparse.h"
#include "phone/xflash-device.h"

#include <string.h>

#define NAME_ROOM       64
#define TABLE_COPY      0x8000 /* room for either copy of the GPT */
#define RESOURCE_AT     72     /* of SET_RSC_INFO: u64 offset, name, then what is written */
#define RESOURCE_SIZE   256
#define PRELOADER_LIMIT 0x400000u

/* --- the table ----------------------------------------------------------------------------------------------------------------- */

MkLayout *mk_xflash_table(MkXflash *x)
{
    g_autoptr(MkStore) store = mk_chip_store(x->chip, mk_geometry_main_region(&x->model->geometry));
    g_autoptr(MkTable) table = mk_gpt_read(store, NULL, NULL, NULL);
    return table && table->layout ? mk_layout_ref(table->layout) : NULL;
}

/* The two copies of the table itself go by name on a phone that has none yet (spec behaviour.md 2, scatter.md 8). */
static bool find_table_copy(const MkXflash *x, const char *name, MkXflashRange *range)
{
    bool first = g_ascii_strcasecmp(name, "pgpt") == 0, second = g_ascii_strcasecmp(name, "sgpt") == 0;
    uint64_t size = mk_chip_size(x->chip, range->region);
    if (!(first || second) || size < TABLE_COPY)
        return false;
    range->offset = first ? 0 : size - TABLE_COPY;
    range->length = TABLE_COPY;
    return true;
}

/* Exactly this name, as an agent compares it. */
static uint32_t find(MkXflash *x, const char *name, MkXflashRange *range)
{
    *range = (MkXflashRange){.region = mk_geometry_main_region(&x->model->geometry), .twin = MK_REGION_NONE};
    if (!mk_xflash_has_storage(x))
        return MK_XFLASH_S_READ_TABLE_FAILED;
    if (find_table_copy(x, name, range))
        return 0;
    g_autoptr(MkLayout) table = mk_xflash_table(x);
    if (!table)
        return MK_XFLASH_S_READ_TABLE_FAILED;
    for (guint i = 0; i < table->partitions->len; i++) {
        const MkPartition *partition = table->partitions->pdata[i];
        if (strcmp(partition->name, name) != 0)
            continue;
        range->offset = partition->start;
        range->length = partition->size;
        return 0;
    }
    return MK_XFLASH_S_PARTITION_NOT_FOUND;
}

/* NAME has room for NAME_ROOM + 1 bytes; a NUL at its end is not needed. */
static bool take_name(MkXflash *x, char *name)
{
    size_t length;
    if (!mk_xflash_take(x, name, NAME_ROOM, &length)) {
        mk_xflash_status(x, x->broken);
        return false;
    }
    name[length] = '\0';
    return true;
}

static bool take64(MkXflash *x, uint64_t *value)
{
    uint8_t raw[8] = {0};
    bool good = mk_xflash_take_exactly(x, raw, sizeof raw);
    *value = mk_le64(raw);
    if (!good)
        mk_xflash_status(x, x->broken);
    return good;
}

/* --- DOWNLOAD -------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    MkXflash *x;
    MkXflashRange range;
    bool sparse;
    uint32_t status; /* of what the expander stored */
    MkUnsparse unsparse;
} Incoming;

static MkChipResult store_expanded(void *target, uint64_t address, const uint8_t *data, size_t length)
{
    Incoming *incoming = target;
    incoming->status = mk_xflash_store(incoming->x, &incoming->range, address, data, length);
    return incoming->status ? MK_CHIP_FAILED : MK_CHIP_OK;
}

static uint32_t begin_sparse(MkXflash *x, Incoming *incoming)
{
    const MkXflashRange *range = &incoming->range;
    incoming->sparse = true;
    mk_unsparse_begin(&incoming->unsparse, 0, store_expanded, incoming);
    if (x->keep_erased)
        return 0;
    return mk_xflash_chip_status(x, mk_chip_erase(x->chip, range->region, range->offset, range->length), "erase",
                                 range->offset);
}

static uint32_t store_image(MkXflash *x, uint64_t position, const uint8_t *data, size_t length, void *user_data)
{
    Incoming *incoming = user_data;
    if (position == 0 && mk_unsparse_recognises(data, length)) {
        uint32_t status = begin_sparse(x, incoming);
        if (status)
            return status;
    }
    if (!incoming->sparse)
        return mk_xflash_store(x, &incoming->range, position, data, length);
    if (mk_unsparse_feed(&incoming->unsparse, data, length) == MK_CHIP_OK)
        return 0;
    return incoming->unsparse.strange                  ? MK_XFLASH_S_UNKNOWN_SPARSE_CHUNK
           : incoming->status == MK_XFLASH_S_TOO_LARGE ? incoming->status
                                                       : MK_XFLASH_S_SPARSE_WRITE_FAILED;
}

static uint32_t end_image(G_GNUC_UNUSED MkXflash *x, void *user_data)
{
    const Incoming *incoming = user_data;
    bool cut = incoming->sparse && incoming->unsparse.state != MK_UNSPARSE_END;
    return cut ? MK_XFLASH_S_SPARSE_INCOMPLETE : 0;
}

/* --- the preloader ------------------------------------------------------------------------------------------------------------------ */

static uint32_t collect(G_GNUC_UNUSED MkXflash *x, G_GNUC_UNUSED uint64_t position, const uint8_t *data, size_t length,
                        void *file)
{
    g_byte_array_append(file, data, (guint)length);
    return 0;
}

static uint32_t store_preloader(MkXflash *x, const GByteArray *file)
{
    bool invalid;
    MkChipResult result = mk_boot_area_store(x->chip, &x->model->geometry, file->data, file->len, &invalid);
    return invalid ? MK_XFLASH_S_PRELOADER_INVALID : mk_xflash_chip_status(x, result, "write", 0);
}

/* Without START_DL_INFO it fails at its end, although it was written (spec 13.4). */
static uint32_t end_preloader(MkXflash *x, void *file)
{
    uint32_t status = store_preloader(x, file);
    return status ? status : x->downloading ? 0 : MK_XFLASH_S_ERROR;
}

static void download_preloader(MkXflash *x, uint64_t length)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    uint32_t status = length > PRELOADER_LIMIT ? MK_XFLASH_S_TOO_LARGE : 0;
    mk_xflash_status(x, status);
    if (!status)
        mk_xflash_take_packets(x, length, collect, end_preloader, file);
}

void mk_xflash_download(MkXflash *x)
{
    char name[NAME_ROOM + 1];
    uint64_t length;
    Incoming incoming = {.x = x};
    if (!take_name(x, name) || !take64(x, &length))
        return;
    mk_machine_log(x->machine, "agent: download of %s", name);
    if (g_ascii_strcasecmp(name, "preloader") == 0) {
        download_preloader(x, length);
        return;
    }
    uint32_t status = find(x, name, &incoming.range);
    mk_xflash_status(x, status);
    if (!status)
        mk_xflash_take_packets(x, length, store_image, end_image, &incoming);
}

/* --- the others ----------------------------------------------------------------------------------------------------------------------- */

void mk_xflash_upload(MkXflash *x)
{
    char name[NAME_ROOM + 1];
    MkXflashRange range;
    if (!take_name(x, name))
        return;
    uint32_t status = find(x, name, &range);
    mk_xflash_status(x, status);
    if (status)
        return;
    uint64_t size = GUINT64_TO_LE(range.length);
    mk_xflash_put(x, &size, sizeof size);
    mk_xflash_send_range(x, &range);
}

/* No status of the name: the reports follow at once (spec 13.6). */
void mk_xflash_format_partition(MkXflash *x)
{
    char name[NAME_ROOM + 1];
    MkXflashRange range;
    if (!take_name(x, name))
        return;
    uint32_t status = find(x, name, &range);
    if (status)
        mk_xflash_status(x, status);
    else
        mk_xflash_erase_range(x, &range);
}

uint32_t mk_xflash_resource_info(MkXflash *x, const uint8_t *block)
{
    char name[NAME_ROOM + 1] = {0};
    MkXflashRange range;
    memcpy(name, block + 8, NAME_ROOM);
    uint32_t status = find(x, name, &range);
    return status ? status : mk_xflash_store(x, &range, mk_le64(block), block + RESOURCE_AT, RESOURCE_SIZE);
}

static uint32_t find_otp(MkXflash *x, const uint8_t *block, MkXflashRange *range)
{
    uint32_t status = find(x, "otp", range);
    uint32_t offset = mk_le32(block), length = mk_le32(block + 4);
    if (status)
        return status;
    if (offset > range->length || length > range->length - offset)
        return MK_XFLASH_S_RANGE;
    range->offset += offset;
    range->length = length;
    return 0;
}

/* Data and acknowledge, no status between them (spec 16). */
void mk_xflash_read_otp(MkXflash *x)
{
    uint8_t block[8];
    MkXflashRange range = {0};
    uint32_t status = mk_xflash_take_exactly(x, block, sizeof block) ? find_otp(x, block, &range) : x->broken;
    mk_xflash_status(x, status);
    if (status)
        return;
    uint32_t packet = mk_xflash_read_packet(x), answer = 0;
    uint8_t *buffer = mk_xflash_buffer(x, packet);
    for (uint64_t done = 0; done < range.length && !status && !x->gone; done += packet) {
        size_t piece = (size_t)MIN(packet, range.length - done);
        MkChipResult result = mk_chip_read(x->chip, range.region, range.offset + done, buffer, piece);
        status = mk_xflash_chip_status(x, result, "read", range.offset + done);
        if (status)
            break;
        mk_xflash_put(x, buffer, piece);
        status = mk_xflash_take32(x, &answer) ? answer : x->broken;
    }
    mk_xflash_status(x, status);
}

/* Permanent on a real phone: this one has no cells for it. */
void mk_xflash_write_otp(MkXflash *x)
{
    uint8_t block[8];
    bool taken = mk_xflash_take_exactly(x, block, sizeof block);
    mk_xflash_status(x, taken ? MK_XFLASH_S_UNSUPPORTED_OPERATION : x->broken);
}
