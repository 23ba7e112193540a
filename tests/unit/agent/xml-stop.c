/* The user stops at any moment of a transfer: the agent hears of it where it listens for it (spec da-xml.md 5.1, 5.2), and stays usable. The phone
 * here is a few lines on a thread of its own that know reading and writing. */
#include "xml-setup.h"

#include "babble.h"

#define PACKET  0x1000u
#define PACKETS 4u

typedef struct {
    MkLink *link;
    GCancellable *cancel;
    unsigned heard, stop; /* host frames since the opening; after which the user stops */
    unsigned packets;     /* that went over */
    bool told;            /* the host said that it was stopped */
} Phone;

static void say(Phone *phone, const void *data, size_t length)
{
    GByteArray *frame = g_byte_array_new();
    mk_put_le32(frame, 0xFEEEEEEF);
    mk_put_le32(frame, 1);
    mk_put_le32(frame, (uint32_t)length);
    g_byte_array_append(frame, data, (guint)length);
    g_assert_true(mk_link_write(phone->link, frame->data, frame->len, 5000, NULL, NULL));
    g_byte_array_unref(frame);
}

static void say_text(Phone *phone, const char *text)
{
    say(phone, text, strlen(text) + 1);
}

/* The host's next frame; NULL when it has gone. */
static char *hear(Phone *phone)
{
    uint8_t header[12];
    if (!mk_link_read(phone->link, header, sizeof header, 5000, NULL, NULL))
        return NULL;
    size_t length = mk_le32(header + 8);
    char *text = g_malloc0(length + 1);
    g_assert_true(mk_link_read(phone->link, text, length, 5000, NULL, NULL));
    if (++phone->heard == phone->stop)
        g_cancellable_cancel(phone->cancel);
    return text;
}

static bool hears(Phone *phone, const char *prefix)
{
    g_autofree char *text = hear(phone);
    bool stopped = text && strcmp(text, "ERR!CANCEL") == 0;
    phone->told |= stopped;
    g_assert_true(stopped || (text && g_str_has_prefix(text, prefix)));
    return !stopped;
}

static void end(Phone *phone, bool good)
{
    say_text(phone, good ? XML_END("OK", "") : XML_END("ERR", "Host notice error or user canceled."));
    g_assert_true(hears(phone, "OK"));
    say_text(phone, XML_START);
    g_assert_true(hears(phone, "OK"));
}

static void give(Phone *phone)
{
    static const uint8_t data[PACKET];
    bool good = true;
    say_text(phone, "OK");
    say_text(phone, XML_DEVICE("UPLOAD-FILE",
                               "<arg><checksum>CHK_NO</checksum><info>x</info><target_file>dump.bin</target_file>"
                               "<packet_length>0x1000</packet_length></arg>"));
    g_assert_true(hears(phone, "OK"));
    say_text(phone, "OK@0x4000");
    g_assert_true(hears(phone, "OK"));
    for (unsigned i = 0; i < PACKETS && good; i++) {
        say_text(phone, "OK@0x0");
        g_assert_true(hears(phone, "OK"));
        say(phone, data, sizeof data);
        phone->packets++;
        good = hears(phone, "OK");
    }
    end(phone, good);
}

static void report(Phone *phone)
{
    static const char *const lines[] = {XML_DEVICE("PROGRESS-REPORT", "<arg><message>x</message></arg>"),
                                        "OK!PROGRESS@50@x", "OK!EOT"};
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        say_text(phone, lines[i]);
        g_assert_true(hears(phone, "OK"));
    }
}

