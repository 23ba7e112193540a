/* NAND: device table, pages (DF), raw writes (B3), images (DD, DE), format (spec da-legacy.md 4, 9.7, 9.23 to 9.25). */
#include "phone/legacy-device.h"

#include <string.h>

#define RECORD_LIMIT 4096
#define MOST_IMAGES  32

static uint32_t page_size(const MkDevice *device)
{
    return device->model->geometry.nand_page;
}

static uint32_t pages_per_block(const MkDevice *device)
{
    return device->model->geometry.nand_block / page_size(device);
}

static uint32_t system_blocks(const MkDevice *device)
{
    return mk_chip_nand_blocks(device->chip) - device->model->geometry.pool_blocks;
}

/* --- section 4: the host's list of NAND chips ------------------------------------------------------------------------------------------ */

void mk_device_nand_table(MkDevice *device)
{
    uint32_t size = device->release == 0 ? 52 : 56;
    uint8_t record[56];
    if (!mk_device_is_nand(device) || mk_chip_absent(device->chip)) {
        mk_device_put8(device, MK_LEGACY_NACK);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put32(device, size);
    uint32_t count = mk_device_get32(device);
    mk_device_put8(device, MK_LEGACY_ACK);
    device->nand_unknown = true;
    for (uint32_t i = 0; i < MIN(count, RECORD_LIMIT) && !device->gone; i++) {
        mk_device_take(device, record, size);
        device->nand_unknown =
            mk_le16(record + 2) != device->model->nand_ids[0] || mk_le16(record + 4) != device->model->nand_ids[1];
        mk_device_put8(device, device->nand_unknown ? MK_LEGACY_CONT : MK_LEGACY_ACK);
        if (!device->nand_unknown)
            return;
    }
}

/* --- DF ------------------------------------------------------------------------------------------------------------------------------------ */

typedef struct {
    uint8_t flag;
    bool physical;
    uint32_t bytes; /* of one page as it is sent */
    uint32_t first; /* page */
    uint32_t count;
} PageRead;

static MkChipResult load_page(MkDevice *device, const PageRead *read, uint32_t number, uint8_t *target)
{
    uint32_t block = number / pages_per_block(device), page = number % pages_per_block(device);
    uint8_t spare[MK_NAND_SPARE_MAX];
    bool data = read->flag != 2, tail = read->flag == 0 || read->flag == 2 || read->flag == 4 || read->flag == 6;
    if (!read->physical)
        block = mk_chip_bmt_map(device->chip, block);
    MkChipResult result = mk_chip_nand_read(device->chip, block, page, data ? target : NULL, spare);
    if (tail)
        memcpy(target + (data ? page_size(device) : 0), spare, device->model->geometry.nand_spare);
    return result;
}

/* False: the host gave up or the storage failed. */
static bool send_pages(MkDevice *device, const PageRead *read, uint32_t from, uint32_t count)
{
    uint32_t length = count * read->bytes;
    uint8_t *buffer = mk_device_buffer(device, length);
    MkChipResult result = buffer ? MK_CHIP_OK : MK_CHIP_FAILED;
    for (uint32_t i = 0; i < count && result == MK_CHIP_OK; i++)
        result = load_page(device, read, read->first + from + i, buffer + (size_t)i * read->bytes);
    if (!mk_device_chip(device, result) && device->gone)
        return false;
    for (;;) {
        if (read->flag == 3 && result != MK_CHIP_OK) {
            mk_device_nack(device, 3101);
            return false;
        }
        if (result != MK_CHIP_OK) {
            mk_device_halt(device, "the NAND fails in the middle of a read");
            return false;
        }
        if (read->flag == 3)
            mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_write(device, buffer, length);
        mk_device_put16(device, mk_sum16(0, buffer, length));
        uint8_t answer = mk_device_get8(device);
        if (answer == MK_LEGACY_ACK)
            return !device->gone;
        if (answer != MK_LEGACY_CONT || device->gone)
            return false;
    }
}

static uint32_t refuse_pages(const MkDevice *device, uint64_t address, uint64_t length)
{
    const MkGeometry *geometry = &device->model->geometry;
    if (!mk_device_is_nand(device) || mk_chip_absent(device->chip))
        return MK_LEGACY_S_NAND_NOT_FOUND;
    if (address % geometry->nand_page || length % geometry->nand_page)
        return MK_LEGACY_S_INVALID_BEGIN;
    bool inside = length && address < geometry->nand_size && length <= geometry->nand_size - address;
    return inside ? 0 : MK_LEGACY_S_INVALID_RANGE;
}

/* Where a block really lies, a replaced one is looked at there. */
static bool pages_would_fail(MkDevice *device, uint64_t address, uint64_t length, bool physical)
{
    uint32_t size = device->model->geometry.nand_block;
    for (uint64_t at = address, end = address + length; at < end;) {
        uint32_t block = (uint32_t)(at / size), inside = (uint32_t)(at % size);
        uint64_t piece = MIN(end - at, size - inside);
        uint64_t place = (uint64_t)(physical ? block : mk_chip_bmt_map(device->chip, block)) * size + inside;
        if (mk_chip_would_fail(device->chip, MK_REGION_NAND, place, piece))
            return true;
        at += piece;
    }
    return false;
}

void mk_device_read_pages(MkDevice *device)
{
    const MkGeometry *geometry = &device->model->geometry;
    PageRead read = {.flag = mk_device_get8(device), .physical = mk_device_get8(device) == 1};
    uint64_t address = mk_device_get_wide(device), length = mk_device_get_wide(device);
    mk_device_get32(device); /* container length */
    uint32_t refusal = refuse_pages(device, address, length);
    if (device->gone)
        return;
    if (!refusal && read.flag > 6)
        refusal = 1002;
    if (!refusal && read.flag != 3 && pages_would_fail(device, address, length, read.physical))
        refusal = 3101;
    if (refusal) {
        mk_device_nack(device, refusal);
        return;
    }
    bool data = read.flag != 2, tail = read.flag == 0 || read.flag == 2 || read.flag == 4 || read.flag == 6;
    read.bytes = (data ? geometry->nand_page : 0) + (tail ? geometry->nand_spare : 0);
    read.first = (uint32_t)(address / geometry->nand_page);
    read.count = (uint32_t)(length / geometry->nand_page);
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put32(device, geometry->nand_page);
    mk_device_put32(device, geometry->nand_spare);
    mk_device_put32(device, 1);
    uint32_t pages = mk_device_get32(device);
    if (device->gone)
        return;
    if (pages == 0 || pages > MK_LEGACY_LARGEST / read.bytes) {
        mk_device_halt(device, "packets of an impossible number of pages");
        return;
    }
    mk_device_put_wide(device, (uint64_t)read.count * read.bytes);
    for (uint32_t done = 0; done < read.count; done += pages) {
        if (!send_pages(device, &read, done, MIN(pages, read.count - done)))
            return;
    }
}

/* --- programming ------------------------------------------------------------------------------------------------------------------------------- */

/* A block that was found bad, or that just failed: its first PAGES pages move into one from the pool. */
static bool replace_block(MkDevice *device, uint32_t logical, uint32_t pages)
{
    uint32_t old = mk_chip_bmt_map(device->chip, logical);
    uint8_t spare[MK_NAND_SPARE_MAX];
    g_autofree uint8_t *data = g_malloc(page_size(device));
    mk_chip_nand_mark_bad(device->chip, old);
    if (!mk_chip_bmt_replace(device->chip, logical))
        return false;
    mk_machine_log(device->machine, "agent: block %u is bad and replaced", old);
    for (uint32_t page = 0; page < pages; page++) {
        if (mk_chip_nand_read(device->chip, old, page, data, spare) == MK_CHIP_OK) {
            spare[0] = 0xFF; /* not its bad-block mark */
            mk_chip_nand_program(device->chip, mk_chip_bmt_map(device->chip, logical), page, data, spare);
        }
    }
    return true;
}

/* A page by its logical number. Entering a block erases it; a block that fails is replaced from the pool. */
static MkChipResult program_page(MkDevice *device, uint32_t number, bool erase, const uint8_t *data,
                                 const uint8_t *spare)
{
    uint32_t logical = number / pages_per_block(device), page = number % pages_per_block(device);
    if (logical >= system_blocks(device))
        return MK_CHIP_RANGE;
    for (;;) {
        uint32_t block = mk_chip_bmt_map(device->chip, logical);
        MkChipResult result = MK_CHIP_OK;
        if (page == 0 && erase)
            result = mk_chip_nand_erase(device->chip, block, false);
        if (result == MK_CHIP_OK)
            result = mk_chip_nand_program(device->chip, block, page, data, spare);
        bool bad = result == MK_CHIP_BAD_BLOCK || result == MK_CHIP_FAILED;
        if (!bad || mk_chip_absent(device->chip) || !replace_block(device, logical, page))
            return result;
    }
}

typedef struct {
    uint64_t address; /* of the logical data */
    bool yaffs;
    uint64_t stored; /* bytes of pages, without spare, and what they add up to */
    uint16_t sum;
} ImageTarget;

static MkChipResult store_image(MkDevice *device, uint64_t position, const uint8_t *data, size_t length,
                                void *user_data)
{
    ImageTarget *target = user_data;
    uint32_t page = page_size(device), spare_size = device->model->geometry.nand_spare;
    uint32_t record = target->yaffs ? page + spare_size : page;
    uint32_t number = (uint32_t)(target->address / page + position / record);
    g_autofree uint8_t *last = g_malloc(page);
    for (size_t done = 0; done < length; done += record, number++) {
        uint8_t spare[MK_NAND_SPARE_MAX];
        const uint8_t *bytes = data + done;
        size_t piece = MIN(page, length - done);
        memset(spare, 0xFF, sizeof spare);
        if (piece < page) {
            memset(last, 0xFF, page);
            memcpy(last, bytes, piece);
            bytes = last;
        } else if (target->yaffs && length - done >= record) {
            /* Byte 0 of the spare is the bad-block mark: tags go behind it. */
            memcpy(spare + 1, bytes + page, MIN(spare_size - 1, 28));
        }
        MkChipResult result = program_page(device, number, true, bytes, spare);
        if (result != MK_CHIP_OK)
            return result;
        target->stored += piece;
        target->sum = mk_sum16(target->sum, bytes, piece);
    }
    return MK_CHIP_OK;
}

static MkChipResult store_raw(MkDevice *device, uint64_t position, const uint8_t *data, size_t length, void *user_data)
{
    ImageTarget target = {.address = *(const uint64_t *)user_data};
    return store_image(device, position, data, length, &target);
}

void mk_device_nand_write_raw(MkDevice *device)
{
    mk_device_get8(device); /* address flag */
    uint8_t program = mk_device_get8(device);
    uint64_t begin = mk_device_get32(device);
    mk_device_get32(device); /* container */
    uint64_t length = mk_device_get32(device);
    uint32_t packet = mk_device_get32(device);
    uint32_t refusal = refuse_pages(device, begin, mk_round_up(length, MAX(page_size(device), 1)));
    uint16_t sum = 0;
    if (device->gone)
        return;
    if (!refusal && program != 1)
        refusal = 1040;
    if (refusal) {
        mk_device_nack(device, refusal);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_take_packets(device, length, packet, true, &sum, store_raw, &begin);
}

/* --- DD and DE ---------------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    bool enabled;
    uint32_t begin, end, room, type;
    uint64_t stored; /* bytes of pages, without spare, and what they add up to */
    uint16_t sum;
} ListedImage;

typedef struct {
    ListedImage images[MOST_IMAGES];
    unsigned count;
} ImageList;

static ImageList *image_list(MkDevice *device)
{
    return device->image_list ? device->image_list : (device->image_list = g_new0(ImageList, 1));
}

void mk_device_nand_image_list(MkDevice *device)
{
    ImageList *list = image_list(device);
    uint8_t features[3];
    char name[16];
    list->count = 0;
    mk_device_take(device, features, sizeof features);
    unsigned count = mk_device_get8(device);
    mk_device_get8(device); /* enabled ones */
    mk_device_get32(device);
    mk_device_get32(device); /* ROM_INFO */
    if (device->gone)
        return;
    if (!mk_device_is_nand(device) || count > MOST_IMAGES) {
        mk_device_nack(device, mk_device_is_nand(device) ? 3103 : MK_LEGACY_S_NAND_NOT_FOUND);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    for (unsigned i = 0; i < count && !device->gone; i++) {
        ListedImage *image = &list->images[i];
        image->enabled = mk_device_get8(device) == 1;
        image->begin = mk_device_get32(device);
        image->end = mk_device_get32(device);
        mk_device_get32(device); /* largest size */
        image->room = mk_device_get32(device);
        image->type = mk_device_get32(device);
        mk_device_take(device, name, sizeof name);
        bool good = image->begin % device->model->geometry.nand_block == 0 && image->end >= image->begin &&
                    image->end - image->begin < image->room + image->room / 16;
        if (!good) {
            mk_device_nack(device, 3108);
            return;
        }
        mk_device_put8(device, MK_LEGACY_ACK);
        list->count = i + 1;
    }
}

/* Data, sum; 69 and the host's 5A. False: the command is over. */
static bool take_image_packet(MkDevice *device, uint8_t *buffer, uint32_t length, uint64_t position,
                              ImageTarget *target)
{
    for (;;) {
        mk_device_read(device, buffer, length);
        uint16_t told = mk_device_get16(device);
        if (device->gone)
            return false;
        uint32_t failure = told == mk_sum16(0, buffer, length) ? 0 : MK_LEGACY_S_DATA_CHECKSUM;
        if (!failure && !mk_device_chip(device, store_image(device, position, buffer, length, target)))
            failure = MK_LEGACY_S_NAND_PROGRAM;
        if (device->gone)
            return false;
        if (!failure) {
            mk_device_put8(device, MK_LEGACY_CONT);
            return mk_device_get8(device) == MK_LEGACY_ACK;
        }
        mk_device_nack(device, failure);
        if (failure != MK_LEGACY_S_DATA_CHECKSUM)
            return false;
        mk_device_put8(device, MK_LEGACY_ACK);
        if (mk_device_get8(device) != MK_LEGACY_CONT)
            return false;
    }
}

static bool take_image(MkDevice *device, ListedImage *image, uint32_t packet)
{
    ImageTarget target = {.address = image->begin, .yaffs = image->type == 8};
    uint64_t length = (uint64_t)image->end - image->begin + 1;
    mk_device_put8(device, MK_LEGACY_ACK);
    if (target.yaffs) {
        mk_device_put32(device, page_size(device));
        mk_device_put32(device, device->model->geometry.nand_spare);
        packet = mk_device_get32(device);
    }
    uint8_t *buffer = packet ? mk_device_buffer(device, packet) : NULL;
    if (!buffer) {
        mk_device_halt(device, "packets of no length");
        return false;
    }
    for (uint64_t done = 0; done < length;) {
        uint32_t piece = (uint32_t)MIN(packet, length - done);
        if (!take_image_packet(device, buffer, piece, done, &target))
            return false;
        done += piece;
    }
    image->stored = target.stored;
    image->sum = target.sum;
    return true;
}

void mk_device_nand_write_image(MkDevice *device)
{
    ImageList *list = image_list(device);
    if (list->count == 0 || mk_chip_absent(device->chip)) {
        mk_device_nack(device, 3103);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    uint32_t packet = mk_device_get32(device);
    mk_device_put8(device, MK_LEGACY_ACK); /* boot loader header */
    mk_device_put8(device, MK_LEGACY_ACK); /* BMT */
    for (unsigned i = 0; i < list->count; i++) {
        if (list->images[i].enabled && !take_image(device, &list->images[i], packet))
            return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put8(device, MK_LEGACY_ACK); /* post-process */
    bool verify = mk_device_get8(device) != 0;
    mk_device_put8(device, MK_LEGACY_ACK);
    for (unsigned i = 0; verify && i < list->count && !device->gone; i++) {
        const ListedImage *image = &list->images[i];
        if (image->enabled)
            mk_device_verify_range(device, image->begin, image->stored, image->sum);
    }
    list->count = 0;
}

/* --- D4 on NAND ---------------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t begin, length;
    uint32_t total, bad, failed;
} Statistics;

static void put_statistics(MkDevice *device, const Statistics *statistics)
{
    if (!statistics->bad && !statistics->failed) {
        mk_device_put8(device, MK_LEGACY_ACK);
        return;
    }
    mk_device_put8(device, MK_LEGACY_NACK);
    mk_device_put64(device, statistics->begin);
    mk_device_put64(device, statistics->length);
    mk_device_put32(device, statistics->total);
    mk_device_put32(device, statistics->bad);
    mk_device_put32(device, statistics->failed);
}

static MkChipResult format_block(MkDevice *device, uint32_t block, uint8_t flag, bool physical)
{
    uint32_t place = physical ? block : mk_chip_bmt_map(device->chip, block);
    if (flag == 2)
        return mk_chip_nand_mark_bad(device->chip, place);
    return mk_chip_nand_erase(device->chip, place, flag == 1);
}

/* Blocks one by one; the host may stop with 96 (spec 9.7). False: stopped. */
static bool format_blocks(MkDevice *device, uint8_t flag, bool physical, Statistics *statistics)
{
    uint32_t size = device->model->geometry.nand_block, shown = 0;
    for (uint32_t i = 0; i < statistics->total && !device->gone; i++) {
        uint32_t block = (uint32_t)(statistics->begin / size) + i;
        MkChipResult result = format_block(device, block, flag, physical);
        if (result == MK_CHIP_GONE) {
            device->gone = true;
        } else if (result == MK_CHIP_BAD_BLOCK) {
            statistics->bad++;
        } else if (result != MK_CHIP_OK) {
            statistics->failed++;
            mk_device_put32(device, mk_device_status(device, 3019));
            mk_device_put64(device, (uint64_t)block * size);
            mk_device_put8(device, MK_LEGACY_CONT);
        }
        uint32_t percent = (uint32_t)((uint64_t)(i + 1) * 100 / statistics->total);
        bool last = i + 1 == statistics->total;
        if (!last && percent == shown)
            continue;
        shown = percent;
        mk_device_put32(device, last ? 0 : mk_device_status(device, MK_LEGACY_S_IN_PROGRESS));
        mk_device_put8(device, (uint8_t)percent);
        if (mk_device_get8(device) == MK_LEGACY_STOP)
            return false;
    }
    return !device->gone;
}

void mk_device_nand_format(MkDevice *device, uint8_t flag, bool physical, uint64_t begin, uint64_t length)
{
    const MkGeometry *geometry = &device->model->geometry;
    uint64_t limit = physical ? geometry->nand_size : (uint64_t)system_blocks(device) * geometry->nand_block;
    Statistics statistics = {.begin = begin, .length = length};
    if (begin % geometry->nand_block) {
        mk_device_nack(device, MK_LEGACY_S_INVALID_BEGIN);
    } else if (length == 0 || begin >= limit || length > limit - begin) {
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_nack(device, MK_LEGACY_S_INVALID_RANGE);
    } else {
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put8(device, MK_LEGACY_ACK);
        statistics.total = (uint32_t)((length + geometry->nand_block - 1) / geometry->nand_block);
        if (format_blocks(device, flag, physical, &statistics))
            put_statistics(device, &statistics);
    }
    mk_device_put8(device, MK_LEGACY_ACK);
}
