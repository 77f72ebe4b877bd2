/* cluster_programs.h - where PostgreSQL's server programs lie. */
#ifndef DBK_PROJECTIONS_CLUSTER_PROGRAMS_H
#define DBK_PROJECTIONS_CLUSTER_PROGRAMS_H

#include "store/error.h"

#include <limits.h>

struct cluster_programs {
    char postgres[PATH_MAX];
    char initdb[PATH_MAX];
    int major; /* of their version, 0: unknown */
};

/* Those of this major version where Debian puts them (wanted > 0), else the first in
 * PATH, else the newest in /usr/lib/postgresql. DBK_NOT_FOUND says what to install. */
enum dbk_code cluster_programs_find(int wanted, struct cluster_programs *programs,
                                    struct dbk_error *err);

#endif
