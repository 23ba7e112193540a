/* A small USB/IP client talks to the port over loopback, as a kernel's vhci_hcd would. */
#include "core/bytes.h"
#include "phone/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IMPORTED 320 /* OP_REP_IMPORT with a device */
#define SOON_S   5

typedef struct {
    MkPort *port;
    MkWire *wire;
    uint16_t number;
    int fd; /* the client that imports, -1: none */
    gint pulled, put_back;
} Test;

/* --- the client --- */

static int dial(const Test *test)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(test->number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = SOON_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

static void ask(int fd, const GByteArray *bytes)
{
    g_assert_cmpint(send(fd, bytes->data, bytes->len, MSG_NOSIGNAL), ==, bytes->len);
}

static GByteArray *receive(int fd, size_t length)
{
    GByteArray *got = g_byte_array_new();
    g_byte_array_set_size(got, (guint)length);
    g_assert_cmpint(length ? recv(fd, got->data, length, MSG_WAITALL) : 0, ==, length);
    return got;
}

static bool hung_up(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

static bool silent(int fd)
{
    char byte;
    g_usleep(20000);
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
}

static void ask_import(int fd, const char *bus_id)
{
    g_autoptr(GByteArray) request = g_byte_array_new();
    mk_put_be32(request, 0x01118003);
    mk_put_be32(request, 0);
    mk_put_text(request, bus_id, 32);
    ask(fd, request);
}

static void import(Test *test)
{
    test->fd = dial(test);
    ask_import(test->fd, "1-1");
    g_autoptr(GByteArray) reply = receive(test->fd, IMPORTED);
    g_assert_cmphex(mk_be32(reply->data), ==, 0x01110003);
    g_assert_cmpuint(mk_be32(reply->data + 4), ==, 0);
}

static void submit(int fd, uint32_t number, uint32_t endpoint, bool input, const uint8_t setup[8], const void *data,
                   uint32_t length)
{
    g_autoptr(GByteArray) request = g_byte_array_new();
    const uint32_t words[] = {1, number, 1 << 16 | 1, input, endpoint, 0, length, 0, 0, 0};
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        mk_put_be32(request, words[i]);
    g_byte_array_append(request, setup ? setup : (const uint8_t[8]){0}, 8);
    if (!input && length)
        g_byte_array_append(request, data, length);
    ask(fd, request);
}

static void unlink_urb(int fd, uint32_t number, uint32_t which)
{
    g_autoptr(GByteArray) request = g_byte_array_new();
    const uint32_t words[] = {2, number, 1 << 16 | 1, 0, 0, which};
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        mk_put_be32(request, words[i]);
    mk_put_fill(request, 0, 24);
    ask(fd, request);
}

/* The next reply: to NUMBER, with STATUS. What an IN transfer brought, or NULL. */
static GByteArray *returned(int fd, uint32_t number, int status, bool input, uint32_t actual)
{
    g_autoptr(GByteArray) head = receive(fd, 48);
    g_assert_cmpuint(mk_be32(head->data), ==, 3);
    g_assert_cmpuint(mk_be32(head->data + 4), ==, number);
    g_assert_cmpint((int)mk_be32(head->data + 20), ==, status);
    g_assert_cmpuint(mk_be32(head->data + 24), ==, actual);
    return input ? receive(fd, actual) : NULL;
}

static void brings(int fd, uint32_t number, const void *data, uint32_t length)
{
    g_autoptr(GByteArray) got = returned(fd, number, 0, true, length);
    g_assert_cmpmem(got->data, got->len, data, length);
}

static void unlinked(int fd, uint32_t number, int status)
{
    g_autoptr(GByteArray) head = receive(fd, 48);
    g_assert_cmpuint(mk_be32(head->data), ==, 4);
    g_assert_cmpuint(mk_be32(head->data + 4), ==, number);
    g_assert_cmpint((int)mk_be32(head->data + 20), ==, status);
}

static void configure(Test *test)
{
    submit(test->fd, 1, 0, false, (const uint8_t[]){0, 9, 1, 0, 0, 0, 0, 0}, NULL, 0);
    returned(test->fd, 1, 0, false, 0);
}

/* --- the phone --- */

static void cable(gpointer data, bool in)
{
    Test *test = data;
    g_atomic_int_inc(in ? &test->put_back : &test->pulled);
}

static void set_up(Test *test, gconstpointer kind)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;
    test->fd = -1;
    test->port = mk_port_new("usbip:0", false, &error);
    mk_port_set_cable(test->port, cable, test);
    test->wire = mk_port_appear(test->port, (MkUsbKind)GPOINTER_TO_INT(kind), &name, &error);
    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(name, "usbip:127.0.0.1:"));
    test->number = (uint16_t)g_ascii_strtoull(strrchr(name, ':') + 1, NULL, 10);
}

