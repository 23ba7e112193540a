/* File systems of the stock content: ext4 through mke2fs, yaffs2 by hand. */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/fault.h"
#include "core/i18n.h"

#include <ext2fs/ext2fs.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MADE 1400000000

char *mk_make_build_prop(const MkModel *model, const char *build)
{
    g_autofree char *chip = g_ascii_strdown(mk_soc_name(model->soc), -1);
    return g_strdup_printf("# begin build properties\n"
                           "ro.build.display.id=%s\n"
                           "ro.build.version.release=%s\n"
                           "ro.product.brand=%s\nro.product.model=%s\nro.product.device=%s\n"
                           "ro.mediatek.platform=%s\nro.board.platform=%s\n"
                           "ro.build.fingerprint=%s/%s/%s:%s/%s:user/release-keys\n",
                           build, model->android, model->brand, model->model_name, model->device,
                           mk_soc_name(model->soc), chip, model->brand, model->device, model->device, model->android,
                           build);
}

/* --- ext4 -------------------------------------------------------------------------------------------------------------------------- */

static char *mke2fs_path(void)
{
    char *path = g_find_program_in_path("mke2fs");
    return path ? path : g_strdup("/sbin/mke2fs");
}

static bool run_mke2fs(const char *source, const char *target, const char *label, uint32_t bytes, GError **error)
{
    g_autofree char *program = mke2fs_path(), *size = g_strdup_printf("%uk", bytes / 1024), *words = NULL;
    const char *argv[] = {program,
                          "-q",
                          "-F",
                          "-t",
                          "ext4",
                          "-b",
                          "4096",
                          "-m",
                          "0",
                          "-O",
                          "^metadata_csum,^64bit",
                          "-U",
                          "4d454449-4b00-4000-8000-000000000001",
                          "-E",
                          "hash_seed=4d454449-4b00-4000-8000-000000000002,root_owner=0:0,lazy_itable_init=0",
                          "-L",
                          label,
                          "-d",
                          source,
                          target,
                          size,
                          NULL};
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autoptr(GError) local = NULL;
    g_subprocess_launcher_setenv(launcher, "E2FSPROGS_FAKE_TIME", G_STRINGIFY(MADE), TRUE);
    g_autoptr(GSubprocess) process = g_subprocess_launcher_spawnv(launcher, argv, &local);
    if (process && g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &words, &local) &&
        g_subprocess_get_successful(process))
        return true;
    mk_fault_set(error, MK_FAULT_FILE, _("mke2fs (package e2fsprogs) could not make a file system: %s"),
                 local   ? local->message
                 : words ? words
                         : "?");
    return false;
}

/* mke2fs copies the times of the host's files, of which ctime cannot be chosen: the same content shall be the same image. */
static bool settle_times(const char *image)
{
    ext2_filsys fs;
    ext2_inode_scan scan;
    ext2_ino_t number;
    struct ext2_inode_large inode;
    if (ext2fs_open(image, EXT2_FLAG_RW, 0, 0, unix_io_manager, &fs) != 0)
        return false;
    fs->now = MADE;
    bool good = ext2fs_open_inode_scan(fs, 0, &scan) == 0;
    while (good && ext2fs_get_next_inode_full(scan, &number, EXT2_INODE(&inode), sizeof inode) == 0 && number) {
        if (inode.i_links_count == 0)
            continue;
        inode.i_atime = inode.i_ctime = inode.i_mtime = inode.i_crtime = MADE;
        inode.i_atime_extra = inode.i_ctime_extra = inode.i_mtime_extra = inode.i_crtime_extra = 0;
        good = ext2fs_write_inode_full(fs, number, EXT2_INODE(&inode), sizeof inode) == 0;
    }
    if (good)
        ext2fs_close_inode_scan(scan);
    return ext2fs_close_free(&fs) == 0 && good;
}

static bool put_bytes(const char *root, const char *name, const void *data, size_t length)
{
    g_autofree char *path = g_build_filename(root, name, NULL), *folder = g_path_get_dirname(path);
    return g_mkdir_with_parents(folder, 0755) == 0 && g_file_set_contents(path, data, (gssize)length, NULL);
}

