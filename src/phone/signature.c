#include "phone/signature.h"

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

static EVP_PKEY *load(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    EVP_PKEY *key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    fclose(file);
    return key;
}

static bool bare(EVP_PKEY *key, const GByteArray *text, const uint8_t *signature, size_t length)
{
    uint8_t found[1024];
    size_t n = sizeof found;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool good = context && (size_t)EVP_PKEY_get_size(key) <= sizeof found &&
                EVP_PKEY_verify_recover_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                EVP_PKEY_verify_recover(context, found, &n, signature, length) == 1 && n == text->len &&
                memcmp(found, text->data, n) == 0;
    EVP_PKEY_CTX_free(context);
    return good;
}

static bool hashed(EVP_PKEY *key, const EVP_MD *kind, const GByteArray *text, const uint8_t *signature, size_t length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = EVP_DigestVerifyInit(context, NULL, kind, NULL, key) == 1 &&
                EVP_DigestVerify(context, signature, length, text->data, text->len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

bool mk_signature_matches(const char *key_path, const uint8_t *id, size_t id_length, const uint8_t *challenge,
                          size_t challenge_length, const uint8_t *signature, size_t signature_length)
{
    EVP_PKEY *key = load(key_path);
    bool good = false;
    for (unsigned with_id = 0; key && !good && with_id < 2; with_id++) {
        g_autoptr(GByteArray) text = g_byte_array_new();
        g_byte_array_append(text, id, with_id ? (guint)id_length : 0);
        g_byte_array_append(text, challenge, (guint)challenge_length);
        good = bare(key, text, signature, signature_length) ||
               hashed(key, EVP_sha256(), text, signature, signature_length) ||
               hashed(key, EVP_sha1(), text, signature, signature_length);
    }
    EVP_PKEY_free(key);
    return good;
}
