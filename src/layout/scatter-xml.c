/* The XML generation of scatters, read with libxml2: the same keys as the YAML-like files, every diagnosis with its line (spec scatter.md 4).
 * Files are hostile: nothing is loaded from elsewhere, and a document type, where entities would be declared, is refused. */
#include "layout/scatter-record.h"

#include "core/i18n.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define DEEPEST       8u
#define LONGEST_VALUE 4096u

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

static unsigned line_of(const xmlNode *node)
{
    long line = xmlGetLineNo(node);
    return line > 0 && line < G_MAXINT ? (unsigned)line : 0;
}

static bool is_named(const xmlNode *node, const char *name)
{
    return !strcmp((const char *)node->name, name);
}

static char *attribute(const xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    char *text = value ? g_strstrip(g_strndup((const char *)value, LONGEST_VALUE)) : NULL;
    xmlFree(value);
    return text;
}

static char *text_of(const xmlNode *node)
{
    xmlChar *value = xmlNodeGetContent(node);
    char *text = value ? g_strstrip(g_strndup((const char *)value, LONGEST_VALUE)) : g_strdup("");
    xmlFree(value);
    for (char *c = text; *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    return text;
}

static void walk(MkScatterReader *reader, const xmlNode *parent, unsigned depth);

/* An element with a "name" that holds others: what it is says how they are read. */
static void take_container(MkScatterReader *reader, const xmlNode *node, unsigned depth)
{
    g_autofree char *name = attribute(node, "name");
    unsigned line = line_of(node);
    if (is_named(node, "partition_index")) {
        mk_scatter_take_pair(reader, "partition_index", name ? name : "", line);
        walk(reader, node, depth + 1);
        mk_scatter_close_record(reader);
    } else if (is_named(node, "storage_type")) {
        mk_scatter_take_pair(reader, "storage_type", name ? name : "", line);
        walk(reader, node, depth + 1);
        mk_scatter_close_record(reader);
    } else if (is_named(node, "config_version") || is_named(node, "storage")) {
        if (name)
            mk_scatter_take_pair(reader, (const char *)node->name, name, line);
        walk(reader, node, depth + 1);
    } else {
        if (!is_named(node, "general"))
            mk_scatter_find(reader, MK_SEVERITY_NOTE, "scatter.element", line,
                            _("Line %u holds an element nobody knows: <%.40s>."), line, (const char *)node->name);
        walk(reader, node, depth + 1);
    }
}

static void walk(MkScatterReader *reader, const xmlNode *parent, unsigned depth)
{
    if (depth > DEEPEST) {
        mk_scatter_refuse(reader, 5011, "S_DL_SCAT_INCORRECT_FORMAT", line_of(parent),
                          _("the elements are nested too deeply"));
        return;
    }
    for (const xmlNode *node = parent->children; node && !reader->failed; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        bool container = xmlChildElementCount((xmlNode *)node) || is_named(node, "partition_index") ||
                         is_named(node, "storage_type");
        if (container) {
            take_container(reader, node, depth);
            continue;
        }
        g_autofree char *text = text_of(node), *name = attribute(node, "name");
        mk_scatter_take_pair(reader, (const char *)node->name, *text || !name ? text : name, line_of(node));
    }
}

static bool check_document(xmlDoc *document, const char *name, GError **error)
{
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    if (!root) {
        const xmlError *last = xmlGetLastError();
        g_autofree char *why = g_strchomp(g_strdup(last && last->message ? last->message : ""));
        mk_fault_set_number(error, MK_FAULT_SCATTER, 0xC0030001, "STATUS_SCATTER_FILE_INVALID",
                            _("%s is no whole XML file (line %d: %s)."), name, last ? last->line : 0, why);
        return false;
    }
    if (xmlGetIntSubset(document)) {
        mk_fault_set_number(error, MK_FAULT_SCATTER, 0xC0030001, "STATUS_SCATTER_FILE_INVALID",
                            _("%s declares a document type; no scatter does, so it is not read."), name);
        return false;
    }
    if (is_named(root, "flash-mode") || is_named(root, "flash_mode")) {
        mk_fault_set_number(error, MK_FAULT_SCATTER, 0xC0030001, "STATUS_SCATTER_FILE_INVALID",
                            _("%s is a flash.xml: it names a scatter and a Download Agent. Open it as a ROM."), name);
        return false;
    }
    return true;
}

MkLayout *mk_scatter_parse_xml(const char *text, size_t length, const char *name, bool strict, GPtrArray *findings,
                               GError **error)
{
    xmlResetLastError();
    g_autoptr(xmlDoc) document = xmlReadMemory(
        text, (int)length, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    if (!check_document(document, name, error))
        return NULL;
    g_autoptr(MkLayout) top = mk_layout_new(MK_LAYOUT_SCATTER_XML);
    g_autoptr(GPtrArray) sections = g_ptr_array_new_with_free_func((GDestroyNotify)mk_layout_unref);
    MkScatterReader reader = {.findings = findings,
                              .strict = strict,
                              .error = error,
                              .top = top,
                              .section = top,
                              .sections = sections,
                              .xml = true};
    walk(&reader, xmlDocGetRootElement(document), 0);
    return mk_scatter_finish(&reader);
}
