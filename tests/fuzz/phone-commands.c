/* The virtual phone's BootROM and preloader against whatever a host sends: first byte chooses the device, the rest is the host's. */
#include "phone/commands.h"

#include <sys/socket.h>
#include <unistd.h>

#define ANSWERS (64u << 10) /* a host that asks for more than this is cut off */

static bool swallow_answers(gpointer data, bool input, G_GNUC_UNUSED uint8_t *bytes, size_t *length)
{
    size_t *left = data;
    if (input)
        return true;
    bool goes_on = *length <= *left;
    *left -= MIN(*left, *length);
    *length = 0;
    return goes_on;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fds[2];
    size_t left = ANSWERS;
    if (!size || size > 32768 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
        return 0;
    MkModel model = {.hw_code = data[0] & 2 ? 0x6577 : 0x0766,
                     .pl_generation = data[0] & 2 ? MK_PL1 : MK_PL3,
                     .region_assert = data[0] & 2,
                     .target_config = data[0] >> 2 & 7,
                     .preloader_da_max = 0x40000};
    model.soc = mk_soc_by_code(model.hw_code, 0);
    MkMachine machine = {.model = &model,
                         .wire = mk_wire_new_fd(fds[1], false),
                         .preloader_found = true,
                         .memory = g_hash_table_new(NULL, NULL),
                         .pmic = g_hash_table_new(NULL, NULL)};
    mk_wire_set_tap(machine.wire, swallow_answers, &left);
    if (send(fds[0], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)size - 1 && shutdown(fds[0], SHUT_WR) == 0) {
        MkCommands commands = {.machine = &machine, .rom = data[0] & 1};
        mk_commands_run(&commands);
    }
    close(fds[0]);
    mk_wire_free(machine.wire);
    g_clear_pointer(&machine.da, g_bytes_unref);
    g_hash_table_unref(machine.memory);
    g_hash_table_unref(machine.pmic);
    return 0;
}
