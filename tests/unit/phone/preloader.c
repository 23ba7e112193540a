/* Preloaders of three generations answer byte for byte what the vectors say (tests/data/brom-vectors.txt). */
#include "replay.h"

static void test_preloader_refuses_long_agent(void)
{
    static const uint8_t payload[0x40001];
    Device device;
    simple(&device, 0x0766, MK_CONFIG_DAA);
    device_start(&device, loop_preloader);
    send_da_header(&device, 0x40200000, sizeof payload, 0x100);
    ask(&device, "", 0, "\0\0", 2);
    ask(&device, payload, sizeof payload, "\0\0\x1D\x10", 4);
    g_assert_cmpint(device_end(&device), ==, MK_NEXT_BOOTROM);
}

/* An agent longer than the memory must neither be stored nor crash the phone's process. */
static void test_endless_agent_hangs_the_phone(void)
{
    Device device;
    simple(&device, 0x0766, 0);
    device_start(&device, loop_preloader);
    send_da_header(&device, 0x40200000, 0xFFFFFFFF, 0);
    ask(&device, "", 0, "\0\0", 2);
    g_assert_cmpint(device_end(&device), ==, MK_NEXT_HALT);
}

static void test_flag_brings_bootrom(void)
{
    static const char flag[] = "\x10\x01\xA0\x80", rgu[] = "\x10\x00\x70\x14", one[] = "\0\0\0\1";
    Device device;
    simple(&device, 0x0766, 0);
    device_start(&device, loop_preloader);
    ask_echo(&device, "\xD4", 1);
    ask_echo(&device, flag, 4);
    ask(&device, one, 4, "\0\0\0\1\0\0", 6);
    ask(&device, "\x44\x4C\x00\xF1", 4, "\x44\x4C\x00\xF1\0\0", 6);
    ask_echo(&device, "\xD4", 1);
    ask_echo(&device, rgu, 4);
    ask(&device, one, 4, "\0\0\0\1\0\0", 6);
    ask_echo(&device, "\0\0\x12\x09", 4);
    g_assert_cmpint(device_end(&device), ==, MK_NEXT_BOOTROM);
    g_assert_cmpuint(device.machine.bootrom_seconds, ==, 60);
}

/* A host that opens the port and says nothing sees READY until the window closes; then the phone starts. */
static void test_window(void)
{
    Device device;
    simple(&device, 0x0766, 0);
    device.model.window_ms = 200;
    gint64 start = g_get_monotonic_time();
    device_start(&device, mk_preloader_run);
    ask(&device, "", 0, "READYREADYREADY", 15);
    g_thread_join(device.thread);
    g_assert_cmpint(device.next, ==, MK_NEXT_BOOT);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 200 * 1000);
    device.thread = g_thread_new("device", device_thread, &device);
    device_end(&device);
}

/* AT commands of a modem manager and other bytes that are no token: the phone starts. */
static void test_garbage_for_a_token(void)
{
    Device device;
    simple(&device, 0x0766, 0);
    device_start(&device, mk_preloader_run);
    device_send(&device, "garbage!", 8);
    uint8_t got[64];
    device_receive(&device, got, 5, QUIET_MS);
    g_thread_join(device.thread);
    g_assert_cmpint(device.next, ==, MK_NEXT_BOOT);
    device.thread = g_thread_new("device", device_thread, &device);
    device_end(&device);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    all = vectors_load();
    replay_add(1, G_N_ELEMENTS(profiles));
    g_test_add_func("/preloader/refuses-long-agent", test_preloader_refuses_long_agent);
    g_test_add_func("/preloader/endless-agent", test_endless_agent_hangs_the_phone);
    g_test_add_func("/preloader/usbdl-flag", test_flag_brings_bootrom);
    g_test_add_func("/preloader/window", test_window);
    g_test_add_func("/preloader/no-token", test_garbage_for_a_token);
    int result = g_test_run();
    g_ptr_array_unref(all);
    return result;
}
