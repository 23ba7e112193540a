/* The power machine: off, BootROM, preloader, agent, start, screen. */
#include "core/i18n.h"
#include "phone/agent-age.h"
#include "phone/content.h"
#include "phone/phone-internal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define EVENTS_KEPT 1000
#define RESET_MS    100  /* off the bus between two starts */
#define LOOP_MS     1000 /* a preloader that finds nothing to start begins again */
#define KERNEL_MS   1000 /* a kernel takes its time to come up */
#define FLUSH_MS    300  /* for a host to take the last answer (spec brom.md 1.4) */

static void note(MkPhone *phone, const char *text, bool to_log)
{
    double seconds = (double)(g_get_monotonic_time() - phone->born) / G_USEC_PER_SEC;
    char *line = g_strdup_printf("%9.3f %s", seconds, text);
    if (to_log) {
        fprintf(phone->log, "%s\n", line);
        fflush(phone->log);
    }
    g_mutex_lock(&phone->lock);
    if (phone->events->len == EVENTS_KEPT)
        g_ptr_array_remove_index(phone->events, 0);
    g_ptr_array_add(phone->events, line);
    g_mutex_unlock(&phone->lock);
}

void mk_phone_note(MkPhone *phone, const char *text)
{
    note(phone, text, true);
}

/* What is shown stands on the terminal already: the log has it too only where it is a file. */
static void show(MkPhone *phone, const char *what, const char *text)
{
    g_autofree char *line = g_strdup_printf("%s: %s", what, text);
    note(phone, line, !phone->show || phone->log != stderr);
    if (phone->show)
        phone->show(phone->show_data, what, text);
}

static void set_mode(MkPhone *phone, const char *mode)
{
    g_mutex_lock(&phone->lock);
    phone->mode = mode;
    g_cond_broadcast(&phone->changed);
    g_mutex_unlock(&phone->lock);
}

void mk_phone_lose_power(MkPhone *phone)
{
    phone->lost = true;
    if (phone->wire)
        mk_wire_cut(phone->wire);
    g_cond_broadcast(&phone->changed);
}

void mk_phone_stop(MkPhone *phone)
{
    g_mutex_lock(&phone->lock);
    phone->quit = true;
    mk_phone_lose_power(phone);
    g_mutex_unlock(&phone->lock);
}

static bool powered(MkPhone *phone)
{
    g_mutex_lock(&phone->lock);
    bool on = !phone->lost;
    g_mutex_unlock(&phone->lock);
    return on;
}

/* Until the power is lost, at most MILLISECONDS (-1: for ever). True if there still is power. */
static bool rest(MkPhone *phone, int milliseconds)
{
    gint64 end = g_get_monotonic_time() + (gint64)milliseconds * G_TIME_SPAN_MILLISECOND;
    g_mutex_lock(&phone->lock);
    while (!phone->lost) {
        if (milliseconds < 0)
            g_cond_wait(&phone->changed, &phone->lock);
        else if (!g_cond_wait_until(&phone->changed, &phone->lock, end))
            break;
    }
    bool on = !phone->lost;
    g_mutex_unlock(&phone->lock);
    return on;
}

/* --- the bus ---------------------------------------------------------------------------------------------------------------- */

static bool pass_byte(gpointer data, bool input, uint8_t *bytes, size_t *length)
{
    MkPhone *phone = data;
    MkTrouble trouble = mk_faults_pass(phone->faults, input, bytes, length);
    if (trouble == MK_TROUBLE_NONE)
        return true;
    if (trouble == MK_TROUBLE_STALL) {
        mk_phone_note(phone, "fault: the endpoint halts");
        mk_port_stall(phone->port, !input);
        return true;
    }
    mk_phone_note(phone, trouble == MK_TROUBLE_UNPLUG ? "fault: the cable is pulled" : "fault: the power goes away");
    g_mutex_lock(&phone->lock);
    phone->cable = phone->cable && trouble != MK_TROUBLE_UNPLUG;
    phone->lost = true; /* the wire cuts itself when what came before is out */
    g_cond_broadcast(&phone->changed);
    g_mutex_unlock(&phone->lock);
    return false;
}

