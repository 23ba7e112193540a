/* What a loader since Android 9 does before it starts a kernel: vbmeta is whole, and what it vouches for is what is there (spec images.md
 * 15). Signatures are not looked at: nobody here has the keys. */
#include "phone/bootcheck-private.h"

#include "core/bytes.h"
#include "core/hash.h"
#include "core/i18n.h"

#include <string.h>

#define LARGEST               0x10000
#define HEADER                256
#define DIGEST                MK_SHA256_SIZE
#define TAG_HASH              2
#define HASH_DESCRIPTOR       132 /* up to the partition's name */
#define VERIFICATION_DISABLED 2
#define LARGEST_IMAGE         (UINT64_C(256) << 20)

static bool add(const uint8_t *data, size_t length, gpointer sum, G_GNUC_UNUSED GError **error)
{
    mk_sha256_update(sum, data, length);
    return true;
}

/* One descriptor of an image: u64 tag and length, then the fields (spec images.md 15). True: it is no such descriptor, or the image fits it. */
static bool image_fits(const MkStart *start, const uint8_t *descriptor, uint64_t length, char **which)
{
    if (mk_be64(descriptor) != TAG_HASH || length < HASH_DESCRIPTOR)
        return true;
    uint64_t size = mk_be64(descriptor + 16), name = mk_be32(descriptor + 56), salt = mk_be32(descriptor + 60),
             digest = mk_be32(descriptor + 64);
    if (name > 36 || salt > 64 || digest != DIGEST || HASH_DESCRIPTOR + name + salt + digest > length)
        return false;
    g_autofree char *partition_name = g_strndup((const char *)descriptor + HASH_DESCRIPTOR, name);
    const MkPartition *partition = mk_start_find(start, partition_name);
    MkSha256 *sum = mk_sha256_new();
    uint8_t found[DIGEST];
    mk_sha256_update(sum, descriptor + HASH_DESCRIPTOR + name, salt);
    bool fits = partition && size <= partition->size && size <= LARGEST_IMAGE &&
                mk_store_read_stream(start->store, partition->start, size, add, sum, NULL, NULL);
    mk_sha256_finish_raw(sum, found);
    fits = fits && memcmp(found, descriptor + HASH_DESCRIPTOR + name + salt, DIGEST) == 0;
    if (!fits)
        *which = g_steal_pointer(&partition_name);
    return fits;
}

/* AUX: the block that the descriptors are in. */
static bool descriptors_fit(const MkStart *start, const uint8_t *aux, uint64_t length, char **which)
{
    while (length >= 16) {
        uint64_t body = mk_be64(aux + 8);
        if (body > length - 16)
            return false;
        if (!image_fits(start, aux, body + 16, which))
            return false;
        aux += body + 16;
        length -= body + 16;
    }
    return length == 0;
}

/* The three lengths of a vbmeta agree with each other, and its digest with its words. */
static bool is_whole(const uint8_t *data)
{
    uint64_t auth = mk_be64(data + 12), aux = mk_be64(data + 20), hash = mk_be64(data + 32),
             descriptors = mk_be64(data + 96), length = mk_be64(data + 104);
    if (memcmp(data, "AVB0", 4) != 0 || auth > LARGEST - HEADER || aux > LARGEST - HEADER - auth || hash > auth ||
        auth - hash < DIGEST || descriptors > aux || length > aux - descriptors)
        return false;
    MkSha256 *sum = mk_sha256_new();
    uint8_t digest[DIGEST];
    mk_sha256_update(sum, data, HEADER);
    mk_sha256_update(sum, data + HEADER + auth, aux);
    mk_sha256_finish_raw(sum, digest);
    return memcmp(digest, data + HEADER + hash, DIGEST) == 0;
}

char *mk_start_unverified(const MkStart *start)
{
    const MkPartition *vbmeta = mk_start_find(start, "vbmeta");
    g_autofree uint8_t *data = g_malloc(LARGEST);
    g_autofree char *which = NULL;
    if (!vbmeta || vbmeta->size < LARGEST || !mk_store_read(start->store, vbmeta->start, data, LARGEST, NULL, NULL) ||
        !is_whole(data))
        return g_strdup(_("the loader finds no vbmeta that is whole"));
    if (mk_be32(data + 120) & VERIFICATION_DISABLED)
        return NULL;
    const uint8_t *aux = data + HEADER + mk_be64(data + 12);
    if (descriptors_fit(start, aux + mk_be64(data + 96), mk_be64(data + 104), &which))
        return NULL;
    return which ? g_strdup_printf(_("%s is not the one that vbmeta vouches for"), which)
                 : g_strdup(_("the words of vbmeta are damaged"));
}
