#include "member.h"
#include "stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* librdkafka answers when a request's own time is up: who leaves before that leaks it. */
enum { SLACK_MS = 1000 };

/* Wait for the answer to an administrator's request; owned. NULL: err says why. */
static rd_kafka_event_t *answer(rd_kafka_queue_t *queue, int timeout_ms,
                                struct dbk_error *err)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms + SLACK_MS);

    if (event && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
        return event;
    dbk_fail(err, DBK_UNAVAILABLE, "the brokers do not tell of the nodes: %s",
             event ? rd_kafka_event_error_string(event) : "they do not answer");
    if (event)
        rd_kafka_event_destroy(event);
    return NULL;
}

/* What a group's answer has for the stream. */
static bool read_answer(rd_kafka_event_t *event, struct dbk_replica_member *out)
{
    const rd_kafka_topic_partition_list_t *list;
    const rd_kafka_group_result_t **groups;
    size_t count;

    groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(event), &count);
    if (count != 1 || rd_kafka_group_result_error(groups[0]))
        return false;
    list = rd_kafka_group_result_partitions(groups[0]);
    if (!list || list->cnt != 1 ||
        !member_read(
            (struct dbk_slice){list->elems[0].metadata, list->elems[0].metadata_size},
            out))
        return false;
    out->next = list->elems[0].offset;
    return true;
}

enum dbk_code member_find(rd_kafka_t *handle, const struct dbk_replica_options *options,
                          const char *node, int timeout_ms,
                          struct dbk_replica_member *out, struct dbk_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_ListConsumerGroupOffsets_t *request;
    rd_kafka_AdminOptions_t *bounds =
        conf_within(handle, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout_ms);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(handle);
    rd_kafka_event_t *event;
    char group[CONF_NAME_MAX];
    bool found = false;

    conf_member_group(options, node, group);
    rd_kafka_topic_partition_list_add(list, options->topic, 0);
    request = rd_kafka_ListConsumerGroupOffsets_new(group, list);
    rd_kafka_ListConsumerGroupOffsets(handle, &request, 1, bounds, queue);
    event = answer(queue, timeout_ms, err);
    if (event) {
        found = read_answer(event, out);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_AdminOptions_destroy(bounds);
    rd_kafka_queue_destroy(queue);
    if (found)
        return DBK_OK;
    return event
               ? dbk_fail(err, DBK_NOT_FOUND, "no node \"%s\" has told of itself", node)
               : DBK_UNAVAILABLE;
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
        code = member_find(handle, options, name + strlen(prefix),
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

static enum dbk_code add_named(rd_kafka_t *handle,
                               const struct dbk_replica_options *options,
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
    if (member_find(handle, options, name, dbk_deadline_left(deadline) + 1, &member,
                    &why) != DBK_OK)
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
    code = add_named(handle, options, options->node, deadline, out, err);
    return code == DBK_OK ? add_named(handle, options, out->leader, deadline, out, err)
                          : code;
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