static void leave(Test *test)
{
    mk_port_vanish(test->port);
    g_clear_pointer(&test->wire, mk_wire_free);
}

static void tear_down(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    leave(test);
    mk_port_free(test->port);
    if (test->fd >= 0)
        close(test->fd);
}

static void appear(Test *test, MkUsbKind kind)
{
    g_autofree char *name = NULL;
    test->wire = mk_port_appear(test->port, kind, &name, NULL);
    g_assert_nonnull(test->wire);
}

static void plug_in(Test *test, gconstpointer kind)
{
    set_up(test, kind);
    import(test);
    configure(test);
    mk_wire_set_borders(test->wire, true);
}

static void wait_until(const gint *value)
{
    for (unsigned i = 0; i < SOON_S * 1000 && !g_atomic_int_get(value); i++)
        g_usleep(1000);
    g_assert_cmpint(g_atomic_int_get(value), ==, 1);
}

/* --- tests --- */

static void test_list(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    static const uint8_t request[] = {1, 0x11, 0x80, 5, 0, 0, 0, 0}, none[] = {1, 0x11, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0};
    int fd = dial(test);
    g_assert_cmpint(send(fd, request, sizeof request, 0), ==, sizeof request);
    g_autoptr(GByteArray) got = receive(fd, 12 + 312 + 2 * 4);
    g_assert_cmpuint(mk_be32(got->data + 8), ==, 1);
    g_assert_cmpstr((char *)got->data + 12 + 256, ==, "1-1");
    g_assert_cmpuint(mk_be32(got->data + 12 + 296), ==, 3); /* high speed */
    g_assert_cmphex(mk_be32(got->data + 12 + 300), ==, 0x0E8D2000);
    g_assert_cmpuint(got->data[12 + 311], ==, 2);
    g_assert_cmpmem(got->data + 12 + 312, 8, "\x0A\0\0\0\2\2\1\0", 8);
    leave(test);
    g_assert_cmpint(send(fd, request, sizeof request, 0), ==, sizeof request);
    g_autoptr(GByteArray) empty = receive(fd, sizeof none);
    g_assert_cmpmem(empty->data, empty->len, none, sizeof none);
    close(fd);
}

/* One host has it, another is told so; an unknown name is unknown; what is not there cannot be had. */
static void test_import(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    import(test);
    static const struct {
        const char *name;
        uint32_t status;
    } wrong[] = {{"1-1", 2}, {"2-1", 1}};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++) {
        int fd = dial(test);
        ask_import(fd, wrong[i].name);
        g_autoptr(GByteArray) reply = receive(fd, 8);
        g_assert_cmpuint(mk_be32(reply->data + 4), ==, wrong[i].status);
        close(fd);
    }
    leave(test);
    int fd = dial(test);
    ask_import(fd, "1-1");
    g_autoptr(GByteArray) reply = receive(fd, 8);
    g_assert_cmpuint(mk_be32(reply->data + 4), ==, 1);
    close(fd);
}

