#include "flash/diagnosis.h"

#include "core/i18n.h"
#include "flash/backup.h"

#include <string.h>

#define LOOK          (UINT64_C(64) << 10)
#define VBMETA_MAX    (UINT64_C(1) << 20)
#define SEALS_SECONDS 10 /* at most, for reading what vbmeta seals */
#define WRITE_IT_BACK                                                                                                  \
    N_("Write the ROM of exactly this model (medik flash ROM), or this one image (medik write NAME FILE).")

typedef struct {
    MkSession *session;
    const MkLook *looks;
    GPtrArray *findings;
} Diagnosis;

G_GNUC_PRINTF(6, 7)
static void find(Diagnosis *diagnosis, MkSeverity severity, const char *id, const char *partition, const char *advice,
                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    mk_finding_set(mk_finding_add(diagnosis->findings, severity, id, 0, "%s", text), partition, NULL, advice);
}

static MkStore *open_partition(MkSession *session, const MkPartition *partition)
{
    MkStore *store = mk_session_partition_store(session, partition, NULL);
    return store ? mk_store_slice_new(store, partition->start, partition->size, partition->name, NULL) : NULL;
}

/* --- tables --------------------------------------------------------------------------------------------------------- */

static void add_copies(GString *text, const char *name, const MkTable *table)
{
    static const char *const words[] = {
        [MK_COPY_ABSENT] = N_("absent"), [MK_COPY_BAD] = N_("damaged"), [MK_COPY_GOOD] = N_("good")};
    if (table)
        g_string_append_printf(text, _("%s%s: first copy %s, second copy %s"), text->len ? "; " : "", name,
                               _(words[table->primary]), _(words[table->secondary]));
}

/* Blank edges prove nothing: the data of a phone whose table was erased is still there. So the cure never formats. */
static void judge_table(Diagnosis *diagnosis)
{
    MkSession *session = diagnosis->session;
    g_autoptr(GString) copies = g_string_new(NULL);
    if (session->layout)
        return;
    add_copies(copies, "GPT", session->gpt);
    add_copies(copies, "PMT", session->pmt);
    add_copies(copies, "MBR/EBR", session->mbr);
    if (!copies->len)
        g_string_append(copies, _("the agent found none"));
    find(diagnosis, MK_SEVERITY_DANGER, "E-TABLE-NONE", NULL,
         _("Do not format. Put the table back from the scatter file of this phone's ROM: medik table repair --from "
           "SCATTER; nothing else is touched. Then medik info tells what is in the partitions."),
         _("The phone's list of partitions is gone (%s). It cannot start, but its data may all be there."),
         copies->str);
}

/* --- preloader ------------------------------------------------------------------------------------------------------- */

static void judge_preloader(Diagnosis *diagnosis)
{
    MkSession *session = diagnosis->session;
    MkRegion region = mk_geometry_boot_region(&session->agent->info.geometry, 0);
    MkStore *boot = mk_geometry_region_size(&session->agent->info.geometry, region)
                        ? mk_session_store(session, region, NULL)
                        : NULL;
    g_autoptr(MkStore) place =
        boot ? mk_store_slice_new(boot, 0, MIN(boot->size, LOOK), mk_region_name(region), NULL) : NULL;
    MkContent content;
    if (session->agent->info.storage == MK_STORAGE_NAND || !place || !mk_identify(place, &content, NULL) ||
        content == MK_CONTENT_PRELOADER || content == MK_CONTENT_PRELOADER_BOOT_HEADER)
        return;
    find(diagnosis, MK_SEVERITY_DANGER, "B-PL-NONE", "preloader",
         _("Write the preloader of exactly this model: medik write preloader FILE, or the ROM with it: medik flash ROM "
           "--add preloader."),
         content == MK_CONTENT_BLANK
             ? _("There is no preloader: %s is blank. The phone starts nothing and shows only BootROM.")
             : _("There is no preloader at the beginning of %s. The phone starts nothing and shows only BootROM."),
         mk_region_name(region));
}

/* --- partitions ------------------------------------------------------------------------------------------------------ */

static bool needed_to_start(const char *base)
{
    static const char *const names[] = {"preloader", "lk",    "boot",   "init_boot",     "vendor_boot",   "system",
                                        "vendor",    "super", "vbmeta", "vbmeta_system", "vbmeta_vendor", NULL};
    return g_strv_contains(names, base);
}

static bool is_bad(const MkLook *look, const char *base)
{
    return look->known && (look->content == MK_CONTENT_BLANK || !mk_content_suits(base, look->content));
}

