/* What is this ROM for? (spec checks.md 2) */
#include "rom/rom-private.h"

#include "core/i18n.h"

#include <string.h>

#define BUILD_PROP_LIMIT (1u << 20)

void mk_rom_claims_clear(MkRomClaims *claims)
{
    char **texts[] = {&claims->chip,           &claims->project, &claims->preloader_project,
                      &claims->preloader_chip, &claims->model,   &claims->brand,
                      &claims->device,         &claims->build,   &claims->fingerprint,
                      &claims->android,        &claims->platform};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_clear_pointer(texts[i], g_free);
}

static void take(char **claim, const char *value)
{
    if (!*claim && *value)
        *claim = g_strdup(value);
}

static void read_line(MkRomClaims *claims, char *line)
{
    char *equals = strchr(line, '=');
    if (!equals || *line == '#')
        return;
    *equals = '\0';
    const char *key = g_strstrip(line), *value = g_strstrip(equals + 1);
    const struct {
        const char *key;
        char **claim;
    } keys[] = {{"ro.product.model", &claims->model},           {"ro.product.brand", &claims->brand},
                {"ro.product.device", &claims->device},         {"ro.build.display.id", &claims->build},
                {"ro.build.fingerprint", &claims->fingerprint}, {"ro.build.version.release", &claims->android},
                {"ro.mediatek.platform", &claims->platform},    {"ro.vendor.mediatek.platform", &claims->platform}};
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (!strcmp(key, keys[i].key))
            take(keys[i].claim, value);
}

static void read_build_prop(MkRomClaims *claims, GBytes *bytes)
{
    gsize length;
    const char *data = g_bytes_get_data(bytes, &length);
    g_autofree char *text = g_utf8_make_valid(data ? data : "", (gssize)length);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        read_line(claims, *line);
}

static void read_system(MkRom *rom)
{
    static const char *const places[] = {"/build.prop", "/system/build.prop"};
    const MkRomItem *item = mk_rom_find(rom, "system");
    if (!item || !item->image || item->inner != MK_CONTENT_EXT4)
        return;
    g_autoptr(MkStore) store = mk_image_as_store(item->image);
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GBytes) bytes = mk_ext4_read_file(store, places[i], BUILD_PROP_LIMIT, NULL);
        if (bytes) {
            read_build_prop(&rom->claims, bytes);
            return;
        }
    }
}

static void read_preloader(MkRom *rom)
{
    const MkRomItem *item = mk_rom_find(rom, "preloader");
    bool loadable = item && item->path &&
                    (item->content == MK_CONTENT_PRELOADER || item->content == MK_CONTENT_PRELOADER_BOOT_HEADER ||
                     item->content == MK_CONTENT_EMI_BLOCK);
    g_autoptr(MkPreloader) preloader = loadable ? mk_preloader_load(item->path, NULL, NULL) : NULL;
    if (!preloader)
        return;
    rom->claims.preloader_project = g_strdup(preloader->project);
    rom->claims.preloader_chip = g_strdup(preloader->chip);
}

void mk_rom_read_claims(MkRom *rom)
{
    rom->claims.storage = rom->layout->storage;
    rom->claims.project = g_strdup(rom->layout->project);
    if (rom->layout->platform)
        rom->claims.chip = g_ascii_strup(rom->layout->platform, -1);
    read_preloader(rom);
    read_system(rom);
}
