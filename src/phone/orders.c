/* What the control socket orders: cable, battery, keys, faults, questions. */
#include "core/i18n.h"
#include "core/json.h"
#include "phone/phone-internal.h"

#include <string.h>

#define WAIT_DEFAULT_S 30

static char *finish(JsonBuilder *builder)
{
    json_builder_end_object(builder);
    return mk_json_text(builder, false);
}

static JsonBuilder *begin(bool ok)
{
    JsonBuilder *builder = json_builder_new();
    json_builder_begin_object(builder);
    mk_json_bool(builder, "ok", ok);
    return builder;
}

static char *refuse(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autoptr(JsonBuilder) builder = begin(false);
    mk_json_string(builder, "error", text);
    return finish(builder);
}

static void add_screen(MkPhone *phone, JsonBuilder *builder)
{
    const MkBootReport *report = phone->report;
    if (!report)
        return;
    mk_json_string(builder, "screen", report->id);
    mk_json_string(builder, "sees", report->sees);
    mk_json_string(builder, "why", report->why);
    mk_json_string(builder, "build", report->build);
    mk_json_string(builder, "imei", report->imei);
}

/* With the lock held. */
static char *state(MkPhone *phone)
{
    g_autoptr(JsonBuilder) builder = begin(true);
    mk_json_string(builder, "model", phone->model->id);
    mk_json_string(builder, "power", strcmp(phone->mode, "off") == 0 ? "off" : "on");
    mk_json_string(builder, "mode", phone->mode);
    mk_json_string(builder, "port", phone->port_name);
    mk_json_bool(builder, "cable", phone->cable);
    mk_json_bool(builder, "battery", phone->battery);
    mk_json_int(builder, "battery_mv", phone->battery_mv);
    mk_json_string(builder, "key", phone->key_download ? "download" : "none");
    mk_json_int(builder, "rx", (gint64)mk_faults_passed(phone->faults, true));
    mk_json_int(builder, "tx", (gint64)mk_faults_passed(phone->faults, false));
    mk_json_int(builder, "starts", phone->starts);
    unsigned violations = phone->border_violations;
    mk_json_int(builder, "border_violations", violations + (phone->wire ? mk_wire_border_violations(phone->wire) : 0));
    add_screen(phone, builder);
    return finish(builder);
}

/* --- with the lock held: NULL, or what is wrong with the order --- */

static bool is_off(const MkPhone *phone)
{
    return strcmp(phone->mode, "off") == 0;
}

/* Off, or about to be: what starts a phone now starts it as soon as it is. */
static bool is_ending(const MkPhone *phone)
{
    return is_off(phone) || phone->lost;
}

static void start(MkPhone *phone)
{
    phone->start = true;
    g_cond_broadcast(&phone->changed);
}

static bool runs_from_battery(const MkPhone *phone)
{
    return strcmp(phone->mode, "booted") == 0 || strcmp(phone->mode, "booting") == 0;
}

/* A plugged cable starts a phone that is off; one that was plugged all the time is taken out and put back. */
void mk_phone_set_cable(MkPhone *phone, bool in)
{
    phone->cable = in;
    if (in && is_ending(phone))
        start(phone);
    if (!in && !is_off(phone) && (!runs_from_battery(phone) || !phone->battery))
        mk_phone_lose_power(phone);
}

static char *plug(MkPhone *phone, G_GNUC_UNUSED const char *argument)
{
    mk_phone_set_cable(phone, true);
    return NULL;
}

static char *unplug(MkPhone *phone, G_GNUC_UNUSED const char *argument)
{
    mk_phone_set_cable(phone, false);
    return NULL;
}

static char *power(MkPhone *phone, const char *argument)
{
    if (*argument && strcmp(argument, "long") != 0)
        return refuse(_("power takes nothing or \"long\", not \"%s\"."), argument);
    if (!is_ending(phone)) {
        if (*argument)
            mk_phone_lose_power(phone);
        return NULL;
    }
    if (!phone->battery && !phone->cable)
        return refuse(_("There is neither a battery nor a cable in the phone."));
    start(phone);
    return NULL;
}

static char *hold(MkPhone *phone, const char *argument)
{
    if (strcmp(argument, "none") != 0 && strcmp(argument, "download") != 0)
        return refuse(_("hold takes \"none\" or \"download\", not \"%s\"."), argument);
    phone->key_download = strcmp(argument, "download") == 0;
    return NULL;
}

static char *release(MkPhone *phone, G_GNUC_UNUSED const char *argument)
{
    phone->key_download = false;
    return NULL;
}

