/* Memory, PMIC and I2C commands (spec brom.md 6.4 to 6.6). */
#include "phone/commands.h"
#include "proto/bootrom.h"

#define REMEMBERED 65536 /* words that were written; a host that fills the whole memory finds the rest unchanged */

/* Flag word that sends the next start into BootROM (spec brom.md 3.2). */
static uint32_t usbdl_flag(const MkModel *model)
{
    switch (model->hw_code) {
    case 0x6583: return 0x10002050;
    case 0x6582: return 0x10202050;
    case 0x0321:
    case 0x0335:
    case 0x0337: return 0x10000818;
    case 0x6580:
    case 0x0326:
    case 0x0551: return 0x10001818;
    default: return model->pl_generation >= MK_PL3 ? 0x1001A080 : 0;
    }
}

static bool inside(uint32_t base, uint32_t size, uint32_t address, uint64_t length)
{
    return base && address >= base && (uint64_t)address + length <= (uint64_t)base + size;
}

/* True if the range may be touched; otherwise the preloader has said no in its own way. */
static bool region(MkCommands *c, uint32_t address, uint64_t length, bool writing, bool silent)
{
    const MkModel *model = c->machine->model;
    if (c->rom)
        return true;
    if (model->region_assert) {
        uint32_t io = model->hw_code == 0x6577 || model->hw_code == 0x6575 ? 0xC : 0x1;
        if (length < 0x10000000 && address >> 28 == io && (address + length) >> 28 == io)
            return true;
        mk_commands_assert(c, "register outside the white list");
        return false;
    }
    if (model->soc && (inside(model->soc->wdt_base & ~0xFFFu, 0x1000, address, length) ||
                       (!writing && inside(model->soc->efuse_base & ~0xFFFu, 0x1000, address, length))))
        return true;
    if (inside(usbdl_flag(model), 4, address, length))
        return true;
    mk_machine_log(c->machine, "preloader: register %08x is outside the white list", address);
    if (!silent)
        mk_commands_status(c, writing ? MK_BROM_STATUS_WRITE_REGION : MK_BROM_STATUS_READ_REGION);
    return false;
}

static bool header(MkCommands *c, unsigned width, bool writing, bool silent, uint32_t *address, uint32_t *count)
{
    if (!mk_commands_echo32(c, address) || !mk_commands_echo32(c, count))
        return false;
    uint16_t status = *address % width                         ? MK_BROM_STATUS_MISALIGNED
                      : !*count                                ? MK_BROM_STATUS_ZERO_COUNT
                      : (uint64_t)*count * width > G_MAXUINT32 ? MK_BROM_STATUS_COUNT_OVERFLOW
                                                               : 0;
    if (status && !silent)
        mk_commands_status(c, status);
    return !status && region(c, *address, (uint64_t)*count * width, writing, silent);
}

static uint32_t peek(MkCommands *c, uint32_t address)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(c->machine->memory, GUINT_TO_POINTER(address & ~3u)));
}

static void reset(MkCommands *c)
{
    uint32_t place = usbdl_flag(c->machine->model), flag = place ? peek(c, place) : 0;
    bool magic = c->machine->model->hw_code == 0x6583 || flag >> 16 == 0x444C;
    c->machine->bootrom_seconds = (flag >> 2 & 0x3FFF) == 0x3FFF ? 0 : flag >> 2 & 0x3FFF;
    mk_machine_log(c->machine, "the host resets the phone");
    mk_commands_end(c, magic && (flag & 3) == 1 ? MK_NEXT_BOOTROM : MK_NEXT_RESET);
}

static void poke(MkCommands *c, uint32_t address, uint32_t value, unsigned width)
{
    uint32_t old = peek(c, address), shift = address & 2 ? 16 : 0;
    uint32_t word = width == 4 ? value : (old & ~(0xFFFFu << shift)) | value << shift;
    if (g_hash_table_size(c->machine->memory) < REMEMBERED)
        g_hash_table_insert(c->machine->memory, GUINT_TO_POINTER(address & ~3u), GUINT_TO_POINTER(word));
    const MkSoc *soc = c->machine->model->soc;
    if (soc && soc->wdt_base && address == soc->wdt_base && !(value & 1))
        c->watchdog_stopped = true;
    if (soc && soc->wdt_base && address == soc->wdt_base + 0x14 && (value & 0xFFFF) == 0x1209)
        reset(c);
}

