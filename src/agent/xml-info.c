/* What the agent tells about storage, memory and chip (spec da-xml.md 8.4 to 8.6, 8.20). Elements are looked up by name: their order differs from
 * agent to agent. */
#include "agent/xml.h"

#include "core/i18n.h"
#include "proto/xflash.h"

#include <string.h>

#define LARGEST_BLOCK  0x100000u
#define LARGEST_REGION (UINT64_C(1) << 50)
#define USUAL_POOL     80u

static uint64_t number(const xmlNode *parent, const char *name)
{
    g_autofree char *text = xml_text(parent, name);
    uint64_t value;
    return xml_number(text, &value) ? value : 0;
}

/* A size that the phone says, if it can be one. */
static uint64_t size_of(const xmlNode *parent, const char *name, uint32_t unit)
{
    uint64_t size = number(parent, name);
    return size <= LARGEST_REGION && size % unit == 0 ? size : 0;
}

/* A power of two of at least 512 bytes, else 0. */
static uint32_t block_of(const xmlNode *parent, const char *name, uint32_t largest)
{
    uint64_t block = number(parent, name);
    return block >= 512 && block <= largest && (block & (block - 1)) == 0 ? (uint32_t)block : 0;
}

static bool take_emmc(MkAgentInfo *info, const xmlNode *emmc)
{
    MkGeometry *geometry = &info->geometry;
    uint32_t block = block_of(emmc, "block_size", LARGEST_BLOCK);
    g_autofree char *id = xml_text(emmc, "id");
    if (!block || !size_of(emmc, "user_size", block))
        return false;
    geometry->sector = block;
    geometry->boot1 = size_of(emmc, "boot1_size", block);
    geometry->boot2 = size_of(emmc, "boot2_size", block);
    geometry->rpmb = size_of(emmc, "rpmb_size", block);
    geometry->user = size_of(emmc, "user_size", block);
    geometry->gp[0] = size_of(emmc, "gp1_size", block);
    geometry->gp[1] = size_of(emmc, "gp2_size", block);
    geometry->gp[2] = size_of(emmc, "gp3_size", block);
    geometry->gp[3] = size_of(emmc, "gp4_size", block);
    if (id)
        xml_hex(id, info->emmc_cid, sizeof info->emmc_cid);
    return true;
}

/* What a UFS calls itself stands in one of two elements, as hexadecimal digits or plainly. */
static void take_ufs_id(MkAgentInfo *info, const xmlNode *ufs)
{
    g_autofree char *cid = xml_text(ufs, "ufs_cid"), *id = xml_text(ufs, "id");
    const char *text = cid ? cid : id;
    if (!text)
        return;
    if (!xml_hex(text, info->ufs_id, sizeof info->ufs_id)) {
        memset(info->ufs_id, 0, sizeof info->ufs_id);
        memcpy(info->ufs_id, text, MIN(strlen(text), sizeof info->ufs_id));
    }
    MkReader reader = mk_reader(info->ufs_id, sizeof info->ufs_id);
    info->ufs_model = g_strstrip(mk_reader_text(&reader, sizeof info->ufs_id));
}

static bool take_ufs(MkAgentInfo *info, const xmlNode *ufs)
{
    MkGeometry *geometry = &info->geometry;
    uint32_t block = block_of(ufs, "block_size", LARGEST_BLOCK);
    if (!block || !size_of(ufs, "lua2_size", block))
        return false;
    geometry->sector = block;
    for (size_t i = 0; i < G_N_ELEMENTS(geometry->lu); i++) {
        g_autofree char *name = g_strdup_printf("lua%zu_size", i);
        geometry->lu[i] = size_of(ufs, name, block);
    }
    take_ufs_id(info, ufs);
    return true;
}

