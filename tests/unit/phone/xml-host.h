/* A phone with an XML agent on its own thread, and the test as a host that sends frames and looks at every byte of the answers. */
#pragma once

#include "layout/layout.h"
#include "proto/xml.h"
#include "xflash-host.h"

#define XML_USER   0x4000000u /* the user area of the model in da-xml-vectors.txt */
#define XML_PROLOG "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
#define XML_STAGE2 0x1400u

typedef struct {
    const char *flavour, *agent_key;
    bool emmc, from_rom, no_table, no_storage;
} XmlKind;

static const struct {
    const char *name;
    uint64_t start, size;
} xml_partitions[] = {{"proinfo", 0x8000, 0x8000},
                      {"misc", 0x10000, 0x80000},
                      {"boot_a", 0x100000, 0x200000},
                      {"super", 0x800000, 0x800000},
                      {"userdata", 0x1000000, 0x2000000}};

static bool xml_sums; /* the host asked for the sums of its packets to be checked */

static inline MkLayout *xml_layout(const MkGeometry *geometry)
{
    MkLayout *layout = mk_layout_new(MK_LAYOUT_GPT);
    layout->storage = geometry->storage;
    for (unsigned i = 0; i < G_N_ELEMENTS(xml_partitions); i++) {
        MkPartition *partition = mk_layout_add(layout, xml_partitions[i].name);
        partition->region = mk_geometry_main_region(geometry);
        partition->storage = geometry->storage;
        partition->start = partition->physical = partition->linear = xml_partitions[i].start;
        partition->size = xml_partitions[i].size;
        partition->resolved = true;
    }
    return layout;
}

static inline void xml_put_table(Host *host)
{
    const MkGeometry *geometry = &host->device.model.geometry;
    g_autoptr(GError) error = NULL;
    g_autoptr(MkLayout) layout = xml_layout(geometry);
    g_autoptr(GPtrArray) patches = mk_gpt_encode(layout, geometry, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < patches->len; i++) {
        MkPatch *patch = patches->pdata[i];
        gsize length;
        const void *data = g_bytes_get_data(patch->data, &length);
        mk_chip_write(host->device.machine.chip, patch->region, patch->offset, data, length);
    }
}

static inline void xml_fill_model(Host *host, const XmlKind *kind)
{
    static const uint8_t random_id[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                        0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};
    static const uint8_t product[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF};
    MkModel *model = &host->device.model;
    *model = (MkModel){.hw_code = 0x1172,
                       .soc = mk_soc_by_code(0x1172, 0),
                       .flavour = (char *)kind->flavour,
                       .agent_key = (char *)kind->agent_key,
                       .dialect = MK_DA_XML,
                       .dram_size = UINT64_C(0x80000000),
                       .table = MK_TABLE_GPT,
                       .ufs_model = (char *)"TESTUFSCID0123456789",
                       .life_a = 1,
                       .life_b = 1,
                       .pre_eol = 1};
    memcpy(model->chip_id, random_id, 16);
    memcpy(model->me_id, product, 8);
    memcpy(model->me_id + 8, product, 8);
    memcpy(model->cid, "\x15\x01\0TEST00", 9);
    model->geometry =
        kind->emmc ? (MkGeometry){.storage = MK_STORAGE_EMMC,
                                  .boot1 = 0x400000,
                                  .boot2 = 0x400000,
                                  .rpmb = 0x80000,
                                  .user = XML_USER,
                                  .sector = 512}
                   : (MkGeometry){.storage = MK_STORAGE_UFS, .lu = {0x400000, 0x400000, XML_USER}, .sector = 4096};
}

/* Not running yet. */
static inline void xml_prepare(Host *host, const XmlKind *kind)
{
    g_autoptr(GError) error = NULL;
    *host = (Host){.folder = g_dir_make_tmp("medik-xml-XXXXXX", NULL)};
    xml_fill_model(host, kind);
    host->device.machine.chip = mk_chip_open(&host->device.model, host->folder, true, &error);
    g_assert_no_error(error);
    if (!kind->no_table)
        xml_put_table(host);
    mk_chip_set_absent(host->device.machine.chip, kind->no_storage);
    for (size_t i = 0; i < sizeof host->stage2; i++)
        host->stage2[i] = (uint8_t)i;
    host->device.machine.da = host_stage1(host->stage2, XML_STAGE2);
    host->device.machine.dram_up = !kind->from_rom;
    host->device.machine.battery = true;
    host->device.machine.battery_mv = 3810;
}

