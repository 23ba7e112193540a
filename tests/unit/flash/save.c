/* Saving: what cannot be read is mapped and said, nothing is overwritten, an unfinished save goes on. */
#include "fake-phone.h"

#include <glib/gstdio.h>
#include <string.h>

static void test_unreadable_sectors_are_mapped(void)
{
    FakePhone phone;
    MkSaveResult result;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    memset(phone.agent->user + (4 << 20), 'S', 48 << 20);
    phone.agent->bad_start = (20 << 20) + 512;
    phone.agent->bad_length = 1024;
    g_autofree char *folder = g_build_filename(phone.folder, "save", NULL);
    static const char *const names[] = {"system", "boot", NULL};
    MkSaveOptions options = {.folder = folder, .partitions = names};
    g_assert_true(mk_save(phone.session, &options, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(result.unreadable, ==, 1024);
    g_autofree char *path = g_build_filename(folder, "system.img", NULL), *data = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    g_assert_cmpuint(length, ==, 48 << 20);
    memset(phone.agent->user + phone.agent->bad_start, 0, phone.agent->bad_length);
    g_assert_true(!memcmp(data, phone.agent->user + (4 << 20), length));
    mk_save_result_clear(&result);
    g_assert_false(mk_save(phone.session, &options, &result, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE); /* it is there and complete */
    mk_save_result_clear(&result);
    fake_phone_clear(&phone);
}

static void test_backup_restores_the_whole_device(void)
{
    FakePhone phone;
    MkSaveResult saved;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    memset(phone.agent->boot1, 'B', FAKE_BOOT);
    g_autofree char *folder = g_build_filename(phone.folder, "save", NULL);
    MkSaveOptions options = {.folder = folder, .use_preset = true, .preset = MK_PRESET_WHOLE_DEVICE};
    g_assert_true(mk_save(phone.session, &options, &saved, &error));
    g_assert_no_error(error);
    g_autofree uint8_t *before = g_memdup2(phone.agent->user, FAKE_USER);
    memset(phone.agent->user, 0x55, FAKE_USER);
    memset(phone.agent->boot1, 0, FAKE_BOOT);
    fake_phone_reconnect(&phone);
    const MkConsent consent = {.yes = true, .erase_user_data = true};
    g_autoptr(MkPlan) plan = mk_plan_restore_backup(phone.session, folder, &consent, &error);
    g_assert_no_error(error);
    const MkStep *last = plan->steps->pdata[plan->steps->len - 1];
    g_assert_cmpint(last->region, ==, MK_REGION_BOOT1); /* the preloader comes last */
    MkRunOptions run_options = {.verify = MK_VERIFY_FULL};
    g_assert_true(mk_plan_check_gates(plan, &consent, &error));
    g_assert_true(mk_plan_run(phone.session, plan, &run_options, &result, &error));
    g_assert_no_error(error);
    g_assert_true(!memcmp(before, phone.agent->user, FAKE_USER));
    g_assert_cmpint(phone.agent->boot1[7], ==, 'B');
    mk_run_result_clear(&result);
    mk_save_result_clear(&saved);
    fake_phone_clear(&phone);
}

static void test_foreign_identity_is_refused(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    bool existed;
    const MkConsent consent = {.yes = true};
    fake_phone_init(&phone);
    g_autoptr(MkIdentitySet) set = mk_identity_save(phone.session, NULL, &existed, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(existed);
    g_autoptr(MkIdentitySet) again = mk_identity_save(phone.session, NULL, &existed, NULL, &error);
    g_assert_true(existed);
    g_assert_cmpstr(again->folder, ==, set->folder);
    memset(phone.agent->user + (1 << 20), 0, 1 << 20);
    g_autoptr(MkPlan) plan = mk_plan_identity_restore(phone.session, set->folder, &consent, &error);
    g_assert_no_error(error);
    MkRunResult result;
    MkRunOptions options = {.verify = MK_VERIFY_FULL};
    g_assert_true(mk_plan_run(phone.session, plan, &options, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpint(phone.agent->user[(1 << 20) + 77], ==, 'N');
    mk_run_result_clear(&result);
    phone.session->id[0] = 'f';
    g_assert_null(mk_plan_identity_restore(phone.session, set->folder, &consent, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_ID_FOREIGN);
    fake_phone_clear(&phone);
}

/* A whole NVRAM with an IMEI record (spec nvram.md 3, 4). */
static void put_good_nvram(uint8_t *at)
{
    static const uint8_t header[12] = {164, 0, 0, 0, 120, 0, 0, 0, 0, 0, 0, 0}; /* length of map and of files */
    memset(at, 0, 1 << 20);
    memcpy(at, header, sizeof header);
    at[12 + 24 + 8] = 120; /* one file of 120 bytes, from 0 on */
    strcpy((char *)at + 12 + 24 + 12, "/data/nvram/md/NVRAM/NVD_IMEI/MP0B_001");
    uint8_t *file = at + 0x20000;
    file[0] = file[10] = 0x42; /* slot 0 is used, and its sums agree */
    at[12] = 0x42 ^ 120;       /* checksum: words of the record, … */
    at[12 + 2] = 0x42;         /* … XOR and ADD by turns */
}

static void save_set(FakePhone *phone, char **folder, bool want_new)
{
    g_autoptr(GError) error = NULL;
    bool existed;
    g_autoptr(MkIdentitySet) set = mk_identity_save(phone->session, NULL, &existed, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(existed, ==, !want_new);
    *folder = g_strdup(set->folder);
}

/* Saved good, erased, saved blank by another command: the good one goes back, and the plan says which it is. */
static void test_the_newest_good_set_is_restored(void)
{
    FakePhone phone;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    g_autofree char *good = NULL, *blank = NULL;
    const MkConsent yes = {.yes = true};
    static const char *const danger[] = {"I-BLANK", NULL};
    const MkConsent accepted = {.yes = true, .accept = danger};
    uint8_t *nvram;
    fake_phone_init(&phone);
    nvram = phone.agent->user + (1 << 20);
    memset(nvram, 0, 1 << 20);
    save_set(&phone, &blank, true);
    g_assert_null(mk_plan_identity_restore(phone.session, NULL, &yes, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_ID_BLANK);
    g_assert_nonnull(strstr(error->message, blank));
    g_clear_error(&error);
    put_good_nvram(nvram);
    save_set(&phone, &good, true);
    memset(nvram, 0xFF, 1 << 20);
    g_free(g_steal_pointer(&blank));
    save_set(&phone, &blank, true);
    g_autoptr(MkPlan) named = mk_plan_identity_restore(phone.session, blank, &yes, &error);
    g_assert_no_error(error);
    g_assert_false(mk_plan_check_gates(named, &yes, NULL));
    g_assert_true(mk_plan_check_gates(named, &accepted, &error));
    g_autoptr(MkPlan) plan = mk_plan_identity_restore(phone.session, NULL, &yes, &error);
    g_assert_no_error(error);
    g_autofree char *text = mk_plan_text(plan);
    g_assert_nonnull(strstr(text, good));
    g_assert_nonnull(strstr(text, "IMEI record present"));
    g_assert_true(mk_plan_check_gates(plan, &yes, &error));
    MkRunOptions options = {.verify = MK_VERIFY_FULL};
    g_assert_true(mk_plan_run(phone.session, plan, &options, &result, &error));
    g_assert_no_error(error);
    g_assert_null(result.undo_folder); /* this plan keeps no copies, so none are promised */
    mk_run_result_clear(&result);
    g_autoptr(MkIdentitySet) now = mk_identity_save(phone.session, NULL, NULL, NULL, &error);
    g_assert_cmpstr(now->folder, ==, good);
    fake_phone_clear(&phone);
}

static const MkIdentityFile *find_file(const MkIdentitySet *set, const char *name)
{
    for (guint i = 0; i < set->files->len; i++)
        if (!strcmp(((const MkIdentityFile *)set->files->pdata[i])->name, name))
            return set->files->pdata[i];
    return NULL;
}

/* Without a table the identity is saved from its usual places: by its form, by the scatter that was given, by an earlier set. */
static void test_identity_without_a_table(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    const MkConsent yes = {.yes = true};
    fake_phone_init(&phone);
    put_good_nvram(phone.agent->user + (1 << 20));
    memset(phone.agent->user, 0, 1 << 20);
    memset(phone.agent->user + FAKE_USER - (1 << 20), 0, 1 << 20);
    fake_phone_reconnect(&phone);
    g_assert_null(phone.session->layout);
    g_autoptr(MkIdentitySet) searched = mk_identity_save(phone.session, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    const MkIdentityFile *nvram = find_file(searched, "nvram");
    g_assert_true(nvram && nvram->candidate && nvram->offset == 1 << 20);
    g_assert_cmpint(mk_identity_worth(searched), ==, MK_IDENTITY_GOOD);
    g_autoptr(MkLayout) layout = fake_layout();
    g_autofree char *text = mk_scatter_write(layout, MK_LAYOUT_SCATTER_V1, NULL, &error);
    g_assert_no_error(error);
    phone.session->names_path = fake_file(&phone, "scatter.txt", text, strlen(text));
    g_autoptr(MkIdentitySet) named = mk_identity_save(phone.session, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(find_file(named, "protect1") && find_file(named, "nvram"));
    g_clear_pointer(&phone.session->names_path, g_free);
    g_autoptr(MkIdentitySet) remembered = mk_identity_save(phone.session, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(find_file(remembered, "protect1"));
    g_autoptr(MkPlan) plan = mk_plan_table_repair(phone.session, MK_REPAIR_FROM_LAYOUT, layout, &yes, &error);
    g_assert_no_error(error);
    g_autofree char *words = mk_plan_text(plan);
    g_assert_null(strstr(words, "Nothing to lose there"));
    MkRunResult result;
    MkRunOptions options = {.verify = MK_VERIFY_FULL};
    g_assert_true(mk_plan_run(phone.session, plan, &options, &result, &error));
    g_assert_no_error(error);
    mk_run_result_clear(&result);
    memset(phone.agent->user + (1 << 20), 0, 1 << 20); /* with the table back, the set can be put back too */
    fake_phone_reconnect(&phone);
    g_autoptr(MkPlan) back = mk_plan_identity_restore(phone.session, NULL, &yes, &error);
    g_assert_no_error(error);
    g_assert_true(mk_plan_run(phone.session, back, &options, &result, &error));
    g_assert_no_error(error);
    g_assert_cmpint(phone.agent->user[1 << 20], ==, 164);
    mk_run_result_clear(&result);
    fake_phone_clear(&phone);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/save/unreadable-sectors-are-mapped", test_unreadable_sectors_are_mapped);
    g_test_add_func("/save/backup-restores-the-whole-device", test_backup_restores_the_whole_device);
    g_test_add_func("/save/foreign-identity-is-refused", test_foreign_identity_is_refused);
    g_test_add_func("/save/the-newest-good-set-is-restored", test_the_newest_good_set_is_restored);
    g_test_add_func("/save/identity-without-a-table", test_identity_without_a_table);
    return g_test_run();
}
