/* What a host that follows the specification gets from the XFlash agent of a virtual phone: start, stages, questions, the way out. */
#include "xflash-host.h"

static const HostKind phone_2020 = {.flavour = "2020", .hw_code = 0x766};

#define assert_bytes(FRAME, ...)                                                                                       \
    g_assert_cmpmem((FRAME)->data, (FRAME)->len, ((const uint8_t[]){__VA_ARGS__}),                                     \
                    sizeof((const uint8_t[]){__VA_ARGS__}))

static GByteArray *settings(unsigned version, const char *storage)
{
    GByteArray *blob = g_byte_array_new();
    g_autofree char *mark = g_strdup_printf("MTK_BLOADER_INFO_v%02u", version);
    mk_put_text(blob, mark, 0x6C);
    mk_put_le32(blob, 1);
    mk_put_le32(blob, 0);
    mk_put_le32(blob, 0x206);
    mk_put_le32(blob, 9);
    mk_put_le32(blob, 0);
    mk_put_text(blob, storage, 16);
    mk_put_fill(blob, 0, 0x110 - blob->len);
    return blob;
}

static uint32_t init_ram(Host *host, const GByteArray *blob)
{
    host_command(host, MK_XFLASH_INIT_EXT_RAM);
    host_send32(host, blob->len);
    host_send(host, blob->data, blob->len);
    return host_frame32(host);
}

/* Vectors 1, 2, 4, 6: from BootROM to the second stage. */
static void test_from_bootrom(void)
{
    static const HostKind kind = {.flavour = "2020", .hw_code = 0x766, .from_rom = true};
    Host host;
    host_begin(&host, &kind);
    host_start_up(&host, 1, MK_XFLASH_OS_LINUX);
    g_autoptr(GByteArray) agent = host_get(&host, MK_XFLASH_GET_CONNECTION_AGENT);
    assert_bytes(agent, 'b', 'r', 'o', 'm');
    g_autoptr(GByteArray) length = host_get(&host, MK_XFLASH_GET_PACKET_LENGTH);
    assert_bytes(length, 0, 0x10, 0, 0, 0, 0x10, 0, 0);
    /* Without DRAM there is nothing to load a second stage into. */
    g_assert_cmphex(host_boot(&host, host.stage2, sizeof host.stage2), ==, MK_XFLASH_S_HASH_MISMATCH);
    g_autoptr(GByteArray) older = settings(20, "\x15\x01");
    g_autoptr(GByteArray) other = settings(35, "\x90\x01JHYNIX");
    g_autoptr(GByteArray) right = settings(35, "\x15\x01");
    memcpy(right->data + 0x80, host.device.model.cid, 9);
    g_assert_cmphex(init_ram(&host, older), ==, MK_XFLASH_S_EMI_VERSION);
    g_assert_cmphex(init_ram(&host, other), ==, MK_XFLASH_S_DRAM_TEST_FAILED);
    g_assert_cmphex(init_ram(&host, right), ==, 0);
    host_enter_stage2(&host);
    host_end(&host);
}

/* Vector 5: a second stage that the first does not know is refused, and the first goes on. */
static void test_hash(void)
{
    Host host;
    host_begin(&host, &phone_2020);
    host_start_up(&host, 1, MK_XFLASH_OS_LINUX);
    host.stage2[100] ^= 1;
    g_assert_cmphex(host_boot(&host, host.stage2, sizeof host.stage2), ==, MK_XFLASH_S_HASH_MISMATCH);
    host.stage2[100] ^= 1;
    /* With its signature it is another file. */
    g_autofree uint8_t *with_signature = g_malloc0(sizeof host.stage2 + 0x100);
    memcpy(with_signature, host.stage2, sizeof host.stage2);
    g_assert_cmphex(host_boot(&host, with_signature, sizeof host.stage2 + 0x100), ==, MK_XFLASH_S_HASH_MISMATCH);
    host_enter_stage2(&host);
    host_end(&host);
}