/* What a host sees of a mode on the bus. */
static MkUsbKind kind_of(const char *mode)
{
    return strcmp(mode, "bootrom") == 0     ? MK_USB_BOOTROM
           : strcmp(mode, "preloader") == 0 ? MK_USB_PRELOADER
           : strcmp(mode, "fastboot") == 0  ? MK_USB_FASTBOOT
                                            : MK_USB_KERNEL;
}

static bool appear(MkPhone *phone, const char *mode)
{
    char *name = NULL;
    MkUsbKind kind = kind_of(mode);
    MkWire *wire = mk_port_appear(phone->port, kind, &name, &phone->trouble);
    if (!wire) {
        mk_phone_stop(phone);
        return false;
    }
    mk_wire_set_pace(wire, phone->rate, phone->turnaround_us);
    mk_wire_set_tap(wire, pass_byte, phone);
    phone->machine.wire = wire;
    phone->machine.high_speed = !mk_port_is_usb(phone->port) || kind != MK_USB_BOOTROM;
    g_mutex_lock(&phone->lock);
    phone->wire = wire;
    phone->port_name = name;
    phone->mode = mode;
    phone->machine.battery = phone->battery;
    phone->machine.battery_mv = phone->battery_mv;
    if (phone->lost)
        mk_wire_cut(wire);
    g_cond_broadcast(&phone->changed);
    g_mutex_unlock(&phone->lock);
    show(phone, "port", name);
    return true;
}

static void vanish(MkPhone *phone)
{
    mk_wire_drain(phone->machine.wire, FLUSH_MS);
    g_mutex_lock(&phone->lock);
    MkWire *wire = g_steal_pointer(&phone->wire);
    g_clear_pointer(&phone->port_name, g_free);
    if (wire)
        phone->border_violations += mk_wire_border_violations(wire);
    g_mutex_unlock(&phone->lock);
    mk_port_vanish(phone->port);
    mk_wire_free(wire);
    phone->machine.wire = NULL;
}

static bool reappear(gpointer data, uint32_t ids)
{
    MkPhone *phone = data;
    mk_phone_note(phone, "agent: off the bus, and back at high speed");
    mk_port_reappear(phone->port, phone->machine.wire, ids);
    return mk_wire_pause(phone->machine.wire, 0) == MK_WIRE_OK;
}

/* The host's end of the cable (USB only). */
static void cable_moved(gpointer data, bool in)
{
    MkPhone *phone = data;
    mk_phone_note(phone, in ? "the host puts the cable back" : "the host lets go: the cable is out");
    g_mutex_lock(&phone->lock);
    mk_phone_set_cable(phone, in);
    g_mutex_unlock(&phone->lock);
}

void mk_phone_watch_port(MkPhone *phone)
{
    mk_port_set_cable(phone->port, cable_moved, phone);
    if (!mk_port_is_usb(phone->port))
        return;
    phone->machine.reappear = reappear;
    phone->machine.port_data = phone;
    phone->borders = true; /* there are packets, and they are kept */
}

/* Enumerated, and deaf: what an agent leaves behind when it was told to end, and a kernel that Medik has no business with. */
static void swallow(MkPhone *phone, const char *mode)
{
    uint8_t ignored[4096];
    size_t got;
    set_mode(phone, mode);
    while (mk_wire_read_some(phone->machine.wire, ignored, sizeof ignored, &got, -1) == MK_WIRE_OK)
        ;
}

/* --- stages ------------------------------------------------------------------------------------------------------------------ */

static const char *choose_release(MkPhone *phone)
{
    static MkDaMark mark;
    gsize size;
    const void *data = g_bytes_get_data(phone->machine.da, &size);
    if (phone->release)
        return phone->release;
    if (mk_content_da_marker(data, size, &mark))
        return mark.release;
    bool legacy = phone->model->dialect == MK_DA_LEGACY && phone->model->soc;
    const char *age = legacy ? mk_agent_age(phone->model->soc->da_code, data, size) : NULL;
    return age ? age : phone->model->agent_release;
}

/* Code for another chip, or in a dialect that no agent of this chip speaks, hangs at its first access to what is not there. */
static bool can_run(const MkPhone *phone)
{
    gsize size;
    MkDaMark mark;
    const MkModel *model = phone->model;
    const void *data = g_bytes_get_data(phone->machine.da, &size);
    if (mk_content_da_marker(data, size, &mark) && model->soc && mark.chip != model->soc->da_code)
        return false;
    MkDaFamily dialect = mk_content_da_dialect(data, size);
    return dialect == MK_DA_UNKNOWN || dialect == model->dialect;
}

