/* The steps of a start that concern the other machines, where there are some. */
#include "cluster_keys.h"
#include "cluster_options.h"
#include "members_json.h"
#include "serve_report.h"
#include "serve_steps.h"
#include "store/replicated.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How long brokers may take to tell of the topic; of the members. */
enum { CHECK_MS = 20000, MEMBERS_MS = 3000 };

/* Known, and let go of, as the log's own place is: whoever has it goes on alone from a backup
 * only, so that nobody takes two of them for one. */
static enum dbk_code check_alone(struct serving *serving, struct dbk_error *err)
{
    struct dbk_place place;
    struct dbk_error why;

    if (dbk_log_place(serving->log, &place, &why) != DBK_OK)
        return DBK_OK;
    return dbk_fail(
        err, DBK_CONFLICT,
        "this log is a member of a cluster, and CLUSTER_BROKERS is empty: "
        "set it; or, to go on alone, daybook restore its backup into another "
        "data directory");
}

/* Whether there is a log to go on with, whatever brokers say. */
static bool has_log(const struct serving *serving)
{
    return !serving->make;
}

static enum dbk_code check_found(struct serving *serving,
                                 const struct dbk_replica_found *found,
                                 struct dbk_error *err)
{
    if (found->gone && has_log(serving))
        return DBK_OK; /* it has its place, or none */
    if (found->gone)
        return dbk_fail(err, DBK_CONFLICT,
                        "there is no log here, and the brokers keep nothing of the "
                        "topic %s any more: daybook restore a backup of another node "
                        "first, with --member",
                        serving->cluster.replica.topic);
    serving->cluster_id = found->store_id;
    serving->cluster_known = true;
    serving->cluster_sealed = found->sealed;
    if (has_log(serving) || found->from == 0)
        return DBK_OK;
    return dbk_fail(
        err, DBK_CONFLICT,
        "there is no log here, and records 1 to %" PRIu64
        " are not in the topic %s: daybook restore a backup of another node "
        "first, with --member",
        found->from, serving->cluster.replica.topic);
}

enum dbk_code serve_check_cluster(struct serving *serving, struct dbk_error *err)
{
    const struct config *config = serving->tool->config;
    struct dbk_replica_found found;
    enum dbk_code code;

    if (!cluster_joins(config))
        return DBK_OK;
    if (cluster_options_read(config, &serving->cluster, err) != DBK_OK)
        return err->code;
    serving->joins = true;
    if (serving->cluster.replica.unsafe)
        serving_warn(serving, "CLUSTER_UNSAFE is set: what is acknowledged may be lost "
                              "with a broker; for trials only");
    code = dbk_replica_check(&serving->cluster.replica, CHECK_MS, &found, err);
    if (code == DBK_OK)
        return check_found(serving, &found, err);
    /* Brokers that have just started may not know yet which topics there are. Of a log that is
     * no member that is found again when it is to join. */
    if ((code != DBK_UNAVAILABLE && code != DBK_NOT_FOUND) || !has_log(serving))
        return dbk_wrap(err, "join the cluster at CLUSTER_BROKERS");
    serving_warn(serving, err->text);
    serving_warn(serving, "starting without the brokers: reads with \"Prefer: wait=0\" "
                          "work, all else answers 503 until they are back");
    return DBK_OK;
}

enum dbk_code serve_take_ring(struct serving *serving, struct dbk_keys **keys,
                              struct dbk_error *err)
{
    *keys = NULL;
    if (has_log(serving) || !serving->cluster_known || !serving->cluster_sealed)
        return DBK_OK;
    if (cluster_keys_make(serving->tool, &serving->cluster.replica, CHECK_MS, keys,
                          err) != DBK_OK)
        return dbk_wrap(err, "take the keys of the cluster");
    return DBK_OK;
}

enum dbk_code serve_check_copy(struct serving *serving, struct dbk_error *err)
{
    struct dbk_uuid id = dbk_log_store_id(serving->log);
    char own[DBK_UUID_TEXT + 1], theirs[DBK_UUID_TEXT + 1];

    if (!serving->joins)
        return check_alone(serving, err);
    if (dbk_log_is_sealed(serving->log) &&
        cluster_keys_check(serving->tool->config, err) != DBK_OK)
        return err->code;
    if (!serving->cluster_known || dbk_uuid_equal(&id, &serving->cluster_id))
        return DBK_OK;
    dbk_uuid_format(&id, own);
    dbk_uuid_format(&serving->cluster_id, theirs);
    return dbk_fail(err, DBK_CONFLICT,
                    "this log is %s, and the topic %s is of the log %s: they are not "
                    "copies of each other. Restore a backup of another node, with "
                    "--member, into an empty data directory; or name the right "
                    "CLUSTER_TOPIC",
                    own, serving->cluster.replica.topic, theirs);
}

static const char *const states[] = {
    [DBK_REPLICA_STARTING] = "starting", [DBK_REPLICA_FOLLOWS] = "follows",
    [DBK_REPLICA_OPENS] = "opens",       [DBK_REPLICA_LEADS] = "leads",
    [DBK_REPLICA_HALTED] = "halted",
};

