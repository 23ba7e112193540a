/* The device's end of the legacy agent protocol, inside (spec da-legacy.md; agents.md and hosts.md where they disagree). */
#pragma once

#include "core/bytes.h"
#include "core/hash.h"
#include "phone/machine.h"
#include "proto/legacy.h"

#define MK_LEGACY_LARGEST (UINT32_C(16) << 20) /* of anything the host may make the phone allocate */

typedef enum { MK_ADDRESS_LINEAR, MK_ADDRESS_REGION } MkAddressing;

typedef struct {
    MkMachine *machine;
    const MkModel *model;
    MkChip *chip;
    MkWire *wire;
    unsigned release; /* 0..4: G0..G4 */
    uint16_t da_chip; /* number of the chip in DA files */
    MkAddressing addressing;
    MkRegion part; /* chosen by 60 */
    bool gone;     /* the wire ended: every further get gives 0 and every put does nothing */
    bool over;     /* the agent is, `next` says what follows */
    MkNext next;
    bool nand_unknown; /* the host's table does not name it */
    uint8_t *buffer;   /* grows with the packets, up to MK_LEGACY_LARGEST */
    size_t buffer_size;
    void *image_list; /* what DD announced, owned */
    gint64 dog;       /* monotonic µs at which the watchdog bites, 0 = it sleeps */
    MkNext dog_next;  /* what it restarts into */
} MkDevice;

/* --- legacy.c --- */
uint8_t mk_device_get8(MkDevice *device);
uint16_t mk_device_get16(MkDevice *device);
uint32_t mk_device_get32(MkDevice *device);
uint64_t mk_device_get64(MkDevice *device);
/* u64 from G3 on, u32 before. */
uint64_t mk_device_get_wide(MkDevice *device);
bool mk_device_read(MkDevice *device, void *data, size_t length); /* bulk data */
bool mk_device_take(MkDevice *device, void *data, size_t length); /* everything else, byte by byte */
void mk_device_put8(MkDevice *device, uint8_t value);
void mk_device_put16(MkDevice *device, uint16_t value);
void mk_device_put32(MkDevice *device, uint32_t value);
void mk_device_put64(MkDevice *device, uint64_t value);
void mk_device_put_wide(MkDevice *device, uint64_t value);
void mk_device_write(MkDevice *device, const void *data, size_t length);
/* A5 and STATUS, which is a number of numbering A. */
void mk_device_nack(MkDevice *device, uint32_t status);
uint32_t mk_device_status(const MkDevice *device, uint32_t status);
/* Never answers again. */
void mk_device_halt(MkDevice *device, const char *why);
/* At least LENGTH bytes, or NULL (and halted) for more than any packet may have. */
uint8_t *mk_device_buffer(MkDevice *device, uint64_t length);
/* What a chip that failed means for the protocol: gone with its power, or the status WRITE/READ names. */
bool mk_device_chip(MkDevice *device, MkChipResult result);
bool mk_device_is_nand(const MkDevice *device);

/* System time and MAC address, which hosts insert on one chip only (spec da-legacy.md 8.2). */
void mk_device_phone_info(MkDevice *device);

/* --- legacy-report.c --- */
void mk_device_early_report(MkDevice *device);
void mk_device_dram_block(MkDevice *device);
void mk_device_report(MkDevice *device);
uint8_t mk_device_bbchip(const MkDevice *device);
void mk_device_enable_dram(MkDevice *device);
/* Five words that only MT6592 adds once its DRAM is up. */
void mk_device_eye_scan(MkDevice *device);

/* --- legacy-emmc.c --- */
typedef struct {
    MkRegion region;
    uint64_t offset, length;
} MkPiece;
/* The hardware piece at ADDRESS of what the host addresses, at most LENGTH bytes; false outside. RPMB comes with region RPMB. */
bool mk_device_piece(const MkDevice *device, uint64_t address, uint64_t length, MkPiece *piece);
MkChipResult mk_device_load(MkDevice *device, uint64_t address, uint8_t *data, size_t length);
bool mk_device_in_range(const MkDevice *device, uint64_t address, uint64_t length);
MkChipResult mk_device_store(MkDevice *device, uint64_t address, const uint8_t *data, size_t length);
void mk_device_read_storage(MkDevice *device);
void mk_device_write_data(MkDevice *device);
void mk_device_write_image(MkDevice *device);
void mk_device_format(MkDevice *device);
void mk_device_switch_part(MkDevice *device);
/* One packet as 61, 62 and B3 send it: 5A, data, sum. False: the command is over (stopped, or the agent hangs). SINK stores it. */
typedef MkChipResult (*MkPacketSink)(MkDevice *device, uint64_t position, const uint8_t *data, size_t length,
                                     void *user_data);
bool mk_device_take_packets(MkDevice *device, uint64_t length, uint32_t packet, bool checked, uint16_t *sum,
                            MkPacketSink sink, void *user_data);

/* --- legacy-table.c --- */
void mk_device_read_table(MkDevice *device);
void mk_device_write_table(MkDevice *device);
void mk_device_read_bmt(MkDevice *device);

/* --- legacy-nand.c --- */
void mk_device_nand_table(MkDevice *device);
void mk_device_read_pages(MkDevice *device);
void mk_device_nand_write_raw(MkDevice *device);
void mk_device_nand_image_list(MkDevice *device);
void mk_device_nand_write_image(MkDevice *device);
/* Status that ends a NAND format, 0: done. Reports progress itself. */
void mk_device_nand_format(MkDevice *device, uint8_t flag, bool physical, uint64_t begin, uint64_t length);

/* --- legacy-verify.c --- */
/* Reads the range back with progress; true if its bytes add up to WANTED. */
bool mk_device_verify_range(MkDevice *device, uint64_t address, uint64_t length, uint16_t wanted);
void mk_device_verify(MkDevice *device);

/* --- legacy-memory.c --- */
void mk_device_memory_test(MkDevice *device);

/* --- legacy-bootloader.c --- */
void mk_device_download_bootloader(MkDevice *device);

/* --- legacy-end.c --- */
void mk_device_finish(MkDevice *device);
void mk_device_watchdog(MkDevice *device);
void mk_device_dog_bites(MkDevice *device);

/* --- legacy-misc.c --- */
/* Everything that is neither storage nor table; false: not one of these. */
bool mk_device_misc(MkDevice *device, uint8_t command);
