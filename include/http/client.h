/* client.h - requests to others, several at once, for tools that have somebody to ask. No
 * server of ours calls out by it. Built on libcurl. */
#ifndef DBK_HTTP_CLIENT_H
#define DBK_HTTP_CLIENT_H

#include "store/error.h"
#include "store/slice.h"

#include <stdbool.h>

#define DBK_CLIENT_ANSWER_MAX ((size_t)64 << 10) /* bytes of an answer's body */

struct dbk_client; /* of one thread */

/* DBK_UNSUPPORTED: built without libcurl. DBK_NO_MEMORY. */
enum dbk_code dbk_client_create(struct dbk_client **client, struct dbk_error *err);
/* What is on its way is given up. NULL is fine. */
void dbk_client_destroy(struct dbk_client *client);

/* Send a POST of text/plain to an http or https URL, whose certificate is checked; nothing
 * else is followed. The body is copied. What becomes of it comes by dbk_client_next, with
 * this context. DBK_NO_MEMORY, DBK_INVALID: the URL. */
enum dbk_code dbk_client_post(struct dbk_client *client, const char *url,
                              struct dbk_slice body, int timeout_ms, void *context,
                              struct dbk_error *err);

/* An answer, or that there is none; borrowed until the next call. */
struct dbk_client_answer {
    void *context;
    int status;            /* 0: none came, was too late or too large */
    const char *type;      /* its media type without parameters; NULL: none */
    struct dbk_slice body; /* at most DBK_CLIENT_ANSWER_MAX */
    const char *why;       /* status 0 */
};

/* The next one, waited for at most timeout_ms; a signal ends that sooner. False: none came. */
bool dbk_client_next(struct dbk_client *client, int timeout_ms,
                     struct dbk_client_answer *out);

#endif