static inline void xml_start(Host *host)
{
    device_start(&host->device, mk_xml_run);
}

static inline void xml_begin(Host *host, const XmlKind *kind)
{
    xml_prepare(host, kind);
    xml_start(host);
}

/* --- texts and documents --- */

static inline void xml_say(Host *host, const char *text)
{
    host_send(host, text, strlen(text) + 1);
}

#define xml_ok(HOST) xml_say(HOST, "OK")

/* The next frame has this text, with its NUL. */
static inline void xml_wants(Host *host, const char *text)
{
    g_autoptr(GByteArray) frame = host_frame(host);
    mk_put_u8(frame, 0);
    g_assert_cmpstr((const char *)frame->data, ==, text);
    g_assert_cmpuint(frame->len, ==, strlen(text) + 2);
}

/* A document of the device, and OK for it. ARG NULL: it has none. */
static inline void xml_wants_document(Host *host, const char *command, const char *arg)
{
    g_autofree char *text =
        g_strdup_printf(XML_PROLOG "<host><version>1.0</version><command>CMD:%s</command>%s%s%s</host>", command,
                        arg ? "<arg>" : "", arg ? arg : "", arg ? "</arg>" : "");
    xml_wants(host, text);
    xml_ok(host);
}

static inline void xml_wants_start(Host *host)
{
    xml_wants_document(host, "START", NULL);
}

/* END with this, and the START behind it. */
static inline void xml_wants_end(Host *host, const char *result, const char *message)
{
    g_autofree char *arg = g_strdup_printf("<result>%s</result><message>%s</message>", result, message);
    xml_wants_document(host, "END", arg);
    xml_wants_start(host);
}

static inline void xml_order(Host *host, const char *version, const char *command, const char *inside)
{
    g_autofree char *text = g_strdup_printf(XML_PROLOG "<da><version>%s</version><command>CMD:%s</command>%s</da>",
                                            version, command, inside);
    xml_say(host, text);
}

/* A command that is known. */
static inline void xml_command(Host *host, const char *command, const char *arg)
{
    g_autofree char *inside = g_strdup_printf("<arg>%s</arg>", arg);
    xml_order(host, "1.0", command, inside);
    xml_wants(host, "OK");
}

static inline void xml_refused(Host *host, const char *command, const char *arg, const char *message)
{
    xml_command(host, command, arg);
    xml_wants_end(host, "ERR", message);
}

static inline void xml_unknown(Host *host, const char *command)
{
    xml_order(host, "1.0", command, "<arg></arg>");
    xml_wants(host, "ERR!UNSUPPORTED");
    xml_wants_end(host, "ERR!UNSUPPORTED", "Unsupported command.");
}

/* --- building blocks --- */

static inline void xml_wants_upload(Host *host, const char *info, const char *target, unsigned packet)
{
    g_autofree char *arg = g_strdup_printf("<checksum>CHK_NO</checksum><info>%s</info><target_file>%s</target_file>"
                                           "<packet_length>0x%x</packet_length>",
                                           info, target, packet);
    xml_wants_document(host, "UPLOAD-FILE", arg);
}

/* A document or text that the device sends, up to START. Caller frees. */
static inline char *xml_upload_text(Host *host, const char *info, const char *target, unsigned packet)
{
    xml_wants_upload(host, info, target, packet);
    g_autoptr(GByteArray) total = host_frame(host);
    xml_ok(host);
    xml_wants(host, "OK");
    xml_ok(host);
    g_autoptr(GByteArray) data = host_frame(host);
    xml_ok(host);
    g_autofree char *told = g_strdup_printf("OK@0x%x", data->len);
    g_assert_cmpstr((const char *)total->data, ==, told);
    xml_wants_end(host, "OK", "");
    return g_strndup((const char *)data->data, data->len);
}

