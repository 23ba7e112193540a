/* Images by their content: sparse files of all chunk kinds, boot images, preloaders, file systems, NVRAM. */
#include "core/bytes.h"
#include "core/fault.h"
#include "core/hash.h"
#include "image/image.h"
#include "phone/content-private.h"

#include <glib/gstdio.h>
#include <string.h>

/* --- sparse ------------------------------------------------------------------------------------------------------------------ */

#define BLOCK 4096u

static void put_chunk(GByteArray *file, uint16_t kind, uint32_t blocks, const void *data, uint32_t length)
{
    mk_put_le16(file, kind);
    mk_put_le16(file, 0);
    mk_put_le32(file, blocks);
    mk_put_le32(file, 12 + length);
    if (length)
        g_byte_array_append(file, data, length);
}

/* Raw, fill, don't care, and the sum of it all if CRC. */
static GByteArray *sparse_file(bool crc)
{
    GByteArray *file = g_byte_array_new();
    uint8_t raw[BLOCK], filled[BLOCK];
    for (unsigned i = 0; i < BLOCK; i++) {
        raw[i] = (uint8_t)(i * 3);
        filled[i] = (uint8_t) "\x11\x22\x33\x44"[i % 4];
    }
    mk_put_le32(file, 0xED26FF3A);
    mk_put_le16(file, 1);
    mk_put_le16(file, 0);
    mk_put_le16(file, 28);
    mk_put_le16(file, 12);
    mk_put_le32(file, BLOCK);
    mk_put_le32(file, 4);
    mk_put_le32(file, crc ? 4 : 3);
    mk_put_le32(file, 0);
    put_chunk(file, 0xCAC1, 1, raw, BLOCK);
    put_chunk(file, 0xCAC2, 2, "\x11\x22\x33\x44", 4);
    put_chunk(file, 0xCAC3, 1, NULL, 0);
    if (crc) {
        static const uint8_t zeros[BLOCK];
        uint32_t sum = mk_crc32(0, raw, BLOCK);
        sum = mk_crc32(sum, filled, BLOCK);
        sum = mk_crc32(sum, filled, BLOCK);
        sum = mk_crc32(sum, zeros, BLOCK);
        uint8_t bytes[] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16), (uint8_t)(sum >> 24)};
        put_chunk(file, 0xCAC4, 0, bytes, 4);
    }
    return file;
}

static void test_sparse_read(void)
{
    g_autoptr(GByteArray) file = sparse_file(false);
    g_autoptr(MkStore) store = mk_store_memory_new(file->data, file->len);
    g_autoptr(GError) error = NULL;
    g_autoptr(MkImage) image = mk_image_sparse_new(store, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(image->size, ==, 4 * BLOCK);
    g_assert_cmpuint(mk_image_payload(image), ==, 3 * BLOCK); /* the hole travels not */
    uint8_t data[8];
    g_assert_true(mk_image_read(image, BLOCK - 4, data, sizeof data, &error));
    g_assert_cmphex(data[0], ==, (uint8_t)((BLOCK - 4) * 3));
    g_assert_cmpmem(data + 4, 4, "\x11\x22\x33\x44", 4);
    g_assert_true(mk_image_read(image, 3 * BLOCK, data, sizeof data, &error));
    g_assert_cmpmem(data, 8, "\0\0\0\0\0\0\0\0", 8);
}

static void test_sparse_crc(void)
{
    g_autoptr(GByteArray) file = sparse_file(true);
    g_autoptr(MkStore) good = mk_store_memory_new(file->data, file->len);
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_assert_true(mk_sparse_check(good, findings, NULL, NULL));
    g_assert_cmpint(mk_findings_worst(findings), ==, MK_SEVERITY_NOTE);
    file->data[28 + 12 + 100] ^= 1;
    g_autoptr(MkStore) bad = mk_store_memory_new(file->data, file->len);
    g_autoptr(GPtrArray) complaints = mk_findings_new();
    mk_sparse_check(bad, complaints, NULL, NULL);
    g_assert_cmpint(mk_findings_worst(complaints), >, MK_SEVERITY_NOTE);
}

static void test_sparse_write(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "medik-sparse-XXXXXX", NULL);
    g_autofree uint8_t *data = g_malloc0(16 * BLOCK);
    memset(data + 3 * BLOCK, 0x5A, BLOCK);
    memset(data + 9 * BLOCK + 17, 0xC3, 100);
    g_autoptr(GBytes) bytes = g_bytes_new(data, 16 * BLOCK);
    g_autoptr(MkImage) image = mk_image_bytes_new(bytes);
    g_autoptr(GError) error = NULL;
    int fd = g_mkstemp(path);
    g_close(fd, NULL);
    g_unlink(path);
    g_assert_true(mk_sparse_write(image, path, true, NULL, &error));
    MkContent content;
    g_autoptr(MkImage) again = mk_image_open(path, &content, &error);
    g_assert_no_error(error);
    g_assert_cmpint(content, ==, MK_CONTENT_SPARSE);
    g_autofree uint8_t *read = g_malloc(16 * BLOCK);
    g_assert_true(mk_image_read(again, 0, read, 16 * BLOCK, &error));
    g_assert_cmpmem(read, 16 * BLOCK, data, 16 * BLOCK);
    g_assert_false(mk_sparse_write(image, path, true, NULL, &error)); /* never overwrites */
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
    g_unlink(path);
}

