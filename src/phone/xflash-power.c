/* Leaving the agent and changing the speed of the USB (spec da-xflash.md 14, 15). */
#include "phone/xflash-device.h"

#define AGENT_IDS      0x0E8D2001u
#define DROP_MS        100
#define QUIET_MS       200
#define LONGEST_TIME   2000 /* ms the virtual phone really waits for its watchdog */
#define MODE_FASTBOOT  1    /* of SET_REBOOT_MODE */
#define DOWNLOAD_STAYS 1
#define KEEP_USB       24 /* in the option block, where it is that long */

/* No SYNC follows: the loop goes on over whatever the port is then. */
void mk_xflash_switch_speed(MkXflash *x)
{
    uint32_t ids;
    if (!mk_xflash_take32(x, &ids)) {
        mk_xflash_status(x, x->broken);
        return;
    }
    mk_xflash_status(x, 0);
    if (x->gone)
        return;
    x->gone = mk_wire_pause(x->wire, DROP_MS) != MK_WIRE_OK;
    x->machine->high_speed = true;
    if (!x->gone && x->machine->reappear)
        x->gone = !x->machine->reappear(x->machine->port_data, ids ? ids : AGENT_IDS);
    x->wire = x->machine->wire;
}

static MkNext where_to(const MkXflash *x, uint32_t boot, uint32_t download)
{
    if (download == DOWNLOAD_STAYS)
        return MK_NEXT_DOWNLOAD;
    if (boot == MK_XFLASH_BOOT_FASTBOOT || x->reboot_mode == MODE_FASTBOOT)
        return MK_NEXT_FASTBOOT;
    return x->meta ? MK_NEXT_META : MK_NEXT_RESET;
}

/* A block that is too long stays on the wire and counts as zeros (spec 15, vector 23; golden recording). */
static bool take_options(MkXflash *x, uint8_t *block, size_t room)
{
    size_t length;
    mk_xflash_take(x, block, room, &length);
    return !x->gone;
}

/* The status is 0 whatever was in the block; `apply` 0 leaves the phone in its agent, off the USB, until its key or the cable ends it. */
void mk_xflash_shutdown(MkXflash *x)
{
    uint8_t block[MK_XFLASH_SHUTDOWN_SIZE_2025] = {0};
    bool old = x->year == MK_XFLASH_2015;
    size_t room = old                         ? MK_XFLASH_SHUTDOWN_SIZE_2015
                  : x->year == MK_XFLASH_2025 ? MK_XFLASH_SHUTDOWN_SIZE_2025
                                              : MK_XFLASH_SHUTDOWN_SIZE;
    if (!take_options(x, block, room))
        return;
    uint32_t apply = mk_le32(block), wait = MIN(mk_le32(block + 4) & 0xFFFF, LONGEST_TIME);
    mk_xflash_status(x, 0);
    if (x->gone)
        return;
    mk_wire_pause(x->wire, QUIET_MS);
    x->over = true;
    if (old)
        x->next = apply == MK_XFLASH_2015_REBOOT ? MK_NEXT_RESET
                  : apply == MK_XFLASH_2015_OFF  ? MK_NEXT_OFF
                                                 : MK_NEXT_HALT;
    else
        x->next = apply == 1 ? where_to(x, mk_le32(block + 12), mk_le32(block + 16)) : MK_NEXT_HALT;
    x->machine->off_the_bus = x->next == MK_NEXT_HALT && !mk_le32(block + KEEP_USB);
    if (x->next != MK_NEXT_HALT && !old)
        mk_wire_pause(x->wire, wait);
    mk_machine_log(x->machine, "agent: leaves (%s)",
                   x->next == MK_NEXT_RESET      ? "restart"
                   : x->next == MK_NEXT_HALT     ? "off the USB"
                   : x->next == MK_NEXT_OFF      ? "off"
                   : x->next == MK_NEXT_DOWNLOAD ? "restart into the preloader"
                   : x->next == MK_NEXT_META     ? "restart into META"
                                                 : "restart into fastboot");
}
