/* Signing a phone's challenge with what the owner supplies: an RSA key, or a program that asks a signing service. Medik brings no key of its
 * own and goes around nothing. */
#pragma once

#include <gio/gio.h>

/* Who signs; both may be NULL (then nobody can). The strings are borrowed. */
typedef struct {
    const char *key_path; /* RSA private key in PEM form */
    const char *command;  /* gets the challenge on its standard input, gives the signature on its standard output */
} MkSigner;

/* A file of at most 1 MiB that is no certificate, auth file or key if it is empty or larger. Fault FILE. */
GBytes *mk_sign_load_file(const char *path, GError **error);
/* The signature of CHALLENGE itself (PKCS #1 block type 1, no digest), by the key if there is one, else by the command. Faults AUTH_WRONG, FILE,
 * STOPPED. */
GBytes *mk_sign(const MkSigner *signer, GBytes *challenge, GCancellable *cancel, GError **error);
