/* A ROM: a layout, the images that belong to it, and what it claims to be for. Made from a folder with its scatter beside it or
 * elsewhere; archives, backups and loose piles come later. (spec behaviour.md 3, checks.md, scatter.md 2.5, 3.8) */
#pragma once

#include "image/image.h"
#include "layout/layout.h"
#include "core/progress.h"
#include "soc/soc.h"

typedef struct {
    const MkPartition *partition; /* of rom->layout */
    char *path;                   /* file found, or NULL */
    MkImage *image;               /* opened, or NULL */
    MkContent content;            /* outermost kind */
    MkContent inner;              /* inside a sparse file; = content otherwise */
    uint64_t file_size;
    char *sha256;  /* of the file, NULL until mk_rom_hash() */
    bool selected; /* would be written: visible, ticked by the scatter, file there, not class I/S */
} MkRomItem;

typedef struct {
    char *chip; /* "MT6577" normalised, NULL = nobody says */
    MkStorage storage;
    char *project; /* scatter */
    char *preloader_project, *preloader_chip;
    char *model, *brand, *device, *build, *fingerprint, *android, *platform; /* build.prop of system, NULL = unknown */
} MkRomClaims;

typedef struct {
    char *folder; /* of the images */
    char *scatter_path;
    char *agent_path; /* the DA file that a flash.xml names, or NULL */
    MkLayout *layout;
    GPtrArray *items; /* (element-type MkRomItem) one per partition of the layout */
    MkRomClaims claims;
    GPtrArray *findings; /* (element-type MkFinding) from the scatter, file matching and claims */
} MkRom;

/* FOLDER holds the images, or is the path of a flash.xml or of a scatter, in whose folders they lie. SCATTER (may be NULL) is the scatter's path, else
 * flash.xml in FOLDER or its folder download_agent names it, else the only *scatter*.txt or .xml in FOLDER is taken (several: a fault that names
 * them; both forms of one: the XML form). Every file is opened, identified and measured; a missing file leaves its item empty. STORAGE picks a combo
 * scatter's section (UNKNOWN: the first). */
MkRom *mk_rom_open_folder(const char *folder, const char *scatter, MkStorage storage, GError **error);
void mk_rom_free(MkRom *rom);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkRom, mk_rom_free)
/* The item of a partition; of slot a where PARTITION exists only as a pair of slots. */
MkRomItem *mk_rom_find(const MkRom *rom, const char *partition);
/* Ticks or unticks by name, both slots of a pair that has it (one slot: by its full name); partitions of class I, S or R and tables only when NAMED is
 * true. Fault if there is no such partition or no file. */
bool mk_rom_select(MkRom *rom, const char *partition, bool selected, bool named, GError **error);
/* Ticks what belongs to something ticked: a super partition's seals, a preloader's extensions (spec behaviour.md 4.2). Notes it in the findings. */
void mk_rom_select_companions(MkRom *rom);
/* Do NAME and OF (canonical, without slots) have to be written together? */
bool mk_rom_is_companion(const char *of, const char *name);
/* SHA-256 of every selected file; progress in bytes. */
bool mk_rom_hash(MkRom *rom, MkProgress *progress, GCancellable *cancel, GError **error);

/* What the checks may know about the phone; any pointer NULL, any number 0 = not known ("not checked"). */
typedef struct {
    const MkSoc *soc;
    const MkGeometry *geometry;
    const MkLayout *layout; /* phone's own, resolved */
    const char *preloader_project;
    const uint8_t *memory_id; /* what the flash chip calls itself, as preloaders list it */
    size_t memory_id_length;
    MkStorage storage;
    bool storage_none; /* the agent found no storage at all */
} MkPhoneFacts;

/* All checks of spec checks.md whose formats this build knows. Appends to FINDINGS; ids of checks that lacked an input are appended to
 * UNCHECKED (char *, may be NULL). Resolves a copy of the layout for the phone's geometry where there is one. */
bool mk_rom_check(const MkRom *rom, const MkPhoneFacts *phone, GPtrArray *findings, GPtrArray *unchecked,
                  GError **error);
/* May the partition NAME (canonical, without a slot) hold content of KIND? What is not listed may hold anything (spec checks.md 3.1). */
bool mk_content_suits(const char *name, MkContent kind);
/* K: will IMAGE start as boot, or as RECOVERY, on CHIP ("MT6582", NULL unknown)? BASE names it in the findings. */
void mk_check_boot_image(MkStore *image, bool recovery, const char *chip, const char *base, GPtrArray *findings);
/* "yes", "probably", "probably not", "no" from findings (spec behaviour.md 3.6). */
typedef enum { MK_FIT_YES, MK_FIT_PROBABLY, MK_FIT_PROBABLY_NOT, MK_FIT_NO } MkFit;
MkFit mk_rom_verdict(const GPtrArray *findings, const MkPhoneFacts *phone);
const char *mk_fit_words(MkFit fit);
