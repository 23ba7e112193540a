/* Replays the vectors against a device of a profile; and what the tests of BootROM and preloader share. */
#pragma once

#include "device.h"
#include "phone/commands.h"
#include "proto/bootrom.h"
#include "vectors.h"

#include <stdio.h>

#define QUIET_MS 5000 /* an answer that is due comes at once; this is only reached when the test fails */

typedef struct {
    const char *profile;
    uint16_t hw_code;
    MkPreloaderGeneration generation;
    bool duplicate_a0, region_assert;
    const char *meta;
} Profile;

static const Profile profiles[] = {
    {"rom", 0x0766, MK_PL3, false, false, "v2"},
    {"pl1-6577", 0x6577, MK_PL1, false, true, "old"},
    {"pl1-6589", 0x6583, MK_PL1, false, true, "old"},
    {"pl1-6582", 0x6582, MK_PL1, false, true, "old"},
    {"pl1-6580", 0x6580, MK_PL1, false, false, "worldphone"},
    {"pl1-6735", 0x0321, MK_PL1, false, true, "worldphone"},
    {"pl2-6735", 0x0321, MK_PL2, false, false, "worldphone"},
    {"pl2-6755", 0x0326, MK_PL2, true, false, "worldphone"},
    {"pl3-6739", 0x0699, MK_PL3, true, false, "worldphone"},
    {"pl3-6765", 0x0766, MK_PL3, true, false, "v2"},
};

static GPtrArray *all;

static inline void word(Device *device, uint32_t address, uint32_t value)
{
    g_hash_table_insert(device->machine.memory, GUINT_TO_POINTER(address), GUINT_TO_POINTER(value));
}

static inline void read_config(Device *device, const Vector *vector)
{
    MkModel *model = &device->model;
    unsigned value, other;
    const char *config = vector->config ? vector->config : "", *place;
    if ((place = strstr(config, "hw_code ")) && sscanf(place, "hw_code %x", &value) == 1)
        model->hw_code = (uint16_t)value;
    if ((place = strstr(config, "hw_subcode ")) && sscanf(place, "hw_subcode %x", &value) == 1)
        model->hw_sub_code = (uint16_t)value;
    if ((place = strstr(config, "hw_ver ")) && sscanf(place, "hw_ver %x sw_ver %x", &value, &other) == 2) {
        model->hw_version = (uint16_t)value;
        model->sw_version = (uint16_t)other;
    }
    if (sscanf(config, "config bits %x", &value) == 1)
        model->target_config = value;
    if (strstr(config, "DA verification on"))
        model->target_config |= MK_CONFIG_DAA;
    if (strstr(config, "META forbidden"))
        model->target_config |= MK_CONFIG_SBC | MK_CONFIG_SLA;
    device->machine.pmic_fails = strstr(config, "PMIC access fails");
    device->machine.auth_refused = strcmp(vector->name, "send-auth-rejected") == 0;
    if (g_str_has_prefix(vector->name, "jump-da64"))
        device->machine.da_address = 0x02000000; /* the vectors leave out how it came there */
    if (strcmp(vector->name, "send-da-needs-sla") == 0)
        model->target_config |= MK_CONFIG_SLA;
    if (strcmp(vector->name, "session-brom-mt6765") == 0)
        model->target_config = MK_CONFIG_SBC | MK_CONFIG_DAA;
}

/* Some ROM vectors speak of one chip's addresses. */
static inline uint16_t chip_of(const Vector *vector, const Profile *profile)
{
    if (strcmp(vector->name, "send-da-odd") == 0 || strstr(vector->name, "brom-mt6589"))
        return 0x6583;
    return profile->hw_code;
}

static inline void make(Device *device, const Vector *vector, const Profile *profile)
{
    memset(device, 0, sizeof *device);
    MkModel *model = &device->model;
    model->hw_code = chip_of(vector, profile);
    model->hw_sub_code = 0x8A00;
    model->hw_version = 0xCA00;
    model->brom_version = 5;
    model->pl_generation = profile->generation;
    model->duplicate_a0 = profile->duplicate_a0;
    model->region_assert = profile->region_assert;
    model->meta_variant = (char *)profile->meta;
    model->window_ms = MK_BROM_HANDSHAKE_TIMEOUT_MS;
    model->preloader_da_max = 0x40000;
    model->has_me_id = model->has_soc_id = true;
    for (unsigned i = 0; i < sizeof model->me_id; i++)
        model->me_id[i] = (uint8_t)(0x10 + i);
    for (unsigned i = 0; i < sizeof model->soc_id; i++)
        model->soc_id[i] = (uint8_t)(0x40 + i);
    read_config(device, vector);
    model->soc = mk_soc_by_code(model->hw_code, 0);
    g_assert_nonnull(model->soc);
}

static inline void presets(Device *device)
{
    word(device, 0x10007000, 0x22000065);
    word(device, 0x10007004, 0x0000FFE0);
    word(device, 0xC0000000, 0x2265);
    word(device, 0x80000008, 0x6261);
    g_hash_table_insert(device->machine.pmic, GUINT_TO_POINTER(0x0100), GUINT_TO_POINTER(0x1223));
}

static const char ready[] = MK_BROM_READY;

