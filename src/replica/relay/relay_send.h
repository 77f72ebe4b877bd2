/* relay_send.h - sends messages to a topic in transactions. One thread. */
#ifndef DBK_REPLICA_RELAY_SEND_H
#define DBK_REPLICA_RELAY_SEND_H

#include "replica/relay.h"

struct relay_sender;

/* Whoever sent under this name before can send no more, and what he has not committed is
 * void. DBK_UNAVAILABLE, DBK_INVALID, DBK_IO, DBK_NO_MEMORY; DBK_UNSUPPORTED: brokers let it in
 * neither now nor later. */
enum dbk_code relay_sender_open(const struct dbk_relay_options *options, int timeout_ms,
                                struct relay_sender **out, struct dbk_error *err);
void relay_sender_close(struct relay_sender *sender); /* NULL is fine */

/* A transaction. After a failure of any of these nothing is left but to close it, and to look
 * at the topic whether the commit has come about.
 *
 * DBK_CONFLICT     another has opened under this name
 * DBK_UNAVAILABLE
 */
enum dbk_code relay_sender_begin(struct relay_sender *sender, struct dbk_error *err);
enum dbk_code relay_sender_add(struct relay_sender *sender,
                               const struct dbk_record *record, const char *log,
                               struct dbk_slice key, const char *text, size_t length,
                               struct dbk_error *err);
enum dbk_code relay_sender_commit(struct relay_sender *sender, struct dbk_error *err);

#endif
