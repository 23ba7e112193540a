#include "phone/fault-injection.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

typedef enum { UNPLUG, FLIP, SILENCE, BROWNOUT } Kind;

static const char *const kinds[] = {"unplug", "flip", "silence", "brownout"};

typedef struct {
    Kind kind;
    bool input;
    uint64_t after;
} WireFault;

struct _MkFaults {
    GMutex lock;
    GArray *waiting; /* of WireFault */
    uint64_t passed[2];
    bool silent;
};

MkFaults *mk_faults_new(void)
{
    MkFaults *faults = g_new0(MkFaults, 1);
    g_mutex_init(&faults->lock);
    faults->waiting = g_array_new(false, false, sizeof(WireFault));
    return faults;
}

void mk_faults_free(MkFaults *faults)
{
    if (!faults)
        return;
    g_array_unref(faults->waiting);
    g_mutex_clear(&faults->lock);
    g_free(faults);
}

/* KIND@rx:N or KIND@tx:N */
static bool parse_wire(const char *text, WireFault *fault)
{
    const char *at = strchr(text, '@');
    if (!at || (!g_str_has_prefix(at, "@rx:") && !g_str_has_prefix(at, "@tx:")))
        return false;
    fault->input = at[1] == 'r';
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        fault->kind = (Kind)i;
        if (strlen(kinds[i]) == (size_t)(at - text) && strncmp(text, kinds[i], (size_t)(at - text)) == 0)
            return mk_parse_size(at + 4, &fault->after);
    }
    return false;
}

static bool wear(MkMachine *machine, const char *value)
{
    g_auto(GStrv) parts = g_strsplit(value, ":", 3);
    MkRegion region;
    uint64_t offset, length;
    if (g_strv_length(parts) != 3 || !mk_region_from_name(parts[0], &region) || !mk_parse_size(parts[1], &offset) ||
        !mk_parse_size(parts[2], &length))
        return false;
    mk_chip_inject_worn(machine->chip, region, offset, length);
    return true;
}

static bool inject(MkMachine *machine, const char *text)
{
    const char *equals = strchr(text, '=');
    uint64_t value;
    if (strcmp(text, "no-storage") == 0)
        mk_chip_set_absent(machine->chip, true);
    else if (strcmp(text, "no-pmic") == 0)
        machine->pmic_fails = true;
    else if (strcmp(text, "auth-refused") == 0)
        machine->auth_refused = true;
    else if (g_str_has_prefix(text, "worn="))
        return wear(machine, text + 5);
    else if (!equals || !mk_parse_size(equals + 1, &value))
        return false;
    else if (g_str_has_prefix(text, "tear="))
        mk_chip_inject_tear(machine->chip, value);
    else if (g_str_has_prefix(text, "slow="))
        mk_chip_inject_slow(machine->chip, value);
    else if (g_str_has_prefix(text, "watchdog=") && value <= G_MAXINT / 1000)
        machine->watchdog_seconds = (unsigned)value;
    else
        return false;
    return true;
}

bool mk_faults_add(MkFaults *faults, MkMachine *machine, const char *text, GError **error)
{
    WireFault fault;
    if (parse_wire(text, &fault)) {
        g_mutex_lock(&faults->lock);
        g_array_append_val(faults->waiting, fault);
        g_mutex_unlock(&faults->lock);
        return true;
    }
    if (inject(machine, text))
        return true;
    mk_fault_set(error, MK_FAULT_USAGE,
                 _("There is no fault \"%s\"; there are unplug, flip, silence and brownout @rx:N or @tx:N, "
                   "worn=REGION:OFFSET:LENGTH, tear=N, slow=N, no-storage, no-pmic, auth-refused, watchdog=N."),
                 text);
    return false;
}

static MkTrouble fire(MkFaults *faults, Kind kind, size_t place, uint8_t *data, size_t *length)
{
    if (kind == FLIP) {
        data[place] ^= 1;
        return MK_TROUBLE_NONE;
    }
    *length = place;
    faults->silent = faults->silent || kind == SILENCE;
    return kind == UNPLUG ? MK_TROUBLE_UNPLUG : kind == BROWNOUT ? MK_TROUBLE_BROWNOUT : MK_TROUBLE_NONE;
}

MkTrouble mk_faults_pass(MkFaults *faults, bool input, uint8_t *data, size_t *length)
{
    MkTrouble trouble = MK_TROUBLE_NONE;
    g_mutex_lock(&faults->lock);
    uint64_t before = faults->passed[input];
    if (faults->silent)
        *length = 0;
    for (guint i = 0; i < faults->waiting->len && trouble == MK_TROUBLE_NONE;) {
        WireFault fault = g_array_index(faults->waiting, WireFault, i);
        if (fault.input != input || fault.after < before || fault.after - before >= *length) {
            i++;
            continue;
        }
        g_array_remove_index(faults->waiting, i);
        trouble = fire(faults, fault.kind, (size_t)(fault.after - before), data, length);
    }
    faults->passed[input] += *length;
    g_mutex_unlock(&faults->lock);
    return trouble;
}

uint64_t mk_faults_passed(MkFaults *faults, bool input)
{
    g_mutex_lock(&faults->lock);
    uint64_t passed = faults->passed[input];
    g_mutex_unlock(&faults->lock);
    return passed;
}

void mk_faults_power_lost(MkFaults *faults)
{
    g_mutex_lock(&faults->lock);
    faults->silent = false;
    g_mutex_unlock(&faults->lock);
}