static void test_control(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    import(test);
    g_assert_false(mk_wire_enumerated(test->wire));
    submit(test->fd, 7, 0, true, (const uint8_t[]){0x80, 6, 0, 1, 0, 0, 64, 0}, NULL, 64);
    g_autoptr(GByteArray) descriptor = returned(test->fd, 7, 0, true, 18);
    g_assert_cmphex(mk_le16(descriptor->data + 8), ==, 0x0E8D);
    submit(test->fd, 8, 1, true, NULL, NULL, 64); /* no configuration, no endpoint */
    g_byte_array_unref(returned(test->fd, 8, -EPIPE, true, 0));
    configure(test);
    g_assert_true(mk_wire_enumerated(test->wire));
    g_assert_false(mk_wire_tool_present(test->wire));
    g_assert_true(mk_wire_host_closed(test->wire));
    submit(test->fd, 9, 0, false, (const uint8_t[]){0x21, 0x20, 0, 0, 1, 0, 7, 0}, "\0\xC2\1\0\0\0\x08", 7);
    returned(test->fd, 9, 0, false, 7);
    submit(test->fd, 10, 0, false, (const uint8_t[]){0x21, 0x22, 1, 0, 1, 0, 0, 0}, NULL, 0);
    returned(test->fd, 10, 0, false, 0);
    g_assert_true(mk_wire_tool_present(test->wire));
    g_assert_false(mk_wire_host_closed(test->wire));
    submit(test->fd, 11, 0, true, (const uint8_t[]){0xC0, 1, 0, 0, 0, 0, 4, 0}, NULL, 4);
    g_byte_array_unref(returned(test->fd, 11, -EPIPE, true, 0));
}

/* An OUT transfer is done when the phone has taken it, not before. */
static void test_out(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    uint8_t data[1025], got[1025];
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    submit(test->fd, 2, 1, false, NULL, data, sizeof data);
    submit(test->fd, 3, 1, false, NULL, "x", 1);
    g_assert_true(silent(test->fd));
    g_assert_cmpint(mk_wire_read(test->wire, got, sizeof got, SOON_S * 1000), ==, MK_WIRE_OK);
    g_assert_cmpmem(got, sizeof got, data, sizeof data);
    returned(test->fd, 2, 0, false, sizeof data);
    g_assert_true(silent(test->fd));
    g_assert_cmpint(mk_wire_get8(test->wire, got), ==, MK_WIRE_OK);
    returned(test->fd, 3, 0, false, 1);
    submit(test->fd, 4, 1, false, NULL, NULL, 0); /* an empty packet is nobody's byte */
    returned(test->fd, 4, 0, false, 0);
    g_assert_cmpint(mk_wire_read(test->wire, got, 1, 20), ==, MK_WIRE_TIMEOUT);
}

/* One transfer that is larger than what the phone takes at a time. */
static void test_large_out(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    g_autofree uint8_t *data = g_malloc(200001), *got = g_malloc(200001);
    for (unsigned i = 0; i < 200001; i++)
        data[i] = (uint8_t)(i * 7);
    submit(test->fd, 2, 1, false, NULL, data, 200001);
    g_assert_cmpint(mk_wire_read(test->wire, got, 200001, SOON_S * 1000), ==, MK_WIRE_OK);
    g_assert_cmpmem(got, 200001, data, 200001);
    returned(test->fd, 2, 0, false, 200001);
}

/* What is left of a packet that was begun byte by byte is thrown away; the packets behind it are not (spec agents.md, last section). */
static void test_borders(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    uint8_t data[1024], byte, got[512];
    memset(data, 1, 512);
    memset(data + 512, 2, 512);
    submit(test->fd, 2, 1, false, NULL, data, sizeof data);
    g_assert_cmpint(mk_wire_get8(test->wire, &byte), ==, MK_WIRE_OK);
    g_assert_cmpuint(byte, ==, 1);
    g_assert_cmpint(mk_wire_read(test->wire, got, sizeof got, SOON_S * 1000), ==, MK_WIRE_OK);
    g_assert_cmpmem(got, sizeof got, data + 512, 512);
    g_assert_cmpuint(mk_wire_border_violations(test->wire), ==, 1);
    submit(test->fd, 3, 1, false, NULL, "c", 1);
    submit(test->fd, 4, 1, false, NULL, "data", 4);
    g_assert_cmpint(mk_wire_get8(test->wire, &byte), ==, MK_WIRE_OK);
    g_assert_cmpint(mk_wire_read(test->wire, got, 4, SOON_S * 1000), ==, MK_WIRE_OK);
    g_assert_cmpmem(got, 4, "data", 4);
    g_assert_cmpuint(mk_wire_border_violations(test->wire), ==, 1);
}

