/* The phone card tells health, ids, secure state and slots, in words and as JSON. */
#include "fake-phone.h"

#include "core/json.h"

#include <string.h>

static MkSession *worn_phone(FakePhone *phone)
{
    fake_phone_init(phone);
    MkAgentInfo *info = &phone->session->agent->info;
    info->life = MK_LIFE_WARNING;
    info->life_a = 9;
    info->life_b = 0xB;
    info->pre_eol = 2;
    info->has_chip_id = true;
    memset(info->chip_id, 0xC5, sizeof info->chip_id);
    info->rpmb_key = 1;
    info->dram_type = 6;
    info->dram_size = UINT64_C(4) << 30;
    phone->session->target->me_id = g_bytes_new("\x01\x23\x45\x67\x89\xAB\xCD\xEF", 8);
    return phone->session;
}

static void assert_says(const char *text, const char *words)
{
    if (!strstr(text, words))
        g_error("the card does not say \"%s\":\n%s", words, text);
}

static void test_words(void)
{
    FakePhone phone;
    MkSession *session = worn_phone(&phone);
    g_autofree char *whole = mk_session_card(session, true), *brief = mk_session_card(session, false);
    static const char *const words[] = {
        "near its end", "80-90 % (A)",      "over its end (B)", "spare blocks: 80 % used",
        "C5C5C5C5",     "0123456789ABCDEF", "RPMB key written", "LPDDR4X"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        assert_says(whole, words[i]);
    /* What is shown with every plan names no ids. */
    g_assert_null(strstr(brief, "C5C5"));
    g_assert_null(strstr(whole, "Slots:"));
    fake_phone_clear(&phone);
}

static void test_json(void)
{
    FakePhone phone;
    MkSession *session = worn_phone(&phone);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    mk_session_card_json(session, builder);
    json_builder_end_object(builder);
    g_autofree char *text = mk_json_text(builder, false);
    g_autoptr(JsonNode) root = mk_json_parse(text, -1);
    JsonObject *card = mk_json_object(root);
    g_assert_cmpstr(mk_json_get_string(card, "life"), ==, "warning");
    g_assert_cmpint(mk_json_get_int(card, "life_a", -1), ==, 9);
    g_assert_cmpstr(mk_json_get_string(card, "me_id"), ==, "0123456789abcdef");
    g_assert_true(mk_json_get_bool(card, "rpmb_key"));
    g_assert_null(mk_json_get_string(card, "hrid"));
    fake_phone_clear(&phone);
}

static void test_slots(void)
{
    FakePhone phone;
    fake_phone_init(&phone);
    MkPartition *boot = mk_layout_find(phone.session->layout, "boot"),
                *system = mk_layout_find(phone.session->layout, "system");
    g_free(boot->name);
    g_free(system->name);
    boot->name = g_strdup("boot_a");
    system->name = g_strdup("boot_b");
    system->attributes = UINT64_C(0x4F) << 48;
    memcpy(phone.agent->user + boot->start, "ANDROID!", 8);
    g_autofree char *card = mk_session_card(phone.session, true);
    assert_says(card, "Slots:       a and b of boot");
    assert_says(card, "  boot_a:    an Android boot image");
    assert_says(card, "flags 0x004f");
    fake_phone_clear(&phone);
}

/* Worn-out storage is written to only by those who typed for which phone. */
static void test_worn_out_is_only_for_saving(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    phone.session->agent->info.life = MK_LIFE_END;
    const MkConsent yes = {.yes = true, .erase_user_data = true},
                    typed = {.yes = true, .erase_user_data = true, .expert = "01234567"};
    g_autoptr(MkPlan) plan =
        mk_plan_erase(phone.session, MK_ERASE_WHAT_USER_DATA, NULL, MK_REGION_NONE, 0, 0, &yes, &error);
    g_assert_no_error(error);
    g_assert_false(mk_plan_check_gates(plan, &yes, &error));
    g_assert_nonnull(strstr(error->message, "worn out"));
    g_assert_true(mk_plan_check_gates(plan, &typed, NULL));
    fake_phone_clear(&phone);
}

static const MkFinding *diagnosed(const GPtrArray *findings, const char *id, const char *partition)
{
    for (guint i = 0; i < findings->len; i++) {
        const MkFinding *finding = findings->pdata[i];
        if (!strcmp(finding->id, id) && !g_strcmp0(finding->partition, partition))
            return finding;
    }
    return NULL;
}

static GPtrArray *diagnose(FakePhone *phone)
{
    GPtrArray *findings = mk_findings_new();
    g_autoptr(GError) error = NULL;
    mk_session_look(phone->session, findings, &error);
    g_assert_no_error(error);
    return findings;
}

/* What is blank or of the wrong kind is named, with its cure. */
static void test_diagnosis_partitions(void)
{
    FakePhone phone;
    fake_phone_init(&phone);
    const MkPartition *boot = mk_layout_find(phone.session->layout, "boot"),
                      *nvram = mk_layout_find(phone.session->layout, "nvram");
    memset(phone.agent->user + boot->start, 'x', 100);
    g_autoptr(GPtrArray) first = diagnose(&phone);
    g_assert_nonnull(diagnosed(first, "B-PL-NONE", "preloader"));
    g_assert_nonnull(diagnosed(first, "F-KIND", "boot"));
    g_assert_cmpint(diagnosed(first, "F-BLANK", "system")->severity, ==, MK_SEVERITY_DANGER);
    g_assert_nonnull(strstr(diagnosed(first, "F-BLANK", "system")->advice, "medik flash"));
    g_assert_null(diagnosed(first, "F-BLANK", "userdata"));
    g_assert_null(diagnosed(first, "E-ID-BLANK", "nvram"));
    g_assert_null(diagnosed(first, "E-TABLE-NONE", NULL));
    memset(phone.agent->user + nvram->start, 0xFF, nvram->size);
    g_autoptr(GPtrArray) second = diagnose(&phone);
    g_assert_nonnull(strstr(diagnosed(second, "E-ID-BLANK", "nvram")->advice, "no saved identity"));
    fake_phone_clear(&phone);
}

/* A lost identity that was saved before is not lost. */
static void test_diagnosis_saved_identity(void)
{
    FakePhone phone;
    g_autoptr(GError) error = NULL;
    fake_phone_init(&phone);
    g_autoptr(MkIdentitySet) set = mk_identity_save(phone.session, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    memset(phone.agent->user + (1 << 20), 0, 1 << 20);
    g_autoptr(GPtrArray) findings = diagnose(&phone);
    g_assert_nonnull(strstr(diagnosed(findings, "E-ID-BLANK", "nvram")->advice, "medik identity restore"));
    fake_phone_clear(&phone);
}

/* Without a table: which copies are gone, and never a format for a cure. */
static void test_diagnosis_no_table(void)
{
    FakePhone phone;
    fake_phone_init(&phone);
    memset(phone.agent->user, 0, 1 << 20);
    memset(phone.agent->user + FAKE_USER - (1 << 16), 0, 1 << 16);
    fake_phone_reconnect(&phone);
    g_assert_null(phone.session->layout);
    g_autoptr(GPtrArray) findings = diagnose(&phone);
    const MkFinding *finding = diagnosed(findings, "E-TABLE-NONE", NULL);
    g_assert_nonnull(finding);
    g_assert_nonnull(strstr(finding->message, "GPT: first copy absent, second copy absent"));
    g_assert_nonnull(strstr(finding->advice, "table repair"));
    g_assert_null(strstr(finding->advice, "format-all"));
    fake_phone_clear(&phone);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/card/words", test_words);
    g_test_add_func("/card/json", test_json);
    g_test_add_func("/card/slots", test_slots);
    g_test_add_func("/card/worn-out-is-only-for-saving", test_worn_out_is_only_for_saving);
    g_test_add_func("/card/diagnosis/partitions", test_diagnosis_partitions);
    g_test_add_func("/card/diagnosis/saved-identity", test_diagnosis_saved_identity);
    g_test_add_func("/card/diagnosis/no-table", test_diagnosis_no_table);
    return g_test_run();
}
