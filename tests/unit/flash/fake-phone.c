#include "fake-phone.h"

#include <glib/gstdio.h>
#include <string.h>

static uint8_t *region_data(FakeAgent *fake, MkRegion region)
{
    return region == MK_REGION_BOOT1 ? fake->boot1 : region == MK_REGION_BOOT2 ? fake->boot2 : fake->user;
}

static bool fake_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink,
                      gpointer user_data, GError **error)
{
    FakeAgent *fake = (FakeAgent *)agent;
    while (length) {
        uint64_t piece = MIN(length, 1 << 20);
        uint64_t good = piece;
        if (region == MK_REGION_USER && fake->bad_length && offset < fake->bad_start + fake->bad_length &&
            fake->bad_start < offset + piece)
            good = fake->bad_start > offset ? fake->bad_start - offset : 0;
        if (good && !sink(region_data(fake, region) + offset, good, user_data, error))
            return false;
        if (good < piece) {
            mk_fault_set(error, MK_FAULT_READ, "bad sector");
            return false;
        }
        offset += piece;
        length -= piece;
    }
    return true;
}

static bool fake_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
                       gpointer user_data, GError **error)
{
    FakeAgent *fake = (FakeAgent *)agent;
    g_autofree uint8_t *packet = g_malloc(1 << 20);
    while (length) {
        uint64_t piece = MIN(length, 1 << 20);
        if (!source(packet, piece, user_data, error))
            return false;
        uint64_t room = fake->cut_after - fake->written, kept = MIN(room, piece);
        memcpy(region_data(fake, region) + offset, packet, kept);
        fake->written += kept;
        if (kept < piece) {
            agent->lost = true;
            mk_fault_set(error, MK_FAULT_GONE, "cable pulled");
            return false;
        }
        if (fake->corrupt_writes > 0) {
            fake->corrupt_writes--;
            region_data(fake, region)[offset] ^= 1;
        }
        offset += piece;
        length -= piece;
    }
    return true;
}

static bool fake_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode,
                       bool physical, MkProgress *progress, GError **error)
{
    FakeAgent *fake = (FakeAgent *)agent;
    fake->erases++;
    memset(region_data(fake, region) + offset, fake->erased, length);
    return true;
}

static bool fake_finish(MkAgent *agent, MkAfter after, GError **error)
{
    FakeAgent *fake = (FakeAgent *)agent;
    fake->endings++;
    fake->ended = after;
    fake->ended_cancelled = g_cancellable_is_cancelled(agent->cancel);
    if (after == MK_AFTER_META) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, "no modes");
        return false;
    }
    return true;
}

/* The memory belongs to the FakePhone's folder-lived allocation: freed in fake_phone_clear(). */
static void fake_free(MkAgent *agent)
{
}

static const MkAgentClass fake_class = {.dialect = "fake",
                                        .free = fake_free,
                                        .read = fake_read,
                                        .write = fake_write,
                                        .erase = fake_erase,
                                        .finish = fake_finish};

static void add(MkLayout *layout, const char *name, uint64_t start, uint64_t size, MkOperation operation)
{
    MkPartition *partition = mk_layout_add(layout, name);
    partition->region = MK_REGION_USER;
    partition->storage = MK_STORAGE_EMMC;
    partition->start = partition->physical = partition->linear = start;
    partition->size = size;
    partition->operation = operation;
    partition->type = MK_TYPE_NORMAL_ROM;
    partition->resolved = true;
}

MkLayout *fake_layout(void)
{
    MkLayout *layout = mk_layout_new(MK_LAYOUT_GPT);
    layout->platform = g_strdup("MT6735");
    layout->storage = MK_STORAGE_EMMC;
    add(layout, "nvram", 1 << 20, 1 << 20, MK_OP_BINREGION);
    add(layout, "protect1", 2 << 20, 1 << 20, MK_OP_PROTECTED);
    add(layout, "boot", 3 << 20, 1 << 20, MK_OP_UPDATE);
    add(layout, "system", 4 << 20, 48 << 20, MK_OP_UPDATE);
    add(layout, "userdata", 52 << 20, 11 << 20, MK_OP_UPDATE);
    return layout;
}

static const MkGeometry geometry = {
    .storage = MK_STORAGE_EMMC, .boot1 = FAKE_BOOT, .boot2 = FAKE_BOOT, .user = FAKE_USER, .sector = 512};

static void connect_fake(FakePhone *phone)
{
    MkSession *session = g_new0(MkSession, 1);
    FakeAgent *fake = phone->agent;
    fake->base = (MkAgent){.klass = &fake_class};
    fake->base.info.storage = MK_STORAGE_EMMC;
    fake->base.info.geometry = geometry;
    session->agent = &fake->base;
    session->target = g_new0(MkTarget, 1);
    session->target->soc = mk_soc_by_name("MT6735");
    session->target->hw_code = 0x321;
    session->findings = mk_findings_new();
    session->id = g_strdup("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    g_strlcpy(session->short_id, session->id, sizeof session->short_id);
    session->home = g_build_filename(phone->folder, "home", NULL);
    session->agent_file = g_new0(MkAgentFile, 1);
    phone->session = session;
    g_autoptr(GError) error = NULL;
    mk_session_read_tables(session, &error);
    g_assert_no_error(error);
}

void fake_phone_init(FakePhone *phone)
{
    g_autoptr(GError) error = NULL;
    phone->folder = g_dir_make_tmp("medik-flash-XXXXXX", NULL);
    phone->agent = g_new0(FakeAgent, 1);
    phone->agent->cut_after = UINT64_MAX;
    phone->agent->boot1 = g_malloc0(FAKE_BOOT);
    phone->agent->boot2 = g_malloc0(FAKE_BOOT);
    phone->agent->user = g_malloc0(FAKE_USER);
    g_autoptr(MkLayout) layout = fake_layout();
    g_autoptr(GPtrArray) patches = mk_gpt_encode(layout, &geometry, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < patches->len; i++) {
        const MkPatch *patch = patches->pdata[i];
        memcpy(phone->agent->user + patch->offset, g_bytes_get_data(patch->data, NULL), g_bytes_get_size(patch->data));
    }
    memset(phone->agent->user + (1 << 20), 'N', 1 << 20);
    memset(phone->agent->user + (2 << 20), 'P', 1 << 20);
    connect_fake(phone);
}

void fake_phone_reconnect(FakePhone *phone)
{
    g_clear_pointer(&phone->session, mk_session_free);
    phone->agent->cut_after = UINT64_MAX;
    connect_fake(phone);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

void fake_phone_clear(FakePhone *phone)
{
    g_clear_pointer(&phone->session, mk_session_free);
    g_free(phone->agent->boot1);
    g_free(phone->agent->boot2);
    g_free(phone->agent->user);
    g_free(phone->agent);
    remove_tree(phone->folder);
    g_free(phone->folder);
}

char *fake_file(FakePhone *phone, const char *name, const void *data, size_t length)
{
    char *path = g_build_filename(phone->folder, name, NULL);
    g_assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    return path;
}
