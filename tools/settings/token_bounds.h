/* token_bounds.h - the bounds of a token (http/tokens.h) as they are typed and shown. */
#ifndef DBK_TOOLS_TOKEN_BOUNDS_H
#define DBK_TOOLS_TOKEN_BOUNDS_H

#include "http/tokens.h"

#include <stddef.h>
#include <stdint.h>

/* "500/s", or "500". DBK_INVALID: err says what is allowed; so do the others. */
enum dbk_code token_rate_parse(const char *text, uint32_t *rate, struct dbk_error *err);

/* A size as settings are given it: 1048576, 500 MB, 1GB. */
enum dbk_code token_bytes_parse(const char *text, uint64_t *bytes,
                                struct dbk_error *err);

/* Origins as browsers write them, with commas between, or "*". DBK_NO_MEMORY, too. */
enum dbk_code token_origins_parse(const char *text, char out[DBK_ORIGINS_TEXT],
                                  struct dbk_error *err);

/* For people: "500/s, 5/s an address, 1073741824 bytes a day, for https://shop.example";
 * "" where there are none. */
#define TOKEN_BOUNDS_TEXT (DBK_ORIGINS_TEXT + 128)
void token_bounds_format(const struct dbk_token_bounds *bounds,
                         char out[TOKEN_BOUNDS_TEXT]);

#endif
