/* Builds Download Agent containers as spec da-file.md describes them, with marked bytes for programs. */
#pragma once

#include "core/bytes.h"

#include <string.h>

typedef struct {
    uint16_t hw_code, hw_version, sw_version, entry_region;
    const char *content;       /* begins region 1 and 2, e.g. a marker */
    uint32_t addresses[3];     /* of the three regions */
    uint32_t lengths[3];       /* 0 = an empty region */
    uint32_t signature_length; /* of regions 1 and 2 */
} ContainerEntry;

typedef struct {
    const char *description;
    uint32_t info_version;
    unsigned capacity; /* entries the table has room for; 0 = exact slots, no room */
    const ContainerEntry *entries;
    unsigned n_entries;
} Container;

static inline void container_region(GByteArray *file, const ContainerEntry *entry, unsigned i, uint32_t offset)
{
    uint32_t signature = i ? entry->signature_length : 0;
    mk_put_le32(file, offset);
    mk_put_le32(file, entry->lengths[i]);
    mk_put_le32(file, entry->addresses[i]);
    mk_put_le32(file, entry->lengths[i] - signature);
    mk_put_le32(file, signature);
}

static inline void container_entry(GByteArray *file, const Container *container, unsigned index, uint32_t *offset)
{
    const ContainerEntry *entry = &container->entries[index];
    bool v3 = container->info_version == 3;
    mk_put_le16(file, 0xDADA);
    mk_put_le16(file, entry->hw_code);
    if (!v3)
        mk_put_le16(file, 0);
    mk_put_le16(file, entry->hw_version);
    mk_put_le16(file, entry->sw_version);
    if (!v3)
        mk_put_le16(file, 0);
    mk_put_le32(file, 0x1000);
    mk_put_le16(file, entry->entry_region);
    mk_put_le16(file, 3);
    for (unsigned i = 0; i < 3; i++) {
        container_region(file, entry, i, *offset);
        *offset += entry->lengths[i];
    }
    if (container->capacity)
        mk_put_fill(file, 0, 7 * 20);
}

static inline GBytes *container_build(const Container *container)
{
    GByteArray *file = g_byte_array_new();
    size_t stride = (container->info_version == 3 ? 16 : 20) + (container->capacity ? 200 : 60);
    uint32_t offset = (uint32_t)(0x6C + stride * (container->capacity ? container->capacity : container->n_entries));
    uint32_t data = offset;
    mk_put_text(file, "MTK_DOWNLOAD_AGENT", 0x20);
    mk_put_text(file, container->description, 0x40);
    mk_put_le32(file, container->info_version);
    mk_put_le32(file, 0x22668899);
    mk_put_le32(file, container->n_entries);
    for (unsigned i = 0; i < container->n_entries; i++)
        container_entry(file, container, i, &offset);
    mk_put_fill(file, 0, data - file->len);
    for (unsigned i = 0; i < container->n_entries; i++) {
        const ContainerEntry *entry = &container->entries[i];
        for (unsigned j = 0; j < 3; j++) {
            size_t marker = j ? MIN(strlen(entry->content), entry->lengths[j]) : 0;
            g_byte_array_append(file, (const uint8_t *)entry->content, (guint)marker);
            mk_put_fill(file, (uint8_t)(0x10 * i + j), entry->lengths[j] - marker);
        }
    }
    return g_byte_array_free_to_bytes(file);
}
