/* Connecting: who is there, and what it tells about itself (spec brom.md 6.1 to 6.3, order of genuine hosts: spec hosts.md). */
#include "boot/command.h"

#include "core/bytes.h"
#include "core/i18n.h"

#define OPTIONAL_TIMEOUT 1000 /* an unknown command costs one echo and this long */
#define FIRST_CODE_TRIES 3

void mk_target_free(MkTarget *target)
{
    if (!target)
        return;
    g_clear_pointer(&target->me_id, g_bytes_unref);
    g_clear_pointer(&target->soc_id, g_bytes_unref);
    g_free(target);
}

char *mk_target_config_words(uint32_t config)
{
    static const struct {
        uint32_t bit;
        const char *words;
    } bits[] = {
        {MK_CONFIG_SBC, N_("secure boot on")},
        {MK_CONFIG_SLA, N_("the serial link must be authorised (SLA)")},
        {MK_CONFIG_DAA, N_("the agent must be signed (DAA)")},
        {MK_CONFIG_EPP, N_("a parameter block starts the DRAM (EPP)")},
        {MK_CONFIG_ROOT_CERT, N_("a root certificate is required")},
        {MK_CONFIG_READ_AUTH, N_("reading memory needs authorisation")},
        {MK_CONFIG_WRITE_AUTH, N_("writing memory needs authorisation")},
        {MK_CONFIG_C8_BLOCKED, N_("the cache command is blocked")},
    };
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(bits); i++) {
        if (config & bits[i].bit)
            g_string_append_printf(text, "%s%s", text->len ? ", " : "", _(bits[i].words));
    }
    if (text->len == 0)
        g_string_append(text, _("no security is on"));
    return g_string_free(text, FALSE);
}

/* --- registers, spec brom.md 6.4 -------------------------------------------------------------------------------------- */

static bool register_header(MkLink *link, uint8_t command, const char *name, uint32_t address, unsigned count,
                            GCancellable *cancel, GError **error)
{
    return mk_boot_command(link, command, name, cancel, error) && mk_boot_send32(link, address, name, cancel, error) &&
           mk_boot_send32(link, count, name, cancel, error) && mk_boot_status(link, name, 0x100, cancel, error);
}

bool mk_boot_read32(MkLink *link, uint32_t address, uint32_t *values, unsigned count, GCancellable *cancel,
                    GError **error)
{
    const char *name = "READ32";
    if (!register_header(link, MK_BROM_READ32, name, address, count, cancel, error))
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (!mk_boot_get32(link, &values[i], cancel, error))
            return false;
    }
    return mk_boot_status(link, name, 0x100, cancel, error);
}

bool mk_boot_write32(MkLink *link, uint32_t address, uint32_t value, GCancellable *cancel, GError **error)
{
    const char *name = "WRITE32";
    return register_header(link, MK_BROM_WRITE32, name, address, 1, cancel, error) &&
           mk_boot_send32(link, value, name, cancel, error) && mk_boot_status(link, name, 0x100, cancel, error);
}

static bool read16(MkLink *link, uint32_t address, uint16_t *value, GCancellable *cancel, GError **error)
{
    const char *name = "READ16";
    return register_header(link, MK_BROM_READ16, name, address, 1, cancel, error) &&
           mk_boot_get16(link, value, cancel, error) && mk_boot_status(link, name, 0x100, cancel, error);
}

static bool write16(MkLink *link, uint32_t address, uint16_t value, GCancellable *cancel, GError **error)
{
    const char *name = "WRITE16";
    return register_header(link, MK_BROM_WRITE16, name, address, 1, cancel, error) &&
           mk_boot_send16(link, value, name, cancel, error) && mk_boot_status(link, name, 0x100, cancel, error);
}

/* The chip's watchdog resets the phone in the middle of everything unless it is told not to (spec brom.md 7.1). A 16-bit block keeps its
 * other bits, which have to be read first. */
static bool watchdog_off(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    const MkSoc *soc = target->soc;
    if (!soc || !soc->wdt_base || (soc->wdt_action != MK_WDT_WRITE && soc->wdt_action != MK_WDT_READ_MODIFY_WRITE))
        return true;
    bool modify = soc->wdt_action == MK_WDT_READ_MODIFY_WRITE;
    uint32_t value = soc->wdt_value;
    mk_link_note(link, "watchdog off");
    if (soc->wdt_width == 16) {
        uint16_t old = 0;
        if (modify && !read16(link, soc->wdt_base, &old, cancel, error))
            return false;
        value = modify ? ((uint32_t)old & 0xFFFEu) | value : value;
        target->watchdog_off = write16(link, soc->wdt_base, (uint16_t)value, cancel, error);
    } else {
        uint32_t old = 0;
        if (modify && !mk_boot_read32(link, soc->wdt_base, &old, 1, cancel, error))
            return false;
        value = modify ? (old & ~1u) | value : value;
        target->watchdog_off = mk_boot_write32(link, soc->wdt_base, value, cancel, error);
    }
    return target->watchdog_off;
}

