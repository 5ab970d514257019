/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "single-flight.h"

struct SingleFlight {
    void (*start)(void *userdata);
    void *userdata;
    Waiters *current; /* of the question under way; NULL: none is */
    Waiters *next;
};

SingleFlight *
single_flight_new(void (*start)(void *userdata), void *userdata)
{
    SingleFlight *flight = g_new0(SingleFlight, 1);

    flight->start = start;
    flight->userdata = userdata;
    flight->next = waiters_new();
    return flight;
}

void
single_flight_free(SingleFlight *flight)
{
    if (!flight)
        return;
    waiters_free(flight->current);
    waiters_free(flight->next);
    g_free(flight);
}

bool
single_flight_is_under_way(const SingleFlight *flight)
{
    return flight->current != NULL;
}

unsigned
single_flight_count(const SingleFlight *flight)
{
    return flight->current ? waiters_count(flight->current) : 0;
}

void
single_flight_start(SingleFlight *flight)
{
    if (flight->current)
        return;
    flight->current = flight->next;
    flight->next = waiters_new();
    flight->start(flight->userdata);
}

void
single_flight_join(SingleFlight *flight, Pending *pending, WaiterDone done, void *userdata)
{
    waiters_add(flight->next, pending, done, userdata);
    single_flight_start(flight);
}

Waiters *
single_flight_finish(SingleFlight *flight)
{
    return g_steal_pointer(&flight->current);
}

void
single_flight_start_next(SingleFlight *flight)
{
    if (waiters_count(flight->next) > 0)
        single_flight_start(flight);
}
