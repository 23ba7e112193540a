/* A NAND: pages with spare, blocks that are bad from the factory, and the table that replaces them (spec tables.md 5).
 *
 * nand.img holds page and spare interleaved.  A page whose bytes are all zero, data and spare, has never been programmed: it reads as
 * 0xFF, so that an empty chip is an empty sparse file.  (A programmed page always has a spare that is not all zero.) */
#include "phone/chip-private.h"

#include "core/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BMT_ENTRIES 0x80
#define BMT_FIRST   20
#define ORIGINAL_AT 29 /* in the spare of a replacement block */
#define BMT_BLOCKS  4  /* the last blocks of the pool are kept for the BMT itself */

static size_t raw_page(const MkGeometry *geometry)
{
    return geometry->nand_page + geometry->nand_spare;
}

static uint32_t pages_per_block(const MkGeometry *geometry)
{
    return geometry->nand_block / geometry->nand_page;
}

uint32_t mk_chip_nand_blocks(const MkChip *chip)
{
    return (uint32_t)(chip->model->geometry.nand_size / chip->model->geometry.nand_block);
}

static uint32_t system_blocks(const MkChip *chip)
{
    return mk_chip_nand_blocks(chip) - chip->model->geometry.pool_blocks;
}

static off_t page_place(const MkChip *chip, uint32_t block, uint32_t page)
{
    const MkGeometry *geometry = &chip->model->geometry;
    return (off_t)(((uint64_t)block * pages_per_block(geometry) + page) * raw_page(geometry));
}

/* --- physical pages ----------------------------------------------------------------------------------------------------------- */

static bool load(MkChip *chip, uint32_t block, uint32_t page)
{
    const MkGeometry *geometry = &chip->model->geometry;
    size_t length = raw_page(geometry);
    if (pread(chip->fd[MK_REGION_NAND], chip->page, length, page_place(chip, block, page)) != (ssize_t)length)
        return false;
    uint8_t value;
    if (mk_is_uniform(chip->page, length, &value) && value == 0)
        memset(chip->page, 0xFF, length);
    return true;
}

static bool outside(const MkChip *chip, uint32_t block, uint32_t page)
{
    return block >= mk_chip_nand_blocks(chip) || page >= pages_per_block(&chip->model->geometry);
}

MkChipResult mk_chip_nand_read(MkChip *chip, uint32_t block, uint32_t page, void *data, void *spare)
{
    const MkGeometry *geometry = &chip->model->geometry;
    if (chip->gone)
        return MK_CHIP_GONE;
    if (outside(chip, block, page))
        return MK_CHIP_RANGE;
    uint64_t at = (uint64_t)block * geometry->nand_block + (uint64_t)page * geometry->nand_page;
    if (mk_chip_would_fail(chip, MK_REGION_NAND, at, geometry->nand_page))
        return MK_CHIP_ECC;
    if (chip->absent || !load(chip, block, page))
        return MK_CHIP_FAILED;
    if (data)
        memcpy(data, chip->page, geometry->nand_page);
    if (spare)
        memcpy(spare, chip->page + geometry->nand_page, geometry->nand_spare);
    return mk_chip_pace(chip, data ? geometry->nand_page : 0) ? MK_CHIP_OK : MK_CHIP_GONE;
}

/* The first page of a replacement block carries the number of the block that it stands for, whoever writes it. */
static void keep_original(MkChip *chip, uint32_t block)
{
    uint8_t *spare = chip->page + chip->model->geometry.nand_page;
    for (uint32_t logical = 0; block >= system_blocks(chip) && logical < system_blocks(chip); logical++)
        if (chip->map[logical] == block) {
            spare[ORIGINAL_AT] = (uint8_t)logical;
            spare[ORIGINAL_AT + 1] = (uint8_t)(logical >> 8);
        }
}

