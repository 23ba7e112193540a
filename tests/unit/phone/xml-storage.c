/* Files between a host and the storage of a phone with an XML agent: packets, sums, side files, what is erased before it is looked at, what is
 * refused, what fails late. */
#include "xml-host.h"

#include "phone/fault-injection.h"

static const XmlKind usual = {0};
static const XmlKind emmc = {.emmc = true};

#define CANCELLED      "Host notice error or user canceled.\r\n"
#define CANCELLED_DOWN CANCELLED "Host Notify error."
#define LAYOUT_CHANGE  "GPT layout change. FW upgrade or Format all first."
#define DOWN           MK_XML_DOWNLOAD_PACKET

static void pattern(uint8_t *data, size_t length, unsigned seed)
{
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 9) + seed);
}

/* What lies there now; the device waits for its host. */
static void assert_stored(Host *host, MkRegion region, uint64_t offset, const void *data, size_t length)
{
    g_autofree uint8_t *stored = g_malloc(length);
    g_assert_cmpint(mk_chip_read(host->device.machine.chip, region, offset, stored, length), ==, MK_CHIP_OK);
    g_assert_cmpmem(stored, length, data, length);
}

static void assert_blank(Host *host, MkRegion region, uint64_t offset, size_t length)
{
    g_autofree uint8_t *zeros = g_malloc0(length);
    assert_stored(host, region, offset, zeros, length);
}

static void fill(Host *host, MkRegion region, uint64_t offset, size_t length)
{
    g_autofree uint8_t *data = g_malloc(length);
    memset(data, 0x5A, length);
    g_assert_cmpint(mk_chip_write(host->device.machine.chip, region, offset, data, length), ==, MK_CHIP_OK);
}

