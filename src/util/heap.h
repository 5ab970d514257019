/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The C library's heap, as far as it can be told (mallopt(3), malloc_trim(3)): that of glibc. Other
 * libraries decide by themselves.
 */

/*
 * The threads are few and wait for libvirt: a heap for each of them would cost memory and gain
 * nothing. What a long reply or a list took is given back, and not kept for the next one. Before
 * any thread is made.
 */
void heap_keep_small(void);

/* Gives back what is free between what is used. It walks the whole heap. Any thread. */
void heap_give_back(void);
