/* Every command of BootROM and preloader, against the vectors of the specification. */
#include "vectors.h"

#include <glib/gstdio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <unistd.h>

static const MkBootOptions no_options = {.timeout = 2000};

static GBytes *hex(const char *text)
{
    g_autoptr(GArray) steps = script_steps_new();
    g_autofree char *line = g_strdup_printf(">%s", text);
    vector_bytes(steps, line);
    return g_bytes_ref(g_array_index(steps, ScriptStep, 0).bytes);
}

static void test_session(gconstpointer name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLink) link = vector_link(name);
    g_autoptr(MkTarget) target = mk_boot_connect(link, &no_options, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(GBytes) da = hex("01 02 03 04 05 06 07 08");
    bool preloader = strstr(name, "preloader") != NULL;
    uint32_t address = preloader ? 0x200000 : 0x12000000;
    g_assert_cmpint(target->stage, ==, preloader ? MK_STAGE_PRELOADER : MK_STAGE_BOOTROM);
    g_assert_cmphex(target->hw_version, ==, 0xCA00);
    g_assert_true(target->watchdog_off);
    g_assert_true(mk_boot_authenticate(link, target, &no_options, NULL, &error));
    g_assert_true(mk_boot_send_da(link, target, address, da, 0, NULL, &error));
    g_assert_true(mk_boot_jump_da(link, address, false, NULL, &error));
    g_assert_no_error(error);
}

/* --- SEND_DA and JUMP_DA -------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *vector;
    int fault; /* −1: none */
    uint32_t number;
} SendCase;

static const SendCase send_cases[] = {
    {"send-da-even", -1, 0},
    {"send-da-odd", -1, 0},
    {"send-da-signed", -1, 0},
    {"send-da-needs-sla", MK_FAULT_AUTH_NEEDED, 5000},
    {"send-da-bad-signature-2001", MK_FAULT_DA_SIGN, 6005},
    {"send-da-bad-signature-7024", MK_FAULT_DA_SIGN, 6005},
};

/* The payload, address and signature length as the vector has them: its first host lines after the command. */
static void from_vector(const char *name, uint32_t *address, uint32_t *signature, GBytes **payload)
{
    g_autoptr(GArray) steps = script_steps_new();
    vector_append(steps, name);
    uint32_t words[3] = {0};
    unsigned n = 0;
    g_clear_pointer(payload, g_bytes_unref);
    for (unsigned i = 1; i < steps->len; i++) {
        ScriptStep *step = &g_array_index(steps, ScriptStep, i);
        if (!step->from_host)
            continue;
        if (n < 3)
            words[n++] = mk_be32(g_bytes_get_data(step->bytes, NULL));
        else if (!*payload)
            *payload = g_bytes_ref(step->bytes);
    }
    *address = words[0];
    *signature = words[2];
    if (!*payload)
        *payload = g_bytes_new("12345678", MIN(words[1], 8));
}

static void test_send_da(gconstpointer data)
{
    const SendCase *send = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLink) link = vector_link(send->vector);
    g_autoptr(GBytes) payload = NULL;
    MkTarget target = {.stage = MK_STAGE_BOOTROM};
    uint32_t address, signature;
    from_vector(send->vector, &address, &signature, &payload);
    bool good = mk_boot_send_da(link, &target, address, payload, signature, NULL, &error);
    script_assert_over(link);
    if (send->fault < 0) {
        g_assert_no_error(error);
        g_assert_true(good);
    } else {
        g_assert_error(error, MK_FAULT, send->fault);
        g_assert_cmpuint(mk_fault_number(error), ==, send->number);
    }
}

/* Damaged on its way: sent once more, then it is the cable. */
static void test_checksum_differs(void)
{
    static const char send[] = "H> D7 D> D7 H> 00200000 D> 00200000 H> 00000004 D> 00000004 H> 00000000 D> 00000000 "
                               "D> 0000 H> 01020304 ";
    g_autoptr(GBytes) da = hex("01 02 03 04");
    MkTarget target = {.stage = MK_STAGE_BOOTROM};
    for (int second = 0; second < 2; second++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strconcat(send, "D> FFFF 0000 ", send, second ? "D> 0602 0000" : "D> FFFF", NULL);
        GArray *steps = script_steps_new();
        script_parse(steps, text);
        g_autoptr(MkLink) link = script_link(steps);
        g_assert_cmpint(mk_boot_send_da(link, &target, 0x200000, da, 0, NULL, &error), ==, second);
        if (!second) {
            g_assert_error(error, MK_FAULT, MK_FAULT_VERIFY);
            g_assert_cmpstr(mk_fault_symbol(error), ==, "S_BROM_CMD_SEND_DA_CHKSUM_DIFF");
        }
        script_assert_over(link);
    }
}

