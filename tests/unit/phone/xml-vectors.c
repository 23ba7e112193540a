/* The exchanges of da-xml-vectors.txt, replayed frame by frame: what the host sent to the genuine agent is sent to the virtual phone's, and
 * every frame of the answers must be the same, byte for byte. Payloads that the file tells by their first bytes only are made by the rules that
 * it gives; the scatter of vector 17, of which it tells nothing but the length, is this model's own. */
#include "xml-host.h"

typedef struct {
    unsigned number;
    GPtrArray *lines; /* borrowed */
    Host *host;
    GByteArray *payload; /* what the host sends next where the file does not show it */
    gsize sent;
} Replay;

static char *vectors;
static const XmlKind usual = {0};

/* --- what the host sends --------------------------------------------------------------------------------------------------- */

static void put_pattern(GByteArray *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        mk_put_u8(data, (uint8_t)(7 * i + 13 * (i >> 8)));
}

static void put_chunk(GByteArray *data, uint16_t kind, uint32_t blocks, const char *content, size_t length)
{
    mk_put_le16(data, kind);
    mk_put_le16(data, 0);
    mk_put_le32(data, blocks);
    mk_put_le32(data, (uint32_t)(12 + length));
    for (size_t i = 0; i < length; i++)
        mk_put_u8(data, (uint8_t)content[i % strlen(content)]);
}

static void put_sparse(GByteArray *data)
{
    mk_put_le32(data, 0xED26FF3A);
    mk_put_le32(data, 1);
    mk_put_le32(data, 12 << 16 | 28);
    mk_put_le32(data, 4096);
    mk_put_le32(data, 10);
    mk_put_le32(data, 4);
    mk_put_le32(data, 0);
    put_chunk(data, 0xCAC1, 2, "R", 8192);
    put_chunk(data, 0xCAC2, 4, "FILL", 4);
    put_chunk(data, 0xCAC3, 3, "", 0);
    put_chunk(data, 0xCAC1, 1, "Z", 4096);
}

static char *scatter_of(const MkGeometry *geometry)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = xml_layout(geometry);
    layout->kind = MK_LAYOUT_SCATTER_XML;
    layout->platform = g_strdup("MT6895");
    layout->project = g_strdup("test");
    char *text = mk_scatter_write(layout, MK_LAYOUT_SCATTER_XML, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* The scatter in exactly so many bytes: what is too much between its elements goes, what is missing is put behind it. */
static void put_scatter(GByteArray *data, const MkGeometry *geometry, size_t length)
{
    g_autofree char *text = scatter_of(geometry);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        const char *word = g_strchug(*line);
        g_byte_array_append(data, (const guint8 *)word, (guint)strlen(word));
    }
    g_assert_cmpuint(data->len, <=, length);
    mk_put_fill(data, '\n', length - data->len);
}

static GByteArray *payload_of(const Replay *replay)
{
    GByteArray *data = g_byte_array_new();
    switch (replay->number) {
    case 3:
    case 4: g_byte_array_append(data, replay->host->stage2, XML_STAGE2); break;
    case 16: mk_put_fill(data, 'S', 0x10); break;
    case 17:
        put_scatter(data, &replay->host->device.model.geometry, 0x10C9);
        put_pattern(data, 0x1000);
        break;
    case 18:
    case 19: put_sparse(data); break;
    case 20: mk_put_fill(data, 'x', 0x9000); break;
    case 23: mk_put_fill(data, 'x', 0x300000); break;
    default: put_pattern(data, 0x1000); break;
    }
    return data;
}

/* --- a line ------------------------------------------------------------------------------------------------------------------- */

static GByteArray *unescape(const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    for (; *text; text++) {
        uint8_t value = (uint8_t)*text;
        if (*text == '\\' && text[1]) {
            text++;
            value = *text == '0' ? 0 : *text == 'r' ? '\r' : '\n';
        }
        mk_put_u8(bytes, value);
    }
    return bytes;
}

