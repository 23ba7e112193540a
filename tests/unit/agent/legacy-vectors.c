/* Exchanges of spec da-legacy-vectors.txt and of the field tables of da-legacy.md, for all releases. */
#include "agent/legacy.h"
#include "legacy-setup.h"
#include "script.h"

#define G0 "MTK_AllInOne_DA_v3.3001.00.00"
#define G1 "MTK_AllInOne_DA_v7.1320.0.0.983"
#define G2 "MTK_AllInOne_DA_v7.1352.03"
#define G3 "MTK_AllInOne_DA_v7.1504.00.00"
#define G4 "MTK_AllInOne_DA_v3.3001.2019-12-31.22:53_497508"

#define IDS5 "0000 0000 0000 0000 0000 "
#define CID  "15010038 474E4431 52061234 56787251 "
/* The same card in the report and in the words before E8: every word byte-swapped (golden exchanges). */
#define CID_SWAPPED        "38000115 31444E47 34120652 51727856 "
#define NOR(status)        "D> " status " 00 00 FFFF 00000000 0000 0000 0000 0000 00000000 00000000 "
#define TAIL(blank, style) "00112233445566778899AABBCCDDEEFF 5A " blank " " style " C1 "
#define STAGE2             "H> 80000000 00002005 00001000 D> 5A H> *4096 D> 5A H> *4096 D> 5A H> *5 D> 5A D> 5A H> 5A "
#define CONFIG_G2          "H> 05 FE 00 08 00 7007FFFF 01 00000000 02 00 02 00 "

#define START_G3 "D> C0 00000BC0 0005 31F1 618A D3A9 837C ED8A 00000000 " CID "H> 5A D> 04 02 87 " CONFIG_G2
#define REPORT_EMMC_G3(nor, nand, sd, blank)                                                                           \
    NOR(nor)                                                                                                           \
    nand " 00 FFFF 00000000 0005 " IDS5 "0000 0000 0000 00 00 00 "                                                     \
         "00000000 0000000000400000 0000000000400000 0000000000400000 0000000000000000 0000000000000000 "              \
         "0000000000000000 0000000000000000 0000000100000000 " CID_SWAPPED "0000000000000001 " sd                      \
         " 0000000000000000 00000000 00000000 00000000 00000000 "                                                      \
         "00000000 00020000 00000000 02 00 0000000040000000 " TAIL(blank, "00000409")
#define REPORT_G3 REPORT_EMMC_G3("00000BC3", "00000BC4", "00000C4A", "00000C06")
#define OPEN_G3   START_G3 "H> 00000000 D> 00000000 " STAGE2 REPORT_G3

/* u64 NAND size and an uncounted probe of addresses: MT6735 of the last release. */
#define REPORT_6735_G4                                                                                                 \
    NOR("00000BC7")                                                                                                    \
    "00000BC8 00 FFFF 0000000000000000 0005 " IDS5 "0000 0000 0000 00 00 00 "                                          \
    "00000000 0000000000400000 0000000000400000 0000000000400000 0000000000000000 0000000000000000 "                   \
    "0000000000000000 0000000000000000 0000000100000000 " CID_SWAPPED "0000000000000001 "                              \
    "00000C4F 0000000000000000 00000000 00000000 00000000 00000000 "                                                   \
    "00000000 00020000 00000000 02 00 0000000040000000 " TAIL("00000C0B", "00000409")
#define OPEN_6735_G4                                                                                                   \
    "D> C0 00000BC4 0005 " IDS5 "00000000 " CID "H> 5A D> 04 02 9B " CONFIG_G2 "D> 00000000 "                          \
    "H> 40000000 00002005 00001000 D> 5A H> *4096 D> 5A H> *4096 D> 5A H> *5 D> 5A D> 5A H> 5A " REPORT_6735_G4

/* 512 MiB NAND of 2048 + 64 byte pages, 64 pages per block, on a chip without stage 2. */
#define NAND_TABLE "D> 5A 00000038 H> 00000002 D> 5A H> *56 D> 69 H> *56 D> 5A "
#define REPORT_NAND_G1                                                                                                 \
    NOR("00000BC3")                                                                                                    \
    "00000000 00 00AD 20000000 00AD 00BC 0090 0055 0056 0800 0040 0040 00 05 01 "                                      \
    "00000C48 00000000 00000000 00000000 00000000 00000000 00000000 00000000 0000000000000000 "                        \
    "00000000 00000000 00000000 00000000 0000000000000000 "                                                            \
    "00000C4A 0000000000000000 00000000 00000000 00000000 00000000 "                                                   \
    "00000000 00010000 00000000 02 00 20000000 " TAIL("00000C06", "0000040B")
#define OPEN_NAND_G1 "D> C0 03 02 84 H> 05 FE 00 08 00 7007FFFF 00000000 02 00 " NAND_TABLE REPORT_NAND_G1

typedef struct {
    LegacySetup *setup;
    MkLink *link;
    GCancellable *cancel;
    MkAgent *agent;
    GError *error;
} Session;

