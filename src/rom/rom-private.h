/* Internal to the room. */
#pragma once

#include "rom/rom.h"

void mk_rom_claims_clear(MkRomClaims *claims);
/* What scatter, preloader and build.prop say the ROM is for. */
void mk_rom_read_claims(MkRom *rom);
