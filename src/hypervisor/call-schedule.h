/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which call is sent next: the rules of call.h, and fairness. Pure: knows no lane and no time.
 *
 * Calls of a class are taken in turn from each user who has some waiting, and of one user in the
 * order in which they came. Changes of one domain keep their order whoever sent them; one that is
 * made again has the place of the first try.
 *
 * While a read of a domain hangs, no further read of that domain is sent: such reads wait, without
 * taking a place, until the first one returns and so shows that libvirt answers for the domain
 * again. A read is likely to hang while a change of its domain is under way; then it is sent only
 * if enough places stay free for other calls. The same holds for a ForceStop of a domain that
 * hangs. A ForceStop of any other domain never waits.
 */

#include "call.h"

typedef struct CallSchedule CallSchedule;

CallSchedule *call_schedule_new(void);
/* No call may be in it. */
void call_schedule_free(CallSchedule *schedule);

/* Whether a read of a domain's XML waits for the domain's process (TRAIT_XML_WAITS). If not,
 * CALL_XML is the same as CALL_READ. */
void call_schedule_set_xml_waits(CallSchedule *schedule, bool xml_waits);
bool call_schedule_xml_waits(const CallSchedule *schedule);

/* False where its user has too many of its class waiting already. */
bool call_schedule_has_room(const CallSchedule *schedule, const Call *call);
/* Let the call wait. */
void call_schedule_add(CallSchedule *schedule, Call *call);
/* Take out a call that waits: it will not be sent. */
void call_schedule_remove(CallSchedule *schedule, Call *call);
/* Any call that waits; NULL when none does. */
Call *call_schedule_first(CallSchedule *schedule);

/* The call of this class to be sent now, or NULL. It stays among those that wait until
 * call_schedule_start(). */
Call *call_schedule_next(CallSchedule *schedule, CallClass class);
/* The call is under way; it hangs; it has ended, or is not to be counted any longer. */
void call_schedule_start(CallSchedule *schedule, Call *call);
void call_schedule_hang(CallSchedule *schedule, Call *call);
void call_schedule_end(CallSchedule *schedule, Call *call);

unsigned call_schedule_waiting(const CallSchedule *schedule, CallClass class);
/* How many calls of the class are under way, those that hang included; and of all classes. */
unsigned call_schedule_running(const CallSchedule *schedule, CallClass class);
unsigned call_schedule_all_running(const CallSchedule *schedule);

/* A read of XML hangs, and could not take the domain's lock: so the domain hangs. */
bool call_schedule_hangs_on_lock(const Call *call);
/* The same read has got the lock since. It now waits for the domain's process, and the domain does
 * not hang any longer: tell call_schedule_hang_in_process(). */
bool call_schedule_has_lock_since(const Call *call);
void call_schedule_hang_in_process(CallSchedule *schedule, Call *call);

/* A read of the domain hangs. */
bool call_schedule_domain_hangs(const CallSchedule *schedule, const char *uuid);
/* A read of the domain hangs; or, where XML waits, any call but one to the guest's agent. */
bool call_schedule_domain_is_silent(const CallSchedule *schedule, const char *uuid);
/* A read of the domain's XML may have to wait: a call about the domain hangs, or is a long one. */
bool call_schedule_domain_is_busy(const CallSchedule *schedule, const char *uuid);

/* Tell of each class and user how many calls wait. */
typedef void (*CallScheduleTell)(void *userdata, CallClass class, uid_t uid, unsigned waiting);
void call_schedule_describe(const CallSchedule *schedule, CallScheduleTell tell, void *userdata);
