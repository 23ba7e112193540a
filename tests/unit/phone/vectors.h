/* The vectors of tests/data/brom-vectors.txt: who they are for, what is sent and what must be answered. */
#pragma once

#include <glib.h>
#include <string.h>

typedef struct {
    bool from_host;
    GByteArray *bytes;
} Move;

typedef struct {
    char *name, *profile, *start, *config;
    GPtrArray *moves; /* of Move */
    bool asserts;     /* a remark says that the device leaves */
} Vector;

static inline void vector_add(Vector *vector, bool from_host, const char *text)
{
    Move *move = g_new0(Move, 1);
    move->from_host = from_host;
    move->bytes = g_byte_array_new();
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word && **word != ';'; word++)
        if (**word) {
            uint8_t byte = (uint8_t)g_ascii_strtoull(*word, NULL, 16);
            g_byte_array_append(move->bytes, &byte, 1);
        }
    g_ptr_array_add(vector->moves, move);
}

static inline void move_free(gpointer data)
{
    Move *move = data;
    g_byte_array_unref(move->bytes);
    g_free(move);
}

static inline void vector_free(gpointer data)
{
    Vector *vector = data;
    g_free(vector->name);
    g_free(vector->profile);
    g_free(vector->start);
    g_free(vector->config);
    g_ptr_array_unref(vector->moves);
    g_free(vector);
}

static inline void vector_line(GPtrArray *all, const char *line)
{
    Vector *last = all->len ? all->pdata[all->len - 1] : NULL;
    if (line[0] == '[') {
        last = g_new0(Vector, 1);
        last->name = g_strndup(line + 1, strcspn(line + 1, "]"));
        last->moves = g_ptr_array_new_with_free_func(move_free);
        g_ptr_array_add(all, last);
    } else if (!last || line[0] == '#') {
        return;
    } else if (g_str_has_prefix(line, "profile: ")) {
        last->profile = g_strdup(line + 9);
    } else if (g_str_has_prefix(line, "start: ")) {
        last->start = g_strdup(line + 7);
    } else if (g_str_has_prefix(line, "config: ")) {
        last->config = g_strdup(line + 8);
    } else if (line[0] == '>' || line[0] == '<') {
        vector_add(last, line[0] == '>', line + 2);
    } else if (line[0] == '=' && strstr(line, "assert")) {
        last->asserts = true;
    }
}

static inline GPtrArray *vectors_load(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "brom-vectors.txt", NULL), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    GPtrArray *all = g_ptr_array_new_with_free_func(vector_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        vector_line(all, *line);
    return all;
}

static inline const Vector *vector_find(GPtrArray *all, const char *name)
{
    for (guint i = 0; i < all->len; i++)
        if (strcmp(((Vector *)all->pdata[i])->name, name) == 0)
            return all->pdata[i];
    g_assert_not_reached();
}

/* Does one of the vector's profiles ("pl1*", "pl3-6765", "rom") fit PROFILE? */
static inline bool vector_is_for(const Vector *vector, const char *profile)
{
    g_auto(GStrv) patterns = g_strsplit(vector->profile, " ", -1);
    for (char **pattern = patterns; *pattern; pattern++)
        if (**pattern && g_pattern_match_simple(*pattern, profile))
            return true;
    return false;
}