static char *battery(MkPhone *phone, const char *argument)
{
    guint64 millivolts;
    if (strcmp(argument, "out") == 0) {
        phone->battery = false;
        if (!is_off(phone) && (!phone->cable || runs_from_battery(phone)))
            mk_phone_lose_power(phone);
    } else if (strcmp(argument, "in") == 0) {
        phone->battery = true;
        if (is_ending(phone) && phone->cable)
            start(phone);
    } else if (g_ascii_string_to_unsigned(argument, 10, 0, 5000, &millivolts, NULL)) {
        phone->battery_mv = (unsigned)millivolts;
    } else {
        return refuse(_("battery takes \"in\", \"out\" or millivolts, not \"%s\"."), argument);
    }
    return NULL;
}

static char *fault(MkPhone *phone, const char *argument)
{
    g_autoptr(GError) error = NULL;
    return mk_faults_add(phone->faults, argument, &error) ? NULL : refuse("%s", error->message);
}

static bool has_come(const MkPhone *phone, const char *what)
{
    if (strcmp(phone->mode, what) == 0)
        return !(strcmp(what, "off") == 0 && phone->start);
    return strcmp(phone->mode, "booted") == 0 && phone->report && strcmp(phone->report->id, what) == 0;
}

/* MODE [SECONDS]; MODE is a mode, or the id of a screen. */
static char *wait_for(MkPhone *phone, const char *argument)
{
    g_auto(GStrv) words = g_strsplit(argument, " ", 2);
    guint64 seconds = WAIT_DEFAULT_S;
    if (!words[0] || !*words[0] || (words[1] && !g_ascii_string_to_unsigned(words[1], 10, 0, 86400, &seconds, NULL)))
        return refuse(_("wait takes a mode and perhaps a number of seconds."));
    gint64 end = g_get_monotonic_time() + (gint64)seconds * G_TIME_SPAN_SECOND;
    while (!phone->quit && !has_come(phone, words[0]))
        if (!g_cond_wait_until(&phone->changed, &phone->lock, end))
            return refuse(_("The phone did not come to \"%s\" within %u seconds; it is \"%s\"."), words[0],
                          (unsigned)seconds, phone->mode);
    return phone->quit ? refuse(_("The phone ends.")) : NULL;
}

static char *screen(MkPhone *phone, G_GNUC_UNUSED const char *argument)
{
    g_autoptr(JsonBuilder) builder = begin(true);
    mk_json_string(builder, "mode", phone->mode);
    add_screen(phone, builder);
    return finish(builder);
}

static char *events(MkPhone *phone, G_GNUC_UNUSED const char *argument)
{
    g_autoptr(JsonBuilder) builder = begin(true);
    json_builder_set_member_name(builder, "events");
    json_builder_begin_array(builder);
    for (guint i = 0; i < phone->events->len; i++)
        json_builder_add_string_value(builder, phone->events->pdata[i]);
    json_builder_end_array(builder);
    return finish(builder);
}

static char *quit(MkPhone *phone, G_GNUC_UNUSED const char *argument)
{
    phone->quit = true;
    mk_phone_lose_power(phone);
    return NULL;
}

static char *show_state(G_GNUC_UNUSED MkPhone *phone, G_GNUC_UNUSED const char *argument)
{
    return NULL; /* every order that has no answer of its own is answered with the state */
}

static const struct {
    const char *word;
    char *(*obey)(MkPhone *phone, const char *argument);
} orders[] = {
    {"state", show_state}, {"plug", plug},       {"unplug", unplug},   {"power", power},
    {"hold", hold},        {"release", release}, {"battery", battery}, {"fault", fault},
    {"wait", wait_for},    {"screen", screen},   {"events", events},   {"quit", quit},
};

char *mk_phone_order(gpointer data, const char *line)
{
    MkPhone *phone = data;
    g_auto(GStrv) words = g_strsplit(line, " ", 2);
    const char *argument = words[0] && words[1] ? g_strstrip(words[1]) : "";
    for (size_t i = 0; words[0] && i < G_N_ELEMENTS(orders); i++) {
        if (strcmp(words[0], orders[i].word) != 0)
            continue;
        g_mutex_lock(&phone->lock);
        char *answer = orders[i].obey(phone, argument);
        if (!answer)
            answer = state(phone);
        g_mutex_unlock(&phone->lock);
        return answer;
    }
    return refuse(
        _("There is no order \"%s\"; there are state, plug, unplug, power, hold, release, battery, fault, wait, "
          "screen, events and quit."),
        line);
}
