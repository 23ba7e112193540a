/* The loop of an XFlash agent and what is common to its commands. */
#include "phone/xflash-device.h"

#include <string.h>

/* --- frames --------------------------------------------------------------------------------------------------------------- */

/* True: the frame is there. What its shape means otherwise: spec 2.4. */
static bool judge(MkXflash *x, MkFrameResult result)
{
    x->gone |= result == MK_FRAME_GONE;
    x->broken = result == MK_FRAME_BROKEN     ? MK_XFLASH_S_PROTOCOL
                : result == MK_FRAME_OVERFLOW ? MK_XFLASH_S_PROTOCOL_OVERFLOW
                                              : 0;
    return result == MK_FRAME_OK;
}

bool mk_xflash_take(MkXflash *x, void *data, size_t room, size_t *length)
{
    *length = 0;
    return !x->gone && judge(x, mk_frame_read(x->wire, data, room, length));
}

bool mk_xflash_take_exactly(MkXflash *x, void *data, size_t length)
{
    size_t got;
    if (!mk_xflash_take(x, data, length, &got))
        return false;
    if (got != length)
        x->broken = MK_XFLASH_S_PROTOCOL;
    return got == length;
}

bool mk_xflash_take32(MkXflash *x, uint32_t *value)
{
    uint8_t raw[4] = {0};
    bool good = mk_xflash_take_exactly(x, raw, sizeof raw);
    *value = mk_le32(raw);
    return good;
}

bool mk_xflash_take_blob(MkXflash *x, uint32_t room, size_t *length)
{
    uint32_t told;
    *length = 0;
    if (x->gone || !judge(x, mk_frame_read_header(x->wire, &told)))
        return false;
    *length = told;
    if (told > room)
        return judge(x, MK_FRAME_OVERFLOW);
    return judge(x, mk_frame_read_payload(x->wire, told, mk_xflash_buffer(x, told), told));
}

void mk_xflash_put(MkXflash *x, const void *data, size_t length)
{
    x->gone = x->gone || !mk_frame_write(x->wire, data, length);
}

void mk_xflash_put32(MkXflash *x, uint32_t value)
{
    uint8_t raw[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    mk_xflash_put(x, raw, sizeof raw);
}

void mk_xflash_status(MkXflash *x, uint32_t status)
{
    if (status >> 28 == 0xC && !x->gone)
        mk_machine_log(x->machine, "agent: refuses with 0x%X", status);
    mk_xflash_put32(x, status);
}

void mk_xflash_halt(MkXflash *x, const char *why)
{
    mk_machine_log(x->machine, "agent: hangs: %s", why);
    x->over = true;
    x->next = MK_NEXT_HALT;
}

uint8_t *mk_xflash_buffer(MkXflash *x, size_t length)
{
    g_assert(length <= MK_XFLASH_LARGEST);
    if (length > x->buffer_size || !x->buffer) {
        x->buffer_size = MAX(length, 4096);
        x->buffer = g_realloc(x->buffer, x->buffer_size);
    }
    return x->buffer;
}

bool mk_xflash_is_chip(const MkXflash *x, const uint16_t *chips, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (chips[i] == x->da_chip)
            return true;
    return false;
}

/* --- commands --------------------------------------------------------------------------------------------------------------- */

/* An e-fuse block is not decoded by anybody: it is taken and refused. */
static void refuse_efuse(MkXflash *x)
{
    size_t length;
    if (mk_xflash_take_blob(x, 0x10000, &length))
        mk_xflash_status(x, MK_XFLASH_S_UNSUPPORTED_OPERATION);
    else if (!x->gone)
        mk_xflash_status(x, x->broken);
}

typedef struct {
    uint32_t id;
    unsigned stages; /* bit 0: stage 1, bit 1: stage 2 */
    void (*run)(MkXflash *x);
} Command;

/* Spec 5.1. */
static const Command commands[] = {
    {MK_XFLASH_DOWNLOAD, 2, mk_xflash_download},
    {MK_XFLASH_UPLOAD, 2, mk_xflash_upload},
    {MK_XFLASH_FORMAT, 2, mk_xflash_format},
    {MK_XFLASH_WRITE_DATA, 2, mk_xflash_write_data},
    {MK_XFLASH_READ_DATA, 3, mk_xflash_read_data},
    {MK_XFLASH_FORMAT_PARTITION, 2, mk_xflash_format_partition},
    {MK_XFLASH_SHUTDOWN, 3, mk_xflash_shutdown},
    {MK_XFLASH_BOOT_TO, 3, mk_xflash_boot_to},
    {MK_XFLASH_DEVICE_CTRL, 3, mk_xflash_control},
    {MK_XFLASH_INIT_EXT_RAM, 1, mk_xflash_init_ram},
    {MK_XFLASH_SWITCH_USB_SPEED, 3, mk_xflash_switch_speed},
    {MK_XFLASH_READ_OTP_ZONE, 2, mk_xflash_read_otp},
    {MK_XFLASH_WRITE_OTP_ZONE, 2, mk_xflash_write_otp},
    {MK_XFLASH_WRITE_EFUSE, 2, refuse_efuse},
    {MK_XFLASH_READ_EFUSE, 2, refuse_efuse},
    {MK_XFLASH_SRAM_WRITE_TEST, 1, mk_xflash_sram_write_test},
};

static bool has(const MkXflash *x, const Command *command)
{
    if (!(command->stages & x->stage))
        return false;
    if (x->locked && x->stage == 2)
        return command->id == MK_XFLASH_DEVICE_CTRL;
    if (command->id == MK_XFLASH_READ_DATA && x->stage == 1)
        return MK_XFLASH_IS(x, 0x6765);
    if (command->id == MK_XFLASH_SRAM_WRITE_TEST)
        return x->year != MK_XFLASH_2015 && MK_XFLASH_IS(x, 0x6765, 0x6768, 0x6853, 0x6873, 0x6885);
    return true;
}

static const Command *find(const MkXflash *x, uint32_t id)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].id == id && has(x, &commands[i]))
            return &commands[i];
    return NULL;
}

