#include "phone/usbip.h"

#include "core/bytes.h"

#include <errno.h>
#include <string.h>

#define VERSION          0x0111
#define OP_REQ_DEVLIST   0x8005
#define OP_REQ_IMPORT    0x8003
#define OP_REPLY         0x7FFF /* a reply has the code of its request without the top bit */
#define OP_HEADER        8
#define BUS_ID_SIZE      32
#define PATH_SIZE        256
#define BUS_PATH         "/sys/devices/platform/medik-phone/usb1/" MK_USBIP_BUS_ID
#define BUS_NUMBER       1
#define SPEED_FULL       2
#define SPEED_HIGH       3
#define CMD_HEADER       48
#define LONGEST_TRANSFER (16u << 20)
#define MOST_WAITING     (64u << 20) /* bytes of transfers that wait, all together */
#define TRANSFER_COST    256         /* what a transfer of no bytes counts */
#define LONGEST_OUTPUT   (64u << 20) /* a host that does not read what it asked for is no host */

enum { STATUS_OK, STATUS_NOT_AVAILABLE, STATUS_BUSY };
enum { CMD_SUBMIT = 1, CMD_UNLINK, RET_SUBMIT, RET_UNLINK };

typedef struct {
    uint32_t number;
    size_t room;      /* IN: what the host has place for */
    GByteArray *data; /* OUT: what it sends; IN: what it gets */
    size_t at;        /* OUT: taken so far */
} Transfer;

struct _MkUsbip {
    MkUsbBus *bus;
    GByteArray *input, *output;
    GQueue out, in, interrupt; /* of Transfer */
    size_t waiting;            /* bytes they hold or may hold */
    GByteArray *block;         /* what the phone gives, NULL: nothing */
    size_t block_at;
    bool block_ends_empty;
    bool waits;
};

MkUsbip *mk_usbip_new(MkUsbBus *bus)
{
    MkUsbip *usbip = g_new0(MkUsbip, 1);
    usbip->bus = bus;
    usbip->input = g_byte_array_new();
    usbip->output = g_byte_array_new();
    return usbip;
}

static void transfer_free(gpointer data)
{
    Transfer *transfer = data;
    g_byte_array_unref(transfer->data);
    g_free(transfer);
}

void mk_usbip_free(MkUsbip *usbip)
{
    if (!usbip)
        return;
    if (usbip->bus->host == usbip)
        usbip->bus->host = NULL;
    g_queue_clear_full(&usbip->out, transfer_free);
    g_queue_clear_full(&usbip->in, transfer_free);
    g_queue_clear_full(&usbip->interrupt, transfer_free);
    g_clear_pointer(&usbip->block, g_byte_array_unref);
    g_byte_array_unref(usbip->input);
    g_byte_array_unref(usbip->output);
    g_free(usbip);
}

GByteArray *mk_usbip_output(MkUsbip *usbip)
{
    return usbip->output;
}

/* --- before a device is imported ------------------------------------------------------------------------------------------ */

static void put_operation(GByteArray *output, uint16_t code, uint32_t status)
{
    mk_put_be16(output, VERSION);
    mk_put_be16(output, code & OP_REPLY);
    mk_put_be32(output, status);
}

static void put_device(GByteArray *output, const MkUsbBus *bus)
{
    const uint8_t *descriptor = mk_usb_device_descriptor(bus->device);
    size_t length;
    const uint8_t *configuration = mk_usb_device_configuration(bus->device, &length);
    mk_put_text(output, BUS_PATH, PATH_SIZE);
    mk_put_text(output, MK_USBIP_BUS_ID, BUS_ID_SIZE);
    mk_put_be32(output, BUS_NUMBER);
    mk_put_be32(output, bus->number);
    mk_put_be32(output, mk_usb_device_high_speed(bus->device) ? SPEED_HIGH : SPEED_FULL);
    mk_put_be16(output, mk_le16(descriptor + 8));
    mk_put_be16(output, mk_le16(descriptor + 10));
    mk_put_be16(output, mk_le16(descriptor + 12));
    g_byte_array_append(output, descriptor + 4, 3); /* class, subclass, protocol */
    mk_put_u8(output, mk_usb_device_configured(bus->device));
    mk_put_u8(output, descriptor[17]);
    mk_put_u8(output, configuration[4]);
}

static void put_interfaces(GByteArray *output, const MkUsbBus *bus)
{
    size_t length;
    const uint8_t *descriptor = mk_usb_device_configuration(bus->device, &length);
    for (size_t at = 0; at < length; at += descriptor[at])
        if (descriptor[at + 1] == 4) {
            g_byte_array_append(output, descriptor + at + 5, 3);
            mk_put_u8(output, 0);
        }
}

