/* Making a phone from a model and what its owner wants of it. */
#include "core/i18n.h"
#include "phone/content.h"
#include "phone/phone-internal.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#define BATTERY_MV 3900

static bool prepare_folder(MkPhone *phone, const MkPhoneOptions *options, GError **error)
{
    if (options->flash_dir) {
        phone->folder = g_strdup(options->flash_dir);
        if (g_mkdir_with_parents(phone->folder, 0755) == 0)
            return true;
        mk_fault_set_errno(error, false, errno, _("Cannot make the folder"), phone->folder);
        return false;
    }
    phone->folder = g_dir_make_tmp("medik-phone-XXXXXX", error);
    phone->folder_is_ours = phone->folder != NULL;
    return phone->folder_is_ours;
}

static bool is_empty(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    return dir && !g_dir_read_name(dir);
}

static bool known_state(const char *state, GError **error)
{
    if (g_strv_contains(mk_content_states, state))
        return true;
    g_autofree char *all = g_strjoinv(", ", (char **)mk_content_states);
    mk_fault_set(error, MK_FAULT_USAGE, _("There is no state \"%s\" of a virtual phone; there are %s."), state, all);
    return false;
}

static bool open_chip(MkPhone *phone, const char *state, GError **error)
{
    bool empty = is_empty(phone->folder);
    if (state && !known_state(state, error))
        return false;
    phone->machine.chip = phone->chip = mk_chip_open(phone->model, phone->folder, empty, error);
    return phone->chip && (!empty || mk_content_fill(phone->chip, phone->model, state ? state : "stock", error));
}

static bool set_key(MkPhone *phone, const char *key, GError **error)
{
    phone->key_download = g_strcmp0(key, "download") == 0;
    if (!key || phone->key_download || strcmp(key, "none") == 0)
        return true;
    mk_fault_set(error, MK_FAULT_USAGE, _("The key held at power-on is \"none\" or \"download\", not \"%s\"."), key);
    return false;
}

static bool open_log(MkPhone *phone, const char *path, GError **error)
{
    phone->log = path ? fopen(path, "ae") : stderr;
    if (phone->log)
        return true;
    mk_fault_set_errno(error, false, errno, _("Cannot write the log"), path);
    return false;
}

static void note(gpointer phone, const char *text)
{
    mk_phone_note(phone, text);
}

static MkPhone *phone_alloc(const MkModel *model, const MkPhoneOptions *options)
{
    MkPhone *phone = g_new0(MkPhone, 1);
    g_mutex_init(&phone->lock);
    g_cond_init(&phone->changed);
    phone->model = phone->machine.model = model;
    phone->born = g_get_monotonic_time();
    phone->mode = "off";
    phone->faults = mk_faults_new(&phone->machine);
    phone->events = g_ptr_array_new_with_free_func(g_free);
    phone->control_path = g_strdup(options->control);
    phone->release = g_strdup(options->agent_release);
    phone->exit_when_off = options->exit_when_off;
    phone->borders = options->borders;
    phone->rate = options->rate;
    phone->turnaround_us = options->turnaround_us;
    phone->show = options->show;
    phone->show_data = options->show_data;
    phone->battery = true;
    phone->battery_mv = BATTERY_MV;
    phone->cable = phone->start = !options->manual;
    phone->machine.memory = g_hash_table_new(NULL, NULL);
    phone->machine.pmic = g_hash_table_new(NULL, NULL);
    phone->machine.high_speed = true;
    phone->machine.random_seed = (uint8_t)g_random_int();
    phone->machine.log = note;
    phone->machine.log_data = phone;
    return phone;
}

MkPhone *mk_phone_new(const MkModel *model, const MkPhoneOptions *options, GError **error)
{
    g_autoptr(MkPhone) phone = phone_alloc(model, options);
    if (!open_log(phone, options->log_path, error) || !set_key(phone, options->key, error))
        return NULL;
    phone->port = mk_port_new(options->port ? options->port : "pty", options->borders, error);
    if (phone->port)
        mk_phone_watch_port(phone);
    if (!phone->port || !prepare_folder(phone, options, error) || !open_chip(phone, options->state, error))
        return NULL;
    for (const char *const *fault = options->faults; fault && *fault; fault++)
        if (!mk_faults_add(phone->faults, *fault, error))
            return NULL;
    return g_steal_pointer(&phone);
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

void mk_phone_free(MkPhone *phone)
{
    if (!phone)
        return;
    mk_port_free(phone->port);
    mk_chip_free(phone->chip);
    mk_faults_free(phone->faults);
    if (phone->folder_is_ours)
        remove_folder(phone->folder);
    if (phone->log && phone->log != stderr)
        fclose(phone->log);
    g_clear_pointer(&phone->machine.da, g_bytes_unref);
    g_hash_table_unref(phone->machine.memory);
    g_hash_table_unref(phone->machine.pmic);
    g_free(phone->machine.release);
    g_clear_pointer(&phone->report, mk_boot_report_free);
    g_clear_error(&phone->trouble);
    g_ptr_array_unref(phone->events);
    g_free(phone->folder);
    g_free(phone->control_path);
    g_free(phone->release);
    g_mutex_clear(&phone->lock);
    g_cond_clear(&phone->changed);
    g_free(phone);
}
