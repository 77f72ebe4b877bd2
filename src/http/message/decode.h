/* decode.h - takes the coding from a body, piece by piece, into memory of the caller's. */
#ifndef DBK_HTTP_DECODE_H
#define DBK_HTTP_DECODE_H

#include "coding.h"

#include <sys/types.h>

struct decoder; /* used by one thread at a time */

/* CODING_GZIP or CODING_ZSTD. NULL: out of memory. */
struct decoder *decoder_create(enum coding coding);
void decoder_destroy(struct decoder *decoder); /* NULL is fine */

/* What comes next; borrowed until decoder_take has used it up. */
void decoder_feed(struct decoder *decoder, const char *bytes, size_t length);

/* At most size bytes of what was fed, decoded. 0: it is used up. -1: the bytes are not of
 * this coding, or damaged, or would need more than 8 MiB of what was before (RFC 9659). */
ssize_t decoder_take(struct decoder *decoder, char *out, size_t size);

/* Whether what was fed so far is whole. */
bool decoder_is_whole(const struct decoder *decoder);

#endif