static void list_devices(MkUsbip *usbip)
{
    put_operation(usbip->output, OP_REQ_DEVLIST, STATUS_OK);
    mk_put_be32(usbip->output, usbip->bus->device != NULL);
    if (!usbip->bus->device)
        return;
    put_device(usbip->output, usbip->bus);
    put_interfaces(usbip->output, usbip->bus);
}

void mk_usbip_answer(MkUsbip *usbip)
{
    MkUsbBus *bus = usbip->bus;
    usbip->waits = false;
    uint32_t status = !bus->device ? STATUS_NOT_AVAILABLE : bus->host ? STATUS_BUSY : STATUS_OK;
    put_operation(usbip->output, OP_REQ_IMPORT, status);
    if (status == STATUS_OK) {
        put_device(usbip->output, bus);
        bus->host = usbip;
    }
}

static void import(MkUsbip *usbip, const uint8_t *name)
{
    char bus_id[BUS_ID_SIZE + 1] = {0};
    memcpy(bus_id, name, BUS_ID_SIZE);
    if (strcmp(bus_id, MK_USBIP_BUS_ID) != 0) {
        put_operation(usbip->output, OP_REQ_IMPORT, STATUS_NOT_AVAILABLE);
    } else if (!usbip->bus->device && usbip->bus->pulled) {
        usbip->waits = usbip->bus->replug = true;
    } else {
        mk_usbip_answer(usbip);
    }
}

bool mk_usbip_waits(const MkUsbip *usbip)
{
    return usbip->waits;
}

/* Bytes used, 0: more are needed, -1: hang up. */
static gssize take_operation(MkUsbip *usbip, MkReader reader)
{
    uint16_t version = mk_reader_be16(&reader), code = mk_reader_be16(&reader);
    mk_reader_be32(&reader);
    const uint8_t *bus_id = code == OP_REQ_IMPORT ? mk_reader_take(&reader, BUS_ID_SIZE) : NULL;
    if (reader.length >= OP_HEADER && (version != VERSION || (code != OP_REQ_DEVLIST && code != OP_REQ_IMPORT)))
        return -1;
    if (reader.failed)
        return 0;
    if (bus_id)
        import(usbip, bus_id);
    else
        list_devices(usbip);
    return (gssize)reader.offset;
}

/* --- transfers ------------------------------------------------------------------------------------------------------------ */

static void put_return(GByteArray *output, uint32_t command, uint32_t number, int status, size_t actual)
{
    mk_put_be32(output, command);
    mk_put_be32(output, number);
    mk_put_fill(output, 0, 12); /* device, direction, endpoint: only the host fills them in */
    mk_put_be32(output, (uint32_t)status);
    mk_put_be32(output, (uint32_t)actual);
    mk_put_fill(output, 0, 20);
}

static void forget(MkUsbip *usbip, Transfer *transfer, bool input)
{
    usbip->waiting -= TRANSFER_COST + (input ? transfer->room : transfer->data->len);
    transfer_free(transfer);
}

static void finish(MkUsbip *usbip, GQueue *queue, int status)
{
    Transfer *transfer = g_queue_pop_head(queue);
    bool input = queue != &usbip->out;
    put_return(usbip->output, RET_SUBMIT, transfer->number, status, input ? transfer->data->len : transfer->at);
    if (input)
        g_byte_array_append(usbip->output, transfer->data->data, transfer->data->len);
    forget(usbip, transfer, input);
}

static void block_done(MkUsbip *usbip)
{
    g_clear_pointer(&usbip->block, g_byte_array_unref);
    usbip->block_at = 0;
}

/* One step: bytes of the block into the first IN transfer. True: it is done with, and STATUS is how. */
static bool fill_transfer(MkUsbip *usbip, Transfer *transfer, int *status)
{
    size_t packet = mk_usb_device_packet(usbip->bus->device);
    size_t left = usbip->block->len - usbip->block_at, room = transfer->room - transfer->data->len;
    size_t whole = left <= room ? left : room / packet * packet;
    const uint8_t *from = usbip->block->data + usbip->block_at;
    g_byte_array_append(transfer->data, from, (guint)whole);
    usbip->block_at += whole;
    left -= whole;
    room -= whole;
    *status = 0;
    if (left && room) { /* babble: a packet that does not fit; the rest of it is lost */
        g_byte_array_append(transfer->data, from + whole, (guint)room);
        usbip->block_at += MIN(packet, left);
        *status = -EOVERFLOW;
        if (usbip->block_at == usbip->block->len)
            block_done(usbip);
        return true;
    }
    if (left)
        return true;
    bool is_short = usbip->block->len % packet != 0;
    bool ends = is_short || (usbip->block_ends_empty && room);
    if (ends || !usbip->block_ends_empty)
        block_done(usbip);
    return ends || !room;
}

