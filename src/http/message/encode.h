/* encode.h - gives an answer its coding, piece by piece, and quickly rather than small. */
#ifndef DBK_HTTP_ENCODE_H
#define DBK_HTTP_ENCODE_H

#include "coding.h"
#include "store/render.h"

struct encoder; /* used by one thread at a time */

/* CODING_GZIP or CODING_ZSTD, of so many bytes (0: nobody knows), for which it takes its
 * memory. NULL: out of memory. */
struct encoder *encoder_create(enum coding coding, size_t length);
void encoder_destroy(struct encoder *encoder); /* NULL is fine */

enum encoder_then {
    ENCODER_MORE,  /* more follows */
    ENCODER_FLUSH, /* more follows later: what was put can be decoded */
    ENCODER_END,
};

/* Render these bytes, coded, to out, whose failure sticks. False: the library failed. */
bool encoder_put(struct encoder *encoder, struct dbk_slice bytes,
                 enum encoder_then then, struct dbk_render *out);

#endif