static MkChipResult program(MkChip *chip, uint32_t block, uint32_t page, const void *data, const void *spare)
{
    const MkGeometry *geometry = &chip->model->geometry;
    size_t length = raw_page(geometry);
    const uint8_t *bytes[] = {data, spare};
    if (!load(chip, block, page))
        return MK_CHIP_FAILED;
    for (size_t i = 0; data && i < geometry->nand_page; i++)
        chip->page[i] &= bytes[0][i];
    for (size_t i = 0; spare && i < geometry->nand_spare; i++)
        chip->page[geometry->nand_page + i] &= bytes[1][i];
    if (page == 0)
        keep_original(chip, block);
    bool torn = chip->tear_after < length;
    if (torn) {
        /* Half a page, then the power is gone. The other half is written back as it was: in the file of a fresh page it is a hole,
         * which would read as programmed zeros, and as a bad-block mark. */
        g_autofree uint8_t *wanted = g_memdup2(chip->page, length / 2);
        if (!load(chip, block, page))
            return MK_CHIP_FAILED;
        memcpy(chip->page, wanted, length / 2);
    } else if (chip->tear_after != UINT64_MAX) {
        chip->tear_after -= length;
    }
    if (pwrite(chip->fd[MK_REGION_NAND], chip->page, length, page_place(chip, block, page)) != (ssize_t)length)
        return MK_CHIP_FAILED;
    if (!torn)
        return MK_CHIP_OK;
    chip->gone = true;
    chip->tear_after = UINT64_MAX;
    return MK_CHIP_GONE;
}

bool mk_chip_nand_is_bad(MkChip *chip, uint32_t block)
{
    return load(chip, block, 0) && chip->page[chip->model->geometry.nand_page] != 0xFF;
}

MkChipResult mk_chip_nand_program(MkChip *chip, uint32_t block, uint32_t page, const void *data, const void *spare)
{
    const MkGeometry *geometry = &chip->model->geometry;
    if (chip->gone)
        return MK_CHIP_GONE;
    if (outside(chip, block, page))
        return MK_CHIP_RANGE;
    if (mk_chip_nand_is_bad(chip, block))
        return MK_CHIP_BAD_BLOCK;
    uint64_t at = (uint64_t)block * geometry->nand_block + (uint64_t)page * geometry->nand_page;
    if (chip->absent || mk_chip_would_fail(chip, MK_REGION_NAND, at, geometry->nand_page))
        return MK_CHIP_FAILED;
    return mk_chip_pace(chip, geometry->nand_page) ? program(chip, block, page, data, spare) : MK_CHIP_GONE;
}

MkChipResult mk_chip_nand_erase(MkChip *chip, uint32_t block, bool force)
{
    const MkGeometry *geometry = &chip->model->geometry;
    if (chip->gone)
        return MK_CHIP_GONE;
    if (outside(chip, block, 0))
        return MK_CHIP_RANGE;
    if (!force && mk_chip_nand_is_bad(chip, block))
        return MK_CHIP_BAD_BLOCK;
    if (chip->absent ||
        mk_chip_would_fail(chip, MK_REGION_NAND, (uint64_t)block * geometry->nand_block, geometry->nand_block))
        return MK_CHIP_FAILED;
    off_t length = (off_t)(pages_per_block(geometry) * raw_page(geometry));
    return fallocate(chip->fd[MK_REGION_NAND], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page_place(chip, block, 0),
                     length) == 0
               ? MK_CHIP_OK
               : MK_CHIP_FAILED;
}

MkChipResult mk_chip_nand_mark_bad(MkChip *chip, uint32_t block)
{
    uint8_t spare[MK_NAND_SPARE_MAX];
    if (outside(chip, block, 0))
        return MK_CHIP_RANGE;
    memset(spare, 0xFF, sizeof spare);
    spare[0] = 0;
    return program(chip, block, 0, NULL, spare);
}

/* --- the bad-block management table --------------------------------------------------------------------------------------------- */

/* Over version, count and the entries of the pool (spec tables.md 5.4). */
static uint8_t bmt_sum(const MkChip *chip, const uint8_t *page)
{
    uint8_t sum = (uint8_t)(page[3] + page[5]);
    for (unsigned i = 0; i < 4 * MIN(chip->model->geometry.pool_blocks, BMT_ENTRIES); i++)
        sum = (uint8_t)(sum + page[BMT_FIRST + i]);
    return sum;
}

