#include "boot/command.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

int mk_boot_left(gint64 start, int timeout)
{
    if (timeout < 0)
        return MK_FOREVER;
    gint64 gone = (g_get_monotonic_time() - start) / 1000;
    return gone >= timeout ? 0 : (int)(timeout - gone);
}

static bool send_echoed(MkLink *link, const uint8_t *bytes, size_t length, const char *name, GCancellable *cancel,
                        GError **error)
{
    uint8_t echo[4];
    if (!mk_link_write(link, bytes, length, MK_BOOT_ECHO_TIMEOUT, cancel, error) ||
        !mk_link_read(link, echo, length, MK_BOOT_ECHO_TIMEOUT, cancel, error)) {
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    if (memcmp(bytes, echo, length) == 0)
        return true;
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("%s: the phone did not repeat what it was sent (it answered %02X)."), name,
                 echo[0]);
    return false;
}

bool mk_boot_command(MkLink *link, uint8_t command, const char *name, GCancellable *cancel, GError **error)
{
    mk_link_note(link, "%02X %s", command, name);
    return send_echoed(link, &command, 1, name, cancel, error);
}

bool mk_boot_send8(MkLink *link, uint8_t value, const char *name, GCancellable *cancel, GError **error)
{
    return send_echoed(link, &value, 1, name, cancel, error);
}

bool mk_boot_send16(MkLink *link, uint16_t value, const char *name, GCancellable *cancel, GError **error)
{
    uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    return send_echoed(link, bytes, sizeof bytes, name, cancel, error);
}

bool mk_boot_send32(MkLink *link, uint32_t value, const char *name, GCancellable *cancel, GError **error)
{
    uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    return send_echoed(link, bytes, sizeof bytes, name, cancel, error);
}

bool mk_boot_get16(MkLink *link, uint16_t *value, GCancellable *cancel, GError **error)
{
    uint8_t bytes[2];
    if (!mk_link_read(link, bytes, sizeof bytes, MK_BOOT_STATUS_TIMEOUT, cancel, error))
        return false;
    *value = mk_be16(bytes);
    return true;
}

bool mk_boot_get32(MkLink *link, uint32_t *value, GCancellable *cancel, GError **error)
{
    uint8_t bytes[4];
    if (!mk_link_read(link, bytes, sizeof bytes, MK_BOOT_STATUS_TIMEOUT, cancel, error))
        return false;
    *value = mk_be32(bytes);
    return true;
}

bool mk_boot_send_bytes(MkLink *link, GBytes *bytes, GCancellable *cancel, GError **error)
{
    size_t length;
    const void *data = g_bytes_get_data(bytes, &length);
    return mk_link_write(link, data, length, MK_BOOT_STATUS_TIMEOUT, cancel, error) &&
           mk_link_end_payload(link, length, MK_BOOT_STATUS_TIMEOUT, cancel, error);
}

GBytes *mk_boot_get_bytes(MkLink *link, uint32_t length, uint32_t limit, const char *name, GCancellable *cancel,
                          GError **error)
{
    if (length > limit) {
        mk_fault_set(error, MK_FAULT_PROTOCOL, _("%s: the phone announces %u bytes; at most %u make sense."), name,
                     length, limit);
        return NULL;
    }
    g_autofree uint8_t *data = g_malloc(length + 1);
    if (!mk_link_read(link, data, length, MK_BOOT_STATUS_TIMEOUT, cancel, error))
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&data), length);
}

bool mk_boot_check_sum(MkLink *link, GBytes *data, const char *name, GCancellable *cancel, GError **error)
{
    size_t length;
    const void *bytes = g_bytes_get_data(data, &length);
    uint16_t expected = mk_xor16(0, bytes, length), answered;
    if (!mk_boot_get16(link, &answered, cancel, error))
        return false;
    if (answered == expected)
        return true;
    mk_fault_set_number(error, MK_FAULT_VERIFY, 2034, "S_BROM_CMD_SEND_DA_CHKSUM_DIFF",
                        _("%s: the phone received other bytes than were sent (checksum %04X instead of %04X). Another "
                          "cable or port may cure it."),
                        name, answered, expected);
    return false;
}

/* --- status words ---------------------------------------------------------------------------------------------------- */

typedef struct {
    uint16_t first, last;
    MkFault fault;
    uint32_t number;
    const char *symbol; /* SP Flash Tool v5, spec brom.md 11 */
    const char *words;
} StatusWords;

