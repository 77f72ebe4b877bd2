/* differences.h - holds the read tables against the log, and tells how they differ: each
 * row in a line as it is found, or all of it as a JSON object. For verify --projection and
 * rebuild --dry-run. */
#ifndef DBK_TOOLS_DIFFERENCES_H
#define DBK_TOOLS_DIFFERENCES_H

#include "projections/compare.h"
#include "session.h"

#define DIFFERENCES_TOLD 20 /* of each table, unless all were asked for */

struct differences {
    struct session *session;
    FILE *lines; /* told here as they are found; NULL: not at all */
    uint64_t told;
    struct dbk_compare_result result;
    bool comparable; /* false: there are no tables of this log, and reason says why */
    char reason[512];
    FILE *json; /* private: the array of those found so far */
    char *json_text;
    size_t json_size;
    bool json_any;
};

/* Compare; all: tell all of them. DBK_OK: it was done. Errors as dbk_compare, but for those that say that there
 * is nothing to be compared. Free it either way. */
enum dbk_code differences_find(struct differences *differences, struct session *session,
                               FILE *lines, bool all, struct dbk_error *err);
/* Instead of it, where it cannot be done. reason is copied. */
void differences_refuse(struct differences *differences, const char *reason);
void differences_finish(struct differences *differences);

/* Whether the tables are what the log says. */
bool differences_none(const struct differences *differences);

/* For people: a line or two, and what to do next. */
void differences_print(const struct differences *differences, FILE *out);
/* A JSON object, with those found, and no newline. */
void differences_print_json(struct differences *differences, FILE *out);

#endif
