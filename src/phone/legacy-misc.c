/* Registers, speed, questions, OTP, security (spec da-legacy.md 9.1, 9.2, 9.14 to 9.20). */
#include "phone/legacy-device.h"

#include <string.h>

#define DROP_MS 100 /* from the last answer to the way off the bus */

/* --- registers ---------------------------------------------------------------------------------------------------------------------------- */

static uint32_t peek(const MkDevice *device, uint32_t address)
{
    if (address == 0x08000000)
        return device->model->hw_code;
    return GPOINTER_TO_UINT(g_hash_table_lookup(device->machine->memory, GUINT_TO_POINTER(address & ~3u)));
}

static void poke(MkDevice *device, uint32_t address, uint32_t value)
{
    g_hash_table_insert(device->machine->memory, GUINT_TO_POINTER(address & ~3u), GUINT_TO_POINTER(value));
}

static void register32(MkDevice *device, bool writing)
{
    uint32_t address = mk_device_get32(device);
    if (writing)
        poke(device, address, mk_device_get32(device));
    else
        mk_device_put32(device, peek(device, address));
    mk_device_put8(device, MK_LEGACY_ACK);
}

static void register16(MkDevice *device, bool writing)
{
    uint32_t address = mk_device_get32(device), shift = address & 2 ? 16 : 0, word = peek(device, address);
    if (writing)
        poke(device, address, (word & ~(0xFFFFu << shift)) | (uint32_t)mk_device_get16(device) << shift);
    else
        mk_device_put16(device, (uint16_t)(word >> shift));
    mk_device_put8(device, MK_LEGACY_ACK);
}

static void power_register(MkDevice *device, bool writing)
{
    gpointer place = GUINT_TO_POINTER((guint)mk_device_get16(device));
    if (writing)
        g_hash_table_insert(device->machine->pmic, place, GUINT_TO_POINTER((guint)mk_device_get16(device)));
    else
        mk_device_put16(device, (uint16_t)GPOINTER_TO_UINT(g_hash_table_lookup(device->machine->pmic, place)));
    mk_device_put8(device, MK_LEGACY_ACK);
}

/* 7E and 7F: the low byte of the same registers. */
static void power_byte(MkDevice *device, bool writing)
{
    gpointer place = GUINT_TO_POINTER((guint)mk_device_get16(device));
    guint word = GPOINTER_TO_UINT(g_hash_table_lookup(device->machine->pmic, place));
    if (writing)
        g_hash_table_insert(device->machine->pmic, place, GUINT_TO_POINTER((word & ~0xFFu) | mk_device_get8(device)));
    else
        mk_device_put8(device, (uint8_t)word);
    mk_device_put8(device, MK_LEGACY_ACK);
}

static bool registers(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_READ_REG32:
    case MK_LEGACY_WRITE_REG32: register32(device, command == MK_LEGACY_WRITE_REG32); return true;
    case MK_LEGACY_READ_REG16:
    case MK_LEGACY_WRITE_REG16: register16(device, command == MK_LEGACY_WRITE_REG16); return true;
    case MK_LEGACY_PWR_READ16:
    case MK_LEGACY_PWR_WRITE16: power_register(device, command == MK_LEGACY_PWR_WRITE16); return true;
    case MK_LEGACY_PWR_READ8:
    case MK_LEGACY_PWR_WRITE8: power_byte(device, command == MK_LEGACY_PWR_WRITE8); return true;
    default: return false;
    }
}

/* --- speed of a UART (9.14) --------------------------------------------------------------------------------------------------------------------- */

#define TOO_FAST 1 /* a genuine agent refuses 921600 baud (spec da-legacy-vectors.txt 17) */

