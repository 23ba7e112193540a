/* The XML dialect, inside (spec da-xml.md, agents.md, hosts.md). Only the files xml*.c and agent.c include this. */
#pragma once

#include "agent/agent.h"
#include "agent/frame.h"
#include "core/bytes.h"
#include "proto/xml.h"

#include <libxml/tree.h>

/* ms. The genuine library waits 120 s for everything (spec 2). */
#define XML_TIMEOUT       10000  /* a short answer */
#define XML_TIMEOUT_READY 30000  /* a stage comes up */
#define XML_TIMEOUT_BULK  60000  /* a packet */
#define XML_TIMEOUT_FINAL 120000 /* DRAM; what is still being written when the last packet was taken */

/* Names under which the agent may ask for what a command is about (spec 3.3). */
#define XML_IMAGE "image.img"
#define XML_DUMP  "dump.bin"
#define XML_PAGE  "MEM://0x1:0x2000"
#define XML_STAGE "MEM://0x1000:0x%" G_GINT64_MODIFIER "x"

typedef struct {
    MkAgent base;
    MkFrames frames; /* its cancellable is the user's while opening, none in the command loop */
    unsigned stage;  /* 1 or 2: which stage is in its command loop */
    bool may_repeat; /* the agent's START may come once more (after a change of the cable's speed) */
} MkXml;

/* --- xml-document.c: documents, built and read with libxml2 (spec 2.2, 3). --- */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

typedef struct {
    const char *name, *value;
} XmlArgument;

/* A command as it travels, without its NUL. ARGUMENTS and ADVANCED (may be NULL: no such element) end with a NULL name. Caller frees. */
char *xml_build(const char *command, const char *version, const XmlArgument *arguments, const XmlArgument *advanced);
/* NULL if it is no whole document, or one with a document type: no agent sends that, and entities would come with it. */
xmlDoc *xml_parse(const char *text, size_t length);
bool xml_is_named(const xmlNode *node, const char *name);
/* The first child element of that name, or NULL; PARENT may be NULL. */
const xmlNode *xml_child(const xmlNode *parent, const char *name);
/* The text of an element (may be NULL), stripped, at most 4 KiB. Caller frees. */
char *xml_content(const xmlNode *node);
/* The text of that child, NULL if there is none. Caller frees. */
char *xml_text(const xmlNode *parent, const char *name);
/* The same, of the first such element at any depth. */
char *xml_text_anywhere(const xmlNode *parent, const char *name);
char *xml_attribute(const xmlNode *node, const char *name);
/* "0x1F" or "31"; the whole text. TEXT may be NULL. */
bool xml_number(const char *text, uint64_t *value);
/* The bytes that hexadecimal digits stand for; their count, 0 if TEXT is something else or longer than ROOM. */
size_t xml_hex(const char *text, uint8_t *bytes, size_t room);
/* The value of one item of a sys_prop document (spec 8.4), or NULL. Caller frees. */
char *xml_property(GBytes *document, const char *key);

/* --- xml-io.c: frames as texts. A fault makes the agent lost. --- */
bool xml_say(MkXml *xml, const char *text, GError **error);
/* Says "OK@0x…". */
bool xml_say_number(MkXml *xml, uint64_t value, GError **error);
/* The next frame as text, cut at its first NUL. Caller frees. */
char *xml_hear(MkXml *xml, int timeout, GError **error);
bool xml_is_ok(const char *text);
bool xml_is_document(const char *text);
/* What stands behind the first '@', as a number; 0 if there is none. */
uint64_t xml_answer_number(const char *text);
/* TEXT is not what the protocol allows here: the agent is lost; always false. */
bool xml_unexpected(MkXml *xml, const char *text, const char *doing, GError **error);
bool xml_stopped(MkXml *xml, GError **error);
/* The command that a document of the agent's is about; NULL if it is no such document. Caller frees. */
char *xml_command_of(const char *text);
/* Waits for CMD:START and answers it. */
bool xml_await_start(MkXml *xml, const char *doing, int timeout, GError **error);

/* --- xml-command.c: a whole command, from its document to the next START (spec 3, 5) --- */
typedef struct _XmlPackets XmlPackets;

/* What the agent may deliver as the command's target_file; it may deliver nothing else. */
typedef struct {
    uint64_t most; /* bytes; more are refused */
    bool exact;    /* neither more nor fewer */
    MkSinkFunc sink;
    gpointer user_data;
} XmlTaken;

typedef enum { XML_THEN_START, XML_THEN_STAGE2, XML_THEN_NOTHING } XmlThen;

typedef struct {
    const char *name, *version; /* version NULL: 1.0 */
    const XmlArgument *arguments, *advanced;
    XmlPackets *given;     /* what the agent may fetch as the command's source_file, and nothing else; or NULL */
    const XmlTaken *taken; /* or NULL */
    const char *doing;     /* "reading user" */
    MkFault fallback;
    MkProgress *progress; /* or NULL */
    int timeout;          /* ms for what the agent does between two frames; 0: the usual */
    XmlThen then;
} XmlCommand;