static GByteArray *sparse_of(uint32_t blocks, uint16_t kind, const char *content, size_t length)
{
    GByteArray *data = g_byte_array_new();
    mk_put_le32(data, 0xED26FF3A);
    mk_put_le32(data, 1);
    mk_put_le32(data, 12 << 16 | 28);
    mk_put_le32(data, 4096);
    mk_put_le32(data, blocks);
    mk_put_le32(data, 1);
    mk_put_le32(data, 0);
    mk_put_le16(data, kind);
    mk_put_le16(data, 0);
    mk_put_le32(data, blocks);
    mk_put_le32(data, (uint32_t)(12 + length));
    for (size_t i = 0; i < length; i++)
        mk_put_u8(data, (uint8_t)content[i % strlen(content)]);
    return data;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

/* Data of one upload, up to START. */
static GByteArray *read_range(Host *host, const char *area, const char *offset, const char *length, unsigned packet)
{
    GByteArray *all = g_byte_array_new();
    g_autofree char *arg = g_strdup_printf("<partition>%s</partition><offset>%s</offset><length>%s</length>"
                                           "<target_file>t</target_file>",
                                           area, offset, length);
    xml_command(host, "READ-FLASH", arg);
    xml_wants_upload(host, area, "t", packet);
    g_autoptr(GByteArray) told = host_frame(host);
    uint64_t total = g_ascii_strtoull((const char *)told->data + strlen("OK@"), NULL, 16);
    xml_ok(host);
    while (all->len < total) {
        xml_wants(host, "OK@0x0");
        xml_ok(host);
        g_autoptr(GByteArray) data = host_frame(host);
        g_assert_cmpuint(data->len, <=, packet);
        g_byte_array_append(all, data->data, data->len);
        xml_ok(host);
    }
    xml_wants_end(host, "OK", "");
    return all;
}

static void test_read(gconstpointer data)
{
    const XmlKind *kind = data;
    const char *user = kind->emmc ? "EMMC-USER" : "UFS-LUA2", *boot = kind->emmc ? "EMMC-BOOT1" : "UFS-LUA0";
    MkRegion region = kind->emmc ? MK_REGION_USER : MK_REGION_LU2;
    Host host;
    xml_ready(&host, kind, XML_USUAL);
    fill(&host, region, 0x3FE0123, 0x1000);
    g_autoptr(GByteArray) rest = read_range(&host, user, "0x3fe0000", "MAX", MK_XML_UPLOAD_PACKET_LINUX);
    g_assert_cmpuint(rest->len, ==, 0x20000);
    assert_stored(&host, region, 0x3FE0000, rest->data, rest->len);
    g_autoptr(GByteArray) odd = read_range(&host, user, "0x3fe0100", "0x123", MK_XML_UPLOAD_PACKET_LINUX);
    assert_stored(&host, region, 0x3FE0100, odd->data, 0x123);
    g_autoptr(GByteArray) none = read_range(&host, boot, "0x0", "0x0", MK_XML_UPLOAD_PACKET_LINUX);
    g_assert_cmpuint(none->len, ==, 0);
    host_end(&host);
}

static void test_windows_packet(void)
{
    Host host;
    xml_ready(&host, &usual, XML_PARAMETERS("NONE", "INFO", "UART", "WINDOWS"));
    g_autoptr(GByteArray) data = read_range(&host, "UFS-LUA2", "0x0", "0x300000", MK_XML_UPLOAD_PACKET);
    g_assert_cmpuint(data->len, ==, 0x300000);
    host_end(&host);
}

/* Areas of the other kind, of no kind, and those that a host better leaves alone. */
static void test_areas(void)
{
    static const char *const foreign[] = {"EMMC-USER", "UFS-LUA3", "EMMC-RPMB", "NAND-WHOLE", "ALL", "ufs-lua2"};
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    for (unsigned i = 0; i < G_N_ELEMENTS(foreign); i++) {
        g_autofree char *message = g_strdup_printf("Cannot find [%s] on current device storage.", foreign[i]);
        g_autofree char *arg = g_strdup_printf("<partition>%s</partition><offset>0x0</offset><length>0x10</length>"
                                               "<source_file>s</source_file><target_file>t</target_file>",
                                               foreign[i]);
        xml_refused(&host, "READ-FLASH", arg, message);
        xml_refused(&host, "WRITE-FLASH", arg, message);
        xml_refused(&host, "ERASE-FLASH", arg, message);
    }
    xml_refused(&host, "ERASE-FLASH", "<partition>UFS-LUA0</partition><offset>0x1000</offset><length>0x400000</length>",
                "erase length is larger than partition max size.");
    xml_refused(&host, "ERASE-FLASH", "<partition>UFS-LUA0</partition><offset>0x400000</offset><length>MAX</length>",
                "base address is larger than partition max size.");
    xml_refused(&host, "ERASE-PARTITION", "<partition>nope</partition>",
                "Find [nope] from partition table failed.\r\n");
    xml_refused(&host, "WRITE-PARTITION", "<partition>nope</partition><source_file>s</source_file>",
                "Cannot find [nope] info from partition table.\r\n");
    host_end(&host);
}

/* --- writing by address ---------------------------------------------------------------------------------------------------------- */

#define WRITE_AT "<partition>UFS-LUA2</partition><offset>0x900000</offset><source_file>f</source_file>"

/* Up to DOWNLOAD-FILE: the range is erased. */
static void write_begin(Host *host, const char *size)
{
    xml_command(host, "WRITE-FLASH", WRITE_AT);
    xml_wants_question(host, "FILE-SIZE", "f", size);
    xml_wants_progress(host, "UFS-LUA2");
}

/* Packets of any size up to the one that was told (vector 28), and exactly the range that the file needs. */
static void test_write(void)
{
    static const size_t pieces[] = {0x1000, 0x800, 0x1801, 3};
    g_autofree uint8_t *bytes = g_malloc(0x3004);
    size_t done = 0;
    Host host;
    pattern(bytes, 0x3004, 3);
    xml_ready(&host, &usual, XML_USUAL);
    fill(&host, MK_REGION_LU2, 0x8FFFF0, 0x4000);
    write_begin(&host, "OK@0x3004");
    assert_blank(&host, MK_REGION_LU2, 0x900000, 0x3004);
    xml_offer(&host, "UFS-LUA2", "f", DOWN, 0x3004);
    xml_wants(&host, "OK");
    for (unsigned i = 0; i < G_N_ELEMENTS(pieces); i++) {
        xml_packet(&host, bytes + done, pieces[i], "OK@0x0");
        done += pieces[i];
    }
    xml_wants_end(&host, "OK", "");
    assert_stored(&host, MK_REGION_LU2, 0x900000, bytes, 0x3004);
    assert_stored(&host, MK_REGION_LU2, 0x8FFFF8, "ZZZZZZZZ", 8);
    assert_stored(&host, MK_REGION_LU2, 0x903004, "ZZZZZZZZ", 8);
    host_end(&host);
}

/* mtkclient sends one OK too many behind the last packet: it is taken for the answer to END, the next for that to START, and the third is dropped
 * where a command has to be (spec hosts.md). */
static void test_one_ok_too_many(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    for (unsigned i = 0; i < 2; i++) {
        write_begin(&host, "OK@0x4");
        xml_give(&host, "UFS-LUA2", "f", "good", 4);
        xml_ok(&host);
        xml_wants_end(&host, "OK", "");
    }
    assert_stored(&host, MK_REGION_LU2, 0x900000, "good", 4);
    host_end(&host);
}

static void test_no_size(void)
{
    static const char *const answers[] = {"OK@0x0", "ERR", "ERR!UNSUPPORTED", "OK"};
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    fill(&host, MK_REGION_LU2, 0x900000, 0x1000);
    for (unsigned i = 0; i < G_N_ELEMENTS(answers); i++) {
        xml_command(&host, "WRITE-FLASH", WRITE_AT);
        xml_wants_question(&host, "FILE-SIZE", "f", answers[i]);
        xml_wants_end(&host, "ERR", "Get host file size failed.");
    }
    assert_stored(&host, MK_REGION_LU2, 0x900000, "ZZZZZZZZ", 8);
    host_end(&host);
}

/* A host that says 0 at DOWNLOAD-FILE is told that all went well, although the range is empty now (spec 5.2). */
static void test_total_of_zero(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    fill(&host, MK_REGION_LU2, 0x900000, 0x1000);
    write_begin(&host, "OK@0x1000");
    xml_offer(&host, "UFS-LUA2", "f", DOWN, 0);
    xml_wants(&host, "OK");
    xml_wants_end(&host, "OK", "");
    assert_blank(&host, MK_REGION_LU2, 0x900000, 0x1000);
    host_end(&host);
}

/* What may be said in the place of length, sum and data, and how that ends. */
static void test_ends_of_a_download(void)
{
    static const struct {
        const char *total, *sum, *data;
        size_t length;
        const char *message;
    } cases[] = {{"ERR", NULL, NULL, 0, CANCELLED_DOWN},
                 {"OK", NULL, NULL, 0, CANCELLED_DOWN},
                 {"OK@0x1001", NULL, NULL, 0, "Data size bigger than partition max size.\r\n"},
                 {"OK@0x1000", "ERR!CANCEL", NULL, 0, CANCELLED_DOWN},
                 {"OK@0x4", "OK@0x0", "12345", 5, ""}};
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_begin(&host, "OK@0x1000");
        g_autoptr(GByteArray) document = host_frame(&host);
        xml_ok(&host);
        xml_say(&host, cases[i].total);
        if (cases[i].sum) {
            xml_wants(&host, "OK");
            xml_say(&host, cases[i].sum);
        }
        if (cases[i].data) {
            xml_wants(&host, "OK");
            host_send(&host, cases[i].data, cases[i].length);
        }
        xml_wants(&host, "ERR");
        xml_wants_end(&host, "ERR", cases[i].message);
    }
    write_begin(&host, "OK@0x1000");
    g_autoptr(GByteArray) document = host_frame(&host);
    xml_say(&host, "ERR!UNSUPPORTED"); /* a host that has no such command */
    xml_wants_end(&host, "ERR", CANCELLED);
    host_end(&host);
}

