/* Exchanges of spec da-xml-vectors.txt, which a genuine agent produced, and of da-xml.md. */
#include "xml-setup.h"

typedef struct {
    XFlashSetup *setup;
    GArray *steps; /* until the link takes them */
    MkLink *link;
    GCancellable *cancel;
    MkAgent *agent;
    GError *error;
} Session;

static Session *session_new(void)
{
    Session *session = g_new0(Session, 1);
    session->setup = xflash_setup_new(XML_LABEL, 0x1172, XML_STAGE2);
    session->steps = script_steps_new();
    session->cancel = g_cancellable_new();
    return session;
}

static void session_close(Session *session)
{
    mk_agent_free(session->agent);
    mk_link_free(session->link);
    xflash_setup_free(session->setup);
    g_object_unref(session->cancel);
    g_clear_error(&session->error);
    g_free(session);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_close)

static MkAgent *try_open(Session *session)
{
    session->link = script_link(session->steps);
    session->agent = mk_agent_open(session->link, &session->setup->setup, NULL, session->cancel, &session->error);
    return session->agent;
}

static void open_agent(Session *session)
{
    try_open(session);
    g_assert_no_error(session->error);
}

/* An open phone that will say the exchange after COMMAND of a vector, after the partition table if TABLE, and then tell its battery. */
static Session *opened(bool table, unsigned number, const char *command, unsigned skip)
{
    Session *session = session_new();
    xml_script_open(session->steps);
    if (table)
        xml_vector(session->steps, 5, "READ-PARTITION-TABLE", 0);
    if (number)
        xml_vector(session->steps, number, command, skip);
    xml_vector(session->steps, 5, "GET-HW-INFO", 0);
    return session;
}

static void assert_fault(Session *session, MkFault fault, const char *words)
{
    g_assert_error(session->error, MK_FAULT, (int)fault);
    if (words && !strstr(session->error->message, words))
        g_error("\"%s\" does not say \"%s\"", session->error->message, words);
    g_clear_error(&session->error);
}

/* Still in step: another exchange works. */
static void assert_usable(Session *session)
{
    unsigned millivolt = 0;
    g_assert_true(mk_agent_battery(session->agent, &millivolt, &session->error));
    g_assert_no_error(session->error);
    g_assert_cmpuint(millivolt, ==, 3810);
    script_assert_over(session->link);
}

/* The step that holds TEXT, counted from the end of the opening. */
static guint find_step(Session *session, const char *text)
{
    for (guint i = session->steps->len; i > 0; i--) {
        gsize size;
        const char *bytes = g_bytes_get_data(g_array_index(session->steps, ScriptStep, i - 1).bytes, &size);
        if (size == strlen(text) + 1 && memcmp(bytes, text, size) == 0)
            return i - 1;
    }
    g_error("no step says %s", text);
}

/* Exchanges a short answer and its header. */
static void swap_step(Session *session, const char *old, const char *new)
{
    GArray *frame = script_steps_new();
    guint at = find_step(session, old);
    bool from_host = g_array_index(session->steps, ScriptStep, at).from_host;
    xml_frame(frame, from_host, new);
    for (guint i = 0; i < 2; i++) {
        ScriptStep *step = &g_array_index(session->steps, ScriptStep, at - 1 + i);
        g_bytes_unref(step->bytes);
        step->bytes = g_bytes_ref(g_array_index(frame, ScriptStep, i).bytes);
    }
    g_array_unref(frame);
}

static void stop_at(Session *session, guint step)
{
    Script *script = (Script *)session->link;
    script->after = session->cancel;
    script->stop_step = step;
}

static uint8_t *boot_image(void)
{
    uint8_t *image = g_malloc(0x1000);
    for (unsigned i = 0; i < 0x1000; i++)
        image[i] = (uint8_t)(7 * i + 13 * (i >> 8));
    return image;
}

