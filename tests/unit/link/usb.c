/* The link over USB, against a phone behind the seam. */
#include "fake-usb.h"

#include "core/fault.h"

#include <string.h>

static const char *logged(unsigned index)
{
    return index < fake_usb->log->len ? fake_usb->log->pdata[index] : "(nothing)";
}

static MkLink *open_link(void)
{
    g_autoptr(GError) error = NULL;
    fake_usb_new();
    MkLink *link = fake_usb_open(&error);
    g_assert_no_error(error);
    return link;
}

static void close_link(MkLink *link)
{
    mk_link_free(link);
    g_assert_true(fake_usb->closed);
    fake_usb_free();
}

static void test_opening_and_giving_back(void)
{
    MkLink *link = open_link();
    /* The kernel's driver is moved aside, both interfaces are ours, and the phone is told that a tool is there. */
    g_assert_cmpstr(logged(0), ==, "detach 1");
    g_assert_cmpstr(logged(1), ==, "claim 1");
    g_assert_cmpstr(logged(2), ==, "claim 0");
    g_assert_cmpstr(logged(3), ==, "request 21 20 value 0 interface 1 00c20100000008");
    g_assert_cmpstr(logged(4), ==, "request 21 22 value 3 interface 1 ");
    g_assert_cmpuint(fake_usb->in.length, ==, MK_USB_IN_SLOTS);
    g_assert_cmpstr(mk_link_name(link), ==, "1-2.3");
    g_assert_cmpuint(mk_link_usb_speed(link), ==, 480);
    g_assert_true(mk_link_set_lines(link, false, false, NULL));
    g_assert_cmpstr(logged(5), ==, "request 21 22 value 0 interface 1 ");
    mk_link_free(link);
    g_assert_cmpstr(logged(6), ==, "release 0");
    g_assert_cmpstr(logged(7), ==, "release 1");
    g_assert_cmpstr(logged(8), ==, "close");
    g_assert_cmpstr(logged(9), ==, "exit");
    fake_usb_free();
}

static void test_port_of_another_program(void)
{
    g_autoptr(GError) error = NULL;
    fake_usb_new();
    fake_usb->claim_code = LIBUSB_ERROR_BUSY;
    g_assert_null(fake_usb_open(&error));
    g_assert_error(error, MK_FAULT, MK_FAULT_CON_BUSY);
    g_assert_true(fake_usb->closed);
    fake_usb_free();
}

/* Not every stage knows the class requests. */
static void test_refused_requests_are_no_fault(void)
{
    g_autoptr(GError) error = NULL;
    fake_usb_new();
    fake_usb->control_code = LIBUSB_ERROR_PIPE;
    MkLink *link = fake_usb_open(&error);
    g_assert_no_error(error);
    close_link(link);
}

static void test_pieces_become_a_stream(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    uint8_t data[400];
    size_t got;
    for (unsigned i = 0; i < 100; i++) {
        fake_usb_send("ab", 2);
        fake_usb_send(NULL, 0); /* agents end full packets with an empty one */
        fake_usb_send("c", 1);
    }
    g_assert_true(mk_link_read(link, data, 1, 1000, NULL, &error));
    g_assert_true(mk_link_read(link, data + 1, 299, 1000, NULL, &error));
    for (unsigned i = 0; i < 300; i++)
        g_assert_cmpint(data[i], ==, "abc"[i % 3]);
    fake_usb_send("xyz", 3);
    g_assert_true(mk_link_read_some(link, data, 2, &got, 1000, NULL, &error));
    g_assert_cmpuint(got, ==, 2);
    g_assert_true(mk_link_read_some(link, data, 2, &got, 1000, NULL, &error));
    g_assert_cmpuint(got, ==, 1);
    g_assert_cmpuint(fake_usb->in.length, ==, MK_USB_IN_SLOTS);
    close_link(link);
}

