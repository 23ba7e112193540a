/* What the partitions of a phone hold, told by their first bytes (spec behaviour.md 4.1). Reads only, and little. */
#include "flash/session.h"

#include "core/bytes.h"
#include "core/i18n.h"
#include "flash/diagnosis.h"

#define LOOK (UINT64_C(64) << 10)

char *mk_look_at(MkSession *session, const MkPartition *partition, MkLook *look)
{
    g_autoptr(GError) trouble = NULL;
    MkStore *store = mk_session_partition_store(session, partition, &trouble);
    g_autoptr(MkStore) place =
        store ? mk_store_slice_new(store, partition->start, MIN(partition->size, LOOK), partition->name, &trouble)
              : NULL;
    MkContent content;
    uint64_t bytes;
    if (!place || !mk_identify(place, &content, &trouble))
        return g_strdup(_("not readable"));
    *look = (MkLook){.known = true, .content = content};
    if (content == MK_CONTENT_UNKNOWN)
        return g_strdup(_("data"));
    if (content == MK_CONTENT_BLANK && partition->size > LOOK)
        return g_strdup(_("blank at its beginning"));
    if (content != MK_CONTENT_EXT4 || !mk_ext4_size(place, &bytes, NULL))
        return g_strdup(mk_content_words(content));
    g_autofree char *size = mk_size_text(bytes);
    return g_strdup_printf(_("%s of %s"), mk_content_words(content), size);
}

bool mk_session_look(MkSession *session, GPtrArray *findings, GError **error)
{
    g_clear_pointer(&session->contents, g_ptr_array_unref);
    session->contents = g_ptr_array_new_with_free_func(g_free);
    guint count = session->layout ? session->layout->partitions->len : 0;
    g_autofree MkLook *looks = g_new0(MkLook, (gsize)count + 1);
    for (guint i = 0; i < count; i++) {
        const MkPartition *partition = session->layout->partitions->pdata[i];
        bool useful = partition->size && mk_partition_class(partition) != MK_CLASS_RESERVED;
        if (g_cancellable_set_error_if_cancelled(session->cancel, error))
            return false;
        g_ptr_array_add(session->contents, useful ? mk_look_at(session, partition, &looks[i]) : NULL);
        if (!session->agent->lost)
            continue;
        mk_fault_set(error, MK_FAULT_GONE, _("The phone was lost while it was looked at."));
        return false;
    }
    return mk_diagnose(session, looks, findings, error);
}

const char *mk_session_content(const MkSession *session, guint index)
{
    return session->contents && index < session->contents->len ? session->contents->pdata[index] : NULL;
}