/* Many IN transfers wait; each block of the phone's ends one, a full one goes on in the next. */
static void test_in(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    uint8_t block[1000];
    memset(block, 7, sizeof block);
    for (uint32_t i = 2; i < 6; i++)
        submit(test->fd, i, 1, true, NULL, NULL, 512);
    submit(test->fd, 6, 3, true, NULL, NULL, 64); /* the interrupt endpoint never says anything */
    g_assert_true(silent(test->fd));
    mk_wire_write(test->wire, "a", 1);
    mk_wire_write(test->wire, "bc", 2);
    mk_wire_write(test->wire, block, sizeof block);
    brings(test->fd, 2, "a", 1);
    brings(test->fd, 3, "bc", 2);
    brings(test->fd, 4, block, 512);
    brings(test->fd, 5, block, 488);
    g_assert_true(silent(test->fd));
}

/* What fills its last packet is followed by an empty one, also where the transfer has no more room for it. */
static void test_empty_packets(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    uint8_t block[1024] = {0};
    submit(test->fd, 2, 1, true, NULL, NULL, 4096);
    mk_wire_write(test->wire, block, sizeof block);
    brings(test->fd, 2, block, sizeof block);
    submit(test->fd, 3, 1, true, NULL, NULL, 1024);
    submit(test->fd, 4, 1, true, NULL, NULL, 1024);
    submit(test->fd, 5, 1, true, NULL, NULL, 1024);
    mk_wire_write(test->wire, block, sizeof block);
    mk_wire_write(test->wire, "z", 1);
    brings(test->fd, 3, block, sizeof block);
    brings(test->fd, 4, "", 0);
    brings(test->fd, 5, "z", 1);
}

/* 64 KiB blocks run on without a border: a transfer of 128 KiB and one byte gets it all. */
static void test_large_in(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    g_autofree uint8_t *data = g_malloc(131073);
    for (unsigned i = 0; i < 131073; i++)
        data[i] = (uint8_t)(i * 7);
    submit(test->fd, 2, 1, true, NULL, NULL, 1 << 20);
    g_assert_cmpint(mk_wire_write(test->wire, data, 131073), ==, MK_WIRE_OK);
    brings(test->fd, 2, data, 131073);
}

/* A host that asks for less than a packet holds gets what fits, an error, and not the rest. */
static void test_babble(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    submit(test->fd, 2, 1, true, NULL, NULL, 3);
    mk_wire_write(test->wire, "abcdef", 6);
    g_autoptr(GByteArray) got = returned(test->fd, 2, -EOVERFLOW, true, 3);
    g_assert_cmpmem(got->data, got->len, "abc", 3);
    submit(test->fd, 3, 1, true, NULL, NULL, 512);
    mk_wire_write(test->wire, "next", 4);
    brings(test->fd, 3, "next", 4);
}