/* Faults: UNSUPPORTED if the agent does not know the command, what the agent's message says, what went wrong in source or sink, STOPPED. The
 * agent stays usable unless it is lost. */
bool xml_run(MkXml *xml, const XmlCommand *command, GError **error);
/* A question that an agent may not know: then *ANSWER is NULL. ANSWER (may be NULL) gets what it uploaded. False only if the agent is lost or the
 * user stopped. */
bool xml_ask(MkXml *xml, const char *name, const XmlArgument *arguments, GBytes **answer, GError **error);
/* A question whose answer is a document with this root. NULL with *error. */
xmlDoc *xml_ask_document(MkXml *xml, const char *name, const XmlArgument *arguments, const char *root, MkFault fallback,
                         const char *doing, GError **error);
/* --- xml-packets.c: what a command gives, cut into packets --- */
/* LENGTH bytes, never 0. Takes the first ones from the source, so that nothing has been said to the phone if that fails. */
XmlPackets *xml_packets_new(uint64_t length, MkSourceFunc source, gpointer user_data, GError **error);
XmlPackets *xml_packets_of_bytes(GBytes *bytes); /* holds a reference */
void xml_packets_free(XmlPackets *packets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlPackets, xml_packets_free)
/* The next packet (borrowed until the one after it is asked for), at most MOST bytes; *LENGTH 0: all was given. */
const uint8_t *xml_packets_next(XmlPackets *packets, size_t most, size_t *length);
/* While the phone takes a packet: makes the next bytes ready. */
bool xml_packets_prepare(XmlPackets *packets, GError **error);
/* Ends them after LENGTH bytes, before the first is handed out. */
void xml_packets_cut(XmlPackets *packets, uint64_t length);
uint64_t xml_packets_length(const XmlPackets *packets);
uint64_t xml_packets_left(const XmlPackets *packets);
/* The first bytes of all, as far as they are there. */
const uint8_t *xml_packets_peek(const XmlPackets *packets, size_t *length);

/* --- xml-transfer.c: both directions of a file (spec 5.1, 5.2). --- */
typedef struct {
    MkXml *xml;
    const XmlCommand *command;
    GError *trouble;       /* what ends the command although the agent is in step: reported after its END */
    char *pending;         /* a document that came where an answer was awaited */
    bool refused;          /* the agent does not take the command */
    bool started;          /* it said START without ending the command */
    uint64_t moved, total; /* bytes of the file: gone over, announced */
    bool complete;         /* all of it went over */
} XmlRun;
/* What an agent may ask for is asked for; PACKET: the length that it announced. False if the agent is lost. */
bool xml_give(XmlRun *run, uint32_t packet, bool checked, GError **error);
bool xml_take(XmlRun *run, uint32_t packet, GError **error);
/* An answer; *TEXT is NULL if a document came instead, which is then pending. */
bool xml_hear_answer(XmlRun *run, char **text, int timeout, GError **error);

/* --- xml-messages.c: what the agent says in plain English (spec 11) --- */
void xml_message_fault(const char *message, MkFault fallback, const char *doing, GError **error);

/* --- xml-start.c, xml-sla.c, xml-info.c: opening --- */
bool xml_start(MkXml *xml, const MkAgentSetup *setup, MkProgress *progress, GError **error);
bool xml_authenticate(MkXml *xml, const MkSigner *signer, GError **error);
bool xml_describe(MkXml *xml, const MkAgentSetup *setup, GError **error);
bool xml_battery(MkAgent *agent, unsigned *millivolt, GError **error);

/* --- xml-area.c: what the agent calls a region (spec 7). NULL with *error if it has no name. --- */
const char *xml_area(MkRegion region, GError **error);

/* --- xml-read.c, xml-write.c, xml-erase.c, xml-table.c, xml-control.c: the table of functions --- */
bool xml_read(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSinkFunc sink, gpointer user_data,
              GError **error);
bool xml_upload(MkAgent *agent, const char *partition, MkSinkFunc sink, gpointer user_data, GError **error);
bool xml_write(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkSourceFunc source,
               gpointer user_data, GError **error);
bool xml_download(MkAgent *agent, const char *partition, uint64_t length, MkSourceFunc source, gpointer user_data,
                  GError **error);
bool xml_erase(MkAgent *agent, MkRegion region, uint64_t offset, uint64_t length, MkEraseMode mode, bool physical,
               MkProgress *progress, GError **error);
/* ms that the agent may be silent while it erases that many bytes. */
int xml_erase_timeout(uint64_t length);
bool xml_read_table(MkAgent *agent, MkLayout **layout, GError **error);
/* Bytes of the partition that the phone's table calls NAME. LAYOUT if it has none. */
bool xml_partition_size(MkXml *xml, const char *name, uint64_t *size, GError **error);
bool xml_high_speed(MkAgent *agent, bool *reenumerates, GError **error);
bool xml_finish(MkAgent *agent, MkAfter after, GError **error);

/* --- xml.c --- */
MkAgent *mk_xml_open(MkLink *link, const MkAgentSetup *setup, MkProgress *progress, GCancellable *cancel,
                     GError **error);
