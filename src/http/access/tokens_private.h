/* tokens_private.h - what reading and writing the file of access tokens share. */
#ifndef DBK_HTTP_TOKENS_PRIVATE_H
#define DBK_HTTP_TOKENS_PRIVATE_H

#include "http/tokens.h"

#define TOKENS_PATH 4096
#define TOKENS_BEGINNING "daybook tokens "
#define TOKENS_LINE 2048 /* bytes of a line, with its end and the NUL */

/* How a version begins: with its number, of one digit, and a line's end. The file is written
 * in the first that can say all that is in it. */
#define TOKENS_HEADER TOKENS_BEGINNING "1\n"
#define TOKENS_VERSION 4 /* the newest */

/* What a line from version 2 on says between the time and the hash: each with a space behind
 * it; "" where there are none. */
void tokens_format_bounds(const struct dbk_token_bounds *bounds, char out[TOKENS_LINE]);
/* The other way. False: something else is there, or it is not as it is written. */
bool tokens_parse_bounds(const char *text, size_t length,
                         struct dbk_token_bounds *bounds);

/* Whether these may be the origins of a token: none, "*", or some with commas between. */
bool tokens_origins_valid(const char *origins);

/* The first version that can say the scopes; that can say the token. */
int tokens_scopes_version(unsigned scopes);
int tokens_version(const struct dbk_token *token);

/* DIR/tokens, or DIR/tokens.tmp. DBK_IO: too long. */
enum dbk_code tokens_path(const char *dir, const char *name, char path[TOKENS_PATH],
                          struct dbk_error *err);

/* The hash of no secret: the token is revoked, and is left out when the file is read. */
extern const unsigned char tokens_revoked[DBK_TOKEN_HASH];

/* How a secret is kept. Thread-safe, once sodium_init has been called. */
void tokens_hash(const char *secret, size_t length, unsigned char out[DBK_TOKEN_HASH]);

#endif
