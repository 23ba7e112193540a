/* Two bulk pipes with several transfers in flight each way.
 *
 * Inward a ring of transfers is always posted: what the phone sends is taken from the oldest one, which is posted again when it is empty.
 * So the bus never waits for the reader, and nothing is lost while nobody reads: when all are full the phone is made to wait.  Faults
 * stand in the same queue behind the bytes that came before them.  The price: bytes that arrive between the last read and the closing of
 * the link are gone with it, as they would be with a tty.
 *
 * Outward each write is a row of transfers of its own, posted ahead and awaited before the write returns: never glued to another write
 * (spec agents.md, last section), no zero-length packet unless asked for. */
#include "link/usb-private.h"

#include "core/fault.h"
#include "core/i18n.h"
#include "link/fd.h"
#include "link/holder.h"

#include <string.h>

#define MOST_STALLS   3        /* in a row, without a byte in between */
#define LONGEST_NAP   60000000 /* µs; a wait without deadline looks up that often */
#define STOP_DEADLINE 1000     /* ms for cancelled transfers to come back */

/* --- faults ------------------------------------------------------------------------------------------------------------ */

bool mk_usb_fault(const char *name, int code, const char *doing, GError **error)
{
    if (code == LIBUSB_ERROR_NO_DEVICE || code == LIBUSB_ERROR_NOT_FOUND)
        mk_fault_set(error, MK_FAULT_GONE, _("The phone vanished from %s."), name);
    else
        mk_fault_set(error, MK_FAULT_GONE, _("The connection to the phone on %s broke while %s: %s."), name, doing,
                     libusb_strerror(code));
    return false;
}

/* Another program can take the interface from us; the kernel then refuses what we post. */
static bool taken_away(MkUsbLink *usb, int code, const char *doing, GError **error)
{
    g_autofree char *holder =
        code == LIBUSB_ERROR_NO_DEVICE ? NULL : mk_holder_of_usb(usb->device.bus, usb->device.address);
    if (!holder)
        return mk_usb_fault(usb->base.name, code, doing, error);
    mk_fault_set(error, MK_FAULT_CON_BUSY, _("%s took the phone on %s away from Medik."), holder, usb->base.name);
    return false;
}

static bool status_fault(MkUsbLink *usb, enum libusb_transfer_status status, GError **error)
{
    const char *name = usb->base.name;
    if (status == LIBUSB_TRANSFER_NO_DEVICE)
        return mk_link_gone(&usb->base, error);
    if (status == LIBUSB_TRANSFER_OVERFLOW)
        mk_fault_set(error, MK_FAULT_PROTOCOL, _("The phone on %s sent more than a packet may hold (babble)."), name);
    else if (status == LIBUSB_TRANSFER_STALL)
        mk_fault_set(error, MK_FAULT_PROTOCOL, _("The phone on %s refuses data again and again (stall)."), name);
    else
        mk_fault_set(error, MK_FAULT_GONE, _("The cable connection to %s broke."), name);
    return false;
}

/* --- waiting ----------------------------------------------------------------------------------------------------------- */

static void on_finished(struct libusb_transfer *transfer)
{
    MkUsbLink *usb = transfer->user_data;
    usb->finished++;
    for (unsigned i = 0; i < MK_USB_IN_SLOTS; i++) {
        if (usb->in[i].transfer == transfer)
            usb->in[i].busy = false;
    }
    for (unsigned i = 0; i < MK_USB_OUT_SLOTS; i++) {
        if (usb->out[i].transfer == transfer)
            usb->out[i].busy = false;
    }
}

static void on_cancel(G_GNUC_UNUSED GCancellable *cancel, gpointer user_data)
{
    MkUsbLink *usb = user_data;
    usb->calls->interrupt_event_handler(usb->context);
}