static void test_jump(void)
{
    g_autoptr(GError) error = NULL;
    static const struct {
        const char *vector;
        uint32_t address;
        bool wide, good;
    } cases[] = {{"jump-da", 0x200000, false, true},
                 {"jump-da-without-da-2001", 0, false, false},
                 {"jump-da-without-da-7024", 0, false, false},
                 {"jump-da64-64bit", 0, true, true}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MkLink) link = vector_link(cases[i].vector);
        g_autoptr(GBytes) ignored = NULL;
        uint32_t address, signature;
        from_vector(cases[i].vector, &address, &signature, &ignored);
        g_assert_true(mk_boot_jump_da(link, address, cases[i].wide, NULL, &error) == cases[i].good);
        script_assert_over(link);
        if (!cases[i].good)
            g_assert_error(error, MK_FAULT, MK_FAULT_DA_SIGN);
        g_clear_error(&error);
    }
}

/* --- registers ---------------------------------------------------------------------------------------------------------------- */

static void test_registers(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLink) wdt = vector_link("write32-wdt-off-10007000");
    g_assert_true(mk_boot_write32(wdt, 0x10007000, 0x22000000, NULL, &error));
    script_assert_over(wdt);
    GArray *steps = script_steps_new();
    script_parse(steps, "H> D1 D> D1 H> 10206044 D> 10206044 H> 00000001 D> 00000001 D> 1000");
    g_autoptr(MkLink) refused = script_link(steps);
    uint32_t value;
    g_assert_false(mk_boot_read32(refused, 0x10206044, &value, 1, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_SEC_FORBIDDEN);
    script_assert_over(refused);
}

/* MT6577 keeps the other bits of its 16-bit watchdog. */
static void test_watchdog16(void)
{
    g_autoptr(GError) error = NULL;
    GArray *steps = script_steps_new();
    vector_append(steps, "start-brom-clean");
    script_parse(steps, "H> FD D> FD 6575 0000 H> FC D> FC 8B00 CA00 0000 0000 "
                        "H> D0 D> D0 H> C0000000 D> C0000000 H> 00000001 D> 00000001 D> 0000 000F 0000 "
                        "H> D2 D> D2 H> C0000000 D> C0000000 H> 00000001 D> 00000001 D> 0000 H> 220E D> 220E D> 0000 "
                        "H> FE D> FE H> D8 D> D8 00000000 0000 H> FF D> 05");
    g_autoptr(MkLink) link = script_link(steps);
    g_autoptr(MkTarget) target = mk_boot_connect(link, &no_options, NULL, &error);
    g_assert_no_error(error);
    script_assert_over(link);
    g_assert_cmpstr(mk_soc_name(target->soc), ==, "MT6577");
}

/* A loader that keeps its watchdog to itself, knows no versions, or is newer than this program is still a phone to work with (spec brom.md 11,
 * rows 13 to 15). */
static void test_reluctant_preloader(void)
{
    g_autoptr(GError) error = NULL;
    GArray *steps = script_steps_new();
    vector_append(steps, "start-brom-clean");
    script_parse(steps, "H> FD D> FD 6583 0000 H> FC D> FC 8A00 CA00 0000 1D00 H> FC D> FC 8A00 CA00 0000 1D00 "
                        "H> D4 D> D4 H> 10000000 D> 10000000 H> 00000001 D> 00000001 D> 1001 "
                        "H> FE D> 07 H> FB D> FB 00000000 00000000 H> D8 D> D8 00000000 0000");
    g_autoptr(MkLink) link = script_link(steps);
    g_autoptr(MkTarget) target = mk_boot_connect(link, &no_options, NULL, &error);
    g_assert_no_error(error);
    script_assert_over(link);
    g_assert_cmpint(target->stage, ==, MK_STAGE_PRELOADER);
    g_assert_false(target->watchdog_off);
    g_assert_cmphex(target->hw_version, ==, 0);
}

/* --- authentication --------------------------------------------------------------------------------------------------------------- */

