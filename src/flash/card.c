/* The phone card: who the phone is and what state it is in (spec behaviour.md 4.1). */
#include "flash/session.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "core/json.h"

static void line(GString *text, const char *label, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void line(GString *text, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *value = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_string_append_printf(text, "%-12s %s\n", label, value);
}

static void size_line(GString *text, const char *label, uint64_t bytes)
{
    if (!bytes)
        return;
    g_autofree char *size = mk_size_text(bytes);
    line(text, label, "%s (0x%" G_GINT64_MODIFIER "x)", size, bytes);
}

static const char *copy_words(MkCopyState state)
{
    return state == MK_COPY_GOOD ? _("good") : state == MK_COPY_BAD ? _("damaged") : _("absent");
}

static void table_line(GString *text, const char *label, const MkTable *table)
{
    if (!table || (table->primary == MK_COPY_ABSENT && table->secondary == MK_COPY_ABSENT))
        return;
    line(text, label, _("first copy %s, second copy %s, %u partitions%s"), copy_words(table->primary),
         copy_words(table->secondary), table->layout ? table->layout->partitions->len : 0,
         table->differ ? _(", the copies differ") : "");
}

static void add_storage(GString *text, const MkAgentInfo *info)
{
    const MkGeometry *geometry = &info->geometry;
    g_autofree char *dram = mk_size_text(info->dram_size);
    if (info->storage == MK_STORAGE_UNKNOWN)
        line(text, _("Storage:"), _("none found (eMMC 0x%X, NAND 0x%X, NOR 0x%X, SD 0x%X)"), info->emmc_status,
             info->nand_status, info->nor_status, info->sdmmc_status);
    else
        line(text, _("Storage:"), "%s", mk_storage_name(info->storage));
    size_line(text, "  boot1:", geometry->boot1);
    size_line(text, "  boot2:", geometry->boot2);
    size_line(text, "  rpmb:", geometry->rpmb);
    size_line(text, "  user:", geometry->user);
    size_line(text, "  nand:", geometry->nand_size);
    if (geometry->nand_size)
        line(text, "", _("pages of %u + %u bytes, blocks of %u KiB, pool of %u blocks"), geometry->nand_page,
             geometry->nand_spare, geometry->nand_block >> 10, geometry->pool_blocks);
    line(text, _("Memory:"), "%s", info->dram_size ? dram : _("not reported"));
}

static void add_layout(GString *text, const MkLayout *layout)
{
    if (!layout) {
        line(text, _("Layout:"), "%s", _("none: the phone has no readable partition table"));
        return;
    }
    line(text, _("Layout:"), _("%u partitions, from %s"), layout->partitions->len, mk_layout_kind_name(layout->kind));
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        g_autofree char *size = mk_size_text(partition->size);
        g_string_append_printf(text, "  %-20s %-6s 0x%010" G_GINT64_MODIFIER "x %12s  %s\n", partition->name,
                               mk_region_name(partition->region), partition->start, size,
                               mk_class_words(mk_partition_class(partition)));
    }
}

char *mk_session_card(MkSession *session, bool with_layout)
{
    const MkTarget *target = session->target;
    const MkAgentInfo *info = &session->agent->info;
    GString *text = g_string_new(NULL);
    g_autofree char *security = mk_target_config_words(target->target_config);
    line(text, _("Phone:"), _("%s (caught in %s)"), session->short_id,
         target->stage == MK_STAGE_BOOTROM ? "BootROM" : "preloader");
    line(text, _("Chip:"), "%s (%04X, %04X/%04X/%04X)", mk_soc_name(target->soc), target->hw_code, target->hw_sub_code,
         target->hw_version, target->sw_version);
    line(text, _("Security:"), "%s", security);
    line(text, _("Agent:"), "%s%s%s", session->agent_file->description, info->version ? ", " : "",
         info->version ? info->version : "");
    add_storage(text, info);
    if (session->preloader_project)
        line(text, _("Preloader:"), "%s", session->preloader_project);
    table_line(text, "GPT:", session->gpt);
    table_line(text, "PMT:", session->pmt);
    table_line(text, "MBR/EBR:", session->mbr);
    if (with_layout)
        add_layout(text, session->layout);
    return g_string_free(text, FALSE);
}

static void table_json(JsonBuilder *builder, const char *name, const MkTable *table)
{
    static const char *const states[] = {"absent", "bad", "good"};
    if (!table)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
    mk_json_string(builder, "primary", states[table->primary]);
    mk_json_string(builder, "secondary", states[table->secondary]);
    mk_json_bool(builder, "differ", table->differ);
    json_builder_end_object(builder);
}

static void layout_json(JsonBuilder *builder, const MkLayout *layout)
{
    json_builder_set_member_name(builder, "partitions");
    json_builder_begin_array(builder);
    for (guint i = 0; layout && i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        char klass[] = {(char)mk_partition_class(partition), 0};
        json_builder_begin_object(builder);
        mk_json_string(builder, "name", partition->name);
        mk_json_string(builder, "region", mk_region_name(partition->region));
        mk_json_int(builder, "start", (gint64)partition->start);
        mk_json_int(builder, "size", (gint64)partition->size);
        mk_json_string(builder, "class", klass);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

void mk_session_card_json(MkSession *session, JsonBuilder *builder)
{
    const MkTarget *target = session->target;
    const MkAgentInfo *info = &session->agent->info;
    mk_json_string(builder, "phone", session->short_id);
    mk_json_string(builder, "stage", target->stage == MK_STAGE_BOOTROM ? "BootROM" : "preloader");
    mk_json_string(builder, "chip", mk_soc_name(target->soc));
    mk_json_int(builder, "hw_code", target->hw_code);
    mk_json_int(builder, "target_config", target->target_config);
    mk_json_string(builder, "storage", mk_storage_name(info->storage));
    mk_json_int(builder, "boot1", (gint64)info->geometry.boot1);
    mk_json_int(builder, "boot2", (gint64)info->geometry.boot2);
    mk_json_int(builder, "rpmb", (gint64)info->geometry.rpmb);
    mk_json_int(builder, "user", (gint64)info->geometry.user);
    mk_json_int(builder, "nand", (gint64)info->geometry.nand_size);
    mk_json_int(builder, "dram", (gint64)info->dram_size);
    mk_json_string(builder, "preloader", session->preloader_project);
    mk_json_string(builder, "table", session->layout ? mk_layout_kind_name(session->layout->kind) : NULL);
    table_json(builder, "gpt", session->gpt);
    table_json(builder, "pmt", session->pmt);
    table_json(builder, "mbr", session->mbr);
    layout_json(builder, session->layout);
}