/* 32-bit words and single bytes at the end; the low half is compared, and only if sums were asked for (spec 5.2). */
static void test_sums(void)
{
    static const struct {
        const char *sum;
        bool right;
    } cases[] = {
        {"OK@0x4433241e", true}, {"OK@0x241e", true}, {"OK@0xffff241e", true}, {"OK@0x4433221e", false}, {"OK", false}};
    static const uint8_t data[] = {0x11, 0x22, 0x33, 0x44, 0xFE, 0xFF, 0x10, 0x00}; /* the last is not sent */
    Host host;
    xml_sums = true;
    xml_ready(&host, &usual, XML_PARAMETERS("USB-STORAGE", "INFO", "UART", "LINUX"));
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_begin(&host, "OK@0x7");
        xml_offer(&host, "UFS-LUA2", "f", DOWN, 7);
        xml_wants(&host, "OK");
        xml_say(&host, cases[i].sum);
        xml_wants(&host, "OK");
        host_send(&host, data, 7);
        xml_wants(&host, cases[i].right ? "OK@0x0" : "ERR");
        xml_wants_end(&host, cases[i].right ? "OK" : "ERR", "");
    }
    host_end(&host);
    xml_sums = false;
}

/* --- writing by name ------------------------------------------------------------------------------------------------------------------ */

