/* digest.h - SHA-256 of bytes that come in pieces.
 *
 * OpenSSL's, where http and projections use libsodium's: it uses the processor's own
 * instructions and is some six times as fast, which counts for hundreds of megabytes.
 * libpq brings it along.
 */
#ifndef DBK_TOOLS_DIGEST_H
#define DBK_TOOLS_DIGEST_H

#include "store/error.h"

#include <stddef.h>

#define DIGEST_HEX 64 /* characters, without the NUL */

struct digest; /* one thread at a time */

/* DBK_NO_MEMORY. Free with digest_destroy. */
enum dbk_code digest_create(struct digest **digest, struct dbk_error *err);
void digest_destroy(struct digest *digest); /* NULL is fine */

void digest_add(struct digest *digest, const char *bytes, size_t length);

/* The digest of all that was added, in lower-case hexadecimal. More may be added
 * behind. DBK_NO_MEMORY. */
enum dbk_code digest_hex(const struct digest *digest, char out[DIGEST_HEX + 1],
                         struct dbk_error *err);

#endif
