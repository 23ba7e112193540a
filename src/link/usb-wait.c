/* Waiting for a phone on the bus: the one that was named, or the only one there is (spec behaviour.md 2.2). */
#include "link/usb.h"

#include "core/fault.h"
#include "core/i18n.h"
#include "link/fd.h"
#include "link/holder.h"
#include "link/watch-private.h"

#include <string.h>

#define ANY "usb"

bool mk_usb_is_port(const char *port)
{
    return strcmp(port, ANY) == 0 || g_regex_match_simple("^[0-9]+-[0-9]+(\\.[0-9]+)*$", port, G_REGEX_DEFAULT, 0);
}

/* --- choosing ---------------------------------------------------------------------------------------------------------- */

static bool too_many(const GPtrArray *phones, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < phones->len; i++) {
        const MkWatchPhone *phone = phones->pdata[i];
        g_string_append_printf(list, "%s%s (%s)", i ? ", " : "", phone->path, mk_usb_mode_words(phone->mode));
    }
    const MkWatchPhone *first = phones->pdata[0];
    mk_fault_set(error, MK_FAULT_CON_MANY, _("%u phones are connected: %s. Name one, for example --port %s."),
                 phones->len, list->str, first->path);
    return false;
}

/* An agent that runs at the place that the user named may be somebody else's work. */
static bool is_free(const MkWatchPhone *phone, GError **error)
{
    const MkUsbDevice *device = mk_watch_device(phone);
    g_autofree char *holder = phone->mode == MK_USB_DA ? mk_holder_of_usb(device->bus, device->address) : NULL;
    if (holder)
        mk_fault_set_number(error, MK_FAULT_CON_BUSY, 1013, "S_COM_PORT_OPEN_FAIL", _("The phone on %s is held by %s."),
                            phone->path, holder);
    return !holder;
}

/* *CHOSEN is NULL as long as there is nobody to talk to. */
static bool choose(MkWatch *watch, const char *port, const MkWatchPhone **chosen, GError **error)
{
    g_autoptr(GPtrArray) present = mk_watch_present(watch), candidates = g_ptr_array_new();
    bool named = strcmp(port, ANY) != 0;
    *chosen = NULL;
    for (guint i = 0; i < present->len; i++) {
        MkWatchPhone *phone = present->pdata[i];
        if (named && strcmp(phone->path, port) != 0)
            continue;
        if (named && !is_free(phone, error))
            return false;
        if (mk_watch_phone_answers(phone, named))
            g_ptr_array_add(candidates, phone);
    }
    if (candidates->len > 1)
        return too_many(candidates, error);
    if (candidates->len)
        *chosen = candidates->pdata[0];
    return true;
}

static MkLink *none_came(MkWatch *watch, const char *port, int timeout, GError **error)
{
    g_autoptr(GPtrArray) present = mk_watch_present(watch);
    g_autoptr(GString) others = g_string_new(NULL);
    for (guint i = 0; i < present->len; i++) {
        const MkWatchPhone *phone = present->pdata[i];
        g_string_append_printf(others, _("%s%s on %s"), others->len ? ", " : _(" Seen: "),
                               mk_usb_mode_words(phone->mode), phone->path);
    }
    if (strcmp(port, ANY) == 0)
        mk_fault_set_number(error, MK_FAULT_CON_NONE, 2006, "S_BROM_CMD_STARTCMD_TIMEOUT",
                            _("No phone appeared over USB within %d s.%s"), timeout / 1000, others->str);
    else
        mk_fault_set_number(error, MK_FAULT_CON_NONE, 2006, "S_BROM_CMD_STARTCMD_TIMEOUT",
                            _("No phone appeared on the bus path %s within %d s.%s"), port, timeout / 1000,
                            others->str);
    mk_watch_free(watch);
    return NULL;
}

/* --- waiting ----------------------------------------------------------------------------------------------------------- */

/* What is there and cannot be talked to is worth a word. */
static void tell(const MkWatchPhone *phone, MkWatchEvent event, MkLinkSeenFunc seen, gpointer user_data)
{
    if (!seen || event != MK_WATCH_CAME || mk_watch_phone_answers(phone, true))
        return;
    g_autofree char *place = mk_watch_phone_words(phone);
    g_autofree char *words = NULL;
    if (phone->mode == MK_USB_DA)
        words = g_strdup_printf(_("%s. A helper program of an earlier session still runs there: restart the phone."),
                                place);
    else if (phone->mode == MK_USB_ANDROID || phone->mode == MK_USB_META || phone->mode == MK_USB_FASTBOOT)
        words = g_strdup_printf(_("%s. To catch the phone, switch it off and plug it in again."), place);
    else
        words = g_strdup_printf(_("%s, with nothing to talk to."), place);
    seen(words, user_data);
}

/* Takes in what has happened; at most until DEADLINE, and no longer than until the first news. */
static bool take_news(MkWatch *watch, gint64 deadline, MkLinkSeenFunc seen, gpointer user_data, GCancellable *cancel,
                      GError **error)
{
    int timeout = deadline < 0 ? MK_FOREVER : (int)MAX((deadline - g_get_monotonic_time() + 999) / 1000, 0);
    for (MkWatchEvent event = MK_WATCH_CAME; event != MK_WATCH_QUIET; timeout = 0) {
        const MkWatchPhone *phone;
        if (!mk_watch_next(watch, timeout, &event, &phone, cancel, error))
            return false;
        if (phone)
            tell(phone, event, seen, user_data);
    }
    return true;
}

