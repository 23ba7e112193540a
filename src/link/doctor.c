#include "link/doctor.h"

#include "core/finding.h"
#include "core/i18n.h"
#include "link/doctor-private.h"
#include "link/holder.h"
#include "link/sysfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FULL_SPEED 12

typedef struct {
    const MkDoctor *doctor;
    GPtrArray *phones; /* MkSysfsPhone */
    GPtrArray *findings;
    bool rules; /* installed and complete */
} Visit;

G_GNUC_PRINTF(5, 6)
static void find(Visit *visit, MkSeverity severity, const char *id, const char *advice, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    mk_finding_set(mk_finding_add(visit->findings, severity, id, 0, "%s", text), NULL, NULL, advice);
}

static char *below(const Visit *visit, const char *path)
{
    return g_build_filename(*visit->doctor->root ? visit->doctor->root : "/", path, NULL);
}

static bool exists(const Visit *visit, const char *path)
{
    g_autofree char *whole = below(visit, path);
    return g_file_test(whole, G_FILE_TEST_EXISTS);
}

/* The first line of a small file, "" if it is not there. Caller frees. */
static char *line_of(const Visit *visit, const char *path)
{
    g_autofree char *whole = below(visit, path);
    char *text = NULL;
    if (!g_file_get_contents(whole, &text, NULL, NULL))
        return g_strdup("");
    return g_strstrip(text);
}

static bool may_open(const Visit *visit, const char *node)
{
    g_autofree char *path = below(visit, node);
    return visit->doctor->may_open ? visit->doctor->may_open(path) : access(path, R_OK | W_OK) == 0;
}

/* --- the computer ------------------------------------------------------------------------------------------------------ */

static const char *virtual_machine(const Visit *visit, const char **cure)
{
    static const struct {
        const char *mark, *name, *cure;
    } machines[] = {
        {"VirtualBox", "VirtualBox",
         N_("Add a USB filter with the vendor 0e8d and an empty product field, so that every stage of the phone is "
            "passed "
            "on, and choose a USB 3 controller.")},
        {"VMware", "VMware", N_("Choose \"connect new devices to this machine\" before the phone is plugged in.")},
        {"Parallels", "Parallels", N_("Let new USB devices connect to this machine without a question.")},
        {"QEMU", "QEMU/KVM",
         N_("Pass the port, not the device: -device usb-host,hostbus=N,hostport=PORT; or the whole USB controller.")},
        {"KVM", "QEMU/KVM",
         N_("Pass the port, not the device: -device usb-host,hostbus=N,hostport=PORT; or the whole USB controller.")},
        {"Virtual Machine", "Hyper-V", N_("Hyper-V passes no USB devices on: use the computer itself, or USB/IP.")},
        {"HVM domU", "Xen", N_("Pass the whole USB controller to the machine.")},
    };
    g_autofree char *vendor = line_of(visit, "sys/class/dmi/id/sys_vendor"),
                    *product = line_of(visit, "sys/class/dmi/id/product_name"),
                    *release = line_of(visit, "proc/sys/kernel/osrelease");
    if (strstr(release, "icrosoft")) {
        *cure =
            N_("On Windows: usbipd attach --wsl --busid BUS --auto-attach, so that every stage of the phone follows.");
        return "WSL";
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(machines); i++) {
        if (!strstr(vendor, machines[i].mark) && !strstr(product, machines[i].mark))
            continue;
        *cure = machines[i].cure;
        return machines[i].name;
    }
    return NULL;
}

static void examine_computer(Visit *visit)
{
    const char *cure = NULL, *machine = virtual_machine(visit, &cure);
    bool container = exists(visit, ".dockerenv") || exists(visit, "run/.containerenv");
    bool bus = exists(visit, "sys/bus/usb/devices") && exists(visit, "dev/bus/usb");
    if (machine)
        find(visit, MK_SEVERITY_WARN, "doctor.vm", _(cure),
             _("This is a virtual machine (%s): a phone that is there for two seconds may be gone before it is passed "
               "on."),
             machine);
    if (container)
        find(visit, bus ? MK_SEVERITY_NOTE : MK_SEVERITY_WARN, "doctor.container",
             _("Give it the bus and udev's news: docker run --device /dev/bus/usb --volume /run/udev:/run/udev:ro "
               "--network host."),
             "%s", _("Medik runs in a container."));
    if (!bus)
        find(visit, MK_SEVERITY_DANGER, "doctor.no-bus",
             _("Use the computer itself, or pass a USB controller on to this system; serial ports and sockets still "
               "work."),
             "%s", _("This system shows no USB bus (/sys/bus/usb, /dev/bus/usb)."));
    if (bus && !exists(visit, "run/udev/control"))
        find(visit, MK_SEVERITY_NOTE, "doctor.no-udev", NULL, "%s",
             _("No udev runs here: Medik looks for phones by itself, and only root may open them."));
}

