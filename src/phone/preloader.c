/* The preloader's window on the cable: READY, the start handshake, boot-mode tokens (spec brom.md 4.2, 9). */
#include "phone/commands.h"
#include "proto/bootrom.h"

#include <string.h>

#define TOKEN          8
#define PARAMETER_V1   12
#define PARAMETER_V2   16
#define DISCONNECT     10
#define HOST_CLOSES_MS 1000
#define ENUMERATION_MS 8000 /* from soft-connect to SET_CONFIGURATION (spec brom.md 3.1) */

typedef struct {
    const char *token, *answer, *late_answer; /* `late_answer` where META knows the world phone exchange */
    bool guarded;                             /* refused on secured phones */
    bool parameters;                          /* an optional v1 block may stand before the answer */
    bool disconnect;                          /* late: the host says DISCONNECT */
    MkNext next;
} Token;

static const Token tokens[] = {
    {"METAMETA", "ATEMATEM", "ATEMATEX", true, true, true, MK_NEXT_META},
    {"ADVEMETA", "ATEMEVDA", "ATEMEVDX", true, false, true, MK_NEXT_META},
    {"FACTFACT", "TCAFTCAF", "TCAFTCAF", true, true, false, MK_NEXT_FACTORY},
    {"FACTORYM", "MYROTCAF", "MYROTCAF", true, true, false, MK_NEXT_FACTORY},
    {"FASTBOOT", "TOOBTSAF", "TOOBTSAF", false, false, false, MK_NEXT_FASTBOOT},
    {"AT+NBOOT", "AT+OK", "AT+OK", false, false, false, MK_NEXT_BOOT},
    {"AT+", "AT+UNKONWN", "AT+UNKONWN", false, false, false, MK_NEXT_BOOT},
};

static void say(MkMachine *machine, const char *text)
{
    mk_wire_write(machine->wire, text, strlen(text));
}

/* What the host may send and need not: the preloader goes on when the time is over. */
static void take_optional(MkMachine *machine, size_t length, int milliseconds)
{
    uint8_t ignored[PARAMETER_V2];
    mk_wire_read(machine->wire, ignored, length, milliseconds);
}

static bool is_late(const MkModel *model)
{
    return model->meta_variant && strcmp(model->meta_variant, "old") != 0;
}

static bool forbids(const MkModel *model)
{
    return model->target_config & (model->pl_generation == MK_PL1 ? MK_CONFIG_SBC : MK_CONFIG_SLA);
}

static void exchange(MkMachine *machine, const Token *token)
{
    bool late = is_late(machine->model);
    if (late && strcmp(token->token, "METAMETA") == 0) {
        take_optional(machine, PARAMETER_V1, 2000);
        say(machine, "ATEM0001");
        take_optional(machine, PARAMETER_V1, 5000);
        if (strcmp(machine->model->meta_variant, "v2") == 0) {
            say(machine, "ATEM0002");
            take_optional(machine, PARAMETER_V2, 5000);
        }
    } else if (token->parameters) {
        take_optional(machine, PARAMETER_V1, 5);
    }
    say(machine, late ? token->late_answer : token->answer);
    if (late && token->disconnect)
        take_optional(machine, DISCONNECT, 1000);
}

static MkNext boot_mode(MkMachine *machine, const char text[TOKEN])
{
    const Token *token = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(tokens) && !token; i++)
        if (strncmp(text, tokens[i].token, strlen(tokens[i].token)) == 0)
            token = &tokens[i];
    if (!token) {
        mk_machine_log(machine, "preloader: a token nobody knows, boots on");
        return MK_NEXT_BOOT;
    }
    if (token->guarded && forbids(machine->model)) {
        say(machine, "METAFORB");
        return MK_NEXT_BOOT;
    }
    mk_machine_log(machine, "preloader: token %.8s", text);
    exchange(machine, token);
    for (int waited = 0; token->next != MK_NEXT_BOOT && waited < HOST_CLOSES_MS; waited += MK_BROM_READY_PERIOD_MS)
        if (mk_wire_host_closed(machine->wire) || mk_wire_pause(machine->wire, MK_BROM_READY_PERIOD_MS) != MK_WIRE_OK)
            break;
    return token->next;
}

