/* Status words of spec da-xflash.md 20: names and faults (spec behaviour.md 9.10). */
#include "agent/xflash.h"

#include <string.h>

static void test_faults(void)
{
    const struct {
        uint32_t status;
        const char *symbol;
        MkFault fault;
    } cases[] = {
        {0xC0010001, "STATUS_ERR", MK_FAULT_ERASE},
        {0xC0010002, "STATUS_ABORT", MK_FAULT_STOPPED},
        {0xC0010003, "STATUS_UNSUPPORT_CMD", MK_FAULT_UNSUPPORTED},
        {0xC0010004, "STATUS_UNSUPPORT_CTRL_CODE", MK_FAULT_UNSUPPORTED},
        {0xC0020004, "STATUS_SEC_DL_FORBIDDEN", MK_FAULT_SEC_FORBIDDEN},
        {0xC0020005, "STATUS_SEC_IMG_TOO_LARGE", MK_FAULT_IMAGE_SIZE},
        {0xC0020006, "STATUS_SEC_PL_VFY_FAIL", MK_FAULT_SEC_FORBIDDEN},
        {0xC0020007, "STATUS_SEC_IMG_VFY_FAIL", MK_FAULT_SEC_FORBIDDEN},
        {0xC002002D, "STATUS_SEC_VIOLATE_ANTI_ROLLBACK", MK_FAULT_SEC_FORBIDDEN},
        {0xC0020053, "STATUS_SEC_INVALID_DA_VER", MK_FAULT_DA_VER},
        {0xC0030004, "STATUS_PRELOADER_INVALID", MK_FAULT_PL_EMI},
        {0xC0030006, "STATUS_STORAGE_MISMATCH", MK_FAULT_STOR_MISMATCH},
        {0xC0030008, "STATUS_INVALID_GPT", MK_FAULT_TABLE_BAD},
        {0xC003000A, "STATUS_LAYOUT_CHANGED", MK_FAULT_LAYOUT},
        {0xC003000E, "STATUS_PARTITION_TBL_NOT_EXIST", MK_FAULT_TABLE_NONE},
        {0xC003000F, "STATUS_SCATTER_HW_CHIP_ID_MISMATCH", MK_FAULT_CHIP},
        {0xC003001D, "STATUS_STOR_LIFE_EXHAUST", MK_FAULT_LIFE},
        {0xC0040003, "STATUS_CHECKSUM_ERR", MK_FAULT_VERIFY},
        {0xC0040004, "STATUS_TOO_LARGE", MK_FAULT_IMAGE_SIZE},
        {0xC0040005, "STATUS_UNKNOWN_SPARSE_CHUNK_TYPE", MK_FAULT_IMAGE_KIND},
        {0xC0040006, "STATUS_PARTITON_NOT_FOUND", MK_FAULT_LAYOUT},
        {0xC0040007, "STATUS_READ_PT_FAIL", MK_FAULT_TABLE_BAD},
        {0xC0040009, "STATUS_UNKNOWN_STORAGE_TYPE", MK_FAULT_STOR_NONE},
        {0xC004000B, "STATUS_EXCEED_AVALIABLE_RANGE", MK_FAULT_RANGE},
        {0xC0040030, "STATUS_MMC_ERR", MK_FAULT_ERASE},
        {0xC0040044, "STATUS_NAND_ERASE_FAILED", MK_FAULT_ERASE},
        {0xC0040045, "STATUS_NAND_PAGE_PROGRAM_FAILED", MK_FAULT_WRITE},
        {0xC0040050, "STATUS_EMI_SETTING_VERSION_ERROR", MK_FAULT_PL_EMI},
        {0xC0070004, "STATUS_DA_HASH_MISMATCH", MK_FAULT_DA_SIGN},
        {0xC0FFFFFF, NULL, MK_FAULT_ERASE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *number = g_strdup_printf("0x%08X", cases[i].status);
        mk_xflash_status_fault(cases[i].status, MK_FAULT_ERASE, "erasing", &error);
        g_assert_cmpint(mk_fault_code(error), ==, cases[i].fault);
        g_assert_cmphex(mk_fault_number(error), ==, cases[i].status);
        g_assert_cmpstr(mk_fault_symbol(error), ==, cases[i].symbol);
        g_assert_nonnull(strstr(error->message, number));
    }
}

/* Every number of the specification's groups that a device sends has a name. */
static void test_complete(void)
{
    const struct {
        uint32_t first, last;
    } groups[] = {{0xC0010001, 0xC0010013}, {0xC0020001, 0xC0020039}, {0xC0020040, 0xC0020053},
                  {0xC0030001, 0xC003001D}, {0xC0040001, 0xC004000E}, {0xC0040040, 0xC0040046},
                  {0xC0070001, 0xC0070005}, {0x40040001, 0x40040006}};
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        for (uint32_t status = groups[i].first; status <= groups[i].last; status++)
            g_assert_nonnull(mk_xflash_status_symbol(status));
    }
    g_assert_null(mk_xflash_status_symbol(0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/xflash/status/faults", test_faults);
    g_test_add_func("/agent/xflash/status/complete", test_complete);
    return g_test_run();
}