static bool parse_bmt(MkChip *chip, const uint8_t *page)
{
    unsigned count = page[5];
    if (memcmp(page, "BMT", 3) != 0 || page[3] != 1 || count > BMT_ENTRIES || page[6] != bmt_sum(chip, page))
        return false;
    for (unsigned i = 0; i < count; i++) {
        uint16_t bad = mk_le16(page + BMT_FIRST + 4 * i), replacement = mk_le16(page + BMT_FIRST + 4 * i + 2);
        if (bad < system_blocks(chip) && replacement < mk_chip_nand_blocks(chip) && replacement >= system_blocks(chip))
            chip->map[bad] = replacement;
    }
    return true;
}

/* Without a table: every replacement block knows in its spare which block it stands for (spec tables.md 5.4). */
static void rebuild_bmt(MkChip *chip)
{
    uint8_t spare[MK_NAND_SPARE_MAX];
    for (uint32_t block = system_blocks(chip); block < mk_chip_nand_blocks(chip) - BMT_BLOCKS; block++) {
        if (mk_chip_nand_read(chip, block, 0, NULL, spare) != MK_CHIP_OK)
            continue;
        uint16_t original = mk_le16(spare + ORIGINAL_AT);
        if (original < system_blocks(chip))
            chip->map[original] = (uint16_t)block;
    }
}

static void read_bmt(MkChip *chip)
{
    g_autofree uint8_t *page = g_malloc(chip->model->geometry.nand_page);
    for (uint32_t block = mk_chip_nand_blocks(chip); block-- > system_blocks(chip);) {
        if (mk_chip_nand_read(chip, block, 0, page, NULL) == MK_CHIP_OK && parse_bmt(chip, page))
            return;
    }
    rebuild_bmt(chip);
}

unsigned mk_chip_bmt_list(MkChip *chip, uint16_t *bad, uint16_t *replacement, unsigned max)
{
    unsigned count = 0;
    for (uint32_t block = 0; block < system_blocks(chip); block++) {
        if (chip->map[block] == block)
            continue;
        if (count < max) {
            bad[count] = (uint16_t)block;
            replacement[count] = chip->map[block];
        }
        count++;
    }
    return count;
}

static bool write_bmt(MkChip *chip)
{
    const MkGeometry *geometry = &chip->model->geometry;
    uint16_t bad[BMT_ENTRIES], replacement[BMT_ENTRIES];
    unsigned count = MIN(mk_chip_bmt_list(chip, bad, replacement, BMT_ENTRIES), BMT_ENTRIES);
    g_autofree uint8_t *page = g_malloc(geometry->nand_page);
    uint8_t spare[MK_NAND_SPARE_MAX];
    memset(page, 0xFF, geometry->nand_page);
    memset(spare, 0xFF, sizeof spare);
    memcpy(spare + 1, "bmt", 3);
    memset(page, 0, BMT_FIRST + 4 * BMT_ENTRIES);
    memcpy(page, "BMT\1\xFF", 5);
    page[5] = (uint8_t)count;
    for (unsigned i = 0; i < count; i++) {
        uint8_t *entry = page + BMT_FIRST + 4 * i;
        entry[0] = (uint8_t)bad[i];
        entry[1] = (uint8_t)(bad[i] >> 8);
        entry[2] = (uint8_t)replacement[i];
        entry[3] = (uint8_t)(replacement[i] >> 8);
    }
    page[6] = bmt_sum(chip, page);
    for (uint32_t block = mk_chip_nand_blocks(chip); block-- > mk_chip_nand_blocks(chip) - BMT_BLOCKS;) {
        if (mk_chip_nand_erase(chip, block, false) == MK_CHIP_OK &&
            mk_chip_nand_program(chip, block, 0, page, spare) == MK_CHIP_OK)
            return true;
    }
    return false;
}

uint32_t mk_chip_bmt_map(MkChip *chip, uint32_t logical)
{
    return logical < system_blocks(chip) ? chip->map[logical] : logical;
}

static bool is_used(const MkChip *chip, uint32_t block)
{
    for (uint32_t i = 0; i < system_blocks(chip); i++) {
        if (chip->map[i] == block)
            return true;
    }
    return false;
}

