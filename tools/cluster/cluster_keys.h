/* cluster_keys.h - the keys of a sealed log that several machines share: they travel in the topic,
 * sealed by the master key, which each machine is given. */
#ifndef DBK_TOOLS_CLUSTER_KEYS_H
#define DBK_TOOLS_CLUSTER_KEYS_H

#include "command.h"
#include "replica/replica.h"
#include "store/keys.h"

/* Whether the master key may be that of several: its file lies elsewhere than in the data
 * directory. DBK_INVALID: it does not; err says what to set. */
enum dbk_code cluster_keys_check(const struct config *config, struct dbk_error *err);

/* The ring for a log that is about to be made as one of several, of what the topic begins with. As
 * cluster_keys_check, dbk_replica_ring and tool_keys_make. Close it with dbk_keys_close. */
enum dbk_code cluster_keys_make(const struct tool *tool,
                                const struct dbk_replica_options *options,
                                int timeout_ms, struct dbk_keys **keys,
                                struct dbk_error *err);

#endif
