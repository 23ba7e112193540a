/* ROMs of the phones since 2016: flash.xml, slots, a super partition and its seals. */
#include "core/bytes.h"
#include "core/fault.h"
#include "core/hash.h"
#include "rom/rom.h"

#include <glib/gstdio.h>
#include <string.h>

static char *put(const char *folder, const char *name, const void *data, size_t length)
{
    char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    return path;
}

static void put_text(const char *folder, const char *name, const char *text)
{
    g_free(put(folder, name, text, strlen(text)));
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

/* A scatter in a form of its own; NAMES: partition, file or NULL, in pairs. */
static char *scatter_of(bool xml, const char *const *names)
{
    GString *text = g_string_new(
        xml ? "<root><general name=\"MTK_PLATFORM_CFG\"><config_version name=\"V2.1.0\"><platform>MT6789</platform>"
              "<project>k6789v1_64</project></config_version></general><storage_type name=\"UFS\"><general "
              "name=\"MTK_STORAGE_CFG\"><storage name=\"UFS\"><boot_channel>UFSHCI_0</boot_channel><block_size>0x80000"
              "</block_size></storage></general>"
            : "- general: MTK_PLATFORM_CFG\n  info: \n    - config_version: V1.1.2\n      platform: MT6789\n      "
              "project: "
              "k6789v1_64\n      storage: UFS\n      boot_channel: UFSHCI_0\n      block_size: 0x80000\n");
    for (unsigned i = 0; names[2 * i]; i++) {
        const char *const values[][2] = {{"partition_name", names[2 * i]},
                                         {"file_name", names[2 * i + 1] ? names[2 * i + 1] : "NONE"},
                                         {"is_download", names[2 * i + 1] ? "true" : "false"},
                                         {"type", "NORMAL_ROM"},
                                         {"linear_start_addr", ""},
                                         {"physical_start_addr", ""},
                                         {"partition_size", "0x100000"},
                                         {"region", "UFS_LU2"},
                                         {"storage", "HW_STORAGE_UFS"},
                                         {"boundary_check", "true"},
                                         {"is_reserved", "false"},
                                         {"operation_type", "UPDATE"},
                                         {"reserve", "0x00"}};
        g_autofree char *address = g_strdup_printf("0x%x", (i + 1) << 20);
        g_string_append_printf(text, xml ? "<partition_index name=\"SYS%u\">" : "- partition_index: SYS%u\n", i);
        for (gsize k = 0; k < G_N_ELEMENTS(values); k++) {
            const char *value = *values[k][1] ? values[k][1] : address;
            if (xml)
                g_string_append_printf(text, "<%s>%s</%s>", values[k][0], value, values[k][0]);
            else
                g_string_append_printf(text, "  %s: %s\n", values[k][0], value);
        }
        g_string_append(text, xml ? "</partition_index>" : "");
    }
    return g_string_free(g_string_append(text, xml ? "</storage_type></root>" : ""), FALSE);
}

static void put_scatter(const char *folder, const char *name, const char *const *names)
{
    g_autofree char *text = scatter_of(g_str_has_suffix(name, ".xml"), names);
    put_text(folder, name, text);
}

static MkRom *open_rom(const char *path, MkFault fault)
{
    g_autoptr(GError) error = NULL;
    MkRom *rom = mk_rom_open_folder(path, NULL, MK_STORAGE_UNKNOWN, &error);
    if (fault)
        g_assert_error(error, MK_FAULT, (int)fault);
    else
        g_assert_no_error(error);
    return rom;
}

static const char *const plain[] = {"boot", "boot.img", NULL};

/* As SP Flash Tool v6 lays a ROM out; even a path that begins with a slash is beside flash.xml. */
static void test_flash_xml(void)
{
    g_autofree char *folder = g_dir_make_tmp("medik-rom-XXXXXX", NULL),
                    *agent = g_build_filename(folder, "download_agent", NULL);
    g_mkdir(agent, 0700);
    put_scatter(folder, "MT6789_Android_scatter.xml", plain);
    put_scatter(folder, "MT6789_Android_scatter.txt", plain);
    put_text(folder, "scatter_checksum.xml", "<scatter/>");
    put_text(folder, "boot.img", "ANDROID!");
    put_text(
        agent, "flash.xml",
        "<?xml version=\"1.0\"?><flash-mode><scatter>../MT6789_Android_scatter.xml</scatter><dagent>/DA_BR.bin</dagent>"
        "</flash-mode>");
    put_text(agent, "DA_BR.bin", "x");
    g_autofree char *xml = g_build_filename(agent, "flash.xml", NULL), *da = g_build_filename(agent, "DA_BR.bin", NULL);
    const char *const ways[] = {folder, agent, xml};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(MkRom) rom = open_rom(ways[i], 0);
        g_assert_nonnull(mk_rom_find(rom, "boot")->image);
        g_assert_true(g_str_has_suffix(rom->scatter_path, "scatter.xml"));
        g_assert_cmpstr(rom->folder, ==, folder);
        g_assert_cmpstr(rom->agent_path, ==, da);
        g_assert_cmpstr(rom->claims.project, ==, "k6789v1_64");
    }
    g_unlink(xml); /* both forms of one scatter: the XML one; a third one is a question */
    g_autoptr(MkRom) rom = open_rom(folder, 0);
    g_assert_true(g_str_has_suffix(rom->scatter_path, "scatter.xml"));
    g_assert_null(rom->agent_path);
    g_autoptr(MkRom) named = open_rom(rom->scatter_path, 0);
    g_assert_nonnull(mk_rom_find(named, "boot")->image);
    put_scatter(folder, "MT6789_other_scatter.txt", plain);
    g_assert_null(open_rom(folder, MK_FAULT_SCATTER));
    remove_tree(folder);
}

