/* A phone that plays a script: what it hears must be exactly what the script says the host sends, in that order; where the host should
 * wait for more than the script gives, its time runs out at once.  Nothing here knows the protocol. */
#pragma once

#include "core/bytes.h"
#include "core/fault.h"
#include "core/hash.h"
#include "link/link.h"

#include <string.h>

typedef struct {
    bool from_host;
    bool any;  /* the host may send any bytes of that length */
    bool bulk; /* has to come in a transfer of its own */
    GBytes *bytes;
} ScriptStep;

typedef struct {
    MkLink link;
    GArray *steps; /* (element-type ScriptStep) */
    unsigned step;
    size_t offset;       /* in the current step */
    GCancellable *after; /* cancelled once STOP_STEP is reached, or NULL */
    unsigned stop_step;
    const char *wrong; /* what the host did wrong, NULL: nothing yet */
} Script;

static void script_step_clear(gpointer step)
{
    g_bytes_unref(((ScriptStep *)step)->bytes);
}

static inline GArray *script_steps_new(void)
{
    GArray *steps = g_array_new(FALSE, TRUE, sizeof(ScriptStep));
    g_array_set_clear_func(steps, script_step_clear);
    return steps;
}

static inline ScriptStep *script_add(GArray *steps, bool from_host, GBytes *bytes)
{
    ScriptStep step = {.from_host = from_host, .bytes = bytes};
    g_array_append_val(steps, step);
    return &g_array_index(steps, ScriptStep, steps->len - 1);
}

static inline ScriptStep *script_current(Script *script)
{
    ScriptStep *step = NULL;
    while (script->step < script->steps->len) {
        step = &g_array_index(script->steps, ScriptStep, script->step);
        if (script->offset < g_bytes_get_size(step->bytes))
            break;
        script->step++;
        script->offset = 0;
        step = NULL;
        if (script->after && script->step >= script->stop_step)
            g_cancellable_cancel(script->after);
    }
    return step;
}

static inline bool script_read_some(MkLink *link, void *data, size_t length, size_t *got, G_GNUC_UNUSED int timeout,
                                    G_GNUC_UNUSED GCancellable *cancel, GError **error)
{
    Script *script = (Script *)link;
    ScriptStep *step = script_current(script);
    if (!step || step->from_host) {
        mk_fault_set(error, MK_FAULT_SILENT, "step %u: nothing more to say", script->step);
        return false;
    }
    gsize size;
    const uint8_t *bytes = g_bytes_get_data(step->bytes, &size);
    *got = MIN(length, size - script->offset);
    memcpy(data, bytes + script->offset, *got);
    script->offset += *got;
    return true;
}

static inline bool script_wrong(Script *script, const char *what, GError **error)
{
    if (!script->wrong) {
        script->wrong = what;
        g_test_message("step %u, byte %zu: %s", script->step, script->offset, what);
    }
    mk_fault_set(error, MK_FAULT_GONE, "step %u: %s", script->step, what);
    return false;
}

static inline bool script_write(MkLink *link, const void *data, size_t length, G_GNUC_UNUSED int timeout,
                                G_GNUC_UNUSED GCancellable *cancel, GError **error)
{
    Script *script = (Script *)link;
    const uint8_t *sent = data;
    for (bool first = true; length; first = false) {
        ScriptStep *step = script_current(script);
        if (!step || !step->from_host)
            return script_wrong(script, "the host speaks out of turn", error);
        gsize size;
        const uint8_t *bytes = g_bytes_get_data(step->bytes, &size);
        size_t piece = MIN(length, size - script->offset);
        if (step->bulk && (!first || script->offset || piece != size || piece != length))
            return script_wrong(script, "bulk data is not in a transfer of its own", error);
        if (!step->any && memcmp(sent, bytes + script->offset, piece) != 0)
            return script_wrong(script, "the host sends other bytes", error);
        script->offset += piece;
        sent += piece;
        length -= piece;
    }
    script_current(script);
    return true;
}

static inline void script_free(MkLink *link)
{
    g_array_unref(((Script *)link)->steps);
}

/* Takes STEPS. */
static inline MkLink *script_link(GArray *steps)
{
    static const MkLinkClass klass = {.read_some = script_read_some, .write = script_write, .free = script_free};
    Script *script = mk_link_alloc(&klass, sizeof *script, MK_LINK_PAIR, "script");
    script->steps = steps;
    return &script->link;
}

/* Everything was said and heard. */
static inline void script_assert_over(MkLink *link)
{
    Script *script = (Script *)link;
    script_current(script);
    g_assert_cmpstr(script->wrong, ==, NULL);
    g_assert_cmpuint(script->step, ==, script->steps->len);
}

/* LENGTH bytes whose sum is SUM modulo 65536. */
static inline GBytes *script_summing(size_t length, uint16_t sum)
{
    GByteArray *bytes = g_byte_array_sized_new((guint)length);
    g_byte_array_set_size(bytes, (guint)length);
    for (size_t i = 0; i < length; i++) {
        uint8_t piece = (uint8_t)MIN(sum, 0xFF);
        bytes->data[i] = piece;
        sum -= piece;
    }
    g_assert_cmpuint(sum, ==, 0);
    return g_byte_array_free_to_bytes(bytes);
}

/* Appends "H> 5A 0102  D> P(16) FF00  H> *4096 ...": hex, P(n) = 00 01 02 .., A(n) = AB AB .., *n = any n bytes in one transfer, S = the
 * sum of the bytes before. P and A of the host are bulk data. */
static inline void script_parse(GArray *steps, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
    bool from_host = true;
    for (char **word = words; *word; word++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        char kind = **word;
        unsigned count = kind == '*'                 ? (unsigned)g_ascii_strtoull(*word + 1, NULL, 10)
                         : kind && (*word)[1] == '(' ? (unsigned)g_ascii_strtoull(*word + 2, NULL, 10)
                                                     : 0;
        if (!kind)
            continue;
        if ((*word)[1] == '>') {
            from_host = kind == 'H';
            continue;
        }
        if (kind == 'S') {
            GBytes *before = g_array_index(steps, ScriptStep, steps->len - 1).bytes;
            mk_put_be16(bytes, mk_sum16(0, g_bytes_get_data(before, NULL), g_bytes_get_size(before)));
        }
        for (unsigned i = 0; i < count; i++)
            mk_put_u8(bytes, kind == 'P' ? (uint8_t)i : 0xAB);
        for (const char *digits = *word; kind != 'S' && !count && *digits; digits += 2)
            mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(digits[0]) << 4 | g_ascii_xdigit_value(digits[1])));
        ScriptStep *step = script_add(steps, from_host, g_byte_array_free_to_bytes(g_steal_pointer(&bytes)));
        step->any = kind == '*';
        step->bulk = count && from_host;
    }
}

/* A MkSourceFunc and a MkSinkFunc over a buffer. */
typedef struct {
    uint8_t *data;
    size_t length, done;
} ScriptBuffer;

static inline bool script_source(uint8_t *data, size_t length, gpointer user_data, G_GNUC_UNUSED GError **error)
{
    ScriptBuffer *buffer = user_data;
    g_assert_cmpuint(length, <=, buffer->length - buffer->done);
    memcpy(data, buffer->data + buffer->done, length);
    buffer->done += length;
    return true;
}

static inline bool script_sink(const uint8_t *data, size_t length, gpointer user_data, G_GNUC_UNUSED GError **error)
{
    ScriptBuffer *buffer = user_data;
    g_assert_cmpuint(length, <=, buffer->length - buffer->done);
    memcpy(buffer->data + buffer->done, data, length);
    buffer->done += length;
    return true;
}
