/* Exchanges of spec da-xflash-vectors.txt and of da-xflash.md. */
#include "xflash-setup.h"
#include "xflash-words.h"

typedef struct {
    XFlashSetup *setup;
    MkLink *link;
    GCancellable *cancel;
    MkAgent *agent;
    GError *error;
} Session;

static Session *prepare(const char *label, const char *script)
{
    Session *session = g_new0(Session, 1);
    GArray *steps = script_steps_new();
    xflash_script_parse(steps, script);
    session->setup = xflash_setup_new(label, 0x6765, XFLASH_STAGE2);
    session->link = script_link(steps);
    session->cancel = g_cancellable_new();
    return session;
}

static MkAgent *try_open(Session *session)
{
    session->agent = mk_agent_open(session->link, &session->setup->setup, NULL, session->cancel, &session->error);
    return session->agent;
}

static Session *open_session(const char *script)
{
    g_autofree char *all = g_strconcat(OPEN, script, NULL);
    Session *session = prepare(XFLASH_LABEL, all);
    try_open(session);
    g_assert_no_error(session->error);
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

static void assert_fault(Session *session, MkFault fault, uint32_t number, const char *symbol)
{
    g_assert_error(session->error, MK_FAULT, (int)fault);
    g_assert_cmphex(mk_fault_number(session->error), ==, number);
    g_assert_cmpstr(mk_fault_symbol(session->error), ==, symbol);
    g_clear_error(&session->error);
}

/* Still in step: another exchange works. */
static void assert_usable(Session *session)
{
    unsigned millivolt = 0;
    g_assert_true(mk_agent_battery(session->agent, &millivolt, &session->error));
    g_assert_no_error(session->error);
    g_assert_cmpuint(millivolt, ==, 0x0F00);
    script_assert_over(session->link);
}
#define BATTERY CTRL("4000F") "F00 0 "

static bool read_into(Session *session, MkRegion region, uint64_t offset, uint8_t *data, size_t length)
{
    ScriptBuffer buffer = {data, length, 0};
    return mk_agent_read(session->agent, region, offset, length, script_sink, &buffer, &session->error);
}

static bool write_from(Session *session, MkRegion region, uint64_t offset, uint8_t *data, size_t length)
{
    ScriptBuffer buffer = {data, length, 0};
    return mk_agent_write(session->agent, region, offset, length, script_source, &buffer, &session->error);
}

static void test_open_emmc(void)
{
    g_autoptr(Session) session = open_session(BATTERY);
    const MkAgentInfo *info = mk_agent_info(session->agent);
    g_assert_cmpint(info->storage, ==, MK_STORAGE_EMMC);
    g_assert_cmpuint(info->geometry.sector, ==, 512);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_BOOT1), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_BOOT2), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_RPMB), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_GP1), ==, 0);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_USER), ==, 0x4000000);
    g_assert_cmpuint(info->dram_size, ==, 0x80000000);
    g_assert_cmpuint(info->sram_size, ==, 0x70000);
    g_assert_cmpuint(info->emmc_cid[15], ==, 15);
    g_assert_cmpint(info->life, ==, MK_LIFE_GOOD);
    g_assert_cmpuint(info->life_a, ==, 1);
    g_assert_cmpuint(info->pre_eol, ==, 1);
    g_assert_true(info->has_chip_id);
    g_assert_cmphex(info->chip_id[1], ==, 0x11);
    g_assert_cmphex(info->chip_code, ==, 0x766);
    g_assert_true(info->has_hrid);
    g_assert_cmpint(info->rpmb_key, ==, 1);
    g_assert_cmpuint(info->dram_type, ==, 6);
    assert_usable(session);
}

static void test_open_ufs(void)
{
    g_autoptr(Session) session =
        prepare(XFLASH_LABEL, START RAM UFS TAIL "H> 10005 D> 0 H> @30:3:1000:1000 D> 0 0 P(4096) H> 0 D> 0 ");
    g_assert_nonnull(try_open(session));
    const MkAgentInfo *info = mk_agent_info(session->agent);
    uint8_t data[4096];
    g_assert_cmpint(info->storage, ==, MK_STORAGE_UFS);
    g_assert_cmpuint(info->geometry.sector, ==, 4096);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU0), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU1), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU2), ==, 0x4000000);
    g_assert_cmpstr(info->ufs_model, ==, "KM2V8001CM");
    g_assert_cmpuint(info->ufs_serial[131], ==, 'A');
    g_assert_cmpuint(info->life_a, ==, 3);
    g_assert_cmpuint(info->life_b, ==, 2);
    g_assert_cmpint(info->life, ==, MK_LIFE_WARNING);
    g_assert_true(read_into(session, MK_REGION_LU2, 0x1000, data, sizeof data));
    script_assert_over(session->link);
}

