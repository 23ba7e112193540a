#include "flash/speed.h"

#include "core/i18n.h"

#define RETURN_TIMEOUT 10000 /* ms, spec behaviour.md 2.2 */
#define HIGH_SPEED     480   /* Mbit/s */

/* A refusal is no fault: then the speed stays as it is. */
static bool ask(MkSession *session, bool *reenumerates, GError **error)
{
    g_autoptr(GError) local = NULL;
    *reenumerates = false;
    if (mk_agent_high_speed(session->agent, reenumerates, &local))
        return true;
    *reenumerates = false;
    mk_link_note(session->link, "no high speed: %s", local->message);
    if (!session->agent->lost && mk_fault_code(local) != MK_FAULT_STOPPED)
        return true;
    g_propagate_error(error, g_steal_pointer(&local));
    return false;
}

static void tell(const MkSessionOptions *options, const char *words)
{
    if (options->state)
        options->state(words, options->state_data);
}

bool mk_session_speed_up(MkSession *session, const MkSessionOptions *options, bool *left, GError **error)
{
    unsigned speed = mk_link_usb_speed(session->link);
    bool reenumerates;
    *left = false;
    if (options->keep_speed || !mk_link_can_follow(session->link) || speed == 0 || speed >= HIGH_SPEED)
        return true;
    if (!ask(session, &reenumerates, error) || !reenumerates)
        return !session->agent->lost;
    tell(options, _("The phone changes to high speed."));
    session->agent->link = session->link =
        mk_link_follow(g_steal_pointer(&session->link), RETURN_TIMEOUT, session->cancel, error);
    if (!session->link) {
        session->agent->lost = *left = true;
        return false;
    }
    if (mk_link_usb_speed(session->link) < HIGH_SPEED) {
        tell(options, _("The port (or a hub) allows no high speed: reading and writing will be slow."));
        return true;
    }
    return ask(session, &reenumerates,
               error); /* genuine hosts repeat the question; the agent says that it is fast now */
}
