/* coding.h - content codings: of a body that comes, by its Content-Encoding, and of an
 * answer, by Accept-Encoding. Source: RFC 9110, sections 8.4 and 12.5.3. */
#ifndef DBK_HTTP_CODING_H
#define DBK_HTTP_CODING_H

#include "head.h"

enum coding {
    CODING_IDENTITY,
    CODING_GZIP,
    CODING_ZSTD,
    CODING_OTHER, /* one that is not taken, or several */
};

#define CODINGS_TAKEN "zstd, gzip"
#define CODING_SUFFIX_MAX 5 /* "-gzip" */

/* As headers have it. Static. */
const char *coding_name(enum coding coding);

enum coding coding_of_body(const struct head *head);

/* Which one the client likes best, of equals the one that costs least; never
 * CODING_OTHER. *plain_will_do: it takes the answer as it is, too. */
enum coding coding_of_answer(const struct head *head, bool *plain_will_do);

#endif
