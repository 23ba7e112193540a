/* D4 FORMAT (spec da-legacy.md 9.7, agents.md legacy 8). */
#include "agent/legacy.h"

#include "core/i18n.h"

#define STATUS_TIMEOUT       60000 /* ms per status, spec 15 */
#define STATUS_TIMEOUT_GIB   10000 /* and per GiB: eMMC erases the whole range before it says a word */
#define SMALLEST_BLOCK       4096  /* no agent reports more often than once per block */
#define FEW                  1000
#define POST_PROCESS_TIMEOUT 300000 /* spec 9.7 step 9 */

static bool send_command(MkLegacy *legacy, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode,
                         bool physical, GError **error)
{
    bool nand = region == MK_REGION_NAND;
    uint64_t address = offset;
    if (!nand &&
        (!legacy_address(legacy, region, offset, &address, error) || !legacy_switch_part(legacy, region, error)))
        return false;
    mk_link_note(legacy->base.link, "D4 FORMAT");
    return legacy_put(legacy, error, "1111", MK_LEGACY_FORMAT, nand ? MK_LEGACY_STORAGE_NAND : MK_LEGACY_STORAGE_EMMC,
                      mode, 0) &&
           legacy_put_phone_info(legacy, error) && legacy_put(legacy, error, "188", physical, address, length);
}

/* A refused or failed block: where it was, and whether the agent goes on with the next one. */
static bool failed_block(MkLegacy *legacy, uint32_t status, const char *doing, bool *goes_on, GError **error)
{
    uint64_t address;
    uint8_t next;
    if (!legacy_get64(legacy, &address, error) || !legacy_get8(legacy, &next, LEGACY_TIMEOUT, error))
        return false;
    *goes_on = next == MK_LEGACY_CONT;
    if (*goes_on)
        return true; /* counted in the agent's statistics */
    if (next != MK_LEGACY_STOP)
        return legacy_unexpected(legacy, next, doing, error);
    g_autofree char *where = g_strdup_printf("%s (0x%" G_GINT64_MODIFIER "X)", doing, address);
    mk_legacy_status_fault(status, legacy->numbering_b, MK_FAULT_ERASE, where, error);
    legacy_drain_stray_ack(legacy);
    return false;
}

/* Step 7. A NAND can be stopped; an eMMC works on whatever we answer. */
static bool follow_progress(MkLegacy *legacy, bool nand, uint64_t length, const char *doing, MkProgress *progress,
                            GError **error)
{
    int timeout = STATUS_TIMEOUT + (int)MIN(length >> 30, 1024) * STATUS_TIMEOUT_GIB;
    for (uint64_t reports = 0; reports < length / SMALLEST_BLOCK + FEW; reports++) {
        uint32_t status;
        uint8_t percent;
        bool goes_on;
        if (!legacy_get32(legacy, &status, timeout, error))
            return false;
        if (status != 0 && !legacy_is(legacy, status, MK_LEGACY_S_IN_PROGRESS)) {
            if (!failed_block(legacy, status, doing, &goes_on, error))
                return false;
            continue;
        }
        if (!legacy_get8(legacy, &percent, LEGACY_TIMEOUT, error))
            return false;
        mk_progress_set(progress, MIN(percent, 100), 100);
        if (status != 0 && nand && legacy_stopped(legacy, error)) {
            if (legacy_put8(legacy, MK_LEGACY_STOP, NULL))
                legacy_drain_stray_ack(legacy);
            return false;
        }
        if (!legacy_put8(legacy, MK_LEGACY_ACK, error))
            return false;
        if (status == 0)
            return true;
    }
    return legacy_unexpected(legacy, mk_legacy_status(MK_LEGACY_S_IN_PROGRESS, legacy->numbering_b), doing, error);
}

/* Step 8: A5 and the statistics of a NAND with bad blocks; only blocks that failed are trouble. */
static bool read_statistics(MkLegacy *legacy, const char *doing, uint32_t *failed, GError **error)
{
    uint8_t answer, bytes[28];
    *failed = 0;
    if (!legacy_get8(legacy, &answer, LEGACY_TIMEOUT, error))
        return false;
    if (answer == MK_LEGACY_ACK)
        return true;
    if (answer != MK_LEGACY_NACK)
        return legacy_unexpected(legacy, answer, doing, error);
    if (!legacy_read(legacy, bytes, sizeof bytes, LEGACY_TIMEOUT, error))
        return false;
    *failed = mk_be32(bytes + 24);
    return true;
}

static bool post_process(MkLegacy *legacy, const char *doing, GError **error)
{
    uint8_t answer;
    if (!legacy_get8(legacy, &answer, LEGACY_TIMEOUT_BULK, error))
        return false;
    if (answer == MK_LEGACY_NACK && !legacy_get8(legacy, &answer, POST_PROCESS_TIMEOUT, error))
        return false;
    return answer == MK_LEGACY_ACK || legacy_unexpected(legacy, answer, doing, error);
}

bool legacy_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
                  MkProgress *progress, GError **error)
{
    MkLegacy *legacy = (MkLegacy *)agent;
    g_autofree char *doing = g_strdup_printf(_("erasing %s"), mk_region_name(region));
    uint32_t failed;
    if (legacy_stopped(legacy, error) || !send_command(legacy, region, offset, length, mode, physical, error))
        return false;
    if (!legacy_expect_ack(legacy, MK_FAULT_ERASE, doing, LEGACY_TIMEOUT, error) ||
        !legacy_expect_ack(legacy, MK_FAULT_ERASE, doing, LEGACY_TIMEOUT, error)) {
        if (!agent->lost)
            legacy_drain_stray_ack(legacy);
        return false;
    }
    if (!follow_progress(legacy, region == MK_REGION_NAND, length, doing, progress, error) ||
        !read_statistics(legacy, doing, &failed, error) || !post_process(legacy, doing, error))
        return false;
    mk_progress_done(progress);
    if (failed) {
        mk_fault_set(error, MK_FAULT_ERASE, _("%u blocks of the phone's memory could not be erased."), failed);
        return false;
    }
    return true;
}
