#include "link/watch-private.h"

#include "core/fault.h"
#include "core/i18n.h"
#include "link/fd.h"

#include <math.h>
#include <string.h>

#define REMEMBERED    6    /* arrivals in one mode at one place */
#define RHYTHM_NEEDS  3    /* arrivals, before a period is told */
#define RHYTHM_SPREAD 0.35 /* of the mean, that periods may differ */
#define RHYTHM_JITTER 0.5  /* s, that they always may */
#define RHYTHM_MOST   60.0 /* s */
#define RHYTHM_OVER   2.5  /* periods without an arrival, after which it is over */

typedef struct {
    gint64 times[REMEMBERED];
    unsigned count;
} Arrivals;

/* One place on the bus and all that was seen there. */
typedef struct {
    MkWatchPhone phone; /* first: what callers hold */
    MkUsbDevice device;
    Arrivals arrivals[MK_USB_UNKNOWN + 1];
} Place;

struct _MkWatch {
    const MkBusClass *klass;
    gpointer source;
    GPtrArray *places;
};

MkWatch *mk_watch_new(const MkBusClass *klass, gpointer source)
{
    MkWatch *watch = g_new0(MkWatch, 1);
    watch->klass = klass;
    watch->source = source;
    watch->places = g_ptr_array_new_with_free_func(g_free);
    return watch;
}

MkWatch *mk_watch_open(GError **error)
{
    const MkBusClass *klass;
    gpointer source;
    return mk_bus_open(&klass, &source, error) ? mk_watch_new(klass, source) : NULL;
}

void mk_watch_free(MkWatch *watch)
{
    if (!watch)
        return;
    if (watch->source)
        watch->klass->free(watch->source);
    g_ptr_array_unref(watch->places);
    g_free(watch);
}

const MkUsbDevice *mk_watch_device(const MkWatchPhone *phone)
{
    return &((const Place *)phone)->device;
}

MkLink *mk_watch_open_link(MkWatch *watch, const MkWatchPhone *phone, GError **error)
{
    MkUsbDevice device = *mk_watch_device(phone);
    MkLink *link = watch->klass->open(g_steal_pointer(&watch->source), &device, error);
    mk_watch_free(watch);
    return link;
}

/* --- rhythm ------------------------------------------------------------------------------------------------------------ */

static void remember(Arrivals *arrivals, gint64 time)
{
    if (arrivals->count == REMEMBERED) {
        memmove(arrivals->times, arrivals->times + 1, sizeof arrivals->times - sizeof *arrivals->times);
        arrivals->count--;
    }
    arrivals->times[arrivals->count++] = time;
}

/* Seconds between arrivals in the same mode, if they are alike; 0 if not. */
static double rhythm(const Arrivals *arrivals)
{
    if (arrivals->count < RHYTHM_NEEDS)
        return 0;
    unsigned periods = arrivals->count - 1;
    double mean = (double)(arrivals->times[periods] - arrivals->times[0]) / G_USEC_PER_SEC / periods;
    for (unsigned i = 0; i < periods; i++) {
        double period = (double)(arrivals->times[i + 1] - arrivals->times[i]) / G_USEC_PER_SEC;
        if (fabs(period - mean) > MAX(mean * RHYTHM_SPREAD, RHYTHM_JITTER))
            return 0;
    }
    return mean <= RHYTHM_MOST ? mean : 0;
}

/* A rhythm that has stopped is none. */
static void update_rhythm(Place *place, gint64 now)
{
    const Arrivals *arrivals = &place->arrivals[place->phone.mode];
    place->phone.period = rhythm(arrivals);
    if (place->phone.period > 0 &&
        (double)(now - arrivals->times[arrivals->count - 1]) / G_USEC_PER_SEC > place->phone.period * RHYTHM_OVER)
        place->phone.period = 0;
}

/* --- coming and going --------------------------------------------------------------------------------------------------- */

static int compare_places(gconstpointer a, gconstpointer b)
{
    return strcmp((*(Place *const *)a)->device.path, (*(Place *const *)b)->device.path);
}

