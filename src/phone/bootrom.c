/* BootROM on the cable (spec brom.md 3.2, 4.2): no READY, answers the start bytes at once. */
#include "phone/commands.h"
#include "proto/bootrom.h"

#include <string.h>

static MkWireResult start(MkMachine *machine)
{
    static const uint8_t expected[] = MK_BROM_START_BYTES;
    gint64 end = g_get_monotonic_time() + machine->bootrom_seconds * G_TIME_SPAN_SECOND;
    for (size_t i = 0; i < sizeof expected;) {
        gint64 left = (end - g_get_monotonic_time()) / G_TIME_SPAN_MILLISECOND;
        int timeout = machine->bootrom_seconds ? (int)MAX(left, 0) : -1;
        uint8_t byte;
        MkWireResult result = mk_wire_read(machine->wire, &byte, 1, timeout);
        if (result != MK_WIRE_OK)
            return result;
        if (byte == expected[0])
            i = 0; /* every host begins again with A0 after a wrong byte */
        if (byte != expected[i]) {
            i = 0;
            continue;
        }
        byte = (uint8_t)~byte;
        result = mk_wire_write(machine->wire, &byte, 1);
        if (result != MK_WIRE_OK)
            return result;
        i++;
    }
    return MK_WIRE_OK;
}

MkNext mk_bootrom_run(MkMachine *machine)
{
    machine->dram_up = false;
    MkWireResult result = start(machine);
    if (result != MK_WIRE_OK)
        return result == MK_WIRE_TIMEOUT ? MK_NEXT_BOOT : MK_NEXT_GONE;
    mk_machine_log(machine, "bootrom: handshake");
    MkCommands commands = {.machine = machine, .rom = true};
    return mk_commands_run(&commands);
}