/* Which command is there in which stage (spec 5.1), and what an unknown one gets. */
static void test_stages(void)
{
    static const uint32_t stage1_refuses[] = {
        MK_XFLASH_DOWNLOAD,         MK_XFLASH_UPLOAD, MK_XFLASH_FORMAT, MK_XFLASH_WRITE_DATA,
        MK_XFLASH_FORMAT_PARTITION, 0x12345,          0x10010};
    static const uint32_t stage2_refuses[] = {MK_XFLASH_INIT_EXT_RAM, MK_XFLASH_SRAM_WRITE_TEST,
                                              MK_XFLASH_SETUP_ENVIRONMENT, 0x12345, 0x10010};
    Host host;
    host_begin(&host, &phone_2020);
    host_start_up(&host, 1, MK_XFLASH_OS_LINUX);
    for (unsigned i = 0; i < G_N_ELEMENTS(stage1_refuses); i++) {
        host_send32(&host, stage1_refuses[i]);
        host_wants(&host, MK_XFLASH_S_UNSUPPORTED_COMMAND);
    }
    host_enter_stage2(&host);
    for (unsigned i = 0; i < G_N_ELEMENTS(stage2_refuses); i++) {
        host_send32(&host, stage2_refuses[i]);
        host_wants(&host, MK_XFLASH_S_UNSUPPORTED_COMMAND);
    }
    host_end(&host);
}

/* Which control code is there in which stage (spec 6.1). */
static void test_controls(void)
{
    static const uint32_t stage1_refuses[] = {MK_XFLASH_GET_NAND_INFO, MK_XFLASH_GET_RANDOM_ID,
                                              MK_XFLASH_GET_EXPIRE_DATE, MK_XFLASH_SET_META_BOOT_MODE,
                                              MK_XFLASH_START_DL_INFO};
    static const uint32_t stage2_refuses[] = {MK_XFLASH_GET_CONNECTION_AGENT, MK_XFLASH_SET_CHECKSUM_LEVEL,
                                              MK_XFLASH_SET_RESET_KEY,        MK_XFLASH_GET_EXPIRE_DATE,
                                              MK_XFLASH_SLA_ENABLED_STATUS,   MK_XFLASH_SET_HOST_INFO,
                                              MK_XFLASH_SET_CERT_FILE,        MK_XFLASH_DISABLE_SPARSE_ERASE};
    Host host;
    host_begin(&host, &phone_2020);
    host_start_up(&host, 1, MK_XFLASH_OS_LINUX);
    for (unsigned i = 0; i < G_N_ELEMENTS(stage1_refuses); i++) {
        host_control(&host, stage1_refuses[i]);
        host_wants(&host, MK_XFLASH_S_UNSUPPORTED_CONTROL);
    }
    g_assert_cmphex(host_set(&host, MK_XFLASH_SET_CHECKSUM_LEVEL, "\1\0\0\0", 4), ==, 0);
    g_assert_cmphex(host_set(&host, MK_XFLASH_SET_RESET_KEY, "\x68\0\0\0", 4), ==, 0);
    host_enter_stage2(&host);
    for (unsigned i = 0; i < G_N_ELEMENTS(stage2_refuses); i++) {
        host_control(&host, stage2_refuses[i]);
        host_wants(&host, MK_XFLASH_S_UNSUPPORTED_CONTROL);
    }
    host_end(&host);
}

