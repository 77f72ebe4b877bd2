/* framing.h - where a request ends, told by its headers. Whatever could be read in two
 * ways is refused, for a proxy before us may have read it in the other. */
#ifndef DBK_HTTP_FRAMING_H
#define DBK_HTTP_FRAMING_H

#include "head.h"

#include <stdint.h>

struct framing {
    bool chunked;
    bool has_length;
    uint64_t length;
    const char *host; /* whom it is for, borrowed; NULL: not told, in HTTP/1.0 */
};

/* Returns 0, or the status to refuse the request with; err then says why. */
int framing_read(const struct head *head, struct framing *framing,
                 struct dbk_error *err);

#endif
