/* A sparse image that arrives in pieces of any size ends as its expanded self on the chip. */
#include "phone/legacy-device.h"
#include "phone/unsparse.h"

#include <glib/gstdio.h>
#include <string.h>

static GByteArray *sparse_image(void)
{
    GByteArray *image = g_byte_array_new();
    mk_put_le32(image, 0xED26FF3A);
    const uint16_t head[] = {1, 0, 28, 12};
    for (unsigned i = 0; i < 4; i++)
        mk_put_le16(image, head[i]);
    const uint32_t rest[] = {4096, 5, 4, 0};
    for (unsigned i = 0; i < 4; i++)
        mk_put_le32(image, rest[i]);
    const struct {
        uint16_t kind;
        uint32_t blocks, size;
    } chunks[] = {{0xCAC1, 1, 12 + 4096}, {0xCAC2, 2, 16}, {0xCAC3, 1, 12}, {0xCAC1, 1, 12 + 4096}};
    for (unsigned i = 0; i < 4; i++) {
        mk_put_le16(image, chunks[i].kind);
        mk_put_le16(image, 0);
        mk_put_le32(image, chunks[i].blocks);
        mk_put_le32(image, chunks[i].size);
        if (chunks[i].kind == 0xCAC1)
            mk_put_fill(image, (uint8_t)(0x11 * (i + 1)), 4096);
        if (chunks[i].kind == 0xCAC2)
            mk_put_le32(image, 0xDDCCBBAA);
    }
    return image;
}

static MkChipResult store(void *device, uint64_t address, const uint8_t *data, size_t length)
{
    return mk_device_store(device, address, data, length);
}

static void test_pieces(gconstpointer size)
{
    size_t piece = GPOINTER_TO_SIZE(size);
    g_autofree char *folder = g_dir_make_tmp("medik-unsparse-XXXXXX", NULL);
    g_autoptr(MkModel) model = mk_model_load("mt6582-a106-4g", NULL);
    MkChip *chip = mk_chip_open(model, folder, true, NULL);
    MkDevice device = {.model = model, .chip = chip, .part = MK_REGION_USER, .addressing = MK_ADDRESS_REGION};
    MkUnsparse unsparse;
    g_autoptr(GByteArray) image = sparse_image();
    uint8_t kept[4096], block[4096], expected[4096];
    memset(kept, 0x77, sizeof kept);
    mk_chip_write(chip, MK_REGION_USER, 0x100000 + 3 * 4096, kept, sizeof kept);
    g_assert_true(mk_unsparse_recognises(image->data, image->len));
    mk_unsparse_begin(&unsparse, 0x100000, store, &device);
    for (size_t at = 0; at < image->len; at += piece)
        g_assert_cmpint(mk_unsparse_feed(&unsparse, image->data + at, MIN(piece, image->len - at)), ==, MK_CHIP_OK);
    for (unsigned i = 0; i < 5; i++) {
        static const uint8_t first[] = {0x11, 0xAA, 0xAA, 0x77, 0x44};
        memset(expected, first[i], sizeof expected);
        for (unsigned k = 0; (i == 1 || i == 2) && k < sizeof expected; k++)
            expected[k] = (uint8_t)(0xAA + 0x11 * (k % 4));
        mk_chip_read(chip, MK_REGION_USER, 0x100000 + i * 4096, block, sizeof block);
        g_assert_cmpmem(block, sizeof block, expected, sizeof expected);
    }
    mk_chip_free(chip);
    static const char *const files[] = {"boot1.img", "boot2.img", "rpmb.img", "user.img"};
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const size_t sizes[] = {1, 7, 4096, 1 << 20};
    for (unsigned i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *name = g_strdup_printf("/unsparse/%zu", sizes[i]);
        g_test_add_data_func(name, GSIZE_TO_POINTER(sizes[i]), test_pieces);
    }
    return g_test_run();
}
