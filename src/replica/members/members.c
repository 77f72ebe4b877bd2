#include "member.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the group has for the stream. False: no node has told that. */
static bool read_told(const rd_kafka_topic_partition_t *told,
                      struct dbk_replica_member *out)
{
    if (!member_read((struct dbk_slice){told->metadata, told->metadata_size}, out))
        return false;
    out->next = told->offset;
    return true;
}

static enum dbk_code find_in(rd_kafka_t *handle, const char *topic, int timeout_ms,
                             struct dbk_replica_member *out, struct dbk_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    enum dbk_code code = DBK_OK;
    rd_kafka_resp_err_t rc;

    rd_kafka_topic_partition_list_add(list, topic, 0);
    rc = rd_kafka_committed(handle, list, timeout_ms);
    if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
        rc = list->elems[0].err;
    if (rc != RD_KAFKA_RESP_ERR_NO_ERROR)
        code =
            dbk_fail(err, DBK_UNAVAILABLE, "the brokers do not tell of the nodes: %s",
                     rd_kafka_err2str(rc));
    else if (!read_told(&list->elems[0], out))
        code = DBK_NOT_FOUND;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

/* By a handle of that node's group, for rd_kafka_ListConsumerGroupOffsets, which would ask of any
 * by one, ends the process: librdkafka 2.0 at least aborts where a coordinator is found after the
 * time for such a request is up. */
enum dbk_code member_find(const struct dbk_replica_options *options, const char *node,
                          int timeout_ms, struct dbk_replica_member *out,
                          struct dbk_error *err)
{
    struct dbk_replica_options of = *options;
    rd_kafka_conf_t *conf;
    rd_kafka_t *handle;
    enum dbk_code code;

    of.node = node;
    if (conf_create(&of, CONF_LOOK, &conf, err) != DBK_OK ||
        conf_handle(RD_KAFKA_CONSUMER, conf, &handle, err) != DBK_OK)
        return err->code;
    code = find_in(handle, options->topic, timeout_ms, out, err);
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "no node \"%s\" has told of itself", node);
    return code;
}

static enum dbk_code add(struct dbk_replica_members *members,
                         const struct dbk_replica_member *member, struct dbk_error *err)
{
    struct dbk_replica_member *list =
        realloc(members->list, (members->count + 1) * sizeof *list);

    if (!list)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the nodes");
    members->list = list;
    list[members->count++] = *member;
    return DBK_OK;
}

static enum dbk_code untold(rd_kafka_resp_err_t rc, struct dbk_error *err)
{
    bool lacks = rc == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;

    return dbk_fail(err, lacks ? DBK_UNSUPPORTED : DBK_UNAVAILABLE,
                    "the brokers do not tell of the nodes: %s", rd_kafka_err2str(rc));
}

/* Of all groups, those that are of nodes. rd_kafka_ListConsumerGroups would tell the same with
 * fewer requests, and leaks where a broker does not know how. */
static enum dbk_code list_all(rd_kafka_t *handle,
                              const struct dbk_replica_options *options,
                              dbk_deadline deadline, struct dbk_replica_members *out,
                              struct dbk_error *err)
{
    const struct rd_kafka_group_list *groups = NULL;
    struct dbk_replica_member member;
    enum dbk_code code = DBK_OK;
    char prefix[CONF_NAME_MAX];
    rd_kafka_resp_err_t rc =
        rd_kafka_list_groups(handle, NULL, &groups, dbk_deadline_left(deadline) + 1);

    if (!groups)
        return untold(rc, err);
    conf_member_group(options, "", prefix);
    for (int i = 0; i < groups->group_cnt && code == DBK_OK; i++) {
        const char *name = groups->groups[i].group;

        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        code = member_find(options, name + strlen(prefix),
                           dbk_deadline_left(deadline) + 1, &member, err);
        if (code == DBK_OK)
            code = add(out, &member, err);
        else if (code == DBK_NOT_FOUND) /* it is of another program */
            code = DBK_OK;
    }
    rd_kafka_group_list_destroy(groups);
    if (code == DBK_OK && rc != RD_KAFKA_RESP_ERR_NO_ERROR && out->count == 0)
        code = untold(rc, err);
    return code;
}

static int by_name(const void *a, const void *b)
{
    const struct dbk_replica_member *left = a, *right = b;

    return strcmp(left->node, right->node);
}

/* Who opened last: the last message tells of which opening it is. */
static enum dbk_code find_leader(struct stream *stream, dbk_deadline deadline,
                                 struct dbk_replica_members *out, struct dbk_error *err)
{
    struct message message = {.epoch = -1};
    int64_t begin, offset = -1;

