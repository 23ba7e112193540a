#include "fake-usb.h"

#include <string.h>

FakeUsb *fake_usb;

static void note(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(fake_usb->log, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

static int submit(struct libusb_transfer *transfer)
{
    if (fake_usb->unplugged)
        return LIBUSB_ERROR_NO_DEVICE;
    bool in = transfer->endpoint & 0x80;
    transfer->actual_length = 0;
    g_queue_push_tail(in ? &fake_usb->in : &fake_usb->out, transfer);
    fake_usb->most_out = MAX(fake_usb->most_out, fake_usb->out.length);
    return 0;
}

static void end(GQueue *queue, struct libusb_transfer *transfer, enum libusb_transfer_status status, size_t length)
{
    g_queue_remove(queue, transfer);
    transfer->status = status;
    transfer->actual_length = (int)length;
    transfer->callback(transfer);
}

static int cancel(struct libusb_transfer *transfer)
{
    /* Ends at the next turn of events, as with the kernel. */
    transfer->flags |= 0x80;
    return 0;
}

static bool end_cancelled(GQueue *queue)
{
    for (GList *link = queue->head; link && !fake_usb->keeps; link = link->next) {
        struct libusb_transfer *transfer = link->data;
        if (!(transfer->flags & 0x80))
            continue;
        transfer->flags = 0;
        end(queue, transfer, LIBUSB_TRANSFER_CANCELLED, 0);
        return true;
    }
    return false;
}

static bool serve_in(void)
{
    struct libusb_transfer *transfer = g_queue_peek_head(&fake_usb->in);
    FakePiece *piece = transfer ? g_queue_pop_head(&fake_usb->pieces) : NULL;
    if (!piece)
        return false;
    if (piece->length)
        memcpy(transfer->buffer, piece->data, piece->length);
    if (piece->status == LIBUSB_TRANSFER_NO_DEVICE)
        fake_usb->unplugged = true;
    end(&fake_usb->in, transfer, piece->status, piece->length);
    g_free(piece);
    return true;
}

static bool serve_out(void)
{
    struct libusb_transfer *transfer = fake_usb->swallow_out ? NULL : g_queue_peek_head(&fake_usb->out);
    if (!transfer)
        return false;
    bool stalls = fake_usb->out_ended + 1 == fake_usb->stall_out_at && fake_usb->stalls_out;
    size_t length = stalls ? MIN((size_t)transfer->length, 256) : (size_t)transfer->length;
    if (stalls)
        fake_usb->stalls_out--;
    else
        fake_usb->out_ended++;
    g_byte_array_append(fake_usb->written, transfer->buffer, (guint)length);
    unsigned size = (unsigned)length;
    g_array_append_val(fake_usb->out_sizes, size);
    end(&fake_usb->out, transfer, stalls ? LIBUSB_TRANSFER_STALL : LIBUSB_TRANSFER_COMPLETED, length);
    return true;
}

static bool end_unplugged(GQueue *queue)
{
    struct libusb_transfer *transfer = fake_usb->unplugged ? g_queue_peek_head(queue) : NULL;
    if (transfer)
        end(queue, transfer, LIBUSB_TRANSFER_NO_DEVICE, 0);
    return transfer != NULL;
}

static int events(G_GNUC_UNUSED libusb_context *context, struct timeval *timeout)
{
    if (end_cancelled(&fake_usb->in) || end_cancelled(&fake_usb->out) || end_unplugged(&fake_usb->in) ||
        end_unplugged(&fake_usb->out) || serve_out() || serve_in())
        return 0;
    gint64 until = g_get_monotonic_time() + timeout->tv_sec * G_USEC_PER_SEC + timeout->tv_usec;
    g_mutex_lock(&fake_usb->mutex);
    while (!fake_usb->interrupted && g_cond_wait_until(&fake_usb->cond, &fake_usb->mutex, until))
        ;
    fake_usb->interrupted = false;
    g_mutex_unlock(&fake_usb->mutex);
    return 0;
}

static void interrupt(G_GNUC_UNUSED libusb_context *context)
{
    g_mutex_lock(&fake_usb->mutex);
    fake_usb->interrupted = true;
    g_cond_signal(&fake_usb->cond);
    g_mutex_unlock(&fake_usb->mutex);
}

static int clear_halt(G_GNUC_UNUSED libusb_device_handle *handle, unsigned char endpoint)
{
    note("clear %02x", endpoint);
    fake_usb->clears++;
    return 0;
}

static int control(G_GNUC_UNUSED libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value,
                   uint16_t index, unsigned char *data, uint16_t length, G_GNUC_UNUSED unsigned timeout)
{
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i < length; i++)
        g_string_append_printf(text, "%02x", data[i]);
    note("request %02x %02x value %u interface %u %s", type, request, value, index, text->str);
    return fake_usb->control_code ? fake_usb->control_code : length;
}

static int auto_detach(G_GNUC_UNUSED libusb_device_handle *handle, int enable)
{
    note("detach %d", enable);
    return 0;
}

static int claim(G_GNUC_UNUSED libusb_device_handle *handle, int interface)
{
    note("claim %d", interface);
    return interface == 0 ? fake_usb->claim_code : 0;
}

static int release(G_GNUC_UNUSED libusb_device_handle *handle, int interface)
{
    g_assert_cmpuint(fake_usb->keeps ? 0 : fake_usb->in.length + fake_usb->out.length, ==, 0);
    note("release %d", interface);
    return 0;
}

static int setting(G_GNUC_UNUSED libusb_device_handle *handle, int interface, int number)
{
    note("setting %d %d", interface, number);
    return 0;
}

static void close_handle(G_GNUC_UNUSED libusb_device_handle *handle)
{
    note("close");
}

static void leave(G_GNUC_UNUSED libusb_context *context)
{
    note("exit");
    fake_usb->closed = true;
}

const MkUsbCalls fake_usb_calls = {submit,      cancel, events,  interrupt, clear_halt,   control,
                                   auto_detach, claim,  release, setting,   close_handle, leave};

void fake_usb_new(void)
{
    fake_usb = g_new0(FakeUsb, 1);
    fake_usb->written = g_byte_array_new();
    fake_usb->out_sizes = g_array_new(FALSE, FALSE, sizeof(unsigned));
    fake_usb->log = g_ptr_array_new_with_free_func(g_free);
    g_mutex_init(&fake_usb->mutex);
    g_cond_init(&fake_usb->cond);
}

void fake_usb_free(void)
{
    g_byte_array_unref(fake_usb->written);
    g_array_unref(fake_usb->out_sizes);
    g_ptr_array_unref(fake_usb->log);
    g_queue_clear_full(&fake_usb->pieces, g_free);
    g_queue_clear(&fake_usb->in);
    g_queue_clear(&fake_usb->out);
    g_clear_pointer(&fake_usb, g_free);
}

static void push(enum libusb_transfer_status status, const char *data, size_t length)
{
    FakePiece piece = {status, data, length};
    g_queue_push_tail(&fake_usb->pieces, g_memdup2(&piece, sizeof piece));
}

void fake_usb_send(const char *data, size_t length)
{
    push(LIBUSB_TRANSFER_COMPLETED, data, length);
}

void fake_usb_end(enum libusb_transfer_status status)
{
    push(status, NULL, 0);
}

MkLink *fake_usb_open(GError **error)
{
    static const MkUsbDevice device = {.path = "1-2.3", .bus = 250, .address = 250, .speed = 480};
    static const MkUsbFunction function = {.data = 0, .control = 1, .in = 0x81, .out = 0x01, .packet = 512};
    return mk_usb_link_new(&fake_usb_calls, NULL, NULL, &device, &function, error);
}
