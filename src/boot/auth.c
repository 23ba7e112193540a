/* Owner-supplied authentication on BootROM: certificate, auth file, and the serial link challenge (spec brom.md 6.9).  Medik brings no key
 * of its own and goes around nothing. */
#include "boot/command.h"

#include "core/i18n.h"
#include "core/sign.h"

#define MAX_CHALLENGE 0x800

/* E0 and E2 differ in their number only. */
static bool send_file(MkLink *link, uint8_t command, const char *name, const char *path, GCancellable *cancel,
                      GError **error)
{
    uint16_t status;
    g_autoptr(GBytes) file = mk_sign_load_file(path, error);
    if (!file || !mk_boot_command(link, command, name, cancel, error) ||
        !mk_boot_send32(link, (uint32_t)g_bytes_get_size(file), name, cancel, error) ||
        !mk_boot_get16(link, &status, cancel, error))
        return false;
    if (status == MK_BROM_STATUS_NO_AUTH_NEEDED)
        return true;
    if (status != MK_BROM_STATUS_OK) {
        mk_boot_status_fault(error, status, name);
        return false;
    }
    if (!mk_boot_send_bytes(link, file, cancel, error) || !mk_boot_check_sum(link, file, name, cancel, error) ||
        !mk_boot_get16(link, &status, cancel, error))
        return false;
    if (status == MK_BROM_STATUS_OK || status == MK_BROM_STATUS_NO_AUTH_NEEDED)
        return true;
    mk_boot_status_fault(error, status, name);
    return false;
}

/* --- the challenge ------------------------------------------------------------------------------------------------------- */

static GBytes *swap_pairs(GBytes *bytes)
{
    size_t length;
    const uint8_t *data = g_bytes_get_data(bytes, &length);
    uint8_t *swapped = g_memdup2(data, length);
    for (size_t i = 0; i + 1 < length; i += 2) {
        swapped[i] = data[i + 1];
        swapped[i + 1] = data[i];
    }
    return g_bytes_new_take(swapped, length);
}

static bool needs_no_answer(GBytes *challenge)
{
    size_t length;
    const uint8_t *data = g_bytes_get_data(challenge, &length);
    for (size_t i = 0; i < length; i++) {
        if (data[i])
            return false;
    }
    return true;
}

/* What is signed: the challenge with its byte pairs swapped; chips of the XML generation want their SOC_ID before it. */
static GBytes *to_be_signed(const MkTarget *target, GBytes *challenge)
{
    g_autoptr(GBytes) swapped = swap_pairs(challenge);
    if (!target->soc_id || !target->soc || target->soc->da_family != MK_DA_XML)
        return g_steal_pointer(&swapped);
    GByteArray *both = g_byte_array_new();
    g_byte_array_append(both, g_bytes_get_data(target->soc_id, NULL), (guint)g_bytes_get_size(target->soc_id));
    g_byte_array_append(both, g_bytes_get_data(swapped, NULL), (guint)g_bytes_get_size(swapped));
    return g_byte_array_free_to_bytes(both);
}

static bool answer_challenge(MkLink *link, const MkTarget *target, const MkBootOptions *options, GCancellable *cancel,
                             GError **error)
{
    const char *name = "SLA";
    uint16_t status;
    if (!mk_boot_command(link, MK_BROM_SLA, name, cancel, error) || !mk_boot_get16(link, &status, cancel, error))
        return false;
    if (status == MK_BROM_STATUS_SLA_ALREADY)
        return true;
    if (status != MK_BROM_STATUS_OK) {
        mk_boot_status_fault(error, status, name);
        return false;
    }
    uint32_t length;
    g_autoptr(GBytes) challenge = mk_boot_get32(link, &length, cancel, error)
                                      ? mk_boot_get_bytes(link, length, MAX_CHALLENGE, name, cancel, error)
                                      : NULL;
    if (!challenge)
        return false;
    if (g_bytes_get_size(challenge) == 0 || g_bytes_get_size(challenge) % 2) {
        mk_fault_set(error, MK_FAULT_PROTOCOL, _("SLA: the phone's challenge has an odd length."));
        return false;
    }
    if (needs_no_answer(challenge))
        return true;
    g_autoptr(GBytes) message = to_be_signed(target, challenge);
    MkSigner signer = {.key_path = options->key_path, .command = options->sign_command};
    g_autoptr(GBytes) signature = mk_sign(&signer, message, cancel, error);
    if (!signature)
        return false;
    g_autoptr(GBytes) response = swap_pairs(signature);
    return mk_boot_send32(link, (uint32_t)g_bytes_get_size(response), name, cancel, error) &&
           mk_boot_status(link, name, 1, cancel, error) && mk_boot_send_bytes(link, response, cancel, error) &&
           mk_boot_status(link, name, 1, cancel, error);
}

static bool refresh_config(MkLink *link, MkTarget *target, GCancellable *cancel, GError **error)
{
    return mk_boot_command(link, MK_BROM_GET_TARGET_CONFIG, "GET_TARGET_CONFIG", cancel, error) &&
           mk_boot_get32(link, &target->target_config, cancel, error) &&
           mk_boot_status(link, "GET_TARGET_CONFIG", 0x100, cancel, error);
}

static bool needed(GError **error, const char *what, uint32_t config)
{
    g_autofree char *words = mk_target_config_words(config);
    mk_fault_set_number(error, MK_FAULT_AUTH_NEEDED, 5000, "S_AUTH_HANDLE_IS_NOT_READY",
                        _("This phone asks for %s (%s)."), what, words);
    return false;
}

bool mk_boot_authenticate(MkLink *link, MkTarget *target, const MkBootOptions *options, GCancellable *cancel,
                          GError **error)
{
    if (target->stage != MK_STAGE_BOOTROM)
        return true; /* a preloader implements none of this, whatever its configuration says */
    if (options->cert_path && (!send_file(link, MK_BROM_SEND_CERT, "SEND_CERT", options->cert_path, cancel, error) ||
                               !refresh_config(link, target, cancel, error)))
        return false;
    if (!(target->target_config & (MK_CONFIG_SLA | MK_CONFIG_DAA)))
        return true;
    if (!options->auth_path)
        return needed(error, _("the maker's auth file (--auth)"), target->target_config);
    if (!send_file(link, MK_BROM_SEND_AUTH, "SEND_AUTH", options->auth_path, cancel, error) ||
        !refresh_config(link, target, cancel, error))
        return false;
    if (!(target->target_config & MK_CONFIG_SLA))
        return true;
    if (!options->key_path && !options->sign_command)
        return needed(error, _("the owner's signing key (--key or --sign-command)"), target->target_config);
    return answer_challenge(link, target, options, cancel, error);
}
