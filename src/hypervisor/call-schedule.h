/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Which call is sent next: the rules of call.h, and fairness. Pure: knows no lane and no time.
 *
 * Calls of a class are taken in turn from each user who has some waiting, and of one user in the
 * order in which they came. Changes of one domain keep their order whoever sent them; one that is
 * made again has the place of the first try. A domain that hangs in a read gets no further one: its
 * calls wait without taking a place, and it is what the return of that read shows to be back. A
 * read of a domain is likely to hang while a change of it is under way, so it is sent only while
 * there is room enough for others. So is a ForceStop of a domain that hangs; of any other it always
 * is.
 */

#include "call.h"

typedef struct CallSchedule CallSchedule;

CallSchedule *call_schedule_new(void);
/* No call may be in it. */
void call_schedule_free(CallSchedule *schedule);

/* Whether who reads a domain's XML waits for its process. Else CALL_XML is as CALL_READ. */
void call_schedule_set_xml_waits(CallSchedule *schedule, bool xml_waits);
bool call_schedule_xml_waits(const CallSchedule *schedule);

/* False where its user has too many of its class waiting already. */
bool call_schedule_has_room(const CallSchedule *schedule, const Call *call);
/* Let it wait. */
void call_schedule_add(CallSchedule *schedule, Call *call);
/* It waits no longer. */
void call_schedule_remove(CallSchedule *schedule, Call *call);
/* Any call that waits; NULL when none does. */
Call *call_schedule_first(CallSchedule *schedule);

/* The call of this class to be sent now, or NULL. It waits until it is started. */
Call *call_schedule_next(CallSchedule *schedule, CallClass class);
/* It is under way; it hangs; it has ended, or nobody counts it any longer. */
void call_schedule_start(CallSchedule *schedule, Call *call);
void call_schedule_hang(CallSchedule *schedule, Call *call);
void call_schedule_end(CallSchedule *schedule, Call *call);

unsigned call_schedule_waiting(const CallSchedule *schedule, CallClass class);
/* Whether calls of it are under way, those that hang included. */
unsigned call_schedule_running(const CallSchedule *schedule, CallClass class);
/* XML that hung on the domain's lock has had it since, and hangs on: the domain itself does not. */
bool call_schedule_hangs_on_lock(const Call *call);
bool call_schedule_has_lock_since(const Call *call);
void call_schedule_hang_in_process(CallSchedule *schedule, Call *call);
/* The same for all classes. */
unsigned call_schedule_all_running(const CallSchedule *schedule);
bool call_schedule_domain_hangs(const CallSchedule *schedule, const char *uuid);
/* A read of it hangs; where XML waits, any call about it but one to the guest's agent. */
bool call_schedule_domain_is_silent(const CallSchedule *schedule, const char *uuid);
/* Its XML may have to wait: any call about it hangs, or is a long one. */
bool call_schedule_domain_is_busy(const CallSchedule *schedule, const char *uuid);

/* Tell of each class and user how many calls wait. */
typedef void (*CallScheduleTell)(void *userdata, CallClass class, uid_t uid, unsigned waiting);
void call_schedule_describe(const CallSchedule *schedule, CallScheduleTell tell, void *userdata);
