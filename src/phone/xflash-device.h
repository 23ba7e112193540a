/* The phone's end of the XFlash agent protocol, inside (spec da-xflash.md; agents.md and hosts.md where they disagree). */
#pragma once

#include "core/bytes.h"
#include "phone/frame.h"
#include "phone/machine.h"
#include "proto/xflash.h"

/* What an agent of that year has; the stages of `MkModel.flavour`. */
typedef enum { MK_XFLASH_2015 = 1 << 0, MK_XFLASH_2020 = 1 << 1, MK_XFLASH_2025 = 1 << 2 } MkXflashYear;

#define MK_XFLASH_LARGEST (UINT32_C(16) << 20) /* of anything the host may make the phone allocate */

typedef struct {
    MkMachine *machine;
    const MkModel *model;
    MkChip *chip;
    MkWire *wire;
    MkXflashYear year;
    uint16_t da_chip; /* number of the chip in DA files */
    unsigned stage;   /* 1 or 2 */
    bool from_rom;    /* BootROM started stage 1: no DRAM yet */
    bool gone;        /* the wire or the power ended: every further take fails and every put does nothing */
    bool over;        /* the agent is, `next` says what follows */
    MkNext next;
    uint32_t broken; /* status of the last take that failed, 0: it was well */
    bool locked;     /* waits for the answer to its challenge */
    uint8_t challenge[16];
    /* what the host has set */
    uint32_t log_level, log_channel, system_os, checksum, reset_key, battery_option, reboot_mode;
    bool meta, downloading, all_in_one, keep_erased;
    /* for GET_ERROR_DETAIL */
    const char *error_text;
    uint64_t error_sector;
    uint8_t *buffer; /* grows with the packets, up to MK_XFLASH_LARGEST */
    size_t buffer_size;
} MkXflash;

/* --- xflash.c --- */
/* A frame of at most ROOM bytes. False: `gone`, or `broken` says with which status to refuse. */
bool mk_xflash_take(MkXflash *x, void *data, size_t room, size_t *length);
/* A frame of exactly LENGTH bytes; a shorter one is refused, too. */
bool mk_xflash_take_exactly(MkXflash *x, void *data, size_t length);
bool mk_xflash_take32(MkXflash *x, uint32_t *value);
/* A frame of any length up to ROOM into `buffer`. */
bool mk_xflash_take_blob(MkXflash *x, uint32_t room, size_t *length);
void mk_xflash_put(MkXflash *x, const void *data, size_t length);
void mk_xflash_put32(MkXflash *x, uint32_t value);
void mk_xflash_status(MkXflash *x, uint32_t status);
/* Never answers again. */
void mk_xflash_halt(MkXflash *x, const char *why);
/* At least LENGTH bytes. */
uint8_t *mk_xflash_buffer(MkXflash *x, size_t length);
bool mk_xflash_is_chip(const MkXflash *x, const uint16_t *chips, size_t count);
#define MK_XFLASH_IS(x, ...)                                                                                           \
    mk_xflash_is_chip(x, (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

/* --- xflash-stage1.c --- */
void mk_xflash_start(MkXflash *x); /* spec 4 */
void mk_xflash_init_ram(MkXflash *x);
void mk_xflash_boot_to(MkXflash *x);

/* --- xflash-control.c --- */
void mk_xflash_control(MkXflash *x);

/* --- xflash-info.c: what the GETs give, appended to DATA; the status that ends the command --- */
typedef uint32_t (*MkXflashGet)(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_emmc(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_nand(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_nor(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_ufs(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_version(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_packet_length(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_random_id(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_table_kind(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_connection(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_usb_speed(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_ram(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_chip_id(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_otp_lock(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_battery(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_rpmb(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_dram_type(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_firmware_info(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_hrid(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_error_detail(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_get_sla(MkXflash *x, GByteArray *data);
uint32_t mk_xflash_life_status(const MkXflash *x); /* MK_XFLASH_LIFE_... */
uint32_t mk_xflash_read_packet(const MkXflash *x);
uint32_t mk_xflash_write_packet(const MkXflash *x);

/* --- xflash-storage.c --- */
/* Bytes of the storage: a region, or two that get the same. */
typedef struct {
    MkRegion region, twin; /* twin NONE: one region only */
    uint64_t offset, length;
} MkXflashRange;
void mk_xflash_read_data(MkXflash *x);
void mk_xflash_write_data(MkXflash *x);
void mk_xflash_format(MkXflash *x);
void mk_xflash_sram_write_test(MkXflash *x);
/* Packets to the host, their acknowledges and the final status (spec 12.2). */
void mk_xflash_send_range(MkXflash *x, const MkXflashRange *range);
/* Erases, with the reports of spec 13.3 behind the status of the parameter. */
void mk_xflash_erase_range(MkXflash *x, const MkXflashRange *range);
/* 0 or the status that the storage's answer means; sets `gone` with its power. */
uint32_t mk_xflash_chip_status(MkXflash *x, MkChipResult result, const char *doing, uint64_t offset);
/* Stores LENGTH bytes at POSITION of what arrives; a status. */
typedef uint32_t (*MkXflashSink)(MkXflash *x, uint64_t position, const uint8_t *data, size_t length, void *user_data);
/* Packets from the host up to LENGTH bytes and the final status (spec 12.3). FINISH (may be NULL) has the last word about it. */
void mk_xflash_take_packets(MkXflash *x, uint64_t length, MkXflashSink sink,
                            uint32_t (*finish)(MkXflash *x, void *user_data), void *user_data);
uint32_t mk_xflash_store(MkXflash *x, const MkXflashRange *range, uint64_t position, const uint8_t *data,
                         size_t length);
bool mk_xflash_has_storage(const MkXflash *x);

/* --- xflash-names.c --- */
/* The phone's own table; NULL without a good copy. Caller frees. */
MkLayout *mk_xflash_table(MkXflash *x);
void mk_xflash_download(MkXflash *x);
void mk_xflash_upload(MkXflash *x);
void mk_xflash_format_partition(MkXflash *x);
uint32_t mk_xflash_resource_info(MkXflash *x, const uint8_t *block);
void mk_xflash_read_otp(MkXflash *x);
void mk_xflash_write_otp(MkXflash *x);

/* --- xflash-power.c --- */
void mk_xflash_switch_speed(MkXflash *x);
void mk_xflash_shutdown(MkXflash *x);