static bool put_file(const char *root, const char *name, const char *text)
{
    return put_bytes(root, name, text, strlen(text));
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR))
            remove_tree(child);
        else
            g_unlink(child);
    }
    g_rmdir(path);
}

/* Since Android 9 the system partition is the root of everything. */
static void fill_system(const MkModel *model, const char *build, const char *root)
{
    g_autofree char *prop = mk_make_build_prop(model, build),
                    *inner = g_build_filename(root, mk_is_late(model) ? "system" : "", NULL);
    put_file(inner, "build.prop", prop);
    put_file(inner, "app/Launcher.apk", "not a real launcher");
    put_file(inner, "bin/sh", "not a real shell");
}

static void fill_nvdata(const MkModel *model, const char *root)
{
    static const uint8_t restored[] = {0x78, 0x56, 0x34, 0x12};
    g_autoptr(GBytes) imei = mk_make_imei_file(model);
    put_bytes(root, "RestoreFlag", restored, sizeof restored);
    put_bytes(root, "md/NVRAM/NVD_IMEI/LD0B_001", g_bytes_get_data(imei, NULL), g_bytes_get_size(imei));
    put_bytes(root, "APCFG/APRDEB/WIFI", model->me_id, sizeof model->me_id);
    put_bytes(root, "md/NVRAM/CALIBRAT/MT05_002", model->soc_id, sizeof model->soc_id);
}

static void fill_folder(const MkModel *model, const char *partition, const char *build, const char *root)
{
    if (strcmp(partition, "system") == 0) {
        fill_system(model, build, root);
    } else if (strcmp(partition, "vendor") == 0 || strcmp(partition, "product") == 0) {
        g_autofree char *prop = mk_make_build_prop(model, build);
        put_file(root, "build.prop", prop);
    } else if (strcmp(partition, "protect1") == 0 || strcmp(partition, "protect2") == 0) {
        put_file(root, "md/ST33A004", model->project);
    } else if (strcmp(partition, "nvdata") == 0 && model->dialect != MK_DA_LEGACY) {
        fill_nvdata(model, root);
    } else if (strcmp(partition, "nvcfg") == 0) {
        put_file(root, "fg/soc", "61");
    } else if (strcmp(partition, "persist") == 0) {
        put_bytes(root, "drm/keybox", model->hrid, sizeof model->hrid);
        put_bytes(root, "sensors/calibration", model->soc_id, sizeof model->soc_id);
    } else if (strcmp(partition, "userdata") == 0) {
        put_file(root, "data/com.example.notes/notes.txt", "letters of the owner");
    } else if (strcmp(partition, "secro") == 0) {
        put_file(root, "AC_REGION", "AND_AC_REGION");
    }
}

/* What is small on a phone, too. */
static uint32_t fs_size(const char *partition)
{
    static const char *const small[] = {"vendor", "product", "nvcfg", "persist", "cust", "rescue", NULL};
    return g_strv_contains(small, partition) ? 4u << 20 : 8u << 20;
}

static GBytes *make_ext4(const MkModel *model, const char *partition, const char *build, GError **error)
{
    g_autofree char *work = g_dir_make_tmp("medik-fs-XXXXXX", NULL);
    if (!work) {
        mk_fault_set(error, MK_FAULT_FILE, _("No temporary folder could be made."));
        return NULL;
    }
    g_autofree char *root = g_build_filename(work, "root", NULL), *image = g_build_filename(work, "fs.img", NULL);
    char *data = NULL;
    gsize length = 0;
    g_mkdir_with_parents(root, 0755);
    fill_folder(model, partition, build, root);
    if (run_mke2fs(root, image, partition, fs_size(partition), error) &&
        (!settle_times(image) || !g_file_get_contents(image, &data, &length, NULL)))
        mk_fault_set(error, MK_FAULT_FILE, _("%s cannot be read."), image);
    remove_tree(work);
    return data ? g_bytes_new_take(data, length) : NULL;
}

/* --- yaffs2 (spec images.md 11) --------------------------------------------------------------------------------------------------------- */