static void sides(Host *host, const char *base, const char *extension, const char *signature, const char *twin)
{
    g_autofree char *one = g_strconcat(base, ".sig", NULL), *other = g_strconcat(base, "-verified", extension, NULL);
    xml_wants_question(host, "EXISTS", one, signature);
    xml_wants_question(host, "EXISTS", other, twin);
}

static void write_image(Host *host, const char *partition, const void *data, size_t length)
{
    g_autofree char *arg =
        g_strdup_printf("<partition>%s</partition><source_file>MEM://0x1:0x2</source_file>", partition);
    xml_command(host, "WRITE-PARTITION", arg);
    xml_wants_progress(host, partition);
    sides(host, "MEM://0x1:0x2", "", "OK@NOT-EXISTS", "OK@NOT-EXISTS");
    xml_give(host, partition, "MEM://0x1:0x2", data, length);
}

/* Names of side files: only a dot in the last part of the path begins an extension. */
static void test_side_files(void)
{
    uint8_t bytes[0x100];
    Host host;
    pattern(bytes, sizeof bytes, 9);
    xml_ready(&host, &usual, XML_USUAL);
    xml_command(&host, "WRITE-PARTITION", "<partition>misc</partition><source_file>a.b/boot</source_file>");
    xml_wants_progress(&host, "misc");
    sides(&host, "a.b/boot", "", "ERR", "ERR!UNSUPPORTED");
    xml_give(&host, "misc", "a.b/boot", bytes, sizeof bytes);
    xml_wants_end(&host, "OK", "");
    /* A signature is fetched and a signed twin takes the image's place. */
    xml_command(&host, "WRITE-PARTITION", "<partition>misc</partition><source_file>C:\\a.b\\x.y.img</source_file>");
    xml_wants_progress(&host, "misc");
    sides(&host, "C:\\a.b\\x.y", ".img", "OK@EXISTS", "OK@EXISTS");
    xml_offer(&host, "Signature", "C:\\a.b\\x.y.sig", DOWN, 4);
    xml_wants(&host, "OK");
    xml_packet(&host, "sign", 4, "OK");
    xml_give(&host, "misc", "C:\\a.b\\x.y-verified.img", bytes, 8);
    xml_wants_end(&host, "OK", "");
    assert_stored(&host, MK_REGION_LU2, 0x10000, bytes, 8);
    host_end(&host);
}

/* A name that the host gave is looked up in the table that was there when the stage began (spec 8.9). */
static void test_table_is_read_once(void)
{
    static const XmlKind kind = {.no_table = true};
    Host host;
    xml_ready(&host, &kind, XML_USUAL);
    xml_put_table(&host);
    xml_command(&host, "READ-PARTITION-TABLE", "<target_file>t</target_file>");
    g_autofree char *text = xml_upload_text(&host, "partition-table", "t", MK_XML_UPLOAD_PACKET_LINUX);
    g_assert_cmpstr(text, ==, XML_PROLOG "<partition_table version=\"1.0\"/>");
    xml_refused(&host, "READ-PARTITION", "<partition>misc</partition><target_file>t</target_file>",
                "Cannot find [misc] in partition table.");
    /* By address a phone without a table can be written. */
    write_begin(&host, "OK@0x4");
    xml_give(&host, "UFS-LUA2", "f", "good", 4);
    xml_wants_end(&host, "OK", "");
    host_end(&host);
}

/* What a sparse image does not hold stays erased; what it holds beyond the partition, and what of it is missing, is told at the end. */
static void test_sparse(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    fill(&host, MK_REGION_LU2, 0x8000, 0x8000);
    g_autoptr(GByteArray) filled = sparse_of(8, 0xCAC2, "FILL", 4);
    write_image(&host, "proinfo", filled->data, filled->len);
    xml_wants_end(&host, "OK", "");
    assert_stored(&host, MK_REGION_LU2, 0xFFF8, "FILLFILL", 8);
    g_autoptr(GByteArray) larger = sparse_of(9, 0xCAC2, "LONG", 4);
    write_image(&host, "proinfo", larger->data, larger->len);
    xml_wants_end(&host, "ERR", "");
    assert_blank(&host, MK_REGION_LU2, 0x10000, 16); /* the neighbour */
    g_autoptr(GByteArray) cut = sparse_of(2, 0xCAC1, "R", 8192);
    write_image(&host, "proinfo", cut->data, cut->len - 1);
    xml_wants_end(&host, "ERR", "");
    g_autoptr(GByteArray) strange = sparse_of(2, 0xCAC9, "R", 8);
    write_image(&host, "proinfo", strange->data, strange->len);
    xml_wants_end(&host, "ERR", "");
    host_end(&host);
}

