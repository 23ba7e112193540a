/* Sending and starting the first stage (spec brom.md 6.8). */
#include "boot/command.h"

#include "core/i18n.h"

#include <gio/gio.h>

#define SETTLE_US    200000 /* SP Flash Tool's pause between SEND_DA and JUMP_DA */
#define HALF_TIMEOUT 500    /* some chips end JUMP_DA64 after the first status */

static bool send_once(MkLink *link, uint32_t address, GBytes *da, uint32_t signature_length, GCancellable *cancel,
                      GError **error)
{
    const char *name = "SEND_DA";
    uint16_t status;
    if (!mk_boot_command(link, MK_BROM_SEND_DA, name, cancel, error) ||
        !mk_boot_send32(link, address, name, cancel, error) ||
        !mk_boot_send32(link, (uint32_t)g_bytes_get_size(da), name, cancel, error) ||
        !mk_boot_send32(link, signature_length, name, cancel, error) || !mk_boot_get16(link, &status, cancel, error))
        return false;
    if (status >= MK_BROM_STATUS_READ_REGION && status != MK_BROM_STATUS_NO_AUTH_NEEDED) {
        mk_boot_status_fault(error, status, name);
        return false;
    }
    return mk_boot_send_bytes(link, da, cancel, error) && mk_boot_check_sum(link, da, name, cancel, error) &&
           mk_boot_status(link, name, 0x1000, cancel, error);
}

bool mk_boot_send_da(MkLink *link, MkTarget *target, uint32_t address, GBytes *da, uint32_t signature_length,
                     GCancellable *cancel, GError **error)
{
    size_t length = g_bytes_get_size(da);
    g_autoptr(GError) local = NULL;
    uint16_t status;
    if (length == 0 || length > UINT32_MAX || signature_length > length) {
        mk_fault_set(error, MK_FAULT_DA_FORMAT, _("The agent's first stage has no usable length."));
        return false;
    }
    if (send_once(link, address, da, signature_length, cancel, &local))
        return true;
    /* Damaged on its way: once more (spec behaviour.md 9.4, 2034). The status that follows the sum says nothing then. */
    if (mk_fault_code(local) == MK_FAULT_VERIFY && mk_boot_get16(link, &status, cancel, NULL)) {
        g_clear_error(&local);
        if (send_once(link, address, da, signature_length, cancel, &local))
            return true;
    }
    if (mk_fault_code(local) == MK_FAULT_DA_SIGN && target->stage == MK_STAGE_PRELOADER)
        g_prefix_error(&local, "%s ", _("The preloader checks signatures and now restarts into BootROM."));
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

static bool jump64(MkLink *link, uint32_t address, GCancellable *cancel, GError **error)
{
    const char *name = "JUMP_DA64";
    g_autoptr(GError) local = NULL;
    uint8_t bits = 0x64, echo; /* a 64-bit agent */
    if (!mk_boot_command(link, MK_BROM_JUMP_DA64, name, cancel, error) ||
        !mk_boot_send32(link, address, name, cancel, error) || !mk_boot_send8(link, 1, name, cancel, error) ||
        !mk_boot_status(link, name, 0x100, cancel, error) ||
        !mk_link_write(link, &bits, 1, MK_BOOT_ECHO_TIMEOUT, cancel, error))
        return false;
    if (mk_link_read(link, &echo, 1, HALF_TIMEOUT, cancel, &local))
        return mk_boot_status(link, name, 0x100, cancel, error);
    if (mk_fault_code(local) == MK_FAULT_SILENT)
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

bool mk_boot_jump_da(MkLink *link, uint32_t address, bool wide, GCancellable *cancel, GError **error)
{
    const char *name = "JUMP_DA";
    g_usleep(SETTLE_US);
    if (wide)
        return jump64(link, address, cancel, error);
    return mk_boot_command(link, MK_BROM_JUMP_DA, name, cancel, error) &&
           mk_boot_send32(link, address, name, cancel, error) && mk_boot_status(link, name, 1, cancel, error);
}