/* Until a transfer finishes, DEADLINE (monotonic µs, -1 = never) or CANCEL. A deadline that is over still collects what has come. */
static bool wait_for_any(MkUsbLink *usb, gint64 deadline, GCancellable *cancel, GError **error)
{
    unsigned before = usb->finished;
    gulong handler = cancel ? g_cancellable_connect(cancel, G_CALLBACK(on_cancel), usb, NULL) : 0;
    bool late = false;
    int code = 0;
    while (usb->finished == before && !late && !g_cancellable_is_cancelled(cancel) &&
           (code == 0 || code == LIBUSB_ERROR_INTERRUPTED)) {
        gint64 left = deadline < 0 ? LONGEST_NAP : deadline - g_get_monotonic_time();
        struct timeval nap = {.tv_sec = MAX(left, 0) / G_USEC_PER_SEC, .tv_usec = MAX(left, 0) % G_USEC_PER_SEC};
        late = deadline >= 0 && left <= 0;
        code = usb->calls->handle_events(usb->context, &nap);
    }
    g_cancellable_disconnect(cancel, handler);
    if (usb->finished != before)
        return true;
    if (g_cancellable_set_error_if_cancelled(cancel, error))
        return false;
    if (code && code != LIBUSB_ERROR_INTERRUPTED)
        return mk_usb_fault(usb->base.name, code, _("waiting for it"), error);
    mk_fault_set(error, MK_FAULT_SILENT, _("The phone on %s says nothing."), usb->base.name);
    return false;
}

static unsigned count_busy(const MkUsbSlot *slots, unsigned count)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < count; i++)
        busy += slots[i].busy;
    return busy;
}

/* Cancels what is under way and takes it back. False: the kernel keeps some for good. */
static bool take_back(MkUsbLink *usb, MkUsbSlot *slots, unsigned count)
{
    gint64 deadline = mk_deadline(STOP_DEADLINE);
    for (unsigned i = 0; i < count; i++) {
        if (slots[i].busy)
            usb->calls->cancel_transfer(slots[i].transfer);
    }
    while (count_busy(slots, count)) {
        if (!wait_for_any(usb, deadline, NULL, NULL))
            return false;
    }
    return true;
}

/* --- inward ------------------------------------------------------------------------------------------------------------ */

/* A transfer that cannot be posted keeps its place in the queue as a fault, behind what came before. */
static bool post_in(MkUsbLink *usb, MkUsbSlot *slot)
{
    slot->taken = 0;
    libusb_fill_bulk_transfer(slot->transfer, usb->handle, usb->function.in, slot->buffer, MK_USB_SLOT_SIZE,
                              on_finished, usb, 0);
    int code = usb->calls->submit_transfer(slot->transfer);
    slot->busy = code == 0;
    if (!slot->busy) {
        slot->transfer->actual_length = 0;
        slot->transfer->status = code == LIBUSB_ERROR_NO_DEVICE ? LIBUSB_TRANSFER_NO_DEVICE : LIBUSB_TRANSFER_ERROR;
    }
    return slot->busy;
}

static void slots_new(MkUsbSlot *slots, unsigned count, size_t size)
{
    for (unsigned i = 0; i < count; i++) {
        slots[i].transfer = libusb_alloc_transfer(0);
        slots[i].buffer = size ? g_malloc(size) : NULL;
    }
}

bool mk_usb_pipe_start(MkUsbLink *usb, GError **error)
{
    unsigned posted = 0;
    slots_new(usb->in, MK_USB_IN_SLOTS, MK_USB_SLOT_SIZE);
    slots_new(usb->out, MK_USB_OUT_SLOTS, 0);
    for (unsigned i = 0; i < MK_USB_IN_SLOTS; i++)
        posted += post_in(usb, &usb->in[i]);
    return posted == MK_USB_IN_SLOTS ||
           taken_away(usb,
                      usb->in[posted].transfer->status == LIBUSB_TRANSFER_NO_DEVICE ? LIBUSB_ERROR_NO_DEVICE
                                                                                    : LIBUSB_ERROR_IO,
                      _("it was opened"), error);
}

/* A stalled pipe stands still until it is told to go on; everything posted is posted anew, in order. */
static bool unstall_in(MkUsbLink *usb, GError **error)
{
    if (++usb->in_stalls > MOST_STALLS)
        return status_fault(usb, LIBUSB_TRANSFER_STALL, error);
    if (!take_back(usb, usb->in, MK_USB_IN_SLOTS))
        return mk_usb_fault(usb->base.name, LIBUSB_ERROR_TIMEOUT, _("a stall was cleared"), error);
    for (unsigned i = 0; i < MK_USB_IN_SLOTS; i++) {
        if (usb->in[i].transfer->actual_length) { /* first the bytes that stand behind; the stall goes to the end */
            usb->in_head = (usb->in_head + 1) % MK_USB_IN_SLOTS;
            return true;
        }
    }
    if (usb->calls->clear_halt(usb->handle, usb->function.in) == LIBUSB_ERROR_NO_DEVICE)
        return mk_link_gone(&usb->base, error);
    for (unsigned i = 0; i < MK_USB_IN_SLOTS; i++)
        post_in(usb, &usb->in[(usb->in_head + i) % MK_USB_IN_SLOTS]);
    return true;
}

