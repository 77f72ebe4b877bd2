#include "statistics_answer.h"

#include "aside.h"
#include "fresh.h"
#include "list.h"
#include "withheld.h"

enum dbk_code statistics_begin(struct request *rq, struct response *rs,
                               const struct dbk_uuid *person,
                               struct statistics *statistics, struct dbk_error *err)
{
    struct fresh fresh;

    if (params_done(&rq->fields, err) != DBK_OK)
        return err->code;
    if (fresh_enter(rq, true, err) != DBK_OK ||
        fresh_wait(rq, rs, 0, &fresh, err) != DBK_OK)
        return err->code;
    if (person && (aside_check_person(rq, person, err) != DBK_OK ||
                   withheld_check(rq, person, err) != DBK_OK))
        return err->code;
    statistics->asker = list_asker(rq);
    statistics->of_person = person != NULL;
    statistics->exact = !dbk_projector_any_aside(rq->service->projector);
    return DBK_OK;
}

enum dbk_code statistics_fail(struct request *rq, const char *param,
                              const char *too_many, struct dbk_error *err)
{
    if (err->code == DBK_INVALID)
        params_wrong(&rq->fields, dbk_slice("tz"), "there is no such time zone");
    else if (err->code == DBK_TOO_LARGE)
        params_wrong(&rq->fields, dbk_slice(param), "%s", too_many);
    if (rq->fields.count > 0)
        return params_done(&rq->fields, err);
    rq->timed_out =
        "It took longer to count than a read may take (QUERY_TIMEOUT); narrow "
        "the range with since and until, or ask for fewer types";
    return list_tell(rq, err);
}

enum dbk_code statistics_end(struct request *rq, struct response *rs,
                             const struct statistics *statistics, struct dbk_error *err)
{
    bool exact =
        statistics->of_person ||
        (statistics->exact && !dbk_projector_any_aside(rq->service->projector));

    return response_end_with(
        rs, 200,
        exact ? DETAILS_OK
              : "Persons or anonymous ids are set aside (quarantined); what was "
                "recorded of them since is missing here",
        exact ? ",\"exact\":true" : ",\"exact\":false", err);
}
