/* The device side of the XFlash agents. */
#include "phone/machine.h"

MkNext mk_xflash_run(MkMachine *machine)
{
    uint8_t byte;
    mk_machine_log(machine, "agent: XFlash");
    while (mk_wire_get8(machine->wire, &byte) == MK_WIRE_OK)
        ;
    return MK_NEXT_GONE;
}