/* 512 MiB of SPI NAND, pages of 2048 + 64, blocks of 128 KiB, 500 MiB of them for the system (field table of spec 11; never run). */
static void test_open_nand(void)
{
    g_autoptr(Session) session = prepare(
        XFLASH_LABEL,
        START RAM CTRL("40001") "Z(104) 0 " CTRL("40004") "Z(208) 0 " CTRL(
            "40002") ":1500000000080000000002004000000000000020000000000000401F00000000010102030405060708090A0B0C000000"
                     " 0 " TAIL
                     "H> 10003 D> 0 H> @15:8:20000:20000 D> 0 40040004 32 H> 0 D> 40040004 64 H> 0 D> 40040005 ");
    g_assert_nonnull(try_open(session));
    const MkGeometry *geometry = &mk_agent_info(session->agent)->geometry;
    g_assert_cmpint(geometry->storage, ==, MK_STORAGE_NAND);
    g_assert_cmpuint(geometry->nand_size, ==, 0x20000000);
    g_assert_cmpuint(geometry->nand_page, ==, 2048);
    g_assert_cmpuint(geometry->nand_block, ==, 0x20000);
    g_assert_cmpuint(geometry->nand_spare, ==, 64);
    g_assert_cmpuint(geometry->pool_blocks, ==, 96);
    g_assert_true(mk_agent_erase(session->agent, MK_REGION_NAND, 0x20000, 0x20000, MK_ERASE_NORMAL, false, NULL, NULL));
    script_assert_over(session->link);
}

static void test_open_bootrom(void)
{
    g_autoptr(Session) session = prepare(
        XFLASH_LABEL,
        START_STAGE1 CONFIGURE CTRL("4000A") "=brom 0 "
                                             "H> 1000A D> 0 H> 110 *272 D> 0 " BOOT_TO REFUSE("40016") RAM EMMC TAIL);
    session->setup->setup.from_preloader = false;
    session->setup->setup.emi = xflash_emi(0x110);
    g_assert_nonnull(try_open(session));
    script_assert_over(session->link);
}

static GBytes *choose(const uint8_t *id, size_t length, gpointer user_data, GError **error)
{
    g_byte_array_append(user_data, id, (guint)length);
    if (length)
        return xflash_emi(0x110);
    mk_fault_set(error, MK_FAULT_FILE, "which?");
    return NULL;
}

