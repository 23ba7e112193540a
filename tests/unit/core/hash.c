#include "core/hash.h"

#include <string.h>

/* Vectors: spec da-legacy-vectors.txt, zlib's check value. */
static void test_sums(void)
{
    uint8_t p[512], a[512];
    for (int i = 0; i < 512; i++)
        p[i] = (uint8_t)i;
    memset(a, 0xAB, sizeof a);
    g_assert_cmphex(mk_sum16(0, p, 512), ==, 0xFF00);
    g_assert_cmphex(mk_sum16(0, p, 256), ==, 0x7F80);
    g_assert_cmphex(mk_sum16(mk_sum16(0, p, 100), p + 100, 412), ==, 0xFF00);
    g_assert_cmphex(mk_sum16(0, a, 512), ==, 0x5600);
    g_assert_cmphex(mk_xor16(0, "\x01\x02\x03\x04\x05", 5), ==, 0x0201 ^ 0x0403 ^ 0x05);
    g_assert_cmphex(mk_crc32(0, "123456789", 9), ==, 0xCBF43926);
    g_assert_cmphex(mk_crc32(mk_crc32(0, "1234", 4), "56789", 5), ==, 0xCBF43926);
}

static void test_sum16_is_exact_on_long_runs(void)
{
    size_t length = 40u << 20;
    g_autofree uint8_t *ff = g_malloc(length);
    memset(ff, 0xFF, length);
    g_assert_cmphex(mk_sum16(0, ff, length), ==, (uint16_t)(255ull * length));
}

/* Whatever the length and the alignment: the sum of the bytes. */
static void test_sum16_of_any_piece(void)
{
    uint8_t bytes[3000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 256);
    for (size_t start = 0; start < 9; start++) {
        uint16_t sum = 7;
        for (size_t length = 0; start + length < sizeof bytes; length++) {
            g_assert_cmphex(mk_sum16(7, bytes + start, length), ==, sum);
            sum = (uint16_t)(sum + bytes[start + length]);
        }
    }
}

/* Words of 32 bits, and what is left over as bytes without a sign (spec da-xml.md 5.2). */
static void test_sum32(void)
{
    static const uint8_t data[] = {1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0x90};
    g_assert_cmphex(mk_sum32(0, data, 0), ==, 0);
    g_assert_cmphex(mk_sum32(0, data, 4), ==, 0x04030201);
    g_assert_cmphex(mk_sum32(0, data, 8), ==, 0x04030200);
    g_assert_cmphex(mk_sum32(0, data, 10), ==, 0x04030310);
    g_assert_cmphex(mk_sum32(0, data, 3), ==, 6);
    g_assert_cmphex(mk_sum32(mk_sum32(0, data, 4), data + 4, 6), ==, 0x04030310);
}

static void test_sum32_of_any_length(void)
{
    uint8_t bytes[3000];
    uint32_t words = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 256);
    for (size_t length = 0; length + 4 <= sizeof bytes; length += 4) {
        const uint8_t *p = bytes + length;
        g_assert_cmphex(mk_sum32(7, bytes, length), ==, words + 7);
        g_assert_cmphex(mk_sum32(7, bytes, length + 3), ==, words + 7 + p[0] + p[1] + p[2]);
        words += p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    }
}

static void test_crc32_of_repetitions(void)
{
    uint8_t bytes[4 * 1000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = "fill"[i % 4];
    for (size_t times = 0; times <= 1000; times++)
        g_assert_cmphex(mk_crc32_repeat(0x1234, "fill", 4, times), ==, mk_crc32(0x1234, bytes, 4 * times));
    /* 8 GiB of zeros, by zlib over all of them. */
    g_assert_cmphex(mk_crc32_repeat(0, "\0\0\0\0", 4, UINT64_C(1) << 31), ==, 0x41D912FF);
}

static void test_sha256(void)
{
    g_autofree char *whole = mk_sha256_hex("abc", 3);
    g_assert_cmpstr(whole, ==, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    MkSha256 *sha = mk_sha256_new();
    mk_sha256_update(sha, "a", 1);
    mk_sha256_update(sha, "bc", 2);
    g_autofree char *parts = mk_sha256_finish(sha);
    g_assert_cmpstr(parts, ==, whole);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hash/sums", test_sums);
    g_test_add_func("/hash/sum16-is-exact-on-long-runs", test_sum16_is_exact_on_long_runs);
    g_test_add_func("/hash/sum16-of-any-piece", test_sum16_of_any_piece);
    g_test_add_func("/hash/sum32", test_sum32);
    g_test_add_func("/hash/sum32-of-any-length", test_sum32_of_any_length);
    g_test_add_func("/hash/crc32-of-repetitions", test_crc32_of_repetitions);
    g_test_add_func("/hash/sha256", test_sha256);
    return g_test_run();
}
