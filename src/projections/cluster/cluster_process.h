/* cluster_process.h - runs PostgreSQL's programs as a user that they accept.
 *
 * They refuse to run as root. They must end with us, and the terminal's Ctrl-C is for
 * us alone: we stop them in our own order.
 */
#ifndef DBK_PROJECTIONS_CLUSTER_PROCESS_H
#define DBK_PROJECTIONS_CLUSTER_PROCESS_H

#include "store/watch.h"

#include <stdbool.h>
#include <sys/types.h>

/* Whom the programs run as. */
struct cluster_user {
    bool drop; /* we are root: become this user first */
    uid_t uid;
    gid_t gid;
};

/* Ourselves; as root "postgres", else "nobody". */
struct cluster_user cluster_user_find(void);

/* Whether the user may go through the directory. */
bool cluster_user_reaches(const struct cluster_user *user, const char *dir);

/* Start argv[0] in a session of its own, with both outputs to log_fd, no other file open
 * but lock_fd (-1: none), and a plain environment. It gets SIGINT when the calling THREAD
 * ends. DBK_IO. */
enum dbk_code cluster_spawn(const struct cluster_user *user, const char *const *argv,
                            int log_fd, int lock_fd, pid_t *pid, struct dbk_error *err);

/* Start it and wait until it has ended well; watch may be NULL. DBK_IO (it failed),
 * DBK_TIMEOUT (killed after timeout_ms), DBK_INTERRUPTED (killed, the watch said so). */
enum dbk_code cluster_run(const struct cluster_user *user, const char *const *argv,
                          int log_fd, int timeout_ms, const struct dbk_watch *watch,
                          struct dbk_error *err);

/* Kill all that this process has started, but not what those have. */
void cluster_kill_children(pid_t parent);

#endif
