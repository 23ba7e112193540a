/* Phones that the vectors do not have: other storages, an agent that demands the owner's signature, and what the wire may do to frames. */
#include "xml-setup.h"

typedef struct {
    XFlashSetup *setup;
    MkLink *link;
    MkAgent *agent;
    GError *error;
} Session;

/* Takes STEPS. */
static Session *open_with(GArray *steps, const char *sign_command)
{
    Session *session = g_new0(Session, 1);
    session->setup = xflash_setup_new(XML_LABEL, 0x1172, XML_STAGE2);
    session->setup->setup.signer.command = sign_command;
    session->link = script_link(steps);
    session->agent = mk_agent_open(session->link, &session->setup->setup, NULL, NULL, &session->error);
    return session;
}

static void session_close(Session *session)
{
    mk_agent_free(session->agent);
    mk_link_free(session->link);
    xflash_setup_free(session->setup);
    g_clear_error(&session->error);
    g_free(session);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_close)

static Session *open_phone(const char *report)
{
    g_autofree char *document =
        g_strconcat(XML_PROLOG "<da_hw_info><version>1.2</version><ram_size>0x100000000</ram_size>"
                               "<random_id>0123456789ABCDEF0123456789abcdef</random_id>",
                    report, "<product_id>x</product_id></da_hw_info>", NULL);
    GArray *steps = script_steps_new();
    xml_script_start(steps);
    xml_vector(steps, 5, "GET-SYS-PROPERTY", 0);
    xml_question(steps, "GET-HW-INFO", XML_TARGET_PAGE, "MEM://0x1:0x2000", "HW-INFO", document);
    xml_script_tail(steps);
    Session *session = open_with(steps, NULL);
    g_assert_no_error(session->error);
    script_assert_over(session->link);
    return session;
}

static void test_emmc(void)
{
    g_autoptr(Session) session =
        open_phone("<storage>EMMC</storage><emmc><block_size>0x200</block_size><boot1_size>0x400000</boot1_size>"
                   "<boot2_size>0x400000</boot2_size><rpmb_size>0x1000000</rpmb_size><user_size>0x747c00000</user_size>"
                   "<gp1_size>0</gp1_size><gp2_size>0</gp2_size><gp3_size>0</gp3_size><gp4_size>0</gp4_size>"
                   "<id>150100444A544434523099AABBCCDDEE</id></emmc>");
    const MkAgentInfo *info = &session->agent->info;
    g_assert_cmpint(info->storage, ==, MK_STORAGE_EMMC);
    g_assert_cmpuint(info->geometry.sector, ==, 512);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_BOOT2), ==, 0x400000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_RPMB), ==, 0x1000000);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_GP1), ==, 0);
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_USER), ==, 0x747c00000);
    g_assert_cmpuint(info->dram_size, ==, UINT64_C(1) << 32);
    g_assert_cmphex(info->emmc_cid[0], ==, 0x15);
    g_assert_cmphex(info->emmc_cid[15], ==, 0xEE);
    g_assert_cmphex(info->chip_id[8], ==, 0x01);
}

/* The RPMB has no name that an agent would take. */
static void test_no_name_for_rpmb(void)
{
    g_autoptr(Session) session =
        open_phone("<storage>EMMC</storage><emmc><block_size>0x200</block_size><rpmb_size>0x1000"
                   "</rpmb_size><user_size>0x10000</user_size></emmc>");
    uint8_t data[512];
    ScriptBuffer buffer = {data, sizeof data, 0};
    g_assert_false(
        mk_agent_read(session->agent, MK_REGION_RPMB, 0, sizeof data, script_sink, &buffer, &session->error));
    g_assert_error(session->error, MK_FAULT, MK_FAULT_UNSUPPORTED);
    g_assert_false(session->agent->lost);
}