/* Stage 1 says which flash chip it found before any settings are sent that might hang it. */
static void test_settings_for_the_flash_chip(void)
{
    static const char begin[] = START_STAGE1 CONFIGURE CTRL("4000A") "=brom 0 ",
                      send[] = "H> 1000A D> 0 H> 110 *272 D> 0 " BOOT_TO REFUSE("40016") RAM;
    const struct {
        const char *asked, *report, *id; /* ID NULL: not known, so nothing may be sent */
        size_t length;
    } cases[] = {{EMMC, EMMC TAIL, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16},
                 {UFS, UFS TAIL, "KM2V8001CM\0\0\0\0\0\0\0\0\0\0", 20},
                 {REFUSE("40001") REFUSE("40004"), NULL, NULL, 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *script = g_strconcat(begin, cases[i].asked, cases[i].id ? send : NULL, cases[i].report, NULL);
        g_autoptr(Session) session = prepare(XFLASH_LABEL, script);
        g_autoptr(GByteArray) seen = g_byte_array_new();
        session->setup->setup.emi = xflash_emi(0x110);
        session->setup->setup.choose_emi = choose;
        session->setup->setup.emi_data = seen;
        g_assert_true((try_open(session) != NULL) == (cases[i].id != NULL));
        g_assert_cmpmem(seen->data, seen->len, cases[i].id, cases[i].length);
        if (!cases[i].id)
            assert_fault(session, MK_FAULT_FILE, 0, NULL);
        script_assert_over(session->link);
    }
}

/* What goes wrong while opening, and how it is explained. */
static void test_open_faults(void)
{
    const struct {
        const char *script;
        MkFault fault;
        uint32_t number;
        const char *symbol;
    } cases[] = {
        {START_STAGE1 CONFIGURE CTRL("4000A") "=brom 0 H> 1000A D> 0 H> 110 *272 D> C0040050", MK_FAULT_PL_EMI,
         0xC0040050, "STATUS_EMI_SETTING_VERSION_ERROR"},
        {START_STAGE1 CONFIGURE CTRL("4000A") "=brom 0 H> 1000A D> 0 H> 110 *272 D> C004000A", MK_FAULT_PL_EMI,
         0xC004000A, "STATUS_DRAM_TEST_FAILED"},
        {START_STAGE1 CONFIGURE CTRL("4000A") "=brom 0 H> 1000A D> 0 H> 110 *272 ", MK_FAULT_PL_EMI, 0, NULL},
        {START_STAGE1 CONFIGURE CTRL(
             "4000A") "=preloader 0 H> 10008 D> 0 H> :00000040000000000020000000000000 *8192 D> C0070004",
         MK_FAULT_DA_SIGN, 0xC0070004, "STATUS_DA_HASH_MISMATCH"},
        {START_STAGE1 CONFIGURE CTRL(
             "4000A") "=preloader 0 H> 10008 D> 0 H> :00000040000000000020000000000000 *8192 D> 0",
         MK_FAULT_PL_EMI, 0, NULL},
        {"D> ! H> 434E5953 10100 " ENV "D> C0020053", MK_FAULT_DA_VER, 0xC0020053, "STATUS_SEC_INVALID_DA_VER"},
        {"D> ! H> 434E5953 10100 " ENV "D> 0 H> 10101 0 D> 0 C0040009", MK_FAULT_STOR_NONE, 0xC0040009,
         "STATUS_UNKNOWN_STORAGE_TYPE"},
        {START_STAGE1 CONFIGURE CTRL("4000A") "=preloader 0 " BOOT_TO CTRL("40016") "1 0 ", MK_FAULT_AUTH_NEEDED, 0,
         NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Session) session = prepare(XFLASH_LABEL, cases[i].script);
        session->setup->setup.emi = xflash_emi(0x110);
        g_assert_null(try_open(session));
        assert_fault(session, cases[i].fault, cases[i].number, cases[i].symbol);
        script_assert_over(session->link);
    }
    g_autoptr(Session) session = prepare(XFLASH_LABEL, START_STAGE1 CONFIGURE CTRL("4000A") "=brom 0 ");
    g_assert_null(try_open(session));
    assert_fault(session, MK_FAULT_PL_EMI, 0, NULL);
}

/* The owner signs the 16 bytes behind the first four; here the program gives them back as they came. */
static void test_sla(void)
{
    static const char ask[] = START_STAGE1 CONFIGURE CTRL("4000A") "=preloader 0 " BOOT_TO CTRL("40016") "1 0 " CTRL(
        "40013") ":0000000000112233445566778899AABBCCDDEEFF 0 " CTRL("2000B") "H> :00112233445566778899AABBCCDDEEFF ";
    g_autofree char *accepted = g_strconcat(ask, "D> 0 " RAM EMMC TAIL, NULL);
    g_autofree char *refused = g_strconcat(ask, "D> C0020049 ", NULL);
    g_autoptr(Session) good = prepare(XFLASH_LABEL, accepted), bad = prepare(XFLASH_LABEL, refused);
    good->setup->setup.signer.command = bad->setup->setup.signer.command = "cat";
    try_open(good);
    g_assert_no_error(good->error);
    g_assert_nonnull(mk_agent_info(good->agent)->security);
    script_assert_over(good->link);
    g_assert_null(try_open(bad));
    assert_fault(bad, MK_FAULT_AUTH_WRONG, 0xC0020049, "STATUS_SEC_REMOTE_SECURITY_POLICY_DISABLED");
}

/* An agent that cannot make a challenge says so in words; nobody is asked to sign those. */
static void test_sla_without_challenge(void)
{
    g_autoptr(Session) session =
        prepare(XFLASH_LABEL, START_STAGE1 CONFIGURE CTRL("4000A") "=preloader 0 " BOOT_TO CTRL("40016") "1 0 " CTRL(
                                  "40013") ":4745545F4445565F46575F494E464F204641494C00 0 ");
    session->setup->setup.signer.command = "cat";
    g_assert_null(try_open(session));
    assert_fault(session, MK_FAULT_PROTOCOL, 0, NULL);
    script_assert_over(session->link);
}

/* One status per operation, 48-byte ranges, a word before the data (hosts.md). */
#define SET_2015(code, value) "H> 10009 " code " D> 0 H> " value " D> 0 "
#define ASK_2015(code)        "H> 10009 " code " D> 0 "
#define OPEN_2015                                                                                                      \
    SET_2015("20004", "50")                                                                                            \
    SET_2015("20002", "2")                                                                                             \
    SET_2015("20003", "0")                                                                                             \
    ASK_2015("4000A")                                                                                                  \
    "=preloader 0 "                                                                                                    \
    "H> 10008 :00000040000000000020000000000000 *8192 D> 0 " ASK_2015(                                                 \
        "4000C") ":020000000000000000000400010000000000004000000080 "                                                  \
                 "0 " ASK_2015("40001") "@emmc 0 H> 10009 4000D D> C0010004 " ASK_2015("40008") ID_REPLY               \
        "H> 10009 40007 D> C0010004 " ASK_2015("40005") "=1.0 0 "
#define START_2015 "D> ! H> 434E5953 10100 " ENV "D> 0 "

/* DATA: how the session begins. */
static void test_2015(gconstpointer data)
{
    static const char use[] = "H> 10005 @1:8:200:400:30 D> 0 0 H> 0 D> P(512) H> 0 D> 0 H> 0 D> P(512) H> 0 D> 0 "
                              "H> 10004 @1:8:0:200:30 D> 0 H> 0 FF00 P(512) D> 0 0 "
                              "H> 10003 @1:8:0:200:30 D> 0 40040004 64 H> 0 D> 40040005 "
                              "H> 10007 1 D> 0 ";
    g_autofree char *script = g_strconcat(data, OPEN_2015, use, NULL);
    g_autoptr(Session) session = prepare(strcmp(data, START_2015) == 0 ? XFLASH_LABEL_2015 : XFLASH_LABEL, script);
    MkAgent *agent = try_open(session);
    uint8_t bytes[1024];
    g_assert_no_error(session->error);
    g_assert_cmpuint(mk_agent_info(agent)->dram_size, ==, 0x80000000);
    g_assert_true(read_into(session, MK_REGION_USER, 0x200, bytes, sizeof bytes));
    for (size_t i = 0; i < 512; i++)
        bytes[i] = (uint8_t)i;
    g_assert_true(write_from(session, MK_REGION_USER, 0, bytes, 512));
    g_assert_true(mk_agent_erase(agent, MK_REGION_USER, 0, 512, MK_ERASE_NORMAL, false, NULL, &session->error));
    g_assert_false(mk_agent_finish(agent, MK_AFTER_META, &session->error));
    assert_fault(session, MK_FAULT_UNSUPPORTED, 0, NULL);
    g_assert_true(mk_agent_finish(agent, MK_AFTER_REBOOT, &session->error));
    script_assert_over(session->link);
}

/* Vectors 8 and 9. */
static void test_read(void)
{
    g_autoptr(Session) session =
        open_session("H> 10005 D> 0 H> @1:8:200:200 D> 0 0 P(512) H> 0 D> 0 "
                     "H> 10005 D> 0 H> @1:8:0:18000 D> 0 0 P(65536) H> 0 D> 0 P(32768) H> 0 D> 0 " BATTERY);
    g_autofree uint8_t *data = g_malloc0(0x18000);
    g_assert_true(read_into(session, MK_REGION_USER, 0x200, data, 512));
    g_assert_cmphex(data[511], ==, 0xFF);
    g_assert_true(read_into(session, MK_REGION_USER, 0, data, 0x18000));
    g_assert_cmphex(data[0x17FFF], ==, 0xFF);
    assert_usable(session);
}

static bool stop_sink(G_GNUC_UNUSED const uint8_t *data, G_GNUC_UNUSED size_t length, gpointer user_data,
                      G_GNUC_UNUSED GError **error)
{
    g_cancellable_cancel(user_data);
    return true;
}

/* Vector 10: the agent stays usable. */
static void test_read_cancelled(void)
{
    g_autoptr(Session) session =
        open_session("H> 10005 D> 0 H> @1:8:0:30000 D> 0 0 P(65536) H> C0010002 D> C0010002 " BATTERY);
    g_assert_false(
        mk_agent_read(session->agent, MK_REGION_USER, 0, 0x30000, stop_sink, session->cancel, &session->error));
    assert_fault(session, MK_FAULT_STOPPED, 0, NULL);
    assert_usable(session);
}

/* Vector 24; agents of MT6765 keep what the chip said, others refuse the question. */
#define DETAIL                                                                                                         \
    ":43524320616674657220434D44313800000000000000000000000000000000001234000000000000"                                \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000"                                 \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000"                                 \
    "0000000000000000 0 "
static void test_read_errors(void)
{
    static const char *const words[] = {"(0 of 196608 bytes were read)",
                                        "(0 of 196608 bytes were read, CRC after CMD18 at block 13330)",
                                        "(65536 of 196608 bytes were read)"};
    g_autoptr(Session) session = open_session(
        "H> 10005 D> 0 H> @1:8:0:30000 D> 0 C0040030 " REFUSE(
            "40015") "H> 10005 D> 0 H> @1:8:0:30000 D> 0 C0040030 C0040030 " CTRL("40015") DETAIL
        "H> 10005 D> 0 H> @1:8:0:30000 D> 0 0 P(65536) H> 0 D> C0040030 C0040030 " REFUSE("40015") BATTERY);
    g_autofree uint8_t *data = g_malloc(0x30000);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        g_assert_false(read_into(session, MK_REGION_USER, 0, data, 0x30000));
        g_assert_nonnull(strstr(session->error->message, words[i]));
        assert_fault(session, MK_FAULT_READ, 0xC0040030, "STATUS_MMC_ERR");
    }
    assert_usable(session);
}