static void pump(MkUsbip *usbip)
{
    int status;
    while (usbip->block && usbip->in.length)
        if (fill_transfer(usbip, usbip->in.head->data, &status))
            finish(usbip, &usbip->in, status);
}

static void control(MkUsbip *usbip, uint32_t number, const uint8_t *setup, const uint8_t *data, size_t length)
{
    g_autoptr(GByteArray) reply = g_byte_array_new();
    MkUsbDevice *device = usbip->bus->device;
    bool good = mk_usb_device_control(device, setup, data, length, reply);
    put_return(usbip->output, RET_SUBMIT, number, good ? 0 : -EPIPE, good && !reply->len ? length : reply->len);
    g_byte_array_append(usbip->output, reply->data, reply->len);
}

static GQueue *queue_of(MkUsbip *usbip, uint32_t endpoint, bool input)
{
    MkUsbEndpoints endpoints = mk_usb_device_endpoints(usbip->bus->device);
    if (!mk_usb_device_configured(usbip->bus->device) || endpoint > 15)
        return NULL;
    if (!input)
        return endpoint == endpoints.bulk_out ? &usbip->out : NULL;
    return endpoint == endpoints.bulk_in ? &usbip->in : endpoint == endpoints.interrupt_in ? &usbip->interrupt : NULL;
}

static void wait_in(MkUsbip *usbip, GQueue *queue, uint32_t number, const uint8_t *data, size_t length)
{
    Transfer *transfer = g_new0(Transfer, 1);
    transfer->number = number;
    transfer->data = g_byte_array_new();
    if (data)
        g_byte_array_append(transfer->data, data, (guint)length);
    else
        transfer->room = length;
    usbip->waiting += TRANSFER_COST + length;
    g_queue_push_tail(queue, transfer);
    if (data && !length) /* an empty packet tells a phone nothing: it counts bytes */
        finish(usbip, queue, 0);
    else if (!data)
        pump(usbip);
}

typedef struct {
    uint32_t number, endpoint;
    bool input;
} Head;

static gssize submit(MkUsbip *usbip, const Head *head, MkReader *reader)
{
    mk_reader_be32(reader); /* flags: what a short transfer means to the host's own drivers */
    uint32_t length = mk_reader_be32(reader);
    mk_reader_be32(reader);
    uint32_t packets = mk_reader_be32(reader);
    mk_reader_be32(reader);
    const uint8_t *setup = mk_reader_take(reader, MK_USB_SETUP_SIZE);
    if (length > LONGEST_TRANSFER || (packets && packets != G_MAXUINT32) || usbip->waiting > MOST_WAITING)
        return -1; /* phones have no isochronous endpoints */
    const uint8_t *data = head->input ? NULL : mk_reader_take(reader, length);
    if (reader->failed)
        return 0;
    if (!usbip->bus->device || usbip->bus->host != usbip) {
        put_return(usbip->output, RET_SUBMIT, head->number, -ESHUTDOWN, 0);
    } else if (head->endpoint == 0) {
        control(usbip, head->number, setup, data, data ? length : 0);
        pump(usbip);
    } else {
        GQueue *queue = queue_of(usbip, head->endpoint, head->input);
        uint8_t address = (uint8_t)(head->endpoint | (head->input ? 0x80 : 0));
        if (!queue || mk_usb_device_halted(usbip->bus->device, address))
            put_return(usbip->output, RET_SUBMIT, head->number, -EPIPE, 0);
        else
            wait_in(usbip, queue, head->number, data, length);
    }
    return (gssize)reader->offset;
}

/* What an IN transfer already held goes to the next one: on a real bus the host would have it. */
static void put_back(MkUsbip *usbip, const Transfer *transfer)
{
    if (!transfer->data->len)
        return;
    GByteArray *block = g_byte_array_new();
    g_byte_array_append(block, transfer->data->data, transfer->data->len);
    if (usbip->block)
        g_byte_array_append(block, usbip->block->data + usbip->block_at, usbip->block->len - (guint)usbip->block_at);
    else
        usbip->block_ends_empty = false;
    block_done(usbip);
    usbip->block = block;
}

