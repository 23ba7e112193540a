/* What the agent tells about storage, memory and chip (spec da-xflash.md 6.1, 11). */
#include "agent/xflash.h"

#include "core/i18n.h"

#include <string.h>

#define LARGEST_BLOCK  0x100000u
#define LARGEST_REGION (UINT64_C(1) << 50)
#define LARGEST_PACKET 0x1000000u
#define USUAL_POOL     80u
#define MOST_POOL      4096u

/* Answers may be longer in agents that nobody has seen; what is known is at their beginning. */
#define ROOM 0x400

typedef struct {
    MkXFlash *xflash;
    uint8_t bytes[ROOM];
    size_t length; /* 0: refused */
    uint32_t refusal;
} Question;

static bool ask(Question *question, uint32_t code, const char *name, GError **error)
{
    memset(question->bytes, 0, sizeof question->bytes);
    return xflash_ask(question->xflash, code, name, question->bytes, sizeof question->bytes, &question->length,
                      &question->refusal, error);
}

/* Why a storage is not there, in the agent's own words. */
static uint32_t absence(const Question *question)
{
    return question->refusal ? question->refusal : MK_XFLASH_S_UNKNOWN_STORAGE;
}

/* A size that the phone says, if it can be one. */
static uint64_t sane(uint64_t size, uint32_t unit)
{
    return size <= LARGEST_REGION && unit && size % unit == 0 ? size : 0;
}

static bool is_block(uint32_t block)
{
    return block >= 512 && block <= LARGEST_BLOCK && (block & (block - 1)) == 0;
}

static void take_life(MkAgentInfo *info, const uint8_t wear[3], uint32_t verdict)
{
    static const MkLife lives[] = {MK_LIFE_UNKNOWN, MK_LIFE_GOOD, MK_LIFE_WARNING, MK_LIFE_END};
    info->pre_eol = wear[0] <= 3 ? wear[0] : 0;
    info->life_a = wear[1] <= 0xB ? wear[1] : 0;
    info->life_b = wear[2] <= 0xB ? wear[2] : 0;
    info->life = verdict < G_N_ELEMENTS(lives) ? lives[verdict] : MK_LIFE_UNKNOWN;
}

static bool ask_emmc(Question *question, GError **error)
{
    MkAgentInfo *info = &question->xflash->base.info;
    MkGeometry *geometry = &info->geometry;
    uint64_t *const sizes[] = {&geometry->boot1, &geometry->boot2, &geometry->rpmb,  &geometry->gp[0],
                               &geometry->gp[1], &geometry->gp[2], &geometry->gp[3], &geometry->user};
    if (!ask(question, MK_XFLASH_GET_EMMC_INFO, "GET_EMMC_INFO", error))
        return false;
    uint32_t type = mk_le32(question->bytes), block = mk_le32(question->bytes + 4);
    info->emmc_status = absence(question);
    if (question->length < 88 || type != MK_XFLASH_STORAGE_EMMC || !is_block(block))
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        *sizes[i] = sane(mk_le64(question->bytes + 8 + 8 * i), block);
    if (!geometry->user)
        return true;
    info->emmc_status = 0;
    info->storage = geometry->storage = MK_STORAGE_EMMC;
    geometry->sector = block;
    question->xflash->storage_id = type;
    memcpy(info->emmc_cid, question->bytes + 72, sizeof info->emmc_cid);
    memcpy(info->emmc_firmware, question->bytes + 88, sizeof info->emmc_firmware);
    take_life(info, question->bytes + 96, mk_le32(question->bytes + 100));
    return true;
}

static bool ask_ufs(Question *question, GError **error)
{
    MkAgentInfo *info = &question->xflash->base.info;
    MkGeometry *geometry = &info->geometry;
    if (!ask(question, MK_XFLASH_GET_UFS_INFO, "GET_UFS_INFO", error))
        return false;
    uint32_t type = mk_le32(question->bytes), block = mk_le32(question->bytes + 4);
    info->ufs_status = absence(question);
    if (question->length < 62 || type != MK_XFLASH_STORAGE_UFS || !is_block(block))
        return true;
    for (size_t i = 0; i < 3; i++)
        geometry->lu[i] = sane(mk_le64(question->bytes + 8 + 8 * i), block);
    if (!geometry->lu[2])
        return true;
    info->ufs_status = 0;
    info->storage = geometry->storage = MK_STORAGE_UFS;
    geometry->sector = block;
    question->xflash->storage_id = type;
    memcpy(info->ufs_id, question->bytes + 34, sizeof info->ufs_id);
    MkReader reader = mk_reader(info->ufs_id, sizeof info->ufs_id);
    info->ufs_model = g_strstrip(mk_reader_text(&reader, sizeof info->ufs_id));
    memcpy(info->ufs_serial, question->bytes + 62, sizeof info->ufs_serial);
    take_life(info, question->bytes + 194, mk_le32(question->bytes + 200));
    return true;
}

