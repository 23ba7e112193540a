/* A region of the phone as a store. */
#include "agent/agent.h"

#include "core/bytes.h"
#include "core/i18n.h"

#include <string.h>

typedef struct {
    MkStore store;
    MkAgent *agent; /* borrowed */
} AgentStore;

/* The agent obeys the cancellable of whoever opened it; the caller's counts for the length of one call too. */
static GCancellable *lend(AgentStore *self, GCancellable *cancel)
{
    GCancellable *own = self->agent->cancel;
    if (cancel)
        self->agent->cancel = cancel;
    return own;
}

/* Agents read whole sectors or pages; a store reads bytes. */
typedef struct {
    MkSinkFunc sink;
    gpointer user_data;
    uint64_t skip, left;
} Window;

static bool window_sink(const uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Window *window = user_data;
    size_t skip = (size_t)MIN(window->skip, length);
    size_t take = (size_t)MIN(window->left, length - skip);
    window->skip -= skip;
    window->left -= take;
    return take == 0 || window->sink(data + skip, take, window->user_data, error);
}

static bool store_read(MkStore *store, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
                       GCancellable *cancel, GError **error)
{
    AgentStore *self = (AgentStore *)store;
    uint32_t unit = mk_agent_page_unit(self->agent, store->region);
    Window window = {.sink = sink, .user_data = user_data, .skip = offset % unit, .left = length};
    uint64_t whole = mk_round_up(window.skip + length, unit);
    GCancellable *own = lend(self, cancel);
    bool ok = mk_agent_read(self->agent, store->region, offset - window.skip, whole, window_sink, &window, error);
    self->agent->cancel = own;
    return ok;
}

/* What is written ends inside a block: the rest of that block goes back as it was. */
typedef struct {
    MkSourceFunc source;
    gpointer user_data;
    uint64_t left; /* of what is written */
    uint8_t *rest; /* what the phone has from there to the end of the block */
} Filled;

static bool filled_source(uint8_t *data, size_t length, gpointer user_data, GError **error)
{
    Filled *filled = user_data;
    size_t take = (size_t)MIN(filled->left, length), more = length - take;
    filled->left -= take;
    if (take && !filled->source(data, take, filled->user_data, error))
        return false;
    if (more)
        memcpy(data + take, filled->rest, more);
    filled->rest += more;
    return true;
}

/* Pages of a NAND are programmed once: only whole ones. */
static bool store_write(MkStore *store, uint64_t offset, uint64_t length, MkSourceFunc source, gpointer user_data,
                        GCancellable *cancel, GError **error)
{
    AgentStore *self = (AgentStore *)store;
    uint32_t unit = mk_agent_page_unit(self->agent, store->region), inside = (uint32_t)((offset + length) % unit);
    size_t more = inside && store->region != MK_REGION_NAND ? unit - inside : 0;
    g_autofree uint8_t *rest = g_malloc(unit);
    if (more && !mk_store_read(store, offset + length, rest, more, cancel, error))
        return false;
    Filled filled = {.source = source, .user_data = user_data, .left = length, .rest = rest};
    GCancellable *own = lend(self, cancel);
    bool ok = mk_agent_write(self->agent, store->region, offset, length + more, filled_source, &filled, error);
    self->agent->cancel = own;
    return ok;
}

static bool store_erase(MkStore *store, uint64_t offset, uint64_t length, GCancellable *cancel, GError **error)
{
    AgentStore *self = (AgentStore *)store;
    GCancellable *own = lend(self, cancel);
    bool ok = mk_agent_erase(self->agent, store->region, offset, length, MK_ERASE_NORMAL, false, NULL, error);
    self->agent->cancel = own;
    return ok;
}

static void store_free(G_GNUC_UNUSED MkStore *store)
{
}

MkStore *mk_store_agent_new(MkAgent *agent, MkRegion region, GError **error)
{
    static const MkStoreClass klass = {
        .read = store_read, .write = store_write, .erase = store_erase, .free = store_free};
    uint64_t size = mk_agent_region_size(agent, region);
    if (size == 0) {
        mk_fault_set(error, MK_FAULT_RANGE, _("The phone has no memory region %s."), mk_region_name(region));
        return NULL;
    }
    AgentStore *self = mk_store_alloc(&klass, sizeof *self, mk_region_name(region));
    const MkGeometry *geometry = &agent->info.geometry;
    self->agent = agent;
    self->store.size = size;
    self->store.block_size = region == MK_REGION_NAND ? geometry->nand_block : geometry->sector;
    self->store.storage = agent->info.storage;
    self->store.region = region;
    return &self->store;
}
