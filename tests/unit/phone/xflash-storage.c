/* Bytes between a host and the storage of a phone with an XFlash agent: packets, acknowledges, checksums, what is refused, what fails late. */
#include "xflash-host.h"

#include "phone/fault-injection.h"

static const HostKind phone_2020 = {.flavour = "2020", .hw_code = 0x766};
static const HostKind phone_ufs = {.flavour = "2020", .hw_code = 0x813, .ufs = true};

static void pattern(uint8_t *data, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 9) + seed);
}

/* READ_DATA whose parameter is accepted. */
static void read_begin(Host *host, uint32_t storage, uint32_t section, uint64_t address, uint64_t length)
{
    host_command(host, MK_XFLASH_READ_DATA);
    host_range(host, storage, section, address, length);
    host_wants(host, 0);
}

static GByteArray *read_all(Host *host, uint32_t storage, uint32_t section, uint64_t address, uint64_t length)
{
    GByteArray *all = g_byte_array_new();
    read_begin(host, storage, section, address, length);
    while (all->len < length) {
        host_wants(host, 0);
        g_autoptr(GByteArray) packet = host_frame(host);
        g_byte_array_append(all, packet->data, packet->len);
        host_send32(host, 0);
    }
    host_wants(host, 0);
    return all;
}

static void write_begin(Host *host, uint32_t storage, uint32_t section, uint64_t address, uint64_t length)
{
    host_command(host, MK_XFLASH_WRITE_DATA);
    host_range(host, storage, section, address, length);
    host_wants(host, 0);
}

/* Vectors 8 to 12 and 19: what was written is on the chip and comes back; packets of the host may be of any size. */
static void test_write_and_read(gconstpointer data)
{
    const HostKind *kind = data;
    uint32_t storage = kind->ufs ? MK_XFLASH_STORAGE_UFS : MK_XFLASH_STORAGE_EMMC;
    uint32_t section = kind->ufs ? MK_XFLASH_UFS_LU2 : MK_XFLASH_EMMC_USER;
    MkRegion region = kind->ufs ? MK_REGION_LU2 : MK_REGION_USER;
    g_autofree uint8_t *bytes = g_malloc(0x18069), *stored = g_malloc(0x18069);
    Host host;
    pattern(bytes, 0x18069, 3);
    host_ready(&host, kind);
    write_begin(&host, storage, section, 0x100000, 0x18069);
    host_packet(&host, bytes, 0x10000, 0);
    host_wants(&host, 0);
    host_packet(&host, bytes + 0x10000, 0x8069, 0);
    host_wants(&host, 0);
    host_wants(&host, 0);
    mk_chip_read(host.device.machine.chip, region, 0x100000, stored, 0x18069);
    g_assert_cmpmem(stored, 0x18069, bytes, 0x18069);
    read_begin(&host, storage, section, 0x100000, 0x18069);
    host_wants(&host, 0);
    g_autoptr(GByteArray) first = host_frame(&host);
    g_assert_cmpmem(first->data, first->len, bytes, 0x10000);
    host_is_quiet(&host); /* until it is acknowledged */
    host_send32(&host, 0);
    host_wants(&host, 0);
    g_autoptr(GByteArray) second = host_frame(&host);
    g_assert_cmpmem(second->data, second->len, bytes + 0x10000, 0x8069);
    host_send32(&host, 0);
    host_wants(&host, 0);
    host_end(&host);
}

/* A host on Windows gets larger packets (spec 12.1). */
static void test_windows_packets(void)
{
    Host host;
    host_begin(&host, &phone_2020);
    host_start_up(&host, 1, MK_XFLASH_OS_WINDOWS);
    host_enter_stage2(&host);
    read_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0, 0x200200);
    host_wants(&host, 0);
    g_autoptr(GByteArray) first = host_frame(&host);
    g_assert_cmphex(first->len, ==, 0x200000);
    host_send32(&host, 0);
    host_wants(&host, 0);
    g_autoptr(GByteArray) second = host_frame(&host);
    g_assert_cmphex(second->len, ==, 0x200);
    host_send32(&host, 0);
    host_wants(&host, 0);
    host_end(&host);
}

