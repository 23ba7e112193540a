/* The start handshake, spec brom.md 4.4. */
#include "boot/command.h"

#include "core/i18n.h"

#include <string.h>

#define BYTE_TIMEOUT   50  /* for one answer */
#define SETTLE         5   /* after a wrong answer */
#define QUIET          350 /* longer than the preloader's start window of 300 ms */
#define SILENT_RESENDS 3

static const uint8_t start_bytes[] = MK_BROM_START_BYTES;

/* One byte of answer; letters of READY are skipped: they never collide with the complements. */
static bool read_answer(MkLink *link, uint8_t *answer, bool *silent, GCancellable *cancel, GError **error)
{
    gint64 start = g_get_monotonic_time();
    *silent = false;
    for (;;) {
        g_autoptr(GError) local = NULL;
        int left = mk_boot_left(start, BYTE_TIMEOUT);
        if (left == 0) {
            *silent = true;
            return true;
        }
        if (mk_link_read(link, answer, 1, left, cancel, &local)) {
            if (!memchr(MK_BROM_READY, *answer, strlen(MK_BROM_READY)))
                return true;
        } else if (mk_fault_code(local) == MK_FAULT_SILENT) {
            *silent = true;
            return true;
        } else {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
    }
}

bool mk_boot_sync(MkLink *link, int timeout, MkSync *sync, GCancellable *cancel, GError **error)
{
    gint64 start = g_get_monotonic_time();
    unsigned index = 0, silent_resends = 0;
    mk_link_note(link, "start handshake");
    *sync = MK_SYNC_NEW;
    while (index < sizeof start_bytes) {
        uint8_t answer;
        bool silent;
        if (mk_boot_left(start, timeout) == 0) {
            mk_fault_set_number(error, MK_FAULT_SILENT, 2005, "S_BROM_CMD_STARTCMD_FAIL",
                                _("The port is there, but the phone does not answer the start handshake."));
            return false;
        }
        if (!mk_link_write(link, &start_bytes[index], 1, MK_BOOT_ECHO_TIMEOUT, cancel, error) ||
            !read_answer(link, &answer, &silent, cancel, error))
            return false;
        if (silent) {
            if (index && ++silent_resends >= SILENT_RESENDS) {
                index = silent_resends = 0;
                if (!mk_link_drain(link, QUIET, cancel, error))
                    return false;
            }
            continue;
        }
        silent_resends = 0;
        if ((answer ^ start_bytes[index]) == 0xFF) {
            index++;
        } else if (index == 0 && answer == start_bytes[0]) {
            *sync = MK_SYNC_ALREADY;
            return true;
        } else {
            index = 0;
            if (!mk_link_drain(link, SETTLE, cancel, error))
                return false;
        }
    }
    return true;
}
