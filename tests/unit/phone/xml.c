/* What a host that follows the specification gets from the XML agent of a virtual phone: start, stages, questions, the way out; and what one gets
 * that does not follow it. */
#include "xml-host.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static const XmlKind usual = {0};
static const XmlKind newer = {.flavour = "2024"};

#define HASH_MISMATCH                                                                                                  \
    "DA Hash mismatch. Check these: \r\n1. EMI setting cause DRAM is not stable.\r\n2. DRAM HW has some flaw."
#define MISSING "Required XML node path not found. Check command string."

/* --- into stage 2 ---------------------------------------------------------------------------------------------------------- */

static void init_hw(Host *host, bool with_dram)
{
    xml_command(host, "NOTIFY-INIT-HW", "");
    xml_wants_document(host, "PROGRESS-REPORT", "<message>init-hw</message>");
    if (with_dram) {
        xml_wants(host, "OK!PROGRESS@50@dram-init");
        xml_ok(host);
    }
    xml_wants(host, "OK!EOT");
    xml_ok(host);
    xml_wants_end(host, "OK", "");
}

/* From BootROM there is no DRAM to load a second stage into until NOTIFY-INIT-HW starts it, which the host may forbid. */
static void test_from_bootrom(void)
{
    static const XmlKind kind = {.from_rom = true};
    Host host;
    xml_begin(&host, &kind);
    xml_wants_start(&host);
    xml_order(&host, "1.1", "SET-RUNTIME-PARAMETER",
              "<arg>" XML_USUAL "</arg><adv><initialize_dram>NO</initialize_dram></adv>");
    xml_wants(&host, "OK");
    xml_wants_end(&host, "OK", "");
    init_hw(&host, false);
    xml_send_stage2(&host, host.stage2, XML_STAGE2);
    xml_wants_end(&host, "ERR", HASH_MISMATCH);
    xml_set(&host, XML_USUAL); /* version 1.0: adv is not looked at, the host's last word stays */
    init_hw(&host, false);
    xml_order(&host, "1.1", "SET-RUNTIME-PARAMETER",
              "<arg>" XML_USUAL "</arg><adv><initialize_dram>YES</initialize_dram></adv>");
    xml_wants(&host, "OK");
    xml_wants_end(&host, "OK", "");
    init_hw(&host, true);
    xml_enter_stage2(&host);
    xml_command(&host, "NOTIFY-INIT-HW", ""); /* harmless there */
    xml_wants_end(&host, "OK", "");
    host_end(&host);
}

static void test_dram_fails(void)
{
    static const XmlKind kind = {.from_rom = true};
    Host host;
    xml_prepare(&host, &kind);
    host.device.machine.dram_fails = true;
    xml_start(&host);
    xml_wants_start(&host);
    xml_command(&host, "NOTIFY-INIT-HW", "");
    xml_wants_document(&host, "PROGRESS-REPORT", "<message>init-hw</message>");
    xml_wants(&host, "OK!PROGRESS@50@dram-init");
    xml_ok(&host);
    xml_wants(&host, "OK!EOT");
    xml_ok(&host);
    xml_wants_end(&host, "ERR", "DRAM Init FAIL.");
    xml_send_stage2(&host, host.stage2, XML_STAGE2);
    xml_wants_end(&host, "ERR", HASH_MISMATCH);
    host_end(&host);
}

/* A second stage goes without its signature, and exactly as the first knows it. */
static void test_hash(void)
{
    Host host;
    xml_begin(&host, &usual);
    xml_wants_start(&host);
    xml_send_stage2(&host, host.stage2, XML_STAGE2 + 0x100);
    xml_wants_end(&host, "ERR", HASH_MISMATCH);
    host.stage2[7] ^= 1;
    xml_send_stage2(&host, host.stage2, XML_STAGE2);
    xml_wants_end(&host, "ERR", HASH_MISMATCH);
    host.stage2[7] ^= 1;
    xml_enter_stage2(&host);
    host_end(&host);
}

static void test_bad_address(void)
{
    Host host;
    xml_begin(&host, &usual);
    xml_wants_start(&host);
    xml_command(&host, "BOOT-TO",
                "<at_address>0x2000000</at_address><jmp_address>0x2000000</jmp_address><source_file>a</source_file>");
    xml_wants_document(&host, "END", "<result>ERR</result><message>2nd DA address is invalid. reset.\r\n</message>");
    host_is_quiet(&host);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_RESET);
}

