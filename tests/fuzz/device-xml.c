/* The virtual phone's XML agent against a hostile host. The first byte chooses the phone; every line behind it is one frame of the host, or, where
 * it begins with '!', bytes as they are. With STAGE2 set the session is already in the second stage. */
#include "core/hash.h"
#include "cut-off.h"
#include "phone/machine.h"
#include "proto/xflash.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWERS (8u << 20)
#define LARGEST 8192 /* frames of one byte become thirteen: all of it must fit into the socket */

enum { EMMC = 1, STAGE2 = 2, NEWER = 4, NO_TABLE = 8, NO_STORAGE = 16, FROM_ROM = 32, LATE = 64 };

#define SETTINGS                                                                                                       \
    "<da><version>1.0</version><command>CMD:SET-RUNTIME-PARAMETER</command><arg><checksum_level>STORAGE"               \
    "</checksum_level><battery_exist>NO</battery_exist><da_log_level>TRACE</da_log_level><log_channel>USB"             \
    "</log_channel><system_os>LINUX</system_os></arg></da>"
#define INTO_STAGE2                                                                                                    \
    "<da><version>1.0</version><command>CMD:BOOT-TO</command><arg><at_address>0x40000000</at_address>"                 \
    "<jmp_address>0x40000000</jmp_address><source_file>a</source_file></arg></da>"

static const char *const opening[] = {"OK", SETTINGS, "OK", "OK", INTO_STAGE2, "OK", "OK@0x1", "OK@0x0", "x", "OK"};

static void put_frame(GByteArray *out, const void *data, size_t length)
{
    const uint32_t words[] = {GUINT32_TO_LE(MK_XFLASH_MAGIC), GUINT32_TO_LE(1), GUINT32_TO_LE((uint32_t)length)};
    g_byte_array_append(out, (const guint8 *)words, sizeof words);
    g_byte_array_append(out, data, (guint)length);
}

static void put_lines(GByteArray *out, const uint8_t *data, size_t size)
{
    while (size) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) : size;
        if (length && *data == '!')
            g_byte_array_append(out, data + 1, (guint)length - 1);
        else
            put_frame(out, data, length);
        length += end != NULL;
        data += length;
        size -= length;
    }
}

static MkModel *model_of(unsigned choice)
{
    static MkModel models[8];
    MkModel *model = &models[choice & (EMMC | NEWER)];
    model->dialect = MK_DA_XML;
    model->dram_size = 1u << 31;
    model->flavour = (char *)(choice & NEWER ? "2024" : "2022");
    model->ufs_model = (char *)"KM5P9001DM-B424";
    model->geometry = (MkGeometry){.storage = MK_STORAGE_UFS, .lu = {1u << 20, 1u << 20, 16u << 20}, .sector = 4096};
    if (choice & EMMC)
        model->geometry = (MkGeometry){
            .storage = MK_STORAGE_EMMC, .boot1 = 1u << 20, .boot2 = 1u << 20, .user = 16u << 20, .sector = 512};
    return model;
}

static void put_table(MkChip *chip, const MkGeometry *geometry)
{
    static const char *const names[] = {"proinfo", "misc", "boot_a", "super"};
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_GPT);
    layout->storage = geometry->storage;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        MkPartition *partition = mk_layout_add(layout, names[i]);
        partition->region = mk_geometry_main_region(geometry);
        partition->storage = geometry->storage;
        partition->start = 0x8000 + i * 0x100000;
        partition->size = 0x10000;
        partition->resolved = true;
    }
    g_autoptr(GPtrArray) patches = mk_gpt_encode(layout, geometry, NULL);
    for (guint i = 0; patches && i < patches->len; i++) {
        MkPatch *patch = patches->pdata[i];
        mk_chip_write(chip, patch->region, patch->offset, g_bytes_get_data(patch->data, NULL),
                      g_bytes_get_size(patch->data));
    }
}

/* One chip per storage for the whole run; it begins every session with a good table, or with none. */
static MkChip *chip_of(MkModel *model, unsigned choice)
{
    static MkChip *chips[2];
    MkChip **chip = &chips[choice & EMMC];
    if (!*chip) {
        g_autofree char *folder = g_dir_make_tmp("medik-fuzz-XXXXXX", NULL);
        *chip = mk_chip_open(model, folder, true, NULL);
    }
    if (!*chip)
        return NULL;
    mk_chip_power_on(*chip);
    mk_chip_set_absent(*chip, choice & NO_STORAGE);
    MkRegion region = mk_geometry_main_region(&model->geometry);
    mk_chip_erase(*chip, region, 0, mk_chip_size(*chip, region));
    if (!(choice & NO_TABLE))
        put_table(*chip, &model->geometry);
    return *chip;
}

/* A first stage that knows a second one of a single byte. */
static GBytes *stage1(void)
{
    uint8_t digest[32];
    g_autofree char *hex = mk_sha256_hex("x", 1);
    for (unsigned i = 0; i < sizeof digest; i++)
        digest[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
    return g_bytes_new(digest, sizeof digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fds[2];
    size_t left = ANSWERS;
    if (!size || size > LARGEST || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
        return 0;
    unsigned choice = data[0];
    MkModel *model = model_of(choice);
    g_autoptr(GBytes) da = stage1();
    g_autoptr(GByteArray) host = g_byte_array_new();
    MkMachine machine = {.model = model,
                         .chip = chip_of(model, choice),
                         .da = da,
                         .dram_up = !(choice & FROM_ROM) || choice & STAGE2,
                         .late_fault = choice & LATE ? 2 : 0,
                         .wire = mk_wire_new_fd(fds[1], false)};
    mk_wire_set_tap(machine.wire, swallow_answers, &left);
    for (unsigned i = 0; choice & STAGE2 && i < G_N_ELEMENTS(opening); i++)
        put_frame(host, opening[i], strlen(opening[i]));
    put_lines(host, data + 1, size - 1);
    if (machine.chip && send(fds[0], host->data, host->len, MSG_NOSIGNAL) == (ssize_t)host->len &&
        shutdown(fds[0], SHUT_WR) == 0)
        mk_xml_run(&machine);
    close(fds[0]);
    mk_wire_free(machine.wire);
    return 0;
}
