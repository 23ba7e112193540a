#include "flash/journal.h"

#include "core/i18n.h"
#include "core/json.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define KEEP_DAYS 30

struct _MkJournal {
    char *folder;
    char *path;
    int fd;
    bool resumed;
    GArray *bytes; /* uint64_t per step */
    GArray *done;  /* bool per step */
};

char *mk_journal_folder(const char *home, const char *job)
{
    g_autofree char *name = g_strndup(job, 16);
    return g_build_filename(home, "jobs", name, NULL);
}

static void remember(MkJournal *journal, const char *line)
{
    g_autoptr(JsonNode) node = mk_json_parse(line, -1);
    JsonObject *object = mk_json_object(node);
    const char *what = mk_json_get_string(object, "t");
    gint64 step = mk_json_get_int(object, "step", -1);
    if (!what || step < 0 || step >= (gint64)journal->done->len)
        return;
    if (!strcmp(what, "done"))
        g_array_index(journal->done, bool, step) = true;
    else if (!strcmp(what, "bytes"))
        g_array_index(journal->bytes, uint64_t, step) = (uint64_t)MAX(mk_json_get_int(object, "bytes", 0), 0);
}

/* The last line may be cut by a crash of this computer: it then parses as nothing. */
static bool has_line(const char *text, const char *what)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autoptr(JsonNode) node = mk_json_parse(*line, -1);
        if (!g_strcmp0(mk_json_get_string(mk_json_object(node), "t"), what))
            return true;
    }
    return false;
}

static void read_back(MkJournal *journal)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(journal->path, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        remember(journal, *line);
    journal->resumed = has_line(text, "begin");
}

static bool append(MkJournal *journal, JsonBuilder *builder, GError **error)
{
    json_builder_end_object(builder);
    g_autofree char *text = mk_json_text(builder, false);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    size_t length = strlen(line);
    if (write(journal->fd, line, length) == (ssize_t)length)
        return true;
    mk_fault_set_errno(error, false, errno, _("Cannot write the journal"), journal->path);
    return false;
}

static JsonBuilder *entry(const char *what)
{
    JsonBuilder *builder = json_builder_new();
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    json_builder_begin_object(builder);
    mk_json_string(builder, "t", what);
    mk_json_string(builder, "time", time);
    return builder;
}

static bool begin(MkJournal *journal, const MkPlan *plan, const char *folder, GError **error)
{
    g_autofree char *plan_path = g_build_filename(folder, "plan.json", NULL);
    g_autofree char *json = mk_plan_to_json(plan);
    g_autoptr(GError) local = NULL;
    if (!g_file_set_contents(plan_path, json, -1, &local)) {
        mk_fault_set(error, MK_FAULT_FILE, _("Cannot keep the plan: %s."), local->message);
        return false;
    }
    g_autoptr(JsonBuilder) builder = entry("begin");
    mk_json_string(builder, "title", plan->title);
    mk_json_string(builder, "phone", plan->phone_id);
    mk_json_int(builder, "steps", plan->steps->len);
    return append(journal, builder, error);
}

static bool is_finished(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "journal.jsonl", NULL), *text = NULL;
    return g_file_get_contents(path, &text, NULL, NULL) && has_line(text, "finished");
}

/* Out of the way, under a name that is free. */
static bool move_aside(const char *folder, GError **error)
{
    for (unsigned n = 1; g_file_test(folder, G_FILE_TEST_IS_DIR); n++) {
        g_autofree char *aside = g_strdup_printf("%s.%u", folder, n);
        if (g_file_test(aside, G_FILE_TEST_EXISTS))
            continue;
        if (!g_rename(folder, aside))
            return true;
        mk_fault_set_errno(error, false, errno, _("Cannot move aside"), folder);
        return false;
    }
    return true;
}

