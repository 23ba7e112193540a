/* An agent that says nothing. */
#include "phone/machine.h"

MkNext mk_legacy_run(MkMachine *machine)
{
    uint8_t ignored;
    while (mk_wire_get8(machine->wire, &ignored) == MK_WIRE_OK)
        ;
    return MK_NEXT_GONE;
}
