#include "member.h"

#include <stdio.h>
#include <string.h>

/* It tells of itself each second. */
enum { FIND_MS = 2000, TOLD_MS = 2000 };

static enum dbk_code find(struct dbk_replica *replica, const char *node,
                          struct dbk_error *err)
{
    struct dbk_replica_member member;
    int64_t seen_ms;
    enum dbk_code code =
        member_find(replica->asker, &replica->options, node, FIND_MS, &member, err);

    if (code != DBK_OK)
        return code;
    seen_ms = (dbk_timestamp_now() - member.at) / 1000;
    if (seen_ms > TOLD_MS + atomic_load(&replica->session_ms))
        return dbk_fail(err, DBK_NOT_FOUND,
                        "the node \"%s\" has told nothing for %lld s", node,
                        (long long)(seen_ms / 1000));
    if (strcmp(member.role, "member") != 0 || !strcmp(member.state, "halted"))
        return dbk_fail(err, DBK_NOT_FOUND, "the node \"%s\" is %s, and does not lead",
                        node,
                        !strcmp(member.state, "halted") ? "halted" : "a follower");
    return DBK_OK;
}

/* With the mutex held. */
static enum dbk_code await(struct dbk_replica *replica, const char *node,
                           dbk_deadline deadline, struct dbk_error *err)
{
    const struct dbk_replica_status *status = &replica->status;

    while (strcmp(status->leader, node) != 0)
        if (atomic_load(&replica->stopping) ||
            !dbk_cond_wait(&replica->changed, &replica->mutex, deadline))
            return dbk_fail(err, DBK_TIMEOUT,
                            "the node \"%s\" has not taken over; this one leads on",
                            node);
    return DBK_OK;
}

enum dbk_code dbk_replica_hand_over(struct dbk_replica *replica, const char *node,
                                    int timeout_ms, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    enum dbk_code code = DBK_OK;
    struct dbk_replica_status status;
    struct dbk_error why = {0};

    dbk_replica_look(replica, &status);
    if (status.state != DBK_REPLICA_LEADS)
        return dbk_fail(err, DBK_NOT_LEADER, "this node does not lead");
    if (!strcmp(node, replica->options.node))
        return DBK_OK;
    code = find(replica, node, &why);
    if (code != DBK_OK)
        return dbk_fail(err, code, "%s", why.text);
    pthread_mutex_lock(&replica->mutex);
    replica->callers++;
    snprintf(replica->hand_to, sizeof replica->hand_to, "%s", node);
    code = await(replica, node, deadline, err);
    replica->callers--;
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
    return code;
}