static MkAgent *try_open(Session *session, const char *label, uint16_t chip, const char *script)
{
    GArray *steps = script_steps_new();
    bool nand = chip == 0x6575 || chip == 0x6577;
    script_parse(steps, script);
    session->setup = legacy_setup_new(label, chip, chip == 0x6735 ? 0x40000000 : 0x80000000, nand ? 112 : 0x2005);
    session->setup->setup.bl_version = 0xFE;
    session->link = script_link(steps);
    session->cancel = g_cancellable_new();
    session->agent = mk_agent_open(session->link, &session->setup->setup, NULL, session->cancel, &session->error);
    return session->agent;
}

static Session *open_session(const char *label, uint16_t chip, const char *opening, const char *script)
{
    Session *session = g_new0(Session, 1);
    g_autofree char *all = g_strconcat(opening, script, NULL);
    try_open(session, label, chip, all);
    g_assert_no_error(session->error);
    return session;
}

static void session_close(Session *session)
{
    mk_agent_free(session->agent);
    mk_link_free(session->link);
    legacy_setup_free(session->setup);
    g_object_unref(session->cancel);
    g_clear_error(&session->error);
    g_free(session);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_close)

static void assert_fault(Session *session, MkFault fault, uint32_t number)
{
    g_assert_error(session->error, MK_FAULT, (int)fault);
    g_assert_cmpuint(mk_fault_number(session->error), ==, number);
    g_clear_error(&session->error);
}

static void fill(uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)i;
}

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

static bool erase(Session *session, MkRegion region, uint64_t offset, uint64_t length)
{
    return mk_agent_erase(session->agent, region, offset, length, MK_ERASE_NORMAL, false, NULL, &session->error);
}

static void test_open_releases(void)
{
    const struct {
        const char *label;
        uint16_t chip;
        const char *script;
        uint64_t dram;
    } cases[] = {
        {G3, 0x6582, OPEN_G3, 0x40000000},
        {G4, 0x6735, OPEN_6735_G4, 0x40000000},
        {G1, 0x6575, OPEN_NAND_G1, 0x20000000},
        /* MT6582 of G1: no early report; the label says G2 and the agent sends its version at once. */
        {G2, 0x6582,
         "D> C0 04 02 87 H> 05 FE 00 08 00 7007FFFF 00000000 02 00 D> 00000000 " STAGE2 NOR(
             "00000BC3") "00000BC4 00 FFFF 00000000 " IDS5 "0000 0000 0000 00 00 00 "
                         "00000000 00400000 00400000 00400000 00000000 00000000 00000000 00000000 "
                         "0000000100000000 " CID_SWAPPED
                         "0000000000000001 00000C4A 0000000000000000 00000000 00000000 00000000 00000000 "
                         "00000000 00020000 00000000 02 00 40000000 " TAIL("00000C06", "00000409"),
         0x40000000},
        /* MT6577 of G0: the shortest configuration, no eMMC firmware version. */
        {G0, 0x6577,
         "D> C0 03 02 85 H> 05 FE 00 08 00 7007FFFF 02 D> A5 " NOR(
             "00000BC3") "00000BC4 00 FFFF 00000000 " IDS5 "0000 0000 0000 00 00 00 "
                         "00000000 00400000 00400000 00400000 00000000 00000000 00000000 00000000 "
                         "0000000100000000 " CID_SWAPPED
                         "00000C4A 0000000000000000 00000000 00000000 00000000 00000000 "
                         "00000000 00020000 00000000 02 00 40000000 " TAIL("00000C06", "00000409"),
         0x40000000},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Session) session = open_session(cases[i].label, cases[i].chip, cases[i].script, "");
        const MkAgentInfo *info = mk_agent_info(session->agent);
        g_assert_cmpuint(info->dram_size, ==, cases[i].dram);
        if (cases[i].chip == 0x6575) {
            g_assert_cmpint(info->storage, ==, MK_STORAGE_NAND);
            g_assert_cmpuint(info->geometry.nand_size, ==, 0x20000000);
            g_assert_cmpuint(info->geometry.nand_block, ==, 0x20000);
            g_assert_cmpuint(info->geometry.nand_spare, ==, 64);
            g_assert_cmpuint(info->nand_ids[1], ==, 0xBC);
        } else {
            g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_USER), ==, UINT64_C(0x100000000));
            g_assert_cmphex(info->emmc_cid[0], ==, 0x15);
        }
        script_assert_over(session->link);
    }
}

#define REPORT_6577_G2                                                                                                 \
    NOR("00000BC3")                                                                                                    \
    "00000BC4 00 FFFF 00000000 " IDS5 "0000 0000 0000 00 00 00 "                                                       \
    "00000000 00400000 00400000 00400000 00000000 00000000 00000000 00000000 0000000100000000 " CID_SWAPPED            \
    "0000000000000001 00000C4A 0000000000000000 00000000 00000000 00000000 00000000 "                                  \
    "00000000 00020000 00000000 02 00 40000000 " TAIL("00000C06", "00000409")

