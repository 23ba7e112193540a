/* vbmeta images, parse only: which digests they seal, whether verification is off (spec images.md 15). Numbers are big-endian. */
#include "image/image.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

#define HEADER     256u
#define LARGEST    (1u << 20)
#define TAG_HASH   2
#define HASH_FIXED (8u + 32 + 4 * 4 + 60) /* of a hash descriptor, without its tag and length */
#define SHA256     32u

static void seal_clear(gpointer data)
{
    MkAvbSeal *seal = data;
    g_free(seal->partition);
    g_bytes_unref(seal->salt);
    g_bytes_unref(seal->digest);
}

void mk_avb_free(MkAvb *avb)
{
    if (!avb)
        return;
    g_array_unref(avb->seals);
    g_free(avb->release);
    g_free(avb);
}

static MkAvb *damaged(const char *why, GError **error)
{
    mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("The vbmeta image is damaged: %s."), why);
    return NULL;
}

/* Another kind of digest than SHA-256 is passed over. */
static bool take_hash(MkAvb *avb, const uint8_t *body, size_t length)
{
    if (length < HASH_FIXED)
        return false;
    uint64_t name = mk_be32(body + 40), salt = mk_be32(body + 44), digest = mk_be32(body + 48);
    if (name + salt + digest > length - HASH_FIXED)
        return false;
    if (strncmp((const char *)body + 8, "sha256", 32) != 0 || digest != SHA256)
        return true;
    const uint8_t *at = body + HASH_FIXED;
    MkAvbSeal seal = {.partition = g_strndup((const char *)at, name),
                      .size = mk_be64(body),
                      .salt = g_bytes_new(at + name, salt),
                      .digest = g_bytes_new(at + name + salt, digest)};
    g_array_append_val(avb->seals, seal);
    return true;
}

static bool take_descriptors(MkAvb *avb, const uint8_t *data, uint64_t length)
{
    for (uint64_t at = 0; length - at >= 16;) {
        uint64_t tag = mk_be64(data + at), body = mk_be64(data + at + 8);
        at += 16;
        if (body > length - at || (tag == TAG_HASH && !take_hash(avb, data + at, (size_t)body)))
            return false;
        at += body;
    }
    return true;
}

static bool hash_is(MkSha256 *finished, const uint8_t *wanted)
{
    g_autofree char *hex = mk_sha256_finish(finished);
    for (unsigned i = 0; i < SHA256; i++)
        if (g_ascii_xdigit_value(hex[2 * i]) * 16 + g_ascii_xdigit_value(hex[2 * i + 1]) != wanted[i])
            return false;
    return true;
}

/* The image's own hash over header and descriptors; algorithms 1 to 3 use SHA-256. */
static bool own_hash_agrees(const uint8_t *data, uint64_t auth, uint64_t aux)
{
    uint32_t algorithm = mk_be32(data + 28);
    uint64_t offset = mk_be64(data + 32), size = mk_be64(data + 40);
    if (algorithm == 0 || algorithm > 3)
        return true;
    if (size != SHA256 || offset > auth || size > auth - offset)
        return false;
    MkSha256 *sha = mk_sha256_new();
    mk_sha256_update(sha, data, HEADER);
    mk_sha256_update(sha, data + HEADER + auth, (size_t)aux);
    return hash_is(sha, data + HEADER + offset);
}

MkAvb *mk_avb_parse(GBytes *bytes, GError **error)
{
    gsize length;
    const uint8_t *data = g_bytes_get_data(bytes, &length);
    if (length < HEADER || memcmp(data, "AVB0", 4) != 0) {
        mk_fault_set(error, MK_FAULT_IMAGE_KIND, _("This is no vbmeta image."));
        return NULL;
    }
    uint64_t auth = mk_be64(data + 12), aux = mk_be64(data + 20), at = mk_be64(data + 96), size = mk_be64(data + 104);
    if (auth > length - HEADER || aux > length - HEADER - auth || at > aux || size > aux - at)
        return damaged(_("it is cut off"), error);
    g_autoptr(MkAvb) avb = g_new0(MkAvb, 1);
    MkReader reader = mk_reader(data + 128, 48);
    avb->release = mk_reader_text(&reader, 48);
    avb->rollback_index = mk_be64(data + 112);
    avb->flags = mk_be32(data + 120);
    avb->seals = g_array_new(FALSE, FALSE, sizeof(MkAvbSeal));
    g_array_set_clear_func(avb->seals, seal_clear);
    if (!own_hash_agrees(data, auth, aux) || !take_descriptors(avb, data + HEADER + auth + at, size))
        return damaged(_("its own checksum or its list is wrong"), error);
    return g_steal_pointer(&avb);
}

MkAvb *mk_avb_load(MkImage *image, GError **error)
{
    size_t length = (size_t)MIN(image->size, LARGEST);
    g_autofree uint8_t *data = g_malloc(MAX(length, 1));
    if (!mk_image_read(image, 0, data, length, error))
        return NULL;
    g_autoptr(GBytes) bytes = g_bytes_new_take(g_steal_pointer(&data), length);
    return mk_avb_parse(bytes, error);
}

bool mk_avb_seal_agrees(const MkAvbSeal *seal, MkImage *image, bool *agrees, GError **error)
{
    gsize salt_length;
    const uint8_t *salt = g_bytes_get_data(seal->salt, &salt_length);
    *agrees = false;
    if (seal->size > image->size)
        return true;
    MkSha256 *sha = mk_sha256_new();
    g_autofree uint8_t *piece = g_malloc(1 << 16);
    bool good = true;
    mk_sha256_update(sha, salt, salt_length);
    for (uint64_t at = 0; good && at < seal->size;) {
        size_t length = (size_t)MIN(seal->size - at, 1 << 16);
        good = mk_image_read(image, at, piece, length, error);
        if (good)
            mk_sha256_update(sha, piece, length);
        at += length;
    }
    *agrees = hash_is(sha, g_bytes_get_data(seal->digest, NULL)) && good;
    return good;
}
