#include "flash/run.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"
#include "flash/backup.h"
#include "flash/file-hash.h"
#include "flash/journal.h"
#include "flash/save-file.h"

#include <string.h>

#define CHUNK        (UINT64_C(16) << 20) /* a line in the journal after each */
#define ERASE_UNIT   (UINT64_C(16) << 20) /* zero runs are erased instead of sent from this alignment on */
#define PROBE        4096u
#define ERASE_PROBES UINT64_C(16)

typedef struct {
    MkSession *session;
    const MkPlan *plan;
    const MkRunOptions *options;
    MkRunResult *result;
    MkJournal *journal;
    MkProgress **progress; /* one per step */
    MkProgress **verify;   /* the same of what follows it, NULL where nothing does */
} Run;

void mk_run_result_clear(MkRunResult *result)
{
    g_free(result->identity_set);
    g_free(result->undo_folder);
    g_free(result->journal);
    *result = (MkRunResult){0};
}

bool mk_verify_from_name(const char *name, MkVerify *verify)
{
    static const char *const names[] = {"none", "quick", "full"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (!g_ascii_strcasecmp(name, names[i])) {
            *verify = (MkVerify)i;
            return true;
        }
    return false;
}

static bool writes(const MkStep *step)
{
    return step->kind != MK_STEP_SAVE;
}

/* --- sending one image --------------------------------------------------------------------------------------------- */

typedef struct {
    Run *run;
    unsigned index;
    MkImage *image;
    MkStore *store;
    uint64_t base;     /* of the image in the store */
    uint64_t position; /* in the image */
    uint64_t sent;     /* payload bytes of this step so far */
    uint64_t total;
    uint64_t noted;
} Sending;

static bool image_source(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Sending *sending = user_data;
    if (!mk_image_read(sending->image, sending->position, data, length, error))
        return false;
    sending->position += length;
    sending->sent += length;
    mk_progress_set(sending->run->progress[sending->index], sending->sent, sending->total);
    if (sending->sent - sending->noted < CHUNK)
        return true;
    sending->noted = sending->sent;
    return mk_journal_note_bytes(sending->run->journal, sending->index, sending->sent, error);
}

static bool send_range(Sending *sending, uint64_t at, uint64_t length, GError **error)
{
    sending->position = at;
    return !length || mk_store_write_stream(sending->store, sending->base + at, length, image_source, sending,
                                            sending->run->session->cancel, error);
}

/* Zero runs need no wire bytes if the storage reads as zero after an erase; only whole, aligned units are erased, so that a chip
 * that erases in bigger groups touches nothing else, and three places are read back. */
static bool erase_reads_zero(Sending *sending, uint64_t at, uint64_t length, bool *zero, GError **error)
{
    const uint64_t places[] = {0, length / 2 / PROBE * PROBE, length - PROBE};
    uint8_t probe[PROBE], value;
    *zero = true;
    for (gsize i = 0; i < G_N_ELEMENTS(places) && *zero; i++) {
        if (!mk_store_read(sending->store, sending->base + at + places[i], probe, PROBE, sending->run->session->cancel,
                           error))
            return false;
        *zero = mk_is_uniform(probe, PROBE, &value) && value == 0;
    }
    return true;
}

static bool send_zeros(Sending *sending, uint64_t at, uint64_t length, GError **error)
{
    uint64_t begin = sending->base + at;
    uint64_t first = mk_round_up(begin, ERASE_UNIT), end = (begin + length) / ERASE_UNIT * ERASE_UNIT;
    bool zero = false;
    if (sending->store->storage == MK_STORAGE_NAND || first + ERASE_UNIT > end)
        return send_range(sending, at, length, error);
    if (!mk_store_erase(sending->store, first, end - first, sending->run->session->cancel, error) ||
        !erase_reads_zero(sending, first - sending->base, end - first, &zero, error))
        return false;
    if (!zero)
        return send_range(sending, at, length, error);
    sending->sent += end - first;
    return send_range(sending, at, first - begin, error) &&
           send_range(sending, end - sending->base, begin + length - end, error);
}

static bool is_zero_fill(const MkExtent *extent)
{
    return extent->kind == MK_EXTENT_FILL && mk_is_blank(extent->fill, sizeof extent->fill) && !extent->fill[0];
}

/* Sends DATA and FILL from payload byte SKIP on. */
static bool send_image(Sending *sending, uint64_t skip, GError **error)
{
    sending->total = mk_image_payload(sending->image);
    sending->sent = sending->noted = skip;
    mk_progress_set(sending->run->progress[sending->index], skip, sending->total);
    uint64_t passed = 0;
    for (guint i = 0; i < sending->image->extents->len; i++) {
        const MkExtent *extent = &g_array_index(sending->image->extents, MkExtent, i);
        if (extent->kind == MK_EXTENT_HOLE)
            continue;
        uint64_t inside = skip > passed ? MIN(skip - passed, extent->length) : 0;
        passed += extent->length;
        uint64_t at = extent->offset + inside, length = extent->length - inside;
        if (!length)
            continue;
        bool ok =
            is_zero_fill(extent) ? send_zeros(sending, at, length, error) : send_range(sending, at, length, error);
        if (!ok)
            return false;
    }
    return true;
}

/* An interrupted transfer: what the journal claims is believed only as far as the phone shows it. The last chunk before the claim is
 * compared; packets in flight are smaller than a chunk. */
static bool resume_point(Sending *sending, uint64_t claimed, uint64_t *skip, GError **error)
{
    *skip = 0;
    uint64_t keep = claimed / CHUNK * CHUNK;
    keep = keep > CHUNK ? keep - CHUNK : 0;
    uint64_t passed = 0;
    for (guint i = 0; keep && i < sending->image->extents->len; i++) {
        const MkExtent *extent = &g_array_index(sending->image->extents, MkExtent, i);
        if (extent->kind == MK_EXTENT_HOLE)
            continue;
        if (passed + extent->length >= keep) {
            uint64_t end = extent->offset + (keep - passed), start = end - MIN(CHUNK, keep - passed);
            g_autoptr(MkImage) chunk = mk_image_slice_new(sending->image, start, end - start, error);
            MkCompareResult compared;
            if (!chunk || !mk_compare(sending->store, sending->base + start, chunk, false, &compared, NULL,
                                      sending->run->session->cancel, error))
                return false;
            *skip = compared.different ? 0 : keep;
            return true;
        }
        passed += extent->length;
    }
    return true;
}

/* --- verification -------------------------------------------------------------------------------------------------- */

static bool verify_image(Run *run, unsigned index, MkStore *store, uint64_t base, MkImage *image, bool *equal,
                         GError **error)
{
    const MkStep *step = run->plan->steps->pdata[index];
    MkProgress *progress = run->verify[index];
    MkCompareResult compared;
    *equal = true;
    if (run->options->verify == MK_VERIFY_NONE)
        return true;
    if (progress)
        mk_progress_done(run->progress[index]);
    if (!mk_compare(store, base, image, run->options->verify == MK_VERIFY_QUICK, &compared, progress,
                    run->session->cancel, error))
        return false;
    run->result->bytes_verified += compared.compared;
    *equal = !compared.different;
    if (*equal)
        return true;
    mk_fault_set(error, MK_FAULT_VERIFY,
                 _("%s on the phone differs from the file from byte 0x%" G_GINT64_MODIFIER "x on (%" G_GUINT64_FORMAT
                   " bytes in differing blocks)."),
                 step->name, compared.first, compared.different);
    return false;
}

/* Writes and verifies; a difference is written once more before it is called a fault. */
static bool write_and_verify(Run *run, unsigned index, MkStore *store, uint64_t base, MkImage *image, uint64_t claimed,
                             GError **error)
{
    Sending sending = {.run = run, .index = index, .image = image, .store = store, .base = base};
    uint64_t skip = 0;
    if (claimed && !resume_point(&sending, claimed, &skip, error))
        return false;
    for (int attempt = 0;; attempt++) {
        g_autoptr(GError) local = NULL;
        bool equal = true;
        if (!send_image(&sending, skip, error) || !mk_store_flush(store, error))
            return false;
        run->result->bytes_written += sending.sent - skip;
        if (verify_image(run, index, store, base, image, &equal, &local))
            return true;
        if (equal || attempt) {
            g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        skip = 0;
    }
}

/* --- the kinds of step --------------------------------------------------------------------------------------------- */

static MkStore *step_store(Run *run, const MkStep *step, GError **error)
{
    MkRegion region = mk_region_copy(step->region, 0);
    MkStore *store = mk_session_store(run->session, region, error);
    if (store && (step->offset > store->size || step->length > store->size - step->offset)) {
        g_autofree char *size = mk_size_text(store->size);
        mk_fault_set(error, MK_FAULT_RANGE, _("%s would reach beyond the end of %s (%s)."), step->name,
                     mk_region_name(region), size);
        return NULL;
    }
    return store;
}

static bool run_save(Run *run, unsigned index, GError **error)
{
    const MkStep *step = run->plan->steps->pdata[index];
    g_autofree char *path = g_build_filename(mk_journal_job_folder(run->journal), step->path, NULL);
    MkStore *store = step_store(run, step, error);
    MkSavedFile saved = {0};
    bool ok = store && mk_save_file(store, step->offset, step->length, path, true, run->session->cancel,
                                    run->progress[index], &saved, error);
    run->result->bytes_saved += ok ? step->length : 0;
    mk_saved_file_clear(&saved);
    return ok;
}

/* Erased storage reads as FF or 00, each place in one of them; samples over the range are read back (spec behaviour.md 4.5). */
static bool verify_erased(Run *run, const MkStep *step, MkStore *store, GError **error)
{
    uint8_t probe[PROBE], value;
    uint64_t probes = MIN((step->length + PROBE - 1) / PROBE, ERASE_PROBES);
    for (uint64_t i = 0; i < probes; i++) {
        uint64_t last = step->length > PROBE ? step->length - PROBE : 0;
        uint64_t at = probes > 1 ? last / (probes - 1) * i / PROBE * PROBE : 0;
        size_t length = (size_t)MIN((uint64_t)PROBE, step->length - at);
        if (!mk_store_read(store, step->offset + at, probe, length, run->session->cancel, error))
            return false;
        if (!mk_is_uniform(probe, length, &value) || (value != 0x00 && value != 0xFF)) {
            mk_fault_set(error, MK_FAULT_VERIFY,
                         _("%s was erased, but at 0x%" G_GINT64_MODIFIER "x something is still there."), step->name,
                         step->offset + at);
            return false;
        }
        run->result->bytes_verified += length;
    }
    return true;
}

static bool run_erase(Run *run, unsigned index, GError **error)
{
    const MkStep *step = run->plan->steps->pdata[index];
    MkStore *store = step_store(run, step, error);
    if (!store || !mk_agent_erase(run->session->agent, step->region, step->offset, step->length, MK_ERASE_NORMAL, false,
                                  run->progress[index], error))
        return false;
    run->result->bytes_erased += step->length;
    /* A NAND has bad blocks, which no erasing makes readable. */
    bool skip = run->options->verify == MK_VERIFY_NONE || step->region == MK_REGION_NAND;
    return skip || verify_erased(run, step, store, error);
}

static MkImage *open_image(const MkStep *step, GError **error)
{
    MkContent content;
    /* Saved ranges go back byte for byte, even if they look like a sparse file. */
    if (step->kind == MK_STEP_WRITE)
        return mk_image_open(step->path, &content, error);
    g_autoptr(MkStore) file = mk_store_file_open(step->path, false, error);
    g_autoptr(MkImage) whole = file ? mk_image_raw_new(file, error) : NULL;
    if (!whole || (!step->skip && whole->size <= step->length))
        return g_steal_pointer(&whole);
    /* One partition out of the dump of a region. */
    return mk_image_slice_new(whole, step->skip, step->length, error);
}

typedef struct {
    MkImage *image;
    uint64_t position;
    MkProgress *progress;
} NandSource;

static bool nand_source(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    NandSource *source = user_data;
    if (!mk_image_read(source->image, source->position, data, length, error))
        return false;
    source->position += length;
    mk_progress_set(source->progress, source->position, source->image->size);
    return true;
}

/* NAND images travel through the agent's own path, which knows pages, spare and bad blocks (spec da-legacy.md 9.25). */
static bool run_nand_image(Run *run, unsigned index, MkImage *image, GError **error)
{
    MkStep *step = run->plan->steps->pdata[index];
    MkPartition partition = {.name = step->name,
                             .region = step->region,
                             .start = step->offset,
                             .size = step->length,
                             .type = step->type,
                             .storage = MK_STORAGE_NAND,
                             .resolved = true};
    NandSource source = {.image = image, .progress = run->progress[index]};
    mk_progress_set(source.progress, 0, image->size);
    bool equal;
    uint64_t offset;
    g_autoptr(MkImage) data = mk_image_on_phone(run->session, &partition, image, &offset, error);
    MkStore *store = data ? step_store(run, step, error) : NULL;
    if (!store || !mk_agent_write_nand(run->session->agent, &partition, image->size, nand_source, &source, error))
        return false;
    run->result->bytes_written += image->size;
    return verify_image(run, index, store, offset, data, &equal, error);
}

static bool run_write(Run *run, unsigned index, GError **error)
{
    const MkStep *step = run->plan->steps->pdata[index];
    g_autoptr(MkImage) image = open_image(step, error);
    if (!image)
        return false;
    if (image->size > step->length) {
        mk_fault_set(error, MK_FAULT_IMAGE_SIZE, _("%s is larger than %s."), step->path, step->name);
        return false;
    }
    if (step->nand_file)
        return run_nand_image(run, index, image, error);
    MkStore *store = step_store(run, step, error);
    return store &&
           write_and_verify(run, index, store, step->offset, image, mk_journal_step_bytes(run->journal, index), error);
}

/* A loader that is in its place already is not written again: that is the one step that can kill a phone (spec behaviour.md 5.3). */
static bool is_there(Run *run, MkStore *store, uint64_t base, MkImage *image, bool *there, GError **error)
{
    MkCompareResult compared;
    if (!mk_compare(store, base, image, false, &compared, NULL, run->session->cancel, error))
        return false;
    *there = !compared.different;
    return true;
}

/* The image behind its boot header: body first, header last, so that an interrupted write leaves nothing that BootROM would start
 * (spec preloader-file.md 2.2). */
static bool write_preloader_to(Run *run, unsigned index, MkRegion region, GBytes *header, MkImage *body, GError **error)
{
    MkStore *store = mk_session_store(run->session, region, error);
    if (!store)
        return false;
    const MkStep *step = run->plan->steps->pdata[index];
    uint64_t head = g_bytes_get_size(header);
    /* Other loaders may share the region (DSP_BL on MT6577): only the preloader's own part is erased. */
    uint64_t room = step->length ? MIN(step->length, store->size) : store->size;
    if (room < head || body->size > room - head) {
        mk_fault_set(error, MK_FAULT_IMAGE_SIZE, _("The preloader does not fit into %s."), mk_region_name(region));
        return false;
    }
    g_autoptr(MkImage) front = mk_image_bytes_new(header);
    bool there = false;
    if (!is_there(run, store, head, body, &there, error) || (there && !is_there(run, store, 0, front, &there, error)))
        return false;
    if (there) {
        run->result->bytes_already += head + body->size;
        run->result->bytes_verified += head + body->size;
        return true;
    }
    return mk_store_erase(store, 0, room, run->session->cancel, error) &&
           write_and_verify(run, index, store, head, body, 0, error) &&
           write_and_verify(run, index, store, 0, front, 0, error);
}

/* The bare image out of FILE, filled up to whole sectors of the boot region. */
static MkImage *preloader_body(MkStore *file, uint64_t begin, uint32_t sector, GError **error)
{
    uint64_t length = file->size - begin, whole = mk_round_up(length, sector);
    g_autofree uint8_t *data = g_malloc0(whole);
    if (!mk_store_read(file, begin, data, length, NULL, error))
        return NULL;
    g_autoptr(GBytes) bytes = g_bytes_new_take(g_steal_pointer(&data), whole);
    return mk_image_bytes_new(bytes);
}

static bool run_preloader(Run *run, unsigned index, GError **error)
{
    const MkStep *step = run->plan->steps->pdata[index];
    g_autoptr(MkPreloader) preloader = mk_preloader_load(step->path, NULL, error);
    g_autoptr(MkStore) file = preloader ? mk_store_file_open(step->path, false, error) : NULL;
    uint32_t sector = MAX(run->session->agent->info.geometry.sector, 512);
    g_autoptr(MkImage) body = file ? preloader_body(file, preloader->gfh_offset, sector, error) : NULL;
    if (!body)
        return false;
    g_autoptr(GBytes) header = mk_preloader_boot_header(run->session->agent->info.storage, preloader->max_size);
    /* The copy first: whichever write is cut, the other region still starts, or BootROM answers (spec behaviour.md 5.1). */
    MkRegion second = mk_region_copy(step->region, 1);
    if (second != MK_REGION_NONE && !write_preloader_to(run, index, second, header, body, error))
        return false;
    return write_preloader_to(run, index, mk_region_copy(step->region, 0), header, body, error);
}

static bool run_table(Run *run, unsigned index, GError **error)
{
    const MkStep *step = run->plan->steps->pdata[index];
    g_autoptr(MkImage) image = mk_image_bytes_new(step->data);
    MkStore *store = step_store(run, step, error);
    return store && write_and_verify(run, index, store, step->offset, image, 0, error);
}

static bool run_agent_table(Run *run, unsigned index, GError **error)
{
    const MkStep *step = run->plan->steps->pdata[index];
    gsize length;
    const char *text = g_bytes_get_data(step->data, &length);
    g_autoptr(MkLayout) layout = mk_scatter_parse(text, length, NULL, false, NULL, error);
    return layout && mk_layout_resolve(layout, &run->session->agent->info.geometry, error) &&
           mk_agent_write_table(run->session->agent, layout, true, error);
}

static bool run_step(Run *run, unsigned index, GError **error)
{
    static bool (*const kinds[])(Run *, unsigned, GError **) = {
        [MK_STEP_SAVE] = run_save,     [MK_STEP_ERASE] = run_erase,
        [MK_STEP_WRITE] = run_write,   [MK_STEP_WRITE_PRELOADER] = run_preloader,
        [MK_STEP_TABLE] = run_table,   [MK_STEP_AGENT_TABLE] = run_agent_table,
        [MK_STEP_RESTORE] = run_write,
    };
    const MkStep *step = run->plan->steps->pdata[index];
    return kinds[step->kind](run, index, error);
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static bool checked_before(const MkPlan *plan, guint index)
{
    const MkStep *step = plan->steps->pdata[index];
    for (guint i = 0; i < index; i++) {
        const MkStep *earlier = plan->steps->pdata[i];
        if (!g_strcmp0(earlier->path, step->path) && !g_strcmp0(earlier->sha256, step->sha256))
            return true;
    }
    return false;
}

/* No plan runs before every file it needs has been opened, measured and hashed (safety rule 1). */
static bool check_files(const MkPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->steps->len; i++) {
        const MkStep *step = plan->steps->pdata[i];
        if (step->kind == MK_STEP_SAVE || !step->path || !step->sha256 || checked_before(plan, i))
            continue;
        g_autofree char *sha256 = mk_file_sha256(step->path, error);
        if (!sha256)
            return false;
        if (strcmp(sha256, step->sha256)) {
            mk_fault_set_number(error, MK_FAULT_FILE, 5006, "S_FTHND_FILE_IS_UPDATED",
                                _("%s has changed since the plan was made."), step->path);
            return false;
        }
    }
    return true;
}

/* The copies of what is there need room before the first byte is written. */
static bool check_room(const Run *run, GError **error)
{
    uint64_t need = 0, free;
    for (guint i = 0; i < run->plan->steps->len; i++) {
        const MkStep *step = run->plan->steps->pdata[i];
        if (step->kind == MK_STEP_SAVE && !mk_journal_step_done(run->journal, i))
            need += step->length;
    }
    if (mk_save_room(mk_journal_job_folder(run->journal), need, &free))
        return true;
    g_autofree char *needed = mk_size_text(need), *there = mk_size_text(free);
    mk_fault_set(error, MK_FAULT_FILE, _("The copies of what is on the phone need %s in %s; only %s are free there."),
                 needed, mk_journal_job_folder(run->journal), there);
    return false;
}

static bool plan_writes(const MkPlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++)
        if (writes(plan->steps->pdata[i]))
            return true;
    return false;
}

/* A preloader's parts are verified in between. */
static bool is_verified_apart(MkStepKind kind)
{
    return kind == MK_STEP_WRITE || kind == MK_STEP_RESTORE || kind == MK_STEP_TABLE;
}

static void prepare_progress(Run *run)
{
    run->progress = g_new0(MkProgress *, run->plan->steps->len);
    run->verify = g_new0(MkProgress *, run->plan->steps->len);
    for (guint i = 0; i < run->plan->steps->len; i++) {
        const MkStep *step = run->plan->steps->pdata[i];
        g_autofree char *name = g_strdup_printf("%s %s", mk_step_verb(step->kind), step->name),
                        *check = g_strdup_printf(_("verify %s"), step->name);
        run->progress[i] = mk_progress_add(run->options->progress, name, step->length);
        if (run->options->verify != MK_VERIFY_NONE && is_verified_apart(step->kind))
            run->verify[i] = mk_progress_add(run->options->progress, check, step->length);
    }
}

static bool run_steps(Run *run, GError **error)
{
    for (guint i = 0; i < run->plan->steps->len; i++) {
        if (mk_journal_step_done(run->journal, i)) {
            mk_progress_done(run->progress[i]);
            mk_progress_done(run->verify[i]);
            continue;
        }
        const MkStep *step = run->plan->steps->pdata[i];
        if (g_cancellable_set_error_if_cancelled(run->session->cancel, error) || !run_step(run, i, error)) {
            bool stopped = error && mk_fault_code(*error) == MK_FAULT_STOPPED;
            g_prefix_error(error, stopped ? _("At step %u (%s %s): ") : _("FAILED at step %u (%s %s): "), i + 1,
                           mk_step_verb(step->kind), step->name);
            return false;
        }
        mk_progress_done(run->progress[i]);
        mk_progress_done(run->verify[i]);
        if (!mk_journal_note_done(run->journal, i, error))
            return false;
    }
    return true;
}

static bool keeps_copies(const MkPlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++)
        if (((const MkStep *)plan->steps->pdata[i])->kind == MK_STEP_SAVE)
            return true;
    return false;
}

