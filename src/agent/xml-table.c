/* READ-PARTITION-TABLE (spec da-xml.md 8.9): what the agent itself believes. It read the table when it started; a table written since shows
 * only after its next start. */
#include "agent/xml.h"

#include "core/i18n.h"

#define TABLE_NAME "table.xml"

static xmlDoc *ask_table(MkXml *xml, GError **error)
{
    const XmlArgument arguments[] = {{"target_file", TABLE_NAME}, {NULL, NULL}};
    return xml_ask_document(xml, MK_XML_READ_PARTITION_TABLE, arguments, "partition_table", MK_FAULT_TABLE_BAD,
                            _("reading the phone's partition table"), error);
}

/* An entry that lies in the region where partitions are. Caller frees *NAME, which may be NULL. */
static bool read_entry(const MkAgentInfo *info, const xmlNode *node, char **name, uint64_t *start, uint64_t *size)
{
    uint64_t room = mk_geometry_region_size(&info->geometry, mk_geometry_main_region(&info->geometry));
    g_autofree char *start_text = xml_text(node, "start"), *size_text = xml_text(node, "size");
    *name = xml_text(node, "name");
    return *name && **name && xml_number(start_text, start) && xml_number(size_text, size) && *size && *size <= room &&
           *start <= room - *size;
}

static bool add_entry(const MkAgentInfo *info, MkLayout *layout, const xmlNode *node, GError **error)
{
    g_autofree char *name = NULL;
    uint64_t start, size;
    if (!read_entry(info, node, &name, &start, &size)) {
        mk_fault_set(error, MK_FAULT_TABLE_BAD, _("The phone's partition table has an entry (%s) that cannot be."),
                     name ? name : "?");
        return false;
    }
    MkPartition *partition = mk_layout_add(layout, name);
    partition->storage = info->storage;
    partition->region = mk_geometry_main_region(&info->geometry);
    partition->start = partition->physical = start;
    partition->size = size;
    partition->resolved = true;
    return true;
}

bool xml_read_table(MkAgent *agent, MkLayout **layout, GError **error)
{
    const MkAgentInfo *info = &agent->info;
    bool nand = info->storage == MK_STORAGE_NAND;
    g_autoptr(xmlDoc) document = ask_table((MkXml *)agent, error);
    g_autoptr(MkLayout) found = mk_layout_new(nand ? MK_LAYOUT_PMT : MK_LAYOUT_GPT);
    if (!document)
        return false;
    found->storage = info->storage;
    found->block_size = nand ? info->geometry.nand_block : info->geometry.sector;
    for (const xmlNode *node = xmlDocGetRootElement(document)->children; node; node = node->next) {
        if (xml_is_named(node, "pt") && !add_entry(info, found, node, error))
            return false;
    }
    if (found->partitions->len == 0) {
        mk_fault_set(error, MK_FAULT_TABLE_NONE, _("The phone's agent knows no partition table."));
        return false;
    }
    *layout = g_steal_pointer(&found);
    return true;
}

bool xml_partition_size(MkXml *xml, const char *name, uint64_t *size, GError **error)
{
    g_autoptr(xmlDoc) document = ask_table(xml, error);
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    for (const xmlNode *node = root ? root->children : NULL; node; node = node->next) {
        g_autofree char *entry = NULL;
        uint64_t start;
        if (xml_is_named(node, "pt") && read_entry(&xml->base.info, node, &entry, &start, size) &&
            g_strcmp0(entry, name) == 0)
            return true;
    }
    if (root)
        mk_fault_set(error, MK_FAULT_LAYOUT, _("The phone's partition table has no partition %s."), name);
    return false;
}
