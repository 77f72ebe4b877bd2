/* daybook cluster - begins, shows and mends what several machines share. */
#include "cluster_keys.h"
#include "cluster_options.h"
#include "cluster_print.h"
#include "command.h"
#include "leader_ask.h"
#include "lock.h"
#include "log_place.h"
#include "plural.h"
#include "shared_tokens.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MS = 10000, REPLICATION_MAX = 100 };

/* One run. */
struct cluster_run {
    const struct tool *tool;
    struct cluster_options options;
    int lock; /* -1: not taken */
    struct dbk_log *log;
};

static const char *dir_of(const struct cluster_run *run)
{
    return config_text(run->tool->config, SETTING_DATA_DIR);
}

/* No server runs on it meanwhile. With make a log is made where there is none. */
static enum dbk_code open_log(struct cluster_run *run, bool make, struct dbk_error *err)
{
    const struct config *config = run->tool->config;
    bool makes = make && !log_place_has_log(config);

    if (makes && config_boolean(config, SETTING_SEALED) &&
        cluster_keys_check(config, err) != DBK_OK)
        return err->code;
    if (makes && log_place_prepare(run->tool, false, err) != DBK_OK)
        return err->code;
    if (!makes && log_place_check(config, err) != DBK_OK)
        return err->code;
    if (lock_take(dir_of(run), &run->lock, err) != DBK_OK)
        return dbk_wrap(err, "stop the server first");
    if (log_place_open(run->tool, makes, NULL, &run->log, err) != DBK_OK)
        return err->code;
    return dbk_log_is_sealed(run->log) ? cluster_keys_check(config, err) : DBK_OK;
}

static enum dbk_code read_replication(const struct tool *tool, unsigned *out,
                                      struct dbk_error *err)
{
    const char *text = tool_value(tool, "--replication");
    char *end = NULL;
    long number = 0;

    *out = 0;
    if (!text)
        return DBK_OK;
    number = strtol(text, &end, 10);
    if (end == text || *end || number < 1 || number > REPLICATION_MAX)
        return dbk_fail(err, DBK_INVALID,
                        "--replication is \"%.64s\": a number is "
                        "expected, 3 where nothing is said",
                        text);
    *out = (unsigned)number;
    return DBK_OK;
}

static enum dbk_code begin(struct cluster_run *run, struct dbk_error *err)
{
    unsigned replication;

    if (read_replication(run->tool, &replication, err) != DBK_OK ||
        open_log(run, true, err) != DBK_OK ||
        shared_tokens_forget(dir_of(run), err) != DBK_OK)
        return err->code;
    return dbk_replica_init(run->log, &run->options.replica, replication, err);
}

static enum dbk_code init(struct cluster_run *run, struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1];
    struct dbk_uuid store_id;
    uint64_t head;

    if (begin(run, err) != DBK_OK || dbk_log_head(run->log, &head, err) != DBK_OK)
        return err->code;
    store_id = dbk_log_store_id(run->log);
    dbk_uuid_format(&store_id, id);
    if (tool_has(run->tool, "--json"))
        printf("{\"topic\":\"%s\",\"node\":\"%s\",\"store_id\":\"%s\",\"head\":%" PRIu64
               "}\n",
               run->options.replica.topic, run->options.replica.node, id, head);
    else
        printf("topic         %s, begun with the log %s, which has %s\n"
               "next          daybook serve here; on each other machine %s%s, then "
               "daybook serve\n",
               run->options.replica.topic, id, plural(head, "records").text,
               head == 0 ? "an empty data directory"
                         : "daybook restore a backup of this one, with --member",
               dbk_log_is_sealed(run->log) ? ", the same MASTER_KEY_FILE" : "");
    return DBK_OK;
}

static enum dbk_code reseed(struct cluster_run *run, struct dbk_error *err)
{
    uint64_t sent = 0;

    if (open_log(run, false, err) != DBK_OK)
        return err->code;
    if (dbk_replica_reseed(run->log, &run->options.replica, &sent, err) != DBK_OK)
        return err->code;
    if (tool_has(run->tool, "--json"))
        printf("{\"sent\":%" PRIu64 "}\n", sent);
    else
        printf("sent again    %s that the brokers had lost\n"
               "next          daybook serve here; the others go on by themselves\n",
               plural(sent, "records").text);
    return DBK_OK;
}