/* --- rules and programs ------------------------------------------------------------------------------------------------- */

static void examine_rules(Visit *visit)
{
    g_autofree char *installed = mk_doctor_installed_rules(visit->doctor->root), *wanted = mk_doctor_rules();
    const char *cure =
        _("Run `sudo medik doctor --install-rules` once (`medik doctor --rules` shows what it installs), then "
          "plug the phone in again.");
    visit->rules = installed && strcmp(installed, wanted) == 0;
    if (!installed)
        find(visit, MK_SEVERITY_WARN, "doctor.rules", cure, "%s",
             _("The udev rules are not installed: only root may open phones over USB, and ModemManager may disturb "
               "them."));
    else if (!visit->rules)
        find(visit, MK_SEVERITY_WARN, "doctor.rules-old", cure, "%s",
             _("The installed udev rules do not name all phones that Medik knows."));
    else
        find(visit, MK_SEVERITY_NOTE, "doctor.rules-good", NULL, "%s", _("The udev rules are installed."));
}

/* The process number of the program that calls itself NAME, 0 = it does not run. */
static int process_of(const Visit *visit, const char *name)
{
    g_autofree char *proc = below(visit, "proc");
    g_autoptr(GDir) dir = g_dir_open(proc, 0, NULL);
    for (const char *pid; dir && (pid = g_dir_read_name(dir));) {
        g_autofree char *comm = g_build_filename("proc", pid, "comm", NULL);
        g_autofree char *text = g_ascii_isdigit(*pid) ? line_of(visit, comm) : NULL;
        if (text && strcmp(text, name) == 0)
            return atoi(pid);
    }
    return 0;
}

static void examine_programs(Visit *visit)
{
    int modem_manager = process_of(visit, "ModemManager"), brltty = process_of(visit, "brltty");
    if (modem_manager && visit->rules)
        find(visit, MK_SEVERITY_NOTE, "doctor.modemmanager-told", NULL,
             _("ModemManager (%d) runs; the rules tell it to leave phones alone."), modem_manager);
    else if (modem_manager)
        find(
            visit, MK_SEVERITY_WARN, "doctor.modemmanager",
            _("Install the rules (`sudo medik doctor --install-rules`), or for now: sudo systemctl stop ModemManager."),
            _("ModemManager (%d) runs and asks every new serial port whether it is a modem: that ruins the preloader's "
              "window."),
            modem_manager);
    if (brltty)
        find(visit, MK_SEVERITY_WARN, "doctor.brltty",
             _("Without a Braille display: sudo systemctl stop brltty-udev.service brltty.service, or remove the "
               "package."),
             _("brltty (%d) runs and takes serial adapters (/dev/ttyUSB0) for Braille displays."), brltty);
}

/* --- each phone -------------------------------------------------------------------------------------------------------- */

static void examine_rights(Visit *visit, const MkSysfsPhone *phone)
{
    const char *node = phone->nodes->pdata[0];
    if (!may_open(visit, node))
        find(visit, MK_SEVERITY_BLOCK, "doctor.permission",
             visit->rules
                 ? _("Unplug the phone and plug it in again; if that does not help: sit at this computer (not over "
                     "ssh), or use sudo.")
                 : _("Run `sudo medik doctor --install-rules` once, then plug the phone in again."),
             _("You may not open the phone on %s (%s)."), phone->path, node);
}

