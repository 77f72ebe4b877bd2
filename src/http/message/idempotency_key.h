/* idempotency_key.h - the Idempotency-Key header, for the log. */
#ifndef DBK_HTTP_IDEMPOTENCY_KEY_H
#define DBK_HTTP_IDEMPOTENCY_KEY_H

#include "request.h"

#define IDEMPOTENCY_KEY_MAX 255

/* *there tells whether the request has a key; *out then is its hash, with the hash of
 * method, path and body. DBK_INVALID: not 1 to 255 printable ASCII characters. */
enum dbk_code idempotency_key(const struct request *rq, struct dbk_idempotency *out,
                              bool *there, struct dbk_error *err);

#endif
