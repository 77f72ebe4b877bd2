#include "member.h"

#include <stdio.h>
#include <string.h>

/* It tells of itself each second. */
enum { FIND_MS = 5000, TOLD_MS = 2000, AGAIN_MS = 200 };

static enum dbk_code find(struct dbk_replica *replica, const char *node,
                          dbk_deadline deadline, struct dbk_replica_member *out,
                          struct dbk_error *err)
{
    int left_ms = dbk_deadline_left(deadline) + 1;

    return member_find(&replica->options, node, left_ms < FIND_MS ? left_ms : FIND_MS,
                       out, err);
}

/* It is there where it goes on telling. When it told is by its own clock, which may be apart
 * from this one: that is believed where it is near, and else watched. */
static enum dbk_code await_told(struct dbk_replica *replica,
                                const struct dbk_replica_member *member,
                                dbk_deadline until, struct dbk_error *err)
{
    int told_ms = TOLD_MS + atomic_load(&replica->session_ms);
    int64_t age_ms = (dbk_timestamp_now() - member->at) / 1000;
    dbk_deadline deadline = dbk_deadline_in(told_ms);
    struct dbk_replica_member now;

    if (age_ms >= -TOLD_MS && age_ms <= told_ms)
        return DBK_OK;
    while (dbk_deadline_left(deadline) > 0 && !atomic_load(&replica->stopping)) {
        if (find(replica, member->node, until, &now, err) != DBK_OK)
            return err->code;
        if (now.at != member->at)
            return DBK_OK;
        dbk_sleep_ms(AGAIN_MS);
    }
    return dbk_fail(err, DBK_NOT_FOUND, "the node \"%s\" tells nothing of itself",
                    member->node);
}

static enum dbk_code check(struct dbk_replica *replica, const char *node,
                           dbk_deadline deadline, struct dbk_error *err)
{
    struct dbk_replica_member member;

    if (find(replica, node, deadline, &member, err) != DBK_OK)
        return err->code;
    if (strcmp(member.role, "member") != 0 || !strcmp(member.state, "halted"))
        return dbk_fail(err, DBK_NOT_FOUND, "the node \"%s\" is %s, and does not lead",
                        node,
                        !strcmp(member.state, "halted") ? "halted" : "a follower");
    return await_told(replica, &member, deadline, err);
}

/* With the mutex held. */
static enum dbk_code await(struct dbk_replica *replica, const char *node,
                           dbk_deadline deadline, struct dbk_error *err)
{
    const struct dbk_replica_status *status = &replica->status;

    while (strcmp(status->leader, node) != 0) {
        if (strcmp(status->leader, replica->options.node) != 0)
            return dbk_fail(err, DBK_NOT_LEADER, "the node \"%s\" leads by now",
                            status->leader);
        if (atomic_load(&replica->stopping) ||
            !dbk_cond_wait(&replica->changed, &replica->mutex, deadline))
            return dbk_fail(err, DBK_TIMEOUT,
                            "the node \"%s\" has not taken over; this one leads on",
                            node);
    }
    return DBK_OK;
}

static enum dbk_code hand_over(struct dbk_replica *replica, const char *node,
                               dbk_deadline deadline, struct dbk_error *err)
{
    enum dbk_code code;

    if (check(replica, node, deadline, err) != DBK_OK)
        return err->code;
    pthread_mutex_lock(&replica->mutex);
    snprintf(replica->hand_to, sizeof replica->hand_to, "%s", node);
    code = await(replica, node, deadline, err);
    pthread_mutex_unlock(&replica->mutex);
    return code;
}

/* Its handles stay while somebody asks by them. */
static void count_caller(struct dbk_replica *replica, int more)
{
    pthread_mutex_lock(&replica->mutex);
    replica->callers += (unsigned)more;
    pthread_cond_broadcast(&replica->changed);
    pthread_mutex_unlock(&replica->mutex);
}

enum dbk_code dbk_replica_hand_over(struct dbk_replica *replica, const char *node,
                                    int timeout_ms, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    struct dbk_replica_status status;
    struct dbk_error why = {0};
    enum dbk_code code;

    dbk_replica_look(replica, &status);
    if (status.state != DBK_REPLICA_LEADS)
        return dbk_fail(err, DBK_NOT_LEADER, "this node does not lead");
    if (!strcmp(node, replica->options.node))
        return DBK_OK;
    count_caller(replica, 1);
    code = hand_over(replica, node, deadline, &why);
    count_caller(replica, -1);
    return code == DBK_OK ? code : dbk_fail(err, code, "%s", why.text);
}
