/* Every finding of the doctor, on trees that look like a computer. */
#include "link/doctor.h"

#include "core/fault.h"
#include "core/finding.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    char *root;
    GPtrArray *findings;
} Computer;

static void put(const Computer *computer, const char *path, const char *text)
{
    g_autofree char *whole = g_build_filename(computer->root, path, NULL), *folder = g_path_get_dirname(whole);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_true(g_file_set_contents(whole, text, -1, NULL));
}

static void put_link(const Computer *computer, const char *path, const char *target)
{
    g_autofree char *whole = g_build_filename(computer->root, path, NULL), *folder = g_path_get_dirname(whole);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    g_assert_cmpint(symlink(target, whole), ==, 0);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *entry = g_build_filename(path, name, NULL);
        remove_tree(entry);
    }
    g_remove(path);
}

/* A computer in good order: udev, the rules, a bus. */
static void computer_new(Computer *computer)
{
    g_autofree char *rules = mk_doctor_rules();
    *computer = (Computer){.root = g_dir_make_tmp("medik-doctor-XXXXXX", NULL)};
    put(computer, "sys/bus/usb/devices/usb1/idVendor", "1d6b\n");
    put(computer, "dev/bus/usb/001/001", "");
    put(computer, "run/udev/control", "");
    put(computer, "proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
    put(computer, "usr/lib/udev/rules.d/60-medik.rules", rules);
}

static void computer_free(Computer *computer)
{
    remove_tree(computer->root);
    g_free(computer->root);
    if (computer->findings)
        g_ptr_array_unref(computer->findings);
}

static void plug_in(const Computer *computer, const char *path, const char *product, const char *speed)
{
    const struct {
        const char *name, *text;
    } files[] = {
        {"idVendor", "0e8d\n"}, {"idProduct", product}, {"busnum", "1\n"}, {"devnum", "5\n"}, {"speed", speed}};
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *file = g_strdup_printf("sys/bus/usb/devices/%s/%s", path, files[i].name);
        put(computer, file, files[i].text);
    }
    g_autofree char *class = g_strdup_printf("sys/bus/usb/devices/%s:1.0/bInterfaceClass", path);
    put(computer, class, "0a\n");
    put(computer, "dev/bus/usb/001/005", "");
}

static void run_program(const Computer *computer, const char *pid, const char *name, const char *open_file)
{
    g_autofree char *comm = g_strdup_printf("proc/%s/comm", pid), *fd = g_strdup_printf("proc/%s/fd/3", pid);
    g_autofree char *text = g_strconcat(name, "\n", NULL);
    put(computer, comm, text);
    if (open_file)
        put_link(computer, fd, open_file);
}

static bool forbidden(const char *path)
{
    return !strstr(path, "/005");
}

static void examine(Computer *computer, bool (*may_open)(const char *path))
{
    MkDoctor doctor = {computer->root, may_open};
    if (computer->findings)
        g_ptr_array_unref(computer->findings);
    computer->findings = mk_doctor_examine(&doctor);
}

static const MkFinding *finding(const Computer *computer, const char *id)
{
    for (guint i = 0; i < computer->findings->len; i++) {
        const MkFinding *one = computer->findings->pdata[i];
        if (strcmp(one->id, id) == 0)
            return one;
    }
    return NULL;
}

/* There, this bad, with these words in it, and a cure unless it is a note. */
static void assert_found(const Computer *computer, const char *id, MkSeverity severity, const char *words)
{
    const MkFinding *one = finding(computer, id);
    if (!one)
        g_error("%s was not found", id);
    g_assert_cmpint(one->severity, ==, severity);
    if (!strstr(one->message, words))
        g_error("%s says \"%s\" without \"%s\"", id, one->message, words);
    g_assert_true(severity == MK_SEVERITY_NOTE || (one->advice && *one->advice));
}

static void test_good_order(void)
{
    Computer computer;
    computer_new(&computer);
    plug_in(&computer, "1-2", "2000\n", "480\n");
    examine(&computer, NULL);
    assert_found(&computer, "doctor.phone", MK_SEVERITY_NOTE, "1-2: preloader");
    assert_found(&computer, "doctor.rules-good", MK_SEVERITY_NOTE, "");
    g_assert_cmpint(mk_findings_worst(computer.findings), ==, MK_SEVERITY_NOTE);
    computer_free(&computer);
}

