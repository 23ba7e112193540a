/* Hot-plug by libusb, udev underneath: a device is told when its rules have run, so that it can be opened. Where no udev runs (a rescue
 * system, a small virtual machine) libusb tells nothing; there the kernel's list of devices is looked at 200 times a second. */
#include "link/watch-private.h"

#include "core/fault.h"
#include "core/i18n.h"
#include "link/fd.h"

#include <string.h>
#include <unistd.h>

#define UDEV_CONTROL "/run/udev/control"
#define SYSFS        "/sys/bus/usb/devices"
#define NODES        "/dev/bus/usb"
#define LOOK_PERIOD  5    /* ms */
#define LONGEST_NAP  1000 /* ms; a wait without deadline wakes that often */

typedef struct {
    libusb_context *context;
    libusb_hotplug_callback_handle callback;
    bool looks;      /* no udev: the kernel's list is compared with SIGNATURE */
    char *signature; /* names and numbers of all devices */
    GQueue waiting;  /* of MkBusEvent */
    GArray *present; /* of MkUsbDevice: those that came and have not left */
} Bus;

/* --- describing -------------------------------------------------------------------------------------------------------- */

static void write_path(libusb_device *usb, char *path, size_t size)
{
    uint8_t ports[8];
    int count = libusb_get_port_numbers(usb, ports, G_N_ELEMENTS(ports));
    g_snprintf(path, (gulong)size, "%u", libusb_get_bus_number(usb));
    for (int i = 0; i < count; i++)
        g_snprintf(path + strlen(path), (gulong)(size - strlen(path)), "%c%u", i ? '.' : '-', ports[i]);
}

static unsigned speed_of(libusb_device *usb)
{
    switch (libusb_get_device_speed(usb)) {
    case LIBUSB_SPEED_LOW: return 1;
    case LIBUSB_SPEED_FULL: return 12;
    case LIBUSB_SPEED_HIGH: return 480;
    case LIBUSB_SPEED_SUPER: return 5000;
    case LIBUSB_SPEED_SUPER_PLUS: return 10000;
    default: return 0;
    }
}

static struct libusb_config_descriptor *config_of(libusb_device *usb)
{
    struct libusb_config_descriptor *config = NULL;
    if (libusb_get_active_config_descriptor(usb, &config) && libusb_get_config_descriptor(usb, 0, &config))
        return NULL;
    return config;
}

static void read_interfaces(libusb_device *usb, MkUsbTraits *traits)
{
    struct libusb_config_descriptor *config = config_of(usb);
    const MkUsbId *id = mk_usb_id_find(traits->vid, traits->pid);
    MkUsbFunction function;
    if (!config)
        return;
    for (unsigned i = 0; i < config->bNumInterfaces; i++) {
        if (config->interface[i].num_altsetting < 1)
            continue;
        const struct libusb_interface_descriptor *setting = config->interface[i].altsetting;
        unsigned kind = setting->bInterfaceClass << 16 | setting->bInterfaceSubClass << 8 | setting->bInterfaceProtocol;
        traits->fastboot |= kind == 0xFF4203;
        traits->android |= kind == 0xFF4201 || kind == 0x060101;
        traits->serial |= setting->bInterfaceClass == LIBUSB_CLASS_DATA;
    }
    traits->serial = (traits->serial || id) && mk_usb_find_function(config, id ? id->interface : -1, &function);
    libusb_free_config_descriptor(config);
}

static bool describe(libusb_device *usb, MkUsbDevice *device)
{
    struct libusb_device_descriptor descriptor;
    if (libusb_get_device_descriptor(usb, &descriptor) || descriptor.bDeviceClass == LIBUSB_CLASS_HUB)
        return false;
    *device = (MkUsbDevice){.bus = libusb_get_bus_number(usb),
                            .address = libusb_get_device_address(usb),
                            .speed = speed_of(usb),
                            .traits = {.vid = descriptor.idVendor, .pid = descriptor.idProduct}};
    write_path(usb, device->path, sizeof device->path);
    read_interfaces(usb, &device->traits);
    return true;
}

/* --- events ------------------------------------------------------------------------------------------------------------ */

static void note(Bus *bus, MkWatchEvent kind, const MkUsbDevice *device)
{
    MkBusEvent event = {.kind = kind, .device = *device, .time = g_get_monotonic_time()};
    g_queue_push_tail(&bus->waiting, g_memdup2(&event, sizeof event));
}

