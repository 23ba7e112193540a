/* The little that Medik needs of json-glib: reading members that may be absent or of the wrong type, and writing text. Files that are
 * read back (plans, journals, manifests) may be damaged or edited: nothing here asserts. */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

void mk_json_string(JsonBuilder *builder, const char *member, const char *value); /* NULL: member left out */
void mk_json_int(JsonBuilder *builder, const char *member, gint64 value);
void mk_json_bool(JsonBuilder *builder, const char *member, bool value);
/* The whole text. Caller frees. */
char *mk_json_text(JsonBuilder *builder, bool pretty);

/* NULL if TEXT is no JSON. */
JsonNode *mk_json_parse(const char *text, gssize length);
JsonObject *mk_json_object(JsonNode *node);                             /* borrowed, NULL if it is none */
const char *mk_json_get_string(JsonObject *object, const char *member); /* borrowed, NULL if absent */
gint64 mk_json_get_int(JsonObject *object, const char *member, gint64 fallback);
bool mk_json_get_bool(JsonObject *object, const char *member);
JsonArray *mk_json_get_array(JsonObject *object, const char *member); /* borrowed, NULL if absent */
