/* Loaders, kernels and identity data of the stock content. */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "image/image.h"

#include <string.h>

/* --- preloader ---------------------------------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t version;
    uint32_t record;
    char form; /* layout of a record, spec preloader-file.md 4.3 */
} EmiForm;

static const EmiForm emi_forms[] = {{8, 136, 'B'},  {10, 184, 'A'}, {11, 168, 'C'}, {12, 188, 'A'},
                                    {17, 176, 'A'}, {20, 188, 'A'}, {22, 176, 'A'}, {35, 160, 'A'},
                                    {40, 160, 'A'}, {45, 160, 'A'}, {52, 84, 'D'}};

static const EmiForm *emi_form(uint32_t version)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(emi_forms); i++) {
        if (emi_forms[i].version == version)
            return &emi_forms[i];
    }
    return &emi_forms[3];
}

/* The name by which a record lists this phone's storage: of a NAND its ids, of an eMMC the begin of its CID, of a UFS its text. */
static uint32_t storage_id(const MkModel *model, uint8_t id[16], uint32_t *type)
{
    switch (model->geometry.storage) {
    case MK_STORAGE_NAND:
        *type = 0x102;
        for (unsigned i = 0; i < 4; i++)
            id[i] = (uint8_t)model->nand_ids[i + (i > 0)];
        return 4;
    case MK_STORAGE_UFS:
        *type = 0x306;
        memcpy(id, model->ufs_model, MIN(strlen(model->ufs_model), 16));
        return (uint32_t)MIN(strlen(model->ufs_model), 16);
    default:
        *type = model->emi_version >= 40 ? 0x206 : 0x203;
        memcpy(id, model->cid, 9);
        return 9;
    }
}

static void put_emi_record(GByteArray *emi, const MkModel *model, const EmiForm *form)
{
    guint start = emi->len;
    uint32_t type;
    uint8_t id[16] = {0};
    uint32_t id_length = storage_id(model, id, &type);
    if (form->form == 'A')
        mk_put_le32(emi, 1);
    mk_put_le32(emi, type);
    if (form->form == 'A' || form->form == 'D')
        mk_put_le32(emi, id_length);
    if (form->form == 'A')
        mk_put_le32(emi, 0);
    g_byte_array_append(emi, id, form->form == 'B' ? 12 : 16);
    if (form->form == 'C')
        mk_put_le32(emi, id_length);
    for (uint32_t word = 0x11223344; emi->len + 4 <= start + form->record; word += 0x01010101)
        mk_put_le32(emi, word);
    if (form->form == 'B')
        memcpy(emi->data + start + 0x6C, &id_length, 4);
}

static GByteArray *make_emi(const MkModel *model)
{
    GByteArray *emi = g_byte_array_new();
    const EmiForm *form = emi_form(model->emi_version);
    g_autofree char *mark = g_strdup_printf("MTK_BLOADER_INFO_v%02u", form->version);
    g_autofree char *name = g_strdup_printf("preloader_%s.bin", model->project);
    mk_put_text(emi, mark, 0x1B);
    mk_put_text(emi, name, 0x58 - 0x1B);
    mk_put_text(emi, "V116", 4);
    mk_put_le32(emi, 0x33448822);
    mk_put_le32(emi, 0x00700090);
    mk_put_text(emi, "MTK_BIN", 8);
    mk_put_le32(emi, 1);
    put_emi_record(emi, model, form);
    return emi;
}

static void put_gfh(GByteArray *file, uint16_t size, uint16_t type)
{
    g_byte_array_append(file, (const uint8_t *)"MMM\1", 4);
    mk_put_le16(file, size);
    mk_put_le16(file, type);
}

#define PRELOADER_MAX       0x40000
#define PRELOADER_SIGNATURE 0x20
#define PRELOADER_BODY      0x8000
#define CONTENT_OFFSET      0x300

static void put_gfh_chain(GByteArray *file, const MkModel *model, uint32_t file_length)
{
    put_gfh(file, 0x38, 0);
    mk_put_text(file, "FILE_INFO", 12);
    mk_put_le32(file, 1);
    mk_put_le16(file, 1);
    mk_put_u8(file, model->geometry.storage == MK_STORAGE_NAND ? 2 : 5);
    mk_put_u8(file, 1); /* the last bytes are a SHA-256 (spec hosts.md) */
    mk_put_le32(file, 0x200D00);
    mk_put_le32(file, file_length);
    mk_put_le32(file, PRELOADER_MAX);
    mk_put_le32(file, CONTENT_OFFSET);
    mk_put_le32(file, PRELOADER_SIGNATURE);
    mk_put_le32(file, CONTENT_OFFSET);
    mk_put_le32(file, 0xC2600001);
    put_gfh(file, 0x0C, 1);
    mk_put_le32(file, 1);
    put_gfh(file, 0x64, 7);
    mk_put_le32(file, 0x90);
    mk_put_fill(file, 0, 0x64 - 12);
    put_gfh(file, 0x14, 2);
    mk_put_le32(file, 0);
    mk_put_le32(file, 0x10);
    mk_put_le32(file, 0x80);
    put_gfh(file, 0x30, 8);
    mk_put_fill(file, 0, 0x30 - 8);
    mk_put_fill(file, 0, CONTENT_OFFSET - file->len);
}

