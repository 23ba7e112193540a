/* What an identity set is worth, and which one is put back when the user names none (spec behaviour.md 4.11). */
#include "flash/backup.h"

#include "core/i18n.h"
#include "image/image.h"

#include <string.h>

static MkIdentityWorth judge_nvram(const MkIdentityFile *file)
{
    MkNvramReport report;
    g_autoptr(MkStore) store = mk_store_file_open(file->path, false, NULL);
    if (!store || !mk_nvram_report(store, &report, NULL))
        return MK_IDENTITY_UNSURE;
    /* A phone that starts with a blank NVRAM makes a whole one, without IMEI. */
    MkIdentityWorth worth = report.blank                                   ? MK_IDENTITY_BLANK
                            : report.checksum_ok && report.imei_present[0] ? MK_IDENTITY_GOOD
                                                                           : MK_IDENTITY_UNSURE;
    mk_nvram_report_clear(&report);
    return worth;
}

MkIdentityWorth mk_identity_worth(const MkIdentitySet *set)
{
    MkIdentityWorth best = MK_IDENTITY_NONE;
    for (guint i = 0; i < set->files->len; i++) {
        const MkIdentityFile *file = set->files->pdata[i];
        if (!file->sha256 || strcmp(file->name, "nvram"))
            continue;
        MkIdentityWorth worth = judge_nvram(file);
        if (!file->candidate)
            return worth; /* what the table names is what is put back */
        best = MAX(best, worth);
    }
    return best;
}

const char *mk_identity_worth_words(MkIdentityWorth worth)
{
    switch (worth) {
    case MK_IDENTITY_GOOD: return _("good: NVRAM with an IMEI record");
    case MK_IDENTITY_UNSURE: return _("not proven: its NVRAM has content, but no IMEI record that Medik can confirm");
    case MK_IDENTITY_BLANK: return _("blank: there is nothing in its NVRAM");
    case MK_IDENTITY_NONE: break;
    }
    return _("without NVRAM");
}

const char *mk_identity_worth_id(MkIdentityWorth worth)
{
    static const char *const ids[] = {"none", "blank", "unsure", "good"};
    return ids[worth];
}

MkIdentitySet *mk_identity_newest_good(const char *home)
{
    g_autoptr(GPtrArray) sets = mk_identity_list(home);
    for (guint i = 0; i < sets->len; i++) {
        const MkIdentitySet *set = sets->pdata[i];
        if (mk_identity_worth(set) == MK_IDENTITY_GOOD)
            return mk_identity_load(set->folder, NULL);
    }
    return NULL;
}

MkIdentitySet *mk_identity_choose(MkSession *session, GError **error)
{
    g_autoptr(MkIdentitySet) good = mk_identity_newest_good(session->home);
    if (good)
        return g_steal_pointer(&good);
    g_autoptr(GPtrArray) sets = mk_identity_list(session->home);
    if (!sets->len) {
        mk_fault_set(error, MK_FAULT_ID_NONE, _("No identity set of phone %s is kept in %s."), session->short_id,
                     session->home);
        return NULL;
    }
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < sets->len; i++) {
        const MkIdentitySet *set = sets->pdata[i];
        g_string_append_printf(list, "\n  %s: %s", set->folder, mk_identity_worth_words(mk_identity_worth(set)));
    }
    mk_fault_set(error, MK_FAULT_ID_BLANK,
                 _("No identity set of phone %s is known to be good; name the one that is to be put back "
                   "(identity restore FOLDER):%s"),
                 session->short_id, list->str);
    return NULL;
}
