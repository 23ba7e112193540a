/* Which interface of a device is the one to talk to (spec brom.md 1.2: data is interface 0 and control is 1, the reverse of what most
 * CDC code expects; some builds have three). */
#include "link/usb-private.h"

#define CLASS_COMM    2
#define CLASS_DATA    10
#define CLASS_VENDOR  255
#define SUBCLASS_ADB  66 /* adb and fastboot */
#define CS_INTERFACE  0x24
#define SUBTYPE_UNION 6
#define IN_BIT        0x80
#define TRANSFER_MASK 3
#define TRANSFER_BULK 2

/* A bulk pair? Fills what it can. */
static bool has_pair(const struct libusb_interface_descriptor *setting, MkUsbFunction *function)
{
    bool in = false, out = false;
    for (unsigned i = 0; i < setting->bNumEndpoints; i++) {
        const struct libusb_endpoint_descriptor *endpoint = &setting->endpoint[i];
        if ((endpoint->bmAttributes & TRANSFER_MASK) != TRANSFER_BULK || (endpoint->wMaxPacketSize & 0x7FF) == 0)
            continue;
        if ((endpoint->bEndpointAddress & IN_BIT) && !in) {
            function->in = endpoint->bEndpointAddress;
            in = true;
        } else if (!(endpoint->bEndpointAddress & IN_BIT) && !out) {
            function->out = endpoint->bEndpointAddress;
            function->packet = endpoint->wMaxPacketSize & 0x7FF;
            out = true;
        }
    }
    function->data = setting->bInterfaceNumber;
    function->setting = setting->bAlternateSetting;
    return in && out;
}

/* The data interface that a control interface names in its union descriptor, -1 = it has none. */
static int union_of(const struct libusb_interface_descriptor *setting)
{
    const unsigned char *extra = setting->extra;
    for (int left = setting->extra_length; extra && left >= 2 && extra[0] >= 2 && extra[0] <= left;) {
        if (extra[1] == CS_INTERFACE && extra[0] >= 5 && extra[2] == SUBTYPE_UNION)
            return extra[4];
        left -= extra[0];
        extra += extra[0];
    }
    return -1;
}

/* The control interface of DATA: the one whose union names it, else the only one there is. */
static int control_of(const struct libusb_config_descriptor *config, int data)
{
    int any = -1;
    for (unsigned i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *interface = &config->interface[i];
        const struct libusb_interface_descriptor *setting = interface->altsetting;
        if (interface->num_altsetting < 1 || setting->bInterfaceClass != CLASS_COMM ||
            setting->bInterfaceNumber == data)
            continue;
        int named = union_of(setting);
        if (named == data)
            return setting->bInterfaceNumber;
        if (named < 0)
            any = setting->bInterfaceNumber;
    }
    return any;
}

static bool is_named(const struct libusb_config_descriptor *config, int data)
{
    for (unsigned i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *interface = &config->interface[i];
        if (interface->num_altsetting > 0 && interface->altsetting->bInterfaceClass == CLASS_COMM &&
            union_of(interface->altsetting) == data)
            return true;
    }
    return false;
}

static int rank_of(const struct libusb_config_descriptor *config, const struct libusb_interface_descriptor *setting,
                   int preferred)
{
    if (setting->bInterfaceNumber == preferred)
        return 4;
    if (setting->bInterfaceClass == CLASS_DATA)
        return is_named(config, setting->bInterfaceNumber) ? 3 : 2;
    return setting->bInterfaceClass == CLASS_VENDOR && setting->bInterfaceSubClass != SUBCLASS_ADB ? 1 : 0;
}

bool mk_usb_find_function(const struct libusb_config_descriptor *config, int preferred, MkUsbFunction *function)
{
    int best = 0;
    for (unsigned i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *interface = &config->interface[i];
        for (int k = 0; k < interface->num_altsetting; k++) {
            MkUsbFunction candidate = {0};
            int rank = rank_of(config, &interface->altsetting[k], preferred);
            if (rank <= best || !has_pair(&interface->altsetting[k], &candidate))
                continue;
            best = rank;
            *function = candidate;
        }
    }
    if (best)
        function->control = control_of(config, function->data);
    return best > 0;
}
