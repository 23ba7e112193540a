#include "phone/legacy-loop.h"

static bool storage_command(MkDevice *device, uint8_t command)
{
    switch (command) {
    case MK_LEGACY_SWITCH_PART: mk_device_switch_part(device); return true;
    case MK_LEGACY_WRITE_IMAGE: mk_device_write_image(device); return true;
    case MK_LEGACY_WRITE_DATA: mk_device_write_data(device); return true;
    case MK_LEGACY_READ: mk_device_read_storage(device); return true;
    case MK_LEGACY_FORMAT: mk_device_format(device); return true;
    case MK_LEGACY_NAND_READ_PMT:
    case MK_LEGACY_READ_PMT: mk_device_read_table(device); return true;
    case MK_LEGACY_NAND_WRITE_PMT:
    case MK_LEGACY_WRITE_PMT: mk_device_write_table(device); return true;
    case MK_LEGACY_READ_BMT: mk_device_read_bmt(device); return true;
    case MK_LEGACY_NAND_READ_PAGE: mk_device_read_pages(device); return true;
    case MK_LEGACY_NAND_WRITE_DATA: mk_device_nand_write_raw(device); return true;
    case MK_LEGACY_NAND_IMAGE_LIST: mk_device_nand_image_list(device); return true;
    case MK_LEGACY_NAND_WRITE_IMAGE: mk_device_nand_write_image(device); return true;
    default: return false;
    }
}

static bool is_one_of(uint16_t chip, const uint16_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == chip)
            return true;
    return false;
}

/* Commands that not every release has (spec da-legacy.md 8.1); to the others they are unknown bytes. */
static bool is_known(const MkDevice *device, uint8_t command)
{
    static const uint16_t first_chips[] = {0x6573, 0x6575, 0x6577};
    static const uint16_t raw_nand[] = {0x6573, 0x6575, 0x6577, 0x6583, 0x8135, 0x6572, 0x6582, 0x6592, 0x6571};
    bool first = is_one_of(device->da_chip, first_chips, G_N_ELEMENTS(first_chips));
    switch (command) {
    case MK_LEGACY_GET_CARD_TYPE:
    case MK_LEGACY_USB_SETUP_PORT_EX:
    case MK_LEGACY_READ_FLASH_INFO:
    case MK_LEGACY_WRITE_FLASH_INFO: return device->release >= 1;
    case MK_LEGACY_BATTERY: return device->release >= 1 && device->da_chip != 0x8163;
    case MK_LEGACY_READ_REG32:
    case MK_LEGACY_WRITE_REG32:
    case MK_LEGACY_PWR_READ16:
    case MK_LEGACY_PWR_WRITE16: return device->release >= (first ? 2 : 1);
    case MK_LEGACY_PWR_READ8:
    case MK_LEGACY_PWR_WRITE8: return device->da_chip == 0x6592 && device->release >= 2;
    case MK_LEGACY_WRITE_GPT: return device->release >= 3;
    case MK_LEGACY_NAND_WRITE_DATA: return is_one_of(device->da_chip, raw_nand, G_N_ELEMENTS(raw_nand));
    default: return true;
    }
}

/* There is no prompt, and unknown commands are passed over in silence (spec da-legacy.md 8, agents.md legacy 3). */
void mk_device_loop(MkDevice *device)
{
    while (!device->over && !device->gone) {
        uint8_t command = mk_device_get8(device);
        if (device->gone)
            break;
        bool known = is_known(device, command) && (storage_command(device, command) || mk_device_misc(device, command));
        if (!known)
            mk_machine_log(device->machine, "agent: passes over the byte %02x", command);
    }
}
