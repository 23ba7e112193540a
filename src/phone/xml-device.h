/* The phone's end of the XML agent protocol, inside (spec da-xml.md; agents.md and hosts.md where they disagree).
 *
 * `MkModel.flavour` says which agent it is: "2022" (or nothing) that of MT6895, which was run; "2023" that of MT6886, of which the texts are
 * known: other documents, same commands; "2024" one that also has what section 6 lists as missing in these two. */
#pragma once

#include "phone/frame.h"
#include "phone/machine.h"
#include "proto/xml.h"

#include <libxml/tree.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

typedef enum { MK_XML_2022, MK_XML_2023, MK_XML_2024 } MkXmlYear;

#define MK_XML_CANCELLED "Host notice error or user canceled.\r\n"

typedef struct _MkXml MkXml;
struct _MkXml {
    MkMachine *machine;
    const MkModel *model;
    MkChip *chip;
    MkWire *wire;
    MkXmlYear year;
    unsigned stage; /* 1 or 2 */
    bool gone;      /* the wire or the power ended: every further take fails and every put does nothing */
    bool over;      /* the agent is, `next` says what follows */
    MkNext next;
    bool with_dram;  /* NOTIFY-INIT-HW starts it */
    bool locked;     /* waits for the answer to its challenge */
    MkLayout *table; /* the phone's, as it was when this stage began; NULL: no good copy */
    uint8_t challenge[16];
    /* what the host has set */
    bool usb_sums, storage_sums, log_to_usb, linux_host;
    unsigned log_level; /* 0 TRACE ... 4 ERROR */
    MkNext mode;        /* SET-BOOT-MODE: where a reboot goes */
    GString *feedback;  /* items of GET-DOWNLOADED-IMAGE-FEEDBACK */
    /* the command that runs */
    xmlDoc *command;
    const char *result;      /* of END */
    char *message;           /* likewise */
    void (*after)(MkXml *x); /* is done when the host has answered END */
    uint8_t *buffer;         /* grows with the packets */
    size_t buffer_size;
};

/* --- xml.c --- */
/* END will say so; the first failure of a command counts. */
void mk_xml_fail(MkXml *x, const char *format, ...) G_GNUC_PRINTF(2, 3);
void mk_xml_leave(MkXml *x, MkNext next, const char *how);