static void note_came(Bus *bus, libusb_device *usb)
{
    MkUsbDevice device;
    if (!describe(usb, &device))
        return;
    note(bus, MK_WATCH_CAME, &device);
    g_array_append_val(bus->present, device);
}

static void note_left(Bus *bus, uint8_t number, uint8_t address)
{
    for (guint i = 0; i < bus->present->len; i++) {
        const MkUsbDevice device = g_array_index(bus->present, MkUsbDevice, i);
        if (device.bus != number || device.address != address)
            continue;
        note(bus, MK_WATCH_LEFT, &device);
        g_array_remove_index(bus->present, i);
        return;
    }
}

static int on_hotplug(G_GNUC_UNUSED libusb_context *context, libusb_device *usb, libusb_hotplug_event event,
                      void *user_data)
{
    if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)
        note_came(user_data, usb);
    else
        note_left(user_data, libusb_get_bus_number(usb), libusb_get_device_address(usb));
    return 0;
}

/* --- without udev ------------------------------------------------------------------------------------------------------ */

/* "1-1:5 2-1.4:7 …": every device and its number on the bus. */
static char *read_signature(void)
{
    GString *text = g_string_new(NULL);
    g_autoptr(GDir) dir = g_dir_open(SYSFS, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(SYSFS, name, "devnum", NULL), *number = NULL;
        if (!strchr(name, ':') && g_ascii_isdigit(*name) && g_file_get_contents(path, &number, NULL, NULL))
            g_string_append_printf(text, "%s:%s ", name, g_strstrip(number));
    }
    return g_string_free(text, FALSE);
}

static libusb_device *find_listed(libusb_device **list, ssize_t count, const MkUsbDevice *device)
{
    for (ssize_t i = 0; i < count; i++) {
        if (libusb_get_bus_number(list[i]) == device->bus && libusb_get_device_address(list[i]) == device->address)
            return list[i];
    }
    return NULL;
}

static bool is_present(const Bus *bus, libusb_device *usb)
{
    for (guint i = 0; i < bus->present->len; i++) {
        const MkUsbDevice *device = &g_array_index(bus->present, MkUsbDevice, i);
        if (device->bus == libusb_get_bus_number(usb) && device->address == libusb_get_device_address(usb))
            return true;
    }
    return false;
}

/* A fresh context reads the kernel's list anew; an old one never learns. */
static void look_again(Bus *bus)
{
    libusb_context *fresh;
    libusb_device **list = NULL;
    if (libusb_init(&fresh))
        return;
    ssize_t count = libusb_get_device_list(fresh, &list);
    for (guint i = bus->present->len; i-- > 0;) {
        const MkUsbDevice device = g_array_index(bus->present, MkUsbDevice, i);
        if (!find_listed(list, count, &device))
            note_left(bus, device.bus, device.address);
    }
    for (ssize_t i = 0; i < count; i++) {
        if (!is_present(bus, list[i]))
            note_came(bus, list[i]);
    }
    if (count >= 0)
        libusb_free_device_list(list, 1);
    libusb_exit(fresh);
}

static void look(Bus *bus)
{
    g_autofree char *now = read_signature();
    if (bus->signature && strcmp(now, bus->signature) == 0)
        return;
    look_again(bus);
    g_free(bus->signature);
    bus->signature = g_steal_pointer(&now);
}

/* --- the source -------------------------------------------------------------------------------------------------------- */

static void on_cancel(G_GNUC_UNUSED GCancellable *cancel, gpointer user_data)
{
    libusb_interrupt_event_handler(user_data);
}

/* A look every few ms, or a nap that hot-plug and CANCEL end. */
static void wait_a_little(Bus *bus, gint64 left, GCancellable *cancel)
{
    if (bus->looks) {
        if (left > 0)
            g_usleep((gulong)MIN(left, LOOK_PERIOD * 1000));
        look(bus);
        return;
    }
    gint64 nap = CLAMP(left, 0, LONGEST_NAP * 1000);
    struct timeval timeout = {.tv_sec = nap / G_USEC_PER_SEC, .tv_usec = nap % G_USEC_PER_SEC};
    gulong handler = cancel ? g_cancellable_connect(cancel, G_CALLBACK(on_cancel), bus->context, NULL) : 0;
    libusb_handle_events_timeout_completed(bus->context, &timeout, NULL);
    g_cancellable_disconnect(cancel, handler);
}

