/* What a preloader offers as a second-stage loader (spec brom.md 6.12). */
#include "core/bytes.h"
#include "phone/commands.h"
#include "proto/bootrom.h"

#include <string.h>

#define NAME         64
#define STILL_MS     100
#define ZEROIZE_FAIL 0xFFFF

/* The preloader answers nothing to a sum that does not match. */
static void partition_data(MkCommands *c)
{
    uint8_t name[NAME], raw[4], piece[4096];
    if (!mk_commands_take(c, name, sizeof name) || !mk_commands_take(c, raw, 4) || !mk_commands_status(c, 0))
        return;
    uint32_t left = mk_be32(raw), sum = 0;
    while (left) {
        uint32_t n = MIN(left, (uint32_t)sizeof piece), i = 0;
        if (!mk_commands_take(c, piece, n))
            return;
        for (; i + 4 <= n; i += 4)
            sum += mk_le32(piece + i);
        for (; i < n; i++)
            sum += piece[i];
        left -= n;
    }
    if (mk_commands_take(c, raw, 4) && mk_be32(raw) != sum)
        mk_machine_log(c->machine, "preloader: partition data with a wrong checksum");
}

static void jump_to_partition(MkCommands *c)
{
    char name[NAME + 1] = "";
    if (!mk_commands_take(c, name, NAME))
        return;
    bool lk = strcmp(name, "lk") == 0;
    mk_commands_status(c, lk || strcmp(name, "tee1") == 0 ? 0 : 1);
    if (lk)
        mk_commands_end(c, MK_NEXT_FASTBOOT);
}

static bool has_stay_still(const MkModel *model)
{
    return model->pl_generation >= MK_PL3 && model->hw_code != 0x0699; /* not MT6739 */
}

bool mk_commands_loader(MkCommands *c, uint8_t command)
{
    const MkModel *model = c->machine->model;
    uint8_t raw[4];
    switch (command) {
    case MK_BROM_SEND_PARTITION:
    case MK_BROM_JUMP_TO_PARTITION:
        if (model->pl_generation < MK_PL2)
            return false;
        if (command == MK_BROM_SEND_PARTITION)
            partition_data(c);
        else
            jump_to_partition(c);
        return true;
    case MK_BROM_STAY_STILL:
        if (!has_stay_still(model))
            return false;
        mk_commands_status(c, 0);
        mk_wire_pause(c->machine->wire, STILL_MS);
        mk_commands_end(c, MK_NEXT_OFF);
        return true;
    case MK_BROM_ZEROIZATION: /* destroys nothing here, as in the public trees */
        if (model->pl_generation >= MK_PL3 && mk_commands_take(c, raw, 4))
            mk_commands_status(c, ZEROIZE_FAIL);
        return model->pl_generation >= MK_PL3;
    default: return false;
    }
}