/* A register the loader keeps to itself is no reason to give up: the phone may restart by itself, or its agent sees to it. */
static bool try_watchdog_off(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) local = NULL;
    if (watchdog_off(link, target, cancel, &local))
        return true;
    if (!mk_fault_number(local)) { /* not a status word: the talk is out of step or over */
        g_propagate_error(error, g_steal_pointer(&local));
        return false;
    }
    mk_link_note(link, "the watchdog stays on: %s", local->message);
    return true;
}

/* --- identification --------------------------------------------------------------------------------------------------- */

/* FD. On a port that seemed to be in its command loop already this is also the proof: a mere echo says nothing more. */
static bool get_hw_code(MkLink *link, MkTarget *target, MkSync sync, GCancellable *cancel, GError **error)
{
    static const uint8_t command = MK_BROM_GET_HW_CODE;
    uint8_t echo, answer[4];
    int timeout = sync == MK_SYNC_ALREADY ? OPTIONAL_TIMEOUT : MK_BOOT_CODE_TIMEOUT;
    mk_link_note(link, "FD GET_HW_CODE");
    if (!mk_link_write(link, &command, 1, timeout, cancel, error) ||
        !mk_link_read(link, &echo, 1, timeout, cancel, error) ||
        !mk_link_read(link, answer, sizeof answer, timeout, cancel, error))
        return false;
    target->hw_code = (uint16_t)(answer[0] << 8 | answer[1]);
    if (echo == command && target->hw_code != 0 && target->hw_code != 0xFDFD && answer[2] == 0 && answer[3] == 0)
        return true;
    mk_fault_set_number(error, MK_FAULT_PROTOCOL, 6033, "S_BROM_GET_HW_CODE_FAIL",
                        _("The phone answered the question for its chip with %02X %02X%02X %02X%02X."), echo, answer[0],
                        answer[1], answer[2], answer[3]);
    return false;
}

static bool ask_versions(MkLink *link, MkTarget *target, uint16_t *status, GCancellable *cancel, GError **error)
{
    return mk_boot_command(link, MK_BROM_GET_HW_SW_VER, "GET_HW_SW_VER", cancel, error) &&
           mk_boot_get16(link, &target->hw_sub_code, cancel, error) &&
           mk_boot_get16(link, &target->hw_version, cancel, error) &&
           mk_boot_get16(link, &target->sw_version, cancel, error) && mk_boot_get16(link, status, cancel, error);
}

/* A status is asked about once more; then the versions are unknown (spec brom.md 11, row 14). MT6573 is not asked (6.1). */
static bool get_versions(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    uint16_t status = 0;
    if (target->hw_code == 0x6573)
        return true;
    if (!ask_versions(link, target, &status, cancel, error) ||
        (status && !ask_versions(link, target, &status, cancel, error)))
        return false;
    if (status) {
        mk_link_note(link, "the versions stay unknown: status %04X", status);
        target->hw_sub_code = target->hw_version = target->sw_version = 0;
    }
    return true;
}

/* FE and FF answer in the place of the echo. */
static bool get_answer_for_echo(MkLink *link, uint8_t command, const char *name, uint8_t *answer, GCancellable *cancel,
                                GError **error)
{
    mk_link_note(link, "%02X %s", command, name);
    return mk_link_write(link, &command, 1, MK_BOOT_ECHO_TIMEOUT, cancel, error) &&
           mk_link_read(link, answer, 1, MK_BOOT_ECHO_TIMEOUT, cancel, error);
}

/* The table of chips is no promise: a loader that does not know the command repeats it and says nothing more. */
static bool get_id(MkLink *link, uint8_t command, const char *name, GBytes **id, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) local = NULL;
    uint8_t length[4];
    if (!mk_boot_command(link, command, name, cancel, error))
        return false;
    if (!mk_link_read(link, length, sizeof length, OPTIONAL_TIMEOUT, cancel, &local)) {
        bool unknown = mk_fault_code(local) == MK_FAULT_SILENT;
        if (!unknown)
            g_propagate_error(error, g_steal_pointer(&local));
        return unknown;
    }
    return (*id = mk_boot_get_bytes(link, mk_be32(length), 64, name, cancel, error)) &&
           mk_boot_status(link, name, 0x100, cancel, error);
}

