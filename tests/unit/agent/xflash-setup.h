/* What a test needs to open an XFlash agent: a DA file with one entry, the setup, and scripts of frames. */
#pragma once

#include "agent/agent.h"
#include "container.h"
#include "script.h"

#define XFLASH_LABEL      "MTK_AllInOne_DA_v3.3001.2020/07/07.10:10_513994"
#define XFLASH_LABEL_2015 "MTK_AllInOne_DA_v5.1540.00.00"
#define XFLASH_STAGE2     0x2000u /* bytes that BOOT_TO takes; the file holds a signature behind them */

typedef struct {
    MkSoc soc;
    MkAgentFile *file;
    MkAgentSetup setup;
} XFlashSetup;

/* STAGE2: bytes without the signature. */
static inline XFlashSetup *xflash_setup_new(const char *label, uint16_t chip, uint32_t stage2)
{
    ContainerEntry entry = {.hw_code = chip,
                            .content = "\xEF\xEE\xEE\xFE",
                            .addresses = {0x50000000, 0x200000, 0x40000000},
                            .lengths = {0x40, 0x1000, stage2 + 0x100},
                            .signature_length = 0x100};
    Container container = {label, 4, 64, &entry, 1};
    g_autoptr(GBytes) bytes = container_build(&container);
    XFlashSetup *setup = g_new0(XFlashSetup, 1);
    setup->soc = (MkSoc){.hw_code = chip, .da_code = chip, .names = "test chip"};
    setup->file = mk_agent_file_parse(bytes, "DA.bin", NULL, NULL);
    g_assert_nonnull(setup->file);
    setup->setup = (MkAgentSetup){.soc = &setup->soc,
                                  .hw_code = chip,
                                  .from_preloader = true,
                                  .file = setup->file,
                                  .entry = &g_array_index(setup->file->entries, MkAgentEntry, 0)};
    return setup;
}

static inline void xflash_setup_free(XFlashSetup *setup)
{
    mk_agent_file_free(setup->file);
    g_clear_pointer(&setup->setup.emi, g_bytes_unref);
    g_free(setup);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XFlashSetup, xflash_setup_free)

/* A DRAM-settings block of SIZE bytes in all. */
static inline GBytes *xflash_emi(size_t size)
{
    GByteArray *block = g_byte_array_new();
    mk_put_text(block, "MTK_BLOADER_INFO_v36", 0x6C);
    mk_put_le32(block, 1);
    mk_put_fill(block, 0x36, size - block->len);
    return g_byte_array_free_to_bytes(block);
}

/* One frame: its header and its payload, which the host has to send as a transfer of its own. */
static inline ScriptStep *xflash_script_frame(GArray *steps, bool from_host, GBytes *payload)
{
    GByteArray *header = g_byte_array_new();
    mk_put_le32(header, 0xFEEEEEEF);
    mk_put_le32(header, 1);
    mk_put_le32(header, (uint32_t)g_bytes_get_size(payload));
    script_add(steps, from_host, g_byte_array_free_to_bytes(header));
    ScriptStep *step = script_add(steps, from_host, payload);
    step->bulk = from_host;
    return step;
}

/* The reports of spec 11: boot1, boot2 and RPMB of 4 MiB, a user area of 64 MiB, worn by a tenth; LUs of 4, 4 and 64 MiB in blocks of 4096. */
static inline void xflash_put_emmc(GByteArray *bytes, uint64_t rpmb, uint64_t user, const uint8_t cid[16], uint8_t life)
{
    const uint64_t sizes[8] = {0x400000, 0x400000, rpmb, 0, 0, 0, 0, user};
    mk_put_le32(bytes, 1);
    mk_put_le32(bytes, 512);
    for (unsigned i = 0; i < 8; i++)
        mk_put_le64(bytes, sizes[i]);
    g_byte_array_append(bytes, cid, 16);
    mk_put_fill(bytes, 0, 8);
    mk_put_fill(bytes, life, 3);
    mk_put_u8(bytes, 0);
    mk_put_le32(bytes, life);
    g_assert_cmpuint(bytes->len, ==, 0x68);
}