/* What the agent keeps back of the array for its bad block table. */
static uint32_t pool_blocks(uint64_t total, uint64_t available, uint32_t block)
{
    uint64_t kept = available && available < total ? (total - available) / block : 0;
    return kept && kept <= MOST_POOL ? (uint32_t)kept : USUAL_POOL;
}

static bool ask_nand(Question *question, GError **error)
{
    MkAgentInfo *info = &question->xflash->base.info;
    MkGeometry *geometry = &info->geometry;
    if (!ask(question, MK_XFLASH_GET_NAND_INFO, "GET_NAND_INFO", error))
        return false;
    uint32_t type = mk_le32(question->bytes), page = mk_le32(question->bytes + 4);
    uint32_t block = mk_le32(question->bytes + 8), spare = mk_le32(question->bytes + 12);
    info->nand_status = absence(question);
    if (question->length < MK_XFLASH_NAND_INFO_SIZE || type < MK_XFLASH_STORAGE_NAND ||
        type > MK_XFLASH_STORAGE_NAND_3DMLC || !is_block(page) || block < page || block % page ||
        block > 64 * LARGEST_BLOCK || spare > page)
        return true;
    geometry->nand_size = sane(mk_le64(question->bytes + 16), block);
    if (!geometry->nand_size)
        return true;
    info->nand_status = 0;
    info->storage = geometry->storage = MK_STORAGE_NAND;
    geometry->nand_page = page;
    geometry->nand_block = block;
    geometry->nand_spare = spare;
    geometry->pool_blocks = pool_blocks(geometry->nand_size, mk_le64(question->bytes + 24), block);
    question->xflash->storage_id = type;
    for (info->nand_id_count = 0; info->nand_id_count < 6; info->nand_id_count++)
        info->nand_ids[info->nand_id_count] = question->bytes[33 + info->nand_id_count];
    return true;
}

static bool ask_nor(Question *question, GError **error)
{
    if (!ask(question, MK_XFLASH_GET_NOR_INFO, "GET_NOR_INFO", error))
        return false;
    bool there = question->length >= MK_XFLASH_NOR_INFO_SIZE && mk_le32(question->bytes) != 0;
    question->xflash->base.info.nor_status = there ? 0 : absence(question);
    return true;
}

/* The first kind that is there. */
static bool ask_storage(Question *question, GError **error)
{
    static bool (*const kinds[])(Question *, GError **) = {ask_emmc, ask_ufs, ask_nand, ask_nor};
    const MkAgentInfo *info = &question->xflash->base.info;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds) && info->storage == MK_STORAGE_UNKNOWN; i++) {
        if (!kinds[i](question, error))
            return false;
    }
    return true;
}

static bool ask_memory(Question *question, GError **error)
{
    MkAgentInfo *info = &question->xflash->base.info;
    if (!ask(question, MK_XFLASH_GET_RAM_INFO, "GET_RAM_INFO", error))
        return false;
    if (question->length >= MK_XFLASH_RAM_INFO_SIZE) {
        info->sram_size = mk_le64(question->bytes + 16);
        info->dram_size = mk_le64(question->bytes + 40);
    } else if (question->length == MK_XFLASH_RAM_INFO_SIZE_OLD) {
        info->sram_size = mk_le32(question->bytes + 8);
        info->dram_size = mk_le32(question->bytes + 20);
    }
    info->dram_status = info->dram_size ? 0 : absence(question);
    return true;
}

static bool ask_id(Question *question, uint32_t code, const char *name, uint8_t id[16], bool *has, GError **error)
{
    if (!ask(question, code, name, error))
        return false;
    *has = question->length == 16 && !mk_is_blank(question->bytes, 16);
    if (*has)
        memcpy(id, question->bytes, 16);
    return true;
}

static bool ask_chip(Question *question, GError **error)
{
    if (!ask(question, MK_XFLASH_GET_CHIP_ID, "GET_CHIP_ID", error))
        return false;
    question->xflash->base.info.chip_code = question->length >= MK_XFLASH_CHIP_ID_SIZE ? mk_le16(question->bytes) : 0;
    return true;
}