static void take(Phone *phone)
{
    bool good = true;
    say_text(phone, "OK");
    say_text(phone,
             XML_DEVICE("FILE-SYS-OPERATION", "<arg><key>FILE-SIZE</key><file_path>image.img</file_path></arg>"));
    g_assert_true(hears(phone, "OK"));
    g_assert_true(hears(phone, "OK@0x4000"));
    report(phone);
    say_text(phone, XML_DEVICE("DOWNLOAD-FILE",
                               "<arg><checksum>CHK_ADD</checksum><info>x</info><source_file>image.img</source_file>"
                               "<packet_length>0x1000</packet_length></arg>"));
    g_assert_true(hears(phone, "OK"));
    g_assert_true(hears(phone, "OK@0x4000"));
    say_text(phone, "OK");
    for (unsigned i = 0; i < PACKETS && good; i++) {
        good = hears(phone, "OK@0x0");
        say_text(phone, good ? "OK" : "ERR");
        if (good) {
            g_free(hear(phone));
            phone->packets++;
            say_text(phone, "OK@0x0");
        }
    }
    end(phone, good);
}

static void replay(Phone *phone, GArray *steps)
{
    for (guint i = 0; i < steps->len; i++) {
        const ScriptStep *step = &g_array_index(steps, ScriptStep, i);
        gsize size;
        const uint8_t *bytes = g_bytes_get_data(step->bytes, &size);
        if (!step->from_host)
            g_assert_true(mk_link_write(phone->link, bytes, size, 5000, NULL, NULL));
        else if (size != 12)
            g_free(hear(phone));
    }
}

/* Opening; then the one command; then the battery. */
static gpointer phone_main(gpointer data)
{
    Phone *phone = data;
    unsigned stop = phone->stop;
    g_autoptr(GArray) opening = script_steps_new(), battery = script_steps_new();
    xml_script_open(opening);
    xml_vector(battery, 5, "GET-HW-INFO", 0);
    phone->stop = 0;
    replay(phone, opening);
    phone->heard = 0;
    phone->stop = stop;
    g_autofree char *command = hear(phone);
    if (command && strstr(command, "CMD:READ-FLASH"))
        give(phone);
    else if (command && strstr(command, "CMD:WRITE-FLASH"))
        take(phone);
    phone->stop = 0;
    replay(phone, battery);
    return NULL;
}

/* Stops after STOP frames of the host's; the packets that went over, and whether there was anything to stop. */
static bool play(bool writing, unsigned stop, unsigned *packets)
{
    g_autoptr(XFlashSetup) setup = xflash_setup_new(XML_LABEL, 0x1172, XML_STAGE2);
    g_autoptr(GCancellable) cancel = g_cancellable_new();
    g_autoptr(GError) error = NULL;
    MkLink *host, *device;
    mk_link_pair(&host, &device, false);
    Phone phone = {.link = device, .cancel = cancel, .stop = stop};
    GThread *thread = g_thread_new("phone", phone_main, &phone);
    MkAgent *agent = mk_agent_open(host, &setup->setup, NULL, cancel, &error);
    g_assert_no_error(error);
    bool done = writing ? mk_agent_write(agent, MK_REGION_LU2, 0, PACKET * PACKETS, babble_zeros, NULL, &error)
                        : mk_agent_read(agent, MK_REGION_LU2, 0, PACKET * PACKETS, babble_drop, NULL, &error);
    if (!done)
        g_assert_error(error, MK_FAULT, MK_FAULT_STOPPED);
    unsigned millivolt;
    g_cancellable_reset(cancel);
    g_assert_true(mk_agent_battery(agent, &millivolt, NULL)); /* still in step */
    mk_agent_free(agent);
    mk_link_free(host);
    g_thread_join(thread);
    mk_link_free(device);
    g_assert_cmpint(phone.told, ==, !done);
    *packets = phone.packets;
    return !done;
}

static void test_stop(gconstpointer writing)
{
    unsigned most = 0, stopped = 0, packets;
    bool began = true;
    for (unsigned stop = 1; began; stop++) {
        began = play(writing != NULL, stop, &packets);
        stopped += began;
        most = MAX(most, packets);
        if (began)
            g_assert_cmpuint(packets, <=, PACKETS);
    }
    /* A stop counts from the command up to the last packet. */
    g_assert_cmpuint(stopped, >, 2 * PACKETS);
    g_assert_cmpuint(most, ==, PACKETS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/agent/xml/stop/reading", NULL, test_stop);
    g_test_add_data_func("/agent/xml/stop/writing", "", test_stop);
    return g_test_run();
}