/* Vectors 11 and 12, and a last packet that is not full. */
static void test_write(void)
{
    g_autoptr(Session) session =
        open_session("H> 10004 D> 0 H> @1:8:100000:200 D> 0 H> 0 FF00 P(512) D> 0 0 "
                     "H> 10004 D> 0 H> @1:1:0:10200 D> 0 H> 0 8000 P(65536) D> 0 H> 0 FF00 P(512) D> 0 0 " BATTERY);
    g_autofree uint8_t *data = g_malloc(0x10200);
    for (size_t i = 0; i < 0x10200; i++)
        data[i] = (uint8_t)i;
    g_assert_true(write_from(session, MK_REGION_USER, 0x100000, data, 512));
    g_assert_true(write_from(session, MK_REGION_BOOT1, 0, data, 0x10200));
    assert_usable(session);
}

/* Vectors 13, 20 and 24: at once, in the packet's status, or only in the final one. */
static void test_write_errors(void)
{
    g_autoptr(Session) session =
        open_session("H> 10004 D> 0 H> @1:8:0:200 D> C0040007 "
                     "H> 10001 D> 0 H> =pgpt :0002000000000000 D> C0040006 "
                     "H> 10004 D> 0 H> @1:8:0:200 D> C002000C "
                     "H> 10004 D> 0 H> @1:8:0:200 D> 0 H> 0 FF00 P(512) D> C0040003 C0040003 "
                     "H> 10004 D> 0 H> @1:8:0:200 D> 0 H> 0 FF00 P(512) D> 0 C0040030 " BATTERY);
    const struct {
        MkFault fault;
        uint32_t number;
        const char *symbol;
    } cases[] = {{MK_FAULT_TABLE_BAD, 0xC0040007, "STATUS_READ_PT_FAIL"},
                 {MK_FAULT_SEC_FORBIDDEN, 0xC002000C, "STATUS_SEC_WRITE_DATA_NOT_ALLOWED"},
                 {MK_FAULT_VERIFY, 0xC0040003, "STATUS_CHECKSUM_ERR"},
                 {MK_FAULT_WRITE, 0xC0040030, "STATUS_MMC_ERR"}};
    uint8_t data[512];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_false(write_from(session, MK_REGION_USER, 0, data, sizeof data));
        assert_fault(session, cases[i].fault, cases[i].number, cases[i].symbol);
    }
    assert_usable(session);
}