/* Both boot areas at once, and each by itself. */
static void test_sections(void)
{
    static const uint8_t text[512] = "PRELOADER";
    Host host;
    host_ready(&host, &phone_2020);
    write_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_BOOT1_BOOT2, 0x800, sizeof text);
    host_packet(&host, text, sizeof text, 0);
    host_wants(&host, 0);
    host_wants(&host, 0);
    for (uint32_t section = MK_XFLASH_EMMC_BOOT1; section <= MK_XFLASH_EMMC_BOOT2; section++) {
        g_autoptr(GByteArray) got = read_all(&host, MK_XFLASH_STORAGE_EMMC, section, 0x800, sizeof text);
        g_assert_cmpmem(got->data, got->len, text, sizeof text);
    }
    host_end(&host);
}

typedef struct {
    const char *name;
    const HostKind *kind;
    uint32_t command, storage, section;
    uint64_t address, length;
    uint32_t status;
} Refusal;

static const Refusal refusals[] = {
    {"write past the end", &phone_2020, MK_XFLASH_WRITE_DATA, 1, 8, HOST_USER - 0x200, 0x400, MK_XFLASH_S_RANGE},
    {"read past the end", &phone_2020, MK_XFLASH_READ_DATA, 1, 8, HOST_USER, 0x400, MK_XFLASH_S_RANGE},
    {"a length that wraps", &phone_2020, MK_XFLASH_READ_DATA, 1, 8, 0x200, UINT64_MAX, MK_XFLASH_S_RANGE},
    {"format past the end", &phone_2020, MK_XFLASH_FORMAT, 1, 8, HOST_USER, 0x400, MK_XFLASH_S_RANGE},
    {"UFS of an eMMC", &phone_2020, MK_XFLASH_WRITE_DATA, 0x30, 8, 0, 0x400, MK_XFLASH_S_STORAGE_MISMATCH},
    {"section 99", &phone_2020, MK_XFLASH_READ_DATA, 1, 99, 0, 0x400, MK_XFLASH_S_UNKNOWN_SECTION},
    {"section 9", &phone_2020, MK_XFLASH_READ_DATA, 1, 9, 0, 0x400, MK_XFLASH_S_UNKNOWN_SECTION},
    {"eMMC of a UFS", &phone_ufs, MK_XFLASH_READ_DATA, 1, 3, 0, 0x1000, MK_XFLASH_S_STORAGE_MISMATCH},
    {"section 8 of a UFS", &phone_ufs, MK_XFLASH_READ_DATA, 0x30, 8, 0, 0x1000, MK_XFLASH_S_UNKNOWN_SECTION},
};

/* Vector 20: one status, and the agent is idle again. */
static void test_refusal(gconstpointer data)
{
    const Refusal *refusal = data;
    Host host;
    host_ready(&host, refusal->kind);
    host_command(&host, refusal->command);
    host_range(&host, refusal->storage, refusal->section, refusal->address, refusal->length);
    host_wants(&host, refusal->status);
    host_is_quiet(&host);
    g_autoptr(GByteArray) version = host_get(&host, MK_XFLASH_GET_DA_VERSION);
    host_end(&host);
}