/* Slots: one that is whole starts the phone. */
static bool other_slot_good(const Diagnosis *diagnosis, const char *base, guint index)
{
    const MkLayout *layout = diagnosis->session->layout;
    for (guint i = 0; i < layout->partitions->len; i++) {
        g_autofree char *other = mk_partition_base(((const MkPartition *)layout->partitions->pdata[i])->name);
        if (i != index && !strcmp(other, base) && diagnosis->looks[i].known && !is_bad(&diagnosis->looks[i], base))
            return true;
    }
    return false;
}

static void judge_boot(Diagnosis *diagnosis, const MkPartition *partition, const char *base)
{
    g_autoptr(MkStore) place = open_partition(diagnosis->session, partition);
    guint before = diagnosis->findings->len;
    bool recovery = !strcmp(base, "recovery");
    if (!place || (!recovery && strcmp(base, "boot")))
        return;
    mk_check_boot_image(place, recovery, mk_soc_name(diagnosis->session->target->soc), partition->name,
                        diagnosis->findings);
    for (guint i = before; i < diagnosis->findings->len; i++)
        mk_finding_set(diagnosis->findings->pdata[i], partition->name, NULL, _(WRITE_IT_BACK));
}

static void judge_partition(Diagnosis *diagnosis, guint index)
{
    const MkPartition *partition = diagnosis->session->layout->partitions->pdata[index];
    const MkLook *look = &diagnosis->looks[index];
    g_autofree char *base = mk_partition_base(partition->name);
    /* Outside NAND the preloader is judged in its own region. */
    bool own = !strcmp(base, "preloader") && diagnosis->session->agent->info.storage != MK_STORAGE_NAND;
    bool needed = needed_to_start(base) && !own, recovery = !strcmp(base, "recovery");
    if (look->known && look->content == MK_CONTENT_BOOT)
        judge_boot(diagnosis, partition, base);
    if ((!needed && !recovery) || !is_bad(look, base))
        return;
    /* Slot b of a phone whose ROM was only ever written to slot a. */
    if (look->content == MK_CONTENT_BLANK && mk_layout_slot(diagnosis->session->layout, partition) == 'b' &&
        other_slot_good(diagnosis, base, index))
        return;
    bool spare = recovery || other_slot_good(diagnosis, base, index);
    MkSeverity severity = spare ? MK_SEVERITY_WARN : MK_SEVERITY_DANGER;
    const char *effect = recovery ? _("Recovery mode does not start.")
                         : spare  ? _("The phone starts from its other slot only.")
                                  : _("The phone does not start without it.");
    if (look->content == MK_CONTENT_BLANK)
        find(diagnosis, severity, "F-BLANK", partition->name, _(WRITE_IT_BACK), _("%s is blank. %s"), partition->name,
             effect);
    else
        find(diagnosis, severity, "F-KIND", partition->name, _(WRITE_IT_BACK),
             _("%s holds %s, which does not belong there. %s"), partition->name,
             look->content == MK_CONTENT_UNKNOWN ? _("unknown data") : mk_content_words(look->content), effect);
}

/* --- seals ----------------------------------------------------------------------------------------------------------- */

/* NAME in the slot of OF. */
static const MkPartition *beside(const MkLayout *layout, const char *name, const MkPartition *of)
{
    char slot = mk_layout_slot(layout, of);
    g_autofree char *slotted = slot ? g_strdup_printf("%s_%c", name, slot) : NULL;
    const MkPartition *partition = slotted ? mk_layout_find(layout, slotted) : NULL;
    return partition ? partition : mk_layout_find(layout, name);
}

static void judge_seal(Diagnosis *diagnosis, const MkPartition *vbmeta, const MkAvbSeal *seal)
{
    const MkPartition *partition = beside(diagnosis->session->layout, seal->partition, vbmeta);
    g_autoptr(MkStore) place = partition ? open_partition(diagnosis->session, partition) : NULL;
    g_autoptr(MkImage) image = place ? mk_image_raw_new(place, NULL) : NULL;
    bool agrees;
    if (image && mk_avb_seal_agrees(seal, image, &agrees, NULL) && !agrees)
        find(diagnosis, MK_SEVERITY_DANGER, "K-VERITY", partition->name, _(WRITE_IT_BACK),
             _("A locked phone will refuse this %s (verified boot): %s was made for another one."), partition->name,
             vbmeta->name);
}