static MkNext run_agent(MkPhone *phone)
{
    MkMachine *machine = &phone->machine;
    g_free(machine->release);
    machine->release = g_strdup(choose_release(phone));
    mk_machine_log(machine, "agent: release %s starts at %08x", machine->release, machine->jump_address);
    set_mode(phone, "agent");
    mk_wire_set_borders(machine->wire, phone->borders);
    if (!can_run(phone)) {
        mk_machine_log(machine, "agent: it is none for this chip: the phone hangs");
        return MK_NEXT_HALT;
    }
    switch (phone->model->dialect) {
    case MK_DA_XFLASH: return mk_xflash_run(machine);
    case MK_DA_XML: return mk_xml_run(machine);
    default: return mk_legacy_run(machine);
    }
}

/* One stay on the bus, from BootROM or preloader to whatever comes of it. */
static MkNext session(MkPhone *phone, bool rom)
{
    g_mutex_lock(&phone->lock);
    bool cable = phone->cable;
    g_mutex_unlock(&phone->lock);
    if (!cable)
        return rom ? MK_NEXT_OFF : MK_NEXT_BOOT;
    if (!appear(phone, rom ? "bootrom" : "preloader"))
        return MK_NEXT_OFF;
    MkNext next = rom ? mk_bootrom_run(&phone->machine) : mk_preloader_run(&phone->machine);
    if (next == MK_NEXT_AGENT)
        next = run_agent(phone);
    bool gone_dark = next == MK_NEXT_HALT && phone->machine.off_the_bus && mk_port_is_usb(phone->port);
    if (next == MK_NEXT_HALT && !gone_dark)
        swallow(phone, "halted");
    vanish(phone);
    if (gone_dark) {
        set_mode(phone, "halted");
        rest(phone, -1);
    }
    return next == MK_NEXT_HALT ? MK_NEXT_GONE : next;
}

static void kernel_port(MkPhone *phone, const char *mode)
{
    rest(phone, KERNEL_MS);
    if (!appear(phone, mode))
        return;
    swallow(phone, mode);
    vanish(phone);
}

static MkBootReport *check(MkPhone *phone)
{
    g_autoptr(GError) error = NULL;
    mk_chip_hurry(phone->chip, true);
    MkBootReport *report = mk_bootcheck(phone->chip, phone->model, &error);
    mk_chip_hurry(phone->chip, false);
    if (!report)
        mk_phone_note(phone, error->message);
    return report;
}

static bool has_preloader(MkPhone *phone)
{
    g_autoptr(MkBootReport) report = check(phone);
    return report && report->stop != MK_BOOT_STOP_PRELOADER;
}

static MkNext boot(MkPhone *phone)
{
    set_mode(phone, "booting");
    MkBootReport *report = check(phone);
    MkBootStop stop = report ? report->stop : MK_BOOT_STOP_PRELOADER;
    if (report)
        show(phone, "screen", report->sees);
    g_mutex_lock(&phone->lock);
    g_clear_pointer(&phone->report, mk_boot_report_free);
    phone->report = report;
    phone->mode = "booted";
    g_cond_broadcast(&phone->changed);
    g_mutex_unlock(&phone->lock);
    if (phone->exit_when_off)
        return MK_NEXT_OFF;
    bool loops = stop == MK_BOOT_STOP_TABLE || stop == MK_BOOT_STOP_LK;
    return rest(phone, loops ? LOOP_MS : -1) ? MK_NEXT_RESET : MK_NEXT_GONE;
}

/* Everything that does not survive a reset. */
static void reset(MkPhone *phone)
{
    mk_faults_settle(phone->faults);
    MkMachine *machine = &phone->machine;
    const MkSoc *soc = phone->model->soc;
    g_clear_pointer(&machine->da, g_bytes_unref);
    g_hash_table_remove_all(machine->memory);
    g_hash_table_remove_all(machine->pmic);
    if (soc && soc->wdt_base)
        g_hash_table_insert(machine->memory, GUINT_TO_POINTER(soc->wdt_base),
                            GUINT_TO_POINTER(soc->wdt_width == 16 ? 0x2265 : 0x22000065));
    machine->dram_up = machine->preloader_stays = machine->off_the_bus = false;
    machine->preloader_found = has_preloader(phone);
    machine->random_seed++;
}