/* What only some answer: asked where the chip table or the capabilities say so, because an unknown command is only echoed. */
static bool get_ids(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    bool me_id = false, soc_id = false;
    if (target->stage == MK_STAGE_BOOTROM) {
        me_id = target->soc && target->soc->has_me_id;
        soc_id = target->soc && target->soc->has_soc_id;
    } else if (target->bl_version >= 3) {
        uint32_t more;
        if (!mk_boot_command(link, MK_BROM_GET_PL_CAP, "GET_PL_CAP", cancel, error) ||
            !mk_boot_get32(link, &target->pl_cap, cancel, error) || !mk_boot_get32(link, &more, cancel, error))
            return false;
        me_id = target->pl_cap & 2;
        soc_id = target->pl_cap & 4;
    }
    return (!me_id || get_id(link, MK_BROM_GET_ME_ID, "GET_ME_ID", &target->me_id, cancel, error)) &&
           (!soc_id || get_id(link, MK_BROM_GET_SOC_ID, "GET_SOC_ID", &target->soc_id, cancel, error));
}

static bool get_config(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    return mk_boot_command(link, MK_BROM_GET_TARGET_CONFIG, "GET_TARGET_CONFIG", cancel, error) &&
           mk_boot_get32(link, &target->target_config, cancel, error) &&
           mk_boot_status(link, "GET_TARGET_CONFIG", 0x100, cancel, error);
}

static bool get_stage(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    if (!get_answer_for_echo(link, MK_BROM_GET_BL_VER, "GET_BL_VER", &target->bl_version, cancel, error))
        return false;
    target->stage = target->bl_version == MK_BROM_GET_BL_VER ? MK_STAGE_BOOTROM : MK_STAGE_PRELOADER;
    /* A version nobody knows is talked to like the newest that is known (spec brom.md 11, row 13). */
    if (target->bl_version > 3 && target->stage == MK_STAGE_PRELOADER)
        mk_link_note(link, "a preloader of an unknown version: %u", target->bl_version);
    if (target->bl_version >= 1)
        return true;
    mk_fault_set_number(error, MK_FAULT_PROTOCOL, 1021, "S_UNSUPPORTED_VER_OF_BOOTLOADER",
                        _("The preloader says that it is of version %u, which nobody knows."), target->bl_version);
    return false;
}

static bool get_brom_version(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    if (target->stage != MK_STAGE_BOOTROM)
        return true;
    if (!get_answer_for_echo(link, MK_BROM_GET_VERSION, "GET_VERSION", &target->brom_version, cancel, error))
        return false;
    if (target->brom_version <= 5 || target->brom_version == 0xFF)
        return true;
    mk_fault_set_number(error, MK_FAULT_PROTOCOL, 1020, "S_UNSUPPORTED_VER_OF_BOOT_ROM",
                        _("BootROM says that it is of version %u, which nobody knows."), target->brom_version);
    return false;
}

static bool identify(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    if (!get_versions(link, target, cancel, error))
        return false;
    target->soc = mk_soc_by_code(target->hw_code, target->hw_sub_code);
    return try_watchdog_off(link, target, cancel, error) && get_stage(link, target, cancel, error) &&
           get_ids(link, target, cancel, error) && get_config(link, target, cancel, error) &&
           get_brom_version(link, target, cancel, error);
}

MkTarget *mk_boot_connect(MkLink *link, const MkBootOptions *options, GCancellable *cancel, GError **error)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(MkTarget) target = g_new0(MkTarget, 1);
    for (unsigned attempt = 0;; attempt++) {
        g_autoptr(GError) local = NULL;
        MkSync sync;
        if (!mk_boot_sync(link, mk_boot_left(start, options->timeout), &sync, cancel, error))
            return NULL;
        if (get_hw_code(link, target, sync, cancel, &local))
            break;
        MkFault fault = mk_fault_code(local);
        bool again = fault == MK_FAULT_SILENT || fault == MK_FAULT_PROTOCOL;
        if (!again || attempt + 1 >= FIRST_CODE_TRIES || mk_boot_left(start, options->timeout) == 0) {
            if (again && sync == MK_SYNC_ALREADY)
                mk_fault_set_number(error, MK_FAULT_SILENT, 2022, "S_BROM_FAIL_TO_GET_BBCHIP_HW_VER",
                                    _("The phone repeats what it is sent but answers no question: it is stuck in an "
                                      "unfinished command, or the port only echoes. Reset the phone (hold power 15 s "
                                      "or take the battery out)."));
            else
                g_propagate_error(error, g_steal_pointer(&local));
            return NULL;
        }
        if (!mk_link_drain(link, OPTIONAL_TIMEOUT / 10, cancel, error))
            return NULL;
    }
    return identify(link, target, cancel, error) ? g_steal_pointer(&target) : NULL;
}
