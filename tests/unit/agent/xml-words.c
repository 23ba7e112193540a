/* What the agent says in English, numbers and sums, and documents. */
#include "agent/xml.h"

#include "core/fault.h"

#include <string.h>

static void test_messages(void)
{
    static const struct {
        const char *message;
        MkFault fault;
        const char *words;
    } cases[] = {
        {"", MK_FAULT_WRITE, "without a word"},
        {"\r\n", MK_FAULT_WRITE, "without a word"},
        {"DRAM Init FAIL.", MK_FAULT_PL_EMI, "part of the Download Agent"},
        {"DA Hash mismatch. Check these: \r\n1. EMI", MK_FAULT_DA_VER, "\"DA Hash mismatch. Check these:   1. EMI\""},
        {"2nd DA address is invalid. reset.\r\n", MK_FAULT_DA_VER, NULL},
        {"All storage init fail. check HW storage.", MK_FAULT_STOR_NONE, "does not answer"},
        {"GPT layout change. FW upgrade or Format all first.", MK_FAULT_LAYOUT, NULL},
        {"Security deny for [seccfg].", MK_FAULT_SEC_FORBIDDEN, "[seccfg]"},
        {"Cannot find [UFS-LUA9] on current device storage.", MK_FAULT_STOR_MISMATCH, "another kind of memory"},
        {"Cannot find [nope] in partition table.", MK_FAULT_LAYOUT, "no such partition"},
        {"Cannot find [nope] info from partition table.\r\n", MK_FAULT_LAYOUT, "no such partition"},
        {"Find [nope] from partition table failed.\r\n", MK_FAULT_LAYOUT, "no such partition"},
        {"Data size bigger than partition max size.\r\n", MK_FAULT_IMAGE_SIZE, "erased already"},
        {"Host file size[9000] is larger than max partition available size[6000]", MK_FAULT_IMAGE_SIZE, "9000"},
        {"base address is larger than partition max size.", MK_FAULT_RANGE, NULL},
        {"Read length[2000] is larger than partition max size[1000]", MK_FAULT_RANGE, NULL},
        {"erase length is larger than partition max size.", MK_FAULT_RANGE, NULL},
        {"Host notice error or user canceled.\r\nHost Notify error.", MK_FAULT_STOPPED, NULL},
        {"Unsupported command.", MK_FAULT_UNSUPPORTED, NULL},
        {"Required XML node path not found. Check command string.", MK_FAULT_UNSUPPORTED, NULL},
        {"Unknown reboot action: BOGUS\r\n", MK_FAULT_UNSUPPORTED, NULL},
        {"Something nobody has heard before.", MK_FAULT_WRITE, "nobody has heard"},
        {"\x1b[31mred\xff", MK_FAULT_WRITE, "?[31mred?"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        xml_message_fault(cases[i].message, MK_FAULT_WRITE, "writing user", &error);
        g_assert_error(error, MK_FAULT, (int)cases[i].fault);
        g_assert_true(g_str_has_prefix(error->message, "While writing user the phone "));
        if (cases[i].words && !strstr(error->message, cases[i].words))
            g_error("\"%s\" does not say \"%s\"", error->message, cases[i].words);
    }
}

static void test_numbers(void)
{
    uint64_t value;
    g_assert_true(xml_number("0x90", &value) && value == 0x90);
    g_assert_true(xml_number("0x0000000000028000", &value) && value == 0x28000);
    g_assert_true(xml_number("3810", &value) && value == 3810);
    g_assert_true(xml_number("0xFFFFFFFFFFFFFFFF", &value) && value == G_MAXUINT64);
    g_assert_false(xml_number("0x10000000000000000", &value));
    g_assert_false(xml_number("0x", &value));
    g_assert_false(xml_number("-1", &value));
    g_assert_false(xml_number("12 ", &value));
    g_assert_false(xml_number("", &value));
    g_assert_false(xml_number(NULL, &value));
    g_assert_cmphex(xml_answer_number("OK@0x248"), ==, 0x248);
    g_assert_cmphex(xml_answer_number("OK@0x10@more"), ==, 0x10);
    g_assert_cmphex(xml_answer_number("OK"), ==, 0);
}

static void test_build(void)
{
    const XmlArgument arguments[] = {{"partition", "a&b <c>"}, {"empty", ""}, {NULL, NULL}};
    const XmlArgument advanced[] = {{"x", "1"}, {NULL, NULL}};
    g_autofree char *text = xml_build("CMD:TEST", NULL, arguments, advanced);
    g_assert_cmpstr(
        text, ==,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><da><version>1.0</version><command>CMD:TEST</command><arg>"
        "<partition>a&amp;b &lt;c&gt;</partition><empty></empty></arg><adv><x>1</x></adv></da>");
    /* The agent gives a name back as it stands, and it is the same name again (spec 2.2). */
    g_autoptr(xmlDoc) document = xml_parse(text, strlen(text));
    g_autofree char *partition = xml_text(xml_child(xmlDocGetRootElement(document), "arg"), "partition");
    g_assert_cmpstr(partition, ==, "a&b <c>");
}

static void test_hex(void)
{
    uint8_t bytes[4];
    g_assert_cmpuint(xml_hex("0123456789", bytes, sizeof bytes), ==, 0); /* longer than the room */
    g_assert_cmpuint(xml_hex("01234567", bytes, sizeof bytes), ==, 4);
    g_assert_cmphex(bytes[3], ==, 0x67);
    g_assert_cmpuint(xml_hex("0xABCD", bytes, sizeof bytes), ==, 2);
    g_assert_cmpuint(xml_hex("ABC", bytes, sizeof bytes), ==, 0);
    g_assert_cmpuint(xml_hex("KM2V", bytes, sizeof bytes), ==, 0);
    g_assert_cmpuint(xml_hex("", bytes, sizeof bytes), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xml/words/messages", test_messages);
    g_test_add_func("/agent/xml/words/numbers", test_numbers);
    g_test_add_func("/agent/xml/words/build", test_build);
    g_test_add_func("/agent/xml/words/hex", test_hex);
    return g_test_run();
}