static void read_memory(MkCommands *c, unsigned width, bool statuses)
{
    uint32_t address, count;
    if (!header(c, width, false, !statuses, &address, &count) || (statuses && !mk_commands_status(c, 0)))
        return;
    for (uint32_t i = 0; i < count && !c->gone; i++, address += width) {
        uint32_t word = peek(c, address);
        if (width == 4)
            mk_commands_status(c, (uint16_t)(word >> 16));
        mk_commands_status(c, (uint16_t)(width == 2 && address & 2 ? word >> 16 : word));
    }
    if (statuses)
        mk_commands_status(c, 0);
}

static void write_memory(MkCommands *c, unsigned width, bool echo)
{
    uint32_t address, count;
    if (!header(c, width, true, false, &address, &count) || !mk_commands_status(c, 0))
        return;
    for (uint32_t i = 0; i < count; i++, address += width) {
        uint8_t raw[4];
        if (!mk_commands_take(c, raw, width) || (echo && !mk_commands_send(c, raw, width)))
            return;
        uint32_t value = 0;
        for (unsigned k = 0; k < width; k++)
            value = value << 8 | raw[k];
        poke(c, address, value, width);
        if (c->leave)
            return;
    }
    mk_commands_status(c, 0);
}

static void pmic(MkCommands *c, bool writing)
{
    uint16_t place, value = 0;
    if (!mk_commands_echo16(c, &place) || (writing && !mk_commands_echo16(c, &value)))
        return;
    mk_commands_status(c, 0);
    mk_commands_status(c, c->machine->pmic_fails ? 1 : 0);
    if (c->machine->pmic_fails)
        return;
    gpointer key = GUINT_TO_POINTER((guint)place);
    if (writing)
        g_hash_table_insert(c->machine->pmic, key, GUINT_TO_POINTER((guint)value));
    else
        mk_commands_status(c, (uint16_t)GPOINTER_TO_UINT(g_hash_table_lookup(c->machine->pmic, key)));
}

static void i2c_bytes(MkCommands *c, bool writing)
{
    uint32_t device, length;
    uint8_t bytes[32];
    if (!mk_commands_echo32(c, &device) || !mk_commands_echo32(c, &length))
        return;
    if (length >= sizeof bytes) {
        mk_commands_status(c, writing ? MK_BROM_STATUS_I2C_WRITE_LENGTH : MK_BROM_STATUS_I2C_READ_LENGTH);
        return;
    }
    mk_commands_status(c, 0);
    if (writing && !mk_commands_take(c, bytes, length))
        return;
    mk_commands_status(c, 0);
    memset(bytes, 0x55, sizeof bytes);
    if (!writing)
        mk_commands_send(c, bytes, length);
}

static bool i2c(MkCommands *c, uint8_t command)
{
    const MkModel *model = c->machine->model;
    uint32_t mode, khz;
    /* Of the preloaders these; what their BootROMs do is not known, and a host that asks waits for an answer. */
    if ((model->hw_code != 0x6577 && model->hw_code != 0x6575 && model->hw_code != 0x6583))
        return false;
    if (command <= MK_BROM_I2C_DEINIT) {
        mk_commands_status(c, 0);
    } else if (command == MK_BROM_I2C_SET_SPEED) {
        if (mk_commands_echo32(c, &mode) && mk_commands_echo32(c, &khz)) {
            mk_commands_status(c, mode > 2 ? MK_BROM_STATUS_I2C_SPEED : 0);
            if (mode <= 2)
                mk_commands_status(c, 0);
        }
    } else {
        i2c_bytes(c, command == MK_BROM_I2C_WRITE8);
    }
    return true;
}

bool mk_commands_memory(MkCommands *c, uint8_t command)
{
    uint32_t ignored;
    switch (command) {
    case MK_BROM_READ16:
    case MK_BROM_READ32: read_memory(c, command == MK_BROM_READ16 ? 2 : 4, true); return true;
    case MK_BROM_LEGACY_READ16: read_memory(c, 2, false); return true;
    case MK_BROM_WRITE16:
    case MK_BROM_LEGACY_WRITE16:
    case MK_BROM_WRITE32: write_memory(c, command == MK_BROM_WRITE32 ? 4 : 2, true); return true;
    case MK_BROM_WRITE16_NO_ECHO: write_memory(c, 2, false); return true;
    case MK_BROM_PWR_INIT:
        if (!mk_commands_echo32(c, &ignored) || !mk_commands_echo32(c, &ignored))
            return true;
        mk_commands_status(c, 0);
        return true;
    case MK_BROM_PWR_DEINIT: mk_commands_status(c, 0); return true;
    case MK_BROM_PWR_READ16:
    case MK_BROM_PWR_WRITE16: pmic(c, command == MK_BROM_PWR_WRITE16); return true;
    case MK_BROM_I2C_INIT ... MK_BROM_I2C_SET_SPEED: return i2c(c, command);
    default: return false;
    }
}
