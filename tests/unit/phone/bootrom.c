/* BootROM answers byte for byte what the vectors say (tests/data/brom-vectors.txt), and survives what no host should do. */
#include "replay.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static void test_rom_refuses_bad_agents(void)
{
    static const struct {
        uint32_t address, length, signature, config;
        const char *status;
    } cases[] = {
        {0x00200000, 0, 0, 0, "\x1D\x13"},
        {0x00200000, 8, 9, 0, "\x1D\x14"},
        {0x00200001, 8, 0, 0, "\x1D\x11"},
        {0x40000000, 8, 0, 0, "\x1D\x12"},
        {0x00200000, 8, 0, MK_CONFIG_DAA, "\x1D\x15"},
        {0x00200000, 0xFFFFFFFF, 0, 0, "\x1D\x12"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Device device;
        simple(&device, 0x0766, cases[i].config);
        device_start(&device, loop_rom);
        send_da_header(&device, cases[i].address, cases[i].length, cases[i].signature);
        ask(&device, "", 0, cases[i].status, 2);
        ask(&device, "\xFD", 1, "\xFD\x07\x66\0\0", 5); /* and the loop goes on */
        g_assert_cmpint(device_end(&device), ==, MK_NEXT_GONE);
    }
}

static void test_watchdog_bites_the_silent_host(void)
{
    Device device;
    simple(&device, 0x0766, 0);
    device.machine.watchdog_seconds = 1;
    device_start(&device, loop_rom);
    g_thread_join(device.thread);
    g_assert_cmpint(device.next, ==, MK_NEXT_RESET);
    device.thread = g_thread_new("device", device_thread, &device);
    ask_echo(&device, "\xD4", 1);
    ask_echo(&device, "\x10\x00\x70\x00", 4);
    ask(&device, "\0\0\0\1", 4, "\0\0\0\1\0\0", 6);
    ask(&device, "\x22\0\0\0", 4, "\x22\0\0\0\0\0", 6);
    g_usleep(1100 * 1000);
    ask(&device, "\xFD", 1, "\xFD\x07\x66\0\0", 5);
    g_assert_cmpint(device_end(&device), ==, MK_NEXT_GONE);
}

/* What an owner's tool does: the challenge with its byte pairs swapped, signed with the private key, sent with pairs swapped back. */
static GByteArray *sign(EVP_PKEY *key, const uint8_t *challenge)
{
    uint8_t text[16];
    size_t length = (size_t)EVP_PKEY_get_size(key);
    GByteArray *signature = g_byte_array_new();
    g_byte_array_set_size(signature, (guint)length);
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = challenge[i ^ 1];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    g_assert_cmpint(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), ==, 1);
    g_assert_cmpint(EVP_DigestSign(context, signature->data, &length, text, sizeof text), ==, 1);
    EVP_MD_CTX_free(context);
    for (size_t i = 0; i + 1 < length; i += 2) {
        uint8_t first = signature->data[i];
        signature->data[i] = signature->data[i + 1];
        signature->data[i + 1] = first;
    }
    return signature;
}

static void test_sla_wants_the_owners_key(void)
{
    g_autofree char *path = NULL;
    g_assert_cmpint(g_file_open_tmp("medik-key-XXXXXX", &path, NULL), >=, 0);
    EVP_PKEY *key = EVP_RSA_gen(2048);
    FILE *file = fopen(path, "we");
    g_assert_cmpint(PEM_write_PUBKEY(file, key), ==, 1);
    fclose(file);
    Device device;
    uint8_t challenge[16];
    simple(&device, 0x0766, MK_CONFIG_SLA);
    device.model.sla_key = path;
    device_start(&device, loop_rom);
    for (unsigned good = 0; good < 2; good++) {
        ask(&device, "\xE3", 1, "\xE3\0\0\0\0\0\x10", 7);
        g_assert_cmpuint(device_receive(&device, challenge, 16, QUIET_MS), ==, 16);
        g_autoptr(GByteArray) signature = sign(key, challenge);
        signature->data[9] ^= good ? 0 : 1;
        ask(&device, "\0\0\1\0", 4, "\0\0\1\0\0\0", 6);
        ask(&device, signature->data, signature->len, good ? "\0\0" : "\x60\x05", 2);
    }
    ask(&device, "\xE3", 1, "\xE3\x70\x17", 3);
    device_end(&device);
    EVP_PKEY_free(key);
    g_unlink(path);
}

/* The cable is pulled before each byte of a whole session: the device ends, with whatever it was doing. */
static void test_disconnect_at_every_byte(gconstpointer name)
{
    const Vector *vector = vector_find(all, name);
    g_autoptr(GByteArray) sent = g_byte_array_new();
    for (guint i = 0; i < vector->moves->len; i++) {
        const Move *move = vector->moves->pdata[i];
        if (move->from_host)
            g_byte_array_append(sent, move->bytes->data, move->bytes->len);
    }
    for (guint length = 0; length < sent->len; length++) {
        Device device;
        make(&device, vector, &profiles[0]);
        device_start(&device, mk_bootrom_run);
        device_send(&device, sent->data, length);
        g_assert_cmpint(device_end(&device), ==, MK_NEXT_GONE);
    }
}

static void test_garbage(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);
    for (unsigned round = 0; round < 200; round++) {
        Device device;
        simple(&device, 0x0766, (uint32_t)g_rand_int_range(random, 0, 8));
        device_start(&device, round % 2 ? loop_rom : loop_preloader);
        uint8_t bytes[64];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)g_rand_int(random);
        device_send(&device, bytes, sizeof bytes);
        device_end(&device);
    }
}

/* The eleventh block of data in one session is one too many (spec brom.md 6.8). */
static void test_ten_blocks(void)
{
    Device device;
    simple(&device, 0x6583, 0);
    device_start(&device, loop_rom);
    for (unsigned i = 0; i <= 10; i++) {
        send_da_header(&device, 0x12000000, 2, 0);
        if (i == 10)
            ask(&device, "", 0, "\x1D\x10", 2);
        else
            ask(&device, "xy", 2, "\0\0yx\0\0", 6);
    }
    device_end(&device);
}

/* Both logs of a ROM; hosts wait for what they asked. */
static void test_logs(void)
{
    Device device;
    simple(&device, 0x6583, 0);
    device_start(&device, loop_rom);
    ask(&device, "\xDF", 1, "\xDF\0\0\0\x08[BR] ok\n\0\0", 15);
    ask(&device, "\xDD", 1, "\xDD\0\0\0\x08[BR] ok\n", 13);
    ask(&device, "\xFE", 1, "\xFE", 1);
    device_end(&device);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    all = vectors_load();
    replay_add(0, 1);
    g_test_add_func("/bootrom/refuses-bad-agents", test_rom_refuses_bad_agents);
    g_test_add_func("/bootrom/watchdog", test_watchdog_bites_the_silent_host);
    g_test_add_func("/bootrom/sla-key", test_sla_wants_the_owners_key);
    g_test_add_data_func("/bootrom/disconnect/mt6765", "session-brom-mt6765", test_disconnect_at_every_byte);
    g_test_add_data_func("/bootrom/disconnect/sla", "sla", test_disconnect_at_every_byte);
    g_test_add_func("/bootrom/garbage", test_garbage);
    g_test_add_func("/bootrom/ten-blocks", test_ten_blocks);
    g_test_add_func("/bootrom/logs", test_logs);
    int result = g_test_run();
    g_ptr_array_unref(all);
    return result;
}
