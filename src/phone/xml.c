/* The loop of an XML agent (spec da-xml.md 3) and the registries of its stages (6). */
#include "phone/xml-device.h"

#include <string.h>

#define UNSUPPORTED_MESSAGE "Unsupported command."

void mk_xml_fail(MkXml *x, const char *format, ...)
{
    if (x->message)
        return;
    va_list arguments;
    va_start(arguments, format);
    x->message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    x->result = MK_XML_ERR;
}

void mk_xml_leave(MkXml *x, MkNext next, const char *how)
{
    mk_machine_log(x->machine, "agent: leaves (%s)", how);
    x->over = true;
    x->next = next;
}

/* --- the registry ----------------------------------------------------------------------------------------------------------------- */

/* In the agent of MT6895 both end so although everything is there (spec 8.22). */
static void misread(MkXml *x)
{
    mk_xml_fail(x, "Required XML node path not found. Check command string.");
}

/* What would change hardware for good, and what nobody has decoded: there are no such cells here. */
static void refuse_for_good(MkXml *x)
{
    mk_xml_fail(x, "%s", "");
}

typedef struct {
    const char *name;
    unsigned stages; /* bit 0: stage 1, bit 1: stage 2 */
    void (*run)(MkXml *x);
    MkXmlYear since;
    bool second; /* registered as version 2, too */
    bool open;   /* answers a host that the phone does not trust yet */
} Command;

static const Command commands[] = {
    {MK_XML_NOTIFY_INIT_HW, 3, mk_xml_notify_init_hw, MK_XML_2022, false, true},
    {MK_XML_SET_HOST_INFO, 3, mk_xml_set_host_info, MK_XML_2022, false, true},
    {MK_XML_REBOOT, 3, mk_xml_reboot, MK_XML_2022, false, true},
    {MK_XML_GET_HW_INFO, 3, mk_xml_get_hw_info, MK_XML_2022, false, true},
    {MK_XML_BOOT_TO, 1, mk_xml_boot_to, MK_XML_2022, false, true},
    {MK_XML_SET_RUNTIME_PARAMETER, 1, mk_xml_set_runtime_parameter, MK_XML_2022, false, true},
    {MK_XML_HOST_SUPPORTED_COMMANDS, 1, mk_xml_host_supported_commands, MK_XML_2022, false, true},
    {MK_XML_HOST_SUPPORTED_COMMANDS, 2, mk_xml_host_supported_commands, MK_XML_2024, false, true},
    {MK_XML_RAM_TEST, 1, mk_xml_ram_test, MK_XML_2022, false, true},
    {MK_XML_DEBUG_DRAM_REPAIR, 1, mk_xml_dram_repair, MK_XML_2022, false, true},
    {MK_XML_GET_SYS_PROPERTY, 2, mk_xml_get_sys_property, MK_XML_2022, false, true},
    {MK_XML_GET_DA_INFO, 2, mk_xml_get_da_info, MK_XML_2022, false, true},
    {MK_XML_CAN_HIGHER_USB_SPEED, 2, mk_xml_can_higher_usb_speed, MK_XML_2024, false, true},
    {MK_XML_SWITCH_USB_SPEED, 2, mk_xml_switch_usb_speed, MK_XML_2024, false, true},
    {MK_XML_GET_DEV_FW_INFO, 2, mk_xml_get_dev_fw_info, MK_XML_2024, false, true},
    {MK_XML_SET_FLASH_POLICY, 2, mk_xml_set_flash_policy, MK_XML_2024, false, true},
    {MK_XML_SET_ALLINONE_SIGNATURE, 2, mk_xml_set_all_in_one_signature, MK_XML_2022, false, false},
    {MK_XML_READ_PARTITION_TABLE, 2, mk_xml_read_partition_table, MK_XML_2022, false, false},
    {MK_XML_READ_FLASH, 2, mk_xml_read_flash, MK_XML_2022, false, false},
    {MK_XML_READ_PARTITION, 2, mk_xml_read_partition, MK_XML_2022, false, false},
    {MK_XML_WRITE_FLASH, 2, mk_xml_write_flash, MK_XML_2022, false, false},
    {MK_XML_WRITE_PARTITION, 2, mk_xml_write_partition, MK_XML_2022, false, false},
    {MK_XML_WRITE_PARTITIONS, 2, mk_xml_write_partitions, MK_XML_2022, false, false},
    {MK_XML_FLASH_ALL, 2, mk_xml_flash_all, MK_XML_2022, true, false},
    {MK_XML_FLASH_UPDATE, 2, mk_xml_flash_update, MK_XML_2022, true, false},
    {MK_XML_ERASE_FLASH, 2, mk_xml_erase_flash, MK_XML_2022, false, false},
    {MK_XML_ERASE_PARTITION, 2, mk_xml_erase_partition, MK_XML_2022, false, false},
    {MK_XML_IMAGE_FEEDBACK, 2, mk_xml_get_feedback, MK_XML_2022, false, false},
    {MK_XML_SET_BOOT_MODE, 2, mk_xml_set_boot_mode, MK_XML_2022, false, false},
    {MK_XML_EMMC_CONTROL, 2, mk_xml_emmc_control, MK_XML_2022, false, false},
    {MK_XML_SET_RSC, 2, mk_xml_set_rsc, MK_XML_2022, false, false},
    {MK_XML_WRITE_PRIVATE_CERT, 2, mk_xml_write_private_cert, MK_XML_2022, false, false},
    {MK_XML_READ_REGISTER, 2, misread, MK_XML_2022, false, false},
    {MK_XML_WRITE_REGISTER, 2, misread, MK_XML_2022, false, false},
    {MK_XML_READ_EFUSE, 2, refuse_for_good, MK_XML_2022, false, false},
    {MK_XML_WRITE_EFUSE, 2, refuse_for_good, MK_XML_2022, false, false},
    {MK_XML_DEBUG_UFS, 2, refuse_for_good, MK_XML_2022, false, false},
};