/* BootROM gave up waiting, or was told to start the preloader. */
static MkNext from_bootrom(MkPhone *phone, MkNext next)
{
    if (next != MK_NEXT_BOOT)
        return next;
    return phone->machine.preloader_found ? session(phone, false) : MK_NEXT_RESET;
}

/* KEY: the owner's finger is on it, as it is when he plugs the cable; when the phone restarts by itself he has let go. */
static MkNext start(MkPhone *phone, bool stays, bool key)
{
    reset(phone);
    phone->machine.bootrom_seconds = 0;
    phone->machine.preloader_stays = stays;
    g_mutex_lock(&phone->lock);
    bool rom = (key && phone->key_download) || !phone->machine.preloader_found;
    phone->starts++;
    g_mutex_unlock(&phone->lock);
    return rom ? from_bootrom(phone, session(phone, true)) : session(phone, false);
}

static MkNext step(MkPhone *phone, MkNext next)
{
    switch (next) {
    case MK_NEXT_BOOT: return boot(phone);
    case MK_NEXT_RESET:
    case MK_NEXT_DOWNLOAD: rest(phone, RESET_MS); return start(phone, next == MK_NEXT_DOWNLOAD, false);
    case MK_NEXT_BOOTROM: {
        unsigned seconds = phone->machine.bootrom_seconds;
        rest(phone, RESET_MS);
        reset(phone);
        phone->machine.bootrom_seconds = seconds;
        return from_bootrom(phone, session(phone, true));
    }
    case MK_NEXT_META: kernel_port(phone, "meta"); return MK_NEXT_GONE;
    case MK_NEXT_FACTORY: kernel_port(phone, "factory"); return MK_NEXT_GONE;
    case MK_NEXT_FASTBOOT: kernel_port(phone, "fastboot"); return MK_NEXT_GONE;
    default: return MK_NEXT_GONE;
    }
}

static bool wait_for_start(MkPhone *phone)
{
    g_mutex_lock(&phone->lock);
    phone->mode = "off";
    g_cond_broadcast(&phone->changed);
    while (!phone->quit && !phone->start)
        g_cond_wait(&phone->changed, &phone->lock);
    bool go = !phone->quit;
    phone->start = false;
    phone->lost = !go;
    g_mutex_unlock(&phone->lock);
    return go;
}

static void one_life(MkPhone *phone)
{
    mk_phone_note(phone, "power on");
    mk_chip_power_on(phone->chip);
    MkNext next = start(phone, false, true);
    while (powered(phone) && next != MK_NEXT_OFF && next != MK_NEXT_GONE)
        next = step(phone, next);
    mk_faults_power_lost(phone->faults);
    mk_phone_note(phone, "power off");
}

static bool has_lost_power(gpointer phone)
{
    return !powered(phone);
}

static void cancelled(G_GNUC_UNUSED GCancellable *cancel, gpointer phone)
{
    mk_phone_stop(phone);
}

bool mk_phone_run(MkPhone *phone, GCancellable *cancel, GError **error)
{
    if (phone->control_path) {
        phone->control = mk_control_start(phone->control_path, mk_phone_order, phone, error);
        if (!phone->control)
            return false;
        show(phone, "control", phone->control_path);
    }
    mk_chip_set_stop(phone->chip, has_lost_power, phone);
    gulong handler = cancel ? g_cancellable_connect(cancel, G_CALLBACK(cancelled), phone, NULL) : 0;
    while (wait_for_start(phone)) {
        one_life(phone);
        if (phone->exit_when_off)
            break;
    }
    if (handler)
        g_cancellable_disconnect(cancel, handler);
    mk_phone_stop(phone);
    mk_control_stop(g_steal_pointer(&phone->control));
    bool good = !phone->trouble;
    if (!good)
        g_propagate_error(error, g_steal_pointer(&phone->trouble));
    return good;
}

char *mk_phone_port(MkPhone *phone)
{
    g_mutex_lock(&phone->lock);
    char *name = g_strdup(phone->port_name);
    g_mutex_unlock(&phone->lock);
    return name;
}
