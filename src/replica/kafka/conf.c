#include "conf.h"

#include "store/durable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct property {
    const char *name, *value;
};

static const struct property of_all[] = {
    {"log_level", "0"}, /* what fails is told by who asked for it */
    {"socket.timeout.ms", "3000"},
    {"socket.connection.setup.timeout.ms", "3000"},
    {"socket.nagle.disable", "true"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "500"},
    {"topic.metadata.refresh.fast.interval.ms", "100"},
    {NULL, NULL},
};

static const struct property of_readers[] = {
    {"auto.offset.reset", "error"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"isolation.level", "read_uncommitted"}, /* there are no transactions here */
    {"allow.auto.create.topics", "false"},
    {"check.crcs", "true"},
    {"fetch.error.backoff.ms", "50"},
    {"fetch.wait.max.ms", "100"},
    {"fetch.message.max.bytes", "16777216"},
    {"queued.max.messages.kbytes", "32768"},
    /* How long telling of this node waits for brokers that are away, also at the end. */
    {"session.timeout.ms", "1000"},
    {"heartbeat.interval.ms", "300"},
    {NULL, NULL},
};

static const struct property of_election[] = {
    /* Who joins takes nothing away from who leads. */
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"auto.offset.reset", "latest"}, /* there is nothing to read */
    {NULL, NULL},
};

static const struct property of_producers[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"linger.ms", "0"},
    {"message.timeout.ms", "10000"},
    {"request.timeout.ms", "3000"},
    {"retry.backoff.ms", "50"},
    {"message.max.bytes", "16777216"},
    {"queue.buffering.max.kbytes", "65536"},
    {NULL, NULL},
};

/* Besides those above, what the file may not set. */
static const char *const reserved[] = {"bootstrap.servers", "metadata.broker.list",
                                       "client.id",         "group.id",
                                       "transactional.id",  "group.instance.id"};

static bool is_in(const struct property *list, const char *name)
{
    for (; list->name; list++)
        if (!strcmp(list->name, name))
            return true;
    return false;
}

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (!strcmp(reserved[i], name))
            return true;
    return is_in(of_all, name) || is_in(of_readers, name) || is_in(of_election, name) ||
           is_in(of_producers, name);
}

static enum dbk_code set(rd_kafka_conf_t *conf, const char *name, const char *value,
                         struct dbk_error *err)
{
    char why[256];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        return dbk_fail(err, DBK_INVALID, "%s: %s", name, why);
    return DBK_OK;
}

static enum dbk_code set_all(rd_kafka_conf_t *conf, const struct property *list,
                             struct dbk_error *err)
{
    for (; list->name; list++)
        if (set(conf, list->name, list->value, err) != DBK_OK)
            return DBK_INVALID;
    return DBK_OK;
}

static enum dbk_code set_number(rd_kafka_conf_t *conf, const char *name, int number,
                                struct dbk_error *err)
{
    char text[16];

    snprintf(text, sizeof text, "%d", number);
    return set(conf, name, text, err);
}

