#include "external.h"

#include "label.h"
#include "store/log.h"

#include <stdio.h>

static enum dbk_code refuse(struct request *rq, const char *why, struct dbk_error *err)
{
    struct dbk_field_error *one = &rq->fields.list[0];

    *one = (struct dbk_field_error){.field = "external_id"};
    snprintf(one->message, sizeof one->message, "%s", why);
    rq->fields.count = 1;
    return dbk_fail(err, DBK_INVALID, "external_id: %s", why);
}

enum dbk_code external_read(struct request *rq, struct external *out,
                            struct dbk_error *err)
{
    char why[LABEL_WHY_MAX] = "must have at most 200 characters";
    size_t length;

    if (!route_text(rq->match.value, out->text, sizeof out->text, &length))
        return refuse(rq, why, err);
    out->id = (struct dbk_slice){out->text, length};
    if (!label_valid(out->id, EXTERNAL_ID_CHARACTERS_MAX, why))
        return refuse(rq, why, err);
    return DBK_OK;
}

enum dbk_code external_nobody(struct dbk_error *err)
{
    return dbk_fail(err, DBK_NOT_FOUND, "There is no person with this external_id");
}

enum dbk_code external_find(const struct request *rq, const struct external *external,
                            struct dbk_uuid *id, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_whose(rq->service->log, DBK_IDENTITY_EXTERNAL_ID,
                                       external->id, id, err);

    return code == DBK_NOT_FOUND ? external_nobody(err) : code;
}

enum dbk_code external_handle(struct request *rq, struct response *rs, handler *handle,
                              struct dbk_error *err)
{
    struct external external;

    if (external_read(rq, &external, err) != DBK_OK ||
        external_find(rq, &external, &rq->match.id, err) != DBK_OK)
        return err->code;
    return handle(rq, rs, err);
}
