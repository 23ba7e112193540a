/* DA SLA (spec da-xml.md 10): an agent that keeps the storage locked until the owner has signed its challenge. Medik brings no key of its own. */
#include "agent/xml.h"

#include "core/i18n.h"

#include <string.h>

#define CHALLENGE_SIZE 16u

static bool is_demanded(MkXml *xml, bool *demanded, GError **error)
{
    const XmlArgument arguments[] = {{"key", "DA.SLA"}, {"target_file", XML_PAGE}, {NULL, NULL}};
    g_autoptr(GBytes) answer = NULL;
    *demanded = false;
    if (!xml_ask(xml, MK_XML_GET_SYS_PROPERTY, arguments, &answer, error))
        return false;
    g_autofree char *state = answer ? xml_property(answer, "DA.SLA") : NULL;
    *demanded = state && strcmp(state, "DISABLED") != 0;
    return true;
}

/* The random number alone: what a signer wants beside it is its own affair (spec 10 step 2). */
static GBytes *get_challenge(MkXml *xml, GError **error)
{
    const XmlArgument arguments[] = {{"target_file", XML_PAGE}, {NULL, NULL}};
    g_autoptr(xmlDoc) document = xml_ask_document(xml, MK_XML_GET_DEV_FW_INFO, arguments, NULL, MK_FAULT_AUTH_WRONG,
                                                  _("asking for the agent's challenge"), error);
    if (!document)
        return NULL;
    g_autofree char *text = xml_text_anywhere((const xmlNode *)document, "rnd");
    uint8_t challenge[CHALLENGE_SIZE];
    if (text && xml_hex(text, challenge, sizeof challenge) == sizeof challenge)
        return g_bytes_new(challenge, sizeof challenge);
    mk_fault_set(error, MK_FAULT_PROTOCOL, _("The agent demands a signature and gives no challenge to sign."));
    return NULL;
}

static bool send_answer(MkXml *xml, GBytes *answer, GError **error)
{
    const XmlArgument arguments[] = {{"source_file", XML_PAGE}, {NULL, NULL}};
    g_autoptr(XmlPackets) packets = xml_packets_of_bytes(answer);
    g_autoptr(GError) problem = NULL;
    XmlCommand command = {.name = MK_XML_SET_FLASH_POLICY,
                          .arguments = arguments,
                          .given = packets,
                          .doing = _("sending the owner's signature"),
                          .fallback = MK_FAULT_AUTH_WRONG};
    if (xml_run(xml, &command, &problem))
        return true;
    if (xml->base.lost || mk_fault_code(problem) == MK_FAULT_STOPPED)
        g_propagate_error(error, g_steal_pointer(&problem));
    else
        mk_fault_set(error, MK_FAULT_AUTH_WRONG, _("The agent did not accept the signature of its challenge: %s"),
                     problem->message);
    return false;
}

bool xml_authenticate(MkXml *xml, const MkSigner *signer, GError **error)
{
    bool demanded;
    if (!is_demanded(xml, &demanded, error))
        return false;
    if (!demanded)
        return true;
    xml->base.info.security = g_strdup("DA SLA");
    if (!signer->key_path && !signer->command) {
        mk_fault_set(error, MK_FAULT_AUTH_NEEDED,
                     _("This phone's agent demands the owner's signature (DA SLA): give --key or --sign-command."));
        return false;
    }
    g_autoptr(GBytes) challenge = get_challenge(xml, error);
    g_autoptr(GBytes) answer = challenge ? mk_sign(signer, challenge, xml->frames.cancel, error) : NULL;
    return answer && send_answer(xml, answer, error);
}
