/* Is an answer to the serial link challenge signed with the key of this phone's owner? (spec brom.md 6.9) */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* KEY_PATH: the RSA public key (PEM). The specification does not fix the form of the signature: PKCS#1 v1.5 of the bare bytes, of their
 * SHA-256 or SHA-1, each of the challenge alone or behind the id of the chip, are taken. */
bool mk_signature_matches(const char *key_path, const uint8_t *id, size_t id_length, const uint8_t *challenge,
                          size_t challenge_length, const uint8_t *signature, size_t signature_length);
