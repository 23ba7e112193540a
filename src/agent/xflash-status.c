/* Status words (spec da-xflash.md 20): their symbols are the catalogue's, their faults those of spec behaviour.md 9.10. */
#include "agent/xflash.h"

#include "core/catalogue.h"
#include "core/i18n.h"

#include <string.h>

#define GROUP_MASK     0xFFFF0000u
#define GROUP_SECURITY 0xC0020000u

typedef struct {
    uint32_t first, last; /* both included */
    MkFault fault;
} Range;

/* The first that fits. */
static const Range ranges[] = {
    {MK_XFLASH_S_ABORT, MK_XFLASH_S_ABORT, MK_FAULT_STOPPED},
    {MK_XFLASH_S_UNSUPPORTED_COMMAND, MK_XFLASH_S_UNSUPPORTED_CONTROL, MK_FAULT_UNSUPPORTED},
    {MK_XFLASH_S_PROTOCOL, MK_XFLASH_S_PROTOCOL_OVERFLOW, MK_FAULT_PROTOCOL},
    {0xC001000C, 0xC001000C, MK_FAULT_UNSUPPORTED},
    {MK_XFLASH_S_IMAGE_TOO_LARGE, MK_XFLASH_S_IMAGE_TOO_LARGE, MK_FAULT_IMAGE_SIZE},
    {MK_XFLASH_S_DA_VERSION, MK_XFLASH_S_DA_VERSION, MK_FAULT_DA_VER},
    {0xC0020000, 0xC002FFFF, MK_FAULT_SEC_FORBIDDEN},
    {0xC0030003, 0xC0030003, MK_FAULT_DA_CHIP},
    {MK_XFLASH_S_PRELOADER_INVALID, 0xC0030005, MK_FAULT_PL_EMI},
    {MK_XFLASH_S_STORAGE_MISMATCH, MK_XFLASH_S_STORAGE_MISMATCH, MK_FAULT_STOR_MISMATCH},
    {MK_XFLASH_S_INVALID_GPT, 0xC0030009, MK_FAULT_TABLE_BAD},
    {0xC003000A, 0xC003000A, MK_FAULT_LAYOUT},
    {0xC003000B, 0xC003000B, MK_FAULT_RANGE},
    {0xC003000E, 0xC003000E, MK_FAULT_TABLE_NONE},
    {0xC003000F, 0xC003000F, MK_FAULT_CHIP},
    {0xC0030019, 0xC0030019, MK_FAULT_STOR_NONE},
    {0xC003001B, 0xC003001B, MK_FAULT_AUTH_WRONG},
    {MK_XFLASH_S_LIFE_WARNING, MK_XFLASH_S_LIFE_EXHAUSTED, MK_FAULT_LIFE},
    {MK_XFLASH_S_UNSUPPORTED_OPERATION, MK_XFLASH_S_UNSUPPORTED_OPERATION, MK_FAULT_UNSUPPORTED},
    {MK_XFLASH_S_CHECKSUM, MK_XFLASH_S_CHECKSUM, MK_FAULT_VERIFY},
    {MK_XFLASH_S_TOO_LARGE, MK_XFLASH_S_TOO_LARGE, MK_FAULT_IMAGE_SIZE},
    {MK_XFLASH_S_UNKNOWN_SPARSE_CHUNK, MK_XFLASH_S_UNKNOWN_SPARSE_CHUNK, MK_FAULT_IMAGE_KIND},
    {MK_XFLASH_S_PARTITION_NOT_FOUND, MK_XFLASH_S_PARTITION_NOT_FOUND, MK_FAULT_LAYOUT},
    {MK_XFLASH_S_READ_TABLE_FAILED, 0xC0040008, MK_FAULT_TABLE_BAD},
    {MK_XFLASH_S_UNKNOWN_STORAGE, MK_XFLASH_S_UNKNOWN_STORAGE, MK_FAULT_STOR_NONE},
    {MK_XFLASH_S_DRAM_TEST_FAILED, MK_XFLASH_S_DRAM_TEST_FAILED, MK_FAULT_PL_EMI},
    {MK_XFLASH_S_RANGE, MK_XFLASH_S_RANGE, MK_FAULT_RANGE},
    {MK_XFLASH_S_SPARSE_WRITE_FAILED, MK_XFLASH_S_SPARSE_WRITE_FAILED, MK_FAULT_IMAGE_KIND},
    {MK_XFLASH_S_REGISTER_DENIED, MK_XFLASH_S_REGISTER_DENIED, MK_FAULT_SEC_FORBIDDEN},
    {0xC0040044, 0xC0040044, MK_FAULT_ERASE},
    {0xC0040045, 0xC0040045, MK_FAULT_WRITE},
    {MK_XFLASH_S_EMI_VERSION, MK_XFLASH_S_EMI_VERSION, MK_FAULT_PL_EMI},
    {0xC0040100, 0xC0040100, MK_FAULT_UNSUPPORTED},
    {0xC0070001, 0xC0070001, MK_FAULT_DA_VER},
    {MK_XFLASH_S_HASH_MISMATCH, MK_XFLASH_S_HASH_MISMATCH, MK_FAULT_DA_SIGN},
    {MK_XFLASH_S_SPARSE_INCOMPLETE, MK_XFLASH_S_SPARSE_INCOMPLETE, MK_FAULT_IMAGE_KIND},
};

static MkFault fault_of(uint32_t status, MkFault fallback)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++) {
        if (status >= ranges[i].first && status <= ranges[i].last)
            return ranges[i].fault;
    }
    return fallback;
}

const char *mk_xflash_status_symbol(uint32_t status)
{
    for (size_t i = 0; i < mk_catalogue_count && status; i++) {
        const MkCatalogueRow *row = &mk_catalogue_rows[i];
        if (row->new == status && g_str_has_prefix(row->symbol, "STATUS_"))
            return row->symbol;
    }
    return NULL;
}

void mk_xflash_status_fault(uint32_t status, MkFault fallback, const char *doing, GError **error)
{
    const char *symbol = mk_xflash_status_symbol(status);
    if ((status & GROUP_MASK) == GROUP_SECURITY)
        mk_fault_set_number(error, fault_of(status, fallback), status, symbol,
                            _("The phone's security forbids it: while %s it answered 0x%08X (%s)."), doing, status,
                            symbol ? symbol : _("a status that Medik does not know"));
    else
        mk_fault_set_number(error, fault_of(status, fallback), status, symbol,
                            _("While %s the phone answered 0x%08X (%s)."), doing, status,
                            symbol ? symbol : _("a status that Medik does not know"));
}