bool mk_chip_bmt_replace(MkChip *chip, uint32_t logical)
{
    uint8_t spare[MK_NAND_SPARE_MAX];
    memset(spare, 0xFF, sizeof spare);
    spare[ORIGINAL_AT] = (uint8_t)logical;
    spare[ORIGINAL_AT + 1] = (uint8_t)(logical >> 8);
    for (uint32_t block = system_blocks(chip); block < mk_chip_nand_blocks(chip) - BMT_BLOCKS; block++) {
        if (is_used(chip, block) || mk_chip_nand_erase(chip, block, false) != MK_CHIP_OK ||
            mk_chip_nand_program(chip, block, 0, NULL, spare) != MK_CHIP_OK)
            continue;
        chip->map[logical] = (uint16_t)block;
        return write_bmt(chip);
    }
    return false;
}

bool mk_nand_open(MkChip *chip, const char *folder, bool create, GError **error)
{
    const MkModel *model = chip->model;
    uint64_t pages = model->geometry.nand_size / model->geometry.nand_page;
    chip->fd[MK_REGION_NAND] = mk_chip_open_file(folder, "nand.img", pages * raw_page(&model->geometry), create, error);
    if (chip->fd[MK_REGION_NAND] < 0)
        return false;
    chip->page = g_malloc(raw_page(&model->geometry));
    chip->map = g_new(uint16_t, system_blocks(chip));
    for (uint32_t i = 0; i < system_blocks(chip); i++)
        chip->map[i] = (uint16_t)i;
    if (!create) {
        read_bmt(chip);
        return true;
    }
    for (unsigned i = 0; i < model->n_nand_bad; i++)
        mk_chip_nand_mark_bad(chip, model->nand_bad_blocks[i]);
    for (unsigned i = 0; i < model->n_nand_bad; i++) {
        if (model->nand_bad_blocks[i] < system_blocks(chip))
            mk_chip_bmt_replace(chip, model->nand_bad_blocks[i]);
    }
    return write_bmt(chip);
}

/* --- logical bytes ------------------------------------------------------------------------------------------------------------------ */

static MkChipResult walk(MkChip *chip, uint64_t offset, uint8_t *data, size_t length, bool writing)
{
    const MkGeometry *geometry = &chip->model->geometry;
    g_autofree uint8_t *page = g_malloc(geometry->nand_page);
    if (offset > geometry->nand_size || length > geometry->nand_size - offset)
        return MK_CHIP_RANGE;
    for (size_t done = 0; done < length;) {
        uint64_t at = offset + done;
        uint32_t inside = (uint32_t)(at % geometry->nand_page);
        size_t piece = MIN(length - done, geometry->nand_page - inside);
        uint32_t block = mk_chip_bmt_map(chip, (uint32_t)(at / geometry->nand_block));
        uint32_t number = (uint32_t)(at % geometry->nand_block / geometry->nand_page);
        MkChipResult result;
        if (writing) {
            memset(page, 0xFF, geometry->nand_page);
            memcpy(page + inside, data + done, piece);
            result = mk_chip_nand_program(chip, block, number, page, NULL);
        } else {
            result = mk_chip_nand_read(chip, block, number, page, NULL);
            memcpy(data + done, page + inside, piece);
        }
        if (result != MK_CHIP_OK)
            return result;
        done += piece;
    }
    return MK_CHIP_OK;
}

MkChipResult mk_nand_read(MkChip *chip, uint64_t offset, void *data, size_t length)
{
    return walk(chip, offset, data, length, false);
}

MkChipResult mk_nand_write(MkChip *chip, uint64_t offset, const void *data, size_t length)
{
    return walk(chip, offset, (uint8_t *)data, length, true);
}

MkChipResult mk_nand_erase(MkChip *chip, uint64_t offset, uint64_t length)
{
    uint32_t size = chip->model->geometry.nand_block;
    for (uint64_t at = offset / size * size; at < offset + length; at += size) {
        MkChipResult result = mk_chip_nand_erase(chip, mk_chip_bmt_map(chip, (uint32_t)(at / size)), false);
        if (result != MK_CHIP_OK)
            return result;
    }
    return MK_CHIP_OK;
}
