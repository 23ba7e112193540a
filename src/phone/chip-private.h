/* Inside the room: what the two kinds of flash chip share. */
#pragma once

#include "phone/chip.h"

typedef struct {
    MkRegion region;
    uint64_t offset, length;
} MkWorn;

struct _MkChip {
    const MkModel *model;
    int fd[MK_REGION_N];
    bool absent, gone;
    GArray *worn; /* (element-type MkWorn) */
    uint64_t tear_after, slow;
    bool hurried;
    bool (*stopped)(gpointer user_data);
    gpointer stopped_data;
    /* NAND */
    uint16_t *map; /* logical block → physical block */
    uint8_t *page; /* room for one page and its spare */
};

int mk_chip_open_file(const char *folder, const char *name, uint64_t size, bool create, GError **error);
/* Takes as long as a slow chip needs for LENGTH bytes; false: its power went away. */
bool mk_chip_pace(MkChip *chip, size_t length);

bool mk_nand_open(MkChip *chip, const char *folder, bool create, GError **error);
/* Logical data through the BMT, any alignment. Writing programs pages (it can only clear bits); erasing takes whole blocks. */
MkChipResult mk_nand_read(MkChip *chip, uint64_t offset, void *data, size_t length);
MkChipResult mk_nand_write(MkChip *chip, uint64_t offset, const void *data, size_t length);
MkChipResult mk_nand_erase(MkChip *chip, uint64_t offset, uint64_t length);
