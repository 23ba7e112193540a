/* A legacy agent in its command loop, and the test as its host: bytes are written as hexadecimal text, blanks between them as they please. */
#pragma once

#include "core/bytes.h"
#include "core/hash.h"
#include "device.h"
#include "phone/legacy-device.h"
#include "phone/legacy-loop.h"

#include <glib/gstdio.h>

#define DUE_MS   5000 /* an answer that is due comes at once; this is only reached when the test fails */
#define QUIET_MS 20

typedef struct {
    Device device;
    MkModel *loaded; /* a model from data/phones, or NULL */
    char *folder;
} Agent;

/* What the loop under test is: set before agent_start(). */
static unsigned agent_release = 3;
static MkAddressing agent_addressing = MK_ADDRESS_LINEAR;

static gint agent_is_over;

static inline MkNext agent_loop(MkMachine *machine)
{
    MkDevice device = {.machine = machine,
                       .model = machine->model,
                       .chip = machine->chip,
                       .wire = machine->wire,
                       .release = agent_release,
                       .da_chip = machine->model->soc->da_code,
                       .addressing = agent_addressing,
                       .part = MK_REGION_USER,
                       .next = MK_NEXT_GONE};
    mk_device_loop(&device);
    g_free(device.buffer);
    g_free(device.image_list);
    g_atomic_int_set(&agent_is_over, 1);
    return device.gone && !device.over ? MK_NEXT_GONE : device.next;
}

static inline void agent_run(Agent *agent)
{
    g_autoptr(GError) error = NULL;
    agent->folder = g_dir_make_tmp("medik-legacy-XXXXXX", NULL);
    agent->device.machine.high_speed = agent->device.machine.dram_up = true;
    agent->device.machine.chip = mk_chip_open(&agent->device.model, agent->folder, true, &error);
    g_assert_no_error(error);
    g_atomic_int_set(&agent_is_over, 0);
    device_start(&agent->device, agent_loop);
}

/* A chip of a few MiB on a chip of that code. */
static inline void agent_start(Agent *agent, uint16_t hw_code, unsigned release)
{
    static const uint8_t cid[] = {0x15, 1, 0, 'R', '8', 'U', '3', '3', 'M', 0x42, 0x20, 0xA1, 0xB2, 0xC3, 0xD4, 0x40};
    *agent = (Agent){0};
    MkModel *model = &agent->device.model;
    model->soc = mk_soc_by_code(hw_code, 0);
    model->hw_code = hw_code;
    model->geometry = (MkGeometry){.storage = MK_STORAGE_EMMC,
                                   .boot1 = 0x40000,
                                   .boot2 = 0x40000,
                                   .rpmb = 0x20000,
                                   .user = 0x4000000,
                                   .sector = 512};
    memcpy(model->cid, cid, sizeof cid);
    model->dram_size = 0x40000000;
    model->emi_version = 12;
    model->emmc_can_erase = true;
    model->table = MK_TABLE_MBR;
    agent_release = release;
    agent_run(agent);
}

static inline void agent_start_model(Agent *agent, const char *name, unsigned release)
{
    g_autoptr(GError) error = NULL;
    *agent = (Agent){.loaded = mk_model_load(name, &error)};
    g_assert_no_error(error);
    agent->device.model = *agent->loaded;
    agent_release = release;
    agent_run(agent);
}

static inline MkNext agent_end(Agent *agent)
{
    MkNext next = device_end(&agent->device);
    g_autoptr(GDir) dir = g_dir_open(agent->folder, 0, NULL);
    mk_chip_free(agent->device.machine.chip);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(agent->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(agent->folder);
    g_free(agent->folder);
    g_clear_pointer(&agent->loaded, mk_model_free);
    return next;
}

static inline GByteArray *agent_bytes(const char *hex)
{
    GByteArray *bytes = g_byte_array_new();
    for (; *hex; hex++)
        if (g_ascii_isxdigit(hex[0])) {
            mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1])));
            hex++;
        }
    return bytes;
}

static inline void agent_say(Agent *agent, const char *hex)
{
    g_autoptr(GByteArray) bytes = agent_bytes(hex);
    device_send(&agent->device, bytes->data, bytes->len);
}

static inline void agent_hear(Agent *agent, const char *hex)
{
    g_autoptr(GByteArray) bytes = agent_bytes(hex);
    g_autofree uint8_t *got = g_malloc0(bytes->len + 1);
    size_t n = device_receive(&agent->device, got, bytes->len, DUE_MS);
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(text, "%02x", got[i]);
    if (n != bytes->len || (n && memcmp(got, bytes->data, n) != 0))
        g_test_message("expected %s, got %s", hex, text->str);
    g_assert_cmpmem(got, n, bytes->data, bytes->len);
}

static inline void agent_talk(Agent *agent, const char *out, const char *in)
{
    agent_say(agent, out);
    agent_hear(agent, in);
}

/* The agent is in its loop and has said nothing that was not expected. */
static inline void agent_is_idle(Agent *agent)
{
    agent_talk(agent, "72", "5A01");
}

static inline void agent_is_silent(Agent *agent)
{
    uint8_t byte;
    g_assert_cmpuint(device_receive(&agent->device, &byte, 1, QUIET_MS), ==, 0);
}

/* A packet of N counting bytes as 61 and 62 send it. */
static inline void agent_send_packet(Agent *agent, size_t n)
{
    g_autofree uint8_t *data = g_malloc(n);
    for (size_t i = 0; i < n; i++)
        data[i] = (uint8_t)i;
    g_autofree char *sum = g_strdup_printf("%04X", mk_sum16(0, data, n));
    agent_say(agent, "5A");
    device_send(&agent->device, data, n);
    agent_say(agent, sum);
}
