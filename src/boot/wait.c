/* Catching a phone that comes and goes (spec brom.md 3, 4.5; behaviour.md 9.1). */
#include "boot/wait.h"

#include "core/i18n.h"

#include <string.h>

#define MIN_VISITS_FOR_FLAP 3
#define PAUSE_US            5000 /* between two looks at a port that just went */

typedef struct {
    unsigned count;
    gint64 first, last; /* monotonic µs of the first and the last appearance */
} Visits;

static bool is_uart_bridge(const char *port)
{
    return strstr(port, "ttyUSB") || strstr(port, "ttyS");
}

static void tell(MkBootStateFunc state, gpointer user_data, const char *words)
{
    if (state)
        state(words, user_data);
}

static bool flapping(const Visits *visits, GError **error)
{
    if (visits->count < MIN_VISITS_FOR_FLAP)
        return false;
    double period = (double)(visits->last - visits->first) / 1e6 / (visits->count - 1);
    g_clear_error(error);
    mk_fault_set_number(error, MK_FAULT_CON_FLAP, 2006, "S_BROM_CMD_STARTCMD_TIMEOUT",
                        _("The phone came %u times, about every %.1f seconds, and went each time before it answered."),
                        visits->count, period);
    return true;
}

/* True: try again on the next appearance. */
static bool worth_another_try(const char *port, const GError *fault, gint64 start, int timeout)
{
    MkFault code = mk_fault_code(fault);
    if (mk_boot_left(start, timeout) == 0)
        return false;
    return code == MK_FAULT_GONE || (code == MK_FAULT_SILENT && is_uart_bridge(port));
}

bool mk_boot_catch(const char *port, int timeout, MkTrace *trace, MkBootStateFunc state, gpointer state_data,
                   MkBootAttempt attempt, gpointer user_data, MkLink **link, GCancellable *cancel, GError **error)
{
    gint64 start = g_get_monotonic_time();
    Visits visits = {0};
    tell(state, state_data, _("Waiting for the phone: switch it off, then connect it."));
    for (;;) {
        g_autoptr(GError) local = NULL;
        g_autoptr(MkLink) caught =
            mk_link_wait_told(port, mk_boot_left(start, timeout), state, state_data, cancel, &local);
        if (!caught) {
            if (mk_fault_code(local) != MK_FAULT_CON_NONE || !flapping(&visits, &local)) {
                if (mk_fault_code(local) == MK_FAULT_GONE && mk_boot_left(start, timeout) != 0)
                    continue;
            }
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        visits.last = g_get_monotonic_time();
        if (visits.count++ == 0)
            visits.first = visits.last;
        mk_link_set_trace(caught, trace);
        if (attempt(caught, user_data, cancel, &local)) {
            *link = g_steal_pointer(&caught);
            return true;
        }
        if (!worth_another_try(port, local, start, timeout)) {
            if (mk_fault_code(local) == MK_FAULT_GONE)
                flapping(&visits, &local);
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        if (visits.count == 1)
            tell(state, state_data, _("The phone came and went; waiting for it to come back."));
        g_clear_pointer(&caught, mk_link_free);
        g_usleep(PAUSE_US);
    }
}

typedef struct {
    const MkBootOptions *options;
    MkTarget *target;
} Connect;

static bool connect_attempt(MkLink *link, gpointer user_data, GCancellable *cancel, GError **error)
{
    Connect *connect = user_data;
    connect->target = mk_boot_connect(link, connect->options, cancel, error);
    return connect->target != NULL;
}

void mk_caught_clear(MkCaught *caught)
{
    g_clear_pointer(&caught->target, mk_target_free);
    g_clear_pointer(&caught->link, mk_link_free);
}

MkTarget *mk_boot_wait(const char *port, int timeout, const MkBootOptions *options, MkTrace *trace,
                       MkBootStateFunc state, gpointer user_data, MkLink **link, GCancellable *cancel, GError **error)
{
    Connect connect = {.options = options};
    if (!mk_boot_catch(port, timeout, trace, state, user_data, connect_attempt, &connect, link, cancel, error))
        return NULL;
    tell(state, user_data,
         connect.target->stage == MK_STAGE_BOOTROM ? _("The phone answers: BootROM.")
                                                   : _("The phone answers: preloader."));
    return connect.target;
}
