/* The device side of the XML agents. */
#include "phone/machine.h"

MkNext mk_xml_run(MkMachine *machine)
{
    uint8_t byte;
    mk_machine_log(machine, "agent: XML");
    while (mk_wire_get8(machine->wire, &byte) == MK_WIRE_OK)
        ;
    return MK_NEXT_GONE;
}
