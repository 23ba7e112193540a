#include "core/json.h"

void mk_json_string(JsonBuilder *builder, const char *member, const char *value)
{
    if (!value)
        return;
    json_builder_set_member_name(builder, member);
    json_builder_add_string_value(builder, value);
}

void mk_json_int(JsonBuilder *builder, const char *member, gint64 value)
{
    json_builder_set_member_name(builder, member);
    json_builder_add_int_value(builder, value);
}

void mk_json_bool(JsonBuilder *builder, const char *member, bool value)
{
    json_builder_set_member_name(builder, member);
    json_builder_add_boolean_value(builder, value);
}

char *mk_json_text(JsonBuilder *builder, bool pretty)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, pretty);
}

JsonNode *mk_json_parse(const char *text, gssize length)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    return json_parser_load_from_data(parser, text, length, NULL) ? json_parser_steal_root(parser) : NULL;
}

JsonObject *mk_json_object(JsonNode *node)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static JsonNode *value(JsonObject *object, const char *member, GType type)
{
    JsonNode *node = object ? json_object_get_member(object, member) : NULL;
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == type ? node : NULL;
}

const char *mk_json_get_string(JsonObject *object, const char *member)
{
    JsonNode *node = value(object, member, G_TYPE_STRING);
    return node ? json_node_get_string(node) : NULL;
}

gint64 mk_json_get_int(JsonObject *object, const char *member, gint64 fallback)
{
    JsonNode *node = value(object, member, G_TYPE_INT64);
    return node ? json_node_get_int(node) : fallback;
}

bool mk_json_get_bool(JsonObject *object, const char *member)
{
    JsonNode *node = value(object, member, G_TYPE_BOOLEAN);
    return node && json_node_get_boolean(node);
}

JsonArray *mk_json_get_array(JsonObject *object, const char *member)
{
    JsonNode *node = object ? json_object_get_member(object, member) : NULL;
    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
}