/* Runs of one word cost nothing, also when they come from a plain file. */
static void test_sparse_fill(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "medik-sparse-fill-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_unlink(path);
    size_t size = (3u << 20) + 100;
    g_autofree uint8_t *data = g_malloc0(size);
    for (size_t i = 0; i < 8192; i++)
        data[i] = data[(2u << 20) + i] = (uint8_t)(7 * i + 1);
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    g_autoptr(MkImage) image = mk_image_bytes_new(bytes);
    g_assert_true(mk_sparse_write(image, path, true, NULL, NULL));
    g_autoptr(MkStore) store = mk_store_file_open(path, false, NULL);
    g_assert_cmpuint(store->size, <, 25000);
    g_assert_true(mk_sparse_check(store, NULL, NULL, NULL));
    g_autoptr(MkImage) again = mk_image_sparse_new(store, NULL, NULL);
    g_autofree uint8_t *read = g_malloc(size);
    g_assert_true(mk_image_read(again, 0, read, size, NULL));
    g_assert_cmpmem(read, size, data, size);
    g_unlink(path);
}

static void test_sparse_hostile(void)
{
    g_autoptr(GByteArray) file = sparse_file(true);
    for (guint cut = 0; cut < file->len; cut += 97) {
        g_autoptr(MkStore) store = mk_store_memory_new(file->data, cut);
        g_autoptr(MkImage) image = mk_image_sparse_new(store, NULL, NULL);
        g_assert_true(!image || image->size <= 4 * BLOCK);
    }
}

