/* quota.h - how much of its bounds (http/tokens.h) each token has used.
 *
 * Of events a token has a bucket that holds one second's worth of its rate, and fills as
 * time goes by. A request takes as many as it has events, one where it has none. More
 * than a bucket holds are taken when it is full, and are owed then: so a batch of any size
 * passes sometimes, and over time there are no more than the rate. The same for each
 * client's address, where the token says so. Bytes of bodies are counted for each day
 * (UTC): while some are left a body is taken, however large.
 *
 * All of it is in memory: a server that starts has counted nothing.
 */
#ifndef DBK_HTTP_QUOTA_H
#define DBK_HTTP_QUOTA_H

#include "http/tokens.h"
#include "store/render.h"

#include <stdbool.h>
#include <stdint.h>

struct quota; /* safe to share between threads */

struct quota *quota_create(void); /* NULL: out of memory */
void quota_destroy(struct quota *quota);

/* One request's: which token it brought from where, and what was left afterwards. */
struct quota_use {
    bool bounded; /* else nothing is counted, and what follows means nothing */
    unsigned char hash[DBK_TOKEN_HASH];
    uint32_t address;
    uint32_t rate, address_rate; /* as of struct dbk_token_bounds */
    uint64_t bytes_a_day;

    uint64_t events_taken; /* by this request so far */
    /* What is left, and in how many seconds all is there again. */
    struct quota_left {
        uint64_t units;
        unsigned seconds;
    } events, address_events, bytes;
};

void quota_begin(struct quota_use *use, const unsigned char hash[DBK_TOKEN_HASH],
                 uint32_t address, const struct dbk_token_bounds *bounds);

/* Take so many events and bytes. Returns 0; or, where a bound is reached, in how many
 * seconds to come again: all that this request has taken of events is given back then, and
 * why receives what is bounded. now_ms: of clock.h; now_s: since 1970. */
unsigned quota_take(struct quota *quota, struct quota_use *use, uint64_t events,
                    uint64_t bytes, int64_t now_ms, int64_t now_s, const char **why);

/* RateLimit-Policy and RateLimit, as lines (draft-ietf-httpapi-ratelimit-headers-10). */
void quota_render(const struct quota_use *use, struct dbk_render *out);

#endif
