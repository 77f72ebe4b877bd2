/* GET /persons, GET /persons/{id}. */
#include "ahead.h"
#include "aside.h"
#include "etag.h"
#include "fresh.h"
#include "handlers.h"
#include "label.h"
#include "list.h"
#include "logged.h"
#include "request.h"
#include "response.h"
#include "whose.h"
#include "withheld.h"
#include "worker.h"

#include <assert.h>

#define EVENTS_LIMIT_DEFAULT 100
#define EVENTS_LIMIT_MAX 1000
#define PREFIX_CHARACTERS_MAX 254 /* as many as an email has */

static_assert(EVENTS_LIMIT_DEFAULT == AHEAD_EVENTS, "as many are read ahead");

static unsigned events_limit(struct request *rq)
{
    uint64_t limit = EVENTS_LIMIT_DEFAULT;

    params_unsigned(&rq->params, "events_limit", 0, EVENTS_LIMIT_MAX, &limit,
                    &rq->fields);
    return (unsigned)limit;
}

/* What GET /persons asks for. */
struct search {
    struct dbk_person_filter filter;
    enum whose whose;
    unsigned events_limit;
};

static enum dbk_code read_page(struct dbk_read_model *model,
                               const struct dbk_page *page, const void *context,
                               struct dbk_rows *rows, struct dbk_error *err)
{
    const struct search *search = context;

    return dbk_read_persons(model, page, &search->filter, search->events_limit, rows,
                            err);
}

static enum dbk_code skip_page(struct dbk_read_model *model,
                               const struct dbk_page *page, const void *context,
                               uint64_t *cursor, bool *more, struct dbk_error *err)
{
    const struct search *search = context;

    return dbk_skip_persons(model, page, &search->filter, cursor, more, err);
}

static enum dbk_code count_rows(struct dbk_read_model *model, const void *context,
                                bool exact, struct dbk_count *count,
                                struct dbk_error *err)
{
    const struct search *search = context;

    return dbk_count_persons(model, &search->filter, exact, count, err);
}

/* q=: what is searched for as it is typed. */
static void read_prefix(struct request *rq, struct dbk_slice *out)
{
    char why[LABEL_WHY_MAX];
    struct dbk_slice text;

    static_assert(4 * PREFIX_CHARACTERS_MAX <= DBK_FILTER_PREFIX_MAX, "of UTF-8");
    if (!params_text(&rq->params, "q", &text))
        return;
    if (label_valid(text, PREFIX_CHARACTERS_MAX, why))
        *out = text;
    else
        params_wrong(&rq->fields, dbk_slice("q"), "%s", why);
}

static enum dbk_code read_search(struct request *rq, struct search *search,
                                 struct dbk_error *err)
{
    struct dbk_person_filter *filter = &search->filter;

    search->events_limit = events_limit(rq);
    read_prefix(rq, &filter->prefix);
    if (whose_asked(rq, &search->whose, &filter->id, err) != DBK_OK ||
        whose_alias(rq, &search->whose, &filter->id, err) != DBK_OK)
        return err->code;
    filter->has_id = search->whose == WHOSE_ONE;
    if (search->whose != WHOSE_ANYBODY)
        params_object(&rq->params, "properties", &filter->properties, &rq->fields);
    else
        params_contained(&rq->params, "properties", &filter->properties, &rq->fields);
    return DBK_OK;
}

enum dbk_code handle_list_persons(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    struct search search = {0};
    const struct dbk_restricted *withheld;
    struct list list = {.read = read_page,
                        .skip = skip_page,
                        .count = count_rows,
                        .of = DBK_SET_ASIDE_PERSONS,
                        .context = &search,
                        .nothing = "The request was successful, and there are no "
                                   "persons to show"};

    if (read_search(rq, &search, err) != DBK_OK ||
        withheld_all(rq, &withheld, err) != DBK_OK)
        return err->code;
    search.filter.without = withheld->list;
    search.filter.without_count = withheld->count;
    list.of_nobody =
        search.whose == WHOSE_NOBODY ||
        (search.whose == WHOSE_ONE && dbk_restricted_has(withheld, &search.filter.id));
    list.of_person = search.whose == WHOSE_ANYBODY ? NULL : &search.filter.id;
    list_params(rq, &list);
    list.is_known = search.whose == WHOSE_ONE && !list.of_nobody && list.after == 0 &&
                    search.filter.properties.length == 0 &&
                    search.filter.prefix.length == 0;
    return list_answer(rq, rs, &list, err);
}

/* It shows events too, which move without its version: so its tag is of its text, too. */
static enum dbk_code answer_person(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    const struct dbk_rows *rows = &rq->worker->rows;
    const struct dbk_row *row = &rows->rows[0];
    struct dbk_slice json = {rows->json.text + row->offset, row->length};
    char tag[ETAG_MAX];

    if (logged_person_tag(rq, row->version, json, tag, err) != DBK_OK)
        return err->code;
    rs->cache_control = "private, no-cache";
    if (response_tag(rs, rq, tag))
        return DBK_OK;
    response_begin(rs);
    response_row(rs, json);
    return response_end(rs, 200, DETAILS_OK, err);
}

/* The log knows whether one who is not to be shown was deleted. */
static enum dbk_code gone_or(struct request *rq, struct dbk_error *err)
{
    struct dbk_person_state state;

    if (dbk_log_person(rq->service->log, &rq->match.id, &state, NULL) == DBK_OK &&
        state.deleted) {
        rq->failure = 0;
        return dbk_fail(err, DBK_NOT_FOUND, "There is no person with this id");
    }
    return err->code;
}

enum dbk_code handle_get_person(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    unsigned limit = events_limit(rq);
    struct fresh fresh;
    enum dbk_code code;

    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    if (fresh_wait(rq, rs, 0, &fresh, err) != DBK_OK)
        return err->code;
    if (aside_check_person(rq, &rq->match.id, err) != DBK_OK)
        return gone_or(rq, err);
    if (withheld_check(rq, &rq->match.id, err) != DBK_OK)
        return rq->failure == 403 ? gone_or(rq, err) : err->code;
    code = ahead_of(rq) ? ahead_take(rq, err)
                        : dbk_read_person(rq->service->model, &rq->match.id, limit,
                                          &rq->worker->rows, err);
    if (code == DBK_NOT_FOUND)
        return fresh_no_person(rq, &rq->match.id, &fresh, err);
    if (code != DBK_OK)
        return code;
    return answer_person(rq, rs, err);
}
