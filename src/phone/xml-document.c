/* What the host's documents say, read with libxml2 (spec da-xml.md 2.2, 3.2). They are hostile: nothing is loaded from elsewhere, a document
 * type, where entities would be declared, is refused, and the length was capped before they came here. */
#include "phone/xml-device.h"

#include <libxml/parser.h>
#include <string.h>

#define LONGEST_NAME 64

static const xmlNode *child(const xmlNode *parent, const char *name)
{
    for (const xmlNode *node = parent ? parent->children : NULL; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0)
            return node;
    return NULL;
}

static const xmlNode *root_of(const xmlDoc *document)
{
    return xmlDocGetRootElement((xmlDoc *)document);
}

static char *text_of(const xmlNode *node)
{
    if (!node)
        return NULL;
    xmlChar *value = xmlNodeGetContent(node);
    char *text = g_strstrip(g_strdup(value ? (const char *)value : ""));
    xmlFree(value);
    return text;
}

/* Ends at its first NUL: there are hosts that send two. */
xmlDoc *mk_xml_parse(const void *data, size_t length)
{
    size_t used = strnlen(data, length);
    g_autoptr(xmlDoc) document = NULL;
    xmlResetLastError();
    if (used && used <= MK_XML_COMMAND_MAX_STAGE2)
        document = xmlReadMemory(data, (int)used, NULL, NULL,
                                 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    const xmlNode *root = document ? root_of(document) : NULL;
    bool good = root && !xmlGetIntSubset(document) && strcmp((const char *)root->name, MK_XML_ROOT_HOST) == 0;
    return good ? g_steal_pointer(&document) : NULL;
}

char *mk_xml_command_name(const xmlDoc *document)
{
    g_autofree char *name = text_of(child(root_of(document), "command"));
    return name && strlen(name) <= LONGEST_NAME ? g_steal_pointer(&name) : NULL;
}

/* The integer part; a document without a version has none: 0. */
unsigned mk_xml_version(const xmlDoc *document, unsigned *minor)
{
    g_autofree char *text = text_of(child(root_of(document), "version"));
    char *end = text;
    unsigned major = text ? (unsigned)g_ascii_strtoull(text, &end, 10) : 0;
    *minor = end && *end == '.' ? (unsigned)g_ascii_strtoull(end + 1, NULL, 10) : 0;
    return major;
}

char *mk_xml_arg(const MkXml *x, const char *name)
{
    return text_of(child(child(root_of(x->command), "arg"), name));
}

char *mk_xml_advanced(const MkXml *x, const char *name)
{
    return text_of(child(child(root_of(x->command), "adv"), name));
}

char *mk_xml_need(MkXml *x, const char *name)
{
    char *text = mk_xml_arg(x, name);
    if (!text)
        mk_xml_fail(x, "Required XML node path not found. Check command string.");
    return text;
}

uint64_t mk_xml_number(const char *text)
{
    return text ? g_ascii_strtoull(text, NULL, 16) : 0;
}

/* --- images ------------------------------------------------------------------------------------------------------------------ */

static void image_free(gpointer data)
{
    MkXmlImage *image = data;
    g_free(image->name);
    g_free(image->file);
    g_free(image);
}

GPtrArray *mk_xml_images_new(void)
{
    return g_ptr_array_new_with_free_func(image_free);
}

void mk_xml_images_add(GPtrArray *images, const char *name, const char *file)
{
    MkXmlImage *image = g_new(MkXmlImage, 1);
    *image = (MkXmlImage){g_strdup(name), g_strdup(file)};
    g_ptr_array_add(images, image);
}

GPtrArray *mk_xml_flash_list(const MkXml *x)
{
    const xmlNode *list = child(child(root_of(x->command), "arg"), "flash_list");
    if (!list)
        return NULL;
    GPtrArray *images = mk_xml_images_new();
    for (const xmlNode *node = list->children; node; node = node->next) {
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, "pt") != 0)
            continue;
        xmlChar *name = xmlGetNoNsProp(node, (const xmlChar *)"name");
        g_autofree char *file = text_of(node);
        if (name)
            mk_xml_images_add(images, (const char *)name, file);
        xmlFree(name);
    }
    return images;
}

/* --- and what is said to it ------------------------------------------------------------------------------------------------- */

/* The genuine agent neither decodes nor encodes: what must come back encoded is what it was given so (spec 2.2). */
char *mk_xml_escape(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text; text++) {
        if (*text == '&')
            g_string_append(out, "&amp;");
        else if (*text == '<')
            g_string_append(out, "&lt;");
        else
            g_string_append_c(out, *text);
    }
    return g_string_free(out, false);
}