GBytes *mk_make_preloader(const MkModel *model)
{
    g_autoptr(GByteArray) file = g_byte_array_new(), emi = make_emi(model);
    uint32_t length = CONTENT_OFFSET + PRELOADER_BODY + emi->len + 4 + PRELOADER_SIGNATURE;
    put_gfh_chain(file, model, length);
    mk_put_text(file, "AND_ROMINFO_v", 16);
    mk_put_le32(file, 2);
    mk_put_text(file, mk_soc_name(model->soc), 16);
    mk_put_text(file, "CUST", 16);
    g_autofree char *path = g_strdup_printf("MEDIK VIRTUAL PRELOADER platform/%s", mk_soc_name(model->soc));
    g_autofree char *lower = g_ascii_strdown(path, -1);
    mk_put_text(file, lower, 64);
    mk_put_fill(file, 0xA5, CONTENT_OFFSET + PRELOADER_BODY - file->len);
    g_byte_array_append(file, emi->data, emi->len);
    mk_put_le32(file, emi->len);
    uint8_t digest[MK_SHA256_SIZE];
    mk_sha256(file->data, file->len, digest);
    g_byte_array_append(file, digest, sizeof digest);
    return g_byte_array_free_to_bytes(g_steal_pointer(&file));
}

/* --- images with MediaTek's header ------------------------------------------------------------------------------------------------ */

static void append_bytes(GByteArray *array, GBytes *bytes)
{
    gsize length;
    const void *data = g_bytes_get_data(bytes, &length);
    g_byte_array_append(array, data, (guint)length);
}

GBytes *mk_make_headed(const char *name, const char *words, size_t length)
{
    GByteArray *image = g_byte_array_new();
    g_autoptr(GBytes) header = mk_mtk_header_make(name, (uint32_t)length);
    append_bytes(image, header);
    mk_put_text(image, words, MIN(strlen(words) + 1, length));
    guint start = image->len;
    mk_put_fill(image, 0, 512 + length - start);
    for (uint32_t i = 0; start + i < image->len; i++)
        image->data[start + i] = (uint8_t)(i * 31 + i / 256);
    return g_byte_array_free_to_bytes(image);
}

static void pad_page(GByteArray *image, uint32_t page)
{
    mk_put_fill(image, 0, mk_round_up(image->len, page) - image->len);
}

#define BOOT_PAGE   2048
#define KERNEL_SIZE 0x60000
#define RAMDISK     0x18000

GBytes *mk_make_boot(const MkModel *model, bool recovery, bool headers)
{
    GByteArray *image = g_byte_array_new();
    g_autofree char *words =
        g_strdup_printf("MEDIK VIRTUAL KERNEL %s %s", model->build, recovery ? "recovery" : "boot");
    g_autoptr(GBytes) kernel = mk_make_headed("KERNEL", words, KERNEL_SIZE);
    g_autoptr(GBytes) ramdisk = mk_make_headed(recovery ? "RECOVERY" : "ROOTFS", words, RAMDISK);
    uint32_t skip = headers ? 0 : 512;
    g_autoptr(GBytes) kernel_part = g_bytes_new_from_bytes(kernel, skip, g_bytes_get_size(kernel) - skip);
    g_autoptr(GBytes) ramdisk_part = g_bytes_new_from_bytes(ramdisk, skip, g_bytes_get_size(ramdisk) - skip);
    mk_put_text(image, "ANDROID!", 8);
    mk_put_le32(image, (uint32_t)g_bytes_get_size(kernel_part));
    mk_put_le32(image, 0x10008000);
    mk_put_le32(image, (uint32_t)g_bytes_get_size(ramdisk_part));
    mk_put_le32(image, 0x11000000);
    mk_put_le32(image, 0);
    mk_put_le32(image, 0x10F00000);
    mk_put_le32(image, 0x10000100);
    mk_put_le32(image, BOOT_PAGE);
    mk_put_le32(image, 0);
    mk_put_le32(image, 0);
    mk_put_text(image, model->project, 16);
    pad_page(image, BOOT_PAGE);
    append_bytes(image, kernel_part);
    pad_page(image, BOOT_PAGE);
    append_bytes(image, ramdisk_part);
    pad_page(image, BOOT_PAGE);
    return g_byte_array_free_to_bytes(image);
}

