/* conf.h - librdkafka's settings: ours, and those of the operator's file.
 *
 * The file has a line a property, name=value, and comments that begin with #. It may have
 * passwords, so it must be its owner's alone. What copies rely on is not to be set there.
 */
#ifndef DBK_REPLICA_CONF_H
#define DBK_REPLICA_CONF_H

#include "replica/replica.h"

#include <librdkafka/rdkafka.h>

enum {
    CONF_SEND_MS = 10000,  /* until a message is given up */
    CONF_ANSWER_MS = 3000, /* until a broker is taken for frozen */
    CONF_SESSION_MS = 2000,
};

enum conf_use {
    CONF_TAIL,     /* reads the stream */
    CONF_ELECTION, /* is in the group of those who may lead */
    CONF_PRODUCER,
    CONF_LOOK, /* reads now and then, administrates, tells of this node */
};

/* Make them for a use; owned. DBK_INVALID: librdkafka refuses one, or the file is wrong; err
 * names it. DBK_IO, DBK_NO_MEMORY. */
enum dbk_code conf_create(const struct dbk_replica_options *options, enum conf_use use,
                          rd_kafka_conf_t **conf, struct dbk_error *err);

/* Make a handle of them, which are gone then either way. */
enum dbk_code conf_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                          rd_kafka_t **handle, struct dbk_error *err);

/* How long an administrative call may take; owned. */
rd_kafka_AdminOptions_t *conf_within(rd_kafka_t *handle, rd_kafka_admin_op_t call,
                                     int timeout_ms);

int conf_session_ms(const struct dbk_replica_options *options);

/* Names of topics and groups. */
#define CONF_NAME_MAX 384
void conf_election_name(const struct dbk_replica_options *options,
                        char out[CONF_NAME_MAX]);
void conf_member_group(const struct dbk_replica_options *options, const char *node,
                       char out[CONF_NAME_MAX]);

#endif
