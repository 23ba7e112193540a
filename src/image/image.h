/* An image: the content for one partition as extents (data, fill, hole) in rising order, streamed, never whole in memory
 * (spec images.md).  A raw file, a sparse file and, later, a folder are the same thing to everyone above. */
#pragma once

#include "core/fault.h"
#include "core/finding.h"
#include "store/store.h"

typedef enum {
    MK_EXTENT_DATA,
    MK_EXTENT_FILL, /* a 32-bit pattern in memory order, repeated */
    MK_EXTENT_HOLE, /* "don't care": the phone keeps what it has; not compared in verification */
} MkExtentKind;

typedef struct {
    MkExtentKind kind;
    uint64_t offset; /* in the expanded image */
    uint64_t length;
    uint8_t fill[4];
} MkExtent;

/* What the content is: spec images.md 1.1. */
typedef enum {
    MK_CONTENT_UNKNOWN,
    MK_CONTENT_BLANK,
    MK_CONTENT_SPARSE,
    MK_CONTENT_BOOT, /* ANDROID! */
    MK_CONTENT_VENDOR_BOOT,
    MK_CONTENT_MTK_HEADER,            /* 512-byte header: lk, logo, ... */
    MK_CONTENT_PRELOADER,             /* bare GFH */
    MK_CONTENT_PRELOADER_BOOT_HEADER, /* EMMC_BOOT / UFS_BOOT / BOOTLOADER! in front */
    MK_CONTENT_EMI_BLOCK,             /* MTK_BLOADER_INFO_v only: not flashable */
    MK_CONTENT_DA,
    MK_CONTENT_AVB,
    MK_CONTENT_LP,
    MK_CONTENT_DT_TABLE,
    MK_CONTENT_FDT,
    MK_CONTENT_AC_REGION,
    MK_CONTENT_UBI,
    MK_CONTENT_YAFFS2,
    MK_CONTENT_EXT4,
    MK_CONTENT_EROFS,
    MK_CONTENT_F2FS,
    MK_CONTENT_SQUASHFS,
    MK_CONTENT_FAT,
    MK_CONTENT_MBR,
    MK_CONTENT_GPT,
    MK_CONTENT_PAYLOAD,
    MK_CONTENT_COMPRESSED,
    MK_CONTENT_ARCHIVE,
    MK_CONTENT_CPIO,
    MK_CONTENT_HTML,
    MK_CONTENT_SIGNED,    /* SSSS / FBFB */
    MK_CONTENT_ENCRYPTED, /* cccc */
} MkContent;

const char *mk_content_words(MkContent content); /* "an Android boot image", translated */

typedef struct _MkImage MkImage;
typedef struct {
    /* Fills DATA from OFFSET of the expanded image; holes read as zero. */
    bool (*read)(MkImage *image, uint64_t offset, uint8_t *data, size_t length, GError **error);
    void (*free)(MkImage *image);
} MkImageClass;

struct _MkImage {
    const MkImageClass *klass;
    int refs;
    char *path;      /* or NULL */
    uint64_t size;   /* expanded */
    GArray *extents; /* (element-type MkExtent) rising, gapless, cover [0, size) */
};

/* Opens a file by content: sparse files become their expanded image, everything else is raw (holes of the file system are data:
 * they read as zero and are sent as FILL 0). *content (may be NULL) gets the outermost kind. */
MkImage *mk_image_open(const char *path, MkContent *content, GError **error);
MkImage *mk_image_raw_new(MkStore *store, GError **error); /* holds a reference */
MkImage *mk_image_sparse_new(MkStore *store, GPtrArray *findings, GError **error);
/* A part of another image, e.g. without a leading header. */
MkImage *mk_image_slice_new(MkImage *parent, uint64_t offset, uint64_t length, GError **error);
MkImage *mk_image_bytes_new(GBytes *bytes);
/* The data of PARENT, whose pages of PAGE bytes carry SPARE bytes each (yaffs2), without the spare. IMAGE_KIND if it is not whole pages. */
MkImage *mk_image_pages_new(MkImage *parent, uint32_t page, uint32_t spare, GError **error);
MkImage *mk_image_ref(MkImage *image);
void mk_image_unref(MkImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkImage, mk_image_unref)
bool mk_image_read(MkImage *image, uint64_t offset, void *data, size_t length, GError **error);
/* The image as a read-only store (for parsers that want one). */
MkStore *mk_image_as_store(MkImage *image);
/* Bytes that must travel and must match: DATA + FILL. */
uint64_t mk_image_payload(const MkImage *image);

/* Recognises what STORE holds by content (spec images.md 1.1), not by name. */
bool mk_identify(MkStore *store, MkContent *content, GError **error);

/* --- sparse files (spec images.md 2) --- */
/* Writes IMAGE as an Android sparse file; never overwrites. `crc` adds a variant-A CRC chunk. */
bool mk_sparse_write(MkImage *image, const char *path, bool crc, GCancellable *cancel, GError **error);
/* Checks a sparse file completely (chunk walk, totals, both CRC variants). */
bool mk_sparse_check(MkStore *store, GPtrArray *findings, GCancellable *cancel, GError **error);

/* --- MTK 512-byte header (spec images.md 4) --- */
typedef struct {
    char name[33];
    uint32_t size; /* of the body */
} MkMtkHeader;
bool mk_mtk_header_parse(const void *data, size_t length, MkMtkHeader *header); /* LENGTH ≥ 512, else false */
GBytes *mk_mtk_header_make(const char *name, uint32_t size);

