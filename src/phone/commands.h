/* The command loop that BootROM and preloader share (spec brom.md 6): one object per start handshake. */
#pragma once

#include "phone/machine.h"

typedef struct {
    MkMachine *machine;
    bool rom;
    bool da_accepted, auth_sent, sla_done, watchdog_stopped;
    unsigned blocks;  /* of data that BootROM took */
    uint8_t reserved; /* what DA_RESERVED wrote */
    bool gone;        /* the wire ended in the middle of a command */
    bool leave;       /* the loop is over, `next` says what follows */
    MkNext next;
} MkCommands;

/* Commands until one of them ends the loop. */
MkNext mk_commands_run(MkCommands *commands);

/* Each takes the command byte after its echo; false: not one of theirs. */
bool mk_commands_memory(MkCommands *commands, uint8_t command);
bool mk_commands_agent(MkCommands *commands, uint8_t command);
bool mk_commands_auth(MkCommands *commands, uint8_t command);
bool mk_commands_loader(MkCommands *commands, uint8_t command);

/* Wire helpers that remember the end of the wire in `gone`. */
bool mk_commands_echo32(MkCommands *commands, uint32_t *value);
bool mk_commands_echo16(MkCommands *commands, uint16_t *value);
bool mk_commands_status(MkCommands *commands, uint16_t status);
bool mk_commands_send(MkCommands *commands, const void *data, size_t length);
bool mk_commands_take(MkCommands *commands, void *data, size_t length);
void mk_commands_end(MkCommands *commands, MkNext next);
/* Fatal error of a preloader: BootROM appears for a while (spec brom.md 3.2). */
void mk_commands_assert(MkCommands *commands, const char *why);
uint16_t mk_commands_sum16(const uint8_t *data, size_t length);
