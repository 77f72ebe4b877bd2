/* framing.h - where a request ends, told by its headers. Whatever could be read in two
 * ways is refused, for a proxy before us may have read it in the other. */
#ifndef DBK_HTTP_FRAMING_H
#define DBK_HTTP_FRAMING_H

#include "store/error.h"

#include <stdbool.h>
#include <stdint.h>

struct mg_request_info;

/* The value of a header, of the first where it comes several times (count), or NULL.
 * Borrowed. */
const char *framing_header(const struct mg_request_info *info, const char *name,
                           unsigned *count);

struct framing {
    bool chunked;
    bool has_length;
    uint64_t length;
    const char *host; /* the header, borrowed; NULL: none, in HTTP/1.0 */
};

/* Returns 0, or the status to refuse the request with; err then says why. */
int framing_read(const struct mg_request_info *info, struct framing *framing,
                 struct dbk_error *err);

#endif