static void test_unlink(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    uint8_t block[65536] = {1, 2, 3};
    submit(test->fd, 2, 1, true, NULL, NULL, 512);
    submit(test->fd, 3, 1, true, NULL, NULL, 512);
    unlink_urb(test->fd, 4, 2);
    unlinked(test->fd, 4, -ECONNRESET);
    unlink_urb(test->fd, 5, 2); /* twice: it is no longer there */
    unlinked(test->fd, 5, 0);
    mk_wire_write(test->wire, "x", 1);
    brings(test->fd, 3, "x", 1);
    submit(test->fd, 6, 1, false, NULL, "lost", 4);
    unlink_urb(test->fd, 7, 6);
    unlinked(test->fd, 7, -ECONNRESET);
    uint8_t byte;
    g_assert_cmpint(mk_wire_read(test->wire, &byte, 1, 20), ==, MK_WIRE_TIMEOUT);
    /* What a transfer already held when it was taken back comes with the next one. */
    submit(test->fd, 8, 1, true, NULL, NULL, 1 << 20);
    mk_wire_write(test->wire, block, sizeof block);
    unlink_urb(test->fd, 9, 8);
    unlinked(test->fd, 9, -ECONNRESET);
    submit(test->fd, 10, 1, true, NULL, NULL, sizeof block);
    brings(test->fd, 10, block, sizeof block);
}

static void test_stall(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    submit(test->fd, 2, 1, true, NULL, NULL, 512);
    g_assert_true(silent(test->fd));
    mk_port_stall(test->port, true);
    g_byte_array_unref(returned(test->fd, 2, -EPIPE, true, 0));
    submit(test->fd, 3, 1, true, NULL, NULL, 512);
    g_byte_array_unref(returned(test->fd, 3, -EPIPE, true, 0));
    submit(test->fd, 4, 0, false, (const uint8_t[]){2, 1, 0, 0, 0x81, 0, 0, 0}, NULL, 0);
    returned(test->fd, 4, 0, false, 0);
    mk_wire_write(test->wire, "again", 5); /* said while it was halted or not: it is not lost */
    submit(test->fd, 5, 1, true, NULL, NULL, 512);
    brings(test->fd, 5, "again", 5);
    /* The other way: what the phone has not taken is the host's to send again. */
    submit(test->fd, 6, 1, false, NULL, "lost", 4);
    g_assert_true(silent(test->fd));
    mk_port_stall(test->port, false);
    returned(test->fd, 6, -EPIPE, false, 0);
    submit(test->fd, 7, 0, false, (const uint8_t[]){2, 1, 0, 0, 1, 0, 0, 0}, NULL, 0);
    returned(test->fd, 7, 0, false, 0);
    submit(test->fd, 8, 1, false, NULL, "sent", 4);
    uint8_t got[4];
    g_assert_cmpint(mk_wire_read(test->wire, got, sizeof got, SOON_S * 1000), ==, MK_WIRE_OK);
    g_assert_cmpmem(got, 4, "sent", 4);
}

/* From mode to mode: the device goes, what it said last arrives, and the next one is at the same place. */
static void test_modes(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    submit(test->fd, 2, 1, true, NULL, NULL, 512);
    g_assert_true(silent(test->fd));
    mk_wire_write(test->wire, "bye", 3);
    leave(test);
    brings(test->fd, 2, "bye", 3);
    g_assert_true(hung_up(test->fd));
    close(test->fd);
    appear(test, MK_USB_FASTBOOT);
    import(test);
    submit(test->fd, 2, 0, true, (const uint8_t[]){0x80, 6, 0, 1, 0, 0, 18, 0}, NULL, 18);
    g_autoptr(GByteArray) descriptor = returned(test->fd, 2, 0, true, 18);
    g_assert_cmphex(mk_le16(descriptor->data + 10), ==, 0x0C01);
    g_assert_cmpint(test->pulled, ==, 0);
}

static gpointer ask_late(gpointer data)
{
    Test *test = data;
    g_usleep(20000);
    submit(test->fd, 2, 1, true, NULL, NULL, 512);
    return NULL;
}

/* A host that is slow to ask still gets what the phone said before it left. */
static void test_last_words(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    mk_wire_write(test->wire, "bye", 3);
    GThread *thread = g_thread_new("late", ask_late, test);
    leave(test);
    g_thread_join(thread);
    brings(test->fd, 2, "bye", 3);
    g_assert_true(hung_up(test->fd));
}

