/* tokens_private.h - what reading and writing the file of access tokens share. */
#ifndef DBK_HTTP_TOKENS_PRIVATE_H
#define DBK_HTTP_TOKENS_PRIVATE_H

#include "http/tokens.h"

#define TOKENS_PATH 4096
#define TOKENS_HEADER "daybook tokens 1\n"

/* DIR/tokens, or DIR/tokens.tmp. DBK_IO: too long. */
enum dbk_code tokens_path(const char *dir, const char *name, char path[TOKENS_PATH],
                          struct dbk_error *err);

/* The hash of no secret: the token is revoked, and is left out when the file is read. */
extern const unsigned char tokens_revoked[DBK_TOKEN_HASH];

/* How a secret is kept. Thread-safe, once sodium_init has been called. */
void tokens_hash(const char *secret, size_t length, unsigned char out[DBK_TOKEN_HASH]);

#endif
