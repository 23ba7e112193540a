/* A phone with an XFlash agent on its own thread, and the test as a host that knows nothing but frames. */
#pragma once

#include "core/bytes.h"
#include "core/hash.h"
#include "device.h"
#include "phone/chip.h"
#include "proto/xflash.h"

#include <glib/gstdio.h>

#define HOST_USER   0x4000000u /* the user area of the model in da-xflash-vectors.txt */
#define HOST_STAGE2 0x2000u

typedef struct {
    Device device;
    char *folder;
    uint8_t stage2[HOST_STAGE2];
} Host;

typedef struct {
    const char *flavour;
    uint16_t hw_code;
    bool ufs, from_rom, no_table;
    const char *agent_key;
    uint64_t user;
} HostKind;

static inline void host_send(Host *host, const void *data, size_t length)
{
    uint32_t header[] = {GUINT32_TO_LE(MK_XFLASH_MAGIC), GUINT32_TO_LE(1), GUINT32_TO_LE((uint32_t)length)};
    device_send(&host->device, header, sizeof header);
    device_send(&host->device, data, length);
}

static inline void host_send32(Host *host, uint32_t value)
{
    uint32_t raw = GUINT32_TO_LE(value);
    host_send(host, &raw, sizeof raw);
}

/* The next frame, whatever is in it; log frames too. Caller frees. */
static inline GByteArray *host_frame(Host *host)
{
    uint8_t header[12];
    GByteArray *frame = g_byte_array_new();
    g_assert_cmpuint(device_receive(&host->device, header, sizeof header, 5000), ==, sizeof header);
    g_assert_cmphex(mk_le32(header), ==, MK_XFLASH_MAGIC);
    g_byte_array_set_size(frame, mk_le32(header + 8));
    g_assert_cmpuint(device_receive(&host->device, frame->data, frame->len, 5000), ==, frame->len);
    return frame;
}

static inline uint32_t host_frame32(Host *host)
{
    g_autoptr(GByteArray) frame = host_frame(host);
    g_assert_cmpuint(frame->len, ==, 4);
    return mk_le32(frame->data);
}

#define host_wants(HOST, VALUE) g_assert_cmphex(host_frame32(HOST), ==, (VALUE))

/* Nothing more comes. */
static inline void host_is_quiet(Host *host)
{
    uint8_t byte;
    g_assert_cmpuint(device_receive(&host->device, &byte, 1, 100), ==, 0);
}

static inline void host_command(Host *host, uint32_t command)
{
    host_send32(host, command);
    host_wants(host, 0);
}

static inline void host_control(Host *host, uint32_t code)
{
    host_command(host, MK_XFLASH_DEVICE_CTRL);
    host_send32(host, code);
}

/* What a query gives; it must succeed. Caller frees. */
static inline GByteArray *host_get(Host *host, uint32_t code)
{
    host_control(host, code);
    host_wants(host, 0);
    GByteArray *data = host_frame(host);
    host_wants(host, 0);
    return data;
}

/* The final status of a setting. */
static inline uint32_t host_set(Host *host, uint32_t code, const void *data, size_t length)
{
    host_control(host, code);
    host_wants(host, 0);
    host_send(host, data, length);
    return host_frame32(host);
}

static inline void host_range(Host *host, uint32_t storage, uint32_t section, uint64_t address, uint64_t length)
{
    g_autoptr(GByteArray) block = g_byte_array_new();
    mk_put_le32(block, storage);
    mk_put_le32(block, section);
    mk_put_le64(block, address);
    mk_put_le64(block, length);
    mk_put_fill(block, 0, 32);
    host_send(host, block->data, block->len);
}

static inline void host_packet(Host *host, const void *data, size_t length, uint32_t sum)
{
    host_send32(host, 0);
    host_send32(host, sum);
    host_send(host, data, length);
}

/* A table like that of da-xflash-vectors.txt. */
static inline void host_put_table(Host *host)
{
    static const struct {
        const char *name;
        uint64_t start, size;
    } partitions[] = {{"proinfo", 0x20000, 0x20000},
                      {"misc", 0x40000, 0x80000},
                      {"boot", 0x100000, 0x200000},
                      {"system", 0x800000, 0x800000},
                      {"userdata", 0x1000000, 0x1000000}};
    g_autoptr(MkLayout) layout = mk_layout_new(MK_LAYOUT_GPT);
    g_autoptr(GError) error = NULL;
    const MkGeometry *geometry = &host->device.model.geometry;
    for (unsigned i = 0; i < G_N_ELEMENTS(partitions); i++) {
        MkPartition *partition = mk_layout_add(layout, partitions[i].name);
        partition->region = mk_geometry_main_region(geometry);
        partition->storage = geometry->storage;
        partition->start = partitions[i].start;
        partition->size = partitions[i].size;
        partition->resolved = true;
    }
    layout->storage = geometry->storage;
    g_autoptr(GPtrArray) patches = mk_gpt_encode(layout, geometry, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < patches->len; i++) {
        MkPatch *patch = patches->pdata[i];
        gsize length;
        const void *data = g_bytes_get_data(patch->data, &length);
        mk_chip_write(host->device.machine.chip, patch->region, patch->offset, data, length);
    }
}