static enum dbk_code hand_over(struct cluster_run *run, struct dbk_error *err)
{
    const char *node = run->tool->operands[1];
    struct dbk_replica_members members;
    enum dbk_code code;

    if (dbk_replica_members(&run->options.replica, MEMBERS_MS, &members, err) != DBK_OK)
        return err->code;
    code = leader_ask_hand_over(dir_of(run), run->options.replica.node, &members, node,
                                err);
    dbk_replica_members_finish(&members);
    if (code != DBK_OK)
        return code;
    if (tool_has(run->tool, "--json"))
        printf("{\"leader\":\"%s\"}\n", node);
    else
        printf("leader        %s\n", node);
    return DBK_OK;
}

static enum tool_exit status(struct cluster_run *run)
{
    struct dbk_replica_members members;
    struct dbk_error err;
    bool well;

    if (cluster_look(&run->options.replica, &members, &err) != DBK_OK)
        return tool_refuse(run->tool, &err);
    if (tool_has(run->tool, "--json"))
        cluster_print_json(&members, &run->options.replica);
    else
        cluster_print_text(&members, &run->options.replica);
    well = cluster_is_well(&members, &run->options.replica);
    dbk_replica_members_finish(&members);
    return well ? TOOL_DONE : TOOL_DIFFERENT;
}

static enum tool_exit done(const struct cluster_run *run, enum dbk_code code,
                           const struct dbk_error *err)
{
    return code == DBK_OK ? TOOL_DONE : tool_refuse(run->tool, err);
}

static enum tool_exit do_it(struct cluster_run *run, const char *what)
{
    const struct tool *tool = run->tool;
    struct dbk_error err = {0};

    if (!strcmp(what, "init"))
        return done(run, init(run, &err), &err);
    if (!strcmp(what, "reseed"))
        return done(run, reseed(run, &err), &err);
    if (!strcmp(what, "status"))
        return status(run);
    if (tool->operand_count != 2)
        return tool_misused(tool, "hand-over needs the NODE that shall lead");
    return done(run, hand_over(run, &err), &err);
}

static enum tool_exit check_use(const struct tool *tool, const char *what)
{
    static const char *const known[] = {"init", "status", "hand-over", "reseed"};
    bool found = false;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        found = found || !strcmp(what, known[i]);
    if (!found)
        return tool_misused(
            tool, "\"%.64s\" is none of init, status, hand-over and reseed", what);
    if (tool_has(tool, "--replication") && strcmp(what, "init") != 0)
        return tool_misused(tool, "--replication is for cluster init");
    if (tool->operand_count > 1 && strcmp(what, "hand-over") != 0)
        return tool_misused(tool, "unexpected \"%.64s\"", tool->operands[1]);
    return TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    struct cluster_run run = {.tool = tool, .lock = -1};
    enum tool_exit exit = check_use(tool, tool->operands[0]);
    struct dbk_error err;

    if (exit != TOOL_DONE)
        return exit;
    if (cluster_options_read(tool->config, &run.options, &err) != DBK_OK)
        return tool_refuse(tool, &err);
    exit = do_it(&run, tool->operands[0]);
    dbk_log_close(run.log);
    lock_release(run.lock);
    return exit;
}

const struct command command_cluster = {
    .name = "cluster",
    .purpose = "begin, show and mend what several machines share",
    .operands = "init | status | hand-over NODE | reseed",
    .details =
        "init       make the topics at CLUSTER_BROKERS, and begin with the log here\n"
        "status     who leads, how far each machine is, and when it was last seen:\n"
        "           the brokers are asked, no machine is\n"
        "hand-over  have another machine lead, as before this one is stopped; the\n"
        "           leader is asked, with the token in DAYBOOK_TOKEN where it takes "
        "one\n"
        "reseed     where the brokers have lost records: send them again from here,\n"
        "           the machine with the most, its server stopped\n"
        "\n"
        "Exit codes: 0 done; 1 of status: nobody leads, or a machine is halted, or "
        "was\n"
        "not seen for some seconds; 2 wrong use; 3 it could not be done.\n",
    .example = "  daybook cluster init --cluster-brokers k1:9092,k2:9092,k3:9092\n"
               "  daybook cluster status --json\n"
               "  daybook cluster hand-over db2\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_CLUSTER | CONFIG_GROUP_NEW,
    .operands_min = 1,
    .operands_max = 2,
    .options = {{"--replication", "N", "With init: brokers that have each record [3]"},
                {"--json", NULL, "Print one JSON object"}},
    .run = run,
};
