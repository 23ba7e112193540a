/* DA SLA (spec da-xflash.md 17): agents since 2025 answer little until the owner has signed their challenge. Medik brings no key of its own. */
#include "agent/xflash.h"

#include "core/i18n.h"

#include <string.h>

#define FIRMWARE_INFO_MOST 0x1000
#define CHALLENGE_AT       4
#define CHALLENGE_SIZE     16
#define FAILURE_TEXT       "GET_DEV_FW_INFO FAIL" /* instead of the block (spec 6.1) */

static bool is_demanded(MkXFlash *xflash, bool *demanded, GError **error)
{
    uint8_t bytes[4];
    size_t length;
    if (!xflash_ask(xflash, MK_XFLASH_SLA_ENABLED_STATUS, "SLA_ENABLED_STATUS", bytes, sizeof bytes, &length, NULL,
                    error))
        return false;
    *demanded = length == sizeof bytes && mk_le32(bytes) == 1;
    return true;
}

static GBytes *get_challenge(MkXFlash *xflash, GError **error)
{
    g_autofree uint8_t *info = g_malloc(FIRMWARE_INFO_MOST);
    size_t length;
    XFlashControl control = {MK_XFLASH_GET_DEV_FW_INFO, "GET_DEV_FW_INFO", MK_FAULT_AUTH_WRONG, NULL, 0, info,
                             FIRMWARE_INFO_MOST};
    if (!xflash_control(xflash, &control, &length, error))
        return NULL;
    if (length >= CHALLENGE_AT + CHALLENGE_SIZE && memcmp(info, FAILURE_TEXT, strlen(FAILURE_TEXT)) != 0)
        return g_bytes_new(info + CHALLENGE_AT, CHALLENGE_SIZE);
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("The agent demands a signature and gives no challenge to sign."));
    return NULL;
}

bool xflash_authenticate(MkXFlash *xflash, const MkSigner *signer, GError **error)
{
    bool demanded;
    if (!is_demanded(xflash, &demanded, error))
        return false;
    if (!demanded)
        return true;
    xflash->base.info.security = g_strdup("DA SLA");
    if (!signer->key_path && !signer->command) {
        mk_fault_set(error, MK_FAULT_AUTH_NEEDED,
                     _("This phone's agent demands the owner's signature (DA SLA): give --key or --sign-command."));
        return false;
    }
    g_autoptr(GBytes) challenge = get_challenge(xflash, error);
    g_autoptr(GBytes) answer = challenge ? mk_sign(signer, challenge, xflash->frames.cancel, error) : NULL;
    if (!answer)
        return false;
    XFlashControl control = {MK_XFLASH_SET_REMOTE_SEC_POLICY,
                             "SET_REMOTE_SEC_POLICY",
                             MK_FAULT_AUTH_WRONG,
                             g_bytes_get_data(answer, NULL),
                             g_bytes_get_size(answer),
                             NULL,
                             0};
    g_autoptr(GError) problem = NULL;
    if (xflash_control(xflash, &control, NULL, &problem))
        return true;
    if (xflash->base.lost)
        g_propagate_error(error, g_steal_pointer(&problem));
    else
        mk_fault_set_number(error, MK_FAULT_AUTH_WRONG, mk_fault_number(problem), mk_fault_symbol(problem),
                            _("The agent did not accept the signature of its challenge (0x%08X)."),
                            mk_fault_number(problem));
    return false;
}