static void look(void *context, struct dbk_membership_look *out)
{
    const struct serving *serving = context;
    struct dbk_replica_status now;

    dbk_replica_look(serving->replica, &now);
    *out = (struct dbk_membership_look){
        .leads = now.state == DBK_REPLICA_LEADS,
        .next = now.place.next,
        .epoch = now.place.epoch,
        .end = now.end,
        .voids = now.voids,
        .openings = now.openings,
        .batches = now.batches,
        .ships = now.ships,
        .ship_seconds = (double)now.ship_us / 1e6,
    };
    snprintf(out->node, sizeof out->node, "%s", serving->cluster.replica.node);
    snprintf(out->state, sizeof out->state, "%s", states[now.state]);
    snprintf(out->why, sizeof out->why, "%s", now.why);
    snprintf(out->leader, sizeof out->leader, "%s", now.leader);
    snprintf(out->leader_url, sizeof out->leader_url, "%s", now.leader_url);
}

/* The stop has 5 s for all of it: nobody waits here longer than it takes to see it. */
static enum dbk_code fresh(void *context, int timeout_ms, struct dbk_error *err)
{
    const struct serving *serving = context;

    if (serving->reads_end != 0)
        return dbk_fail(err, DBK_UNAVAILABLE, "the server is stopping");
    return dbk_replica_fresh(serving->replica, timeout_ms, err);
}

static enum dbk_code hand_over(void *context, const char *node, int timeout_ms,
                               struct dbk_error *err)
{
    const struct serving *serving = context;

    return dbk_replica_hand_over(serving->replica, node, timeout_ms, err);
}

static void leave(void *context)
{
    const struct serving *serving = context;

    dbk_replica_leave(serving->replica);
}

static enum dbk_code list_members(void *context, char **json, size_t *length,
                                  struct dbk_error *err)
{
    const struct serving *serving = context;
    struct dbk_replica_members members;
    struct dbk_render out = {0};

    if (dbk_replica_members(&serving->cluster.replica, MEMBERS_MS, &members, err) !=
        DBK_OK)
        return err->code;
    members_json(&members, &out);
    dbk_replica_members_finish(&members);
    if (dbk_render_code(&out) != DBK_OK) {
        dbk_render_finish(&out);
        return dbk_fail(err, DBK_NO_MEMORY, "list the members: out of memory");
    }
    *json = out.text;
    *length = out.length;
    return DBK_OK;
}

static uint64_t projected(void *context)
{
    const struct serving *serving = context;
    struct dbk_projector_status status;

    dbk_projector_status(serving->projector, &status);
    return status.projected;
}

/* What others know is asked first, so that an old file of tokens changes nothing: until all
 * that the stream has is here. */
static enum dbk_code send_tokens(void *context, struct dbk_slice changes,
                                 struct dbk_error *err)
{
    const struct serving *serving = context;
    struct dbk_replica_status now;

    dbk_replica_look(serving->replica, &now);
    if (now.state == DBK_REPLICA_STARTING || now.state == DBK_REPLICA_HALTED ||
        now.end < 0 || now.place.next < now.end)
        return dbk_fail(err, DBK_BUSY, "not caught up yet");
    return dbk_replica_send_tokens(serving->replica, changes, err);
}

static void report(void *context, const char *line)
{
    serve_report_notice(context, line);
}

enum dbk_code serve_join_cluster(struct serving *serving, struct dbk_error *err)
{
    struct dbk_replica_options *options = &serving->cluster.replica;

    if (!serving->joins)
        return DBK_OK;
    if (shared_tokens_create(config_text(serving->tool->config, SETTING_DATA_DIR),
                             serve_report_trouble, serving_logger(serving),
                             &serving->tokens, err) != DBK_OK)
        return dbk_wrap(err, "share the access tokens");
    options->tokens = shared_tokens_came;
    options->tokens_context = serving->tokens;
    options->projected = projected;
    options->projected_context = serving;
    options->report = report;
    options->report_context = serving_logger(serving);
    if (dbk_replica_start(serving->log, options, &serving->replica, err) != DBK_OK ||
        shared_tokens_start(serving->tokens, send_tokens, serving, err) != DBK_OK)
        return dbk_wrap(err, "join the cluster");
    serving->membership = (struct dbk_membership){
        .context = serving,
        .look = look,
        .fresh = fresh,
        .hand_over = hand_over,
        .members = list_members,
        .leave = leave,
        .forward = config_boolean(serving->tool->config, SETTING_CLUSTER_FORWARD),
    };
    serving_say_with(serving, "member of a cluster", "node", options->node);
    return DBK_OK;
}

void serve_leave_cluster(struct serving *serving)
{
    if (!serving->joins)
        return;
    shared_tokens_stop(serving->tokens);
    if (serving->replica)
        serving_say(serving, "stopping: leaving the cluster");
    dbk_replica_stop(serving->replica);
    shared_tokens_destroy(serving->tokens);
}
