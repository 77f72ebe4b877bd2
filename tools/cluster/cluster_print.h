/* cluster_print.h - the machines of a cluster, as `daybook cluster status` shows them. */
#ifndef DBK_TOOLS_CLUSTER_PRINT_H
#define DBK_TOOLS_CLUSTER_PRINT_H

#include "replica/replica.h"

void cluster_print_text(const struct dbk_replica_members *members,
                        const struct dbk_replica_options *options);
void cluster_print_json(const struct dbk_replica_members *members,
                        const struct dbk_replica_options *options);

/* Whether one leads, and all were seen, and none is halted. */
bool cluster_is_well(const struct dbk_replica_members *members,
                     const struct dbk_replica_options *options);

#endif
