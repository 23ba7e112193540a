/* A layout: an ordered list of partitions.  A scatter file, a PMT, an MBR/EBR chain, a GPT and a dumchar_info listing are
 * all layouts: parse, resolve, write, compare, convert (spec scatter.md, tables.md).
 *
 * Two address forms occur.  A *resolved* partition has a hardware region and a byte offset in it (`region`, `start`, `size`).
 * Scatters of the MBR era and PMTs speak *linear* addresses, and reserved entries count from the end of the device: these
 * become real with mk_layout_resolve(), which needs the geometry of the device.  Until then `resolved` is false. */
#pragma once

#include "core/fault.h"
#include "core/finding.h"
#include "store/store.h"

typedef enum {
    MK_LAYOUT_NONE, /* made by hand */
    MK_LAYOUT_SCATTER_V0,
    MK_LAYOUT_SCATTER_V1,
    MK_LAYOUT_SCATTER_XML,
    MK_LAYOUT_OTA_TEXT,
    MK_LAYOUT_PMT,
    MK_LAYOUT_MBR,
    MK_LAYOUT_GPT,
    MK_LAYOUT_DUMCHAR,
} MkLayoutKind;

/* spec scatter.md 3.7 */
typedef enum {
    MK_OP_BOOTLOADERS,
    MK_OP_UPDATE,
    MK_OP_INVISIBLE,
    MK_OP_PROTECTED,
    MK_OP_RESERVED,
    MK_OP_BINREGION,
    MK_OP_UNKNOWN,
    MK_OP_NEEDRESIZE,
    MK_OP_LOGIC,
} MkOperation;

/* spec scatter.md 3.5; the numbers are the vendor library's */
typedef enum {
    MK_TYPE_NORMAL_ROM = 1,
    MK_TYPE_SV5_BL_BIN = 7,
    MK_TYPE_YAFFS_IMG = 8,
    MK_TYPE_MBR_BIN = 9,
    MK_TYPE_UBI_IMG = 0x10,
    MK_TYPE_EXT4_IMG = 0x11,
    MK_TYPE_FAT_IMG = 0x12,
    MK_TYPE_F2FS_IMG = 0x13,
    MK_TYPE_FTL20_IMG = 0x20,
    MK_TYPE_UNKNOWN = 0xFF,
} MkImageType;

/* What may be done to a partition: spec behaviour.md 6.1. */
typedef enum {
    MK_CLASS_IDENTITY = 'I',
    MK_CLASS_SECURITY = 'S',
    MK_CLASS_BOOT = 'B',
    MK_CLASS_TABLE = 'T',
    MK_CLASS_MODEM = 'M',
    MK_CLASS_SYSTEM = 'Y',
    MK_CLASS_USER = 'U',
    MK_CLASS_RESERVED = 'R',
} MkClass;

#define MK_FROM_END_MASK UINT64_C(0xFFFF0000) /* 0xFFFFnnnn: nnnn blocks before the end (spec scatter.md 6) */

typedef struct {
    char *name;      /* as the source spells it, e.g. "__NODL_NVRAM", "nvram" */
    char *file_name; /* NULL = NONE */
    bool download;   /* is_download */
    bool hidden;     /* __NODL_, or is_download false with no file */
    bool reserved;   /* is_reserved: lies at the end of the device */
    bool boundary_check;
    MkOperation operation;
    MkImageType type;
    MkStorage storage;
    MkRegion region;   /* as written by the source; LINEAR where the address is linear */
    uint64_t linear;   /* linear_start_addr as written (v0: the address) */
    uint64_t physical; /* physical_start_addr as written */
    uint64_t start;    /* byte offset in `region`, valid once resolved */
    uint64_t size;     /* bytes; 0 = unknown or "takes the rest" until resolved */
    bool resolved;
    bool grows;          /* its size follows the device: last normal entry, NEEDRESIZE */
    uint64_t attributes; /* GPT attributes, PMT flags */
    uint8_t guid[16];    /* GPT unique GUID as stored, zero elsewhere */
    unsigned line;       /* where in the text, 0 = none */
    GHashTable *extra;   /* scatter keys that have no field above (char * → char *), or NULL */
} MkPartition;

