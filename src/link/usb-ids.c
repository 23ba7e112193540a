#include "link/usb-ids.h"

#include "core/i18n.h"

#include <string.h>

#define MEDIATEK 0x0E8D

static const struct {
    const char *id, *words;
} modes[] = {
    [MK_USB_NONE] = {"none", N_("nothing")},
    [MK_USB_BOOTROM] = {"bootrom", N_("BootROM")},
    [MK_USB_PRELOADER] = {"preloader", N_("preloader, 3 s window")},
    [MK_USB_DA] = {"da", N_("DA")},
    [MK_USB_META] = {"meta", N_("META")},
    [MK_USB_FASTBOOT] = {"fastboot", N_("fastboot")},
    [MK_USB_ANDROID] = {"android", N_("Android")},
    [MK_USB_UNKNOWN] = {"unknown", N_("a MediaTek port of an unknown kind")},
};

const char *mk_usb_mode_words(MkUsbMode mode)
{
    return _(modes[mode].words);
}

const char *mk_usb_mode_id(MkUsbMode mode)
{
    return modes[mode].id;
}

/* --- the table --------------------------------------------------------------------------------------------------------- */

static void id_free(gpointer data)
{
    MkUsbId *id = data;
    g_free((char *)id->name);
    g_free(id);
}

static bool parse_hex(const char *text, uint16_t *value)
{
    guint64 number;
    if (!g_ascii_string_to_unsigned(text, 16, 0, 0xFFFF, &number, NULL))
        return false;
    *value = (uint16_t)number;
    return true;
}

static bool parse_row(const char *line, MkUsbId *id)
{
    g_auto(GStrv) fields = g_strsplit(line, ",", 5);
    guint64 interface;
    if (g_strv_length(fields) != 5 || !parse_hex(g_strstrip(fields[0]), &id->vid) ||
        !parse_hex(g_strstrip(fields[1]), &id->pid))
        return false;
    id->mode = MK_USB_NONE;
    for (unsigned i = MK_USB_BOOTROM; i < G_N_ELEMENTS(modes); i++) {
        if (strcmp(g_strstrip(fields[2]), modes[i].id) == 0)
            id->mode = i;
    }
    id->interface = -1;
    if (*g_strstrip(fields[3])) {
        if (!g_ascii_string_to_unsigned(fields[3], 10, 0, 255, &interface, NULL))
            return false;
        id->interface = (int)interface;
    }
    if (id->mode == MK_USB_NONE)
        return false;
    id->name = g_strdup(g_strstrip(fields[4]));
    return true;
}

GPtrArray *mk_usb_ids_parse(const char *text, GPtrArray *complaints)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func(id_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        MkUsbId id;
        g_strstrip(*line);
        if (!**line || **line == '#')
            continue;
        if (parse_row(*line, &id))
            g_ptr_array_add(rows, g_memdup2(&id, sizeof id));
        else if (complaints)
            g_ptr_array_add(complaints, g_strdup(*line));
    }
    return rows;
}

char *mk_usb_ids_path(void)
{
    return g_build_filename(g_get_user_config_dir(), "medik", "usb-ids.csv", NULL);
}

const GPtrArray *mk_usb_id_all(void)
{
    static GPtrArray *all;
    static gsize made;
    if (g_once_init_enter(&made)) {
        g_autofree char *path = mk_usb_ids_path(), *text = NULL;
        g_autoptr(GPtrArray) complaints = g_ptr_array_new_with_free_func(g_free);
        all = g_file_get_contents(path, &text, NULL, NULL) ? mk_usb_ids_parse(text, complaints) : g_ptr_array_new();
        for (guint i = 0; i < complaints->len; i++)
            g_printerr(_("medik: %s: \"%s\" is no row (vendor,product,mode,interface,name)\n"), path,
                       (const char *)complaints->pdata[i]);
        g_ptr_array_set_free_func(all, NULL); /* lives as long as the program */
        for (size_t i = 0; i < mk_usb_id_count; i++)
            g_ptr_array_add(all, (gpointer)&mk_usb_ids[i]);
        g_once_init_leave(&made, 1);
    }
    return all;
}

const MkUsbId *mk_usb_id_find(uint16_t vid, uint16_t pid)
{
    const GPtrArray *all = mk_usb_id_all();
    for (guint i = 0; i < all->len; i++) {
        const MkUsbId *id = all->pdata[i];
        if (id->vid == vid && id->pid == pid)
            return id;
    }
    return NULL;
}

/* The stages before Android have ids of their own. Behind the ids of booted phones anything may stand: there the interfaces decide. */
MkUsbMode mk_usb_classify(const MkUsbTraits *traits)
{
    const MkUsbId *id = mk_usb_id_find(traits->vid, traits->pid);
    bool early = id && id->mode != MK_USB_FASTBOOT && id->mode != MK_USB_ANDROID && id->mode != MK_USB_META;
    if (early)
        return id->mode;
    if (traits->fastboot)
        return MK_USB_FASTBOOT;
    if (traits->android && !(id && id->mode == MK_USB_META))
        return MK_USB_ANDROID;
    if (id)
        return id->mode;
    /* The maker's WLAN sticks, modems and disc drives carry its number too. */
    return traits->vid == MEDIATEK && traits->serial ? MK_USB_UNKNOWN : MK_USB_NONE;
}
