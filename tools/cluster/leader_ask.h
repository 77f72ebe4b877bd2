/* leader_ask.h - asks the machine that leads for something, by its API. */
#ifndef DBK_TOOLS_LEADER_ASK_H
#define DBK_TOOLS_LEADER_ASK_H

#include "replica/replica.h"

/* Have `node` lead instead, and wait until it does. The leader is asked where members tells,
 * or, where that is this machine, `own`, at its own address (server_look.h). With the token of
 * DAYBOOK_TOKEN, if there is one.
 *
 * DBK_INVALID      there is no such node, in the leader's words
 * DBK_UNAVAILABLE  nobody leads, or it does not answer, or is reached by https only
 * DBK_UNSUPPORTED  it asks for a token; or another answer, in its words
 */
enum dbk_code leader_ask_hand_over(const char *data_dir, const char *own,
                                   const struct dbk_replica_members *members,
                                   const char *node, struct dbk_error *err);

#endif
