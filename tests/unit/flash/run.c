/* What a user relies on when a plan runs: identity first, nothing lost when the cable goes, verified or called a fault. */
#include "fake-phone.h"

#include <string.h>

#define SYSTEM_AT   (UINT64_C(4) << 20)
#define SYSTEM_SIZE ((size_t)40 << 20)

static const MkConsent consent = {.yes = true};

static char *pattern_file(FakePhone *phone, uint8_t seed)
{
    g_autofree uint8_t *data = g_malloc(SYSTEM_SIZE);
    for (size_t i = 0; i < SYSTEM_SIZE; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 13) + seed);
    return fake_file(phone, "system.img", data, SYSTEM_SIZE);
}

static void assert_system(FakePhone *phone, const char *path)
{
    g_autofree char *data = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    g_assert_true(!memcmp(phone->agent->user + SYSTEM_AT, data, length));
}

static bool run(FakePhone *phone, const char *path, MkVerify verify, MkRunResult *result, GError **error)
{
    g_autoptr(MkPlan) plan = mk_plan_write_partition(phone->session, "system", path, &consent, error);
    MkRunOptions options = {.verify = verify};
    return plan && mk_plan_check_gates(plan, &consent, error) &&
           mk_plan_run(phone->session, plan, &options, result, error);
}

static void test_write_is_verified_and_keeps_identity(void)
{
    FakePhone phone;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    g_autofree char *path = pattern_file(&phone, 0);
    g_assert_true(run(&phone, path, MK_VERIFY_FULL, &result, &error));
    g_assert_no_error(error);
    g_assert_true(result.verified);
    g_assert_false(result.resumed);
    g_assert_cmpuint(result.bytes_written, ==, SYSTEM_SIZE);
    g_assert_cmpuint(result.bytes_verified, ==, SYSTEM_SIZE);
    assert_system(&phone, path);
    g_autoptr(MkIdentitySet) set = mk_identity_load(result.identity_set, &error);
    g_assert_no_error(error);
    const MkIdentityFile *nvram = set->files->pdata[0];
    g_assert_cmpstr(nvram->name, ==, "nvram");
    g_autofree char *saved = NULL;
    g_assert_true(g_file_get_contents(nvram->path, &saved, NULL, NULL));
    g_assert_true(!memcmp(saved, phone.agent->user + (1 << 20), 1 << 20));
    mk_run_result_clear(&result);
    fake_phone_clear(&phone);
}

