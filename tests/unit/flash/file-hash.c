#include "core/hash.h"
#include "flash/file-hash.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char *path;
    int fd;
} Fixture;

static void set_up(Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    fixture->fd = g_file_open_tmp("medik-file-hash-XXXXXX", &fixture->path, NULL);
    g_assert_cmpint(fixture->fd, >=, 0);
}

static void tear_down(Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    close(fixture->fd);
    g_unlink(fixture->path);
    g_free(fixture->path);
}

static void put(const Fixture *fixture, const uint8_t *bytes, size_t length, uint64_t at)
{
    g_assert_cmpint(pwrite(fixture->fd, bytes, length, (off_t)at), ==, (ssize_t)length);
}

/* The sum of a file that grows piece by piece, holes included, is that of the finished file. */
static void test_grows(Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    static uint8_t bytes[3 << 20];
    MkFileHash *hash = mk_file_hash_new(fixture->fd, fixture->path);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + i / 256);
    memset(bytes + 300000, 0, 1000000);
    put(fixture, bytes, 300000, 0);
    mk_file_hash_advance(hash, 300000);
    g_assert_cmpint(ftruncate(fixture->fd, 1300000), ==, 0);
    mk_file_hash_advance(hash, 1300000);
    for (size_t at = 1300000; at < sizeof bytes; at += 77777) {
        size_t length = MIN(77777, sizeof bytes - at);
        put(fixture, bytes + at, length, at);
        mk_file_hash_advance(hash, at + length);
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *sum = mk_file_hash_finish(hash, &error), *wanted = mk_sha256_hex(bytes, sizeof bytes);
    g_assert_no_error(error);
    g_assert_cmpstr(sum, ==, wanted);
    g_autofree char *finished = mk_file_sha256(fixture->path, &error);
    g_assert_cmpstr(finished, ==, wanted);
}

static void test_empty(Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autofree char *sum = mk_file_hash_finish(mk_file_hash_new(fixture->fd, fixture->path), NULL);
    g_autofree char *wanted = mk_sha256_hex("", 0);
    g_assert_cmpstr(sum, ==, wanted);
}

/* What was promised and is not there is a fault, not another sum. */
static void test_missing_bytes(Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    MkFileHash *hash = mk_file_hash_new(fixture->fd, fixture->path);
    put(fixture, (const uint8_t *)"abc", 3, 0);
    mk_file_hash_advance(hash, 4);
    g_assert_null(mk_file_hash_finish(hash, &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, fixture->path));
}

static void test_nobody_waits(Fixture *fixture, G_GNUC_UNUSED gconstpointer data)
{
    MkFileHash *hash = mk_file_hash_new(fixture->fd, fixture->path);
    g_assert_cmpint(ftruncate(fixture->fd, 64 << 20), ==, 0);
    mk_file_hash_advance(hash, 64 << 20);
    mk_file_hash_free(hash);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/file-hash/grows", Fixture, NULL, set_up, test_grows, tear_down);
    g_test_add("/file-hash/empty", Fixture, NULL, set_up, test_empty, tear_down);
    g_test_add("/file-hash/missing-bytes", Fixture, NULL, set_up, test_missing_bytes, tear_down);
    g_test_add("/file-hash/nobody-waits", Fixture, NULL, set_up, test_nobody_waits, tear_down);
    return g_test_run();
}
