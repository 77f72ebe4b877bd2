/* cluster_options.h - the settings CLUSTER_..., as src/replica takes them. */
#ifndef DBK_TOOLS_CLUSTER_OPTIONS_H
#define DBK_TOOLS_CLUSTER_OPTIONS_H

#include "command.h"
#include "replica/replica.h"

struct cluster_options {
    char host[DBK_REPLICA_NAME_MAX + 1]; /* what the node is called where nobody says */
    struct dbk_replica_options replica;  /* callbacks are the caller's to set */
};

/* Whether CLUSTER_BROKERS names some. */
bool cluster_joins(const struct config *config);

/* Fill it in; it borrows from config and from itself, and so stays where it is. Looks at
 * CLUSTER_KAFKA, as the user that this runs as.
 *
 * DBK_INVALID      no CLUSTER_BROKERS; the host has no name that can be one; or others may
 *                  read CLUSTER_KAFKA
 * DBK_UNSUPPORTED  built without what it takes
 * DBK_IO           CLUSTER_KAFKA cannot be looked at
 */
enum dbk_code cluster_options_read(const struct config *config,
                                   struct cluster_options *out, struct dbk_error *err);

#endif