static void tag_ecc(uint8_t *spare)
{
    uint8_t column = 0;
    uint32_t line = 0, prime = 0;
    static const uint8_t masks[] = {0x55, 0xAA, 0x33, 0xCC, 0x0F, 0xF0};
    for (uint32_t i = 0; i < 16; i++) {
        uint8_t b = spare[i];
        for (unsigned k = 0; k < G_N_ELEMENTS(masks); k++)
            column ^= (uint8_t)(__builtin_parity(b & masks[k]) << (k + 2));
        if (__builtin_parity(b)) {
            line ^= i;
            prime ^= ~i;
        }
    }
    spare[16] = (column >> 2) & 0x3F;
    for (unsigned i = 0; i < 4; i++) {
        spare[20 + i] = (uint8_t)(line >> 8 * i);
        spare[24 + i] = (uint8_t)(prime >> 8 * i);
    }
}

static void put_record(GByteArray *image, const GByteArray *chunk, uint32_t page, uint32_t spare_size, uint32_t object,
                       uint32_t number, uint32_t bytes)
{
    g_autofree uint8_t *spare = g_malloc(spare_size);
    memset(spare, 0xFF, spare_size);
    const uint32_t tags[] = {0x1000, object, number, bytes};
    for (unsigned i = 0; i < 16; i++)
        spare[i] = (uint8_t)(tags[i / 4] >> 8 * (i % 4));
    tag_ecc(spare);
    g_byte_array_append(image, chunk->data, chunk->len);
    mk_put_fill(image, 0xFF, page - chunk->len);
    g_byte_array_append(image, spare, spare_size);
}

static GByteArray *object_header(uint32_t type, uint32_t parent, const char *name, uint32_t size)
{
    GByteArray *header = g_byte_array_new();
    mk_put_le32(header, type);
    mk_put_le32(header, parent);
    mk_put_le16(header, 0xFFFF);
    mk_put_text(header, name, 256);
    mk_put_le16(header, 0xFFFF);
    mk_put_le32(header, type == 3 ? 040755 : 0100644);
    for (unsigned i = 0; i < 5; i++)
        mk_put_le32(header, 0);
    mk_put_le32(header, size);
    mk_put_fill(header, 0xFF, 512 - header->len);
    return header;
}

GBytes *mk_make_yaffs(const char *name, const char *text, uint32_t page, uint32_t spare)
{
    GByteArray *image = g_byte_array_new();
    g_autoptr(GByteArray) root = object_header(3, 1, "", 0xFFFFFFFF);
    g_autoptr(GByteArray) file = object_header(1, 1, name, (uint32_t)strlen(text));
    put_record(image, root, page, spare, 1, 0, 0xFFFF);
    put_record(image, file, page, spare, 0x101, 0, 0xFFFF);
    for (uint32_t at = 0, number = 1; at < strlen(text); at += page, number++) {
        g_autoptr(GByteArray) chunk = g_byte_array_new();
        uint32_t length = MIN(page, (uint32_t)strlen(text) - at);
        g_byte_array_append(chunk, (const uint8_t *)text + at, length);
        put_record(image, chunk, page, spare, 0x101, number, length);
    }
    return g_byte_array_free_to_bytes(image);
}

/* The same file system is asked for several times by one phone: mke2fs runs once for each. What another model has is let go. */
static GBytes *cached_ext4(const MkModel *model, const char *partition, const char *build, GError **error)
{
    static GHashTable *made;
    static char *whose;
    static GMutex lock;
    g_autofree char *key = g_strdup_printf("%s %s", partition, build);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);
    if (!made)
        made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    if (g_strcmp0(whose, model->id) != 0) {
        g_hash_table_remove_all(made);
        g_free(whose);
        whose = g_strdup(model->id);
    }
    GBytes *bytes = g_hash_table_lookup(made, key);
    if (!bytes && (bytes = make_ext4(model, partition, build, error)))
        g_hash_table_insert(made, g_steal_pointer(&key), bytes);
    return bytes ? g_bytes_ref(bytes) : NULL;
}

GBytes *mk_make_file_system(const MkModel *model, const char *partition, const char *build, GError **error)
{
    const MkGeometry *geometry = &model->geometry;
    if (geometry->storage != MK_STORAGE_NAND)
        return cached_ext4(model, partition, build, error);
    g_autofree char *prop = mk_make_build_prop(model, build);
    bool system = strcmp(partition, "system") == 0;
    return mk_make_yaffs(system ? "build.prop" : "lost.txt", system ? prop : model->project, geometry->nand_page,
                         geometry->nand_spare);
}
