/* config_cluster.h - what the settings CLUSTER_... must be, each and together. Private to
 * config.c. */
#ifndef DBK_TOOLS_CONFIG_CLUSTER_H
#define DBK_TOOLS_CONFIG_CLUSTER_H

#include "config.h"

/* groups: those that were read. DBK_INVALID: err names the setting and where it came from. */
enum dbk_code config_cluster_check(const struct config *config, unsigned groups,
                                   struct dbk_error *err);

#endif
