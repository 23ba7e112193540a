/* Main memory: already up after a preloader, or started with the settings of the owner's preloader file (spec da-legacy.md 5.1,
 * 5.2, preloader-file.md 4). */
#include "agent/legacy.h"

#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

#define EMI_MAGIC  "MTK_BLOADER_INFO_v"
#define EMI_HEADER 0x70u
#define MAX_EMI    0x10000u

typedef struct {
    uint32_t version;
    const uint8_t *records;
    size_t length;
} Emi;

static bool parse_emi(GBytes *bytes, Emi *emi, GError **error)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    size_t magic = strlen(EMI_MAGIC);
    if (size <= EMI_HEADER || size > MAX_EMI || memcmp(data, EMI_MAGIC, magic) != 0 || !g_ascii_isdigit(data[magic]) ||
        !g_ascii_isdigit(data[magic + 1])) {
        mk_fault_set(error, MK_FAULT_PL_EMI, _("The preloader file holds no usable memory settings."));
        return false;
    }
    emi->version = (uint32_t)(data[magic] - '0') * 10 + (uint32_t)(data[magic + 1] - '0');
    emi->records = data + EMI_HEADER;
    emi->length = size - EMI_HEADER;
    return true;
}

/* Where a record keeps the id of the flash chip it is for (preloader-file.md 4.3). */
static void id_place(uint32_t version, size_t *id, size_t *id_length)
{
    switch (version) {
    case 8:
        *id = 4;
        *id_length = 0x6C;
        break;
    case 11:
    case 14:
        *id = 4;
        *id_length = 0x14;
        break;
    default:
        *id = 0x10;
        *id_length = 8;
        break;
    }
}

/* Agents of these versions take all records and choose; the others take one, and the host chooses (spec 5.2, 5b). */
static bool takes_all_records(const MkLegacy *legacy, uint32_t version)
{
    static const uint32_t versions[] = {0x0F, 0x10, 0x11, 0x14, 0x15};
    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        if (versions[i] == version)
            return legacy->chip != 0x8127;
    }
    return false;
}

/* The record that names the flash chip CID; the first one if none does. */
static const uint8_t *choose_record(const Emi *emi, uint32_t record_length, const uint8_t cid[16])
{
    size_t id, id_length;
    id_place(emi->version, &id, &id_length);
    for (size_t at = 0; at + record_length <= emi->length; at += record_length) {
        const uint8_t *record = emi->records + at;
        if (id + 16 > record_length || id_length + 4 > record_length)
            break;
        uint32_t length = mk_le32(record + id_length);
        if (length > 0 && length <= 16 && memcmp(record + id, cid, length) == 0)
            return record;
    }
    return emi->records;
}

static bool send_settings(MkLegacy *legacy, const Emi *emi, uint32_t record_length, const uint8_t cid[16],
                          GError **error)
{
    bool all = takes_all_records(legacy, emi->version);
    const uint8_t *data = all ? emi->records : choose_record(emi, record_length, cid);
    size_t length = all ? emi->length : record_length;
    uint16_t sum;
    if (!legacy_put8(legacy, MK_LEGACY_ACK, error) || (all && !legacy_put(legacy, error, "4", (uint32_t)length)) ||
        !legacy_write(legacy, data, length, error) || !legacy_get16(legacy, &sum, error))
        return false;
    if (sum != mk_sum16(0, data, length)) {
        legacy->base.lost = true;
        legacy_put8(legacy, MK_LEGACY_NACK, NULL);
        mk_fault_set(error, MK_FAULT_PROTOCOL, _("The memory settings arrived damaged at the phone."));
        return false;
    }
    return legacy_put8(legacy, MK_LEGACY_ACK, error);
}

/* Step 4: what the agent wants one record to be. */
static bool agree_on_record(MkLegacy *legacy, const Emi *emi, uint32_t *record_length, GError **error)
{
    uint8_t info[16];
    if ((emi->version == 0x0A || emi->version == 0x0B) &&
        !legacy_read(legacy, info, sizeof info, LEGACY_TIMEOUT, error))
        return false;
    if (!legacy_get32(legacy, record_length, LEGACY_TIMEOUT, error))
        return false;
    if (*record_length && emi->length % *record_length == 0)
        return true;
    legacy->base.lost = true;
    legacy_put8(legacy, MK_LEGACY_NACK, NULL);
    mk_fault_set(
        error, MK_FAULT_PL_EMI,
        _("The memory settings of the preloader file (version %u, %zu bytes) are not made for this agent, which "
          "wants records of %u bytes."),
        emi->version, emi->length, *record_length);
    return false;
}