/* Vector 13, and that the checksum counts only when the host has asked for it in the first stage. */
static void test_checksum(void)
{
    static const uint8_t text[512] = {1, 2, 3};
    uint8_t stored[512];
    Host host;
    host_begin(&host, &phone_2020);
    host_start_up(&host, 1, MK_XFLASH_OS_LINUX);
    g_assert_cmphex(host_set(&host, MK_XFLASH_SET_CHECKSUM_LEVEL, "\1\0\0\0", 4), ==, 0);
    host_enter_stage2(&host);
    write_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0x100000, sizeof text);
    host_packet(&host, text, sizeof text, 7);
    host_wants(&host, MK_XFLASH_S_CHECKSUM);
    host_wants(&host, MK_XFLASH_S_CHECKSUM);
    mk_chip_read(host.device.machine.chip, MK_REGION_USER, 0x100000, stored, sizeof stored);
    g_assert_true(mk_is_blank(stored, sizeof stored));
    write_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0x100000, sizeof text);
    host_packet(&host, text, sizeof text, 6);
    host_wants(&host, 0);
    host_wants(&host, 0);
    host_end(&host);
}

/* Vectors 10 and 14. */
static void test_cancel(void)
{
    Host host;
    host_ready(&host, &phone_2020);
    read_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0, 0x18000);
    host_wants(&host, 0);
    g_autoptr(GByteArray) packet = host_frame(&host);
    host_send32(&host, MK_XFLASH_S_ABORT);
    host_wants(&host, MK_XFLASH_S_ABORT);
    host_is_quiet(&host);
    write_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0x100000, 0x200);
    host_send32(&host, MK_XFLASH_S_ABORT);
    host_wants(&host, MK_XFLASH_S_ABORT);
    host_is_quiet(&host);
    g_autoptr(GByteArray) version = host_get(&host, MK_XFLASH_GET_DA_VERSION);
    host_end(&host);
}

/* Spec agents.md XFlash 3. */
static void test_no_table(void)
{
    static const HostKind kind = {.flavour = "2020", .hw_code = 0x766, .no_table = true};
    Host host;
    host_ready(&host, &kind);
    host_command(&host, MK_XFLASH_WRITE_DATA);
    host_range(&host, 1, 8, 0x100000, 0x200);
    host_wants(&host, MK_XFLASH_S_READ_TABLE_FAILED);
    host_command(&host, MK_XFLASH_UPLOAD);
    host_send(&host, "boot", 4);
    host_wants(&host, MK_XFLASH_S_READ_TABLE_FAILED);
    g_autoptr(GByteArray) read = read_all(&host, 1, 8, 0, 0x200);
    host_end(&host);
}

/* Vector 15. */
static void test_format(void)
{
    uint8_t ones[1024], stored[1024];
    Host host;
    memset(ones, 0xFF, sizeof ones);
    host_ready(&host, &phone_2020);
    mk_chip_write(host.device.machine.chip, MK_REGION_USER, 0x2FFE00, ones, sizeof ones);
    host_command(&host, MK_XFLASH_FORMAT);
    host_range(&host, 1, 8, 0x100000, 0x200000);
    host_wants(&host, 0);
    host_wants(&host, MK_XFLASH_S_CONTINUE);
    host_wants(&host, 100);
    host_is_quiet(&host);
    host_send32(&host, 0);
    host_wants(&host, MK_XFLASH_S_COMPLETE);
    mk_chip_read(host.device.machine.chip, MK_REGION_USER, 0x2FFE00, stored, sizeof stored);
    g_assert_cmpuint(stored[511], ==, 0);
    g_assert_cmpuint(stored[512], ==, 0xFF);
    host_command(&host, MK_XFLASH_FORMAT);
    host_range(&host, 1, 8, 0x100000, 0x200000);
    host_wants(&host, 0);
    host_wants(&host, MK_XFLASH_S_CONTINUE);
    host_wants(&host, 100);
    host_send32(&host, 1);
    host_wants(&host, MK_XFLASH_S_ABORT);
    host_end(&host);
}

/* --- what fails late (vector 24) ---------------------------------------------------------------------------------------------- */