/* By address a sparse image may be no larger than its file (vector 19). */
static void test_small_sparse_by_address(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    g_autoptr(GByteArray) raw = sparse_of(1, 0xCAC1, "abcd", 4096);
    write_begin(&host, "OK@0x1028");
    xml_give(&host, "UFS-LUA2", "f", raw->data, raw->len);
    xml_wants_end(&host, "OK", "");
    assert_stored(&host, MK_REGION_LU2, 0x900000, "abcdabcd", 8);
    assert_blank(&host, MK_REGION_LU2, 0x901000, 0x28);
    /* One that grows beyond its file is acknowledged, and nothing of it is stored. */
    g_autoptr(GByteArray) larger = sparse_of(1, 0xCAC1, "abcd", 4096);
    larger->data[16] = 10; /* blocks */
    larger->data[20] = 2;  /* chunks */
    mk_put_le32(larger, 0xCAC3);
    mk_put_le32(larger, 9);
    mk_put_le32(larger, 12);
    write_begin(&host, "OK@0x1034");
    xml_give(&host, "UFS-LUA2", "f", larger->data, larger->len);
    xml_wants_end(&host, "ERR", "");
    assert_blank(&host, MK_REGION_LU2, 0x900000, 0x1034);
    host_end(&host);
}

static void test_feedback(void)
{
    uint8_t bytes[8] = {1, 0, 0, 0, 2, 0, 0, 0x80};
    Host host;
    xml_ready(&host, &usual, XML_PARAMETERS("STORAGE", "INFO", "UART", "LINUX"));
    write_image(&host, "misc", bytes, sizeof bytes);
    xml_wants_end(&host, "OK", "");
    write_image(&host, "super", bytes, 4);
    xml_wants_end(&host, "OK", "");
    xml_command(&host, "GET-DOWNLOADED-IMAGE-FEEDBACK", "<target_file>t</target_file>");
    g_autofree char *text = xml_upload_text(&host, "dev", "t", MK_XML_UPLOAD_PACKET_LINUX);
    g_assert_cmpstr(text, ==,
                    XML_PROLOG "<feedback version=\"1.0\"><item pt=\"misc\" image_chksum=\"0x80000003\" "
                               "file=\"MEM://0x1:0x2\"/><item pt=\"super\" image_chksum=\"0x1\" "
                               "file=\"MEM://0x1:0x2\"/></feedback>");
    host_end(&host);
}

/* --- the preloader -------------------------------------------------------------------------------------------------------------------------- */

static void preloader_of(uint8_t *data, size_t length, uint32_t max_size)
{
    static const uint8_t head[] = {'M', 'M', 'M', 1, 0x38, 0, 0, 0, 'F', 'I', 'L', 'E', '_', 'I', 'N', 'F', 'O'};
    pattern(data, length, 1);
    memcpy(data, head, sizeof head);
    for (unsigned i = 0; i < 4; i++)
        data[0x24 + i] = (uint8_t)(max_size >> 8 * i);
}

