/* Bad luck on demand. Each fault fires once:
 *
 *   unplug@rx:N    the cable is pulled after N bytes from (rx) or to (tx) the host, counted since the phone was made
 *   flip@rx:N      one bit of the byte behind the first N is turned over
 *   silence@rx:N   from there on the phone neither hears nor answers, until it loses power
 *   brownout@rx:N  the power goes away
 *   stall@rx:N     on USB: the endpoint halts there, until the host clears it
 *   worn=REGION:OFF:LEN   that part of the storage can no longer be read or written
 *   tear=N         after N bytes written the power goes away in the middle of a sector
 *   slow=N         the storage takes N bytes per second
 *   status=N:CODE  the Nth packet of data that an XFlash or XML agent moves ends with that status (XML: with ERR)
 *   late=N         the Nth packet of data that an XML agent takes is acknowledged, not stored, and told of at the end
 *   drop=N         the Nth frame of an XML agent does not leave
 *   cut=N          only half of it leaves
 *   no-dram        an XML agent cannot start the memory
 *   no-stage2      the second stage of an XML agent never says a word
 *   no-storage     the storage does not answer the probe
 *   no-pmic        the power chip does not answer
 *   auth-refused   the auth file is not this phone's
 *   watchdog=N     BootROM resets after N silent seconds unless the host stops the watchdog
 *
 * Numbers as in 4096, 0x1000, 16M. */
#pragma once

#include "phone/machine.h"

typedef enum { MK_TROUBLE_NONE, MK_TROUBLE_UNPLUG, MK_TROUBLE_BROWNOUT, MK_TROUBLE_STALL } MkTrouble;

typedef struct _MkFaults MkFaults;

/* MACHINE is what happens to; touched on the phone's own thread only. */
MkFaults *mk_faults_new(MkMachine *machine);
void mk_faults_free(MkFaults *faults);
/* Takes TEXT in. Thread-safe. What concerns storage and chips happens with the next byte, or when the phone settles. */
bool mk_faults_add(MkFaults *faults, const char *text, GError **error);
void mk_faults_settle(MkFaults *faults);
/* Bytes pass. On trouble *length is what still came through. */
MkTrouble mk_faults_pass(MkFaults *faults, bool input, uint8_t *data, size_t *length);
uint64_t mk_faults_passed(MkFaults *faults, bool input);
/* Silence ends with the power. */
void mk_faults_power_lost(MkFaults *faults);
