#include "phone/machine.h"

#include "core/hash.h"

#include <string.h>

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

bool mk_machine_knows_stage2(const MkMachine *machine, const void *image, size_t length)
{
    gsize size = 0;
    const uint8_t *stage1 = machine->da ? g_bytes_get_data(machine->da, &size) : NULL;
    g_autofree char *hex = mk_sha256_hex(image, length);
    uint8_t digest[32];
    for (unsigned i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return machine->dram_up && size >= sizeof digest && memmem(stage1, size, digest, sizeof digest);
}
