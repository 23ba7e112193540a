/* flash.xml, what the tool of the XML generation opens instead of a scatter: it names scatter and Download Agent, both relative to its own
 * folder, even where a path begins with a slash (spec scatter.md 4.4, hosts.md "XML"). */
#include "rom/rom-private.h"

#include "core/i18n.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define LARGEST (1u << 20)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static bool is_named(const xmlNode *node, const char *name)
{
    return node && !strcmp((const char *)node->name, name);
}

/* The text of the child NAME of ROOT, or NULL. */
static char *child_text(const xmlNode *root, const char *name)
{
    for (const xmlNode *node = root->children; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || !is_named(node, name))
            continue;
        xmlChar *content = xmlNodeGetContent(node);
        g_autofree char *text = g_strstrip(g_strdup(content ? (const char *)content : ""));
        xmlFree(content);
        return *text ? g_steal_pointer(&text) : NULL;
    }
    return NULL;
}

static char *beside(const char *path, const char *named)
{
    if (!named)
        return NULL;
    g_autofree char *folder = g_path_get_dirname(path), *unix_path = g_strdelimit(g_strdup(named), "\\", '/');
    g_autofree char *joined = g_build_filename(folder, unix_path + strspn(unix_path, "/"), NULL);
    return g_canonicalize_filename(joined, NULL);
}

bool mk_flash_xml_is(const char *path)
{
    g_autofree char *base = g_path_get_basename(path), *lower = g_ascii_strdown(base, -1);
    return !strcmp(lower, "flash.xml");
}

static bool refuse(const char *path, const char *why, GError **error)
{
    mk_fault_set_number(error, MK_FAULT_SCATTER, 0xC0030015, "STATUS_XML_FILE_OP_ERR", "%s: %s", path, why);
    return false;
}

bool mk_flash_xml_parse(const char *text, size_t length, const char *path, char **scatter, char **agent, GError **error)
{
    if (length > LARGEST)
        return refuse(path, _("this is far too large for a flash.xml"), error);
    g_autoptr(xmlDoc) document =
        xmlReadMemory(text, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    if (!root || xmlGetIntSubset(document))
        return refuse(path, _("this is no whole XML file, or one that declares a document type"), error);
    if (!is_named(root, "flash-mode") && !is_named(root, "flash_mode"))
        return refuse(path, _("this is no flash.xml: its outermost element is not <flash-mode>"), error);
    g_autofree char *named_scatter = child_text(root, "scatter"), *named_agent = child_text(root, "dagent");
    if (!named_scatter)
        return refuse(path, _("it names no scatter"), error);
    *scatter = beside(path, named_scatter);
    *agent = beside(path, named_agent);
    return true;
}

bool mk_flash_xml_load(const char *path, char **scatter, char **agent, GError **error)
{
    g_autoptr(MkStore) file = mk_store_file_open(path, false, error);
    size_t length = file ? (size_t)MIN(file->size, LARGEST + 1) : 0;
    g_autofree char *text = g_malloc(length + 1);
    return file && mk_store_read(file, 0, text, length, NULL, error) &&
           mk_flash_xml_parse(text, length, path, scatter, agent, error);
}