/* Which of three packets of 2 MiB cannot be written, and the statuses from then on. */
static void test_late_write_error(gconstpointer data)
{
    unsigned worn = GPOINTER_TO_UINT(data);
    static uint8_t packet[0x200000];
    Host host;
    host_ready(&host, &phone_2020);
    mk_chip_inject_worn(host.device.machine.chip, MK_REGION_USER, 0x1000000 + worn * sizeof packet + 0x400, 512);
    write_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0x1000000, 3 * sizeof packet);
    for (unsigned i = 0; i < 3; i++) {
        host_packet(&host, packet, sizeof packet, 0);
        host_wants(&host, worn == 0 && i == 2 ? MK_XFLASH_S_MMC : 0);
    }
    host_wants(&host, MK_XFLASH_S_MMC);
    host_is_quiet(&host);
    g_autoptr(GByteArray) detail = host_get(&host, MK_XFLASH_GET_ERROR_DETAIL);
    g_assert_cmpstr((char *)detail->data, ==, "write");
    host_end(&host);
}

static void test_read_error(void)
{
    Host host;
    host_ready(&host, &phone_2020);
    mk_chip_inject_worn(host.device.machine.chip, MK_REGION_USER, 0x10200, 512);
    read_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0x10000, 0x30000);
    host_wants(&host, MK_XFLASH_S_MMC);
    host_is_quiet(&host);
    /* The second packet: its error overtakes the first. */
    read_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0, 0x30000);
    host_wants(&host, MK_XFLASH_S_MMC);
    host_wants(&host, MK_XFLASH_S_MMC);
    host_is_quiet(&host);
    g_autoptr(GByteArray) version = host_get(&host, MK_XFLASH_GET_DA_VERSION);
    host_end(&host);
}

/* An injected status at the second packet. */
static void test_packet_fault(void)
{
    static const uint8_t packet[512];
    Host host;
    host_ready(&host, &phone_2020);
    MkFaults *faults = mk_faults_new(&host.device.machine);
    g_assert_true(mk_faults_add(faults, "status=2:0xC0020004", NULL));
    g_assert_false(mk_faults_add(faults, "status=0:0xC0020004", NULL));
    mk_faults_settle(faults);
    write_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0x100000, 4 * sizeof packet);
    host_packet(&host, packet, sizeof packet, 0);
    host_wants(&host, 0);
    host_packet(&host, packet, sizeof packet, 0);
    host_wants(&host, MK_XFLASH_S_DOWNLOAD_FORBIDDEN);
    host_wants(&host, MK_XFLASH_S_DOWNLOAD_FORBIDDEN);
    mk_faults_free(faults);
    host_end(&host);
}

/* More than the agent has room for is not taken: the stream is out of step and the agent deaf (spec 2.4). */
static void test_too_large_packet(void)
{
    static const uint32_t header[] = {GUINT32_TO_LE(MK_XFLASH_MAGIC), GUINT32_TO_LE(1), GUINT32_TO_LE(0x200200)};
    static const uint8_t begin_of_packet[0x1000];
    Host host;
    host_ready(&host, &phone_2020);
    write_begin(&host, MK_XFLASH_STORAGE_EMMC, MK_XFLASH_EMMC_USER, 0x1000000, 0x200200);
    host_send32(&host, 0);
    host_send32(&host, 0);
    device_send(&host.device, header, sizeof header);
    device_send(&host.device, begin_of_packet, sizeof begin_of_packet);
    host_wants(&host, MK_XFLASH_S_PROTOCOL_OVERFLOW);
    host_wants(&host, MK_XFLASH_S_PROTOCOL_OVERFLOW);
    host_send32(&host, MK_XFLASH_DEVICE_CTRL);
    host_is_quiet(&host);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_HALT);
}

/* --- by name -------------------------------------------------------------------------------------------------------------------- */

static uint32_t download_begin(Host *host, const char *name, uint64_t length)
{
    uint64_t raw = GUINT64_TO_LE(length);
    host_command(host, MK_XFLASH_DOWNLOAD);
    host_send(host, name, strlen(name));
    host_send(host, &raw, sizeof raw);
    return host_frame32(host);
}

