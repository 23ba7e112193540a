/* The virtual phone's agent against a hostile host: the first byte chooses chip and release, the rest is what the host sends from JUMP_DA on.
 * With the top bit set the session is already in the command loop's hands: what stage 1 wants is sent first. */
#include "cut-off.h"
#include "phone/machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWERS (1u << 20) /* a host that asks for more than this is cut off */

/* Configuration, an empty DRAM answer, a second stage of one byte, and its acknowledgement: what G3 wants of MT6582. */
static const uint8_t opening[] = {0x5A, 5, 1, 0, 8,    0, 0x70, 7, 0xFF, 0xFF, 1, 0, 0, 0, 0,    0, 1, 2,   0,
                                  0,    0, 0, 0, 0x80, 0, 0,    0, 0,    0,    0, 1, 0, 0, 0x10, 0, 0, 0x5A};

static MkModel *model_of(unsigned choice)
{
    static const char *const names[] = {"mt6582-a106-4g", "mt6575-nand", "mt6735-energy2", "mt6589-mi350n"};
    static MkModel *models[G_N_ELEMENTS(names)];
    unsigned index = choice % G_N_ELEMENTS(names);
    if (!models[index])
        models[index] = mk_model_load(names[index], NULL);
    return models[index];
}

/* One chip per model for the whole run: what was written stays, as on a phone. */
static MkChip *chip_of(MkModel *model)
{
    static GHashTable *chips;
    if (!chips)
        chips = g_hash_table_new(NULL, NULL);
    MkChip *chip = g_hash_table_lookup(chips, model);
    if (!chip) {
        g_autofree char *folder = g_dir_make_tmp("medik-fuzz-XXXXXX", NULL);
        chip = mk_chip_open(model, folder, true, NULL);
        g_hash_table_insert(chips, model, chip);
    }
    return chip;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const releases[] = {"G0", "G1", "G2", "G3", "G4"};
    int fds[2];
    size_t left = ANSWERS;
    if (!size || size > 32768 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
        return 0;
    bool opened = data[0] & 0x80;
    MkModel *model = model_of(opened ? 0 : data[0] & 3);
    MkMachine machine = {.model = model,
                         .chip = model ? chip_of(model) : NULL,
                         .release = (char *)releases[opened ? 3 : (data[0] >> 2) % 5],
                         .dram_up = opened || data[0] & 0x40,
                         .wire = mk_wire_new_fd(fds[1], false),
                         .memory = g_hash_table_new(NULL, NULL),
                         .pmic = g_hash_table_new(NULL, NULL)};
    mk_wire_set_tap(machine.wire, swallow_answers, &left);
    bool good = machine.chip && (!opened || send(fds[0], opening, sizeof opening, MSG_NOSIGNAL) == sizeof opening);
    if (good && send(fds[0], data + 1, size - 1, MSG_NOSIGNAL) == (ssize_t)size - 1 && shutdown(fds[0], SHUT_WR) == 0)
        mk_legacy_run(&machine);
    close(fds[0]);
    mk_wire_free(machine.wire);
    g_hash_table_unref(machine.memory);
    g_hash_table_unref(machine.pmic);
    return 0;
}