static void test_ufs_of_later_agents(void)
{
    g_autoptr(Session) session = open_phone(
        "<storage>UFS</storage><ufs><block_size>0x1000</block_size><lua0_size>0x400000</lua0_size><lua1_size>0x400000"
        "</lua1_size><lua2_size>0x1dcb000000</lua2_size><lua3_size>0x800000</lua3_size><id>H9HQ15AFAMBDAR</id></ufs>");
    g_assert_cmpstr(session->agent->info.ufs_model, ==, "H9HQ15AFAMBDAR");
    g_assert_cmpuint(mk_agent_region_size(session->agent, MK_REGION_LU3), ==, 0x800000);
}

static void test_nand(void)
{
    g_autoptr(Session) session =
        open_phone("<storage>NAND</storage><nand><block_size>0x40000</block_size><page_size>0x1000</page_size>"
                   "<spare_size>0x100</spare_size><total_size>0x20000000</total_size><id>0x98AC90</id>"
                   "<page_parity_size>0</page_parity_size><sub_type>SLC</sub_type></nand>");
    const MkAgentInfo *info = &session->agent->info;
    g_assert_cmpint(info->storage, ==, MK_STORAGE_NAND);
    g_assert_cmpuint(info->geometry.nand_page, ==, 4096);
    g_assert_cmpuint(info->geometry.nand_block, ==, 0x40000);
    g_assert_cmpuint(info->geometry.nand_spare, ==, 256);
    g_assert_cmpuint(info->geometry.nand_size, ==, 0x20000000);
    g_assert_cmpuint(info->geometry.pool_blocks, ==, 80);
    g_assert_cmpuint(info->nand_id_count, ==, 3);
    g_assert_cmphex(info->nand_ids[1], ==, 0xAC);
}

/* What cannot be is not believed. */
static void test_storage_that_cannot_be(void)
{
    static const char *const reports[] = {
        "<storage>NONE</storage>",
        "<storage>UFS</storage>",
        "<storage>UFS</storage><emmc><block_size>0x200</block_size><user_size>0x10000</user_size></emmc>",
        "<storage>EMMC</storage><emmc><block_size>0</block_size><user_size>0x10000</user_size></emmc>",
        "<storage>EMMC</storage><emmc><block_size>0x201</block_size><user_size>0x10000</user_size></emmc>",
        "<storage>EMMC</storage><emmc><block_size>0x200</block_size><user_size>0xFFFFFFFFFFFFFE00</user_size></emmc>",
        "<storage>EMMC</storage><emmc><block_size>0x200</block_size><user_size>0x10001</user_size></emmc>",
        "<storage>EMMC</storage><emmc><block_size>0x200</block_size><user_size>much</user_size></emmc>"};
    for (size_t i = 0; i < G_N_ELEMENTS(reports); i++) {
        g_autofree char *document = g_strconcat("<da_hw_info>", reports[i], "</da_hw_info>", NULL);
        GArray *steps = script_steps_new();
        xml_script_start(steps);
        xml_vector(steps, 5, "GET-SYS-PROPERTY", 0);
        xml_question(steps, "GET-HW-INFO", XML_TARGET_PAGE, "MEM://0x1:0x2000", "HW-INFO", document);
        xml_unsupported(steps, "GET-SYS-PROPERTY", XML_KEY("DA.HRID"));
        xml_vector(steps, 5, "GET-DA-INFO", 0);
        g_autoptr(Session) session = open_with(steps, NULL);
        g_assert_no_error(session->error);
        g_assert_cmpint(session->agent->info.storage, ==, MK_STORAGE_UNKNOWN);
    }
}

#define SLA_ENABLED                                                                                                    \
    XML_PROLOG                                                                                                         \
    "<sys_prop version=\"1.0\"><item key=\"DA.SEG_CODE\">1</item><item key=\"DA.SLA\">ENABLED</item></sys_prop>"
#define FIRMWARE_INFO                                                                                                  \
    XML_PROLOG "<dev_fw_info><info><rnd>30313233343536373839414243444546</rnd><hrid>00112233445566778899AABBCCDDEEFF"  \
               "</hrid><socid>00</socid></info></dev_fw_info>"

