/* What an XFlash agent tells about its phone (spec da-xflash.md 6.1, 11). */
#include "phone/xflash-device.h"

#include <string.h>

#define SRAM_TYPE    2
#define DRAM_TYPE    1
#define SRAM_ADDRESS 0x00200000u
#define DRAM_ADDRESS 0x40000000u
#define EMMC_BLOCK   0x200
#define WORN_OUT     0x0B /* estimates count in tenths: beyond the last one */
#define WORN         0x0A

static bool is(const MkXflash *x, MkStorage storage)
{
    return x->model->geometry.storage == storage && mk_xflash_has_storage(x);
}

uint32_t mk_xflash_life_status(const MkXflash *x)
{
    const MkModel *model = x->model;
    uint8_t worst = MAX(model->life_a, model->life_b);
    if (!worst && !model->pre_eol)
        return MK_XFLASH_LIFE_UNDEFINED;
    if (worst >= WORN_OUT || model->pre_eol >= 3)
        return MK_XFLASH_LIFE_END;
    return worst >= WORN || model->pre_eol == 2 ? MK_XFLASH_LIFE_WARNING : MK_XFLASH_LIFE_NORMAL;
}

static void put_life(const MkXflash *x, GByteArray *data)
{
    mk_put_u8(data, x->model->pre_eol);
    mk_put_u8(data, x->model->life_a);
    mk_put_u8(data, x->model->life_b);
    mk_put_u8(data, 0);
}

uint32_t mk_xflash_get_emmc(MkXflash *x, GByteArray *data)
{
    const MkGeometry *geometry = &x->model->geometry;
    if (is(x, MK_STORAGE_EMMC)) {
        mk_put_le32(data, MK_XFLASH_STORAGE_EMMC);
        mk_put_le32(data, EMMC_BLOCK);
        mk_put_le64(data, geometry->boot1);
        mk_put_le64(data, geometry->boot2);
        mk_put_le64(data, geometry->rpmb);
        for (unsigned i = 0; i < 4; i++)
            mk_put_le64(data, geometry->gp[i]);
        mk_put_le64(data, geometry->user);
        g_byte_array_append(data, x->model->cid, sizeof x->model->cid);
        mk_put_fill(data, 0, 8); /* firmware version */
        put_life(x, data);
        mk_put_le32(data, mk_xflash_life_status(x));
    }
    mk_put_fill(data, 0, MK_XFLASH_EMMC_INFO_SIZE - data->len);
    return 0;
}

uint32_t mk_xflash_get_ufs(MkXflash *x, GByteArray *data)
{
    const MkGeometry *geometry = &x->model->geometry;
    if (is(x, MK_STORAGE_UFS)) {
        mk_put_le32(data, MK_XFLASH_STORAGE_UFS);
        mk_put_le32(data, geometry->sector);
        for (unsigned i = 0; i < 3; i++)
            mk_put_le64(data, geometry->lu[i]);
        mk_put_le16(data, 0x01CE); /* vendor: Samsung */
        mk_put_text(data, x->model->ufs_model ? x->model->ufs_model : "", 20);
        mk_put_text(data, "0100", 8);
        g_byte_array_append(data, x->model->chip_id, sizeof x->model->chip_id);
        mk_put_fill(data, 0, 194 - data->len); /* rest of the serial number */
        put_life(x, data);
        mk_put_le16(data, 0);
        mk_put_le32(data, mk_xflash_life_status(x));
    }
    mk_put_fill(data, 0, MK_XFLASH_UFS_INFO_SIZE - data->len);
    return 0;
}

/* No phone with a NAND or NOR has an XFlash agent here. */
uint32_t mk_xflash_get_nand(G_GNUC_UNUSED MkXflash *x, GByteArray *data)
{
    mk_put_fill(data, 0, MK_XFLASH_NAND_INFO_SIZE);
    return 0;
}

uint32_t mk_xflash_get_nor(G_GNUC_UNUSED MkXflash *x, GByteArray *data)
{
    mk_put_fill(data, 0, MK_XFLASH_NOR_INFO_SIZE);
    return 0;
}

uint32_t mk_xflash_get_version(G_GNUC_UNUSED MkXflash *x, GByteArray *data)
{
    mk_put_text(data, "1.0", 3);
    return 0;
}

uint32_t mk_xflash_read_packet(const MkXflash *x)
{
    if (x->stage == 1)
        return MK_XFLASH_STAGE1_PACKET;
    return x->system_os == MK_XFLASH_OS_LINUX ? MK_XFLASH_READ_PACKET_LINUX : MK_XFLASH_READ_PACKET;
}

uint32_t mk_xflash_write_packet(const MkXflash *x)
{
    return x->stage == 1 ? MK_XFLASH_STAGE1_PACKET : MK_XFLASH_WRITE_PACKET;
}

