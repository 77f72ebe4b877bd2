#include "aside.h"

#include "worker.h"

#include <inttypes.h>
#include <stdio.h>

#define RETRY_S 60 /* it passes once an operator has looked after it */

static enum dbk_code refuse(struct request *rq, const struct dbk_set_aside *one,
                            struct dbk_error *err)
{
    char *text = rq->worker->unavailable, id[DBK_UUID_TEXT + 1];
    size_t size = sizeof rq->worker->unavailable;

    dbk_uuid_format(&one->person_id, id);
    if (one->has_person)
        snprintf(text, size,
                 "Person %s is set aside (quarantined) since record %" PRIu64
                 ", which PostgreSQL "
                 "refused: what would be shown is not what the log has. On the server "
                 "daybook status tells why, and daybook retry posts the person again",
                 id, one->first);
    else if (*one->anonymous_id)
        snprintf(
            text, size,
            "The events of an anonymous id are set aside (quarantined) since record "
            "%" PRIu64 ", which PostgreSQL refused: what would be shown is not what "
            "the log has. On the server daybook status tells why, and daybook retry "
            "posts them again",
            one->first);
    else
        snprintf(text, size,
                 "Record %" PRIu64 " of the log cannot be read, so what it says is "
                 "missing here. On the server daybook verify tells why",
                 one->first);
    rq->unavailable = text;
    rq->retry_after = RETRY_S;
    return dbk_fail(err, DBK_UNAVAILABLE, "quarantined since record %" PRIu64,
                    one->first);
}

enum dbk_code aside_check_person(struct request *rq, const struct dbk_uuid *id,
                                 struct dbk_error *err)
{
    struct dbk_set_aside one;

    if (dbk_uuid_is_nil(id) ||
        !dbk_projector_set_aside(rq->service->projector, id, &one))
        return DBK_OK;
    return refuse(rq, &one, err);
}

enum dbk_code aside_check_rows(struct request *rq, const struct dbk_rows *rows,
                               struct dbk_error *err)
{
    if (!dbk_projector_any_aside(rq->service->projector))
        return DBK_OK;
    for (size_t i = 0; i < rows->count; i++) {
        /* Lists of one person's events are long. */
        if (i > 0 &&
            dbk_uuid_equal(&rows->rows[i].person_id, &rows->rows[i - 1].person_id))
            continue;
        if (aside_check_person(rq, &rows->rows[i].person_id, err) != DBK_OK)
            return err->code;
    }
    return DBK_OK;
}

enum dbk_code aside_check_page(struct request *rq, enum dbk_set_aside_of of,
                               uint64_t after, uint64_t to, struct dbk_error *err)
{
    struct dbk_set_aside one;

    if (!dbk_projector_aside_between(rq->service->projector, of, after, to, &one))
        return DBK_OK;
    return refuse(rq, &one, err);
}
