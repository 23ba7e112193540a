/* Gates, plans as text and JSON, and what may not be written. */
#include "core/bytes.h"
#include "core/hash.h"
#include "fake-phone.h"
#include "flash/save-file.h"

#include <string.h>

static void test_json_round_trip(void)
{
    g_autoptr(MkPlan) plan = mk_plan_new("title", "0123456789abcdef");
    plan->job = g_strdup("job");
    MkStep *write = mk_plan_add(plan, MK_STEP_WRITE, "system \"x\"", MK_REGION_USER, UINT64_C(1) << 40, 512);
    write->path = g_strdup("/a b/ü.img");
    write->sha256 = g_strdup("00");
    MkStep *table = mk_plan_add(plan, MK_STEP_TABLE, "GPT", MK_REGION_USER, 512, 3);
    table->data = g_bytes_new("\0\1\2", 3);
    mk_plan_note(plan, "note");
    g_autofree char *json = mk_plan_to_json(plan);
    g_autoptr(GError) error = NULL;
    g_autoptr(MkPlan) back = mk_plan_from_json(json, &error);
    g_assert_no_error(error);
    g_autofree char *again = mk_plan_to_json(back);
    g_assert_cmpstr(json, ==, again);
    const MkStep *step = back->steps->pdata[1];
    g_assert_cmpmem(g_bytes_get_data(step->data, NULL), g_bytes_get_size(step->data), "\0\1\2", 3);
}

static void test_damaged_json_is_a_fault(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"steps\":3}",
        "{\"steps\":[1]}",
        "{\"steps\":[{\"kind\":2}]}",
        "{\"steps\":[{\"kind\":99,\"name\":\"x\",\"region\":1,\"offset\":0,\"length\":0,\"path\":\"y\"}]}",
        "{\"steps\":[{\"kind\":2,\"name\":\"x\",\"region\":1,\"offset\":-5,\"length\":0,\"path\":\"y\"}]}",
        "{\"steps\":[{\"kind\":4,\"name\":\"x\",\"region\":1,\"offset\":0,\"length\":9,\"data\":\"AA==\"}]}"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(mk_plan_from_json(texts[i], &error));
        g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
    }
}

