/* list.h - answers a page of a list out of the read tables.
 *
 * A small page goes out whole. For a large one it must be known first where it ends, for
 * the link to the next page stands in the head of the answer; then it is sent piece by
 * piece. So memory does not grow with the page, and no connection to PostgreSQL is held
 * while a client takes its time. Where it ends is seen by walking over it, or, where the
 * list can skip rows, reckoned from how large the first ones are.
 */
#ifndef DBK_HTTP_LIST_H
#define DBK_HTTP_LIST_H

#include "request.h"
#include "response.h"

#include "projections/read_model.h"

#define LIST_LIMIT_DEFAULT 1000
#define LIST_LIMIT_MAX 10000
#define LIST_BYTES_MAX                                                                 \
    (16u << 20) /* a page of more JSON ends early, with a next link */

/* How to read the rows behind page->after. */
typedef enum dbk_code list_read(struct dbk_read_model *model,
                                const struct dbk_page *page, const void *context,
                                struct dbk_rows *rows, struct dbk_error *err);

/* How many rows there are on all pages. */
typedef enum dbk_code list_count(struct dbk_read_model *model, const void *context,
                                 bool exact, struct dbk_count *count,
                                 struct dbk_error *err);

/* Where a page of page->limit rows ends, without reading them. */
typedef enum dbk_code list_skip(struct dbk_read_model *model,
                                const struct dbk_page *page, const void *context,
                                uint64_t *cursor, bool *more, struct dbk_error *err);

struct list {
    uint64_t after;
    uint64_t limit;
    bool descending;
    list_read *read;
    list_skip *skip; /* or NULL */
    list_count *count;
    int counted; /* as is asked: -1 not at all, 0 exactly, 1 as it is estimated */
    enum dbk_set_aside_of of;         /* what is listed */
    bool of_nobody;                   /* it is empty, whatever the tables have */
    const struct dbk_uuid *of_person; /* the list is of this one alone; or NULL */
    bool is_known; /* without a row of_person is not in the tables yet, or gone */
    const void *context;
    const char *nothing; /* the details of an empty list */
};

/* Read limit, after, order and count of the query. A bad one adds to rq->fields. */
void list_params(struct request *rq, struct list *list);

/* Add the Link header to the next page (RFC 8288): to this request's path with its
 * parameters, but after this cursor. */
void list_link_next(const struct request *rq, struct response *rs, uint64_t after);

/* Wait for freshness, then answer. */
enum dbk_code list_answer(struct request *rq, struct response *rs,
                          const struct list *list, struct dbk_error *err);

/* Whose list it is, and whether anybody waits for it: for what asks the read model as lists
 * do. Lasts as long as the request. */
struct dbk_asker list_asker(const struct request *rq);

/* What that failed with, as the client is to be told. Returns err->code. */
enum dbk_code list_tell(struct request *rq, struct dbk_error *err);

#endif
