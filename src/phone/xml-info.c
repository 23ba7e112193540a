/* Questions (spec da-xml.md 8.4 to 8.6, 8.9, 8.16, 8.20). */
#include "phone/xml-device.h"

#include <string.h>

#define PROLOG "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define UFS_ID 20

static void put_hex(GString *out, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(out, "%02X", data[i]);
}

static void put_size(GString *out, const char *name, uint64_t size)
{
    if (size)
        g_string_append_printf(out, "<%s>0x%" G_GINT64_MODIFIER "x</%s>", name, size, name);
    else
        g_string_append_printf(out, "<%s>0</%s>", name, name);
}

static void put_hex_element(GString *out, const char *name, const void *data, size_t length)
{
    g_string_append_printf(out, "<%s>", name);
    put_hex(out, data, length);
    g_string_append_printf(out, "</%s>", name);
}

/* --- GET-HW-INFO ------------------------------------------------------------------------------------------------------------------ */

/* JEDEC number of the maker, by how it names its parts. */
static unsigned ufs_vendor(const char *model)
{
    return g_str_has_prefix(model, "K")    ? 0x1CE  /* Samsung */
           : g_str_has_prefix(model, "TH") ? 0x198  /* Kioxia */
           : g_str_has_prefix(model, "MT") ? 0x12C  /* Micron */
                                           : 0x1AD; /* SK hynix */
}

/* The name of the part, with NULs up to UFS_ID bytes. */
static void put_ufs(const MkXml *x, GString *out)
{
    const MkGeometry *geometry = &x->model->geometry;
    const char *model = x->model->ufs_model ? x->model->ufs_model : "";
    char id[UFS_ID] = {0};
    memcpy(id, model, MIN(strlen(model), sizeof id));
    put_size(out, "block_size", geometry->sector);
    put_size(out, "lua0_size", geometry->lu[0]);
    put_size(out, "lua1_size", geometry->lu[1]);
    put_size(out, "lua2_size", geometry->lu[2]);
    put_size(out, "lua3_size", geometry->lu[3]);
    if (x->year != MK_XML_2022) {
        put_hex_element(out, "id", id, sizeof id);
        return;
    }
    g_string_append_printf(out, "<ufs_vendor_id>0x%x</ufs_vendor_id>", ufs_vendor(model));
    put_hex_element(out, "ufs_cid", id, sizeof id);
    put_hex_element(out, "ufs_fwver", "FW01\0\0\0", 8);
}

static void put_emmc(const MkXml *x, GString *out)
{
    const MkGeometry *geometry = &x->model->geometry;
    put_size(out, "block_size", geometry->sector);
    put_size(out, "boot1_size", geometry->boot1);
    put_size(out, "boot2_size", geometry->boot2);
    put_size(out, "rpmb_size", geometry->rpmb);
    put_size(out, "user_size", geometry->user);
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("gp%u_size", i + 1);
        put_size(out, name, geometry->gp[i]);
    }
    put_hex_element(out, "id", x->model->cid, sizeof x->model->cid);
}

static void put_nand(const MkXml *x, GString *out)
{
    const MkGeometry *geometry = &x->model->geometry;
    put_size(out, "block_size", geometry->nand_block);
    put_size(out, "page_size", geometry->nand_page);
    put_size(out, "spare_size", geometry->nand_spare);
    put_size(out, "total_size", geometry->nand_size);
    put_hex_element(out, "id", x->model->nand_ids, sizeof x->model->nand_ids);
    put_size(out, "page_parity_size", 0);
    put_size(out, "sub_type", 0);
}

static void put_storage(const MkXml *x, GString *out)
{
    bool ufs = x->model->geometry.storage == MK_STORAGE_UFS, nand = x->model->geometry.storage == MK_STORAGE_NAND;
    const char *element = ufs ? "ufs" : nand ? "nand" : "emmc";
    g_string_append_printf(out, "<storage>%s</storage><%s>", ufs ? "UFS" : nand ? "NAND" : "EMMC", element);
    if (ufs)
        put_ufs(x, out);
    else if (nand)
        put_nand(x, out);
    else
        put_emmc(x, out);
    g_string_append_printf(out, "</%s>", element);
}

/* Without storage the document is an older and shorter one, and all that it says is zero (golden recording). */
void mk_xml_get_hw_info(MkXml *x)
{
    const MkMachine *machine = x->machine;
    bool none = mk_chip_absent(x->chip);
    static const uint8_t nothing[16] = {0};
    g_autofree char *target = mk_xml_need(x, "target_file");
    if (!target)
        return;
    g_autoptr(GString) out = g_string_new(PROLOG "<da_hw_info>");
    g_string_append_printf(out, "<version>%s</version>", none ? "1.0" : "1.2");
    g_string_append_printf(out, "<ram_size>0x%" G_GINT64_MODIFIER "x</ram_size>",
                           machine->dram_up && !none ? x->model->dram_size : 0);
    g_string_append_printf(out, "<battery_voltage>%u</battery_voltage>",
                           machine->battery && !none ? machine->battery_mv : 0);
    put_hex_element(out, "random_id", none ? nothing : x->model->chip_id, sizeof x->model->chip_id);
    if (!none && x->year == MK_XML_2022)
        put_hex_element(out, "product_id", x->model->me_id, sizeof x->model->me_id);
    if (none)
        g_string_append(out, "<storage>NONE</storage>");
    else
        put_storage(x, out);
    if (!none && x->year != MK_XML_2022)
        put_hex_element(out, "product_id", x->model->me_id, sizeof x->model->me_id);
    g_string_append(out, "</da_hw_info>");
    mk_xml_upload_text(x, "HW-INFO", target, out->str, true);
}