/* Erased first, body behind a header that the agent makes, into the first boot area (spec 8.13, preloader-file.md 2.2). */
static void test_preloader(gconstpointer data)
{
    const XmlKind *kind = data;
    uint8_t bytes[0x2000];
    MkRegion region = kind->emmc ? MK_REGION_BOOT1 : MK_REGION_LU0;
    size_t head = kind->emmc ? 0x800 : 0x1000;
    Host host;
    preloader_of(bytes, sizeof bytes, 0x40000);
    xml_ready(&host, kind, XML_USUAL);
    fill(&host, region, 0, 0x400000);
    xml_command(&host, "WRITE-PARTITION", "<partition>preloader</partition><source_file>p.bin</source_file>");
    xml_wants_progress(&host, "PRELOADER");
    sides(&host, "p", ".bin", "OK@NOT-EXISTS", "OK@NOT-EXISTS");
    assert_blank(&host, region, 0, 0x400000);
    xml_give(&host, "PRELOADER", "p.bin", bytes, sizeof bytes);
    xml_wants_end(&host, "OK", "");
    assert_stored(&host, region, 0, kind->emmc ? "EMMC_BOOT" : "UFS_BOOT", 9);
    assert_stored(&host, region, head, bytes, sizeof bytes);
    assert_blank(&host, region, head + sizeof bytes, 0x1000);
    /* Longer than its own header says: nothing is written, and what was there is gone. */
    preloader_of(bytes, sizeof bytes, 0x1000);
    xml_command(&host, "WRITE-PARTITION", "<partition>preloader</partition><source_file>p.bin</source_file>");
    xml_wants_progress(&host, "PRELOADER");
    sides(&host, "p", ".bin", "OK@NOT-EXISTS", "OK@NOT-EXISTS");
    xml_give(&host, "PRELOADER", "p.bin", bytes, sizeof bytes);
    xml_wants_end(&host, "ERR", "");
    assert_blank(&host, region, 0, 0x4000);
    host_end(&host);
}

/* --- by scatter ---------------------------------------------------------------------------------------------------------------------------- */

/* FILES: names of partitions that have one. MOVED: super lies elsewhere. */
static char *scatter_of(const MkGeometry *geometry, const char *files, bool moved)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = xml_layout(geometry);
    layout->kind = MK_LAYOUT_SCATTER_XML;
    layout->platform = g_strdup("MT6895");
    MkPartition *boot = mk_layout_add(layout, "preloader");
    boot->region = MK_REGION_LU0_LU1;
    boot->storage = geometry->storage;
    boot->size = 0x80000;
    boot->resolved = true;
    for (guint i = 0; i < layout->partitions->len; i++) {
        MkPartition *partition = layout->partitions->pdata[i];
        partition->download = strstr(files, partition->name) != NULL;
        if (partition->download)
            partition->file_name = g_strconcat(partition->name, ".img", NULL);
        if (moved && strcmp(partition->name, "super") == 0)
            partition->start = partition->physical = partition->linear = 0x700000;
    }
    char *text = mk_scatter_write(layout, MK_LAYOUT_SCATTER_XML, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static void give_scatter(Host *host, const char *source, const char *files, bool moved)
{
    g_autofree char *text = scatter_of(&host->device.model.geometry, files, moved);
    xml_offer(host, "scatter-file", source, DOWN, strlen(text));
    xml_wants(host, "OK");
    xml_packet(host, text, strlen(text), "OK");
}

static void take_listed(Host *host, const char *label, const char *suffix, const char *file)
{
    uint8_t bytes[0x1000];
    g_autofree char *info = g_strconcat(label, suffix, NULL), *base = g_strndup(file, strlen(file) - 4);
    preloader_of(bytes, sizeof bytes, 0x40000);
    xml_wants_progress(host, label);
    sides(host, base, ".img", "OK@NOT-EXISTS", "OK@NOT-EXISTS");
    xml_give(host, info, file, bytes, sizeof bytes);
}

static void test_write_partitions(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    xml_command(&host, "WRITE-PARTITIONS",
                "<source_file>s.xml</source_file><flash_list><pt name=\"misc\">m.img</pt>"
                "<pt name=\"preloader\">p.img</pt></flash_list>");
    give_scatter(&host, "s.xml", "", false);
    take_listed(&host, "PRELOADER", " [1/2]", "p.img");
    take_listed(&host, "misc", " [2/2]", "m.img");
    xml_wants_end(&host, "OK", "");
    assert_stored(&host, MK_REGION_LU2, 0x10000, "MMM\1", 4);
    /* Another layout: nothing is touched. */
    xml_command(&host, "WRITE-PARTITIONS",
                "<source_file>s.xml</source_file><flash_list><pt name=\"misc\">m.img</pt></flash_list>");
    give_scatter(&host, "s.xml", "", true);
    xml_wants_end(&host, "ERR", LAYOUT_CHANGE);
    assert_stored(&host, MK_REGION_LU2, 0x10000, "MMM\1", 4);
    /* A name that the phone has not, after one that it has. */
    xml_command(&host, "WRITE-PARTITIONS",
                "<source_file>s.xml</source_file><flash_list><pt name=\"misc\">m.img</pt><pt name=\"nope\">n.img</pt>"
                "</flash_list>");
    give_scatter(&host, "s.xml", "", false);
    take_listed(&host, "misc", " [1/2]", "m.img");
    xml_wants_end(&host, "ERR", "Cannot find [nope] info from partition table.\r\n");
    /* No scatter: nothing, and something else. */
    xml_command(&host, "WRITE-PARTITIONS", "<source_file>s.xml</source_file><flash_list></flash_list>");
    xml_offer(&host, "scatter-file", "s.xml", DOWN, 0);
    xml_wants(&host, "OK");
    xml_wants_end(&host, "ERR", "");
    xml_command(&host, "WRITE-PARTITIONS", "<source_file>s.xml</source_file><flash_list></flash_list>");
    xml_offer(&host, "scatter-file", "s.xml", DOWN, 7);
    xml_wants(&host, "OK");
    xml_packet(&host, "garbage", 7, "OK");
    xml_wants_end(&host, "ERR", "");
    host_end(&host);
}

static void test_flash_all(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    /* Version 1: files beside the scatter, which needs a separator in its path. */
    xml_refused(&host, "FLASH-ALL", "<path_separator>/</path_separator><source_file>s.xml</source_file>",
                "Unknow path separator.");
    xml_command(&host, "FLASH-ALL", "<path_separator>\\</path_separator><source_file>D:\\x\\s.xml</source_file>");
    give_scatter(&host, "D:\\x\\s.xml", "misc preloader", false);
    take_listed(&host, "PRELOADER", " [1/2]", "D:\\x\\preloader.img");
    take_listed(&host, "misc", " [2/2]", "D:\\x\\misc.img");
    xml_wants_end(&host, "OK", "");
    /* Version 2: exactly the files of the list. */
    static const char *const lists[] = {"", "<pt name=\"boot_a\">b.img</pt>",
                                        "<pt name=\"boot_a\">b.img</pt><pt name=\"super\">s.img</pt>"};
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        bool full = i == 1;
        g_autofree char *inside =
            g_strdup_printf("<arg><path_separator>/</path_separator><source_file>s.xml</source_file>"
                            "<flash_list><pt name=\"misc\">m.img</pt>%s</flash_list></arg>",
                            lists[i]);
        xml_order(&host, "2.0", "FLASH-ALL", inside);
        xml_wants(&host, "OK");
        give_scatter(&host, "s.xml", "misc boot_a", false);
        if (full) {
            take_listed(&host, "misc", " [1/2]", "m.img");
            take_listed(&host, "boot_a", " [2/2]", "b.img");
        }
        xml_wants_end(&host, full ? "OK" : "ERR", full ? "" : "Command file list is not match with scatter file.");
    }
    host_end(&host);
}

