/* thread.h - how a thread of ours begins: with a name, a stack of known size, and signals
 * left to the program's main thread. */
#ifndef DBK_STORE_THREAD_H
#define DBK_STORE_THREAD_H

#include "store/error.h"

#include <pthread.h>

#define DBK_THREAD_NAME_MAX 15 /* bytes, by Linux; ps -L and gdb show it */

/* Start body(argument); the caller joins the thread. The name is cut where it is longer.
 *
 * All signals are blocked in it but those of a fault of its own: blocked, they would end
 * the process before anybody explained it (fault.h). Its stack is 1 MiB: the deepest use
 * seen is 24 KiB, libpq looks hosts up and shakes hands by TLS in more, and a sanitizer
 * takes a multiple of that.
 *
 * DBK_IO  the system has no thread left, or no memory for its stack
 */
enum dbk_code dbk_thread_start(pthread_t *thread, const char *name,
                               void *(*body)(void *argument), void *argument,
                               struct dbk_error *err);

/* Name the calling thread, which somebody else has started. */
void dbk_thread_name(const char *name);

#endif
