/* What a phone is on the bus: the exact bytes of its descriptors and the answers of its control endpoint (spec brom.md 1.1 to 1.3). */
#include "phone/usb-device.h"

#include "core/bytes.h"

#include <string.h>

/* Spec brom.md 1.2, field by field. */
static const uint8_t preloader_device[] = {18, 1, 0, 2, 2, 0, 0, 64, 0x8D, 0x0E, 0, 0x20, 0, 1, 1, 2, 0, 1};
static const uint8_t preloader_configuration[] = {
    9, 2,    67,   0,    2,  1,  3,    0xC0, 0xFA,                      /* two interfaces, 500 mA */
    9, 4,    0,    0,    2,  10, 0,    0,    4,                         /* data first */
    7, 5,    1,    2,    0,  2,  0,    7,    5,    0x81, 2,    0, 2, 0, /* bulk OUT 01, IN 81, 512 bytes */
    9, 4,    1,    0,    1,  2,  2,    1,    5,                         /* then communication */
    5, 0x24, 0,    0x10, 1,  4,  0x24, 2,    0x0F, 5,    0x24, 6, 1, 0,
    5, 0x24, 1,    3,    0, /* header, ACM, union, call management */
    7, 5,    0x83, 3,    64, 0,  10,
};

static GByteArray *ask(MkUsbDevice *device, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                       uint16_t length)
{
    const uint8_t setup[] = {type,
                             request,
                             (uint8_t)value,
                             (uint8_t)(value >> 8),
                             (uint8_t)index,
                             (uint8_t)(index >> 8),
                             (uint8_t)length,
                             (uint8_t)(length >> 8)};
    GByteArray *reply = g_byte_array_new();
    if (mk_usb_device_control(device, setup, NULL, 0, reply))
        return reply;
    g_assert_cmpuint(reply->len, ==, 0);
    g_byte_array_unref(reply);
    return NULL;
}

static GByteArray *descriptor(MkUsbDevice *device, uint16_t which, uint16_t length)
{
    return ask(device, 0x80, 6, which, 0, length);
}

static bool command(MkUsbDevice *device, uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
    g_autoptr(GByteArray) reply = ask(device, type, request, value, index, 0);
    return reply != NULL;
}

static void test_preloader(void)
{
    g_autoptr(MkUsbDevice) device = mk_usb_device_new(MK_USB_PRELOADER, 0);
    g_autoptr(GByteArray) head = descriptor(device, 0x100, 64), whole = descriptor(device, 0x200, 255),
                          nine = descriptor(device, 0x200, 9), qualifier = descriptor(device, 0x600, 10),
                          other = descriptor(device, 0x700, 255);
    g_assert_cmpmem(head->data, head->len, preloader_device, sizeof preloader_device);
    g_assert_cmpmem(whole->data, whole->len, preloader_configuration, sizeof preloader_configuration);
    g_assert_cmpmem(nine->data, nine->len, preloader_configuration, 9); /* never more than asked for */
    g_assert_cmpmem(qualifier->data, qualifier->len, ((uint8_t[]){10, 6, 0, 2, 2, 0, 0, 16, 1, 0}), 10);
    g_assert_cmpuint(other->data[1], ==, 7);
    g_assert_cmpuint(mk_le16(other->data + 22), ==, 64); /* full speed has small packets */
    g_assert_cmpuint(mk_usb_device_packet(device), ==, 512);
}

static void test_strings(void)
{
    static const char *const texts[] = {"MediaTek", "MT65xx Preloader", "USB CDC ACM for preloader",
                                        "CDC ACM Data Interface", "CDC ACM Communication Interface"};
    g_autoptr(MkUsbDevice) device = mk_usb_device_new(MK_USB_PRELOADER, 0);
    g_autoptr(GByteArray) languages = descriptor(device, 0x300, 255), none = descriptor(device, 0x306, 255);
    g_assert_cmpmem(languages->data, languages->len, ((uint8_t[]){4, 3, 9, 4}), 4);
    g_assert_null(none);
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GByteArray) reply = descriptor(device, (uint16_t)(0x301 + i), 255);
        g_autofree char *text =
            g_utf16_to_utf8((const gunichar2 *)(const void *)(reply->data + 2), (reply->len - 2) / 2, NULL, NULL, NULL);
        g_assert_cmpstr(text, ==, texts[i]);
        g_assert_cmpuint(reply->data[0], ==, reply->len);
    }
}