/* Sizes of the device, in bytes. A NAND sets nand_size, block_size and pool_blocks (BMT), others the rest. */
typedef struct {
    MkStorage storage;
    uint64_t boot1, boot2, rpmb, gp[4], user;
    uint64_t lu[4];
    uint32_t sector;      /* 512, UFS 4096 */
    uint64_t nand_size;   /* bytes of data, all physical blocks */
    uint32_t nand_block;  /* bytes of data per block */
    uint32_t nand_page;   /* bytes of data per page */
    uint32_t nand_spare;  /* bytes of spare per page */
    uint32_t pool_blocks; /* BMT pool, 80 if not reported */
} MkGeometry;

/* Bytes of a region; 0 = the storage has none. The pairs (BOOT1_BOOT2, LU0_LU1) count once. */
uint64_t mk_geometry_region_size(const MkGeometry *geometry, MkRegion region);
/* The region that holds the partition table and the partitions: USER, on UFS LU2, on NAND the array (spec da-xflash.md 10). */
MkRegion mk_geometry_main_region(const MkGeometry *geometry);
/* Where copy 0 and copy 1 of the preloader live: boot 1 and 2, on UFS LU0 and LU1, on NAND the array. */
MkRegion mk_geometry_boot_region(const MkGeometry *geometry, unsigned copy);

typedef struct {
    int refs;
    MkLayoutKind kind;
    char *version;         /* "V1.1.2", NULL where there is none */
    char *platform;        /* "MT6577", NULL unknown */
    char *project;         /* or NULL */
    MkStorage storage;     /* UNKNOWN if the source does not say */
    uint32_t block_size;   /* unit of 0xFFFFnnnn */
    uint64_t header;       /* H_build: linear address of MBR (spec tables.md 1), 0 = none */
    bool skip_table;       /* skip_pmt_operate */
    GHashTable *general;   /* every general key as text (char * → char *) */
    GPtrArray *partitions; /* (element-type MkPartition) in flash order */
    GPtrArray *sections;   /* combo scatters: the other storages' layouts (element-type MkLayout), or NULL */
} MkLayout;

MkLayout *mk_layout_new(MkLayoutKind kind);
MkLayout *mk_layout_ref(MkLayout *layout);
void mk_layout_unref(MkLayout *layout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkLayout, mk_layout_unref)
MkLayout *mk_layout_copy(const MkLayout *layout);
MkPartition *mk_layout_add(MkLayout *layout, const char *name); /* owned by the layout */
MkPartition *mk_partition_copy(const MkPartition *partition);
void mk_partition_free(MkPartition *partition);

/* By exact name, then without regard to case, then through the aliases of spec behaviour.md 3.4 (ANDROID = system,
 * __NODL_NVRAM = nvram, ...), `_a`/`_b` kept apart. Never by substring. NULL if there is none. */
MkPartition *mk_layout_find(const MkLayout *layout, const char *name);
/* The canonical lower-case name that aliases share ("system", "boot", "nvram", "protect1", "lk", ...). Caller frees. */
char *mk_partition_canonical(const char *name);

/* --- slots: NAME_a and NAME_b, one of which runs ------------------------------------------------------------------------ */

/* The canonical name without the slot: "boot" of "boot_a" and of "boot". Caller frees. */
char *mk_partition_base(const char *name);
/* The same partition's other slot, NULL if it has none. */
const MkPartition *mk_layout_twin(const MkLayout *layout, const MkPartition *partition);
/* 'a' or 'b' if PARTITION is half of a pair of LAYOUT, else 0. */
char mk_layout_slot(const MkLayout *layout, const MkPartition *partition);
/* What a user means by NAME: that partition, or both slots of that name if there is none without a slot. (element-type MkPartition), borrowed;
 * may be empty. */
GPtrArray *mk_layout_find_all(const MkLayout *layout, const char *name);
/* E-LAYOUT: NAME is not in LAYOUT, which the sentence calls the phone's table or the scatter; it tells names that are near, or else all. NUMBER
 * and SYMBOL as in mk_fault_set_number(). */
void mk_layout_fault_no_such(const MkLayout *layout, const char *name, bool scatter, uint32_t number,
                             const char *symbol, GError **error);
/* Names of all pairs, "boot, dtbo, lk"; NULL if there is none. Caller frees. */
char *mk_layout_pairs(const MkLayout *layout);

