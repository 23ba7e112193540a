/* Stage 1: what a host sets, DRAM, the way into stage 2 (spec da-xml.md 8.1 to 8.3, 8.7, 8.8, 8.21). */
#include "layout/layout.h"
#include "phone/xml-device.h"

#include <string.h>

#define DRAM_ADDRESS   UINT64_C(0x40000000)
#define STAGE2_LARGEST (UINT64_C(16) << 20)
#define PARAM_LARGEST  (UINT64_C(64) << 10)

/* The agent reads the table when it starts, and not again (spec 8.9). */
void mk_xml_begin_stage(MkXml *x, unsigned stage)
{
    x->stage = stage;
    g_clear_pointer(&x->table, mk_layout_unref);
    if (stage == 1 || !mk_xml_has_storage(x))
        return;
    g_autoptr(MkStore) store = mk_chip_store(x->chip, mk_geometry_main_region(&x->model->geometry));
    g_autoptr(MkTable) table = mk_gpt_read(store, NULL, NULL, NULL);
    if (table && table->layout)
        x->table = mk_layout_ref(table->layout);
    mk_machine_log(x->machine, "agent: stage 2 runs, %u partitions", x->table ? x->table->partitions->len : 0);
}

/* --- settings ------------------------------------------------------------------------------------------------------------------ */

static void set_log_level(MkXml *x, const char *text)
{
    static const char *const levels[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};
    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++)
        if (strcmp(text, levels[i]) == 0)
            x->log_level = i;
}

/* The storage was set up before the host had said a word: this is the first END that can tell of its failure (golden recording). */
void mk_xml_set_runtime_parameter(MkXml *x)
{
    unsigned minor;
    g_autofree char *checksum = mk_xml_need(x, "checksum_level"), *battery = mk_xml_need(x, "battery_exist");
    g_autofree char *level = mk_xml_need(x, "da_log_level"), *channel = mk_xml_need(x, "log_channel");
    g_autofree char *os = mk_xml_need(x, "system_os"), *dram = mk_xml_advanced(x, "initialize_dram");
    if (x->message)
        return;
    bool both = strcmp(checksum, "USB-STORAGE") == 0;
    x->usb_sums = both || strcmp(checksum, "USB") == 0;
    x->storage_sums = both || strcmp(checksum, "STORAGE") == 0;
    x->log_to_usb = strcmp(channel, "USB") == 0;
    x->linux_host = strcmp(os, "LINUX") == 0;
    set_log_level(x, level);
    if (mk_xml_version(x->command, &minor) == 1 && minor > 0 && dram)
        x->with_dram = strcmp(dram, "NO") != 0;
    if (mk_chip_absent(x->chip))
        mk_xml_fail(x, "All storage init fail. check HW storage.\r\n");
}

void mk_xml_host_supported_commands(MkXml *x)
{
    g_autofree char *list = mk_xml_need(x, "host_capability");
    if (list)
        mk_xml_say(x, 2, "host: %.200s", list);
}

void mk_xml_set_host_info(MkXml *x)
{
    g_autofree char *info = mk_xml_arg(x, "info");
    mk_machine_log(x->machine, "agent: the host is \"%.127s\"", info ? info : "unknown");
}

/* --- DRAM ------------------------------------------------------------------------------------------------------------------------ */

/* v6 agents bring the settings of the DRAM themselves (spec 1). Without storage it fails before it begins (golden recording). */
void mk_xml_notify_init_hw(MkXml *x)
{
    if (x->stage == 2)
        return;
    if (mk_chip_absent(x->chip)) {
        mk_xml_fail(x, "%s", "");
        return;
    }
    mk_xml_progress_begin(x, "init-hw");
    if (x->with_dram && !x->gone) {
        mk_xml_progress(x, 50, "dram-init");
        x->machine->dram_up = !x->machine->dram_fails;
        mk_machine_log(x->machine, "agent: DRAM %s", x->machine->dram_up ? "runs" : "does not start");
    }
    mk_xml_progress_end(x);
    if (x->with_dram && !x->machine->dram_up)
        mk_xml_fail(x, "DRAM Init FAIL.");
}

static void test_flip(MkXml *x)
{
    g_autofree char *start = mk_xml_need(x, "start_address"), *length = mk_xml_need(x, "length");
    g_autofree char *repeat = mk_xml_need(x, "repeat");
    if (x->message)
        return;
    uint64_t from = mk_xml_number(start), size = mk_xml_number(length), dram = x->model->dram_size;
    bool inside = from >= DRAM_ADDRESS && from - DRAM_ADDRESS < dram && size <= dram - (from - DRAM_ADDRESS);
    if (!x->machine->dram_up || !size || !inside)
        mk_xml_fail(x, "%s", "");
}

/* None of these was ever seen at work (spec 8.21): what is asked for is answered, and this phone's memory is good. */
void mk_xml_ram_test(MkXml *x)
{
    g_autofree char *function = mk_xml_need(x, "function");
    if (!function)
        return;
    if (strcmp(function, "FLIP") == 0) {
        test_flip(x);
    } else if (strcmp(function, "CALIBRATION") == 0) {
        g_autofree char *target = mk_xml_need(x, "target_file");
        if (target)
            mk_xml_upload_text(x, "DRAM-PARAM", target, "calibration: passed\n", true);
    } else if (strcmp(function, "SRAM") != 0) {
        mk_xml_fail(x, "%s", "");
    }
}

void mk_xml_dram_repair(MkXml *x)
{
    g_autofree char *parameter = mk_xml_need(x, "param_file"), *target = mk_xml_need(x, "target_file");
    if (x->message)
        return;
    g_autoptr(GByteArray) file = mk_xml_download_file(x, "DRAM-PARAM", parameter, PARAM_LARGEST, false);
    if (file && !x->message)
        mk_xml_upload_text(x, "DRAM-PARAM", target, "NO-NEED", true);
}

/* --- BOOT-TO ---------------------------------------------------------------------------------------------------------------------- */

static void jump(MkXml *x)
{
    if (x->machine->stage2_dead)
        mk_xml_leave(x, MK_NEXT_HALT, "stage 2 is dead");
    else
        mk_xml_begin_stage(x, 2);
}

static void reset(MkXml *x)
{
    mk_xml_leave(x, MK_NEXT_RESET, "restart");
}

void mk_xml_boot_to(MkXml *x)
{
    g_autofree char *at = mk_xml_need(x, "at_address"), *to = mk_xml_need(x, "jmp_address");
    g_autofree char *source = mk_xml_need(x, "source_file");
    if (x->message)
        return;
    uint64_t place = mk_xml_number(at), entry = mk_xml_number(to), dram = x->model->dram_size;
    bool inside = place >= DRAM_ADDRESS && place - DRAM_ADDRESS < dram && entry >= place;
    if (!inside) {
        mk_xml_fail(x, "2nd DA address is invalid. reset.\r\n");
        x->after = reset;
        return;
    }
    g_autoptr(GByteArray) image = mk_xml_download_file(x, "2nd-DA", source, STAGE2_LARGEST, false);
    if (!image || x->message)
        return;
    if (mk_machine_knows_stage2(x->machine, image->data, image->len))
        x->after = jump;
    else
        mk_xml_fail(x, "DA Hash mismatch. Check these: \r\n1. EMI setting cause DRAM is not stable.\r\n2. DRAM HW has "
                       "some flaw.");
}
