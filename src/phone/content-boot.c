/* What a loader since Android 9 starts, and what it verifies it with: boot images, vendor_boot, dtbo, vbmeta (spec images.md 3, 15). */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/hash.h"

#include <string.h>

#define PAGE          4096
#define KERNEL        0x60000
#define RAMDISK       0x18000
#define VENDOR_HEADER 2128
#define FDT_MAGIC     0xD00DFEEDu
#define TABLE_MAGIC   0xD7B7AB1Eu
#define FDT_SIZE      0x200

bool mk_is_late(const MkModel *model)
{
    return model->dialect != MK_DA_LEGACY && g_ascii_strtoull(model->android, NULL, 10) >= 9;
}

char *mk_slotless(const char *name)
{
    bool slot = g_str_has_suffix(name, "_a") || g_str_has_suffix(name, "_b");
    return g_strndup(name, strlen(name) - (slot ? 2 : 0));
}

bool mk_model_has(const MkModel *model, const char *partition)
{
    g_autofree char *slot = g_strconcat(partition, "_a", NULL);
    return mk_layout_find(model->layout, partition) || mk_layout_find(model->layout, slot);
}

/* --- boot images ---------------------------------------------------------------------------------------------------------------- */

static void pad(GByteArray *image)
{
    mk_put_fill(image, 0, mk_round_up(image->len, PAGE) - image->len);
}

/* Something that is no code: WORDS, then a pattern. */
static void put_body(GByteArray *image, const char *words, size_t length)
{
    mk_put_text(image, words, 128);
    guint start = image->len;
    mk_put_fill(image, 0, length - 128);
    for (uint32_t i = 0; start + i < image->len; i++)
        image->data[start + i] = (uint8_t)(i * 29 + i / 256);
    pad(image);
}

/* A gzip member of nothing, as the magic of a ramdisk. */
static void put_ramdisk(GByteArray *image, const char *words)
{
    g_byte_array_append(image, (const uint8_t *)"\x1F\x8B\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0", 20);
    put_body(image, words, RAMDISK - 20);
}

static void put_fdt(GByteArray *image, const char *words)
{
    guint start = image->len;
    mk_put_be32(image, FDT_MAGIC);
    mk_put_be32(image, FDT_SIZE);
    mk_put_text(image, words, 64);
    mk_put_fill(image, 0, start + FDT_SIZE - image->len);
}

static uint32_t os_version(const MkModel *model)
{
    return (uint32_t)g_ascii_strtoull(model->android, NULL, 10) << 25 | (2020 - 2000) << 4 | 6;
}

static void put_header2(GByteArray *image, const MkModel *model)
{
    const uint32_t words[] = {KERNEL,     0x40080000, RAMDISK, 0x51B00000, 0,
                              0x40F00000, 0x53F00000, PAGE,    2,          os_version(model)};
    mk_put_text(image, "ANDROID!", 8);
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        mk_put_le32(image, words[i]);
    mk_put_text(image, model->project, 16);
    mk_put_text(image, "bootopt=64S3,32N2,64N2 buildvariant=user", 512);
    mk_put_fill(image, 0, 32 + 1024 + 12);
    mk_put_le32(image, 1660);
    mk_put_le32(image, FDT_SIZE);
    mk_put_le64(image, 0x53F00000);
    pad(image);
}

static void put_header4(GByteArray *image, const MkModel *model, uint32_t kernel, uint32_t ramdisk)
{
    mk_put_text(image, "ANDROID!", 8);
    mk_put_le32(image, kernel);
    mk_put_le32(image, ramdisk);
    mk_put_le32(image, os_version(model));
    mk_put_le32(image, 1584);
    mk_put_fill(image, 0, 16);
    mk_put_le32(image, 4);
    mk_put_fill(image, 0, 1536);
    mk_put_le32(image, 0);
    pad(image);
}

GBytes *mk_make_late_boot(const MkModel *model, const char *partition)
{
    GByteArray *image = g_byte_array_new();
    g_autofree char *words = g_strdup_printf("MEDIK VIRTUAL KERNEL %s %s", model->build, partition);
    bool init = strcmp(partition, "init_boot") == 0, split = mk_model_has(model, "init_boot");
    if (split)
        put_header4(image, model, init ? 0 : KERNEL, init ? RAMDISK : 0);
    else
        put_header2(image, model);
    if (!init)
        put_body(image, words, KERNEL);
    if (init || !split)
        put_ramdisk(image, words);
    if (!split) {
        put_fdt(image, words);
        pad(image);
    }
    return g_byte_array_free_to_bytes(image);
}

GBytes *mk_make_vendor_boot(const MkModel *model)
{
    GByteArray *image = g_byte_array_new();
    mk_put_text(image, "VNDRBOOT", 8);
    mk_put_le32(image, 4);
    mk_put_le32(image, PAGE);
    mk_put_le32(image, 0x40000000);
    mk_put_le32(image, 0x66F00000);
    mk_put_le32(image, RAMDISK);
    mk_put_text(image, "bootopt=64S3,32N2,64N2", 2048);
    mk_put_le32(image, 0x47C80000);
    mk_put_text(image, model->project, 16);
    mk_put_le32(image, VENDOR_HEADER);
    mk_put_le32(image, FDT_SIZE);
    mk_put_le64(image, 0x47C80000);
    mk_put_fill(image, 0, 16);
    pad(image);
    put_ramdisk(image, "MEDIK VIRTUAL VENDOR RAMDISK");
    put_fdt(image, model->project);
    pad(image);
    return g_byte_array_free_to_bytes(image);
}

