/* The phone card: who the phone is and what state it is in (spec behaviour.md 4.1). */
#include "flash/session.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "core/json.h"
#include "flash/diagnosis.h"

static void line(GString *text, const char *label, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void line(GString *text, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *value = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_string_append_printf(text, "%-12s %s\n", label, g_strchomp(value));
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

/* "10-20 %": how JEDEC counts the part of a chip's life that is used up; NULL: not said. */
static char *used_words(uint8_t tenths)
{
    if (!tenths)
        return NULL;
    return tenths > 10 ? g_strdup(_("over its end")) : g_strdup_printf("%u-%u %%", (tenths - 1) * 10u, tenths * 10u);
}

static const char *life_words(MkLife life)
{
    static const char *const words[] = {NULL, N_("good"), N_("near its end: save everything"),
                                        N_("worn out: save everything, write nothing")};
    return words[life] ? _(words[life]) : NULL;
}

static const char *const life_names[] = {NULL, "good", "warning", "end"};

static void add_health(GString *text, const MkAgentInfo *info)
{
    g_autofree char *a = used_words(info->life_a), *b = used_words(info->life_b);
    const char *words = life_words(info->life);
    if (!words && !a && !b)
        return;
    g_autoptr(GString) value = g_string_new(words ? words : _("not judged by the agent"));
    if (a || b)
        g_string_append_printf(value, _("; used of its life: %s (A), %s (B)"), a ? a : "?", b ? b : "?");
    if (info->pre_eol > 1)
        g_string_append_printf(value, _("; spare blocks: %s"),
                               info->pre_eol == 2 ? _("80 % used") : _("almost none left"));
    line(text, _("Health:"), "%s", value->str);
}

static void id_line(GString *text, const char *label, const uint8_t *id, size_t length)
{
    g_autoptr(GString) hex = g_string_new(NULL);
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(hex, "%02X", id[i]);
    line(text, label, "%s", hex->str);
}

static void bytes_line(GString *text, const char *label, GBytes *bytes)
{
    gsize length;
    const uint8_t *data = bytes ? g_bytes_get_data(bytes, &length) : NULL;
    if (data && !mk_is_blank(data, length))
        id_line(text, label, data, length);
}

/* The ids of the chips belong to this one phone; so they are shown only where the owner asked who it is. */
static void add_ids(GString *text, const MkTarget *target, const MkAgentInfo *info)
{
    bytes_line(text, "  ME id:", target->me_id);
    bytes_line(text, "  SoC id:", target->soc_id);
    if (info->has_chip_id)
        id_line(text, _("  random id:"), info->chip_id, sizeof info->chip_id);
    if (info->has_hrid)
        id_line(text, "  HRID:", info->hrid, sizeof info->hrid);
    if (info->storage == MK_STORAGE_EMMC)
        id_line(text, "  CID:", info->emmc_cid, sizeof info->emmc_cid);
    if (info->ufs_model && *info->ufs_model)
        line(text, "  UFS:", "%s", info->ufs_model);
}

static const char *dram_words(uint32_t type)
{
    return type == 3 ? "LPDDR3" : type == 5 ? "LPDDR4" : type == 6 ? "LPDDR4X" : type == 7 ? "LPDDR4P" : "";
}

/* Secure boot as the chip says it, then what the agent adds. */
static char *security_words(const MkTarget *target, const MkAgentInfo *info)
{
    g_autofree char *config = mk_target_config_words(target->target_config);
    GString *words = g_string_new(config);
    if (info->security)
        g_string_append_printf(words, ", %s", info->security);
    if (info->rpmb_key >= 0)
        g_string_append_printf(words, ", %s", info->rpmb_key ? _("RPMB key written") : _("RPMB key not written"));
    return g_string_free(words, FALSE);
}

static void add_slots(GString *text, MkSession *session)
{
    g_autofree char *pairs = session->layout ? mk_layout_pairs(session->layout) : NULL;
    if (!pairs)
        return;
    line(text, _("Slots:"), _("a and b of %s"), pairs);
    g_autoptr(GPtrArray) boot = mk_layout_find_all(session->layout, "boot");
    for (guint i = 0; boot->len == 2 && i < boot->len; i++) {
        const MkPartition *slot = boot->pdata[i];
        g_autofree char *label = g_strdup_printf("  %s:", slot->name),
                        *flags = slot->attributes >> 48
                                     ? g_strdup_printf(_(", flags 0x%04x"), (unsigned)(slot->attributes >> 48))
                                     : g_strdup("");
        MkLook look;
        g_autofree char *words = mk_look_at(session, slot, &look);
        line(text, label, "%s%s", words, flags);
    }
}

static void add_storage(GString *text, const MkAgentInfo *info)
{
    const MkGeometry *geometry = &info->geometry;
    g_autofree char *dram = mk_size_text(info->dram_size);
    if (info->storage == MK_STORAGE_UNKNOWN)
        line(text, _("Storage:"), _("none found (eMMC 0x%X, UFS 0x%X, NAND 0x%X, NOR 0x%X, SD 0x%X)"),
             info->emmc_status, info->ufs_status, info->nand_status, info->nor_status, info->sdmmc_status);
    else
        line(text, _("Storage:"), "%s", mk_storage_name(info->storage));
    size_line(text, "  boot1:", geometry->boot1);
    size_line(text, "  boot2:", geometry->boot2);
    size_line(text, "  rpmb:", geometry->rpmb);
    size_line(text, "  user:", geometry->user);
    size_line(text, "  lu0:", geometry->lu[0]);
    size_line(text, "  lu1:", geometry->lu[1]);
    size_line(text, "  lu2:", geometry->lu[2]);
    size_line(text, "  nand:", geometry->nand_size);
    if (geometry->nand_size)
        line(text, "", _("pages of %u + %u bytes, blocks of %u KiB, pool of %u blocks"), geometry->nand_page,
             geometry->nand_spare, geometry->nand_block >> 10, geometry->pool_blocks);
    add_health(text, info);
    line(text, _("Memory:"), "%s %s", info->dram_size ? dram : _("not reported"), dram_words(info->dram_type));
}

static void add_layout(GString *text, const MkSession *session)
{
    const MkLayout *layout = session->layout;
    if (!layout) {
        line(text, _("Layout:"), "%s", _("none: the phone has no readable partition table"));
        return;
    }
    line(text, _("Layout:"), _("%u partitions, from %s"), layout->partitions->len, mk_layout_kind_name(layout->kind));
    for (guint i = 0; i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        g_autofree char *size = mk_size_text(partition->size);
        const char *content = mk_session_content(session, i);
        g_string_append_printf(text, "  %-20s %-6s 0x%010" G_GINT64_MODIFIER "x %12s  %s%s%s\n", partition->name,
                               mk_region_name(partition->region), partition->start, size,
                               mk_class_words(mk_partition_class(partition)), content ? ": " : "",
                               content ? content : "");
    }
}

char *mk_session_card(MkSession *session, bool with_layout)
{
    const MkTarget *target = session->target;
    const MkAgentInfo *info = &session->agent->info;
    GString *text = g_string_new(NULL);
    g_autofree char *security = security_words(target, info);
    line(text, _("Phone:"), _("%s (caught in %s)"), session->short_id,
         target->stage == MK_STAGE_BOOTROM ? "BootROM" : "preloader");
    line(text, _("Chip:"), "%s (%04X, %04X/%04X/%04X)", mk_soc_name(target->soc), target->hw_code, target->hw_sub_code,
         target->hw_version, target->sw_version);
    if (with_layout)
        add_ids(text, target, info);
    line(text, _("Security:"), "%s", security);
    /* Agents that say who they are may say it in the words of their file. */
    bool same = info->version && g_str_has_prefix(info->version, session->agent_file->description);
    line(text, _("Agent:"), "%s%s%s", same ? "" : session->agent_file->description, same || !info->version ? "" : ", ",
         info->version ? info->version : "");
    add_storage(text, info);
    if (session->preloader_project)
        line(text, _("Preloader:"), "%s", session->preloader_project);
    table_line(text, "GPT:", session->gpt);
    table_line(text, "PMT:", session->pmt);
    table_line(text, "MBR/EBR:", session->mbr);
    add_slots(text, session);
    if (with_layout)
        add_layout(text, session);
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

static void hex_json(JsonBuilder *builder, const char *name, const uint8_t *id, size_t length, bool known)
{
    g_autoptr(GString) hex = g_string_new(NULL);
    for (size_t i = 0; known && i < length; i++)
        g_string_append_printf(hex, "%02x", id[i]);
    mk_json_string(builder, name, known ? hex->str : NULL);
}

/* Life in tenths used as JEDEC counts, 0 = not said; the verdict is the agent's. */
static void health_json(JsonBuilder *builder, const MkAgentInfo *info)
{
    mk_json_string(builder, "life", life_names[info->life]);
    mk_json_int(builder, "life_a", info->life_a);
    mk_json_int(builder, "life_b", info->life_b);
    mk_json_int(builder, "pre_eol", info->pre_eol);
}

static void ids_json(JsonBuilder *builder, const MkTarget *target, const MkAgentInfo *info)
{
    GBytes *const given[] = {target->me_id, target->soc_id};
    static const char *const names[] = {"me_id", "soc_id"};
    for (gsize i = 0; i < G_N_ELEMENTS(given); i++) {
        gsize length = 0;
        const uint8_t *data = given[i] ? g_bytes_get_data(given[i], &length) : NULL;
        hex_json(builder, names[i], data, length, data != NULL);
    }
    hex_json(builder, "random_id", info->chip_id, sizeof info->chip_id, info->has_chip_id);
    hex_json(builder, "hrid", info->hrid, sizeof info->hrid, info->has_hrid);
    hex_json(builder, "cid", info->emmc_cid, sizeof info->emmc_cid, info->storage == MK_STORAGE_EMMC);
    mk_json_string(builder, "ufs", info->ufs_model);
}

static void security_json(JsonBuilder *builder, const MkTarget *target, const MkAgentInfo *info)
{
    g_autofree char *words = security_words(target, info);
    mk_json_string(builder, "security", words);
    if (info->rpmb_key >= 0)
        mk_json_bool(builder, "rpmb_key", info->rpmb_key);
}

static void layout_json(JsonBuilder *builder, const MkSession *session)
{
    const MkLayout *layout = session->layout;
    json_builder_set_member_name(builder, "partitions");
    json_builder_begin_array(builder);
    for (guint i = 0; layout && i < layout->partitions->len; i++) {
        const MkPartition *partition = layout->partitions->pdata[i];
        char klass[] = {(char)mk_partition_class(partition), 0}, slot[] = {mk_layout_slot(layout, partition), 0};
        json_builder_begin_object(builder);
        mk_json_string(builder, "name", partition->name);
        mk_json_string(builder, "region", mk_region_name(partition->region));
        mk_json_int(builder, "start", (gint64)partition->start);
        mk_json_int(builder, "size", (gint64)partition->size);
        mk_json_string(builder, "class", klass);
        mk_json_string(builder, "content", mk_session_content(session, i));
        if (slot[0])
            mk_json_string(builder, "slot", slot);
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
    security_json(builder, target, info);
    ids_json(builder, target, info);
    mk_json_string(builder, "storage", mk_storage_name(info->storage));
    mk_json_int(builder, "boot1", (gint64)info->geometry.boot1);
    mk_json_int(builder, "boot2", (gint64)info->geometry.boot2);
    mk_json_int(builder, "rpmb", (gint64)info->geometry.rpmb);
    mk_json_int(builder, "user", (gint64)info->geometry.user);
    mk_json_int(builder, "lu0", (gint64)info->geometry.lu[0]);
    mk_json_int(builder, "lu1", (gint64)info->geometry.lu[1]);
    mk_json_int(builder, "lu2", (gint64)info->geometry.lu[2]);
    mk_json_int(builder, "nand", (gint64)info->geometry.nand_size);
    health_json(builder, info);
    mk_json_int(builder, "dram", (gint64)info->dram_size);
    mk_json_string(builder, "preloader", session->preloader_project);
    mk_json_string(builder, "table", session->layout ? mk_layout_kind_name(session->layout->kind) : NULL);
    table_json(builder, "gpt", session->gpt);
    table_json(builder, "pmt", session->pmt);
    table_json(builder, "mbr", session->mbr);
    g_autofree char *pairs = session->layout ? mk_layout_pairs(session->layout) : NULL;
    mk_json_string(builder, "slots", pairs);
    layout_json(builder, session);
}