uint32_t mk_xflash_get_packet_length(MkXflash *x, GByteArray *data)
{
    mk_put_le32(data, mk_xflash_write_packet(x));
    mk_put_le32(data, mk_xflash_read_packet(x));
    return 0;
}

uint32_t mk_xflash_get_random_id(MkXflash *x, GByteArray *data)
{
    g_byte_array_append(data, x->model->chip_id, sizeof x->model->chip_id);
    return 0;
}

uint32_t mk_xflash_get_table_kind(MkXflash *x, GByteArray *data)
{
    mk_put_le32(data, x->model->table == MK_TABLE_GPT ? MK_XFLASH_TABLE_GPT : MK_XFLASH_TABLE_PMT);
    return 0;
}

uint32_t mk_xflash_get_connection(MkXflash *x, GByteArray *data)
{
    const char *by = x->from_rom ? "brom" : "preloader";
    mk_put_text(data, by, strlen(by));
    return 0;
}

uint32_t mk_xflash_get_usb_speed(MkXflash *x, GByteArray *data)
{
    const char *speed = x->machine->high_speed ? "high-speed" : "full-speed";
    mk_put_text(data, speed, strlen(speed));
    return 0;
}

static void put_ram(GByteArray *data, uint32_t type, uint64_t base, uint64_t size)
{
    mk_put_le32(data, size ? type : 0);
    mk_put_le32(data, 0);
    mk_put_le64(data, size ? base : 0);
    mk_put_le64(data, size);
}

uint32_t mk_xflash_get_ram(MkXflash *x, GByteArray *data)
{
    put_ram(data, SRAM_TYPE, SRAM_ADDRESS, x->model->sram_size);
    put_ram(data, DRAM_TYPE, DRAM_ADDRESS, x->machine->dram_up ? x->model->dram_size : 0);
    return 0;
}

uint32_t mk_xflash_get_chip_id(MkXflash *x, GByteArray *data)
{
    mk_put_le16(data, x->model->hw_code);
    mk_put_le16(data, x->model->hw_sub_code);
    mk_put_le16(data, x->model->hw_version);
    mk_put_le16(data, x->model->sw_version);
    mk_put_le32(data, 0);
    return 0;
}

/* Needs a partition of that name, which few phones have. */
uint32_t mk_xflash_get_otp_lock(MkXflash *x, GByteArray *data)
{
    g_autoptr(MkLayout) table = mk_xflash_table(x);
    if (!table || !mk_layout_find(table, "otp"))
        return MK_XFLASH_S_PARTITION_NOT_FOUND;
    mk_put_le32(data, MK_XFLASH_S_OTP_UNLOCKED);
    return 0;
}

uint32_t mk_xflash_get_battery(MkXflash *x, GByteArray *data)
{
    mk_put_le32(data, x->machine->battery ? x->machine->battery_mv : 0);
    return x->machine->battery ? 0 : MK_XFLASH_S_UNSUPPORTED_OPERATION;
}

uint32_t mk_xflash_get_rpmb(MkXflash *x, GByteArray *data)
{
    mk_put_le32(data, x->model->rpmb_key ? MK_XFLASH_RPMB_KEY_PRESENT : MK_XFLASH_RPMB_KEY_ABSENT);
    return 0;
}

uint32_t mk_xflash_get_dram_type(MkXflash *x, GByteArray *data)
{
    mk_put_le32(data, x->model->dram_type);
    return 0;
}

/* The challenge lies behind four bytes (spec 17); without a vendor's hook there are four other ones. */
uint32_t mk_xflash_get_firmware_info(MkXflash *x, GByteArray *data)
{
    static const uint8_t no_hook[] = {0x12, 0x34, 0x56, 0x78};
    if (!x->model->agent_key) {
        g_byte_array_append(data, no_hook, sizeof no_hook);
        return 0;
    }
    mk_put_le32(data, sizeof x->challenge);
    g_byte_array_append(data, x->challenge, sizeof x->challenge);
    return 0;
}

uint32_t mk_xflash_get_hrid(MkXflash *x, GByteArray *data)
{
    g_byte_array_append(data, x->model->hrid, sizeof x->model->hrid);
    return 0;
}

uint32_t mk_xflash_get_error_detail(MkXflash *x, GByteArray *data)
{
    mk_put_text(data, x->error_text ? x->error_text : "", 32);
    mk_put_le64(data, x->error_sector);
    mk_put_fill(data, 0, MK_XFLASH_ERROR_DETAIL_SIZE - data->len);
    return 0;
}

uint32_t mk_xflash_get_sla(MkXflash *x, GByteArray *data)
{
    mk_put_le32(data, x->model->agent_key != NULL);
    return 0;
}