/* --- Android boot images (spec images.md 3): recognition and the facts the checks need --- */
typedef struct {
    unsigned version;
    uint32_t kernel_size, kernel_addr, ramdisk_size, ramdisk_addr, second_size, second_addr, tags_addr, page_size;
    uint32_t dtb_size, recovery_dtbo_size;
    char product[17];
    char cmdline[1537];
    uint8_t id[32];
    uint64_t kernel_offset, ramdisk_offset, second_offset, dtb_offset;
    uint64_t length;     /* page-rounded sum */
    char kernel_mtk[33]; /* MTK header names, "" = none */
    char ramdisk_mtk[33];
    uint32_t kernel_mtk_size, ramdisk_mtk_size;
} MkBootInfo;
bool mk_boot_parse(MkStore *store, MkBootInfo *info, GError **error);

/* --- preloader files (spec preloader-file.md) --- */
typedef struct {
    MkContent kind;       /* PRELOADER, PRELOADER_BOOT_HEADER or EMI_BLOCK */
    uint64_t gfh_offset;  /* where the bare image begins */
    uint32_t file_length; /* FILE_INFO, GFH and signature included */
    uint32_t max_size;
    uint32_t load_address;
    uint32_t signature_length;
    uint8_t flash_device; /* FILE_INFO: 5 = eMMC, 2 = NAND, ... */
    char *project;        /* "preloader_<project>.bin" without prefix and ending, or NULL */
    char *chip;           /* best guess "MT6765", or NULL */
    char *platform;       /* ROM info text (weak evidence), or NULL */
    int emi_version;      /* -1 = no EMI block */
    unsigned emi_records;
    GBytes *emi; /* whole block, MTK_BLOADER_INFO_v … last record, or NULL */
} MkPreloader;
MkPreloader *mk_preloader_parse(GBytes *bytes, GPtrArray *findings, GError **error);
MkPreloader *mk_preloader_load(const char *path, GPtrArray *findings, GError **error);
void mk_preloader_free(MkPreloader *preloader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkPreloader, mk_preloader_free)
/* What the settings BLOCK of a preloader says about the flash chip that calls itself ID (begin of the CID, a UFS's text; spec 4.3). A block with
 * a discrete record suits any flash chip. */
typedef enum { MK_EMI_UNREADABLE, MK_EMI_NOT_LISTED, MK_EMI_DISCRETE, MK_EMI_LISTED } MkEmiMatch;
MkEmiMatch mk_emi_match(GBytes *block, const uint8_t *id, size_t length);
/* Chips whose boards were seen with settings of VERSION, "MT6765/MT6762": a hint; NULL: nothing is known. */
const char *mk_emi_chips(int version);
/* The boot header (EMMC_BOOT or UFS_BOOT, and BRLYT) that belongs in front of a bare preloader of at most MAX_SIZE bytes: 0x800 bytes on eMMC,
 * one block of 0x1000 on UFS (spec preloader-file.md 2.1). */
GBytes *mk_preloader_boot_header(MkStorage storage, uint32_t max_size);

/* --- vbmeta images, parse only (spec images.md 15) --- */
typedef struct {
    char *partition;       /* "boot", without a slot */
    uint64_t size;         /* bytes of the partition that are sealed */
    GBytes *salt, *digest; /* SHA-256 of salt and content */
} MkAvbSeal;
typedef struct {
    GArray *seals; /* (element-type MkAvbSeal) those with SHA-256 */
    uint64_t rollback_index;
    uint32_t flags; /* MK_AVB_… */
    char *release;  /* "avbtool 1.1.0" */
} MkAvb;
enum { MK_AVB_HASHTREE_OFF = 1, MK_AVB_VERIFICATION_OFF = 2 };
/* IMAGE_KIND for what is none, is cut off, or has another checksum than its own. */
MkAvb *mk_avb_parse(GBytes *bytes, GError **error);
MkAvb *mk_avb_load(MkImage *image, GError **error);
void mk_avb_free(MkAvb *avb);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkAvb, mk_avb_free)
/* Is IMAGE what SEAL was made for? */
bool mk_avb_seal_agrees(const MkAvbSeal *seal, MkImage *image, bool *agrees, GError **error);

/* --- ext4, read-only (libext2fs over a store) --- */
/* The content of a regular file in an ext2/3/4 file system, at most LIMIT bytes. FILE fault if the path is not there. */
GBytes *mk_ext4_read_file(MkStore *store, const char *path, size_t limit, GError **error);
bool mk_ext4_size(MkStore *store, uint64_t *bytes, GError **error);

/* --- super, read-only (spec images.md 14) --- */
/* The dynamic partition NAME ("system_a") inside SUPER, expanded, as a read-only store that holds a reference. IMAGE_KIND fault: there
 * is no good table, or no such partition in it. */
MkStore *mk_super_open(MkStore *super, const char *name, GError **error);

/* --- NVRAM bin region, read-only (spec nvram.md 3, 6) --- */
typedef struct {
    bool blank, known_format, checksum_ok;
    bool imei_present[2];
    char *imei_words;     /* "present", "blank", "damaged", "missing", "unknown format"; never the number */
    unsigned calibration; /* files */
} MkNvramReport;
bool mk_nvram_report(MkStore *nvram, MkNvramReport *report, GError **error);
void mk_nvram_report_clear(MkNvramReport *report);
