/* Internal to the room. */
#pragma once

#include "rom/rom.h"

void mk_rom_claims_clear(MkRomClaims *claims);
/* What scatter, preloader and build.prop say the ROM is for. */
void mk_rom_read_claims(MkRom *rom);

/* flash.xml (spec scatter.md 4.4): is PATH called so; what it names, as full paths (*AGENT may be NULL). Nothing is opened. */
bool mk_flash_xml_is(const char *path);
bool mk_flash_xml_parse(const char *text, size_t length, const char *path, char **scatter, char **agent,
                        GError **error);
bool mk_flash_xml_load(const char *path, char **scatter, char **agent, GError **error);