/* MT6592 adds five words of eye-scan data (spec 5.2 step 12). */
static bool skip_eye_scan(MkLegacy *legacy, GError **error)
{
    uint8_t words[20];
    return legacy->chip != 0x6592 || legacy_read(legacy, words, sizeof words, LEGACY_TIMEOUT, error);
}

static bool dram_result(MkLegacy *legacy, GError **error)
{
    uint32_t status;
    uint8_t type_and_size[10];
    size_t length = legacy->release >= MK_RELEASE_G3 ? 10 : 6;
    if (!legacy_get32(legacy, &status, LEGACY_TIMEOUT, error))
        return false;
    if (status != 0) {
        /* The agent loops for ever now (spec 5.2): only a power cycle helps. */
        legacy->base.lost = true;
        mk_fault_set_number(error, MK_FAULT_PL_EMI, status, mk_legacy_status_symbol(status, legacy->numbering_b),
                            _("The phone's main memory did not start with the settings of the preloader file (%u)."),
                            status);
        return false;
    }
    if (!legacy_read(legacy, type_and_size, length, LEGACY_TIMEOUT, error))
        return false;
    legacy->base.info.dram_status = 0;
    legacy->base.info.dram_size = length == 10 ? mk_be64(type_and_size + 2) : mk_be32(type_and_size + 2);
    return skip_eye_scan(legacy, error);
}

bool legacy_enable_dram(MkLegacy *legacy, const MkAgentSetup *setup, const uint8_t cid[16], GError **error)
{
    Emi emi;
    uint32_t record_length;
    g_autoptr(GBytes) bytes = mk_agent_setup_emi(setup, cid, mk_is_blank(cid, 16) ? 0 : 16, error);
    if (!bytes || !parse_emi(bytes, &emi, error))
        return false;
    mk_link_note(legacy->base.link, "E8 ENABLE_DRAM");
    return legacy_put(legacy, error, "14", MK_LEGACY_ENABLE_DRAM, emi.version) &&
           legacy_expect_ack(legacy, MK_FAULT_PL_EMI, _("offering the memory settings"), LEGACY_TIMEOUT, error) &&
           agree_on_record(legacy, &emi, &record_length, error) &&
           send_settings(legacy, &emi, record_length, cid, error) &&
           legacy_put(legacy, error, "4", MK_LEGACY_EMI_APPLY) && dram_result(legacy, error);
}

/* The ids that come with "not ready", so that the host can choose a record (spec 5.1). */
static bool read_not_ready(MkLegacy *legacy, uint8_t cid[16], GError **error)
{
    uint32_t emmc_status, nand_status;
    uint16_t count = 5;
    uint8_t words[16], ids[2 * 8];
    if (!legacy_get32(legacy, &emmc_status, LEGACY_TIMEOUT, error) ||
        !legacy_read(legacy, words, sizeof words, LEGACY_TIMEOUT, error) ||
        !legacy_get32(legacy, &nand_status, LEGACY_TIMEOUT, error) ||
        (legacy->release >= MK_RELEASE_G3 && !legacy_get16(legacy, &count, error)))
        return false;
    if (emmc_status > 0xFFFF || nand_status > 0xFFFF || count < 1 || count > 8) {
        legacy->base.lost = true;
        mk_fault_set(error, MK_FAULT_DA_VER, _("The agent's words about the memory do not read as its release's."));
        return false;
    }
    for (unsigned i = 0; i < 16 && emmc_status == 0; i++)
        cid[i] = words[i ^ 3];
    return legacy_read(legacy, ids, 2u * count, LEGACY_TIMEOUT, error);
}

bool legacy_start_dram(MkLegacy *legacy, const MkAgentSetup *setup, uint8_t cid[16], GError **error)
{
    uint32_t status;
    if (!legacy_get32(legacy, &status, LEGACY_TIMEOUT, error))
        return false;
    if (status == 0)
        return skip_eye_scan(legacy, error);
    if (status > 0xFFFF)
        return legacy_unexpected(legacy, status, _("asking for the state of the main memory"), error);
    /* The same state has another number since the names of numbering B (spec 13.3 rule 2). */
    legacy->numbering_b = status == mk_legacy_status(MK_LEGACY_S_RAM_ERROR, true);
    if (!read_not_ready(legacy, cid, error))
        return false;
    if (!setup->emi) {
        legacy->base.lost = true;
        mk_fault_set_number(error, MK_FAULT_PL_EMI, 5054, "S_DL_GET_DRAM_SETTING_FAIL",
                            _("The phone's main memory is not running, and no preloader file with its settings was "
                              "given."));
        return false;
    }
    return legacy_enable_dram(legacy, setup, cid, error);
}