static Place *place_at(MkWatch *watch, const char *path, bool make)
{
    for (guint i = 0; i < watch->places->len; i++) {
        Place *place = watch->places->pdata[i];
        if (strcmp(place->device.path, path) == 0)
            return place;
    }
    if (!make)
        return NULL;
    Place *place = g_new0(Place, 1);
    g_ptr_array_add(watch->places, place);
    g_strlcpy(place->device.path, path, sizeof place->device.path);
    g_ptr_array_sort(watch->places, compare_places);
    return place;
}

static Place *come(MkWatch *watch, const MkBusEvent *event)
{
    const MkUsbTraits *traits = &event->device.traits;
    MkUsbMode mode = mk_usb_classify(traits);
    if (mode == MK_USB_NONE)
        return NULL;
    const MkUsbId *id = mk_usb_id_find(traits->vid, traits->pid);
    Place *place = place_at(watch, event->device.path, true);
    place->device = event->device;
    remember(&place->arrivals[mode], event->time);
    place->phone = (MkWatchPhone){.path = place->device.path,
                                  .vid = traits->vid,
                                  .pid = traits->pid,
                                  .mode = mode,
                                  .name = id ? id->name : NULL,
                                  .speed = event->device.speed,
                                  .present = true,
                                  .serial = traits->serial,
                                  .arrivals = place->phone.arrivals + 1,
                                  .since = event->time};
    update_rhythm(place, event->time);
    return place;
}

/* A departure that is told late must not take away what has come to the same place since. */
static Place *leave(MkWatch *watch, const MkBusEvent *event)
{
    Place *place = place_at(watch, event->device.path, false);
    if (!place || !place->phone.present || place->device.address != event->device.address)
        return NULL;
    place->phone.present = false;
    place->phone.since = event->time;
    return place;
}

bool mk_watch_next(MkWatch *watch, int timeout, MkWatchEvent *event, const MkWatchPhone **phone, GCancellable *cancel,
                   GError **error)
{
    gint64 deadline = mk_deadline(timeout);
    *event = MK_WATCH_QUIET;
    *phone = NULL;
    for (;;) {
        MkBusEvent seen = {0};
        int left = timeout < 0 ? timeout : (int)MAX((deadline - g_get_monotonic_time() + 999) / 1000, 0);
        if (!watch->klass->next(watch->source, left, &seen, cancel, error))
            return false;
        if (seen.kind == MK_WATCH_QUIET)
            return true;
        const Place *place = seen.kind == MK_WATCH_CAME ? come(watch, &seen) : leave(watch, &seen);
        if (!place)
            continue; /* a keyboard */
        *event = seen.kind;
        *phone = &place->phone;
        return true;
    }
}

bool mk_watch_phone_answers(const MkWatchPhone *phone, bool named)
{
    if (!phone->serial)
        return false;
    return phone->mode == MK_USB_BOOTROM || phone->mode == MK_USB_PRELOADER ||
           (phone->mode == MK_USB_UNKNOWN && (named || phone->name));
}

GPtrArray *mk_watch_present(MkWatch *watch)
{
    GPtrArray *present = g_ptr_array_new();
    for (guint i = 0; i < watch->places->len; i++) {
        Place *place = watch->places->pdata[i];
        if (place->phone.present)
            g_ptr_array_add(present, &place->phone);
    }
    return present;
}

/* --- words ------------------------------------------------------------------------------------------------------------- */

char *mk_watch_phone_words(const MkWatchPhone *phone)
{
    GString *text = g_string_new(phone->path);
    g_string_append_printf(text, ": %s", phone->present ? mk_usb_mode_words(phone->mode) : _("gone"));
    if (phone->period > 0)
        g_string_append_printf(text, _(" · restarting every %.0f s"), MAX(phone->period, 1));
    return g_string_free(text, FALSE);
}

char *mk_watch_line(MkWatch *watch)
{
    GString *line = g_string_new(NULL);
    gint64 now = g_get_monotonic_time();
    for (guint i = 0; i < watch->places->len; i++) {
        Place *place = watch->places->pdata[i];
        update_rhythm(place, now);
        if (!place->phone.present && place->phone.period <= 0)
            continue;
        g_autofree char *words = mk_watch_phone_words(&place->phone);
        g_string_append_printf(line, "%s%s", line->len ? "  |  " : "", words);
    }
    if (line->len == 0)
        g_string_append(line,
                        _("Nothing seen. Switch the phone off, then plug it in (BootROM: hold volume down or up)."));
    return g_string_free(line, FALSE);
}
