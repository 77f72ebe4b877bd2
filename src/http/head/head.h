/* head.h - the head of a request: its first line, and its fields.
 *
 * As RFC 9112 writes it, and in no other way: what a proxy before us could have read
 * otherwise is refused.
 */
#ifndef DBK_HTTP_HEAD_H
#define DBK_HTTP_HEAD_H

#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>

#define HEAD_FIELDS_MAX 63

/* All text is the buffer's that it was read from, or static. */
struct head {
    const char *method;  /* any token; NULL: the first line could not be read */
    const char *path;    /* as it came, without the query; "*": the server itself */
    const char *query;   /* as it came, "" for none */
    const char *host;    /* that the target names; NULL: the header Host counts */
    const char *version; /* "1.0" or "1.1" */
    size_t count;
    struct head_field {
        const char *name;
        const char *value; /* without blanks around it */
    } fields[HEAD_FIELDS_MAX];
};

/* Read the head in text, which ends with its empty line, and is cut with NULs. Returns 0,
 * or the status to refuse it with, and err says why. */
int head_read(char *text, size_t length, struct head *head, struct dbk_error *err);

/* The value of a field, of the first where it comes several times (count), or NULL. */
const char *head_field(const struct head *head, const char *name, unsigned *count);

/* The next member of a list that may stand in several fields of one name: without blanks
 * around it, its length in *length. Begin with *field 0 and *at NULL. Commas in quotes
 * part nothing. NULL: there is none any more. */
const char *head_list_next(const struct head *head, const char *name, size_t *field,
                           const char **at, size_t *length);

/* Whether such a list has this token, in any case. */
bool head_lists(const struct head *head, const char *name, const char *token);

#endif
