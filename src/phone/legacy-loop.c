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

/* There is no prompt, and unknown commands are passed over in silence (spec da-legacy.md 8, agents.md legacy 3). */
void mk_device_loop(MkDevice *device)
{
    while (!device->over && !device->gone) {
        uint8_t command = mk_device_get8(device);
        if (device->gone)
            break;
        if (!storage_command(device, command) && !mk_device_misc(device, command))
            mk_machine_log(device->machine, "agent: passes over the byte %02x", command);
    }
}
