#include "whose.h"

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

enum dbk_code whose_asked(struct request *rq, enum whose *whose, struct dbk_uuid *id,
                          struct dbk_error *err)
{
    struct dbk_uuid asked;

    (void)err;
    *whose = WHOSE_ANYBODY;
    if (params_uuid(&rq->params, "person_id", &asked, &rq->fields))
        narrow(whose, id, &asked);
    return DBK_OK;
}

bool whose_anonymous_id(struct request *rq, struct dbk_slice *out)
{
    return label(rq, "anonymous_id", ANONYMOUS_ID_CHARACTERS_MAX, out);
}
