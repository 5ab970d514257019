/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The stages of methods that change a device. A running guest has to agree before it loses one: the
 * method is done when libvirt's event says so. The rows of bus-config.c name these functions.
 */

#include "request.h"

/* The XML into `text`, and the options. */
int device_request_parse(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);

/* The same with the option `force`, into `flags`. */
int device_request_parse_update(sd_bus_message *message, MethodArgs *args, sd_bus_error *error);

/* On a lane. */
bool device_request_attach(Hypervisor *h, const char *uuid, const MethodArgs *args,
                           MethodResult *result, Error **error);
bool device_request_detach(Hypervisor *h, const char *uuid, const MethodArgs *args,
                           MethodResult *result, Error **error);
bool device_request_update(Hypervisor *h, const char *uuid, const MethodArgs *args,
                           MethodResult *result, Error **error);

/* Follow the domain's devices, then make the call. */
void device_request_run_detach(Request *request);
/* Wait until the guest has let go of the devices of `result->in_flight`. */
void device_request_on_detached(Request *request, const MethodResult *result);