/* What stands first in the queue: bytes (*GOT), nothing of interest (true, *GOT 0), or a fault. */
static bool take_first(MkUsbLink *usb, void *data, size_t length, size_t *got, GError **error)
{
    MkUsbSlot *slot = &usb->in[usb->in_head];
    enum libusb_transfer_status status = slot->transfer->status;
    size_t held = (size_t)slot->transfer->actual_length - slot->taken;
    if (held) {
        usb->in_stalls = 0;
        *got = MIN(length, held);
        memcpy(data, slot->buffer + slot->taken, *got);
        slot->taken += *got;
        if (*got < held)
            return true;
    }
    slot->transfer->actual_length = 0;
    slot->taken = 0;
    if (status == LIBUSB_TRANSFER_STALL) {
        if (*got)
            return true; /* the stall is next */
        return unstall_in(usb, error);
    }
    if (status == LIBUSB_TRANSFER_COMPLETED || status == LIBUSB_TRANSFER_CANCELLED) {
        post_in(usb, slot);
        usb->in_head = (usb->in_head + 1) % MK_USB_IN_SLOTS;
        return true;
    }
    if (*got)
        return true;
    return status == LIBUSB_TRANSFER_ERROR ? taken_away(usb, LIBUSB_ERROR_IO, _("reading"), error)
                                           : status_fault(usb, status, error);
}

bool mk_usb_pipe_read_some(MkLink *link, void *data, size_t length, size_t *got, int timeout, GCancellable *cancel,
                           GError **error)
{
    MkUsbLink *usb = (MkUsbLink *)link;
    gint64 deadline = mk_deadline(timeout);
    *got = 0;
    for (;;) {
        if (usb->in[usb->in_head].busy) {
            if (!wait_for_any(usb, deadline, cancel, error))
                return false;
            continue;
        }
        if (!take_first(usb, data, length, got, error))
            return false;
        if (*got)
            return true;
        /* A phone that sends only empty packets does not hold us. */
        const MkUsbSlot *next = &usb->in[usb->in_head];
        if (g_cancellable_set_error_if_cancelled(cancel, error))
            return false;
        if (deadline >= 0 && g_get_monotonic_time() >= deadline && (next->busy || next->transfer->actual_length == 0)) {
            mk_fault_set(error, MK_FAULT_SILENT, _("The phone on %s says nothing."), link->name);
            return false;
        }
    }
}

/* --- outward ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *data;
    size_t length;
    size_t posted, done; /* bytes handed to the kernel; bytes that arrived, in order */
    bool empty;          /* a zero-length packet is to be sent, nothing else */
} Sending;

/* 0, or libusb's code. Too little memory is no fault while something is under way. */
static int post_out(MkUsbLink *usb, Sending *sending)
{
    while (usb->out_count < MK_USB_OUT_SLOTS && (sending->posted < sending->length || sending->empty)) {
        MkUsbSlot *slot = &usb->out[(usb->out_head + usb->out_count) % MK_USB_OUT_SLOTS];
        size_t size = MIN(sending->length - sending->posted, MK_USB_SLOT_SIZE);
        libusb_fill_bulk_transfer(slot->transfer, usb->handle, usb->function.out,
                                  (unsigned char *)sending->data + sending->posted, (int)size, on_finished, usb, 0);
        int code = usb->calls->submit_transfer(slot->transfer);
        if (code)
            return code == LIBUSB_ERROR_NO_MEM && usb->out_count ? 0 : code;
        slot->busy = true;
        usb->out_count++;
        sending->posted += size;
        sending->empty = false;
    }
    return 0;
}