static void test_dead_stage2(void)
{
    Host host;
    xml_prepare(&host, &usual);
    host.device.machine.stage2_dead = true;
    xml_start(&host);
    xml_wants_start(&host);
    xml_send_stage2(&host, host.stage2, XML_STAGE2);
    xml_wants_document(&host, "END", "<result>OK</result><message></message>");
    host_is_quiet(&host);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_HALT);
}

/* --- what is known where (spec 6) --------------------------------------------------------------------------------------------- */

static void unknown_all(Host *host, const char *const *commands)
{
    for (; *commands; commands++)
        xml_unknown(host, *commands);
}

static void test_stages(void)
{
    static const char *const not_in_1[] = {"READ-FLASH", "WRITE-PARTITION", "GET-SYS-PROPERTY", "SET-BOOT-MODE", NULL};
    static const char *const not_in_2[] = {"SET-RUNTIME-PARAMETER",
                                           "HOST-SUPPORTED-COMMANDS",
                                           "BOOT-TO",
                                           "RAM-TEST",
                                           "CAN-HIGHER-USB-SPEED",
                                           "SWITCH-HIGHER-USB-SPEED",
                                           "SECURITY-GET-DEV-FW-INFO",
                                           "SECURITY-SET-FLASH-POLICY",
                                           "NOTIFY-INIT-DRAM",
                                           NULL};
    Host host;
    xml_begin(&host, &usual);
    xml_wants_start(&host);
    unknown_all(&host, not_in_1);
    xml_set(&host, XML_USUAL);
    xml_enter_stage2(&host);
    unknown_all(&host, not_in_2);
    xml_refused(&host, "READ-REGISTER", "<bit_width>32</bit_width>", MISSING);
    xml_refused(&host, "WRITE-REGISTER", "<bit_width>32</bit_width>", MISSING);
    xml_refused(&host, "WRITE-EFUSE", "<source_file>a</source_file>", "");
    host_end(&host);
}

static void test_newer_commands(void)
{
    Host host;
    xml_ready(&host, &newer, XML_USUAL);
    xml_command(&host, "HOST-SUPPORTED-COMMANDS", "<host_capability>CMD:UPLOAD-FILE^1@</host_capability>");
    xml_wants_end(&host, "OK", "");
    xml_command(&host, "CAN-HIGHER-USB-SPEED", "<target_file>a</target_file>");
    g_autofree char *can = xml_upload_text(&host, "USB-SPEED", "a", MK_XML_UPLOAD_PACKET_LINUX);
    g_assert_cmpstr(can, ==, "YES");
    xml_command(&host, "SWITCH-HIGHER-USB-SPEED", "");
    xml_wants_end(&host, "OK", "");
    xml_command(&host, "CAN-HIGHER-USB-SPEED", "<target_file>a</target_file>");
    g_autofree char *cannot = xml_upload_text(&host, "USB-SPEED", "a", MK_XML_UPLOAD_PACKET_LINUX);
    g_assert_cmpstr(cannot, ==, "NO");
    host_end(&host);
}

/* The integer part of the version counts; two commands are there as version 2, too. */
static void test_versions(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    xml_order(&host, "1.2", "NOTIFY-INIT-HW", "");
    xml_wants(&host, "OK");
    xml_wants_end(&host, "OK", "");
    xml_order(&host, "2.0", "NOTIFY-INIT-HW", "");
    xml_wants(&host, "ERR!UNSUPPORTED");
    xml_wants_end(&host, "ERR!UNSUPPORTED", "Unsupported command.");
    xml_order(&host, "2.0", "FLASH-ALL", "<arg></arg>");
    xml_wants(&host, "OK");
    xml_wants_end(&host, "ERR", MISSING);
    xml_order(&host, "3.0", "FLASH-ALL", "<arg></arg>");
    xml_wants(&host, "ERR!UNSUPPORTED");
    xml_wants_end(&host, "ERR!UNSUPPORTED", "Unsupported command.");
    host_end(&host);
}

/* --- hosts of all kinds (vector 28, spec 3) --------------------------------------------------------------------------------------- */

static void refuses(Host *host, const char *text)
{
    xml_say(host, text);
    xml_wants(host, "ERR!UNSUPPORTED");
    xml_wants_end(host, "ERR!UNSUPPORTED", "Unsupported command.");
}

