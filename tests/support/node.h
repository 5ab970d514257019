/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * A host for libvirt's embedded test driver, with any domains in any state.
 *
 *     g_autoptr(Node) node = node_new();
 *     node_add(node, "web", "running");
 *     node_add_domain(node, &(NodeDomain){.name = "db", .state = "paused", .transient = true});
 *     g_autofree char *uri = node_uri(node, w);     "test:///…/node.xml"
 *
 * Each connection to a file is a world of its own.
 */

#include "world.h"

typedef struct NodeDomain {
    const char *name;
    const char *state; /* as the service spells it: nostate, running, idle, paused, … */
    const char *uuid;  /* NULL: node_uuid() of its place */
    const char *title; /* may be NULL, as what follows */
    const char *description;
    const char *metadata; /* XML inside <metadata> */
    const char *devices;  /* XML inside <devices> */
    bool transient;
    bool has_managed_save;
} NodeDomain;

typedef struct Node Node;

Node *node_new(void);
void node_free(Node *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Node, node_free)

void node_add(Node *node, const char *name, const char *state);
void node_add_domain(Node *node, const NodeDomain *domain);
/* Anything else that the test driver reads: <cpu>, <device>, … */
void node_add_xml(Node *node, const char *xml);
/* The UUID of the domain that was added as number place (from 0) without one. */
char *node_uuid(unsigned place);
/* The XML of the domain alone, for DefineDomain. */
char *node_domain_xml(const NodeDomain *domain);

/* Writes it into the world's directory. */
char *node_uri(const Node *node, const World *w);
/* With the options that start the service on it: --uri=…; the result is freed with g_free(). */
char *node_uri_option(const Node *node, const World *w);