/* Vectors 17 to 19. */
static void test_names(void)
{
    static uint8_t image[0x20200];
    Host host;
    host_ready(&host, &phone_2020);
    pattern(image, sizeof image, 1);
    g_assert_cmphex(download_begin(&host, "nosuch", 0x400), ==, MK_XFLASH_S_PARTITION_NOT_FOUND);
    g_assert_cmphex(download_begin(&host, "proinfo", sizeof image), ==, 0);
    host_packet(&host, image, sizeof image, 0);
    host_wants(&host, 0);
    host_wants(&host, MK_XFLASH_S_TOO_LARGE);
    g_assert_cmphex(download_begin(&host, "proinfo", 0x20000), ==, 0);
    host_packet(&host, image, 0x20000, 0);
    host_wants(&host, 0);
    host_wants(&host, 0);
    host_command(&host, MK_XFLASH_UPLOAD);
    host_send(&host, "proinfo", 7);
    host_wants(&host, 0);
    g_autoptr(GByteArray) size = host_frame(&host);
    g_assert_cmpmem(size->data, size->len, "\0\0\2\0\0\0\0\0", 8);
    for (unsigned i = 0; i < 2; i++) {
        host_wants(&host, 0);
        g_autoptr(GByteArray) packet = host_frame(&host);
        g_assert_cmpmem(packet->data, packet->len, image + i * 0x10000, 0x10000);
        host_send32(&host, 0);
    }
    host_wants(&host, 0);
    host_end(&host);
}

/* Vector 16. */
static void test_format_partition(void)
{
    uint8_t stored[0x80000 + 512];
    Host host;
    host_ready(&host, &phone_2020);
    memset(stored, 0xAA, sizeof stored);
    mk_chip_write(host.device.machine.chip, MK_REGION_USER, 0x40000, stored, sizeof stored);
    host_command(&host, MK_XFLASH_FORMAT_PARTITION);
    host_send(&host, "nosuch", 6);
    host_wants(&host, MK_XFLASH_S_PARTITION_NOT_FOUND);
    host_command(&host, MK_XFLASH_FORMAT_PARTITION);
    host_send(&host, "misc", 4);
    host_wants(&host, MK_XFLASH_S_CONTINUE);
    host_wants(&host, 100);
    host_send32(&host, 0);
    host_wants(&host, MK_XFLASH_S_COMPLETE);
    mk_chip_read(host.device.machine.chip, MK_REGION_USER, 0x40000, stored, sizeof stored);
    g_assert_true(mk_is_blank(stored, 0x80000));
    g_assert_cmphex(stored[0x80000], ==, 0xAA);
    host_end(&host);
}

