/* Download Agent container files of every generation: parse and choose the entry by chip (spec da-file.md). */
#pragma once

#include "core/fault.h"
#include "core/finding.h"
#include "soc/soc.h"

typedef struct {
    uint32_t file_offset, length, load_address, signature_offset, signature_length;
    bool truncated;
} MkAgentRegion;

typedef struct {
    uint16_t hw_code, hw_sub_code, hw_version, sw_version;
    uint16_t entry_region; /* entry_region_index: 0 two-stage, 1 single-stage, 2 IoT */
    unsigned n_regions;
    MkAgentRegion regions[10];
    MkDaFamily family; /* by the marker tests of spec da-file.md 10 */
    bool usable;       /* no region truncated */
    bool is_64bit;     /* its first stage is AArch64 code */
} MkAgentEntry;

/* Release of a legacy agent (spec da-legacy.md 0, 13.3): decides the widths of its fields. */
typedef enum { MK_RELEASE_G0, MK_RELEASE_G1, MK_RELEASE_G2, MK_RELEASE_G3, MK_RELEASE_G4 } MkRelease;

typedef struct {
    char *path;
    char *description; /* escaped to printable ASCII */
    uint32_t info_version;
    MkRelease release; /* from the label */
    bool release_sure; /* false: the label is unknown, the release a guess */
    GArray *entries;   /* (element-type MkAgentEntry) */
    GBytes *bytes;     /* the whole file */
    char *sha256;
} MkAgentFile;

MkAgentFile *mk_agent_file_parse(GBytes *bytes, const char *path, GPtrArray *findings, GError **error);
MkAgentFile *mk_agent_file_load(const char *path, GPtrArray *findings, GError **error);
void mk_agent_file_free(MkAgentFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkAgentFile, mk_agent_file_free)

/* The genuine rule (first match in file order by code, hw_version & FF00, sw_version & FF ≤), then without its third, then second
 * part with a finding; versions 0 = not known: by code alone. E-DA-CHIP naming the chips of the file if none fits. Owned by FILE. */
const MkAgentEntry *mk_agent_file_choose(const MkAgentFile *file, const MkSoc *soc, uint16_t hw_version,
                                         uint16_t sw_version, GPtrArray *findings, GError **error);
/* Bytes of a region (a reference into the file). */
GBytes *mk_agent_file_region(const MkAgentFile *file, const MkAgentEntry *entry, unsigned index);
/* The region that SEND_DA takes, and the one that follows it (second stage, NAND table or blob). */
unsigned mk_agent_entry_stage1(const MkAgentEntry *entry);
unsigned mk_agent_entry_stage2(const MkAgentEntry *entry);

/* Finds the owner's DA file: EXPLICIT path; in the folder ROM_FOLDER; in SP Flash Tool folders near it (its parents' children whose names
 * look like one); the one remembered for this chip. Never the network. Path, or NULL with E-DA-NOFILE that says where was looked. Files
 * that hold no entry for SOC are passed over (unless EXPLICIT). *FROM (may be NULL): why this one. */
typedef enum { MK_AGENT_FROM_NAME, MK_AGENT_FROM_NEAR, MK_AGENT_FROM_MEMORY } MkAgentFrom;
char *mk_agent_file_find(const char *explicit_path, const char *rom_folder, const MkSoc *soc, MkAgentFrom *from,
                         GError **error);
/* Remembers (under mk_home()) that the file at PATH worked for this chip. */
void mk_agent_file_remember(const MkSoc *soc, const char *path);