static void test_bad_flash_xml(void)
{
    static const char *const texts[] = {
        "",
        "<flash-mode>",
        "<root><scatter>a.xml</scatter></root>",
        "<flash-mode/>",
        "<flash-mode><scatter>  </scatter></flash-mode>",
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"/etc/passwd\">]><flash-mode><scatter>&e;</scatter></flash-mode>"};
    g_autofree char *folder = g_dir_make_tmp("medik-rom-XXXXXX", NULL),
                    *path = g_build_filename(folder, "flash.xml", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        put_text(folder, "flash.xml", texts[i]);
        g_assert_null(open_rom(path, MK_FAULT_SCATTER));
    }
    remove_tree(folder);
}

static void test_slots(void)
{
    static const char *const names[] = {"boot_a",   "boot.img", "boot_b", "boot.img", "dtbo_a",
                                        "dtbo.img", "dtbo_b",   NULL,     NULL};
    g_autofree char *folder = g_dir_make_tmp("medik-rom-XXXXXX", NULL);
    g_autoptr(GError) error = NULL;
    put_scatter(folder, "MT6789_Android_scatter.txt", names);
    put_text(folder, "boot.img", "ANDROID!");
    put_text(folder, "dtbo.img", "x");
    g_autoptr(MkRom) rom = open_rom(folder, 0);
    g_assert_true(mk_rom_select(rom, "boot", false, false, &error));
    g_assert_false(mk_rom_find(rom, "boot_a")->selected || mk_rom_find(rom, "boot_b")->selected);
    g_assert_true(mk_rom_select(rom, "boot_b", true, true, &error));
    g_assert_false(mk_rom_find(rom, "boot_a")->selected);
    g_assert_true(mk_rom_select(rom, "BOOTIMG", true, true, &error));
    g_assert_true(mk_rom_find(rom, "boot_a")->selected && mk_rom_find(rom, "boot_b")->selected);
    g_assert_true(mk_rom_select(rom, "dtbo", true, true, &error)); /* slot b has no file and needs none */
    g_assert_false(mk_rom_select(rom, "dtbo_b", true, true, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
    remove_tree(folder);
}

/* --- seals --------------------------------------------------------------------------------------------------------- */

static void put_be64(GByteArray *array, uint64_t value)
{
    value = GUINT64_TO_BE(value);
    g_byte_array_append(array, (const guint8 *)&value, 8);
}

static void put_be32s(GByteArray *array, const uint32_t *values, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t value = GUINT32_TO_BE(values[i]);
        g_byte_array_append(array, (const guint8 *)&value, 4);
    }
}

static void put_hex(GByteArray *array, const char *hex)
{
    for (; *hex; hex += 2)
        mk_put_u8(array, (uint8_t)(g_ascii_xdigit_value(hex[0]) * 16 + g_ascii_xdigit_value(hex[1])));
}

/* A vbmeta that seals NAME with CONTENT, and itself (algorithm 1). */
static GBytes *vbmeta_of(const char *name, const char *content, uint32_t flags)
{
    g_autoptr(GByteArray) aux = g_byte_array_new();
    GByteArray *image = g_byte_array_new();
    g_autofree char *salted = g_strconcat("salt", content, NULL), *digest = mk_sha256_hex(salted, strlen(salted));
    put_be64(aux, 2);
    put_be64(aux, 116 + strlen(name) + 4 + 32);
    put_be64(aux, strlen(content));
    mk_put_text(aux, "sha256", 32);
    put_be32s(aux, (uint32_t[]){(uint32_t)strlen(name), 4, 32, 0}, 4);
    mk_put_fill(aux, 0, 60);
    g_byte_array_append(aux, (const guint8 *)name, (guint)strlen(name));
    g_byte_array_append(aux, (const guint8 *)"salt", 4);
    put_hex(aux, digest);
    g_byte_array_append(image, (const guint8 *)"AVB0", 4);
    put_be32s(image, (uint32_t[]){1, 0}, 2);
    put_be64(image, 64);
    put_be64(image, aux->len);
    put_be32s(image, (uint32_t[]){1}, 1);
    for (unsigned i = 0; i < 10; i++) /* hash, signature, key, its metadata, descriptors: offset and size */
        put_be64(image, i == 1 ? 32 : i == 9 ? aux->len : 0);
    mk_put_fill(image, 0, 112 - image->len);
    put_be64(image, 7);
    put_be32s(image, (uint32_t[]){flags, 0}, 2);
    mk_put_text(image, "avbtool 1.1.0", 48);
    mk_put_fill(image, 0, 80);
    g_assert_cmpuint(image->len, ==, 256);
    guint auth = image->len;
    MkSha256 *sha = mk_sha256_new();
    mk_sha256_update(sha, image->data, image->len);
    mk_sha256_update(sha, aux->data, aux->len);
    g_autofree char *own = mk_sha256_finish(sha);
    put_hex(image, own);
    mk_put_fill(image, 0, auth + 64 - image->len);
    g_byte_array_append(image, aux->data, aux->len);
    return g_byte_array_free_to_bytes(image);
}

static void test_vbmeta(void)
{
    g_autoptr(GBytes) bytes = vbmeta_of("boot", "ANDROID! x", 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(MkAvb) avb = mk_avb_parse(bytes, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(avb->seals->len, ==, 1);
    g_assert_cmpuint(avb->rollback_index, ==, 7);
    g_assert_cmpstr(avb->release, ==, "avbtool 1.1.0");
    g_assert_cmpstr(g_array_index(avb->seals, MkAvbSeal, 0).partition, ==, "boot");
    gsize length;
    const uint8_t *data = g_bytes_get_data(bytes, &length);
    for (gsize i = 0; i < length; i++) { /* every cut and every flipped bit under its hash */
        g_autofree uint8_t *copy = g_memdup2(data, length);
        copy[i] ^= 0x80;
        g_autoptr(GBytes) flipped = g_bytes_new(copy, length), cut = g_bytes_new(data, i);
        g_autoptr(MkAvb) one = mk_avb_parse(flipped, NULL), other = mk_avb_parse(cut, NULL);
        g_assert_null(other);
        /* Behind the hash nothing is read, and an algorithm that nobody knows has no hash to be checked. */
        g_assert_true(!one || (i >= 288 && i < 320) || (i >= 28 && i < 32));
    }
}

static const MkFinding *finding_of(MkRom *rom, const char *id)
{
    static GPtrArray *findings;
    MkPhoneFacts facts = {0};
    g_clear_pointer(&findings, g_ptr_array_unref);
    findings = mk_findings_new();
    g_assert_true(mk_rom_check(rom, &facts, findings, NULL, NULL));
    for (guint i = 0; i < findings->len; i++)
        if (!strcmp(((const MkFinding *)findings->pdata[i])->id, id))
            return findings->pdata[i];
    return NULL;
}

static void put_bytes(const char *folder, const char *name, GBytes *bytes)
{
    g_free(put(folder, name, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)));
}

static void test_seals(void)
{
    static const char *const names[] = {"boot_a",          "boot.img",          "boot_b", NULL,
                                        "vbmeta_a",        "vbmeta.img",        "super",  "super.img",
                                        "vbmeta_system_a", "vbmeta_system.img", NULL};
    g_autofree char *folder = g_dir_make_tmp("medik-rom-XXXXXX", NULL);
    g_autoptr(GBytes) own = vbmeta_of("boot", "ANDROID! x", 0),
                      off = vbmeta_of("boot", "ANDROID! y", MK_AVB_VERIFICATION_OFF);
    put_scatter(folder, "MT6789_Android_scatter.txt", names);
    put_text(folder, "boot.img", "ANDROID! x");
    put_text(folder, "super.img", "x");
    put_bytes(folder, "vbmeta.img", own);
    put_bytes(folder, "vbmeta_system.img", own);
    g_autoptr(MkRom) good = open_rom(folder, 0);
    g_assert_null(finding_of(good, "K-VERITY"));
    g_assert_null(finding_of(good, "S-INCOMPLETE"));
    g_assert_true(mk_rom_select(good, "vbmeta_system", false, false, NULL));
    g_assert_nonnull(finding_of(good, "S-INCOMPLETE"));
    mk_rom_select_companions(good);
    g_assert_true(mk_rom_find(good, "vbmeta_system")->selected);
    g_assert_null(finding_of(good, "S-INCOMPLETE"));
    put_text(folder, "boot.img", "ANDROID! rooted");
    g_autoptr(MkRom) changed = open_rom(folder, 0);
    const MkFinding *finding = finding_of(changed, "K-VERITY");
    g_assert_cmpint(finding->severity, ==, MK_SEVERITY_DANGER);
    g_assert_cmpstr(finding->partition, ==, "boot_a");
    put_bytes(folder, "vbmeta.img", off);
    put_bytes(folder, "vbmeta_system.img", off);
    g_autoptr(MkRom) open = open_rom(folder, 0);
    g_assert_null(finding_of(open, "K-VERITY"));
    g_assert_nonnull(finding_of(open, "B-LOCK"));
    put_text(folder, "vbmeta.img", "AVB0 cut off");
    g_autoptr(MkRom) cut = open_rom(folder, 0);
    g_assert_nonnull(finding_of(cut, "F-TRUNC"));
    remove_tree(folder);
}

/* Only the memory settings of a preloader are nothing to write (spec checks.md, B-PL-TAIL). */
static void test_bare_settings(void)
{
    static const char *const names[] = {"preloader", "preloader_x.bin", NULL};
    g_autofree char *folder = g_dir_make_tmp("medik-rom-XXXXXX", NULL);
    char block[0x70 + 160] = "MTK_BLOADER_INFO_v45";
    block[0x6C] = 1;
    put_scatter(folder, "MT6789_Android_scatter.txt", names);
    g_free(put(folder, "preloader_x.bin", block, sizeof block));
    g_autoptr(MkRom) rom = open_rom(folder, 0);
    g_assert_cmpint(finding_of(rom, "B-PL-TAIL")->severity, ==, MK_SEVERITY_BLOCK);
    remove_tree(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rom-era/flash-xml", test_flash_xml);
    g_test_add_func("/rom-era/bad-flash-xml", test_bad_flash_xml);
    g_test_add_func("/rom-era/slots", test_slots);
    g_test_add_func("/rom-era/vbmeta", test_vbmeta);
    g_test_add_func("/rom-era/seals", test_seals);
    g_test_add_func("/rom-era/bare-settings", test_bare_settings);
    return g_test_run();
}
