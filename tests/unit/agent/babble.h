/* A phone that says given bytes, whatever it hears, and then falls silent (at once: no waiting) or repeats one byte, or others, for ever. */
#pragma once

#include "core/fault.h"
#include "link/link.h"

#include <string.h>

typedef struct {
    MkLink link;
    const uint8_t *bytes;
    size_t length, offset;
    bool endless;
    uint8_t repeated;
    const uint8_t *others; /* or NULL; said again and again instead of the one */
    size_t others_length;
} Babble;

static bool babble_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout,
                             G_GNUC_UNUSED GCancellable *cancel, GError **error)
{
    Babble *babble = (Babble *)link;
    g_assert_cmpint(timeout, >=, 0); /* nobody may wait for ever for a phone */
    *got = babble->offset < babble->length ? MIN(length, babble->length - babble->offset) : 0;
    if (*got) {
        memcpy(data, babble->bytes + babble->offset, *got);
        babble->offset += *got;
    } else if (babble->endless && babble->others) {
        size_t at = (babble->offset - babble->length) % babble->others_length;
        *got = MIN(length, babble->others_length - at);
        memcpy(data, babble->others + at, *got);
        babble->offset += *got;
    } else if (babble->endless) {
        memset(data, babble->repeated, length);
        *got = length;
    } else {
        mk_fault_set(error, MK_FAULT_SILENT, "silence after %zu bytes", babble->length);
    }
    return *got > 0;
}

static bool babble_write(G_GNUC_UNUSED MkLink *link, G_GNUC_UNUSED const void *data, G_GNUC_UNUSED size_t length,
                         G_GNUC_UNUSED int timeout, G_GNUC_UNUSED GCancellable *cancel, G_GNUC_UNUSED GError **error)
{
    return true;
}

static void babble_free(G_GNUC_UNUSED MkLink *link)
{
}

/* BYTES are borrowed. */
static inline Babble *babble_new(const uint8_t *bytes, size_t length)
{
    static const MkLinkClass klass = {.read_some = babble_read_some, .write = babble_write, .free = babble_free};
    Babble *babble = mk_link_alloc(&klass, sizeof *babble, MK_LINK_PAIR, "babble");
    babble->bytes = bytes;
    babble->length = length;
    return babble;
}

static inline bool babble_drop(G_GNUC_UNUSED const uint8_t *data, G_GNUC_UNUSED size_t length,
                               G_GNUC_UNUSED gpointer user_data, G_GNUC_UNUSED GError **error)
{
    return true;
}

static inline bool babble_zeros(uint8_t *data, size_t length, G_GNUC_UNUSED gpointer user_data,
                                G_GNUC_UNUSED GError **error)
{
    memset(data, 0, length);
    return true;
}

/* What such a phone may lead to: success, which is counted, or a fault of a known kind. */
static inline void babble_count(unsigned *done, bool ok, GError **error)
{
    *done += ok;
    if (ok) {
        g_assert_no_error(*error);
    } else {
        g_assert_nonnull(*error);
        g_assert_cmpuint((*error)->domain, ==, MK_FAULT);
        g_assert_cmpint(mk_fault_code(*error), !=, MK_FAULT_INTERNAL);
        g_clear_error(error);
    }
}
