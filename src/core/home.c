#include "core/home.h"

#include <glib.h>

char *mk_home(void)
{
    const char *home = g_getenv("MEDIK_HOME");
    return home && *home ? g_strdup(home) : g_build_filename(g_get_user_data_dir(), "medik", NULL);
}
