/* A region of a phone as a store: bytes for those above, whole blocks for the agent. */
#include "agent/agent.h"
#include "core/fault.h"

#include <string.h>

#define SIZE 0x10000

typedef struct {
    MkAgent agent;
    uint8_t data[SIZE];
    uint64_t written; /* bytes of the last write */
} Fake;

static bool fake_read(MkAgent *agent, G_GNUC_UNUSED MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink,
                      gpointer user_data, GError **error)
{
    return sink(((Fake *)agent)->data + offset, length, user_data, error);
}

/* In two pieces, as packets come. */
static bool fake_write(MkAgent *agent, G_GNUC_UNUSED MkRegion region, uint64_t offset, uint64_t length,
                       MkSourceFunc source, gpointer user_data, GError **error)
{
    Fake *fake = (Fake *)agent;
    size_t first = MIN(length, 0xF80);
    fake->written = length;
    return source(fake->data + offset, first, user_data, error) &&
           (first == length || source(fake->data + offset + first, length - first, user_data, error));
}

static const MkAgentClass klass = {.dialect = "fake", .read = fake_read, .write = fake_write};

static MkStore *open_store(Fake *fake)
{
    *fake = (Fake){.agent = {.klass = &klass}};
    fake->agent.info.storage = fake->agent.info.geometry.storage = MK_STORAGE_UFS;
    fake->agent.info.geometry.sector = 4096;
    fake->agent.info.geometry.lu[2] = SIZE;
    memset(fake->data, 0xEE, SIZE);
    return mk_store_agent_new(&fake->agent, MK_REGION_LU2, NULL);
}

/* Images are seldom whole blocks of 4096 bytes: what stood behind them in their last block stays. */
static void test_ends_inside_a_block(void)
{
    static const size_t lengths[] = {576, 4096, 4097, 0x20200 / 4, 0x3000 - 1};
    g_autofree Fake *fake = g_new0(Fake, 1);
    uint8_t image[0x10000];
    memset(image, 0x11, sizeof image);
    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        size_t length = lengths[i], end = (length + 4095) / 4096 * 4096;
        g_autoptr(MkStore) store = open_store(fake);
        g_assert_true(mk_store_write(store, 0x2000, image, length, NULL, NULL));
        g_assert_cmpuint(fake->written, ==, end);
        g_assert_cmphex(fake->data[0x2000 - 1], ==, 0xEE);
        g_assert_cmpmem(fake->data + 0x2000, length, image, length);
        for (size_t at = 0x2000 + length; at < 0x2000 + end; at++)
            g_assert_cmphex(fake->data[at], ==, 0xEE);
    }
}

static void test_begins_inside_a_block(void)
{
    g_autofree Fake *fake = g_new0(Fake, 1);
    g_autoptr(MkStore) store = open_store(fake);
    g_autoptr(GError) error = NULL;
    g_assert_false(mk_store_write(store, 512, fake->data, 4096, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_RANGE);
}

static void test_reads_bytes(void)
{
    g_autofree Fake *fake = g_new0(Fake, 1);
    g_autoptr(MkStore) store = open_store(fake);
    uint8_t got[3];
    fake->data[4095] = 1;
    fake->data[4096] = 2;
    fake->data[4097] = 3;
    g_assert_true(mk_store_read(store, 4095, got, sizeof got, NULL, NULL));
    g_assert_cmpmem(got, sizeof got, fake->data + 4095, 3);
}

/* Somebody looked at the phone and was content with not seeing it; whoever works with it next is told why. */
static void test_who_vanished_is_not_called_silent(void)
{
    for (int vanishes = 0; vanishes < 2; vanishes++) {
        g_autofree Fake *fake = g_new0(Fake, 1);
        g_autoptr(MkStore) store = open_store(fake);
        g_autoptr(GError) error = NULL;
        g_autoptr(MkLink) host = NULL;
        MkLink *phone;
        uint8_t got[3];
        mk_link_pair(&host, &phone, false);
        fake->agent.link = host;
        if (vanishes)
            g_clear_pointer(&phone, mk_link_free);
        g_assert_false(mk_link_read(host, got, sizeof got, 20, NULL, NULL));
        fake->agent.lost = true;
        g_assert_false(mk_store_read(store, 0, got, sizeof got, NULL, &error));
        g_assert_cmpint(mk_fault_code(error), ==, vanishes ? MK_FAULT_GONE : MK_FAULT_SILENT);
        mk_link_free(phone);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store-agent/ends-inside-a-block", test_ends_inside_a_block);
    g_test_add_func("/store-agent/begins-inside-a-block", test_begins_inside_a_block);
    g_test_add_func("/store-agent/reads-bytes", test_reads_bytes);
    g_test_add_func("/store-agent/who-vanished-is-not-called-silent", test_who_vanished_is_not_called_silent);
    return g_test_run();
}