/* The agent wants the signature: "cat" gives the challenge back, 0123456789ABCDEF. */
static GArray *sla_steps(const char *firmware_info)
{
    GArray *steps = script_steps_new();
    xml_script_start(steps);
    xml_question(steps, "GET-SYS-PROPERTY", XML_KEY("DA.SLA"), "MEM://0x1:0x2000", "sys-prop", SLA_ENABLED);
    if (firmware_info)
        xml_question(steps, "SECURITY-GET-DEV-FW-INFO", XML_TARGET_PAGE, "MEM://0x1:0x2000", "fw-info", firmware_info);
    return steps;
}

static void add_signature(GArray *steps, const char *result, const char *message)
{
    xml_host_command(steps, "SECURITY-SET-FLASH-POLICY", "<source_file>MEM://0x1:0x2000</source_file>");
    xml_phone(steps, "OK");
    xml_phone(steps,
              XML_DEVICE("DOWNLOAD-FILE", "<arg><checksum>CHK_ADD</checksum><info>policy</info><source_file>MEM://0x1:"
                                          "0x2000</source_file><packet_length>0x200000</packet_length></arg>"));
    xml_host(steps, "OK");
    xml_host(steps, "OK@0x10");
    xml_phone(steps, "OK");
    xml_host(steps, "OK@0xf2eee3df"); /* the sum of "0123", "4567", "89AB" and "CDEF" */
    xml_phone(steps, "OK");
    xflash_script_frame(steps, true, g_bytes_new("0123456789ABCDEF", 16));
    xml_phone(steps, "OK");
    xml_end(steps, result, message);
}

static void test_sla(void)
{
    GArray *steps = sla_steps(FIRMWARE_INFO);
    add_signature(steps, "OK", "");
    xml_vector(steps, 5, "GET-HW-INFO", 0);
    xml_script_tail(steps);
    g_autoptr(Session) session = open_with(steps, "cat");
    g_assert_no_error(session->error);
    g_assert_cmpstr(session->agent->info.security, ==, "DA SLA");
    script_assert_over(session->link);
}

static void test_sla_without_key(void)
{
    g_autoptr(Session) session = open_with(sla_steps(NULL), NULL);
    g_assert_error(session->error, MK_FAULT, MK_FAULT_AUTH_NEEDED);
    script_assert_over(session->link);
}

static void test_sla_refused(void)
{
    GArray *steps = sla_steps(FIRMWARE_INFO);
    add_signature(steps, "ERR", "SLA verify fail.");
    g_autoptr(Session) session = open_with(steps, "cat");
    g_assert_error(session->error, MK_FAULT, MK_FAULT_AUTH_WRONG);
    g_assert_nonnull(strstr(session->error->message, "SLA verify fail."));
    script_assert_over(session->link);
}

/* No answer is made up. */
static void test_sla_without_challenge(void)
{
    g_autoptr(Session) session = open_with(sla_steps("<dev_fw_info><rnd>3031</rnd></dev_fw_info>"), "cat");
    g_assert_error(session->error, MK_FAULT, MK_FAULT_PROTOCOL);
    script_assert_over(session->link);
}

/* After the change of speed the agent says START once more, or goes on as if nothing had been. */
static void test_faster_cable(void)
{
    for (unsigned again = 0; again < 2; again++) {
        GArray *steps = script_steps_new();
        xml_script_open(steps);
        xml_question(steps, "CAN-HIGHER-USB-SPEED", "<target_file>MEM://0x1:0x40</target_file>", "MEM://0x1:0x40",
                     "usb", "YES");
        xml_host_command(steps, "SWITCH-HIGHER-USB-SPEED", "");
        xml_phone(steps, "OK");
        xml_phone(steps, XML_END("OK", ""));
        xml_host(steps, "OK");
        if (again)
            xml_vector(steps, 1, NULL, 0);
        xml_vector(steps, 5, "GET-HW-INFO", 0);
        g_autoptr(Session) session = open_with(steps, NULL);
        bool reenumerates = false;
        unsigned millivolt;
        g_assert_true(mk_agent_high_speed(session->agent, &reenumerates, &session->error));
        g_assert_true(reenumerates);
        g_assert_true(mk_agent_battery(session->agent, &millivolt, &session->error));
        script_assert_over(session->link);
    }
}

