/* GET /persons/{id}/export: everything that is held of a person (person_export.h), straight from
 * the log, so it is answered while PostgreSQL is away. */
#include "handlers.h"
#include "http/person_export.h"
#include "request.h"
#include "response.h"
#include "response_stream.h"

static enum dbk_code stream(struct request *rq, struct response *rs,
                            struct dbk_person_export *export, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    bool more = true;

    response_stream_begin(rs, rq, 200);
    while (more && code == DBK_OK && response_stream_piece(rs, rq))
        more = dbk_person_export_next(export, &rs->body, &code, err);
    if (code != DBK_OK || response_end(rs, 200, DETAILS_OK, err) != DBK_OK)
        response_stream_break(rs, err);
    response_stream_end(rs, rq);
    return DBK_OK;
}

static enum dbk_code answer(struct request *rq, struct response *rs,
                            struct dbk_person_export *export, struct dbk_error *err)
{
    enum dbk_code code;
    bool more;

    response_begin(rs);
    more = dbk_person_export_next(export, &rs->body, &code, err);
    if (code != DBK_OK)
        return code;
    return more ? stream(rq, rs, export, err) : response_end(rs, 200, DETAILS_OK, err);
}

enum dbk_code handle_person_export(struct request *rq, struct response *rs,
                                   struct dbk_error *err)
{
    struct dbk_person_export *export;
    enum dbk_code code;

    if (params_done(&rq->fields, err) != DBK_OK ||
        dbk_person_export_begin(rq->service->log, rq->service->options.history,
                                &rq->match.id, &export, err) != DBK_OK)
        return err->code;
    code = answer(rq, rs, export, err);
    dbk_person_export_end(export);
    return code;
}
