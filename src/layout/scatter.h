/* Internal to the room: the readers of the text generations, and what they share. */
#pragma once

#include "layout/layout.h"

/* 0x… hexadecimal or decimal, 64 bit, nothing after it but blanks. */
bool mk_scatter_number(const char *text, uint64_t *value);
/* 0xFFFFnnnn, or 64 bits with the upper sixteen set: counted from the end of the device (spec scatter.md 6). */
bool mk_scatter_is_from_end(uint64_t address);
MkLayout *mk_scatter_parse_v0(const char *text, const char *file_name, GPtrArray *findings, GError **error);
MkLayout *mk_scatter_parse_v1(const char *text, bool strict, GPtrArray *findings, GError **error);
MkLayout *mk_scatter_parse_xml(const char *text, size_t length, const char *name, bool strict, GPtrArray *findings,
                               GError **error);
char *mk_scatter_write_xml(const MkLayout *layout, const char *version);
/* What both writers say of a partition and of a storage. */
const char *mk_scatter_region_text(const MkLayout *layout, const MkPartition *partition);
const char *mk_scatter_storage_text(MkStorage storage);
const char *mk_scatter_boot_channel(const MkLayout *layout);
uint32_t mk_scatter_block_size(const MkLayout *layout);
/* Operation, type and visibility of a v0 entry by its name (spec scatter.md 2.4). */
void mk_scatter_v0_properties(MkPartition *partition, MkStorage storage);
bool mk_operation_from_name(const char *name, MkOperation *operation);
bool mk_type_from_name(const char *name, MkImageType *type);
bool mk_storage_from_name(const char *name, MkStorage *storage);
/* A comment, or nothing. */
bool mk_scatter_is_blank_line(const char *line);
