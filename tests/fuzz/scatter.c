/* Scatter texts of any generation: parsed twice, once strictly, and what parses is written and parsed again. */
#include "layout/layout.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GPtrArray) findings = mk_findings_new();
    g_autoptr(MkLayout) strict =
        mk_scatter_parse((const char *)data, size, "MT6577_Android_scatter.txt", true, NULL, NULL);
    g_autoptr(MkLayout) layout =
        mk_scatter_parse((const char *)data, size, "MT6577_Android_scatter_emmc.txt", false, findings, NULL);
    if (!layout)
        return 0;
    g_autofree char *text = mk_scatter_write(layout, MK_LAYOUT_SCATTER_V1, NULL, NULL);
    g_autoptr(MkLayout) again = text ? mk_scatter_parse(text, strlen(text), NULL, false, NULL, NULL) : NULL;
    g_autofree char *xml = mk_scatter_write(layout, MK_LAYOUT_SCATTER_XML, NULL, NULL);
    g_autoptr(MkLayout) from_xml = xml ? mk_scatter_parse(xml, strlen(xml), NULL, false, NULL, NULL) : NULL;
    MkGeometry geometry = {.storage = MK_STORAGE_EMMC,
                           .boot1 = 2 << 20,
                           .boot2 = 2 << 20,
                           .rpmb = 2 << 20,
                           .user = UINT64_C(4) << 30,
                           .sector = 512};
    if (mk_layout_resolve(layout, &geometry, NULL)) {
        mk_layout_check(layout, &geometry, findings);
        g_autoptr(GPtrArray) diffs = mk_layout_compare(layout, layout);
    }
    return 0;
}
