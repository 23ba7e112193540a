/* Which release a genuine legacy agent is of. It does not say so; its bytes do. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* "G0".."G4" by the newest date of compilation in a first stage for the chip CHIP (number in DA files), or by its length where that was
 * recorded; NULL: it cannot be told (spec da-legacy.md 0 and 13.3, da-file.md 9). */
const char *mk_agent_age(uint16_t chip, const void *data, size_t length);