/* --- xml-frame.c: what passes --- */
void mk_xml_put(MkXml *x, const void *data, size_t length);
void mk_xml_put_text(MkXml *x, const char *text); /* with its NUL */
/* A document of the device: command and the inside of its arg element, NULL: it has none. */
void mk_xml_put_document(MkXml *x, const char *command, const char *arg);
typedef enum { MK_XML_YES, MK_XML_NO, MK_XML_BROKEN } MkXmlAnswer;
/* YES: it begins with OK; *value (may be NULL) is what stands behind its first '@', caller frees, NULL: nothing. */
MkXmlAnswer mk_xml_take_answer(MkXml *x, char **value);
/* A frame of at most ROOM bytes into `buffer`. */
MkXmlAnswer mk_xml_take_frame(MkXml *x, size_t room, size_t *length);
uint8_t *mk_xml_buffer(MkXml *x, size_t length);
/* A line for the host, if it wants lines of that level. */
void mk_xml_say(MkXml *x, unsigned level, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* --- xml-document.c: what the host's documents say --- */
/* NULL: no document of a command. */
xmlDoc *mk_xml_parse(const void *data, size_t length);
char *mk_xml_command_name(const xmlDoc *document); /* NULL: none. Caller frees, as below. */
unsigned mk_xml_version(const xmlDoc *document, unsigned *minor);
/* Text of an element of arg; NULL if it is not there. */
char *mk_xml_arg(const MkXml *x, const char *name);
/* The same, a failure of the command if it is not there. */
char *mk_xml_need(MkXml *x, const char *name);
char *mk_xml_advanced(const MkXml *x, const char *name); /* of adv */
/* 0x and hexadecimal. What is none is 0. */
uint64_t mk_xml_number(const char *text);
/* flash_list: pairs of name and file, NULL if there is no list. */
typedef struct {
    char *name, *file;
} MkXmlImage;
GPtrArray *mk_xml_flash_list(const MkXml *x);
GPtrArray *mk_xml_images_new(void);
void mk_xml_images_add(GPtrArray *images, const char *name, const char *file);
char *mk_xml_escape(const char *text);

/* --- xml-transfer.c: the building blocks of section 5 --- */
uint32_t mk_xml_upload_packet(const MkXml *x);
uint32_t mk_xml_download_packet(const MkXml *x);
/* Bytes of a region of the storage. */
typedef struct {
    MkRegion region;
    uint64_t offset, length;
} MkXmlRange;
void mk_xml_upload_text(MkXml *x, const char *info, const char *target, const char *text, bool with_nul);
void mk_xml_upload_range(MkXml *x, const char *info, const char *target, const MkXmlRange *range);
/* Takes what arrives, LENGTH bytes at POSITION; false: it could not be stored, which END tells after the last packet. */
typedef bool (*MkXmlSink)(MkXml *x, uint64_t position, const uint8_t *data, size_t length, void *user_data);
/* LIMIT: largest file. FLASH: packets are answered as those for the storage are. True: all of it came; the sink may still have failed. */
bool mk_xml_download(MkXml *x, const char *info, const char *source, uint64_t limit, bool flash, MkXmlSink sink,
                     void *user_data);
/* A file of at most LIMIT bytes in memory; NULL: failed. */
GByteArray *mk_xml_download_file(MkXml *x, const char *info, const char *source, uint64_t limit, bool flash);
void mk_xml_progress_begin(MkXml *x, const char *text);
void mk_xml_progress(MkXml *x, unsigned percent, const char *text);
void mk_xml_progress_end(MkXml *x);
/* What the host says about a file: NULL or the value behind OK@. Caller frees. */
char *mk_xml_ask_file(MkXml *x, const char *key, const char *path);

/* --- xml-stage1.c --- */
void mk_xml_set_runtime_parameter(MkXml *x);
void mk_xml_host_supported_commands(MkXml *x);
void mk_xml_notify_init_hw(MkXml *x);
void mk_xml_set_host_info(MkXml *x);
void mk_xml_boot_to(MkXml *x);
void mk_xml_ram_test(MkXml *x);
void mk_xml_dram_repair(MkXml *x);
void mk_xml_begin_stage(MkXml *x, unsigned stage);

/* --- xml-info.c --- */
void mk_xml_get_hw_info(MkXml *x);
void mk_xml_get_da_info(MkXml *x);
void mk_xml_get_sys_property(MkXml *x);
void mk_xml_read_partition_table(MkXml *x);
void mk_xml_emmc_control(MkXml *x);
void mk_xml_get_feedback(MkXml *x);

/* --- xml-storage.c: by address --- */
bool mk_xml_has_storage(const MkXml *x);
/* True: the storage said yes. GONE ends everything. */
bool mk_xml_stored(MkXml *x, MkChipResult result);
/* Erases behind a PROGRESS-REPORT. False: failed, with an empty message. */
bool mk_xml_erase(MkXml *x, const MkXmlRange *range, const char *label);
/* An image on its way into RANGE, expanded if it is sparse, behind DOWNLOAD-FILE.
 * LARGEST: of what a sparse image may expand to; 0: as much as RANGE holds. False: failed. *SUM (may be NULL): of the words of the file. */
bool mk_xml_take_image(MkXml *x, const char *info, const char *source, const MkXmlRange *range, uint64_t largest,
                       uint32_t *sum);
void mk_xml_read_flash(MkXml *x);
void mk_xml_write_flash(MkXml *x);
void mk_xml_erase_flash(MkXml *x);

/* --- xml-names.c: by name --- */
void mk_xml_read_partition(MkXml *x);
void mk_xml_write_partition(MkXml *x);
void mk_xml_erase_partition(MkXml *x);
/* One image by the name of its partition, all of section 8.13. SUFFIX: " [1/3]" or nothing. False: failed. */
bool mk_xml_write_image(MkXml *x, const char *name, const char *file, const char *suffix, bool erase_first);

/* --- xml-compound.c: by scatter --- */
void mk_xml_write_partitions(MkXml *x);
void mk_xml_flash_all(MkXml *x);
void mk_xml_flash_update(MkXml *x);

/* --- xml-security.c --- */
void mk_xml_set_all_in_one_signature(MkXml *x);
void mk_xml_get_dev_fw_info(MkXml *x);
void mk_xml_set_flash_policy(MkXml *x);
void mk_xml_set_rsc(MkXml *x);
void mk_xml_write_private_cert(MkXml *x);

/* --- xml-power.c --- */
void mk_xml_reboot(MkXml *x);
void mk_xml_set_boot_mode(MkXml *x);
void mk_xml_can_higher_usb_speed(MkXml *x);
void mk_xml_switch_usb_speed(MkXml *x);
