/* Authorisation and environment, BootROM only (spec brom.md 6.7, 6.9 to 6.11). */
#include "phone/commands.h"
#include "phone/signature.h"
#include "proto/bootrom.h"

#define MAX_FILE               (1u << 20) /* auth files and certificates have a few KiB */
#define MAX_RESPONSE           0x800
#define CHALLENGE              16
#define STATUS_INVALID_ADDRESS 0x1D02
#define STATUS_LENGTH          0x7000
#define STATUS_SIGNATURE       0x6005
#define RESERVED_READ          2
#define RESERVED_WRITE         3

/* LENGTH bytes, their checksum and a status. */
static bool payload(MkCommands *c, uint32_t length, uint16_t status)
{
    g_autofree uint8_t *bytes = g_malloc(length + 1);
    return mk_commands_take(c, bytes, length) && mk_commands_status(c, mk_commands_sum16(bytes, length)) &&
           mk_commands_status(c, status);
}

static void file(MkCommands *c, bool auth)
{
    uint32_t length;
    if (!mk_commands_echo32(c, &length))
        return;
    uint16_t status = length && length <= MAX_FILE ? 0 : STATUS_LENGTH;
    if (!mk_commands_status(c, status) || status)
        return;
    status = auth && c->machine->auth_refused ? MK_BROM_STATUS_AUTH_VERIFY_FAIL : 0;
    if (payload(c, length, status) && auth && !status)
        c->auth_sent = true;
}

static void swap_pairs(uint8_t *data, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2) {
        uint8_t first = data[i];
        data[i] = data[i + 1];
        data[i + 1] = first;
    }
}

/* A phone that does not ask for authorisation is content with anything; one that does, with its owner's key only. */
static bool authorises(const MkCommands *c, const uint8_t *challenge, const uint8_t *response, size_t length)
{
    const MkModel *model = c->machine->model;
    if (!(model->target_config & MK_CONFIG_SLA))
        return true;
    return model->sla_key && mk_signature_matches(model->sla_key, model->soc_id, sizeof model->soc_id, challenge,
                                                  CHALLENGE, response, length);
}

static void sla(MkCommands *c)
{
    uint8_t challenge[CHALLENGE], response[MAX_RESPONSE];
    uint32_t length;
    if (!mk_commands_status(c, c->sla_done ? MK_BROM_STATUS_SLA_ALREADY : 0) || c->sla_done)
        return;
    for (unsigned i = 0; i < CHALLENGE; i++)
        challenge[i] = (uint8_t)(c->machine->random_seed + i);
    if (!mk_commands_send(c, (uint8_t[]){0, 0, 0, CHALLENGE}, 4) || !mk_commands_send(c, challenge, CHALLENGE) ||
        !mk_commands_echo32(c, &length))
        return;
    uint16_t status = length && length <= sizeof response ? 0 : STATUS_LENGTH;
    if (!mk_commands_status(c, status) || status || !mk_commands_take(c, response, length))
        return;
    swap_pairs(challenge, CHALLENGE);
    swap_pairs(response, length);
    c->sla_done = authorises(c, challenge, response, length);
    mk_machine_log(c->machine, "bootrom: the answer to the challenge is %s", c->sla_done ? "right" : "wrong");
    mk_commands_status(c, c->sla_done ? 0 : STATUS_SIGNATURE);
}

/* A small program that starts the DRAM: here it always succeeds. */
static void prepare(MkCommands *c)
{
    uint32_t address, length, parameter, parameter_length;
    if (!mk_commands_echo32(c, &address) || !mk_commands_echo32(c, &length) || !mk_commands_echo32(c, &parameter) ||
        !mk_commands_echo32(c, &parameter_length))
        return;
    uint16_t status = length && length <= MAX_FILE ? 0 : STATUS_LENGTH;
    if (!mk_commands_status(c, status) || status || !payload(c, length, 0))
        return;
    c->machine->dram_up = true;
    mk_commands_send(c, (uint8_t[4]){0}, 4);
}

static void reserved(MkCommands *c)
{
    uint32_t mode, address, length;
    if (!mk_commands_echo32(c, &mode) || !mk_commands_echo32(c, &address) || !mk_commands_echo32(c, &length))
        return;
    bool good = (mode == RESERVED_READ || mode == RESERVED_WRITE) && !address && length == 1;
    if (!mk_commands_status(c, good ? 0 : STATUS_INVALID_ADDRESS) || !good)
        return;
    if (mode == RESERVED_READ ? mk_commands_send(c, &c->reserved, 1) : mk_commands_take(c, &c->reserved, 1))
        mk_commands_status(c, 0);
}

bool mk_commands_auth(MkCommands *c, uint8_t command)
{
    uint32_t baud;
    switch (command) {
    case MK_BROM_SEND_CERT:
    case MK_BROM_SEND_AUTH: file(c, command == MK_BROM_SEND_AUTH); return true;
    case MK_BROM_SLA: sla(c); return true;
    case MK_BROM_SEND_ENV_PREPARE: prepare(c); return true;
    case MK_BROM_DA_RESERVED: reserved(c); return true;
    case MK_BROM_UART1_SET_BAUD:
        if (mk_commands_echo32(c, &baud))
            mk_commands_status(c, 0);
        return true;
    default: return false;
    }
}