static void test_gates_open_only_when_typed(void)
{
    g_autoptr(MkPlan) plan = mk_plan_new("title", "0123456789abcdef");
    mk_plan_gate(plan, MK_GATE_IDENTITY, NULL, "identity goes");
    mk_plan_gate(plan, MK_GATE_DANGER, "K-MTKHDR", "no header");
    static const char *const accept[] = {"K-MTKHDR", NULL};
    const MkConsent none = {.yes = true, .erase_user_data = true, .mismatch = true},
                    wrong = {.erase_identity = "01234568", .accept = accept},
                    right = {.erase_identity = "01234567", .accept = accept};
    g_autoptr(GError) error = NULL;
    g_assert_false(mk_plan_check_gates(plan, &none, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_REFUSED);
    g_assert_nonnull(strstr(error->message, "--erase-identity=01234567"));
    g_assert_nonnull(strstr(error->message, "--accept=K-MTKHDR"));
    g_clear_error(&error);
    g_assert_false(mk_plan_check_gates(plan, &wrong, NULL));
    g_assert_true(mk_plan_check_gates(plan, &right, &error));
}

static void test_erasing_identity_wants_the_short_id(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    const MkConsent yes = {.yes = true}, typed = {.yes = true, .erase_identity = "01234567"};
    fake_phone_init(&phone);
    g_autoptr(MkPlan) plan =
        mk_plan_erase(phone.session, MK_ERASE_WHAT_PARTITION, "nvram", MK_REGION_NONE, 0, 0, &yes, &error);
    g_assert_no_error(error);
    g_assert_nonnull(phone.session->identity); /* saved before it can go */
    g_assert_false(mk_plan_check_gates(plan, &yes, NULL));
    g_assert_true(mk_plan_check_gates(plan, &typed, &error));
    g_autoptr(MkPlan) spare =
        mk_plan_erase(phone.session, MK_ERASE_WHAT_EXCEPT_IDENTITY, NULL, MK_REGION_NONE, 0, 0, &yes, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < spare->steps->len; i++) {
        const MkStep *step = spare->steps->pdata[i];
        g_assert_true(step->klass != MK_CLASS_IDENTITY && step->klass != MK_CLASS_SECURITY);
    }
    fake_phone_clear(&phone);
}

static void test_wrong_content_is_refused(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    const MkConsent yes = {.yes = true};
    fake_phone_init(&phone);
    g_autofree char *html = fake_file(&phone, "system.img", "<!DOCTYPE html><html>", 21);
    g_assert_null(mk_plan_write_partition(phone.session, "system", html, &yes, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_IMAGE_KIND);
    g_clear_error(&error);
    g_autofree uint8_t *big = g_malloc0((1 << 20) + 512);
    memcpy(big, "ANDROID!", 8);
    big[8] = big[16] = 1;   /* a kernel and a ramdisk */
    big[37] = 2048 / 0x100; /* pages */
    g_autofree char *large = fake_file(&phone, "boot.img", big, (1 << 20) + 512);
    g_assert_null(mk_plan_write_partition(phone.session, "boot", large, &yes, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_IMAGE_SIZE);
    g_clear_error(&error);
    g_assert_null(mk_plan_write_partition(phone.session, "boot_para", large, &yes, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_NO_PARTITION);
    fake_phone_clear(&phone);
}

static void test_table_repair_touches_only_the_table(void)
{
    FakePhone phone;
    MkRunResult result;
    g_autoptr(GError) error = NULL;
    const MkConsent yes = {.yes = true};
    fake_phone_init(&phone);
    memset(phone.agent->user + 512, 0, 512); /* primary header */
    fake_phone_reconnect(&phone);
    g_assert_cmpint(phone.session->gpt->primary, !=, MK_COPY_GOOD);
    g_autoptr(MkPlan) plan = mk_plan_table_repair(phone.session, MK_REPAIR_AUTO, NULL, &yes, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < plan->steps->len; i++) {
        const MkStep *step = plan->steps->pdata[i];
        g_assert_true(step->kind == MK_STEP_SAVE || step->kind == MK_STEP_TABLE);
    }
    MkRunOptions options = {.verify = MK_VERIFY_FULL};
    g_assert_true(mk_plan_run(phone.session, plan, &options, &result, &error));
    g_assert_no_error(error);
    mk_run_result_clear(&result);
    fake_phone_reconnect(&phone);
    g_assert_cmpint(phone.session->gpt->primary, ==, MK_COPY_GOOD);
    g_assert_cmpint(phone.session->gpt->secondary, ==, MK_COPY_GOOD);
    fake_phone_clear(&phone);
}

static bool has_gate(const MkPlan *plan, MkGateKind kind, const char *id)
{
    for (guint i = 0; i < plan->gates->len; i++) {
        const MkGate *gate = plan->gates->pdata[i];
        if (gate->kind == kind && !g_strcmp0(gate->id, id))
            return true;
    }
    return false;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* Two good copies that differ: the phone's own is kept only where what lies on the phone says the same, or by name. */
static void test_table_repair_of_two_opinions(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    const MkConsent yes = {.yes = true};
    fake_phone_init(&phone);
    uint8_t *header = phone.agent->user + FAKE_USER - 512;
    uint8_t *entries = phone.agent->user + mk_le64(header + 72) * 512;
    entries[56] ^= 0x01; /* the first letter of the first name */
    put32(header + 88, mk_crc32(0, entries, mk_le32(header + 80) * mk_le32(header + 84)));
    put32(header + 16, 0);
    put32(header + 16, mk_crc32(0, header, 92));
    fake_phone_reconnect(&phone);
    g_assert_true(phone.session->gpt->differ);
    g_autoptr(MkPlan) plan = mk_plan_table_repair(phone.session, MK_REPAIR_FROM_COPY, NULL, &yes, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(plan->steps->len, >, 0);
    g_assert_nonnull(strstr(plan->notes->pdata[plan->notes->len - 1], "they differ"));
    g_assert_true(has_gate(plan, MK_GATE_DANGER, "T-EVIDENCE"));
    fake_phone_clear(&phone);
}

/* A good table is replaced by another only by name, and not without a word about what moves. */
static void test_table_repair_spares_a_good_table(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    const MkConsent yes = {.yes = true};
    fake_phone_init(&phone);
    g_autoptr(MkLayout) same = fake_layout(), other = fake_layout();
    MkPartition *system = other->partitions->pdata[3], *userdata = other->partitions->pdata[4];
    system->size -= 1 << 20;
    userdata->start = userdata->physical = userdata->linear -= 1 << 20;
    userdata->size += 1 << 20;
    g_autoptr(MkPlan) equal = mk_plan_table_repair(phone.session, MK_REPAIR_FROM_LAYOUT, same, &yes, &error);
    g_assert_no_error(error);
    g_assert_false(has_gate(equal, MK_GATE_USER_DATA, NULL) || has_gate(equal, MK_GATE_DANGER, "T-GOOD"));
    g_autoptr(MkPlan) moves = mk_plan_table_repair(phone.session, MK_REPAIR_FROM_LAYOUT, other, &yes, &error);
    g_assert_no_error(error);
    g_assert_true(has_gate(moves, MK_GATE_USER_DATA, NULL) && has_gate(moves, MK_GATE_DANGER, "T-GOOD"));
    g_assert_cmpuint(moves->diffs->len, ==, 2);
    g_assert_nonnull(strstr(moves->diffs->pdata[1], "userdata moved"));
    memset(phone.agent->user + 512, 0, 512); /* one copy is bad: nothing good is replaced, but user data move */
    fake_phone_reconnect(&phone);
    g_autoptr(MkPlan) bad = mk_plan_table_repair(phone.session, MK_REPAIR_FROM_LAYOUT, other, &yes, &error);
    g_assert_no_error(error);
    g_assert_true(has_gate(bad, MK_GATE_USER_DATA, NULL) && !has_gate(bad, MK_GATE_DANGER, "T-GOOD"));
    fake_phone_clear(&phone);
}

/* What stays is not copied; a disk that cannot hold the copies is noticed. */
static void test_copies_of_what_is_overwritten(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    const MkConsent yes = {.yes = true};
    uint64_t free;
    fake_phone_init(&phone);
    g_autofree uint8_t *data = g_malloc0(5000);
    memset(data, 0x5A, 5000);
    g_autofree char *image = fake_file(&phone, "system.img", data, 5000);
    g_autoptr(MkPlan) plan = mk_plan_write_partition(phone.session, "system", image, &yes, &error);
    g_assert_no_error(error);
    const MkStep *undo = plan->steps->pdata[0];
    g_assert_cmpint(undo->kind, ==, MK_STEP_SAVE);
    g_assert_cmpuint(undo->length, ==, 8192);
    g_autofree char *below = g_build_filename(phone.folder, "not", "there", NULL);
    g_assert_true(mk_save_room(below, 1, &free));
    g_assert_cmpuint(free, <, UINT64_MAX);
    g_assert_false(mk_save_room(below, free + (UINT64_C(1) << 40), &free));
    fake_phone_clear(&phone);
}

static uint64_t first_table_written(MkSession *session)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = fake_layout();
    const MkConsent yes = {.yes = true};
    g_autoptr(MkPlan) plan = mk_plan_table_repair(session, MK_REPAIR_FROM_LAYOUT, layout, &yes, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < plan->steps->len; i++) {
        const MkStep *step = plan->steps->pdata[i];
        if (step->kind == MK_STEP_TABLE)
            return step->offset;
    }
    g_assert_not_reached();
}

/* One copy is whole at every moment; but where none is, some agents take nothing before the primary one. */
static void test_order_of_the_tables(void)
{
    FakePhone phone;
    fake_phone_init(&phone);
    phone.session->agent->caps = MK_AGENT_NEEDS_TABLE;
    g_assert_cmpuint(first_table_written(phone.session), >, 0);
    memset(phone.agent->user, 0, FAKE_USER);
    fake_phone_reconnect(&phone);
    g_assert_cmpuint(first_table_written(phone.session), >, 0);
    phone.session->agent->caps = MK_AGENT_NEEDS_TABLE;
    g_assert_cmpuint(first_table_written(phone.session), ==, 0);
    fake_phone_clear(&phone);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/json-round-trip", test_json_round_trip);
    g_test_add_func("/plan/damaged-json-is-a-fault", test_damaged_json_is_a_fault);
    g_test_add_func("/plan/gates-open-only-when-typed", test_gates_open_only_when_typed);
    g_test_add_func("/plan/erasing-identity-wants-the-short-id", test_erasing_identity_wants_the_short_id);
    g_test_add_func("/plan/copies-of-what-is-overwritten", test_copies_of_what_is_overwritten);
    g_test_add_func("/plan/order-of-the-tables", test_order_of_the_tables);
    g_test_add_func("/plan/wrong-content-is-refused", test_wrong_content_is_refused);
    g_test_add_func("/plan/table-repair-touches-only-the-table", test_table_repair_touches_only_the_table);
    g_test_add_func("/plan/table-repair-spares-a-good-table", test_table_repair_spares_a_good_table);
    g_test_add_func("/plan/table-repair-of-two-opinions", test_table_repair_of_two_opinions);
    return g_test_run();
}
