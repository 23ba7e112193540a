#include "core/fault.h"

#include "core/i18n.h"

#include <errno.h>
#include <gio/gio.h>

typedef struct {
    uint32_t number;
    const char *symbol; /* static */
} MkFaultPrivate;

static void mk_fault_private_init(MkFaultPrivate *private)
{
    *private = (MkFaultPrivate){0};
}

static void mk_fault_private_copy(const MkFaultPrivate *source, MkFaultPrivate *target)
{
    *target = *source;
}

static void mk_fault_private_clear(G_GNUC_UNUSED MkFaultPrivate *private)
{
}

G_DEFINE_EXTENDED_ERROR(MkFault, mk_fault)

typedef struct {
    const char *id;
    MkExit exit;
    const char *cause;
    const char *cure;
} Explanation;

static const Explanation explanations[MK_FAULT_N] = {
    [MK_FAULT_INTERNAL] = {"E-INTERNAL", MK_EXIT_INTERNAL, N_("Medik met something that it was not prepared for."),
                           N_("Keep the log (--log, --trace) and report it. Nothing more was done to the phone.")},
    [MK_FAULT_USAGE] = {"E-USAGE", MK_EXIT_USAGE, N_("The command line does not make sense as it stands."),
                        N_("See `medik VERB --help`; it shows an example that works.")},
    [MK_FAULT_DA_NOFILE] = {"E-DA-NOFILE", MK_EXIT_FILE,
                            N_("Medik needs a Download Agent file for this chip and found none. It is the maker's "
                               "program; Medik does not carry one."),
                            N_("Take MTK_AllInOne_DA.bin from the SP Flash Tool that came with the ROM and name it "
                               "with --da, or put it beside the scatter file.")},
    [MK_FAULT_DA_FORMAT] =
        {"E-DA-FORMAT", MK_EXIT_FILE, N_("The file is not a Download Agent container, or it was damaged on its way."),
         N_("Take the DA file from the SP Flash Tool folder again; it begins with MTK_DOWNLOAD_AGENT.")},
    [MK_FAULT_DA_CHIP] = {"E-DA-CHIP", MK_EXIT_NO_FIT,
                          N_("The DA file has no program for this phone's chip: it is too old or too new for it."),
                          N_("Use the DA file of the tool that came with this phone's ROM.")},
    [MK_FAULT_DA_SIGN] =
        {"E-DA-SIGN", MK_EXIT_AUTH, N_("The phone takes only a Download Agent that its maker signed."),
         N_("Only the maker or an authorised service can supply the signed DA. Medik does not go around that.")},
    [MK_FAULT_DA_VER] =
        {"E-DA-VER", MK_EXIT_PHONE_ERROR,
         N_("The Download Agent speaks another dialect than expected: it belongs to another tool generation."),
         N_("Use the DA file that came with this phone's ROM. Reset the phone (hold power 15 s or take the battery "
            "out) before the next try.")},
    [MK_FAULT_PL_EMI] = {"E-PL-EMI", MK_EXIT_PHONE_ERROR,
                         N_("The phone's main memory did not start: the memory settings (in the preloader file) are "
                            "missing or are another board's, or power is low."),
                         N_("Give the preloader file of exactly this model with --preloader, charge the battery, and "
                            "try another USB port.")},
    [MK_FAULT_CHIP] = {"E-CHIP", MK_EXIT_NO_FIT,
                       N_("The ROM or the DA was made for another chip than the one in this phone."),
                       N_("Stop here. Find the ROM for this phone's chip; writing this one would kill the phone.")},
    [MK_FAULT_STOR_MISMATCH] =
        {"E-STOR-MISMATCH", MK_EXIT_NO_FIT,
         N_("The ROM is for another kind of memory than this phone has; the model exists in two versions."),
         N_("Find the ROM of the variant with this phone's memory. Nothing was written.")},
    [MK_FAULT_STOR_NONE] = {"E-STOR-NONE", MK_EXIT_NO_FIT,
                            N_("The Download Agent found no usable memory chip: wrong DA or memory settings for this "
                               "board, low power, or a dead chip."),
                            N_("Never format now. Try with the battery charged or another USB port, another DA, the "
                               "preloader file of exactly this model; if the memory stays away it is hardware.")},
    [MK_FAULT_STOR_SMALL] = {"E-STOR-SMALL", MK_EXIT_NO_FIT,
                             N_("The ROM needs more memory than this phone has: it is for a bigger variant."),
                             N_("Find the ROM for the variant of this size.")},
    [MK_FAULT_LAYOUT] =
        {"E-LAYOUT", MK_EXIT_NO_FIT,
         N_("Partitions on the phone begin or end elsewhere than the ROM says: the phone was resized, "
            "or the ROM is for another variant."),
         N_("Choose: keep the phone's layout (--layout keep), or change to the ROM's with the identity carried over "
            "(--layout change or --scene upgrade; user data that move are lost: --erase-user-data). Only if the "
            "phone's table itself is what is wrong, repair it (medik table repair).")},
    [MK_FAULT_NO_PARTITION] = {"E-LAYOUT", MK_EXIT_NO_FIT,
                               N_("The name is mistyped, or this model calls the partition otherwise."),
                               N_("Look at the names (`medik table show`; for a scatter `medik table show FILE`) and "
                                  "give the command again. Nothing was written.")},
    [MK_FAULT_TABLE_NONE] = {"E-TABLE-NONE", MK_EXIT_NO_FIT,
                             N_("The phone's list of partitions is missing: a wrong ROM, a failed resize or an aborted "
                                "format destroyed it."),
                             N_("Do not format. Repair the table from the ROM's scatter file (medik table repair "
                                "--from SCATTER), then flash.")},
    [MK_FAULT_TABLE_BAD] = {"E-TABLE-BAD", MK_EXIT_PHONE_ERROR,
                            N_("The partition table is damaged or could not be read or written."),
                            N_("Look at it with `medik table check`; a good second copy or the ROM's scatter file can "
                               "restore it (medik table repair).")},
    [MK_FAULT_SCATTER] =
        {"E-SCATTER", MK_EXIT_FILE, N_("The scatter file is damaged, hand-edited, or no scatter file at all."),
         N_("`medik scatter check FILE` shows line and field; `medik scatter fix FILE` mends what can be mended.")},
    [MK_FAULT_FILE] = {"E-FILE", MK_EXIT_FILE,
                       N_("A file on this computer is missing, unreadable, in the way, or the disk is full."),
                       N_("Check the path, the rights and the free space.")},
    [MK_FAULT_IMAGE_KIND] = {"E-IMAGE-KIND", MK_EXIT_NO_FIT,
                             N_("The image is not what its partition needs, or it is damaged."),
                             N_("Download or unpack the ROM again; check that files were not renamed or mixed.")},
    [MK_FAULT_IMAGE_SIZE] = {"E-IMAGE-SIZE", MK_EXIT_NO_FIT,
                             N_("The image is larger than its partition: it is for another variant or another layout."),
                             N_("Use the ROM of this variant, or change the layout with a firmware upgrade.")},
    [MK_FAULT_AUTH_NEEDED] = {"E-AUTH-NEEDED", MK_EXIT_AUTH,
                              N_("The phone accepts only computers that its maker authorised."),
                              N_("Only the maker or an authorised service can supply the auth file, certificate or key "
                                 "(--auth, --cert, --key).")},
    [MK_FAULT_AUTH_WRONG] =
        {"E-AUTH-WRONG", MK_EXIT_AUTH,
         N_("The phone refused the auth file, certificate or key: it belongs to another maker or chip."),
         N_("Use the files that belong to this model.")},
    [MK_FAULT_SEC_FORBIDDEN] = {"E-SEC-FORBIDDEN", MK_EXIT_PHONE_ERROR, N_("The phone's own security forbids this."),
                                N_("Medik does not go around that. The maker's files, an authorised service or the "
                                   "official unlock can help.")},
    [MK_FAULT_CON_BUSY] = {"CON-BUSY", MK_EXIT_NO_PHONE, N_("Another program holds the port, or you may not open it."),
                           N_("`medik doctor` names it and the cure: stop ModemManager or the other tool, install the "
                              "udev rules, or add yourself to the group of the serial port (often dialout).")},
    [MK_FAULT_CON_NONE] = {"CON-NONE", MK_EXIT_NO_PHONE,
                           N_("No phone appeared: it was still on, the cable only charges, the window was missed, or "
                              "the wrong port was named."),
                           N_("Start the command first. Then, with the phone off, plug it in (BootROM: hold volume "
                              "down or up). Try another cable and a port directly on the computer. `medik watch` "
                              "shows what comes, `medik doctor` what stands in the way.")},
    [MK_FAULT_NO_BUS] =
        {"CON-NONE", MK_EXIT_NO_PHONE,
         N_("This system is a container or a virtual machine that was given no USB, or USB is switched off "
            "on this computer."),
         N_("Use the computer itself, or pass USB on to this system (`medik doctor` says how). Serial ports "
            "and sockets work without USB: --port /dev/ttyACM0, --port socket:HOST:PORT.")},
    [MK_FAULT_CON_MANY] =
        {"CON-MANY", MK_EXIT_NO_PHONE, N_("Several phones could be meant, and Medik never chooses."),
         N_("Name one with --port (`medik watch` shows them); many commands take them all with --all.")},
    [MK_FAULT_CON_FLAP] = {"CON-FLAP", MK_EXIT_NO_PHONE,
                           N_("The phone keeps coming and going: the battery is low, or it restarts by itself."),
                           N_("Charge it for 30 minutes, use another cable or port without a hub; take the battery out "
                              "and in if you can.")},
    [MK_FAULT_SILENT] =
        {"E-SILENT", MK_EXIT_NO_PHONE,
         N_("The phone is there but says nothing: it hangs, or an earlier session was left in the middle."),
         N_("Reset it (hold power 15 s, or take the battery out and in), then start the same command again; it "
            "continues where it stopped.")},
    [MK_FAULT_GONE] = {"E-GONE", MK_EXIT_NO_PHONE,
                       N_("The phone vanished from the port: the cable slipped, power broke down, or it restarted."),
                       N_("Plug it in again and start the same command; it continues where it stopped. Charge the "
                          "battery, use another cable or port without a hub.")},
    [MK_FAULT_PROTOCOL] =
        {"E-PROTOCOL", MK_EXIT_PHONE_ERROR,
         N_("The phone answered something that does not belong there: wrong DA generation, or bytes were lost."),
         N_("Reset the phone and try again; if it stays so, use the DA file that came with the ROM and keep a "
            "--trace.")},
    [MK_FAULT_OTHER_PHONE] = {"E-OTHER-PHONE", MK_EXIT_REFUSED,
                              N_("The phone on the port is not the one this job began with."),
                              N_("Connect the first phone again, or start a new job for this one.")},
    [MK_FAULT_READ] = {"E-READ", MK_EXIT_PHONE_ERROR,
                       N_("The phone could not read its own memory: a worn or dying chip, or power trouble."),
                       N_("Save what is readable (medik save maps unreadable sectors), then think of repair.")},
    [MK_FAULT_WRITE] =
        {"E-WRITE", MK_EXIT_PHONE_ERROR,
         N_("The phone could not write its memory: the chip is worn out, locked read-only, or power is low."),
         N_("Charge the battery and try once more; if it repeats, the memory chip is at its end: save your data.")},
    [MK_FAULT_ERASE] = {"E-ERASE", MK_EXIT_PHONE_ERROR,
                        N_("The phone could not erase its memory: write-protected or worn."),
                        N_("Nothing after this step was done. Check the storage's health before the next try.")},
    [MK_FAULT_RANGE] = {"E-RANGE", MK_EXIT_PHONE_ERROR,
                        N_("The address or length lies outside the memory region or is not a multiple of its block."),
                        N_("`medik info` shows the regions and their sizes.")},
    [MK_FAULT_UNSUPPORTED] = {"E-UNSUPPORTED", MK_EXIT_PHONE_ERROR,
                              N_("This phone, or the agent that runs on it, cannot do that."),
                              N_("Another DA release may be able to; otherwise it cannot be done on this phone.")},
    [MK_FAULT_VERIFY] =
        {"E-VERIFY", MK_EXIT_VERIFY,
         N_("What the phone holds is not what was sent: a bad cable, bad memory, or a worn chip."),
         N_("Use another cable and port and write it again. Do not trust this phone's memory if it happens twice.")},
    [MK_FAULT_DIFFERS] =
        {"E-VERIFY", MK_EXIT_VERIFY,
         N_("The phone holds another version, another ROM, or what it changed itself since; nothing was written, so "
            "this says nothing about cable or memory."),
         N_("If these files should be on the phone, flash them (`medik flash`, `medik write`); what is written is read "
            "back and compared.")},
    [MK_FAULT_LIFE] = {"E-LIFE", MK_EXIT_REFUSED, N_("The phone's memory chip reports that it is worn out."),
                       N_("Save everything now; do not write.")},
    [MK_FAULT_ID_NONE] =
        {"E-ID-NONE", MK_EXIT_FILE, N_("No saved identity (IMEI and calibration) of this phone was found."),
         N_("Look for old backups of this phone; another phone's identity does not help and is refused.")},
    [MK_FAULT_ID_FOREIGN] = {"E-ID-FOREIGN", MK_EXIT_REFUSED,
                             N_("The identity set belongs to another phone; calibration fits one phone only."),
                             N_("Use a set that was saved from this phone.")},
    [MK_FAULT_ID_BLANK] =
        {"E-ID-BLANK", MK_EXIT_REFUSED,
         N_("What was saved of the identity was blank or damaged already when it was saved."),
         N_("Look at the sets (medik identity list) and name the one to restore, or an older backup.")},
    [MK_FAULT_REFUSED] = {"E-REFUSED", MK_EXIT_REFUSED, N_("A safety rule stands against it."),
                          N_("The message names what would be lost and how to allow it.")},
    [MK_FAULT_REFUSED_EFUSE] = {"E-REFUSED-EFUSE", MK_EXIT_REFUSED, N_("Writing eFuses or OTP cannot be undone."),
                                N_("Medik never does that.")},
    [MK_FAULT_REFUSED_SCOPE] = {"E-REFUSED-SCOPE", MK_EXIT_REFUSED, N_("That is outside what Medik is for."),
                                N_("Medik does not change identifiers, lock states or fuses.")},
    [MK_FAULT_STOPPED] = {"E-STOPPED", MK_EXIT_STOPPED, N_("You stopped it."),
                          N_("Start the same command again to continue.")},
    [MK_FAULT_PARTIAL] =
        {"E-PARTIAL", MK_EXIT_PARTIAL,
         N_("Some sectors could not be read; they are zero in the file and listed in the manifest."),
         N_("Keep the copy, and try once more with the phone well charged: the missing parts are tried again.")},
};