/* A blank phone takes its first table by name; anything else has to wait for that. */
static void test_first_table(void)
{
    g_autoptr(Session) session = open_session("H> 10004 D> 0 H> @1:8:0:200 D> C0040007 "
                                              "H> 10001 D> 0 H> =pgpt :0002000000000000 D> 0 H> 0 FF00 P(512) D> 0 0 "
                                              "H> 10004 D> 0 H> @1:8:200:200 D> C0040007 "
                                              "H> 10004 D> 0 H> @1:1:0:200 D> C0040007 " BATTERY);
    uint8_t data[512];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    g_assert_true(write_from(session, MK_REGION_USER, 0, data, sizeof data));
    g_assert_false(write_from(session, MK_REGION_USER, 0x200, data, sizeof data));
    assert_fault(session, MK_FAULT_TABLE_BAD, 0xC0040007, "STATUS_READ_PT_FAIL");
    g_assert_false(write_from(session, MK_REGION_BOOT1, 0, data, sizeof data));
    assert_fault(session, MK_FAULT_TABLE_BAD, 0xC0040007, "STATUS_READ_PT_FAIL");
    assert_usable(session);
}

typedef struct {
    GCancellable *cancel; /* cancelled after the first packet, or NULL: the source fails there */
    unsigned packets;
} StopSource;

