/* From the jump into stage 1 to stage 2's command loop (spec da-xflash.md 1, 4, 7, 8, 9; hosts.md "XFlash"). */
#include "agent/xflash.h"

#include "core/i18n.h"

#include <string.h>

#define HELLO_TIMEOUT 5000 /* ms */
#define HELLO_LIMIT   4096 /* bytes of noise before the hello byte */
#define LOG_LEVEL     2    /* info */
#define PAUSE_2015    1000 /* ms, hosts.md */
#define EMI_MAGIC     "MTK_BLOADER_INFO_v"
#define EMI_HEADER    0x70u
#define MAX_EMI       0x10000u

static bool await_hello(MkXFlash *xflash, GError **error)
{
    uint8_t byte = 0;
    for (unsigned i = 0; i < HELLO_LIMIT; i++) {
        if (!mk_link_read(xflash->base.link, &byte, 1, HELLO_TIMEOUT, xflash->frames.cancel, error)) {
            xflash->base.lost = true;
            return false;
        }
        if (byte == MK_XFLASH_HELLO)
            return true;
    }
    return xflash_unexpected(xflash, byte, _("waiting for the agent's first word"), error);
}

/* A stage that is ready says SYNC; one that is not says why. */
static bool await_sync(MkXFlash *xflash, MkFault fallback, const char *doing, GError **error)
{
    uint32_t word;
    if (!xflash_status(xflash, &word, XFLASH_TIMEOUT_READY, error))
        return false;
    if (word == MK_XFLASH_SYNC)
        return true;
    if (word >> 28 != 0xC)
        return xflash_unexpected(xflash, word, doing, error);
    xflash->base.lost = true;
    mk_xflash_status_fault(word, fallback, doing, error);
    return false;
}

static bool send_environment(MkXFlash *xflash, const char *doing, GError **error)
{
    g_autoptr(GByteArray) environment = g_byte_array_new();
    mk_put_le32(environment, LOG_LEVEL);
    mk_put_le32(environment, MK_XFLASH_LOG_TO_UART);
    mk_put_le32(environment, MK_XFLASH_OS_WINDOWS); /* makes the agent read in packets of 2 MiB (spec 12.1) */
    mk_put_le32(environment, 0);
    mk_put_le32(environment, 0);
    mk_link_note(xflash->base.link, "SYNC, SETUP_ENVIRONMENT");
    return xflash_send32(xflash, MK_XFLASH_SYNC, error) && xflash_send32(xflash, MK_XFLASH_SETUP_ENVIRONMENT, error) &&
           xflash_send(xflash, environment->data, environment->len, error) &&
           xflash_expect_ok(xflash, MK_FAULT_DA_VER, doing, XFLASH_TIMEOUT, error);
}

/* No block of parameters. An agent of 2015 knows no such command and takes the count for another one: a refusal each. */
static bool send_hardware_init(MkXFlash *xflash, const char *doing, GError **error)
{
    uint32_t status;
    mk_link_note(xflash->base.link, "SETUP_HW_INIT_PARAMS");
    if (!xflash_send32(xflash, MK_XFLASH_SETUP_HW_INIT_PARAMS, error) || !xflash_send32(xflash, 0, error) ||
        !xflash_status(xflash, &status, XFLASH_TIMEOUT, error))
        return false;
    if (status == MK_XFLASH_S_UNSUPPORTED_COMMAND) {
        mk_link_note(xflash->base.link, "an agent of the 2015 dialect");
        xflash->old = true;
        return xflash_status(xflash, &status, XFLASH_TIMEOUT, error);
    }
    if (status == MK_XFLASH_S_OK)
        return true;
    mk_xflash_status_fault(status, MK_FAULT_DA_VER, doing, error);
    return false;
}

/* The year in the label of a DA file, "v3.3001.2020/07/07..." or "v5.1540.00": 0 if there is none. */
static unsigned label_year(const char *label)
{
    static const char *const patterns[] = {"\\.(20[0-9]{2})[-/]", "v[0-9]+\\.([12][0-9])[0-5][0-9](\\.|$)"};
    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
        g_autoptr(GRegex) regex = g_regex_new(patterns[i], 0, 0, NULL);
        g_autoptr(GMatchInfo) match = NULL;
        if (g_regex_match(regex, label, 0, &match)) {
            g_autofree char *year = g_match_info_fetch(match, 1);
            unsigned number = (unsigned)g_ascii_strtoull(year, NULL, 10);
            return number < 100 ? 2000 + number : number;
        }
    }
    return 0;
}