/* DOWNLOAD-FILE, up to the device's OK to the length. */
static inline void xml_offer(Host *host, const char *info, const char *source, unsigned packet, uint64_t length)
{
    g_autofree char *arg = g_strdup_printf("<checksum>%s</checksum><info>%s</info><source_file>%s</source_file>"
                                           "<packet_length>0x%x</packet_length>",
                                           xml_sums ? "CHK_ADD" : "CHK_NO", info, source, packet);
    g_autofree char *total = g_strdup_printf("OK@0x%" G_GINT64_MODIFIER "x", length);
    xml_wants_document(host, "DOWNLOAD-FILE", arg);
    xml_say(host, total);
}

static inline void xml_packet(Host *host, const void *data, size_t length, const char *status)
{
    uint32_t sum = 0;
    for (size_t i = 0; xml_sums && i + 4 <= length; i += 4)
        sum += mk_le32((const uint8_t *)data + i);
    g_autofree char *told = g_strdup_printf("OK@0x%x", sum);
    xml_say(host, told);
    xml_wants(host, "OK");
    host_send(host, data, length);
    xml_wants(host, status);
}

/* A whole file in one packet. */
static inline void xml_give(Host *host, const char *info, const char *source, const void *data, size_t length)
{
    xml_offer(host, info, source, MK_XML_DOWNLOAD_PACKET, length);
    xml_wants(host, "OK");
    xml_packet(host, data, length, "OK@0x0");
}

static inline void xml_wants_progress(Host *host, const char *label)
{
    g_autofree char *arg = g_strdup_printf("<message>%s</message>", label);
    xml_wants_document(host, "PROGRESS-REPORT", arg);
    xml_wants(host, "OK!EOT");
    xml_ok(host);
}

/* A question about a file, and both answers. */
static inline void xml_wants_question(Host *host, const char *key, const char *path, const char *answer)
{
    g_autofree char *arg = g_strdup_printf("<key>%s</key><file_path>%s</file_path>", key, path);
    xml_wants_document(host, "FILE-SYS-OPERATION", arg);
    xml_say(host, answer);
}

/* --- on the way --- */

#define XML_PARAMETERS(CHECKSUM, LEVEL, CHANNEL, OS)                                                                   \
    "<checksum_level>" CHECKSUM "</checksum_level><battery_exist>AUTO-DETECT</battery_exist><da_log_level>" LEVEL      \
    "</da_log_level><log_channel>" CHANNEL "</log_channel><system_os>" OS "</system_os>"

static inline void xml_set(Host *host, const char *parameters)
{
    xml_command(host, "SET-RUNTIME-PARAMETER", parameters);
    xml_wants_end(host, "OK", "");
}

static inline void xml_send_stage2(Host *host, const void *stage2, size_t length)
{
    xml_command(
        host, "BOOT-TO",
        "<at_address>0x40000000</at_address><jmp_address>0x40000000</jmp_address><source_file>da2</source_file>");
    xml_offer(host, "2nd-DA", "da2", MK_XML_STAGE1_PACKET, length);
    xml_wants(host, "OK");
    for (size_t done = 0; done < length; done += MK_XML_STAGE1_PACKET)
        xml_packet(host, (const uint8_t *)stage2 + done, MIN(MK_XML_STAGE1_PACKET, length - done), "OK");
}

static inline void xml_enter_stage2(Host *host)
{
    xml_send_stage2(host, host->stage2, XML_STAGE2);
    xml_wants_end(host, "OK", "");
}

/* In stage 2 of a phone that its preloader started, with these parameters; the host has just answered START. */
static inline void xml_ready(Host *host, const XmlKind *kind, const char *parameters)
{
    xml_begin(host, kind);
    xml_wants_start(host);
    xml_set(host, parameters);
    xml_enter_stage2(host);
}

#define XML_USUAL XML_PARAMETERS("NONE", "INFO", "UART", "LINUX")
