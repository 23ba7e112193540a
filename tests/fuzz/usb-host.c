/* A hostile USB device: its descriptors, what its pipes do; and the user's file of identities. */
#include "../unit/link/fake-usb.c"

#define MOST_INTERFACES 4
#define MOST_ENDPOINTS  4

/* The next byte, 0 behind the end. */
static uint8_t take(const uint8_t **data, size_t *size)
{
    uint8_t byte = *size ? **data : 0;
    *data += *size > 0;
    *size -= *size > 0;
    return byte;
}

static void try_descriptors(const uint8_t *data, size_t size)
{
    struct libusb_endpoint_descriptor endpoints[MOST_INTERFACES][MOST_ENDPOINTS] = {0};
    struct libusb_interface_descriptor settings[MOST_INTERFACES] = {0};
    struct libusb_interface interfaces[MOST_INTERFACES] = {0};
    struct libusb_config_descriptor config = {.interface = interfaces};
    MkUsbFunction function;
    for (unsigned i = 0; i < MOST_INTERFACES && size; i++) {
        struct libusb_interface_descriptor *setting = &settings[i];
        setting->bInterfaceNumber = take(&data, &size);
        setting->bInterfaceClass = take(&data, &size);
        setting->bInterfaceSubClass = take(&data, &size);
        setting->bNumEndpoints = take(&data, &size) % (MOST_ENDPOINTS + 1);
        setting->endpoint = endpoints[i];
        for (unsigned k = 0; k < setting->bNumEndpoints; k++) {
            endpoints[i][k].bEndpointAddress = take(&data, &size);
            endpoints[i][k].bmAttributes = take(&data, &size);
            endpoints[i][k].wMaxPacketSize = (uint16_t)(take(&data, &size) << 4);
        }
        uint8_t extra = take(&data, &size);
        setting->extra_length = (int)MIN(extra, size);
        setting->extra = data;
        data += setting->extra_length;
        size -= (size_t)setting->extra_length;
        interfaces[i] = (struct libusb_interface){.altsetting = setting, .num_altsetting = 1};
        config.bNumInterfaces++;
    }
    if (mk_usb_find_function(&config, -1, &function))
        g_assert_true((function.in & 0x80) && !(function.out & 0x80) && function.packet);
}

/* Each byte is one thing that the device does; whatever it is, every read and write ends. */
static void try_pipes(const uint8_t *data, size_t size)
{
    static const enum libusb_transfer_status ends[] = {LIBUSB_TRANSFER_COMPLETED, LIBUSB_TRANSFER_STALL,
                                                       LIBUSB_TRANSFER_OVERFLOW,  LIBUSB_TRANSFER_ERROR,
                                                       LIBUSB_TRANSFER_CANCELLED, LIBUSB_TRANSFER_NO_DEVICE};
    static const char bytes[256];
    uint8_t buffer[512] = {0};
    size_t sent = 0, heard = 0, got;
    fake_usb_new();
    fake_usb->stall_out_at = size ? data[0] : 0;
    fake_usb->stalls_out = size ? data[0] & 7 : 0;
    for (size_t i = 0; i < MIN(size, 64); i++) {
        if (data[i] & 0x80)
            fake_usb_end(ends[data[i] % G_N_ELEMENTS(ends)]);
        else
            fake_usb_send(bytes, data[i]);
        sent += data[i] & 0x80 ? 0 : data[i];
    }
    g_autoptr(MkLink) link = fake_usb_open(NULL);
    mk_link_write(link, buffer, sizeof buffer, 0, NULL, NULL);
    while (mk_link_read_some(link, buffer, sizeof buffer, &got, 0, NULL, NULL))
        heard += got;
    g_assert_cmpuint(heard, <=, sent);
    g_clear_pointer(&link, mk_link_free);
    fake_usb_free();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GPtrArray) complaints = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) rows = mk_usb_ids_parse(text, complaints);
    try_descriptors(data, size);
    try_pipes(data, size);
    return 0;
}