/* --- what a file is -------------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *partition;
    MkContent content;
} Kind;

static const Kind kinds[] = {{"preloader", MK_CONTENT_PRELOADER}, {"boot", MK_CONTENT_BOOT},
                             {"recovery", MK_CONTENT_BOOT},       {"lk", MK_CONTENT_MTK_HEADER},
                             {"logo", MK_CONTENT_MTK_HEADER},     {"system", MK_CONTENT_EXT4}};

static void test_identify(void)
{
    g_autoptr(MkModel) model = mk_model_load("mt6577-9300", NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GBytes) bytes = mk_make_image(model, kinds[i].partition, NULL);
        g_autoptr(MkStore) store = mk_store_memory_new(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
        MkContent content;
        g_assert_true(mk_identify(store, &content, NULL));
        g_assert_cmpint(content, ==, kinds[i].content);
    }
}

static void test_boot_image(void)
{
    g_autoptr(MkModel) model = mk_model_load("mt6577-9300", NULL);
    g_autoptr(GBytes) bytes = mk_make_boot(model, true, true), plain = mk_make_boot(model, false, false);
    g_autoptr(MkStore) store = mk_store_memory_new(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_autoptr(MkStore) other = mk_store_memory_new(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain));
    MkBootInfo info;
    g_assert_true(mk_boot_parse(store, &info, NULL));
    g_assert_cmpstr(info.kernel_mtk, ==, "KERNEL");
    g_assert_cmpstr(info.ramdisk_mtk, ==, "RECOVERY");
    g_assert_cmpuint(info.kernel_mtk_size + 512, ==, info.kernel_size);
    g_assert_cmpuint(info.page_size, ==, 2048);
    g_assert_true(mk_boot_parse(other, &info, NULL));
    g_assert_cmpstr(info.kernel_mtk, ==, "");
}

static void test_preloader(void)
{
    g_autoptr(GPtrArray) ids = mk_model_list();
    for (guint i = 0; i < ids->len; i++) {
        g_autoptr(MkModel) model = mk_model_load(ids->pdata[i], NULL);
        g_autoptr(GBytes) bytes = mk_make_preloader(model);
        g_autoptr(GError) error = NULL;
        g_autoptr(MkPreloader) preloader = mk_preloader_parse(bytes, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(preloader->project, ==, model->project);
        g_assert_cmpint(preloader->emi_version, ==, (int)model->emi_version);
        g_assert_cmpuint(preloader->emi_records, ==, 1);
        g_assert_cmpuint(preloader->file_length, ==, g_bytes_get_size(bytes));
    }
}

/* The header that BootROM looks for, as genuine agents write it (spec preloader-file.md 2.1). */
static void test_boot_header(void)
{
    g_autoptr(GBytes) emmc = mk_preloader_boot_header(MK_STORAGE_EMMC, 0x40000),
                      ufs = mk_preloader_boot_header(MK_STORAGE_UFS, 0x40000);
    const uint8_t *e = g_bytes_get_data(emmc, NULL), *u = g_bytes_get_data(ufs, NULL);
    g_assert_cmpuint(g_bytes_get_size(emmc), ==, 0x800);
    g_assert_cmpuint(g_bytes_get_size(ufs), ==, 0x1000);
    g_assert_cmpstr((const char *)e, ==, "EMMC_BOOT");
    g_assert_cmpstr((const char *)u, ==, "UFS_BOOT");
    g_assert_cmphex(mk_le32(e + 0x10), ==, 0x200);
    g_assert_cmphex(mk_le32(u + 0x10), ==, 0x1000);
    g_assert_cmpstr((const char *)u + 0x200, ==, "BRLYT");
    g_assert_cmphex(mk_le32(e + 0x210), ==, 0x40800);
    g_assert_cmphex(mk_le32(u + 0x218), ==, 0x0001000C);
    g_assert_cmphex(mk_le32(u + 0x21C), ==, 0x1000);
    g_assert_cmphex(e[0x7FF], ==, 0);
    g_assert_cmphex(u[0xFFF], ==, 0xFF);
}