/* --- others -------------------------------------------------------------------------------------------------------------------------- */

void mk_xml_get_da_info(MkXml *x)
{
    static const char *const builds[] = {"Apr  2 2022:23:42:42", "Jul 19 2023:15:02:11", "Jul  9 2024:14:03:55"};
    g_autofree char *target = mk_xml_need(x, "target_file");
    if (!target)
        return;
    g_autofree char *text = g_strdup_printf(PROLOG "<da_info><version>1.0</version><da_version>2021</da_version>"
                                                   "<build>%s</build></da_info>",
                                            builds[x->year]);
    mk_xml_upload_text(x, "DA-INFO", target, text, true);
}

static bool property(const MkXml *x, const char *key, GString *value)
{
    if (strcmp(key, "DA.SLA") == 0)
        g_string_append(value, x->locked ? "ENABLED" : "DISABLED");
    else if (strcmp(key, "DA.HRID") == 0)
        put_hex(value, x->model->hrid, sizeof x->model->hrid);
    else if (strcmp(key, "DA.SEG_CODE") == 0)
        g_string_append(value, "0x0");
    else
        return false;
    return true;
}

/* Comes without NUL (vector 5). */
void mk_xml_get_sys_property(MkXml *x)
{
    g_autofree char *key = mk_xml_need(x, "key"), *target = mk_xml_need(x, "target_file");
    g_autoptr(GString) value = g_string_new(NULL);
    if (x->message)
        return;
    if (!property(x, key, value)) {
        mk_xml_fail(x, "%s", "");
        return;
    }
    g_autofree char *text =
        g_strdup_printf(PROLOG "<sys_prop version=\"1.0\"><item key=\"%s\">%s</item></sys_prop>", key, value->str);
    mk_xml_upload_text(x, "sys-prop", target, text, false);
}

/* A phone without a table: the list of what was found is empty. */
void mk_xml_read_partition_table(MkXml *x)
{
    g_autofree char *target = mk_xml_need(x, "target_file");
    if (!target)
        return;
    guint count = x->table ? x->table->partitions->len : 0;
    g_autoptr(GString) out = g_string_new(PROLOG "<partition_table version=\"1.0\"");
    g_string_append(out, count ? ">" : "/>");
    for (guint i = 0; i < count; i++) {
        const MkPartition *partition = x->table->partitions->pdata[i];
        g_autofree char *name = mk_xml_escape(partition->name);
        g_string_append_printf(out, "<pt><name>%s</name><start>0x%" G_GINT64_MODIFIER "x</start>", name,
                               partition->start);
        g_string_append_printf(out, "<size>0x%" G_GINT64_MODIFIER "x</size></pt>", partition->size);
    }
    if (count)
        g_string_append(out, "</partition_table>");
    mk_xml_upload_text(x, "partition-table", target, out->str, true);
}

/* As the storage reports it: life used up in tenths, and whether its spare blocks run out (spec da-xflash.md 11). */
static const char *life(const MkModel *model)
{
    uint8_t used = MAX(model->life_a, model->life_b);
    return used >= 11 || model->pre_eol >= 3 ? "EXHAUSTED" : used >= 10 || model->pre_eol == 2 ? "WARNING" : "OK";
}

/* A function that is not known ends well, without an upload (spec 8.20). */
void mk_xml_emmc_control(MkXml *x)
{
    g_autofree char *function = mk_xml_need(x, "function"), *target = mk_xml_need(x, "target_file");
    if (x->message)
        return;
    if (strcmp(function, "LIFE-CYCLE-STATUS") == 0)
        mk_xml_upload_text(x, "LIFE-CYCLE-STATUS", target, life(x->model), true);
    else if (strcmp(function, "GET-RPMB-KEY-STATUS") == 0)
        mk_xml_upload_text(x, "RPMB-KEY-STATUS", target, x->model->rpmb_key ? "EXIST" : "NOT-EXIST", true);
}

/* Comes without NUL (vector 13). */
void mk_xml_get_feedback(MkXml *x)
{
    g_autofree char *target = mk_xml_need(x, "target_file");
    if (!target)
        return;
    bool empty = !x->feedback->len;
    g_autofree char *text = g_strdup_printf(PROLOG "<feedback version=\"1.0\"%s%s%s", empty ? "/>" : ">",
                                            x->feedback->str, empty ? "" : "</feedback>");
    mk_xml_upload_text(x, "dev", target, text, false);
}