static void test_documents(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    xml_say(&host,
            XML_PROLOG "\n<da>\n  <version>1.0</version>\r\n  <command>\n CMD:SET-HOST-INFO\n</command>\n</da>\n");
    xml_wants(&host, "OK");
    xml_wants_end(&host, "OK", "");
    refuses(&host, "");
    refuses(&host, XML_PROLOG "<da><version>1.0</version></da>");
    refuses(&host, XML_PROLOG "<da><version>1.0</version><command>CMD:SET-HOST-INFO</command>");
    refuses(&host, XML_PROLOG "<brom><version>1.0</version><command>CMD:SET-HOST-INFO</command></brom>");
    refuses(&host, XML_PROLOG "<da><version>1.0</version><command>SET-HOST-INFO</command></da>");
    refuses(&host, XML_PROLOG "<!DOCTYPE da [<!ENTITY a \"b\">]><da><version>1.0</version>"
                              "<command>CMD:SET-HOST-INFO</command></da>");
    /* What was sent encoded comes back encoded. */
    xml_command(&host, "GET-DA-INFO", "<target_file>a&amp;b &lt;c.xml</target_file>");
    g_free(xml_upload_text(&host, "DA-INFO", "a&amp;b &lt;c.xml", MK_XML_UPLOAD_PACKET_LINUX));
    host_end(&host);
}

/* With no NUL, one or two an OK is an OK; one too many in the place of a command is dropped, which mtkclient needs. */
static void test_ok_of_all_kinds(void)
{
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    for (unsigned length = 2; length <= 4; length++) {
        xml_order(&host, "1.0", "NOTIFY-INIT-HW", "");
        xml_wants(&host, "OK");
        g_autoptr(GByteArray) end = host_frame(&host);
        host_send(&host, "OK\0\0", length);
        g_autoptr(GByteArray) start = host_frame(&host);
        host_send(&host, "OK\0\0", length);
        host_send(&host, "OK\0\0", length);
    }
    host_is_quiet(&host);
    xml_command(&host, "NOTIFY-INIT-HW", "");
    xml_wants_end(&host, "OK", "");
    host_end(&host);
}

static void test_start_again(void)
{
    Host host;
    xml_begin(&host, &usual);
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(GByteArray) start = host_frame(&host);
        xml_say(&host, i == 0 ? "ERR!UNSUPPORTED" : i == 1 ? "" : "what?");
    }
    xml_wants_start(&host);
    xml_set(&host, XML_USUAL);
    host_end(&host);
}

/* Twelve bytes without the magic are ERR; the dialogue goes on. */
static void test_broken_frame(void)
{
    Host host;
    xml_begin(&host, &usual);
    xml_wants_start(&host);
    device_send(&host.device, "twelve bytes", 12);
    xml_wants(&host, "ERR");
    xml_wants_start(&host);
    xml_set(&host, XML_USUAL);
    host_end(&host);
}

/* Longer than the agent has room for: the payload is not taken, and what it says from then on are answers to that (spec 2). */
static void test_overflow(void)
{
    Host host;
    g_autofree char *text = g_strnfill(MK_XML_COMMAND_MAX_STAGE1, 'x');
    xml_begin(&host, &usual);
    xml_wants_start(&host);
    xml_say(&host, text);
    xml_wants(&host, "ERR");
    g_autoptr(GByteArray) first = host_frame(&host), second = host_frame(&host);
    g_assert_nonnull(strstr((const char *)first->data, "CMD:START"));
    g_assert_nonnull(strstr((const char *)second->data, "CMD:START"));
    host_end(&host);
}

static void test_long_answer(void)
{
    Host host;
    xml_begin(&host, &usual);
    g_autoptr(GByteArray) first = host_frame(&host);
    g_autofree char *text = g_strnfill(60, ' ');
    g_autofree char *fits = g_strconcat("OK@", text, NULL);
    xml_say(&host, fits);
    xml_set(&host, XML_USUAL);
    xml_order(&host, "1.0", "NOTIFY-INIT-DRAM", "");
    xml_wants(&host, "ERR!UNSUPPORTED");
    g_autoptr(GByteArray) end = host_frame(&host);
    g_autofree char *longer = g_strconcat("OK@", text, "  ", NULL);
    xml_say(&host, longer);
    g_autoptr(GByteArray) start = host_frame(&host), again = host_frame(&host);
    g_assert_nonnull(strstr((const char *)again->data, "CMD:START"));
    host_end(&host);
}

