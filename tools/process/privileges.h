/* privileges.h - whom the program runs as where root starts it: never root for longer than
 * it must be.
 *
 * The files decide. A command becomes the owner of the data directory, so that nothing of
 * root's is left in it, and nothing that its owner put there is followed with root's
 * rights. RUN_AS names another user for a directory that is still to be made. Where root
 * owns the directory, the program stays root. Started by anybody else, it stays what it
 * is. Linux only. Before there are threads, but for privileges_finish.
 */
#ifndef DBK_TOOLS_PRIVILEGES_H
#define DBK_TOOLS_PRIVILEGES_H

#include "store/error.h"

#include <stdbool.h>

struct privileges_wish {
    const char *data_dir; /* may be missing */
    const char *run_as;   /* a user's name; "": decide */
    /* Make a missing directory, for the user "daybook" where there is one. Where others
     * could change the way there, that is left to the user. */
    bool serves;
    /* Keep the right to listen on a port below 1024, and nothing else, until
     * privileges_finish. */
    bool low_port;
};

/* Become whom the wish asks for, for good: no other group, no capability, and none to be
 * had by running something. HOME is then that user's.
 *
 * DBK_INVALID   no such user, it is not the owner of the directory, or we are not root and
 *               somebody else
 * DBK_IO, DBK_NO_ROOM  the user cannot get to the directory; the system refused, and
 *               nothing may go on
 */
enum dbk_code privileges_settle(const struct privileges_wish *wish,
                                struct dbk_error *err);

/* Give up what low_port kept, in all threads. DBK_IO: it is not gone, so stop. */
enum dbk_code privileges_finish(struct dbk_error *err);

/* The name of the user we are, or its number; out of 33 bytes. Returns out. */
char *privileges_user(char out[33]);

#endif
