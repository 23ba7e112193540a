/* Saving from the phone, identity sets, and comparing phone and files. Reads only (spec behaviour.md 4.6, 4.9, 4.11). */
#pragma once

#include "flash/evidence.h"
#include "flash/session.h"

typedef enum {
    MK_PRESET_IDENTITY,
    MK_PRESET_BOOT_CHAIN,
    MK_PRESET_SYSTEM,
    MK_PRESET_EXCEPT_USER_DATA,
    MK_PRESET_UNTIL_CACHE,
    MK_PRESET_WHOLE_DEVICE, /* every hardware region as one file each */
} MkPreset;
bool mk_preset_from_name(const char *name, MkPreset *preset);

typedef struct {
    const char
        *folder; /* created, or an unfinished save of the same kind to be continued; never overwritten otherwise */
    MkPreset preset;
    bool use_preset;
    const char *const *partitions; /* names, NULL-terminated, or NULL */
    bool range;                    /* region, offset, length below */
    MkRegion region;
    uint64_t offset, length;
    bool spare; /* NAND: page + spare */
    MkProgress *progress;
    void (*tell)(const char *text, gpointer user_data); /* warnings, or NULL */
    gpointer tell_data;
} MkSaveOptions;

typedef struct {
    char *folder;
    unsigned files;
    uint64_t bytes, unreadable; /* unreadable bytes (zero in the files, listed in the manifest) */
} MkSaveResult;
void mk_save_result_clear(MkSaveResult *result);

/* Writes NAME.img / REGION.bin, manifest.json, a scatter with real sizes, README.txt. E-PARTIAL is not raised: see `unreadable`. */
bool mk_save(MkSession *session, const MkSaveOptions *options, MkSaveResult *result, GError **error);

/* --- identity sets: folder under session->home/identity/DATE --- */
typedef struct _MkIdentitySet {
    char *folder;
    char *phone_id;
    char *date;       /* ISO 8601 */
    GPtrArray *files; /* (element-type MkIdentityFile) */
} MkIdentitySet;
typedef struct {
    char *name; /* partition */
    char *path;
    MkRegion region;
    uint64_t offset, length;
    char *sha256;
    bool candidate;      /* saved by position, the table did not say so */
    char *note;          /* plausibility: "nvram: IMEI record present", "blank", … */
    MkEvidence evidence; /* the same for programs; SOME in sets that do not say it */
} MkIdentityFile;
void mk_identity_set_free(MkIdentitySet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkIdentitySet, mk_identity_set_free)

/* Saves the identity set (class I and S partitions, tables, head of the boot regions) unless one with equal content exists; candidates from
 * EXPECTED (a load's layout, resolved; may be NULL) where the phone's table does not name or does not place them so. *existed tells. */
MkIdentitySet *mk_identity_save(MkSession *session, const MkLayout *expected, bool *existed, MkProgress *progress,
                                GError **error);
GPtrArray *mk_identity_list(const char *home); /* (element-type MkIdentitySet), newest first */
MkIdentitySet *mk_identity_load(const char *folder, GError **error);

/* What a set is worth, told by the NVRAM in it. */
typedef enum {
    MK_IDENTITY_NONE,   /* no NVRAM in it */
    MK_IDENTITY_BLANK,  /* erased when it was saved */
    MK_IDENTITY_UNSURE, /* content, but no IMEI record that can be confirmed */
    MK_IDENTITY_GOOD,   /* its checksum agrees, and an IMEI record is present */
} MkIdentityWorth;
MkIdentityWorth mk_identity_worth(const MkIdentitySet *set); /* reads the set's NVRAM file */
const char *mk_identity_worth_words(MkIdentityWorth worth);  /* translated */
const char *mk_identity_worth_id(MkIdentityWorth worth);     /* "none", "blank", "unsure", "good" */
MkIdentitySet *mk_identity_newest_good(const char *home);    /* NULL: there is none */
/* The set to put back when none is named: the newest good one. ID_NONE, or ID_BLANK with the sets there are. */
MkIdentitySet *mk_identity_choose(MkSession *session, GError **error);

/* --- compare --- */
/* What of IMAGE, written to PARTITION, can be read back, and where in the region it begins: a preloader lies behind the boot region's own
 * header, a yaffs2 image loses its spare bytes. New reference. */
MkImage *mk_image_on_phone(MkSession *session, const MkPartition *partition, MkImage *image, uint64_t *offset,
                           GError **error);
typedef struct {
    uint64_t compared;  /* bytes */
    uint64_t different; /* bytes in blocks that differ */
    uint64_t first;     /* offset of the first difference in the image */
} MkCompareResult;
/* Compares what IMAGE says (DATA and FILL, holes left out) with STORE from OFFSET on; SAMPLE: only the first, last and every 16th MiB. */
bool mk_compare(MkStore *store, uint64_t offset, MkImage *image, bool sample, MkCompareResult *result,
                MkProgress *progress, GCancellable *cancel, GError **error);
