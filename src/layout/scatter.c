/* Which generation of scatter is it? (spec scatter.md 1) */
#include "layout/scatter.h"

#include "core/i18n.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST (4u << 20)

bool mk_scatter_number(const char *text, uint64_t *value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    if (!(hex ? g_ascii_isxdigit(*digits) : g_ascii_isdigit(*digits)))
        return false;
    char *end;
    errno = 0;
    uint64_t number = g_ascii_strtoull(digits, &end, hex ? 16 : 10);
    while (g_ascii_isspace(*end))
        end++;
    if (errno || *end)
        return false;
    *value = number;
    return true;
}

bool mk_scatter_is_from_end(uint64_t address)
{
    return (address >= MK_FROM_END_MASK && address <= UINT32_MAX) || address >= UINT64_C(0xFFFF000000000000);
}

bool mk_scatter_is_blank_line(const char *line)
{
    while (g_ascii_isspace(*line))
        line++;
    return !*line || *line == '#';
}

bool mk_operation_from_name(const char *name, MkOperation *operation)
{
    if (!g_ascii_strcasecmp(name, "KEEPVISIBLE")) {
        *operation = MK_OP_UPDATE;
        return true;
    }
    if (!g_ascii_strcasecmp(name, "BOOTLOADER")) {
        *operation = MK_OP_BOOTLOADERS;
        return true;
    }
    for (int i = 0; i <= MK_OP_LOGIC; i++)
        if (!g_ascii_strcasecmp(name, mk_operation_name((MkOperation)i))) {
            *operation = (MkOperation)i;
            return true;
        }
    return false;
}

bool mk_type_from_name(const char *name, MkImageType *type)
{
    static const MkImageType types[] = {MK_TYPE_NORMAL_ROM, MK_TYPE_SV5_BL_BIN, MK_TYPE_YAFFS_IMG, MK_TYPE_MBR_BIN,
                                        MK_TYPE_UBI_IMG,    MK_TYPE_EXT4_IMG,   MK_TYPE_FAT_IMG,   MK_TYPE_F2FS_IMG,
                                        MK_TYPE_FTL20_IMG,  MK_TYPE_UNKNOWN};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
        if (!g_ascii_strcasecmp(name, mk_type_name(types[i]))) {
            *type = types[i];
            return true;
        }
    return false;
}

bool mk_storage_from_name(const char *name, MkStorage *storage)
{
    static const char prefix[] = "HW_STORAGE_";
    if (!g_ascii_strncasecmp(name, prefix, sizeof prefix - 1))
        name += sizeof prefix - 1;
    for (int i = MK_STORAGE_NOR; i <= MK_STORAGE_UFS; i++)
        if (!g_ascii_strcasecmp(name, mk_storage_name((MkStorage)i))) {
            *storage = (MkStorage)i;
            return true;
        }
    return false;
}

/* Lines of exactly two fields, or no braces and a pgpt: what update packages carry (spec scatter.md 1). */
static bool looks_like_ota(const char *text)
{
    if (strchr(text, '{'))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned pairs = 0;
    for (char **line = lines; *line; line++) {
        if (mk_scatter_is_blank_line(*line))
            continue;
        g_auto(GStrv) fields = g_strsplit_set(g_strstrip(*line), " \t", 2);
        uint64_t address;
        if (!fields[1] || !mk_scatter_number(g_strstrip(fields[1]), &address))
            return false;
        pairs++;
    }
    return pairs > 0;
}

static const char *what_else(const char *text)
{
    const char *at = text + strspn(text, " \t\r\n");
    if (!g_ascii_strncasecmp(at, "<!doctype html", 14) || !g_ascii_strncasecmp(at, "<html", 5))
        return _("it is a web page: the download site saved an error page");
    if (!strncmp(text, "PK\3\4", 4) || !strncmp(text, "Rar!", 4) || !strncmp(text, "7z\xBC\xAF", 4))
        return _("it is an archive: unpack it first");
    if (!strncmp(text, "MTK_DOWNLOAD_AGENT", 18))
        return _("it is a Download Agent file");
    if (!strncmp(text, "ANDROID!", 8))
        return _("it is a boot image");
    return NULL;
}