static const StatusWords status_words[] = {
    {0x1D0D, 0x1D0D, MK_FAULT_AUTH_NEEDED, 5000, "S_AUTH_HANDLE_IS_NOT_READY",
     N_("the phone first wants its serial link authorised (SLA)")},
    {0x1D10, 0x1D10, MK_FAULT_PROTOCOL, 2028, "S_BROM_EXCEED_MAX_DATA_BLOCKS",
     N_("BootROM has taken too many pieces since it was started; reset the phone")},
    {0x1D0F, 0x1D0F, MK_FAULT_DA_CHIP, 2035, "S_BROM_CMD_JUMP_DA_FAIL", N_("the phone does not jump to this address")},
    {0x1D16, 0x1D16, MK_FAULT_PROTOCOL, 2035, "S_BROM_CMD_JUMP_DA_FAIL", N_("the phone holds no agent to start")},
    {0x1D15, 0x1D15, MK_FAULT_DA_SIGN, 6005, "S_SECURITY_DAA_FAIL",
     N_("the agent has no signature at all, and this phone wants its maker's")},
    {0x1D0E, 0x1D17, MK_FAULT_DA_CHIP, 2004, "S_BROM_DOWNLOAD_DA_FAIL",
     N_("the phone does not take an agent at this address or of this size: it is made for another chip")},
    {0x1D21, 0x1D21, MK_FAULT_DA_VER, 1022, "S_UNSUPPORTED_VER_OF_DA",
     N_("the phone does not take this version of the agent")},
    {0x1D1E, 0x1D20, MK_FAULT_PROTOCOL, 0, NULL, N_("the phone refuses the I2C parameters")},
    {0x1D00, 0x1D02, MK_FAULT_RANGE, 2016, "S_BROM_CMD_READ32_REG_FAIL", N_("the address is not valid on this chip")},
    {0x1000, 0x1001, MK_FAULT_SEC_FORBIDDEN, 2045, "S_BROM_SET_WATCHDOG_FAIL",
     N_("the preloader does not allow access to this register")},
    {0x2000, 0x2000, MK_FAULT_AUTH_WRONG, 6029, "S_SECURITY_SEND_AUTH_FAIL",
     N_("the authentication file is not for this phone")},
    {0x2001, 0x2006, MK_FAULT_DA_SIGN, 6005, "S_SECURITY_DAA_FAIL", N_("the agent is not signed for this phone")},
    {0x5A5B, 0x5A5B, MK_FAULT_DA_SIGN, 6005, "S_SECURITY_DAA_FAIL", N_("this agent was revoked by the chip's maker")},
    {0x7000, 0x7004, MK_FAULT_DA_CHIP, 2004, "S_BROM_DOWNLOAD_DA_FAIL",
     N_("the phone does not take an agent at this address or of this size: it is made for another chip")},
    {0x7015, 0x7024, MK_FAULT_DA_SIGN, 6005, "S_SECURITY_DAA_FAIL", N_("the agent is not signed for this phone")},
    {0x3000, 0x5004, MK_FAULT_SEC_FORBIDDEN, 0, NULL, N_("the phone's security forbids it")},
    {0x6000, 0x6005, MK_FAULT_AUTH_WRONG, 6001, "S_SECURITY_SLA_WRONG_AUTH_FILE",
     N_("the file does not match the keys in this phone")},
    {0x8000, 0xA005, MK_FAULT_AUTH_WRONG, 6028, "S_SECURITY_SEND_CERT_FAIL",
     N_("the phone does not accept the certificate or file")},
    {0xFFFD, 0xFFFF, MK_FAULT_RANGE, 2016, "S_BROM_CMD_READ32_REG_FAIL", N_("address or count is not acceptable")},
};

void mk_boot_status_fault(GError **error, uint16_t status, const char *name)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(status_words); i++) {
        const StatusWords *words = &status_words[i];
        if (status < words->first || status > words->last)
            continue;
        mk_fault_set_number(error, words->fault, words->number ? words->number : status, words->symbol,
                            _("%s was refused: %s (status %04X)."), name, _(words->words), status);
        return;
    }
    mk_fault_set_number(error, MK_FAULT_PROTOCOL, status, NULL, _("%s was refused by the phone with status %04X."),
                        name, status);
}

bool mk_boot_status(MkLink *link, const char *name, uint16_t limit, GCancellable *cancel, GError **error)
{
    uint16_t status;
    if (!mk_boot_get16(link, &status, cancel, error)) {
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    if (status < limit)
        return true;
    mk_boot_status_fault(error, status, name);
    return false;
}