bool mk_plan_run(MkSession *session, MkPlan *plan, const MkRunOptions *options, MkRunResult *result, GError **error)
{
    *result = (MkRunResult){0};
    if (g_strcmp0(plan->phone_id, session->id)) {
        mk_fault_set(error, MK_FAULT_OTHER_PHONE, _("The plan was made for phone %.8s, this is phone %s."),
                     plan->phone_id, session->short_id);
        return false;
    }
    if (plan_writes(plan) && !session->identity && !session->identity_waived) {
        mk_fault_set(error, MK_FAULT_REFUSED,
                     _("The identity set of this phone has not been saved yet; nothing is written before that."));
        return false;
    }
    if (!check_files(plan, error))
        return false;
    mk_journal_prune(session->home);
    g_autoptr(MkJournal) journal = mk_journal_open(session->home, plan, !plan->continued, error);
    if (!journal)
        return false;
    Run run = {.session = session, .plan = plan, .options = options, .result = result, .journal = journal};
    prepare_progress(&run);
    result->resumed = mk_journal_resumed(journal);
    result->journal = g_strdup(mk_journal_path(journal));
    result->undo_folder = keeps_copies(plan) ? g_strdup(mk_journal_job_folder(journal)) : NULL;
    result->identity_set = session->identity ? g_strdup(session->identity->folder) : NULL;
    g_autoptr(GError) local = NULL;
    bool ok = check_room(&run, &local) && run_steps(&run, &local);
    result->verified = ok && options->verify == MK_VERIFY_FULL;
    ok = ok && mk_journal_note_finished(journal, result->verified, &local);
    if (!ok) {
        mk_journal_note_fault(journal, local);
        g_propagate_error(error, g_steal_pointer(&local));
    }
    g_free(run.progress);
    g_free(run.verify);
    return ok;
}