MkClass mk_partition_class(const MkPartition *partition); /* by name, alias, operation */
MkClass mk_class_by_name(const char *name);
const char *mk_class_words(MkClass klass); /* "identity and calibration", ... translated */
const char *mk_operation_name(MkOperation operation);
const char *mk_type_name(MkImageType type);
const char *mk_layout_kind_name(MkLayoutKind kind);

/* Scatter files of any text generation; FILE_NAME (may be NULL) tells chip and storage of a v0 file and is used in messages.
 * FINDINGS (may be NULL) gets line-precise diagnostics; a fault (MK_FAULT_SCATTER) only when nothing usable is left. With STRICT the
 * genuine SP Flash Tool parser's refusals are given (spec scatter.md 3.4, number and symbol set). */
MkLayout *mk_scatter_parse(const char *text, size_t length, const char *file_name, bool strict, GPtrArray *findings,
                           GError **error);
MkLayout *mk_scatter_load(const char *path, bool strict, GPtrArray *findings, GError **error);
/* The section of a combo scatter for STORAGE; the layout itself if it is for STORAGE or does not say; NULL if neither. New reference. */
MkLayout *mk_layout_for_storage(MkLayout *layout, MkStorage storage);
/* What a table or an older scatter lacks before it can be written as a scatter of KIND: names of that generation, operations, types, file
 * names as the genuine generator gives them, and around a GPT the rows of preloader, pgpt and sgpt. GEOMETRY (may be NULL) is that of
 * the device; with it the rows at the end count from the end. New reference; scatters of the same generation are only copied. */
MkLayout *mk_scatter_from_table(const MkLayout *table, MkLayoutKind kind, const MkGeometry *geometry);
/* The generation that SP Flash Tool expects for the chip of LAYOUT: SCATTER_V0 for MT6573 ... MT6589, else SCATTER_V1. */
MkLayoutKind mk_scatter_kind_for(const MkLayout *layout);
/* Writes a scatter: SCATTER_V0 or SCATTER_V1 (VERSION "V1.1.1", "V1.1.2", ... or NULL = the layout's own or by chip and table
 * kind). Parsing the result gives the same layout back. Caller frees. */
char *mk_scatter_write(const MkLayout *layout, MkLayoutKind kind, const char *version, GError **error);
/* The file name SP Flash Tool expects, e.g. "MT6577_Android_scatter_emmc.txt". Caller frees. */
char *mk_scatter_file_name(const MkLayout *layout);

/* Turns linear and from-the-end addresses into region + offset for a device of this geometry (spec scatter.md 6, tables.md 1), sizes
 * filled in. Linear addresses below the header belong to boot 1. Idempotent. Faults: STOR_MISMATCH, STOR_SMALL, SCATTER. */
bool mk_layout_resolve(MkLayout *layout, const MkGeometry *geometry, GError **error);
/* Overlaps, order, ends beyond the device, alignment: appended to FINDINGS. Needs a resolved layout. */
void mk_layout_check(const MkLayout *layout, const MkGeometry *geometry, GPtrArray *findings);

/* --- tables on the device -------------------------------------------------------------------------------------------- */

/* One piece of table to be written: DATA at OFFSET of REGION. */
typedef struct {
    MkRegion region;
    uint64_t offset;
    GBytes *data;
    char *what; /* "primary GPT", "PMT mirror", ... */
} MkPatch;
void mk_patch_free(MkPatch *patch);

/* State of one copy of a table. */
typedef enum { MK_COPY_ABSENT, MK_COPY_BAD, MK_COPY_GOOD } MkCopyState;

typedef struct {
    MkLayout *layout;      /* from the copy that readers of the phone would use; NULL if none is good. Resolved. */
    MkCopyState primary;   /* GPT primary, PMT main, MBR+EBR chain */
    MkCopyState secondary; /* GPT backup, PMT mirror; ABSENT for MBR */
    bool differ;           /* both good and not the same */
    uint64_t primary_offset, secondary_offset; /* bytes in the user area, where found */
    unsigned entry_size;                       /* PMT: 76, 88 or 96; GPT: 128 */
} MkTable;
void mk_table_free(MkTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkTable, mk_table_free)

/* Read a table from the user area (GPT: sector 512 or 4096 found by looking). Never NULL unless reading itself fails: absence is
 * a state. FINDINGS gets what is wrong with each copy. */
