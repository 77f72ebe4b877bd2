/* membership.h - a server whose log is one of several copies.
 *
 * Callbacks of whoever knows the others; the server knows no more of them than this. All may
 * be called from any thread.
 */
#ifndef DBK_HTTP_MEMBERSHIP_H
#define DBK_HTTP_MEMBERSHIP_H

#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_MEMBER_TEXT 257

struct dbk_membership_look {
    bool leads;
    char node[DBK_MEMBER_TEXT];
    char state[16]; /* "starting", "follows", "opens", "leads", "halted" */
    char why[512];  /* "" where all is well */
    char leader[DBK_MEMBER_TEXT];     /* its name, or "" */
    char leader_url[DBK_MEMBER_TEXT]; /* without a slash at the end, or "" */
    int64_t next, epoch, end;         /* offsets; -1: not known */
    uint64_t voids, openings, batches, ships;
    double ship_seconds; /* of all ships */
};

struct dbk_membership {
    void *context;
    void (*look)(void *context, struct dbk_membership_look *out);
    /* Wait until the log has all that any copy acknowledged before. DBK_TIMEOUT,
     * DBK_UNAVAILABLE. */
    enum dbk_code (*fresh)(void *context, int timeout_ms, struct dbk_error *err);
    /* The server ends, and has waited for requests as long as it may: none that is still under
     * way is to wait for others. NULL: none does. */
    void (*leave)(void *context);
    /* DBK_NOT_LEADER, DBK_NOT_FOUND, DBK_TIMEOUT. */
    enum dbk_code (*hand_over)(void *context, const char *node, int timeout_ms,
                               struct dbk_error *err);
    /* All nodes, a JSON array of objects (openapi.json: ClusterMember), malloc'd, for GET
     * /admin/cluster. DBK_UNAVAILABLE. */
    enum dbk_code (*members)(void *context, char **json, size_t *length,
                             struct dbk_error *err);
    /* Writes go to the leader, instead of telling where it is. Looked at when the server
     * starts; the callbacks only once it answers. */
    bool forward;
};

#endif
