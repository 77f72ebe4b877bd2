#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dbk_replica_member this_one(struct dbk_replica *replica)
{
    const struct dbk_replica_options *options = &replica->options;
    struct dbk_replica_member member = {.at = dbk_timestamp_now()};
    struct dbk_replica_status status;
    struct dbk_place place;

    dbk_replica_look(replica, &status);
    snprintf(member.node, sizeof member.node, "%s", options->node);
    snprintf(member.url, sizeof member.url, "%s", options->url ? options->url : "");
    snprintf(member.role, sizeof member.role, "%s",
             options->follower ? "follower" : "member");
    snprintf(member.state, sizeof member.state, "%s", replica_state_name(status.state));
    snprintf(member.version, sizeof member.version, "%s", DAYBOOK_VERSION);
    dbk_log_master_key(replica->log, member.master_key);
    member.retention_days = options->retention_days;
    dbk_log_head(replica->log, &member.head, NULL);
    if (options->projected)
        member.projected = options->projected(options->projected_context);
    member.next = dbk_log_place(replica->log, &place, NULL) == DBK_OK ? place.next : -1;
    return member;
}

void member_tell(struct dbk_replica *replica)
{
    struct dbk_replica_member member = this_one(replica);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *partition =
        rd_kafka_topic_partition_list_add(list, replica->options.topic, 0);
    struct dbk_render json = {0};

    member_write(&member, &json);
    partition->offset = member.next;
    if (dbk_render_code(&json) == DBK_OK && member.next >= 0) {
        partition->metadata = json.text; /* the list frees it */
        partition->metadata_size = json.length;
        rd_kafka_commit(replica->asker, list, 1);
    } else {
        dbk_render_finish(&json);
    }
    rd_kafka_topic_partition_list_destroy(list);
}
