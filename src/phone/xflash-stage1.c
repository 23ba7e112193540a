/* Stage 1: from its first byte to the jump into stage 2 (spec da-xflash.md 4, 7, 8). */
#include "phone/xflash-device.h"

#include <string.h>

#define STAGE2_ADDRESS 0x40000000u /* begin of the DRAM, too */
#define BLOB_LIMIT     0x100000u
#define BLOB_HEAD      0x70
#define HW_INIT_LIMIT  0x10000u

/* True: the frame was SYNC or whatever word was WANTED. */
static bool take_word(MkXflash *x, uint32_t wanted, const char *otherwise)
{
    uint32_t word;
    bool good = mk_xflash_take32(x, &word) && word == wanted;
    if (!good && !x->gone)
        mk_xflash_halt(x, otherwise);
    return good;
}

static bool take_environment(MkXflash *x)
{
    uint8_t block[MK_XFLASH_ENVIRONMENT_SIZE];
    if (!take_word(x, MK_XFLASH_SETUP_ENVIRONMENT, "no SETUP_ENVIRONMENT"))
        return false;
    if (!mk_xflash_take_exactly(x, block, sizeof block)) {
        if (!x->gone) {
            mk_xflash_status(x, x->broken);
            mk_xflash_halt(x, "an environment that cannot be");
        }
        return false;
    }
    x->log_level = mk_le32(block);
    x->log_channel = mk_le32(block + 4);
    x->system_os = mk_le32(block + 8);
    mk_xflash_status(x, 0);
    return true;
}

/* Blocks for boards with special wishes; only the low byte of their number is looked at. */
static bool take_hardware(MkXflash *x)
{
    uint32_t count, length;
    if (!take_word(x, MK_XFLASH_SETUP_HW_INIT_PARAMS, "no SETUP_HW_INIT_PARAMS") || !mk_xflash_take32(x, &count))
        return false;
    for (count &= 0xFF; count; count--) {
        size_t got;
        if (!mk_xflash_take32(x, &length) || !mk_xflash_take_blob(x, HW_INIT_LIMIT, &got) || got != length)
            return false;
    }
    mk_xflash_status(x, 0);
    return true;
}

void mk_xflash_start(MkXflash *x)
{
    static const uint8_t hello = MK_XFLASH_HELLO;
    x->gone = mk_wire_write(x->wire, &hello, 1) != MK_WIRE_OK;
    if (!take_word(x, MK_XFLASH_SYNC, "no SYNC") || !take_environment(x) || x->year == MK_XFLASH_2015)
        return;
    if (take_hardware(x))
        mk_xflash_put32(x, MK_XFLASH_SYNC);
    else if (!x->gone && !x->over)
        mk_xflash_halt(x, "hardware settings that cannot be");
}

/* --- INIT_EXT_RAM ----------------------------------------------------------------------------------------------------------- */

static unsigned version_of(const uint8_t *blob)
{
    bool digits = g_ascii_isdigit(blob[0x12]) && g_ascii_isdigit(blob[0x13]);
    return digits ? (unsigned)((blob[0x12] - '0') * 10 + (blob[0x13] - '0')) : 0;
}

/* The name by which a record would list this phone's storage: begin of the CID, or the text of the UFS (spec preloader-file.md 4.3). */
static size_t storage_name(const MkXflash *x, const void **name)
{
    bool ufs = x->model->geometry.storage == MK_STORAGE_UFS;
    *name = ufs ? (const void *)x->model->ufs_model : x->model->cid;
    return ufs ? strlen(x->model->ufs_model ? x->model->ufs_model : "") : 9;
}

/* Layout A has the id at 0x10, the others before it; the agent takes the first record that lists the storage, else one for DRAM that
 * stands alone (package 0). */
static bool lists_storage(const MkXflash *x, const uint8_t *blob, size_t length)
{
    uint32_t count = mk_le32(blob + 0x6C);
    size_t record = count ? (length - BLOB_HEAD) / count : 0;
    const void *name;
    size_t name_length = storage_name(x, &name);
    for (uint32_t i = 0; record >= 0x28 && i < count; i++) {
        const uint8_t *at = blob + BLOB_HEAD + i * record;
        bool alone = (mk_le32(at + 4) >> 8 & 0xFF) == 0;
        if (alone || (name_length && memmem(at, 0x28, name, name_length)))
            return true;
    }
    return false;
}

static uint32_t judge_blob(const MkXflash *x, const uint8_t *blob, size_t length)
{
    static const char mark[] = "MTK_BLOADER_INFO_v";
    if (length < BLOB_HEAD || memcmp(blob, mark, strlen(mark)) != 0 || version_of(blob) != x->model->emi_version)
        return MK_XFLASH_S_EMI_VERSION;
    return lists_storage(x, blob, length) ? 0 : MK_XFLASH_S_DRAM_TEST_FAILED;
}

void mk_xflash_init_ram(MkXflash *x)
{
    uint32_t told;
    size_t length;
    if (!mk_xflash_take32(x, &told) || !mk_xflash_take_blob(x, BLOB_LIMIT, &length)) {
        mk_xflash_status(x, x->broken);
        return;
    }
    uint32_t status = told == length ? judge_blob(x, x->buffer, length) : MK_XFLASH_S_PROTOCOL;
    x->machine->dram_up |= status == 0;
    mk_machine_log(x->machine, "agent: DRAM %s", status ? "does not start" : "runs");
    mk_xflash_status(x, status);
}

/* --- BOOT_TO ----------------------------------------------------------------------------------------------------------------- */

void mk_xflash_boot_to(MkXflash *x)
{
    uint8_t where[MK_XFLASH_BOOT_TO_SIZE];
    size_t length;
    if (!mk_xflash_take_exactly(x, where, sizeof where) || !mk_xflash_take_blob(x, MK_XFLASH_LARGEST, &length)) {
        mk_xflash_status(x, x->broken);
        return;
    }
    uint32_t status = mk_le64(where + 8) != length                             ? MK_XFLASH_S_PROTOCOL
                      : mk_machine_knows_stage2(x->machine, x->buffer, length) ? 0
                                                                               : MK_XFLASH_S_HASH_MISMATCH;
    mk_xflash_status(x, status);
    if (status || x->gone)
        return;
    /* The agents of 2025 jump to where their stage 2 belongs, whatever the host says (spec agents.md XFlash 9). */
    if (x->year != MK_XFLASH_2025 && mk_le64(where) != STAGE2_ADDRESS) {
        mk_xflash_halt(x, "jumped to where no stage 2 runs");
        return;
    }
    x->stage = 2;
    mk_machine_log(x->machine, "agent: stage 2 runs");
    if (x->year != MK_XFLASH_2015)
        mk_xflash_put32(x, MK_XFLASH_SYNC);
}
