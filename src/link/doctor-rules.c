/* The udev rules (spec brom.md 1.4: ModemManager's probing ruins the preloader's window). */
#include "link/doctor.h"

#include "core/fault.h"
#include "core/i18n.h"
#include "link/doctor-private.h"
#include "link/usb-ids.h"

#include <string.h>

#define HEADER "# Medik: MediaTek phones"

/* Only ids of the table, not the whole vendor: MediaTek's number is also on modems that ModemManager has to serve. */
char *mk_doctor_rules(void)
{
    GString *text =
        g_string_new(HEADER " may be opened by whoever sits at the computer; ModemManager leaves them alone.\n"
                            "# Made from the table of identities: medik doctor --rules\n"
                            "ACTION==\"remove\", GOTO=\"medik_end\"\n"
                            "SUBSYSTEM!=\"usb|tty\", GOTO=\"medik_end\"\n");
    const GPtrArray *all = mk_usb_id_all();
    for (guint i = 0; i < all->len; i++) {
        const MkUsbId *id = all->pdata[i];
        if (mk_usb_id_find(id->vid, id->pid) == id)
            g_string_append_printf(text,
                                   "ATTRS{idVendor}==\"%04x\", ATTRS{idProduct}==\"%04x\", "
                                   "ENV{ID_MM_DEVICE_IGNORE}=\"1\", ENV{ID_MM_PORT_IGNORE}=\"1\", TAG+=\"uaccess\"\n",
                                   id->vid, id->pid);
    }
    g_string_append(text, "LABEL=\"medik_end\"\n");
    return g_string_free(text, FALSE);
}

char *mk_doctor_installed_rules(const char *root)
{
    static const char *const folders[] = {"etc", "run", "usr/local/lib", "usr/lib", "lib"};
    for (unsigned i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path =
            g_build_filename(*root ? root : "/", folders[i], "udev/rules.d", MK_DOCTOR_RULES_NAME, NULL);
        char *text = NULL;
        if (g_file_get_contents(path, &text, NULL, NULL))
            return text;
    }
    return NULL;
}

bool mk_doctor_install_rules(const MkDoctor *doctor, char **path, GError **error)
{
    g_autofree char *folder = g_build_filename(*doctor->root ? doctor->root : "/", "etc/udev/rules.d", NULL);
    g_autofree char *target = g_build_filename(folder, MK_DOCTOR_RULES_NAME, NULL), *old = NULL,
                    *rules = mk_doctor_rules();
    g_autoptr(GError) local = NULL;
    if (g_file_get_contents(target, &old, NULL, NULL) && !g_str_has_prefix(old, HEADER)) {
        mk_fault_set(error, MK_FAULT_FILE, _("%s is there and not Medik's; it is left alone."), target);
        return false;
    }
    if (g_mkdir_with_parents(folder, 0755) || !g_file_set_contents(target, rules, -1, &local)) {
        mk_fault_set(error, MK_FAULT_FILE, _("Cannot write %s: %s."), target,
                     local ? local->message : _("its folder cannot be made"));
        return false;
    }
    *path = g_steal_pointer(&target);
    return true;
}