    out->epoch = -1;
    if (stream_bounds(stream, dbk_deadline_left(deadline) + 1, &begin, &out->end,
                      err) != DBK_OK)
        return err->code;
    /* Tokens are of no epoch, so it may be some messages back. */
    for (int64_t at = out->end - 1; at >= begin && out->epoch < 0; at--) {
        if (stream_seek(stream, at, err) != DBK_OK ||
            stream_next(stream, dbk_deadline_left(deadline) + 1, &offset, &message,
                        err) != DBK_OK)
            return err->code;
        if (message.type == MESSAGE_OPENING)
            out->epoch = offset;
        else if (message.epoch >= begin)
            at = message.epoch + 1;
        else if (message.type != MESSAGE_TOKENS)
            break;
    }
    if (out->epoch < 0)
        return DBK_OK;
    snprintf(out->leader, sizeof out->leader, "%.*s", (int)message.node.length,
             message.node.data);
    snprintf(out->leader_url, sizeof out->leader_url, "%.*s", (int)message.url.length,
             message.url.data);
    return DBK_OK;
}

static enum dbk_code add_named(const struct dbk_replica_options *options,
                               const char *name, dbk_deadline deadline,
                               struct dbk_replica_members *out, struct dbk_error *err)
{
    struct dbk_replica_member member;
    struct dbk_error why;

    if (!name || !*name)
        return DBK_OK;
    for (size_t i = 0; i < out->count; i++)
        if (!strcmp(out->list[i].node, name))
            return DBK_OK;
    if (member_find(options, name, dbk_deadline_left(deadline) + 1, &member, &why) !=
        DBK_OK)
        return DBK_OK;
    return add(out, &member, err);
}

/* Brokers that list no groups tell of those that are named. */
static enum dbk_code list_known(rd_kafka_t *handle,
                                const struct dbk_replica_options *options,
                                dbk_deadline deadline, struct dbk_replica_members *out,
                                struct dbk_error *err)
{
    enum dbk_code code = list_all(handle, options, deadline, out, err);

    if (code != DBK_UNSUPPORTED)
        return code;
    code = add_named(options, options->node, deadline, out, err);
    return code == DBK_OK ? add_named(options, out->leader, deadline, out, err) : code;
}

/* One that told that it leads, and another opened since. */
static struct dbk_replica_member *
find_deposed(const struct dbk_replica_members *members)
{
    for (size_t i = 0; i < members->count; i++)
        if (*members->leader && !strcmp(members->list[i].state, "leads") &&
            strcmp(members->list[i].node, members->leader) != 0)
            return &members->list[i];
    return NULL;
}

/* Who died as it led has that as its last word. Or it is the one that opened since the stream was
 * looked at: so that is looked at again. */
static enum dbk_code depose(struct stream *stream, dbk_deadline deadline,
                            struct dbk_replica_members *out, struct dbk_error *err)
{
    struct dbk_replica_member *deposed;

    if (!find_deposed(out))
        return DBK_OK;
    if (find_leader(stream, deadline, out, err) != DBK_OK)
        return err->code;
    while ((deposed = find_deposed(out)))
        snprintf(deposed->state, sizeof deposed->state, "deposed");
    return DBK_OK;
}

enum dbk_code dbk_replica_members(const struct dbk_replica_options *options,
                                  int timeout_ms, struct dbk_replica_members *out,
                                  struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);
    struct dbk_error why = {0};
    struct stream *stream;
    enum dbk_code code;

    *out = (struct dbk_replica_members){.end = -1, .epoch = -1};
    code = stream_open(options, &stream, &why);
    if (code == DBK_OK) {
        code = find_leader(stream, deadline, out, &why);
        if (code == DBK_OK)
            code = list_known(stream_handle(stream), options, deadline, out, &why);
        if (code == DBK_OK)
            code = depose(stream, deadline, out, &why);
        stream_close(stream);
    }
    if (code == DBK_OK) {
        if (out->count > 1)
            qsort(out->list, out->count, sizeof *out->list, by_name);
        return DBK_OK;
    }
    dbk_replica_members_finish(out);
    return dbk_fail(err, code == DBK_TIMEOUT ? DBK_UNAVAILABLE : code, "%s", why.text);
}

void dbk_replica_members_finish(struct dbk_replica_members *members)
{
    free(members->list);
    *members = (struct dbk_replica_members){0};
}
