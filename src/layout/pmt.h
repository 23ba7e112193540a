/* Internal to the room: PMT entries, shared by eMMC and NAND. */
#pragma once

#include "layout/layout.h"

/* 96, 88 or 76: the size in which most entries read sensibly, 0 if none; EXACT: only sizes that divide LENGTH. */
unsigned mk_pmt_entry_size(const uint8_t *data, size_t length, bool exact);
/* Adds entries up to an empty name. */
void mk_pmt_add_entries(MkLayout *layout, const uint8_t *data, size_t length, unsigned entry_size);