/* Sizes and places of what is told (spec 11). */
static void test_reports(void)
{
    Host host;
    host_ready(&host, &phone_2020);
    g_autoptr(GByteArray) emmc = host_get(&host, MK_XFLASH_GET_EMMC_INFO);
    g_assert_cmpuint(emmc->len, ==, 0x68);
    g_assert_cmphex(mk_le32(emmc->data), ==, 1);
    g_assert_cmphex(mk_le64(emmc->data + 8), ==, 0x400000);
    g_assert_cmphex(mk_le64(emmc->data + 64), ==, HOST_USER);
    g_assert_cmpmem(emmc->data + 72, 16, host.device.model.cid, 16);
    g_autoptr(GByteArray) ufs = host_get(&host, MK_XFLASH_GET_UFS_INFO);
    g_assert_cmpuint(ufs->len, ==, 0xD0);
    g_assert_cmphex(mk_le32(ufs->data), ==, 0);
    g_autoptr(GByteArray) chip = host_get(&host, MK_XFLASH_GET_CHIP_ID);
    assert_bytes(chip, 0x66, 0x07, 0, 0x8A, 0, 0xCA, 0, 0, 0, 0, 0, 0);
    g_autoptr(GByteArray) length = host_get(&host, MK_XFLASH_GET_PACKET_LENGTH);
    assert_bytes(length, 0, 0, 0x20, 0, 0, 0, 1, 0);
    g_autoptr(GByteArray) version = host_get(&host, MK_XFLASH_GET_DA_VERSION);
    assert_bytes(version, '1', '.', '0');
    g_autoptr(GByteArray) info = host_get(&host, MK_XFLASH_GET_DEV_FW_INFO);
    assert_bytes(info, 0x12, 0x34, 0x56, 0x78);
    /* Where nothing can be told there is a status and nothing behind it, but for the battery. */
    host_control(&host, MK_XFLASH_GET_OTP_LOCK_STATUS);
    host_wants(&host, 0);
    host_wants(&host, MK_XFLASH_S_PARTITION_NOT_FOUND);
    host_control(&host, MK_XFLASH_GET_BATTERY_VOLTAGE);
    host_wants(&host, 0);
    host_wants(&host, 0);
    host_wants(&host, MK_XFLASH_S_UNSUPPORTED_OPERATION);
    host_is_quiet(&host);
    host_end(&host);
}

static void test_ufs(void)
{
    static const HostKind kind = {.flavour = "2020", .hw_code = 0x813, .ufs = true};
    Host host;
    host_ready(&host, &kind);
    g_autoptr(GByteArray) ufs = host_get(&host, MK_XFLASH_GET_UFS_INFO);
    g_assert_cmphex(mk_le32(ufs->data), ==, 0x30);
    g_assert_cmpuint(mk_le32(ufs->data + 4), ==, 4096);
    g_assert_cmphex(mk_le64(ufs->data + 8), ==, 0x400000);
    g_assert_cmphex(mk_le64(ufs->data + 24), ==, HOST_USER);
    g_assert_cmpmem(ufs->data + 34, 15, "KM2V8001CM-B707", 15);
    g_autoptr(GByteArray) emmc = host_get(&host, MK_XFLASH_GET_EMMC_INFO);
    g_assert_cmphex(mk_le32(emmc->data), ==, 0);
    host_end(&host);
}

/* How worn the storage says it is, as a number and as the status of the check (spec 6.1). */
static void test_life(void)
{
    static const struct {
        uint8_t a, eol;
        uint32_t number, status;
    } cases[] = {{0, 0, MK_XFLASH_LIFE_UNDEFINED, 0},
                 {1, 1, MK_XFLASH_LIFE_NORMAL, 0},
                 {10, 1, MK_XFLASH_LIFE_WARNING, MK_XFLASH_S_LIFE_WARNING},
                 {2, 2, MK_XFLASH_LIFE_WARNING, MK_XFLASH_S_LIFE_WARNING},
                 {11, 1, MK_XFLASH_LIFE_END, MK_XFLASH_S_LIFE_EXHAUSTED}};
    Host host;
    host_ready(&host, &phone_2020);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        host.device.model.life_a = cases[i].a;
        host.device.model.pre_eol = cases[i].eol;
        g_autoptr(GByteArray) emmc = host_get(&host, MK_XFLASH_GET_EMMC_INFO);
        g_assert_cmpuint(emmc->data[96], ==, cases[i].eol);
        g_assert_cmpuint(emmc->data[97], ==, cases[i].a);
        g_assert_cmpuint(mk_le32(emmc->data + 100), ==, cases[i].number);
        host_control(&host, MK_XFLASH_STOR_LIFE_CYCLE_CHECK);
        host_wants(&host, 0);
        host_wants(&host, cases[i].status);
    }
    host_end(&host);
}