/* MT6577 says nothing before its report: that alone shows which release speaks, whatever the file is called. */
static void test_report_corrects_label(void)
{
    const struct {
        const char *label, *report;
        const char *release;
    } cases[] = {
        {G2, REPORT_6577_G2, "release G2"},
        {G3, REPORT_6577_G2, "release G2 by what it says"},
        {G4, REPORT_6577_G2, "release G2 by what it says"},
        {G2, REPORT_G3, "release G3 by what it says"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *script = g_strconcat("D> C0 03 02 85 " CONFIG_G2 "D> A5 ", cases[i].report, NULL);
        g_autoptr(Session) session = open_session(cases[i].label, 0x6577, script, "H> D9 D> 5A H> 00000000 D> 5A");
        const MkAgentInfo *info = mk_agent_info(session->agent);
        g_assert_true(g_str_has_suffix(info->version, cases[i].release));
        g_assert_cmpuint(info->dram_size, ==, 0x40000000);
        g_assert_cmpuint(info->geometry.user, ==, UINT64_C(0x100000000));
        g_assert_false(((MkLegacy *)session->agent)->numbering_b);
        g_assert_true(mk_agent_finish(session->agent, MK_AFTER_OFF, NULL));
        script_assert_over(session->link);
    }
}

/* What differs by chip and release in the configuration (da-legacy.md 3.2 step 6). */
static void test_configuration(void)
{
    const struct {
        const char *label;
        uint16_t chip;
        const char *script;
    } cases[] = {
        {G4, 0x6580,
         "D> C0 00000BC4 0007 " IDS5 "0000 0000 00000000 " CID "H> 5A D> 04 02 9C " CONFIG_G2
         "H> 00000001 46460000000000000000000000000000 FF000000"},
        {G3, 0x6580, "D> C0 00000BC0 0007 " IDS5 "0000 0000 00000000 " CID "H> 5A D> 04 02 9C " CONFIG_G2},
        {G4, 0x8127,
         "D> C0 00000BC4 0007 " IDS5 "0000 0000 00000000 " CID "H> 5A D> 04 02 8D " CONFIG_G2
         "H> 00000000 00000001 46460000000000000000000000000000 FF000000"},
        {G4, 0x6592,
         "D> C0 00000BC4 0007 " IDS5 "0000 0000 00000000 " CID "H> 5A D> 04 02 8A " CONFIG_G2 "H> 00000000"},
        {G1, 0x6583, "D> C0 03 02 86 H> 05 FE 00 08 00 7007FFFF 00000000 02 00 00000000"},
        {G2, 0x6582, "D> C0 00000BC0 " IDS5 "00000000 " CID "H> 5A D> 04 02 87 " CONFIG_G2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Session) session = g_new0(Session, 1);
        g_assert_null(try_open(session, cases[i].label, cases[i].chip, cases[i].script));
        g_assert_error(session->error, MK_FAULT, MK_FAULT_SILENT);
        script_assert_over(session->link);
    }
}

/* Memory down on MT6735 (vector 2): both records go, because this version's agents choose themselves. */
static void test_dram(void)
{
    const struct {
        const char *end;
        MkFault fault;
        uint32_t number;
    } cases[] = {
        {"D> S H> 5A 80000001 D> 00000000 02 00 0000000040000000 H> 40000000 00002005 00001000", MK_FAULT_SILENT, 0},
        {"D> S H> 5A 80000001 D> 00000BC4", MK_FAULT_PL_EMI, 3012},
        {"D> 0000 H> A5", MK_FAULT_PROTOCOL, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GArray *steps = script_steps_new();
        g_autoptr(LegacySetup) setup = legacy_setup_new(G4, 0x6735, 0x40000000, 0x2005);
        g_autoptr(GError) error = NULL;
        setup->setup.from_preloader = false;
        setup->setup.bl_version = 0xFE;
        setup->setup.emi = legacy_emi(20, 2, 188, NULL);
        script_parse(steps, "D> C0 00000BC4 0005 " IDS5 "00000000 " CID "H> 5A D> 04 02 9B " CONFIG_G2
                            "D> 00000BC3 00000000 " CID_SWAPPED "00000BC4 0005 " IDS5
                            "H> E8 00000014 D> 5A 000000BC H> 5A 00000178");
        script_add(steps, true, g_bytes_new_from_bytes(setup->setup.emi, 0x70, 376))->bulk = true;
        script_parse(steps, cases[i].end);
        MkLink *link = script_link(steps);
        g_assert_null(mk_agent_open(link, &setup->setup, NULL, NULL, &error));
        g_assert_cmpint(mk_fault_code(error), ==, cases[i].fault);
        g_assert_cmpuint(mk_fault_number(error), ==, cases[i].number);
        script_assert_over(link);
        mk_link_free(link);
    }
}

/* An agent that takes one record gets the one that names the phone's memory chip; without settings the fault says what is missing. */
static void test_dram_choice(void)
{
    const char *words = "D> C0 00000BC0 0005 " IDS5 "00000000 " CID "H> 5A D> 04 02 87 " CONFIG_G2
                        "H> 00000000 D> 00000BBF 00000000 " CID_SWAPPED "00000BC0 0005 " IDS5;
    for (int with_emi = 0; with_emi < 2; with_emi++) {
        GArray *steps = script_steps_new();
        g_autoptr(LegacySetup) setup = legacy_setup_new(G3, 0x6582, 0x80000000, 0x2005);
        g_autoptr(GError) error = NULL;
        script_parse(steps, words);
        if (with_emi) {
            GByteArray *record = g_byte_array_new();
            script_parse(steps, "H> E8 0000000C D> 5A 000000BC H> 5A");
            mk_put_fill(record, 1, 8);
            mk_put_le32(record, 9);
            mk_put_fill(record, 1, 4);
            mk_put_text(record, "\x15\x01", 2);
            mk_put_u8(record, 0);
            mk_put_text(record, "8GND1R", 13);
            mk_put_fill(record, 1, 188 - 0x20);
            script_add(steps, true, g_byte_array_free_to_bytes(record))->bulk = true;
        }
        setup->setup.from_preloader = false;
        setup->setup.bl_version = 0xFE;
        if (with_emi) {
            g_autoptr(GBytes) block = legacy_emi(12, 2, 188, (const char *const[]){"\x70\x01other", "123456789"});
            GByteArray *edited = g_bytes_unref_to_array(g_steal_pointer(&block));
            memcpy(edited->data + 0x70 + 188 + 0x10,
                   "\x15\x01\0"
                   "8GND1R",
                   9);
            setup->setup.emi = g_byte_array_free_to_bytes(edited);
        }
        MkLink *link = script_link(steps);
        g_assert_null(mk_agent_open(link, &setup->setup, NULL, NULL, &error));
        g_assert_cmpint(mk_fault_code(error), ==, with_emi ? MK_FAULT_SILENT : MK_FAULT_PL_EMI);
        script_assert_over(link);
        mk_link_free(link);
    }
}

/* A region's byte lands where the agent keeps it: MT6582 counts through all regions, MT6735 by region, which is asked once. */
static void test_read(void)
{
    uint8_t data[0x600], expected[0x600];
    fill(expected, 0x400);
    fill(expected + 0x400, 0x200);
    g_autoptr(Session) linear =
        open_session(G3, 0x6582, OPEN_G3,
                     "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000000C01000 0000000000000600 D> 5A H> 00100000 "
                     "D> P(1536) 0000 H> A5 D> P(1536) 0000 H> A5 D> P(1536) 0000 H> A5 D> P(1536) 0000 H> 5A "
                     "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000000400000 0000000000000200 D> 5A H> 00100000 "
                     "D> P(512) FF01 H> A5 D> P(512) FF00 H> 5A "
                     "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000000C00000 0000000000000200 D> A5 00000BDC ");
    g_assert_false(read_into(linear, MK_REGION_USER, 0x1000, data, 0x600)); /* its sum stays wrong */
    assert_fault(linear, MK_FAULT_READ, 0);
    g_assert_true(read_into(linear, MK_REGION_BOOT2, 0, data, 0x200));
    g_assert_cmpmem(data, 0x200, expected, 0x200);
    g_assert_false(read_into(linear, MK_REGION_USER, 0, data, 0x200));
    assert_fault(linear, MK_FAULT_RANGE, 0xBDC);
    script_assert_over(linear->link);

    g_autoptr(Session) region =
        open_session(G4, 0x6735, OPEN_6735_G4,
                     "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000100000000 0000000000000200 D> A5 00000BE0 "
                     "H> 60 D> 5A H> 02 D> 5A H> D6 0B 02 0000000000001000 0000000000000200 D> 5A H> 00100000 "
                     "D> P(512) FF00 H> 5A "
                     "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000000000000 0000000000000200 D> 5A H> 00100000 "
                     "D> P(512) FF00 H> 5A "
                     "H> 60 D> 5A H> 02 D> 5A H> 62 01 02 0000000000001000 0000000000000200 00100000 D> 5A "
                     "H> 5A P(512) FF00 D> 69");
    g_assert_true(read_into(region, MK_REGION_BOOT2, 0x1000, data, 0x200));
    g_assert_true(read_into(region, MK_REGION_USER, 0, data, 0x200));
    g_assert_true(write_from(region, MK_REGION_BOOT2, 0x1000, data, 0x200));
    script_assert_over(region->link);
}

/* Early releases fill up the last packet: no command may end with a part of one. */
static void test_read_g2(void)
{
    g_autofree uint8_t *data = g_malloc(0x100200);
    g_autoptr(Session) session = open_session(
        G2, 0x6582,
        "D> C0 00000BC0 " IDS5 "00000000 " CID "H> 5A D> 04 02 87 " CONFIG_G2 "D> 00000000 " STAGE2 NOR(
            "00000BC3") "00000BC4 00 FFFF 00000000 " IDS5 "0000 0000 0000 00 00 00 "
                        "00000000 00400000 00400000 00400000 00000000 00000000 00000000 00000000 "
                        "0000000100000000 " CID_SWAPPED
                        "0000000000000001 00000C4A 0000000000000000 00000000 00000000 00000000 00000000 "
                        "00000000 00020000 00000000 02 00 40000000 " TAIL("00000C06", "00000409"),
        "H> 60 D> 5A H> 08 D> 5A H> D6 02 0000000000C00000 0000000000100000 D> 5A H> 00100000 D> A(1048576) S H> 5A "
        "H> 60 D> 5A H> 08 D> 5A H> D6 02 0000000000D00000 0000000000000200 D> 5A H> 00000200 D> P(512) FF00 H> 5A");
    g_assert_true(read_into(session, MK_REGION_USER, 0, data, 0x100200));
    g_assert_cmphex(data[0x100001], ==, 1);
    script_assert_over(session->link);
}

static void test_write(void)
{
    uint8_t data[0x400];
    fill(data, sizeof data);
    g_autoptr(Session) session =
        open_session(G3, 0x6582, OPEN_G3,
                     /* a wrong sum on the way: the same packet again */
                     "H> 60 D> 5A H> 08 D> 5A H> 62 01 08 0000000000C02000 0000000000000400 00100000 D> 5A "
                     "H> 5A P(1024) FE00 D> A5 00000BF4 H> 5A P(1024) FE00 D> 69 "
                     /* a failing chip: no repetition, the command is ended */
                     "H> 60 D> 5A H> 08 D> 5A H> 62 01 08 0000000000C02000 0000000000000400 00100000 D> 5A "
                     "H> 5A P(1024) FE00 D> A5 00000C4D H> 96 "
                     /* never three times more than once */
                     "H> 60 D> 5A H> 08 D> 5A H> 62 01 08 0000000000000000 0000000000000400 00100000 D> 5A "
                     "H> 5A P(1024) FE00 D> A5 00000BF4 H> 5A P(1024) FE00 D> A5 00000BF4 "
                     "H> 5A P(1024) FE00 D> A5 00000BF4 H> 5A P(1024) FE00 D> A5 00000BF4 H> 96 "
                     "H> 72 D> 5A 01");
    bool again;
    g_assert_true(write_from(session, MK_REGION_USER, 0x2000, data, sizeof data));
    g_assert_false(write_from(session, MK_REGION_USER, 0x2000, data, sizeof data));
    assert_fault(session, MK_FAULT_WRITE, 0xC4D);
    g_assert_false(write_from(session, MK_REGION_BOOT1, 0, data, sizeof data));
    assert_fault(session, MK_FAULT_WRITE, 0xBF4);
    g_assert_true(mk_agent_high_speed(session->agent, &again, NULL));
    g_assert_false(again);
    script_assert_over(session->link);
}

/* Bytes that begin like a sparse image would be expanded by the agent: they go with the sector before them. */
static void test_write_sparse(void)
{
    uint8_t data[0x400], sector[0x200];
    fill(data, sizeof data);
    fill(sector, sizeof sector);
    memcpy(data, "\x3A\xFF\x26\xED", 4);
    GArray *steps = script_steps_new();
    script_parse(steps,
                 OPEN_G3 "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000000C01E00 0000000000000200 D> 5A "
                         "H> 00100000 D> P(512) FF00 H> 5A "
                         "H> 60 D> 5A H> 08 D> 5A H> 62 01 08 0000000000C01E00 0000000000000600 00100000 D> 5A H> 5A");
    GByteArray *both = g_byte_array_new();
    g_byte_array_append(both, sector, sizeof sector);
    g_byte_array_append(both, data, sizeof data);
    script_add(steps, true, g_byte_array_free_to_bytes(both))->bulk = true;
    script_parse(steps, "H> S D> 69");
    g_autoptr(Session) session = g_new0(Session, 1);
    session->setup = legacy_setup_new(G3, 0x6582, 0x80000000, 0x2005);
    session->setup->setup.bl_version = 0xFE;
    session->link = script_link(steps);
    session->cancel = g_cancellable_new();
    session->agent = mk_agent_open(session->link, &session->setup->setup, NULL, NULL, &session->error);
    g_assert_true(write_from(session, MK_REGION_USER, 0x2000, data, sizeof data));
    script_assert_over(session->link);
    g_assert_false(write_from(session, MK_REGION_USER, 0, data, sizeof data));
    assert_fault(session, MK_FAULT_UNSUPPORTED, 0);
}

/* A stop between two packets: 96 when writing, the rest is read and dropped when reading; the agent answers afterwards. */
static void test_stop(void)
{
    const char *opening = OPEN_G3;
    g_autofree uint8_t *data = g_malloc0(0x200000);
    for (int writing = 0; writing < 2; writing++) {
        g_autoptr(Session) session = open_session(
            G3, 0x6582, opening,
            writing ? "H> 60 D> 5A H> 08 D> 5A H> 62 01 08 0000000000C00000 0000000000200000 00100000 D> 5A "
                      "H> 5A *1048576 0000 D> 69 H> 96 H> D0 D> 0000005A 00000F3C"
                    : "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000000C00000 0000000000200000 D> 5A H> 00100000 "
                      "D> A(1048576) S H> 5A D> A(1048576) S H> 5A H> D0 D> 0000005A 00000F3C");
        Script *script = (Script *)session->link;
        script_current(script);
        script->after = session->cancel;
        script->stop_step = script->step + (writing ? 13 : 12); /* the first packet has passed */
        bool ok = writing ? write_from(session, MK_REGION_USER, 0, data, 0x200000)
                          : read_into(session, MK_REGION_USER, 0, data, 0x200000);
        g_assert_false(ok);
        assert_fault(session, MK_FAULT_STOPPED, 0);
        unsigned millivolt;
        g_assert_true(mk_agent_battery(session->agent, &millivolt, NULL));
        g_assert_cmpuint(millivolt, ==, 3900);
        script_assert_over(session->link);
    }
}

static void test_erase(void)
{
    const char *command = "H> 60 D> 5A H> 08 D> 5A H> D4 02 00 00 00 0000000000D00000 0000000000080000 ";
    const struct {
        const char *answer;
        MkFault fault;
        uint32_t number;
    } cases[] = {
        {"D> 5A 5A 00000000 64 H> 5A D> 5A 5A", 0, 0},
        {"D> 5A 5A 00000BCD 19 H> 5A D> 00000BCD 32 H> 5A D> 00000000 64 H> 5A D> 5A 5A", 0, 0},
        {"D> 5A 5A 00000BCD 19 H> 5A D> 00000C4D 0000000000110000 96 5A", MK_FAULT_WRITE, 0xC4D},
        {"D> A5 00000BD8 5A", MK_FAULT_RANGE, 0xBD8},
        {"D> 5A A5 00000BDC 5A", MK_FAULT_RANGE, 0xBDC},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *script = g_strconcat(command, cases[i].answer, " H> 72 D> 5A 01", NULL);
        g_autoptr(Session) session = open_session(G3, 0x6582, OPEN_G3, script);
        bool again;
        g_assert_cmpint(erase(session, MK_REGION_USER, 0x100000, 0x80000), ==, cases[i].fault == 0);
        if (cases[i].fault)
            assert_fault(session, cases[i].fault, cases[i].number);
        g_assert_true(mk_agent_high_speed(session->agent, &again, NULL)); /* nothing stray is left */
        script_assert_over(session->link);
    }
}

static void test_erase_nand(void)
{
    g_autoptr(Session) session =
        open_session(G1, 0x6575, OPEN_NAND_G1,
                     "H> D4 01 00 00 00 0000000000000000 0000000000040000 D> 5A 5A 00000BCD 32 H> 5A "
                     "D> 00000000 64 H> 5A D> A5 0000000000000000 0000000000040000 00000002 00000001 00000000 5A "
                     "H> D4 01 00 00 00 0000000000000000 0000000000040000 D> 5A 5A 00000BCB 0000000000020000 69 "
                     "D> 00000000 64 H> 5A D> A5 0000000000000000 0000000000040000 00000002 00000000 00000001 5A");
    g_assert_true(erase(session, MK_REGION_NAND, 0, 0x40000));
    g_assert_false(erase(session, MK_REGION_NAND, 0, 0x40000));
    assert_fault(session, MK_FAULT_ERASE, 0);
    script_assert_over(session->link);
}

static void test_nand(void)
{
    static uint8_t data[4224];
    fill(data, sizeof data);
    g_autoptr(Session) session =
        open_session(G1, 0x6575, OPEN_NAND_G1,
                     "H> DF 00 00 00020000 00001000 00000000 D> 5A 00000800 00000040 00000001 H> 000001F0 "
                     "D> 00001080 P(4224) 0000 H> 69 D> P(4224) S H> 5A "
                     "H> B3 00 01 00020000 00000800 00000800 00100000 D> 5A H> 5A P(2048) S D> 69 "
                     "H> A3 D> 5A 02 0010 0FF0 0020 0FF1 H> 5A "
                     "H> A3 D> A5");
    g_autoptr(GArray) pairs = NULL, none = NULL;
    ScriptBuffer buffer = {data, sizeof data, 0};
    g_assert_true(mk_agent_read_nand(session->agent, 0x20000, 0x1000, MK_NAND_PAGE_SPARE, false, script_sink, &buffer,
                                     &session->error));
    g_assert_cmpuint(buffer.done, ==, 4224);
    g_assert_true(write_from(session, MK_REGION_NAND, 0x20000, data, 0x800));
    g_assert_true(mk_agent_read_bmt(session->agent, &pairs, NULL));
    g_assert_cmpuint(pairs->len, ==, 2);
    g_assert_cmphex(g_array_index(pairs, uint32_t, 1), ==, 0x00200FF1);
    g_assert_true(mk_agent_read_bmt(session->agent, &none, NULL));
    g_assert_cmpuint(none->len, ==, 0);
    script_assert_over(session->link);
}

static void test_nand_image(void)
{
    static uint8_t data[2112];
    fill(data, sizeof data);
    char name[] = "SYSTEM";
    MkPartition partition = {
        .name = name, .region = MK_REGION_NAND, .start = 0x40000, .size = 0x40000, .type = MK_TYPE_YAFFS_IMG};
    ScriptBuffer buffer = {data, sizeof data, 0};
    g_autoptr(Session) session =
        open_session(G1, 0x6575, OPEN_NAND_G1,
                     "H> DD A5 A5 A5 01 01 00000000 00000000 D> 5A "
                     "H> 01 00040000 0004083F 00040000 00040000 00000008 53595354454D00000000000000000000 D> 5A "
                     "H> DE D> 5A H> 00100000 D> 5A 5A D> 5A D> 00000800 00000040 H> 000FFC00 "
                     "H> P(2112) S D> A5 00000BF4 5A H> 69 P(2112) S D> 69 H> 5A D> 5A 5A H> 00 D> 5A");
    g_assert_false(
        mk_agent_write_nand(session->agent, &partition, 128 * 2112 + 1, script_source, &buffer, &session->error));
    assert_fault(session, MK_FAULT_IMAGE_SIZE, 0);
    mk_agent_write_nand(session->agent, &partition, sizeof data, script_source, &buffer, &session->error);
    g_assert_no_error(session->error);
    script_assert_over(session->link);
}

static void test_misc(void)
{
    g_autoptr(Session) session = open_session(
        G3, 0x6582, OPEN_G3,
        "H> FE 00000003 0000000080000000 0000000020000000 00000002 00000004 00000000 D> 5A 00000000 "
        "H> FE 00000003 0000000080000000 0000000020000000 00000002 00000004 00000000 D> 5A 00000BCD 00000032 H> 5A "
        "D> 00000C0E 0000000080000040 FFFFFFFF 00000000 FFFFFFEF 00000004 00000000 "
        "H> D0 D> 000000A5 H> D0 D> 0000005A 00000F3C H> 72 D> 5A 00 H> 70 01 D> 5A "
        "H> D9 D> 5A H> 00000002 D> 5A");
    MkAgent *agent = session->agent;
    unsigned millivolt = 0;
    bool again = false;
    g_assert_true(mk_agent_memory_test(agent, MK_MEMTEST_DATA_BUS, 0x80000000, 0x20000000, 0, NULL, NULL));
    g_assert_false(mk_agent_memory_test(agent, MK_MEMTEST_DATA_BUS, 0x80000000, 0x20000000, 0, NULL, &session->error));
    g_assert_cmpstr(mk_fault_symbol(session->error), ==, "S_DA_MT_PIN_LOW");
    g_assert_nonnull(strstr(session->error->message, "0x80000040"));
    assert_fault(session, MK_FAULT_VERIFY, 3086);
    g_assert_false(mk_agent_battery(agent, &millivolt, &session->error));
    assert_fault(session, MK_FAULT_UNSUPPORTED, 0);
    g_assert_true(mk_agent_battery(agent, &millivolt, NULL));
    g_assert_cmpuint(millivolt, ==, 3900);
    g_assert_true(mk_agent_high_speed(agent, &again, NULL));
    g_assert_true(again);
    g_assert_false(mk_agent_finish(agent, MK_AFTER_META, &session->error));
    assert_fault(session, MK_FAULT_UNSUPPORTED, 0);
    g_assert_true(mk_agent_finish(agent, MK_AFTER_STAY, NULL));
    g_assert_false(mk_agent_battery(agent, &millivolt, &session->error)); /* it has halted */
    assert_fault(session, MK_FAULT_SILENT, 0);
    script_assert_over(session->link);
}

static void test_baud(void)
{
    g_autoptr(GString) script = g_string_new("H> D2 02 01 D> 5A H> C0 D> C0 H> 5A D> 5A ");
    for (unsigned i = 0; i < 256; i++)
        g_string_append_printf(script, "H> %02X D> %02X ", i, i);
    g_string_append(script, "H> D2 01 01 D> A5");
    g_autoptr(Session) session = open_session(G3, 0x6582, OPEN_G3, script->str);
    g_assert_true(mk_agent_set_baud(session->agent, 460800, NULL));
    g_assert_false(mk_agent_set_baud(session->agent, 921600, &session->error));
    assert_fault(session, MK_FAULT_UNSUPPORTED, 0);
    g_assert_false(mk_agent_set_baud(session->agent, 12345, &session->error));
    assert_fault(session, MK_FAULT_UNSUPPORTED, 0);
    script_assert_over(session->link);
}

/* Nothing reaches the phone that lies outside, cuts a block, or goes to a region it must not. */
static void test_range(void)
{
    uint8_t data[0x400] = {0};
    g_autoptr(Session) session = open_session(G3, 0x6582, OPEN_G3, "");
    const uint64_t user = UINT64_C(0x100000000);
    g_assert_false(read_into(session, MK_REGION_USER, user - 0x200, data, 0x400));
    assert_fault(session, MK_FAULT_RANGE, 0);
    g_assert_false(read_into(session, MK_REGION_USER, UINT64_MAX - 0x1FF, data, 0x400));
    assert_fault(session, MK_FAULT_RANGE, 0);
    g_assert_false(write_from(session, MK_REGION_USER, 0x100, data, 0x200));
    assert_fault(session, MK_FAULT_RANGE, 0);
    g_assert_false(write_from(session, MK_REGION_USER, 0, data, 0x201));
    assert_fault(session, MK_FAULT_RANGE, 0);
    g_assert_false(erase(session, MK_REGION_GP1, 0, 0x200));
    assert_fault(session, MK_FAULT_RANGE, 0);
    g_assert_false(write_from(session, MK_REGION_RPMB, 0, data, 0x200));
    assert_fault(session, MK_FAULT_UNSUPPORTED, 0);
    g_assert_true(write_from(session, MK_REGION_USER, 0, data, 0));
    script_assert_over(session->link);
}

/* On a phone that counts by region the list behind A5 is its GPT: offsets of the user area. */
static void test_table_by_region(void)
{
    g_autoptr(MkLayout) layout = NULL;
    g_autofree char *boot = g_strdup_printf("626F6F74%0120d"
                                            "0000000100000000"
                                            "0000800100000000"
                                            "0000000000000000",
                                            0);
    g_autofree char *script =
        g_strconcat("H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000100000000 0000000000000200 D> A5 00000BE0 "
                    "H> A5 D> 5A 00000058 H> 5A D> ",
                    boot, " H> 5A", NULL);
    g_autoptr(Session) session = open_session(G4, 0x6735, OPEN_6735_G4, script);
    mk_agent_read_table(session->agent, &layout, &session->error);
    g_assert_no_error(session->error);
    const MkPartition *partition = mk_layout_find(layout, "boot");
    g_assert_cmpint(partition->region, ==, MK_REGION_USER);
    g_assert_cmphex(partition->start, ==, 0x1800000);
    g_assert_cmphex(partition->size, ==, 0x1000000);
    script_assert_over(session->link);
}

static void test_store(void)
{
    uint8_t data[0x200], expected[0x200];
    fill(expected, sizeof expected);
    g_autoptr(Session) session = open_session(
        G3, 0x6582, OPEN_G3,
        "H> 60 D> 5A H> 08 D> 5A H> D6 0B 02 0000000000C00000 0000000000000200 D> 5A H> 00100000 D> P(512) FF00 H> 5A "
        "H> 60 D> 5A H> 08 D> 5A H> 62 01 08 0000000000C00200 0000000000000200 00100000 D> 5A H> 5A P(512) FF00 D> 69");
    g_autoptr(MkStore) store = mk_store_agent_new(session->agent, MK_REGION_USER, NULL);
    g_assert_cmpuint(store->size, ==, UINT64_C(0x100000000));
    g_assert_cmpuint(store->block_size, ==, 512);
    g_assert_true(mk_store_read(store, 0, data, sizeof data, NULL, NULL));
    g_assert_cmpmem(data, sizeof data, expected, sizeof expected);
    g_assert_true(mk_store_write(store, 0x200, expected, sizeof expected, NULL, NULL));
    script_assert_over(session->link);
    g_assert_null(mk_store_agent_new(session->agent, MK_REGION_GP2, &session->error));
    assert_fault(session, MK_FAULT_RANGE, 0);
}

/* A program of no known dialect is named in plain words. */
static void test_dialects(void)
{
    g_autoptr(LegacySetup) setup = legacy_setup_new(G4, 0x6765, 0x40000000, 0x100);
    g_autoptr(GError) error = NULL;
    g_array_index(setup->file->entries, MkAgentEntry, 0).family = MK_DA_UNKNOWN;
    MkLink *link = script_link(script_steps_new());
    g_assert_null(mk_agent_open(link, &setup->setup, NULL, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "MT6765"));
    mk_link_free(link);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/legacy/open", test_open_releases);
    g_test_add_func("/agent/legacy/report-corrects-label", test_report_corrects_label);
    g_test_add_func("/agent/legacy/configuration", test_configuration);
    g_test_add_func("/agent/legacy/dram", test_dram);
    g_test_add_func("/agent/legacy/dram-choice", test_dram_choice);
    g_test_add_func("/agent/legacy/read", test_read);
    g_test_add_func("/agent/legacy/read-2014", test_read_g2);
    g_test_add_func("/agent/legacy/write", test_write);
    g_test_add_func("/agent/legacy/write-sparse", test_write_sparse);
    g_test_add_func("/agent/legacy/stop", test_stop);
    g_test_add_func("/agent/legacy/erase", test_erase);
    g_test_add_func("/agent/legacy/erase-nand", test_erase_nand);
    g_test_add_func("/agent/legacy/nand", test_nand);
    g_test_add_func("/agent/legacy/nand-image", test_nand_image);
    g_test_add_func("/agent/legacy/misc", test_misc);
    g_test_add_func("/agent/legacy/baud", test_baud);
    g_test_add_func("/agent/legacy/range", test_range);
    g_test_add_func("/agent/legacy/table-by-region", test_table_by_region);
    g_test_add_func("/agent/legacy/store", test_store);
    g_test_add_func("/agent/legacy/dialects", test_dialects);
    return g_test_run();
}