G_GNUC_PRINTF(5, 0)
static void set_valist(GError **error, MkFault code, uint32_t number, const char *symbol, const char *format,
                       va_list arguments)
{
    if (!error)
        return;
    g_return_if_fail(!*error);
    *error = g_error_new_valist(MK_FAULT, (int)code, format, arguments);
    MkFaultPrivate *private = mk_fault_get_private(*error);
    private->number = number;
    private->symbol = symbol;
}

void mk_fault_set(GError **error, MkFault code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_valist(error, code, 0, NULL, format, arguments);
    va_end(arguments);
}

void mk_fault_set_number(GError **error, MkFault code, uint32_t number, const char *symbol, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_valist(error, code, number, symbol, format, arguments);
    va_end(arguments);
}

void mk_fault_set_errno(GError **error, bool port, int error_number, const char *doing, const char *path)
{
    MkFault code = !port ? MK_FAULT_FILE
                   : error_number == ENOENT || error_number == ENXIO || error_number == ECONNREFUSED ||
                           error_number == ENODEV || error_number == EIO
                       ? MK_FAULT_CON_NONE
                       : MK_FAULT_CON_BUSY;
    mk_fault_set(error, code, _("%s %s: %s."), doing, path, g_strerror(error_number));
}

MkFault mk_fault_code(const GError *error)
{
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return MK_FAULT_STOPPED;
    return error && error->domain == MK_FAULT ? (MkFault)error->code : MK_FAULT_INTERNAL;
}

uint32_t mk_fault_number(const GError *error)
{
    return error && error->domain == MK_FAULT ? mk_fault_get_private(error)->number : 0;
}

const char *mk_fault_symbol(const GError *error)
{
    return error && error->domain == MK_FAULT ? mk_fault_get_private(error)->symbol : NULL;
}

const char *mk_fault_id(MkFault code)
{
    return explanations[code].id;
}

const char *mk_fault_cause(MkFault code)
{
    return _(explanations[code].cause);
}

const char *mk_fault_cure(MkFault code)
{
    return _(explanations[code].cure);
}

MkExit mk_fault_exit(MkFault code)
{
    return explanations[code].exit;
}
