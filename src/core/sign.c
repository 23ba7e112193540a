#include "core/sign.h"

#include "core/fault.h"
#include "core/i18n.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define LARGEST 0x800 /* bytes of a signature */

GBytes *mk_sign_load_file(const char *path, GError **error)
{
    g_autoptr(GError) local = NULL;
    char *data;
    size_t length;
    if (!g_file_get_contents(path, &data, &length, &local)) {
        mk_fault_set(error, MK_FAULT_FILE, "%s", local->message);
        return NULL;
    }
    if (length > 0 && length <= (1u << 20))
        return g_bytes_new_take(data, length);
    g_free(data);
    mk_fault_set(error, MK_FAULT_FILE,
                 _("%s cannot be a certificate, auth file or key: it is %" G_GSIZE_FORMAT " bytes."), path, length);
    return NULL;
}

static GBytes *sign_with_key(const char *path, GBytes *challenge, GError **error)
{
    g_autoptr(GBytes) pem = mk_sign_load_file(path, error);
    if (!pem)
        return NULL;
    BIO *bio = BIO_new_mem_buf(g_bytes_get_data(pem, NULL), (int)g_bytes_get_size(pem));
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *context = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    uint8_t answer[LARGEST];
    size_t length = sizeof answer;
    /* The challenge itself is signed (PKCS #1 block type 1), not a digest of it. */
    bool good =
        context && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_sign_init(context) > 0 &&
        EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0 &&
        EVP_PKEY_sign(context, answer, &length, g_bytes_get_data(challenge, NULL), g_bytes_get_size(challenge)) > 0;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    if (good)
        return g_bytes_new(answer, length);
    mk_fault_set_number(error, MK_FAULT_AUTH_WRONG, 6000, "S_SECURITY_CALLBACK_SLA_CHALLENGE_FAIL",
                        _("The challenge could not be signed with %s; it must be an RSA private key in PEM form, large "
                          "enough for the challenge."),
                        path);
    return NULL;
}

static GBytes *sign_with_command(const char *command, GBytes *challenge, GCancellable *cancel, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_auto(GStrv) argv = NULL;
    g_autoptr(GBytes) answer = NULL;
    g_autoptr(GSubprocess) process = NULL;
    if (g_shell_parse_argv(command, NULL, &argv, &local))
        process = g_subprocess_newv((const char *const *)argv,
                                    G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &local);
    if (process && g_subprocess_communicate(process, challenge, cancel, &answer, NULL, &local) &&
        g_subprocess_get_successful(process) && g_bytes_get_size(answer) > 0 && g_bytes_get_size(answer) <= LARGEST)
        return g_steal_pointer(&answer);
    if (g_cancellable_is_cancelled(cancel)) {
        if (process)
            g_subprocess_force_exit(process);
        mk_fault_set(error, MK_FAULT_STOPPED, _("Stopped while the signing program was running."));
    } else {
        mk_fault_set_number(error, MK_FAULT_AUTH_WRONG, 6000, "S_SECURITY_CALLBACK_SLA_CHALLENGE_FAIL",
                            _("The signing program \"%s\" gave no usable answer%s%s."), command, local ? ": " : "",
                            local ? local->message : "");
    }
    return NULL;
}

GBytes *mk_sign(const MkSigner *signer, GBytes *challenge, GCancellable *cancel, GError **error)
{
    return signer->key_path ? sign_with_key(signer->key_path, challenge, error)
                            : sign_with_command(signer->command, challenge, cancel, error);
}
