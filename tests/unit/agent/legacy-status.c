#include "agent/legacy.h"

/* The corners of the two numberings (spec da-legacy.md 14). */
static void test_numberings(void)
{
    const struct {
        uint32_t a, b; /* 0: this numbering does not have it */
        const char *symbol;
    } cases[] = {
        {3000, 3000, "S_DA_INT_RAM_ERROR"},
        {3003, 3003, "S_DA_SETUP_PLL_ERR"},
        {0, 3004, "S_DA_SETUP_EMI_PLL_ERR"},
        {0, 3007, "S_DA_DRAMC_RANK1_CALIBRATION_FAILED"},
        {3004, 3008, "S_DA_DRAM_NOT_SUPPORT"},
        {3007, 3011, "S_DA_RAM_ERROR"},
        {3036, 3040, "S_DA_INVALID_RANGE"},
        {3051, 3055, "S_DA_NAND_NO_GOOD_BLOCK"},
        {0, 3056, "S_DA_NAND_UBIIMG_NOT_SPARSEIMAGE"},
        {3052, 3057, "S_DA_BOOTLOADER_IS_TOO_LARGE"},
        {3060, 3065, "S_DA_UART_DATA_CKSUM_ERROR"},
        {3078, 3083, "S_DA_BLANK_FLASH"},
        {3153, 3158, "S_DA_DSPBL_CHECK_PLATFORM_FAILED"},
        {0, 3159, "S_DA_UFS_FLASH_NOT_FOUND"},
        {0, 3169, "S_DA_UFS_OTP_UNLOCKED"},
        {3154, 3170, "S_DA_HANDSET_SEC_CFG_NOT_FOUND"},
        {3160, 3176, "S_DA_READ_IMEI_PID_SWV_NOT_SUPPORT"},
        {0, 3177, "S_DA_NFI_EMPTY_PAGE"},
        {3162, 3178, "S_DA_INVALID_STORAGE_TYPE"},
        {3168, 3184, "S_DA_S_CHIP_TYPE_NOT_MATCH"},
        {0, 3185, "S_DA_EXCEED_MAX_PARTITION_COUNT"},
        {1037, 1037, "S_PART_NO_VALID_TABLE"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpstr(mk_legacy_status_symbol(cases[i].b, true), ==, cases[i].symbol);
        if (cases[i].a) {
            g_assert_cmpstr(mk_legacy_status_symbol(cases[i].a, false), ==, cases[i].symbol);
            g_assert_cmpuint(mk_legacy_status(cases[i].a, true), ==, cases[i].b);
            g_assert_cmpuint(mk_legacy_status(cases[i].a, false), ==, cases[i].a);
        }
    }
    g_assert_null(mk_legacy_status_symbol(3161, false)); /* the hole in A */
    g_assert_null(mk_legacy_status_symbol(3169, false));
    g_assert_null(mk_legacy_status_symbol(3186, true));
    g_assert_null(mk_legacy_status_symbol(2999, true));
    g_assert_null(mk_legacy_status_symbol(UINT32_MAX, false));
}

/* Every number of A has a name, and B the same name. */
static void test_complete(void)
{
    for (uint32_t a = 3000; a <= 3168; a++) {
        if (a == 3161)
            continue;
        const char *symbol = mk_legacy_status_symbol(a, false);
        g_assert_nonnull(symbol);
        g_assert_cmpstr(mk_legacy_status_symbol(mk_legacy_status(a, true), true), ==, symbol);
    }
}

static void test_faults(void)
{
    const struct {
        uint32_t number;
        bool numbering_b;
        MkFault fault;
    } cases[] = {
        {3036, false, MK_FAULT_RANGE},        {3040, true, MK_FAULT_RANGE},       {3149, false, MK_FAULT_WRITE},
        {3149, true, MK_FAULT_STOR_NONE},     {1037, false, MK_FAULT_TABLE_NONE}, {3168, false, MK_FAULT_CHIP},
        {3182, true, MK_FAULT_SEC_FORBIDDEN}, {3020, false, MK_FAULT_ERASE},      {99999, false, MK_FAULT_ERASE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        mk_legacy_status_fault(cases[i].number, cases[i].numbering_b, MK_FAULT_ERASE, "erasing", &error);
        g_assert_cmpint(mk_fault_code(error), ==, cases[i].fault);
        g_assert_cmpuint(mk_fault_number(error), ==, cases[i].number);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/agent/status/numberings", test_numberings);
    g_test_add_func("/agent/status/complete", test_complete);
    g_test_add_func("/agent/status/faults", test_faults);
    return g_test_run();
}