/* A first stage as far as a phone looks at it: somewhere inside is the hash of the second. */
static inline GBytes *host_stage1(const void *stage2, size_t length)
{
    g_autofree char *hex = mk_sha256_hex(stage2, length);
    GByteArray *stage1 = g_byte_array_new();
    mk_put_fill(stage1, 0xEA, 777);
    for (unsigned i = 0; i < 32; i++)
        mk_put_u8(stage1, (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1])));
    mk_put_fill(stage1, 0x55, 300);
    return g_byte_array_free_to_bytes(stage1);
}

static inline void host_fill_model(Host *host, const HostKind *kind)
{
    static const uint8_t cid[] = {0x15, 0x01, 0x00, 0x52, 0x38, 0x55, 0x33, 0x4D,
                                  0x42, 0x20, 0xA1, 0xB2, 0xC3, 0xD4, 0x40, 0x00};
    MkModel *model = &host->device.model;
    model->id = (char *)"test";
    model->soc = mk_soc_by_code(kind->hw_code, 0);
    model->hw_code = kind->hw_code;
    model->hw_sub_code = 0x8A00;
    model->hw_version = 0xCA00;
    model->flavour = (char *)kind->flavour;
    model->agent_key = (char *)kind->agent_key;
    model->dialect = MK_DA_XFLASH;
    model->table = MK_TABLE_GPT;
    model->emi_version = 35;
    model->sram_size = 0x70000;
    model->dram_size = 0xC0000000;
    model->dram_type = 3;
    model->rpmb_key = true;
    memcpy(model->cid, cid, sizeof cid);
    model->geometry = (MkGeometry){.storage = MK_STORAGE_EMMC,
                                   .boot1 = 0x400000,
                                   .boot2 = 0x400000,
                                   .rpmb = 0x80000,
                                   .user = kind->user ? kind->user : HOST_USER,
                                   .sector = 512};
    if (kind->ufs) {
        model->geometry =
            (MkGeometry){.storage = MK_STORAGE_UFS, .lu = {0x400000, 0x400000, HOST_USER}, .sector = 4096};
        model->ufs_model = (char *)"KM2V8001CM-B707";
    }
}

/* A phone with its storage and its first stage, not running yet. */
static inline void host_prepare(Host *host, const HostKind *kind)
{
    g_autoptr(GError) error = NULL;
    *host = (Host){.folder = g_dir_make_tmp("medik-xflash-XXXXXX", NULL)};
    host_fill_model(host, kind);
    host->device.machine.chip = mk_chip_open(&host->device.model, host->folder, true, &error);
    g_assert_no_error(error);
    if (!kind->no_table)
        host_put_table(host);
    for (size_t i = 0; i < sizeof host->stage2; i++)
        host->stage2[i] = (uint8_t)(i ^ i >> 8);
    host->device.machine.da = host_stage1(host->stage2, sizeof host->stage2);
    host->device.machine.dram_up = !kind->from_rom;
}

/* Its first stage has just been jumped into. */
static inline void host_begin(Host *host, const HostKind *kind)
{
    host_prepare(host, kind);
    device_start(&host->device, mk_xflash_run);
}

static inline MkNext host_end(Host *host)
{
    static const char *const files[] = {"boot1.img", "boot2.img", "rpmb.img", "user.img",
                                        "lu0.img",   "lu1.img",   "lu2.img"};
    MkNext next = device_end(&host->device);
    mk_chip_free(host->device.machine.chip);
    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *file = g_build_filename(host->folder, files[i], NULL);
        g_unlink(file);
    }
    g_rmdir(host->folder);
    g_free(host->folder);
    return next;
}

/* Vector 1, with the log going to CHANNEL. */
static inline void host_start_up(Host *host, uint32_t channel, uint32_t os)
{
    uint8_t hello, environment[20] = {2, 0, 0, 0, (uint8_t)channel, 0, 0, 0, (uint8_t)os};
    g_assert_cmpuint(device_receive(&host->device, &hello, 1, 5000), ==, 1);
    g_assert_cmphex(hello, ==, 0xC0);
    host_send32(host, MK_XFLASH_SYNC);
    host_send32(host, MK_XFLASH_SETUP_ENVIRONMENT);
    host_send(host, environment, sizeof environment);
    host_wants(host, 0);
    host_send32(host, MK_XFLASH_SETUP_HW_INIT_PARAMS);
    host_send32(host, 0);
    host_wants(host, 0);
    host_wants(host, MK_XFLASH_SYNC);
}

/* The status of BOOT_TO. */
static inline uint32_t host_boot(Host *host, const void *stage2, size_t length)
{
    g_autoptr(GByteArray) where = g_byte_array_new();
    mk_put_le64(where, 0x40000000);
    mk_put_le64(where, length);
    host_command(host, MK_XFLASH_BOOT_TO);
    host_send(host, where->data, where->len);
    host_send(host, stage2, length);
    return host_frame32(host);
}

static inline void host_enter_stage2(Host *host)
{
    g_assert_cmphex(host_boot(host, host->stage2, sizeof host->stage2), ==, 0);
    host_wants(host, MK_XFLASH_SYNC);
}

/* In stage 2 of a phone of 2020 that its preloader started. */
static inline void host_ready(Host *host, const HostKind *kind)
{
    host_begin(host, kind);
    host_start_up(host, 1, MK_XFLASH_OS_LINUX);
    host_enter_stage2(host);
}
