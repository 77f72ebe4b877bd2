/* statistics_answer.h - what all answers of statistics have in common. */
#ifndef DBK_HTTP_STATISTICS_ANSWER_H
#define DBK_HTTP_STATISTICS_ANSWER_H

#include "projections/statistics.h"
#include "request.h"
#include "response.h"

/* A count that is under way. */
struct statistics {
    struct dbk_asker asker;
    bool of_person; /* of one alone, who is not set aside */
    bool exact;     /* nobody was set aside when it began */
};

/* The parameters are read: refuse what is wrong with them, take a place among the lists, and
 * wait until the tables show what was written before. person may be NULL: of that one who is
 * set aside nothing is counted. Errors as list_answer has them. */
enum dbk_code statistics_begin(struct request *rq, struct response *rs,
                               const struct dbk_uuid *person,
                               struct statistics *statistics, struct dbk_error *err);

/* What counting failed with, as the client is to be told: of a time zone that is not there,
 * of more rows than are answered, which too_many (a parameter, and what to do) tells, and of
 * the time that was not enough. Returns err->code. */
enum dbk_code statistics_fail(struct request *rq, const char *param,
                              const char *too_many, struct dbk_error *err);

/* The envelope's end. "exact" is false where persons or anonymous ids are, or were when it
 * began, set aside: then what is recorded of them since is missing. */
enum dbk_code statistics_end(struct request *rq, struct response *rs,
                             const struct statistics *statistics,
                             struct dbk_error *err);

#endif