/* Of a phone that waits for the answer to its challenge nobody has measured what it answers to the rest: it does not know them, as the one
 * locked agent that was met, the XFlash one of 2025 (spec agents.md). */
static const Command *find(const MkXml *x, const char *name, unsigned version)
{
    for (size_t i = 0; name && i < G_N_ELEMENTS(commands); i++) {
        const Command *command = &commands[i];
        bool known = strcmp(command->name, name) == 0 && (command->stages & x->stage) && x->year >= command->since;
        if (known && (version == 1 || (version == 2 && command->second)))
            return x->locked && x->stage == 2 && !command->open ? NULL : command;
    }
    return NULL;
}

/* --- the loop ---------------------------------------------------------------------------------------------------------------------- */

/* Until the host answers START as it should (spec 3). */
static void call(MkXml *x)
{
    MkXmlAnswer answer;
    do {
        mk_xml_put_document(x, MK_XML_START, NULL);
        answer = mk_xml_take_answer(x, NULL);
        if (answer != MK_XML_YES && !x->gone)
            mk_machine_log(x->machine, "agent: that was no answer to START");
    } while (answer != MK_XML_YES && !x->gone);
}

static bool is_bare_ok(const uint8_t *data, size_t length)
{
    return length >= 2 && length <= 4 && memcmp(data, MK_XML_OK "\0\0", length) == 0;
}

/* mtkclient sends one OK too many behind the last packet of WRITE-FLASH: in the place of a command it is dropped (spec hosts.md). */
static bool take_command(MkXml *x, size_t *length)
{
    size_t room = x->stage == 1 ? MK_XML_COMMAND_MAX_STAGE1 : MK_XML_COMMAND_MAX_STAGE2;
    for (;;) {
        MkXmlAnswer taken = mk_xml_take_frame(x, room, length);
        if (taken != MK_XML_YES) {
            mk_xml_put_text(x, MK_XML_ERR);
            return false;
        }
        if (!is_bare_ok(x->buffer, *length))
            return true;
        mk_machine_log(x->machine, "agent: an OK where a command has to be is dropped");
    }
}

static void put_end(MkXml *x)
{
    g_autofree char *message = mk_xml_escape(x->message ? x->message : "");
    g_autofree char *arg = g_strdup_printf("<result>%s</result><message>%s</message>", x->result, message);
    if (x->message)
        mk_machine_log(x->machine, "agent: %s: %.*s", x->result, (int)strcspn(x->message, "\r\n"), x->message);
    mk_xml_put_document(x, MK_XML_END, arg);
    mk_xml_take_answer(x, NULL);
}

static void run_command(MkXml *x, size_t length)
{
    g_autoptr(xmlDoc) document = mk_xml_parse(x->buffer, length);
    g_autofree char *name = document ? mk_xml_command_name(document) : NULL;
    unsigned minor, version = document ? mk_xml_version(document, &minor) : 0;
    const Command *command = find(x, name, version);
    mk_xml_say(x, 2, "%s", name ? name : "no command");
    mk_machine_log(x->machine, "agent: %s%s", name ? name : "no command", command ? "" : ": not known");
    if (command) {
        x->command = document;
        mk_xml_put_text(x, MK_XML_OK);
        command->run(x);
        x->command = NULL;
    } else {
        mk_xml_put_text(x, MK_XML_UNSUPPORTED);
        mk_xml_fail(x, UNSUPPORTED_MESSAGE);
        x->result = MK_XML_UNSUPPORTED;
    }
}

static void round_of(MkXml *x)
{
    size_t length;
    x->result = MK_XML_OK;
    x->after = NULL;
    g_clear_pointer(&x->message, g_free);
    call(x);
    if (x->gone || !take_command(x, &length))
        return;
    run_command(x, length);
    if (!x->gone)
        put_end(x);
    if (!x->gone && x->after)
        x->after(x);
}

/* The model's word, else what the agent that was sent says of itself: "V1" is the release of 2023 (spec da-file.md). Older ones than that of
 * 2024 cannot be asked for a challenge. */
static MkXmlYear year_of(const MkMachine *machine)
{
    const char *flavour = machine->model->flavour;
    if (machine->model->agent_key || g_strcmp0(flavour, "2024") == 0)
        return MK_XML_2024;
    return g_strcmp0(flavour ? flavour : machine->release, flavour ? "2023" : "V1") == 0 ? MK_XML_2023 : MK_XML_2022;
}

MkNext mk_xml_run(MkMachine *machine)
{
    const MkModel *model = machine->model;
    MkXml x = {.machine = machine,
               .model = model,
               .chip = machine->chip,
               .wire = machine->wire,
               .year = year_of(machine),
               .next = MK_NEXT_GONE,
               .mode = MK_NEXT_RESET,
               .with_dram = true,
               .locked = model->agent_key != NULL,
               .log_level = 2,
               .feedback = g_string_new(NULL)};
    for (unsigned i = 0; i < sizeof x.challenge; i++)
        x.challenge[i] = (uint8_t)(machine->random_seed * 31u + i * 7u);
    mk_machine_log(machine, "agent: runs (XML of %u)", 2022 + (unsigned)x.year);
    mk_xml_begin_stage(&x, 1);
    while (!x.gone && !x.over)
        round_of(&x);
    g_clear_pointer(&x.table, mk_layout_unref);
    g_string_free(x.feedback, true);
    g_free(x.message);
    g_free(x.buffer);
    return x.gone && !x.over ? MK_NEXT_GONE : x.next;
}