/* Vector 18: RAW 2 blocks, FILL 4, DONT_CARE 3, RAW 1. */
static GByteArray *sparse_image(uint32_t blocks)
{
    GByteArray *image = g_byte_array_new();
    static const uint32_t chunks[][4] = {
        {0xCAC1, 2, 'R', 0}, {0xCAC2, 4, 0, 0}, {0xCAC3, 3, 0, 0}, {0xCAC1, 1, 'Z', 0}};
    mk_put_le32(image, 0xED26FF3A);
    mk_put_le32(image, 1);
    mk_put_le16(image, 28);
    mk_put_le16(image, 12);
    mk_put_le32(image, 4096);
    mk_put_le32(image, blocks);
    mk_put_le32(image, 4);
    mk_put_le32(image, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(chunks); i++) {
        size_t data = chunks[i][0] == 0xCAC1 ? chunks[i][1] * 4096 : chunks[i][0] == 0xCAC2 ? 4 : 0;
        mk_put_le32(image, chunks[i][0]);
        mk_put_le32(image, chunks[i][1]);
        mk_put_le32(image, (uint32_t)data + 12);
        if (chunks[i][0] == 0xCAC2)
            mk_put_text(image, "FILL", 4);
        else
            mk_put_fill(image, (uint8_t)chunks[i][2], data);
    }
    return image;
}

static bool read_into(Session *session, uint64_t offset, uint8_t *data, size_t length)
{
    ScriptBuffer buffer = {data, length, 0};
    return mk_agent_read(session->agent, MK_REGION_LU2, offset, length, script_sink, &buffer, &session->error);
}

static bool write_from(Session *session, uint64_t offset, uint8_t *data, size_t length)
{
    ScriptBuffer buffer = {data, length, 0};
    return mk_agent_write(session->agent, MK_REGION_LU2, offset, length, script_source, &buffer, &session->error);
}

static bool download_from(Session *session, const char *partition, uint8_t *data, size_t length)
{
    ScriptBuffer buffer = {data, length, 0};
    return mk_agent_download(session->agent, partition, length, script_source, &buffer, &session->error);
}

static void test_open(void)
{
    g_autoptr(Session) session = opened(false, 0, NULL, 0);
    open_agent(session);
    const MkAgentInfo *info = mk_agent_info(session->agent);
    g_assert_cmpint(info->storage, ==, MK_STORAGE_UFS);
    g_assert_cmpuint(info->geometry.sector, ==, 4096);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU0), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU1), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU2), ==, 0x4000000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU3), ==, 0);
    g_assert_cmpuint(info->dram_size, ==, 0x80000000);
    g_assert_cmpstr(info->ufs_model, ==, "TESTUFSCID0123456789");
    g_assert_true(info->has_chip_id);
    g_assert_cmphex(info->chip_id[15], ==, 0xFF);
    g_assert_false(info->has_hrid);
    g_assert_cmpint(info->life, ==, MK_LIFE_GOOD);
    g_assert_cmpint(info->rpmb_key, ==, 0);
    g_assert_null(info->security);
    g_assert_cmpstr(info->version, ==, XML_LABEL ": XML 2021, Apr  2 2022:23:42:42");
    g_assert_true(mk_agent_can(session->agent, MK_AGENT_CAN_TABLE | MK_AGENT_CAN_NAMES | MK_AGENT_CAN_MODES));
    assert_usable(session);
}

static void test_hash_mismatch(void)
{
    g_autoptr(Session) session = session_new();
    xml_script_stage1(session->steps);
    xml_vector(session->steps, 4, "BOOT-TO", 0);
    g_assert_null(try_open(session));
    assert_fault(session, MK_FAULT_DA_VER, "DA Hash mismatch. Check these:  1. EMI");
    script_assert_over(session->link);
}

static void test_stage2_silent(void)
{
    g_autoptr(Session) session = session_new();
    xml_script_stage1(session->steps);
    xml_vector(session->steps, 3, "BOOT-TO", 0);
    g_assert_null(try_open(session));
    assert_fault(session, MK_FAULT_DA_VER, "was sent and does not start");
    script_assert_over(session->link);
}