static bool is_header(const ScriptStep *step)
{
    gsize size;
    const uint8_t *bytes = g_bytes_get_data(step->bytes, &size);
    return size == 12 && mk_le32(bytes) == 0xFEEEEEEF;
}

static void add_log(GArray *steps)
{
    GByteArray *log = g_byte_array_new();
    mk_put_le32(log, 0xFEEEEEEF);
    mk_put_le32(log, 2);
    mk_put_le32(log, 4 + 12);
    mk_put_le32(log, 3);
    mk_put_text(log, "[DA] working", 12);
    script_add(steps, false, g_byte_array_free_to_bytes(log));
}

typedef enum { WIRE_LOGS, WIRE_BYTES, WIRE_MERGED } Wire;

/* The same exchange over another wire. */
static GArray *rewire(GArray *from, Wire wire)
{
    GArray *steps = script_steps_new();
    g_autoptr(GByteArray) merged = g_byte_array_new();
    for (guint i = 0; i < from->len; i++) {
        const ScriptStep *step = &g_array_index(from, ScriptStep, i);
        gsize size;
        const uint8_t *bytes = g_bytes_get_data(step->bytes, &size);
        if (merged->len && (step->from_host || i + 1 == from->len)) {
            script_add(steps, false, g_byte_array_free_to_bytes(g_steal_pointer(&merged)));
            merged = g_byte_array_new();
        }
        if (step->from_host) {
            ScriptStep *copy = script_add(steps, true, g_bytes_ref(step->bytes));
            copy->any = step->any;
            copy->bulk = step->bulk;
        } else if (wire == WIRE_MERGED) {
            g_byte_array_append(merged, bytes, (guint)size);
        } else {
            if (wire == WIRE_LOGS && is_header(step))
                add_log(steps);
            for (gsize at = 0; at < size; at += wire == WIRE_BYTES ? 1 : size)
                script_add(steps, false, g_bytes_new(bytes + at, wire == WIRE_BYTES ? 1 : size));
        }
    }
    return steps;
}

static void test_wires(void)
{
    for (Wire wire = WIRE_LOGS; wire <= WIRE_MERGED; wire++) {
        g_autoptr(GArray) steps = script_steps_new();
        g_autofree uint8_t *data = g_malloc0(0x18000);
        ScriptBuffer buffer = {data, 0x18000, 0};
        xml_script_open(steps);
        xml_vector(steps, 7, "READ-FLASH", 0);
        xml_vector(steps, 14, "ERASE-FLASH", 0);
        g_autoptr(Session) session = open_with(rewire(steps, wire), NULL);
        g_assert_no_error(session->error);
        g_assert_true(
            mk_agent_read(session->agent, MK_REGION_LU2, 0x1000, 0x18000, script_sink, &buffer, &session->error));
        g_assert_cmpmem(data, 8, "EFI PART", 8);
        g_assert_true(mk_agent_erase(session->agent, MK_REGION_LU2, 0x800000, 0x100000, MK_ERASE_NORMAL, false, NULL,
                                     &session->error));
        script_assert_over(session->link);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xml/phones/emmc", test_emmc);
    g_test_add_func("/agent/xml/phones/no-name-for-rpmb", test_no_name_for_rpmb);
    g_test_add_func("/agent/xml/phones/ufs-of-later-agents", test_ufs_of_later_agents);
    g_test_add_func("/agent/xml/phones/nand", test_nand);
    g_test_add_func("/agent/xml/phones/storage-that-cannot-be", test_storage_that_cannot_be);
    g_test_add_func("/agent/xml/phones/sla", test_sla);
    g_test_add_func("/agent/xml/phones/sla-without-key", test_sla_without_key);
    g_test_add_func("/agent/xml/phones/sla-refused", test_sla_refused);
    g_test_add_func("/agent/xml/phones/sla-without-challenge", test_sla_without_challenge);
    g_test_add_func("/agent/xml/phones/faster-cable", test_faster_cable);
    g_test_add_func("/agent/xml/phones/wires", test_wires);
    return g_test_run();
}