/* A log that goes to the USB lies between the frames (spec 2.1, vector 22). */
static void test_log(void)
{
    Host host;
    host_begin(&host, &phone_2020);
    host_start_up(&host, MK_XFLASH_LOG_TO_USB, MK_XFLASH_OS_LINUX);
    host_send32(&host, MK_XFLASH_DEVICE_CTRL);
    uint8_t header[12];
    g_assert_cmpuint(device_receive(&host.device, header, sizeof header, 5000), ==, 12);
    g_assert_cmpuint(mk_le32(header + 4), ==, MK_XFLASH_FRAME_LOG);
    uint8_t text[256];
    g_assert_cmpuint(device_receive(&host.device, text, mk_le32(header + 8), 5000), >, 4);
    g_assert_cmpuint(mk_le32(text), ==, 1);
    host_wants(&host, 0);
    host_end(&host);
}

/* What ends the loop for good: no magic, or more than a command (spec 2.4). */
static void test_bad_frames(void)
{
    Host host;
    host_ready(&host, &phone_2020);
    device_send(&host.device, "twelve bytes", 12);
    host_send32(&host, MK_XFLASH_DEVICE_CTRL);
    host_is_quiet(&host);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_HALT);
    host_ready(&host, &phone_2020);
    host_send(&host, "\x09\0\1\0\x0D\0\4\0", 8);
    host_is_quiet(&host);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_HALT);
    host_begin(&host, &phone_2020);
    host_send32(&host, 0x12345678); /* not SYNC */
    device_settle(&host.device);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_HALT);
}

typedef struct {
    const char *name, *flavour;
    uint8_t length, apply, boot, stays, meta;
    MkNext next;
} Way;

static const Way ways[] = {
    {"restart", "2020", 24, 1, 0, 0, 0, MK_NEXT_RESET},     {"home", "2020", 24, 1, 1, 0, 0, MK_NEXT_RESET},
    {"fastboot", "2020", 24, 1, 2, 0, 0, MK_NEXT_FASTBOOT}, {"download", "2020", 24, 1, 0, 1, 0, MK_NEXT_DOWNLOAD},
    {"meta", "2020", 24, 1, 0, 0, 1, MK_NEXT_META},         {"stay", "2020", 24, 0, 0, 0, 0, MK_NEXT_HALT},
    {"28 in 2020", "2020", 28, 1, 0, 0, 0, MK_NEXT_HALT},   {"32 in 2020", "2020", 32, 1, 0, 0, 0, MK_NEXT_HALT},
    {"28 in 2025", "2025", 28, 1, 0, 0, 0, MK_NEXT_RESET},  {"32 in 2025", "2025", 32, 1, 0, 0, 0, MK_NEXT_HALT},
};

/* The ways out, and the length that an agent understands (spec 15, vectors 21 and 23). The status is 0 in any case. */
static void test_shutdown(gconstpointer data)
{
    const Way *way = data;
    HostKind kind = {.flavour = way->flavour, .hw_code = 0x766};
    uint8_t block[32] = {way->apply, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, way->boot, 0, 0, 0, way->stays, 0, 0, 0, 1};
    Host host;
    host_ready(&host, &kind);
    if (way->meta)
        g_assert_cmphex(host_set(&host, MK_XFLASH_SET_META_BOOT_MODE, "\1\2\0", 3), ==, 0);
    host_command(&host, MK_XFLASH_SHUTDOWN);
    host_send(&host, block, way->length);
    host_wants(&host, 0);

    g_assert_cmpint(host_end(&host), ==, way->next);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xflash/from-bootrom", test_from_bootrom);
    g_test_add_func("/xflash/hash", test_hash);
    g_test_add_func("/xflash/stages", test_stages);
    g_test_add_func("/xflash/controls", test_controls);
    g_test_add_func("/xflash/reports", test_reports);
    g_test_add_func("/xflash/ufs", test_ufs);
    g_test_add_func("/xflash/life", test_life);
    g_test_add_func("/xflash/log", test_log);
    g_test_add_func("/xflash/bad-frames", test_bad_frames);
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *name = g_strdup_printf("/xflash/shutdown/%s", ways[i].name);
        g_test_add_data_func(name, &ways[i], test_shutdown);
    }
    return g_test_run();
}