static void play_line(Replay *replay, const char *line)
{
    char *text;
    size_t length = (size_t)g_ascii_strtoull(line + strlen("D> len "), &text, 16);
    bool from_host = *line == 'H', data = g_str_has_prefix(text, "  data ");
    g_test_message("%u: %.60s", replay->number, line);
    if (from_host && data) {
        g_assert_cmpuint(replay->sent + length, <=, replay->payload->len);
        host_send(replay->host, replay->payload->data + replay->sent, length);
        replay->sent += length;
        return;
    }
    g_autoptr(GByteArray) wanted = unescape(text + 2);
    if (from_host) {
        g_assert_cmpuint(wanted->len, ==, length);
        host_send(replay->host, wanted->data, wanted->len);
        return;
    }
    g_autoptr(GByteArray) got = host_frame(replay->host);
    g_assert_cmpuint(got->len, ==, length);
    if (!data)
        g_assert_cmpmem(got->data, got->len, wanted->data, wanted->len);
}

/* --- a vector ------------------------------------------------------------------------------------------------------------------ */

static void prepare(Replay *replay)
{
    MkMachine *machine = &replay->host->device.machine;
    unsigned number = replay->number;
    if (number == 4) {
        g_bytes_unref(machine->da);
        machine->da = host_stage1("another", 7);
    }
    if (number == 21 || number == 22 || number == 24)
        mk_chip_inject_worn(machine->chip, MK_REGION_LU2, number == 21 ? 0x120000 : 0x100000, 4096);
    if (number == 23)
        machine->late_fault = 1;
}

/* To where the vector begins. */
static void approach(Replay *replay)
{
    xml_sums = replay->number == 10 || replay->number == 11;
    if (replay->number == 1)
        return;
    xml_wants_start(replay->host);
    if (replay->number < 5)
        return;
    xml_set(replay->host, xml_sums ? XML_PARAMETERS("USB", "INFO", "UART", "LINUX") : XML_USUAL);
    xml_enter_stage2(replay->host);
}

static GPtrArray *lines_of(unsigned number)
{
    g_autofree char *head = g_strdup_printf("\n== %u. ", number);
    const char *begin = strstr(vectors, head);
    if (!begin)
        g_error("vector %u is missing", number);
    const char *end = strstr(begin + 1, "\n== ");
    g_autofree char *part = g_strndup(begin, end ? (gsize)(end - begin) : strlen(begin));
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) all = g_strsplit(part, "\n", -1);
    for (char **line = all; *line; line++)
        if (g_str_has_prefix(*line, "D> ") || g_str_has_prefix(*line, "H> "))
            g_ptr_array_add(lines, g_strdup(*line));
    return lines;
}

static void test_vector(gconstpointer data)
{
    Host host;
    Replay replay = {.number = GPOINTER_TO_UINT(data), .host = &host};
    g_autoptr(GPtrArray) lines = lines_of(replay.number);
    xml_prepare(&host, &usual);
    prepare(&replay);
    xml_start(&host);
    approach(&replay);
    g_autoptr(GByteArray) payload = payload_of(&replay);
    replay.payload = payload;
    for (guint i = 0; i < lines->len; i++)
        play_line(&replay, lines->pdata[i]);
    if (replay.number == 3)
        xml_wants_start(&host);
    else
        host_is_quiet(&host);
    MkNext next = host_end(&host);
    g_assert_cmpint(next, ==, replay.number == 25 ? MK_NEXT_HALT : MK_NEXT_GONE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "da-xml-vectors.txt", NULL);
    g_assert_true(g_file_get_contents(path, &vectors, NULL, NULL));
    for (unsigned number = 1; number <= 25; number++) {
        g_autofree char *name = g_strdup_printf("/xml-vectors/%u", number);
        g_test_add_data_func(name, GUINT_TO_POINTER(number), test_vector);
    }
    int result = g_test_run();
    g_free(vectors);
    return result;
}