static void test_missing_arguments(void)
{
    static const char *const commands[] = {
        "READ-FLASH",      "WRITE-FLASH",   "ERASE-FLASH",       "READ-PARTITION",
        "WRITE-PARTITION", "GET-HW-INFO",   "ERASE-PARTITION",   "READ-PARTITION-TABLE",
        "FLASH-ALL",       "EMMC-CONTROL",  "FLASH-UPDATE",      "GET-DOWNLOADED-IMAGE-FEEDBACK",
        "REBOOT",          "SET-BOOT-MODE", "GET-SYS-PROPERTY",  "WRITE-PARTITIONS",
        "GET-DA-INFO",     "SET-RSC",       "WRITE-PRIVATE-CERT"};
    Host host;
    xml_ready(&host, &usual, XML_USUAL);
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
        xml_refused(&host, commands[i], "", MISSING);
    xml_refused(&host, "SET-BOOT-MODE", "<mode>META</mode>", MISSING);
    host_end(&host);
}

/* --- questions ---------------------------------------------------------------------------------------------------------------------- */

static char *ask(Host *host, const char *command, const char *arg, const char *info)
{
    g_autofree char *all = g_strconcat(arg, "<target_file>t</target_file>", NULL);
    xml_command(host, command, all);
    return xml_upload_text(host, info, "t", MK_XML_UPLOAD_PACKET_LINUX);
}

static void test_emmc(void)
{
    static const XmlKind kind = {.emmc = true};
    Host host;
    xml_ready(&host, &kind, XML_USUAL);
    g_autofree char *text = ask(&host, "GET-HW-INFO", "", "HW-INFO");
    g_assert_cmpstr(text, ==,
                    XML_PROLOG "<da_hw_info><version>1.2</version><ram_size>0x80000000</ram_size><battery_voltage>3810"
                               "</battery_voltage><random_id>00112233445566778899AABBCCDDEEFF</random_id><product_id>"
                               "0123456789ABCDEF0123456789ABCDEF</product_id><storage>EMMC</storage><emmc><block_size>"
                               "0x200</block_size><boot1_size>0x400000</boot1_size><boot2_size>0x400000</boot2_size>"
                               "<rpmb_size>0x80000</rpmb_size><user_size>0x4000000</user_size><gp1_size>0</gp1_size>"
                               "<gp2_size>0</gp2_size><gp3_size>0</gp3_size><gp4_size>0</gp4_size>"
                               "<id>15010054455354303000000000000000</id></emmc></da_hw_info>");
    host_end(&host);
}

/* The agent of MT6886 says some things elsewhere (spec 8.5). */
static void test_order_of_2023(void)
{
    Host host;
    xml_prepare(&host, &usual);
    host.device.machine.release = (char *)"V1";
    host.device.model.ufs_model = (char *)"KM5P9001DM-B424";
    xml_start(&host);
    xml_wants_start(&host);
    xml_set(&host, XML_USUAL);
    xml_enter_stage2(&host);
    xml_unknown(&host, "CAN-HIGHER-USB-SPEED");
    g_autofree char *text = ask(&host, "GET-HW-INFO", "", "HW-INFO");
    const char *storage = strstr(text, "<storage>"), *product = strstr(text, "<product_id>");
    g_assert_true(storage && product && storage < product);
    g_assert_nonnull(strstr(text, "<lua3_size>0</lua3_size><id>4B4D355039303031444D2D423432340000000000</id>"));
    g_assert_null(strstr(text, "ufs_cid"));
    host_end(&host);
}