/* --- NVRAM ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *path;
    GBytes *data;
} NvFile;

static GBytes *old_imei_file(const MkModel *model)
{
    GByteArray *file = g_byte_array_new();
    for (unsigned slot = 0; slot < 10; slot++) {
        uint8_t record[12] = {0x4B, 0xF2, 0x19, 0x66, 0x03, 0xD8, 0x7A, 0x91, 0xAA, 0x5C};
        for (unsigned i = 0; slot < 2 && i < 10; i++)
            record[i] ^= model->chip_id[i] | (uint8_t)(slot + 1);
        for (unsigned i = 0; i < 10; i++)
            record[10 + i % 2] = (uint8_t)(record[10 + i % 2] + record[i]);
        g_byte_array_append(file, record, sizeof record);
    }
    return g_byte_array_free_to_bytes(file);
}

GBytes *mk_make_imei_file(const MkModel *model)
{
    GByteArray *file = g_byte_array_new();
    mk_put_text(file, "LDI", 4);
    mk_put_le16(file, 1);
    mk_put_le16(file, 10);
    mk_put_le32(file, 32);
    mk_put_u8(file, 8);
    mk_put_fill(file, 0, 64 - file->len);
    for (unsigned slot = 0; slot < 10; slot++)
        for (unsigned i = 0; i < 32; i++)
            mk_put_u8(file, (uint8_t)(0x40 + i * 7 + (slot < 2 ? model->chip_id[i % 16] + slot + 1 : 0)));
    return g_byte_array_free_to_bytes(file);
}

static GBytes *filled_file(const MkModel *model, uint8_t seed, size_t length)
{
    GByteArray *file = g_byte_array_new();
    for (size_t i = 0; i < length; i++)
        mk_put_u8(file, (uint8_t)(seed + i * 13 + model->chip_id[i % 16]));
    return g_byte_array_free_to_bytes(file);
}

static uint32_t nvram_sum(const uint8_t *data, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 4 <= length; i += 4)
        sum = i / 4 % 2 ? sum + mk_le32(data + i) : sum ^ mk_le32(data + i);
    uint32_t rest = 0;
    for (size_t i = length / 4 * 4; i < length; i++)
        rest |= (uint32_t)data[i] << 8 * (i % 4);
    return (sum + rest) ^ (uint32_t)length;
}

GBytes *mk_make_nvram(const MkModel *model)
{
    bool modern = model->table == MK_TABLE_GPT;
    const char *root = mk_is_late(model) ? "/mnt/vendor/nvdata" : modern ? "/nvdata" : "/data/nvram";
    NvFile files[] = {
        {"APCFG/APRDEB/BT_Addr", filled_file(model, 1, 60)},
        {"APCFG/APRDEB/WIFI", filled_file(model, 2, 514)},
        {"md/NVRAM/CALIBRAT/MT05_002", filled_file(model, 3, 1230)},
        {"md/NVRAM/CALIBRAT/UL10_000", filled_file(model, 4, 777)},
        {modern ? "md/NVRAM/NVD_IMEI/LD0B_001" : "md/NVRAM/NVD_IMEI/MP0B_001",
         modern ? mk_make_imei_file(model) : old_imei_file(model)},
    };
    g_autoptr(GByteArray) all = g_byte_array_new(), map = g_byte_array_new();
    mk_put_le32(map, 0);
    mk_put_le32(map, 26);
    mk_put_le32(map, 19);
    const uint16_t counts[] = {2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 490, 0, 0, 0};
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++)
        mk_put_le16(map, counts[i]);
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_strdup_printf("%s/%s", root, files[i].path);
        mk_put_le32(map, 7);
        mk_put_le32(map, all->len);
        mk_put_le32(map, (uint32_t)g_bytes_get_size(files[i].data));
        mk_put_text(map, path, 128);
        append_bytes(all, files[i].data);
        g_bytes_unref(files[i].data);
    }
    uint32_t sum = nvram_sum(all->data, all->len);
    for (unsigned i = 0; i < 4; i++)
        map->data[i] = (uint8_t)(sum >> 8 * i);
    uint32_t block = model->geometry.storage == MK_STORAGE_NAND ? model->geometry.nand_block : 0x20000;
    GByteArray *region = g_byte_array_new();
    mk_put_le32(region, map->len);
    mk_put_le32(region, all->len);
    mk_put_le32(region, 0xFFFFFFFF);
    g_byte_array_append(region, map->data, map->len);
    mk_put_fill(region, 0xFF, block - region->len);
    g_byte_array_append(region, all->data, all->len);
    mk_put_fill(region, 0xFF, 2 * block - region->len);
    return g_byte_array_free_to_bytes(region);
}
