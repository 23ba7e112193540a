/* From a silent port to a running agent: the start handshake with BootROM and preloader, what they tell about the phone, owner-supplied
 * authentication, sending and starting the first stage, and the boot-mode tokens (spec brom.md).  Every refusal becomes a fault with its
 * cause and cure. */
#pragma once

#include "core/fault.h"
#include "link/link.h"
#include "soc/soc.h"

typedef enum { MK_STAGE_BOOTROM, MK_STAGE_PRELOADER } MkStage;

typedef struct {
    MkStage stage;
    uint16_t hw_code, hw_sub_code, hw_version, sw_version;
    uint8_t brom_version;   /* FF; 0 on a preloader */
    uint8_t bl_version;     /* FE: 1..3 preloader, 0xFE BootROM */
    uint32_t target_config; /* D8; MK_CONFIG_* in proto/bootrom.h */
    uint32_t pl_cap;        /* FB, 0 = not asked */
    GBytes *me_id, *soc_id; /* or NULL */
    const MkSoc *soc;       /* NULL: chip unknown to us */
    bool watchdog_off;
} MkTarget;

void mk_target_free(MkTarget *target);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MkTarget, mk_target_free)
/* "secure boot on, DA must be signed": the D8 bits in words, translated. Caller frees. */
char *mk_target_config_words(uint32_t config);

typedef struct {
    int timeout; /* ms for the whole handshake on this port, MK_FOREVER = until cancelled; spec says 10 s per port */
    const char *auth_path;    /* owner's auth file, or NULL */
    const char *cert_path;    /* owner's certificate, or NULL */
    const char *key_path;     /* owner's RSA private key (PEM) for the SLA challenge, or NULL */
    const char *sign_command; /* external program: challenge on stdin, answer on stdout; or NULL */
} MkBootOptions;

/* Start handshake (spec brom.md 4.4), identification in the order of genuine hosts, watchdog off. Closes nothing. Faults: SILENT, GONE, PROTOCOL,
 * STOPPED. A port already in its command loop is recognised. */
MkTarget *mk_boot_connect(MkLink *link, const MkBootOptions *options, GCancellable *cancel, GError **error);

/* Waits for PORT to appear (again and again, the phone may come and go), opens it and connects, within TIMEOUT ms. The link is handed over in
 * *link. Follows a preloader that asserts into BootROM. CON_NONE when the time is over; CON_FLAP with the rhythm when it kept
 * coming and going without ever answering. STATE (may be NULL) is called with words for the user ("waiting", "preloader seen", ...). */
typedef void (*MkBootStateFunc)(const char *state, gpointer user_data);
MkTarget *mk_boot_wait(const char *port, int timeout, const MkBootOptions *options, MkTrace *trace,
                       MkBootStateFunc state, gpointer user_data, MkLink **link, GCancellable *cancel, GError **error);

/* A phone that has answered and now waits for commands. */
typedef struct {
    MkLink *link;
    MkTarget *target;
} MkCaught;
void mk_caught_clear(MkCaught *caught);

/* Certificate, auth file and SLA as the target's configuration demands and the owner supplied (BootROM only, spec brom.md 6.9).
 * AUTH_NEEDED when the phone asks and nothing was given; nothing to do → true. */
bool mk_boot_authenticate(MkLink *link, MkTarget *target, const MkBootOptions *options, GCancellable *cancel,
                          GError **error);
/* SEND_DA with checksum check and status words explained. DA includes its signature. */
bool mk_boot_send_da(MkLink *link, MkTarget *target, uint32_t address, GBytes *da, uint32_t signature_length,
                     GCancellable *cancel, GError **error);
/* JUMP_DA; JUMP_DA64 if the first stage is 64-bit code (WIDE). */
bool mk_boot_jump_da(MkLink *link, uint32_t address, bool wide, GCancellable *cancel, GError **error);

/* Register access (spec brom.md 6.4): COUNT words. */
bool mk_boot_read32(MkLink *link, uint32_t address, uint32_t *values, unsigned count, GCancellable *cancel,
                    GError **error);
bool mk_boot_write32(MkLink *link, uint32_t address, uint32_t value, GCancellable *cancel, GError **error);

/* Boot modes through the preloader's tokens (spec brom.md 9). */
typedef enum {
    MK_MODE_META,
    MK_MODE_ADVANCED_META,
    MK_MODE_FACTORY,
    MK_MODE_ATE,
    MK_MODE_FASTBOOT,
    MK_MODE_NORMAL
} MkBootMode;
bool mk_boot_mode_from_name(const char *name, MkBootMode *mode);
/* Waits for a preloader on PORT, sends the token, does the parameter exchange, drops DTR. *answer gets what the preloader said. SEC_FORBIDDEN for
 * METAFORB; UNSUPPORTED for a preloader that boots on. Waits up to WAIT_PORT ms (0: not) for the port that appears afterwards (over USB: for
 * the same bus path in another mode); its name in *new_port (or NULL). */
bool mk_boot_mode(const char *port, MkBootMode mode, int timeout, int wait_port, MkTrace *trace, MkBootStateFunc state,
                  gpointer user_data, char **answer, char **new_port, GCancellable *cancel, GError **error);
