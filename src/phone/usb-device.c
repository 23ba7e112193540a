#include "phone/usb-device.h"

#include "core/bytes.h"
#include "phone/usb-descriptors.h"

#include <string.h>

#define FULL_SPEED_PACKET 64
#define HIGH_SPEED_PACKET 512
#define LINE_CODING_SIZE  7

/* bmRequestType << 8 | bRequest */
enum {
    GET_STATUS_DEVICE = 0x8000,
    GET_STATUS_INTERFACE = 0x8100,
    GET_STATUS_ENDPOINT = 0x8200,
    CLEAR_FEATURE_ENDPOINT = 0x0201,
    SET_FEATURE_ENDPOINT = 0x0203,
    SET_ADDRESS = 0x0005,
    GET_DESCRIPTOR = 0x8006,
    GET_CONFIGURATION = 0x8008,
    SET_CONFIGURATION = 0x0009,
    GET_INTERFACE = 0x810A,
    SET_LINE_CODING = 0x2120,
    GET_LINE_CODING = 0xA121,
    SET_CONTROL_LINE_STATE = 0x2122,
    SEND_BREAK = 0x2123,
};

enum { DESC_DEVICE = 1, DESC_CONFIGURATION, DESC_STRING, DESC_QUALIFIER = 6, DESC_OTHER_SPEED };

struct _MkUsbDevice {
    MkUsbKind kind;
    const MkUsbTable *table;
    GByteArray *descriptor, *configuration;
    uint8_t configured;
    uint8_t line_coding[LINE_CODING_SIZE];
    uint16_t control_lines;
    bool tool_present;
    bool halted[2][16]; /* by direction and number */
};

MkUsbDevice *mk_usb_device_new(MkUsbKind kind, uint32_t ids)
{
    static const uint8_t line_coding[LINE_CODING_SIZE] = {0, 0xC2, 1, 0, 0, 0, 8}; /* 115200 8N1 */
    MkUsbDevice *device = g_new0(MkUsbDevice, 1);
    device->kind = kind;
    device->table = mk_usb_table(kind);
    device->descriptor = g_byte_array_new();
    device->configuration = g_byte_array_new();
    mk_usb_put_device(device->descriptor, device->table, ids);
    mk_usb_put_configuration(device->configuration, kind, (uint16_t)mk_usb_device_packet(device));
    memcpy(device->line_coding, line_coding, sizeof line_coding);
    return device;
}

void mk_usb_device_free(MkUsbDevice *device)
{
    if (!device)
        return;
    g_byte_array_unref(device->descriptor);
    g_byte_array_unref(device->configuration);
    g_free(device);
}

bool mk_usb_device_high_speed(const MkUsbDevice *device)
{
    return device->table->high_speed;
}

size_t mk_usb_device_packet(const MkUsbDevice *device)
{
    return device->table->high_speed ? HIGH_SPEED_PACKET : FULL_SPEED_PACKET;
}

MkUsbEndpoints mk_usb_device_endpoints(const MkUsbDevice *device)
{
    return device->table->endpoints;
}

bool mk_usb_device_configured(const MkUsbDevice *device)
{
    return device->configured != 0;
}

bool mk_usb_device_tool_present(const MkUsbDevice *device)
{
    return device->tool_present;
}

bool mk_usb_device_dtr(const MkUsbDevice *device)
{
    return device->control_lines & 1;
}

bool mk_usb_device_halted(const MkUsbDevice *device, uint8_t endpoint)
{
    return device->halted[endpoint >> 7][endpoint & 15];
}

void mk_usb_device_halt(MkUsbDevice *device, uint8_t endpoint)
{
    device->halted[endpoint >> 7][endpoint & 15] = true;
}

const uint8_t *mk_usb_device_descriptor(const MkUsbDevice *device)
{
    return device->descriptor->data;
}

const uint8_t *mk_usb_device_configuration(const MkUsbDevice *device, size_t *length)
{
    *length = device->configuration->len;
    return device->configuration->data;
}