/* Whoever sends it is hurt as by the genuine one (vector 27): no table is left. */
static void test_flash_update(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    assert_stored(&host, MK_REGION_LU2, 0x1000, "EFI PART", 8);
    xml_command(&host, "FLASH-UPDATE",
                "<path_separator>/</path_separator><source_file>a/s.xml</source_file><backup_folder>b</backup_folder>");
    give_scatter(&host, "a/s.xml", "", true);
    xml_wants_question(&host, "EXISTS", "b/00112233445566778899AABBCCDDEEFF/record_history.bin", "OK@NOT-EXISTS");
    xml_wants_question(&host, "MKDIR", "b/00112233445566778899AABBCCDDEEFF/", "OK");
    xml_wants_progress(&host, "PGPT");
    xml_wants_progress(&host, "SGPT");
    xml_wants_end(&host, "ERR", "find partition info from partition table failed.\r\n");
    assert_blank(&host, MK_REGION_LU2, 0, 0x6000);
    assert_blank(&host, MK_REGION_LU2, XML_USER - 0x5000, 0x5000);
    host_end(&host);
}

/* --- faults ---------------------------------------------------------------------------------------------------------------------------------- */

static void inject(Host *host, const char *text)
{
    MkFaults *faults = mk_faults_new(&host->device.machine);
    g_assert_true(mk_faults_add(faults, text, NULL));
    mk_faults_settle(faults);
    mk_faults_free(faults);
}

