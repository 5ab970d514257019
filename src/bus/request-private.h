/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The parts that the files of request.h share. Belongs to the loop.
 */

#include "budget.h"
#include "deferred.h"
#include "request.h"

struct Requests {
    Service *service;
    Budget *budget;
    GHashTable *all; /* set of Request */
    GQueue in_turn;  /* those that are answered a few per turn; request-turn.c */
    Deferred *turn;  /* NULL until one is needed */
    bool stopping;
};

void request_free(Request *request);
/* Free what a method with stages of its own keeps. */
void request_drop_state(Request *request);
/* Charge the user for the call, who is known now; false where there is no room. */
bool request_charge(Request *request, uid_t uid);
/* Charge the user for more bytes that are kept until it is freed. */
bool request_charge_more(Request *request, size_t bytes);

/* The method and its domain, such as GetXml of "web", for people. */
char *request_words(const Request *request);
/* Signal what has changed, then answer with the error; the request stays. */
void request_send_error(Request *request, const Error *error);
void request_send_bus_error(Request *request, const sd_bus_error *error);