static bool take_nand(MkAgentInfo *info, const xmlNode *nand)
{
    MkGeometry *geometry = &info->geometry;
    uint32_t page = block_of(nand, "page_size", LARGEST_BLOCK),
             block = block_of(nand, "block_size", 64 * LARGEST_BLOCK);
    uint64_t spare = number(nand, "spare_size");
    g_autofree char *id = xml_text(nand, "id");
    uint8_t ids[G_N_ELEMENTS(info->nand_ids)] = {0};
    if (!page || block < page || spare > page || !size_of(nand, "total_size", block))
        return false;
    geometry->nand_page = page;
    geometry->nand_block = block;
    geometry->nand_spare = (uint32_t)spare;
    geometry->nand_size = size_of(nand, "total_size", block);
    info->nand_id_count = id ? (unsigned)xml_hex(id, ids, sizeof ids) : 0;
    for (unsigned i = 0; i < info->nand_id_count; i++)
        info->nand_ids[i] = ids[i];
    return true;
}

/* The storage that the report names, if what it says of it can be. */
static void take_storage(MkAgentInfo *info, const xmlNode *root)
{
    static const struct {
        const char *word, *element;
        MkStorage storage;
        bool (*take)(MkAgentInfo *info, const xmlNode *node);
    } kinds[] = {{"EMMC", "emmc", MK_STORAGE_EMMC, take_emmc},
                 {"UFS", "ufs", MK_STORAGE_UFS, take_ufs},
                 {"NAND", "nand", MK_STORAGE_NAND, take_nand}};
    g_autofree char *word = xml_text(root, "storage");
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const xmlNode *node = xml_child(root, kinds[i].element);
        if (node && g_strcmp0(word, kinds[i].word) == 0 && kinds[i].take(info, node))
            info->storage = info->geometry.storage = kinds[i].storage;
    }
    /* Agents of this kind send no number; XFlash's for the same is known to whoever looks it up. */
    info->emmc_status = info->storage == MK_STORAGE_EMMC ? 0 : MK_XFLASH_S_UNKNOWN_STORAGE;
    info->ufs_status = info->storage == MK_STORAGE_UFS ? 0 : MK_XFLASH_S_UNKNOWN_STORAGE;
    info->nand_status = info->storage == MK_STORAGE_NAND ? 0 : MK_XFLASH_S_UNKNOWN_STORAGE;
    info->nor_status = MK_XFLASH_S_UNKNOWN_STORAGE;
}

static xmlDoc *ask_hardware(MkXml *xml, GError **error)
{
    const XmlArgument arguments[] = {{"target_file", XML_PAGE}, {NULL, NULL}};
    return xml_ask_document(xml, MK_XML_GET_HW_INFO, arguments, "da_hw_info", MK_FAULT_READ,
                            _("asking what the phone is made of"), error);
}

static bool describe_hardware(MkXml *xml, const MkAgentSetup *setup, GError **error)
{
    MkAgentInfo *info = &xml->base.info;
    g_autoptr(xmlDoc) document = ask_hardware(xml, error);
    if (!document)
        return false;
    const xmlNode *root = xmlDocGetRootElement(document);
    g_autofree char *random = xml_text(root, "random_id");
    take_storage(info, root);
    if (info->storage == MK_STORAGE_NAND)
        info->geometry.pool_blocks = setup->pool_blocks ? setup->pool_blocks : USUAL_POOL;
    info->dram_size = number(root, "ram_size");
    info->has_chip_id = random && xml_hex(random, info->chip_id, sizeof info->chip_id) == sizeof info->chip_id &&
                        !mk_is_blank(info->chip_id, sizeof info->chip_id);
    return true;
}

/* The word that a storage function answers, or NULL. */
static bool ask_storage(MkXml *xml, const char *function, char **word, GError **error)
{
    const XmlArgument arguments[] = {{"function", function}, {"target_file", XML_PAGE}, {NULL, NULL}};
    g_autoptr(GBytes) answer = NULL;
    *word = NULL;
    if (!xml_ask(xml, MK_XML_EMMC_CONTROL, arguments, &answer, error))
        return false;
    if (answer && g_bytes_get_size(answer))
        *word = g_strstrip(g_strndup(g_bytes_get_data(answer, NULL), g_bytes_get_size(answer)));
    return true;
}

