/* GET /persons/{id}/history: what the log has about a person, from an index beside it, so it
 * is answered while PostgreSQL is away. As JSON, or a record a line (NDJSON). */
#include "handlers.h"
#include "list.h"
#include "log_page.h"
#include "request.h"
#include "response.h"
#include "store/history.h"
#include "withheld.h"
#include "worker.h"

#include <stdlib.h>

#define LOOK_MAX 100000 /* records that one request looks at, about */

struct history_page {
    struct dbk_history_page found;
    size_t next; /* of those found, to be rendered */
    enum log_form form;
};

static bool has_more(const void *context)
{
    const struct history_page *page = context;

    return page->next < page->found.count;
}

/* The next one that was found. */
static enum dbk_code render_next(struct request *rq, struct history_page *page,
                                 struct dbk_render *out, struct dbk_error *err)
{
    uint64_t sequence = page->found.sequences[page->next];
    struct dbk_record record;
    enum dbk_code code =
        dbk_log_record(rq->service->log, sequence, &rq->worker->batch, &record, err);

    if (!dbk_record_lacks_key(code, &record)) {
        if (code == DBK_DAMAGED || code == DBK_UNSUPPORTED)
            return log_page_unreadable(rq, sequence, err);
        if (code != DBK_OK)
            return code;
    }
    log_page_record(out, &record, page->form, page->next == 0, NULL);
    page->next++;
    return DBK_OK;
}

static enum dbk_code render_piece(struct request *rq, struct dbk_render *out,
                                  void *context, struct dbk_error *err)
{
    struct history_page *page = context;

    while (has_more(page) && out->length < LOG_PIECE_BYTES) {
        if (render_next(rq, page, out, err) != DBK_OK)
            return err->code;
    }
    return DBK_OK;
}

static enum dbk_code answer(struct request *rq, struct response *rs,
                            struct history_page *page, struct dbk_error *err)
{
    const struct log_pieces pieces = {has_more, render_piece, page};

    response_header(rs, "Vary", "Accept");
    if (page->found.more)
        list_link_next(rq, rs, page->found.after);
    return log_page_send(
        rq, rs, page->form, &pieces,
        has_more(page) ? DETAILS_OK
                       : "The request was successful, and none of the records that "
                         "were looked at is about this person",
        err);
}

/* Nothing is about who was never made: events need a person. */
static enum dbk_code find(struct request *rq, struct history_page *page,
                          struct dbk_error *err)
{
    struct dbk_person_records person;
    struct dbk_person_state state;
    enum dbk_code code = dbk_log_person(rq->service->log, &rq->match.id, &state, err);

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "No record is about a person with this id");
    if (code != DBK_OK ||
        (!state.erased && withheld_check(rq, &rq->match.id, err) != DBK_OK) ||
        dbk_person_records_init(&person, rq->service->log, &rq->match.id, err) !=
            DBK_OK)
        return err->code;
    code = dbk_history_find(rq->service->options.history, &person, &page->found, err);
    dbk_person_records_finish(&person);
    return code;
}

enum dbk_code handle_person_history(struct request *rq, struct response *rs,
                                    struct dbk_error *err)
{
    struct history_page page = {.form = log_page_wanted(rq, NULL)};
    enum dbk_code code;
    struct list list;

    list_params(rq, &list);
    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    page.found.after = list.after;
    page.found.limit = list.limit;
    page.found.look_max = LOOK_MAX;
    page.found.unreadable = true; /* one of them may be about this person */
    page.found.sequences = calloc(list.limit, sizeof *page.found.sequences);
    if (!page.found.sequences)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a page");
    code = find(rq, &page, err);
    if (code == DBK_OK)
        code = answer(rq, rs, &page, err);
    free(page.found.sequences);
    return code;
}
