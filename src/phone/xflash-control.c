/* DEVICE_CTRL: which control code is there in which stage of which agent, and what it does (spec da-xflash.md 6). */
#include "phone/signature.h"
#include "phone/xflash-device.h"

#include <string.h>

#define ALL            (MK_XFLASH_2015 | MK_XFLASH_2020 | MK_XFLASH_2025)
#define BUT_2025       (MK_XFLASH_2015 | MK_XFLASH_2020)
#define SINCE_2020     (MK_XFLASH_2020 | MK_XFLASH_2025)
#define SMALL_FILE     0x200000u
#define LARGE_FILE     0x800000u
#define REGISTER_BLOCK 8
#define RESOURCE_BLOCK 0x148
#define UFS_CONFIG     16

/* A parameter of LENGTH bytes has come; the status that ends the command. */
typedef uint32_t (*Set)(MkXflash *x, const uint8_t *data, size_t length);

typedef struct {
    uint32_t code;
    unsigned stages; /* bit 0: stage 1, bit 1: stage 2 */
    unsigned years;
    const char *chips; /* "6765 6853": of these only; NULL: of all */
    uint32_t exactly;  /* length of the parameter; 0: any, up to `room` */
    uint32_t room;
    Set set;         /* NULL: takes none */
    MkXflashGet get; /* NULL: gives none */
    bool open;       /* also before the agent's challenge is answered */
} Control;

/* --- what is set ---------------------------------------------------------------------------------------------------------------- */

static uint32_t set_battery(MkXflash *x, const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    x->battery_option = mk_le32(data);
    return 0;
}

static uint32_t set_checksum(MkXflash *x, const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    x->checksum = mk_le32(data);
    return 0;
}

static uint32_t set_reset_key(MkXflash *x, const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    x->reset_key = mk_le32(data);
    return 0;
}

static uint32_t set_meta(MkXflash *x, const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    x->meta = data[0] == 1;
    return 0;
}

static uint32_t set_reboot_mode(MkXflash *x, const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    x->reboot_mode = mk_le32(data);
    return 0;
}

/* Files of the phone's maker: a phone without secure boot has no use for them. */
static uint32_t accept_file(G_GNUC_UNUSED MkXflash *x, G_GNUC_UNUSED const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    return 0;
}

static uint32_t set_all_in_one(MkXflash *x, G_GNUC_UNUSED const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    x->all_in_one = true;
    return 0;
}

static uint32_t set_register(G_GNUC_UNUSED MkXflash *x, G_GNUC_UNUSED const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    return MK_XFLASH_S_REGISTER_DENIED;
}

static uint32_t set_resource_info(MkXflash *x, const uint8_t *data, G_GNUC_UNUSED size_t length)
{
    return mk_xflash_resource_info(x, data);
}

/* The answer to the challenge of GET_DEV_FW_INFO (spec 17); on a phone that asked nothing there is no such policy. */
static uint32_t set_policy(MkXflash *x, const uint8_t *data, size_t length)
{
    const MkModel *model = x->model;
    if (!model->agent_key)
        return MK_XFLASH_S_REMOTE_POLICY_DISABLED;
    bool right = mk_signature_matches(model->agent_key, model->hrid, sizeof model->hrid, x->challenge,
                                      sizeof x->challenge, data, length);
    x->locked = x->locked && !right;
    mk_machine_log(x->machine, "agent: the answer to the challenge is %s", right ? "right" : "wrong");
    return right ? 0 : MK_XFLASH_S_RSA_VERIFY;
}

/* --- what is done --------------------------------------------------------------------------------------------------------------- */

static uint32_t start_download(MkXflash *x, G_GNUC_UNUSED GByteArray *data)
{
    x->downloading = true;
    return 0;
}

static uint32_t end_download(MkXflash *x, G_GNUC_UNUSED GByteArray *data)
{
    x->downloading = false;
    return 0;
}

static uint32_t nothing(G_GNUC_UNUSED MkXflash *x, G_GNUC_UNUSED GByteArray *data)
{
    return 0;
}

static uint32_t lock_otp(MkXflash *x, GByteArray *data)
{
    uint32_t status = mk_xflash_get_otp_lock(x, data);
    g_byte_array_set_size(data, 0);
    return status ? status : MK_XFLASH_S_UNSUPPORTED_OPERATION;
}

static uint32_t check_life(MkXflash *x, G_GNUC_UNUSED GByteArray *data)
{
    uint32_t life = mk_xflash_life_status(x);
    return life == MK_XFLASH_LIFE_END       ? MK_XFLASH_S_LIFE_EXHAUSTED
           : life == MK_XFLASH_LIFE_WARNING ? MK_XFLASH_S_LIFE_WARNING
                                            : 0;
}

