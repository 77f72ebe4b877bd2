/* cluster_print.h - the machines of a cluster, as `daybook cluster status` shows them. */
#ifndef DBK_TOOLS_CLUSTER_PRINT_H
#define DBK_TOOLS_CLUSTER_PRINT_H

#include "replica/replica.h"

/* Ask the brokers for them. When one was seen it tells by its own clock, which may be apart from
 * that here: where it seems away, `at` becomes now if it goes on telling, which takes a second
 * more, and 0, which nobody knows, if it does not and is ahead. As dbk_replica_members. */
enum dbk_code cluster_look(const struct dbk_replica_options *options,
                           struct dbk_replica_members *out, struct dbk_error *err);

void cluster_print_text(const struct dbk_replica_members *members,
                        const struct dbk_replica_options *options);
void cluster_print_json(const struct dbk_replica_members *members,
                        const struct dbk_replica_options *options);

/* Whether one leads, and all were seen, and none is halted. */
bool cluster_is_well(const struct dbk_replica_members *members,
                     const struct dbk_replica_options *options);

#endif
