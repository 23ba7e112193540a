#include "flash/evidence.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "image/image.h"

#include <string.h>

#define HEAD          4096u
#define EXT4_MAGIC_AT 0x438u

static MkEvidence say(char **words, MkEvidence evidence, const char *text)
{
    if (words)
        *words = g_strdup(text);
    return evidence;
}

static bool look_at_nvram(MkStore *place, MkEvidence *evidence, char **words, GError **error)
{
    MkNvramReport report;
    if (!mk_nvram_report(place, &report, error))
        return false;
    if (report.blank)
        *evidence = say(words, MK_EVIDENCE_BLANK, _("blank"));
    else if (!report.known_format)
        *evidence = say(words, MK_EVIDENCE_SOME, _("content of an unknown form"));
    else if (!report.checksum_ok)
        *evidence = say(words, MK_EVIDENCE_FORM, _("NVRAM with a wrong checksum"));
    else {
        g_autofree char *text = g_strdup_printf(_("good NVRAM, IMEI record %s, %u calibration files"),
                                                report.imei_words, report.calibration);
        *evidence = say(words, MK_EVIDENCE_PROVEN, text);
    }
    mk_nvram_report_clear(&report);
    return true;
}

static MkEvidence look_at_head(const char *name, const uint8_t *head, size_t length, char **words)
{
    if (mk_is_blank(head, length))
        return say(words, MK_EVIDENCE_BLANK, _("blank at its beginning"));
    if (length > EXT4_MAGIC_AT + 2 && mk_le16(head + EXT4_MAGIC_AT) == 0xEF53)
        return say(words, MK_EVIDENCE_FORM, _("an ext4 file system"));
    if (!strcmp(name, "seccfg") && length >= 12 && !memcmp(head, "AND_SECCFG_v", 12))
        return say(words, MK_EVIDENCE_FORM, _("a security configuration"));
    return say(words, MK_EVIDENCE_SOME, _("content"));
}

bool mk_evidence_look(const char *name, MkStore *store, uint64_t offset, uint64_t size, MkEvidence *evidence,
                      char **words, GError **error)
{
    *evidence = MK_EVIDENCE_BLANK;
    if (words)
        *words = NULL;
    if (!size || offset > store->size || size > store->size - offset) {
        *evidence = say(words, MK_EVIDENCE_BLANK, _("outside the storage"));
        return true;
    }
    if (!strcmp(name, "nvram")) {
        g_autoptr(MkStore) place = mk_store_slice_new(store, offset, size, name, error);
        return place && look_at_nvram(place, evidence, words, error);
    }
    uint8_t head[HEAD];
    size_t length = MIN(size, HEAD);
    if (!mk_store_read(store, offset, head, length, NULL, error))
        return false;
    *evidence = look_at_head(name, head, length, words);
    return true;
}