/* Answers are compared as a stream: a READY that came while the host was busy is not part of them. */
static inline void expect(Device *device, const Vector *vector, const GByteArray *bytes)
{
    g_autofree uint8_t *got = g_malloc(bytes->len);
    size_t n = device_receive(device, got, bytes->len, QUIET_MS);
    bool ready_due = bytes->len == 5 && memcmp(bytes->data, ready, 5) == 0;
    while (!ready_due && n == bytes->len && n > 0 && got[0] == 'R') {
        uint8_t rest[4];
        size_t in_got = MIN(n, 5);
        if (in_got < 5)
            g_assert_cmpuint(device_receive(device, rest, 5 - in_got, QUIET_MS), ==, 5 - in_got);
        memmove(got, got + in_got, n - in_got);
        n = n - in_got + device_receive(device, got + n - in_got, in_got, QUIET_MS);
    }
    if (n != bytes->len || memcmp(got, bytes->data, n) != 0)
        g_test_message("%s", vector->name);
    g_assert_cmpmem(got, n, bytes->data, bytes->len);
}

static inline void play(Device *device, const Vector *vector)
{
    for (guint i = 0; i < vector->moves->len; i++) {
        const Move *move = vector->moves->pdata[i];
        if (move->from_host)
            device_send(device, move->bytes->data, move->bytes->len);
        else
            expect(device, vector, move->bytes);
        /* The loop of a preloader takes 20 ms: an A0 that wakes it must have been taken before the next comes. */
        const Move *next = i + 1 < vector->moves->len ? vector->moves->pdata[i + 1] : NULL;
        if (move->from_host && move->bytes->data[0] == 0xA0 && next && next->from_host)
            device_settle(device);
    }
}

/* The loop is entered without the handshake where a vector begins in it: the handshake has vectors of its own. */
static inline MkNext loop_rom(MkMachine *machine)
{
    MkCommands commands = {.machine = machine, .rom = true, .da_accepted = machine->da_address != 0};
    return mk_commands_run(&commands);
}

static inline MkNext loop_preloader(MkMachine *machine)
{
    MkCommands commands = {.machine = machine};
    return mk_commands_run(&commands);
}

static inline void replay(const Vector *vector, const Profile *profile)
{
    bool rom = strcmp(profile->profile, "rom") == 0;
    bool handshakes = strcmp(vector->start, "listen") == 0 || strcmp(vector->start, "unsynced") == 0;
    Device device;
    make(&device, vector, profile);
    device_start(&device, handshakes ? (rom ? mk_bootrom_run : mk_preloader_run) : rom ? loop_rom : loop_preloader);
    presets(&device);
    if (strcmp(vector->start, "send-da-even") == 0)
        play(&device, vector_find(all, "send-da-even"));
    if (strcmp(vector->name, "sla-already") == 0)
        play(&device, vector_find(all, "sla"));
    play(&device, vector);
    uint8_t more;
    bool silent = handshakes || device_receive(&device, &more, 1, 5) == 0;
    MkNext next = device_end(&device);
    if (!silent || (vector->asserts && next != MK_NEXT_BOOTROM))
        g_test_message("%s: more than expected, or no assert", vector->name);
    g_assert_true(silent);
    g_assert_true(!vector->asserts || next == MK_NEXT_BOOTROM);
}

static inline bool can_be_replayed(const Vector *vector)
{
    static const char *const without[] = {
        "send-da-too-long-pl3", /* its payload is told, not shown: below */
        "read16-legacy-a2-iot", /* another line of chips */
        "session-brom-mt6589",  /* ends with the agent's first byte */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(without); i++)
        if (strcmp(vector->name, without[i]) == 0)
            return false;
    return true;
}

typedef struct {
    const Vector *vector;
    const Profile *profile;
} Pair;

static inline gpointer replay_thread(gpointer data)
{
    g_autofree Pair *pair = data;
    replay(pair->vector, pair->profile);
    return NULL;
}

/* Most of a vector's time is waiting for the clock of the preloader: they wait together. */
static inline void test_vectors(gconstpointer data)
{
    g_autoptr(GPtrArray) threads = g_ptr_array_new();
    for (guint i = 0; i < all->len; i++) {
        const Vector *vector = all->pdata[i];
        if (!vector_is_for(vector, ((const Profile *)data)->profile) || !can_be_replayed(vector))
            continue;
        Pair *pair = g_new(Pair, 1);
        *pair = (Pair){vector, data};
        g_ptr_array_add(threads, g_thread_new("replay", replay_thread, pair));
    }
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
    g_test_message("%u vectors", threads->len);
    g_assert_cmpuint(threads->len, >=, 40);
}

static inline void simple(Device *device, uint16_t hw_code, uint32_t config)
{
    static const Vector nothing = {.name = (char *)""};
    static Profile profile;
    profile = (Profile){"", hw_code, MK_PL3, true, false, "v2"};
    make(device, &nothing, &profile);
    device->model.target_config = config;
}

/* A command whose answer is checked at once. */
static inline void ask(Device *device, const void *out, size_t out_length, const void *in, size_t in_length)
{
    g_autofree uint8_t *got = g_malloc(in_length);
    device_send(device, out, out_length);
    g_assert_cmpmem(got, device_receive(device, got, in_length, QUIET_MS), in, in_length);
}

static inline void ask_echo(Device *device, const void *bytes, size_t length)
{
    ask(device, bytes, length, bytes, length);
}

static inline void send_da_header(Device *device, uint32_t address, uint32_t length, uint32_t signature)
{
    uint32_t words[] = {GUINT32_TO_BE(address), GUINT32_TO_BE(length), GUINT32_TO_BE(signature)};
    ask_echo(device, "\xD7", 1);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        ask_echo(device, &words[i], 4);
}

static inline void replay_add(size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        g_autofree char *path = g_strconcat("/vectors/", profiles[i].profile, NULL);
        g_test_add_data_func(path, &profiles[i], test_vectors);
    }
}
