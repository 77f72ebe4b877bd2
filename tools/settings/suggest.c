#include "suggest.h"

#include <assert.h>
#include <string.h>

#define WORD_MAX 40 /* longer ones are nobody's slip of the finger */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance (Damerau-Levenshtein, each place edited once). */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned row[3][WORD_MAX + 1];

    assert(a_length <= WORD_MAX && b_length <= WORD_MAX);
    for (unsigned j = 0; j <= b_length; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *here = row[i % 3], *above = row[(i - 1) % 3];

        here[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            here[j] = least(least(above[j], here[j - 1]) + 1,
                            above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                here[j] = least(here[j], row[(i - 2) % 3][j - 2] + 1);
        }
    }
    return row[a_length % 3][b_length];
}

void suggest(struct suggestion *suggestion, const char *typed, size_t length,
             const char *candidate)
{
    size_t known = strlen(candidate);
    unsigned edits;

    if (length > WORD_MAX || known > WORD_MAX)
        return;
    edits = distance(typed, length, candidate, known);
    if (edits > known / 3 + 1 || edits >= known)
        return;
    if (!suggestion->best || edits < suggestion->distance)
        *suggestion = (struct suggestion){candidate, edits};
}