static uint32_t keep_erased(MkXflash *x, G_GNUC_UNUSED GByteArray *data)
{
    x->keep_erased = true;
    return 0;
}

/* --- the registry (spec 6.1) ---------------------------------------------------------------------------------------------------- */

#define SET(CODE, STAGES, YEARS, CHIPS, LENGTH, FUNCTION)                                                              \
    {                                                                                                                  \
        .code = (CODE), .stages = (STAGES), .years = (YEARS), .chips = (CHIPS), .exactly = (LENGTH), .set = (FUNCTION) \
    }
#define FILE_IN(CODE, YEARS, CHIPS, ROOM, FUNCTION, OPEN)                                                              \
    {                                                                                                                  \
        .code = (CODE), .stages = 2, .years = (YEARS), .chips = (CHIPS), .room = (ROOM), .set = (FUNCTION),            \
        .open = (OPEN)                                                                                                 \
    }
#define GET(CODE, STAGES, FUNCTION)                                                                                    \
    {                                                                                                                  \
        .code = (CODE), .stages = (STAGES), .years = ALL, .get = (FUNCTION)                                            \
    }
#define GET_SOME(CODE, STAGES, YEARS, CHIPS, FUNCTION, OPEN)                                                           \
    {                                                                                                                  \
        .code = (CODE), .stages = (STAGES), .years = (YEARS), .chips = (CHIPS), .get = (FUNCTION), .open = (OPEN)      \
    }

static const Control controls[] = {
    SET(MK_XFLASH_SET_BATTERY_OPT, 3, ALL, NULL, 4, set_battery),
    SET(MK_XFLASH_SET_CHECKSUM_LEVEL, 1, ALL, NULL, 4, set_checksum),
    SET(MK_XFLASH_SET_RESET_KEY, 1, ALL, NULL, 4, set_reset_key),
    SET(MK_XFLASH_SET_META_BOOT_MODE, 2, BUT_2025, NULL, MK_XFLASH_META_MODE_SIZE, set_meta),
    SET(MK_XFLASH_SET_REGISTER_VALUE, 2, ALL, NULL, REGISTER_BLOCK, set_register),
    FILE_IN(MK_XFLASH_SET_EXTERNAL_SIG, ALL, NULL, SMALL_FILE, accept_file, false),
    FILE_IN(MK_XFLASH_SET_REMOTE_SEC_POLICY, ALL, NULL, SMALL_FILE, set_policy, true),
    FILE_IN(MK_XFLASH_SET_ALL_IN_ONE_SIG, ALL, NULL, LARGE_FILE, set_all_in_one, true),
    SET(MK_XFLASH_SET_RSC_INFO, 2, ALL, NULL, RESOURCE_BLOCK, set_resource_info),
    SET(MK_XFLASH_SET_REBOOT_MODE, 2, MK_XFLASH_2020, "6765 6853 6873", 4, set_reboot_mode),
    SET(MK_XFLASH_SET_REBOOT_MODE, 2, MK_XFLASH_2025, NULL, 4, set_reboot_mode),
    FILE_IN(MK_XFLASH_SET_CERT_FILE, SINCE_2020, "6768 6785 6853 6873 6885", SMALL_FILE, accept_file, false),
    FILE_IN(MK_XFLASH_SET_UPDATE_FW, SINCE_2020, "6779 6853 6873 6885", LARGE_FILE, accept_file, false),
    SET(MK_XFLASH_SET_UFS_CONFIG, 2, SINCE_2020, "6779 6853 6873 6885", UFS_CONFIG, accept_file),
    FILE_IN(MK_XFLASH_SET_DYNAMIC_PARTITION_MAP, MK_XFLASH_2025, NULL, SMALL_FILE, accept_file, false),
    GET(MK_XFLASH_GET_EMMC_INFO, 3, mk_xflash_get_emmc),
    GET(MK_XFLASH_GET_NAND_INFO, 2, mk_xflash_get_nand),
    GET(MK_XFLASH_GET_NOR_INFO, 2, mk_xflash_get_nor),
    GET(MK_XFLASH_GET_UFS_INFO, 3, mk_xflash_get_ufs),
    GET(MK_XFLASH_GET_DA_VERSION, 3, mk_xflash_get_version),
    GET(MK_XFLASH_GET_PACKET_LENGTH, 3, mk_xflash_get_packet_length),
    GET(MK_XFLASH_GET_RANDOM_ID, 2, mk_xflash_get_random_id),
    GET(MK_XFLASH_GET_PARTITION_TBL_CATA, 3, mk_xflash_get_table_kind),
    GET(MK_XFLASH_GET_CONNECTION_AGENT, 1, mk_xflash_get_connection),
    GET(MK_XFLASH_GET_USB_SPEED, 3, mk_xflash_get_usb_speed),
    GET(MK_XFLASH_GET_RAM_INFO, 3, mk_xflash_get_ram),
    GET(MK_XFLASH_GET_CHIP_ID, 3, mk_xflash_get_chip_id),
    GET(MK_XFLASH_GET_OTP_LOCK_STATUS, 2, mk_xflash_get_otp_lock),
    GET(MK_XFLASH_GET_BATTERY_VOLTAGE, 2, mk_xflash_get_battery),
    GET(MK_XFLASH_GET_RPMB_STATUS, 2, mk_xflash_get_rpmb),
    GET(MK_XFLASH_GET_DRAM_TYPE, 2, mk_xflash_get_dram_type),
    GET_SOME(MK_XFLASH_GET_DEV_FW_INFO, 2, ALL, NULL, mk_xflash_get_firmware_info, true),
    GET(MK_XFLASH_GET_HRID, 2, mk_xflash_get_hrid),
    GET_SOME(MK_XFLASH_GET_ERROR_DETAIL, 3, MK_XFLASH_2020, "6765", mk_xflash_get_error_detail, false),
    GET_SOME(MK_XFLASH_SLA_ENABLED_STATUS, 2, MK_XFLASH_2025, NULL, mk_xflash_get_sla, true),
    GET(MK_XFLASH_START_DL_INFO, 2, start_download),
    GET(MK_XFLASH_END_DL_INFO, 2, end_download),
    GET(MK_XFLASH_ACT_LOCK_OTP_ZONE, 2, lock_otp),
    GET(MK_XFLASH_DISABLE_EMMC_HWRESET_PIN, 2, nothing),
    GET(MK_XFLASH_CC_OPTIONAL_DOWNLOAD_ACT, 2, nothing),
    GET(MK_XFLASH_STOR_LIFE_CYCLE_CHECK, 2, check_life),
    GET_SOME(MK_XFLASH_DISABLE_SPARSE_ERASE, 2, MK_XFLASH_2020, "6779", keep_erased, false),
    GET_SOME(MK_XFLASH_DISABLE_SPARSE_ERASE, 2, MK_XFLASH_2025, NULL, keep_erased, false),
    SET(MK_XFLASH_READ_REGISTER, 2, ALL, NULL, REGISTER_BLOCK, set_register),
};

