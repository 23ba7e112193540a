/* Signatures, the phone's challenge, certificates (spec da-xml.md 8.22, 10). */
#include "phone/signature.h"
#include "phone/xml-device.h"

#include <string.h>

#define SIGNATURE_LARGEST (UINT64_C(4) << 20)
#define ANSWER_LARGEST    (UINT64_C(64) << 10)

/* A file that is taken and kept for nothing: this phone's policy asks for none. */
static void swallow(MkXml *x, const char *info)
{
    g_autofree char *source = mk_xml_need(x, "source_file");
    if (!source)
        return;
    g_autoptr(GByteArray) file = mk_xml_download_file(x, info, source, SIGNATURE_LARGEST, false);
}

void mk_xml_set_all_in_one_signature(MkXml *x)
{
    swallow(x, "Signature");
}

void mk_xml_set_rsc(MkXml *x)
{
    g_autofree char *key = mk_xml_need(x, "key");
    if (key)
        swallow(x, "RSC file");
}

void mk_xml_write_private_cert(MkXml *x)
{
    g_autofree char *source = mk_xml_need(x, "source_file");
    if (source)
        mk_xml_write_image(x, "cert", source, "", true);
}

/* --- the challenge ------------------------------------------------------------------------------------------------------------------ */

static void put_hex(GString *out, const char *name, const uint8_t *data, size_t length)
{
    g_string_append_printf(out, "<%s>", name);
    for (size_t i = 0; i < length; i++)
        g_string_append_printf(out, "%02X", data[i]);
    g_string_append_printf(out, "</%s>", name);
}

/* Names of the elements are known (spec da-xml.md 10), that of the root and the label are ours. */
void mk_xml_get_dev_fw_info(MkXml *x)
{
    g_autofree char *target = mk_xml_need(x, "target_file");
    if (!target)
        return;
    g_autoptr(GString) out = g_string_new("<?xml version=\"1.0\" encoding=\"utf-8\"?><dev_fw_info version=\"1.0\">");
    put_hex(out, "rnd", x->challenge, sizeof x->challenge);
    put_hex(out, "hrid", x->model->hrid, sizeof x->model->hrid);
    put_hex(out, "socid", x->model->soc_id, sizeof x->model->soc_id);
    g_string_append(out, "</dev_fw_info>");
    mk_xml_upload_text(x, "DEV-FW-INFO", target, out->str, true);
}

/* Signed may be the challenge alone, or behind the hrid or the socid. */
static bool is_right(const MkXml *x, const GByteArray *answer)
{
    const MkModel *model = x->model;
    return mk_signature_matches(model->agent_key, model->hrid, sizeof model->hrid, x->challenge, sizeof x->challenge,
                                answer->data, answer->len) ||
           mk_signature_matches(model->agent_key, model->soc_id, sizeof model->soc_id, x->challenge,
                                sizeof x->challenge, answer->data, answer->len);
}

/* A phone that asked nothing is content with anything. */
void mk_xml_set_flash_policy(MkXml *x)
{
    g_autofree char *source = mk_xml_need(x, "source_file");
    if (!source)
        return;
    g_autoptr(GByteArray) answer = mk_xml_download_file(x, "FLASH-POLICY", source, ANSWER_LARGEST, false);
    if (!answer || x->message || !x->model->agent_key)
        return;
    bool right = is_right(x, answer);
    x->locked = x->locked && !right;
    mk_machine_log(x->machine, "agent: the answer to the challenge is %s", right ? "right" : "wrong");
    if (!right)
        mk_xml_fail(x, "%s", "");
}
