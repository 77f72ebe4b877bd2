#include "whose.h"

#include "email.h"
#include "label.h"
#include "store/log.h"

#include <string.h>

/* One more thing that is asked of who it is. */
static void narrow(enum whose *whose, struct dbk_uuid *id, const struct dbk_uuid *one)
{
    if (*whose == WHOSE_ONE && memcmp(id, one, sizeof *id) != 0)
        *whose = WHOSE_NOBODY;
    if (*whose == WHOSE_ANYBODY)
        *whose = WHOSE_ONE;
    *id = *whose == WHOSE_ONE ? *one : (struct dbk_uuid){{0}};
}

static enum dbk_code look_up(struct request *rq, enum dbk_identity identity,
                             struct dbk_slice text, enum whose *whose,
                             struct dbk_uuid *id, struct dbk_error *err)
{
    struct dbk_uuid found;
    enum dbk_code code = dbk_log_whose(rq->service->log, identity, text, &found, err);

    if (code == DBK_OK) {
        narrow(whose, id, &found);
    } else if (code == DBK_NOT_FOUND) {
        *whose = WHOSE_NOBODY;
        *id = (struct dbk_uuid){{0}};
        code = DBK_OK;
    }
    return code;
}

static bool label(struct request *rq, const char *name, size_t characters_max,
                  struct dbk_slice *out)
{
    char why[LABEL_WHY_MAX];

    if (!params_text(&rq->params, name, out))
        return false;
    if (label_valid(*out, characters_max, why))
        return true;
    params_wrong(&rq->fields, dbk_slice(name), "%s", why);
    return false;
}

static bool email(struct request *rq, struct dbk_slice *out)
{
    if (!params_text(&rq->params, "email", out))
        return false;
    if (email_valid(*out))
        return true;
    params_wrong(&rq->fields, dbk_slice("email"),
                 "an email address is needed (its + is written %%2B)");
    return false;
}

enum dbk_code whose_asked(struct request *rq, enum whose *whose, struct dbk_uuid *id,
                          struct dbk_error *err)
{
    struct dbk_slice text;
    struct dbk_uuid asked;
    enum dbk_code code = DBK_OK;

    *whose = WHOSE_ANYBODY;
    if (params_uuid(&rq->params, "person_id", &asked, &rq->fields))
        narrow(whose, id, &asked);
    if (email(rq, &text))
        code = look_up(rq, DBK_IDENTITY_EMAIL, text, whose, id, err);
    if (code == DBK_OK && label(rq, "external_id", EXTERNAL_ID_CHARACTERS_MAX, &text))
        code = look_up(rq, DBK_IDENTITY_EXTERNAL_ID, text, whose, id, err);
    return code;
}

bool whose_anonymous_id(struct request *rq, struct dbk_slice *out)
{
    return label(rq, "anonymous_id", ANONYMOUS_ID_CHARACTERS_MAX, out);
}

enum dbk_code whose_alias(struct request *rq, enum whose *whose, struct dbk_uuid *id,
                          struct dbk_error *err)
{
    struct dbk_slice text;

    if (!whose_anonymous_id(rq, &text))
        return DBK_OK;
    return look_up(rq, DBK_IDENTITY_ANONYMOUS_ID, text, whose, id, err);
}
