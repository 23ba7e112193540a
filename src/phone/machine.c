#include "phone/machine.h"

void mk_machine_log(MkMachine *machine, const char *format, ...)
{
    if (!machine->log)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    machine->log(machine->log_data, text);
}
