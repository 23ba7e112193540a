/* A `super` with its table of dynamic partitions (spec images.md 14). */
#include "phone/content-private.h"

#include "core/bytes.h"
#include "core/hash.h"

#include <string.h>

#define GEOMETRY_MAGIC 0x616C4467u
#define HEADER_MAGIC   0x414C5030u
#define BLOCK          4096u
#define METADATA       65536u
#define SECTOR         512u
#define ALIGNMENT      (1u << 20)
#define DIGEST         MK_SHA256_SIZE
#define READ_ONLY      1u
#define NAME           36u

static const char *const inside[] = {"system", "vendor", "product"};

static void put_geometry(GByteArray *super, unsigned slots)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    mk_put_le32(block, GEOMETRY_MAGIC);
    mk_put_le32(block, 52);
    mk_put_fill(block, 0, DIGEST);
    mk_put_le32(block, METADATA);
    mk_put_le32(block, slots);
    mk_put_le32(block, BLOCK);
    mk_sha256(block->data, 52, block->data + 8);
    mk_put_fill(block, 0, BLOCK - block->len);
    g_byte_array_append(super, block->data, block->len);
    g_byte_array_append(super, block->data, block->len);
}

typedef struct {
    uint64_t first[G_N_ELEMENTS(inside)], bytes[G_N_ELEMENTS(inside)]; /* of each in the super */
    uint64_t size, begin;
} Plan;

static void put_partitions(GByteArray *tables, const MkModel *model)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        g_autofree char *name = g_strconcat(inside[i], model->ab ? "_a" : "", NULL);
        mk_put_text(tables, name, NAME);
        const uint32_t words[] = {READ_ONLY, i, 1, 1};
        for (unsigned k = 0; k < G_N_ELEMENTS(words); k++)
            mk_put_le32(tables, words[k]);
    }
    /* The other slot has none of its own yet, as after the factory (virtual A/B). */
    for (unsigned i = 0; model->ab && i < G_N_ELEMENTS(inside); i++) {
        g_autofree char *name = g_strconcat(inside[i], "_b", NULL);
        mk_put_text(tables, name, NAME);
        const uint32_t words[] = {READ_ONLY, G_N_ELEMENTS(inside), 0, 1};
        for (unsigned k = 0; k < G_N_ELEMENTS(words); k++)
            mk_put_le32(tables, words[k]);
    }
}

static void put_tables(GByteArray *tables, const MkModel *model, const Plan *plan, uint32_t at[4])
{
    at[0] = tables->len;
    put_partitions(tables, model);
    at[1] = tables->len;
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        mk_put_le64(tables, plan->bytes[i] / SECTOR);
        mk_put_le32(tables, 0);
        mk_put_le64(tables, plan->first[i] / SECTOR);
        mk_put_le32(tables, 0);
    }
    at[2] = tables->len;
    mk_put_text(tables, "default", NAME);
    mk_put_le32(tables, 0);
    mk_put_le64(tables, 0);
    mk_put_text(tables, model->ab ? "main_a" : "main", NAME);
    mk_put_le32(tables, 0);
    mk_put_le64(tables, plan->size - plan->begin);
    at[3] = tables->len;
    mk_put_le64(tables, plan->begin / SECTOR);
    mk_put_le32(tables, ALIGNMENT);
    mk_put_le32(tables, 0);
    mk_put_le64(tables, plan->size);
    mk_put_text(tables, "super", NAME);
    mk_put_le32(tables, 0);
}

static GByteArray *make_metadata(const MkModel *model, const Plan *plan)
{
    GByteArray *metadata = g_byte_array_new();
    g_autoptr(GByteArray) tables = g_byte_array_new();
    uint32_t at[4];
    put_tables(tables, model, plan, at);
    const uint32_t counts[] = {G_N_ELEMENTS(inside) * (model->ab ? 2 : 1), G_N_ELEMENTS(inside), 2, 1},
                   strides[] = {52, 24, 48, 64};
    mk_put_le32(metadata, HEADER_MAGIC);
    mk_put_le16(metadata, 10);
    mk_put_le16(metadata, 0);
    mk_put_le32(metadata, 128);
    mk_put_fill(metadata, 0, DIGEST);
    mk_put_le32(metadata, tables->len);
    mk_put_fill(metadata, 0, DIGEST);
    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        mk_put_le32(metadata, at[i]);
        mk_put_le32(metadata, counts[i]);
        mk_put_le32(metadata, strides[i]);
    }
    mk_sha256(tables->data, tables->len, metadata->data + 48);
    mk_sha256(metadata->data, 128, metadata->data + 12);
    g_byte_array_append(metadata, tables->data, tables->len);
    mk_put_fill(metadata, 0, METADATA - metadata->len);
    return metadata;
}

GBytes *mk_make_super(const MkModel *model, uint64_t size, const char *build, GError **error)
{
    unsigned slots = model->ab ? 3 : 2;
    Plan plan = {.size = size, .begin = ALIGNMENT};
    GBytes *images[G_N_ELEMENTS(inside)] = {NULL};
    uint64_t at = plan.begin;
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        images[i] = mk_make_file_system(model, inside[i], build, error);
        plan.first[i] = at;
        plan.bytes[i] = images[i] ? g_bytes_get_size(images[i]) : 0;
        at = mk_round_up(at + plan.bytes[i], ALIGNMENT);
    }
    GByteArray *super = g_byte_array_new();
    g_autoptr(GByteArray) metadata = make_metadata(model, &plan);
    mk_put_fill(super, 0, BLOCK);
    put_geometry(super, slots);
    for (unsigned i = 0; i < 2 * slots; i++)
        g_byte_array_append(super, metadata->data, metadata->len);
    bool good = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(inside); i++) {
        good = good && images[i];
        mk_put_fill(super, 0, plan.first[i] - super->len);
        if (images[i])
            g_byte_array_append(super, g_bytes_get_data(images[i], NULL), (guint)g_bytes_get_size(images[i]));
        g_clear_pointer(&images[i], g_bytes_unref);
    }
    if (good)
        return g_byte_array_free_to_bytes(super);
    g_byte_array_unref(super);
    return NULL;
}
