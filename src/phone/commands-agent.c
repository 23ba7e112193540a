/* Receiving and starting an agent: SEND_DA, JUMP_DA, JUMP_DA64, JUMP_BL (spec brom.md 6.8). */
#include "phone/commands.h"
#include "proto/bootrom.h"

#define MOST_BLOCKS    10 /* that BootROM takes between two resets (spec brom.md 6.8) */
#define SIGNATURE_SIZE 0x100
#define DRAM_FOR_AGENT (16u << 20) /* more than this runs over the preloader itself */
#define SRAM_BLOCK     20          /* the SRAM of a chip lies within one MiB */
#define NO_LOADER      0x4000      /* image header family: nothing to jump to */

static bool verifies(const MkCommands *c)
{
    return c->machine->model->target_config & MK_CONFIG_DAA;
}

/* First status of the ROM: may this agent come here? */
static uint16_t rom_admits(const MkCommands *c, uint32_t address, uint32_t length, uint32_t signature)
{
    const MkModel *model = c->machine->model;
    if ((model->target_config & MK_CONFIG_SLA) && !c->sla_done)
        return MK_BROM_STATUS_SLA_REQUIRED;
    if (c->blocks >= MOST_BLOCKS)
        return MK_BROM_STATUS_EXCEED_MAX_DA_BLOCKS;
    if (!length)
        return MK_BROM_STATUS_DA_LENGTH_ZERO;
    if (signature > length)
        return MK_BROM_STATUS_DA_SIG_TOO_LONG;
    if (!signature && verifies(c))
        return MK_BROM_STATUS_DA_SIG_ZERO;
    if (address % 2)
        return MK_BROM_STATUS_DA_UNALIGNED;
    uint32_t sram = model->soc ? model->soc->da1_load_addr : 0;
    uint64_t last = (uint64_t)address + length - 1;
    if (sram && (address >> SRAM_BLOCK != sram >> SRAM_BLOCK || last >> SRAM_BLOCK != sram >> SRAM_BLOCK))
        return MK_BROM_STATUS_DA_INVALID_RANGE;
    return 0;
}

/* Second status. A signature cannot be checked here, but one that is shorter than any genuine one is wrong. */
static uint16_t accepts(const MkCommands *c, uint32_t length, uint32_t signature)
{
    const MkModel *model = c->machine->model;
    if (!verifies(c))
        return 0;
    if (c->rom)
        return c->auth_sent ? 0 : MK_BROM_STATUS_DAA_SIG_FAIL;
    bool late = model->pl_generation >= MK_PL3 ||
                (model->pl_generation == MK_PL2 && model->soc && model->soc->da_family == MK_DA_LEGACY);
    if (model->preloader_da_max && length > model->preloader_da_max)
        return late ? MK_BROM_STATUS_EXCEED_MAX_DA_BLOCKS : MK_BROM_STATUS_DA_RELOCATE;
    if (signature < SIGNATURE_SIZE)
        return late ? MK_BROM_STATUS_DAA_SIG_FAIL : MK_BROM_STATUS_DA_SIG_FAIL;
    return 0;
}

static GBytes *receive(MkCommands *c, uint32_t length)
{
    g_autofree uint8_t *bytes = g_malloc(length);
    return mk_commands_take(c, bytes, length) ? g_bytes_new_take(g_steal_pointer(&bytes), length) : NULL;
}

static void send_da(MkCommands *c)
{
    MkMachine *machine = c->machine;
    uint32_t address, length, signature;
    if (!mk_commands_echo32(c, &address) || !mk_commands_echo32(c, &length) || !mk_commands_echo32(c, &signature))
        return;
    uint16_t status = c->rom ? rom_admits(c, address, length, signature) : 0;
    if (!mk_commands_status(c, status) || status)
        return;
    c->blocks++;
    c->da_accepted = false;
    g_clear_pointer(&machine->da, g_bytes_unref);
    if (length > DRAM_FOR_AGENT) {
        mk_machine_log(machine, "an agent of %u bytes runs over the memory: the phone hangs", length);
        mk_commands_end(c, MK_NEXT_HALT);
        return;
    }
    g_autoptr(GBytes) da = receive(c, length);
    if (!da)
        return;
    status = accepts(c, length, signature);
    uint16_t sum = mk_commands_sum16(g_bytes_get_data(da, NULL), length);
    if (!mk_commands_status(c, sum) || !mk_commands_status(c, status))
        return;
    mk_machine_log(machine, "agent of %u bytes for %08x: status %04x", length, address, status);
    if (status && !c->rom)
        mk_commands_assert(c, "the agent was refused");
    if (status)
        return;
    c->da_accepted = true;
    machine->da = g_steal_pointer(&da);
    machine->da_signature_length = signature;
    machine->da_address = c->rom || !machine->model->preloader_da_addr ? address : machine->model->preloader_da_addr;
}

/* Status of a jump; the preloader goes where it put the agent, whatever the host says. */
static uint16_t may_jump(const MkCommands *c, uint32_t address)
{
    if (!c->da_accepted && c->rom)
        return MK_BROM_STATUS_DA_NOT_EXIST;
    if (!c->da_accepted)
        return c->machine->model->pl_generation >= MK_PL3 ? MK_BROM_STATUS_DAA_SIG_FAIL : MK_BROM_STATUS_DA_SIG_FAIL;
    return c->rom && address != c->machine->da_address ? MK_BROM_STATUS_DA_INVALID_JUMP : 0;
}

static void jump(MkCommands *c, uint32_t address, uint16_t status)
{
    if (!mk_commands_status(c, status))
        return;
    if (status && !c->rom)
        mk_commands_assert(c, "jump without an agent");
    if (status)
        return;
    c->machine->jump_address = address;
    if (!c->rom)
        c->machine->dram_up = true;
    mk_commands_end(c, MK_NEXT_AGENT);
}

static bool echo8(MkCommands *c, uint8_t *value)
{
    return mk_commands_take(c, value, 1) && mk_commands_send(c, value, 1);
}

static void jump64(MkCommands *c)
{
    uint32_t address;
    uint8_t one, width;
    if (!mk_commands_echo32(c, &address) || !echo8(c, &one))
        return;
    uint16_t status = one == 1 ? may_jump(c, address) : MK_BROM_STATUS_DA_INVALID_JUMP;
    if (!mk_commands_status(c, status) || status || !echo8(c, &width))
        return;
    jump(c, address, width == 0x64 || width == 0x32 ? 0 : MK_BROM_STATUS_DA_INVALID_JUMP);
}

static void jump_bl(MkCommands *c)
{
    if (!mk_commands_status(c, c->machine->preloader_found ? 0 : NO_LOADER))
        return;
    if (!c->machine->preloader_found)
        return;
    mk_commands_status(c, 0);
    mk_commands_end(c, MK_NEXT_BOOT);
}

bool mk_commands_agent(MkCommands *c, uint8_t command)
{
    uint32_t address;
    switch (command) {
    case MK_BROM_SEND_DA: send_da(c); return true;
    case MK_BROM_JUMP_DA:
        if (mk_commands_echo32(c, &address))
            jump(c, address, may_jump(c, address));
        return true;
    case MK_BROM_JUMP_DA64:
        if (c->rom)
            jump64(c);
        return c->rom;
    case MK_BROM_JUMP_BL:
        if (c->rom)
            jump_bl(c);
        return c->rom;
    default: return false;
    }
}