/* After a stall: what did not arrive is sent again from its first byte on. */
static bool unstall_out(MkUsbLink *usb, Sending *sending, unsigned *stalls, GError **error)
{
    if (++*stalls > MOST_STALLS)
        return status_fault(usb, LIBUSB_TRANSFER_STALL, error);
    if (!take_back(usb, usb->out, MK_USB_OUT_SLOTS))
        return mk_usb_fault(usb->base.name, LIBUSB_ERROR_TIMEOUT, _("a stall was cleared"), error);
    usb->out_count = 0;
    sending->posted = sending->done;
    if (usb->calls->clear_halt(usb->handle, usb->function.out) == LIBUSB_ERROR_NO_DEVICE)
        return mk_link_gone(&usb->base, error);
    return true;
}

static bool collect_out(MkUsbLink *usb, Sending *sending, unsigned *stalls, GError **error)
{
    const struct libusb_transfer *transfer = usb->out[usb->out_head].transfer;
    sending->done += (size_t)transfer->actual_length;
    if (transfer->actual_length)
        *stalls = 0;
    usb->out_head = (usb->out_head + 1) % MK_USB_OUT_SLOTS;
    usb->out_count--;
    if (transfer->status == LIBUSB_TRANSFER_STALL)
        return unstall_out(usb, sending, stalls, error);
    if (transfer->status == LIBUSB_TRANSFER_CANCELLED || transfer->status == LIBUSB_TRANSFER_ERROR)
        return taken_away(usb, LIBUSB_ERROR_IO, _("writing"), error);
    if (transfer->status == LIBUSB_TRANSFER_COMPLETED && transfer->actual_length < transfer->length)
        return mk_usb_fault(usb->base.name, LIBUSB_ERROR_IO, _("writing"), error);
    return transfer->status == LIBUSB_TRANSFER_COMPLETED || status_fault(usb, transfer->status, error);
}

static bool send_all(MkUsbLink *usb, Sending *sending, int timeout, GCancellable *cancel, GError **error)
{
    gint64 deadline = mk_deadline(timeout);
    unsigned stalls = 0;
    while (sending->done < sending->length || sending->empty || usb->out_count) {
        int code = post_out(usb, sending);
        if (code)
            return taken_away(usb, code, _("writing"), error);
        if (usb->out[usb->out_head].busy) {
            if (!wait_for_any(usb, deadline, cancel, error))
                return false;
            continue;
        }
        if (!collect_out(usb, sending, &stalls, error))
            return false;
        deadline = mk_deadline(timeout); /* slow is not silent */
    }
    return true;
}

static bool send_or_take_back(MkUsbLink *usb, Sending *sending, int timeout, GCancellable *cancel, GError **error)
{
    if (send_all(usb, sending, timeout, cancel, error))
        return true;
    take_back(usb, usb->out, MK_USB_OUT_SLOTS);
    usb->out_count = 0;
    return false;
}

bool mk_usb_pipe_write(MkLink *link, const void *data, size_t length, int timeout, GCancellable *cancel, GError **error)
{
    Sending sending = {.data = data, .length = length};
    return send_or_take_back((MkUsbLink *)link, &sending, timeout, cancel, error);
}

bool mk_usb_pipe_end_payload(MkLink *link, size_t length, int timeout, GCancellable *cancel, GError **error)
{
    MkUsbLink *usb = (MkUsbLink *)link;
    Sending sending = {.data = (const uint8_t *)"", .empty = length && length % usb->function.packet == 0};
    return send_or_take_back(usb, &sending, timeout, cancel, error);
}

/* --- the end ----------------------------------------------------------------------------------------------------------- */

static void forget(G_GNUC_UNUSED struct libusb_transfer *transfer)
{
}

static void slots_free(MkUsbSlot *slots, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (slots[i].busy) { /* the kernel still has it: better lost than written to after it is freed */
            slots[i].transfer->callback = forget;
            continue;
        }
        if (slots[i].transfer)
            libusb_free_transfer(slots[i].transfer);
        g_free(slots[i].buffer);
    }
}

void mk_usb_pipe_stop(MkUsbLink *usb)
{
    take_back(usb, usb->out, MK_USB_OUT_SLOTS);
    take_back(usb, usb->in, MK_USB_IN_SLOTS);
    slots_free(usb->out, MK_USB_OUT_SLOTS);
    slots_free(usb->in, MK_USB_IN_SLOTS);
}
