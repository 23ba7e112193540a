/* The vectors of spec brom-vectors.txt as scripts: what the phone says is played, what the host says is checked. */
#pragma once

#include "../agent/script.h"
#include "boot/boot.h"
#include "proto/bootrom.h"

static inline void vector_bytes(GArray *steps, const char *line)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    bool from_host = line[0] == '>';
    for (const char *p = line + 1; *p && *p != ';';) {
        if (g_ascii_isxdigit(p[0]) && g_ascii_isxdigit(p[1])) {
            uint8_t byte = (uint8_t)(g_ascii_xdigit_value(p[0]) << 4 | g_ascii_xdigit_value(p[1]));
            g_byte_array_append(bytes, &byte, 1);
            p++;
        }
        p++;
    }
    script_add(steps, from_host, g_byte_array_free_to_bytes(g_steal_pointer(&bytes)));
}

/* Appends the steps of the vector NAME. */
static inline void vector_append(GArray *steps, const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "brom-vectors.txt", NULL);
    g_autofree char *text = NULL;
    g_autofree char *title = g_strdup_printf("[%s]", name);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    bool inside = false, found = false;
    unsigned ready = 0; /* READY comes when it likes: played after the host's next byte */
    for (char **line = lines; *line; line++) {
        if (**line == '[') {
            inside = strcmp(*line, title) == 0;
            found |= inside;
        } else if (inside && g_str_has_prefix(*line, "< 52 45 41 44 59")) {
            ready++;
        } else if (inside && (**line == '>' || **line == '<')) {
            vector_bytes(steps, *line);
            for (; ready && **line == '>'; ready--)
                script_add(steps, false, g_bytes_new_static("READY", 5));
        }
    }
    g_assert_true(found);
}

static inline MkLink *vector_link(const char *name)
{
    GArray *steps = script_steps_new();
    vector_append(steps, name);
    return script_link(steps);
}
