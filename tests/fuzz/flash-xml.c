/* A flash.xml of any kind: what it names is a path, and nothing is opened. */
#include "rom/rom-private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *scatter = NULL, *agent = NULL;
    if (mk_flash_xml_parse((const char *)data, size, "/rom/flash.xml", &scatter, &agent, NULL))
        g_assert_true(g_path_is_absolute(scatter) && (!agent || g_path_is_absolute(agent)));
    return 0;
}
