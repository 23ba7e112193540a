#include "phone/agent-age.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define DATE 11 /* "Jan 19 2015" */

/* First stages as hosts sent them in the recordings (golden/agent-legacy-*.txt). */
static const struct {
    uint16_t chip;
    uint32_t length;
    const char *release;
} recorded[] = {{0x6582, 0xDA34, "G2"}, {0x6582, 0xCBE4, "G3"}};

/* What __DATE__ leaves behind, as year * 12 + month; 0: no date. */
static unsigned date_at(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    unsigned year = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (!g_ascii_isdigit(text[7 + i]))
            return 0;
        year = 10 * year + (unsigned)(text[7 + i] - '0');
    }
    bool form =
        text[3] == ' ' && (text[4] == ' ' || g_ascii_isdigit(text[4])) && g_ascii_isdigit(text[5]) && text[6] == ' ';
    for (unsigned month = 0; form && month < 12; month++)
        if (memcmp(text, months + 3 * month, 3) == 0)
            return year >= 2009 && year < 2040 ? 12 * year + month : 0;
    return 0;
}

static const char *release_of(unsigned date)
{
    return date < 12 * 2013       ? "G0"
           : date < 12 * 2013 + 6 ? "G1" /* May 2013 */
           : date < 12 * 2014 + 6 ? "G2" /* July to October 2013 */
           : date < 12 * 2015 + 6 ? "G3" /* December 2014, January 2015 */
                                  : "G4";
}

const char *mk_agent_age(uint16_t chip, const void *data, size_t length)
{
    unsigned newest = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(recorded); i++)
        if (recorded[i].chip == chip && recorded[i].length == length)
            return recorded[i].release;
    for (size_t at = 0; at + DATE <= length; at++) {
        unsigned date = date_at((const char *)data + at);
        newest = MAX(newest, date);
    }
    return newest ? release_of(newest) : NULL;
}
