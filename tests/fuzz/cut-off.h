/* What a device under fuzz answers is counted and thrown away; a host that asks for more than the limit is cut off. */
#pragma once

#include "phone/wire.h"

static inline bool swallow_answers(gpointer data, bool input, G_GNUC_UNUSED uint8_t *bytes, size_t *length)
{
    size_t *left = data;
    if (input)
        return true;
    bool goes_on = *length <= *left;
    *left -= MIN(*left, *length);
    *length = 0;
    return goes_on;
}