static char *temp_file(const void *data, size_t length)
{
    char *path = g_build_filename(g_get_tmp_dir(), "medik-boot-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_assert_cmpint(write(fd, data, length), ==, (gssize)length);
    close(fd);
    return path;
}

static void test_auth_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *auth = temp_file("\xDE\xAD\xBE\xEF", 4);
    MkBootOptions options = {.auth_path = auth};
    MkTarget target = {.stage = MK_STAGE_BOOTROM, .target_config = 5};
    GArray *steps = script_steps_new();
    vector_append(steps, "send-auth");
    script_parse(steps, "H> D8 D> D8 00000005 0000");
    g_autoptr(MkLink) link = script_link(steps);
    g_assert_true(mk_boot_authenticate(link, &target, &options, NULL, &error));
    g_assert_no_error(error);
    script_assert_over(link);
    g_autoptr(MkLink) rejecting = vector_link("send-auth-rejected");
    g_assert_false(mk_boot_authenticate(rejecting, &target, &options, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_AUTH_WRONG);
    g_unlink(auth);
}

static void test_auth_missing(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLink) link = script_link(script_steps_new());
    MkTarget target = {.stage = MK_STAGE_BOOTROM, .target_config = MK_CONFIG_DAA};
    g_assert_false(mk_boot_authenticate(link, &target, &no_options, NULL, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_AUTH_NEEDED);
    g_assert_cmpuint(mk_fault_number(error), ==, 5000);
    /* A preloader only reports; nothing is ever sent to it. */
    g_clear_error(&error);
    target.stage = MK_STAGE_PRELOADER;
    g_assert_true(mk_boot_authenticate(link, &target, &no_options, NULL, &error));
    script_assert_over(link);
}

static void test_sla(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *auth = temp_file("\xDE\xAD\xBE\xEF", 4);
    g_autofree char *command =
        g_strdup_printf("sh -c \"%s\"", "cat > /dev/null; printf '\\240\\241\\242\\243\\244\\245\\246\\247'");
    MkBootOptions options = {.auth_path = auth, .sign_command = command};
    MkTarget target = {.stage = MK_STAGE_BOOTROM, .target_config = 7};
    GArray *steps = script_steps_new();
    vector_append(steps, "send-auth");
    script_parse(steps, "H> D8 D> D8 00000007 0000");
    vector_append(steps, "sla");
    g_autoptr(MkLink) link = script_link(steps);
    g_assert_true(mk_boot_authenticate(link, &target, &options, NULL, &error));
    g_assert_no_error(error);
    script_assert_over(link);
    g_unlink(auth);
}

/* What a phone that knows the public key would check. */
static void test_sla_key(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *auth = temp_file("\xDE\xAD\xBE\xEF", 4);
    EVP_PKEY *key = EVP_RSA_gen(1024);
    g_autofree char *pem = temp_file("", 0);
    FILE *file = fopen(pem, "w");
    g_assert_true(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
    MkBootOptions options = {.auth_path = auth, .key_path = pem};
    MkTarget target = {.stage = MK_STAGE_BOOTROM, .target_config = 7};
    GArray *steps = script_steps_new();
    vector_append(steps, "send-auth");
    script_parse(steps, "H> D8 D> D8 00000007 0000 H> E3 D> E3 0000 00000004 01020304 H> 00000080 D> 00000080 0000");
    uint8_t expected[128], swapped[128];
    size_t length = sizeof expected;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    g_assert_cmpint(EVP_PKEY_sign_init(context), >, 0);
    g_assert_cmpint(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING), >, 0);
    g_assert_cmpint(EVP_PKEY_sign(context, expected, &length, (const uint8_t *)"\2\1\4\3", 4), >, 0);
    for (unsigned i = 0; i < sizeof expected; i++)
        swapped[i] = expected[i ^ 1];
    script_add(steps, true, g_bytes_new(swapped, sizeof swapped));
    script_parse(steps, "D> 0000");
    g_autoptr(MkLink) link = script_link(steps);
    g_assert_true(mk_boot_authenticate(link, &target, &options, NULL, &error));
    g_assert_no_error(error);
    script_assert_over(link);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    g_unlink(auth);
    g_unlink(pem);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const char *const sessions[] = {"session-brom-mt6589", "session-preloader-mt6735"};
    for (unsigned i = 0; i < G_N_ELEMENTS(sessions); i++) {
        g_autofree char *path = g_strdup_printf("/boot/%s", sessions[i]);
        g_test_add_data_func(path, sessions[i], test_session);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(send_cases); i++) {
        g_autofree char *path = g_strdup_printf("/boot/%s", send_cases[i].vector);
        g_test_add_data_func(path, &send_cases[i], test_send_da);
    }
    g_test_add_func("/boot/checksum-differs", test_checksum_differs);
    g_test_add_func("/boot/jump", test_jump);
    g_test_add_func("/boot/registers", test_registers);
    g_test_add_func("/boot/watchdog-16-bit", test_watchdog16);
    g_test_add_func("/boot/reluctant-preloader", test_reluctant_preloader);
    g_test_add_func("/boot/auth-file", test_auth_file);
    g_test_add_func("/boot/auth-missing", test_auth_missing);
    g_test_add_func("/boot/sla", test_sla);
    g_test_add_func("/boot/sla-key", test_sla_key);
    return g_test_run();
}