static bool stop_source(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    StopSource *stop = user_data;
    memset(data, 0, length);
    if (stop->packets++ == 0)
        return true;
    if (stop->cancel)
        g_cancellable_cancel(stop->cancel);
    else
        mk_fault_set(error, MK_FAULT_FILE, "the file is gone");
    return stop->cancel != NULL;
}

/* Between two packets, by the user or because the file cannot be read any further. */
static void test_write_cancelled(void)
{
    g_autoptr(Session) session =
        open_session("H> 10004 D> 0 H> @1:8:0:30000 D> 0 H> 0 0 *65536 D> 0 H> C0010002 D> C0010002 "
                     "H> 10004 D> 0 H> @1:8:0:30000 D> 0 H> 0 0 *65536 D> 0 H> C0010002 D> C0010002 " BATTERY);
    StopSource file = {NULL, 0}, user = {session->cancel, 0};
    g_assert_false(mk_agent_write(session->agent, MK_REGION_USER, 0, 0x30000, stop_source, &file, &session->error));
    assert_fault(session, MK_FAULT_FILE, 0, NULL);
    g_assert_false(mk_agent_write(session->agent, MK_REGION_USER, 0, 0x30000, stop_source, &user, &session->error));
    assert_fault(session, MK_FAULT_STOPPED, 0, NULL);
    assert_usable(session);
}

/* Vector 15, and refusals before and in the middle. */
static void test_erase(void)
{
    g_autoptr(Session) session =
        open_session("H> 10003 D> 0 H> @1:8:100000:200000 D> 0 40040004 64 H> 0 D> 40040005 "
                     "H> 10003 D> 0 H> @1:8:100000:200000 D> C002000D "
                     "H> 10003 D> 0 H> @1:8:100000:200000 D> 0 40040004 32 H> 0 D> C0040030 " BATTERY);
    MkAgent *agent = session->agent;
    g_assert_true(
        mk_agent_erase(agent, MK_REGION_USER, 0x100000, 0x200000, MK_ERASE_NORMAL, false, NULL, &session->error));
    g_assert_false(
        mk_agent_erase(agent, MK_REGION_USER, 0x100000, 0x200000, MK_ERASE_NORMAL, false, NULL, &session->error));
    assert_fault(session, MK_FAULT_SEC_FORBIDDEN, 0xC002000D, "STATUS_SEC_FORMAT_NOT_ALLOWED");
    g_assert_false(
        mk_agent_erase(agent, MK_REGION_USER, 0x100000, 0x200000, MK_ERASE_NORMAL, false, NULL, &session->error));
    assert_fault(session, MK_FAULT_ERASE, 0xC0040030, "STATUS_MMC_ERR");
    assert_usable(session);
}

/* A stop is obeyed with the answer to a report; what was complete by then is complete. */
static void test_erase_cancelled(void)
{
    g_autoptr(Session) session =
        open_session("H> 10003 D> 0 H> @1:8:0:200000 D> 0 40040004 32 H> C0010002 D> C0010002 "
                     "H> 10003 D> 0 H> @1:8:0:200000 D> 0 40040004 64 H> C0010002 D> 40040005 " BATTERY);
    Script *script = (Script *)session->link;
    for (int complete = 0; complete < 2; complete++) {
        g_cancellable_reset(session->cancel);
        script->after = session->cancel;
        script->stop_step = script->step + 11; /* the percents were read */
        bool good =
            mk_agent_erase(session->agent, MK_REGION_USER, 0, 0x200000, MK_ERASE_NORMAL, false, NULL, &session->error);
        g_assert_true(good == (complete == 1));
        if (!complete)
            assert_fault(session, MK_FAULT_STOPPED, 0, NULL);
    }
    g_assert_no_error(session->error);
    script->after = NULL;
    assert_usable(session);
}