static void test_questions(void)
{
    Host host;
    xml_prepare(&host, &usual);
    host.device.model.life_a = 0x0A;
    host.device.model.rpmb_key = true;
    memset(host.device.model.hrid, 0xAB, 16);
    xml_start(&host);
    xml_wants_start(&host);
    xml_set(&host, XML_USUAL);
    xml_enter_stage2(&host);
    g_autofree char *life = ask(&host, "EMMC-CONTROL", "<function>LIFE-CYCLE-STATUS</function>", "LIFE-CYCLE-STATUS");
    g_assert_cmpstr(life, ==, "WARNING");
    g_autofree char *key = ask(&host, "EMMC-CONTROL", "<function>GET-RPMB-KEY-STATUS</function>", "RPMB-KEY-STATUS");
    g_assert_cmpstr(key, ==, "EXIST");
    xml_command(&host, "EMMC-CONTROL", "<function>WHAT</function><target_file>t</target_file>");
    xml_wants_end(&host, "OK", "");
    g_autofree char *hrid = ask(&host, "GET-SYS-PROPERTY", "<key>DA.HRID</key>", "sys-prop");
    g_assert_nonnull(strstr(hrid, "<item key=\"DA.HRID\">ABABABABABABABABABABABABABABABAB</item>"));
    xml_refused(&host, "GET-SYS-PROPERTY", "<key>DA.WHAT</key><target_file>t</target_file>", "");
    g_autofree char *feedback = ask(&host, "GET-DOWNLOADED-IMAGE-FEEDBACK", "", "dev");
    g_assert_cmpstr(feedback, ==, XML_PROLOG "<feedback version=\"1.0\"/>");
    host_end(&host);
}

/* Dead storage is told at the first END, and is none in everything that follows. */
static void test_no_storage(void)
{
    static const XmlKind kind = {.no_storage = true};
    Host host;
    xml_begin(&host, &kind);
    xml_wants_start(&host);
    xml_refused(&host, "SET-RUNTIME-PARAMETER", XML_USUAL, "All storage init fail. check HW storage.\r\n");
    xml_refused(&host, "NOTIFY-INIT-HW", "", "");
    xml_enter_stage2(&host);
    g_autofree char *hardware = ask(&host, "GET-HW-INFO", "", "HW-INFO");
    g_assert_nonnull(strstr(hardware, "<version>1.0</version>"));
    g_assert_nonnull(strstr(hardware, "<storage>NONE</storage></da_hw_info>"));
    xml_refused(&host, "READ-FLASH",
                "<partition>UFS-LUA2</partition><offset>0x0</offset><length>0x10</length><target_file>t</target_file>",
                "Cannot find [UFS-LUA2] on current device storage.");
    xml_refused(&host, "WRITE-PARTITION", "<partition>preloader</partition><source_file>t</source_file>",
                "Cannot find [preloader] info from partition table.\r\n");
    host_end(&host);
}

static void test_ram_test(void)
{
    Host host;
    xml_begin(&host, &usual);
    xml_wants_start(&host);
    xml_command(&host, "RAM-TEST",
                "<function>FLIP</function><start_address>0x40000000</start_address><length>0x1000</length>"
                "<repeat>1</repeat>");
    xml_wants_end(&host, "OK", "");
    xml_refused(&host, "RAM-TEST",
                "<function>FLIP</function><start_address>0x40000000</start_address><length>0x80000001</length>"
                "<repeat>1</repeat>",
                "");
    xml_refused(&host, "RAM-TEST", "<function>FLIP</function>", MISSING);
    xml_command(&host, "RAM-TEST", "<function>SRAM</function>");
    xml_wants_end(&host, "OK", "");
    xml_command(&host, "RAM-TEST", "<function>CALIBRATION</function><target_file>t</target_file>");
    g_free(xml_upload_text(&host, "DRAM-PARAM", "t", MK_XML_STAGE1_PACKET));
    host_end(&host);
}

/* --- log frames, frames that get lost ------------------------------------------------------------------------------------------------ */

static uint32_t next_type(Host *host)
{
    uint8_t header[12];
    g_assert_cmpuint(device_receive(&host->device, header, sizeof header, 5000), ==, sizeof header);
    g_autofree uint8_t *payload = g_malloc(mk_le32(header + 8));
    device_receive(&host->device, payload, mk_le32(header + 8), 5000);
    if (mk_le32(header + 4) == 2)
        g_assert_cmphex(mk_le32(payload), ==, 1);
    return mk_le32(header + 4);
}