static MkLayout *far_too_large(const char *name, GError **error)
{
    mk_fault_set_number(error, MK_FAULT_SCATTER, 5011, "S_DL_SCAT_INCORRECT_FORMAT",
                        _("%s is far too large for a scatter file."), name);
    return NULL;
}

static void note_fixable(GPtrArray *findings, const char *id, const char *message)
{
    MkFinding *finding = mk_finding_add(findings, MK_SEVERITY_NOTE, id, 1, "%s", message);
    if (finding)
        finding->fixable = true;
}

/* Plain UTF-8 with LF. Editors of Windows add a byte-order mark, write UTF-16 ("Unicode"), or end lines otherwise. Caller frees. */
static char *plain_text(const char *text, size_t *length, GPtrArray *findings)
{
    bool little = *length >= 2 && !memcmp(text, "\xFF\xFE", 2), big = *length >= 2 && !memcmp(text, "\xFE\xFF", 2);
    char *copy = NULL;
    if (little || big) {
        gsize written = 0;
        copy =
            g_convert(text + 2, (gssize)*length - 2, "UTF-8", little ? "UTF-16LE" : "UTF-16BE", NULL, &written, NULL);
        if (copy) {
            *length = written;
            note_fixable(findings, "scatter.utf16", _("The file is UTF-16 text; SP Flash Tool reads plain text only."));
        }
    } else if (*length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
        note_fixable(findings, "scatter.bom", _("The file begins with a byte-order mark."));
        text += 3;
        *length -= 3;
    }
    if (!copy)
        copy = g_strndup(text, *length);
    /* A CR that no LF follows ends a line, too. */
    for (char *cr = copy; (cr = strchr(cr, '\r')); cr++)
        if (cr[1] != '\n')
            *cr = '\n';
    return copy;
}

MkLayout *mk_scatter_parse(const char *text, size_t length, const char *file_name, bool strict, GPtrArray *findings,
                           GError **error)
{
    const char *name = file_name ? file_name : _("The scatter file");
    if (length > LARGEST)
        return far_too_large(name, error);
    g_autofree char *copy = plain_text(text, &length, findings);
    const char *other = what_else(copy);
    if (other) {
        mk_fault_set_number(error, MK_FAULT_SCATTER, 5011, "S_DL_SCAT_INCORRECT_FORMAT",
                            _("%s is no scatter file: %s."), name, other);
        return NULL;
    }
    if (strlen(copy) < length) {
        mk_fault_set_number(error, MK_FAULT_SCATTER, 5011, "S_DL_SCAT_INCORRECT_FORMAT",
                            _("%s is no text: it holds zero bytes."), name);
        return NULL;
    }
    if (copy[strspn(copy, " \t\r\n")] == '<')
        return mk_scatter_parse_xml(copy, length, name, strict, findings, error);
    if (strstr(copy, "MTK_PLATFORM_CFG"))
        return mk_scatter_parse_v1(copy, strict, findings, error);
    if (looks_like_ota(copy)) {
        mk_fault_set_number(error, MK_FAULT_SCATTER, 5011, "S_DL_SCAT_INCORRECT_FORMAT",
                            _("%s is the scatter.txt of an Android update package, which knows no sizes and no files; "
                              "flashing needs the scatter of a full ROM."),
                            name);
        return NULL;
    }
    return mk_scatter_parse_v0(copy, file_name, findings, error);
}

MkLayout *mk_scatter_load(const char *path, bool strict, GPtrArray *findings, GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) local = NULL;
    g_autofree char *name = g_path_get_basename(path);
    GStatBuf state;
    if (g_stat(path, &state) == 0 && S_ISREG(state.st_mode) && state.st_size > LARGEST)
        return far_too_large(name, error);
    if (!g_file_get_contents(path, &text, &length, &local)) {
        mk_fault_set_number(error, MK_FAULT_SCATTER, 5044, "S_DL_SCAT_OPEN_FAIL",
                            _("The scatter file cannot be read: %s."), local->message);
        return NULL;
    }
    return mk_scatter_parse(text, length, name, strict, findings, error);
}