static bool has(const MkXflash *x, const Control *control)
{
    g_autofree char *chip = g_strdup_printf("%04X", x->da_chip);
    bool left_out = control->code == MK_XFLASH_CC_OPTIONAL_DOWNLOAD_ACT && x->da_chip == 0x6785;
    return (control->stages & x->stage) && (control->years & x->year) && !left_out &&
           (!control->chips || strstr(control->chips, chip)) && (!x->locked || x->stage == 1 || control->open);
}

static const Control *find(const MkXflash *x, uint32_t code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(controls); i++)
        if (controls[i].code == code && has(x, &controls[i]))
            return &controls[i];
    return NULL;
}

/* --- the exchange ------------------------------------------------------------------------------------------------------------------ */

static void take_parameter(MkXflash *x, const Control *control)
{
    size_t length;
    uint32_t room = control->exactly ? control->exactly : control->room;
    /* The second of these is refused before its data are taken. */
    if (control->code == MK_XFLASH_SET_ALL_IN_ONE_SIG && x->all_in_one) {
        mk_xflash_status(x, MK_XFLASH_S_ALL_IN_ONE_SIG_REJECT);
        return;
    }
    if (!mk_xflash_take_blob(x, room, &length)) {
        mk_xflash_status(x, x->broken);
        return;
    }
    bool right = !control->exactly || length == control->exactly;
    mk_xflash_status(x, right ? control->set(x, x->buffer, length) : MK_XFLASH_S_PROTOCOL);
}

/* What fails without a word of data answers with its status alone (spec agents.md XFlash 4). */
static void give(MkXflash *x, const Control *control)
{
    g_autoptr(GByteArray) data = g_byte_array_new();
    uint32_t status = control->get(x, data);
    if (data->len)
        mk_xflash_put(x, data->data, data->len);
    mk_xflash_status(x, status);
}

void mk_xflash_control(MkXflash *x)
{
    uint32_t code;
    if (!mk_xflash_take32(x, &code)) {
        mk_xflash_status(x, x->broken);
        return;
    }
    const Control *control = find(x, code);
    mk_xflash_status(x, control ? 0 : MK_XFLASH_S_UNSUPPORTED_CONTROL);
    if (!control)
        mk_machine_log(x->machine, "agent: does not know the control code 0x%x", code);
    else if (control->set)
        take_parameter(x, control);
    else
        give(x, control);
}