static bool bus_next(gpointer source, int timeout, MkBusEvent *event, GCancellable *cancel, GError **error)
{
    Bus *bus = source;
    gint64 deadline = mk_deadline(timeout);
    for (bool late = false;;) {
        g_autofree MkBusEvent *first = g_queue_pop_head(&bus->waiting);
        *event = first ? *first : (MkBusEvent){.kind = MK_WATCH_QUIET};
        if (first || late)
            return true;
        if (g_cancellable_set_error_if_cancelled(cancel, error))
            return false;
        gint64 left = deadline < 0 ? G_MAXINT : deadline - g_get_monotonic_time();
        late = left <= 0;
        wait_a_little(bus, left, cancel);
    }
}

static void bus_free(gpointer source)
{
    Bus *bus = source;
    g_queue_clear_full(&bus->waiting, g_free);
    g_array_unref(bus->present);
    g_free(bus->signature);
    if (bus->context)
        libusb_exit(bus->context); /* with its hot-plug callback */
    g_free(bus);
}

static bool open_fault(const MkUsbDevice *device, int code, GError **error)
{
    if (code == LIBUSB_ERROR_ACCESS)
        mk_fault_set_number(
            error, MK_FAULT_CON_BUSY, 1013, "S_COM_PORT_OPEN_FAIL",
            _("You may not open the phone on %s (/dev/bus/usb/%03u/%03u); `medik doctor` shows the udev "
              "rule that allows it."),
            device->path, device->bus, device->address);
    else
        mk_usb_fault(device->path, code, _("it was opened"), error);
    return false;
}

/* The device's own description decides anew which interface talks. */
static bool open_device(libusb_device *usb, const MkUsbDevice *device, libusb_device_handle **handle,
                        MkUsbFunction *function, GError **error)
{
    struct libusb_config_descriptor *config = config_of(usb);
    const MkUsbId *id = mk_usb_id_find(device->traits.vid, device->traits.pid);
    bool found = config && mk_usb_find_function(config, id ? id->interface : -1, function);
    if (config)
        libusb_free_config_descriptor(config);
    if (!found) {
        mk_fault_set(error, MK_FAULT_PROTOCOL, _("The device on %s has no pair of bulk pipes to talk through."),
                     device->path);
        return false;
    }
    int code = libusb_open(usb, handle);
    return code == 0 || open_fault(device, code, error);
}

static MkLink *bus_open(gpointer source, const MkUsbDevice *device, GError **error)
{
    Bus *bus = source;
    libusb_context *context = g_steal_pointer(&bus->context);
    libusb_device **list = NULL;
    if (context) /* the link uses the context on, the bus is no more */
        libusb_hotplug_deregister_callback(context, bus->callback);
    libusb_device_handle *handle = NULL;
    MkUsbFunction function;
    bus_free(bus);
    if (!context && libusb_init(&context)) {
        mk_usb_fault(device->path, LIBUSB_ERROR_OTHER, _("it was opened"), error);
        return NULL;
    }
    ssize_t count = libusb_get_device_list(context, &list);
    libusb_device *usb = find_listed(list, count, device);
    if (usb)
        open_device(usb, device, &handle, &function, error);
    else
        mk_usb_fault(device->path, LIBUSB_ERROR_NO_DEVICE, "", error);
    if (count >= 0)
        libusb_free_device_list(list, 1);
    if (handle)
        return mk_usb_link_new(&mk_usb_libusb, context, handle, device, &function, error);
    libusb_exit(context);
    return NULL;
}

static const MkBusClass bus_class = {.next = bus_next, .open = bus_open, .free = bus_free};

static bool no_bus(GError **error)
{
    mk_fault_set(error, MK_FAULT_NO_BUS, _("This computer shows Medik no USB bus (/sys/bus/usb, /dev/bus/usb)."));
    return false;
}

bool mk_bus_open(const MkBusClass **klass, gpointer *source, GError **error)
{
    libusb_context *context = NULL;
    bool looks = access(UDEV_CONTROL, F_OK) != 0 || !libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG);
    /* libusb itself is content with nothing. */
    if (access(SYSFS, F_OK) || access(NODES, F_OK) || libusb_init(&context))
        return no_bus(error);
    Bus *bus = g_new0(Bus, 1);
    bus->looks = looks;
    bus->present = g_array_new(FALSE, FALSE, sizeof(MkUsbDevice));
    if (looks) {
        libusb_exit(context);
        look(bus);
    } else {
        bus->context = context;
        libusb_hotplug_register_callback(context,
                                         LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
                                         LIBUSB_HOTPLUG_ENUMERATE, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
                                         LIBUSB_HOTPLUG_MATCH_ANY, on_hotplug, bus, &bus->callback);
    }
    *klass = &bus_class;
    *source = bus;
    return true;
}