static bool unlink_from(MkUsbip *usbip, GQueue *queue, uint32_t number)
{
    for (GList *link = queue->head; link; link = link->next) {
        Transfer *transfer = link->data;
        if (transfer->number != number)
            continue;
        g_queue_delete_link(queue, link);
        if (queue == &usbip->in)
            put_back(usbip, transfer);
        forget(usbip, transfer, queue != &usbip->out);
        return true;
    }
    return false;
}

/* Status 0: it had been answered already. */
static gssize unlink_transfer(MkUsbip *usbip, const Head *head, MkReader *reader)
{
    uint32_t number = mk_reader_be32(reader);
    mk_reader_take(reader, 24);
    if (reader->failed)
        return 0;
    bool found = unlink_from(usbip, &usbip->out, number) || unlink_from(usbip, &usbip->in, number) ||
                 unlink_from(usbip, &usbip->interrupt, number);
    put_return(usbip->output, RET_UNLINK, head->number, found ? -ECONNRESET : 0, 0);
    pump(usbip);
    return (gssize)reader->offset;
}

static gssize take_command(MkUsbip *usbip, MkReader reader)
{
    uint32_t command = mk_reader_be32(&reader);
    Head head = {.number = mk_reader_be32(&reader)};
    mk_reader_be32(&reader); /* the device: there is one */
    uint32_t direction = mk_reader_be32(&reader);
    head.endpoint = mk_reader_be32(&reader);
    head.input = direction == 1;
    if (reader.failed)
        return 0;
    if (direction > 1)
        return -1;
    return command == CMD_SUBMIT   ? submit(usbip, &head, &reader)
           : command == CMD_UNLINK ? unlink_transfer(usbip, &head, &reader)
                                   : -1;
}

bool mk_usbip_feed(MkUsbip *usbip, const void *data, size_t length)
{
    g_byte_array_append(usbip->input, data, (guint)length);
    size_t at = 0;
    gssize used = 1;
    while (used > 0 && at < usbip->input->len && !usbip->waits && usbip->output->len <= LONGEST_OUTPUT) {
        MkReader reader = mk_reader(usbip->input->data + at, usbip->input->len - at);
        used = usbip->bus->host == usbip ? take_command(usbip, reader) : take_operation(usbip, reader);
        at += used > 0 ? (size_t)used : 0;
    }
    g_byte_array_remove_range(usbip->input, 0, (guint)at);
    bool patient = !usbip->waits || usbip->input->len <= CMD_HEADER;
    return used >= 0 && patient && usbip->output->len <= LONGEST_OUTPUT;
}

/* --- the phone's end -------------------------------------------------------------------------------------------------------- */

bool mk_usbip_has_input(const MkUsbip *usbip)
{
    return usbip->out.length > 0;
}

bool mk_usbip_drained(const MkUsbip *usbip)
{
    return !usbip->block && !usbip->output->len;
}

bool mk_usbip_takes_output(const MkUsbip *usbip)
{
    return !usbip->block && usbip->bus->device && mk_usb_device_configured(usbip->bus->device);
}

size_t mk_usbip_take(MkUsbip *usbip, void *data, size_t size)
{
    Transfer *transfer = g_queue_peek_head(&usbip->out);
    if (!transfer)
        return 0;
    size_t length = MIN(size, transfer->data->len - transfer->at);
    memcpy(data, transfer->data->data + transfer->at, length);
    transfer->at += length;
    if (transfer->at == transfer->data->len)
        finish(usbip, &usbip->out, 0);
    return length;
}

bool mk_usbip_give(MkUsbip *usbip, const void *data, size_t length)
{
    if (!mk_usbip_takes_output(usbip))
        return false;
    if (!length)
        return true;
    usbip->block = g_byte_array_new();
    g_byte_array_append(usbip->block, data, (guint)length);
    usbip->block_ends_empty = length < MK_USBIP_BLOCK && length % mk_usb_device_packet(usbip->bus->device) == 0;
    pump(usbip);
    return true;
}

void mk_usbip_stall(MkUsbip *usbip, bool input)
{
    MkUsbEndpoints endpoints = mk_usb_device_endpoints(usbip->bus->device);
    GQueue *queue = input ? &usbip->in : &usbip->out;
    mk_usb_device_halt(usbip->bus->device, input ? 0x80 | endpoints.bulk_in : endpoints.bulk_out);
    while (queue->length)
        finish(usbip, queue, -EPIPE);
}