static void test_packet_fault(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    inject(&host, "status=1:0xC0020004");
    write_begin(&host, "OK@0x4");
    xml_offer(&host, "UFS-LUA2", "f", DOWN, 4);
    xml_wants(&host, "OK");
    xml_packet(&host, "good", 4, "ERR");
    xml_wants_end(&host, "ERR", "");
    inject(&host, "late=1");
    write_begin(&host, "OK@0x4");
    xml_give(&host, "UFS-LUA2", "f", "good", 4);
    xml_wants_end(&host, "ERR", "");
    assert_blank(&host, MK_REGION_LU2, 0x900000, 4);
    write_begin(&host, "OK@0x4");
    xml_give(&host, "UFS-LUA2", "f", "good", 4);
    xml_wants_end(&host, "OK", "");
    host_end(&host);
}

/* Every fault of these agents is known by name, and only with a number where one belongs. */
static void test_fault_names(void)
{
    Host host;
    xml_prepare(&host, &usual);
    inject(&host, "drop=3");
    g_assert_cmpuint(host.device.machine.frame_fault, ==, 3);
    g_assert_false(host.device.machine.frame_cut);
    inject(&host, "cut=4");
    g_assert_true(host.device.machine.frame_fault == 4 && host.device.machine.frame_cut);
    inject(&host, "no-stage2");
    g_assert_true(host.device.machine.stage2_dead);
    inject(&host, "no-dram");
    g_assert_true(host.device.machine.dram_fails);
    MkFaults *faults = mk_faults_new(&host.device.machine);
    static const char *const wrong[] = {"drop", "drop=", "late=x", "no-stage2=1", "cut=0x100000000"};
    for (unsigned i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(mk_faults_add(faults, wrong[i], NULL));
    mk_faults_free(faults);
    xml_start(&host);
    host_end(&host);
}

/* The power goes while a packet is being written: nothing more is answered. */
static void test_brown_out(void)
{
    g_autofree uint8_t *bytes = g_malloc0(0x4000);
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    inject(&host, "tear=8192");
    write_begin(&host, "OK@0x4000");
    xml_offer(&host, "UFS-LUA2", "f", DOWN, 0x4000);
    xml_wants(&host, "OK");
    xml_say(&host, "OK@0x0");
    xml_wants(&host, "OK");
    host_send(&host, bytes, 0x4000);
    host_is_quiet(&host);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_GONE);
}

/* --- META ------------------------------------------------------------------------------------------------------------------------------------ */

static void test_meta(void)
{
    static const uint8_t words[] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    fill(&host, MK_REGION_LU2, 0x8000, 0x500);
    xml_command(&host, "SET-BOOT-MODE",
                "<mode>META</mode><connect_type>USB</connect_type><mobile_log>ON</mobile_log><adb>ON</adb>");
    xml_wants_end(&host, "OK", "");
    assert_stored(&host, MK_REGION_LU2, 0x83F4, words, sizeof words);
    assert_stored(&host, MK_REGION_LU2, 0x8000, "ZZZZZZZZ", 8);
    assert_stored(&host, MK_REGION_LU2, 0x8400, "ZZZZZZZZ", 8);
    host_end(&host);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {{"windows-packet", test_windows_packet},
                 {"areas", test_areas},
                 {"write", test_write},
                 {"one-ok-too-many", test_one_ok_too_many},
                 {"no-size", test_no_size},
                 {"total-of-zero", test_total_of_zero},
                 {"ends-of-a-download", test_ends_of_a_download},
                 {"sums", test_sums},
                 {"side-files", test_side_files},
                 {"table-is-read-once", test_table_is_read_once},
                 {"sparse", test_sparse},
                 {"small-sparse-by-address", test_small_sparse_by_address},
                 {"feedback", test_feedback},
                 {"write-partitions", test_write_partitions},
                 {"flash-all", test_flash_all},
                 {"flash-update", test_flash_update},
                 {"packet-fault", test_packet_fault},
                 {"fault-names", test_fault_names},
                 {"brown-out", test_brown_out},
                 {"meta", test_meta}};
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/xml-storage/read-ufs", &usual, test_read);
    g_test_add_data_func("/xml-storage/read-emmc", &emmc, test_read);
    g_test_add_data_func("/xml-storage/preloader-ufs", &usual, test_preloader);
    g_test_add_data_func("/xml-storage/preloader-emmc", &emmc, test_preloader);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/xml-storage/", tests[i].path, NULL);
        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}
