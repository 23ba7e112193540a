#include "core/bytes.h"

#include <string.h>

static void test_reader_stops_at_the_end(void)
{
    static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    MkReader reader = mk_reader(data, sizeof data);
    g_assert_cmpuint(mk_reader_be16(&reader), ==, 0x0102);
    g_assert_cmpuint(mk_reader_le32(&reader), ==, 0x06050403);
    g_assert_cmpuint(mk_reader_left(&reader), ==, 3);
    g_assert_cmpuint(mk_reader_be32(&reader), ==, 0);
    g_assert_true(reader.failed);
    g_assert_cmpuint(mk_reader_u8(&reader), ==, 0); /* stays failed although a byte is left */
    g_assert_cmpuint(mk_reader_left(&reader), ==, 0);
}

static void test_reader_text_is_printable(void)
{
    MkReader reader = mk_reader("ab\x01\xff"
                                "c\0zz",
                                8);
    g_autofree char *text = mk_reader_text(&reader, 8);
    g_assert_cmpstr(text, ==, "ab??c");
}

static void test_writer_round_trip(void)
{
    g_autoptr(GByteArray) array = g_byte_array_new();
    mk_put_be64(array, UINT64_C(0x1122334455667788));
    mk_put_le64(array, UINT64_C(0x1122334455667788));
    mk_put_text(array, "NVRAM", 8);
    MkReader reader = mk_reader(array->data, array->len);
    g_assert_cmphex(mk_reader_be64(&reader), ==, UINT64_C(0x1122334455667788));
    g_assert_cmphex(mk_reader_le64(&reader), ==, UINT64_C(0x1122334455667788));
    g_assert_cmpmem(mk_reader_take(&reader, 8), 8, "NVRAM\0\0\0", 8);
    g_assert_false(reader.failed);
}

static void test_round_up(void)
{
    g_assert_cmpuint(mk_round_up(0, 512), ==, 0);
    g_assert_cmpuint(mk_round_up(513, 512), ==, 1024);
    g_assert_cmpuint(mk_round_up(UINT64_MAX, 512), ==, UINT64_MAX);
}

static void test_blank(void)
{
    static const uint8_t zero[3], ff[] = {0xFF, 0xFF}, mixed[] = {0xFF, 0}, five[] = {5, 5};
    g_assert_true(mk_is_blank(zero, 3));
    g_assert_true(mk_is_blank(ff, 2));
    g_assert_false(mk_is_blank(mixed, 2));
    g_assert_false(mk_is_blank(five, 2));
    g_assert_false(mk_is_blank(five, 0));
}

static void test_sizes(void)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0}, {"0x1000", 4096}, {"16M", 16 << 20}, {"4GiB", UINT64_C(4) << 30}, {" 7 ", 7}};
    static const char *const bad[] = {"", "x", "0x", "-1", "1Q", "99999999999999999999", "16777216T", "1 2"};
    uint64_t value;
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_assert_true(mk_parse_size(good[i].text, &value));
        g_assert_cmpuint(value, ==, good[i].value);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(mk_parse_size(bad[i], &value));
    g_autofree char *small = mk_size_text(512), *whole = mk_size_text(640 << 10), *part = mk_size_text(1536 << 20);
    g_assert_cmpstr(small, ==, "512 bytes");
    g_assert_cmpstr(whole, ==, "640 KiB");
    g_assert_cmpstr(part, ==, "1.5 GiB");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/reader-stops-at-the-end", test_reader_stops_at_the_end);
    g_test_add_func("/bytes/reader-text-is-printable", test_reader_text_is_printable);
    g_test_add_func("/bytes/writer-round-trip", test_writer_round_trip);
    g_test_add_func("/bytes/round-up", test_round_up);
    g_test_add_func("/bytes/blank", test_blank);
    g_test_add_func("/bytes/sizes", test_sizes);
    return g_test_run();
}