MkJournal *mk_journal_open(const char *home, const MkPlan *plan, bool restart, GError **error)
{
    g_autofree char *folder = mk_journal_folder(home, plan->job);
    if ((restart || is_finished(folder)) && !move_aside(folder, error))
        return NULL;
    if (g_mkdir_with_parents(folder, 0700)) {
        mk_fault_set_errno(error, false, errno, _("Cannot create"), folder);
        return NULL;
    }
    g_autoptr(MkJournal) journal = g_new0(MkJournal, 1);
    journal->fd = -1;
    journal->folder = g_strdup(folder);
    journal->path = g_build_filename(folder, "journal.jsonl", NULL);
    journal->bytes = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    journal->done = g_array_new(FALSE, TRUE, sizeof(bool));
    g_array_set_size(journal->bytes, plan->steps->len);
    g_array_set_size(journal->done, plan->steps->len);
    read_back(journal);
    journal->fd = g_open(journal->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal->fd < 0) {
        mk_fault_set_errno(error, false, errno, _("Cannot open the journal"), journal->path);
        return NULL;
    }
    if (!journal->resumed && !begin(journal, plan, folder, error))
        return NULL;
    return g_steal_pointer(&journal);
}

void mk_journal_free(MkJournal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        close(journal->fd);
    g_array_unref(journal->bytes);
    g_array_unref(journal->done);
    g_free(journal->folder);
    g_free(journal->path);
    g_free(journal);
}

const char *mk_journal_job_folder(const MkJournal *journal)
{
    return journal->folder;
}

const char *mk_journal_path(const MkJournal *journal)
{
    return journal->path;
}

bool mk_journal_resumed(const MkJournal *journal)
{
    return journal->resumed;
}

bool mk_journal_step_done(const MkJournal *journal, unsigned index)
{
    return g_array_index(journal->done, bool, index);
}

uint64_t mk_journal_step_bytes(const MkJournal *journal, unsigned index)
{
    return g_array_index(journal->bytes, uint64_t, index);
}

bool mk_journal_note_bytes(MkJournal *journal, unsigned index, uint64_t bytes, GError **error)
{
    g_autoptr(JsonBuilder) builder = entry("bytes");
    mk_json_int(builder, "step", index);
    mk_json_int(builder, "bytes", (gint64)bytes);
    return append(journal, builder, error);
}

bool mk_journal_note_done(MkJournal *journal, unsigned index, GError **error)
{
    g_array_index(journal->done, bool, index) = true;
    g_autoptr(JsonBuilder) builder = entry("done");
    mk_json_int(builder, "step", index);
    return append(journal, builder, error);
}

bool mk_journal_note_finished(MkJournal *journal, bool verified, GError **error)
{
    g_autoptr(JsonBuilder) builder = entry("finished");
    mk_json_bool(builder, "verified", verified);
    return append(journal, builder, error);
}

void mk_journal_note_fault(MkJournal *journal, const GError *fault)
{
    g_autoptr(JsonBuilder) builder = entry("fault");
    mk_json_string(builder, "id", mk_fault_id(mk_fault_code(fault)));
    mk_json_string(builder, "message", fault->message);
    append(journal, builder, NULL);
}

MkPlan *mk_journal_find(const char *home, const char *job, GError **error)
{
    g_autofree char *folder = mk_journal_folder(home, job), *path = g_build_filename(folder, "plan.json", NULL),
                    *text = NULL;
    if (is_finished(folder) || !g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    MkPlan *plan = mk_plan_from_json(text, error);
    if (plan && g_strcmp0(plan->job, job)) {
        mk_fault_set(error, MK_FAULT_FILE, _("The journal %s belongs to another job."), folder);
        g_clear_pointer(&plan, mk_plan_free);
    }
    return plan;
}

static void remove_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

void mk_journal_prune(const char *home)
{
    g_autofree char *jobs = g_build_filename(home, "jobs", NULL);
    g_autoptr(GDir) dir = g_dir_open(jobs, 0, NULL);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *folder = g_build_filename(jobs, name, NULL),
                        *path = g_build_filename(folder, "journal.jsonl", NULL);
        GStatBuf status;
        if (!g_stat(path, &status) && now - status.st_mtime > KEEP_DAYS * 86400 && is_finished(folder))
            remove_folder(folder);
    }
}