static bool ask_security(Question *question, GError **error)
{
    MkAgentInfo *info = &question->xflash->base.info;
    if (!ask(question, MK_XFLASH_GET_RPMB_STATUS, "GET_RPMB_STATUS", error))
        return false;
    uint32_t key = question->length == 4 ? mk_le32(question->bytes) : 0;
    info->rpmb_key = key == MK_XFLASH_RPMB_KEY_PRESENT ? 1 : key == MK_XFLASH_RPMB_KEY_ABSENT ? 0 : -1;
    if (!ask(question, MK_XFLASH_GET_DRAM_TYPE, "GET_DRAM_TYPE", error))
        return false;
    info->dram_type = question->length == 4 ? mk_le32(question->bytes) : 0;
    return true;
}

/* Here the final status is the answer. */
static bool ask_life_cycle(MkXFlash *xflash, GError **error)
{
    g_autoptr(GError) problem = NULL;
    XFlashControl control = {
        MK_XFLASH_STOR_LIFE_CYCLE_CHECK, "STOR_LIFE_CYCLE_CHECK", MK_FAULT_UNSUPPORTED, NULL, 0, NULL, 0};
    bool good = xflash_control(xflash, &control, NULL, &problem);
    uint32_t status = mk_fault_number(problem);
    if (xflash->base.lost) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (status == MK_XFLASH_S_LIFE_WARNING)
        xflash->base.info.life = MK_LIFE_WARNING;
    else if (status == MK_XFLASH_S_LIFE_EXHAUSTED)
        xflash->base.info.life = MK_LIFE_END;
    else if (good && xflash->base.info.life == MK_LIFE_UNKNOWN)
        xflash->base.info.life = MK_LIFE_GOOD;
    return true;
}

static uint32_t packet_length(uint32_t said, uint32_t otherwise)
{
    return said >= MK_XFLASH_STAGE1_PACKET && said <= LARGEST_PACKET ? said - said % MK_XFLASH_STAGE1_PACKET
                                                                     : otherwise;
}

static bool ask_packets(Question *question, GError **error)
{
    MkXFlash *xflash = question->xflash;
    if (!ask(question, MK_XFLASH_GET_PACKET_LENGTH, "GET_PACKET_LENGTH", error))
        return false;
    bool said = question->length == 8;
    xflash->write_packet = packet_length(said ? mk_le32(question->bytes) : 0, MK_XFLASH_READ_PACKET_LINUX);
    xflash->read_packet = packet_length(said ? mk_le32(question->bytes + 4) : 0, MK_XFLASH_READ_PACKET);
    return true;
}

static bool ask_version(Question *question, const char *label, GError **error)
{
    MkXFlash *xflash = question->xflash;
    if (!ask(question, MK_XFLASH_GET_DA_VERSION, "GET_DA_VERSION", error))
        return false;
    MkReader reader = mk_reader(question->bytes, question->length);
    g_autofree char *version = mk_reader_text(&reader, question->length);
    xflash->base.info.version =
        g_strdup_printf("%s: XFlash %s%s", label, version ? version : "", xflash->old ? _(", dialect of 2015") : "");
    return true;
}

bool xflash_describe(MkXFlash *xflash, const char *label, GError **error)
{
    MkAgentInfo *info = &xflash->base.info;
    Question question = {.xflash = xflash};
    info->usb_speed = 0xFF;
    info->rpmb_key = -1;
    return ask_memory(&question, error) && ask_storage(&question, error) && ask_chip(&question, error) &&
           ask_id(&question, MK_XFLASH_GET_RANDOM_ID, "GET_RANDOM_ID", info->chip_id, &info->has_chip_id, error) &&
           ask_packets(&question, error) && ask_version(&question, label, error) &&
           (xflash->old || (ask_id(&question, MK_XFLASH_GET_HRID, "GET_HRID", info->hrid, &info->has_hrid, error) &&
                            ask_security(&question, error) && ask_life_cycle(xflash, error)));
}

bool xflash_flash_id(MkXFlash *xflash, uint8_t id[XFLASH_FLASH_ID], size_t *length, GError **error)
{
    Question question = {.xflash = xflash};
    *length = 0;
    if (!ask(&question, MK_XFLASH_GET_EMMC_INFO, "GET_EMMC_INFO", error))
        return false;
    if (question.length >= 88 && mk_le32(question.bytes) == MK_XFLASH_STORAGE_EMMC) {
        *length = 16;
        memcpy(id, question.bytes + 72, *length);
        return true;
    }
    if (!ask(&question, MK_XFLASH_GET_UFS_INFO, "GET_UFS_INFO", error))
        return false;
    if (question.length >= 62 && mk_le32(question.bytes) == MK_XFLASH_STORAGE_UFS) {
        *length = XFLASH_FLASH_ID;
        memcpy(id, question.bytes + 34, *length);
    }
    return true;
}