static bool put_string(const MkUsbDevice *device, unsigned index, GByteArray *reply)
{
    static const uint8_t languages[] = {4, DESC_STRING, 9, 4};
    if (index == 0) {
        g_byte_array_append(reply, languages, sizeof languages);
        return true;
    }
    const char *text = index < G_N_ELEMENTS(device->table->strings) ? device->table->strings[index] : NULL;
    if (!text)
        return false;
    mk_put_u8(reply, (uint8_t)(2 + 2 * strlen(text)));
    mk_put_u8(reply, DESC_STRING);
    for (; *text; text++)
        mk_put_le16(reply, (uint8_t)*text);
    return true;
}

/* A phone that runs at full speed only has neither of the two that tell of another speed. */
static bool put_descriptor(const MkUsbDevice *device, uint16_t value, GByteArray *reply)
{
    guint start;
    switch (value >> 8) {
    case DESC_DEVICE: g_byte_array_append(reply, device->descriptor->data, device->descriptor->len); return true;
    case DESC_CONFIGURATION:
        g_byte_array_append(reply, device->configuration->data, device->configuration->len);
        return true;
    case DESC_STRING: return put_string(device, value & 0xFF, reply);
    case DESC_QUALIFIER:
        if (device->table->high_speed)
            mk_usb_put_qualifier(reply, device->table);
        return device->table->high_speed;
    case DESC_OTHER_SPEED:
        if (!device->table->high_speed)
            return false;
        start = mk_usb_put_configuration(reply, device->kind, FULL_SPEED_PACKET);
        reply->data[start + 1] = DESC_OTHER_SPEED;
        return true;
    default: return false;
    }
}

static bool set_configuration(MkUsbDevice *device, uint16_t value)
{
    if (value > 1)
        return false;
    device->configured = (uint8_t)value;
    memset(device->halted, 0, sizeof device->halted);
    return true;
}

static bool set_halt(MkUsbDevice *device, uint16_t feature, uint16_t endpoint, bool halted)
{
    if (feature != 0)
        return false;
    device->halted[endpoint >> 7 & 1][endpoint & 15] = halted;
    return true;
}

static bool set_line_coding(MkUsbDevice *device, const uint8_t *data, size_t length)
{
    if (length >= LINE_CODING_SIZE) /* a bare request changes nothing and is noticed all the same (spec 1.3) */
        memcpy(device->line_coding, data, LINE_CODING_SIZE);
    device->tool_present = true;
    return true;
}

static bool answer(MkUsbDevice *device, unsigned request, uint16_t value, uint16_t index, const uint8_t *data,
                   size_t length, GByteArray *reply)
{
    bool cdc = device->kind != MK_USB_FASTBOOT;
    switch (request) {
    case GET_STATUS_DEVICE: mk_put_le16(reply, 1); return true; /* has power of its own */
    case GET_STATUS_INTERFACE: mk_put_le16(reply, 0); return true;
    case GET_STATUS_ENDPOINT: mk_put_le16(reply, mk_usb_device_halted(device, (uint8_t)(index & 0x8F))); return true;
    case CLEAR_FEATURE_ENDPOINT:
    case SET_FEATURE_ENDPOINT: return set_halt(device, value, index, request == SET_FEATURE_ENDPOINT);
    case SET_ADDRESS: return true;
    case GET_DESCRIPTOR: return put_descriptor(device, value, reply);
    case GET_CONFIGURATION: mk_put_u8(reply, device->configured); return true;
    case SET_CONFIGURATION: return set_configuration(device, value);
    case GET_INTERFACE: mk_put_u8(reply, 0); return true;
    case SET_LINE_CODING: return cdc && set_line_coding(device, data, length);
    case GET_LINE_CODING: g_byte_array_append(reply, device->line_coding, sizeof device->line_coding); return cdc;
    case SET_CONTROL_LINE_STATE: device->control_lines = value; return cdc;
    case SEND_BREAK: return cdc;
    default: return false;
    }
}

bool mk_usb_device_control(MkUsbDevice *device, const uint8_t setup[MK_USB_SETUP_SIZE], const uint8_t *data,
                           size_t length, GByteArray *reply)
{
    uint16_t limit = mk_le16(setup + 6);
    guint start = reply->len;
    if (!answer(device, (unsigned)setup[0] << 8 | setup[1], mk_le16(setup + 2), mk_le16(setup + 4), data, length,
                reply)) {
        g_byte_array_set_size(reply, start);
        return false;
    }
    g_byte_array_set_size(reply, MIN(reply->len, start + limit));
    return true;
}