static bool describe_health(MkXml *xml, GError **error)
{
    MkAgentInfo *info = &xml->base.info;
    g_autofree char *life = NULL, *key = NULL;
    if (!ask_storage(xml, "LIFE-CYCLE-STATUS", &life, error) || !ask_storage(xml, "GET-RPMB-KEY-STATUS", &key, error))
        return false;
    info->life = g_strcmp0(life, "OK") == 0          ? MK_LIFE_GOOD
                 : g_strcmp0(life, "WARNING") == 0   ? MK_LIFE_WARNING
                 : g_strcmp0(life, "EXHAUSTED") == 0 ? MK_LIFE_END
                                                     : MK_LIFE_UNKNOWN;
    info->rpmb_key = g_strcmp0(key, "EXIST") == 0 ? 1 : g_strcmp0(key, "NOT-EXIST") == 0 ? 0 : -1;
    return true;
}

static bool describe_hrid(MkXml *xml, GError **error)
{
    MkAgentInfo *info = &xml->base.info;
    const XmlArgument arguments[] = {{"key", "DA.HRID"}, {"target_file", XML_PAGE}, {NULL, NULL}};
    g_autoptr(GBytes) answer = NULL;
    if (!xml_ask(xml, MK_XML_GET_SYS_PROPERTY, arguments, &answer, error))
        return false;
    g_autofree char *text = answer ? xml_property(answer, "DA.HRID") : NULL;
    info->has_hrid = text && xml_hex(text, info->hrid, sizeof info->hrid) == sizeof info->hrid &&
                     !mk_is_blank(info->hrid, sizeof info->hrid);
    return true;
}

static bool describe_agent(MkXml *xml, const char *label, GError **error)
{
    const XmlArgument arguments[] = {{"target_file", XML_PAGE}, {NULL, NULL}};
    g_autoptr(GError) refusal = NULL;
    g_autoptr(xmlDoc) document = xml_ask_document(xml, MK_XML_GET_DA_INFO, arguments, "da_info", MK_FAULT_READ,
                                                  _("asking what the agent is"), &refusal);
    if (refusal && (xml->base.lost || mk_fault_code(refusal) == MK_FAULT_STOPPED)) {
        g_propagate_error(error, g_steal_pointer(&refusal));
        return false;
    }
    const xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    g_autofree char *version = xml_text(root, "da_version"), *build = xml_text(root, "build");
    xml->base.info.version =
        g_strdup_printf("%s: XML %s%s%s", label, version ? version : "", build ? ", " : "", build ? build : "");
    return true;
}

bool xml_describe(MkXml *xml, const MkAgentSetup *setup, GError **error)
{
    xml->base.info.usb_speed = 0xFF;
    xml->base.info.rpmb_key = -1;
    return describe_hardware(xml, setup, error) && describe_hrid(xml, error) &&
           (xml->base.info.storage == MK_STORAGE_UNKNOWN || describe_health(xml, error)) &&
           describe_agent(xml, setup->file->description, error);
}

bool xml_battery(MkAgent *agent, unsigned *millivolt, GError **error)
{
    g_autoptr(xmlDoc) document = ask_hardware((MkXml *)agent, error);
    g_autofree char *text = document ? xml_text(xmlDocGetRootElement(document), "battery_voltage") : NULL;
    uint64_t value;
    if (!document)
        return false;
    if (!xml_number(text, &value) || value == 0 || value > G_MAXUINT16) {
        mk_fault_set(error, MK_FAULT_UNSUPPORTED, _("The phone does not tell its battery's voltage."));
        return false;
    }
    *millivolt = (unsigned)value;
    return true;
}
