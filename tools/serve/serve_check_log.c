#include "serve_check_private.h"

#include "cluster_keys.h"
#include "cluster_options.h"
#include "log_place.h"
#include "store/replicated.h"
#include "tool_data.h"

#include <inttypes.h>

#define CLUSTER_MS 5000 /* how long brokers may take to tell of the topic */

void serve_check_log(struct serve_check *check)
{
    struct dbk_log_stats stats;
    struct dbk_error err;
    char id[DBK_UUID_TEXT + 1];
    bool is_new = tool_has(check->tool, "--new");

    if (!log_place_has_log(check->tool->config)) {
        if (!is_new && log_place_check_new(check->tool, &err) != DBK_OK)
            serve_check_tell(check, WRONG, "log", "%s", err.text);
        else
            serve_check_tell(
                check, WARN, "log", "there is none: a new one would be made%s",
                config_boolean(check->tool->config, SETTING_SEALED) ? ", sealed" : "");
        return;
    }
    if (tool_log_open_whole(check->tool, &check->log, &err) != DBK_OK ||
        dbk_log_stats(check->log, &stats, &err) != DBK_OK) {
        serve_check_tell(check, WRONG, "log", "%s", err.text);
        return;
    }
    dbk_uuid_format(&stats.store_id, id);
    if (is_new)
        serve_check_tell(check, WRONG, "log", "--new is refused, for %s is here", id);
    else
        serve_check_tell(check, RIGHT, "log",
                         "%s, up to record %" PRIu64 "; %" PRIu64 " MiB are free", id,
                         stats.head, stats.free_bytes >> 20);
}

/* Whose copy a log here would be. */
static void check_copy(struct serve_check *check, const struct cluster_options *cluster,
                       const struct dbk_replica_found *found)
{
    struct dbk_place place;
    struct dbk_error err;
    struct dbk_uuid id;
    char text[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&found->store_id, text);
    if (!check->log && found->from > 0)
        serve_check_tell(check, WRONG, "cluster",
                         "records 1 to %" PRIu64
                         " are not in the topic %s: daybook restore a "
                         "backup of another node first, with --member",
                         found->from, cluster->replica.topic);
    else if (!check->log && found->sealed &&
             cluster_keys_check(check->tool->config, &err) != DBK_OK)
        serve_check_tell(check, WRONG, "cluster", "%s", err.text);
    else if (!check->log)
        serve_check_tell(check, RIGHT, "cluster",
                         "a copy of the log %s would be made, as %s", text,
                         cluster->replica.node);
    else if (id = dbk_log_store_id(check->log), !dbk_uuid_equal(&id, &found->store_id))
        serve_check_tell(check, WRONG, "cluster",
                         "the topic %s is of the log %s, which this is no copy of",
                         cluster->replica.topic, text);
    else if (dbk_log_place(check->log, &place, NULL) == DBK_OK)
        serve_check_tell(
            check, RIGHT, "cluster", "%s goes on at message %" PRId64 ", as %s",
            cluster->replica.topic, place.next,
            cluster->replica.follower ? "a follower that never leads" : "a member");
    else
        serve_check_tell(
            check, WARN, "cluster",
            "it is no member yet: it would become one only where the topic begins with "
            "what it has");
}

void serve_check_brokers(struct serve_check *check)
{
    const struct config *config = check->tool->config;
    struct cluster_options cluster;
    struct dbk_replica_found found;
    struct dbk_place place;
    struct dbk_error err;
    enum dbk_code code;

    if (!cluster_joins(config)) {
        if (check->log && dbk_log_place(check->log, &place, NULL) == DBK_OK)
            serve_check_tell(
                check, WRONG, "cluster",
                "the log is a member of one, and CLUSTER_BROKERS is empty");
        return;
    }
    code = cluster_options_read(config, &cluster, &err);
    check->misused = check->misused || code == DBK_INVALID;
    if (code == DBK_OK)
        code = dbk_replica_check(&cluster.replica, CLUSTER_MS, &found, &err);
    if (code == DBK_OK)
        check_copy(check, &cluster, &found);
    else
        serve_check_tell(check, code == DBK_UNAVAILABLE && check->log ? WARN : WRONG,
                         "cluster", "%s", err.text);
}