static char *trimmed(char *text)
{
    size_t length;

    text += strspn(text, " \t");
    length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* librdkafka says of a file that it cannot read neither which nor why. */
static bool is_a_file(const char *name, const char *value)
{
    static const char end[] = ".location";
    size_t length = strlen(name);

    return strncmp(name, "ssl.", 4) == 0 && length > sizeof end &&
           !strcmp(name + length - (sizeof end - 1), end) &&
           strcmp(name, "ssl.engine.location") != 0 && strcmp(value, "probe") != 0;
}

static enum dbk_code set_named(rd_kafka_conf_t *conf, const char *name,
                               const char *value, struct dbk_error *err)
{
    if (is_a_file(name, value) && access(value, R_OK) != 0)
        return dbk_fail(err, DBK_INVALID, "%s: %.300s: %s", name, value,
                        strerror(errno));
    return set(conf, name, value, err);
}

static enum dbk_code set_line(rd_kafka_conf_t *conf, char *line, const char *path,
                              int number, struct dbk_error *err)
{
    char *name = trimmed(line), *equals = strchr(name, '=');

    if (name[0] == '\0' || name[0] == '#')
        return DBK_OK;
    if (!equals)
        return dbk_fail(err, DBK_INVALID, "%s line %d: name=value is expected", path,
                        number);
    *equals = '\0';
    name = trimmed(name);
    if (is_reserved(name))
        return dbk_fail(err, DBK_INVALID,
                        "%s line %d: %s is not to be set: Daybook relies on its own",
                        path, number, name);
    if (set_named(conf, name, trimmed(equals + 1), err) != DBK_OK) {
        dbk_wrap(err, "%s line %d", path, number);
        return DBK_INVALID;
    }
    return DBK_OK;
}

static enum dbk_code set_lines(rd_kafka_conf_t *conf, FILE *file, const char *path,
                               struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    char *line = NULL;
    size_t size = 0;

    for (int number = 1; code == DBK_OK && getline(&line, &size, file) >= 0; number++)
        code = set_line(conf, line, path, number, err);
    if (code == DBK_OK && ferror(file))
        code = dbk_system_fail(err, "read", path);
    free(line);
    return code;
}

static enum dbk_code set_file(rd_kafka_conf_t *conf, const char *path,
                              struct dbk_error *err)
{
    FILE *file = fopen(path, "re");
    enum dbk_code code;
    struct stat stat;

    if (!file)
        return errno == ENOENT
                   ? dbk_fail(err, DBK_INVALID, "%s: there is no such file", path)
                   : dbk_system_fail(err, "open", path);
    if (fstat(fileno(file), &stat) != 0)
        code = dbk_system_fail(err, "look at", path);
    else if ((stat.st_mode & 077) != 0)
        code =
            dbk_fail(err, DBK_INVALID,
                     "%s: others than its owner may read it: chmod 600 %s", path, path);
    else
        code = set_lines(conf, file, path, err);
    fclose(file);
    return code;
}

rd_kafka_AdminOptions_t *conf_within(rd_kafka_t *handle, rd_kafka_admin_op_t call,
                                     int timeout_ms)
{
    rd_kafka_AdminOptions_t *bounds = rd_kafka_AdminOptions_new(handle, call);
    char why[128];

    rd_kafka_AdminOptions_set_request_timeout(bounds, timeout_ms, why, sizeof why);
    return bounds;
}

int conf_session_ms(const struct dbk_replica_options *options)
{
    return options->session_ms > 0 ? options->session_ms : CONF_SESSION_MS;
}

void conf_election_name(const struct dbk_replica_options *options,
                        char out[CONF_NAME_MAX])
{
    snprintf(out, CONF_NAME_MAX, "%s.leader", options->topic);
}

void conf_member_group(const struct dbk_replica_options *options, const char *node,
                       char out[CONF_NAME_MAX])
{
    snprintf(out, CONF_NAME_MAX, "%s.member.%s", options->topic, node);
}

static enum dbk_code set_election(rd_kafka_conf_t *conf,
                                  const struct dbk_replica_options *options,
                                  struct dbk_error *err)
{
    int session_ms = conf_session_ms(options);
    enum dbk_code code = set_all(conf, of_election, err);

    if (code == DBK_OK)
        code = set_number(conf, "session.timeout.ms", session_ms, err);
    if (code == DBK_OK)
        code = set_number(conf, "heartbeat.interval.ms", session_ms / 4, err);
    return code;
}

static enum dbk_code set_use(rd_kafka_conf_t *conf,
                             const struct dbk_replica_options *options,
                             enum conf_use use, struct dbk_error *err)
{
    char group[CONF_NAME_MAX];

    if (use == CONF_PRODUCER)
        return set_all(conf, of_producers, err);
    if (use == CONF_ELECTION)
        conf_election_name(options, group);
    else /* one that only looks commits nothing, and joins nothing */
        conf_member_group(options, options->node ? options->node : "", group);
    if (set_all(conf, of_readers, err) != DBK_OK)
        return DBK_INVALID;
    /* The tail knows itself where it is. Of a group it would be told, and nobody listen. */
    if (use != CONF_TAIL && set(conf, "group.id", group, err) != DBK_OK)
        return DBK_INVALID;
    return use == CONF_ELECTION ? set_election(conf, options, err) : DBK_OK;
}

enum dbk_code conf_create(const struct dbk_replica_options *options, enum conf_use use,
                          rd_kafka_conf_t **out, struct dbk_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum dbk_code code = DBK_OK;

    if (options->properties && options->properties[0] != '\0')
        code = set_file(conf, options->properties, err);
    if (code == DBK_OK)
        code = set(conf, "bootstrap.servers", options->brokers, err);
    if (code == DBK_OK && options->node)
        code = set(conf, "client.id", options->node, err);
    if (code == DBK_OK)
        code = set_all(conf, of_all, err);
    if (code == DBK_OK)
        code = set_use(conf, options, use, err);
    if (code == DBK_OK)
        *out = conf;
    else
        rd_kafka_conf_destroy(conf);
    return code;
}

enum dbk_code conf_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                          rd_kafka_t **handle, struct dbk_error *err)
{
    char why[512];

    *handle = rd_kafka_new(type, conf, why, sizeof why);
    if (*handle)
        return DBK_OK;
    rd_kafka_conf_destroy(conf);
    return dbk_fail(err, DBK_INVALID, "librdkafka: %s", why);
}
