/* signals.h - how a command is asked to end: by SIGTERM or SIGINT, or by SIGHUP of the
 * terminal that it was started from, seen by main alone. */
#ifndef DBK_TOOLS_SIGNALS_H
#define DBK_TOOLS_SIGNALS_H

#include <stdbool.h>

/* Hold them back, and ignore SIGPIPE and SIGXFSZ; before any thread is made, since threads
 * inherit it. SIGHUP is ignored where it was already, as nohup has it, and where there is
 * no terminal: there it is what other programs take for "read your settings again".
 *
 * Whoever holds them ends by himself, soon. Where something is waited for that cannot be
 * broken off (a name server, a disk), the process ends SIGNALS_LATEST_MS after the first
 * one all the same, with one line on stderr and exit status 3: as after a kill, nothing
 * that was acknowledged is lost. */
#define SIGNALS_LATEST_MS 4800
void signals_hold(void);

/* The exit status of that end, from now on. */
void signals_latest_status(int status);

/* Whether one has come and waits for signals_wait. */
bool signals_came(void);

/* Wait for one and return its name, as "SIGTERM". */
const char *signals_wait(void);

/* Forget those that have come, and what follows within a moment: signals_came then tells
 * of the next. */
void signals_forget(void);

/* Let the next one end the process at once. A terminal, make and a service manager may
 * each pass the same stop on, so what follows within a moment is no next one; and a
 * terminal that is gone says so more than once. */
void signals_release(void);

#endif