/* A refusal in the place of the answer is all that comes (agents.md, XFlash 4): the next question must find its own answer. */
static void test_refused_questions(void)
{
    g_autoptr(Session) session = prepare(
        XFLASH_LABEL,
        START CTRL("4000C") "C0040001 " EMMC REFUSE("4000D") REFUSE("40008") CTRL("40007") "C0010001 " REFUSE("40005")
            CTRL("40014") "C0010001 " CTRL("40010") "11 0 " REFUSE("40012") CTRL("80007") "C003001D " BATTERY);
    g_assert_nonnull(try_open(session));
    const MkAgentInfo *info = mk_agent_info(session->agent);
    g_assert_cmpint(info->storage, ==, MK_STORAGE_EMMC);
    g_assert_cmpuint(info->dram_size, ==, 0);
    g_assert_false(info->has_chip_id);
    g_assert_cmpint(info->rpmb_key, ==, 0);
    g_assert_cmpint(info->life, ==, MK_LIFE_END);
    assert_usable(session);
}

/* Sizes that cannot be: the phone has no such storage, and nothing divides by them. */
static void test_senseless_storage(void)
{
    static const char *const blocks[] = {"00000000", "01000000", "00030000", "000000FF"};
    for (size_t i = 0; i < G_N_ELEMENTS(blocks); i++) {
        g_autoptr(GString) script = g_string_new(START RAM CTRL("40001") ":01000000");
        g_string_append_printf(script, "%s", blocks[i]);
        for (int size = 0; size < 8; size++)
            g_string_append(script, "0000000400000000");
        for (int byte = 72; byte < 104; byte++)
            g_string_append(script, "00");
        g_string_append(script, " 0 " CTRL("40004") "Z(208) 0 " CTRL("40002") "Z(48) 0 " CTRL("40003") "Z(16) 0 " TAIL);
        g_autoptr(Session) session = prepare(XFLASH_LABEL, script->str);
        g_assert_nonnull(try_open(session));
        g_assert_cmpint(mk_agent_info(session->agent)->storage, ==, MK_STORAGE_UNKNOWN);
        g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_USER), ==, 0);
        script_assert_over(session->link);
    }
}

/* Packets of nothing and packets of too much: the agent is lost. */
static void test_senseless_packets(void)
{
    static const char *const scripts[] = {"H> 10005 D> 0 H> @1:8:0:400 D> 0 0 Z(0) ",
                                          "H> 10005 D> 0 H> @1:8:0:400 D> 0 0 P(1025) "};
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_autoptr(Session) session = open_session(scripts[i]);
        uint8_t data[1024];
        g_assert_false(read_into(session, MK_REGION_USER, 0, data, sizeof data));
        assert_fault(session, MK_FAULT_PROTOCOL, 0, NULL);
        g_assert_false(read_into(session, MK_REGION_USER, 0, data, sizeof data));
        assert_fault(session, MK_FAULT_SILENT, 0, NULL);
    }
}

/* Vectors 17 and 18: whole blocks, a sparse image as it is. */
static void test_download(void)
{
    static const char start[] = CTRL("80001") "0 ", end[] = CTRL("80002") "0 ";
    g_autofree char *script =
        g_strconcat(start, "H> 10001 D> 0 H> =boot :0002000000000000 D> 0 H> 0 FF00 P(512) D> 0 0 ", end, start,
                    "H> 10001 D> 0 H> =boot :0004000000000000 D> 0 H> 0 FF00 *1024 D> 0 0 ", end, start,
                    "H> 10001 D> 0 H> =system :1E00000000000000 D> 0 H> 0 24C "
                    ":3AFF26ED0000000000000000000000000000000000000000000000000000 D> 0 0 ",
                    end, start, "H> 10001 D> 0 H> =nosuch :0002000000000000 D> C0040006 ", BATTERY, NULL);
    g_autoptr(Session) session = open_session(script);
    uint8_t data[600] = {0}, sparse[30] = {0x3A, 0xFF, 0x26, 0xED};
    for (size_t i = 0; i < 512; i++)
        data[i] = (uint8_t)i;
    ScriptBuffer exact = {data, 512, 0}, odd = {data, 600, 0}, image = {sparse, sizeof sparse, 0},
                 lost = {data, 512, 0};
    g_assert_true(mk_agent_download(session->agent, "boot", 512, script_source, &exact, &session->error));
    g_assert_true(mk_agent_download(session->agent, "boot", 600, script_source, &odd, &session->error));
    g_assert_true(mk_agent_download(session->agent, "system", sizeof sparse, script_source, &image, &session->error));
    g_assert_false(mk_agent_download(session->agent, "nosuch", 512, script_source, &lost, &session->error));
    assert_fault(session, MK_FAULT_LAYOUT, 0xC0040006, "STATUS_PARTITON_NOT_FOUND");
    assert_usable(session);
}