static void test_nothing_plugged_in(void)
{
    Computer computer;
    computer_new(&computer);
    examine(&computer, NULL);
    const MkFinding *one = finding(&computer, "doctor.no-phone");
    g_assert_nonnull(one);
    g_assert_nonnull(strstr(one->advice, "medik watch"));
    computer_free(&computer);
}

static void test_rights(void)
{
    Computer computer;
    computer_new(&computer);
    plug_in(&computer, "1-2", "0003\n", "480\n");
    examine(&computer, forbidden);
    assert_found(&computer, "doctor.permission", MK_SEVERITY_BLOCK, "/dev/bus/usb/001/005");
    g_assert_null(strstr(finding(&computer, "doctor.permission")->advice, "--install-rules"));
    g_autofree char *rules = g_build_filename(computer.root, "usr/lib/udev/rules.d/60-medik.rules", NULL);
    g_remove(rules);
    examine(&computer, forbidden);
    assert_found(&computer, "doctor.rules", MK_SEVERITY_WARN, "not installed");
    g_assert_nonnull(strstr(finding(&computer, "doctor.permission")->advice, "--install-rules"));
    computer_free(&computer);
}

static void test_programs(void)
{
    Computer computer;
    computer_new(&computer);
    run_program(&computer, "612", "ModemManager", NULL);
    run_program(&computer, "77", "brltty", NULL);
    examine(&computer, NULL);
    assert_found(&computer, "doctor.modemmanager-told", MK_SEVERITY_NOTE, "612");
    assert_found(&computer, "doctor.brltty", MK_SEVERITY_WARN, "77");
    put(&computer, "usr/lib/udev/rules.d/60-medik.rules", "# Medik: of long ago\n");
    examine(&computer, NULL);
    assert_found(&computer, "doctor.modemmanager", MK_SEVERITY_WARN, "612");
    assert_found(&computer, "doctor.rules-old", MK_SEVERITY_WARN, "");
    computer_free(&computer);
}

static void test_holders_and_drivers(void)
{
    Computer computer;
    computer_new(&computer);
    plug_in(&computer, "1-2", "2000\n", "480\n");
    put_link(&computer, "sys/bus/usb/devices/1-2:1.0/driver", "../../../bus/usb/drivers/cdc_acm");
    put(&computer, "sys/bus/usb/devices/1-2:1.0/tty/ttyACM3/dev", "166:3\n");
    run_program(&computer, "901", "minicom", "/dev/ttyACM3");
    run_program(&computer, "902", "SP_Flash", "/dev/bus/usb/001/005");
    run_program(&computer, "903", "other", "/dev/ttyACM4");
    examine(&computer, NULL);
    unsigned holders = 0;
    for (guint i = 0; i < computer.findings->len; i++) {
        const MkFinding *one = computer.findings->pdata[i];
        if (strcmp(one->id, "doctor.holder") != 0)
            continue;
        holders++;
        g_assert_true(strstr(one->message, "minicom (901)") || strstr(one->message, "SP_Flash (902)"));
        g_assert_nonnull(strstr(one->advice, "kill 90"));
    }
    g_assert_cmpuint(holders, ==, 2);
    assert_found(&computer, "doctor.driver", MK_SEVERITY_NOTE, "cdc_acm");
    g_assert_null(finding(&computer, "doctor.kernel"));
    put(&computer, "proc/sys/kernel/osrelease", "4.15.0-45-generic\n");
    examine(&computer, NULL);
    assert_found(&computer, "doctor.kernel", MK_SEVERITY_WARN, "cdc_acm");
    computer_free(&computer);
}

static void test_cable(void)
{
    Computer computer;
    computer_new(&computer);
    plug_in(&computer, "1-2.4.1", "2001\n", "12\n");
    examine(&computer, NULL);
    assert_found(&computer, "doctor.hub", MK_SEVERITY_WARN, "2 hub");
    assert_found(&computer, "doctor.speed", MK_SEVERITY_WARN, "12 Mbit/s");
    computer_free(&computer);
}