/* From DEBUG down there is a line before every frame, at INFO one for every command, above that none. */
static void test_log(void)
{
    static const struct {
        const char *parameters;
        unsigned types[4];
    } cases[] = {{XML_PARAMETERS("NONE", "DEBUG", "USB", "LINUX"), {2, 2, 1, 2}},
                 {XML_PARAMETERS("NONE", "INFO", "USB", "LINUX"), {2, 1, 1, 0}},
                 {XML_PARAMETERS("NONE", "WARN", "USB", "LINUX"), {1, 1, 0, 0}},
                 {XML_PARAMETERS("NONE", "TRACE", "UART", "LINUX"), {1, 1, 0, 0}}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        Host host;
        xml_begin(&host, &usual);
        xml_wants_start(&host);
        xml_command(&host, "SET-RUNTIME-PARAMETER", cases[i].parameters);
        while (next_type(&host) == 2) /* END */
            ;
        xml_ok(&host);
        while (next_type(&host) == 2) /* START */
            ;
        xml_ok(&host);
        xml_order(&host, "1.0", "SET-HOST-INFO", "");
        for (unsigned k = 0; k < 4 && cases[i].types[k]; k++)
            g_assert_cmpuint(next_type(&host), ==, cases[i].types[k]);
        host_end(&host);
    }
}

static void test_lost_frames(void)
{
    uint8_t half[12 + 0x66 / 2];
    for (unsigned cut = 0; cut < 2; cut++) {
        Host host;
        xml_prepare(&host, &usual);
        host.device.machine.frame_fault = 4;
        host.device.machine.frame_cut = cut;
        xml_start(&host);
        xml_wants_start(&host);
        xml_command(&host, "SET-RUNTIME-PARAMETER", XML_USUAL);
        xml_wants_document(&host, "END", "<result>OK</result><message></message>");
        if (cut)
            g_assert_cmpuint(device_receive(&host.device, half, sizeof half, 5000), ==, sizeof half);
        host_is_quiet(&host);
        xml_ok(&host); /* as if it had come */
        xml_set(&host, XML_USUAL);
        host_end(&host);
    }
}

/* --- the way out --------------------------------------------------------------------------------------------------------------------- */

static void test_reboot(void)
{
    static const struct {
        const char *mode, *action;
        MkNext next;
    } ways[] = {{NULL, "IMMEDIATE", MK_NEXT_RESET},
                {NULL, "WARM-RESET", MK_NEXT_RESET},
                {NULL, "COLD-RESET", MK_NEXT_RESET},
                {NULL, "DISCONNECT", MK_NEXT_HALT},
                {"META", "IMMEDIATE", MK_NEXT_META},
                {"FASTBOOT", "COLD-RESET", MK_NEXT_FASTBOOT},
                {"ANDROID-TEST-MODE", "IMMEDIATE", MK_NEXT_RESET}};
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        Host host;
        xml_ready(&host, &usual, XML_USUAL);
        if (ways[i].mode) {
            g_autofree char *arg = g_strdup_printf("<mode>%s</mode><connect_type>USB</connect_type><mobile_log>ON"
                                                   "</mobile_log><adb>ON</adb>",
                                                   ways[i].mode);
            xml_command(&host, "SET-BOOT-MODE", arg);
            xml_wants_end(&host, "OK", "");
        }
        g_autofree char *action = g_strdup_printf("<action>%s</action>", ways[i].action);
        xml_command(&host, "REBOOT", action);
        xml_wants_document(&host, "END", "<result>OK</result><message></message>");
        host_is_quiet(&host);
        g_assert_cmpint(host_end(&host), ==, ways[i].next);
    }
}

/* The first stage can be left, too; a mode that nobody knows is none. */
static void test_reboot_of_stage1(void)
{
    Host host;
    xml_begin(&host, &usual);
    xml_wants_start(&host);
    xml_refused(&host, "REBOOT", "<action>OFF</action>", "Unknown reboot action: OFF\r\n");
    xml_command(&host, "REBOOT", "<action>IMMEDIATE</action>");
    xml_wants_document(&host, "END", "<result>OK</result><message></message>");
    host_is_quiet(&host);
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_RESET);
    xml_ready(&host, &usual, XML_USUAL);
    xml_refused(&host, "SET-BOOT-MODE", "<mode>DIAG</mode>", "");
    g_assert_cmpint(host_end(&host), ==, MK_NEXT_GONE); /* the cable: the charger's monitor switches off */
}

/* --- the owner's key ------------------------------------------------------------------------------------------------------------------- */

static GByteArray *sign(EVP_PKEY *key, const GByteArray *text)
{
    GByteArray *signature = g_byte_array_new();
    size_t length = 512;
    g_byte_array_set_size(signature, 512);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    g_assert_cmpint(EVP_PKEY_sign_init(context), ==, 1);
    g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), ==, 1);
    g_assert_cmpint(EVP_PKEY_sign(context, signature->data, &length, text->data, text->len), ==, 1);
    EVP_PKEY_CTX_free(context);
    g_byte_array_set_size(signature, (guint)length);
    return signature;
}