static inline void xflash_put_emmc_of_vectors(GByteArray *bytes)
{
    static const uint8_t cid[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    xflash_put_emmc(bytes, 0x400000, 0x4000000, cid, 1);
}

/* The recordings have its first and last bytes, and its CRC-32. */
static inline void xflash_put_emmc_of_recordings(GByteArray *bytes)
{
    static const uint8_t cid[16] = {0x15, 0x01, 0x00, 0x52, 0x38, 0x55, 0x33, 0x4D,
                                    0x42, 0x20, 0xA1, 0xB2, 0xC3, 0xD4, 0x40, 0x00};
    xflash_put_emmc(bytes, 0x80000, 0x40000000, cid, 0);
    g_assert_cmphex(mk_crc32(0, bytes->data, bytes->len), ==, 0x06C5B548);
}

static inline void xflash_put_ufs(GByteArray *bytes)
{
    mk_put_le32(bytes, 0x30);
    mk_put_le32(bytes, 4096);
    mk_put_le64(bytes, 0x400000);
    mk_put_le64(bytes, 0x400000);
    mk_put_le64(bytes, 0x4000000);
    mk_put_le16(bytes, 0x01CE);
    mk_put_text(bytes, "KM2V8001CM", 20);
    mk_put_fill(bytes, 2, 8);
    mk_put_fill(bytes, 'A', 132);
    mk_put_u8(bytes, 1);
    mk_put_u8(bytes, 3);
    mk_put_u8(bytes, 2);
    mk_put_fill(bytes, 0, 3);
    mk_put_le32(bytes, 2);
    mk_put_fill(bytes, 0, 4);
    g_assert_cmpuint(bytes->len, ==, 0xD0);
}

/* "ST:SECTION:ADDRESS:LENGTH:SIZE", hexadecimal. */
static inline void xflash_put_range(GByteArray *bytes, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, ":", -1);
    mk_put_le32(bytes, (uint32_t)g_ascii_strtoull(words[0], NULL, 16));
    mk_put_le32(bytes, (uint32_t)g_ascii_strtoull(words[1], NULL, 16));
    mk_put_le64(bytes, g_ascii_strtoull(words[2], NULL, 16));
    mk_put_le64(bytes, g_ascii_strtoull(words[3], NULL, 16));
    mk_put_fill(bytes, 0, (words[4] ? g_ascii_strtoull(words[4], NULL, 16) : 56) - bytes->len);
}

/* The u32 VALUE, or a text, or hex bytes, or a pattern as a payload: "10009" (up to 8 digits: a number), "=text", ":0102", "P(512)", "*4096"
 * (any bytes), "Z(104)" zeros, "@emmc", "@ufs", "@1:8:200:200" a range. */
static inline GBytes *xflash_script_payload(const char *word)
{
    GByteArray *bytes = g_byte_array_new();
    if (*word == '=') {
        mk_put_text(bytes, word + 1, strlen(word + 1));
    } else if (*word == ':') {
        for (const char *digits = word + 1; *digits; digits += 2)
            mk_put_u8(bytes, (uint8_t)(g_ascii_xdigit_value(digits[0]) << 4 | g_ascii_xdigit_value(digits[1])));
    } else if (*word == 'P' || *word == '*') {
        unsigned count = (unsigned)g_ascii_strtoull(word + (*word == 'P' ? 2 : 1), NULL, 0);
        for (unsigned i = 0; i < count; i++)
            mk_put_u8(bytes, (uint8_t)i);
    } else if (*word == 'Z') {
        mk_put_fill(bytes, 0, g_ascii_strtoull(word + 2, NULL, 0));
    } else if (strcmp(word, "@emmc") == 0) {
        xflash_put_emmc_of_vectors(bytes);
    } else if (strcmp(word, "@emmc-2020") == 0) {
        xflash_put_emmc_of_recordings(bytes);
    } else if (strcmp(word, "@ufs") == 0) {
        xflash_put_ufs(bytes);
    } else if (*word == '@') {
        xflash_put_range(bytes, word + 1);
    } else {
        mk_put_le32(bytes, (uint32_t)g_ascii_strtoull(word, NULL, 16));
    }
    return g_byte_array_free_to_bytes(bytes);
}

/* "H> 10009 D> 0 H> 4000A D> 0 =brom 0 ...": every word is a frame; "!" is the bare byte C0. */
static inline void xflash_script_parse(GArray *steps, const char *text)
{
    g_auto(GStrv) words = g_strsplit_set(text, " \n", -1);
    bool from_host = true;
    for (char **word = words; *word; word++) {
        if (**word == '\0')
            continue;
        if ((*word)[1] == '>')
            from_host = **word == 'H';
        else if (**word == '!')
            script_parse(steps, "D> C0");
        else
            xflash_script_frame(steps, from_host, xflash_script_payload(*word))->any = **word == '*';
    }
}