static bool judge_vbmeta(Diagnosis *diagnosis, const MkPartition *vbmeta, GError **error)
{
    g_autoptr(MkStore) place = open_partition(diagnosis->session, vbmeta);
    g_autoptr(MkStore) begin =
        place ? mk_store_slice_new(place, 0, MIN(place->size, VBMETA_MAX), vbmeta->name, NULL) : NULL;
    g_autoptr(MkImage) image = begin ? mk_image_raw_new(begin, NULL) : NULL;
    gint64 before = g_get_monotonic_time();
    g_autoptr(MkAvb) avb = image ? mk_avb_load(image, NULL) : NULL;
    gint64 took = MAX(g_get_monotonic_time() - before, 1);
    if (image && !avb && !diagnosis->session->agent->lost)
        find(diagnosis, MK_SEVERITY_DANGER, "K-VERITY", vbmeta->name, _(WRITE_IT_BACK),
             _("%s is damaged: a locked phone does not start with it."), vbmeta->name);
    if (!avb || avb->flags & MK_AVB_VERIFICATION_OFF)
        return true;
    /* As many bytes as can be read in time, as fast as vbmeta itself was: a UART reads no boot image for this. */
    uint64_t budget = begin->size * SEALS_SECONDS * G_USEC_PER_SEC / (uint64_t)took;
    for (guint i = 0; i < avb->seals->len; i++) {
        if (g_cancellable_set_error_if_cancelled(diagnosis->session->cancel, error))
            return false;
        const MkAvbSeal *seal = &g_array_index(avb->seals, MkAvbSeal, i);
        if (seal->size > budget)
            continue;
        budget -= seal->size;
        judge_seal(diagnosis, vbmeta, seal);
    }
    return true;
}

/* --- identity -------------------------------------------------------------------------------------------------------- */

static char *identity_advice(const MkSession *session)
{
    g_autoptr(GPtrArray) sets = mk_identity_list(session->home);
    if (!sets->len)
        return g_strdup(
            _("This computer has no saved identity of this phone. Do not format; look for an older backup of "
              "this phone. Another phone's identity does not help."));
    const MkIdentitySet *newest = sets->pdata[0];
    return g_strdup_printf(
        _("An identity of this phone was saved on %s: medik identity list shows what it holds, medik "
          "identity restore brings it back."),
        newest->date);
}

static void judge_nvram(Diagnosis *diagnosis, const MkPartition *partition)
{
    g_autoptr(MkStore) place = open_partition(diagnosis->session, partition);
    MkNvramReport report = {0};
    if (!place || !mk_nvram_report(place, &report, NULL))
        return;
    g_autofree char *advice = identity_advice(diagnosis->session);
    if (report.blank)
        find(diagnosis, MK_SEVERITY_DANGER, "E-ID-BLANK", partition->name, advice,
             _("%s is blank: IMEI and radio calibration are lost. The phone may start, but finds no network."),
             partition->name);
    else if (report.known_format && !report.checksum_ok)
        find(diagnosis, MK_SEVERITY_WARN, "E-ID-BLANK", partition->name, advice,
             _("%s is damaged (wrong checksum): IMEI and radio calibration may be lost."), partition->name);
    else if (report.known_format && !report.imei_present[0])
        find(diagnosis, MK_SEVERITY_WARN, "E-ID-BLANK", partition->name, advice,
             _("%s holds no IMEI (%s): the phone finds no network."), partition->name, report.imei_words);
    mk_nvram_report_clear(&report);
}

bool mk_diagnose(MkSession *session, const MkLook *looks, GPtrArray *findings, GError **error)
{
    Diagnosis diagnosis = {session, looks, findings};
    if (session->agent->info.storage == MK_STORAGE_UNKNOWN)
        return true;
    judge_table(&diagnosis);
    judge_preloader(&diagnosis);
    for (guint i = 0; session->layout && i < session->layout->partitions->len; i++) {
        const MkPartition *partition = session->layout->partitions->pdata[i];
        g_autofree char *name = mk_partition_canonical(partition->name), *base = mk_partition_base(name);
        judge_partition(&diagnosis, i);
        if (!strcmp(name, "nvram") && looks[i].known)
            judge_nvram(&diagnosis, partition);
        if (!strcmp(base, "vbmeta") && looks[i].known && looks[i].content == MK_CONTENT_AVB &&
            !judge_vbmeta(&diagnosis, partition, error))
            return false;
    }
    if (!session->agent->lost)
        return true;
    mk_fault_set(error, MK_FAULT_GONE, _("The phone was lost while it was looked at."));
    return false;
}