/* The cable is pulled at many places; the same command ends the job and does not write everything again. */
static void test_pulled_cable_resumes(void)
{
    static const uint64_t cuts[] = {0, 1, 511, 1 << 20, (17 << 20) + 5, (33 << 20) + 4096, (40 << 20) - 1};
    FakePhone phone;
    fake_phone_init(&phone);
    for (gsize i = 0; i < G_N_ELEMENTS(cuts); i++) {
        MkRunResult result;
        g_autoptr(GError) error = NULL;
        g_autofree char *path = pattern_file(&phone, (uint8_t)(i + 1));
        phone.agent->written = 0;
        phone.agent->cut_after = cuts[i];
        g_assert_false(run(&phone, path, MK_VERIFY_FULL, &result, &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_GONE);
        g_clear_error(&error);
        mk_run_result_clear(&result);
        fake_phone_reconnect(&phone);
        phone.agent->written = 0;
        g_assert_true(run(&phone, path, MK_VERIFY_FULL, &result, &error));
        g_assert_no_error(error);
        g_assert_true(result.resumed);
        g_assert_true(result.verified);
        assert_system(&phone, path);
        if (cuts[i] > 33 << 20)
            g_assert_cmpuint(phone.agent->written, <, SYSTEM_SIZE);
        mk_run_result_clear(&result);
    }
    fake_phone_clear(&phone);
}

/* What the journal claims is believed only as far as the phone shows it. */
static void test_resume_distrusts_the_journal(void)
{
    FakePhone phone;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    g_autofree char *path = pattern_file(&phone, 9);
    phone.agent->cut_after = 38 << 20;
    g_assert_false(run(&phone, path, MK_VERIFY_FULL, &result, &error));
    g_clear_error(&error);
    mk_run_result_clear(&result);
    fake_phone_reconnect(&phone);
    memset(phone.agent->user + SYSTEM_AT, 0xEE, 32 << 20);
    g_assert_true(run(&phone, path, MK_VERIFY_NONE, &result, &error));
    g_assert_no_error(error);
    g_assert_false(result.verified);
    assert_system(&phone, path);
    mk_run_result_clear(&result);
    fake_phone_clear(&phone);
}

static void test_difference_is_written_once_more(void)
{
    FakePhone phone;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    g_autofree char *path = pattern_file(&phone, 3);
    phone.agent->corrupt_writes = 2;
    g_assert_true(run(&phone, path, MK_VERIFY_FULL, &result, &error));
    g_assert_no_error(error);
    assert_system(&phone, path);
    mk_run_result_clear(&result);
    phone.agent->corrupt_writes = 1000;
    g_assert_false(run(&phone, path, MK_VERIFY_FULL, &result, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_VERIFY);
    mk_run_result_clear(&result);
    fake_phone_clear(&phone);
}

/* A run of zeros is erased, not sent, if the chip erases to zero; and sent if it does not. */
static void test_zero_runs_cost_no_wire(void)
{
    for (int erased = 0; erased < 256; erased += 255) {
        FakePhone phone;
        MkRunResult result;
        g_autoptr(GError) error = NULL;
        fake_phone_init(&phone);
        phone.agent->erased = (uint8_t)erased;
        memset(phone.agent->user + SYSTEM_AT, 0xAA, SYSTEM_SIZE);
        g_autofree char *path = g_build_filename(phone.folder, "hole.img", NULL);
        g_autoptr(MkStore) file = mk_store_file_create(path, SYSTEM_SIZE, &error);
        g_assert_no_error(error);
        g_assert_true(mk_store_write(file, 0, "head", 4, NULL, &error));
        g_assert_true(mk_store_flush(file, &error));
        g_assert_true(run(&phone, path, MK_VERIFY_FULL, &result, &error));
        g_assert_no_error(error);
        g_assert_true(result.verified);
        assert_system(&phone, path);
        g_assert_cmpuint(phone.agent->erases, ==, 1);
        if (erased)
            g_assert_cmpuint(phone.agent->written, ==, SYSTEM_SIZE);
        else
            g_assert_cmpuint(phone.agent->written, <, 33 << 20);
        mk_run_result_clear(&result);
        fake_phone_clear(&phone);
    }
}

static void test_nothing_is_written_before_identity_is_saved(void)
{
    FakePhone phone;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    g_autoptr(MkPlan) plan = mk_plan_new("by hand", phone.session->id);
    plan->job = g_strdup("00000000000000000000");
    mk_plan_add(plan, MK_STEP_ERASE, "system", MK_REGION_USER, SYSTEM_AT, 512);
    MkRunOptions options = {.verify = MK_VERIFY_FULL};
    g_assert_false(mk_plan_run(phone.session, plan, &options, &result, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_REFUSED);
    g_assert_cmpuint(phone.agent->erases, ==, 0);
    mk_run_result_clear(&result);
    fake_phone_clear(&phone);
}

static void test_changed_file_is_refused(void)
{
    FakePhone phone;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    g_autofree char *path = pattern_file(&phone, 1);
    g_autoptr(MkPlan) plan = mk_plan_write_partition(phone.session, "system", path, &consent, &error);
    g_assert_no_error(error);
    g_autofree char *same = pattern_file(&phone, 2);
    MkRunOptions options = {.verify = MK_VERIFY_FULL};
    g_assert_false(mk_plan_run(phone.session, plan, &options, &result, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
    g_assert_cmpuint(phone.agent->written, ==, 0);
    mk_run_result_clear(&result);
    fake_phone_clear(&phone);
}

/* Whatever a command fails at, the phone is not left in an agent that hears nobody; not even after Ctrl-C. */
static void test_every_end_lets_the_phone_go(void)
{
    FakePhone phone;
    fake_phone_init(&phone);
    g_autoptr(GCancellable) stop = g_cancellable_new();
    phone.session->after = MK_AFTER_REBOOT;
    phone.agent->base.cancel = stop;
    g_cancellable_cancel(stop);
    fake_phone_reconnect(&phone);
    g_assert_cmpuint(phone.agent->endings, ==, 1);
    g_assert_cmpint(phone.agent->ended, ==, MK_AFTER_REBOOT);
    g_assert_false(phone.agent->ended_cancelled);
    phone.session->after = MK_AFTER_META;
    fake_phone_reconnect(&phone);
    g_assert_cmpuint(phone.agent->endings, ==, 3);
    g_assert_cmpint(phone.agent->ended, ==, MK_AFTER_REBOOT);
    g_assert_true(mk_session_finish(phone.session, MK_AFTER_OFF, NULL));
    fake_phone_reconnect(&phone);
    g_assert_cmpuint(phone.agent->endings, ==, 4);
    phone.agent->base.lost = true;
    fake_phone_clear(&phone);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/run/write-is-verified-and-keeps-identity", test_write_is_verified_and_keeps_identity);
    g_test_add_func("/run/pulled-cable-resumes", test_pulled_cable_resumes);
    g_test_add_func("/run/resume-distrusts-the-journal", test_resume_distrusts_the_journal);
    g_test_add_func("/run/difference-is-written-once-more", test_difference_is_written_once_more);
    g_test_add_func("/run/zero-runs-cost-no-wire", test_zero_runs_cost_no_wire);
    g_test_add_func("/run/nothing-is-written-before-identity-is-saved",
                    test_nothing_is_written_before_identity_is_saved);
    g_test_add_func("/run/every-end-lets-the-phone-go", test_every_end_lets_the_phone_go);
    g_test_add_func("/run/changed-file-is-refused", test_changed_file_is_refused);
    return g_test_run();
}
