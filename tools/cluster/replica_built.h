/* replica_built.h - whether this program was built with librdkafka. */
#ifndef DBK_TOOLS_REPLICA_BUILT_H
#define DBK_TOOLS_REPLICA_BUILT_H

#include "store/error.h"

/* DBK_UNSUPPORTED: it was not; err says how to have it. Then every function of
 * include/replica fails so. */
enum dbk_code replica_check_built(struct dbk_error *err);

#endif
