#include "link/holder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void holder_free(gpointer data)
{
    MkHolder *holder = data;
    g_free(holder->name);
    g_free(holder->path);
    g_free(holder);
}

/* The same name, or (a symbolic link, another node) the same device. */
static bool is_open_file(const char *link, const char *target, const char *path)
{
    struct stat opened, wanted;
    if (strcmp(target, path) == 0)
        return true;
    return g_str_has_prefix(target, "/dev/") && stat(link, &opened) == 0 && S_ISCHR(opened.st_mode) &&
           stat(path, &wanted) == 0 && S_ISCHR(wanted.st_mode) && opened.st_rdev == wanted.st_rdev;
}

/* Which of PATHS has process PID open? NULL: none. */
static const char *open_file_of(const char *process, const char *const *paths)
{
    g_autofree char *folder = g_build_filename(process, "fd", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *fd; dir && (fd = g_dir_read_name(dir));) {
        g_autofree char *link = g_build_filename(folder, fd, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);
        for (const char *const *path = paths; target && *path; path++) {
            if (is_open_file(link, target, *path))
                return *path;
        }
    }
    return NULL;
}

GPtrArray *mk_holders_find(const char *root, const char *const *paths)
{
    GPtrArray *holders = g_ptr_array_new_with_free_func(holder_free);
    g_autofree char *proc = g_strconcat(root, "/proc", NULL);
    g_autoptr(GDir) dir = g_dir_open(proc, 0, NULL);
    for (const char *pid; dir && (pid = g_dir_read_name(dir));) {
        if (!g_ascii_isdigit(*pid) || (!*root && atoi(pid) == getpid()))
            continue;
        g_autofree char *process = g_build_filename(proc, pid, NULL), *comm = g_build_filename(process, "comm", NULL),
                        *name = NULL;
        const char *path = open_file_of(process, paths);
        if (!path || !g_file_get_contents(comm, &name, NULL, NULL))
            continue;
        MkHolder *holder = g_new(MkHolder, 1);
        *holder = (MkHolder){.pid = atoi(pid), .name = g_strdup(g_strstrip(name)), .path = g_strdup(path)};
        g_ptr_array_add(holders, holder);
    }
    return holders;
}

char *mk_holder_of(const char *path)
{
    const char *const paths[] = {path, NULL};
    g_autoptr(GPtrArray) holders = mk_holders_find("", paths);
    if (holders->len == 0)
        return NULL;
    const MkHolder *first = holders->pdata[0];
    return g_strdup_printf("%s (%d)", first->name, first->pid);
}

char *mk_holder_of_usb(uint8_t bus, uint8_t address)
{
    g_autofree char *path = g_strdup_printf("/dev/bus/usb/%03u/%03u", bus, address);
    return mk_holder_of(path);
}