static void test_no_faster_cable(void)
{
    g_autoptr(Session) session = opened(false, 2, "CAN-HIGHER-USB-SPEED", 0);
    bool reenumerates = true;
    open_agent(session);
    g_assert_true(mk_agent_high_speed(session->agent, &reenumerates, &session->error));
    g_assert_false(reenumerates);
    assert_usable(session);
}

static void test_table(void)
{
    g_autoptr(Session) session = opened(true, 0, NULL, 0);
    g_autoptr(MkLayout) layout = NULL;
    open_agent(session);
    g_assert_true(mk_agent_read_table(session->agent, &layout, &session->error));
    g_assert_cmpuint(layout->partitions->len, ==, 5);
    const MkPartition *super = mk_layout_find(layout, "super");
    g_assert_cmpint(super->region, ==, MK_REGION_LU2);
    g_assert_cmphex(super->start, ==, 0x800000);
    g_assert_cmphex(super->size, ==, 0x800000);
    g_assert_true(super->resolved);
    assert_usable(session);
}

static void test_read(void)
{
    g_autoptr(Session) session = opened(false, 7, "READ-FLASH", 0);
    g_autofree uint8_t *data = g_malloc(0x18000);
    open_agent(session);
    g_assert_true(read_into(session, 0x1000, data, 0x18000));
    g_assert_cmpmem(data, 8, "EFI PART", 8);
    assert_usable(session);
}

static void test_read_stopped(void)
{
    g_autoptr(Session) session = opened(true, 8, "READ-PARTITION", 0);
    g_autofree uint8_t *data = g_malloc(0x10000);
    ScriptBuffer buffer = {data, 0x10000, 0};
    open_agent(session);
    stop_at(session, find_step(session, "ERR!CANCEL") - 2); /* when the first packet comes */
    g_assert_false(mk_agent_upload(session->agent, "misc", script_sink, &buffer, &session->error));
    assert_fault(session, MK_FAULT_STOPPED, NULL);
    g_cancellable_reset(session->cancel);
    ((Script *)session->link)->after = NULL;
    assert_usable(session);
}

static void test_read_fails_later(void)
{
    g_autoptr(Session) session = opened(false, 21, "READ-FLASH", 0);
    g_autofree uint8_t *data = g_malloc(0x30000);
    open_agent(session);
    g_assert_false(read_into(session, 0x100000, data, 0x30000));
    assert_fault(session, MK_FAULT_READ, "131072 of 196608 bytes");
    assert_usable(session);
}

static void test_read_fails_at_once(void)
{
    g_autoptr(Session) session = opened(false, 22, "READ-FLASH", 0);
    g_autofree uint8_t *data = g_malloc(0x30000);
    open_agent(session);
    g_assert_false(read_into(session, 0x100000, data, 0x30000));
    assert_fault(session, MK_FAULT_READ, "0 of 196608 bytes");
    assert_usable(session);
}

static void test_write(void)
{
    g_autofree uint8_t *image = boot_image();
    for (unsigned vector = 9; vector <= 10; vector++) {
        g_autoptr(Session) session = opened(false, vector, "WRITE-FLASH", 0);
        open_agent(session);
        g_assert_true(write_from(session, 0x100000, image, 0x1000));
        assert_usable(session);
    }
}

/* The agent found another sum than the one it was told. */
static void test_write_damaged_on_its_way(void)
{
    g_autoptr(Session) session = opened(false, 11, "WRITE-FLASH", 0);
    g_autofree uint8_t *image = boot_image();
    swap_step(session, "OK@0x7f800", "OK@0xfffffe00");
    open_agent(session);
    g_assert_false(write_from(session, 0x100000, image, 0x1000));
    assert_fault(session, MK_FAULT_WRITE, "without a word");
    assert_usable(session);
}

