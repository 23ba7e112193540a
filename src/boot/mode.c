/* Boot modes through the preloader's tokens: META, factory, fastboot (spec brom.md 9). */
#include "boot/wait.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "link/watch.h"

#include <string.h>

#define READY_TIMEOUT  6000  /* the longest window of a preloader */
#define ANSWER_TIMEOUT 13000 /* the newest variant waits 2 + 5 + 5 s for parameters that we send at once */
#define ANSWER_SIZE    8
#define PROMPT_TIMEOUT                                                                                                 \
    200 /* old preloaders answer META within 5 ms; newer ones wait up to 2 s for the first parameter block */

typedef struct {
    const char *name;
    const char *token;
    const char *answers[3]; /* the last word of the preloader, by variant */
} ModeWords;

static const ModeWords modes[] = {
    [MK_MODE_META] = {"meta", "METAMETA", {"ATEMATEM", "ATEMATEX"}},
    [MK_MODE_ADVANCED_META] = {"advanced-meta", "ADVEMETA", {"ATEMEVDA", "ATEMEVDX"}},
    [MK_MODE_FACTORY] = {"factory", "FACTFACT", {"TCAFTCAF"}},
    [MK_MODE_ATE] = {"ate", "FACTORYM", {"MYROTCAF"}},
    [MK_MODE_FASTBOOT] = {"fastboot", "FASTBOOT", {"TOOBTSAF"}},
    [MK_MODE_NORMAL] = {"normal", "AT+NBOOT", {"AT+OK"}},
};

bool mk_boot_mode_from_name(const char *name, MkBootMode *mode)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        if (g_ascii_strcasecmp(name, modes[i].name) == 0) {
            *mode = i;
            return true;
        }
    }
    return false;
}

typedef struct {
    const ModeWords *words;
    GString *heard; /* the preloader's answers, blank-separated */
} Talk;

static bool read_ready(MkLink *link, GCancellable *cancel, GError **error)
{
    static const char ready[] = MK_BROM_READY;
    gint64 start = g_get_monotonic_time();
    size_t matched = 0;
    while (matched < strlen(ready)) {
        g_autoptr(GError) local = NULL;
        char byte;
        if (!mk_link_read(link, &byte, 1, mk_boot_left(start, READY_TIMEOUT), cancel, &local)) {
            if (mk_fault_code(local) != MK_FAULT_SILENT) {
                g_propagate_error(error, g_steal_pointer(&local));
                return false;
            }
            mk_fault_set_number(
                error, MK_FAULT_SILENT, 10006, "S_PL_READ_TIMEOUT",
                _("No preloader announced itself on this port. Boot modes are the preloader's business; "
                  "BootROM knows none."));
            return false;
        }
        matched = byte == ready[matched] ? matched + 1 : byte == ready[0] ? 1 : 0;
    }
    return true;
}

static bool send_parameters(MkLink *link, bool second, GCancellable *cancel, GError **error)
{
    /* Length of what follows the version, version, then usb_type, usb_num, md0_type, md1_type 0; the second form has room for more. */
    static const uint8_t first_form[] = {4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t second_form[] = {6, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    return second ? mk_link_write(link, second_form, sizeof second_form, MK_BOOT_ECHO_TIMEOUT, cancel, error)
                  : mk_link_write(link, first_form, sizeof first_form, MK_BOOT_ECHO_TIMEOUT, cancel, error);
}

static bool is_last_word(const ModeWords *words, const char *answer)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(words->answers) && words->answers[i]; i++) {
        if (strcmp(answer, words->answers[i]) == 0)
            return true;
    }
    return false;
}

/* What one complete answer asks of us. *DONE when it was the last. */
static bool react(MkLink *link, Talk *talk, const char *answer, bool *done, GCancellable *cancel, GError **error)
{
    g_string_append_printf(talk->heard, "%s%s", talk->heard->len ? " " : "", answer);
    *done = is_last_word(talk->words, answer);
    if (g_str_has_prefix(answer, "METAFORB")) {
        mk_fault_set_number(error, MK_FAULT_SEC_FORBIDDEN, 10002, "S_PL_MODE_FORBIDDEN",
                            _("The preloader forbids this mode (METAFORB): the phone's secure boot or link "
                              "authorisation is on."));
        return false;
    }
    if (g_str_has_prefix(answer, "METASLA")) {
        mk_fault_set(error, MK_FAULT_AUTH_NEEDED, _("The preloader wants this mode authorised with the maker's key."));
        return false;
    }
    if (g_str_has_prefix(answer, "AT+UNK")) {
        mk_fault_set_number(error, MK_FAULT_UNSUPPORTED, 10001, "S_PL_MODE_UNSUPPORTED",
                            _("The preloader does not know this mode and boots on."));
        return false;
    }
    if (strcmp(answer, "ATEM0001") == 0 || strcmp(answer, "ATEM0002") == 0)
        return send_parameters(link, answer[7] == '2', cancel, error);
    if (*done && answer[ANSWER_SIZE - 1] == 'X')
        return mk_link_write(link, "DISCONNECT", 10, MK_BOOT_ECHO_TIMEOUT, cancel, error);
    return true;
}

/* READY may still stand before the answer. */
static size_t skip_ready(char *text, size_t length)
{
    size_t ready = strlen(MK_BROM_READY);
    while (length >= ready && memcmp(text, MK_BROM_READY, ready) == 0) {
        length -= ready;
        memmove(text, text + ready, length);
    }
    return length;
}

