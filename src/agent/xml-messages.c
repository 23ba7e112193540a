/* What the agent says in plain English becomes a fault (spec da-xml.md 8, 11). */
#include "agent/xml.h"

#include "core/i18n.h"

#include <string.h>

#define SHOWN 200 /* characters of a message */

typedef struct {
    const char *begin, *within; /* of the message; NULL: anything */
    MkFault fault;
    const char *advice; /* for the user, after the phone's own words; or NULL */
} Meaning;

/* The first that fits. */
static const Meaning meanings[] = {
    {"DRAM Init FAIL", NULL, MK_FAULT_PL_EMI,
     N_("The memory settings are part of the Download Agent of this kind: it is not made for this phone, or the memory "
        "is broken.")},
    {"DA Hash mismatch", NULL, MK_FAULT_DA_VER,
     N_("The parts of the Download Agent do not belong together, or the phone's memory is broken.")},
    {"2nd DA address is invalid", NULL, MK_FAULT_DA_VER, N_("The Download Agent is not made for this phone.")},
    {"All storage init fail", NULL, MK_FAULT_STOR_NONE, N_("The memory chip does not answer.")},
    {"GPT layout change", NULL, MK_FAULT_LAYOUT, NULL},
    {"Security deny", NULL, MK_FAULT_SEC_FORBIDDEN, NULL},
    {"Cannot find [", "on current device storage", MK_FAULT_STOR_MISMATCH,
     N_("The phone has another kind of memory than was asked for.")},
    {"Cannot find [", NULL, MK_FAULT_LAYOUT, N_("The phone's partition table has no such partition.")},
    {"Find [", "from partition table failed", MK_FAULT_LAYOUT,
     N_("The phone's partition table has no such partition.")},
    {"find partition info", NULL, MK_FAULT_LAYOUT, NULL},
    {"Data size bigger than partition", NULL, MK_FAULT_IMAGE_SIZE,
     N_("The image is too large, and its partition has been erased already.")},
    {"Host file size[", "is larger than", MK_FAULT_IMAGE_SIZE, NULL},
    {"base address is larger", NULL, MK_FAULT_RANGE, NULL},
    {"Read length[", NULL, MK_FAULT_RANGE, NULL},
    {"erase length is larger", NULL, MK_FAULT_RANGE, NULL},
    {"Host notice error or user canceled", NULL, MK_FAULT_STOPPED, NULL},
    {"Unsupported command", NULL, MK_FAULT_UNSUPPORTED, NULL},
    {"Required XML node path not found", NULL, MK_FAULT_UNSUPPORTED, NULL},
    {"Unknown reboot action", NULL, MK_FAULT_UNSUPPORTED, NULL},
};

static const Meaning *meaning_of(const char *message)
{
    for (size_t i = 0; i < G_N_ELEMENTS(meanings); i++) {
        const Meaning *meaning = &meanings[i];
        if (g_str_has_prefix(message, meaning->begin) && (!meaning->within || strstr(message, meaning->within)))
            return meaning;
    }
    return NULL;
}

/* One printable line. */
static char *plain(const char *message)
{
    MkReader reader = mk_reader(message, strlen(message));
    g_autofree char *line = g_strdelimit(g_strdup(message), "\r\n\t", ' ');
    reader.data = (const uint8_t *)line;
    char *text = mk_reader_text(&reader, MIN(reader.length, SHOWN));
    return g_strstrip(text);
}

void xml_message_fault(const char *message, MkFault fallback, const char *doing, GError **error)
{
    const Meaning *meaning = meaning_of(message);
    g_autofree char *words = plain(message);
    if (*words == '\0') /* the numeric status is only in the agent's own log (spec 11) */
        mk_fault_set(error, fallback,
                     _("While %s the phone reported a failure without a word: its storage failed, or bytes were lost "
                       "on their way."),
                     doing);
    else if (meaning && meaning->advice)
        mk_fault_set(error, meaning->fault, _("While %s the phone answered: \"%s\" %s"), doing, words,
                     _(meaning->advice));
    else
        mk_fault_set(error, meaning ? meaning->fault : fallback, _("While %s the phone answered: \"%s\""), doing,
                     words);
}