static void test_write_stopped(void)
{
    g_autoptr(Session) session = opened(false, 12, "WRITE-FLASH", 0);
    g_autofree uint8_t *image = boot_image();
    open_agent(session);
    stop_at(session, find_step(session, "OK!EOT"));
    g_assert_false(write_from(session, 0x100000, image, 0x1000));
    assert_fault(session, MK_FAULT_STOPPED, NULL);
    g_cancellable_reset(session->cancel);
    ((Script *)session->link)->after = NULL;
    assert_usable(session);
}

/* All packets were taken; only END tells. */
static void test_write_fails_late(void)
{
    g_autoptr(Session) session = opened(false, 23, "WRITE-FLASH", 0);
    g_autofree uint8_t *image = g_malloc0(0x300000);
    open_agent(session);
    g_assert_false(write_from(session, 0x100000, image, 0x300000));
    assert_fault(session, MK_FAULT_WRITE, "3145728 of 3145728 bytes");
    assert_usable(session);
}

static void test_write_erase_fails(void)
{
    g_autoptr(Session) session = opened(false, 24, "WRITE-FLASH", 0);
    g_autofree uint8_t *image = g_malloc0(0x300000);
    open_agent(session);
    g_assert_false(write_from(session, 0x100000, image, 0x300000));
    assert_fault(session, MK_FAULT_WRITE, NULL);
    assert_usable(session);
}

/* The agent would expand it (vector 19): not a word is said to it. */
static void test_write_looks_sparse(void)
{
    g_autoptr(Session) session = opened(false, 0, NULL, 0);
    g_autoptr(GByteArray) image = sparse_image(10);
    mk_put_fill(image, 0, 0x4000 - image->len);
    open_agent(session);
    g_assert_false(write_from(session, 0x800000, image->data, 0x4000));
    assert_fault(session, MK_FAULT_IMAGE_KIND, "begins like a sparse image");
    assert_usable(session);
}

static void test_download(void)
{
    g_autoptr(Session) session = opened(true, 13, "WRITE-PARTITION", 0);
    g_autofree uint8_t *image = boot_image();
    open_agent(session);
    g_assert_true(download_from(session, "boot_a", image, 0x1000));
    assert_usable(session);
}

/* 100 bytes go out as a whole block. */
static void test_download_padded(void)
{
    g_autoptr(Session) session = opened(true, 13, "WRITE-PARTITION", 0);
    g_autofree uint8_t *image = boot_image();
    open_agent(session);
    g_assert_true(download_from(session, "boot_a", image, 100));
    assert_usable(session);
}

static void test_download_sparse(void)
{
    g_autoptr(Session) session = opened(true, 18, "WRITE-PARTITION", 0);
    g_autoptr(GByteArray) image = sparse_image(10);
    g_assert_cmphex(image->len, ==, 0x3050);
    open_agent(session);
    g_assert_true(download_from(session, "misc", image->data, image->len));
    assert_usable(session);
}

/* Vector 20: the agent would erase before it notices. */
static void test_download_too_large(void)
{
    g_autofree uint8_t *image = g_malloc0(0x9000);
    g_autoptr(GByteArray) sparse = sparse_image(9); /* more blocks than proinfo has */
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(Session) session = opened(true, 0, NULL, 0);
        open_agent(session);
        g_assert_false(i ? download_from(session, "proinfo", sparse->data, sparse->len)
                         : download_from(session, "proinfo", image, 0x9000));
        assert_fault(session, MK_FAULT_IMAGE_SIZE, i ? "36864 bytes; its partition takes 32768" : "36864 bytes");
        assert_usable(session);
    }
}

static void test_download_nothing(void)
{
    g_autoptr(Session) session = opened(true, 0, NULL, 0);
    uint8_t image[1];
    open_agent(session);
    g_assert_false(download_from(session, "misc", image, 0));
    assert_fault(session, MK_FAULT_IMAGE_SIZE, NULL);
    assert_usable(session);
}

static void test_unknown_partition(void)
{
    g_autoptr(Session) session = opened(true, 0, NULL, 0);
    uint8_t data[1];
    ScriptBuffer buffer = {data, 1, 0};
    open_agent(session);
    g_assert_false(mk_agent_upload(session->agent, "nope", script_sink, &buffer, &session->error));
    assert_fault(session, MK_FAULT_LAYOUT, "nope");
    assert_usable(session);
}

