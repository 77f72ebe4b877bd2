/* prefer.h - the Prefer header (RFC 7240), of which we know wait. */
#ifndef DBK_HTTP_PREFER_H
#define DBK_HTTP_PREFER_H

#include <stdbool.h>

#define PREFER_WAIT_MAX 60 /* seconds */

/* Whether the header (may be NULL) has wait=N; *seconds then receives N, at most
 * PREFER_WAIT_MAX. What is not understood is ignored, as the RFC asks. */
bool prefer_wait(const char *header, int *seconds);

#endif