static void test_writes_keep_the_bus_full(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    size_t length = 1u << 20;
    g_autofree uint8_t *data = g_malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 7 >> 3);
    g_assert_true(mk_link_write(link, "\xd6", 1, 1000, NULL, &error));
    g_assert_true(mk_link_write(link, data, length, 1000, NULL, &error));
    g_assert_cmpuint(fake_usb->most_out, ==, MK_USB_OUT_SLOTS);
    /* The command byte had a transfer of its own, and nothing empty follows the data. */
    g_assert_cmpuint(g_array_index(fake_usb->out_sizes, unsigned, 0), ==, 1);
    g_assert_cmpuint(fake_usb->out_sizes->len, ==, 1 + length / MK_USB_SLOT_SIZE);
    g_assert_cmpmem(fake_usb->written->data + 1, fake_usb->written->len - 1, data, length);
    close_link(link);
}

static void test_end_of_a_payload(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    uint8_t data[1024] = {0};
    g_assert_true(mk_link_write(link, data, 1000, 1000, NULL, &error));
    g_assert_true(mk_link_end_payload(link, 1000, 1000, NULL, &error));
    g_assert_cmpuint(fake_usb->out_sizes->len, ==, 1);
    g_assert_true(mk_link_write(link, data, 1024, 1000, NULL, &error));
    g_assert_true(mk_link_end_payload(link, 1024, 1000, NULL, &error));
    g_assert_cmpuint(fake_usb->out_sizes->len, ==, 3);
    g_assert_cmpuint(g_array_index(fake_usb->out_sizes, unsigned, 2), ==, 0);
    close_link(link);
}

