/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * For ThreadSanitizer alone: GLib's queues synchronise inside a library that is not instrumented,
 * so what they order has to be told. `queue` is any address that both sides name.
 */

#if defined(__SANITIZE_THREAD__)
#define BUILT_WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BUILT_WITH_TSAN 1
#endif
#endif

#ifdef BUILT_WITH_TSAN
#include <sanitizer/tsan_interface.h>
#define happens_before(queue) __tsan_release(queue) /* just before the push */
#define happens_after(queue)  __tsan_acquire(queue) /* just after the pop */
#else
#define happens_before(queue) ((void)(queue))
#define happens_after(queue)  ((void)(queue))
#endif
