/* suggest.h - what somebody who mistyped a word most likely meant. */
#ifndef DBK_TOOLS_SUGGEST_H
#define DBK_TOOLS_SUGGEST_H

#include <stddef.h>

/* The word's best match so far. Zero it before first use. */
struct suggestion {
    const char *best; /* NULL: nothing is near enough; else as it was offered */
    unsigned distance;
};

/* Offer a candidate: it is kept where it is nearer to typed (length bytes of it) than
 * what was offered before, by edits of single letters, neighbours swapped included. */
void suggest(struct suggestion *suggestion, const char *typed, size_t length,
             const char *candidate);

#endif