static GByteArray *field(const char *document, const char *name)
{
    GByteArray *bytes = g_byte_array_new();
    g_autofree char *mark = g_strdup_printf("<%s>", name);
    const char *at = strstr(document, mark);
    g_assert_nonnull(at);
    for (at += strlen(mark); g_ascii_isxdigit(*at); at += 2)
        mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1])));
    return bytes;
}

static void answer_policy(Host *host, const GByteArray *answer, const char *result)
{
    xml_command(host, "SECURITY-SET-FLASH-POLICY", "<source_file>s</source_file>");
    xml_offer(host, "FLASH-POLICY", "s", MK_XML_DOWNLOAD_PACKET, answer->len);
    xml_wants(host, "OK");
    xml_packet(host, answer->data, answer->len, "OK");
    xml_wants_end(host, result, "");
}

/* Locked, a phone answers questions and knows no other command; a wrong answer changes nothing, the owner's opens it. */
static void test_challenge(void)
{
    Host host;
    EVP_PKEY *key = EVP_RSA_gen(2048);
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "medik-xml-key-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    FILE *file = fdopen(fd, "w");
    PEM_write_PUBKEY(file, key);
    fclose(file);
    const XmlKind kind = {.agent_key = path};
    for (unsigned with = 0; with < 3; with++) {
        xml_ready(&host, &kind, XML_USUAL);
        g_autofree char *state = ask(&host, "GET-SYS-PROPERTY", "<key>DA.SLA</key>", "sys-prop");
        g_assert_nonnull(strstr(state, ">ENABLED<"));
        xml_unknown(&host, "READ-PARTITION-TABLE");
        xml_unknown(&host, "WRITE-FLASH");
        g_free(ask(&host, "GET-HW-INFO", "", "HW-INFO"));
        g_autofree char *info = ask(&host, "SECURITY-GET-DEV-FW-INFO", "", "DEV-FW-INFO");
        g_assert_nonnull(strstr(info, "<dev_fw_info version=\"1.0\"><rnd>"));
        g_autoptr(GByteArray) text = with == 0 ? g_byte_array_new() : field(info, with == 1 ? "hrid" : "socid");
        g_autoptr(GByteArray) challenge = field(info, "rnd");
        g_assert_cmpuint(challenge->len, ==, 16);
        g_byte_array_append(text, challenge->data, challenge->len);
        g_autoptr(GByteArray) right = sign(key, text);
        g_byte_array_append(text, (const guint8 *)"more", 4);
        g_autoptr(GByteArray) wrong = sign(key, text);
        answer_policy(&host, wrong, "ERR");
        xml_unknown(&host, "READ-PARTITION-TABLE");
        answer_policy(&host, right, "OK");
        g_autofree char *open = ask(&host, "GET-SYS-PROPERTY", "<key>DA.SLA</key>", "sys-prop");
        g_assert_nonnull(strstr(open, ">DISABLED<"));
        g_free(ask(&host, "READ-PARTITION-TABLE", "", "partition-table"));
        host_end(&host);
    }
    g_unlink(path);
    EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {{"from-bootrom", test_from_bootrom},
                 {"dram-fails", test_dram_fails},
                 {"hash", test_hash},
                 {"bad-address", test_bad_address},
                 {"dead-stage2", test_dead_stage2},
                 {"stages", test_stages},
                 {"newer-commands", test_newer_commands},
                 {"versions", test_versions},
                 {"documents", test_documents},
                 {"ok-of-all-kinds", test_ok_of_all_kinds},
                 {"start-again", test_start_again},
                 {"broken-frame", test_broken_frame},
                 {"overflow", test_overflow},
                 {"long-answer", test_long_answer},
                 {"missing-arguments", test_missing_arguments},
                 {"emmc", test_emmc},
                 {"order-of-2023", test_order_of_2023},
                 {"questions", test_questions},
                 {"no-storage", test_no_storage},
                 {"ram-test", test_ram_test},
                 {"log", test_log},
                 {"lost-frames", test_lost_frames},
                 {"reboot", test_reboot},
                 {"reboot-of-stage1", test_reboot_of_stage1},
                 {"challenge", test_challenge}};
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/xml/", tests[i].path, NULL);
        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}