/* The genuine host waits a second; the agent says nothing in that time. */
static bool pause_2015(MkXFlash *xflash, const char *doing, GError **error)
{
    g_autoptr(GError) silence = NULL;
    uint8_t byte;
    size_t got;
    if (mk_link_read_some(xflash->base.link, &byte, 1, &got, PAUSE_2015, xflash->frames.cancel, &silence))
        return xflash_unexpected(xflash, byte, doing, error);
    if (mk_fault_code(silence) == MK_FAULT_SILENT)
        return true;
    xflash->base.lost = true;
    g_propagate_error(error, g_steal_pointer(&silence));
    return false;
}

static bool start_stage1(MkXFlash *xflash, const MkAgentSetup *setup, GError **error)
{
    const char *doing = _("starting the agent");
    unsigned year = label_year(setup->file->description);
    mk_link_note(xflash->base.link, "agent start");
    if (!await_hello(xflash, error) || !send_environment(xflash, doing, error))
        return false;
    xflash->old = year && year <= 2016;
    if (!xflash->old && !send_hardware_init(xflash, doing, error))
        return false;
    xflash->stage = 1;
    if (!xflash->old)
        return await_sync(xflash, MK_FAULT_DA_VER, doing, error);
    return pause_2015(xflash, doing, error);
}