/* The speed changes: another device on the same wire. */
static void test_reappear(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    mk_port_reappear(test->port, test->wire, 0x0E8D2001);
    g_assert_true(hung_up(test->fd));
    close(test->fd);
    import(test);
    configure(test);
    submit(test->fd, 2, 1, true, NULL, NULL, 512);
    mk_wire_write(test->wire, "\x5A", 1);
    brings(test->fd, 2, "\x5A", 1);
    g_assert_cmpint(test->pulled, ==, 0);
}

/* A host that lets go pulls the cable; one that asks again puts it back and waits for the phone. */
static void test_pull_and_replug(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    close(test->fd);
    wait_until(&test->pulled);
    leave(test);
    test->fd = dial(test);
    ask_import(test->fd, "1-1");
    wait_until(&test->put_back);
    g_assert_true(silent(test->fd));
    appear(test, MK_USB_PRELOADER);
    g_autoptr(GByteArray) reply = receive(test->fd, IMPORTED);
    g_assert_cmpuint(mk_be32(reply->data + 4), ==, 0);
}

/* A host that only tried, and could not attach, pulled nothing. */
static void test_tried(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    import(test);
    close(test->fd);
    g_usleep(20000);
    import(test);
    configure(test);
    g_assert_cmpint(test->pulled, ==, 0);
}

static void test_garbage(Test *test, G_GNUC_UNUSED gconstpointer kind)
{
    static const struct {
        const char *bytes;
        size_t length;
    } nonsense[] = {{"GET / HTTP/1.0\r\n\r\n", 18}, {"\1\6\x80\5\0\0\0\0", 8}, {"\1\x11\x80\6\0\0\0\0", 8}};
    for (unsigned i = 0; i < G_N_ELEMENTS(nonsense); i++) {
        int fd = dial(test);
        g_assert_cmpint(send(fd, nonsense[i].bytes, nonsense[i].length, 0), ==, nonsense[i].length);
        g_assert_true(hung_up(fd));
        close(fd);
    }
    import(test); /* and the phone is still to be had */
    submit(test->fd, 1, 1, true, NULL, NULL, 0x7FFFFFFF);
    g_assert_true(hung_up(test->fd));
}

static void test_names(void)
{
    static const char *const good[] = {"usbip", "usbip:3241", "usbip:0.0.0.0:3240", NULL};
    static const char *const bad[] = {"usbipx", "usbip:", "usbip:name", "usbip:host:", "usbip:99999", NULL};
    for (unsigned i = 0; good[i]; i++) {
        g_autoptr(MkPort) port = mk_port_new(good[i], false, NULL);
        g_assert_true(port && mk_port_is_usb(port));
    }
    for (unsigned i = 0; bad[i]; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(mk_port_new(bad[i], false, &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_USAGE);
    }
}

#define ADD(NAME, UP, FUNCTION)                                                                                        \
    g_test_add("/usbip/" NAME, Test, GINT_TO_POINTER(MK_USB_PRELOADER), UP, FUNCTION, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("list", set_up, test_list);
    ADD("import", set_up, test_import);
    ADD("control", set_up, test_control);
    ADD("out", plug_in, test_out);
    ADD("large-out", plug_in, test_large_out);
    ADD("borders", plug_in, test_borders);
    ADD("in", plug_in, test_in);
    ADD("empty-packets", plug_in, test_empty_packets);
    ADD("large-in", plug_in, test_large_in);
    ADD("babble", plug_in, test_babble);
    ADD("unlink", plug_in, test_unlink);
    ADD("stall", plug_in, test_stall);
    ADD("modes", plug_in, test_modes);
    ADD("last-words", plug_in, test_last_words);
    ADD("reappear", plug_in, test_reappear);
    ADD("pull-and-replug", plug_in, test_pull_and_replug);
    ADD("tried", set_up, test_tried);
    ADD("garbage", set_up, test_garbage);
    g_test_add_func("/usbip/names", test_names);
    return g_test_run();
}