/* The 300 ms that an A0 opens. OK: the handshake is done; TIMEOUT: READY goes on. */
static MkWireResult start(MkMachine *machine)
{
    static const uint8_t expected[] = MK_BROM_START_BYTES;
    gint64 end = g_get_monotonic_time() + MK_BROM_START_WINDOW_MS * G_TIME_SPAN_MILLISECOND;
    for (size_t i = 0; i < sizeof expected;) {
        gint64 left = (end - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND;
        uint8_t byte, answer;
        MkWireResult result = mk_wire_read(machine->wire, &byte, 1, (int)MAX(left, 0));
        if (result != MK_WIRE_OK)
            return result;
        if (i > 0 && byte == expected[0] && machine->model->duplicate_a0) {
            i = 1;
            continue;
        }
        answer = byte == expected[i] ? (uint8_t)~byte : (uint8_t)(byte + 1);
        i = byte == expected[i] ? i + 1 : 0;
        result = mk_wire_write(machine->wire, &answer, 1);
        if (result != MK_WIRE_OK)
            return result;
    }
    return MK_WIRE_OK;
}

static MkNext serve(MkMachine *machine)
{
    mk_machine_log(machine, "preloader: handshake");
    MkCommands commands = {.machine = machine};
    return mk_commands_run(&commands);
}

/* The window begins when a host has chosen the configuration. */
static MkWireResult wait_enumerated(MkMachine *machine)
{
    gint64 end = g_get_monotonic_time() + ENUMERATION_MS * G_TIME_SPAN_MILLISECOND;
    while (!mk_wire_enumerated(machine->wire)) {
        if (mk_wire_pause(machine->wire, MK_BROM_READY_PERIOD_MS) != MK_WIRE_OK)
            return MK_WIRE_GONE;
        if (!machine->preloader_stays && g_get_monotonic_time() >= end)
            return MK_WIRE_TIMEOUT;
    }
    return MK_WIRE_OK;
}

MkNext mk_preloader_run(MkMachine *machine)
{
    machine->dram_up = true;
    MkWireResult enumerated = wait_enumerated(machine);
    if (enumerated != MK_WIRE_OK)
        return enumerated == MK_WIRE_TIMEOUT ? MK_NEXT_BOOT : MK_NEXT_GONE;
    gint64 end = g_get_monotonic_time() + machine->model->window_ms * G_TIME_SPAN_MILLISECOND;
    char token[TOKEN];
    size_t have = 0;
    while (machine->preloader_stays || g_get_monotonic_time() < end) {
        if (mk_wire_tool_present(machine->wire) && mk_wire_takes_output(machine->wire))
            say(machine, MK_BROM_READY);
        /* A pass of the real loop takes as long: what comes within it is one chunk. */
        if (mk_wire_pause(machine->wire, MK_BROM_READY_PERIOD_MS) != MK_WIRE_OK)
            return MK_NEXT_GONE;
        size_t got = 0;
        if (!mk_wire_waiting(machine->wire))
            continue;
        if (mk_wire_read_some(machine->wire, token + have, sizeof token - have, &got, 0) == MK_WIRE_GONE)
            return MK_NEXT_GONE;
        if (got && (uint8_t)token[have] == 0xA0) {
            MkWireResult result = start(machine);
            if (result != MK_WIRE_TIMEOUT)
                return result == MK_WIRE_OK ? serve(machine) : MK_NEXT_GONE;
            continue;
        }
        have += got;
        if (have == sizeof token)
            return boot_mode(machine, token);
    }
    return MK_NEXT_BOOT;
}