static void say(MkXflash *x, uint32_t id)
{
    g_autofree char *text = g_strdup_printf("DA%u: command 0x%x\n", x->stage, id);
    if ((x->log_channel & MK_XFLASH_LOG_TO_USB) && x->log_level <= 2)
        x->gone = x->gone || !mk_frame_write_log(x->wire, text);
}

/* A frame that cannot be a command ends the loop: from then on the agent is deaf (spec 2.4). */
static void loop(MkXflash *x)
{
    while (!x->gone && !x->over) {
        uint32_t id;
        if (!mk_xflash_take32(x, &id)) {
            if (!x->gone)
                mk_xflash_halt(x, "no command where one has to be");
            break;
        }
        const Command *command = find(x, id);
        say(x, id);
        if (!command) {
            mk_xflash_status(x, MK_XFLASH_S_UNSUPPORTED_COMMAND);
            continue;
        }
        /* The agents of 2015 answer once, at the end (spec hosts.md). */
        if (x->year != MK_XFLASH_2015)
            mk_xflash_status(x, 0);
        command->run(x);
    }
}

/* The agent that arrived, or the one that was asked for, says of which year it is ("X1" to "X3"); else it is the model's usual one. */
static MkXflashYear year_of(const MkMachine *machine)
{
    static const MkXflashYear years[] = {MK_XFLASH_2015, MK_XFLASH_2020, MK_XFLASH_2025};
    const char *release = machine->release, *flavour = machine->model->flavour;
    if (release && release[0] == 'X' && release[1] >= '1' && release[1] <= '3')
        return years[release[1] - '1'];
    return g_strcmp0(flavour, "2015") == 0   ? MK_XFLASH_2015
           : g_strcmp0(flavour, "2025") == 0 ? MK_XFLASH_2025
                                             : MK_XFLASH_2020;
}

MkNext mk_xflash_run(MkMachine *machine)
{
    MkXflash x = {.machine = machine,
                  .model = machine->model,
                  .chip = machine->chip,
                  .wire = machine->wire,
                  .year = year_of(machine),
                  .da_chip = machine->model->soc ? machine->model->soc->da_code : 0,
                  .stage = 1,
                  .from_rom = !machine->dram_up,
                  .next = MK_NEXT_GONE,
                  .log_level = 2,
                  .log_channel = MK_XFLASH_LOG_TO_UART,
                  .checksum = MK_XFLASH_CHECKSUM_STORAGE,
                  .reset_key = MK_XFLASH_RESET_KEY_TWO};
    /* The lock is a part of the agent: those of earlier years have none. */
    x.locked = x.year == MK_XFLASH_2025 && machine->model->agent_key;
    for (unsigned i = 0; i < sizeof x.challenge; i++)
        x.challenge[i] = (uint8_t)(machine->random_seed * 31u + i * 7u);
    mk_machine_log(machine, "agent: runs (XFlash of %s)",
                   x.year == MK_XFLASH_2015   ? "2015"
                   : x.year == MK_XFLASH_2025 ? "2025"
                                              : "2020");
    mk_xflash_start(&x);
    loop(&x);
    g_free(x.buffer);
    return x.gone && !x.over ? MK_NEXT_GONE : x.next;
}