static void test_silence(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    uint8_t data[600] = {0};
    gint64 start = g_get_monotonic_time();
    g_assert_false(mk_link_read(link, data, 1, 30, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SILENT);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 25000);
    g_clear_error(&error);
    fake_usb->swallow_out = true;
    g_assert_false(mk_link_write(link, data, sizeof data, 30, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SILENT);
    g_clear_error(&error);
    g_assert_cmpuint(fake_usb->out.length, ==, 0);
    /* A phone that wakes up is spoken to again. */
    fake_usb->swallow_out = false;
    fake_usb_send("k", 1);
    g_assert_true(mk_link_write(link, data, 1, 1000, NULL, &error));
    g_assert_true(mk_link_read(link, data, 1, 1000, NULL, &error));
    g_assert_cmpint(data[0], ==, 'k');
    close_link(link);
}

/* Empty packets without end are silence too. */
static void test_nothing_but_empty_packets(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    uint8_t byte;
    for (unsigned i = 0; i < 100000; i++)
        fake_usb_send(NULL, 0);
    g_assert_false(mk_link_read(link, &byte, 1, 1, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SILENT);
    close_link(link);
}

static void test_unplugged(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    uint8_t data[4] = {0};
    fake_usb_send("last", 4);
    fake_usb_end(LIBUSB_TRANSFER_NO_DEVICE);
    /* What it said before it went is heard. */
    g_assert_true(mk_link_read(link, data, 4, 1000, NULL, &error));
    g_assert_cmpmem(data, 4, "last", 4);
    g_assert_false(mk_link_read(link, data, 1, 1000, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
    g_clear_error(&error);
    g_assert_false(mk_link_write(link, data, 4, 1000, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
    close_link(link);
}

static void test_unplugged_while_writing(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    g_autofree uint8_t *data = g_malloc0(1u << 20);
    fake_usb->swallow_out = true;
    fake_usb_end(LIBUSB_TRANSFER_NO_DEVICE);
    g_assert_false(mk_link_write(link, data, 1u << 20, 1000, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
    close_link(link);
}

static void test_stalls_are_cleared(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    uint8_t data[6];
    fake_usb_send("abc", 3);
    fake_usb_end(LIBUSB_TRANSFER_STALL);
    fake_usb_send("def", 3);
    g_assert_true(mk_link_read(link, data, 6, 1000, NULL, &error));
    g_assert_cmpmem(data, 6, "abcdef", 6);
    g_assert_cmpuint(fake_usb->clears, ==, 1);
    for (unsigned i = 0; i < 10; i++)
        fake_usb_end(LIBUSB_TRANSFER_STALL);
    g_assert_false(mk_link_read(link, data, 1, 1000, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_PROTOCOL);
    close_link(link);
}

static void test_stall_while_writing(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    size_t length = 600u << 10;
    g_autofree uint8_t *data = g_malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i >> 8);
    fake_usb->stall_out_at = 3;
    fake_usb->stalls_out = 2;
    g_assert_true(mk_link_write(link, data, length, 1000, NULL, &error));
    /* Every byte once, in order, although transfers behind the stall were under way. */
    g_assert_cmpmem(fake_usb->written->data, fake_usb->written->len, data, length);
    g_assert_cmpuint(fake_usb->clears, ==, 2);
    close_link(link);
}

static void test_babble(void)
{
    g_autoptr(GError) error = NULL;
    MkLink *link = open_link();
    uint8_t data[2];
    fake_usb_send("ok", 2);
    fake_usb_end(LIBUSB_TRANSFER_OVERFLOW);
    g_assert_true(mk_link_read(link, data, 2, 1000, NULL, &error));
    g_assert_false(mk_link_read(link, data, 1, 1000, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_PROTOCOL);
    close_link(link);
}

static gpointer cancel_soon(gpointer cancel)
{
    g_usleep(30000);
    g_cancellable_cancel(cancel);
    return NULL;
}

static void test_cancel(void)
{
    MkLink *link = open_link();
    uint8_t data[4] = {0};
    for (unsigned writes = 0; writes < 2; writes++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GCancellable) cancel = g_cancellable_new();
        fake_usb->swallow_out = true;
        GThread *thread = g_thread_new("cancel", cancel_soon, cancel);
        g_assert_false(writes ? mk_link_write(link, data, 4, MK_FOREVER, cancel, &error)
                              : mk_link_read(link, data, 4, MK_FOREVER, cancel, &error));
        g_assert_cmpint(mk_fault_code(error), ==, MK_FAULT_STOPPED);
        g_thread_join(thread);
    }
    close_link(link);
}

/* A kernel that never gives transfers back must not hang the end. */
static void test_stuck_kernel(void)
{
    MkLink *link = open_link();
    MkUsbLink *usb = (MkUsbLink *)link;
    MkUsbSlot slots[MK_USB_IN_SLOTS];
    memcpy(slots, usb->in, sizeof slots);
    fake_usb->keeps = true;
    gint64 start = g_get_monotonic_time();
    mk_link_free(link);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 3 * G_USEC_PER_SEC);
    for (unsigned i = 0; i < MK_USB_IN_SLOTS; i++) { /* they were left alone */
        slots[i].transfer->callback(slots[i].transfer);
        libusb_free_transfer(slots[i].transfer);
        g_free(slots[i].buffer);
    }
    fake_usb_free();
}

/* --- which interface ----------------------------------------------------------------------------------------------------- */

#define BULK(address)                                                                                                  \
    {                                                                                                                  \
        .bEndpointAddress = address, .bmAttributes = 2, .wMaxPacketSize = 512                                          \
    }

static const struct libusb_endpoint_descriptor pair1[] = {BULK(0x01), BULK(0x81)}, pair2[] = {BULK(0x82), BULK(0x02)};
static const struct libusb_endpoint_descriptor interrupt[] = {
    {.bEndpointAddress = 0x83, .bmAttributes = 3, .wMaxPacketSize = 64}};
static const unsigned char names_0[] = {5, 0x24, 0, 0x10, 1, 4, 0x24, 2, 15, 5, 0x24, 6, 1, 0};
static const unsigned char names_1[] = {5, 0x24, 6, 0, 1};
static const unsigned char names_2[] = {5, 0x24, 6, 1, 2};
static const unsigned char cut_off[] = {9, 0x24, 6, 1};

static struct libusb_interface_descriptor data_interface(uint8_t number, uint8_t class,
                                                         const struct libusb_endpoint_descriptor *pair)
{
    return (struct libusb_interface_descriptor){
        .bInterfaceNumber = number, .bInterfaceClass = class, .bNumEndpoints = 2, .endpoint = pair};
}

static struct libusb_interface_descriptor control_interface(uint8_t number, const unsigned char *extra, int length)
{
    return (struct libusb_interface_descriptor){.bInterfaceNumber = number,
                                                .bInterfaceClass = 2,
                                                .bNumEndpoints = 1,
                                                .endpoint = interrupt,
                                                .extra = extra,
                                                .extra_length = length};
}

/* "data control in out", or "none". */
static char *find(const struct libusb_interface_descriptor *settings, uint8_t count, int preferred)
{
    struct libusb_interface interfaces[4];
    struct libusb_config_descriptor config = {.bNumInterfaces = count, .interface = interfaces};
    MkUsbFunction function = {0};
    for (unsigned i = 0; i < count; i++)
        interfaces[i] = (struct libusb_interface){.altsetting = &settings[i], .num_altsetting = 1};
    if (!mk_usb_find_function(&config, preferred, &function))
        return g_strdup("none");
    g_assert_cmpuint(function.packet, ==, 512);
    return g_strdup_printf("%d %d %02x %02x", function.data, function.control, function.in, function.out);
}

static void test_finding_the_interface(void)
{
    const struct {
        struct libusb_interface_descriptor settings[3];
        uint8_t count;
        int preferred;
        const char *found;
    } cases[] = {
        /* a preloader: data 0, control 1 (spec brom.md 1.2) */
        {{data_interface(0, 10, pair1), control_interface(1, names_0, sizeof names_0)}, 2, -1, "0 1 81 01"},
        /* what everybody else does */
        {{control_interface(0, names_1, sizeof names_1), data_interface(1, 10, pair1)}, 2, -1, "1 0 81 01"},
        /* three interfaces: the pair that the control interface names, not the diagnostic one */
        {{data_interface(0, 10, pair1), control_interface(1, names_2, sizeof names_2), data_interface(2, 10, pair2)},
         3,
         -1,
         "2 1 82 02"},
        /* the table of identities knows better */
        {{data_interface(0, 10, pair1), data_interface(2, 255, pair2)}, 2, 2, "2 -1 82 02"},
        /* a union descriptor that is cut off says nothing */
        {{data_interface(0, 10, pair1), control_interface(1, cut_off, sizeof cut_off)}, 2, -1, "0 1 81 01"},
        {{data_interface(0, 255, pair1)}, 1, -1, "0 -1 81 01"},
        {{control_interface(0, names_1, sizeof names_1)}, 1, -1, "none"},
        {{data_interface(0, 8, pair1)}, 1, -1, "none"}, /* mass storage */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = find(cases[i].settings, cases[i].count, cases[i].preferred);
        g_assert_cmpstr(found, ==, cases[i].found);
    }
    struct libusb_interface_descriptor adb = data_interface(0, 255, pair1);
    adb.bInterfaceSubClass = 66;
    g_autofree char *found = find(&adb, 1, -1);
    g_assert_cmpstr(found, ==, "none");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/usb/opening-and-giving-back", test_opening_and_giving_back);
    g_test_add_func("/usb/port-of-another-program", test_port_of_another_program);
    g_test_add_func("/usb/refused-requests-are-no-fault", test_refused_requests_are_no_fault);
    g_test_add_func("/usb/pieces-become-a-stream", test_pieces_become_a_stream);
    g_test_add_func("/usb/writes-keep-the-bus-full", test_writes_keep_the_bus_full);
    g_test_add_func("/usb/end-of-a-payload", test_end_of_a_payload);
    g_test_add_func("/usb/silence", test_silence);
    g_test_add_func("/usb/nothing-but-empty-packets", test_nothing_but_empty_packets);
    g_test_add_func("/usb/unplugged", test_unplugged);
    g_test_add_func("/usb/unplugged-while-writing", test_unplugged_while_writing);
    g_test_add_func("/usb/stalls-are-cleared", test_stalls_are_cleared);
    g_test_add_func("/usb/stall-while-writing", test_stall_while_writing);
    g_test_add_func("/usb/babble", test_babble);
    g_test_add_func("/usb/cancel", test_cancel);
    g_test_add_func("/usb/stuck-kernel", test_stuck_kernel);
    g_test_add_func("/usb/finding-the-interface", test_finding_the_interface);
    return g_test_run();
}
