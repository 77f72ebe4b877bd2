/* chunks.h - a chunked body, read from its connection (tap.h).
 *
 * As RFC 9112, section 7.1, writes it, and in no other way: whatever two programs could
 * read as two things ends it. Extensions are held against the grammar, bounded, and
 * dropped; so are trailers. */
#ifndef DBK_HTTP_CHUNKS_H
#define DBK_HTTP_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunks {
    int stall_ms;  /* how long nothing may come */
    uint64_t left; /* of the chunk at hand */
    size_t extra;  /* bytes of extensions and trailers so far */
    bool begun, ended;
};

enum { CHUNKS_LATE = -1, CHUNKS_BROKEN = -2 };

/* The next bytes of the body, at most size: how many, 0 at its end, or one of these. */
int chunks_read(struct chunks *chunks, char *out, size_t size);

#endif
