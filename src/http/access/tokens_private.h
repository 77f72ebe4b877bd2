/* tokens_private.h - what reading and writing the file of access tokens share. */
#ifndef DBK_HTTP_TOKENS_PRIVATE_H
#define DBK_HTTP_TOKENS_PRIVATE_H

#include "http/tokens.h"

#define TOKENS_PATH 4096
#define TOKENS_BEGINNING "daybook tokens "
#define TOKENS_LINE 2048 /* bytes of a line, with its end and the NUL */

/* How a version begins. What needs nothing of the second is written as the first. */
#define TOKENS_HEADER TOKENS_BEGINNING "1\n"
#define TOKENS_HEADER_2 TOKENS_BEGINNING "2\n"

/* What a line of version 2 says between the time and the hash: each with a space behind
 * it; "" where there are none. */
void tokens_format_bounds(const struct dbk_token_bounds *bounds, char out[TOKENS_LINE]);
/* The other way. False: something else is there, or it is not as it is written. */
bool tokens_parse_bounds(const char *text, size_t length,
                         struct dbk_token_bounds *bounds);

/* Whether these may be the origins of a token: none, "*", or some with commas between. */
bool tokens_origins_valid(const char *origins);

/* Whether it needs version 2. */
bool tokens_is_newer(const struct dbk_token *token);

/* DIR/tokens, or DIR/tokens.tmp. DBK_IO: too long. */
enum dbk_code tokens_path(const char *dir, const char *name, char path[TOKENS_PATH],
                          struct dbk_error *err);

/* The hash of no secret: the token is revoked, and is left out when the file is read. */
extern const unsigned char tokens_revoked[DBK_TOKEN_HASH];

/* How a secret is kept. Thread-safe, once sodium_init has been called. */
void tokens_hash(const char *secret, size_t length, unsigned char out[DBK_TOKEN_HASH]);

#endif
