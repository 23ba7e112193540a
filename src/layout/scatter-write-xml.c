/* Writing XML scatters, in the form that the parsers of SP Flash Tool v6 and of its agents read (spec scatter.md 4.1). */
#include "layout/scatter.h"

#include <libxml/xmlwriter.h>
#include <string.h>

static void put(xmlTextWriter *writer, const char *key, const char *value)
{
    xmlTextWriterWriteElement(writer, (const xmlChar *)key, (const xmlChar *)value);
}

static void put_hex(xmlTextWriter *writer, const char *key, uint64_t value)
{
    xmlTextWriterWriteFormatElement(writer, (const xmlChar *)key, "0x%" G_GINT64_MODIFIER "x", value);
}

static void begin(xmlTextWriter *writer, const char *element, const char *name)
{
    xmlTextWriterStartElement(writer, (const xmlChar *)element);
    if (name)
        xmlTextWriterWriteAttribute(writer, (const xmlChar *)"name", (const xmlChar *)name);
}

static void end(xmlTextWriter *writer)
{
    xmlTextWriterEndElement(writer);
}

static bool is_key(const char *text)
{
    return (g_ascii_isalpha(*text) || *text == '_') &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == strlen(text);
}

/* Keys that have no field of their own, in a stable order; SKIP is a NULL-ended list of those written already. */
static void put_rest(xmlTextWriter *writer, GHashTable *table, const char *const *skip, GHashTable *written_above)
{
    g_autoptr(GList) keys = table ? g_list_sort(g_hash_table_get_keys(table), (GCompareFunc)strcmp) : NULL;
    for (GList *key = keys; key; key = key->next) {
        const char *value = g_hash_table_lookup(table, key->data),
                   *above = written_above ? g_hash_table_lookup(written_above, key->data) : NULL;
        if (!g_strv_contains(skip, key->data) && is_key(key->data) && (!above || strcmp(above, value)))
            put(writer, key->data, value);
    }
}

/* Linear addresses have no place in this generation: the header in front of the user area comes off. */
static uint64_t physical_of(const MkLayout *layout, const MkPartition *partition)
{
    bool from_table = layout->kind != MK_LAYOUT_SCATTER_V0 && layout->kind != MK_LAYOUT_SCATTER_V1 &&
                      layout->kind != MK_LAYOUT_SCATTER_XML;
    if (from_table && partition->resolved)
        return partition->start;
    bool symbolic = (partition->linear & MK_FROM_END_MASK) == MK_FROM_END_MASK;
    if (partition->region != MK_REGION_LINEAR || symbolic)
        return partition->region == MK_REGION_LINEAR ? partition->linear : partition->physical;
    return partition->linear < layout->header ? partition->linear : partition->linear - layout->header;
}

static void put_partition(xmlTextWriter *writer, const MkLayout *layout, const MkPartition *partition, guint index)
{
    static const char *const first[] = {"is_upgradable", "empty_boot_needed", "reserve", NULL};
    static const char *const fallback[] = {"false", "false", "0x00"};
    g_autofree char *name = g_strdup_printf("SYS%u", index);
    uint64_t physical = physical_of(layout, partition);
    begin(writer, "partition_index", name);
    put(writer, "partition_name", partition->name);
    put(writer, "file_name", partition->file_name ? partition->file_name : "NONE");
    put(writer, "is_download", partition->download ? "true" : "false");
    put(writer, "type", mk_type_name(partition->type));
    put_hex(writer, "linear_start_addr", layout->kind == MK_LAYOUT_SCATTER_XML ? partition->linear : physical);
    put_hex(writer, "physical_start_addr", physical);
    put_hex(writer, "partition_size", partition->size);
    put(writer, "region", mk_scatter_region_text(layout, partition));
    put(writer, "storage", mk_scatter_storage_text(partition->storage ? partition->storage : layout->storage));
    put(writer, "boundary_check", partition->boundary_check ? "true" : "false");
    put(writer, "is_reserved", partition->reserved ? "true" : "false");
    put(writer, "operation_type", mk_operation_name(partition->operation));
    put_rest(writer, partition->extra, first, NULL);
    for (gsize i = 0; first[i]; i++) {
        const char *value = partition->extra ? g_hash_table_lookup(partition->extra, first[i]) : NULL;
        put(writer, first[i], value ? value : fallback[i]);
    }
    end(writer);
}

static const char *const general_keys[] = {"config_version", "platform",   "project", "storage",
                                           "boot_channel",   "block_size", NULL};

static void put_section(xmlTextWriter *writer, const MkLayout *layout, GHashTable *general)
{
    const char *storage = mk_scatter_storage_text(layout->storage);
    storage += layout->storage ? strlen("HW_STORAGE_") : 0;
    begin(writer, "storage_type", storage);
    begin(writer, "general", "MTK_STORAGE_CFG");
    begin(writer, "storage", storage);
    put(writer, "boot_channel", mk_scatter_boot_channel(layout));
    put_hex(writer, "block_size", mk_scatter_block_size(layout));
    put_rest(writer, layout->general, general_keys, general);
    end(writer);
    end(writer);
    for (guint i = 0; i < layout->partitions->len; i++)
        put_partition(writer, layout, layout->partitions->pdata[i], i);
    end(writer);
}

static void put_document(xmlTextWriter *writer, const MkLayout *layout, const char *version)
{
    xmlTextWriterSetIndent(writer, 1);
    xmlTextWriterSetIndentString(writer, (const xmlChar *)"  ");
    xmlTextWriterStartDocument(writer, NULL, "utf-8", NULL);
    begin(writer, "root", NULL);
    begin(writer, "general", "MTK_PLATFORM_CFG");
    begin(writer, "config_version", version);
    put(writer, "platform", layout->platform ? layout->platform : "");
    put(writer, "project", layout->project ? layout->project : "medik");
    put_rest(writer, layout->general, general_keys, NULL);
    end(writer);
    end(writer);
    put_section(writer, layout, layout->general);
    for (guint i = 0; layout->sections && i < layout->sections->len; i++)
        put_section(writer, layout->sections->pdata[i], layout->general);
    xmlTextWriterEndDocument(writer);
}

char *mk_scatter_write_xml(const MkLayout *layout, const char *version)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *writer = xmlNewTextWriterMemory(buffer, 0);
    put_document(writer, layout, version);
    xmlFreeTextWriter(writer);
    char *text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}
