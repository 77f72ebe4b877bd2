/* caught_up.h - whether a member has read all that the others were sent. */
#ifndef DBK_TOOLS_CAUGHT_UP_H
#define DBK_TOOLS_CAUGHT_UP_H

#include "config.h"
#include "store/log.h"

/* Ask the brokers where the topic ends, and wait some seconds until the log, whose server runs
 * beside, has what is before that.
 *
 * DBK_CONFLICT  it is behind; err says by how many messages
 * DBK_INVALID   no CLUSTER_BROKERS
 * and as cluster_options_read, dbk_replica_members and dbk_log_place */
enum dbk_code caught_up_wait(const struct config *config, struct dbk_log *log,
                             struct dbk_error *err);

#endif