/* A setting that the agent may not have. */
static bool try_set(MkXFlash *xflash, uint32_t code, const char *name, uint32_t value, bool *done, GError **error)
{
    g_autoptr(GError) problem = NULL;
    *done = xflash_set32(xflash, code, name, value, &problem);
    if (*done || !xflash->base.lost)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool configure(MkXFlash *xflash, const MkAgentSetup *setup, GError **error)
{
    static const uint32_t batteries[] = {[MK_BATTERY_AUTO] = MK_XFLASH_BATTERY_AUTO,
                                         [MK_BATTERY_WITH] = MK_XFLASH_BATTERY_WITH,
                                         [MK_BATTERY_WITHOUT] = MK_XFLASH_BATTERY_USB_POWER};
    bool done;
    uint32_t key = xflash->old ? MK_XFLASH_RESET_KEY_ONE : MK_XFLASH_RESET_KEY_TWO;
    uint32_t level = xflash->old ? 0 : MK_XFLASH_CHECKSUM_USB; /* Medik itself reads back what it wrote */
    return try_set(xflash, MK_XFLASH_SET_RESET_KEY, "SET_RESET_KEY", key, &done, error) &&
           try_set(xflash, MK_XFLASH_SET_BATTERY_OPT, "SET_BATTERY_OPT", batteries[setup->battery], &done, error) &&
           try_set(xflash, MK_XFLASH_SET_CHECKSUM_LEVEL, "SET_CHECKSUM_LEVEL", level, &done, error);
}

/* Who started stage 1: it knows better than the host. */
static bool needs_dram(MkXFlash *xflash, const MkAgentSetup *setup, bool *needs, GError **error)
{
    char text[16];
    size_t length;
    if (!xflash_ask(xflash, MK_XFLASH_GET_CONNECTION_AGENT, "GET_CONNECTION_AGENT", text, sizeof text, &length, NULL,
                    error))
        return false;
    *needs = length ? length == 4 && memcmp(text, "brom", 4) == 0 : !setup->from_preloader;
    return true;
}

/* Before anything is sent that might hang the chip: does it suit the flash chip that stage 1 found? The agent of 2015 is asked only by its second stage. */
static GBytes *choose_emi(MkXFlash *xflash, const MkAgentSetup *setup, GError **error)
{
    uint8_t id[XFLASH_FLASH_ID];
    size_t length = 0;
    if (setup->choose_emi && !xflash->old && !xflash_flash_id(xflash, id, &length, error))
        return NULL;
    return mk_agent_setup_emi(setup, id, length, error);
}

static bool start_dram(MkXFlash *xflash, const MkAgentSetup *setup, GError **error)
{
    const char *doing = _("starting the main memory");
    gsize size = 0;
    g_autoptr(GBytes) emi = setup->emi ? choose_emi(xflash, setup, error) : NULL;
    const uint8_t *data = emi ? g_bytes_get_data(emi, &size) : NULL;
    if (!emi && setup->emi)
        return false;
    if (!emi) {
        mk_fault_set(error, MK_FAULT_PL_EMI,
                     _("The phone was caught in its BootROM; starting its main memory takes the settings from its "
                       "preloader file, and none was given."));
        return false;
    }
    if (size <= EMI_HEADER || size > MAX_EMI || memcmp(data, EMI_MAGIC, strlen(EMI_MAGIC)) != 0) {
        mk_fault_set(error, MK_FAULT_PL_EMI, _("The preloader file holds no usable memory settings."));
        return false;
    }
    if (xflash_command(xflash, MK_XFLASH_INIT_EXT_RAM, "INIT_EXT_RAM", MK_FAULT_PL_EMI, doing, error) &&
        xflash_send32(xflash, (uint32_t)size, error) && xflash_send(xflash, data, size, error) &&
        xflash_expect_ok(xflash, MK_FAULT_PL_EMI, doing, XFLASH_TIMEOUT_READY, error))
        return true;
    if (error && *error && mk_fault_code(*error) == MK_FAULT_SILENT) {
        /* Settings of another board may hang the chip (spec 7). */
        g_clear_error(error);
        mk_fault_set(error, MK_FAULT_PL_EMI,
                     _("The phone fell silent while its main memory was being started: the memory settings are "
                       "probably those of another board."));
    }
    return false;
}

/* Stage 1 knows the hash of stage 2 without its signature; so the signature stays behind (spec 1). */
static bool send_stage2(MkXFlash *xflash, const MkAgentSetup *setup, MkProgress *progress, GError **error)
{
    const char *doing = _("starting the agent's second part");
    unsigned index = mk_agent_entry_stage2(setup->entry);
    const MkAgentRegion *region = &setup->entry->regions[index];
    g_autoptr(GBytes) stage2 = mk_agent_file_region(setup->file, setup->entry, index);
    gsize length;
    const uint8_t *data = g_bytes_get_data(stage2, &length);
    length -= MIN(region->signature_length, length);
    g_autoptr(GByteArray) where = g_byte_array_new();
    mk_put_le64(where, region->load_address);
    mk_put_le64(where, length);
    MkProgress *step = mk_progress_add(progress, _("sending the agent"), length);
    bool sent = xflash_command(xflash, MK_XFLASH_BOOT_TO, "BOOT_TO", MK_FAULT_DA_VER, doing, error) &&
                xflash_send(xflash, where->data, where->len, error) && xflash_send(xflash, data, length, error) &&
                xflash_expect_ok(xflash, MK_FAULT_DA_VER, doing, XFLASH_TIMEOUT_READY, error);
    if (sent)
        mk_progress_done(step);
    return sent;
}

static bool start_stage2(MkXFlash *xflash, const MkAgentSetup *setup, MkProgress *progress, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (!send_stage2(xflash, setup, progress, error))
        return false;
    if (xflash->old || await_sync(xflash, MK_FAULT_DA_VER, _("starting the agent's second part"), &problem)) {
        xflash->stage = 2;
        return true;
    }
    if (mk_fault_code(problem) == MK_FAULT_SILENT)
        mk_fault_set(error, MK_FAULT_PL_EMI,
                     _("The agent's second part was sent and does not start: the memory settings are probably those of "
                       "another board."));
    else
        g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool xflash_start(MkXFlash *xflash, const MkAgentSetup *setup, MkProgress *progress, GError **error)
{
    bool dram;
    return start_stage1(xflash, setup, error) && configure(xflash, setup, error) &&
           needs_dram(xflash, setup, &dram, error) && (!dram || start_dram(xflash, setup, error)) &&
           start_stage2(xflash, setup, progress, error);
}