static void test_machines(void)
{
    static const struct {
        const char *vendor, *product, *release, *name, *cure;
    } machines[] = {{"innotek GmbH", "VirtualBox", "6.1.0", "VirtualBox", "USB filter"},
                    {"VMware, Inc.", "VMware Virtual Platform", "6.1.0", "VMware", "connect"},
                    {"QEMU", "Standard PC (Q35 + ICH9, 2009)", "6.1.0", "QEMU", "usb-host"},
                    {"Microsoft Corporation", "Virtual Machine", "6.1.0", "Hyper-V", "USB/IP"},
                    {"", "", "5.15.90.1-microsoft-standard-WSL2", "WSL", "usbipd"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(machines); i++) {
        Computer computer;
        computer_new(&computer);
        put(&computer, "sys/class/dmi/id/sys_vendor", machines[i].vendor);
        put(&computer, "sys/class/dmi/id/product_name", machines[i].product);
        put(&computer, "proc/sys/kernel/osrelease", machines[i].release);
        examine(&computer, NULL);
        assert_found(&computer, "doctor.vm", MK_SEVERITY_WARN, machines[i].name);
        g_assert_nonnull(strstr(finding(&computer, "doctor.vm")->advice, machines[i].cure));
        computer_free(&computer);
    }
}

static void test_container_without_a_bus(void)
{
    Computer computer = {.root = g_dir_make_tmp("medik-doctor-XXXXXX", NULL)};
    put(&computer, ".dockerenv", "");
    examine(&computer, NULL);
    assert_found(&computer, "doctor.no-bus", MK_SEVERITY_DANGER, "no USB bus");
    assert_found(&computer, "doctor.container", MK_SEVERITY_WARN, "container");
    put(&computer, "sys/bus/usb/devices/usb1/idVendor", "1d6b\n");
    put(&computer, "dev/bus/usb/001/001", "");
    examine(&computer, NULL);
    g_assert_null(finding(&computer, "doctor.no-bus"));
    assert_found(&computer, "doctor.no-udev", MK_SEVERITY_NOTE, "udev");
    computer_free(&computer);
}

static void test_installing_the_rules(void)
{
    Computer computer = {.root = g_dir_make_tmp("medik-doctor-XXXXXX", NULL)};
    MkDoctor doctor = {.root = computer.root};
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL, *text = NULL, *again = NULL, *refused = NULL, *rules = mk_doctor_rules();
    g_assert_true(mk_doctor_install_rules(&doctor, &path, &error));
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, rules);
    examine(&computer, NULL);
    assert_found(&computer, "doctor.rules-good", MK_SEVERITY_NOTE, "");
    /* Ours may be renewed, somebody else's file stays. */
    g_assert_true(mk_doctor_install_rules(&doctor, &again, &error));
    g_assert_true(g_file_set_contents(path, "# mine\n", -1, NULL));
    g_assert_false(mk_doctor_install_rules(&doctor, &refused, &error));
    g_assert_error(error, MK_FAULT, MK_FAULT_FILE);
    g_assert_null(refused);
    computer_free(&computer);
}

/* The installed file is made of the same table. */
static void test_rules_file_is_in_step(void)
{
    g_autofree char *path = g_build_filename(g_getenv("MEDIK_DATA_DIR"), "60-medik.rules", NULL), *text = NULL,
                    *rules = mk_doctor_rules();
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, rules); /* else: medik doctor --rules > data/60-medik.rules */
    g_assert_nonnull(strstr(rules,
                            "ATTRS{idVendor}==\"0e8d\", ATTRS{idProduct}==\"2000\", ENV{ID_MM_DEVICE_IGNORE}=\"1\", "
                            "ENV{ID_MM_PORT_IGNORE}=\"1\", TAG+=\"uaccess\"\n"));
}

int main(int argc, char **argv)
{
    /* The identities of whoever runs the tests are not in the file. */
    g_setenv("XDG_CONFIG_HOME", "/nonexistent", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/doctor/good-order", test_good_order);
    g_test_add_func("/doctor/nothing-plugged-in", test_nothing_plugged_in);
    g_test_add_func("/doctor/rights", test_rights);
    g_test_add_func("/doctor/programs", test_programs);
    g_test_add_func("/doctor/holders-and-drivers", test_holders_and_drivers);
    g_test_add_func("/doctor/cable", test_cable);
    g_test_add_func("/doctor/machines", test_machines);
    g_test_add_func("/doctor/container-without-a-bus", test_container_without_a_bus);
    g_test_add_func("/doctor/installing-the-rules", test_installing_the_rules);
    g_test_add_func("/doctor/rules-file-is-in-step", test_rules_file_is_in_step);
    return g_test_run();
}
