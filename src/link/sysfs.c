#include "link/sysfs.h"

#include <string.h>

#define DEVICES "sys/bus/usb/devices"

static void phone_free(gpointer data)
{
    MkSysfsPhone *phone = data;
    g_free(phone->path);
    g_ptr_array_unref(phone->drivers);
    g_ptr_array_unref(phone->nodes);
    g_free(phone);
}

static unsigned read_number(const char *folder, const char *name, unsigned base)
{
    g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) ? (unsigned)g_ascii_strtoull(text, NULL, base) : 0;
}

static void add_once(GPtrArray *list, char *text)
{
    if (g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
        g_free(text);
    else
        g_ptr_array_add(list, text);
}

/* cdc_acm puts its terminals into a folder "tty", serial adapters right below the interface. */
static void read_terminals(MkSysfsPhone *phone, const char *interface)
{
    g_autofree char *below = g_build_filename(interface, "tty", NULL);
    const char *folders[] = {below, interface};
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autoptr(GDir) dir = g_dir_open(folders[i], 0, NULL);
        for (const char *name; dir && (name = g_dir_read_name(dir));) {
            if (g_str_has_prefix(name, "ttyACM") || g_str_has_prefix(name, "ttyUSB"))
                add_once(phone->nodes, g_build_filename("/dev", name, NULL));
        }
    }
}

static void read_interface(MkSysfsPhone *phone, const char *folder, MkUsbTraits *traits)
{
    unsigned class = read_number(folder, "bInterfaceClass", 16);
    unsigned kind = class << 16 | read_number(folder, "bInterfaceSubClass", 16) << 8 |
                    read_number(folder, "bInterfaceProtocol", 16);
    traits->serial |= class == 10;
    traits->fastboot |= kind == 0xFF4203;
    traits->android |= kind == 0xFF4201 || kind == 0x060101;
    g_autofree char *link = g_build_filename(folder, "driver", NULL), *target = g_file_read_link(link, NULL);
    if (target)
        add_once(phone->drivers, g_path_get_basename(target));
    read_terminals(phone, folder);
}

static void read_interfaces(MkSysfsPhone *phone, const char *devices, MkUsbTraits *traits)
{
    g_autofree char *prefix = g_strconcat(phone->path, ":", NULL);
    g_autoptr(GDir) dir = g_dir_open(devices, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *folder = g_build_filename(devices, name, NULL);
        if (g_str_has_prefix(name, prefix))
            read_interface(phone, folder, traits);
    }
}

static MkSysfsPhone *read_phone(const char *devices, const char *name)
{
    g_autofree char *folder = g_build_filename(devices, name, NULL);
    MkUsbTraits traits = {.vid = (uint16_t)read_number(folder, "idVendor", 16),
                          .pid = (uint16_t)read_number(folder, "idProduct", 16)};
    MkSysfsPhone *phone = g_new0(MkSysfsPhone, 1);
    phone->path = g_strdup(name);
    phone->vid = traits.vid;
    phone->pid = traits.pid;
    phone->bus = read_number(folder, "busnum", 10);
    phone->address = read_number(folder, "devnum", 10);
    phone->speed = read_number(folder, "speed", 10);
    phone->drivers = g_ptr_array_new_with_free_func(g_free);
    phone->nodes = g_ptr_array_new_with_free_func(g_free);
    for (const char *dot = name; (dot = strchr(dot, '.')); dot++)
        phone->hubs++;
    g_ptr_array_add(phone->nodes, g_strdup_printf("/dev/bus/usb/%03u/%03u", phone->bus, phone->address));
    read_interfaces(phone, devices, &traits);
    phone->mode = mk_usb_classify(&traits);
    return phone;
}

static int compare(gconstpointer a, gconstpointer b)
{
    return strcmp((*(MkSysfsPhone *const *)a)->path, (*(MkSysfsPhone *const *)b)->path);
}

GPtrArray *mk_sysfs_phones(const char *root)
{
    GPtrArray *phones = g_ptr_array_new_with_free_func(phone_free);
    g_autofree char *devices = g_build_filename(*root ? root : "/", DEVICES, NULL);
    g_autoptr(GDir) dir = g_dir_open(devices, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (strchr(name, ':') || !g_ascii_isdigit(*name))
            continue;
        MkSysfsPhone *phone = read_phone(devices, name);
        if (phone->mode == MK_USB_NONE)
            phone_free(phone);
        else
            g_ptr_array_add(phones, phone);
    }
    g_ptr_array_sort(phones, compare);
    return phones;
}