static void test_ext4(void)
{
    g_autoptr(MkModel) model = mk_model_load("mt6577-9300", NULL);
    g_autoptr(GBytes) bytes = mk_make_image(model, "system", NULL);
    g_autoptr(MkStore) store = mk_store_memory_new(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) prop = mk_ext4_read_file(store, "/build.prop", 1 << 16, &error);
    g_assert_no_error(error);
    g_autofree char *text = g_strndup(g_bytes_get_data(prop, NULL), g_bytes_get_size(prop));
    g_assert_nonnull(strstr(text, model->build));
    g_assert_null(mk_ext4_read_file(store, "/nothing/there", 1 << 16, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
}

/* A `super` of a virtual phone, cut to LENGTH (0: whole), with one byte turned at each of PLACES (ends with 0). */
static MkStore *damaged_super(const uint64_t *places, size_t length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkModel) model = mk_model_load("mt6785-g90", &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) bytes = mk_make_super(model, UINT64_C(64) << 20, model->build, &error);
    g_assert_no_error(error);
    MkStore *store = mk_store_memory_new(g_bytes_get_data(bytes, NULL), length ? length : g_bytes_get_size(bytes));
    for (; *places; places++) {
        uint8_t byte;
        g_assert_true(mk_store_read(store, *places, &byte, 1, NULL, NULL));
        byte ^= 0x40;
        g_assert_true(mk_store_write(store, *places, &byte, 1, NULL, NULL));
    }
    return store;
}

static void check_super(const uint64_t *places, size_t length, bool opens)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkStore) super = damaged_super(places, length), system = mk_super_open(super, "system", &error);
    g_assert_true(opens == !!system);
    if (!opens) {
        g_assert_error(error, MK_FAULT, MK_FAULT_IMAGE_KIND);
        return;
    }
    g_assert_no_error(error);
    g_autoptr(GBytes) prop = mk_ext4_read_file(system, "/system/build.prop", 1 << 16, &error);
    g_assert_no_error(error);
    g_assert_nonnull(memmem(g_bytes_get_data(prop, NULL), g_bytes_get_size(prop), "K85-20200614", 12));
}

static void test_super(void)
{
    enum { GEOMETRY = 4096, COPY = 8192, METADATA = 12288, ROOM = 65536 };
    static const uint64_t whole[] = {0}, one_geometry[] = {GEOMETRY + 41, 0}, both[] = {GEOMETRY + 41, COPY + 41, 0},
                          first_slots[] = {METADATA + 200, METADATA + ROOM + 200, 0},
                          all_slots[] = {METADATA + 200, METADATA + ROOM + 20, METADATA + 2 * ROOM + 130,
                                         METADATA + 3 * ROOM + 81, 0};
    check_super(whole, 0, true);
    check_super(one_geometry, 0, true);
    check_super(both, 0, false);
    check_super(first_slots, 0, true);
    check_super(all_slots, 0, false);
    /* Its system lies behind the end. */
    check_super(whole, 2 << 20, false);
    g_autoptr(MkStore) super = damaged_super(whole, 0);
    g_autoptr(GError) error = NULL;
    g_assert_null(mk_super_open(super, "odm", &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_IMAGE_KIND);
}

static void test_nvram(void)
{
    g_autoptr(MkModel) old = mk_model_load("mt6577-9300", NULL), new = mk_model_load("mt6735-energy2", NULL);
    MkModel *models[] = {old, new};
    for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
        g_autoptr(GBytes) bytes = mk_make_nvram(models[i]);
        g_autofree uint8_t *region = g_malloc(5 << 20);
        memset(region, 0xFF, 5 << 20);
        memcpy(region, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
        MkNvramReport report;
        g_autoptr(MkStore) store = mk_store_memory_new(region, 5 << 20);
        g_assert_true(mk_nvram_report(store, &report, NULL));
        g_assert_true(report.known_format && report.checksum_ok && report.imei_present[0] && !report.blank);
        mk_nvram_report_clear(&report);
        region[0x20000 + 700] ^= 0x80;
        g_autoptr(MkStore) damaged = mk_store_memory_new(region, 5 << 20);
        g_assert_true(mk_nvram_report(damaged, &report, NULL));
        g_assert_false(report.checksum_ok);
        mk_nvram_report_clear(&report);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/sparse/read", test_sparse_read);
    g_test_add_func("/image/sparse/crc", test_sparse_crc);
    g_test_add_func("/image/sparse/write", test_sparse_write);
    g_test_add_func("/image/sparse/fill", test_sparse_fill);
    g_test_add_func("/image/sparse/hostile", test_sparse_hostile);
    g_test_add_func("/image/identify", test_identify);
    g_test_add_func("/image/boot", test_boot_image);
    g_test_add_func("/image/preloader", test_preloader);
    g_test_add_func("/image/boot-header", test_boot_header);
    g_test_add_func("/image/ext4", test_ext4);
    g_test_add_func("/image/super", test_super);
    g_test_add_func("/image/nvram", test_nvram);
    return g_test_run();
}