static bool hear(MkLink *link, Talk *talk, GCancellable *cancel, GError **error)
{
    gint64 start = g_get_monotonic_time();
    char text[ANSWER_SIZE + 1] = "";
    size_t length = 0;
    bool prompt = talk->words == &modes[MK_MODE_META];
    for (bool done = false; !done;) {
        g_autoptr(GError) local = NULL;
        int timeout = prompt ? PROMPT_TIMEOUT : mk_boot_left(start, ANSWER_TIMEOUT);
        if (!mk_link_read(link, text + length, 1, timeout, cancel, &local)) {
            if (prompt && mk_fault_code(local) == MK_FAULT_SILENT) {
                prompt = false;
                if (!send_parameters(link, false, cancel, error))
                    return false;
                continue;
            }
            if (mk_fault_code(local) == MK_FAULT_SILENT || mk_fault_code(local) == MK_FAULT_GONE)
                mk_fault_set_number(error, MK_FAULT_UNSUPPORTED, 10001, "S_PL_MODE_UNSUPPORTED",
                                    _("The preloader did not take the mode and boots on%s%s."),
                                    talk->heard->len ? _("; it said ") : "", talk->heard->str);
            else
                g_propagate_error(error, g_steal_pointer(&local));
            return false;
        }
        length = skip_ready(text, length + 1);
        text[length] = '\0';
        bool complete = length == ANSWER_SIZE || is_last_word(talk->words, text);
        if (!complete)
            continue;
        prompt = false;
        if (!react(link, talk, text, &done, cancel, error))
            return false;
        length = 0;
    }
    return true;
}

static bool mode_attempt(MkLink *link, gpointer user_data, GCancellable *cancel, GError **error)
{
    Talk *talk = user_data;
    if (!read_ready(link, cancel, error))
        return false;
    mk_link_note(link, "boot mode %s", talk->words->token);
    g_string_truncate(talk->heard, 0);
    return mk_link_write(link, talk->words->token, ANSWER_SIZE, MK_BOOT_ECHO_TIMEOUT, cancel, error) &&
           hear(link, talk, cancel, error) && mk_link_set_lines(link, false, false, error);
}

/* --- the port that appears ------------------------------------------------------------------------------------------------ */

static GHashTable *serial_ports(void)
{
    GHashTable *ports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GDir) dir = g_dir_open("/dev", 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        if (g_str_has_prefix(name, "ttyACM") || g_str_has_prefix(name, "ttyUSB"))
            g_hash_table_add(ports, g_build_filename("/dev", name, NULL));
    }
    return ports;
}

static char *new_serial_port(GHashTable *before)
{
    g_autoptr(GHashTable) now = serial_ports();
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, now);
    while (g_hash_table_iter_next(&iter, &name, NULL)) {
        if (!g_hash_table_contains(before, name))
            return g_strdup(name);
    }
    return NULL;
}

/* The same port again after it was gone, or another serial port that was not there before. */
static char *wait_for_new_port(const char *port, GHashTable *before, int timeout, GCancellable *cancel)
{
    gint64 start = g_get_monotonic_time();
    bool is_file = port[0] == '/';
    bool gone = !is_file;
    while (mk_boot_left(start, timeout) != 0 && !g_cancellable_is_cancelled(cancel)) {
        bool there = is_file && g_file_test(port, G_FILE_TEST_EXISTS);
        if (is_file && !there) {
            gone = true;
            g_hash_table_remove(before, port);
        }
        char *other = new_serial_port(before);
        if (other)
            return other;
        if (is_file && gone && there)
            return g_strdup(port);
        g_usleep(10000);
    }
    return NULL;
}

/* The same place on the bus again, in another mode than before; NULL if it stays away. */
static char *wait_on_bus(const char *path, int timeout, MkBootStateFunc state, gpointer user_data, GCancellable *cancel)
{
    gint64 start = g_get_monotonic_time();
    g_autoptr(MkWatch) watch = mk_watch_open(NULL);
    MkWatchEvent event = MK_WATCH_CAME;
    const MkWatchPhone *phone;
    while (watch && mk_boot_left(start, timeout) != 0 &&
           mk_watch_next(watch, mk_boot_left(start, timeout), &event, &phone, cancel, NULL)) {
        if (event != MK_WATCH_CAME || strcmp(phone->path, path) != 0 || phone->mode == MK_USB_PRELOADER ||
            phone->mode == MK_USB_BOOTROM)
            continue;
        if (state) {
            g_autofree char *words = mk_watch_phone_words(phone);
            g_autofree char *line = g_strdup_printf("%s (%04X:%04X)", words, phone->vid, phone->pid);
            state(line, user_data);
        }
        return g_strdup(path);
    }
    return NULL;
}

bool mk_boot_mode(const char *port, MkBootMode mode, int timeout, int wait_port, MkTrace *trace, MkBootStateFunc state,
                  gpointer user_data, char **answer, char **new_port, GCancellable *cancel, GError **error)
{
    Talk talk = {.words = &modes[mode], .heard = g_string_new(NULL)};
    g_autoptr(GHashTable) before = serial_ports();
    g_autoptr(MkLink) link = NULL;
    bool good = mk_boot_catch(port, timeout, trace, state, user_data, mode_attempt, &talk, &link, cancel, error);
    char *heard = g_string_free(talk.heard, FALSE);
    if (answer)
        *answer = g_steal_pointer(&heard);
    g_free(heard);
    if (new_port)
        *new_port = NULL;
    if (!good)
        return false;
    g_autofree char *path = mk_link_can_follow(link) ? g_strdup(mk_link_name(link)) : NULL;
    g_clear_pointer(&link, mk_link_free);
    if (wait_port > 0 && new_port)
        *new_port = path ? wait_on_bus(path, wait_port, state, user_data, cancel)
                         : wait_for_new_port(port, before, wait_port, cancel);
    return true;
}