static void test_erase(void)
{
    g_autoptr(Session) session = opened(false, 14, "ERASE-FLASH", 0);
    g_autoptr(MkProgress) root = mk_progress_new("erasing");
    MkProgress *progress = mk_progress_add(root, "erasing", 1);
    open_agent(session);
    g_assert_true(mk_agent_erase(session->agent, MK_REGION_LU2, 0x800000, 0x100000, MK_ERASE_NORMAL, false, progress,
                                 &session->error));
    g_assert_true(mk_progress_is_done(progress));
    assert_usable(session);
}

static void test_finish(void)
{
    static const struct {
        MkAfter after;
        unsigned mode; /* of vector 15, counted from 1; 0: none is set */
        const char *action;
    } cases[] = {{MK_AFTER_REBOOT, 0, "IMMEDIATE"},
                 {MK_AFTER_META, 1, "IMMEDIATE"},
                 {MK_AFTER_FASTBOOT, 2, "IMMEDIATE"},
                 {MK_AFTER_OFF, 0, "DISCONNECT"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Session) session = session_new();
        g_autofree char *action = g_strdup_printf("<action>%s</action>", cases[i].action);
        xml_script_open(session->steps);
        if (cases[i].mode)
            xml_vector(session->steps, 15, "SET-BOOT-MODE", cases[i].mode - 1);
        if (cases[i].after == MK_AFTER_OFF) {
            xml_vector(session->steps, 25, "REBOOT", 1);
        } else {
            xml_host_command(session->steps, "REBOOT", action);
            xml_phone(session->steps, "OK");
            xml_phone(session->steps, XML_END("OK", ""));
            xml_host(session->steps, "OK");
        }
        open_agent(session);
        g_assert_true(mk_agent_finish(session->agent, cases[i].after, &session->error));
        g_assert_no_error(session->error);
        script_assert_over(session->link);
        g_assert_true(session->agent->lost);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xml/vectors/open", test_open);
    g_test_add_func("/agent/xml/vectors/hash-mismatch", test_hash_mismatch);
    g_test_add_func("/agent/xml/vectors/stage2-silent", test_stage2_silent);
    g_test_add_func("/agent/xml/vectors/no-faster-cable", test_no_faster_cable);
    g_test_add_func("/agent/xml/vectors/table", test_table);
    g_test_add_func("/agent/xml/vectors/read", test_read);
    g_test_add_func("/agent/xml/vectors/read-stopped", test_read_stopped);
    g_test_add_func("/agent/xml/vectors/read-fails-later", test_read_fails_later);
    g_test_add_func("/agent/xml/vectors/read-fails-at-once", test_read_fails_at_once);
    g_test_add_func("/agent/xml/vectors/write", test_write);
    g_test_add_func("/agent/xml/vectors/write-damaged", test_write_damaged_on_its_way);
    g_test_add_func("/agent/xml/vectors/write-stopped", test_write_stopped);
    g_test_add_func("/agent/xml/vectors/write-fails-late", test_write_fails_late);
    g_test_add_func("/agent/xml/vectors/write-erase-fails", test_write_erase_fails);
    g_test_add_func("/agent/xml/vectors/write-looks-sparse", test_write_looks_sparse);
    g_test_add_func("/agent/xml/vectors/download", test_download);
    g_test_add_func("/agent/xml/vectors/download-padded", test_download_padded);
    g_test_add_func("/agent/xml/vectors/download-sparse", test_download_sparse);
    g_test_add_func("/agent/xml/vectors/download-too-large", test_download_too_large);
    g_test_add_func("/agent/xml/vectors/download-nothing", test_download_nothing);
    g_test_add_func("/agent/xml/vectors/unknown-partition", test_unknown_partition);
    g_test_add_func("/agent/xml/vectors/erase", test_erase);
    g_test_add_func("/agent/xml/vectors/finish", test_finish);
    return g_test_run();
}