MkTable *mk_gpt_read(MkStore *user, GPtrArray *findings, GCancellable *cancel, GError **error);
MkTable *mk_pmt_read(MkStore *user, const MkGeometry *geometry, GPtrArray *findings, GCancellable *cancel,
                     GError **error); /* eMMC */
/* The entries of an eMMC PMT as they stand, unresolved: of the main table if it is whole, else of the mirror; NULL without an error if
 * there is neither. */
MkLayout *mk_pmt_entries(MkStore *user, GCancellable *cancel, GError **error);
MkTable *mk_mbr_read(MkStore *user, GPtrArray *findings, GCancellable *cancel, GError **error);
/* NAND: NAND is the raw array (data only); the PMT blocks are its last two system blocks (spec tables.md 5). */
MkTable *mk_pmt_nand_read(MkStore *nand, const MkGeometry *geometry, GPtrArray *findings, GCancellable *cancel,
                          GError **error);

/* Entries as the legacy agent hands them over (spec da-legacy.md 9.8): size by divisibility and plausibility. */
MkLayout *mk_pmt_parse_entries(const void *data, size_t length, GError **error);
/* The same, out: ENTRY_SIZE 88 or 96; one GBytes of n × entry_size. Sizes and linear/region addresses as NEW_COMBO (region
 * relative) or linear demands are the caller's: `start` is written as it stands. */
GBytes *mk_pmt_write_entries(const MkLayout *layout, unsigned entry_size);

/* Encode the tables of LAYOUT (resolved) for a device of this geometry: array of MkPatch. */
GPtrArray *mk_gpt_encode(const MkLayout *layout, const MkGeometry *geometry, GError **error);
GPtrArray *mk_mbr_encode(const MkLayout *layout, const MkGeometry *geometry, GError **error);
GPtrArray *mk_pmt_encode(const MkLayout *layout, const MkGeometry *geometry, uint8_t sequence, GError **error);
/* From the good copy to the bad one: patches that make both equal. Faults: TABLE_NONE, TABLE_BAD if none is good. */
GPtrArray *mk_gpt_repair(MkStore *user, GCancellable *cancel, GError **error);
GPtrArray *mk_pmt_repair(MkStore *user, const MkGeometry *geometry, GCancellable *cancel, GError **error);
/* An MBR/EBR/PGPT/SGPT image file of a ROM. */
MkLayout *mk_gpt_parse_file(const void *data, size_t length, GPtrArray *findings, GError **error);

/* /proc/dumchar_info text or the bare rows a backup tool saved (spec tables.md 7.1). */
MkLayout *mk_dumchar_parse(const char *text, size_t length, GPtrArray *findings, GError **error);

/* --- comparison ------------------------------------------------------------------------------------------------------ */

typedef enum {
    MK_DIFF_SAME,
    MK_DIFF_MOVED,
    MK_DIFF_RESIZED,
    MK_DIFF_MOVED_RESIZED,
    MK_DIFF_ADDED,
    MK_DIFF_GONE
} MkDiffKind;

typedef struct {
    MkDiffKind kind;
    char *name;                /* canonical */
    const MkPartition *before; /* borrowed from the layouts; NULL if ADDED */
    const MkPartition *after;  /* NULL if GONE */
    uint64_t from, to;         /* where it begins in each; as written, where no device has made it real */
} MkDiff;

/* Names every partition that moved, grew, shrank, appeared or vanished from BEFORE (usually the phone) to AFTER (usually the
 * load); both resolved. Boot-region rows and tables themselves (preloader, pgpt, sgpt, mbr, ebr, pmt) that the other kind of layout
 * cannot hold are not differences, nor is the size of a partition that grows with the device. (element-type MkDiff), in order of
 * AFTER, then the gone ones. */
GPtrArray *mk_layout_compare(const MkLayout *before, const MkLayout *after);
/* Do both give addresses of the same form for the same kind of storage? Else what mk_layout_compare() says means nothing. */
bool mk_layout_comparable(const MkLayout *before, const MkLayout *after);
bool mk_layout_same(const MkLayout *before, const MkLayout *after);
/* "system moved from 0x… to 0x… and grew from … to …": one sentence. Caller frees. */
char *mk_diff_text(const MkDiff *diff);
