/* Descriptors of the modes. The preloader's are exact (spec brom.md 1.2, [dev]); BootROM and agent use its layout with other ids and without
 * names, which no source tells [inf]; the kernel's single ACM function is laid out as Linux gadgets lay it out [inf]. */
#include "phone/usb-descriptors.h"

#include "core/bytes.h"

#define BULK_EP      2
#define INTERRUPT_EP 3
#define CDC_CONTROL  2
#define CDC_DATA     10

static const MkUsbTable tables[] = {
    [MK_USB_BOOTROM] = {.vendor = 0x0E8D, .product = 0x0003, .device_class = CDC_CONTROL, .endpoints = {1, 1, 3}},
    [MK_USB_PRELOADER] = {.vendor = 0x0E8D,
                          .product = 0x2000,
                          .device_class = CDC_CONTROL,
                          .high_speed = true,
                          .endpoints = {1, 1, 3},
                          .strings = {NULL, "MediaTek", "MT65xx Preloader", "USB CDC ACM for preloader",
                                      "CDC ACM Data Interface", "CDC ACM Communication Interface"}},
    [MK_USB_AGENT] =
        {.vendor = 0x0E8D, .product = 0x2001, .device_class = CDC_CONTROL, .high_speed = true, .endpoints = {1, 1, 3}},
    [MK_USB_KERNEL] = {.vendor = 0x0E8D,
                       .product = 0x2007,
                       .device_class = CDC_CONTROL,
                       .high_speed = true,
                       .endpoints = {1, 1, 2},
                       .strings = {NULL, "MediaTek", "MT65xx Android Phone", NULL, "CDC ACM Data",
                                   "CDC Abstract Control Model (ACM)"}},
    [MK_USB_FASTBOOT] = {.vendor = 0x0BB4,
                         .product = 0x0C01,
                         .high_speed = true,
                         .endpoints = {1, 1, 0},
                         .strings = {NULL, "MediaTek", "Android", NULL, NULL, NULL}},
};

const MkUsbTable *mk_usb_table(MkUsbKind kind)
{
    return &tables[kind];
}

static uint8_t index_of(const MkUsbTable *table, unsigned index)
{
    return table->strings[index] ? (uint8_t)index : 0;
}

void mk_usb_put_device(GByteArray *array, const MkUsbTable *table, uint32_t ids)
{
    const uint8_t head[] = {MK_USB_DEVICE_SIZE, 1, 0, 2, table->device_class, 0, 0, 64};
    g_byte_array_append(array, head, sizeof head);
    mk_put_le16(array, ids ? (uint16_t)(ids >> 16) : table->vendor);
    mk_put_le16(array, ids ? (uint16_t)ids : table->product);
    mk_put_le16(array, 0x0100);
    mk_put_u8(array, index_of(table, 1));
    mk_put_u8(array, index_of(table, 2));
    mk_put_u8(array, 0); /* no serial number */
    mk_put_u8(array, 1);
}

/* 16 bytes at the control endpoint is what the preloader says here: a quirk, and harmless. */
void mk_usb_put_qualifier(GByteArray *array, const MkUsbTable *table)
{
    const uint8_t qualifier[MK_USB_QUALIFIER_SIZE] = {
        MK_USB_QUALIFIER_SIZE, 6, 0, 2, table->device_class, 0, 0, 16, 1, 0};
    g_byte_array_append(array, qualifier, sizeof qualifier);
}

static void put_interface(GByteArray *array, uint8_t number, uint8_t endpoints, const uint8_t triple[3], uint8_t string)
{
    const uint8_t interface[] = {9, 4, number, 0, endpoints, triple[0], triple[1], triple[2], string};
    g_byte_array_append(array, interface, sizeof interface);
}

static void put_endpoint(GByteArray *array, uint8_t address, uint8_t type, uint16_t packet, uint8_t interval)
{
    const uint8_t endpoint[] = {7, 5, address, type, (uint8_t)packet, (uint8_t)(packet >> 8), interval};
    g_byte_array_append(array, endpoint, sizeof endpoint);
}

static void put_bulk_pair(GByteArray *array, const MkUsbEndpoints *endpoints, uint16_t packet)
{
    put_endpoint(array, endpoints->bulk_out, BULK_EP, packet, 0);
    put_endpoint(array, 0x80 | endpoints->bulk_in, BULK_EP, packet, 0);
}

static void put_data_interface(GByteArray *array, const MkUsbTable *table, uint8_t number, uint16_t packet)
{
    put_interface(array, number, 2, (const uint8_t[]){CDC_DATA, 0, 0}, index_of(table, 4));
    put_bulk_pair(array, &table->endpoints, packet);
}

/* The data interface is number 0 and the control interface number 1: the reverse of what most CDC code expects (spec 1.2). */
static void put_preloader(GByteArray *array, const MkUsbTable *table, uint16_t packet)
{
    static const uint8_t functional[] = {5, 0x24, 0, 0x10, 1, 4, 0x24, 2, 0x0F, 5, 0x24, 6, 1, 0, 5, 0x24, 1, 3, 0};
    put_data_interface(array, table, 0, packet);
    put_interface(array, 1, 1, (const uint8_t[]){CDC_CONTROL, 2, 1}, index_of(table, 5));
    g_byte_array_append(array, functional, sizeof functional);
    put_endpoint(array, 0x80 | table->endpoints.interrupt_in, INTERRUPT_EP, 64, 10);
}

static void put_kernel(GByteArray *array, const MkUsbTable *table, uint16_t packet)
{
    static const uint8_t functional[] = {5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 2, 5, 0x24, 6, 0, 1};
    put_interface(array, 0, 1, (const uint8_t[]){CDC_CONTROL, 2, 1}, index_of(table, 5));
    g_byte_array_append(array, functional, sizeof functional);
    put_endpoint(array, 0x80 | table->endpoints.interrupt_in, INTERRUPT_EP, 10, 9);
    put_data_interface(array, table, 1, packet);
}

static void put_fastboot(GByteArray *array, const MkUsbTable *table, uint16_t packet)
{
    put_interface(array, 0, 2, (const uint8_t[]){0xFF, 0x42, 3}, 0);
    put_bulk_pair(array, &table->endpoints, packet);
}

guint mk_usb_put_configuration(GByteArray *array, MkUsbKind kind, uint16_t packet)
{
    const MkUsbTable *table = &tables[kind];
    guint start = array->len;
    const uint8_t head[] = {9, 2, 0, 0, kind == MK_USB_FASTBOOT ? 1 : 2, 1, index_of(table, 3), 0xC0, 0xFA};
    g_byte_array_append(array, head, sizeof head);
    if (kind == MK_USB_FASTBOOT)
        put_fastboot(array, table, packet);
    else if (kind == MK_USB_KERNEL)
        put_kernel(array, table, packet);
    else
        put_preloader(array, table, packet);
    array->data[start + 2] = (uint8_t)(array->len - start); /* wTotalLength */
    return start;
}
