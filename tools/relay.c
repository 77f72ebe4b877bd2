/* daybook relay - writes the log into a topic that others read, a message a record. */
#include "replica/relay.h"

#include "cluster_options.h"
#include "command.h"
#include "http/record_json.h"
#include "plural.h"
#include "progress.h"
#include "relay_render.h"
#include "signals.h"
#include "tool_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum dbk_code read_format(const struct tool *tool, struct relay_render *render,
                                 struct dbk_error *err)
{
    const char *format = tool_value(tool, "--format");

    render->cloud = format && !strcmp(format, "cloudevents");
    if (!format || render->cloud || !strcmp(format, "json"))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "--format is \"%.64s\": json and cloudevents are allowed", format);
}

static void print_done(const struct tool *tool, uint64_t sent, double seconds)
{
    if (tool_has(tool, "--json"))
        printf("{\"sent\":%" PRIu64 ",\"seconds\":%.3f}\n", sent, seconds);
    else
        printf("sent          %s\nseconds       %.2f\n", plural(sent, "records").text,
               seconds);
}

static enum tool_exit pass_on(const struct tool *tool, struct dbk_log *log,
                              struct dbk_relay_options *options)
{
    struct progress progress;
    struct dbk_error err = {0};
    enum dbk_code code;
    uint64_t sent = 0;

    progress_start(&progress, options->follow ? NULL : tool_progress(tool));
    options->watch = progress_watch(&progress, tool->logger);
    code = dbk_relay_run(log, options, &sent, &err);
    progress_clear(&progress);
    print_done(tool, sent, progress_seconds(&progress));
    if (code == DBK_INTERRUPTED && options->follow) /* it has no other end */
        return TOOL_DONE;
    if (code == DBK_INTERRUPTED)
        dbk_fail(&err, code, "stopped; run the same again to go on");
    return code == DBK_OK ? TOOL_DONE : tool_refuse(tool, &err);
}

static enum tool_exit run(struct tool *tool)
{
    struct relay_render render = {0};
    struct cluster_options cluster;
    struct dbk_relay_options options;
    enum tool_exit exit;
    struct dbk_error err;
    struct dbk_log *log;

    if (!tool_has(tool, "--topic"))
        return tool_misused(tool, "--topic is needed: the one that others read, not "
                                  "CLUSTER_TOPIC");
    if (cluster_options_read(tool->config, &cluster, &err) != DBK_OK ||
        read_format(tool, &render, &err) != DBK_OK)
        return tool_refuse(tool, &err);
    render.unsealed = tool_has(tool, "--unseal");
    options = (struct dbk_relay_options){
        .brokers = cluster.replica.brokers,
        .topic = tool_value(tool, "--topic"),
        .properties = cluster.replica.properties,
        .name = tool_has(tool, "--name") ? tool_value(tool, "--name")
                                         : tool_value(tool, "--topic"),
        .follow = tool_has(tool, "--follow"),
        .render = relay_render,
        .render_context = &render,
    };
    if (!strcmp(options.topic, cluster.replica.topic))
        return tool_misused(tool, "--topic is CLUSTER_TOPIC, which the machines share: "
                                  "name another one");
    signals_hold();
    if (tool_log_open(tool, &log, &err) != DBK_OK)
        return tool_fail(tool, &err);
    render.store_id = dbk_log_store_id(log);
    render.withholds = tool_has(tool, "--restricted") ? NULL : log;
    exit = pass_on(tool, log, &options);
    relay_render_finish(&render);
    dbk_log_close(log);
    return exit;
}

const struct command command_relay = {
    .name = "relay",
    .purpose = "write the log into a Kafka topic for others",
    .operands = "",
    .details =
        "Each record is a message: its value is the record as JSON, as GET /log shows\n"
        "it, or a CloudEvent; its key the person's id, so that a person's are in "
        "order;\n"
        "its headers sequence, type and log. They go in transactions: who reads what\n"
        "is committed (isolation.level=read_committed) reads each once. It goes on\n"
        "where the topic ends, whoever sent that and however that ended, and works on\n"
        "any machine that has the log, of a cluster or not, beside its server.\n"
        "\n"
        "Of a sealed log the messages have what is sealed as it lies there: who and\n"
        "when, no names. With --unseal they have it in the clear, where erasing a "
        "person\n"
        "does not reach it: give that topic a retention, and have its readers delete\n"
        "whom a record person.erased names.\n"
        "\n"
        "Of a person who is restricted nothing is said in the clear, and not "
        "afterwards\n"
        "either, when the person no more is, but with --restricted.\n"
        "\n"
        "The topic must be there, with partitions and replicas as its readers want.\n"
        "One relay of a name runs at a time: a second one ends the first.\n",
    .example = "  daybook relay --topic daybook.records\n"
               "  daybook relay --topic daybook.events --format cloudevents --follow\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_CLUSTER,
    .options = {{"--topic", "TOPIC", "Where to"},
                {"--format", "F", "json [json] or cloudevents"},
                {"--unseal", NULL, "What a sealed log says of persons, in the clear"},
                {"--restricted", NULL,
                 "What is said of persons who are restricted, too"},
                {"--follow", NULL, "Go on with what comes, until Ctrl-C"},
                {"--name", "NAME", "What it is called, among those at once [TOPIC]"},
                {"--json", NULL, "Print one JSON object at the end"}},
    .run = run,
};