MkLink *mk_usb_wait_on(MkWatch *watch, const char *port, int timeout, MkLinkSeenFunc seen, gpointer user_data,
                       GCancellable *cancel, GError **error)
{
    gint64 deadline = mk_deadline(timeout), look = 0; /* the first look is at once */
    for (;;) {
        const MkWatchPhone *chosen;
        if (!take_news(watch, look, seen, user_data, cancel, error) || !choose(watch, port, &chosen, error)) {
            mk_watch_free(watch);
            return NULL;
        }
        if (chosen)
            return mk_watch_open_link(watch, chosen, error);
        if (deadline >= 0 && g_get_monotonic_time() >= deadline)
            return none_came(watch, port, timeout, error);
        look = deadline;
    }
}

MkLink *mk_usb_wait(const char *port, int timeout, MkLinkSeenFunc seen, gpointer user_data, GCancellable *cancel,
                    GError **error)
{
    MkWatch *watch = mk_watch_open(error);
    return watch ? mk_usb_wait_on(watch, port, timeout, seen, user_data, cancel, error) : NULL;
}

/* --- following --------------------------------------------------------------------------------------------------------- */

#define MOVE_GRACE 1000 /* ms that the same place has, before another one is believed */

typedef struct {
    const char *path;
    uint8_t address;   /* on the bus, of the device that leaves */
    GHashTable *known; /* paths where phones were before */
    unsigned lost;     /* other phones that left meanwhile: then nobody knows who is who */
    gint64 began;      /* monotonic µs; 0: still being told what was there before */
} Follow;

static void note_news(Follow *follow, MkWatchEvent event, const MkWatchPhone *phone)
{
    if (!follow->began && event == MK_WATCH_CAME)
        g_hash_table_add(follow->known, g_strdup(phone->path));
    if (!follow->began && event == MK_WATCH_QUIET)
        follow->began = g_get_monotonic_time();
    if (follow->began && event == MK_WATCH_LEFT && strcmp(phone->path, follow->path) != 0)
        follow->lost++;
}

/* The same place. A change of speed may also lead to another controller and so to another bus number (spec behaviour.md 2.2, 8): a place
 * where nothing was before counts when its DA is the only one that came and ours the only phone that left. */
static const MkWatchPhone *successor(MkWatch *watch, const Follow *follow)
{
    g_autoptr(GPtrArray) present = mk_watch_present(watch);
    const MkWatchPhone *other = NULL;
    unsigned others = 0;
    for (guint i = 0; follow->began && i < present->len; i++) {
        const MkWatchPhone *phone = present->pdata[i];
        if (strcmp(phone->path, follow->path) == 0)
            return mk_watch_device(phone)->address != follow->address && phone->serial ? phone : NULL;
        if (phone->mode == MK_USB_DA && phone->serial && !g_hash_table_contains(follow->known, phone->path)) {
            other = phone;
            others++;
        }
    }
    bool patient = g_get_monotonic_time() - follow->began >= MOVE_GRACE * 1000;
    return others == 1 && follow->lost == 0 && patient ? other : NULL;
}

/* NULL without a fault: go on waiting. */
static const MkWatchPhone *follow_on(MkWatch *watch, Follow *follow, gint64 deadline, GCancellable *cancel,
                                     GError **error)
{
    MkWatchEvent event;
    const MkWatchPhone *phone;
    gint64 now = g_get_monotonic_time();
    gint64 next_look = follow->began ? MAX(follow->began + MOVE_GRACE * 1000, now) : now;
    gint64 until = next_look > now ? MIN(deadline, next_look) : follow->began ? deadline : now;
    if (!mk_watch_next(watch, (int)MAX((until - now + 999) / 1000, 0), &event, &phone, cancel, error))
        return NULL;
    note_news(follow, event, phone);
    const MkWatchPhone *next = successor(watch, follow);
    if (!next && follow->began && g_get_monotonic_time() >= deadline)
        mk_fault_set(error, MK_FAULT_GONE,
                     _("The phone left %s to come back at another speed, and did not come back in time."),
                     follow->path);
    return next;
}

MkLink *mk_usb_follow_on(MkWatch *watch, const char *path, uint8_t address, int timeout, GCancellable *cancel,
                         GError **error)
{
    gint64 deadline = mk_deadline(timeout);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GError) local = NULL;
    Follow follow = {.path = path, .address = address, .known = known};
    while (!local) {
        const MkWatchPhone *next = follow_on(watch, &follow, deadline, cancel, &local);
        if (next)
            return mk_watch_open_link(watch, next, error);
    }
    g_propagate_error(error, g_steal_pointer(&local));
    mk_watch_free(watch);
    return NULL;
}

MkLink *mk_usb_follow(MkLink *link, int timeout, GCancellable *cancel, GError **error)
{
    g_autofree char *path = g_strdup(link->name);
    uint8_t address = ((MkUsbLink *)link)->device.address;
    MkTrace *trace = link->trace;
    MkWatch *watch = mk_watch_open(error); /* before the old one is let go: nothing is missed */
    mk_link_free(link);
    MkLink *next = watch ? mk_usb_follow_on(watch, path, address, timeout, cancel, error) : NULL;
    if (next)
        mk_link_set_trace(next, trace);
    return next;
}