GBytes *mk_make_dtbo(const MkModel *model)
{
    GByteArray *image = g_byte_array_new();
    const uint32_t words[] = {TABLE_MAGIC, 64 + FDT_SIZE, 32, 32, 1, 32, PAGE, 0, FDT_SIZE, 64, 0, 0, 0, 0, 0, 0};
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        mk_put_be32(image, words[i]);
    put_fdt(image, model->project);
    return g_byte_array_free_to_bytes(image);
}

/* --- vbmeta --------------------------------------------------------------------------------------------------------------------- */

#define AVB_HEADER    256
#define AVB_HASH      2
#define AVB_ALGORITHM 1 /* SHA-256, RSA-2048 */
#define AVB_SIGNATURE 256
#define AVB_DIGEST    MK_SHA256_SIZE

static void pad64(GByteArray *array)
{
    mk_put_fill(array, 0, mk_round_up(array->len, 64) - array->len);
}

/* "These bytes and no others": salt and digest of a whole partition's image. */
static void put_hash(GByteArray *aux, const MkModel *model, const char *partition)
{
    g_autoptr(GBytes) image = mk_make_image(model, partition, NULL);
    g_autoptr(GByteArray) salted = g_byte_array_new();
    uint8_t digest[AVB_DIGEST];
    size_t name = strlen(partition), body = 116 + name + sizeof model->chip_id + AVB_DIGEST;
    g_byte_array_append(salted, model->chip_id, sizeof model->chip_id);
    g_byte_array_append(salted, g_bytes_get_data(image, NULL), (guint)g_bytes_get_size(image));
    mk_sha256(salted->data, salted->len, digest);
    mk_put_be64(aux, AVB_HASH);
    mk_put_be64(aux, mk_round_up(body, 8));
    mk_put_be64(aux, g_bytes_get_size(image));
    mk_put_text(aux, "sha256", 32);
    mk_put_be32(aux, (uint32_t)name);
    mk_put_be32(aux, sizeof model->chip_id);
    mk_put_be32(aux, AVB_DIGEST);
    mk_put_fill(aux, 0, 4 + 60);
    mk_put_text(aux, partition, name);
    g_byte_array_append(aux, model->chip_id, sizeof model->chip_id);
    g_byte_array_append(aux, digest, AVB_DIGEST);
    mk_put_fill(aux, 0, mk_round_up(body, 8) - body);
}

static GByteArray *make_descriptors(const MkModel *model, const char *partition)
{
    static const char *const verified[] = {"boot", "init_boot", "vendor_boot", "recovery", "dtbo"};
    GByteArray *aux = g_byte_array_new();
    for (unsigned i = 0; strcmp(partition, "vbmeta") == 0 && i < G_N_ELEMENTS(verified); i++)
        if (mk_model_has(model, verified[i]))
            put_hash(aux, model, verified[i]);
    return aux;
}

/* The signature is not one: nobody here has the key. */
GBytes *mk_make_vbmeta(const MkModel *model, const char *partition)
{
    g_autoptr(GByteArray) aux = make_descriptors(model, partition), text = g_byte_array_new();
    GByteArray *image = g_byte_array_new();
    uint32_t descriptors = aux->len, auth = mk_round_up(AVB_DIGEST + AVB_SIGNATURE, 64);
    uint8_t digest[AVB_DIGEST];
    pad64(aux);
    mk_put_text(image, "AVB0", 4);
    mk_put_be32(image, 1);
    mk_put_be32(image, 0);
    mk_put_be64(image, auth);
    mk_put_be64(image, aux->len);
    mk_put_be32(image, AVB_ALGORITHM);
    const uint64_t places[] = {0, AVB_DIGEST,  AVB_DIGEST, AVB_SIGNATURE, descriptors, 0, descriptors, 0,
                               0, descriptors, 0};
    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++)
        mk_put_be64(image, places[i]);
    mk_put_fill(image, 0, 8);
    mk_put_text(image, "avbtool 1.1.0", 48);
    mk_put_fill(image, 0, AVB_HEADER - image->len);
    g_byte_array_append(text, image->data, image->len);
    g_byte_array_append(text, aux->data, aux->len);
    g_byte_array_append(text, (const uint8_t *)partition, (guint)strlen(partition));
    mk_sha256(text->data, text->len - strlen(partition), digest);
    g_byte_array_append(image, digest, sizeof digest);
    mk_sha256(text->data, text->len, digest);
    for (unsigned i = 0; i < AVB_SIGNATURE / AVB_DIGEST; i++)
        g_byte_array_append(image, digest, sizeof digest);
    mk_put_fill(image, 0, AVB_HEADER + auth - image->len);
    g_byte_array_append(image, aux->data, aux->len);
    mk_put_fill(image, 0, mk_round_up(image->len, PAGE) - image->len);
    return g_byte_array_free_to_bytes(image);
}