static void speed(MkDevice *device)
{
    static const unsigned rates[] = {0,     921600, 460800, 230400, 115200, 57600, 38400,
                                     19200, 9600,   4800,   2400,   1200,   300,   110};
    uint8_t id = mk_device_get8(device), count = mk_device_get8(device), byte;
    if (device->gone)
        return;
    if (id <= TOO_FAST || id >= G_N_ELEMENTS(rates)) {
        mk_device_put8(device, MK_LEGACY_NACK);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_wire_set_baud(device->wire, rates[id]);
    while ((byte = mk_device_get8(device)) != MK_LEGACY_ACK && !device->gone)
        mk_device_put8(device, byte);
    mk_device_put8(device, MK_LEGACY_ACK);
    for (unsigned i = 0; i < 256u * count && !device->gone; i++)
        mk_device_put8(device, mk_device_get8(device));
}

/* --- questions ----------------------------------------------------------------------------------------------------------------------------------------- */

static void battery(MkDevice *device)
{
    bool known = device->da_chip != 0x6582 && device->machine->battery;
    mk_device_put32(device, known ? MK_LEGACY_ACK : MK_LEGACY_NACK);
    if (known)
        mk_device_put32(device, device->machine->battery_mv);
}

/* The type comes as u32 (golden/agent-legacy-mt6582-2016-misc.txt). */
static void card_type(MkDevice *device)
{
    if (mk_device_is_nand(device) || mk_chip_absent(device->chip)) {
        mk_device_nack(device, MK_LEGACY_S_SDMMC_NOT_FOUND);
        return;
    }
    mk_device_put8(device, MK_LEGACY_ACK);
    mk_device_put32(device, 1);
}

/* --- OTP: these phones have none (9.19) ------------------------------------------------------------------------------------------------- */

/* Commands of both families, counted from the first; behind them are lock and lock status. */
enum { OTP_CHECK, OTP_SIZE, OTP_READ, OTP_PROGRAM };

static void otp(MkDevice *device, unsigned what, bool emmc)
{
    uint32_t length = 0;
    if (what == OTP_READ || what == OTP_PROGRAM) {
        mk_device_get32(device); /* offset */
        length = mk_device_get32(device);
    }
    if (emmc && what >= OTP_READ)
        mk_device_get64(device); /* address */
    if (what == OTP_PROGRAM) {
        uint64_t bytes = emmc ? length : 2 * (uint64_t)length;
        uint8_t *ignored = mk_device_buffer(device, bytes);
        if (!ignored || !mk_device_read(device, ignored, bytes))
            return;
    }
    mk_device_put32(device, mk_device_status(device, emmc ? 3155 : mk_device_is_nand(device) ? 3111 : 3116));
    if (what == OTP_SIZE)
        mk_device_put32(device, 0);
}

static bool questions(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_USB_CHECK_STATUS:
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put8(device, device->machine->high_speed);
        return true;
    case MK_LEGACY_GET_CARD_TYPE: card_type(device); return true;
    case MK_LEGACY_BATTERY: battery(device); return true;
    case MK_LEGACY_GET_DSP_VER:
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put16(device, 0);
        return true;
    case MK_LEGACY_READ_IMEI_PID_SWV: mk_device_nack(device, 3160); return true;
    case MK_LEGACY_READ_FLASH_INFO:
    case MK_LEGACY_WRITE_FLASH_INFO:
        mk_device_get8(device);
        mk_device_nack(device, 3162);
        return true;
    case MK_LEGACY_GET_PROJECT_ID:
    case MK_LEGACY_GET_FAT_INFO: mk_device_put32(device, mk_device_status(device, 3067)); return true;
    case MK_LEGACY_EMMC_OTP_CHECK ... MK_LEGACY_EMMC_OTP_LOCK_STATUS:
        otp(device, command - MK_LEGACY_EMMC_OTP_CHECK, true);
        return true;
    case MK_LEGACY_OTP_CHECK ... MK_LEGACY_OTP_LOCK_STATUS:
        otp(device, command - MK_LEGACY_OTP_CHECK, false);
        return true;
    default: return false;
    }
}

/* What a host asks around a download when secure download is off (spec hosts.md). */
static bool security(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_CHK_PC_SEC_INFO: {
        uint32_t length = mk_device_get32(device);
        uint8_t *buffer = mk_device_buffer(device, length);
        if (buffer)
            mk_device_read(device, buffer, length);
        mk_device_put8(device, MK_LEGACY_ACK);
        return true;
    }
    case MK_LEGACY_SECURE_STATUS:
        mk_device_put32(device, 0x1799);
        mk_device_get32(device);
        return true;
    case MK_LEGACY_SECURE_TABLE:
        mk_device_put8(device, MK_LEGACY_ACK);
        mk_device_put8(device, MK_LEGACY_ACK);
        return true;
    default: return false;
    }
}

static void setup_port(MkDevice *device, bool with_ids)
{
    bool fast = mk_device_get8(device) != 0;
    uint32_t ids = with_ids ? mk_device_get32(device) : 0; /* product, vendor */
    MkMachine *machine = device->machine;
    mk_device_put8(device, MK_LEGACY_ACK);
    machine->high_speed |= fast;
    if (fast && !device->gone && machine->reappear)
        device->gone = mk_wire_pause(device->wire, DROP_MS) != MK_WIRE_OK ||
                       !machine->reappear(machine->port_data, ids << 16 | ids >> 16);
    device->wire = machine->wire;
}

bool mk_device_misc(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_USB_SETUP_PORT:
    case MK_LEGACY_USB_SETUP_PORT_EX: setup_port(device, command == MK_LEGACY_USB_SETUP_PORT_EX); return true;
    case MK_LEGACY_DOWNLOAD_BLOADER: mk_device_download_bootloader(device); return true;
    case MK_LEGACY_ENABLE_DRAM: mk_device_enable_dram(device); return true;
    case MK_LEGACY_VERIFY_CHECKSUM: mk_device_verify(device); return true;
    case MK_LEGACY_MEMORY_TEST: mk_device_memory_test(device); return true;
    case MK_LEGACY_SPEED: speed(device); return true;
    case MK_LEGACY_MEM: mk_device_put8(device, MK_LEGACY_NACK); return true;
    case MK_LEGACY_NAND_BMT_REMARK:
        mk_device_put8(device, MK_LEGACY_NACK); /* not needed */
        return true;
    case MK_LEGACY_D5: mk_device_nack(device, MK_LEGACY_S_NOR_NOT_FOUND); return true;
    case MK_LEGACY_WRITE_GPT: mk_device_nack(device, MK_LEGACY_S_SDMMC_NOT_FOUND); return true;
    case MK_LEGACY_FINISH: mk_device_finish(device); return true;
    case MK_LEGACY_ENABLE_WATCHDOG: mk_device_watchdog(device); return true;
    default: return registers(device, command) || questions(device, command) || security(device, command);
    }
}
