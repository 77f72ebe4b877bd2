/* member.h - what a node tells of itself: with the offset that it commits to a group of its own,
 * TOPIC.member.NODE, so that the brokers alone tell of all nodes, also of those that are down. */
#ifndef DBK_REPLICA_MEMBER_H
#define DBK_REPLICA_MEMBER_H

#include "replica_private.h"
#include "store/render.h"

/* One as JSON, and back; false: it is none. `next` is the offset, and not in it. */
void member_write(const struct dbk_replica_member *member, struct dbk_render *out);
bool member_read(struct dbk_slice json, struct dbk_replica_member *out);

/* Tell of this node; waits for nobody. */
void member_tell(struct dbk_replica *replica);

/* What the node of this name told last. DBK_NOT_FOUND, DBK_UNAVAILABLE. */
enum dbk_code member_find(const struct dbk_replica_options *options, const char *node,
                          int timeout_ms, struct dbk_replica_member *out,
                          struct dbk_error *err);

#endif
