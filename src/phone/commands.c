#include "phone/commands.h"

#include "core/bytes.h"
#include "proto/bootrom.h"

bool mk_commands_send(MkCommands *c, const void *data, size_t length)
{
    c->gone = c->gone || mk_wire_write(c->machine->wire, data, length) != MK_WIRE_OK;
    return !c->gone;
}

bool mk_commands_take(MkCommands *c, void *data, size_t length)
{
    c->gone = c->gone || mk_wire_read(c->machine->wire, data, length, -1) != MK_WIRE_OK;
    return !c->gone;
}

bool mk_commands_echo32(MkCommands *c, uint32_t *value)
{
    uint8_t raw[4];
    if (!mk_commands_take(c, raw, 4))
        return false;
    *value = mk_be32(raw);
    return mk_commands_send(c, raw, 4);
}

bool mk_commands_echo16(MkCommands *c, uint16_t *value)
{
    uint8_t raw[2];
    if (!mk_commands_take(c, raw, 2))
        return false;
    *value = mk_be16(raw);
    return mk_commands_send(c, raw, 2);
}

bool mk_commands_status(MkCommands *c, uint16_t status)
{
    uint8_t raw[2] = {(uint8_t)(status >> 8), (uint8_t)status};
    return mk_commands_send(c, raw, 2);
}

void mk_commands_end(MkCommands *c, MkNext next)
{
    c->leave = true;
    c->next = next;
}

void mk_commands_assert(MkCommands *c, const char *why)
{
    mk_machine_log(c->machine, "preloader: assert: %s", why);
    /* 30 s on MT6589-era trees, 5 s later (spec brom.md 3.2) */
    c->machine->bootrom_seconds = c->machine->model->region_assert && c->machine->model->hw_code >= 0x6000 ? 30 : 5;
    mk_commands_end(c, MK_NEXT_BOOTROM);
}

uint16_t mk_commands_sum16(const uint8_t *data, size_t length)
{
    uint16_t sum = 0;
    for (size_t i = 0; i + 1 < length; i += 2)
        sum ^= mk_le16(data + i);
    return length % 2 ? sum ^ data[length - 1] : sum;
}

static void send_id(MkCommands *c, const void *id, uint32_t length)
{
    g_autoptr(GByteArray) answer = g_byte_array_new();
    mk_put_be32(answer, length);
    g_byte_array_append(answer, id, length);
    mk_put_be16(answer, 0);
    mk_commands_send(c, answer->data, answer->len);
}

/* The newer of the two commands ends with a status (spec brom.md 6.7). */
static void send_log(MkCommands *c, bool status)
{
    static const char log[] = "[BR] ok\n";
    g_autoptr(GByteArray) answer = g_byte_array_new();
    mk_put_be32(answer, sizeof log - 1);
    mk_put_text(answer, log, sizeof log - 1);
    if (status)
        mk_put_be16(answer, 0);
    mk_commands_send(c, answer->data, answer->len);
}

static void send_words(MkCommands *c, unsigned n, const uint16_t *words)
{
    for (unsigned i = 0; i < n; i++)
        mk_commands_status(c, words[i]);
}

static bool identification(MkCommands *c, uint8_t command)
{
    const MkModel *model = c->machine->model;
    bool pl3 = !c->rom && model->pl_generation >= MK_PL3;
    switch (command) {
    case MK_BROM_GET_HW_CODE: send_words(c, 2, (uint16_t[]){model->hw_code, 0}); return true;
    case MK_BROM_GET_HW_SW_VER:
        send_words(c, 4, (uint16_t[]){model->hw_sub_code, model->hw_version, model->sw_version, 0});
        return true;
    case MK_BROM_GET_TARGET_CONFIG: {
        uint32_t config = c->rom ? model->target_config : model->target_config & 7;
        send_words(c, 3, (uint16_t[]){(uint16_t)(config >> 16), (uint16_t)config, 0});
        return true;
    }
    case MK_BROM_GET_PL_CAP:
        if (pl3)
            send_words(c, 4, (uint16_t[]){0, 7, 0, 0});
        return pl3;
    case MK_BROM_GET_ME_ID:
        if (!pl3 && !(c->rom && model->has_me_id))
            return false;
        send_id(c, model->me_id, sizeof model->me_id);
        return true;
    case MK_BROM_GET_SOC_ID:
        if (!pl3 && !(c->rom && model->has_soc_id))
            return false;
        send_id(c, model->soc_id, sizeof model->soc_id);
        return true;
    case MK_BROM_UART1_LOG_EN: mk_commands_status(c, 0); return true;
    case MK_BROM_GET_LOG_NEW:
    case MK_BROM_DEBUGLOG:
        if (c->rom)
            send_log(c, command == MK_BROM_GET_LOG_NEW);
        return c->rom;
    default: return false;
    }
}

static void one(MkCommands *c, uint8_t command)
{
    const MkModel *model = c->machine->model;
    uint8_t answer = command;
    /* Two answers stand in the place of the echo (spec brom.md 5). */
    if (command == MK_BROM_GET_BL_VER && !c->rom)
        answer = (uint8_t)model->pl_generation;
    else if (command == MK_BROM_GET_VERSION && c->rom)
        answer = model->brom_version;
    if (!mk_commands_send(c, &answer, 1))
        return;
    if (!identification(c, command) && !mk_commands_memory(c, command) && !mk_commands_agent(c, command) &&
        !(c->rom ? mk_commands_auth(c, command) : mk_commands_loader(c, command)) && command < MK_BROM_GET_BL_VER)
        mk_machine_log(c->machine, "%s: command %02x is not known", c->rom ? "bootrom" : "preloader", command);
}

MkNext mk_commands_run(MkCommands *c)
{
    while (!c->gone && !c->leave) {
        uint8_t command;
        bool guarded = c->rom && c->machine->watchdog_seconds && !c->watchdog_stopped;
        int timeout = guarded ? (int)c->machine->watchdog_seconds * 1000 : -1;
        MkWireResult result = mk_wire_read(c->machine->wire, &command, 1, timeout);
        if (result == MK_WIRE_TIMEOUT) {
            mk_machine_log(c->machine, "bootrom: the watchdog bites");
            return MK_NEXT_RESET;
        }
        c->gone = result == MK_WIRE_GONE;
        if (!c->gone)
            one(c, command);
    }
    return c->gone && !c->leave ? MK_NEXT_GONE : c->next;
}
