/* accept.h - which media types a client takes, by its Accept headers (RFC 9110, 12.5.1).
 *
 * The most specific range that fits a type counts, whatever stands before it: a name over
 * "application" with a star, that over two stars. Parameters but q are not looked at: no
 * type of ours has any that matter. */
#ifndef DBK_HTTP_ACCEPT_H
#define DBK_HTTP_ACCEPT_H

#include <stdbool.h>

struct head;

#define ACCEPT_FULLY 1000

enum accept_range { ACCEPT_NONE, ACCEPT_ANY, ACCEPT_SUBTYPES, ACCEPT_NAMED };

/* What the ranges looked at so far say of one type. Begin with a zeroed one. */
struct accept {
    enum accept_range range; /* the most specific that fits; ACCEPT_NONE: none does */
    int weight;              /* its q, in thousandths; of several the highest */
};

/* The q in the parameters behind a range, which begin with a semicolon and end at a comma,
 * in thousandths; ACCEPT_FULLY for none. */
int accept_weight(const char *parameters);

/* Look at one header's list, too; NULL is an empty one. */
void accept_add(struct accept *accept, const char *header, const char *type);

/* What all Accept headers of a request say of a type, such as "application/json". */
struct accept accept_of(const struct head *head, const char *type);

/* It is fitted, and by q=0: the client cannot use it. A type that no range fits may be
 * sent: an answer that is not asked for is worth more than none. */
bool accept_excludes(struct accept accept);

/* Whether the first is wanted instead of the second, which is what is sent else. */
bool accept_prefers(struct accept first, struct accept second);

#endif
