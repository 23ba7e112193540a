/* Documents of the XML dialect (spec da-xml.md 2.2, 3.1, 3.2). Commands are built and read with libxml2. What comes from a phone is hostile:
 * nothing is loaded from elsewhere, and a document type, where entities would be declared, ends the parsing at once. */
#include "agent/xml.h"

#include <libxml/parser.h>
#include <libxml/xmlsave.h>
#include <string.h>

#define PROLOG        "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define LONGEST_VALUE 4096u

static const xmlChar *chars(const char *text)
{
    return (const xmlChar *)text;
}

static void add_group(xmlNode *root, const char *name, const XmlArgument *arguments)
{
    xmlNode *group = xmlNewChild(root, NULL, chars(name), NULL);
    for (const XmlArgument *argument = arguments; argument && argument->name; argument++)
        xmlNewTextChild(group, NULL, chars(argument->name), chars(argument->value));
}

char *xml_build(const char *command, const char *version, const XmlArgument *arguments, const XmlArgument *advanced)
{
    g_autoptr(xmlDoc) document = xmlNewDoc(chars("1.0"));
    xmlNode *root = xmlNewDocNode(document, NULL, chars(MK_XML_ROOT_HOST), NULL);
    xmlDocSetRootElement(document, root);
    xmlNewTextChild(root, NULL, chars("version"), chars(version ? version : "1.0"));
    xmlNewTextChild(root, NULL, chars("command"), chars(command));
    add_group(root, "arg", arguments);
    if (advanced)
        add_group(root, "adv", advanced);
    xmlBuffer *buffer = xmlBufferCreate();
    xmlSaveCtxt *save = xmlSaveToBuffer(buffer, "UTF-8", XML_SAVE_AS_XML | XML_SAVE_NO_DECL | XML_SAVE_NO_EMPTY);
    xmlSaveTree(save, root);
    xmlSaveClose(save);
    char *text = g_strconcat(PROLOG, (const char *)xmlBufferContent(buffer), NULL);
    xmlBufferFree(buffer);
    return text;
}

static void refuse_type(void *parser, G_GNUC_UNUSED const xmlChar *name, G_GNUC_UNUSED const xmlChar *external,
                        G_GNUC_UNUSED const xmlChar *system)
{
    ((xmlParserCtxt *)parser)->wellFormed = 0;
    xmlStopParser(parser);
}

xmlDoc *xml_parse(const char *text, size_t length)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
    xmlParserCtxt *parser = length <= G_MAXINT ? xmlNewParserCtxt() : NULL;
    if (!parser)
        return NULL;
    parser->sax->internalSubset = refuse_type;
    xmlDoc *document = xmlCtxtReadMemory(parser, text, (int)length, NULL, "UTF-8", options);
    xmlFreeParserCtxt(parser);
    if (document && xmlDocGetRootElement(document))
        return document;
    xmlFreeDoc(document);
    return NULL;
}

bool xml_is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

const xmlNode *xml_child(const xmlNode *parent, const char *name)
{
    for (const xmlNode *node = parent ? parent->children : NULL; node; node = node->next) {
        if (xml_is_named(node, name))
            return node;
    }
    return NULL;
}

static char *take(xmlChar *value)
{
    char *text = value ? g_strstrip(g_strndup((const char *)value, LONGEST_VALUE)) : NULL;
    xmlFree(value);
    return text;
}

char *xml_content(const xmlNode *node)
{
    return node ? take(xmlNodeGetContent(node)) : NULL;
}

char *xml_text(const xmlNode *parent, const char *name)
{
    return xml_content(xml_child(parent, name));
}

static const xmlNode *find(const xmlNode *parent, const char *name)
{
    const xmlNode *found = xml_child(parent, name);
    for (const xmlNode *node = parent ? parent->children : NULL; node && !found; node = node->next) {
        if (node->type == XML_ELEMENT_NODE)
            found = find(node, name);
    }
    return found;
}

char *xml_text_anywhere(const xmlNode *parent, const char *name)
{
    return xml_content(find(parent, name));
}

char *xml_attribute(const xmlNode *node, const char *name)
{
    return take(xmlGetNoNsProp(node, chars(name)));
}

bool xml_number(const char *text, uint64_t *value)
{
    if (!text)
        return false;
    bool hexadecimal = g_ascii_strncasecmp(text, "0x", 2) == 0;
    return g_ascii_string_to_unsigned(hexadecimal ? text + 2 : text, hexadecimal ? 16 : 10, 0, G_MAXUINT64, value,
                                      NULL);
}

size_t xml_hex(const char *text, uint8_t *bytes, size_t room)
{
    size_t length = 0;
    if (g_ascii_strncasecmp(text, "0x", 2) == 0)
        text += 2;
    for (; g_ascii_isxdigit(text[0]) && g_ascii_isxdigit(text[1]) && length < room; text += 2)
        bytes[length++] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
    return *text == '\0' ? length : 0;
}

char *xml_property(GBytes *bytes, const char *key)
{
    gsize size;
    const char *text = g_bytes_get_data(bytes, &size);
    g_autoptr(xmlDoc) document = text ? xml_parse(text, strnlen(text, size)) : NULL;
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    for (const xmlNode *node = root ? root->children : NULL; node; node = node->next) {
        g_autofree char *name = xml_is_named(node, "item") ? xml_attribute(node, "key") : NULL;
        if (g_strcmp0(name, key) == 0)
            return xml_content(node);
    }
    return NULL;
}