/* Vector 25: RAW, hole, FILL, RAW, cut anywhere; the partition is erased first. */
static void test_sparse(void)
{
    g_autoptr(GByteArray) image = g_byte_array_new();
    static const uint32_t heads[] = {0xED26FF3A, 1, 12 << 16 | 28, 4096, 5, 4, 0};
    static const uint32_t chunks[][3] = {
        {0xCAC1, 1, 12 + 4096}, {0xCAC3, 2, 12}, {0xCAC2, 1, 16}, {0xCAC1, 1, 12 + 4096}};
    static const uint8_t wanted[] = {0x41, 0, 0, 0x11, 0x44};
    uint8_t old[0x6000];
    for (unsigned i = 0; i < G_N_ELEMENTS(heads); i++)
        mk_put_le32(image, heads[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(chunks); i++) {
        for (unsigned k = 0; k < 3; k++)
            mk_put_le32(image, chunks[i][k]);
        if (chunks[i][0] == 0xCAC1)
            mk_put_fill(image, (uint8_t)(0x41 + i), 4096);
        if (chunks[i][0] == 0xCAC2)
            mk_put_le32(image, 0x11111111);
    }
    Host host;
    host_ready(&host, &phone_2020);
    memset(old, 0x77, sizeof old);
    mk_chip_write(host.device.machine.chip, MK_REGION_USER, 0x800000, old, sizeof old);
    g_assert_cmphex(download_begin(&host, "system", image->len), ==, 0);
    host_packet(&host, image->data, 4199, 0);
    host_wants(&host, 0);
    host_packet(&host, image->data + 4199, image->len - 4199, 0);
    host_wants(&host, 0);
    host_wants(&host, 0);
    mk_chip_read(host.device.machine.chip, MK_REGION_USER, 0x800000, old, sizeof old);
    for (unsigned i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmphex(old[i * 4096 + 99], ==, wanted[i]);
    g_assert_cmphex(old[5 * 4096], ==, 0);
    /* Cut short, and with a chunk of no known kind. */
    g_assert_cmphex(download_begin(&host, "system", 4199), ==, 0);
    host_packet(&host, image->data, 4199, 0);
    host_wants(&host, 0);
    host_wants(&host, MK_XFLASH_S_SPARSE_INCOMPLETE);
    image->data[28] = 0xC9;
    g_assert_cmphex(download_begin(&host, "system", image->len), ==, 0);
    host_packet(&host, image->data, image->len, 0);
    host_wants(&host, 0);
    host_wants(&host, MK_XFLASH_S_UNKNOWN_SPARSE_CHUNK);
    host_end(&host);
}

/* The header is made, and an error without START_DL_INFO although all was written (spec 13.4). */
static void test_preloader(void)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    uint8_t stored[0x1000];
    Host host;
    mk_put_text(file, "MMM\1\x38", 8);
    mk_put_text(file, "FILE_INFO", 12);
    mk_put_fill(file, 0, 0x24 - file->len);
    mk_put_le32(file, 0x40000);
    mk_put_fill(file, 0x5A, 0x800 - file->len);
    host_ready(&host, &phone_2020);
    for (unsigned announced = 0; announced < 2; announced++) {
        if (announced) {
            host_control(&host, MK_XFLASH_START_DL_INFO);
            host_wants(&host, 0);
            host_wants(&host, 0);
        }
        g_assert_cmphex(download_begin(&host, "preloader", file->len), ==, 0);
        host_packet(&host, file->data, file->len, 0);
        host_wants(&host, 0);
        host_wants(&host, announced ? 0 : MK_XFLASH_S_ERROR);
        mk_chip_read(host.device.machine.chip, MK_REGION_BOOT1, 0, stored, sizeof stored);
        g_assert_cmpmem(stored, 10, "EMMC_BOOT", 10);
        g_assert_cmpmem(stored + 0x800, 0x800, file->data, 0x800);
    }
    host_end(&host);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/xflash-storage/write-and-read/emmc", &phone_2020, test_write_and_read);
    g_test_add_data_func("/xflash-storage/write-and-read/ufs", &phone_ufs, test_write_and_read);
    g_test_add_func("/xflash-storage/windows-packets", test_windows_packets);
    g_test_add_func("/xflash-storage/sections", test_sections);
    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *name = g_strdup_printf("/xflash-storage/refusal/%s", refusals[i].name);
        g_test_add_data_func(name, &refusals[i], test_refusal);
    }
    g_test_add_func("/xflash-storage/checksum", test_checksum);
    g_test_add_func("/xflash-storage/cancel", test_cancel);
    g_test_add_func("/xflash-storage/no-table", test_no_table);
    g_test_add_func("/xflash-storage/format", test_format);
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *name = g_strdup_printf("/xflash-storage/late-write-error/%u", i);
        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_late_write_error);
    }
    g_test_add_func("/xflash-storage/read-error", test_read_error);
    g_test_add_func("/xflash-storage/packet-fault", test_packet_fault);
    g_test_add_func("/xflash-storage/too-large-packet", test_too_large_packet);
    g_test_add_func("/xflash-storage/names", test_names);
    g_test_add_func("/xflash-storage/format-partition", test_format_partition);
    g_test_add_func("/xflash-storage/sparse", test_sparse);
    g_test_add_func("/xflash-storage/preloader", test_preloader);
    return g_test_run();
}
