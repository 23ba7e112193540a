#include "phone/fault-injection.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

typedef enum { UNPLUG, FLIP, SILENCE, BROWNOUT, STALL } Kind;

static const char *const kinds[] = {"unplug", "flip", "silence", "brownout", "stall"};

typedef struct {
    Kind kind;
    bool input;
    uint64_t after;
} WireFault;

typedef struct {
    unsigned kind; /* index into `things` */
    MkRegion region;
    uint64_t value, length;
} Thing;

struct _MkFaults {
    MkMachine *machine;
    GMutex lock;
    GArray *things;  /* of Thing */
    GArray *waiting; /* of WireFault */
    uint64_t passed[2];
    bool silent;
};

MkFaults *mk_faults_new(MkMachine *machine)
{
    MkFaults *faults = g_new0(MkFaults, 1);
    faults->machine = machine;
    faults->things = g_array_new(false, false, sizeof(Thing));
    g_mutex_init(&faults->lock);
    faults->waiting = g_array_new(false, false, sizeof(WireFault));
    return faults;
}

void mk_faults_free(MkFaults *faults)
{
    if (!faults)
        return;
    g_array_unref(faults->waiting);
    g_array_unref(faults->things);
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

/* What is done to the phone itself rather than to bytes on the wire. */
enum { NO_STORAGE, NO_PMIC, AUTH_REFUSED, NO_STAGE2, NO_DRAM, TEAR, SLOW, WATCHDOG, DROP, CUT, LATE, WORN, STATUS };
static const char *const things[] = {[NO_STORAGE] = "no-storage",
                                     [NO_PMIC] = "no-pmic",
                                     [AUTH_REFUSED] = "auth-refused",
                                     [NO_STAGE2] = "no-stage2",
                                     [NO_DRAM] = "no-dram",
                                     [TEAR] = "tear=",
                                     [SLOW] = "slow=",
                                     [WATCHDOG] = "watchdog=",
                                     [DROP] = "drop=",
                                     [CUT] = "cut=",
                                     [LATE] = "late=",
                                     [WORN] = "worn=",
                                     [STATUS] = "status="};

static bool parse_worn(const char *text, Thing *thing)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 3);
    return g_strv_length(parts) == 3 && mk_region_from_name(parts[0], &thing->region) &&
           mk_parse_size(parts[1], &thing->value) && mk_parse_size(parts[2], &thing->length);
}

static bool parse_status(const char *text, Thing *thing)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    return g_strv_length(parts) == 2 && mk_parse_size(parts[0], &thing->value) &&
           mk_parse_size(parts[1], &thing->length) && thing->value && thing->value <= G_MAXUINT && thing->length &&
           thing->length <= UINT32_MAX;
}

static uint64_t limit_of(unsigned kind)
{
    return kind == WATCHDOG ? G_MAXINT / 1000 : kind == DROP || kind == CUT || kind == LATE ? G_MAXINT : UINT64_MAX;
}

static bool parse_thing(const char *text, Thing *thing)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(things); i++) {
        const char *value = text + strlen(things[i]);
        if (!g_str_has_prefix(text, things[i]))
            continue;
        thing->kind = i;
        if (i < TEAR)
            return !*value;
        if (i == WORN)
            return parse_worn(value, thing);
        if (i == STATUS)
            return parse_status(value, thing);
        return mk_parse_size(value, &thing->value) && thing->value <= limit_of(i);
    }
    return false;
}

static void happen(MkMachine *machine, const Thing *thing)
{
    switch (thing->kind) {
    case NO_STORAGE: mk_chip_set_absent(machine->chip, true); break;
    case NO_PMIC: machine->pmic_fails = true; break;
    case AUTH_REFUSED: machine->auth_refused = true; break;
    case NO_STAGE2: machine->stage2_dead = true; break;
    case NO_DRAM: machine->dram_fails = true; break;
    case DROP:
    case CUT:
        machine->frame_fault = (unsigned)thing->value;
        machine->frame_cut = thing->kind == CUT;
        break;
    case LATE: machine->late_fault = (unsigned)thing->value; break;
    case TEAR: mk_chip_inject_tear(machine->chip, thing->value); break;
    case SLOW: mk_chip_inject_slow(machine->chip, thing->value); break;
    case WATCHDOG: machine->watchdog_seconds = (unsigned)thing->value; break;
    case STATUS:
        machine->packet_fault = (unsigned)thing->value;
        machine->packet_status = (uint32_t)thing->length;
        break;
    case WORN: mk_chip_inject_worn(machine->chip, thing->region, thing->value, thing->length); break;
    }
}

bool mk_faults_add(MkFaults *faults, const char *text, GError **error)
{
    WireFault fault;
    Thing thing;
    bool wire = parse_wire(text, &fault), good = wire || parse_thing(text, &thing);
    if (!good) {
        mk_fault_set(error, MK_FAULT_USAGE,
                     _("There is no fault \"%s\"; there are unplug, flip, silence, brownout and stall @rx:N or @tx:N, "
                       "worn=REGION:OFFSET:LENGTH, tear=N, slow=N, status=N:CODE, drop=N, cut=N, late=N, no-storage, "
                       "no-pmic, auth-refused, no-stage2, no-dram, watchdog=N."),
                     text);
        return false;
    }
    if (wire && fault.kind == STALL && !faults->machine->reappear) {
        mk_fault_set(error, MK_FAULT_USAGE, _("Only a phone on USB can stall: --link usbip."));
        return false;
    }
    g_mutex_lock(&faults->lock);
    if (wire)
        g_array_append_val(faults->waiting, fault);
    else
        g_array_append_val(faults->things, thing);
    g_mutex_unlock(&faults->lock);
    return true;
}

static void settle(MkFaults *faults)
{
    for (guint i = 0; i < faults->things->len; i++)
        happen(faults->machine, &g_array_index(faults->things, Thing, i));
    g_array_set_size(faults->things, 0);
}

void mk_faults_settle(MkFaults *faults)
{
    g_mutex_lock(&faults->lock);
    settle(faults);
    g_mutex_unlock(&faults->lock);
}

static MkTrouble fire(MkFaults *faults, Kind kind, size_t place, uint8_t *data, size_t *length)
{
    if (kind == FLIP) {
        data[place] ^= 1;
        return MK_TROUBLE_NONE;
    }
    if (kind == STALL)
        return MK_TROUBLE_STALL;
    *length = place;
    faults->silent = faults->silent || kind == SILENCE;
    return kind == UNPLUG ? MK_TROUBLE_UNPLUG : kind == BROWNOUT ? MK_TROUBLE_BROWNOUT : MK_TROUBLE_NONE;
}

MkTrouble mk_faults_pass(MkFaults *faults, bool input, uint8_t *data, size_t *length)
{
    MkTrouble trouble = MK_TROUBLE_NONE;
    g_mutex_lock(&faults->lock);
    settle(faults);
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