static void examine_holders(Visit *visit, const MkSysfsPhone *phone)
{
    g_autoptr(GPtrArray) nodes = g_ptr_array_new();
    for (guint i = 0; i < phone->nodes->len; i++)
        g_ptr_array_add(nodes, phone->nodes->pdata[i]);
    g_ptr_array_add(nodes, NULL);
    g_autoptr(GPtrArray) holders = mk_holders_find(visit->doctor->root, (const char *const *)nodes->pdata);
    for (guint i = 0; i < holders->len; i++) {
        const MkHolder *holder = holders->pdata[i];
        g_autofree char *cure = strcmp(holder->name, "ModemManager") == 0
                                    ? g_strdup(_("sudo systemctl stop ModemManager"))
                                    : g_strdup_printf(_("End it: kill %d"), holder->pid);
        find(visit, MK_SEVERITY_DANGER, "doctor.holder", cure, _("%s (%d) has the phone on %s open (%s)."),
             holder->name, holder->pid, phone->path, holder->path);
    }
}

/* cdc_acm of these kernels loses data (spec behaviour.md 2.6). */
static bool is_bad_kernel(const Visit *visit)
{
    g_autofree char *release = line_of(visit, "proc/sys/kernel/osrelease");
    unsigned major = 0, minor = 0, patch = 0;
    if (sscanf(release, "%u.%u.%u", &major, &minor, &patch) < 2)
        return false;
    unsigned version = major * 1000000 + minor * 1000 + MIN(patch, 999);
    return version >= 4011012 && version <= 4019014;
}

static void examine_drivers(Visit *visit, const MkSysfsPhone *phone)
{
    for (guint i = 0; i < phone->drivers->len; i++) {
        const char *driver = phone->drivers->pdata[i];
        if (strcmp(driver, "usbfs") == 0)
            continue; /* a program: told as a holder */
        find(visit, MK_SEVERITY_NOTE, "doctor.driver", NULL,
             _("The kernel's driver %s has the phone on %s. Over USB Medik moves it aside and gives the phone back "
               "afterwards."),
             driver, phone->path);
        if (strcmp(driver, "cdc_acm") == 0 && is_bad_kernel(visit))
            find(visit, MK_SEVERITY_WARN, "doctor.kernel",
                 _("Do not use --port /dev/ttyACM0 here; over USB this does not matter. Or install a newer kernel."),
                 "%s", _("The driver cdc_acm of this kernel (4.11.12 to 4.19.14) loses data."));
    }
}

static void examine_cable(Visit *visit, const MkSysfsPhone *phone)
{
    if (phone->hubs)
        find(visit, MK_SEVERITY_WARN, "doctor.hub",
             _("Plug the phone into the computer itself: hubs cost power and time that a weak phone does not have."),
             _("The phone on %s is behind %u hub(s)."), phone->path, phone->hubs);
    if (phone->speed && phone->speed <= FULL_SPEED)
        find(visit, phone->mode == MK_USB_DA ? MK_SEVERITY_WARN : MK_SEVERITY_NOTE, "doctor.speed",
             phone->mode == MK_USB_DA ? _("Another port or cable, without a hub.") : NULL,
             phone->mode == MK_USB_DA
                 ? _("The phone on %s stays at full speed (%u Mbit/s): everything will be slow.")
                 : _("The phone on %s came up at full speed (%u Mbit/s); Medik will ask it for more."),
             phone->path, phone->speed);
}

static void examine_phone(Visit *visit, const MkSysfsPhone *phone)
{
    find(visit, MK_SEVERITY_NOTE, "doctor.phone", NULL, _("There is a phone on %s: %s (%04X:%04X, %u Mbit/s)."),
         phone->path, mk_usb_mode_words(phone->mode), phone->vid, phone->pid, phone->speed);
    examine_rights(visit, phone);
    examine_holders(visit, phone);
    examine_drivers(visit, phone);
    examine_cable(visit, phone);
}

GPtrArray *mk_doctor_examine(const MkDoctor *doctor)
{
    Visit visit = {.doctor = doctor, .findings = mk_findings_new(), .phones = mk_sysfs_phones(doctor->root)};
    examine_computer(&visit);
    examine_rules(&visit);
    examine_programs(&visit);
    for (guint i = 0; i < visit.phones->len; i++)
        examine_phone(&visit, visit.phones->pdata[i]);
    if (visit.phones->len == 0)
        find(&visit, MK_SEVERITY_NOTE, "doctor.no-phone",
             _("Start `medik watch`, then plug the switched-off phone in. If nothing is seen: another cable (many only "
               "charge), "
               "another port, a charged battery, volume down or up held."),
             "%s", _("No MediaTek phone is on USB at this moment."));
    g_ptr_array_unref(visit.phones);
    return visit.findings;
}
