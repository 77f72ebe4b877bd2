/* proof.h - what checkpoints, tiles, proofs and receipts have in common: they are of what
 * the notary has signed (store/proof/notary.h), and of no more. */
#ifndef DBK_HTTP_PROOF_H
#define DBK_HTTP_PROOF_H

#include "request.h"

/* How long is waited for a checkpoint, of which there is one a second at most. */
#define PROOF_WAIT_MS 1500

/* Whether a route tells nothing but what proves, so that AUDIT_PUBLIC opens it. */
bool proof_route(const struct route *route);

/* Take the newest checkpoint into the worker's. DBK_UNAVAILABLE: nothing is signed; rq says
 * why. */
enum dbk_code proof_newest(struct request *rq, struct dbk_error *err);

/* The same, but ask for one that covers so many records, and wait for it as long as it may,
 * where a thread is free for who waits (readers.h). Where there is none in time it is one that
 * covers less. */
enum dbk_code proof_await(struct request *rq, uint64_t size, int wait_ms,
                          struct dbk_error *err);

/* Why the log is not signed, or what of it is no longer what was hashed, for everyone to
 * read. False: neither. */
bool proof_fails(const struct service *service, char *why, size_t size);

/* What the tree was asked for has failed: where the log no longer has what was hashed, that
 * is told to the client and to the operator, with the sequences. Returns err's code. */
enum dbk_code proof_failed(struct request *rq, struct dbk_error *err);

#endif
