/* members_json.h - the machines of a cluster, as JSON. */
#ifndef DBK_TOOLS_MEMBERS_JSON_H
#define DBK_TOOLS_MEMBERS_JSON_H

#include "replica/replica.h"
#include "store/render.h"

/* An array of an object each. */
void members_json(const struct dbk_replica_members *members, struct dbk_render *out);

#endif