/* Vector 19. */
static void test_upload(void)
{
    g_autoptr(Session) session =
        open_session("H> 10002 D> 0 H> =proinfo D> 0 :0000020000000000 0 P(65536) H> 0 D> 0 P(65536) H> 0 D> 0 "
                     "H> 10002 D> 0 H> =nosuch D> C0040006 " BATTERY);
    g_autofree uint8_t *data = g_malloc(0x20000);
    ScriptBuffer buffer = {data, 0x20000, 0};
    g_assert_true(mk_agent_upload(session->agent, "proinfo", script_sink, &buffer, &session->error));
    g_assert_cmpuint(buffer.done, ==, 0x20000);
    g_assert_false(mk_agent_upload(session->agent, "nosuch", script_sink, &buffer, &session->error));
    assert_fault(session, MK_FAULT_LAYOUT, 0xC0040006, "STATUS_PARTITON_NOT_FOUND");
    assert_usable(session);
}

/* Vector 21: 24 bytes, whatever the wish. */
static void test_finish(void)
{
    static const struct {
        MkAfter after;
        const char *script;
    } cases[] = {
        {MK_AFTER_REBOOT, "H> 10007 D> 0 H> :010000006400000000000000000000000000000001000000 D> 0"},
        {MK_AFTER_FASTBOOT, "H> 10007 D> 0 H> :010000006400000000000000020000000000000001000000 D> 0"},
        {MK_AFTER_META,
         CTRL("20006") "H> :010200 D> 0 H> 10007 D> 0 H> :010000006400000000000000000000000000000001000000 D> 0"},
        {MK_AFTER_OFF, "H> 10007 D> 0 H> :000000006400000000000000000000000000000001000000 D> 0"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Session) session = open_session(cases[i].script);
        g_assert_true(mk_agent_finish(session->agent, cases[i].after, &session->error));
        g_assert_no_error(session->error);
        script_assert_over(session->link);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xflash/open/emmc", test_open_emmc);
    g_test_add_func("/agent/xflash/open/ufs", test_open_ufs);
    g_test_add_func("/agent/xflash/open/nand", test_open_nand);
    g_test_add_func("/agent/xflash/open/bootrom", test_open_bootrom);
    g_test_add_func("/agent/xflash/open/settings-for-the-flash-chip", test_settings_for_the_flash_chip);
    g_test_add_func("/agent/xflash/open/faults", test_open_faults);
    g_test_add_func("/agent/xflash/sla", test_sla);
    g_test_add_func("/agent/xflash/sla/without-challenge", test_sla_without_challenge);
    g_test_add_data_func("/agent/xflash/2015/by-year", START_2015, test_2015);
    g_test_add_data_func("/agent/xflash/2015/by-refusal", START_2015 "H> 10101 0 D> C0010003 C0010003 ", test_2015);
    g_test_add_func("/agent/xflash/read", test_read);
    g_test_add_func("/agent/xflash/read/cancelled", test_read_cancelled);
    g_test_add_func("/agent/xflash/read/errors", test_read_errors);
    g_test_add_func("/agent/xflash/write", test_write);
    g_test_add_func("/agent/xflash/write/errors", test_write_errors);
    g_test_add_func("/agent/xflash/write/first-table", test_first_table);
    g_test_add_func("/agent/xflash/write/cancelled", test_write_cancelled);
    g_test_add_func("/agent/xflash/erase", test_erase);
    g_test_add_func("/agent/xflash/erase/cancelled", test_erase_cancelled);
    g_test_add_func("/agent/xflash/refused-questions", test_refused_questions);
    g_test_add_func("/agent/xflash/senseless/storage", test_senseless_storage);
    g_test_add_func("/agent/xflash/senseless/packets", test_senseless_packets);
    g_test_add_func("/agent/xflash/download", test_download);
    g_test_add_func("/agent/xflash/upload", test_upload);
    g_test_add_func("/agent/xflash/finish", test_finish);
    return g_test_run();
}
