/* Leaving the agent, what comes after it, the speed of the USB (spec da-xml.md 8.17 to 8.19). */
#include "core/bytes.h"
#include "phone/xml-device.h"

#include <string.h>

#define AGENT_IDS   0x0E8D2001u
#define DROP_MS     100
#define QUIET_MS    200
#define META_BLOCK  0x400 /* of proinfo, read and written back */
#define META_OFFSET 0x3F4 /* where in it is not known; the last three words are as good as any */
#define META_MODE   1

/* --- REBOOT ---------------------------------------------------------------------------------------------------------------------------- */

static void restart(MkXml *x)
{
    mk_wire_pause(x->wire, QUIET_MS);
    mk_xml_leave(x, x->mode,
                 x->mode == MK_NEXT_META       ? "restart into META"
                 : x->mode == MK_NEXT_FASTBOOT ? "restart into fastboot"
                                               : "restart");
}

static void disconnect(MkXml *x)
{
    mk_wire_pause(x->wire, QUIET_MS);
    mk_xml_leave(x, MK_NEXT_HALT, "off the USB");
}

void mk_xml_reboot(MkXml *x)
{
    g_autofree char *action = mk_xml_need(x, "action");
    if (!action)
        return;
    if (strcmp(action, "DISCONNECT") == 0)
        x->after = disconnect;
    else if (strcmp(action, "IMMEDIATE") == 0 || strcmp(action, "WARM-RESET") == 0 || strcmp(action, "COLD-RESET") == 0)
        x->after = restart;
    else
        mk_xml_fail(x, "Unknown reboot action: %s\r\n", action);
}

/* --- SET-BOOT-MODE -------------------------------------------------------------------------------------------------------------------- */

/* META lies in proinfo: a host that compares it with its copy afterwards sees that. */
static bool store_meta(MkXml *x, uint32_t connection, uint32_t logs)
{
    const uint32_t words[] = {GUINT32_TO_LE(META_MODE), GUINT32_TO_LE(connection), GUINT32_TO_LE(logs)};
    const MkPartition *proinfo = NULL;
    uint8_t block[META_BLOCK];
    for (guint i = 0; x->table && i < x->table->partitions->len && !proinfo; i++) {
        const MkPartition *partition = x->table->partitions->pdata[i];
        if (strcmp(partition->name, "proinfo") == 0 && partition->size >= sizeof block)
            proinfo = partition;
    }
    MkRegion region = mk_geometry_main_region(&x->model->geometry);
    if (!proinfo || !mk_xml_stored(x, mk_chip_read(x->chip, region, proinfo->start, block, sizeof block)))
        return false;
    memcpy(block + META_OFFSET, words, sizeof words);
    return mk_xml_stored(x, mk_chip_write(x->chip, region, proinfo->start, block, sizeof block));
}

static bool set_meta(MkXml *x)
{
    g_autofree char *connection = mk_xml_need(x, "connect_type"), *logging = mk_xml_need(x, "mobile_log");
    g_autofree char *adb = mk_xml_need(x, "adb");
    if (x->message)
        return false;
    uint32_t type = strcmp(connection, "UART") == 0 ? 1 : strcmp(connection, "USB") == 0 ? 2 : 3;
    uint32_t logs = (strcmp(logging, "ON") == 0 ? 1u : 0) | (strcmp(adb, "ON") == 0 ? 2u : 0);
    if (!store_meta(x, type, logs))
        mk_xml_fail(x, "%s", "");
    return !x->message;
}

/* Takes effect at the next REBOOT. */
void mk_xml_set_boot_mode(MkXml *x)
{
    g_autofree char *mode = mk_xml_need(x, "mode");
    if (!mode)
        return;
    if (strcmp(mode, "META") == 0) {
        if (set_meta(x))
            x->mode = MK_NEXT_META;
    } else if (strcmp(mode, "FASTBOOT") == 0) {
        x->mode = MK_NEXT_FASTBOOT;
    } else if (strcmp(mode, "ANDROID-TEST-MODE") == 0) {
        x->mode = MK_NEXT_RESET;
    } else {
        mk_xml_fail(x, "%s", "");
    }
}

/* --- the speed of the USB -------------------------------------------------------------------------------------------------------------- */

void mk_xml_can_higher_usb_speed(MkXml *x)
{
    g_autofree char *target = mk_xml_need(x, "target_file");
    if (target)
        mk_xml_upload_text(x, "USB-SPEED", target, x->machine->high_speed ? "NO" : "YES", true);
}

/* START follows on whatever the port is then: the library goes on in its main loop. */
static void reappear(MkXml *x)
{
    x->gone = mk_wire_pause(x->wire, DROP_MS) != MK_WIRE_OK;
    x->machine->high_speed = true;
    if (!x->gone && x->machine->reappear)
        x->gone = !x->machine->reappear(x->machine->port_data, AGENT_IDS);
    x->wire = x->machine->wire;
}

void mk_xml_switch_usb_speed(MkXml *x)
{
    x->after = reappear;
}