/* Identities of spec 1.1, the speed of each, and where the data go. */
static void test_kinds(void)
{
    static const struct {
        MkUsbKind kind;
        uint32_t ids, wanted;
        size_t packet;
        uint8_t interface_class;
    } kinds[] = {{MK_USB_BOOTROM, 0, 0x0E8D0003, 64, 10}, {MK_USB_PRELOADER, 0, 0x0E8D2000, 512, 10},
                 {MK_USB_AGENT, 0, 0x0E8D2001, 512, 10},  {MK_USB_AGENT, 0x10046000, 0x10046000, 512, 10},
                 {MK_USB_KERNEL, 0, 0x0E8D2007, 512, 10}, {MK_USB_FASTBOOT, 0, 0x0BB40C01, 512, 0xFF}};
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(MkUsbDevice) device = mk_usb_device_new(kinds[i].kind, kinds[i].ids);
        const uint8_t *head = mk_usb_device_descriptor(device);
        size_t length;
        const uint8_t *at = mk_usb_device_configuration(device, &length);
        const uint8_t *end = at + length;
        bool found = false;
        g_assert_cmphex((uint32_t)mk_le16(head + 8) << 16 | mk_le16(head + 10), ==, kinds[i].wanted);
        g_assert_cmpuint(mk_usb_device_packet(device), ==, kinds[i].packet);
        g_assert_cmpuint(mk_le16(at + 2), ==, length);
        for (; at < end; at += at[0]) {
            if (at[1] == 4)
                found |= at[5] == kinds[i].interface_class && at[4] == 2;
            if (at[1] == 5 && at[3] == 2)
                g_assert_cmpuint(mk_le16(at + 4), ==, kinds[i].packet);
        }
        g_assert_true(at == end && found);
        g_autoptr(GByteArray) qualifier = descriptor(device, 0x600, 10);
        g_assert_true((qualifier != NULL) == (kinds[i].packet == 512));
    }
}

static void test_line(void)
{
    static const uint8_t coding[] = {0, 0x10, 0x0E, 0, 0, 0, 8}, set[] = {0x21, 0x20, 0, 0, 1, 0, 7, 0};
    g_autoptr(MkUsbDevice) device = mk_usb_device_new(MK_USB_PRELOADER, 0);
    g_autoptr(GByteArray) nothing = g_byte_array_new();
    g_assert_false(mk_usb_device_tool_present(device));
    g_assert_false(mk_usb_device_dtr(device));
    g_assert_true(mk_usb_device_control(device, set, coding, sizeof coding, nothing));
    g_assert_true(mk_usb_device_tool_present(device));
    g_autoptr(GByteArray) got = ask(device, 0xA1, 0x21, 0, 1, 7);
    g_assert_cmpmem(got->data, got->len, coding, sizeof coding);
    g_assert_true(command(device, 0x21, 0x22, 3, 1));
    g_assert_true(mk_usb_device_dtr(device));
    g_assert_true(command(device, 0x21, 0x22, 2, 1)); /* RTS alone does not open */
    g_assert_false(mk_usb_device_dtr(device));
    g_assert_true(command(device, 0x21, 0x23, 0, 1));
}

/* A bare SET_LINE_CODING, without its seven bytes, is enough to be noticed. */
static void test_bare_line_coding(void)
{
    g_autoptr(MkUsbDevice) device = mk_usb_device_new(MK_USB_PRELOADER, 0);
    g_assert_true(command(device, 0x21, 0x20, 0, 0));
    g_assert_true(mk_usb_device_tool_present(device));
}

static void test_standard(void)
{
    g_autoptr(MkUsbDevice) device = mk_usb_device_new(MK_USB_PRELOADER, 0);
    g_autoptr(GByteArray) before = ask(device, 0x80, 8, 0, 0, 1);
    g_assert_cmpuint(before->data[0], ==, 0);
    g_assert_true(command(device, 0, 9, 1, 0));
    g_assert_true(mk_usb_device_configured(device));
    g_autoptr(GByteArray) after = ask(device, 0x80, 8, 0, 0, 1), status = ask(device, 0x80, 0, 0, 0, 2),
                          interface = ask(device, 0x81, 10, 0, 0, 1);
    g_assert_cmpuint(after->data[0], ==, 1);
    g_assert_cmpmem(status->data, status->len, "\1\0", 2);
    g_assert_cmpmem(interface->data, interface->len, "\0", 1);
    g_assert_false(command(device, 0, 9, 2, 0));       /* no such configuration */
    g_assert_false(command(device, 1, 11, 1, 0));      /* SET_INTERFACE */
    g_assert_false(command(device, 0xC0, 0x33, 0, 0)); /* a vendor's request */
}

static void test_halt(void)
{
    g_autoptr(MkUsbDevice) device = mk_usb_device_new(MK_USB_PRELOADER, 0);
    mk_usb_device_halt(device, 0x81);
    g_assert_true(mk_usb_device_halted(device, 0x81));
    g_assert_false(mk_usb_device_halted(device, 1));
    g_autoptr(GByteArray) status = ask(device, 0x82, 0, 0, 0x81, 2);
    g_assert_cmpmem(status->data, status->len, "\1\0", 2);
    g_assert_true(command(device, 2, 1, 0, 0x81));
    g_assert_false(mk_usb_device_halted(device, 0x81));
    g_assert_true(command(device, 2, 3, 0, 1));
    g_assert_true(mk_usb_device_halted(device, 1));
    g_assert_true(command(device, 0, 9, 1, 0)); /* a new configuration begins unhalted */
    g_assert_false(mk_usb_device_halted(device, 1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usb/preloader", test_preloader);
    g_test_add_func("/usb/strings", test_strings);
    g_test_add_func("/usb/kinds", test_kinds);
    g_test_add_func("/usb/line", test_line);
    g_test_add_func("/usb/bare-line-coding", test_bare_line_coding);
    g_test_add_func("/usb/standard", test_standard);
    g_test_add_func("/usb/halt", test_halt);
    return g_test_run();
}
